//! What an event costs: amounts in the file's units, scaled by its decimal places and exchanged with its rates; integers only.

use domain::money::{Rounding, RoundingMode};

use super::head::Head;

/// Most digits behind the point of the file's amounts. The field reference allows 0 to 6; nano-units hold 9 exactly.
pub const TAP_DECIMALS_MAX: u32 = 9;

/// Most digits behind the point of a rate.
pub const RATE_DECIMALS_MAX: u32 = 12;

/// Local amounts are rounded once per event, to nano-units, half away from zero.
const ROUNDING: Rounding = Rounding { places: 9, mode: RoundingMode::HalfUp };

/// The charge of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charge {
    /// In the file's units: the sum of its charges of type 00 and CAMEL fees.
    pub units: i128,
    /// In nano-units of the charges' currency; exact.
    pub nano: i128,
    /// In nano-units of the sender's currency, by the rates that the event names. The sum of exact products is rounded once,
    /// half away from zero. `None` where a rate is not in the file's table.
    pub local_nano: Option<i128>,
    /// Taxes in the file's units; not part of the charge.
    pub tax_units: i128,
    /// Whether the event gives money back; refunds are not in the file's total.
    pub is_refund: bool,
}

/// Adds up one event's charges; every sum is checked, so no amount can wrap.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    units: i128,
    /// Local units of 10^-(decimals of the file + [`RATE_DECIMALS_MAX`]).
    local: Option<i128>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { units: 0, local: Some(0) }
    }
}

impl Sum {
    /// Adds charges under one rate code; `None` if the sum exceeds 128 bits.
    #[inline]
    pub(super) fn add(&mut self, head: &Head, units: i128, rate_code: Option<u64>) -> Option<()> {
        self.units = self.units.checked_add(units)?;
        if units != 0 {
            let rate = rate_code.and_then(|code| head.rate(code));
            self.local = self.local.zip(rate).and_then(|(sum, rate)| {
                let scale = 10i128.pow(RATE_DECIMALS_MAX - rate.decimals);
                sum.checked_add(units.checked_mul(i128::from(rate.value))?.checked_mul(scale)?)
            });
        }
        Some(())
    }

    /// The event's charge; `None` if it exceeds 128 bits of nano-units.
    #[inline]
    pub(super) fn finish(self, head: &Head, tax_units: i128, is_refund: bool) -> Option<Charge> {
        let decimals = head.accounting.decimals;
        let nano = self.units.checked_mul(10i128.pow(TAP_DECIMALS_MAX - decimals))?;
        // Units of 10^-(decimals + 12) become nano-units.
        let divisor = 10i128.pow(decimals + RATE_DECIMALS_MAX - TAP_DECIMALS_MAX);
        let local_nano = self.local.filter(|local| local.checked_mul(2).is_some()).map(|local| ROUNDING.divide(local, divisor));
        Some(Charge { units: self.units, nano, local_nano, tax_units, is_refund })
    }
}
