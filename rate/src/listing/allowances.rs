//! What plans give in each cycle before prices are charged, as it is shown and compared.

use domain::money::Money;
use domain::usage::UsageKind;
use serde::Serialize;

use crate::listing::cover::Cover;
use crate::listing::covering::Covering;
use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives};

/// An allowance. What is for allowances in units alone is nothing where it gives money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenAllowance {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(flatten)]
    pub covering: Covering,
    /// How often it gives: each `cycle`, `day`, `week` or `quarter`.
    pub every: &'static str,
    /// Units that it gives in such a period.
    pub units: Option<u64>,
    /// What its units are: `seconds`, `bytes` or `messages`.
    pub unit: Option<&'static str>,
    /// The amount that it gives in such a period.
    pub money: Option<String>,
    /// The most that is charged in such a period.
    pub most: Option<String>,
    /// Whether its units have no end.
    pub unlimited: bool,
    /// `personal`, `shared`, `pooled` or `group`.
    pub scope: &'static str,
    /// Of a record it takes at least so many units.
    pub minimum: Option<u64>,
    /// Beyond them multiples of this.
    pub increment: Option<u64>,
    /// When the setup fee of what it covers is charged: `if_charged` or `always`.
    pub setup: Option<&'static str>,
    /// Lower goes first.
    pub priority: i64,
    /// Of equal priority the heavier goes first.
    pub weight: i64,
    /// Periods for which what is left stays usable.
    pub roll_over: u32,
    /// What a line gets that has the plan in a part of the cycle: `none` (all of it) or `days`.
    pub pro_rata: &'static str,
    /// What a record is that it does not cover whole: charged by its `price`, or in suspense (`block`).
    pub beyond: &'static str,
    /// At how many percent of it that are used it is told.
    pub thresholds: Vec<u8>,
    /// Where it stands.
    pub place: String,
}

impl GivenAllowance {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        let list = &tariff.allowances.list;
        list.iter().map(|allowance| Self::of(tariff, allowance, &Cover::of(tariff, &allowance.coverage))).collect()
    }

    pub(crate) fn of(tariff: &Tariff, allowance: &Allowance, cover: &Cover) -> Self {
        let is_units = !allowance.is_money();
        let (units, money, most) = match allowance.gives {
            Gives::Units(units) => (Some(units), None, None),
            Gives::Money(nano) => (None, Some(Money(nano.into()).to_string()), None),
            Gives::Beyond(nano) => (None, None, Some(Money(nano.into()).to_string())),
            Gives::Unlimited => (None, None, None),
        };
        Self {
            name: allowance.name.to_string(),
            covering: Covering::of(tariff, cover),
            units,
            unit: cover.usages.first().filter(|_| is_units).map(|usage| unit(usage.kind())),
            money,
            most,
            every: allowance.every.as_str(),
            unlimited: allowance.gives == Gives::Unlimited,
            scope: allowance.whose.as_str(),
            minimum: is_units.then_some(allowance.minimum),
            increment: is_units.then_some(allowance.increment),
            setup: is_units.then_some(if allowance.setup_always { "always" } else { "if_charged" }),
            priority: allowance.priority,
            weight: allowance.weight,
            roll_over: allowance.roll_over,
            pro_rata: if allowance.by_days { "days" } else { "none" },
            beyond: if allowance.blocks { "block" } else { "price" },
            thresholds: allowance.thresholds.clone(),
            place: allowance.place.to_string(),
        }
    }

    /// What it gives: `600 seconds`, `EUR 10.00` or `unlimited`.
    pub fn gives_text(&self, currency: &str) -> String {
        match (self.units, self.unit, &self.money, &self.most) {
            (Some(1), Some(unit), ..) => format!("1 {}", unit.trim_end_matches('s')),
            (Some(units), Some(unit), ..) => format!("{units} {unit}"),
            (_, _, Some(money), _) => format!("{currency} {money}"),
            (.., Some(most)) => format!("all beyond {currency} {most}"),
            _ => "unlimited".to_owned(),
        }
    }

    /// What stays when it is used up, where that is not the usual: `block`.
    pub fn beyond_text(&self) -> &'static str {
        if self.beyond == "block" { "block" } else { "" }
    }

    /// At how many percent it is told: `75, 90, 100`.
    pub fn thresholds_text(&self) -> String {
        self.thresholds.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
    }

    /// In one line: `600 seconds of voice-* in NL-FIX, NL-MOB for basis`.
    pub fn text(&self, currency: &str) -> String {
        let of = if self.unlimited { "" } else { "of " };
        format!("{} {of}{}", self.gives_text(currency), self.covering.text())
    }

    /// The units that it takes of a record: multiples of `60`, or `60, then 1`.
    pub fn taken_text(&self) -> String {
        match (self.minimum, self.increment) {
            (Some(minimum @ 1..), Some(increment)) => format!("{minimum}, then {increment}"),
            (_, Some(increment)) => increment.to_string(),
            _ => String::new(),
        }
    }

    /// What puts it in order, where it says something: `priority 1, weight 5`.
    pub fn order_text(&self) -> String {
        let ranks = [("priority", self.priority), ("weight", self.weight)];
        let said = ranks.into_iter().filter(|(_, rank)| *rank != 0).map(|(name, rank)| format!("{name} {rank}"));
        said.collect::<Vec<_>>().join(", ")
    }

    /// How long what is left stays usable, if it does: `1 cycle`.
    pub fn roll_over_text(&self) -> String {
        match self.roll_over {
            0 => String::new(),
            1 => format!("1 {}", self.every),
            several => format!("{several} {}s", self.every),
        }
    }
}

fn unit(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Voice => "seconds",
        UsageKind::Sms | UsageKind::Mms => "messages",
        UsageKind::Data => "bytes",
    }
}
