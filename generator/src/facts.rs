//! What is in a generated file, counted while it was made: what tests compare the flow's outcomes with.

use std::collections::BTreeMap;

use domain::outcome::Reason;

use crate::call::{Call, Flaw};
use crate::layout::Layout;
use crate::numbering::Region;

/// Counts of one file, or of several added up. Every data row is in `rows`; the planted kinds do not overlap, so that
/// `rows` less all of them is what an installation with the reference data can rate (see [`Facts::flawless`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Facts {
    /// Data rows, without header and trailer.
    pub rows: u64,
    /// Rows that are, byte for byte, another row of the same file, where the profile's key says that they are the same.
    pub duplicates: u64,
    /// Rows that are, byte for byte, another row of the same file, where the profile's key takes them for calls of their own
    /// (`content-and-occurrence`): rated like any other.
    pub twins: u64,
    /// Rows that the account's file before has too.
    pub repeated: u64,
    /// Rows with the id of another row of the file and another amount or duration, where the id is the key. Where the content
    /// is part of the key, as in `job` and `vodafone`, they are calls of their own and not counted here.
    pub id_conflicts: u64,
    /// Malformed rows by the reason that an installation gives.
    pub malformed: BTreeMap<&'static str, u64>,
    /// Rows of served numbers that no device ever had.
    pub unknown_number: u64,
    /// Rows of served numbers that no device had at that instant.
    pub unowned: u64,
    /// Rows to destinations or in networks of no zone.
    pub unknown_zone: u64,
    /// Rows that the plan of the device does not sell: satellite calls on the cheapest one, machines at sea.
    pub unsold: u64,
    /// Rows that the profile leaves out, whatever else is true of them: calls that nobody answered, fees, interim records.
    pub skipped: u64,
    /// Rows that started more than a day before the days of their file, malformed ones left out.
    pub late: u64,
    /// Rows in visited networks, malformed ones left out.
    pub roaming: u64,
    /// Rows whose local start the clock showed twice, malformed ones left out.
    pub repeated_hour: u64,
    /// The sum of all readable amounts, duplicates included, micro-euro: what a trailer says.
    pub cost_micro: i64,
}

impl Facts {
    /// Malformed rows, all reasons.
    pub fn malformed_rows(&self) -> u64 {
        self.malformed.values().sum()
    }

    /// Rows of numbers without a device at their instant.
    pub fn no_device(&self) -> u64 {
        self.unknown_number + self.unowned
    }

    /// Rows without any planted flaw: rated once each, if the tariff sells all of it.
    pub fn flawless(&self) -> u64 {
        let planted = self.duplicates + self.repeated + self.id_conflicts + self.malformed_rows() + self.no_device();
        self.rows - planted - self.unknown_zone - self.unsold - self.skipped
    }

    /// Adds the counts of another file.
    pub fn add(&mut self, other: &Self) {
        for (reason, rows) in &other.malformed {
            *self.malformed.entry(reason).or_default() += rows;
        }
        let sums = [
            (&mut self.rows, other.rows),
            (&mut self.duplicates, other.duplicates),
            (&mut self.repeated, other.repeated),
            (&mut self.id_conflicts, other.id_conflicts),
            (&mut self.unknown_number, other.unknown_number),
            (&mut self.unowned, other.unowned),
            (&mut self.unknown_zone, other.unknown_zone),
            (&mut self.twins, other.twins),
            (&mut self.unsold, other.unsold),
            (&mut self.skipped, other.skipped),
            (&mut self.late, other.late),
            (&mut self.roaming, other.roaming),
            (&mut self.repeated_hour, other.repeated_hour),
        ];
        for (sum, rows) in sums {
            *sum += rows;
        }
        self.cost_micro += other.cost_micro;
    }

    /// Counts a row that breaks a rule of its layout.
    pub(crate) fn count_malformed(&mut self, reason: Reason) {
        self.rows += 1;
        *self.malformed.entry(reason.as_str()).or_default() += 1;
    }

    /// Counts a first row that is no record.
    pub(crate) fn count_first_row(&mut self) {
        self.rows += 1;
        self.skipped += 1;
    }

    /// Counts a row that can be read and is no copy.
    pub(crate) fn count(&mut self, call: &Call, layout: Layout) {
        self.rows += 1;
        match call.flaw {
            _ if call.is_foreign() || layout.skips_unanswered() && !call.answered => self.skipped += 1,
            Flaw::None => {}
            Flaw::UnknownNumber => self.unknown_number += 1,
            Flaw::Unowned => self.unowned += 1,
            Flaw::UnknownZone => self.unknown_zone += 1,
            Flaw::Unsold => self.unsold += 1,
        }
        self.count_circumstances(call);
    }

    /// Counts what is true of a row, be it a copy or not.
    pub(crate) fn count_circumstances(&mut self, call: &Call) {
        self.late += u64::from(call.late);
        self.roaming += u64::from(call.region != Region::Home);
        self.repeated_hour += u64::from(call.repeated_hour);
    }
}
