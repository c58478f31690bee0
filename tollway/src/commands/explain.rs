//! `tollway explain RECORD`: why a record costs what it costs, from the computation itself.

mod derivation;
mod levels;
mod then;

use domain::columns::entries::EntryKind;
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::Money;
use domain::number::masked;
use domain::outcome::Reason;
use ingest::land::WriteOff;
use pipeline::rating::Reference;
use rate::explain::Derivation;
use serde_json::json;
use sinks::correction::Place;
use sinks::table::Table;
use store::Store;

use self::derivation::{Derived, derive};
use super::edited::{Edited, edits_of};
use super::rows::{Row, ask_rows_of, key_or_place_filter, sql_text};
use super::source::source_of;
use super::write_off::{WrittenOff, decision};
use crate::cli::{ExplainArgs, Global};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::moment::Moment;
use crate::output::{Answer, count};

/// Everything about one record that a page of explanation needs.
const COLUMNS: &str = "encode(record_key, 'hex') AS record, entry, outcome, reason, reason_field, tenant, provider, account, delivery, \
    arrival, row, byte_offset, byte_length, kind, arrow_cast(start, 'Int64') AS start_us, start, start_offset_s, time_flag, \
    duration_s, bytes_up, bytes_down, messages, a_number, imsi, iccid, b_number, b_number_type, network, provider_class, \
    arrow_cast(cost * 1000000000, 'Decimal128(38, 0)') AS cost_nano, cost, cost_currency, owner_path, customer, subscription, \
    device, plan, provider_cycle, billing_period, tariff, zone, party, band, billed_units, charge, currency, profile, allowance, \
    allowance_units, arrow_cast(allowance_money * 1000000000, 'Decimal128(38, 0)') AS allowance_nano, \
    arrow_cast(charge * 1000000000, 'Decimal128(38, 0)') AS charge_nano";

/// What a page is made from: the records and the reference data, as they are or as they were known at a moment.
struct View<'a> {
    installation: &'a Installation,
    entries: Table,
    moment: Option<Moment>,
}

impl<'a> View<'a> {
    fn now(installation: &'a Installation) -> anyhow::Result<Self> {
        Ok(Self { installation, entries: installation.entries()?, moment: None })
    }

    fn reference(&self, store: &Store) -> anyhow::Result<Reference> {
        match self.moment {
            Some(moment) => moment.reference(self.installation, store),
            None => self.installation.block_on(crate::reference::load(store)),
        }
    }

    /// The record that `name` names, if there is one.
    fn find(&self, name: &str) -> anyhow::Result<Option<Row>> {
        let sql = format!("SELECT {COLUMNS} FROM cdr WHERE {} ORDER BY arrival, row LIMIT 2", key_or_place_filter(name)?);
        let mut rows = ask_rows_of(self.installation, &self.entries, &sql)?;
        if rows.len() > 1 {
            return Err(bad_input(format!("`{name}` names more than one record; give more digits")));
        }
        Ok(rows.pop())
    }
}

/// Runs the command.
pub fn run(global: &Global, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let moment = Moment::given(args.known_at.as_deref())?;
    let installation = Installation::open(global)?;
    let (lines, json) = match moment {
        Some(moment) => then::explained(global, &installation, &args.record, moment)?,
        None => explained(global, &installation, &args.record)?,
    };
    Answer { headline: lines.join("\n"), json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}

/// The page of the record that `name` names; one record exactly.
pub fn explained(global: &Global, installation: &Installation, name: &str) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
    let view = View::now(installation)?;
    let row = view.find(name)?.ok_or_else(|| unknown(name))?;
    page(global, &view, &row)
}

fn unknown(name: &str) -> anyhow::Error {
    bad_input(format!("no record is named `{name}`; `tollway query` finds records"))
}

/// The page of one record: lines for people, and the same for machines.
fn page(global: &Global, view: &View<'_>, row: &Row) -> anyhow::Result<(Vec<String>, serde_json::Value)> {
    let hide = |name: &str| {
        let text = row.text(name).unwrap_or_default();
        if global.clear { text.to_owned() } else { masked(text) }
    };
    let get = |name: &str| row.text(name).unwrap_or_default();
    let source = source_of(view.installation, row)?;
    let mut lines = vec![headline(row, &hide("b_number"))];
    let mut line = |head: &str, text: String| lines.push(format!("  {head:<10}{text}"));
    if let Some(text) = whose(row, &hide("a_number")) {
        line("whose", text);
    }
    let Derived { derivation, is_settled, levels } = derive(view, row)?;
    let number = row.text("b_number").filter(|n| n.len() >= 7 && !global.clear);
    let veil = |text: String| number.map_or_else(|| text.clone(), |n| text.replace(n, &masked(n)));
    for text in derivation_lines(row, derivation.as_ref()) {
        let text = veil(text);
        let (head, rest) = text.split_once(": ").unwrap_or(("", &text));
        let inner = head.starts_with(' ') || head.len() > 9;
        line(if inner { "" } else { head }, if inner { text.clone() } else { rest.to_owned() });
    }
    if !is_settled {
        line("settled", unsettled_text(view, row));
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
    let history = History::of(view, row)?;
    history.lines(global.clear).into_iter().for_each(|(head, text)| line(head, text));
    let History { edits, written_off, former } = history;
    let derivation: serde_json::Value = serde_json::from_str(&veil(serde_json::to_string(&derivation)?))?;
    let mut json = row_json(row);
    let rest = json!({
        "written_off": written_off.map(|(arrival, word)| json!({"arrival": arrival, "by": word.by, "why": word.why})),
        "edited": edits.iter().map(|edit| edit.to_json(global.clear)).collect::<Vec<_>>(),
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

/// That a record waits to be settled, or did.
fn unsettled_text(view: &View<'_>, row: &Row) -> String {
    let stands = row.text("allowance_units").unwrap_or("0");
    match view.moment {
        Some(_) => format!("not by then: it stood with {stands} units drawn"),
        None => format!(
            "not yet: it stands with {stands} units drawn; it will come to what is told above: tollway settle, with --frozen if the \
             totals of its cycle are frozen"
        ),
    }
}

/// The derivation line by line; of what was written off, what it would be is no news.
fn derivation_lines(row: &Row, derivation: Option<&Derivation>) -> Vec<String> {
    let mut lines = derivation.map(Derivation::lines).unwrap_or_default();
    if row.text("reason") == Some(Reason::WrittenOff.as_str()) {
        lines.retain(|line| !line.starts_with("outcome: ") && !line.starts_with("remedy: "));
    }
    lines
}

/// How a record came to what it is.
struct History {
    edits: Vec<Edited>,
    written_off: Option<(ArrivalNumber, WriteOff)>,
    former: Vec<Row>,
}

impl History {
    fn of(view: &View<'_>, row: &Row) -> anyhow::Result<Self> {
        let (edits, written_off) = (edits_of(view.installation, &view.entries, row)?, written_off(view.installation, row)?);
        Ok(Self { edits, written_off, former: former(view, row)? })
    }

    /// Each line with its head.
    fn lines(&self, is_clear: bool) -> Vec<(&'static str, String)> {
        let mut lines: Vec<(&str, String)> = self.edits.iter().map(|edit| ("edited", edit.text(is_clear))).collect();
        if let Some((arrival, word)) = &self.written_off {
            lines.push(("decided", format!("written off by {}: {} (arrival {arrival})", word.by, word.why)));
        }
        lines.extend(self.former.iter().map(|word| ("before", former_text(word))));
        lines
    }
}

/// What was said of a record before it was corrected, the first word first.
fn former(view: &View<'_>, row: &Row) -> anyhow::Result<Vec<Row>> {
    if row.text("entry") != Some(EntryKind::Correction.as_str()) {
        return Ok(Vec::new());
    }
    let (delivery, number) = (sql_text(row.text("delivery").unwrap_or_default()), row.number("row"));
    let sql = format!(
        "SELECT entry_no, reason, customer, plan, zone, band, tariff, charge, currency, billing_period FROM cdr_entries \
         WHERE delivery = {delivery} AND row = {number} AND rows = 1 ORDER BY entry_no"
    );
    let mut words = ask_rows_of(view.installation, &view.entries, &sql)?;
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
