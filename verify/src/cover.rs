//! Which allowances cover a record, and what it comes to if they never run out.

use crate::charge::{Charge, Place};
use crate::draw::{Draw, Source, Turn};
use crate::error::VerifyError;
use crate::owner::Served;
use crate::price::Rule;
use crate::record::Record;
use crate::tariff::Found;
use crate::terms::{Allowance, Stage};
use crate::text::Scope;

/// A record that has a price, and the allowances that it draws from, or that limit it, as long as they have something left.
pub(crate) struct Cover<'r> {
    pub place: Place<'r>,
    pub found: Found,
    /// What it costs without them.
    pub alone: Charge,
    /// Units that its price does not leave free.
    pub units: u64,
    /// With their places in the file.
    pub allowances: Vec<(usize, &'r Allowance)>,
}

impl<'r> Cover<'r> {
    /// The cover of a record that costs so much without one, and whom it serves; `None` if there is nothing that it could draw.
    pub fn of(
        place: Place<'r>,
        found: Found,
        band: &str,
        served: Served<'_>,
        (record, alone): (&Record<'_>, Charge),
    ) -> Result<Option<Self>, VerifyError> {
        let Place { tariff, plan, zone, party, .. } = place;
        let covers = |allowance: &Allowance| {
            let is_whose = allowance.scope != Scope::Group || served.group.is_some();
            is_whose && allowance.usage.rank(plan, record.kind, zone, party, band).is_some()
        };
        let allowances: Vec<_> = tariff.allowances.iter().enumerate().filter(|(_, allowance)| covers(allowance)).collect();
        let has = |stage| allowances.iter().any(|(_, allowance)| allowance.stage() == stage);
        let (has_units, has_others) = (has(Stage::Units), has(Stage::Limit) || has(Stage::Credit));
        let units = match tariff.rule(found) {
            Rule::Units(price) => record.units().unwrap_or(0).saturating_sub(price.free),
            Rule::CostPlus { .. } if has_units => {
                let problem = "an allowance in units covers a price that is the provider's cost".to_owned();
                return Err(VerifyError::Tariff { tariff: tariff.version.clone(), problem });
            }
            Rule::CostPlus { .. } => 0,
        };
        let draws = (has_units && units > 0) || (has_others && alone.nano > 0);
        Ok(draws.then_some(Self { place, found, alone, units, allowances }))
    }

    /// What the record comes to if each allowance has one bucket, of the record's own period, that never runs out. A limit has all of its
    /// amount left.
    pub fn assumed(&self, record: &Record<'_>) -> Draw {
        let one = |(position, allowance): &(usize, &'r Allowance)| {
            let turn = Turn::assumed(allowance, *position);
            let left = if allowance.stage() == Stage::Limit { allowance.share(1, 1, self.place.tariff.places) } else { None };
            Source { allowance, turn, left }
        };
        let mut sources: Vec<Source<'_>> = self.allowances.iter().map(one).collect();
        sources.sort_by_key(|source| source.turn);
        self.draw(record, &sources)
    }
}
