//! What units cost under a price: increments are counted, fractions are added, and the sum is rounded once at the very end.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

use crate::amount::{rounded_nano, whole};
use crate::information::Information;
use crate::owner::Party;
use crate::price::{Rule, Step, Units};
use crate::record::Record;
use crate::tariff::{Found, Tariff};
use crate::text::settled::{Count, SetupFee};
use crate::text::{BandEdge, InformationFrom};

/// No charge of a row is as large: a billion units of a currency.
const TOO_LARGE_NANO: u64 = 1_000_000_000_000_000_000;

/// Longest call that is cut at the edges of bands, in seconds: a leap year.
const LONGEST_CUT_S: u64 = 366 * 86_400;

/// A charge and the units that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Seconds, bytes or messages that are billed.
    pub billed: i64,
    /// Units of 10⁻⁹ of the tariff's currency.
    pub nano: i64,
}

/// Where a price was found.
pub(crate) struct Place<'t> {
    pub tariff: &'t Tariff,
    pub plan: &'t str,
    pub zone: &'t str,
    /// Who the other party is at the start, for all of the call.
    pub party: Option<Party>,
    pub start: Timestamp,
    /// The day of the start by the tariff's clock.
    pub day: Date,
    pub source_offset: Offset,
}

/// Which of a record's units its price charges.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Share {
    /// All but those that the price leaves free.
    Own,
    /// None: allowances cover them.
    Covered { setup: SetupFee },
    /// Those that allowances left, behind those that they took.
    Beyond { taken: u64, rest: u64 },
    /// As of a record that has all units of a total.
    Total { units: u64 },
}

impl Share {
    /// The units of what is charged; `None` if that is more than a record can have.
    fn units(self, record: &Record<'_>) -> Option<u64> {
        match self {
            Self::Total { units } => i64::try_from(units).ok().map(i64::unsigned_abs),
            Self::Own | Self::Covered { .. } | Self::Beyond { .. } => record.units(),
        }
    }
}

/// Units that are charged.
struct Part {
    /// Units of the record before them.
    before: u64,
    minimum: u64,
    units: u64,
}

/// The charge of a record under the price of its start, or why it has none.
pub(crate) fn charge(place: &Place<'_>, first: Found, record: &Record<'_>, share: Share) -> Result<Charge, &'static str> {
    let (billed, amount) = match place.tariff.rule(first) {
        Rule::CostPlus { factor, fixed, bounds } => {
            let cost = cost(place, record)?;
            let units = record.units().ok_or("charge_limit")?;
            (u128::from(units), bounds.hold(cost * factor + fixed))
        }
        Rule::Units(price) => of_units(place, first, price, record, share)?,
    };
    chargeable(billed, rounded_nano(&amount, place.tariff.places, place.tariff.mode))
}

/// A charge in units of 10⁻⁹, if a row can hold it.
pub(crate) fn chargeable(billed: u128, nano: BigInt) -> Result<Charge, &'static str> {
    let nano = nano.to_i64().filter(|nano| nano.unsigned_abs() < TOO_LARGE_NANO);
    let charge = i64::try_from(billed).ok().zip(nano).map(|(billed, nano)| Charge { billed, nano });
    charge.ok_or("charge_limit")
}

/// The provider's cost in the tariff's currency.
fn cost(place: &Place<'_>, record: &Record<'_>) -> Result<BigRational, &'static str> {
    let cost = whole(record.cost_nano.ok_or("no_cost")?) / whole(1_000_000_000);
    if record.cost_currency == place.tariff.currency {
        return Ok(cost);
    }
    let rate = place.tariff.rates.on(record.cost_currency, place.day).ok_or("no_rate")?;
    Ok(cost * rate)
}

/// Billed units and the exact amount: the price's own part, and the information charge of the first price beside it.
fn of_units(
    place: &Place<'_>,
    first: Found,
    price: &Units,
    record: &Record<'_>,
    share: Share,
) -> Result<(u128, BigRational), &'static str> {
    if first.is_free_at_zero && share.units(record) == Some(0) {
        return Ok((0, whole(0)));
    }
    let own = own_part(place, first, price, record, share);
    // A price that is missing behind an edge is named before what the information charge lacks, and that before a limit.
    if matches!(own, Err("no_price")) {
        return own;
    }
    let information = match price.information {
        None => whole(0),
        Some(InformationFrom::Cost) => cost(place, record)?,
        Some(InformationFrom::Listed) => {
            let listed = Information::of(&place.tariff.information, record, place.day).ok_or("no_information")?;
            listed.charge(record, record.units().ok_or("charge_limit")?)
        }
    };
    let (billed, amount) = own?;
    Ok((billed, amount + information))
}

/// What a price comes to without an information charge.
fn own_part(
    place: &Place<'_>,
    first: Found,
    price: &Units,
    record: &Record<'_>,
    share: Share,
) -> Result<(u128, BigRational), &'static str> {
    let units = share.units(record).ok_or("charge_limit")?;
    let part = match share {
        Share::Covered { setup: SetupFee::Always } => return Ok((0, price.setup.clone())),
        Share::Covered { setup: SetupFee::IfCharged } => return Ok((0, whole(0))),
        Share::Own => Part { before: price.free.min(units), minimum: price.minimum, units: units.saturating_sub(price.free) },
        Share::Total { units } => Part { before: 0, minimum: price.minimum, units },
        Share::Beyond { taken, rest } => Part { before: price.free.saturating_add(taken), minimum: 0, units: rest },
    };
    let is_cut = is_cut(place, record);
    if is_cut && part.before.saturating_add(part.units) > LONGEST_CUT_S {
        return Err("charge_limit");
    }
    if part.units == 0 && units > 0 {
        return Ok((0, whole(0)));
    }
    let (billed, used) = if is_cut { walked(place, first, record, &part)? } else { counted(first, price, &part) };
    let fees = if units > 0 { &price.setup + &price.disconnect } else { price.setup.clone() };
    Ok((billed, price.bounds.hold(fees + used)))
}

/// Whether the plan cuts the call where it reaches into a band with another price: only where bands have several.
pub(crate) fn is_cut(place: &Place<'_>, record: &Record<'_>) -> bool {
    if record.family() != "voice" || place.tariff.edge(place.plan) == BandEdge::Start {
        return false;
    }
    let Place { tariff, plan, zone, party, .. } = place;
    let row = |band: &str| tariff.price(plan, record.kind, zone, *party, band).map(|found| found.row);
    let mut rows = tariff.bands.names().into_iter().map(row);
    let first = rows.next();
    rows.any(|row| Some(row) != first)
}

/// Units that the price of the start charges alone, and what for.
fn counted(found: Found, price: &Units, part: &Part) -> (u128, BigRational) {
    match price.count {
        Count::Graduated => graduated(found, price, part),
        Count::Volume => volume(found, price, part),
    }
}

/// The minimum, and increments that cover what is beyond it, all at the price of the last step that they reach into.
fn volume(found: Found, price: &Units, part: &Part) -> (u128, BigRational) {
    let step = price.steps.iter().rfind(|step| step.from < part.units).unwrap_or(&price.steps[0]);
    let beyond = part.units.saturating_sub(part.minimum).div_ceil(step.increment);
    let units = u128::from(part.minimum) + u128::from(beyond) * u128::from(step.increment);
    (units, amount(step, found, units))
}

/// The minimum, and in each step as many increments as cover its units.
fn graduated(found: Found, price: &Units, part: &Part) -> (u128, BigRational) {
    let (mut billed, mut sum) = (0, whole(0));
    for (number, step) in price.steps.iter().enumerate() {
        let end = price.steps.get(number + 1).map_or(part.units, |next| next.from.min(part.units));
        let minimum = if number == 0 { part.minimum } else { 0 };
        let beyond = end.saturating_sub(step.from).saturating_sub(minimum);
        let units = u128::from(minimum) + u128::from(beyond.div_ceil(step.increment)) * u128::from(step.increment);
        billed += units;
        sum += amount(step, found, units);
    }
    (billed, sum)
}

/// A call over bands of several prices: each increment at the price of the second in which it begins. Those that begin in one minute
/// and one step are counted together.
fn walked(place: &Place<'_>, first: Found, record: &Record<'_>, part: &Part) -> Result<(u128, BigRational), &'static str> {
    let Part { before, minimum, units: left } = *part;
    let anew = place.tariff.edge(place.plan) == BandEdge::Anew;
    let mut units_of: BTreeMap<(Found, usize), u128> = BTreeMap::from([((first, 0), minimum.into())]);
    let mut at = minimum;
    while at < left {
        let (found, rest) = price_at(place, record, before + at)?;
        let found = found.ok_or("no_price")?;
        let Rule::Units(units) = place.tariff.rule(found) else { return Err("no_price") };
        let step = units.steps.iter().rposition(|step| step.from <= at).unwrap_or(0);
        let step_end = units.steps.get(step + 1).map_or(left, |next| next.from.min(left));
        let (increment, until) = (units.steps[step].increment, step_end.min(at + rest));
        let end = at + (until - at).div_ceil(increment) * increment;
        *units_of.entry((found, step)).or_default() += u128::from(end - at);
        at = end;
        // Under `anew` the increment that an edge cuts is the last one of its part.
        let mut second = until;
        while anew && second < end.min(left) {
            let (next, rest) = price_at(place, record, before + second)?;
            if next.map(|next| next.row) != Some(found.row) {
                at = second;
                break;
            }
            second += rest;
        }
    }
    let billed = units_of.values().sum();
    let amounts = units_of.into_iter().map(|((found, step), units)| match place.tariff.rule(found) {
        Rule::Units(price) => amount(&price.steps[step], found, units),
        Rule::CostPlus { .. } => whole(0),
    });
    Ok((billed, amounts.sum()))
}

/// The price of a second of a call, and for how many seconds it surely holds: bands change with the minutes of a local clock.
fn price_at(place: &Place<'_>, record: &Record<'_>, second: u64) -> Result<(Option<Found>, u64), &'static str> {
    let Place { tariff, plan, zone, party, start, source_offset, .. } = place;
    let later = i64::try_from(second).map(SignedDuration::from_secs).map_err(|_| "charge_limit")?;
    let at = start.checked_add(later).map_err(|_| "charge_limit")?;
    let local = tariff.bands.local(&tariff.zone, at, *source_offset);
    let found = tariff.price(plan, record.kind, zone, *party, tariff.bands.at(local));
    Ok((found, 60 - u64::from(local.second().unsigned_abs())))
}

fn amount(step: &Step, found: Found, units: u128) -> BigRational {
    &step.unit_price * BigRational::new(BigInt::from(units), BigInt::from(found.per))
}
