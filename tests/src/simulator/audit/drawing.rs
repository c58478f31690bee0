//! The checks of what allowances give: each text is free or has its price, and in the end the first of a month are free.

use std::collections::BTreeMap;

use super::Audit;
use crate::simulator::entry::DataRow;
use crate::simulator::price_list::{FREE_TEXTS, TEXT_NANO};

impl Audit<'_> {
    /// Whether a record that lives draws from what its line has free, if something is left, by the reference version that rated it.
    pub(super) fn may_be_free(&self, row: &DataRow) -> bool {
        let at = (row.delivery, row.row);
        let known = self.deliveries.get(&row.delivery).zip(self.rated_with.get(&at));
        let draws = known.is_some_and(|(delivered, version)| self.reading((delivered.file, row.row), row).draws(*version));
        draws && row.reason.is_none()
    }

    /// The records that draw otherwise than they should: by their starts, then their keys, the first of each month are free.
    pub fn unsettled(&self) -> Vec<&DataRow> {
        let mut texts: Vec<&DataRow> = self.live.values().filter(|row| self.may_be_free(row)).collect();
        texts.sort_by_key(|row| (row.start_us, &row.key, row.delivery, row.row));
        let mut free: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        texts.retain(|row| {
            let before = free.entry(row.cycle.as_deref()).or_default();
            *before += 1;
            (row.charge_nano == Some(0)) != (*before <= FREE_TEXTS)
        });
        texts
    }
}

/// Whether a row is a text that was free, or one that was not.
pub(super) fn is_text(row: &DataRow) -> bool {
    let said = (row.reason.is_none(), row.charge_nano, row.drawn);
    said == (true, Some(0), Some(1)) || said == (true, Some(TEXT_NANO.into()), None)
}
