//! `tollway suspense edit`: fields of rows in suspense that a person knows better than their source, with who says so and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::outcome::Reason;
use ingest::land::{Edit, RowChoice};
use ingest::parse::edit::{FieldEdit, FieldEdits};
use serde_json::json;
use sinks::correction::recycle::can_come_back;

use super::edited::shown;
use super::recycle::{chosen, place, what_helps};
use super::suspense::check_reason;
use super::write_off::by_and_why;
use crate::cli::{EditArgs, Global};
use crate::counts::money_text;
use crate::exit_code::{Exit, bad_input, usage};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};
use crate::recycling::{Outlook, Recycled, carry_out, look};

/// What is done with a record that has a price.
const PRICED: &str = "cannot be edited: ask the provider for a corrected file and ingest it with --replaces, or `tollway withdraw` the file; \
    new reference data reach it by `tollway rerate`";

/// Runs the command.
pub fn run(global: &Global, args: &EditArgs) -> anyhow::Result<Exit> {
    let set = fields(&args.set)?;
    let (by, why) = by_and_why(args.by.as_deref(), &args.why)?;
    for reason in &args.rows.reasons {
        refuse(&format!("rows with `{reason}`"), check_reason(reason)?, None)?;
    }
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    let mut wish = chosen(&installation, &landing, &args.rows)?;
    if let Some(record) = &args.rows.record {
        let place = place(&installation, record, PRICED)?;
        refuse(&format!("`{record}`"), place.reason, Some(record))?;
        if wish.reasons.is_empty() && place.reason == Reason::TooOld {
            wish.reasons.insert(place.reason);
        }
        (wish.delivery, wish.row) = (Some(place.delivery), Some(place.row));
    }
    if wish.is_everything() {
        return Err(usage("name the rows: a RECORD, --reason, --account, --file or --identifier"));
    }
    let is_dry = args.rows.dry_run;
    if !is_dry {
        super::import::catch_up(&installation, &installation.state()?)?;
    }
    let outlook = look(&installation, &landing, &wish, Some(&set))?;
    if let Some((misfit, rows)) = outlook.misfits.first_key_value() {
        let (rows, all) = (count(*rows), count(outlook.chosen()));
        return Err(bad_input(format!("{rows} of the {all} rows that are meant {}", misfit.as_str())));
    }
    let recycled = if is_dry {
        Recycled::shown(outlook)
    } else {
        let (choice, set, by, why) = (wish.word(), set.clone(), by.clone(), why.clone());
        let choice = RowChoice::Edit(Edit { choice, set, by, why });
        carry_out(global, &installation, &landing, &choice, outlook, args.rows.workers)?
    };
    answer(global, &recycled, &set, (&by, &why)).print(global.output)?;
    let stays = recycled.outlook.rated() < recycled.outlook.chosen();
    Ok(if stays { Exit::NeedsHand } else { Exit::Done })
}

/// The fields as they were typed.
fn fields(set: &[String]) -> anyhow::Result<FieldEdits> {
    let split = |pair: &'_ String| pair.split_once('=').map(|(field, text)| (field.trim().to_owned(), text.to_owned()));
    let mut fields = Vec::with_capacity(set.len());
    for pair in set {
        let no_value = || usage(format!("--set {pair} has no value: write FIELD=VALUE, or FIELD= to empty it"));
        fields.push(split(pair).ok_or_else(no_value)?);
    }
    FieldEdits::read(fields.iter().map(|(field, text)| (field.as_str(), text.as_str()))).map_err(|e| bad_input(e.to_string()))
}

/// Refuses rows of which no field can be set.
fn refuse(rows: &str, reason: Reason, record: Option<&str>) -> anyhow::Result<()> {
    if can_come_back(reason) {
        return Ok(());
    }
    Err(bad_input(match reason {
        Reason::WrittenOff => {
            let back = record.unwrap_or("--reason written_off");
            format!("{rows} cannot be edited while written off: tollway suspense recycle {back}")
        }
        _ if reason.is_malformed() => format!("{rows} could not be read and have no fields to set: {}", what_helps(reason)),
        _ => format!("{rows} cannot be edited: {}", what_helps(reason)),
    }))
}

fn answer(global: &Global, recycled: &Recycled, set: &FieldEdits, (by, why): (&str, &str)) -> Answer {
    let outlook = &recycled.outlook;
    let state = if recycled.state == "recycled" { "edited" } else { recycled.state };
    let mut sheets = Vec::new();
    if outlook.chosen() > 0 {
        let mut fields = Sheet::new("", &["field", "becomes"]);
        for edit in set.iter() {
            let value = value(edit, global.clear);
            fields.row([edit.name().to_owned(), if value.is_empty() { "nothing".to_owned() } else { value }]);
        }
        sheets = vec![fields, outlook.sheet_with("waits as before")];
    }
    let mut json = recycled.to_json();
    json["state"] = json!(state);
    json["set"] = json!(set.iter().map(|edit| (edit.name(), value(edit, global.clear))).collect::<BTreeMap<_, _>>());
    (json["by"], json["why"]) = (json!(by), json!(why));
    Answer { headline: headline(state, recycled, outlook), sheets, next: recycled.next(), json }
}

/// A field's text as it may be shown.
fn value(edit: &FieldEdit, is_clear: bool) -> String {
    shown(edit.name(), &edit.to_string(), is_clear)
}

fn headline(state: &str, recycled: &Recycled, outlook: &Outlook) -> String {
    let (chosen, changes) = (count(outlook.chosen()), count(outlook.changes()));
    let arrivals: Vec<String> = recycled.decisions.iter().map(ToString::to_string).collect();
    let arrivals = arrivals.join(", ");
    match state {
        _ if outlook.chosen() == 0 => "no row in suspense is meant that can be edited".to_owned(),
        "shown" => format!("{changes} of {chosen} rows in suspense would be edited; nothing was changed"),
        "unchanged" => format!("{chosen} rows in suspense are so already; nothing was changed"),
        "ordered" => format!("{changes} of {chosen} rows in suspense are to be edited, as arrival {arrivals}"),
        _ => {
            let money = money_text(&recycled.added);
            let money = if money.is_empty() { String::new() } else { format!(", {money}") };
            let rated = count(recycled.added.rated);
            format!(
                "{changes} of {chosen} rows in suspense are edited, {rated} of them are rated now{money} (arrival {arrivals})"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_typed_with_their_values() {
        let set = |pairs: &[&str]| fields(&pairs.iter().map(|pair| (*pair).to_owned()).collect::<Vec<_>>());
        let typed = set(&["provider_class=EU=1", " network = 20408", "b_number="]).expect("fields");
        let typed: Vec<(&str, String)> = typed.iter().map(|edit| (edit.name(), edit.to_string())).collect();
        assert_eq!(typed, [("b_number", String::new()), ("network", "20408".to_owned()), ("provider_class", "EU=1".to_owned())]);
        for (pairs, says) in [
            (&["network"][..], "write FIELD=VALUE"),
            (&["=1"], "`` is no field"),
            (&["duration_s=1m"], "`duration_s` cannot be `1m`: give a whole number of seconds"),
            (&["network=", "network=20408"], "`network` is set twice"),
        ] {
            let error = set(pairs).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_edited_is_refused_with_what_helps() {
        let says = |reason, record| refuse("`7f3a91c2`", reason, record).expect_err("refused").to_string();
        assert!(says(Reason::Time, None).contains("have no fields to set") && says(Reason::Time, None).contains("--as-new"));
        assert!(says(Reason::IdConflict, None).contains("tollway withdraw"));
        assert!(says(Reason::WrittenOff, Some("7f3a91c2")).ends_with("tollway suspense recycle 7f3a91c2"));
        assert!(refuse("`7f3a91c2`", Reason::NoZone, None).is_ok());
    }
}
