//! What is wrong with a file as a whole, said so that the reader knows the facts and what to do.

use domain::money::Money;

use crate::message::{FileState, FileVerdict};
use crate::profile::recipe::TrailerPlace;
use crate::profile::{HeaderError, Layout, Profile};
use crate::records::presence::Presence;

use super::trailer::{Announced, TrailerCheck};

/// So few rows with wrong characters are broken rows, whatever their share: they do not condemn a small file.
const INVALID_ROWS_MIN: u64 = 10;

/// What was counted on the way through a file.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub bytes: u64,
    /// Lines, with header and trailer.
    pub lines: u64,
    pub rows: u64,
    /// Rows with characters outside the declared encoding.
    pub invalid_rows: u64,
    pub has_long_row: bool,
    /// Whether the last line has no line end.
    pub ends_open: bool,
    /// Whether the last row has no line end and lacks fields.
    pub last_row_is_cut: bool,
}

/// The verdict. Where several things are wrong, the one that explains the others comes first.
pub(super) fn judge(
    profile: &Profile,
    header: &Result<Layout, HeaderError>,
    facts: &Facts,
    trailer: &TrailerCheck,
    is_endless: bool,
) -> FileVerdict {
    let (state, rows, message) = match header {
        _ if facts.bytes == 0 => (FileState::Empty, 0, empty(profile, trailer, "the file has no bytes")),
        Err(error) => (error.state(), 0, error.to_string()),
        Ok(_) => {
            let (state, message) = judge_rows(profile, facts, trailer, is_endless);
            (state, facts.rows - u64::from(state == FileState::Truncated && facts.last_row_is_cut), message)
        }
    };
    FileVerdict { state, rows, message }
}

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListEnd {
    /// Not at all, so far.
    Missing,
    /// With its end.
    Found,
    /// With its end, and these bytes behind it do not belong to such a file.
    Unfitting(usize),
    /// No record could be found from this byte of the file on.
    Lost(u64),
}

/// What was counted on the way through a list.
#[derive(Debug, Default)]
pub(super) struct ListFacts {
    pub bytes: u64,
    pub rows: u64,
    /// Rows with characters outside the declared encoding.
    pub invalid_rows: u64,
    /// Whether the last piece is no record.
    pub ends_broken: bool,
}

/// The verdict on a file whose records stand in a list.
pub(super) fn judge_list(
    profile: &Profile,
    header: &Result<Layout, HeaderError>,
    facts: &ListFacts,
    end: ListEnd,
) -> FileVerdict {
    let trailer = TrailerCheck::default();
    let verdict = |state, rows, message| FileVerdict { state, rows, message };
    if facts.bytes == 0 {
        return verdict(FileState::Empty, 0, empty(profile, &trailer, "the file has no bytes"));
    }
    if let Err(error) = header {
        if *error == HeaderError::Nothing {
            return verdict(FileState::Empty, 0, empty(profile, &trailer, &error.to_string()));
        }
        return verdict(error.state(), 0, error.to_string());
    }
    let whole = facts.rows - u64::from(facts.ends_broken && end == ListEnd::Missing);
    match end {
        ListEnd::Lost(from) => {
            let message = format!(
                "no record in sight behind byte {from} (a row has at most {} bytes); this is no list of records, or it is \
                 damaged, or `file.row_bytes_max` of the profile is too small",
                profile.file.row_bytes_max
            );
            return verdict(FileState::EndlessRow, facts.rows, message);
        }
        ListEnd::Missing => {
            let message = format!(
                "the file stops after {whole} whole records, before the end of their list; fetch it again, or ask for the whole file"
            );
            return verdict(FileState::Truncated, whole, message);
        }
        ListEnd::Unfitting(bytes) => {
            let message = format!(
                "the {bytes} bytes behind the list of records do not end the document; the file is cut off or was joined from \
                 several, fetch it again or land them apart"
            );
            return verdict(FileState::WrongCount, facts.rows, message);
        }
        ListEnd::Found => {}
    }
    if is_in_another_encoding(profile, facts.invalid_rows, facts.rows) {
        return verdict(FileState::WrongEncoding, facts.rows, wrong_encoding(profile, facts.invalid_rows, facts.rows));
    }
    if facts.rows == 0 {
        return verdict(FileState::Empty, 0, empty(profile, &trailer, "the list has no records"));
    }
    verdict(FileState::Complete, facts.rows, String::new())
}

/// The verdict on a file that is right in all else: whether its records have the paths that the profile relies on.
pub(super) fn with_paths(verdict: FileVerdict, presence: &Presence<'_>) -> FileVerdict {
    match presence.problem().filter(|_| verdict.state == FileState::Complete) {
        Some(message) => FileVerdict { state: FileState::WrongHeader, message, ..verdict },
        None => verdict,
    }
}

/// Whether so many rows hold foreign characters that the declared encoding is wrong.
fn is_in_another_encoding(profile: &Profile, invalid: u64, rows: u64) -> bool {
    invalid >= INVALID_ROWS_MIN && invalid * 100 > rows * profile.file.invalid_percent_max
}

fn judge_rows(profile: &Profile, facts: &Facts, trailer: &TrailerCheck, is_endless: bool) -> (FileState, String) {
    if is_endless || facts.ends_open && facts.lines == 1 && facts.has_long_row {
        return (FileState::EndlessRow, endless(profile, facts));
    }
    if is_in_another_encoding(profile, facts.invalid_rows, facts.rows) {
        return (FileState::WrongEncoding, wrong_encoding(profile, facts.invalid_rows, facts.rows));
    }
    if profile.trailer.is_some()
        && let Some((state, message)) = judge_trailer(profile, facts, trailer)
    {
        return (state, message);
    }
    if profile.trailer.is_none() && facts.last_row_is_cut {
        return (FileState::Truncated, cut(facts));
    }
    if facts.rows == 0 {
        return (FileState::Empty, empty(profile, trailer, "the file has no rows"));
    }
    (FileState::Complete, unchecked_sum(profile, trailer).unwrap_or_default())
}

/// What a whole file says whose trailer names a sum that could not be compared: one amount is missing in ours.
fn unchecked_sum(profile: &Profile, trailer: &TrailerCheck) -> Option<String> {
    let announced = trailer.announced.as_ref().filter(|_| trailer.unreadable > 0)?;
    let Some(Ok(said)) = &announced.sum_nano else { return None };
    let (line, unreadable, currency) = (announced.line, trailer.unreadable, profile.cost_currency());
    let (said, found) = (Money(*said), Money(trailer.sum_nano));
    Some(format!(
        "the sum in the trailer (line {line}), {currency} {said}, was not checked: {unreadable} amounts cannot be read, the others \
         sum to {currency} {found}; those rows are in suspense as malformed, ask what they should cost"
    ))
}

fn judge_trailer(profile: &Profile, facts: &Facts, trailer: &TrailerCheck) -> Option<(FileState, String)> {
    let declared = profile.trailer.as_ref()?;
    let marker = profile.decode(&declared.marker);
    let Some(announced) = &trailer.announced else {
        let message = if facts.last_row_is_cut {
            cut(facts)
        } else {
            let lines = facts.lines;
            format!("the file ends after line {lines} without its trailer `{marker}`; fetch it again, or ask for the whole file")
        };
        return Some((FileState::Truncated, message));
    };
    let line = announced.line;
    let lacks = |place: TrailerPlace, what: &str| {
        let state = if facts.ends_open { FileState::Truncated } else { FileState::WrongCount };
        Some((
            state,
            format!("the trailer (line {line}) has no {place}, which should be {what}; ask the provider for the whole file"),
        ))
    };
    if trailer.rows_after > 0 {
        let message =
            format!("{} rows stand behind a trailer; the file was joined from several, land them apart", trailer.rows_after);
        return Some((FileState::WrongCount, message));
    }
    match &announced.rows {
        None => return lacks(declared.rows, "the count of rows"),
        Some(Err(text)) => {
            return Some((FileState::WrongCount, format!("the trailer (line {line}) says `{text}`, which is no count of rows")));
        }
        Some(Ok(count)) if *count != facts.rows => {
            let message = format!(
                "the trailer (line {line}) announces {count} rows, the file has {}; fetch it again, or ask which is right",
                facts.rows
            );
            return Some((FileState::WrongCount, message));
        }
        Some(Ok(_)) => {}
    }
    declared.sum.and_then(|place| match &announced.sum_nano {
        None => lacks(place, "the sum of the amounts"),
        Some(sum) => judge_sum(profile, announced, sum, trailer),
    })
}

fn judge_sum(
    profile: &Profile,
    announced: &Announced,
    sum: &Result<i128, String>,
    trailer: &TrailerCheck,
) -> Option<(FileState, String)> {
    let (line, currency) = (announced.line, profile.cost_currency());
    match sum {
        Err(text) => Some((FileState::WrongSum, format!("the trailer (line {line}) says `{text}`, which is no amount"))),
        Ok(nano) if trailer.unreadable == 0 && *nano != trailer.sum_nano => {
            let (said, found) = (Money(*nano), Money(trailer.sum_nano));
            let message = format!(
                "the trailer (line {line}) announces {currency} {said}, the rows sum to {currency} {found}; ask which is right"
            );
            Some((FileState::WrongSum, message))
        }
        Ok(_) => None,
    }
}

fn cut(facts: &Facts) -> String {
    let (line, rows) = (facts.lines, facts.rows.saturating_sub(1));
    format!("the file stops in the middle of line {line}, after {rows} whole rows; fetch it again, or ask for the whole file")
}

fn endless(profile: &Profile, facts: &Facts) -> String {
    let (line, limit) = (facts.lines.max(1), profile.file.row_bytes_max);
    format!(
        "no line end in sight around line {line} (a row has at most {limit} bytes); this is no file of rows, or \
         `file.row_bytes_max` of the profile is too small"
    )
}

fn wrong_encoding(profile: &Profile, invalid: u64, rows: u64) -> String {
    let limit = profile.file.invalid_percent_max;
    let declared = profile.file.encoding.name();
    format!(
        "{invalid} of {rows} rows hold bytes that are no text in {declared} (more than {limit} in a hundred); correct \
         `file.encoding` of the profile, or ask the provider for another file"
    )
}

/// Nothing to say where the profile takes empty files for signs of life and the file is whole.
fn empty(profile: &Profile, trailer: &TrailerCheck, fact: &str) -> String {
    let is_whole = profile.trailer.is_none() || trailer.is_seen();
    if profile.file.empty_is_heartbeat && is_whole {
        return String::new();
    }
    format!("{fact}; ask the provider whether there was no usage, or declare `file.empty_file = \"heartbeat\"` in the profile")
}
