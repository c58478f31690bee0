//! `tollway explain RECORD`: why a record costs what it costs, from the computation itself.

use domain::columns::entries::EntryKind;
use domain::columns::linked::{NO_GROUP, Owner};
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::number::masked;
use domain::outcome::Reason;
use domain::period::Month;
use ingest::land::{ArrivalKind, ImportKind, WriteOff};
use pipeline::rating::Reference;
use rate::explain::{Derivation, ExplainInput, explain, explain_settled};
use rate::settle::{Draw, Period, Trace};
use serde_json::json;
use sinks::correction::Place;

use super::explain_levels::{self, LevelStep};
use super::rows::{Row, ask_rows, key_or_place_filter, sql_text};
use super::source::source_of;
use super::write_off::{WrittenOff, decision};
use crate::cli::{ExplainArgs, Global};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::output::{Answer, count};
use crate::parties::{Asking, Parties};

/// Everything about one record that a page of explanation needs.
const COLUMNS: &str = "encode(record_key, 'hex') AS record, entry, outcome, reason, reason_field, tenant, provider, account, delivery, \
    arrival, row, byte_offset, byte_length, kind, arrow_cast(start, 'Int64') AS start_us, start, start_offset_s, time_flag, \
    duration_s, bytes_up, bytes_down, messages, a_number, imsi, iccid, b_number, b_number_type, network, provider_class, \
    arrow_cast(cost * 1000000000, 'Decimal128(38, 0)') AS cost_nano, cost, cost_currency, owner_path, customer, subscription, \
    device, plan, provider_cycle, billing_period, tariff, zone, party, band, billed_units, charge, currency, profile, allowance, \
    allowance_units, arrow_cast(allowance_money * 1000000000, 'Decimal128(38, 0)') AS allowance_nano, \
    arrow_cast(charge * 1000000000, 'Decimal128(38, 0)') AS charge_nano";

/// Runs the command.
pub fn run(global: &Global, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let (lines, json) = explained(global, &installation, &args.record)?;
    Answer { headline: lines.join("\n"), json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}

/// The page of the record that `name` names; one record exactly.
pub fn explained(global: &Global, installation: &Installation, name: &str) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
    let sql = format!("SELECT {COLUMNS} FROM cdr WHERE {} ORDER BY arrival, row LIMIT 2", key_or_place_filter(name)?);
    let rows = ask_rows(installation, &sql)?;
    match rows.as_slice() {
        [] => Err(bad_input(format!("no record is named `{name}`; `tollway query` finds records"))),
        [one] => page(global, installation, one),
        _ => Err(bad_input(format!("`{name}` names more than one record; give more digits"))),
    }
}

/// The page of one record: lines for people, and the same for machines.
fn page(global: &Global, installation: &Installation, row: &Row) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
    let hide = |name: &str| {
        let text = row.text(name).unwrap_or_default();
        if global.clear { text.to_owned() } else { masked(text) }
    };
    let get = |name: &str| row.text(name).unwrap_or_default();
    let source = source_of(installation, row)?;
    let mut lines = vec![headline(row, &hide("b_number"))];
    let mut line = |head: &str, text: String| lines.push(format!("  {head:<10}{text}"));
    if let Some(text) = whose(row, &hide("a_number")) {
        line("whose", text);
    }
    let Derived { derivation, is_settled, levels } = derive(installation, row)?;
    let number = row.text("b_number").filter(|n| n.len() >= 7 && !global.clear);
    let veil = |text: String| number.map_or_else(|| text.clone(), |n| text.replace(n, &masked(n)));
    for text in derivation_lines(row, derivation.as_ref()) {
        let text = veil(text);
        let (head, rest) = text.split_once(": ").unwrap_or(("", &text));
        let inner = head.starts_with(' ') || head.len() > 9;
        line(if inner { "" } else { head }, if inner { text.clone() } else { rest.to_owned() });
    }
    if let Some(text) = unsettled_text(row, is_settled) {
        line("settled", text);
    }
    if row.text("time_flag").is_some() {
        line("clock", "this local time came twice that night and the source does not say which; the first was taken".to_owned());
    }
    if row.text("charge").is_some() && row.text("cost").is_some() {
        line("compare", compare(row));
    }
    for (n, step) in levels.iter().enumerate() {
        line(if n == 0 { "levels" } else { "" }, step.text());
    }
    let landed = format!(
        "file {} line {}, profile {}, delivery {}:{}",
        source.file,
        source.line.map_or_else(|| "?".to_owned(), count),
        get("profile"),
        get("delivery").get(..8).unwrap_or_default(),
        get("row")
    );
    line("from", landed);
    line("record", get("record").to_owned());
    let former = former(installation, row)?;
    let written_off = written_off(installation, row)?;
    if let Some((arrival, word)) = &written_off {
        line("decided", format!("written off by {}: {} (arrival {arrival})", word.by, word.why));
    }
    for word in &former {
        line("before", former_text(word));
    }
    let derivation: serde_json::Value = serde_json::from_str(&veil(serde_json::to_string(&derivation)?))?;
    let mut json = row_json(row);
    let rest = json!({
        "written_off": written_off.map(|(arrival, word)| json!({"arrival": arrival, "by": word.by, "why": word.why})),
        "is_settled": is_settled, "derivation": derivation, "levels": levels,
        "before": former.iter().map(former_json).collect::<Vec<_>>(), "file": source.file, "line": source.line,
    });
    if let (Some(json), serde_json::Value::Object(rest)) = (json.as_object_mut(), rest) {
        json.extend(rest);
    }
    Ok((lines, json))
}

/// The way from the number to the customer, as far as it is known.
fn whose(row: &Row, a_number: &str) -> Option<String> {
    let get = |name: &str| row.text(name).unwrap_or_default();
    if row.text("customer").is_none() {
        return row.text("a_number").map(|_| format!("{a_number} → nobody at that instant"));
    }
    let (device, subscription, customer) = (get("device"), get("subscription"), get("customer"));
    Some(format!("{a_number} → device {device} → subscription {subscription} → customer {customer} ({})", get("owner_path")))
}

/// What the row says itself, for machines.
fn row_json(row: &Row) -> serde_json::Value {
    let get = |name: &str| row.text(name).unwrap_or_default();
    json!({
        "record": get("record"), "outcome": get("outcome"), "reason": row.text("reason"), "field": row.text("reason_field"),
        "remedy": row.text("reason").map(super::suspense::remedy), "customer": row.text("customer"),
        "subscription": row.text("subscription"), "device": row.text("device"), "plan": row.text("plan"),
        "start": row.text("start"), "kind": row.text("kind"), "charge": row.text("charge"), "currency": row.text("currency"),
        "cost": row.text("cost"), "cost_currency": row.text("cost_currency"), "billing_period": row.text("billing_period"),
        "delivery": get("delivery"), "row": row.number("row"),
    })
}

/// That a record waits to be settled.
fn unsettled_text(row: &Row, is_settled: bool) -> Option<String> {
    let stands = row.text("allowance_units").unwrap_or("0");
    (!is_settled)
        .then(|| format!("not yet: it stands with {stands} units drawn; it will come to what is told above: tollway settle, with --frozen if the totals of its cycle are frozen"))
}

/// The derivation line by line; of what was written off, what it would be is no news.
fn derivation_lines(row: &Row, derivation: Option<&Derivation>) -> Vec<String> {
    let mut lines = derivation.map(Derivation::lines).unwrap_or_default();
    if row.text("reason") == Some(Reason::WrittenOff.as_str()) {
        lines.retain(|line| !line.starts_with("outcome: ") && !line.starts_with("remedy: "));
    }
    lines
}

/// What was said of a record before it was corrected, the first word first.
fn former(installation: &Installation, row: &Row) -> anyhow::Result<Vec<Row>> {
    if row.text("entry") != Some(EntryKind::Correction.as_str()) {
        return Ok(Vec::new());
    }
    let (delivery, number) = (sql_text(row.text("delivery").unwrap_or_default()), row.number("row"));
    let sql = format!(
        "SELECT entry_no, reason, customer, plan, zone, band, tariff, charge, currency, billing_period FROM cdr_entries \
         WHERE delivery = {delivery} AND row = {number} AND rows = 1 ORDER BY entry_no"
    );
    let mut words = ask_rows(installation, &sql)?;
    words.pop();
    Ok(words)
}

/// Who wrote the record off, and why.
fn written_off(installation: &Installation, row: &Row) -> anyhow::Result<Option<(ArrivalNumber, WriteOff)>> {
    if row.text("reason") != Some(Reason::WrittenOff.as_str()) {
        return Ok(None);
    }
    let get = |name: &str| row.text(name).unwrap_or_default();
    let account = format!("{}/{}/{}", get("tenant"), get("provider"), get("account"));
    let Some(delivery) = DeliveryId::parse(get("delivery")) else { return Ok(None) };
    let record = WrittenOff {
        account: &account,
        place: Place { delivery, row: row.number("row") },
        arrival: row.number("arrival"),
        had: row.text("reason_field").and_then(Reason::parse),
        numbers: ["a_number", "imsi", "iccid"].map(get),
    };
    decision(&installation.landing(), &record)
}

/// `EUR 2.00 for C-1014: zakelijk-basis · EU-MOB · peak, nl-zakelijk@0123456789abcdef`.
fn former_text(word: &Row) -> String {
    let said = match (word.text("charge"), word.text("currency"), word.text("reason")) {
        (Some(charge), Some(currency), None) => format!("{currency} {charge}"),
        (.., reason) => format!("in suspense: {}", reason.unwrap_or("?")),
    };
    let whose = word.text("customer").map(|customer| format!(" for {customer}")).unwrap_or_default();
    let rule: Vec<&str> = ["plan", "zone", "band"].iter().filter_map(|name| word.text(name)).collect();
    let rule = if rule.is_empty() { String::new() } else { format!(": {}", rule.join(" · ")) };
    let tariff = word.text("tariff").map(|tariff| format!(", {tariff}")).unwrap_or_default();
    format!("{said}{whose}{rule}{tariff}")
}

fn former_json(word: &Row) -> serde_json::Value {
    let names = ["reason", "customer", "plan", "zone", "band", "tariff", "charge", "currency", "billing_period"];
    names.iter().map(|name| ((*name).to_owned(), json!(word.text(name)))).collect::<serde_json::Map<_, _>>().into()
}

fn headline(row: &Row, to: &str) -> String {
    let get = |name: &str| row.text(name).unwrap_or_default();
    if get("reason") == Reason::WrittenOff.as_str() {
        let kind = row.text("kind").map(|kind| format!("   {kind}, {}", get("start"))).unwrap_or_default();
        return format!("written off; it was in suspense: {}{kind}", get("reason_field"));
    }
    if row.text("kind").is_none() {
        let field = row.text("reason_field").map(|field| format!(" in {field}")).unwrap_or_default();
        return format!("in suspense: {}{field}; {}", get("reason"), super::suspense::remedy(get("reason")));
    }
    let amount = match (row.text("charge"), row.text("currency")) {
        (Some(charge), Some(currency)) => format!("{currency} {charge}"),
        _ => format!("in suspense: {}; {}", get("reason"), super::suspense::remedy(get("reason"))),
    };
    let units = match get("kind").split('-').next() {
        Some("voice") => format!(", {} s", get("duration_s")),
        Some("data") => format!(", {} bytes", count(row.number("bytes_up") + row.number("bytes_down"))),
        _ => String::new(),
    };
    let to = if to.is_empty() { String::new() } else { format!(", with {to}") };
    format!("{amount}   {}, {}{units}{to}", get("kind"), get("start"))
}

/// The provider's cost beside our charge.
fn compare(row: &Row) -> String {
    let get = |name: &str| row.text(name).unwrap_or_default();
    let (charge, cost) = (Money::parse(get("charge")), Money::parse(get("cost")));
    let margin = match (charge, cost) {
        (Some(charge), Some(cost)) if get("currency") == get("cost_currency") => {
            format!(" · margin {} {}", get("currency"), Money(charge.0 - cost.0))
        }
        _ => String::new(),
    };
    format!("provider's cost {} {}{margin}", get("cost_currency"), get("cost"))
}

/// What is known of a row by computing it again.
struct Derived {
    /// `None` for a row that could not be read.
    derivation: Option<Derivation>,
    /// Whether it stands as what allowances give.
    is_settled: bool,
    /// What the levels above its customer pay.
    levels: Vec<LevelStep>,
}

/// Computes a row again.
fn derive(installation: &Installation, row: &Row) -> anyhow::Result<Derived> {
    if row.text("kind").is_none() {
        return Ok(Derived { derivation: None, is_settled: true, levels: Vec::new() });
    }
    let get = |name: &str| row.text(name).unwrap_or_default().to_owned();
    let narrow = |name: &str| i32::try_from(row.long(name)).unwrap_or(i32::MAX);
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let input = ExplainInput {
        kind: get("kind"),
        start_us: row.long("start_us"),
        start_offset_s: narrow("start_offset_s"),
        duration_s: narrow("duration_s"),
        bytes_up: row.long("bytes_up"),
        bytes_down: row.long("bytes_down"),
        messages: row.text("messages").and_then(|t| t.parse().ok()).unwrap_or(1),
        b_number: get("b_number"),
        b_number_type: get("b_number_type"),
        network: get("network"),
        provider_class: get("provider_class"),
        cost_nano: row.text("cost_nano").and_then(|t| t.parse().ok()),
        cost_currency: row.text("cost_currency").and_then(Currency::parse),
        party: party(row, &reference),
        has_group: has_group(row, &reference),
        plan: row.text("plan").map(str::to_owned),
        tariff: row.text("tariff").map(str::to_owned),
    };
    let levels = explain_levels::steps(row, &input, &reference)?;
    // What is settled has the price of what is in force, whatever version of the same prices its row names.
    let by_newest = ExplainInput { tariff: None, ..input.clone() };
    let covers = explain(&by_newest, reference.tariffs.set()).is_ok_and(|alone| alone.is_settled);
    let input = if covers { by_newest } else { input };
    let (drawn, mut is_settled) = drawn(installation, row, &reference, covers)?;
    let derived = match explain_settled(&input, reference.tariffs.set(), Some(&drawn)) {
        Ok(derivation) => derivation,
        Err(rate::error::ExplainError::UnknownVersion(_)) => by_replaced_tariff(installation, &store, &input, &drawn)?,
        Err(e) => return Err(e.into()),
    };
    if drawn.total.is_some() || drawn.discount.is_some() {
        is_settled &= derived.charge_nano == row.text("charge_nano").and_then(|nano| nano.parse().ok());
    }
    Ok(Derived { derivation: Some(derived), is_settled, levels })
}

/// How the row draws from allowances beside the records of its customer, and whether it stands so; where none covers it any more, as it
/// stands.
fn drawn(installation: &Installation, row: &Row, reference: &Reference, is_covered: bool) -> anyhow::Result<(Trace, bool)> {
    let number = |name: &str| row.text(name).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    let (units, nano) = (number("allowance_units"), number("allowance_nano"));
    let is_blocked = row.text("reason") == Some(Reason::BeyondAllowance.as_str());
    let record = row.text("delivery").and_then(DeliveryId::parse).map(|delivery| (delivery, row.number("row")));
    if let Some((record, customer)) = record.zip(row.text("customer")).filter(|_| is_covered)
        && let Some(trace) = reference.trace(&installation.entries()?, customer, record)?
    {
        let of = |is_money| trace.draws.iter().filter(move |draw| draw.is_money == is_money).map(|draw| draw.taken);
        let sum = |is_money| if trace.is_blocked { 0 } else { of(is_money).sum::<u64>() };
        let is_settled = (sum(false), sum(true)) == (units, nano) && trace.is_blocked == is_blocked;
        return Ok((trace, is_settled));
    }
    let period = Period::cycle(row.text("billing_period").and_then(Month::parse).map_or(0, Month::number));
    let draw = |taken: u64, is_money| {
        let allowance = row.text("allowance").unwrap_or_default().to_owned();
        let all = Draw { allowance, period, given: None, before: None, after: None, taken, is_money, is_limit: false };
        (taken > 0).then_some(all)
    };
    let draws = [draw(units, false), draw(nano, true)].into_iter().flatten().collect();
    let trace = Trace { draws, rest: number("billed_units"), is_blocked, total: None, discount: None };
    Ok((trace, units == 0 && nano == 0))
}

/// Whether the line was in a group at the start.
fn has_group(row: &Row, reference: &Reference) -> bool {
    let owners = reference.index.owners();
    let (start_us, line) = (row.long("start_us"), row.text("subscription").and_then(|name| owners.subscriptions.code(name)));
    let holds = |owner: &&Owner| Some(owner.subscription) == line && owner.from_us <= start_us && start_us < owner.to_us;
    owners.windows.iter().find(holds).is_some_and(|owner| owner.group != NO_GROUP)
}

/// Who the other party is: as the table says, or, of a row that no tariff has asked, as rating would find it now.
fn party(row: &Row, reference: &Reference) -> String {
    let get = |name: &str| row.text(name).unwrap_or_default();
    let found = || {
        let (customer, subscription, start_us) = (get("customer"), get("subscription"), row.long("start_us"));
        let (b_number, b_number_type) = (get("b_number"), get("b_number_type"));
        Parties::of(&reference.index).find(Asking { customer, subscription, b_number, b_number_type, start_us })
    };
    let said = row.text("party").or_else(|| if row.text("tariff").is_none() { found() } else { None });
    said.unwrap_or_default().to_owned()
}

/// Explains by a tariff version that has been replaced since: every version that ever acted can be loaded as of its arrival.
fn by_replaced_tariff(
    installation: &Installation,
    store: &store::Store,
    input: &ExplainInput,
    drawn: &Trace,
) -> anyhow::Result<Derivation> {
    for arrival in installation.landing().arrivals(0)?.iter().rev() {
        let ArrivalKind::Import(import) = &arrival.kind else { continue };
        if import.what != ImportKind::Tariffs {
            continue;
        }
        let reference = installation.block_on(crate::reference::load_at(store, arrival.number))?;
        match explain_settled(input, reference.tariffs.set(), Some(drawn)) {
            Err(rate::error::ExplainError::UnknownVersion(_)) => {}
            found => return Ok(found?),
        }
    }
    Err(bad_input(format!(
        "no import brought tariff version {}; was the state database rebuilt?",
        input.tariff.as_deref().unwrap_or("?")
    )))
}
