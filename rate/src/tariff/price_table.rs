//! The price table: price rows resolved to one charge per plan, kind, zone and band, ready for a look-up by codes.
//!
//! Where several rows match, the most specific one wins: a row that names the plan beats one with `*`; among those one that
//! names the kind beats a family (`voice-*`), which beats `*`; then one that names the zone; then one that is for the own group, before
//! one for the own customer, before one for the own network; then one that names the band.
//! Two equally specific rows for the same usage are refused.

mod check;
mod resolution;

use std::collections::HashMap;

use domain::columns::linked::Party;
use domain::ids::Names;
use domain::money::{NANO_PLACES, Rounding};
use domain::usage::{Usage, UsageKind};

use self::check::{check_bounds, check_edges, check_information, tax_classes};
use self::resolution::Resolution;
pub(super) use self::resolution::unknown;
use crate::error::{Place, TariffError};
use crate::tariff::field::bad;
use crate::tariff::party::{levels, told_apart};
use crate::tariff::plan::{BandEdge, Plan};
use crate::tariff::price_row::{Extras, Formula, PriceRow, ZeroUsage, usual_per};

const NO_CELL: u32 = u32::MAX;

const NO_LENDER: u16 = u16::MAX;

/// Numerators and divisors of the fast path stay below this, so that twice a remainder fits as well.
const FAST_MAX: u64 = 1 << 62;

/// A price as the hot loop reads it: one cache line.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub minimum: u64,
    pub increment: u64,
    /// Charge of `billed` units = (`base` + `rate` × billed) / `divisor`, in units of the rounding's last place.
    pub rate: u64,
    pub base: u64,
    pub divisor: u64,
    /// Billed units below this are charged in 64 bits; 0 where the exact formula of the row must be asked.
    pub fast_end: u64,
    /// Units that one unit price covers.
    pub per: u64,
    /// The price row.
    pub row: u32,
    pub free_at_zero: bool,
    /// Whether the first units are not charged; the row says how many.
    pub has_free_units: bool,
    /// What becomes of a call that reaches into another band.
    pub band_edge: BandEdge,
    /// A position in [`PriceTable::tax_classes`].
    pub tax: u8,
}

const _: () = assert!(size_of::<Charge>() == 64, "a price is one cache line");

/// Prices by codes.
#[derive(Debug)]
pub(crate) struct PriceTable {
    pub rows: Vec<PriceRow>,
    pub rounding: Rounding,
    /// Nano-units in the last place of the rounding.
    pub unit_nano: u64,
    charges: Vec<Charge>,
    /// Where the cells of a plan and kind begin, or [`NO_CELL`].
    blocks: Vec<u32>,
    cells: Vec<u32>,
    zones: usize,
    /// The parties that are told apart: one where no price asks.
    parties: &'static [Party],
    /// Where the cells of a party are, by its code.
    levels: [u8; Party::ALL.len() + 1],
    bands: usize,
    /// By number of the plan: whether some price of it is of more than one record.
    totals: Vec<bool>,
    /// What prices say of their tax class.
    pub tax_classes: Vec<Option<String>>,
}

/// What price rows may refer to.
pub(crate) struct Scope<'t> {
    pub file: Place,
    pub plans: &'t [Plan],
    pub zones: &'t Names,
    pub bands: &'t Names,
    pub rounding: Rounding,
    pub zero_usage: ZeroUsage,
    /// The tax class of prices that name none.
    pub tax_class: Option<&'t str>,
    /// Whether the tariff lists what numbers ask.
    pub has_information: bool,
}

impl PriceTable {
    pub fn build(scope: &Scope<'_>, rows: Vec<PriceRow>) -> Result<Self, TariffError> {
        rows.iter().try_for_each(|row| check_bounds(row, scope.rounding))?;
        rows.iter().try_for_each(|row| check_information(row, scope))?;
        let tax_classes = tax_classes(scope, &rows)?;
        let parties = told_apart(rows.iter().flat_map(|row| &row.parties));
        let cells = Resolution::of(scope, parties, &rows)?;
        let lent = cells.lent;
        let mut table = Self {
            rounding: scope.rounding,
            unit_nano: unit_nano(scope.rounding),
            charges: Vec::new(),
            blocks: cells.blocks,
            cells: cells.rows,
            zones: scope.zones.len(),
            parties,
            levels: levels(parties),
            bands: scope.bands.len(),
            totals: vec![false; scope.plans.len()],
            tax_classes,
            rows,
        };
        table.compile(scope, &lent)?;
        Ok(table)
    }

    /// Turns the row of each cell into a charge; equal ones are shared.
    fn compile(&mut self, scope: &Scope<'_>, lent: &[u16]) -> Result<(), TariffError> {
        let width = self.zones * self.parties.len() * self.bands;
        let mut known: HashMap<(u32, u64, bool, BandEdge), u32> = HashMap::new();
        for (at, first) in self.blocks.iter().enumerate().filter(|(_, first)| **first != NO_CELL) {
            let plan = &scope.plans[at / Usage::COUNT];
            let usage = Usage::all().nth(at % Usage::COUNT).expect("blocks are counted in kinds");
            let cells = &mut self.cells[*first as usize..][..width];
            let is_cut = usage.kind() == UsageKind::Voice && plan.band_edge != BandEdge::Start;
            // By zone and party: where all bands have one price, no edge means anything.
            let mut cut: Vec<bool> = vec![false; self.zones * self.parties.len()];
            for (cut, bands) in cut.iter_mut().zip(cells.chunks(self.bands)).filter(|_| is_cut) {
                *cut = bands.iter().any(|cell| *cell != bands[0]);
                if *cut {
                    check_edges(plan, &self.rows, bands)?;
                }
            }
            for (place, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| **cell != NO_CELL) {
                let band_edge = if cut[place / self.bands] { plan.band_edge } else { BandEdge::Start };
                let row = &self.rows[*cell as usize];
                self.totals[at / Usage::COUNT] |= row.total.is_some();
                // A megabyte is that of the plan whose price it is.
                let lender = lent.get(*first as usize + place).copied().filter(|lender| *lender != NO_LENDER);
                let seller = lender.map_or(plan, |lender| &scope.plans[usize::from(lender)]);
                let per = per(row, usage.kind(), seller)?;
                let free = is_free_at_zero(row, usage.kind(), scope.zero_usage);
                let next = u32::try_from(self.charges.len()).expect("there are fewer charges than cells");
                let charge = *known.entry((*cell, per, free, band_edge)).or_insert(next);
                if charge == next {
                    let class = row.tax_class.as_deref().or(scope.tax_class);
                    let tax = self.tax_classes.iter().position(|known| known.as_deref() == class);
                    let tax = tax.and_then(|tax| u8::try_from(tax).ok()).expect("the list has the classes of all rows");
                    let charge = Charge::compile(*cell, row, per, free, scope.rounding);
                    self.charges.push(Charge { band_edge, tax, ..charge });
                }
                *cell = charge;
            }
        }
        Ok(())
    }

    /// Whether some price is for parties of ours only.
    #[inline]
    pub fn asks_party(&self) -> bool {
        self.parties.len() > 1
    }

    /// The parties that prices tell apart, from far to near.
    pub fn parties(&self) -> &'static [Party] {
        self.parties
    }

    /// Whether a plan has a price that is of more than one record.
    pub fn has_totals(&self, plan: u32) -> bool {
        self.totals.get(plan as usize).copied().unwrap_or(false)
    }

    /// Whether a plan has any price for a kind.
    pub fn has_prices(&self, plan: u32, usage: Usage) -> bool {
        self.blocks.get(plan as usize * Usage::COUNT + usage.code()).is_some_and(|first| *first != NO_CELL)
    }

    /// The charge for a plan, kind, zone, party and band of this tariff.
    #[inline]
    pub fn find(&self, plan: u32, usage: Usage, zone: u16, party: Party, band: u8) -> Option<&Charge> {
        let first = self.blocks.get(plan as usize * Usage::COUNT + usage.code()).copied()?;
        if first == NO_CELL {
            return None;
        }
        let place = usize::from(zone) * self.parties.len() + usize::from(self.levels[usize::from(party as u8)]);
        let cell = self.cells.get(first as usize + place * self.bands + usize::from(band))?;
        self.charges.get(*cell as usize)
    }
}

/// Units that one unit price of a row covers for a plan.
fn per(row: &PriceRow, kind: UsageKind, plan: &Plan) -> Result<u64, TariffError> {
    let Formula::Units { per: own, .. } = &row.formula else {
        return Ok(1);
    };
    let expected = || {
        let text = "the plan sells data by the megabyte, so it needs `mb_bytes` (1000000 or 1048576)";
        bad(&plan.place, "mb_bytes", "absent", format!("{text}; or give the price at {} a `per`", row.place))
    };
    own.or_else(|| usual_per(kind, plan.mb_bytes)).ok_or_else(expected)
}

/// Voice and data of zero units are free unless the tariff or the row says otherwise; a message is always a unit.
fn is_free_at_zero(row: &PriceRow, kind: UsageKind, tariff: ZeroUsage) -> bool {
    let usual = if matches!(kind, UsageKind::Voice | UsageKind::Data) { tariff } else { ZeroUsage::Priced };
    matches!(row.formula, Formula::Units { .. }) && row.zero_usage.unwrap_or(usual) == ZeroUsage::Free
}

impl Charge {
    fn compile(number: u32, row: &PriceRow, per: u64, free_at_zero: bool, rounding: Rounding) -> Self {
        let exact = Self {
            minimum: 0,
            increment: 1,
            rate: 0,
            base: 0,
            divisor: 1,
            fast_end: 0,
            per,
            row: number,
            free_at_zero,
            has_free_units: false,
            band_edge: BandEdge::Start,
            tax: 0,
        };
        let Formula::Units { setup_nano, minimum, steps, extras, .. } = &row.formula else {
            return exact;
        };
        let exact = Self { has_free_units: extras.free_units > 0, ..exact };
        let is_plain = Extras { free_units: 0, ..*extras } == Extras::default();
        let [step] = steps[..] else {
            return exact;
        };
        if !is_plain {
            return exact;
        }
        let unit_nano = unit_nano(rounding);
        let shared = gcd(gcd(*setup_nano, step.unit_nano), unit_nano);
        let (base, divisor) = ((setup_nano / shared).checked_mul(per), (unit_nano / shared).checked_mul(per));
        let (base, divisor) = (base.filter(|b| *b < FAST_MAX), divisor.filter(|d| *d < FAST_MAX));
        let (minimum, increment, rate) = (*minimum, step.increment, step.unit_nano / shared);
        match base.zip(divisor) {
            None => Self { minimum, increment, ..exact },
            Some((base, divisor)) => {
                let fast_end = (FAST_MAX - base).checked_div(rate).unwrap_or(u64::MAX);
                Self { minimum, increment, rate, base, divisor, fast_end, ..exact }
            }
        }
    }
}

fn unit_nano(rounding: Rounding) -> u64 {
    10u64.pow(u32::from(NANO_PLACES - rounding.places))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
