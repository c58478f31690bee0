//! Fees and minimum commitments, as they are shown and compared.

use domain::money::{Currency, Money};
use serde::Serialize;

use crate::listing::cover::Cover;
use crate::listing::covering::{Covering, plans};
use crate::listing::names_text;
use crate::tariff::Tariff;
use crate::tariff::commitment::Commitment;
use crate::tariff::recurring::Recurring;

const NAMES_SHOWN: usize = 6;

/// A fee, or a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenFee {
    /// Its name.
    pub name: String,
    /// Plans that charge it; `*` for all, if there are several.
    pub plans: Vec<String>,
    /// What is charged.
    #[serde(flatten)]
    pub asked: Asked,
    /// Where it stands.
    pub place: String,
}

/// A minimum commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenCommitment {
    /// Its name.
    pub name: String,
    /// What counts.
    #[serde(flatten)]
    pub covering: Covering,
    /// What is committed.
    #[serde(flatten)]
    pub asked: Asked,
    /// Whether recurring fees count, too.
    pub counts_fees: bool,
    /// Where it stands.
    pub place: String,
}

/// How much is asked, of whom and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The amount with its currency: `12.50 EUR`.
    pub amount: String,
    /// `cycle`, `quarter` or `once`.
    pub every: &'static str,
    /// `personal` or `shared`.
    pub scope: &'static str,
    /// `none` or `days`.
    pub pro_rata: &'static str,
    /// Its tax class.
    pub tax_class: Option<String>,
}

impl GivenFee {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        let fee = |fee: &Recurring| Self {
            name: fee.name.to_string(),
            plans: plans(tariff, &fee.plans),
            asked: Asked::of(fee, tariff.currency()),
            place: fee.place.to_string(),
        };
        tariff.fees.iter().map(fee).collect()
    }

    /// In one line: `12.50 EUR for basis, each cycle, personal, by days`.
    pub fn text(&self) -> String {
        let Asked { amount, .. } = &self.asked;
        format!("{amount} for {}, {}", names_text(&self.plans, NAMES_SHOWN), self.asked.text())
    }
}

impl GivenCommitment {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        let commitment = |commitment: &Commitment| Self {
            name: commitment.terms.name.to_string(),
            covering: Covering::of(tariff, &Cover::of(tariff, &commitment.coverage)),
            asked: Asked::of(&commitment.terms, tariff.currency()),
            counts_fees: commitment.counts_fees,
            place: commitment.terms.place.to_string(),
        };
        tariff.commitments.iter().map(commitment).collect()
    }

    /// In one line: `100.00 EUR of * in * for team, each cycle, shared, with fees`.
    pub fn text(&self) -> String {
        let fees = if self.counts_fees { ", with fees" } else { "" };
        format!("{} of {}, {}{fees}", self.asked.amount, self.covering.text(), self.asked.text())
    }
}

impl Asked {
    fn of(terms: &Recurring, currency: Currency) -> Self {
        Self {
            amount: format!("{} {currency}", Money(terms.amount.into())),
            every: terms.due.as_str(),
            scope: terms.whose.as_str(),
            pro_rata: if terms.by_days { "days" } else { "none" },
            tax_class: terms.tax_class.as_deref().map(str::to_owned),
        }
    }

    /// `each cycle, personal, by days, tax class high`.
    fn text(&self) -> String {
        let often = if self.every == "once" { "once".to_owned() } else { format!("each {}", self.every) };
        let days = if self.pro_rata == "days" { ", by days" } else { "" };
        let class = self.tax_class.as_ref().map_or(String::new(), |class| format!(", tax class {class}"));
        format!("{often}, {}{days}{class}", self.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::lint::lint;
    use crate::listing::Listing;
    use crate::tests::fixture::inline;

    const TOML: &str = r#"name = "t"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "any"
rounding = { places = 6, mode = "half_up" }

[[plan]]
name = "a"

[[plan]]
name = "b"

[[fee]]
name = "rent"
plan = "a"
amount = "12.50"
pro_rata = "days"
tax_class = "high"

[[fee]]
name = "setup"
plan = "*"
amount = "25.00"
every = "once"

[[commitment]]
name = "least"
plan = "a"
kind = "voice-*"
amount = "100.00"
every = "quarter"
fees = true

[[price]]
plan = "*"
kind = "voice-mt"
zone = "HOME"
unit_price = "0.10"
"#;

    fn load(toml: &str) -> Tariff {
        Tariff::load(&inline(toml)).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn fees_and_commitments_are_told_in_a_line() {
        let mut listing = Listing::of(&load(TOML));
        let fees: Vec<String> = listing.fees.iter().map(GivenFee::text).collect();
        assert_eq!(fees, ["12.50 EUR for a, each cycle, personal, by days, tax class high", "25.00 EUR for *, once, personal"]);
        let commitments: Vec<String> = listing.commitments.iter().map(GivenCommitment::text).collect();
        assert_eq!(commitments, ["100.00 EUR of voice-* in * for a, each quarter, shared, with fees"]);
        assert_eq!((&*listing.head.rounding_line, &*listing.head.rounding_invoice), ("2 places, half_up", "2 places, half_up"));
        listing.keep_plan("b");
        let names: Vec<&str> = listing.fees.iter().map(|fee| &*fee.name).collect();
        assert_eq!((names, listing.commitments.len()), (vec!["setup"], 0));
    }

    #[test]
    fn what_differs_is_told_by_name() {
        let new = TOML
            .replace("12.50", "13.00")
            .replace("name = \"setup\"", "name = \"start\"")
            .replace("fees = true", "fees = false")
            .replace("\"half_up\" }", "\"half_up\", line = { places = 3, mode = \"up\" } }");
        let text = |side: &Option<String>| side.clone().unwrap_or_default();
        let told: Vec<String> = compare(&load(TOML), &load(&new))
            .iter()
            .map(|c| format!("{} {} {}: {} | {}", c.part.as_str(), c.fate.as_str(), c.what, text(&c.old), text(&c.new)))
            .collect();
        let rent = "EUR for a, each cycle, personal, by days, tax class high";
        let least = "100.00 EUR of voice-* in * for a, each quarter, shared";
        let expected = [
            "head changed rounding.line: 2 places, half_up | 3 places, up".to_owned(),
            "head changed rounding.invoice: 2 places, half_up | 3 places, up".to_owned(),
            format!("fee changed rent: 12.50 {rent} | 13.00 {rent}"),
            "fee removed setup: 25.00 EUR for *, once, personal | ".to_owned(),
            "fee added start:  | 25.00 EUR for *, once, personal".to_owned(),
            format!("commitment changed least: {least}, with fees | {least}"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_fee_of_nothing_and_a_commitment_for_which_nothing_counts_are_found() {
        let found = |toml: &str| -> Vec<String> {
            lint(&inline(toml)).findings.iter().map(|finding| format!("{} {}", finding.rule.as_str(), finding.place)).collect()
        };
        assert_eq!(found(TOML), [""; 0]);
        let idle = TOML.replace("\"25.00\"", "\"0.00\"").replace("voice-*", "data");
        assert_eq!(found(&idle), ["zero_fee tariff.toml line 22"], "fees count");
        let idle = idle.replace("fees = true", "fees = false");
        assert_eq!(found(&idle), ["idle_commitment tariff.toml line 28", "zero_fee tariff.toml line 22"]);
    }
}
