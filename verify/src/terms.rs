//! The allowances of a tariff: what each covers, what it gives, and how records draw from it.

use std::collections::BTreeSet;

use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::amount::{decimal, whole};
use crate::text::settled::{AllowanceText, Beyond, Every, FairUseText, ProRata, Scope, SetupFee};
use crate::usage::Usage;

/// An allowance, as a version of a tariff has it.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub name: String,
    pub usage: Usage,
    pub gives: Gives,
    pub every: Every,
    pub scope: Scope,
    /// Of a record that draws from it at least so many units are taken.
    pub minimum: u64,
    /// Beyond the minimum, multiples of this are.
    pub increment: u64,
    pub setup: SetupFee,
    pub priority: i64,
    pub weight: i64,
    /// Periods for which what is left stays.
    pub roll_over: i32,
    pub beyond: Beyond,
    pro_rata: ProRata,
}

/// What an allowance gives in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gives {
    Units(BigRational),
    Unlimited,
    /// Units of 10⁻⁹ of the tariff's currency.
    Money(BigRational),
    /// What may be charged at most, in the same units.
    Limit(BigRational),
}

/// What an allowance works on, in the order in which a record meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The units of the record.
    Units,
    /// The charge of what is left of them, which it limits.
    Limit,
    /// What the limits leave of the charge, from which it takes.
    Credit,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Units, Self::Limit, Self::Credit];
}

impl Allowance {
    /// The allowances of a file, in its order.
    pub fn all(texts: Vec<AllowanceText>) -> Result<Vec<Self>, String> {
        let mut names = BTreeSet::new();
        let mut allowances = Vec::with_capacity(texts.len());
        for text in texts {
            let name = text.name.clone();
            if !names.insert(name.clone()) {
                return Err(format!("two allowances are called `{name}`"));
            }
            allowances.push(Self::from_text(text).map_err(|problem| format!("allowance `{name}`: {problem}"))?);
        }
        Ok(allowances)
    }

    fn from_text(text: AllowanceText) -> Result<Self, String> {
        let gives = gives(&text)?;
        let rounds = text.minimum.is_some() || text.increment.is_some() || text.setup.is_some();
        if rounds && matches!(gives, Gives::Money(_) | Gives::Limit(_)) {
            return Err("`minimum`, `increment` and `setup` are of units, and it gives none".to_owned());
        }
        if text.roll_over > 0 && matches!(gives, Gives::Limit(_)) {
            return Err("`roll_over` is of what it gives, and it is a limit".to_owned());
        }
        if text.beyond == Beyond::Block && matches!(gives, Gives::Limit(_) | Gives::Unlimited) {
            return Err("`beyond` is of what runs out, and it has no end or is a limit".to_owned());
        }
        if text.increment == Some(0) {
            return Err("an increment is not zero".to_owned());
        }
        Ok(Self {
            usage: Usage::new([&text.plan, &text.kind, &text.zone], text.band.as_ref(), text.party.as_ref())?,
            every: text.every,
            scope: text.scope,
            minimum: text.minimum.unwrap_or(0),
            increment: text.increment.unwrap_or(1),
            setup: text.setup.unwrap_or_default(),
            priority: text.priority,
            weight: text.weight,
            // Of what never runs out nothing is left over.
            roll_over: if gives == Gives::Unlimited { 0 } else { i32::from(text.roll_over) },
            beyond: text.beyond,
            pro_rata: text.pro_rata,
            name: text.name,
            gives,
        })
    }

    /// What it works on.
    pub fn stage(&self) -> Stage {
        match self.gives {
            Gives::Units(_) | Gives::Unlimited => Stage::Units,
            Gives::Limit(_) => Stage::Limit,
            Gives::Money(_) => Stage::Credit,
        }
    }

    /// What it gives whoever had it on some of a period's days, rounded up to whole units, or to the places of a charge; `None` is without
    /// end.
    pub fn share(&self, days: usize, of: usize, places: u32) -> Option<u128> {
        let (amount, step) = match &self.gives {
            Gives::Units(amount) => (amount, whole(1)),
            Gives::Money(amount) | Gives::Limit(amount) => (amount, whole(10u64.pow(9u32.saturating_sub(places)))),
            Gives::Unlimited => return None,
        };
        let part = BigRational::new(days.into(), of.max(1).into());
        if self.pro_rata == ProRata::None {
            return amount.ceil().to_integer().to_u128();
        }
        let rounded = (amount * part / &step).ceil() * step;
        Some(rounded.to_integer().to_u128().expect("an amount is checked when it is read"))
    }

    /// What is taken of a record that has so many units, the first time that it draws from this allowance.
    pub fn rounded(&self, units: u128, minimum: u64) -> u128 {
        let (minimum, increment) = (u128::from(minimum), u128::from(self.increment));
        minimum + units.saturating_sub(minimum).div_ceil(increment) * increment
    }
}

/// What a text gives: units, money, all, or what a regulation makes of a price.
fn gives(text: &AllowanceText) -> Result<Gives, String> {
    let unlimited = text.unlimited.then_some(Gives::Unlimited);
    let units = text.units.map(|units| Gives::Units(whole(units)));
    let nano = |money: &String| Ok::<_, String>(amount(money)? * whole(1_000_000_000));
    let money = text.money.as_ref().map(nano).transpose()?.map(Gives::Money);
    let most = text.most.as_ref().map(nano).transpose()?.map(Gives::Limit);
    let fair_use = text.fair_use.as_ref().map(fair_use).transpose()?;
    let mut given = [unlimited, units, money, fair_use, most].into_iter().flatten();
    let (Some(gives), None) = (given.next(), given.next()) else {
        return Err("it has `units`, or `money`, or `unlimited`, or `fair_use`, or `most`".to_owned());
    };
    match &gives {
        Gives::Units(amount) | Gives::Money(amount) | Gives::Limit(amount) if *amount > whole(u64::MAX) => {
            Err("it gives more than can be counted".to_owned())
        }
        _ => Ok(gives),
    }
}

fn amount(text: &str) -> Result<BigRational, String> {
    decimal(text).filter(|amount| !amount.is_negative()).ok_or_else(|| format!("`{text}` is no amount"))
}

/// Twice of what the price buys at the cap, Regulation (EU) 2022/612.
fn fair_use(text: &FairUseText) -> Result<Gives, String> {
    let (price, cap) = (amount(&text.price)?, amount(&text.cap)?);
    if cap.is_zero() {
        return Err("a cap is not zero".to_owned());
    }
    Ok(Gives::Units((whole(2) * price / cap * whole(text.per)).ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(own: &str) -> Result<Allowance, String> {
        let toml = format!("name = \"a\"\nplan = \"*\"\nkind = \"voice-*\"\nzone = \"*\"\n{own}");
        Allowance::from_text(toml::from_str(&toml).map_err(|e| e.message().to_owned())?)
    }

    #[test]
    fn parts_of_a_period_are_rounded_up() {
        let cases = [
            ("units = 100", Some(100)),
            ("units = 100\npro_rata = \"days\"", Some(33)), // 100 × 10 / 31 = 32.26
            ("units = 100\nthresholds = [50, 100]\nbeyond = \"block\"", Some(100)),
            ("money = \"10.00\"\nthresholds = []", Some(10_000_000_000)),
            ("money = \"10.00\"\npro_rata = \"days\"", Some(3_225_806_452)), // 3.2258064516...
            ("most = \"10.00\"", Some(10_000_000_000)),
            ("most = \"10.00\"\npro_rata = \"days\"", Some(3_225_806_452)),
            ("unlimited = true\npro_rata = \"days\"", None),
            // 2 × 17.50 / 1.10 = 31.81 gigabytes
            ("fair_use = { price = \"17.50\", cap = \"1.10\", per = 1_000_000_000 }", Some(31_818_181_819)),
        ];
        for (own, share) in cases {
            assert_eq!(read(own).map(|allowance| allowance.share(10, 31, 9)), Ok(share), "{own}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let cases = [
            "",
            "unlimited = false",
            "units = 100\nmoney = \"1\"",
            "units = 100\nunlimited = true",
            "units = -1",
            "money = \"-1\"",
            "money = \"one\"",
            "money = \"18446744073.709551616\"",
            "money = \"1\"\nmost = \"1\"",
            "units = 1\nmost = \"1\"",
            "most = \"-1\"",
            "most = \"1\"\nminimum = 60",
            "most = \"1\"\nincrement = 60",
            "most = \"1\"\nsetup = \"always\"",
            "most = \"1\"\nroll_over = 1",
            "money = \"1\"\nminimum = 60",
            "money = \"1\"\nincrement = 60",
            "money = \"1\"\nsetup = \"if_charged\"",
            "units = 1\nincrement = 0",
            "units = 1\nsetup = \"never\"",
            "units = 1\nscope = \"everybody\"",
            "units = 1\npro_rata = \"hours\"",
            "units = 1\nevery = \"month\"",
            "units = 1\nparty = \"other\"",
            "units = 1\nparty = \"group_customer\"",
            "units = 1\nthreshold = 80",
            "units = 1\nthresholds = 80",
            "units = 1\nbeyond = \"stop\"",
            "unlimited = true\nbeyond = \"block\"",
            "most = \"1\"\nbeyond = \"block\"",
            "fair_use = { price = \"17.50\", cap = \"0\", per = 1 }",
            "fair_use = { price = \"17.50\", cap = \"1.10\" }",
        ];
        for own in cases {
            assert!(read(own).is_err(), "{own}");
        }
        let text = || toml::from_str("name = \"a\"\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\nmoney = \"1\"").expect("a text");
        let twice = Allowance::all(vec![text(), text()]).map(|_| ());
        assert_eq!(twice, Err("two allowances are called `a`".to_owned()));
    }
}
