//! Which price row holds where: the most exact of those that name a plan, kind, zone, party and band.

use std::collections::HashMap;

use domain::columns::linked::Party;
use domain::ids::Names;
use domain::nearest;
use domain::usage::Usage;

use super::{NO_CELL, NO_LENDER, Scope};
use crate::error::{Place, TariffError};
use crate::tariff::field::bad;
use crate::tariff::party::exactness;
use crate::tariff::plan::{Plan, fallbacks};
use crate::tariff::price_row::{PriceRow, kinds};

/// Most combinations of plan, kind, zone, party and band that the rows of a tariff may name, counted with repeats.
const CELLS_MAX: usize = 1 << 25;

/// Which row holds each cell, and how exactly it named it.
pub(super) struct Resolution<'t> {
    scope: &'t Scope<'t>,
    parties: &'t [Party],
    /// Where the cells of each plan and kind begin.
    pub blocks: Vec<u32>,
    /// The row of each cell.
    pub rows: Vec<u32>,
    ranks: Vec<u8>,
    entered: usize,
    /// Of each cell the plan that lends its price, or [`NO_LENDER`]; empty if no plan falls back on another.
    pub lent: Vec<u16>,
}

/// Codes that one row names, each with its rank.
struct Patterns {
    plans: Vec<(u8, usize)>,
    kinds: Vec<(u8, Usage)>,
    zones: Vec<(u8, usize)>,
    /// Levels of parties.
    parties: Vec<(u8, usize)>,
    bands: Vec<(u8, usize)>,
}

impl<'t> Resolution<'t> {
    pub fn of(scope: &'t Scope<'t>, parties: &'t [Party], rows: &[PriceRow]) -> Result<Self, TariffError> {
        let blocks = vec![NO_CELL; scope.plans.len() * Usage::COUNT];
        let mut resolution = Self { scope, parties, blocks, rows: Vec::new(), ranks: Vec::new(), entered: 0, lent: Vec::new() };
        let plans: HashMap<&str, usize> = scope.plans.iter().enumerate().map(|(i, p)| (p.name.as_str(), i)).collect();
        for (number, row) in rows.iter().enumerate() {
            let number = u32::try_from(number).expect("a tariff has at most a million price rows");
            let patterns = Patterns::of(scope, parties, &plans, row)?;
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
        for (plan_rank, plan) in &patterns.plans {
            for (kind_rank, usage) in &patterns.kinds {
                self.entered += patterns.zones.len() * patterns.parties.len() * patterns.bands.len();
                let block = self.block(*plan, *usage)?;
                self.enter_block(block, plan_rank << 6 | kind_rank << 4, number, rows, patterns)?;
            }
        }
        Ok(())
    }

    /// Enters a row into the cells of one plan and kind, which it names as exactly as `named` says.
    fn enter_block(
        &mut self,
        block: usize,
        named: u8,
        number: u32,
        rows: &[PriceRow],
        patterns: &Patterns,
    ) -> Result<(), TariffError> {
        let bands = self.scope.bands.len();
        for (zone_rank, zone) in &patterns.zones {
            for (party_rank, party) in &patterns.parties {
                for (band_rank, band) in &patterns.bands {
                    let cell = block + (zone * self.parties.len() + party) * bands + band;
                    self.set(cell, number, named | zone_rank << 3 | party_rank << 1 | band_rank, rows)?;
                }
            }
        }
        Ok(())
    }

    fn width(&self) -> usize {
        self.scope.zones.len() * self.parties.len() * self.scope.bands.len()
    }

    /// Gives a plan the prices of another where it has none; tells how many.
    fn lend(&mut self, plan: usize, fallback: usize) -> Result<usize, TariffError> {
        let own = u16::try_from(fallback).expect("a tariff has at most 10,000 plans");
        let mut lent = 0;
        let width = self.width();
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
        let width = self.width();
        if self.entered.max(self.rows.len() + width) > CELLS_MAX {
            let what = "combinations of plan, kind, zone, party and band in prices";
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
            return Err(TariffError::Twice {
                place,
                what: "a price for the same plan, kind, zone, party and band".to_owned(),
                first,
            });
        }
        if before == NO_CELL || self.ranks[cell] < rank {
            (self.rows[cell], self.ranks[cell]) = (number, rank);
        }
        Ok(())
    }
}

impl Patterns {
    fn of(scope: &Scope<'_>, parties: &[Party], plans: &HashMap<&str, usize>, row: &PriceRow) -> Result<Self, TariffError> {
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
            parties: parties_of(row, parties),
            bands: all(&row.bands, |band| named("band", scope.bands, band, "no [[band]] has that name"))?,
        })
    }
}

/// The parties that a row is for, each once with how exactly it names them: a price for the own network is for the same customer and
/// for the same group, too.
fn parties_of(row: &PriceRow, told_apart: &[Party]) -> Vec<(u8, usize)> {
    let named = told_apart.iter().enumerate().map(|(at, party)| (exactness(&row.parties, *party), at));
    named.filter_map(|(rank, at)| rank.map(|rank| (rank, at))).collect()
}

fn all<T>(patterns: &[String], codes: impl Fn(&String) -> Result<Vec<T>, TariffError>) -> Result<Vec<T>, TariffError> {
    let lists: Vec<Vec<T>> = patterns.iter().map(codes).collect::<Result<_, _>>()?;
    Ok(lists.into_iter().flatten().collect())
}

pub(in crate::tariff) fn unknown<'a>(
    place: &Place,
    field: &str,
    name: &str,
    defined: &'static str,
    known: impl Iterator<Item = &'a str>,
) -> TariffError {
    let hint = nearest::hint(name, known);
    TariffError::UnknownName { place: place.clone(), field: field.to_owned(), name: name.to_owned(), defined, hint }
}
