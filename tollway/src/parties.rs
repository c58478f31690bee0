//! Who the other party of a record is, found by the reference data for a row whose own tariff did not ask.

use std::collections::HashMap;

use domain::columns::linked::Owner;
use rate::link::index::DeviceIndex;
use rate::link::party_of;

/// The windows of each line.
#[derive(Debug)]
pub struct Parties<'r> {
    index: &'r DeviceIndex,
    lines: HashMap<(u32, u32), Vec<&'r Owner>>,
}

/// The row that asks.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'t> {
    /// The customer.
    pub customer: &'t str,
    /// The subscription.
    pub subscription: &'t str,
    /// The number of the other party.
    pub b_number: &'t str,
    /// What sort of number it is.
    pub b_number_type: &'t str,
    /// The start, microseconds UTC.
    pub start_us: i64,
}

impl<'r> Parties<'r> {
    /// Sorts the windows by line, once for all rows.
    pub fn of(index: &'r DeviceIndex) -> Self {
        let mut lines: HashMap<(u32, u32), Vec<&Owner>> = HashMap::new();
        for owner in &index.owners().windows {
            lines.entry((owner.customer, owner.subscription)).or_default().push(owner);
        }
        Self { index, lines }
    }

    /// The party as rating would find it now; `None` where it would not ask.
    pub fn find(&self, row: Asking<'_>) -> Option<&'static str> {
        let number = Some(row.b_number).filter(|_| row.b_number_type == "e164")?.parse().ok()?;
        let owners = self.index.owners();
        let line = (owners.customer_names.code(row.customer)?, owners.subscriptions.code(row.subscription)?);
        let holds = |owner: &&&Owner| owner.from_us <= row.start_us && row.start_us < owner.to_us;
        party_of(self.index, number, row.start_us, self.lines.get(&line)?.iter().find(holds)?).name()
    }
}
