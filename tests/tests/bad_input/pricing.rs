//! One call priced from the command line: what cannot be such a call is named with the option that says it.

use crate::desk::{BAD_INPUT, Desk, NEEDS_HAND, WRONG_USE};

const CALL: [&str; 7] = ["rate", "--plan", "zakelijk-plus", "--to", "06-12345678", "--start", "2026-10-14T10:00:00+02:00"];

#[test]
fn a_call_that_cannot_be_is_named_with_its_option() {
    let desk = Desk::new();
    let rate = |more: &[&str]| desk.tollway(&[&CALL[..], more].concat());
    rate(&[]).ends(WRONG_USE).says(&["--seconds", "--messages", "--bytes"]);
    rate(&["--seconds", "63", "--bytes", "5"]).ends(WRONG_USE).says(&["cannot be used with"]);
    rate(&["--seconds", "63", "--kind", "sms-mo"]).ends(WRONG_USE).says(&["--kind: `sms-mo` is not counted in `seconds`"]);
    rate(&["--seconds", "63", "--kind", "voice-om"])
        .ends(WRONG_USE)
        .says(&["there is no kind `voice-om`: there are voice-mo,", "; did you mean `voice-mo`?"]);
    rate(&["--seconds", "63", "--cost", "12,5"]).ends(WRONG_USE).says(&["--cost: `12,5` is no amount", "0.0215"]);
    rate(&["--seconds", "63", "--country-code", "NL"]).ends(WRONG_USE).says(&["--country-code", "`NL`", "digits"]);
    rate(&["--seconds", "63", "--network", "KPN"]).ends(BAD_INPUT).says(&["`KPN`", "an MCC-MNC or a TADIG code is expected"]);
    rate(&["--seconds", "63", "--tariff", "nl-zakelik"]).ends(BAD_INPUT).says(&["did you mean `nl-zakelijk`?"]);
    let nowhere = Desk::bare();
    nowhere
        .tollway(&[&CALL[..], &["--seconds", "63"]].concat())
        .ends(BAD_INPUT)
        .says(&["no tollway data folder", "help: --tariff names"]);
    let at = |start: &str| desk.tollway(&["rate", "--plan", "zakelijk-plus", "--start", start, "--seconds", "63"]);
    at("2026-10-14 10:00").ends(WRONG_USE).says(&["--start: `2026-10-14 10:00` is no instant"]);
    at("2026-02-30T10:00:00Z").ends(WRONG_USE).says(&["--start", "does not exist in the calendar"]);
    let to = |number: &str| {
        desk.tollway(&["rate", "--plan", "m2m", "--to", number, "--start", "2026-10-14T10:00:00Z", "--seconds", "1"])
    };
    to("12").ends(WRONG_USE).says(&["--to: `12` is no number", "with + or 00"]);
}

#[test]
fn a_plan_that_nobody_sells_and_a_call_without_a_price_are_told_apart() {
    let desk = Desk::new();
    let rate = |plan: &str, to: &str| {
        desk.tollway(&["rate", "--plan", plan, "--to", to, "--start", "2026-10-14T10:00:00+02:00", "--seconds", "63"])
    };
    rate("zakelijk-puls", "06-12345678")
        .ends(BAD_INPUT)
        .says(&["no tariff sells a plan `zakelijk-puls`; did you mean `zakelijk-plus`?"]);
    rate("zakelijk-plus", "+999 12345678").ends(NEEDS_HAND).says(&["no price: no_zone", "remedy"]);
    rate("zakelijk-plus", "").ends(NEEDS_HAND).says(&["no price: no_zone", "give --to NUMBER"]);
    let before = ["rate", "--plan", "zakelijk-plus", "--to", "112", "--start", "1999-12-31T10:00:00Z", "--seconds", "63"];
    desk.tollway(&before).ends(NEEDS_HAND).says(&["no price: no_tariff"]);
}
