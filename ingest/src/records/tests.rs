//! Readers beside delimited text: what their files become, and that damage stays where it is.

mod absent;
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

/// A file of four records of each of these readers.
pub(crate) fn sample_files() -> Vec<(String, Profile, Vec<u8>)> {
    let names = [(0, "fixed width"), (1, "json lines"), (2, "json array"), (3, "xml"), (5, "json nested")];
    let sample = |(which, name): (usize, &str)| {
        let (profile, file) = damage::sample(which);
        (name.to_owned(), profile, file)
    };
    names.into_iter().map(sample).collect()
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

/// The blocks of the how-to, in order: files and their profiles.
fn how_to() -> Vec<&'static str> {
    let page = include_str!("../../../docs/howto/describe-other-records.md");
    page.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').expect("a block has lines").1).collect()
}

#[test]
fn the_how_to_says_the_same_records_three_times() {
    let blocks = how_to();
    let [fixed, json, xml] = [0, 2, 4].map(|at| {
        let profile = Profile::load(blocks[at + 1]).unwrap_or_else(|e| panic!("{e}\n{}", blocks[at + 1]));
        let batch = read(&profile, blocks[at]);
        assert_eq!(faults(&batch), [], "{}", blocks[at]);
        let c = &batch.columns;
        let ids: Vec<String> = (0..batch.len()).map(|i| c.record_id.get(i).to_owned()).collect();
        let numbers: Vec<_> = c.a_number.iter().chain(&c.b_number).copied().collect();
        (ids, numbers, c.start_us.clone(), c.duration_s.clone(), c.cost_nano.clone())
    });
    assert_eq!(fixed.0, ["17", "18"]);
    assert_eq!((&fixed.3[..], &fixed.4[..]), (&[63, 0][..], &[41_200_000, 30_000_000][..]));
    assert_eq!(fixed, json);
    assert_eq!(json, xml);
    let tap3 = Profile::load(blocks[6]).expect("the page's profile is right");
    assert_eq!(tap3.cost_currency().as_str(), "GBP");
}
