//! The price table: price rows resolved to one charge per plan, kind, zone and band, ready for a look-up by codes.
//!
//! Where several rows match, the most specific one wins: a row that names the plan beats one with `*`; among those one that
//! names the kind beats a family (`voice-*`), which beats `*`; then one that names the zone; then one that names the band.
//! Two equally specific rows for the same usage are refused.

use std::collections::HashMap;

use domain::ids::Names;
use domain::money::{Money, NANO_PLACES, Rounding};
use domain::nearest;
use domain::usage::{Usage, UsageKind};

use crate::error::{Place, TariffError};
use crate::tariff::field::bad;
use crate::tariff::plan::{BandEdge, Plan, fallbacks};
use crate::tariff::price_row::{Extras, Formula, PriceRow, ZeroUsage, kinds, usual_per};

/// Most combinations of plan, kind, zone and band that the rows of a tariff may name, counted with repeats.
const CELLS_MAX: usize = 1 << 25;

const NO_CELL: u32 = u32::MAX;

const NO_LENDER: u16 = u16::MAX;

/// Largest common size of the unit prices of a call's bands.
const PERS_MAX: u64 = 1_000_000_000;

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
    bands: usize,
}

/// What price rows may refer to.
pub(crate) struct Scope<'t> {
    pub file: Place,
    pub plans: &'t [Plan],
    pub zones: &'t Names,
    pub bands: &'t Names,
    pub rounding: Rounding,
    pub zero_usage: ZeroUsage,
}

impl PriceTable {
    pub fn build(scope: &Scope<'_>, rows: Vec<PriceRow>) -> Result<Self, TariffError> {
        rows.iter().try_for_each(|row| check_bounds(row, scope.rounding))?;
        let cells = Resolution::of(scope, &rows)?;
        let lent = cells.lent;
        let mut table = Self {
            rounding: scope.rounding,
            unit_nano: unit_nano(scope.rounding),
            charges: Vec::new(),
            blocks: cells.blocks,
            cells: cells.rows,
            zones: scope.zones.len(),
            bands: scope.bands.len(),
            rows,
        };
        table.compile(scope, &lent)?;
        Ok(table)
    }

    /// Turns the row of each cell into a charge; equal ones are shared.
    fn compile(&mut self, scope: &Scope<'_>, lent: &[u16]) -> Result<(), TariffError> {
        let width = self.zones * self.bands;
        let mut known: HashMap<(u32, u64, bool, BandEdge), u32> = HashMap::new();
        for (at, first) in self.blocks.iter().enumerate().filter(|(_, first)| **first != NO_CELL) {
            let plan = &scope.plans[at / Usage::COUNT];
            let usage = Usage::all().nth(at % Usage::COUNT).expect("blocks are counted in kinds");
            let cells = &mut self.cells[*first as usize..][..width];
            let is_cut = usage.kind() == UsageKind::Voice && plan.band_edge != BandEdge::Start;
            // By zone: where all bands have one price, no edge means anything.
            let mut cut: Vec<bool> = vec![false; self.zones];
            for (cut, bands) in cut.iter_mut().zip(cells.chunks(self.bands)).filter(|_| is_cut) {
                *cut = bands.iter().any(|cell| *cell != bands[0]);
                if *cut {
                    check_edges(plan, &self.rows, bands)?;
                }
            }
            for (place, cell) in cells.iter_mut().enumerate().filter(|(_, cell)| **cell != NO_CELL) {
                let band_edge = if cut[place / self.bands] { plan.band_edge } else { BandEdge::Start };
                let row = &self.rows[*cell as usize];
                // A megabyte is that of the plan whose price it is.
                let lender = lent.get(*first as usize + place).copied().filter(|lender| *lender != NO_LENDER);
                let seller = lender.map_or(plan, |lender| &scope.plans[usize::from(lender)]);
                let per = per(row, usage.kind(), seller)?;
                let free = is_free_at_zero(row, usage.kind(), scope.zero_usage);
                let next = u32::try_from(self.charges.len()).expect("there are fewer charges than cells");
                let charge = *known.entry((*cell, per, free, band_edge)).or_insert(next);
                if charge == next {
                    let charge = Charge::compile(*cell, row, per, free, scope.rounding);
                    self.charges.push(Charge { band_edge, ..charge });
                }
                *cell = charge;
            }
        }
        Ok(())
    }

    /// The charge for a plan, kind, zone and band of this tariff.
    #[inline]
    pub fn find(&self, plan: u32, usage: Usage, zone: u16, band: u8) -> Option<&Charge> {
        let first = self.blocks.get(plan as usize * Usage::COUNT + usage.code()).copied()?;
        if first == NO_CELL {
            return None;
        }
        let cell = self.cells.get(first as usize + usize::from(zone) * self.bands + usize::from(band))?;
        self.charges.get(*cell as usize)
    }
}

/// Which row holds each cell, and how exactly it named it.
struct Resolution<'t> {
    scope: &'t Scope<'t>,
    blocks: Vec<u32>,
    rows: Vec<u32>,
    ranks: Vec<u8>,
    entered: usize,
    /// Of each cell the plan that lends its price, or [`NO_LENDER`]; empty if no plan falls back on another.
    lent: Vec<u16>,
}

/// Codes that one row names, each with its rank.
struct Patterns {
    plans: Vec<(u8, usize)>,
    kinds: Vec<(u8, Usage)>,
    zones: Vec<(u8, usize)>,
    bands: Vec<(u8, usize)>,
}

impl<'t> Resolution<'t> {
    fn of(scope: &'t Scope<'t>, rows: &[PriceRow]) -> Result<Self, TariffError> {
        let blocks = vec![NO_CELL; scope.plans.len() * Usage::COUNT];
        let mut resolution = Self { scope, blocks, rows: Vec::new(), ranks: Vec::new(), entered: 0, lent: Vec::new() };
        let plans: HashMap<&str, usize> = scope.plans.iter().enumerate().map(|(i, p)| (p.name.as_str(), i)).collect();
        for (number, row) in rows.iter().enumerate() {
            let number = u32::try_from(number).expect("a tariff has at most a million price rows");
            let patterns = Patterns::of(scope, &plans, row)?;
            resolution.enter(number, rows, &patterns)?;
        }
        for (plan, fallback) in fallbacks(scope.plans, &plans)? {
            if resolution.lend(plan, fallback)? == 0 {
                let Plan { place, fallback, .. } = &scope.plans[plan];
                let expected = "it lends no price: the plan has one of its own wherever that one has, perhaps by `*`; remove one";
                return Err(bad(place, "fallback", fallback.as_deref().unwrap_or_default(), expected));
            }
        }
        let has_price = |plan: usize| resolution.blocks[plan * Usage::COUNT..][..Usage::COUNT].iter().any(|b| *b != NO_CELL);
        match (0..scope.plans.len()).find(|plan| !has_price(*plan)) {
            None => Ok(resolution),
            Some(plan) => {
                let Plan { name, place, .. } = &scope.plans[plan];
                Err(bad(place, "plan", name, "no price names this plan; add its prices or remove the plan"))
            }
        }
    }

    fn enter(&mut self, number: u32, rows: &[PriceRow], patterns: &Patterns) -> Result<(), TariffError> {
        let bands = self.scope.bands.len();
        for (plan_rank, plan) in &patterns.plans {
            for (kind_rank, usage) in &patterns.kinds {
                self.entered += patterns.zones.len() * patterns.bands.len();
                let block = self.block(*plan, *usage)?;
                for (zone_rank, zone) in &patterns.zones {
                    for (band_rank, band) in &patterns.bands {
                        let cell = block + zone * bands + band;
                        let rank = plan_rank << 4 | kind_rank << 2 | zone_rank << 1 | band_rank;
                        self.set(cell, number, rank, rows)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Gives a plan the prices of another where it has none; tells how many.
    fn lend(&mut self, plan: usize, fallback: usize) -> Result<usize, TariffError> {
        let own = u16::try_from(fallback).expect("a tariff has at most 10,000 plans");
        let mut lent = 0;
        let width = self.scope.zones.len() * self.scope.bands.len();
        for usage in Usage::all() {
            let from = self.blocks[fallback * Usage::COUNT + usage.code()];
            if from == NO_CELL {
                continue;
            }
            let (from, to) = (from as usize, self.block(plan, usage)?);
            self.lent.resize(self.rows.len(), NO_LENDER);
            for at in 0..width {
                if self.rows[to + at] == NO_CELL && self.rows[from + at] != NO_CELL {
                    self.rows[to + at] = self.rows[from + at];
                    let lender = self.lent[from + at];
                    self.lent[to + at] = if lender == NO_LENDER { own } else { lender };
                    lent += 1;
                }
            }
        }
        Ok(lent)
    }

    fn block(&mut self, plan: usize, usage: Usage) -> Result<usize, TariffError> {
        let width = self.scope.zones.len() * self.scope.bands.len();
        if self.entered.max(self.rows.len() + width) > CELLS_MAX {
            let what = "combinations of plan, kind, zone and band in prices";
            return Err(TariffError::TooMany { place: self.scope.file.clone(), what, limit: CELLS_MAX });
        }
        let block = &mut self.blocks[plan * Usage::COUNT + usage.code()];
        if *block == NO_CELL {
            *block = u32::try_from(self.rows.len()).expect("cells are limited to 2^25");
            self.rows.resize(self.rows.len() + width, NO_CELL);
            self.ranks.resize(self.rows.len(), 0);
        }
        Ok(*block as usize)
    }

    fn set(&mut self, cell: usize, number: u32, rank: u8, rows: &[PriceRow]) -> Result<(), TariffError> {
        let before = self.rows[cell];
        if before != NO_CELL && self.ranks[cell] == rank {
            let (place, first) = (rows[number as usize].place.clone(), rows[before as usize].place.clone());
            return Err(TariffError::Twice { place, what: "a price for the same plan, kind, zone and band".to_owned(), first });
        }
        if before == NO_CELL || self.ranks[cell] < rank {
            (self.rows[cell], self.ranks[cell]) = (number, rank);
        }
        Ok(())
    }
}

impl Patterns {
    fn of(scope: &Scope<'_>, plans: &HashMap<&str, usize>, row: &PriceRow) -> Result<Self, TariffError> {
        let named = |field: &str, names: &Names, pattern: &String, defined: &'static str| {
            if pattern == "*" {
                return Ok((0..names.len()).map(|i| (0, i)).collect());
            }
            match names.code(pattern) {
                Some(code) => Ok(vec![(1, code as usize)]),
                None => Err(unknown(&row.place, field, pattern, defined, names.iter())),
            }
        };
        let plan = |pattern: &String| {
            if pattern == "*" {
                return Ok((0..scope.plans.len()).map(|i| (0, i)).collect());
            }
            let known = scope.plans.iter().map(|p| p.name.as_str());
            let missing = || unknown(&row.place, "plan", pattern, "no plan has that name", known);
            plans.get(pattern.as_str()).map(|i| vec![(1, *i)]).ok_or_else(missing)
        };
        let in_tables = "no destination, network or class leads there";
        let kind = |pattern: &String| -> Result<Vec<(u8, Usage)>, TariffError> {
            kinds(&row.place, pattern).map(|(rank, found)| found.into_iter().map(|usage| (rank, usage)).collect())
        };
        Ok(Self {
            plans: all(&row.plans, plan)?,
            kinds: all(&row.kinds, kind)?,
            zones: all(&row.zones, |zone| named("zone", scope.zones, zone, in_tables))?,
            bands: all(&row.bands, |band| named("band", scope.bands, band, "no [[band]] has that name"))?,
        })
    }
}

fn all<T>(patterns: &[String], codes: impl Fn(&String) -> Result<Vec<T>, TariffError>) -> Result<Vec<T>, TariffError> {
    let lists: Vec<Vec<T>> = patterns.iter().map(codes).collect::<Result<_, _>>()?;
    Ok(lists.into_iter().flatten().collect())
}

pub(super) fn unknown<'a>(
    place: &Place,
    field: &str,
    name: &str,
    defined: &'static str,
    known: impl Iterator<Item = &'a str>,
) -> TariffError {
    let hint = nearest::hint(name, known);
    TariffError::UnknownName { place: place.clone(), field: field.to_owned(), name: name.to_owned(), defined, hint }
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

/// A bound that is finer than the last place of a charge would be broken by rounding.
fn check_bounds(row: &PriceRow, rounding: Rounding) -> Result<(), TariffError> {
    let held = match &row.formula {
        Formula::Units { extras, .. } => extras.bounds,
        Formula::CostPlus { bounds, .. } => *bounds,
    };
    let bounds = [("charge_min", held.least_nano), ("charge_max", held.most_nano)];
    let finer = bounds
        .into_iter()
        .find_map(|(field, nano)| nano.filter(|nano| nano % unit_nano(rounding) != 0).map(|nano| (field, nano)));
    finer.map_or(Ok(()), |(field, nano)| {
        let expected = format!("at most {} places are expected, as charges have after rounding", rounding.places);
        Err(bad(&row.place, field, Money(nano.into()), expected))
    })
}

/// The prices of one call by band must go together in one sum.
fn check_edges(plan: &Plan, rows: &[PriceRow], bands: &[u32]) -> Result<(), TariffError> {
    let mut pers = 1u64;
    for row in bands.iter().filter(|cell| **cell != NO_CELL).map(|cell| &rows[*cell as usize]) {
        let Formula::Units { per, .. } = row.formula else {
            let expected = format!("a price per unit is expected, because plan `{}` cuts calls at the edge of a band", plan.name);
            return Err(bad(&row.place, "cost_plus", "given", expected));
        };
        let per = per.unwrap_or(60);
        pers = (pers / gcd(pers, per)).checked_mul(per).filter(|pers| *pers <= PERS_MAX).ok_or_else(|| {
            let text = "a size that goes together with those of the other bands is expected, such as 60";
            bad(&row.place, "per", per, format!("{text}, because plan `{}` cuts calls at the edge of a band", plan.name))
        })?;
    }
    Ok(())
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
