//! Corrections: entries of records taken back whole, and new ones in their place (docs/adr/0017).
//!
//! A correction is planned on one version of the table as a list of changes, each a record, whether its entry is taken
//! back, and whether it gets a new one. Who makes the list decides what it means: [`stop`] makes one of files that are
//! withdrawn or replaced, [`recycle`] one of rows in suspense, [`rerate`] one of rows with a price. Rating the rows anew is
//! the caller's; [`crate::commit::Committer`] commits.

mod entries;
mod ledger;
pub mod recycle;
pub mod drawn;
pub mod rerate;
pub mod stop;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use domain::columns::rated::RatedBatch;
use domain::delivery::{ArrivalNumber, DeliveryId, FileContext};
use domain::outcome::Reason;

use crate::keys::Claim;
use crate::keys::sidecar::RunId;
use crate::keys::stopped::Fate;

pub use self::entries::{LiveEntries, Sums};
pub(crate) use self::entries::{restated, reversal};
pub(crate) use self::ledger::Moves;

/// A record: the row of the delivery that its entries name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The row, from 0.
    pub row: u64,
}

/// What happens to a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    /// Its entry that is not reversed is taken back.
    pub takes_back: bool,
    /// It gets a new entry: its row is rated again, as landing has it or as the table says it was read.
    pub anew: Option<Anew>,
    /// It gets its entry once more, with another reason.
    pub stays_as: Option<Reason>,
}

/// A new entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anew {
    /// The record key that the entry carries.
    pub key: u128,
    /// Whether the row's id lives with other content: then it is suspense `id_conflict`, whatever its price.
    pub is_conflict: bool,
}

/// A correction before its rows are rated: what was read is the table's version `as_of`, and the commit is refused if an entry
/// of the account has come since.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Tenant, provider and account, with `/`.
    pub account: String,
    /// The version that was read.
    pub as_of: u64,
    /// What ordered the correction: the number of a decision, or of the file that takes the place of others.
    pub by: ArrivalNumber,
    /// The name of the position that moves behind [`Plan::by`] with the commit: orders of one kind are done up to there.
    pub position: String,
    /// Why, as the ledger says it of records whose delivery goes on: `promoted`, `recycled`, `edited`, `rerated`, `written_off`.
    pub cause: &'static str,
    /// The records that change.
    pub changes: BTreeMap<Place, Change>,
    /// Deliveries that act no more from this commit on.
    pub stopping: BTreeMap<DeliveryId, ArrivalNumber>,
    /// Why they do not.
    pub fate: Fate,
    /// Claims that the commit writes.
    pub(crate) claims: BTreeMap<RunId, Vec<Claim>>,
}

impl Plan {
    /// A plan without changes for an account, on the version that is read: whoever makes a list of changes begins here. `by` is
    /// the arrival that orders the correction, `cause` what the ledger says of records whose delivery goes on.
    pub fn new(account: &str, as_of: u64, by: ArrivalNumber, cause: &'static str) -> Self {
        Self {
            account: account.to_owned(),
            as_of,
            by,
            position: app_id(account),
            cause,
            changes: BTreeMap::new(),
            stopping: BTreeMap::new(),
            fate: Fate::Withdrawn,
            claims: BTreeMap::new(),
        }
    }

    /// Whether nothing would change: no entry, no claim, no delivery that stops.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.stopping.is_empty() && self.claims.is_empty()
    }

    /// The deliveries that it speaks of: their files are wanted to commit it.
    pub fn deliveries(&self) -> BTreeSet<DeliveryId> {
        let claimed = self.claims.values().flatten().map(|claim| claim.delivery);
        self.changes.keys().map(|place| place.delivery).chain(self.stopping.keys().copied()).chain(claimed).collect()
    }

    /// The records whose entries are taken back.
    pub fn taken_back(&self) -> impl Iterator<Item = Place> + '_ {
        self.changes.iter().filter(|(_, change)| change.takes_back).map(|(place, _)| *place)
    }

    /// The records whose entries come once more with another reason.
    pub fn staying(&self) -> HashMap<Place, Reason> {
        self.changes.iter().filter_map(|(place, change)| Some((*place, change.stays_as?))).collect()
    }

    /// The rows to rate again, by delivery.
    pub fn anew(&self) -> BTreeMap<DeliveryId, BTreeMap<u64, Anew>> {
        let mut all: BTreeMap<DeliveryId, BTreeMap<u64, Anew>> = BTreeMap::new();
        for (place, change) in &self.changes {
            if let Some(anew) = change.anew {
                all.entry(place.delivery).or_default().insert(place.row, anew);
            }
        }
        all
    }
}

/// The files behind deliveries.
pub type Files = HashMap<DeliveryId, Arc<FileContext>>;

/// A plan with all that its commit needs.
#[derive(Debug)]
pub struct Draft {
    /// The plan.
    pub plan: Plan,
    /// The files of [`Plan::deliveries`].
    pub files: Files,
    /// The entries that are taken back.
    pub live: LiveEntries,
    /// The rows of [`Plan::anew`], rated again; other rows of the batches are passed over.
    pub rated: Vec<RatedBatch>,
    /// The reference version that they were rated with.
    pub reference_version: u64,
}

/// The name of an account's position: the number after the last arrival that has corrected it.
pub fn app_id(account: &str) -> String {
    format!("correct/{account}")
}
