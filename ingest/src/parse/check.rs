//! The dry run of a profile over a file: rows as parsed, what each column became, what fails and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::parsed::{NO_COST, NO_SEQUENCE, ParsedBatch, Partial, TimeFlag};
use domain::delivery::{Account, DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::money::Money;
use domain::number::Number;
use domain::outcome::Reason;
use domain::zone::{SECOND_US, date_of};
use serde::Serialize;

use crate::message::FileVerdict;
use crate::profile::recipe::Reader;
use crate::profile::{Layout, Profile, next_feed};
use crate::records::CutFields;
use crate::records::json::JsonCutter;
use crate::records::presence::Presence;
use crate::records::xml::XmlCutter;
use crate::split::{ROWS_PER_RANGE, Splitter};
use crate::tap3;

use super::quoted::Fields;
use super::{RowRange, parse};

/// What a profile makes of a file. Texts are shown as they are: whoever prints them masks numbers (roles `served`, `other`,
/// `imsi`, `iccid`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The file's name.
    pub file: String,
    /// The profile's name and version.
    pub profile: String,
    /// Whether the profile is an assumed layout.
    pub assumed: bool,
    /// The file as a whole.
    pub verdict: FileVerdict,
    /// Rows in the file, also when it is not taken.
    pub rows: u64,
    /// Rows that became columns.
    pub readable: u64,
    /// Rows with a local time in the repeated hour, of which the first was taken.
    pub repeated_times: u64,
    /// Malformed rows by reason.
    pub malformed: BTreeMap<String, u64>,
    /// Rows left out, by rule.
    pub skipped: BTreeMap<String, u64>,
    /// What a TAP3 file's audit control says about its events and is wrong, in words.
    pub differences: Vec<String>,
    /// Paths of JSON and XML that no record has, in words.
    pub absent: Vec<String>,
    /// The first rows, and the first malformed ones wherever they stand; in the file's order.
    pub shown: Vec<CheckedRow>,
}

/// One row and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedRow {
    /// Row number, from 0.
    pub row: u64,
    /// Line of the file, from 1; `None` if the file is no text.
    pub line: Option<u64>,
    /// Its first byte in the file.
    pub byte: u64,
    /// `readable`, `skipped` or the reason, `malformed.time`.
    pub outcome: String,
    /// What to do about it: empty for readable rows; the rule's name for skipped ones.
    pub note: String,
    /// The columns that the profile reads, in its order.
    pub columns: Vec<CheckedColumn>,
}

/// One column of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckedColumn {
    /// The section of the profile that reads it: `served`, `time`.
    pub role: String,
    /// Its name in the file.
    pub column: String,
    /// Its text in the file; `None` if the row has no such field.
    pub source: Option<String>,
    /// What it became; `None` unless the row is readable.
    pub became: Option<String>,
    /// Whether this is the column that makes the row malformed.
    pub is_wrong: bool,
}

/// Runs a profile over a file in memory; shows at most `rows_max` rows from its beginning and as many malformed ones.
pub fn check(profile: &Profile, name: &str, bytes: &[u8], rows_max: usize) -> CheckReport {
    let mut splitter = Splitter::new(profile, ROWS_PER_RANGE);
    splitter.push(bytes);
    let split = splitter.finish_regardless();
    let mut report = CheckReport {
        file: name.to_owned(),
        profile: profile.label().to_string(),
        assumed: profile.assumed(),
        rows: 0,
        verdict: split.verdict,
        readable: 0,
        repeated_times: 0,
        malformed: BTreeMap::new(),
        skipped: BTreeMap::new(),
        differences: differences(profile, bytes),
        absent: Vec::new(),
        shown: Vec::new(),
    };
    let Some(layout) = split.layout else { return report };
    let mut presence = Presence::of_all(profile);
    let checker = Checker { profile, layout: &layout, bytes, file: context(profile, name), hasher: hasher() };
    for range in split.ranges {
        let batch = checker.parse(range.first_row, range.from, range.to);
        report.rows += batch.rows_in;
        report.readable += batch.len() as u64;
        report.repeated_times += batch.columns.time_flag.iter().map(|f| u64::from(*f == TimeFlag::Repeated as u8)).sum::<u64>();
        for (rule, count) in &batch.skipped {
            *report.skipped.entry(rule.clone()).or_default() += count;
        }
        for row in &batch.malformed {
            let shown = report.malformed.values().sum::<u64>() < rows_max as u64;
            *report.malformed.entry(row.reason.as_str().to_owned()).or_default() += 1;
            if shown && row.row >= rows_max as u64 {
                report.shown.push(checker.show(row.row, row.offset, row.offset + row.length));
            }
        }
        checker.note_records(range.from, range.to, &mut presence);
        checker.show_first(range.first_row, range.from, range.to, rows_max, &mut report.shown);
    }
    report.absent.extend(presence.missing().iter().map(|column| presence.describe(*column)));
    report.shown.sort_by_key(|r| r.row);
    report
}

/// What the verdict on a TAP3 file leaves out: figures of the audit control that are for people to look at.
fn differences(profile: &Profile, bytes: &[u8]) -> Vec<String> {
    let Reader::Tap3(form) = &profile.reader else { return Vec::new() };
    tap3::split(&form.rules, bytes, u64::MAX).differences.iter().map(ToString::to_string).collect()
}

fn hasher() -> RecordHasher {
    RecordHasher::new(&KeySecret([0; 16]), &account())
}

/// Nobody's account: keys of a dry run are thrown away.
fn account() -> Account {
    Account {
        tenant: TenantId::parse("check").expect("letters make an id"),
        provider: ProviderId::parse("check").expect("letters make an id"),
        account: AccountId::parse("check").expect("letters make an id"),
    }
}

fn context(profile: &Profile, name: &str) -> Arc<FileContext> {
    Arc::new(FileContext {
        account: account(),
        delivery: DeliveryId(0),
        arrival: 0,
        origin: name.into(),
        profile: Arc::clone(profile.label()),
        cycle: None,
        cost_currency: profile.cost_currency(),
        key_mode: profile.key_mode(),
        billable_from_us: i64::MIN,
    })
}

struct Checker<'a> {
    profile: &'a Profile,
    layout: &'a Layout,
    bytes: &'a [u8],
    file: Arc<FileContext>,
    hasher: RecordHasher,
}

impl Checker<'_> {
    fn slice(&self, from: u64, to: u64) -> &[u8] {
        let place = |at: u64| usize::try_from(at).expect("a position in memory");
        &self.bytes[place(from)..place(to)]
    }

    fn parse(&self, first_row: u64, from: u64, to: u64) -> ParsedBatch {
        let range = RowRange { first_row, byte_from: from };
        parse(self.profile, self.layout, &self.file, &self.hasher, range, self.slice(from, to))
    }

    /// Looks at the records of a range for paths that none of them has.
    fn note_records(&self, from: u64, to: u64, presence: &mut Presence<'_>) {
        let mut rest = self.slice(from, to);
        while !rest.is_empty() && presence.is_looking() {
            let (begin, end) = self.profile.first_row(self.layout, rest);
            presence.note(&rest[begin..end]);
            rest = &rest[end.max(1)..];
        }
    }

    /// Shows the rows of a range that are among the first of the file.
    fn show_first(&self, first_row: u64, from: u64, to: u64, rows_max: usize, shown: &mut Vec<CheckedRow>) {
        let (mut row, mut at) = (first_row, from);
        while row < rows_max as u64 && at < to {
            let rest = self.slice(at, to);
            let length = self.profile.first_row(self.layout, rest).1 as u64;
            if self.parse(row, at, at + length).rows_in == 1 {
                shown.push(self.show(row, at, at + length));
                row += 1;
            }
            at += length;
        }
    }

    /// Shows the one row that stands in these bytes.
    fn show(&self, row: u64, from: u64, to: u64) -> CheckedRow {
        let batch = self.parse(row, from, to);
        let (begin, end) = self.profile.first_row(self.layout, self.slice(from, to));
        let byte = from + begin as u64;
        let bad = batch.malformed.first();
        let (outcome, note) = match (bad, batch.skipped.keys().next()) {
            (Some(bad), _) => (bad.reason.as_str(), bad.reason.remedy().to_owned()),
            (None, Some(rule)) => ("skipped", rule.clone()),
            (None, None) => ("readable", String::new()),
        };
        let sources = self.sources(self.slice(byte, from + end as u64));
        let columns = self.profile.roles(self.layout).map(|(role, at)| {
            let column = self.layout.name(at);
            CheckedColumn {
                role: role.to_owned(),
                source: sources.get(at).cloned(),
                became: if batch.is_empty() { None } else { became(&batch, role) },
                is_wrong: bad
                    .is_some_and(|b| b.field == column && (b.reason != Reason::Kind || role == "kind" || role == "direction")),
                column: column.to_string(),
            }
        });
        let line = self.profile.has_lines().then(|| self.lines_before(byte) + 1);
        CheckedRow { row, line, byte, outcome: outcome.to_owned(), note, columns: columns.collect() }
    }

    /// Lines of the file before a row that begins there.
    fn lines_before(&self, to: u64) -> u64 {
        let (mut lines, mut rest) = (0, self.slice(0, to));
        while let Some((_, next)) = next_feed(self.layout.byte_order(), rest) {
            rest = &rest[next..];
            lines += 1;
        }
        lines
    }

    /// The fields of a row, as far as they can be told.
    fn sources(&self, row: &[u8]) -> Vec<String> {
        let file = &self.profile.file;
        let line = &*self.layout.line_text(row);
        let line = &line[..line.len().min(file.row_bytes_max)];
        match &self.profile.reader {
            Reader::FixedWidth(form) => form.spans.iter().map(|span| self.shown(form.value(line, span))).collect(),
            Reader::JsonLines(form) => self.cut(&mut JsonCutter::new(form), line),
            Reader::JsonArray(form) => self.cut(&mut JsonCutter::new(form), row),
            Reader::Xml(form) => self.cut(&mut XmlCutter::new(form), row),
            Reader::Tap3(_) => Vec::new(),
            Reader::Delimited => {
                let mut fields = Fields::default();
                if fields.split(line, file.separator, file.quote).is_err() {
                    return line.split(|c| *c == file.separator).map(|f| self.shown(f)).collect();
                }
                fields.row().fields().map(|f| self.shown(f.bytes())).collect()
            }
        }
    }

    fn cut(&self, cutter: &mut impl CutFields, row: &[u8]) -> Vec<String> {
        match cutter.cut(row) {
            Ok(()) => cutter.row().fields().map(|f| self.shown(f.bytes())).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn shown(&self, field: &[u8]) -> String {
        self.profile.decode(field).into_owned()
    }
}

/// What the column of a role became in a batch of one row.
fn became(batch: &ParsedBatch, role: &str) -> Option<String> {
    let c = &batch.columns;
    let number = |n: Number| {
        let mut text = n.kind().as_str().to_owned() + " ";
        n.write(&batch.texts, &mut text).ok()?;
        Some(text.trim_end().to_owned())
    };
    match role {
        "record.id" => Some(c.record_id.get(0).to_owned()),
        "kind" | "direction" => Some(c.usage[0].as_str().to_owned()),
        "served" => number(c.a_number[0]),
        "other" => number(c.b_number[0]),
        "imsi" => c.imsi.first().map(u64::to_string),
        "iccid" => c.iccid.first().map(u64::to_string),
        "time" => Some(instant(c.start_us[0], c.offset_s[0], c.time_flag.first() == Some(&(TimeFlag::Repeated as u8)))),
        "duration" => Some(format!("{} s", c.duration_s[0])),
        "volume.up" => c.bytes_up.first().map(|b| format!("{b} bytes")),
        "volume.down" => c.bytes_down.first().map(|b| format!("{b} bytes")),
        "messages" => c.messages.first().map(i32::to_string),
        "session" => Some(c.session_id.get(0).to_owned()),
        "session.sequence" => c.session_sequence.first().map(|place| match *place {
            NO_SEQUENCE => "absent".to_owned(),
            place => place.to_string(),
        }),
        "session.partial" => c.partial.first().map(|code| Partial::name_of(*code).unwrap_or("whole").to_owned()),
        "network" => c.network.first().map(|n| if n.is_absent() { "absent".to_owned() } else { n.to_string() }),
        "class" => c.class.first().map(|code| match usize::from(*code).checked_sub(1) {
            Some(i) => batch.classes[i].to_string(),
            None => "absent".to_owned(),
        }),
        "cost" => c.cost_nano.first().map(|nano| match *nano {
            NO_COST => "absent".to_owned(),
            nano => format!("{} {}", batch.file.cost_currency, Money(i128::from(nano))),
        }),
        _ => None,
    }
}

/// `2026-10-25 02:30:15 +02:00`, with the fraction where there is one.
fn instant(start_us: i64, offset_s: i32, is_repeated: bool) -> String {
    let local_us = start_us + i64::from(offset_s) * SECOND_US;
    let (seconds, micros) = (local_us.div_euclid(SECOND_US), local_us.rem_euclid(SECOND_US));
    let (year, month, day) = date_of(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(i32::MAX));
    let of_day = seconds.rem_euclid(86_400);
    let (sign, offset) = if offset_s < 0 { ('-', -offset_s) } else { ('+', offset_s) };
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    let note = if is_repeated { " (the first of two such times that night)" } else { "" };
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}{fraction} {sign}{:02}:{:02}{note}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        offset / 3600,
        offset / 60 % 60
    )
}
