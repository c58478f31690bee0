//! Lines of fees: recurring ones of a cycle or a quarter, by days where the tariff says so, and those that are charged once.

use domain::money::{Money, NANO_PLACES, Rounding, RoundingMode};
use domain::period::Month;

use super::invoice::Draft;
use super::subject::{Held, Helds, Stay};
use super::{Case, Line, LineError, LineKind, Quantity};
use crate::tariff::recurring::Due;

/// Fractions as they are stored.
pub(super) const STORED: Rounding = Rounding { places: NANO_PLACES, mode: RoundingMode::HalfUp };

/// Adds the fees that are due.
pub(super) fn lines(case: &Case<'_>, held: &Helds<'_>, drafts: &mut Vec<Draft>) -> Result<(), LineError> {
    for stay in held.fees() {
        let terms = stay.first.terms();
        if terms.due == Due::Once && was_charged(case, &terms.name, stay.subscription) {
            continue;
        }
        if terms.by_days {
            let of = stay.days();
            for part in stay.parts() {
                drafts.push(line(case, &stay, &part.first, Some((part.days, of)))?);
            }
        } else {
            drafts.push(line(case, &stay, &stay.first, None)?);
        }
    }
    Ok(())
}

/// Whether a subject was charged once already: its first day may have moved since.
fn was_charged(case: &Case<'_>, name: &str, subscription: Option<&str>) -> bool {
    let is_it = |line: &&Line| line.kind == LineKind::OneTime && line.item.as_deref() == Some(name);
    case.posted.iter().filter(is_it).any(|line| line.subscription.as_deref() == subscription)
}

/// The whole amount by the terms of a stretch, or its share of days.
fn line(case: &Case<'_>, stay: &Stay<'_>, by: &Held<'_>, days: Option<(u32, u32)>) -> Result<Draft, LineError> {
    let (terms, due) = (by.terms(), stay.first.terms().due);
    let whole = i128::from(terms.amount);
    let (numerator, denominator) = days.map_or((whole, 1), |(days, of)| (whole * i128::from(days), i128::from(of)));
    let amount = by.tariff.line_rounding.line.divide(numerator, denominator);
    let whole = Money(whole);
    let mut draft = of_charge(case.cycle, stay, by);
    draft.line.kind = if due == Due::Once { LineKind::OneTime } else { LineKind::Recurring };
    draft.line.exact = case.amount(STORED.divide(numerator, denominator), &terms.name)?;
    draft.line.amount = case.amount(amount, &terms.name)?;
    draft.line.days = days;
    draft.line.says = Some(match (days, due) {
        (Some((days, of)), _) => format!("{whole} x {days} of {of} days"),
        (None, Due::Cycle) => format!("{whole} each cycle"),
        (None, Due::Quarter) => format!("{whole} each quarter"),
        (None, Due::Once) => format!("{whole} once"),
    });
    Ok(draft)
}

/// A line of what a stretch's plan asks of a subject, still without amounts.
pub(super) fn of_charge(period: Month, stay: &Stay<'_>, by: &Held<'_>) -> Draft {
    let (terms, tariff) = (by.terms(), by.tariff);
    let line = Line {
        kind: LineKind::Recurring,
        period,
        subscription: stay.subscription.map(Into::into),
        plan: Some(by.plan.into()),
        item: Some(terms.name.clone()),
        usage_kind: None,
        zone: None,
        band: None,
        currency: tariff.currency(),
        tax_class: terms.tax_class.clone(),
        tax: if tariff.tax_is_included { "included" } else { "excluded" }.into(),
        quantity: Quantity::default(),
        exact: Money(0),
        amount: Money(0),
        committed: None,
        days: None,
        tariff: Some(tariff.id().clone()),
        says: None,
    };
    Draft { line, invoice: tariff.line_rounding.invoice }
}
