//! What price rows say together: classes of tax that are few, bounds that rounding keeps, sums that go together.

use std::collections::BTreeSet;

use domain::money::{Money, Rounding};
use domain::usage::{Direction, Usage, UsageKind};

use super::{NO_CELL, Scope, gcd, unit_nano};
use crate::error::TariffError;
use crate::tariff::field::bad;
use crate::tariff::plan::Plan;
use crate::tariff::price_row::{Formula, Information, PriceRow, names_kind};

/// Largest common size of the unit prices of a call's bands.
const PERS_MAX: u64 = 1_000_000_000;

/// Most tax classes of a tariff.
const TAX_CLASSES_MAX: usize = 250;

/// The tax classes of all rows, each once.
pub(super) fn tax_classes(scope: &Scope<'_>, rows: &[PriceRow]) -> Result<Vec<Option<String>>, TariffError> {
    let named: BTreeSet<Option<&str>> = rows.iter().map(|row| row.tax_class.as_deref().or(scope.tax_class)).collect();
    if named.len() > TAX_CLASSES_MAX {
        return Err(TariffError::TooMany { place: scope.file.clone(), what: "tax classes", limit: TAX_CLASSES_MAX });
    }
    Ok(named.into_iter().map(|class| class.map(str::to_owned)).collect())
}

/// What a number asks is added to calls and messages, out of a list that is there, and to unit sizes with which it goes together.
pub(super) fn check_information(row: &PriceRow, scope: &Scope<'_>) -> Result<(), TariffError> {
    let Formula::Units { extras, per, .. } = &row.formula else { return Ok(()) };
    let data = Usage::new(UsageKind::Data, Direction::Outgoing);
    let refused = |word: Information, expected: &str| Err(bad(&row.place, "information", word.as_str(), expected));
    match extras.information {
        Some(word @ Information::Listed) if !scope.has_information => {
            refused(word, "it needs a list of what numbers ask; add `[information] table = \"FILE.csv\"`")
        }
        Some(word @ Information::Listed) if row.kinds.iter().any(|kind| names_kind(kind, data)) => {
            refused(word, "data has no number that could ask something; name the kinds of calls and messages")
        }
        Some(word) if per.is_some_and(|per| per > PERS_MAX) => {
            refused(word, "a `per` of at most 1000000000 is expected beside it")
        }
        Some(_) | None => Ok(()),
    }
}

/// A bound that is finer than the last place of a charge would be broken by rounding.
pub(super) fn check_bounds(row: &PriceRow, rounding: Rounding) -> Result<(), TariffError> {
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
pub(super) fn check_edges(plan: &Plan, rows: &[PriceRow], bands: &[u32]) -> Result<(), TariffError> {
    let mut pers = 1u64;
    for row in bands.iter().filter(|cell| **cell != NO_CELL).map(|cell| &rows[*cell as usize]) {
        if let Some(total) = &row.total {
            let expected = format!("`record` is expected, because plan `{}` cuts calls at the edge of a band", plan.name);
            return Err(bad(&row.place, "rounding_scope", total.over.as_str(), expected));
        }
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
