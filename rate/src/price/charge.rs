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
//! * What the number asks is added to the exact sum, outside the bounds, also where all units are free.
//! * A cost in another currency is multiplied by the rate of the start's local day, exactly.
//!
//! Prices with one step go through 64-bit arithmetic as long as the numerator stays below 2⁶²; a tariff's limits keep the
//! exact formula within 128 bits for every other row.

use domain::money::RoundingMode;
use domain::outcome::Reason;
use domain::usage::UsageKind;

use crate::price::Facts;
use crate::tariff::Tariff;
use crate::tariff::exchange::RATE_ONE;
use crate::tariff::price_row::{Formula, Information, Step};
use crate::tariff::price_table::{Charge, PriceTable};
use crate::tariff::total::Total;

/// Largest charge of a row in nano-units: what decimal(18,9) holds.
pub const CHARGE_NANO_MAX: i64 = 999_999_999_999_999_999;

const SECONDS_PER_MINUTE: i128 = 60;

/// A hundred percent in nano-percent.
const WHOLE_NANO: i128 = 100_000_000_000;

/// Billed units and the charge for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Charged {
    pub billed: i64,
    pub charge_nano: i64,
}

/// The charge of a record under a price of its tariff.
#[inline]
pub(crate) fn apply(tariff: &Tariff, charge: &Charge, facts: &Facts) -> Result<Charged, Reason> {
    let table = &tariff.prices;
    let Some(units) = facts.units else {
        return Err(without_units(tariff, charge, facts));
    };
    let left = if charge.has_free_units { units.saturating_sub(free_units(table, charge)) } else { units };
    if left == 0 && (charge.free_at_zero || units > 0) {
        return if units > 0 { all_free(tariff, charge, facts) } else { Ok(Charged::default()) };
    }
    let units = left;
    let billed = bill(units, charge.minimum, charge.increment);
    if billed < charge.fast_end { fast(table, charge, billed) } else { exact(tariff, charge, units, facts) }
}

/// The charge of a record whose units are all free: what the number asks, if anything.
#[cold]
pub(crate) fn all_free(tariff: &Tariff, charge: &Charge, facts: &Facts) -> Result<Charged, Reason> {
    let sum = with_information(tariff, charge, facts, (0, 1))?;
    round(tariff, sum, 0)
}

/// Units of a record that are not charged.
#[cold]
pub(crate) fn free_units(table: &PriceTable, charge: &Charge) -> u64 {
    match &table.rows[charge.row as usize].formula {
        Formula::Units { extras, .. } => extras.free_units,
        Formula::CostPlus { .. } => 0,
    }
}

/// Why a row with absurd units has no charge: what else the price needs and does not find goes first.
#[cold]
pub(crate) fn without_units(tariff: &Tariff, charge: &Charge, facts: &Facts) -> Reason {
    let missing = match tariff.prices.rows[charge.row as usize].formula {
        Formula::CostPlus { .. } => cost(tariff, facts).err(),
        Formula::Units { .. } => information(tariff, charge, facts).err(),
    };
    missing.unwrap_or(Reason::ChargeLimit)
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

/// By the formula itself, in 128 bits: numerators stay below 10³⁵ (10¹⁵ per unit × 2⁶⁴ units); a cost with its rate and percentage
/// is held at the ends of the type, which are beyond what a row can hold.
#[inline(never)]
fn exact(tariff: &Tariff, charge: &Charge, units: u64, facts: &Facts) -> Result<Charged, Reason> {
    let (numerator, denominator, billed) = fraction(tariff, charge, units, facts)?;
    round(tariff, with_information(tariff, charge, facts, (numerator, denominator))?, billed)
}

/// The charge of what allowances leave of a record: its steps from the first one on, without the minimum.
pub(crate) fn beyond(tariff: &Tariff, charge: &Charge, rest: u64, facts: &Facts) -> Result<Charged, Reason> {
    let (numerator, denominator, billed) = fraction_beyond(tariff, charge, rest).ok_or(Reason::ChargeLimit)?;
    round(tariff, with_information(tariff, charge, facts, (numerator, denominator))?, billed)
}

/// The charge of a record that allowances cover whole: what the number asks, and the setup fee if it is asked for.
pub(crate) fn covered(tariff: &Tariff, charge: &Charge, with_setup: bool, facts: &Facts) -> Result<Charged, Reason> {
    let setup_nano = match &tariff.prices.rows[charge.row as usize].formula {
        Formula::Units { setup_nano, .. } if with_setup => *setup_nano,
        _ => 0,
    };
    round(tariff, with_information(tariff, charge, facts, (setup_nano.into(), 1))?, 0)
}

/// The charge of a total of so many units: that of one record of them, or with all units at the price of the last one.
pub(crate) fn of_total(tariff: &Tariff, charge: &Charge, total: &Total, units: u64) -> Result<Charged, Reason> {
    let Formula::Units { setup_nano, minimum, steps, extras, .. } = &tariff.prices.rows[charge.row as usize].formula else {
        return Err(Reason::NoCost);
    };
    if units == 0 && charge.free_at_zero {
        return Ok(Charged::default());
    }
    if !total.is_volume {
        let (numerator, denominator, billed) = fraction_of_units(tariff, charge, units, *minimum).ok_or(Reason::ChargeLimit)?;
        return round(tariff, (numerator, denominator), billed);
    }
    let step = steps.iter().rev().find(|step| step.from < units).unwrap_or(&steps[0]);
    let (per, billed) = (i128::from(charge.per), bill(units, *minimum, step.increment));
    let fees = setup_nano + if units == 0 { 0 } else { extras.disconnect_nano };
    let numerator = i128::from(fees) * per + i128::from(step.unit_nano) * i128::from(billed);
    round(tariff, (extras.bounds.hold(numerator, per), per), billed)
}

/// Rounds the exact charge, once.
pub(crate) fn round(tariff: &Tariff, (numerator, denominator): (i128, i128), billed: u64) -> Result<Charged, Reason> {
    let nano = tariff.prices.rounding.divide(numerator, denominator);
    within_limits(i64::try_from(billed).ok(), i64::try_from(nano).ok())
}

/// The unrounded charge of units that are not free, without what the number asks: a fraction of nano-units, and the billed units.
pub(crate) fn fraction(tariff: &Tariff, charge: &Charge, units: u64, facts: &Facts) -> Result<(i128, i128, u64), Reason> {
    match &tariff.prices.rows[charge.row as usize].formula {
        Formula::CostPlus { percent_nano, fixed_nano, bounds } => {
            let (cost, rate) = cost(tariff, facts)?;
            let whole = WHOLE_NANO * rate.1;
            let marked_up = cost.saturating_mul(rate.0).saturating_mul(WHOLE_NANO + i128::from(*percent_nano));
            let numerator = marked_up.saturating_add(i128::from(*fixed_nano) * whole);
            Ok((bounds.hold(numerator, whole), whole, units))
        }
        Formula::Units { minimum, .. } => fraction_of_units(tariff, charge, units, *minimum).ok_or(Reason::ChargeLimit),
    }
}

/// The same of what allowances leave, without what the number asks; `None` beyond what a row can hold, or for a price by the cost.
pub(crate) fn fraction_beyond(tariff: &Tariff, charge: &Charge, rest: u64) -> Option<(i128, i128, u64)> {
    fraction_of_units(tariff, charge, rest, 0)
}

fn fraction_of_units(tariff: &Tariff, charge: &Charge, units: u64, minimum: u64) -> Option<(i128, i128, u64)> {
    let Formula::Units { setup_nano, steps, extras, .. } = &tariff.prices.rows[charge.row as usize].formula else { return None };
    let per = i128::from(charge.per);
    let disconnect_nano = if units == 0 { 0 } else { extras.disconnect_nano };
    let (mut numerator, mut billed) = (i128::from(*setup_nano + disconnect_nano) * per, 0u64);
    for part in parts(steps, minimum, units) {
        numerator += i128::from(part.step.unit_nano) * i128::from(part.billed);
        billed = billed.checked_add(part.billed)?;
    }
    Some((extras.bounds.hold(numerator, per), per, billed))
}

/// The provider's cost in nano-units of its currency, and the rate to the tariff's as a fraction.
pub(crate) fn cost(tariff: &Tariff, facts: &Facts) -> Result<(i128, (i128, i128)), Reason> {
    let cost = i128::from(facts.cost_nano.ok_or(Reason::NoCost)?);
    if facts.cost_currency == tariff.currency() {
        return Ok((cost, (1, 1)));
    }
    let rate = tariff.exchange.find(facts.cost_currency, tariff.day_of(facts.start_us)).ok_or(Reason::NoRate)?;
    Ok((cost, (i128::from(rate.nano), RATE_ONE)))
}

/// What the number asks, as a fraction of nano-units; `None` where the price does not add it.
pub(crate) fn information(tariff: &Tariff, charge: &Charge, facts: &Facts) -> Result<Option<(i128, i128)>, Reason> {
    let Formula::Units { extras, .. } = &tariff.prices.rows[charge.row as usize].formula else { return Ok(None) };
    match extras.information {
        None => Ok(None),
        Some(Information::Cost) => {
            let (cost, rate) = cost(tariff, facts)?;
            Ok(Some((cost.saturating_mul(rate.0), rate.1)))
        }
        Some(Information::Listed) => {
            let day = tariff.day_of(facts.start_us);
            let asked = tariff.information.as_ref().and_then(|list| list.find(facts.b_number, day));
            let asked = asked.ok_or(Reason::NoInformation)?;
            let seconds = if facts.usage.kind() == UsageKind::Voice { facts.units.unwrap_or(0) } else { 0 };
            let by_time = i128::from(asked.per_minute_nano) * i128::from(seconds);
            Ok(Some((i128::from(asked.per_call_nano) * SECONDS_PER_MINUTE + by_time, SECONDS_PER_MINUTE)))
        }
    }
}

/// A charge with what the number asks.
pub(crate) fn with_information(
    tariff: &Tariff,
    charge: &Charge,
    facts: &Facts,
    (own, size): (i128, i128),
) -> Result<(i128, i128), Reason> {
    let Some((asked, per)) = information(tariff, charge, facts)? else { return Ok((own, size)) };
    // Both stay far below the ends of the type wherever the sum is one that a row can hold.
    let sum = own.checked_mul(per).zip(asked.checked_mul(size)).and_then(|(own, asked)| own.checked_add(asked));
    Ok((sum.ok_or(Reason::ChargeLimit)?, size * per))
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
