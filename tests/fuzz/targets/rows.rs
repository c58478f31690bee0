//! A file the whole way from split to columns, and what must be true of it whatever its bytes are.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{Account, DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use ingest::parse::check::check;
use ingest::parse::{RowRange, parse};
use ingest::profile::{Layout, Profile};
use ingest::split::{Split, Splitter, split};

use super::answer;

/// Whose files these are.
pub fn account() -> Account {
    let word = "fuzz";
    Account {
        tenant: TenantId::parse(word).expect("letters make an id"),
        provider: ProviderId::parse(word).expect("letters make an id"),
        account: AccountId::parse(word).expect("letters make an id"),
    }
}

fn context(profile: &Profile) -> Arc<FileContext> {
    Arc::new(FileContext {
        account: account(),
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "fuzz".into(),
        profile: Arc::clone(profile.label()),
        cycle: None,
        cost_currency: profile.cost_currency(),
        key_mode: profile.key_mode(),
        billable_from_us: i64::MIN,
    })
}

/// Reads a file in every way that must come to the same: in pieces, in ranges of other sizes, dry. Says how it was answered.
pub fn read(profile: &Profile, bytes: &[u8]) -> Result<u64, String> {
    let whole = split(profile, bytes, u64::MAX);
    let piece = (bytes.len() / 40).max(3);
    if in_pieces(profile, bytes, piece) != whole {
        return Err(format!("in pieces of {piece} bytes the file is split otherwise"));
    }
    let report = check(profile, "fuzz", bytes, 3);
    if report.verdict != whole.verdict {
        return Err(format!("the dry run says {:?}, split says {:?}", report.verdict, whole.verdict));
    }
    let malformed: u64 = report.malformed.values().sum();
    if report.rows != report.readable + malformed + report.skipped.values().sum::<u64>() {
        return Err(format!("{} rows, but {} readable, {malformed} malformed", report.rows, report.readable));
    }
    if whole.verdict.state.is_taken() {
        agree(profile, bytes, &whole)?;
    } else if whole.verdict.message.is_empty() {
        return Err(format!("{:?} without a word of explanation", whole.verdict.state));
    }
    let reasons: Vec<(&String, u32)> = report.malformed.iter().map(|(reason, n)| (reason, answer::size(*n))).collect();
    let skipped: Vec<&String> = report.skipped.keys().collect();
    Ok(answer::of((profile.name(), whole.verdict.state.as_str(), reasons, skipped, answer::size(report.readable))))
}

fn in_pieces(profile: &Profile, bytes: &[u8], piece: usize) -> Split {
    let mut splitter = Splitter::new(profile, u64::MAX);
    bytes.chunks(piece).for_each(|chunk| splitter.push(chunk));
    splitter.finish()
}

/// Whether a file that is taken has the same rows however it is cut, each of them accounted for, and the malformed ones with
/// their bytes.
fn agree(profile: &Profile, bytes: &[u8], whole: &Split) -> Result<(), String> {
    let one = batches(profile, bytes, whole)?;
    let rows_in: u64 = one.iter().map(|batch| batch.rows_in).sum();
    if rows_in != whole.verdict.rows {
        return Err(format!("{rows_in} rows were parsed, split counts {}", whole.verdict.rows));
    }
    for batch in &one {
        bytes_are_kept(batch, bytes)?;
    }
    let few = split(profile, bytes, 3);
    if few.verdict != whole.verdict {
        return Err(format!("in ranges of 3 rows the verdict is {:?} and not {:?}", few.verdict, whole.verdict));
    }
    let (one, three) = (rows(&one), rows(&batches(profile, bytes, &few)?));
    if one != three {
        let differing = one.iter().zip(&three).find(|(a, b)| a != b);
        return Err(format!("in ranges of 3 rows a row is another: {differing:?}"));
    }
    Ok(())
}

/// Parses the ranges of a split.
fn batches(profile: &Profile, bytes: &[u8], split: &Split) -> Result<Vec<ParsedBatch>, String> {
    let Some(layout) = &split.layout else { return Ok(Vec::new()) };
    let (file, hasher) = (context(profile), RecordHasher::new(&KeySecret([7; 16]), &account()));
    let mut next = (0, layout.body_from());
    let mut parsed = Vec::new();
    for range in &split.ranges {
        if range.first_row != next.0 || range.from < next.1 || range.to < range.from || range.to > bytes.len() as u64 {
            return Err(format!("a range is out of order: {range:?} behind row and byte {next:?}"));
        }
        let batch = parse_range(profile, layout, &file, &hasher, (range.first_row, range.from), bytes, range.to);
        if batch.rows_in != range.rows || !batch.is_balanced() {
            return Err(format!("a range of {} rows has {}, balanced: {}", range.rows, batch.rows_in, batch.is_balanced()));
        }
        next = (range.first_row + range.rows, range.to);
        parsed.push(batch);
    }
    Ok(parsed)
}

fn parse_range(
    profile: &Profile,
    layout: &Layout,
    file: &Arc<FileContext>,
    hasher: &RecordHasher,
    (first_row, byte_from): (u64, u64),
    bytes: &[u8],
    to: u64,
) -> ParsedBatch {
    parse(profile, layout, file, hasher, RowRange { first_row, byte_from }, &bytes[place(byte_from)..place(to)])
}

fn place(at: u64) -> usize {
    usize::try_from(at).expect("a place in memory")
}

/// Whether malformed rows hold the bytes that stand where they say, and readable ones stand in order.
fn bytes_are_kept(batch: &ParsedBatch, bytes: &[u8]) -> Result<(), String> {
    for row in &batch.malformed {
        let there = bytes.get(place(row.offset)..place(row.offset + row.length));
        if !there.is_some_and(|there| there.starts_with(&row.raw)) || row.raw.is_empty() && row.length > 0 {
            return Err(format!("row {} at byte {} is kept as {:?}", row.row, row.offset, String::from_utf8_lossy(&row.raw)));
        }
    }
    let ends = batch.columns.offset.iter().zip(&batch.columns.length).map(|(from, length)| (*from, from + u64::from(*length)));
    let mut last = 0;
    for (from, to) in ends {
        if from < last || to > bytes.len() as u64 {
            return Err(format!("a row from byte {from} to {to} stands behind byte {last} of {}", bytes.len()));
        }
        last = to;
    }
    Ok(())
}

/// All rows as texts, by their number.
fn rows(batches: &[ParsedBatch]) -> BTreeMap<u64, String> {
    let mut rows = BTreeMap::new();
    for batch in batches {
        let c = &batch.columns;
        for i in 0..batch.len() {
            let class = c.class.get(i).and_then(|code| usize::from(*code).checked_sub(1)).map(|code| &batch.classes[code]);
            let mut parties = String::new();
            for number in [c.a_number[i], c.b_number[i]] {
                parties += number.kind().as_str();
                number.write(&batch.texts, &mut parties).expect("a string takes all");
                parties.push(' ');
            }
            let id = if c.record_id.is_empty() { "" } else { c.record_id.get(i) };
            let lineage = (c.offset[i], c.length[i], c.key[i], c.content.get(i));
            let time = (c.start_us[i], c.offset_s[i], c.time_flag.get(i), c.duration_s[i]);
            let cards = (c.imsi.get(i), c.iccid.get(i), c.messages.get(i));
            let rest = (c.bytes_up.get(i), c.bytes_down.get(i), c.network.get(i), c.cost_nano.get(i));
            let text = format!("{lineage:?} {id} {} {parties}{time:?} {cards:?} {rest:?} {class:?}", c.usage[i].as_str());
            rows.insert(c.row[i], text);
        }
        rows.extend(batch.malformed.iter().map(|row| (row.row, format!("{row:?}"))));
    }
    rows
}
