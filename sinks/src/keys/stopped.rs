//! Deliveries that act no more: withdrawn, or replaced by another. Their claims count no more, and rows of them that are still on
//! their way end as skipped.

use std::collections::{HashMap, HashSet};

use domain::columns::entries::LEDGER;
use domain::delivery::DeliveryId;

use crate::table::Table;

/// Tag of a ledger file: the deliveries that act no more from its commit on, each `<hash of the account>:<fate>:<delivery>`.
pub const TAG_STOPPED: &str = "tollway.stopped";

/// Why a delivery acts no more. Its name is the rule under which the ledger counts its rows as skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// An operator has taken it back.
    Withdrawn,
    /// Another delivery has taken its place.
    Superseded,
}

impl Fate {
    /// The name in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Superseded => "superseded",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Withdrawn, Self::Superseded].into_iter().find(|fate| fate.as_str() == text)
    }
}

/// The tag of a commit after which these deliveries of an account act no more.
pub fn tag(account: u64, fate: Fate, deliveries: impl IntoIterator<Item = DeliveryId>) -> String {
    let all: Vec<String> = deliveries.into_iter().map(|d| format!("{account:016x}:{}:{d}", fate.as_str())).collect();
    all.join(",")
}

/// The deliveries of a table that act no more: a fold of its ledger files' tags.
#[derive(Debug, Clone, Default)]
pub struct Stopped {
    fates: HashMap<DeliveryId, Fate>,
    noted: HashSet<String>,
}

impl Stopped {
    /// Those of a table as it is known now.
    pub fn of_table(table: &Table) -> Self {
        let mut stopped = Self::default();
        stopped.note(table);
        stopped
    }

    /// Takes in what was committed since; gives the hashes of the accounts that it concerns.
    pub fn note(&mut self, table: &Table) -> HashSet<u64> {
        let mut accounts = HashSet::new();
        for add in table.files(&[("outcome", LEDGER)]) {
            let Some(tag) = add.tag(TAG_STOPPED) else { continue };
            if self.noted.contains(&add.path) {
                continue;
            }
            self.noted.insert(add.path.clone());
            for (account, fate, delivery) in tag.split(',').filter_map(read) {
                accounts.insert(account);
                self.fates.insert(delivery, fate);
            }
        }
        accounts
    }

    /// Why a delivery acts no more; `None` if it does.
    pub fn fate(&self, delivery: DeliveryId) -> Option<Fate> {
        self.fates.get(&delivery).copied()
    }

    /// All of them.
    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.fates.keys().copied()
    }
}

fn read(text: &str) -> Option<(u64, Fate, DeliveryId)> {
    let mut parts = text.split(':');
    let account = u64::from_str_radix(parts.next()?, 16).ok()?;
    Some((account, Fate::parse(parts.next()?)?, DeliveryId::parse(parts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tag_says_is_read_back() {
        let written = tag(7, Fate::Superseded, [DeliveryId(1), DeliveryId(2)]);
        let back: Vec<_> = written.split(',').filter_map(read).collect();
        assert_eq!(back, [(7, Fate::Superseded, DeliveryId(1)), (7, Fate::Superseded, DeliveryId(2))]);
        assert_eq!(read("nothing"), None);
    }
}
