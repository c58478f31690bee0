//! `tollway suspense`: what needs a hand, how much money hangs on it, and what to do.

use domain::nearest;
use domain::number::{mask_digits, masked};
use domain::outcome::Reason;
use serde_json::json;
use sinks::correction::recycle::can_change;

use super::edited::edits_of;
use super::rows::{Row, ask_rows, sql_text};
use crate::cli::{Global, SuspenseCommand};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};

/// Counts by reason with the provider's cost as money at risk; shared with the demo.
pub const BY_REASON: &str = include_str!("suspense_by_reason.sql");

/// Columns of one record, for a list and for one page.
const COLUMNS: &str = "encode(record_key, 'hex') AS record, entry, reason, reason_field, tenant, provider, account, delivery, arrival, row, \
    byte_offset, byte_length, kind, start, a_number, b_number, network, cost, cost_currency, customer, plan, raw";

/// Runs the command.
pub fn run(global: &Global, command: &SuspenseCommand) -> anyhow::Result<Exit> {
    match command {
        SuspenseCommand::List { reason: None, .. } => by_reason(global, &Installation::open(global)?),
        SuspenseCommand::List { reason: Some(reason), limit } => list(global, &Installation::open(global)?, reason, *limit),
        SuspenseCommand::Show { record } => show(global, &Installation::open(global)?, record),
        SuspenseCommand::Test(args) => super::recycle::run(global, args, true),
        SuspenseCommand::Recycle(args) => super::recycle::run(global, args, args.dry_run),
        SuspenseCommand::Edit(args) => super::edit::run(global, args),
        SuspenseCommand::WriteOff(args) => super::write_off::run(global, args),
    }
}

/// What to do about a reason, with the command where there is one.
pub fn remedy(reason: &str) -> String {
    Reason::parse(reason).map_or_else(String::new, |r| r.remedy().to_owned())
}

fn at_risk(row: &Row) -> String {
    match (row.text("at_risk"), row.text("cost_currency")) {
        (Some(money), Some(currency)) => format!("{currency} {money}"),
        _ => "unknown".to_owned(),
    }
}

fn by_reason(global: &Global, installation: &Installation) -> anyhow::Result<Exit> {
    let rows = ask_rows(installation, BY_REASON)?;
    let written_off =
        ask_rows(installation, "SELECT count(*) AS rows FROM cdr WHERE outcome = 'suspense' AND reason = 'written_off'")?;
    let written_off = written_off.first().map_or(0, |row| row.number("rows"));
    let mut sheet = Sheet::new("", &["reason", "#rows", "#at risk", "what to do"]);
    let mut total = 0;
    let mut json_rows = Vec::new();
    for row in &rows {
        let (reason, n) = (row.text("reason").unwrap_or_default(), row.number("rows"));
        total += n;
        sheet.row([reason.to_owned(), count(n), at_risk(row), remedy(reason)]);
        json_rows
            .push(json!({"reason": reason, "rows": n, "at_risk": row.text("at_risk"), "currency": row.text("cost_currency")}));
    }
    let answer = Answer {
        headline: headline(total, written_off),
        sheets: if total == 0 { Vec::new() } else { vec![sheet] },
        next: next_steps(&rows),
        json: json!({"rows": total, "suspense": json_rows, "written_off": written_off}),
    };
    answer.print(global.output)?;
    Ok(if total == 0 { Exit::Done } else { Exit::NeedsHand })
}

fn headline(total: u64, written_off: u64) -> String {
    let waiting = if total == 0 { "nothing is in suspense".to_owned() } else { format!("{} rows in suspense", count(total)) };
    match written_off {
        0 => waiting,
        n => format!("{waiting}; {} are written off", count(n)),
    }
}

/// What to type next. Malformed rows are read as before whatever is imported: a mended profile reads them when their file comes
/// again.
fn next_steps(rows: &[Row]) -> Vec<String> {
    let reasons: Vec<&str> = rows.iter().filter_map(|row| row.text("reason")).collect();
    let is_fixed = |reason: &&str| Reason::parse(reason).is_some_and(|reason| !can_change(reason));
    let mut next: Vec<String> = Vec::new();
    next.extend(reasons.first().map(|reason| format!("see them: tollway suspense list --reason {reason}")));
    if !reasons.iter().all(is_fixed) {
        next.push("after an import, rate them again: tollway suspense recycle --dry-run".to_owned());
    }
    next
}

/// The reason of this name.
pub fn check_reason(reason: &str) -> anyhow::Result<Reason> {
    Reason::parse(reason).ok_or_else(|| {
        let known: Vec<&str> = Reason::ALL.iter().map(|r| r.as_str()).collect();
        let hint = nearest::hint(reason, known.iter().copied());
        bad_input(format!("`{reason}` is no reason: there are {}{hint}", known.join(", ")))
    })
}

fn list(global: &Global, installation: &Installation, reason: &str, limit: usize) -> anyhow::Result<Exit> {
    let reason = check_reason(reason)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM cdr WHERE outcome = 'suspense' AND reason = {} ORDER BY arrival DESC, row LIMIT {limit}",
        sql_text(reason.as_str())
    );
    let rows = ask_rows(installation, &sql)?;
    let mut sheet = Sheet::new("", &["record", "start", "kind", "from", "to", "#cost", "file row", "field"]);
    let hide = |text: &str| if global.clear { text.to_owned() } else { masked(text) };
    let mut json_rows = Vec::new();
    for row in &rows {
        let get = |name| row.text(name).unwrap_or_default();
        let place = format!("{}:{}", &get("delivery").get(..8).unwrap_or_default(), get("row"));
        let record = get("record").get(..16).unwrap_or_default().to_owned();
        let cells = [
            record.clone(),
            get("start").to_owned(),
            get("kind").to_owned(),
            hide(get("a_number")),
            hide(get("b_number")),
            get("cost").to_owned(),
            place,
            get("reason_field").to_owned(),
        ];
        json_rows.push(json!({"record": get("record"), "start": row.text("start"), "kind": row.text("kind"), "delivery": get("delivery"), "row": row.number("row"), "cost": row.text("cost"), "field": row.text("reason_field")}));
        sheet.row(cells);
    }
    let answer = Answer {
        headline: match rows.len() {
            0 => format!("nothing in suspense has the reason `{}`", reason.as_str()),
            n if reason == Reason::WrittenOff => {
                format!("{n} newest rows that were written off; `tollway explain RECORD` tells by whom, and why")
            }
            n => format!("{n} newest rows with `{}`: {}", reason.as_str(), reason.remedy()),
        },
        next: rows
            .first()
            .map(|r| {
                vec![format!(
                    "one of them whole: tollway suspense show {}",
                    r.text("record").and_then(|t| t.get(..16)).unwrap_or_default()
                )]
            })
            .unwrap_or_default(),
        sheets: if rows.is_empty() { Vec::new() } else { vec![sheet] },
        json: json!({"reason": reason.as_str(), "remedy": reason.remedy(), "rows": json_rows}),
    };
    answer.print(global.output)?;
    Ok(if rows.is_empty() || reason == Reason::WrittenOff { Exit::Done } else { Exit::NeedsHand })
}

fn show(global: &Global, installation: &Installation, record: &str) -> anyhow::Result<Exit> {
    let filter = match Reason::parse(record) {
        Some(reason) => format!("reason = {}", sql_text(reason.as_str())),
        None => super::rows::key_or_place_filter(record)?,
    };
    let sql = format!("SELECT {COLUMNS} FROM cdr WHERE outcome = 'suspense' AND {filter} ORDER BY arrival DESC, row LIMIT 1");
    let rows = ask_rows(installation, &sql)?;
    let Some(row) = rows.first() else {
        return Err(bad_input(format!("no row in suspense is named `{record}`; `tollway suspense list` shows what there is")));
    };
    let reason = row.text("reason").unwrap_or_default();
    let source = super::source::source_of(installation, row)?;
    let mut sheet = Sheet::new("", &["", ""]);
    for name in [
        "record",
        "reason",
        "reason_field",
        "provider",
        "account",
        "kind",
        "start",
        "a_number",
        "b_number",
        "network",
        "cost",
        "customer",
        "plan",
    ] {
        if let Some(text) = row.text(name) {
            let hidden = !global.clear && matches!(name, "a_number" | "b_number");
            sheet.row([name.to_owned(), if hidden { masked(text) } else { text.to_owned() }]);
        }
    }
    let edits = edits_of(installation, &installation.entries()?, row)?;
    for edit in &edits {
        sheet.row(["edited".to_owned(), edit.text(global.clear)]);
    }
    sheet.row(["file".to_owned(), source.file.clone()]);
    sheet.row(["line".to_owned(), source.line.map_or_else(|| "?".to_owned(), count)]);
    let raw = if global.clear { source.raw.clone() } else { mask_digits(&source.raw) };
    sheet.row(["source".to_owned(), raw.clone()]);
    let json = json!({
        "record": row.text("record"), "reason": reason, "field": row.text("reason_field"), "remedy": remedy(reason),
        "file": source.file, "line": source.line, "byte_offset": row.text("byte_offset"), "source": raw,
        "edited": edits.iter().map(|edit| edit.to_json(global.clear)).collect::<Vec<_>>(),
    });
    let headline = format!("`{reason}`: {}", remedy(reason));
    Answer { headline, sheets: vec![sheet], json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}
