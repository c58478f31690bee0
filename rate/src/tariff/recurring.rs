//! What fees and commitments have in common: whom they are for, how often, and which share of a period is asked.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Place, TariffError};
use crate::tariff::allowance::{Whose, one_of, whose};
use crate::tariff::coverage::Known;
use crate::tariff::field::{AMOUNT_NANO_MAX, bad, name};
use crate::tariff::raw::OneOrMany;

/// How often something is due, by the customer's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// In each cycle.
    Cycle,
    /// In the last cycle of each quarter.
    Quarter,
    /// In the cycle of its first day.
    Once,
}

impl Due {
    /// As a tariff writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cycle => "cycle",
            Self::Quarter => "quarter",
            Self::Once => "once",
        }
    }
}

/// A fee, or the amount of a commitment.
#[derive(Debug)]
pub(crate) struct Recurring {
    pub name: Arc<str>,
    pub place: Place,
    /// By number of the plan.
    pub plans: Vec<bool>,
    /// Nano-units, at most [`AMOUNT_NANO_MAX`] to both sides; below zero it is a credit.
    pub amount: i64,
    pub due: Due,
    /// [`Whose::Personal`] or [`Whose::Shared`].
    pub whose: Whose,
    /// Whether the share of the days is asked on which a line has the plan.
    pub by_days: bool,
    /// Its own, else that of the head.
    pub tax_class: Option<Arc<str>>,
}

/// The same as a tariff writes it.
pub(super) struct RawRecurring<'r> {
    pub name: &'r str,
    pub plan: &'r OneOrMany,
    pub amount: i64,
    pub every: Option<&'r str>,
    pub scope: Option<&'r str>,
    pub pro_rata: Option<&'r str>,
    pub tax_class: Option<&'r str>,
}

/// What checks them, one after the other: their names are of one list.
pub(super) struct Charges<'t> {
    pub known: &'t Known<'t>,
    /// The tax class of the head.
    pub tax_class: Option<&'t str>,
    seen: HashMap<String, Place>,
}

impl<'t> Charges<'t> {
    pub fn new(known: &'t Known<'t>, tax_class: Option<&'t str>) -> Self {
        Self { known, tax_class, seen: HashMap::new() }
    }

    /// Checks what is due so often, for one of these; the first is the usual.
    pub fn check(
        &mut self,
        place: Place,
        raw: &RawRecurring<'_>,
        often: &[Due],
        for_whom: &[Whose],
    ) -> Result<Recurring, TariffError> {
        name(&place, "name", raw.name)?;
        if let Some(first) = self.seen.insert(raw.name.to_owned(), place.clone()) {
            return Err(TariffError::Twice { place, what: format!("fee or commitment `{}`", raw.name), first });
        }
        if let Some(class) = raw.tax_class {
            name(&place, "tax_class", class)?;
        }
        Ok(Recurring {
            name: raw.name.into(),
            plans: self.known.plans(&place, raw.plan)?,
            amount: raw.amount,
            due: due(&place, raw.every, often)?,
            whose: whose(&place, "scope", raw.scope, for_whom)?,
            by_days: one_of(&place, "pro_rata", raw.pro_rata, ["none", "days"])?,
            tax_class: raw.tax_class.or(self.tax_class).map(Arc::from),
            place,
        })
    }
}

/// How often something is due: one of these, the first where nothing is said.
fn due(place: &Place, text: Option<&str>, known: &[Due]) -> Result<Due, TariffError> {
    let Some(text) = text else { return Ok(known[0]) };
    let refused = || {
        let words: Vec<String> = known.iter().map(|due| format!("`{}`", due.as_str())).collect();
        let (last, others) = words.split_last().expect("there are several");
        bad(place, "every", text, format!("{} or {last} is expected", others.join(", ")))
    };
    known.iter().copied().find(|due| due.as_str() == text).ok_or_else(refused)
}

/// An amount within the limit to both sides, in nano-units.
pub(super) fn signed(place: &Place, text: &str) -> Result<i64, TariffError> {
    let nano = domain::money::Money::parse(text).and_then(|money| i64::try_from(money.0).ok());
    nano.filter(|nano| nano.unsigned_abs() <= AMOUNT_NANO_MAX)
        .ok_or_else(|| bad(place, "amount", text, "an amount such as \"12.50\" is expected, at most 1000000, at most 9 places"))
}
