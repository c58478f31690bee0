//! Rows of the tables beside a tariff, as they are shown and compared.

use domain::money::{Currency, Money};

use crate::instant::day_text;
use crate::listing::{AskedNumber, DatedRate, Rule, tables};
use crate::tariff::Tariff;
use crate::tariff::exchange::Rate;

/// What leads to its zones.
pub(super) fn rules(tariff: &Tariff) -> impl Iterator<Item = Rule> {
    tables(tariff).into_iter().flat_map(move |(by, rules)| {
        rules.iter().map(move |rule| Rule {
            by,
            key: rule.key.to_string(),
            days: rule.days.text(),
            zone: tariff.zones.name(u32::from(rule.zone)).to_owned(),
            place: rule.place.to_string(),
        })
    })
}

/// What numbers ask.
pub(super) fn numbers(tariff: &Tariff) -> Vec<AskedNumber> {
    let rows = tariff.information.iter().flat_map(|list| &list.rows);
    let number = rows.map(|row| AskedNumber {
        number: row.number.to_string(),
        days: row.days.text(),
        per_call: Money(row.per_call_nano.into()).to_string(),
        per_minute: Money(row.per_minute_nano.into()).to_string(),
    });
    number.collect()
}

/// Rates of exchange, by currency and date.
pub(super) fn rates(tariff: &Tariff) -> Vec<DatedRate> {
    let of_currency = |(currency, rates): (&Currency, &Vec<Rate>)| {
        let rate = |rate: &Rate| DatedRate {
            currency: currency.to_string(),
            date: day_text(rate.day),
            rate: Money(rate.nano.into()).to_string(),
        };
        rates.iter().map(rate).collect::<Vec<_>>()
    };
    tariff.exchange.rates.iter().flat_map(of_currency).collect()
}
