//! What has arrived up to an instant: deliveries with their place and time, and the profiles with which they have landed.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::delivery::ArrivalNumber;
use ingest::land::{Arrival, ArrivalKind, DeliveryRecord, Landing};
use ingest::profile::Profile;

/// A delivery, and when it arrived.
#[derive(Debug, Clone)]
pub struct Came {
    /// Its number.
    pub number: ArrivalNumber,
    /// Microseconds UTC.
    pub at_us: i64,
    /// What it is.
    pub record: DeliveryRecord,
}

/// Deliveries up to an instant, in order; those that wait for a word, too, because they have arrived.
pub fn deliveries(arrivals: &[Arrival], until_us: i64) -> Vec<Came> {
    let until = arrivals.iter().filter(|a| a.arrived_us <= until_us);
    until
        .filter_map(|arrival| match &arrival.kind {
            ArrivalKind::Delivery(record) => {
                Some(Came { number: arrival.number, at_us: arrival.arrived_us, record: record.clone() })
            }
            _ => None,
        })
        .collect()
}

/// The profiles that files have landed with, each read once.
#[derive(Debug, Default)]
pub struct LandedProfiles(BTreeMap<String, Option<Arc<Profile>>>);

impl LandedProfiles {
    /// The profile with which a file has landed; `None` if it cannot be read any more, which rating tells of the file itself.
    pub fn of(&mut self, landing: &Landing, record: &DeliveryRecord) -> Option<Arc<Profile>> {
        if let Some(known) = self.0.get(&record.profile_sha256) {
            return known.clone();
        }
        let text = landing.read_import(&record.profile_sha256).ok();
        let loaded = text.and_then(|text| Profile::load(&String::from_utf8_lossy(&text)).ok()).map(Arc::new);
        self.0.insert(record.profile_sha256.clone(), loaded.clone());
        loaded
    }
}
