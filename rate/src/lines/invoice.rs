//! What rounding an invoice adds: the sum of its lines of one currency and tax is rounded, and the difference is a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::money::{Currency, Money, Rounding, RoundingMode};
use domain::period::Month;

use super::{AMOUNT_NANO_MAX, Case, Line, LineError, LineKind, Quantity};

/// A line, and how the invoice that it stands on is rounded by its tariff.
pub(super) struct Draft {
    pub line: Line,
    pub invoice: Rounding,
}

/// What is added up: the cycle of the invoice and whether it is a corrected one; currency and tax; and the rounding's places and mode.
type Group<'d> = (Month, bool, Currency, Option<&'d str>, &'d str, u8, u8);

/// The lines that round the documents of a customer.
pub(super) fn roundings(case: &Case<'_>, drafts: &[Draft]) -> Result<Vec<Draft>, LineError> {
    let mut sums: BTreeMap<Group<'_>, (i128, Rounding)> = BTreeMap::new();
    for Draft { line, invoice } in drafts {
        let is_correction = line.kind == LineKind::Correction;
        let period = if is_correction { line.period } else { case.cycle };
        let mode = match invoice.mode {
            RoundingMode::HalfUp => 0,
            RoundingMode::HalfEven => 1,
            RoundingMode::Up => 2,
            RoundingMode::Down => 3,
        };
        let group = (period, is_correction, line.currency, line.tax_class.as_deref(), &*line.tax, invoice.places, mode);
        let sum = sums.entry(group).or_insert((0, *invoice));
        let more = sum.0.checked_add(line.amount.0).filter(|nano| nano.abs() <= AMOUNT_NANO_MAX);
        sum.0 = more.ok_or_else(|| case.beyond(LineKind::Rounding.as_str()))?;
    }
    let mut roundings = Vec::new();
    for ((period, _, currency, tax_class, tax, ..), (sum, rounding)) in sums {
        let total = rounding.divide(sum, 1);
        if total == sum {
            continue;
        }
        let line = Line {
            kind: LineKind::Rounding,
            period,
            subscription: None,
            plan: None,
            item: None,
            usage_kind: None,
            zone: None,
            band: None,
            currency,
            tax_class: tax_class.map(Arc::from),
            tax: tax.into(),
            quantity: Quantity::default(),
            exact: Money(0),
            amount: case.amount(total - sum, LineKind::Rounding.as_str())?,
            committed: None,
            days: None,
            tariff: None,
            says: Some(format!("{} to {}", Money(sum), Money(total))),
        };
        roundings.push(Draft { line, invoice: rounding });
    }
    Ok(roundings)
}
