//! What each level of an owner path pays to the level above it: from the provider's cost, by the prices of sell plans, down to the charge.
//!
//! The plan `sell:PATH` says what the owner of a path pays to the level above it, and `sell:PATH:PLAN` what it pays for lines of one plan;
//! the latter goes first. The first level of a path buys from the provider, so no plan is asked for it; a level without a plan is
//! passed over, and who is below it buys from the next one above.

use domain::money::{Currency, Money};
use domain::outcome::Reason;

use crate::error::ExplainError;
use crate::expected::{expect, is_sold};
use crate::explain::ExplainInput;
use crate::tariff::Tariff;
use crate::tariff::set::TariffSet;

/// What the names of sell plans begin with.
pub const SELL: &str = "sell:";

/// Most levels of the owner path in the name of one: as many as a customer's may have.
pub(crate) const LEVELS_MAX: usize = 8;

/// A level that buys and sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// The owner path down to it.
    pub path: String,
    /// The plan by which it buys; `None`: from the provider.
    pub plan: Option<String>,
}

/// A price, or why there is none.
pub type Price = Result<(Money, Currency), Reason>;

/// What a level pays and is paid for one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal {
    /// What it pays to the level above it.
    pub bought: Price,
    /// What the level below it pays, or the customer.
    pub sold: Price,
}

/// Why a margin is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// There is no price for what is sold.
    Sold(Reason),
    /// There is no price for what is bought.
    Bought(Reason),
    /// The two are of different currencies.
    OtherCurrency,
}

impl Unknown {
    /// `sold`, `bought` or `both`: where to look.
    pub fn side(self) -> &'static str {
        match self {
            Self::Sold(_) => "sold",
            Self::Bought(_) => "bought",
            Self::OtherCurrency => "both",
        }
    }

    /// The reason as a row in suspense would have it, or `other_currency`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Sold(reason) | Self::Bought(reason) => reason.as_str(),
            Self::OtherCurrency => "other_currency",
        }
    }
}

impl Deal {
    /// What the level earns.
    pub fn margin(&self) -> Result<(Money, Currency), Unknown> {
        let (sold, currency) = self.sold.map_err(Unknown::Sold)?;
        let (bought, of) = self.bought.map_err(Unknown::Bought)?;
        if of == currency { Ok((Money(sold.0 - bought.0), currency)) } else { Err(Unknown::OtherCurrency) }
    }
}

/// The levels that buy and sell what a line of a plan uses, from the top.
pub fn levels(owner_path: &str, plan: &str, tariffs: &TariffSet) -> Vec<Level> {
    let top = owner_path.find('/').unwrap_or(owner_path.len());
    let ends = owner_path.match_indices('/').map(|(at, _)| at).chain([owner_path.len()]).filter(|end| *end > top);
    let below = ends.filter_map(|end| {
        let path = &owner_path[..end];
        let names = [format!("{SELL}{path}:{plan}"), format!("{SELL}{path}")];
        let plan = names.into_iter().find(|name| is_sold(name, tariffs))?;
        Some(Level { path: path.to_owned(), plan: Some(plan) })
    });
    [Level { path: owner_path[..top].to_owned(), plan: None }].into_iter().chain(below).collect()
}

/// What each of the levels pays and is paid for a record with a charge. A sell plan prices the record alone: neither allowances nor
/// discounts count, and a price by the cost is by the provider's.
pub fn deals(
    levels: &[Level],
    mut record: ExplainInput,
    charge: (Money, Currency),
    tariffs: &TariffSet,
) -> Result<Vec<Deal>, ExplainError> {
    let cost = record.cost_nano.zip(record.cost_currency).map(|(nano, currency)| (Money(nano.into()), currency));
    let mut bought = Vec::with_capacity(levels.len());
    for level in levels {
        bought.push(match &level.plan {
            None => cost.ok_or(Reason::NoCost),
            Some(plan) => {
                record.plan = Some(plan.clone());
                expect(&record, tariffs)?.charge
            }
        });
    }
    let sold = bought.iter().skip(1).copied().chain([Ok(charge)]);
    Ok(bought.iter().copied().zip(sold).map(|(bought, sold)| Deal { bought, sold }).collect())
}

/// Whether some tariff sells by a sell plan.
pub fn are_sold(tariffs: &TariffSet) -> bool {
    tariffs.tariffs().iter().any(has_sell_plans)
}

/// Whether some price beside a sell plan depends on the other party.
pub fn ask_party(tariffs: &TariffSet) -> bool {
    tariffs.tariffs().iter().any(|tariff| tariff.asks_party() && has_sell_plans(tariff))
}

fn has_sell_plans(tariff: &Tariff) -> bool {
    tariff.plan_names().any(|plan| plan.starts_with(SELL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::price;
    use crate::tests::fixture::{Row, batch, inline, linked, owners, set_of};

    const TOML: &str = r#"
name = "levels"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "any"
rounding = { places = 6, mode = "half_up" }
destinations.prefixes = { 31 = "NL" }

[[plan]]
name = "flat"

[[plan]]
name = "sell:main/r"

[[plan]]
name = "sell:main/r:flat"

[[plan]]
name = "sell:main/r/s/c"

[[plan]]
name = "sell:main"

[[price]]
plan = "*"
kind = "voice-*"
zone = "NL"
unit_price = "0.06"

[[price]]
plan = "sell:main/r:flat"
kind = "voice-*"
zone = "NL"
cost_plus = { percent = "10" }
"#;

    fn steps(path: &str, plan: &str) -> Vec<(String, Option<String>)> {
        levels(path, plan, &set_of(&inline(TOML))).into_iter().map(|level| (level.path, level.plan)).collect()
    }

    fn step(path: &str, plan: Option<&str>) -> (String, Option<String>) {
        (path.to_owned(), plan.map(str::to_owned))
    }

    #[test]
    fn a_level_without_a_plan_is_passed_over_and_the_plan_of_one_retail_plan_goes_first() {
        let top = || step("main", None);
        assert_eq!(steps("main", "flat"), [top()], "the top buys from the provider, whatever plan has its name");
        assert_eq!(steps("main/x/c", "flat"), [top()]);
        assert_eq!(steps("main/r", "flat"), [top(), step("main/r", Some("sell:main/r:flat"))]);
        let lowest = step("main/r/s/c", Some("sell:main/r/s/c"));
        assert_eq!(steps("main/r/s/c", "other"), [top(), step("main/r", Some("sell:main/r")), lowest], "s buys nothing");
        assert_eq!(steps("main/rr/s", "flat"), [top()], "a name that begins alike is another one");
    }

    #[test]
    fn each_level_pays_what_the_one_above_is_paid() {
        let tariffs = set_of(&inline(TOML));
        let people = owners(&["flat"], 1);
        let rated = price(linked(batch(vec![Row::default()], &[]), &people, vec![0]), &tariffs.bind(&people));
        let of = |cost_nano| ExplainInput { cost_nano, ..ExplainInput::of(&rated, 0) };
        let money = |nano| Money(nano);
        let euro = |nano| Ok((money(nano), Currency::EUR));
        let charge = (money(60_000_000), Currency::EUR);
        let deals = |plan, cost| {
            deals(&levels("main/r/s/c", plan, &tariffs), of(cost), charge, &tariffs).expect("a row that can be read")
        };
        let known = deals("flat", Some(40_000_000));
        let expected = [(40_000_000, 44_000_000), (44_000_000, 60_000_000), (60_000_000, 60_000_000)];
        assert_eq!(known, expected.map(|(bought, sold)| Deal { bought: euro(bought), sold: euro(sold) }));
        assert_eq!(known[1].margin(), Ok((money(16_000_000), Currency::EUR)));
        let unknown: Vec<_> = deals("flat", None).iter().map(Deal::margin).collect();
        assert_eq!(
            unknown,
            [Err(Unknown::Sold(Reason::NoCost)), Err(Unknown::Bought(Reason::NoCost)), Ok((money(0), Currency::EUR))]
        );
        assert_eq!(deals("other", None)[0].margin(), Err(Unknown::Bought(Reason::NoCost)), "what is sold has a price");
    }

    #[test]
    fn only_a_sell_plan_has_a_path_in_its_name() {
        let refused = |name: &str| {
            let error = Tariff::load(&inline(&TOML.replace("sell:main/r/s/c", name))).expect_err(name);
            error.to_string()
        };
        assert!(refused("main/r").contains("id `main/r` has the character '/'"), "{}", refused("main/r"));
        for name in ["sell:", "sell:main//c", "sell:main/c d"] {
            assert!(refused(name).contains("give it a plain name"), "{}", refused(name));
        }
        assert!(refused("sell:a/b/c/d/e/f/g/h/i").contains("at most 8 levels"));
    }

    #[test]
    fn currencies_are_not_netted() {
        let dollar = Currency::parse("USD").expect("a currency");
        let deal = Deal { bought: Ok((Money(1), dollar)), sold: Ok((Money(2), Currency::EUR)) };
        assert_eq!(deal.margin(), Err(Unknown::OtherCurrency));
        assert_eq!((Unknown::OtherCurrency.side(), Unknown::OtherCurrency.reason()), ("both", "other_currency"));
    }

    #[test]
    fn a_set_without_sell_plans_has_none() {
        assert!(are_sold(&set_of(&inline(TOML))) && !ask_party(&set_of(&inline(TOML))));
        assert!(!are_sold(&set_of(&inline(&TOML.replace("sell:main/", "buy:").replace("r/s/c", "c").replace("sell:", "buy:")))));
        assert!(ask_party(&set_of(&inline(&TOML.replacen("kind = ", "party = \"own_network\"\nkind = ", 1)))));
    }
}
