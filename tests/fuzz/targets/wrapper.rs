//! Wrapped files: landed with all that is in them, and what came out read with a profile.

use std::sync::Arc;

use ingest::land::{ArrivalKind, LandError, LandRequest, Landed, LandedFile, Landing, LandingSettings};
use ingest::profile::Profile;
use ingest::unwrap::UnwrapLimits;
use sinks::local_store::memory::MemoryStore;
use tests::simulator::chance::StageClock;

use crate::case::Case;
use crate::wrap;

use super::{answer, files, rows};

/// What comes out of one input together, and as one file.
const BYTES_MAX: u64 = 16 << 20;

/// Lands a wrapped file twice and reads what was in it.
pub fn run(case: &Case) -> Result<u64, String> {
    let profile = files::profiles().get(&case.label).ok_or_else(|| format!("no profile is called `{}`", case.label))?;
    let unwrap = UnwrapLimits { depth_max: 5, members_max: 100, bytes_max: BYTES_MAX, ratio_max: 250 };
    let settings = LandingSettings { file_bytes_max: BYTES_MAX, unwrap, ..LandingSettings::default() };
    let landing = Landing::new(Arc::new(MemoryStore::new()), settings);
    let file = match land(&landing, profile, &case.bytes) {
        Ok(file) => file,
        Err(error) => return said(&error).map(|()| answer::of(answer::words(&error.to_string()))),
    };
    for refused in &file.refused {
        said(refused)?;
    }
    let mut answers = Vec::new();
    let mut bytes_out = 0;
    for landed in file.landed.iter().take(3) {
        let ArrivalKind::Delivery(record) = &landed.arrival().kind else { return Err("a file landed as no delivery".to_owned()) };
        let name = &record.identity.logical_file;
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) || name.contains('\\') || name.contains(char::is_control) {
            return Err(format!("a member is called {name:?}"));
        }
        bytes_out += record.size;
        let bytes = landing.read_range(&record.identity.sha256, 0..record.size).map_err(|error| error.to_string())?;
        if bytes.len() < 64 * 1024 {
            answers.push(rows::read(profile, &bytes)?);
        }
    }
    if bytes_out > 2 * BYTES_MAX {
        return Err(format!("{bytes_out} bytes came out, {BYTES_MAX} are allowed"));
    }
    let again = land(&landing, profile, &case.bytes).map_err(|error| format!("landing it again fails: {error}"))?;
    if again.landed.len() != file.landed.len() || again.landed.iter().any(|landed| matches!(landed, Landed::New(_))) {
        return Err("landing it again lands something new".to_owned());
    }
    let refused: Vec<String> = file.refused.iter().map(|error| answer::words(&error.to_string())).take(4).collect();
    let skipped: Vec<&str> = file.skipped.iter().map(|skipped| skipped.why).take(4).collect();
    Ok(answer::of((answers, refused, skipped, answer::size(file.landed.len() as u64))))
}

fn land(landing: &Landing, profile: &Profile, bytes: &[u8]) -> Result<LandedFile, LandError> {
    landing.land_all(&LandRequest::new(profile, rows::account(), "sent.bin", "sent.bin", 50), &mut &*bytes, &StageClock::new())
}

/// A refusal says something.
fn said(error: &LandError) -> Result<(), String> {
    if error.to_string().is_empty() { Err(format!("{error:?} says nothing")) } else { Ok(()) }
}

const PROFILE: &str = "routit";

fn plain() -> Vec<u8> {
    let file = files::fixture(PROFILE).expect("a fixture of the layout");
    files::head(&file, 6).to_vec()
}

pub fn gzip() -> Vec<Case> {
    let twice = [wrap::gzip(&plain()), wrap::gzip(b"x\n")].concat();
    vec![Case::new(PROFILE, wrap::gzip(&plain())), Case::new(PROFILE, twice), Case::new(PROFILE, wrap::gzip(b""))]
}

pub fn zstd() -> Vec<Case> {
    let skippable = [b"\x50\x2a\x4d\x18\x04\0\0\0abcd", &wrap::zstd(&plain())[..]].concat();
    vec![Case::new(PROFILE, wrap::zstd(&plain())), Case::new(PROFILE, skippable)]
}

pub fn zip() -> Vec<Case> {
    let archive = wrap::zip(&[("a.csv", &plain()), ("folder/", b""), ("../b.csv", b"x\n"), ("__MACOSX/._a.csv", b"y")]);
    vec![Case::new(PROFILE, archive), Case::new(PROFILE, wrap::zip(&[]))]
}

pub fn tar() -> Vec<Case> {
    let archive = wrap::tar(&[("a.csv", &plain()), ("folder/", b""), ("../b.csv", b"x\n")]);
    vec![Case::new(PROFILE, archive), Case::new(PROFILE, wrap::tar(&[("empty.csv", b"")]))]
}

pub fn nested() -> Vec<Case> {
    let inner = wrap::gzip(&wrap::tar(&[("a.csv", &plain()), ("b.csv.gz", &wrap::gzip(b"z\n"))]));
    let deep = (0..7).fold(plain(), |inner, _| wrap::gzip(&inner));
    let bomb = wrap::gzip(&wrap::gzip(&vec![0; 8 << 20]));
    [wrap::zip(&[("a.tgz", &inner), ("b.zst", &wrap::zstd(&plain()))]), deep, bomb]
        .map(|bytes| Case::new(PROFILE, bytes))
        .to_vec()
}
