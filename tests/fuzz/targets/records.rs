//! Small JSON records that travel on the log or lie in landing. The label says of what kind.

use std::ops::ControlFlow;
use std::sync::Arc;

use domain::delivery::DeliveryId;
use domain::ports::Blob;
use ingest::land::{LandRequest, Landing, LandingSettings};
use ingest::message::{ClaimCheck, FileState, FileVerdict, Notice};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sinks::local_store::memory::MemoryStore;
use tests::simulator::chance::StageClock;

use crate::case::Case;

use super::{answer, files, rows};

/// The object of the first arrival.
const FIRST: &str = "landing/arrivals/00000000000000000001.json";

/// Reads a record; what is read must be written and read again as the same.
pub fn run(case: &Case) -> Result<u64, String> {
    match case.label.as_str() {
        "notice" => again::<Notice>(&case.bytes),
        "claim" => again::<ClaimCheck>(&case.bytes),
        "arrival" => arrival(&case.bytes),
        other => Err(format!("no record is called `{other}`")),
    }
}

fn again<T: Serialize + DeserializeOwned + PartialEq>(bytes: &[u8]) -> Result<u64, String> {
    let record: T = match serde_json::from_slice(bytes) {
        Ok(record) => record,
        Err(error) => return Ok(answer::of(answer::words(&error.to_string()))),
    };
    let written = serde_json::to_vec(&record).map_err(|error| format!("what was read is not written: {error}"))?;
    let second: T = serde_json::from_slice(&written).map_err(|error| format!("what was written is not read: {error}"))?;
    if second == record { Ok(1) } else { Err("what was written is read otherwise".to_owned()) }
}

/// A landing whose only record these bytes are.
fn arrival(bytes: &[u8]) -> Result<u64, String> {
    let store = MemoryStore::new();
    store.put_if_absent(FIRST, bytes).expect("memory takes it");
    let landing = Landing::new(Arc::new(store), LandingSettings::default());
    match landing.arrivals(1) {
        Ok(arrivals) => Ok(answer::of(arrivals.len())),
        Err(error) if error.to_string().is_empty() => Err("a refusal without a reason".to_owned()),
        Err(error) => Ok(answer::of(answer::words(&error.to_string()))),
    }
}

pub fn seeds() -> Vec<Case> {
    let notice = Notice { arrival: 7, delivery: DeliveryId(9) };
    let verdict = FileVerdict { state: FileState::WrongCount, rows: 3, message: "`x` says 4".to_owned() };
    let claim = ClaimCheck {
        arrival: 7,
        delivery: DeliveryId(9),
        from: 10,
        to: 90,
        first_row: 0,
        rows: 3,
        verdict: Some(verdict),
        corrects: false,
    };
    let json = |text: serde_json::Result<Vec<u8>>| text.expect("numbers and texts are JSON");
    vec![
        Case::new("notice", json(serde_json::to_vec(&notice))),
        Case::new("claim", json(serde_json::to_vec(&claim))),
        Case::new("arrival", landed(1)),
        Case::new("arrival", landed(2)),
    ]
}

/// The record of so many files that have landed.
fn landed(count: usize) -> Vec<u8> {
    let store = MemoryStore::new();
    let landing = Landing::new(Arc::new(store.clone()), LandingSettings::default());
    let mut together = landing.together();
    let mut hear = |(), landed: Result<_, _>| landed.map_or_else(|_| ControlFlow::Break(()), |_| ControlFlow::Continue(()));
    for name in ["a.csv", "b.csv"].into_iter().take(count) {
        let request = LandRequest::new(&files::profiles()["routit"], rows::account(), name, name, 50);
        assert!(together.add((), &request, &mut name.as_bytes(), &StageClock::new(), &mut hear).is_continue());
    }
    assert!(together.finish(&StageClock::new(), &mut hear).is_continue(), "files land in memory");
    store.get(FIRST).expect("the first arrival")
}
