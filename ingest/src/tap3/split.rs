//! Checks a TAP3 file as a whole and cuts it between events into ranges that can be parsed apart.

use std::fmt::Write as _;

use domain::money::{Currency, Money, NANO_PLACES};

use crate::message::{FileState, FileVerdict};
use crate::split::{RANGE_BYTES_MAX, SplitRange};

use super::Rules;
use super::audit::{AuditItem, Difference};
use super::error::Tap3Error;
use super::file::{Ending, Events};
use super::head::{self, Head, Opening};

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tap3Split {
    /// The head with its tables, which [`super::parse`] needs; `None` for a notification, or when it cannot be read.
    pub head: Option<Box<Head>>,
    /// In order, without overlap; none unless the file is taken.
    pub ranges: Vec<SplitRange>,
    /// The file as a whole.
    pub verdict: FileVerdict,
    /// Every figure of the audit control that differs from the events. Count and charge decide about the file; a tax, an
    /// earliest or a latest call that differs is for people to look at.
    pub differences: Vec<Difference>,
}

/// Splits a file that is in memory; ranges get `rows_per_range` events (at least 1), the last one fewer.
pub fn split(rules: &Rules, bytes: &[u8], rows_per_range: u64) -> Tap3Split {
    split_at(rules, bytes, rows_per_range, RANGE_BYTES_MAX)
}

/// As [`split`], ending a range also with the event that makes it `range_bytes_max` long.
pub fn split_at(rules: &Rules, bytes: &[u8], rows_per_range: u64, range_bytes_max: u64) -> Tap3Split {
    let verdict = |state, rows, message: String| FileVerdict { state, rows, message };
    let without_rows = |verdict| Tap3Split { head: None, ranges: Vec::new(), verdict, differences: Vec::new() };
    if bytes.is_empty() {
        return without_rows(verdict(FileState::Empty, 0, "the file has no bytes".to_owned()));
    }
    let head = match head::read(bytes, true) {
        Ok(Some(Opening::Batch(head))) => head,
        Ok(Some(Opening::Notification(control))) => {
            let message = format!("notification {} of {}: nothing to charge", control.sequence, control.sender);
            return without_rows(verdict(FileState::Empty, 0, message));
        }
        Ok(None) => return without_rows(verdict(FileState::Truncated, 0, Tap3Error::Cut.to_string())),
        Err(error) => return without_rows(refused(&error)),
    };
    let mut events = Events::new(rules, &head, bytes);
    let mut ranges = cut(&mut events, rows_per_range, range_bytes_max);
    let ending = events.finish();
    let (state, message) = judge(rules, &head, bytes.len(), &ending);
    if !state.is_taken() {
        ranges.clear();
    }
    let verdict = verdict(state, ending.tally.rows, message);
    Tap3Split { head: Some(head), ranges, verdict, differences: ending.differences }
}

/// Cuts the events into ranges. A range begins where an event begins, so that it falls into the same rows on its own as in
/// the file; unreadable pieces stay in the range before them, whatever its size.
pub(super) fn cut(events: &mut Events<'_, '_>, rows_per_range: u64, range_bytes_max: u64) -> Vec<SplitRange> {
    let mut ranges: Vec<SplitRange> = Vec::new();
    for record in events {
        let (from, to) = (record.from as u64, record.to as u64);
        let has_room = |range: &SplitRange| range.rows < rows_per_range.max(1) && range.to - range.from < range_bytes_max;
        match ranges.last_mut().filter(|range| has_room(range) || !record.may_begin_range) {
            Some(range) => (range.to, range.rows) = (to, range.rows + 1),
            None => ranges.push(SplitRange { from, to, first_row: record.row, rows: 1 }),
        }
    }
    ranges
}

fn refused(error: &Tap3Error) -> FileVerdict {
    let state = if *error == Tap3Error::Cut { FileState::Truncated } else { FileState::WrongHeader };
    let mut message = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        write!(message, ": {source}").expect("a string takes all");
    }
    FileVerdict { state, rows: 0, message }
}

/// What is wrong with a file whose head is fine. Where several things are wrong, the one that explains the others comes first.
fn judge(rules: &Rules, head: &Head, length: usize, ending: &Ending) -> (FileState, String) {
    let (sequence, sender) = (&head.control.sequence, &head.control.sender);
    if head.control.is_test && !rules.takes_tests {
        let message = format!("file {sequence} of {sender} is marked as a test; nothing in it may be billed");
        return (FileState::WrongHeader, message);
    }
    let accounting = &head.accounting;
    let has_cost = [Some(accounting.currency), accounting.local_currency].contains(&Some(rules.cost_currency));
    if !has_cost && ending.tally.rows > 0 {
        return (FileState::WrongHeader, wrong_currency(rules.cost_currency, head));
    }
    if ending.is_cut {
        let message = format!(
            "the file ends after {length} bytes and {} events, before its end; fetch it again, or ask for the whole file",
            ending.tally.rows
        );
        return (FileState::Truncated, message);
    }
    if let Some(from) = ending.unreadable_from {
        let message = format!(
            "byte {from} and the {} bytes up to the end of the file are unreadable; fetch it again, or ask {sender} for it",
            length - from - 1
        );
        return (FileState::Truncated, message);
    }
    if ending.trailing > 0 {
        let message =
            format!("{} bytes stand behind the batch; the file was joined from several, land them apart", ending.trailing);
        return (FileState::WrongCount, message);
    }
    if ending.audit.is_none() {
        let message = "the file has no audit control that can be read, so nobody can tell whether it is whole; \
                       fetch it again, or ask for the whole file";
        return (FileState::WrongCount, message.to_owned());
    }
    let differs = |item| ending.differences.iter().find(|d| d.item == item);
    if let Some(difference) = differs(AuditItem::Events) {
        return (FileState::WrongCount, format!("{difference}; ask {sender} which is right"));
    }
    if let Some(difference) = differs(AuditItem::Charge) {
        let said = [difference.announced, difference.found].map(|units| money(head, units));
        let message = format!("{difference} ({} and {}); ask {sender} which is right", said[0], said[1]);
        return (FileState::WrongSum, message);
    }
    if ending.tally.rows == 0 {
        return (FileState::Empty, format!("file {sequence} of {sender} has no events"));
    }
    (FileState::Complete, String::new())
}

fn wrong_currency(wanted: Currency, head: &Head) -> String {
    let charged = head.accounting.currency;
    let local = head.accounting.local_currency.map_or_else(String::new, |local| format!(" and can be exchanged to {local}"));
    format!("the file's charges are in {charged}{local}, the profile wants the cost in {wanted}; use a profile for {charged}")
}

/// Units of the file as money.
fn money(head: &Head, units: Option<i128>) -> String {
    let decimals = u8::try_from(head.accounting.decimals).unwrap_or(NANO_PLACES);
    let nano = units.and_then(|units| units.checked_mul(10i128.pow(u32::from(NANO_PLACES - decimals.min(NANO_PLACES)))));
    nano.map_or_else(|| "none".to_owned(), |nano| format!("{} {}", head.accounting.currency, Money(nano)))
}
