//! What must become of each range of rows, given what was committed before it: the oracle of the audit.
//!
//! Which of two copies is kept depends on the order of commits, so the model follows that order and nothing else of the
//! product: keys are texts, copies are found in plain maps, charges come from [`super::price_list`].

use std::collections::{BTreeMap, HashMap, HashSet};

use super::layout::{End, Reading};
use super::world::World;

/// What a range must have become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rows that are kept, by number, with their end.
    pub rows: BTreeMap<u64, End>,
    /// Copies of rows of the same file.
    pub duplicates: u64,
    /// Copies of rows of other files.
    pub resent: u64,
    /// Copies of a record whose entry stands in a file that acts no more: of the same file or of another.
    pub either: u64,
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

/// What makes two rows of an account the same record: key, and where only an id is the key, content.
pub type Same = (String, Option<String>);

/// Where a row stands: file and number.
pub type Spot = (usize, u64);

/// A record: every committed row that claims it, and where its entry stands.
#[derive(Debug, Default)]
struct Claimed {
    claims: Vec<Spot>,
    entry: Option<Spot>,
}

/// The state of all accounts after the ranges that were taken.
#[derive(Debug)]
pub struct Model<'w> {
    world: &'w World,
    accounts: Vec<HashMap<Same, Claimed>>,
    stopped: HashSet<usize>,
}

impl<'w> Model<'w> {
    /// Nothing is committed.
    pub fn new(world: &'w World) -> Self {
        Self { world, accounts: world.senders.iter().map(|_| HashMap::new()).collect(), stopped: HashSet::new() }
    }

    /// A file acts no more.
    pub fn stop(&mut self, file: usize) {
        self.stopped.insert(file);
    }

    /// Whether a file acts no more.
    pub fn has_stopped(&self, file: usize) -> bool {
        self.stopped.contains(&file)
    }

    /// What names the record of a row.
    pub fn same(&self, (file, row): Spot) -> Same {
        let reading = self.reading((file, row));
        (reading.key.clone(), reading.content.clone())
    }

    /// The row as the model reads it.
    pub fn reading(&self, (file, row): Spot) -> &'w Reading {
        &self.world.files[file].readings[usize::try_from(row).expect("files are small")]
    }

    /// The entry of a record stands here from now on.
    pub fn put_entry(&mut self, spot: Spot) {
        let (sender, same) = (self.world.files[spot.0].sender, self.same(spot));
        self.accounts[sender].entry(same).or_default().entry = Some(spot);
    }

    /// The records of an account that some acting file claims.
    pub fn living(&self, sender: usize) -> HashSet<&Same> {
        let acts = |c: &Claimed| c.claims.iter().any(|(file, _)| !self.stopped.contains(file));
        self.accounts[sender].iter().filter(|(_, claimed)| acts(claimed)).map(|(same, _)| same).collect()
    }

    /// Takes the next range that was committed, rated with a reference version.
    pub fn take(&mut self, file: usize, first_row: u64, rows: u64, version: u64) -> Expected {
        let sent = &self.world.files[file];
        let mut expected = Expected::default();
        if self.stopped.contains(&file) {
            expected.skipped = rows;
            return expected;
        }
        for number in first_row..first_row + rows {
            let reading = self.reading((file, number));
            if reading.is_skipped() {
                expected.skipped += 1;
                continue;
            }
            let same = self.same((file, number));
            let living = |c: &Claimed| c.claims.iter().any(|(file, _)| !self.stopped.contains(file));
            let known = self.accounts[sent.sender].get(&same).filter(|claimed| living(claimed));
            match known.map(|claimed| claimed.entry) {
                Some(Some((other, _))) if self.stopped.contains(&other) => expected.either += 1,
                Some(Some((other, _))) if other == file => expected.duplicates += 1,
                Some(_) => expected.resent += 1,
                None => {
                    let shares = self.accounts[sent.sender].iter().any(|(other, c)| other.0 == same.0 && living(c));
                    let end = if shares { End::Suspense("id_conflict") } else { reading.end(version) };
                    expected.rows.insert(number, end);
                    self.put_entry((file, number));
                }
            }
            self.accounts[sent.sender].entry(same).or_default().claims.push((file, number));
        }
        expected
    }
}
