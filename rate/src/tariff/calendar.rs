//! Named calendars of a tariff: dates on which bands hold, or do not.

use std::collections::BTreeMap;

use domain::nearest;
use domain::zone::days_of;
use toml::value::Datetime;

use crate::error::{Place, TariffError};
use crate::tariff::band::DAYS;
use crate::tariff::field::{bad, name};

/// Most calendars of a tariff, and most dates of all of them.
const CALENDARS_MAX: usize = 100;
pub(super) const DATES_MAX: usize = 5_000;

const DATE: &str = "a date such as 2026-12-25 is expected, from 1970 to 2099";

/// Days that have a name together: the public holidays of a country.
#[derive(Debug)]
pub(crate) struct Calendar {
    pub name: String,
    /// Days since 1970, ascending, each once.
    pub days: Vec<i32>,
}

/// Calendars by name, as they are collected.
#[derive(Debug, Default)]
pub(crate) struct Calendars {
    all: Vec<Calendar>,
    places: BTreeMap<String, Place>,
    dates: usize,
}

impl Calendars {
    /// Adds a calendar with the days that its dates are.
    pub fn add(&mut self, place: Place, called: &str, mut days: Vec<i32>) -> Result<(), TariffError> {
        name(&place, "name", called)?;
        if is_days(called) {
            return Err(bad(&place, "name", called, "days have this name; give the calendar another"));
        }
        if days.is_empty() {
            return Err(bad(&place, "dates", "[]", "a calendar without dates says nothing; add dates or remove it"));
        }
        if let Some(first) = self.places.insert(called.to_owned(), place.clone()) {
            return Err(TariffError::Twice { place, what: format!("calendar `{called}`"), first });
        }
        self.dates += days.len();
        if self.all.len() == CALENDARS_MAX {
            return Err(TariffError::TooMany { place, what: "calendars", limit: CALENDARS_MAX });
        }
        if self.dates > DATES_MAX {
            return Err(TariffError::TooMany { place, what: "dates in calendars", limit: DATES_MAX });
        }
        days.sort_unstable();
        days.dedup();
        self.all.push(Calendar { name: called.to_owned(), days });
        Ok(())
    }

    /// The number of a calendar.
    pub fn find(&self, called: &str) -> Option<usize> {
        self.all.iter().position(|calendar| calendar.name == called)
    }

    /// What a name may have meant, of the calendars and of other names.
    pub fn hint<'a>(&'a self, called: &str, others: impl IntoIterator<Item = &'a str>) -> String {
        nearest::hint(called, self.all.iter().map(|calendar| calendar.name.as_str()).chain(others))
    }

    pub fn into_all(self) -> Vec<Calendar> {
        self.all
    }
}

impl Calendar {
    pub fn holds(&self, day: i32) -> bool {
        self.days.binary_search(&day).is_ok()
    }
}

/// `mon` and `mon-fri`, which a list of days takes for weekdays.
fn is_days(text: &str) -> bool {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    DAYS.contains(&first) && DAYS.contains(&last)
}

/// The day of a date in TOML, since 1970.
pub(super) fn day_of(place: &Place, date: &Datetime) -> Result<i32, TariffError> {
    day(date).ok_or_else(|| bad(place, "dates", date, DATE))
}

/// The day of a date in a table.
pub(super) fn day_of_text(place: &Place, field: &str, text: &str) -> Result<i32, TariffError> {
    let date: Option<Datetime> = text.parse().ok();
    date.as_ref().and_then(day).ok_or_else(|| bad(place, field, text, DATE))
}

fn day(date: &Datetime) -> Option<i32> {
    let (Some(day), None, None) = (date.date, date.time, date.offset) else { return None };
    let is_near = (1970..2100).contains(&day.year);
    is_near.then(|| days_of(i32::from(day.year), u32::from(day.month), u32::from(day.day))).flatten()
}
