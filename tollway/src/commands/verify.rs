//! `tollway verify`: every charge and every line of a closed cycle derived a second time, by code that shares nothing with rating.

use domain::money::Money;
use serde_json::json;
use sinks::table::Table;

use crate::cli::{Global, OutputMode, VerifyArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::moment::Moment;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::proof::Proof;
use crate::proof::lines::LineProof;

/// Runs the command.
pub fn run(global: &Global, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let cycle = Some(args.cycle.as_str()).filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let moment = Moment::given(args.known_at.as_deref())?;
    let installation = Installation::open(global)?;
    let then = moment.map(|moment| moment.records(&installation)).transpose()?;
    let prove = |entries: &Table| {
        let proof = Proof::of(&installation, entries, cycle, args.limit, global.quiet)?;
        anyhow::Ok((proof, LineProof::of(&installation, entries, cycle, args.limit)?))
    };
    let (proof, lines) = match &then {
        None => prove(&installation.entries()?)?,
        Some(Some(then)) => prove(&then.entries)?,
        Some(None) => Default::default(),
    };
    let mut json = proof.to_json();
    json["lines"] = lines.to_json();
    json["cycle"] = json!(args.cycle);
    let mut headline = headline(&proof, cycle) + &of_lines(&lines);
    if let Some((moment, then)) = moment.zip(then) {
        json["known_at"] = json!(moment.text());
        json["entries_version"] = json!(then.as_ref().map(|then| then.stood.version));
        headline = match then {
            Some(then) => format!("{headline} (as they stood at {}: {})", moment.text(), then.text()),
            None => moment.nothing(),
        };
    }
    let sheets = if global.output == OutputMode::Csv { vec![outcomes(&proof, true)] } else { sheets(&proof, &lines) };
    let mut next = next(&proof, moment.is_some());
    next.extend(next_of_lines(&lines));
    Answer { headline, sheets, next, json }.print(global.output)?;
    let is_there = cycle.is_none() || proof.records() > 0 || lines.lines() > 0;
    let is_whole = proof.underivable.is_empty() && lines.underivable.is_empty() && proof.unsettled == 0 && is_there;
    Ok(match (proof.differ + lines.differ, is_whole) {
        (0, true) => Exit::Done,
        (0, false) => Exit::NeedsHand,
        _ => Exit::Bug,
    })
}

fn headline(proof: &Proof, cycle: Option<&str>) -> String {
    let of = cycle.map(|cycle| format!(" of cycle {cycle}")).unwrap_or_default();
    if proof.records() == 0 {
        let waiting: u64 = proof.underivable.values().sum();
        return if waiting == 0 { format!("no record{of} is there to verify") } else { "no record could be derived".to_owned() };
    }
    if proof.differ > 0 {
        let fields: Vec<String> = proof.fields.iter().map(|(field, n)| format!("{field} {}", count(*n))).collect();
        let wrong: Vec<String> = proof.too_much.iter().map(|(currency, nano)| off_by(currency, *nano)).collect();
        let (differ, records) = (count(proof.differ), count(proof.records()));
        let (wrong, fields) = (wrong.join(", "), fields.join(", "));
        return format!("{differ} of {records} records{of} disagree with their derivation, {wrong}: {fields}");
    }
    let charges: Vec<String> = proof.charge().iter().map(|(currency, sum)| format!("{currency} {}", grouped(*sum, 9))).collect();
    let charged = if charges.is_empty() { String::new() } else { format!(": {} charged", charges.join(", ")) };
    format!("all {} records{of} agree with their derivation, to the last unit{charged}", count(proof.records()))
}

/// What came of the lines of closings, behind the rest; nothing if no cycle was closed.
fn of_lines(lines: &LineProof) -> String {
    if lines.closings == 0 {
        return String::new();
    }
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let closings = format!("{} closing{}", count(lines.closings), plural(lines.closings));
    let (all, differ) = (lines.lines(), lines.differ);
    let of = format!("{} line{} of {closings}", count(all), plural(all));
    match differ {
        0 => format!("; {of} {}", if all == 1 { "agrees" } else { "agree" }),
        1 => format!("; 1 of {of} disagrees"),
        _ => format!("; {} of {of} disagree", count(differ)),
    }
}

/// `EUR 0.05 too much`.
fn off_by(currency: &str, nano: i128) -> String {
    let amount = grouped(Money(nano.abs()), 9);
    format!("{currency} {amount} too {}", if nano < 0 { "little" } else { "much" })
}

/// How many records ended how, and what they are charged; for machines with those that do not agree or were not derived.
fn outcomes(proof: &Proof, is_for_machines: bool) -> Sheet {
    let title = if proof.differ > 0 { "records that agree" } else { "" };
    let mut sheet = Sheet::new(title, &["outcome", "by", "#records", "#charge", if is_for_machines { "currency" } else { "" }]);
    let mut row = |outcome: &str, by: &str, records: u64, charge: String, currency: &str| {
        sheet.row([outcome.to_owned(), by.to_owned(), count(records), charge, currency.to_owned()]);
    };
    for ((tariff, currency), sum) in &proof.rated {
        let money = Money(sum.charge_nano);
        let charge = if is_for_machines { money.to_text(9) } else { grouped(money, 9) };
        row("rated", tariff, sum.records, charge, currency);
    }
    for (reason, records) in &proof.suspense {
        row("suspense", reason, *records, String::new(), "");
    }
    if is_for_machines {
        for (field, records) in &proof.fields {
            row("differs", field, *records, String::new(), "");
        }
        for (outcome, reasons) in [("unpriced", &proof.unpriced), ("underivable", &proof.underivable)] {
            for (reason, records) in reasons {
                row(outcome, reason, *records, String::new(), "");
            }
        }
    }
    sheet
}

fn sheets(proof: &Proof, lines: &LineProof) -> Vec<Sheet> {
    let mut differ = Sheet::new("records that disagree", &["record", "field", "the table says", "derived"]);
    for one in &proof.shown {
        for difference in &one.differences {
            let (field, stated, derived) = (difference.field.to_owned(), difference.stated.clone(), difference.derived.clone());
            differ.row([one.record.clone(), field, stated, derived]);
        }
    }
    let heads = ["#closing", "cycle", "customer", "#line", "field", "the table says", "derived"];
    let mut posted = Sheet::new("lines of closed cycles that disagree", &heads);
    for one in &lines.shown {
        for difference in &one.differences {
            let (field, stated, derived) = (difference.field.to_owned(), difference.stated.clone(), difference.derived.clone());
            let place = [one.closing.to_string(), one.cycle.clone(), one.customer.clone(), one.line.to_string()];
            posted.row(place.into_iter().chain([field, stated, derived]));
        }
    }
    [differ, posted, outcomes(proof, false)].into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

/// What is besides; of a moment of the past without what would mend it.
fn next(proof: &Proof, is_past: bool) -> Vec<String> {
    let mended_by = |remedy: &str| if is_past { String::new() } else { format!(": {remedy}") };
    let mut next = Vec::new();
    let unpriced: u64 = proof.unpriced.values().sum();
    if unpriced > 0 {
        let reasons: Vec<&str> = proof.unpriced.keys().map(String::as_str).collect();
        let (records, reasons) = (count(unpriced), reasons.join(", "));
        next.push(format!(
            "{records} more in suspense are not derived, because they could not be read or share an id: {reasons}"
        ));
    }
    if proof.unsettled > 0 {
        let unsettled = count(proof.unsettled);
        next.push(format!(
            "{unsettled} more draw otherwise from what allowances give and wait to be settled{}",
            mended_by("tollway settle, or, where totals are frozen, tollway settle --frozen")
        ));
    }
    if proof.stay > 0 {
        next.push(format!(
            "{} of them stay as they were billed, and would come to something else now{}",
            count(proof.stay),
            mended_by("tollway settle --frozen --dry-run shows what")
        ));
    }
    if proof.kept > 0 {
        next.push(format!(
            "{} more keep the price of a total or a discount that the tariff in force has no more, and are not derived{}",
            count(proof.kept),
            mended_by("tollway rerate")
        ));
    }
    for (why, records) in &proof.underivable {
        next.push(format!("{} records were not derived: {why}", count(*records)));
    }
    if proof.differ > proof.shown.len() as u64 {
        next.push(format!("… {} more: --limit 0 shows all", count(proof.differ - proof.shown.len() as u64)));
    }
    if proof.differ > 0 {
        next.push(
            "how rating comes to it: `tollway explain RECORD`; if an earlier program rated it, withdraw its file and ingest it with \
             --as-new, which prices it by what is in force now; if this one did, stop the service, keep the folder and report a bug"
                .to_owned(),
        );
    }
    next
}

/// What is besides of the lines of closings.
fn next_of_lines(lines: &LineProof) -> Vec<String> {
    let mut next: Vec<String> = lines
        .underivable
        .iter()
        .map(|(why, n)| format!("{} lines of closed cycles were not derived: {why}", count(*n)))
        .collect();
    let hidden = lines.differ - lines.shown.len() as u64;
    if hidden > 0 {
        next.push(format!("… {} more lines of closed cycles: --limit 0 shows all", count(hidden)));
    }
    if lines.differ > 0 {
        next.push(
            "lines of closed cycles do not change any more: hold what the table says against the invoices that were sent, keep the \
             folder and report a bug"
                .to_owned(),
        );
    }
    next
}
