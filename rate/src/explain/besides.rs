//! The texts of what few tariffs have: a fallback for plans that nobody sells, prices by the other party, what numbers ask, rates of
//! exchange, tax.

use domain::columns::linked::Party;
use domain::money::Money;
use domain::number::{NumberKind, masked};
use domain::outcome::Reason;

use crate::explain::amount;
use crate::instant::day_text;
use crate::price::Facts;
use crate::price::charge::{cost, information};
use crate::tariff::Tariff;
use crate::tariff::price_row::{Formula, Information};
use crate::tariff::price_table::Charge;

/// The plan whose prices hold because no tariff sells the record's own.
pub(super) fn fallback(tariff: &Tariff, plan: &str) -> Option<String> {
    let holds = &tariff.plans.get(tariff.fallback_plan? as usize)?.name;
    let is_sold = tariff.plan_names().any(|name| name == plan);
    (!is_sold).then(|| format!("no tariff sells `{plan}` at that instant, so this one's fallback plan `{holds}` holds"))
}

/// Who the other party is.
pub(super) fn party(party: Party) -> Option<String> {
    let why = match party {
        Party::Unasked => return None,
        Party::Other => "none of our numbers at that instant",
        Party::OwnNetwork => "one of our numbers at that instant, of another customer",
        Party::OwnCustomer => "a number of the same customer at that instant",
        Party::Group => "a number of the same group at that instant, of another customer",
        Party::GroupCustomer => "a number of the same group and of the same customer at that instant",
    };
    Some(format!("{}, {why}", party.name()?))
}

/// Whom a price is for.
pub(super) fn parties(named: &[Party]) -> Option<String> {
    let names: Vec<&str> = named.iter().filter_map(|party| party.name()).collect();
    (!names.is_empty()).then(|| format!("only with parties of {}", names.join(", ")))
}

/// What a price says of tax: `class standard, excluded`.
pub(super) fn tax(tariff: &Tariff, charge: &Charge) -> String {
    let word = if tariff.tax_is_included { "included" } else { "excluded" };
    let class = tariff.prices.tax_classes.get(usize::from(charge.tax)).and_then(Option::as_deref);
    class.map_or_else(|| format!("{word}, without a class"), |class| format!("{word}, class {class}"))
}

/// The provider's cost in the tariff's currency, as a factor of a sum: `0.20 × 0.9213`.
pub(super) fn cost_text(tariff: &Tariff, facts: &Facts) -> String {
    let cost_text = amount(facts.cost_nano.unwrap_or(0));
    match cost(tariff, facts) {
        Ok((_, (rate, size))) if size != 1 => format!("{cost_text} × {}", rate_text(rate)),
        _ => cost_text,
    }
}

/// Which rate was taken, or looked for.
pub(super) fn rate_line(tariff: &Tariff, facts: &Facts) -> Option<String> {
    if facts.cost_nano.is_none() || facts.cost_currency == tariff.currency() {
        return None;
    }
    let day = tariff.day_of(facts.start_us);
    let (from, to) = (facts.cost_currency, tariff.currency());
    let found = tariff.exchange.find(facts.cost_currency, day);
    Some(match found {
        Some(rate) => {
            let worth = rate_text(rate.nano);
            format!("a {from} is worth {worth} {to} on {}, by the rate of {} ({})", day_text(day), day_text(rate.day), rate.place)
        }
        None => format!("no rate of {from} holds on {}; rates hold for {} days", day_text(day), tariff.exchange.days_max),
    })
}

/// What the number asks, line by line, and the term of the sum.
pub(super) fn information_lines(tariff: &Tariff, charge: &Charge, facts: &Facts) -> (Vec<String>, Option<String>) {
    let Formula::Units { extras, .. } = &tariff.prices.rows[charge.row as usize].formula else { return (Vec::new(), None) };
    match (extras.information, information(tariff, charge, facts)) {
        (Some(Information::Cost), Ok(_)) => {
            let lines = std::iter::once("the number asks what the provider asks".to_owned()).chain(rate_line(tariff, facts));
            (lines.collect(), Some(cost_text(tariff, facts)))
        }
        (Some(Information::Listed), Ok(_)) => {
            let list = tariff.information.as_ref();
            let Some(asked) = list.and_then(|list| list.find(facts.b_number, tariff.day_of(facts.start_us))) else {
                return (Vec::new(), None);
            };
            let (call, minute) = (amount(asked.per_call_nano), amount(asked.per_minute_nano));
            let line = format!("the number asks {call} and {minute} per minute ({})", asked.place);
            let by_time = (asked.per_minute_nano > 0).then(|| format!(" + {minute} × {} / 60", facts.units.unwrap_or(0)));
            (vec![line], Some(call + &by_time.unwrap_or_default()))
        }
        _ => (Vec::new(), None),
    }
}

/// What a charge needed and did not find: a cost, its rate, or what the number asks.
pub(super) fn missing(tariff: &Tariff, facts: &Facts, reason: Reason) -> Option<String> {
    let day = || day_text(tariff.day_of(facts.start_us));
    match reason {
        Reason::NoCost => Some("the source gives no cost for this record".to_owned()),
        Reason::NoRate => rate_line(tariff, facts).map(|line| {
            let rates = tariff.exchange.rates.get(&facts.cost_currency);
            let last = rates.and_then(|rates| rates.iter().rfind(|rate| rate.day <= tariff.day_of(facts.start_us)));
            last.map_or(line.clone(), |last| format!("{line}; the last one is of {} ({})", day_text(last.day), last.place))
        }),
        Reason::NoInformation => {
            let number = match facts.b_number.kind() {
                NumberKind::E164 => masked(&facts.b_number.value().to_string()),
                NumberKind::ShortCode => facts.b_number.value().to_string(),
                _ => "what was called".to_owned(),
            };
            Some(format!("{number} is in no row of the tariff's information list that holds on {}", day()))
        }
        _ => None,
    }
}

fn rate_text(nano: impl Into<i128>) -> String {
    Money(nano.into()).to_text(9).trim_end_matches('0').trim_end_matches('.').to_owned()
}
