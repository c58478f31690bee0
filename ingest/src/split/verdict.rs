//! What is wrong with a file as a whole, said so that the reader knows the facts and what to do.

use domain::money::Money;

use crate::message::{FileState, FileVerdict};
use crate::profile::{HeaderError, Layout, Profile};

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

fn judge_rows(profile: &Profile, facts: &Facts, trailer: &TrailerCheck, is_endless: bool) -> (FileState, String) {
    if is_endless || facts.ends_open && facts.lines == 1 && facts.has_long_row {
        return (FileState::EndlessRow, endless(profile, facts));
    }
    if facts.invalid_rows >= INVALID_ROWS_MIN && facts.invalid_rows * 100 > facts.rows * profile.file.invalid_percent_max {
        return (FileState::WrongEncoding, wrong_encoding(profile, facts));
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
    (FileState::Complete, String::new())
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
    let lacks = |field: usize, what: &str| {
        let state = if facts.ends_open { FileState::Truncated } else { FileState::WrongCount };
        Some((
            state,
            format!(
                "the trailer (line {line}) has no field {field}, which should be {what}; ask the provider for the whole file"
            ),
        ))
    };
    if trailer.rows_after > 0 {
        let message =
            format!("{} rows stand behind a trailer; the file was joined from several, land them apart", trailer.rows_after);
        return Some((FileState::WrongCount, message));
    }
    match &announced.rows {
        None => return lacks(declared.rows_field, "the count of rows"),
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
    declared.sum_field.and_then(|field| match &announced.sum_nano {
        None => lacks(field, "the sum of the amounts"),
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

fn wrong_encoding(profile: &Profile, facts: &Facts) -> String {
    let (invalid, rows, limit) = (facts.invalid_rows, facts.rows, profile.file.invalid_percent_max);
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
