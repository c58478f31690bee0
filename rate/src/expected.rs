//! What a row would cost under another plan than its own: the price without the texts, by the same decisions.
//!
//! The plan is most often a provider's contract, so that the provider's cost can be compared with what was agreed.

use domain::money::{Currency, Money};
use domain::outcome::Reason;

use crate::error::ExplainError;
use crate::explain::ExplainInput;
use crate::price::{decide, sale_at};
use crate::tariff::NONE_ROW;
use crate::tariff::set::TariffSet;

/// What a row would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The zone that was found; `None` if there is none.
    pub zone: Option<String>,
    /// The charge with its currency, or why there is none.
    pub charge: Result<(Money, Currency), Reason>,
}

/// Prices a row as the table holds it by the plan that it names, whatever tariff version priced it: by the version that sells
/// the plan at the row's start. A row without a plan has none of its prices.
pub fn expect(input: &ExplainInput, tariffs: &TariffSet) -> Result<Expected, ExplainError> {
    let none = |reason| Ok(Expected { zone: None, charge: Err(reason) });
    let Some(plan) = &input.plan else { return none(Reason::NoPlan) };
    let sale = match sale_at(tariffs.sales(plan), input.start_us) {
        Ok(sale) => sale,
        Err(reason) => return none(reason),
    };
    let tariff = &tariffs.tariffs()[usize::from(sale.tariff)];
    let facts = input.facts()?;
    let class_row = if input.provider_class.is_empty() { NONE_ROW } else { tariff.classes.find(&input.provider_class) };
    let verdict = decide(tariff, sale.plan, &facts, class_row);
    let zone = verdict.zoned.zone.and_then(|zone| tariff.zones.iter().nth(usize::from(zone))).map(str::to_owned);
    let charge = verdict.charged.map(|charged| (Money(i128::from(charged.charge_nano)), tariff.currency()));
    Ok(Expected { zone, charge })
}

/// Whether some tariff sells a plan at any time.
pub fn is_sold(plan: &str, tariffs: &TariffSet) -> bool {
    !tariffs.sales(plan).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::price;
    use crate::tests::fixture::{Row, batch, linked, owners, read, repository, set_of};

    #[test]
    fn another_plan_costs_what_pricing_says_it_costs() {
        let tariffs = set_of(&read(&repository("config/tariffs/nl-zakelijk.toml")));
        let tariff = &tariffs.tariffs()[0];
        // What allowances give is no price.
        let plans = (0..).zip(tariff.plan_names()).filter(|(plan, _)| tariff.allowances.of(*plan).is_empty());
        let plans: Vec<String> = plans.map(|(_, name)| name.to_owned()).collect();
        assert!(plans.len() > 1);
        for plan in &plans {
            let owners = owners(&[plan], 1);
            let rated = price(
                linked(batch(vec![Row { duration_s: 61, ..Row::default() }], &[]), &owners, vec![0]),
                &tariffs.bind(&owners),
            );
            let own = ExplainInput::of(&rated, 0);
            let other = ExplainInput { plan: Some(plans[0].clone()), ..own.clone() };
            let expected = expect(&ExplainInput { plan: Some(plan.clone()), ..other }, &tariffs).expect("a row");
            match rated.reason(0) {
                None => {
                    let charge = Money(i128::from(rated.columns.charge_nano[0]));
                    assert_eq!(expected.charge, Ok((charge, Currency::EUR)), "{plan}");
                    assert_eq!(expected.zone.as_deref(), Some(rated.labels.zones.name(u32::from(rated.columns.zone[0]))));
                }
                Some(reason) => assert_eq!(expected.charge, Err(reason), "{plan}"),
            }
        }
        let nobody = ExplainInput { plan: Some("buy:nobody".to_owned()), ..ExplainInput::of(&rated_once(&tariffs), 0) };
        assert_eq!(expect(&nobody, &tariffs).expect("a row").charge, Err(Reason::NoPlan));
        assert!(is_sold(&plans[0], &tariffs) && !is_sold("buy:nobody", &tariffs));
    }

    fn rated_once(tariffs: &std::sync::Arc<TariffSet>) -> domain::columns::rated::RatedBatch {
        let owners = owners(&["zakelijk-plus"], 1);
        price(linked(batch(vec![Row::default()], &[]), &owners, vec![0]), &tariffs.bind(&owners))
    }
}
