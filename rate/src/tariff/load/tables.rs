//! The tables that few tariffs have: zones abroad by pair, what numbers ask, rates of exchange.

use std::collections::BTreeSet;

use domain::ids::Names;
use domain::money::Currency;

use super::zones::Lead;
use super::{Loader, SAME_NAMES, zone_code};
use crate::error::{Place, TariffError};
use crate::tariff::companion::{optional, required};
use crate::tariff::days::Days;
use crate::tariff::deck::ZoneRule;
use crate::tariff::exchange::{DAYS_MAX, Exchange, RATES_MAX};
use crate::tariff::field::{name, whole};
use crate::tariff::information::{Information, NUMBERS_MAX};
use crate::tariff::price_table::unknown;
use crate::tariff::roaming::{ANYWHERE, ROAMING_MAX, Roaming};

/// A row of the roaming table before its zones have codes.
pub(super) struct Pair {
    visited: String,
    called: String,
    pub zone: String,
    place: Place,
}

impl Loader<'_> {
    /// The rows of the roaming table.
    pub(super) fn roaming_pairs(&self) -> Result<Vec<Pair>, TariffError> {
        let mut pairs = Vec::new();
        if let Some(companion) = self.companion(self.raw.roaming.table.as_ref(), &SAME_NAMES) {
            let columns = [required("visited", "visited"), required("called", "called"), required("zone", "zone")];
            companion.each(&columns, ROAMING_MAX, |place, [visited, called, zone]| {
                name(&place, "zone", zone)?;
                pairs.push(Pair { visited: visited.to_owned(), called: called.to_owned(), zone: zone.to_owned(), place });
                Ok(())
            })?;
        }
        Ok(pairs)
    }

    /// The roaming table: its pairs must be zones that networks and numbers lead to.
    pub(super) fn roaming(pairs: Vec<Pair>, zones: &Names, lead: &Lead) -> Result<Roaming, TariffError> {
        let known = |place: &Place, field: &str, zone: &str, leading: &BTreeSet<u16>, defined| {
            let code = zones.code(zone).and_then(|code| u16::try_from(code).ok()).filter(|code| leading.contains(code));
            let names = leading.iter().map(|code| zones.name(u32::from(*code)));
            code.ok_or_else(|| unknown(place, field, zone, defined, names))
        };
        let rows = pairs.into_iter().map(|Pair { visited, called, zone, place }| {
            let abroad = "no network leads there, or it is the home zone";
            let from = known(&place, "visited", &visited, &lead.networks, abroad)?;
            let numbers = "no prefix or short code leads there; `*` stands for anywhere";
            let to = (called != ANYWHERE).then(|| known(&place, "called", &called, &lead.numbers, numbers)).transpose()?;
            let key = format!("{visited} to {called}").into();
            Ok(((from, to), ZoneRule { key, zone: zone_code(zones, &zone), days: Days::ALWAYS, place }))
        });
        Roaming::build(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn information(&self) -> Result<Option<Information>, TariffError> {
        let Some(companion) = self.companion(self.raw.information.table.as_ref(), &SAME_NAMES) else { return Ok(None) };
        let mut list = Information::default();
        let columns = [
            required("number", "number"),
            optional("per_call").of_amounts(),
            optional("per_minute").of_amounts(),
            optional("valid_from"),
            optional("valid_to"),
        ];
        companion.each(&columns, NUMBERS_MAX, |place, [number, call, minute, from, to]| {
            let days = Days::parse(&place, from, to)?;
            list.add(place, [number, call, minute], days)
        })?;
        Ok(Some(list))
    }

    pub(super) fn exchange(&self, own: Currency) -> Result<Exchange, TariffError> {
        let raw = &self.raw.exchange;
        let days_max = raw.days_max.map(|days| whole(&self.place, "exchange.days_max", &days.to_string(), 1..=366));
        let mut exchange = Exchange::new(days_max.transpose()?.unwrap_or(DAYS_MAX));
        if let Some(companion) = self.companion(raw.table.as_ref(), &SAME_NAMES) {
            let columns = [required("currency", "currency"), required("date", "date"), required("rate", "rate").of_amounts()];
            companion.each(&columns, RATES_MAX, |place, fields| exchange.add(place, own, fields))?;
        }
        Ok(exchange)
    }
}
