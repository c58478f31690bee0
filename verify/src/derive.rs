//! What becomes of a record under the reference data of one version: owner, cycle, tariff, zone, band, charge, or the reason without one.

use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::charge::{Charge, Place, charge};
use crate::error::VerifyError;
use crate::owner::{Customer, Owners, Window};
use crate::record::Record;
use crate::tariff::Tariff;

/// The reference data of one version.
#[derive(Debug, Default)]
pub struct Reference {
    /// Whose devices are whose, and since when.
    pub owners: Owners,
    /// The tariffs.
    pub tariffs: Vec<Rc<Tariff>>,
}

/// What was derived for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived<'r> {
    /// Whose device it was.
    pub window: Option<&'r Window>,
    /// Operator / reseller / customer / cost centre.
    pub owner_path: Option<&'r str>,
    /// The customer's cycle.
    pub billing_period: Option<String>,
    /// What the tariffs say.
    pub priced: Priced<'r>,
}

/// What the tariffs say of a record of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced<'r> {
    /// The tariff's version.
    pub tariff: Option<&'r str>,
    /// Its currency.
    pub currency: Option<&'r str>,
    /// The zone.
    pub zone: Option<&'r str>,
    /// What decided the zone.
    pub zone_by: Option<&'static str>,
    /// The band of the start.
    pub band: Option<&'r str>,
    /// The charge, or why there is none.
    pub charge: Result<Charge, &'static str>,
}

impl Reference {
    /// Derives everything about a record from its fields.
    pub fn derive<'r>(&'r self, record: &Record<'_>) -> Result<Derived<'r>, VerifyError> {
        let window = self.owners.of(record);
        let customer = window.and_then(|window| self.owners.customers.get(&window.customer));
        let start = instant(record)?;
        Ok(Derived {
            window,
            owner_path: customer.map(|customer| customer.owner_path.as_str()),
            billing_period: customer.map(|customer| Customer::cycle_of(customer, start)),
            priced: match window {
                Some(window) => self.price(&window.plan, record)?,
                None => Priced::none("no_device"),
            },
        })
    }

    /// Derives what a record costs whose owner has a plan.
    pub fn price<'r>(&'r self, plan: &'r str, record: &Record<'_>) -> Result<Priced<'r>, VerifyError> {
        let start = instant(record)?;
        let source_offset = Offset::from_seconds(record.start_offset_s)
            .map_err(|_| VerifyError::Field { field: "start_offset_s", value: record.start_offset_s.to_string() })?;
        let mut selling = self.tariffs.iter().filter(|tariff| tariff.sells(plan)).peekable();
        if selling.peek().is_none() {
            return Ok(Priced::none("no_plan"));
        }
        let Some(tariff) = selling.find(|tariff| tariff.is_in_force(start)) else {
            return Ok(Priced::none("no_tariff"));
        };
        let band = tariff.bands.at(tariff.bands.local(&tariff.zone, start, source_offset));
        let zoned = tariff.zones.of(record);
        let charge = match zoned {
            None => Err("no_zone"),
            Some((zone, _)) => match tariff.price(plan, record.kind, zone, band) {
                None => Err("no_price"),
                Some(found) => charge(&Place { tariff, plan, zone, start, source_offset }, found, record),
            },
        };
        Ok(Priced {
            tariff: Some(&tariff.version),
            currency: Some(&tariff.currency),
            zone: zoned.map(|(zone, _)| zone),
            zone_by: zoned.map(|(_, by)| by),
            band: Some(band),
            charge,
        })
    }
}

impl Priced<'_> {
    fn none(reason: &'static str) -> Self {
        Self { tariff: None, currency: None, zone: None, zone_by: None, band: None, charge: Err(reason) }
    }
}

fn instant(record: &Record<'_>) -> Result<Timestamp, VerifyError> {
    Timestamp::from_microsecond(record.start_us).map_err(|_| VerifyError::Instant(record.start_us))
}
