//! What few prices have beside setup, minimum and steps: fees, free units, bounds, what the number asks.

use crate::error::{Place, TariffError};
use crate::tariff::field::{UNITS_MAX, amount, bad, whole};

/// What few prices have beside setup, minimum and steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Extras {
    /// Charged once when usage that was not zero ends, nano-units.
    pub disconnect_nano: u64,
    /// The first units of a record are not charged; the rest is charged as a record of that length.
    pub free_units: u64,
    /// Of what stands above and of the units, not of what the number asks.
    pub bounds: Bounds,
    pub information: Option<Information>,
}

/// What is added to a charge because of the number that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Information {
    /// What the tariff's list says of the number.
    Listed,
    /// What the provider asks.
    Cost,
}

impl Information {
    /// As tariffs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Cost => "cost",
        }
    }

    fn parse(place: &Place, text: &str) -> Result<Self, TariffError> {
        match text {
            "listed" => Ok(Self::Listed),
            "cost" => Ok(Self::Cost),
            _ => Err(bad(place, "information", text, "`listed` or `cost` is expected")),
        }
    }
}

/// The least and the most that a record costs which is charged at all, nano-units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bounds {
    pub least_nano: Option<u64>,
    pub most_nano: Option<u64>,
}

impl Bounds {
    /// The numerator of a charge over a denominator, within the bounds.
    pub fn hold(self, numerator: i128, denominator: i128) -> i128 {
        let least = self.least_nano.map_or(i128::MIN, |least| i128::from(least) * denominator);
        let most = self.most_nano.map_or(i128::MAX, |most| i128::from(most) * denominator);
        numerator.clamp(least, most)
    }
}

/// [`Extras`] as they are written.
pub(super) struct RawExtras {
    pub disconnect: Option<String>,
    pub free_units: Option<String>,
    pub charge_min: Option<String>,
    pub charge_max: Option<String>,
    pub information: Option<String>,
}

impl RawExtras {
    pub fn check(&self, place: &Place) -> Result<Extras, TariffError> {
        let units = self.free_units.as_deref().map(|text| whole(place, "free_units", text, 0..=UNITS_MAX)).transpose()?;
        let bounds = bounds(place, self.charge_min.as_deref(), self.charge_max.as_deref())?;
        Ok(Extras {
            disconnect_nano: self.disconnect.as_deref().map_or(Ok(0), |text| amount(place, "disconnect", text))?,
            free_units: units.unwrap_or(0),
            information: self.information.as_deref().map(|text| Information::parse(place, text)).transpose()?,
            // Units never cost less than nothing.
            bounds: Bounds { least_nano: bounds.least_nano.filter(|least| *least > 0), ..bounds },
        })
    }
}

pub(super) fn bounds(place: &Place, least: Option<&str>, most: Option<&str>) -> Result<Bounds, TariffError> {
    let money = |field: &str, text: Option<&str>| text.map(|text| amount(place, field, text)).transpose();
    let bounds = Bounds { least_nano: money("charge_min", least)?, most_nano: money("charge_max", most)? };
    match (bounds.least_nano, bounds.most_nano) {
        (Some(least), Some(highest)) if highest < least => {
            Err(bad(place, "charge_max", most.unwrap_or_default(), "at least as much as `charge_min` is expected"))
        }
        _ => Ok(bounds),
    }
}
