//! Totals as the usage that lines are made from.

use std::collections::BTreeMap;

use aggregate::totals::{Sums, TotalKey};
use domain::money::{Currency, Money};
use domain::period::Month;
use rate::lines::{Quantity, Usage, UsageKey};
use sinks::lines::Names;

/// What usage says of tax where its rows were written before tables did.
const TAX_UNSAID: &str = "excluded";

/// A customer's usage, by cycle and key.
type Keyed = BTreeMap<(Month, UsageKey), (Quantity, Money)>;

/// The usage of each customer; devices of a subscription together.
pub fn by_customer(totals: &BTreeMap<TotalKey, Sums>) -> anyhow::Result<BTreeMap<String, Vec<Usage>>> {
    let mut names = Names::default();
    let mut usage: BTreeMap<String, Keyed> = BTreeMap::new();
    for ((period, key), sums) in totals {
        let [_, customer, subscription, _, plan, kind, zone, band, currency, tax_class, tax] = key;
        let period =
            Month::parse(period).ok_or_else(|| anyhow::anyhow!("the totals have a cycle `{period}`, which is no month"))?;
        let of =
            Currency::parse(currency).ok_or_else(|| anyhow::anyhow!("the totals of {customer} have a currency `{currency}`"))?;
        let key = UsageKey {
            subscription: names.of(subscription),
            plan: names.of(plan),
            kind: names.of(kind),
            zone: names.of(zone),
            band: names.of(band),
            currency: of,
            tax_class: Some(tax_class).filter(|class| !class.is_empty()).map(|class| names.of(class)),
            tax: names.of(if tax.is_empty() { TAX_UNSAID } else { tax }),
        };
        let theirs = match usage.get_mut(customer) {
            Some(theirs) => theirs,
            None => usage.entry(customer.clone()).or_default(),
        };
        let (quantity, charge) = theirs.entry((period, key)).or_default();
        quantity.count += sums.count;
        quantity.seconds += sums.seconds;
        quantity.bytes += sums.bytes;
        quantity.messages += sums.messages;
        quantity.billed_units += sums.billed_units;
        *charge = charge.plus(sums.charge());
    }
    let list = |theirs: Keyed| {
        theirs.into_iter().map(|((period, key), (quantity, charge))| Usage { key, period, quantity, charge }).collect()
    };
    Ok(usage.into_iter().map(|(customer, theirs)| (customer, list(theirs))).collect())
}
