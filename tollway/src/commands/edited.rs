//! What was edited of a record: its entries one after the other say which field became what, the decisions of its account by whom, when
//! and why.

use domain::columns::entries::EntryKind;
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::number::masked;
use domain::outcome::Reason;
use domain::zone::SECOND_US;
use ingest::land::{Edit, RowChoice};
use ingest::parse::edit::{FieldEdit, fields};
use pipeline::recycling::choice;
use serde_json::{Value, json};
use sinks::correction::Place;
use sinks::correction::recycle::Act;
use sinks::table::Table;
use store::instant::show_instant;

use super::rows::{Row, ask_rows_of, sql_text};
use crate::installation::Installation;

/// Fields of a record that were edited at once.
#[derive(Debug)]
pub struct Edited {
    /// Each with what it was and what it became.
    fields: Vec<(&'static str, String, String)>,
    /// The decision and when it landed, microseconds since 1970 UTC; `None` if landing does not have it.
    by: Option<(ArrivalNumber, i64, Edit)>,
}

impl Edited {
    /// One line for people.
    pub fn text(&self, is_clear: bool) -> String {
        let value = |field: &str, text: &str| match shown(field, text, is_clear) {
            empty if empty.is_empty() => "nothing".to_owned(),
            text => text,
        };
        let field = |(field, was, is): &(&str, String, String)| format!("{field} {} → {}", value(field, was), value(field, is));
        let fields: Vec<String> = self.fields.iter().map(field).collect();
        let by = self.by.as_ref().map_or_else(String::new, |(arrival, at_us, word)| {
            format!(" by {}, {}: {} (arrival {arrival})", word.by, second(*at_us), word.why)
        });
        format!("{}{by}", fields.join(", "))
    }

    /// For machines.
    pub fn to_json(&self, is_clear: bool) -> Value {
        let field = |(field, was, is): &(&str, String, String)| json!({"field": field, "was": shown(field, was, is_clear), "is": shown(field, is, is_clear)});
        let mut json = json!({"fields": self.fields.iter().map(field).collect::<Vec<_>>()});
        if let Some((arrival, at_us, word)) = &self.by {
            (json["arrival"], json["at"]) = (json!(arrival), json!(second(*at_us)));
            (json["by"], json["why"]) = (json!(word.by), json!(word.why));
        }
        json
    }
}

fn second(at_us: i64) -> String {
    show_instant(at_us - at_us.rem_euclid(SECOND_US))
}

/// A field's text as it may be shown: numbers of subscribers are hidden unless they are wanted in clear.
pub fn shown(field: &str, text: &str, is_clear: bool) -> String {
    let is_number = matches!(field, "a_number" | "b_number" | "imsi" | "iccid");
    if is_number && !is_clear { masked(text) } else { text.to_owned() }
}

/// The edits of a record that stands, the first one first. `row` has what names it, its account, arrival and entry.
pub fn edits_of(installation: &Installation, entries: &Table, row: &Row) -> anyhow::Result<Vec<Edited>> {
    let get = |name: &str| row.text(name).unwrap_or_default();
    let Some(delivery) = DeliveryId::parse(get("delivery")).filter(|_| get("entry") == EntryKind::Correction.as_str()) else {
        return Ok(Vec::new());
    };
    let place = Place { delivery, row: row.number("row") };
    let sql = format!(
        "SELECT reason, {}, arrow_cast(start, 'Int64') AS start_us, start_offset_s, time_flag FROM cdr_entries \
         WHERE delivery = {} AND row = {} AND rows = 1 ORDER BY entry_no",
        fields().join(", "),
        sql_text(get("delivery")),
        place.row
    );
    let words = ask_rows_of(installation, entries, &sql)?;
    let mut edits = Vec::new();
    for pair in words.windows(2) {
        let said = fields().map(|field| (field, text_of(&pair[0], field), text_of(&pair[1], field)));
        let changed: Vec<_> = said.into_iter().filter(|(_, was, is)| was != is).collect();
        if !changed.is_empty() {
            edits.push((changed, pair));
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let landing = installation.landing();
    let account = format!("{}/{}/{}", get("tenant"), get("provider"), get("account"));
    let arrived = row.number("arrival");
    let is_edit = |(number, word)| if let RowChoice::Edit(word) = word { Some((number, word)) } else { None };
    let decisions = landing.recyclings(&account, arrived, ArrivalNumber::MAX)?.into_iter().filter_map(is_edit);
    let (decisions, mut from) = (decisions.collect::<Vec<(ArrivalNumber, Edit)>>(), 0);
    let mut told = Vec::with_capacity(edits.len());
    for (fields, pair) in edits {
        let made = |(number, word): &(ArrivalNumber, Edit)| has_made(word, *number, (place, arrived), pair);
        let mut by = None;
        if let Some(at) = decisions[from..].iter().position(made) {
            let (number, word) = &decisions[from + at];
            by = Some((*number, landing.arrival(*number)?.arrived_us, word.clone()));
            from += at + 1;
        }
        told.push(Edited { fields, by });
    }
    Ok(told)
}

/// Whether a decision has made the second entry of a record out of the first.
fn has_made(word: &Edit, number: ArrivalNumber, (place, arrived): (Place, ArrivalNumber), pair: &[Row]) -> bool {
    let [was, is] = pair else { return false };
    let of = choice(&word.choice, Act::Edit, number);
    let reason = was.text("reason").and_then(Reason::parse);
    of.is_of(&place, arrived)
        && reason.is_some_and(|reason| of.names(reason, None))
        && word.set.iter().all(|edit| text_of(is, edit.name()) == edit.to_string())
        && word.set.iter().any(|edit| text_of(was, edit.name()) != edit.to_string())
}

/// A field of an entry as an edit would write it.
fn text_of(row: &Row, field: &str) -> String {
    let text = row.text(field).unwrap_or_default();
    match field {
        "start" => {
            let offset_s = i32::try_from(row.long("start_offset_s")).unwrap_or(0);
            let start = FieldEdit::Start(row.long("start_us"), offset_s).to_string();
            if row.text("time_flag").is_some() { format!("{start} (the first of two)") } else { start }
        }
        "imsi" => FieldEdit::Imsi(text.parse().unwrap_or(0)).to_string(),
        _ => FieldEdit::read(field, text).map_or_else(|_| text.to_owned(), |edit| edit.to_string()),
    }
}
