//! The allowances of a tariff: what its plans give in each cycle, day, week or quarter, and what of that covers a record (docs/adr/0022).

mod check;
mod covered;

use std::collections::HashMap;
use std::sync::Arc;

use domain::columns::linked::Party;
use domain::usage::{Usage, UsageKind};

pub(crate) use self::check::{every, one_of, whose};
use crate::error::{Place, TariffError};
use crate::tariff::coverage::{Coverage, Known};
use crate::tariff::party::told_apart;
use crate::tariff::raw::{RawAllowance, TomlFile};

/// Most allowances of a tariff: their numbers are 16 bits, and every record of a plan asks all of its plan.
const ALLOWANCES_MAX: usize = 1_000;

/// Longest time for which what is left stays usable, in periods.
pub(crate) const ROLL_OVER_MAX: u64 = 24;

/// How much an allowance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Seconds, bytes or messages.
    Units(u64),
    /// Units without end.
    Unlimited,
    /// Nano-units of the tariff's currency, for charges.
    Money(u64),
    /// All that is charged beyond so many nano-units: a limit.
    Beyond(u64),
}

impl Gives {
    /// Whether it is money, and not units.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Money(_) | Self::Beyond(_))
    }
}

/// How often it gives, by the customer's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Every {
    Cycle,
    Day,
    /// From Monday on.
    Week,
    /// Three cycles, from that of January, April, July or October on.
    Quarter,
}

impl Every {
    pub const ALL: [Self; 4] = [Self::Cycle, Self::Day, Self::Week, Self::Quarter];

    /// As a tariff writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cycle => "cycle",
            Self::Day => "day",
            Self::Week => "week",
            Self::Quarter => "quarter",
        }
    }
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Each subscription's.
    Personal,
    /// The customer's, once.
    Shared,
    /// The customer's, once for each subscription.
    Pooled,
    /// That of a group of the customer's lines, once.
    Group,
}

impl Whose {
    /// As a tariff writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Shared => "shared",
            Self::Pooled => "pooled",
            Self::Group => "group",
        }
    }
}

/// What plans give in each period.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub name: Arc<str>,
    pub place: Place,
    pub gives: Gives,
    pub every: Every,
    pub whose: Whose,
    pub minimum: u64,
    pub increment: u64,
    /// Whether the setup fee is charged of records that it covers whole.
    pub setup_always: bool,
    pub priority: i64,
    pub weight: i64,
    /// Periods for which what is left stays usable.
    pub roll_over: u32,
    /// Whether a line gets its share of the days on which it has the plan.
    pub by_days: bool,
    /// Whether what it does not cover whole has no price.
    pub blocks: bool,
    /// At how many percent of it that are used it is told, rising.
    pub thresholds: Vec<u8>,
    pub coverage: Coverage,
}

impl Allowance {
    /// Whether a plan gives it.
    pub fn is_of(&self, plan: u32) -> bool {
        self.coverage.is_of(plan)
    }

    /// Whether it covers what a record is.
    pub fn covers(&self, usage: Usage, zone: u16, party: Party, band: u8) -> bool {
        self.coverage.covers(usage, zone, party, band)
    }

    /// What its units are of, if it gives units; messages are of one family.
    pub fn family(&self) -> UsageKind {
        Usage::all().find(|usage| self.coverage.kinds[usage.code()]).map_or(UsageKind::Voice, family)
    }

    /// Whether it gives money, and not units.
    pub fn is_money(&self) -> bool {
        self.gives.is_money()
    }

    /// Whether it gives what is charged beyond a limit.
    pub fn is_limit(&self) -> bool {
        matches!(self.gives, Gives::Beyond(_))
    }

    /// The units that it takes of a record: at least `minimum`, beyond that whole increments.
    pub fn rounded(&self, units: u64, minimum: u64) -> u64 {
        minimum.saturating_add(units.saturating_sub(minimum).div_ceil(self.increment).saturating_mul(self.increment))
    }
}

/// All of a tariff.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    /// In the order of the file.
    pub list: Vec<Allowance>,
    /// By number of the plan: those that it gives, in the order in which records draw on them where none is left from earlier cycles.
    of_plan: Vec<Vec<u16>>,
}

impl Allowances {
    /// Checks the allowances of a file against what else the tariff has.
    pub fn build(file: &TomlFile<'_>, raw: &[toml::Spanned<RawAllowance>], of: &Known<'_>) -> Result<Self, TariffError> {
        if raw.len() > ALLOWANCES_MAX {
            return Err(TariffError::TooMany { place: file.whole(), what: "allowances", limit: ALLOWANCES_MAX });
        }
        let mut list: Vec<Allowance> = Vec::with_capacity(raw.len());
        let mut left = covered::LOOKED_AT_MAX;
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for spanned in raw {
            let (place, raw) = (file.place(spanned), spanned.get_ref());
            if let Some(first) = seen.insert(&raw.name, place.clone()) {
                return Err(TariffError::Twice { place, what: format!("allowance `{}`", raw.name), first });
            }
            let allowance = of.check(place, raw)?;
            of.check_covered(&allowance, &mut left)?;
            list.push(allowance);
        }
        if list.is_empty() {
            return Ok(Self::default());
        }
        let of_plan = (0..of.plans.len()).map(|plan| in_order(&list, plan)).collect();
        Ok(Self { list, of_plan })
    }

    /// Those that a plan gives, in the order in which records draw on them.
    #[inline]
    pub fn of(&self, plan: u32) -> &[u16] {
        self.of_plan.get(plan as usize).map_or(&[], Vec::as_slice)
    }

    /// The allowance of a name that a plan gives.
    pub fn named(&self, plan: u32, name: &str) -> Option<&Allowance> {
        self.of(plan).iter().map(|n| &self.list[usize::from(*n)]).find(|allowance| *allowance.name == *name)
    }

    /// Whether one of them depends on the other party.
    pub fn asks_party(&self) -> bool {
        self.list.iter().any(|allowance| !allowance.coverage.parties.is_empty())
    }

    /// The parties that they tell apart, from far to near.
    pub fn parties(&self) -> &'static [Party] {
        told_apart(self.list.iter().flat_map(|allowance| &allowance.coverage.parties))
    }
}

/// The family of a kind: messages are counted together.
pub(crate) fn family(usage: Usage) -> UsageKind {
    match usage.kind() {
        UsageKind::Sms | UsageKind::Mms => UsageKind::Sms,
        kind => kind,
    }
}

fn in_order(list: &[Allowance], plan: usize) -> Vec<u16> {
    let plan = u32::try_from(plan).expect("a tariff has at most 10,000 plans");
    let mut of_plan: Vec<u16> = (0..).zip(list).filter(|(_, allowance)| allowance.is_of(plan)).map(|(n, _)| n).collect();
    of_plan.sort_by_key(|n| {
        let Allowance { priority, weight, roll_over, .. } = &list[usize::from(*n)];
        (*priority, std::cmp::Reverse(*weight), *roll_over, *n)
    });
    of_plan
}
