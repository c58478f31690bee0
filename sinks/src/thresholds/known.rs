//! Which events are written, by the month of their periods, as far as that was asked.

use std::collections::{BTreeMap, HashSet};

use domain::columns::thresholds::{PARTITION, Threshold};
use domain::period::Month;

use super::rows;
use crate::table::{Table, TableError};

/// Identities that are held beside those of the month that is asked for: 4,000,000 × 16 B in sets that are half full make some 130 MB.
const HELD_MAX: usize = 4_000_000;

/// Identities of events in the table. Each file is read once, unless its month had to make room.
#[derive(Debug, Default)]
pub(super) struct Known {
    months: BTreeMap<Month, Written>,
}

/// The events of a month that are written.
#[derive(Debug, Default)]
struct Written {
    /// Files of versions below are read.
    below: u64,
    identities: HashSet<u128>,
}

impl Known {
    /// Those of some events, which come by month, that the state that `table` has seen does not hold: the first ones, so many at most.
    pub fn without_known<'n>(
        &mut self,
        table: &Table,
        reached: impl Iterator<Item = Threshold<'n>>,
        max: usize,
    ) -> Result<Vec<Threshold<'n>>, TableError> {
        let (mut new, mut ours) = (Vec::new(), HashSet::new());
        let mut reached = reached.peekable();
        while let Some(month) = reached.peek().map(|event| event.month) {
            let written = self.of(table, month)?;
            while let Some(event) = reached.next_if(|event| event.month == month) {
                let identity = event.identity();
                if !written.contains(&identity) && ours.insert(identity) {
                    new.push(event);
                    if new.len() >= max {
                        return Ok(new);
                    }
                }
            }
        }
        Ok(new)
    }

    fn of(&mut self, table: &Table, month: Month) -> Result<&HashSet<u128>, TableError> {
        if self.months.values().map(|written| written.identities.len()).sum::<usize>() > HELD_MAX {
            self.months.retain(|held, _| *held == month);
        }
        let written = self.months.entry(month).or_default();
        let partition = month.to_string();
        for add in table.files(&[(PARTITION[0], &partition)]).filter(|add| add.version() >= written.below) {
            rows::read_identities(table, add, &mut written.identities)?;
        }
        written.below = table.snapshot().next_version();
        Ok(&written.identities)
    }
}
