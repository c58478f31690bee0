//! Discounts: percent by what was spent, which records pay one after the other as each brings the sum further.

use std::collections::BTreeSet;

use num_rational::BigRational;
use num_traits::Zero;

use crate::amount::{decimal, rounded_nano, whole};
use crate::charge::{Charge, chargeable};
use crate::tariff::Tariff;
use crate::text::settled::{Count, DiscountText, Every, Scope};
use crate::usage::Usage;

/// A discount, as a version of a tariff has it.
#[derive(Debug)]
pub(crate) struct Discount {
    pub name: String,
    pub usage: Usage,
    pub every: Every,
    pub scope: Scope,
    count: Count,
    steps: Vec<Step>,
}

/// What is added to each unit of the currency behind a sum; less than nothing is taken off.
#[derive(Debug)]
struct Step {
    from: BigRational,
    factor: BigRational,
}

impl Discount {
    /// The discounts of a file, in its order.
    pub fn all(texts: Vec<DiscountText>) -> Result<Vec<Self>, String> {
        let mut names = BTreeSet::new();
        let mut discounts = Vec::with_capacity(texts.len());
        for text in texts {
            let name = text.name.clone();
            if !names.insert(name.clone()) {
                return Err(format!("two discounts are called `{name}`"));
            }
            discounts.push(Self::from_text(text).map_err(|problem| format!("discount `{name}`: {problem}"))?);
        }
        Ok(discounts)
    }

    fn from_text(text: DiscountText) -> Result<Self, String> {
        let number = |text: &str| decimal(text).ok_or_else(|| format!("`{text}` is no decimal"));
        let mut steps: Vec<Step> = Vec::with_capacity(text.steps.len());
        for step in &text.steps {
            let (from, percent) = (number(&step.from)?, number(&step.percent)?);
            let is_next = steps.last().map_or(from.is_zero(), |last| last.from < from);
            if !is_next {
                return Err("steps begin at 0, and each behind the one before it".to_owned());
            }
            if percent < whole(-100) || percent > whole(10_000) {
                return Err(format!("{percent} percent are less than -100 or more than 10000"));
            }
            steps.push(Step { from, factor: percent / whole(100) });
        }
        if steps.is_empty() || text.scope == Scope::Pooled {
            return Err("a discount has steps, and is `personal`, `shared` or a `group`'s".to_owned());
        }
        Ok(Self {
            usage: Usage::new([&text.plan, &text.kind, &text.zone], text.band.as_ref(), text.party.as_ref())?,
            every: text.every,
            scope: text.scope,
            count: text.count,
            steps,
            name: text.name,
        })
    }

    /// What a charge above zero becomes behind others that come to so much, both in units of 10⁻⁹.
    pub fn charge(&self, tariff: &Tariff, spent: i128, charge: Charge) -> Result<Charge, &'static str> {
        let at = |nano: i128| {
            let amount = self.at(&(whole(nano) / whole(1_000_000_000)));
            rounded_nano(&amount, tariff.places, tariff.mode)
        };
        let own = i128::from(charge.nano);
        let billed = u128::from(charge.billed.unsigned_abs());
        chargeable(billed, own + at(spent + own) - at(spent))
    }

    /// What a sum comes to be more, or less, exactly.
    fn at(&self, sum: &BigRational) -> BigRational {
        match self.count {
            Count::Graduated => {
                let ends = self.steps.iter().skip(1).map(|step| step.from.clone().min(sum.clone())).chain([sum.clone()]);
                let parts = self.steps.iter().zip(ends).filter(|(step, end)| step.from < *end);
                parts.map(|(step, end)| (end - &step.from) * &step.factor).sum()
            }
            Count::Volume => {
                let reached = self.steps.iter().rfind(|step| step.from < *sum);
                reached.map_or_else(|| whole(0), |step| sum * &step.factor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(own: &str) -> Result<Discount, String> {
        let toml = format!("name = \"d\"\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\n{own}");
        Discount::from_text(toml::from_str(&toml).map_err(|e| e.message().to_owned())?)
    }

    #[test]
    fn steps_lie_side_by_side_or_the_last_one_holds_for_all() {
        let steps = "steps = [{ from = \"0\", percent = \"0\" }, { from = \"100.00\", percent = \"-5\" }, \
                     { from = \"500\", percent = \"-7.5\" }]";
        let cases = [
            ("0", "0", "0"),
            ("100", "0", "0"),
            ("100.01", "-0.0005", "-5.0005"),
            ("500", "-20", "-25"),
            ("600", "-27.5", "-45"), // 400 × 5 % + 100 × 7.5 %; 600 × 7.5 %
        ];
        for (sum, graduated, volume) in cases {
            let at = |count: &str| {
                let discount = read(&format!("{count}\n{steps}")).expect("a discount");
                Some(discount.at(&decimal(sum).expect("a decimal")))
            };
            assert_eq!(at(""), decimal(graduated), "{sum}");
            assert_eq!(at("count = \"volume\""), decimal(volume), "{sum}");
        }
    }

    #[test]
    fn each_sum_is_rounded_and_the_difference_is_charged() {
        // Half of the last place is taken off each cent: sums of 0.5, 1, 1.5 and 2 last places.
        let discount = read("steps = [{ from = \"0\", percent = \"-0.5\" }]").expect("a discount");
        let cases =
            [("half_up", [-1, 0, -1, 0]), ("half_even", [0, -1, -1, 0]), ("up", [-1, 0, -1, 0]), ("down", [0, -1, 0, -1])];
        for (mode, expected) in cases {
            let toml = format!(
                "name = \"t\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2026-01-01\nhome_zone = \"HOME\"\n\
                 default_band = \"any\"\nrounding = {{ places = 4, mode = \"{mode}\" }}"
            );
            let tariff = Tariff::read("t", &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
            let last_places = [0, 1, 2, 3].map(|before| {
                let charge = Charge { billed: 7, nano: 10_000_000 };
                let charge = discount.charge(&tariff, before * 10_000_000, charge).expect("a charge");
                assert_eq!(charge.billed, 7);
                (charge.nano - 10_000_000) / 100_000
            });
            assert_eq!(last_places, expected, "{mode}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let steps = |steps: &[(&str, &str)]| {
            let step = |(from, percent): &(&str, &str)| format!("{{ from = \"{from}\", percent = \"{percent}\" }}");
            format!("steps = [{}]", steps.iter().map(step).collect::<Vec<_>>().join(", "))
        };
        let cases = [
            String::new(),
            steps(&[]),
            steps(&[("1", "0")]),
            steps(&[("-1", "0")]),
            steps(&[("0", "0"), ("0.00", "-5")]),
            steps(&[("0", "0"), ("9", "-5"), ("8", "-6")]),
            steps(&[("0", "-100.1")]),
            steps(&[("0", "10000.1")]),
            steps(&[("0", "5 %")]),
            steps(&[("nothing", "5")]),
            format!("scope = \"pooled\"\n{}", steps(&[("0", "5")])),
            format!("count = \"all\"\n{}", steps(&[("0", "5")])),
            format!("every = \"year\"\n{}", steps(&[("0", "5")])),
            format!("priority = 1\n{}", steps(&[("0", "5")])),
        ];
        for own in cases {
            assert!(read(&own).is_err(), "{own}");
        }
        assert!(read(&steps(&[("0.00", "-100"), ("0.01", "10000")])).is_ok());
        let text =
            || toml::from_str(&format!("name = \"d\"\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\n{}", steps(&[("0", "5")])));
        let twice = Discount::all(vec![text().expect("a text"), text().expect("a text")]).map(|_| ());
        assert_eq!(twice, Err("two discounts are called `d`".to_owned()));
    }
}
