//! A record as it was known at a moment: what stood for it, or that it was not there yet.

use ingest::land::ArrivalKind;
use serde_json::{Value, json};
use store::instant::show_instant;

use super::super::rows::Row;
use super::{View, page, unknown};
use crate::cli::Global;
use crate::installation::Installation;
use crate::moment::Moment;

/// The page of the record that `name` names, among those of then; else, among those of now, that it was not known.
pub(super) fn explained(
    global: &Global,
    installation: &Installation,
    name: &str,
    moment: Moment,
) -> anyhow::Result<(Vec<String>, Value)> {
    if let Some(then) = moment.records(installation)? {
        let known = then.text();
        let facts = [
            ("known_at", json!(moment.text())),
            ("is_known", json!(true)),
            ("entries_version", json!(then.stood.version)),
            ("committed", json!(then.since())),
        ];
        let view = View { installation, entries: then.entries, moment: Some(moment) };
        if let Some(row) = view.find(name)? {
            let (mut lines, mut page) = page(global, &view, &row)?;
            lines.push(format!("  {:<10}{}: {known}", "known at", moment.text()));
            for (field, fact) in facts {
                page[field] = fact;
            }
            return Ok((lines, page));
        }
    }
    let row = View::now(installation)?.find(name)?.ok_or_else(|| unknown(name))?;
    not_there(installation, &row, moment)
}

/// That a record was not there, and when its file landed.
fn not_there(installation: &Installation, row: &Row, moment: Moment) -> anyhow::Result<(Vec<String>, Value)> {
    let arrival = installation.landing().arrival(row.number("arrival"))?;
    let file = match &arrival.kind {
        ArrivalKind::Delivery(file) => file.origin.as_str(),
        _ => "?",
    };
    let (at, landed) = (moment.text(), show_instant(arrival.arrived_us));
    let what = if moment.has_seen(&arrival) { "had landed, and its rows were not in the table" } else { "landed later" };
    let record = row.text("record").unwrap_or_default();
    let lines = vec![
        format!("nothing was known of it at {at}"),
        format!("  {:<10}file {file} {what}: {landed}", "from"),
        format!("  {:<10}{record}", "record"),
    ];
    Ok((lines, json!({"record": record, "known_at": at, "is_known": false, "file": file, "landed": landed})))
}
