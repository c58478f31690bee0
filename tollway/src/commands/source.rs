//! Where a record came from: its file, line and bytes in landing.

use ingest::land::{ArrivalKind, Landing};
use ingest::profile::Profile;

use super::rows::Row;
use crate::exit_code::bad_input;
use crate::installation::Installation;

/// Bytes that are read at once while lines are counted.
const CHUNK_BYTES: u64 = 4 << 20;

/// A record's place in landing.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name that the source gave the file.
    pub file: String,
    /// When it landed, microseconds UTC.
    pub landed_us: i64,
    /// Line, from 1; `None` in a file that is no text.
    pub line: Option<u64>,
    /// The row as it stands there; bytes that are no UTF-8 are shown as U+FFFD.
    pub raw: String,
}

/// The source of a row of `cdr_entries` with the columns `arrival`, `byte_offset` and `byte_length`.
pub fn source_of(installation: &Installation, row: &Row) -> anyhow::Result<Source> {
    let landing = installation.landing();
    let arrival = landing.arrival(row.number("arrival"))?;
    let ArrivalKind::Delivery(delivery) = &arrival.kind else {
        return Err(bad_input(format!("arrival {} is no file", arrival.number)));
    };
    let object = Landing::object_path(&delivery.identity.sha256);
    let (from, length) = (row.number("byte_offset"), row.number("byte_length"));
    let blob = installation.blob();
    let mut line = 1;
    let mut at = 0;
    while at < from {
        let to = (at + CHUNK_BYTES).min(from);
        line += blob.get_range(&object, at..to)?.split(|c| *c == b'\n').count() as u64 - 1;
        at = to;
    }
    let profile = blob.get(&Landing::object_path(&delivery.profile_sha256))?;
    let profile = Profile::load(&String::from_utf8_lossy(&profile))?;
    let head = blob.get_range(&object, 0..(profile.header_bytes_max() as u64).min(delivery.size))?;
    let bytes = blob.get_range(&object, from..from + length)?;
    let raw = match profile.resolve_header(&head) {
        Ok(layout) => profile.row_text(&layout, &bytes),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Ok(Source { file: delivery.origin.clone(), landed_us: arrival.arrived_us, line: profile.has_lines().then_some(line), raw })
}
