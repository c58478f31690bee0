//! The charge of a row: units become billed units, billed units an exact fraction of money, and that is rounded once.
//!
//! * No units: no charge, where the price says so (the usual for voice and data).
//! * One step: billed = minimum + ⌈(units - minimum)⁺ / increment⌉ × increment;
//!   charge = setup + unit price × billed / per.
//! * Several steps: each step bills the units in its range in its own increments, the first one from the minimum on; the
//!   sum over `per` is rounded once, not step by step.
//! * Free units are taken off first; what is left is charged as a record of that length, and nothing where nothing is left.
//! * A disconnect fee comes once where units are left.
//! * Least and most of a record bound the exact sum, before it is rounded.
//! * Cost-plus: cost × (1 + percentage) + fixed; units are kept as they are.
//!
//! Prices with one step go through 64-bit arithmetic as long as the numerator stays below 2⁶²; a tariff's limits keep the
//! exact formula within 128 bits for every other row.

use domain::money::RoundingMode;
use domain::outcome::Reason;

use crate::tariff::price_row::{Formula, Step};
use crate::tariff::price_table::{Charge, PriceTable};

/// Largest charge of a row in nano-units: what decimal(18,9) holds.
pub const CHARGE_NANO_MAX: i64 = 999_999_999_999_999_999;

/// A hundred percent in nano-percent.
const WHOLE_NANO: i128 = 100_000_000_000;

/// Billed units and the charge for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Charged {
    pub billed: i64,
    pub charge_nano: i64,
}

/// The charge of `units` (`None`: absurd) under a price, given the provider's cost.
#[inline]
pub(crate) fn apply(table: &PriceTable, charge: &Charge, units: Option<u64>, cost_nano: Option<i64>) -> Result<Charged, Reason> {
    let Some(units) = units else {
        return Err(without_units(table, charge, cost_nano));
    };
    let left = if charge.has_free_units { units.saturating_sub(free_units(table, charge)) } else { units };
    if left == 0 && (charge.free_at_zero || units > 0) {
        return Ok(Charged::default());
    }
    let units = left;
    let billed = bill(units, charge.minimum, charge.increment);
    if billed < charge.fast_end { fast(table, charge, billed) } else { exact(table, charge, units, cost_nano) }
}

/// Units of a record that are not charged.
#[cold]
pub(crate) fn free_units(table: &PriceTable, charge: &Charge) -> u64 {
    match &table.rows[charge.row as usize].formula {
        Formula::Units { extras, .. } => extras.free_units,
        Formula::CostPlus { .. } => 0,
    }
}

/// Why a row with absurd units has no charge: a cost that is missing goes first.
#[cold]
fn without_units(table: &PriceTable, charge: &Charge, cost_nano: Option<i64>) -> Reason {
    match table.rows[charge.row as usize].formula {
        Formula::CostPlus { .. } if cost_nano.is_none() => Reason::NoCost,
        _ => Reason::ChargeLimit,
    }
}

/// Minimum and whole increments beyond it. Units are below 2⁶³ and both limits at most 10¹², so the sum fits.
#[inline]
pub(crate) fn bill(units: u64, minimum: u64, increment: u64) -> u64 {
    let beyond = units.saturating_sub(minimum);
    if increment == 1 { minimum + beyond } else { minimum + beyond.div_ceil(increment) * increment }
}

/// In 64 bits: the numerator is below 2⁶² because `billed` is below the price's `fast_end`.
#[inline]
fn fast(table: &PriceTable, charge: &Charge, billed: u64) -> Result<Charged, Reason> {
    let numerator = charge.base + charge.rate * billed;
    let (quotient, rest) = (numerator / charge.divisor, numerator % charge.divisor);
    let away = match table.rounding.mode {
        RoundingMode::HalfUp => rest * 2 >= charge.divisor,
        RoundingMode::HalfEven => rest * 2 > charge.divisor || (rest * 2 == charge.divisor && quotient % 2 == 1),
        RoundingMode::Up => rest != 0,
        RoundingMode::Down => false,
    };
    let nano = (quotient + u64::from(away)).checked_mul(table.unit_nano);
    within_limits(i64::try_from(billed).ok(), nano.and_then(|nano| i64::try_from(nano).ok()))
}

/// By the formula itself, in 128 bits: numerators stay below 10³⁵ (10¹⁵ per unit × 2⁶⁴ units) and costs below 10³³.
#[inline(never)]
fn exact(table: &PriceTable, charge: &Charge, units: u64, cost_nano: Option<i64>) -> Result<Charged, Reason> {
    let (numerator, denominator, billed) = fraction(table, charge, units, cost_nano)?;
    let nano = table.rounding.divide(numerator, denominator);
    within_limits(i64::try_from(billed).ok(), i64::try_from(nano).ok())
}

/// The unrounded charge of units that are not free, as a fraction of nano-units, and the billed units.
pub(crate) fn fraction(
    table: &PriceTable,
    charge: &Charge,
    units: u64,
    cost_nano: Option<i64>,
) -> Result<(i128, i128, u64), Reason> {
    match &table.rows[charge.row as usize].formula {
        Formula::CostPlus { percent_nano, fixed_nano, bounds } => {
            let cost = i128::from(cost_nano.ok_or(Reason::NoCost)?);
            let numerator = cost * (WHOLE_NANO + i128::from(*percent_nano)) + i128::from(*fixed_nano) * WHOLE_NANO;
            Ok((bounds.hold(numerator, WHOLE_NANO), WHOLE_NANO, units))
        }
        Formula::Units { setup_nano, minimum, steps, extras, .. } => {
            let per = i128::from(charge.per);
            let disconnect_nano = if units == 0 { 0 } else { extras.disconnect_nano };
            let (mut numerator, mut billed) = (i128::from(*setup_nano + disconnect_nano) * per, 0u64);
            for part in parts(steps, *minimum, units) {
                numerator += i128::from(part.step.unit_nano) * i128::from(part.billed);
                billed = billed.checked_add(part.billed).ok_or(Reason::ChargeLimit)?;
            }
            Ok((extras.bounds.hold(numerator, per), per, billed))
        }
    }
}

/// What one step bills of a row's units.
pub(crate) struct Part<'s> {
    pub step: &'s Step,
    /// Units of the row in the step's range.
    pub used: u64,
    /// Units that are billed for them.
    pub billed: u64,
    /// The minimum, in the first step.
    pub minimum: u64,
}

/// The steps that a row's units reach; the first always counts, as the minimum and setup are charged there.
pub(crate) fn parts(steps: &[Step], minimum: u64, units: u64) -> impl Iterator<Item = Part<'_>> {
    steps.iter().enumerate().take_while(move |(n, step)| *n == 0 || step.from < units).map(move |(n, step)| {
        let end = steps.get(n + 1).map_or(u64::MAX, |next| next.from);
        let used = units.min(end) - step.from;
        let minimum = if n == 0 { minimum } else { 0 };
        Part { step, used, billed: bill(used, minimum, step.increment), minimum }
    })
}

pub(crate) fn within_limits(billed: Option<i64>, charge_nano: Option<i64>) -> Result<Charged, Reason> {
    match billed.zip(charge_nano) {
        Some((billed, charge_nano)) if (-CHARGE_NANO_MAX..=CHARGE_NANO_MAX).contains(&charge_nano) => {
            Ok(Charged { billed, charge_nano })
        }
        _ => Err(Reason::ChargeLimit),
    }
}
