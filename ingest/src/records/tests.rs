//! Readers beside delimited text: what their files become, and that damage stays where it is.

mod damage;
mod fixed_width;
mod json;
mod xml;

use domain::columns::parsed::ParsedBatch;

use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::{batch, batches, rows_of};
use crate::split::split;

/// What the columns mean, in files of any reader.
const MEANING: &str = r#"
[record]
key = "content-and-occurrence"
id = "ID"

[kind]
column = "KIND"
map = { V = "voice", S = "sms" }

[direction]
constant = "outgoing"

[served]
column = "SERVED"

[other]
column = "OTHER"
required = false
short_codes = true
alphanumeric = true

[time]
column = "TIME"
pattern = "YYYY-MM-DD HH:mm:SS"
zone = "Europe/Amsterdam"

[duration]
column = "SECONDS"
required = false

[cost]
column = "COST"
required = false
"#;

/// A profile of a reader: its head, and what the columns are called there.
fn profile(head: &str, names: [(&str, &str); 7]) -> Profile {
    let mut text = format!("name = \"any\"\nversion = 1\ntitle = \"any\"\n{MEANING}");
    for (role, name) in names {
        text = text.replace(&format!("\"{role}\""), &format!("{name:?}"));
    }
    Profile::load(&format!("{text}\n{head}")).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(text: &str) -> String {
    Profile::load(text).expect_err("a wrong profile").to_string()
}

fn state(profile: &Profile, bytes: &[u8]) -> (FileState, String) {
    let verdict = split(profile, bytes, 2).verdict;
    (verdict.state, verdict.message)
}

/// The rows of a file that must be complete.
fn read(profile: &Profile, bytes: impl AsRef<[u8]>) -> ParsedBatch {
    batch(profile, bytes.as_ref())
}

/// Reason and column of the malformed rows.
fn faults(batch: &ParsedBatch) -> Vec<(u64, &str, &str)> {
    batch.malformed.iter().map(|m| (m.row, m.reason.as_str(), &*m.field)).collect()
}

/// Rows are the same however the file is cut.
fn assert_cuts_agree(profile: &Profile, bytes: &[u8]) {
    let whole: Vec<String> = batches(profile, bytes, u64::MAX).1.iter().flat_map(rows_of).collect();
    for rows in 1..4 {
        let (split, parts) = batches(profile, bytes, rows);
        assert!(split.ranges.iter().zip(&parts).all(|(range, part)| range.rows == part.rows_in), "{rows}");
        assert_eq!(parts.iter().flat_map(rows_of).collect::<Vec<_>>(), whole, "{rows}");
    }
}
