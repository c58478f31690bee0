//! What a price asks, as it is written: setup fee, minimum, steps and what few prices have beside them, or a part of the cost.

use domain::money::Money;
use domain::usage::UsageKind;
use serde::{Serialize, Serializer};

use crate::tariff::allowance::Whose;
use crate::tariff::price_row::{Formula, Information, PriceRow, ZeroUsage};
use crate::tariff::total::{Over, Total};

/// The terms of a price. Amounts are in the tariff's currency.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Terms {
    /// A price of units.
    Units(UnitTerms),
    /// A part of what the provider asks.
    CostPlus {
        /// Per cent on top of the cost.
        #[serde(serialize_with = "as_text")]
        percent: Money,
        /// And this, once per record.
        #[serde(serialize_with = "as_text")]
        fixed: Money,
        /// The least that a record costs.
        #[serde(serialize_with = "as_optional_text")]
        charge_min: Option<Money>,
        /// The most.
        #[serde(serialize_with = "as_optional_text")]
        charge_max: Option<Money>,
    },
}

/// The terms of a price of units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UnitTerms {
    /// Once per record.
    #[serde(serialize_with = "as_text")]
    pub setup: Money,
    /// At least this many units are billed.
    pub minimum: u64,
    /// The prices of units, by the first unit of each.
    pub steps: Vec<StepTerms>,
    /// Units that one unit price covers, where the price says so; else a minute, the plan's megabyte or one message.
    pub per: Option<u64>,
    /// Once per record that has units.
    #[serde(serialize_with = "as_text")]
    pub disconnect: Money,
    /// Units that are not charged.
    pub free_units: u64,
    /// The least that a charged record costs.
    #[serde(serialize_with = "as_text")]
    pub charge_min: Money,
    /// The most.
    #[serde(serialize_with = "as_optional_text")]
    pub charge_max: Option<Money>,
    /// What is added of what the number asks: `listed` or `cost`.
    pub information: Option<&'static str>,
    /// `free` or `priced`, where the price says so; else as the tariff's head says.
    pub zero_usage: Option<&'static str>,
    /// What all that is of, if not each record: `the session`, or `all of a cycle as `nl` of the line`.
    pub of: Option<String>,
}

/// The price of the units from one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StepTerms {
    /// The first unit.
    pub from: u64,
    /// Units are billed in multiples of this.
    pub increment: u64,
    /// Of one unit size.
    #[serde(serialize_with = "as_text")]
    pub unit_price: Money,
}

fn as_text<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn as_optional_text<S: Serializer>(amount: &Option<Money>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => as_text(amount, serializer),
        None => serializer.serialize_none(),
    }
}

impl Terms {
    pub(crate) fn of(row: &PriceRow) -> Self {
        let money = |nano: u64| Money(nano.into());
        let (setup_nano, minimum, steps, per, extras) = match &row.formula {
            Formula::CostPlus { percent_nano, fixed_nano, bounds } => {
                return Self::CostPlus {
                    percent: Money((*percent_nano).into()),
                    fixed: Money((*fixed_nano).into()),
                    charge_min: bounds.least_nano.map(money),
                    charge_max: bounds.most_nano.map(money),
                };
            }
            Formula::Units { setup_nano, minimum, steps, per, extras } => (*setup_nano, *minimum, steps, *per, extras),
        };
        let steps = steps.iter().map(|step| StepTerms {
            from: step.from,
            increment: step.increment,
            unit_price: Money(step.unit_nano.into()),
        });
        Self::Units(UnitTerms {
            setup: Money(setup_nano.into()),
            minimum,
            steps: steps.collect(),
            per,
            disconnect: Money(extras.disconnect_nano.into()),
            free_units: extras.free_units,
            charge_min: money(extras.bounds.least_nano.unwrap_or(0)),
            charge_max: extras.bounds.most_nano.map(money),
            information: extras.information.map(Information::as_str),
            zero_usage: row.zero_usage.map(|zero| match zero {
                ZeroUsage::Free => "free",
                ZeroUsage::Priced => "priced",
            }),
            of: row.total.as_ref().map(total_text),
        })
    }

    /// Whether no record can cost anything by it.
    pub fn is_nothing(&self) -> bool {
        let Self::Units(units) = self else { return false };
        if units.information.is_some() {
            return false;
        }
        let amounts = [units.setup, units.disconnect, units.charge_min];
        amounts.into_iter().chain(units.steps.iter().map(|step| step.unit_price)).all(|amount| amount == Money(0))
    }

    /// In one line, the unit size given in `per`: `setup 0.05, 0.10 per 60 s, minimum 60`.
    pub fn text(&self, per: &str) -> String {
        let units = match self {
            Self::Units(units) => units,
            Self::CostPlus { percent, fixed, charge_min, charge_max } => {
                let bounds = [("at least", charge_min), ("at most", charge_max)];
                let bounds = bounds.into_iter().filter_map(|(word, bound)| Some(format!(", {word} {}", (*bound)?)));
                return cost_plus_text(*percent, *fixed) + &bounds.collect::<String>();
            }
        };
        let mut parts = Vec::new();
        if units.setup != Money(0) {
            parts.push(format!("setup {}", units.setup));
        }
        parts.push(units.price_text(per));
        if units.minimum > 0 {
            parts.push(format!("minimum {}", units.minimum));
        }
        parts.extend(units.besides());
        parts.join(", ")
    }
}

fn total_text(total: &Total) -> String {
    let volume = if total.is_volume { ", all by the last step" } else { "" };
    let whose = match total.whose {
        Whose::Personal => "the line",
        Whose::Shared | Whose::Pooled => "the customer",
        Whose::Group => "the group",
    };
    match total.over {
        Over::Session => format!("the session{volume}"),
        Over::Period(every) => format!("all of a {} as `{}` of {whose}{volume}", every.as_str(), total.name),
    }
}

/// `cost + 15 % + 0.001`; a part that is nothing is left out.
fn cost_plus_text(percent: Money, fixed: Money) -> String {
    let plain = percent.to_text(9);
    let plain = plain.trim_end_matches('0').trim_end_matches('.');
    let parts = [(percent, format!("{plain} %")), (fixed, fixed.to_string())];
    let parts = parts.into_iter().filter(|(amount, _)| *amount != Money(0)).map(|(_, text)| text);
    std::iter::once("cost".to_owned()).chain(parts).collect::<Vec<_>>().join(" + ")
}

impl UnitTerms {
    /// The prices of its steps: `0.10 per 60 s`, or `from 0: 0.60 per 60 s; from 300: 0.40 per 60 s`.
    pub fn price_text(&self, per: &str) -> String {
        let price = |step: &StepTerms| format!("{} per {per}", step.unit_price);
        match self.steps.as_slice() {
            [step] if step.increment == 1 => price(step),
            [step] => format!("{} in increments of {}", price(step), step.increment),
            steps => {
                let texts = steps.iter().map(|step| match step.increment {
                    1 => format!("from {}: {}", step.from, price(step)),
                    increment => format!("from {}: {} in increments of {increment}", step.from, price(step)),
                });
                texts.collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// What few prices have beside setup, minimum and steps, each in words.
    pub fn besides(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.disconnect != Money(0) {
            parts.push(format!("disconnect {}", self.disconnect));
        }
        if self.free_units > 0 {
            parts.push(format!("{} units free", self.free_units));
        }
        if self.charge_min != Money(0) {
            parts.push(format!("at least {}", self.charge_min));
        }
        parts.extend(self.charge_max.map(|most| format!("at most {most}")));
        parts.extend(self.information.map(|word| match word {
            "cost" => "and what the provider asks".to_owned(),
            _ => "and what the number asks".to_owned(),
        }));
        parts.extend(self.zero_usage.map(|zero| format!("zero units {zero}")));
        parts.extend(self.of.as_ref().map(|of| format!("of {of}")));
        parts
    }

    /// Its increments, one per step: `60`, or `1 / 1 / 60`.
    pub fn increments_text(&self) -> String {
        self.steps.iter().map(|step| step.increment.to_string()).collect::<Vec<_>>().join(" / ")
    }
}

/// A unit size in words: `60 s`, `1000000 bytes`, `1 message`.
pub(crate) fn per_text(kind: UsageKind, per: u64) -> String {
    match kind {
        UsageKind::Voice => format!("{per} s"),
        UsageKind::Data => format!("{per} bytes"),
        UsageKind::Sms | UsageKind::Mms if per == 1 => "message".to_owned(),
        UsageKind::Sms | UsageKind::Mms => format!("{per} messages"),
    }
}
