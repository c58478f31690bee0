//! What must become of each range of rows, given the ranges that were committed before it: the oracle of the audit.
//!
//! Which of two copies is kept depends on the order of commits, so the model follows that order and nothing else of the
//! product: keys are texts, copies are found in plain maps, charges come from [`super::price_list`].

use std::collections::{BTreeMap, HashMap};

use super::layout::{End, Reading};
use super::world::World;

/// The first row of a key.
#[derive(Debug)]
struct First {
    file: usize,
    content: Option<String>,
}

/// Keys of one account.
#[derive(Debug, Default)]
struct Keys {
    first: HashMap<String, First>,
    /// Rows whose id came with other content before, by id and content: the file of the first.
    conflicts: HashMap<(String, String), usize>,
}

/// What a range must have become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rows that are kept, by number, with their end.
    pub rows: BTreeMap<u64, End>,
    /// Copies of rows of the same file.
    pub duplicates: u64,
    /// Copies of rows of other files.
    pub resent: u64,
    /// Rows left out by rule.
    pub skipped: u64,
}

impl Expected {
    /// Rows with a price and their sum, nano-units.
    pub fn rated(&self) -> (u64, i128) {
        self.rows.values().fold((0, 0), |(count, sum), end| match end {
            End::Rated(nano) => (count + 1, sum + i128::from(*nano)),
            End::Suspense(_) | End::Skipped => (count, sum),
        })
    }

    /// Rows in suspense by reason.
    pub fn suspense(&self) -> BTreeMap<&'static str, u64> {
        let mut reasons = BTreeMap::new();
        for end in self.rows.values() {
            if let End::Suspense(reason) = end {
                *reasons.entry(*reason).or_default() += 1;
            }
        }
        reasons
    }
}

/// The state of all accounts after the ranges that were taken.
#[derive(Debug)]
pub struct Model<'w> {
    world: &'w World,
    accounts: Vec<Keys>,
}

impl<'w> Model<'w> {
    /// Nothing is committed.
    pub fn new(world: &'w World) -> Self {
        Self { world, accounts: world.senders.iter().map(|_| Keys::default()).collect() }
    }

    /// Takes the next range that was committed.
    pub fn take(&mut self, file: usize, first_row: u64, rows: u64) -> Expected {
        let sent = &self.world.files[file];
        let keys = &mut self.accounts[sent.sender];
        let mut expected = Expected::default();
        for number in first_row..first_row + rows {
            let reading = &sent.readings[usize::try_from(number).expect("files are small")];
            if reading.end == End::Skipped {
                expected.skipped += 1;
                continue;
            }
            match keys.claim(file, reading) {
                Claimed::First => drop(expected.rows.insert(number, reading.end)),
                Claimed::Conflict => drop(expected.rows.insert(number, End::Suspense("id_conflict"))),
                Claimed::CopyOf(other) if other == file => expected.duplicates += 1,
                Claimed::CopyOf(_) => expected.resent += 1,
            }
        }
        expected
    }
}

enum Claimed {
    First,
    Conflict,
    CopyOf(usize),
}

impl Keys {
    fn claim(&mut self, file: usize, reading: &Reading) -> Claimed {
        let Some(first) = self.first.get(&reading.key) else {
            self.first.insert(reading.key.clone(), First { file, content: reading.content.clone() });
            return Claimed::First;
        };
        match &reading.content {
            Some(content) if first.content.as_ref() != Some(content) => {
                let name = (reading.key.clone(), content.clone());
                if let Some(other) = self.conflicts.get(&name) {
                    return Claimed::CopyOf(*other);
                }
                self.conflicts.insert(name, file);
                Claimed::Conflict
            }
            _ => Claimed::CopyOf(first.file),
        }
    }
}
