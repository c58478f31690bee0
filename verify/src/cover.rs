//! What a record hangs on beside itself: allowances that cover it, a total that its price counts, a discount, and what it comes
//! to if allowances never run out and nothing came before it.

use crate::charge::{Charge, Place, is_cut};
use crate::discount::Discount;
use crate::draw::{Before, Draw, Source, Turn};
use crate::error::VerifyError;
use crate::owner::Served;
use crate::price::Rule;
use crate::record::Record;
use crate::tariff::Found;
use crate::terms::{Allowance, Stage};
use crate::text::settled::Scope;
use crate::total::Over;
use crate::usage::Usage;

/// A record that has a price, the allowances that it draws from, or that limit it, as long as they have something left, and what its price
/// is of, and the discount that changes its charge.
pub(crate) struct Cover<'r> {
    pub place: Place<'r>,
    pub found: Found,
    /// What it costs without them.
    pub alone: Charge,
    /// Units that its price does not leave free.
    pub units: u64,
    /// With their places in the file.
    pub allowances: Vec<(usize, &'r Allowance)>,
    /// `None` where its price is of each record.
    pub over: Option<&'r Over>,
    pub discount: Option<&'r Discount>,
}

impl<'r> Cover<'r> {
    /// The cover of a record that costs so much without one, and whom it serves; `None` if it hangs on nothing but itself.
    pub fn of(
        place: Place<'r>,
        found: Found,
        band: &str,
        served: Served<'_>,
        (record, alone): (&Record<'_>, Charge),
    ) -> Result<Option<Self>, VerifyError> {
        let Place { tariff, plan, zone, party, .. } = place;
        let covers = |usage: &Usage, scope: Scope| {
            let is_whose = scope != Scope::Group || served.group.is_some();
            is_whose && usage.rank(plan, record.kind, zone, party, band).is_some()
        };
        let all = tariff.allowances.iter().enumerate();
        let allowances: Vec<_> = all.filter(|(_, allowance)| covers(&allowance.usage, allowance.scope)).collect();
        let discount = tariff.discounts.iter().find(|discount| covers(&discount.usage, discount.scope));
        let has = |stage| allowances.iter().any(|(_, allowance)| allowance.stage() == stage);
        let (has_units, has_others) = (has(Stage::Units), has(Stage::Limit) || has(Stage::Credit));
        let refused = |problem: &str| {
            let (tariff, problem) = (tariff.version.clone(), problem.to_owned());
            Err(VerifyError::Tariff { tariff, problem })
        };
        let (units, over) = match tariff.rule(found) {
            Rule::Units(price) if price.over.is_some() && is_cut(&place, record) => {
                return refused("a price of a total holds for a call that is cut where bands change");
            }
            Rule::Units(price) => {
                let units = record.units().unwrap_or(0).saturating_sub(price.free);
                (units, price.over.as_ref())
            }
            Rule::CostPlus { .. } if has_units => {
                return refused("an allowance in units covers a price that is the provider's cost");
            }
            Rule::CostPlus { .. } => (0, None),
        };
        let has_paying = has_others || discount.is_some();
        let hangs = (has_units && units > 0) || (has_paying && alone.nano > 0) || over.is_some();
        Ok(hangs.then_some(Self { place, found, alone, units, allowances, over, discount }))
    }

    /// What the record comes to if each allowance has one bucket, of the record's own period, that never runs out, and no record came
    /// before it. A limit has all of its amount left.
    pub fn assumed(&self, record: &Record<'_>) -> Draw {
        let one = |(position, allowance): &(usize, &'r Allowance)| {
            let turn = Turn::assumed(allowance, *position);
            let left = if allowance.stage() == Stage::Limit { allowance.share(1, 1, self.place.tariff.places) } else { None };
            Source { allowance, turn, left }
        };
        let mut sources: Vec<Source<'_>> = self.allowances.iter().map(one).collect();
        sources.sort_by_key(|source| source.turn);
        self.draw(record, &sources, Before::default())
    }
}
