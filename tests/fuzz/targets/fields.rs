//! Single values: numbers, times, amounts, durations, volumes, networks, cards. The label says which.

use std::sync::Arc;

use domain::columns::parsed::{NO_COST, ParsedBatch};
use domain::delivery::{DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::money::Money;
use ingest::parse::{RowRange, parse};
use ingest::profile::Profile;
use ingest::split::split;

use crate::case::Case;

use super::{answer, files, rows};

/// Columns of `tests/fuzz/profiles/fields-*.toml`, each with a value that is right.
const COLUMNS: [(&str, &[u8]); 9] = [
    ("kind", b"voice"),
    ("number", b"+31612345678"),
    ("other", b"+31201234567"),
    ("time", b"2026-10-24T09:15:00+02:00"),
    ("duration", b"60"),
    ("volume", b"5,5"),
    ("network", b"20408"),
    ("imsi", b"204080000000001"),
    ("cost", b"0,0412"),
];

/// Reads each line of an input as a value of the column that the label names: `PROFILE_COLUMN`.
pub fn run(case: &Case) -> Result<u64, String> {
    let (profile, column) = case.label.split_once('_').ok_or("a label of values is PROFILE_COLUMN")?;
    let profile = files::profiles().get(profile).ok_or_else(|| format!("no profile is called `{profile}`"))?;
    let at = COLUMNS.iter().position(|(name, _)| *name == column).ok_or_else(|| format!("no column is called `{column}`"))?;
    let mut answers = Vec::new();
    for value in case.bytes.split(|b| *b == b'\n').take(20) {
        let file = file(at, value);
        answers.push(rows::read(profile, &file)?);
        let Some(batch) = batch(profile, &file) else { continue };
        again(profile, column, at, &batch)?;
    }
    answers.sort_unstable();
    answers.dedup();
    Ok(answer::of(answers))
}

fn file(at: usize, value: &[u8]) -> Vec<u8> {
    let cells: Vec<&[u8]> = COLUMNS.iter().enumerate().map(|(i, (_, usual))| if i == at { value } else { usual }).collect();
    [cells.join(&b'|'), b"\n".to_vec()].concat()
}

/// The one row of a file, if it is readable.
fn batch(profile: &Profile, file: &[u8]) -> Option<ParsedBatch> {
    let split = split(profile, file, 9);
    let (layout, range) = (split.layout.as_ref()?, split.ranges.first()?);
    let context = FileContext {
        account: rows::account(),
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "fuzz".into(),
        profile: Arc::clone(profile.label()),
        cycle: None,
        cost_currency: profile.cost_currency(),
        key_mode: profile.key_mode(),
        billable_from_us: i64::MIN,
    };
    let hasher = RecordHasher::new(&KeySecret([7; 16]), &context.account);
    let range = RowRange { first_row: range.first_row, byte_from: range.from };
    let batch = parse(profile, layout, &Arc::new(context), &hasher, range, &file[usize::try_from(layout.body_from()).ok()?..]);
    Some(batch).filter(|batch| batch.len() == 1)
}

/// What was read is written in its usual form and read again: it must be the same.
fn again(profile: &Profile, column: &str, at: usize, batch: &ParsedBatch) -> Result<(), String> {
    let columns = &batch.columns;
    let usual = match column {
        "number" => columns.a_number[0].as_e164().map(|number| format!("+{number}")),
        "other" => columns.b_number[0].as_e164().map(|number| format!("+{number}")),
        "cost" if columns.cost_nano[0] != NO_COST => Some(Money(i128::from(columns.cost_nano[0])).to_string().replace('.', ",")),
        "duration" => Some(columns.duration_s[0].to_string()),
        "imsi" => columns.imsi.first().filter(|imsi| **imsi >= 10_000_000_000_000).map(u64::to_string),
        _ => None,
    };
    let Some(usual) = usual else { return Ok(()) };
    let Some(second) = self::batch(profile, &file(at, usual.as_bytes())) else {
        return Err(format!("`{usual}` was read and is not read again"));
    };
    let values = |batch: &ParsedBatch| {
        let c = &batch.columns;
        (c.a_number[0], c.b_number[0], c.cost_nano[0], c.duration_s[0], c.imsi.first().copied())
    };
    if values(batch) != values(&second) {
        return Err(format!("`{usual}` is read otherwise: {:?} and {:?}", values(batch), values(&second)));
    }
    Ok(())
}

pub fn seeds() -> Vec<Case> {
    let mut cases = Vec::new();
    for profile in files::profiles().keys().filter(|name| name.starts_with("fields-")) {
        cases.extend(COLUMNS.iter().map(|(column, value)| Case::new(&format!("{profile}_{column}"), *value)));
    }
    cases
}
