//! The texts of what runs on over several records: the total that a price is of, and the discount by what was charged.

use super::{ChargeStep, amount};
use crate::price::allowance::{Before, Covered, Outcome, Taken};
use crate::price::charge::{Charged, of_total};
use crate::settle::{Ran, Trace};

/// What came before a record, and what it moved.
#[derive(Debug, Clone, Default)]
pub(super) struct Running {
    total: Option<Ran>,
    discount: Option<Ran>,
}

impl Running {
    /// As settling found it; without it the record is the first one.
    pub fn of(record: &Covered<'_, '_>, trace: Option<&Trace>, outcome: Option<&Outcome>) -> Self {
        if let Some(trace) = trace {
            return Self { total: trace.total.clone(), discount: trace.discount.clone() };
        }
        let alone = |name: &str, after: u64| Ran { name: name.to_owned(), over: String::new(), before: None, after };
        let total = record.total.zip(outcome.and_then(|outcome| outcome.total));
        let discount = record.discount.zip(outcome.and_then(|outcome| outcome.spent));
        Self {
            total: total.map(|(total, after)| alone(&total.name, after)),
            discount: discount.map(|(discount, after)| alone(&discount.name, u64::try_from(after).unwrap_or(u64::MAX))),
        }
    }

    /// What came before.
    pub fn before(&self) -> Before {
        Before {
            total: self.total.as_ref().and_then(|total| total.before),
            spent: self.discount.as_ref().and_then(|discount| discount.before).unwrap_or(0).into(),
        }
    }

    /// Tells it in the sum.
    pub fn tell(&self, record: &Covered<'_, '_>, taken: Taken, step: &mut ChargeStep) {
        let currency = record.tariff.currency();
        if let Some(total) = &self.total {
            let unit = step.units.split_once(' ').map_or("units", |(_, unit)| unit).to_owned();
            step.arithmetic = total_lines(record, total, &unit);
            if taken.units > 0 {
                step.arithmetic.insert(0, format!("allowances leave {}, counted by their increments", taken.rest));
            }
            step.rounding = format!("each of the two {}", step.rounding.split(':').next().unwrap_or_default());
        }
        if let Some(discount) = &self.discount
            && let Some(terms) = record.discount
        {
            let (rounding, before) = (record.tariff.prices.rounding, discount.before.unwrap_or(0));
            let of = |spent: u64| terms.of(spent.into(), rounding);
            let (now, was) = (of(discount.after), of(before));
            step.arithmetic.push(format!(
                "discount `{}` ({}){}: {} was charged before, {} with this; {} on that, {} before: {} {currency}",
                discount.name,
                terms.place,
                over(discount),
                amount(before),
                amount(discount.after),
                amount(now),
                amount(was),
                amount(now - was)
            ));
        }
    }
}

/// What the total cost before and costs now.
fn total_lines(record: &Covered<'_, '_>, total: &Ran, unit: &str) -> Vec<String> {
    let Some(terms) = record.total else { return Vec::new() };
    let of = |units: u64| of_total(record.tariff, record.charge, terms, units).unwrap_or_default();
    let name = if total.name.is_empty() { "the session".to_owned() } else { format!("total `{}`", total.name) };
    let Charged { billed, charge_nano } = of(total.after);
    let (count, now) = (if terms.is_volume { ", all at the price of the last" } else { "" }, amount(charge_nano));
    let Some(before) = total.before else {
        return vec![format!(
            "{name}{}: nothing before; {} {unit} cost {now}{count} ({billed} billed)",
            over(total),
            total.after
        )];
    };
    let was = of(before);
    vec![
        format!("{name}{}: {before} {unit} before, {} with this record", over(total), total.after),
        format!("{} {unit} cost {now}{count} ({billed} billed)", total.after),
        format!("{before} {unit} cost {} ({} billed)", amount(was.charge_nano), was.billed),
        format!("{now} - {} = {}", amount(was.charge_nano), amount(charge_nano - was.charge_nano)),
    ]
}

fn over(ran: &Ran) -> String {
    if ran.over.is_empty() || ran.over == "session" { String::new() } else { format!(" of {}", ran.over) }
}
