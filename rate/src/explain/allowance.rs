//! The texts of what a record draws from allowances.

use domain::outcome::Reason;
use domain::usage::UsageKind;

use super::running::Running;
use super::texts::Charging;
use super::{AllowanceStep, ChargeStep, amount};
use crate::price::allowance::{Before, Covered, Taken};
use crate::price::charge::Charged;
use crate::settle::{Draw, Trace};
use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives, Whose};

/// How a record draws, and what it costs then.
pub(super) struct Drawing {
    pub how: Charging,
    pub charged: Result<Charged, Reason>,
    pub steps: Vec<AllowanceStep>,
    /// Nano-units that allowances in money took.
    money_nano: i64,
    taken: Taken,
    running: Running,
}

/// What a record draws; without a trace what covers it while it lasts.
pub(super) fn drawing(record: &Covered<'_, '_>, trace: Option<&Trace>) -> Drawing {
    let Some(trace) = trace else {
        let steps = record.asks().map(|(number, _)| lasting(record, number)).collect();
        let outcome = record.charged(Taken::default(), Before::default()).ok();
        let running = Running::of(record, None, outcome.as_ref());
        return Drawing {
            how: Charging::Whole,
            charged: Ok(record.alone),
            steps,
            money_nano: 0,
            taken: Taken::default(),
            running,
        };
    };
    let running = Running::of(record, Some(trace), None);
    let in_units = || trace.draws.iter().filter(|draw| !draw.is_money);
    let units = in_units().map(|draw| draw.taken).sum();
    let first = in_units().next().and_then(|draw| record.tariff.allowances.named(record.plan, &draw.allowance));
    let setup_always = first.is_some_and(|allowance| allowance.setup_always);
    let taken = Taken { units, rest: if units > 0 { trace.rest } else { record.units }, setup_always };
    let how = match (units, trace.rest) {
        (0, _) => Charging::Whole,
        (_, 0) => Charging::Covered { with_setup: setup_always },
        (_, rest) => Charging::Beyond { at: record.begins(units), rest },
    };
    let money = trace.draws.iter().filter(|draw| draw.is_money).map(|draw| draw.taken).sum::<u64>();
    let money_nano = i64::try_from(money).unwrap_or(i64::MAX);
    let mut steps: Vec<AllowanceStep> = trace.draws.iter().map(|draw| step(record, draw)).collect();
    if trace.is_blocked {
        let (how, charged) = (Charging::Whole, Err(Reason::BeyondAllowance));
        return Drawing { how, charged, steps: blocked(record, steps), money_nano: 0, taken, running };
    }
    // What is asked in vain is told, where something was wanted of it.
    let is_wanted = |is_money| if is_money { true } else { taken.rest > 0 };
    let asked = record.asks().filter(|(_, a)| is_wanted(a.is_money()) && !trace.draws.iter().any(|d| *d.allowance == *a.name));
    steps.extend(asked.filter(|(_, allowance)| !allowance.is_limit()).map(|(_, allowance)| empty(allowance)));
    let charged = record.charged(taken, running.before()).map(|outcome| outcome.charged);
    Drawing { how, charged, steps, money_nano, taken, running }
}

impl Drawing {
    /// Tells what came before the record in the total and the discount of its price.
    pub fn run_on(&self, record: &Covered<'_, '_>, step: &mut ChargeStep) {
        self.running.tell(record, self.taken, step);
    }

    /// What is charged, without what allowances in money took.
    pub fn charge_nano(&self) -> Option<i64> {
        self.charged.as_ref().ok().map(|charged| charged.charge_nano.saturating_sub(self.money_nano))
    }

    /// Tells what of a charge allowances in money took.
    pub fn take_money(&self, step: &mut ChargeStep, tariff: &Tariff) {
        let Some(charged) = self.charged.as_ref().ok().filter(|_| self.money_nano != 0) else { return };
        let left = amount(charged.charge_nano.saturating_sub(self.money_nano));
        step.taken = Some(format!(
            "{} of it are taken from allowances, {left} {} are charged",
            amount(self.money_nano),
            tariff.currency()
        ));
        step.charge = format!("{left} {}", tariff.currency());
    }
}

fn step(record: &Covered<'_, '_>, draw: &Draw) -> AllowanceStep {
    let unit = unit(record.facts.usage.kind());
    let size = |value: u64| if draw.is_money { amount(value) } else { value.to_string() };
    let of = |value: u64| {
        if draw.is_money { format!("{} {}", amount(value), record.tariff.currency()) } else { format!("{value} {unit}") }
    };
    let after = draw.after;
    let cycle = draw.period.to_string();
    let balance = match (draw.given, draw.before, after) {
        (Some(given), Some(before), Some(after)) if draw.is_limit => {
            let (most, left, off) = (of(given), size(before), size(draw.taken));
            format!("{most} at most in {cycle}, {left} could still be charged: {off} not charged, {} left", size(after))
        }
        (Some(given), Some(before), Some(after)) => {
            format!("{cycle} gave {}, {} left before, {} taken, {} left", of(given), size(before), size(draw.taken), size(after))
        }
        _ => format!("{cycle}, {} taken", of(draw.taken)),
    };
    let known = record.tariff.allowances.named(record.plan, &draw.allowance);
    let place = known.map(|allowance| allowance.place.to_string()).unwrap_or_default();
    AllowanceStep {
        text: format!("`{}` ({place}): {balance}", draw.allowance),
        allowance: draw.allowance.clone(),
        place,
        cycle: Some(cycle),
        given: draw.given.map(size),
        before: draw.before.map(size),
        taken: Some(size(draw.taken)),
        after: after.map(size),
    }
}

/// What was there for a record that may not be charged beyond it, and that it was not enough.
fn blocked(record: &Covered<'_, '_>, mut steps: Vec<AllowanceStep>) -> Vec<AllowanceStep> {
    for (_, allowance) in record.asks().filter(|(_, allowance)| allowance.blocks) {
        let mut step = empty(allowance);
        let (name, place) = (&step.allowance, &step.place);
        step.text = format!("`{name}` ({place}) has no price beyond it (`block`): what was taken is given back");
        steps.push(step);
    }
    steps
}

/// An allowance of which nothing was left.
fn empty(allowance: &Allowance) -> AllowanceStep {
    let (name, place) = (allowance.name.to_string(), allowance.place.to_string());
    AllowanceStep {
        text: format!("`{name}` ({place}): nothing was left of it"),
        allowance: name,
        place,
        cycle: None,
        given: None,
        before: None,
        taken: None,
        after: None,
    }
}

/// An allowance that covers a record while it lasts.
fn lasting(record: &Covered<'_, '_>, number: u16) -> AllowanceStep {
    let allowance = &record.tariff.allowances.list[usize::from(number)];
    let whose = match allowance.whose {
        Whose::Personal => "each subscription",
        Whose::Shared => "the customer once",
        Whose::Pooled => "the customer for each subscription",
        Whose::Group => "a group of the customer's lines once",
    };
    let given = match allowance.gives {
        Gives::Units(units) => format!("{units} {}", unit(record.facts.usage.kind())),
        Gives::Money(nano) => format!("{} {}", amount(nano), record.tariff.currency()),
        Gives::Beyond(nano) => format!("all beyond {} {}", amount(nano), record.tariff.currency()),
        Gives::Unlimited => format!("{} without end", unit(record.facts.usage.kind())),
    };
    AllowanceStep {
        allowance: allowance.name.to_string(),
        place: allowance.place.to_string(),
        cycle: None,
        given: Some(given.clone()),
        before: None,
        taken: None,
        after: None,
        text: format!(
            "`{}` ({}) gives {given} to {whose} in a {} and covers this first; the charge is told without it",
            allowance.name,
            allowance.place,
            allowance.every.as_str()
        ),
    }
}

fn unit(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Voice => "seconds",
        UsageKind::Sms | UsageKind::Mms => "messages",
        UsageKind::Data => "bytes",
    }
}
