//! Totals: what a price counts over several records, and what one of them costs beside those before it.

use jiff::Timestamp;

use crate::charge::{Charge, Place, Share, charge};
use crate::grant::Sort;
use crate::owner::{Customer, Whose, Window};
use crate::period::Period;
use crate::record::Record;
use crate::tariff::Found;
use crate::text::settled::{Every, Scope};
use crate::text::{PriceText, RoundingScope};

/// What the setup, minimum, steps and bounds of a price are of, where they are not of each record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Over {
    Session,
    /// A total of a period, which prices of the same name share.
    Period {
        total: String,
        every: Every,
        scope: Scope,
    },
}

impl Over {
    /// What a price is of, by itself or by the head; `None` is each record.
    pub fn of(text: &PriceText, head: RoundingScope) -> Result<Option<Self>, String> {
        // What is the provider's cost stays by the record, whatever the head says.
        let usual = if text.cost_plus.is_some() { RoundingScope::Record } else { head };
        let rounded = text.rounding_scope.unwrap_or(usual);
        let has_total = text.total.is_some() || text.total_scope.is_some();
        let over = match (rounded.every(), &text.total) {
            (None, _) if has_total => return Err("`total` and `total_scope` are of a period".to_owned()),
            (None, _) if rounded == RoundingScope::Session => Self::Session,
            (None, _) if text.count.is_some() => return Err("`count` is of more than a record".to_owned()),
            (None, _) => return Ok(None),
            (Some(_), None) => return Err("over a period, a price has a `total`".to_owned()),
            (Some(every), Some(total)) => {
                Self::Period { total: total.clone(), every, scope: text.total_scope.unwrap_or_default() }
            }
        };
        if matches!(over, Self::Period { scope: Scope::Pooled, .. }) {
            return Err("a total is `personal`, `shared` or a `group`'s".to_owned());
        }
        if text.cost_plus.is_some() || text.information.is_some() || text.free_units.is_some_and(|free| free > 0) {
            return Err("`cost_plus`, `free_units` and `information` are of each record".to_owned());
        }
        Ok(Some(over))
    }
}

/// Which total, whatever tariff counts in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Total<'r> {
    Session { session: String, counted: Sort<'r>, whose: Whose<'r> },
    Period { name: &'r str, counted: Sort<'r>, whose: Whose<'r>, period: Period },
}

impl<'r> Total<'r> {
    /// That of a record which starts then in a window of a customer; `None` if no other record can be in it.
    pub fn of(over: &'r Over, record: &Record<'_>, window: &'r Window, customer: &Customer, start: Timestamp) -> Option<Self> {
        let counted = Sort::counted(record.family());
        Some(match over {
            Over::Session if record.session.is_empty() => return None,
            Over::Period { scope: Scope::Group, .. } if window.group.is_none() => return None,
            Over::Session => {
                Self::Session { session: record.session.to_owned(), counted, whose: Whose::of(window, Scope::Personal) }
            }
            Over::Period { total, every, scope } => Self::Period {
                name: total,
                counted,
                whose: Whose::of(window, *scope),
                period: Period::of(*every, customer, start),
            },
        })
    }
}

/// What so many units of a record cost in a total that stands at `before`, if any record came before it: what the whole costs then, less
/// what it cost.
pub(crate) fn charge_in(
    place: &Place<'_>,
    found: Found,
    record: &Record<'_>,
    before: Option<u64>,
    units: u64,
) -> Result<Charge, &'static str> {
    let whole = |units| charge(place, found, record, Share::Total { units });
    let after = whole(before.unwrap_or(0).checked_add(units).ok_or("charge_limit")?)?;
    let Some(before) = before.map(whole).transpose()? else { return Ok(after) };
    Ok(Charge { billed: after.billed - before.billed, nano: after.nano - before.nano })
}
