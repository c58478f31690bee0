//! The charge of a call over the edge of a time band, for plans that do not let the start decide alone.
//!
//! An edge is where the local clock enters a band in which the call has another price. A second of the call belongs to the band that holds when it begins. Free units come first and the minimum after them, at the
//! price of the start; what is left is billed in increments, each by the price of the band and the step in which it begins.
//! Under `increment` they follow each other over the edges; under `anew` the one that an edge cuts is billed whole, and the next
//! one begins at the edge. Setup, disconnect fee, bounds and what the number asks are those of the first price; the sum is rounded once.

use domain::outcome::Reason;
use domain::zone::SECOND_US;

use crate::price::Facts;
use crate::price::charge::{self, Charged, free_units};
use crate::tariff::Tariff;
use crate::tariff::plan::BandEdge;
use crate::tariff::price_row::{Formula, Step};
use crate::tariff::price_table::Charge;

/// Longest call of such a plan, in seconds: a leap year.
pub(crate) const SECONDS_MAX: u64 = 366 * 86_400;

/// What a stretch of a call is billed: increments of one band and step that follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece<'t> {
    /// Seconds from the start of the call to the first increment.
    pub at: u64,
    pub band: u8,
    pub charge: &'t Charge,
    pub step: &'t Step,
    /// Seconds that are billed.
    pub billed: u64,
    /// Whether it is the minimum.
    pub is_minimum: bool,
}

/// The charge of a call whose first price is `first`.
#[inline(never)]
pub(crate) fn apply(tariff: &Tariff, plan: u32, zone: u16, facts: &Facts, first: &Charge) -> Result<Charged, Reason> {
    if facts.units.is_some_and(|units| units > SECONDS_MAX) {
        return Err(charge::without_units(tariff, first, facts));
    }
    let call = Call { tariff, plan, zone, facts };
    if !call.reaches_edge() {
        return charge::apply(tariff, first, facts);
    }
    let pieces = call.pieces(first).map_err(|stopped| stopped.reason)?;
    if pieces.is_empty() {
        return charge::all_free(tariff, first, facts);
    }
    call.charge(first, &pieces)
}

/// A call to a zone under a plan of a tariff.
pub(crate) struct Call<'t, 'f> {
    pub tariff: &'t Tariff,
    pub plan: u32,
    pub zone: u16,
    pub facts: &'f Facts,
}

/// Why a call has no charge, and from which second on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped {
    pub reason: Reason,
    pub at: u64,
}

impl<'t> Call<'t, '_> {
    /// Whether it reaches into a band with another price.
    pub fn reaches_edge(&self) -> bool {
        let end_us = self.facts.units.filter(|units| *units <= SECONDS_MAX).and_then(|units| self.instant(units));
        end_us.is_some_and(|end| self.next_edge(self.facts.start_us, end).is_some())
    }

    /// The charge of what allowances leave of a call: `rest` seconds from second `taken` on, which the free units are among.
    pub fn beyond(&self, first: &'t Charge, taken: u64, rest: u64) -> Result<Charged, Reason> {
        let pieces = self.pieces_beyond(first, taken, rest).map_err(|stopped| stopped.reason)?;
        self.charge(first, &pieces)
    }

    /// The pieces of that.
    pub fn pieces_beyond(&self, first: &'t Charge, taken: u64, rest: u64) -> Result<Vec<Piece<'t>>, Stopped> {
        if taken.saturating_add(rest) > SECONDS_MAX {
            return Err(Stopped { reason: Reason::ChargeLimit, at: taken });
        }
        self.pieces_of(first, Vec::new(), (taken, 0, rest))
    }

    /// The charge of pieces, of which there is one at least.
    fn charge(&self, first: &Charge, pieces: &[Piece<'_>]) -> Result<Charged, Reason> {
        let own = sum(self.tariff, first, pieces).ok_or(Reason::ChargeLimit)?;
        let billed = pieces.iter().try_fold(0u64, |all, piece| all.checked_add(piece.billed));
        let whole = charge::with_information(self.tariff, first, self.facts, own)?;
        charge::round(self.tariff, whole, billed.ok_or(Reason::ChargeLimit)?)
    }

    /// The pieces in their order; none if no unit is left to charge.
    pub fn pieces(&self, first: &'t Charge) -> Result<Vec<Piece<'t>>, Stopped> {
        let stopped = |reason| Stopped { reason, at: 0 };
        let units = self.facts.units.filter(|units| *units <= SECONDS_MAX).ok_or(stopped(Reason::ChargeLimit))?;
        let free = free_units(&self.tariff.prices, first);
        let left = units.saturating_sub(free);
        let Formula::Units { minimum, steps, .. } = &self.tariff.prices.rows[first.row as usize].formula else {
            return Err(stopped(Reason::NoPrice));
        };
        if left == 0 {
            return Ok(Vec::new());
        }
        let mut pieces = Vec::new();
        if *minimum > 0 {
            let band = self.band(self.facts.start_us);
            pieces.push(Piece { at: free, band, charge: first, step: &steps[0], billed: *minimum, is_minimum: true });
        }
        self.pieces_of(first, pieces, (free, *minimum, left))
    }

    /// The pieces from the first increment on, counted without the units that are free, up to those that are left of them.
    fn pieces_of(
        &self,
        first: &Charge,
        mut pieces: Vec<Piece<'t>>,
        (free, mut begin, left): (u64, u64, u64),
    ) -> Result<Vec<Piece<'t>>, Stopped> {
        while begin < left {
            let piece = self.piece((free, begin, left), first.band_edge);
            let (piece, next) = piece.map_err(|reason| Stopped { reason, at: free + begin })?;
            pieces.push(piece);
            begin = next;
        }
        Ok(pieces)
    }

    /// The increments from `begin` on, counted without the free units, up to the next edge or step; and where the next begin.
    fn piece(&self, (free, begin, left): (u64, u64, u64), band_edge: BandEdge) -> Result<(Piece<'t>, u64), Reason> {
        let instant = |units| self.instant(units).ok_or(Reason::ChargeLimit);
        let at_us = instant(free + begin)?;
        let band = self.band(at_us);
        let charge = self.price(band).ok_or(Reason::NoPrice)?;
        let Formula::Units { steps, .. } = &self.tariff.prices.rows[charge.row as usize].formula else {
            return Err(Reason::NoPrice);
        };
        let number = steps.partition_point(|step| step.from <= begin).saturating_sub(1);
        let (step, end) = (&steps[number], steps.get(number + 1).map_or(left, |next| next.from.min(left)));
        // The last increment that begins in the step may reach beyond it, and meet an edge there.
        let reach = (begin + (end - begin).div_ceil(step.increment) * step.increment).min(left);
        let edge = self.next_edge(at_us, instant(free + reach)?);
        // A second belongs to the band that holds when it begins.
        let seconds = |edge: i64| (edge - self.facts.start_us).unsigned_abs().div_ceil(SECOND_US.unsigned_abs()) - free;
        let edge = edge.map(seconds).filter(|edge| *edge < reach);
        let billed = (edge.unwrap_or(end).min(end) - begin).div_ceil(step.increment) * step.increment;
        let next = edge.filter(|_| band_edge == BandEdge::Anew).unwrap_or(begin + billed);
        Ok((Piece { at: free + begin, band, charge, step, billed, is_minimum: false }, next))
    }

    /// The first instant after one and before another at which the call has another price.
    fn next_edge(&self, at_us: i64, end_us: i64) -> Option<i64> {
        let bands = &self.tariff.bands;
        let row = |band| self.price(band).map(|charge| charge.row);
        let price = row(self.band(at_us));
        let mut at_us = at_us;
        loop {
            at_us = bands.next_edge(self.tariff.zone(), at_us, self.facts.offset_s, end_us)?;
            if row(self.band(at_us)) != price {
                return Some(at_us);
            }
        }
    }

    /// The price of the call in a band.
    fn price(&self, band: u8) -> Option<&'t Charge> {
        self.tariff.prices.find(self.plan, self.facts.usage, self.zone, self.facts.party, band)
    }

    pub fn band(&self, at_us: i64) -> u8 {
        self.tariff.bands.at(self.tariff.zone(), at_us, self.facts.offset_s)
    }

    /// The instant so many seconds into the call.
    pub fn instant(&self, units: u64) -> Option<i64> {
        i64::try_from(units).ok()?.checked_mul(SECOND_US)?.checked_add(self.facts.start_us)
    }
}

/// The unrounded charge as a fraction of nano-units; `None` beyond 128 bits, which no row can hold.
pub(crate) fn sum(tariff: &Tariff, first: &Charge, pieces: &[Piece<'_>]) -> Option<(i128, i128)> {
    let Formula::Units { setup_nano, extras, .. } = &tariff.prices.rows[first.row as usize].formula else { return None };
    let per = pieces.iter().fold(1, |all, piece| lcm(all, i128::from(piece.charge.per)));
    let mut numerator = i128::from(*setup_nano + extras.disconnect_nano).checked_mul(per)?;
    for piece in pieces {
        let units = i128::from(piece.billed).checked_mul(per / i128::from(piece.charge.per))?;
        numerator = numerator.checked_add(i128::from(piece.step.unit_nano).checked_mul(units)?)?;
    }
    Some((extras.bounds.hold(numerator, per), per))
}

/// The sizes of a call's bands go together, or the tariff was not loaded.
fn lcm(a: i128, b: i128) -> i128 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}
