//! How records and their fields are found in bytes, for the readers beside delimited text and TAP3.
//!
//! This is one side of a seam; the other, [`crate::parse`], makes columns of fields and knows nothing of readers. A reader
//! hands over each record as a row of fields in the order of the profile's columns ([`cut::Cut`]): what a field means, which
//! rows are left out, and how keys are made is the same code for all. Records are lines, or pieces of a list that [`list`]
//! walks over. Every loop that runs per record is compiled for its reader; nothing is dispatched per field.

pub(crate) mod cut;
pub(crate) mod fixed_width;
pub(crate) mod flat;
pub(crate) mod json;
pub(crate) mod list;
pub(crate) mod paths;
pub(crate) mod presence;
pub(crate) mod xml;

use crate::parse::field::Row;
use crate::parse::row::Fault;

/// Finds the fields of a record.
pub(crate) trait CutFields {
    /// Cuts one record. The fault names the column by its position, or the record as a whole by the position behind all.
    fn cut(&mut self, record: &[u8]) -> Result<(), Fault>;

    /// The fields of the record that was cut last.
    fn row(&self) -> Row<'_>;

    /// Whether the record that was cut last says anything about a column, were it `null`; columns of lines are always there.
    fn has(&self, column: usize) -> bool;

    /// What of that record makes its content: two records that differ only in how they are laid out have the same.
    fn canonical<'r>(&'r self, record: &'r [u8]) -> &'r [u8];
}

#[cfg(test)]
pub(crate) mod tests;
