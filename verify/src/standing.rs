//! Records that were billed and stay as they stand: they take what they have taken, whatever they would take now.

use jiff::Timestamp;

use crate::allowance::Balances;
use crate::draw::{Draw, Source};
use crate::grant::{Bucket, Sort};
use crate::owner::{Customer, Window};
use crate::period::Period;
use crate::record::Record;
use crate::tariff::Tariff;
use crate::terms::{Allowance, Stage};
use crate::text::settled::{Every, Scope};

/// What a record stays as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stood<'r> {
    /// The customer.
    pub customer: &'r str,
    /// The subscription.
    pub subscription: &'r str,
    /// The customer's cycle.
    pub billing_period: &'r str,
    /// Whether it has a price; if not, an allowance that was used up has blocked it.
    pub is_priced: bool,
    /// The tariff that priced it, as `name@hash`.
    pub tariff: &'r str,
    /// The allowances that it drew from, joined by `+`.
    pub allowance: &'r str,
    /// Units that it drew.
    pub units: u64,
    /// Money that it drew, in units of 10⁻⁹.
    pub money_nano: i128,
    /// Its charge, in units of 10⁻⁹.
    pub charge_nano: i128,
}

impl Stood<'_> {
    /// Whether it is a window's, in a cycle.
    pub(crate) fn is_of(&self, window: &Window, billing_period: Option<&str>) -> bool {
        (self.customer, self.subscription, Some(self.billing_period))
            == (&*window.customer, &*window.subscription, billing_period)
    }

    /// Whether that is what it draws now.
    pub(crate) fn is(&self, draw: Result<&Draw, &&'static str>) -> bool {
        let Ok(draw) = draw else { return !self.is_priced };
        let drawn = draw.drawn.as_ref();
        let allowance = drawn.map_or("", |drawn| drawn.allowance.as_str());
        let units = drawn.and_then(|drawn| drawn.units).map_or(0, i64::unsigned_abs);
        let money = drawn.and_then(|drawn| drawn.money_nano).unwrap_or(0);
        let charge = i128::from(draw.charge.nano);
        self.is_priced && (self.allowance, self.units, self.money_nano, self.charge_nano) == (allowance, units, money, charge)
    }

    /// What was charged before limits and credits took of it.
    pub(crate) fn charged(&self) -> i128 {
        self.charge_nano + self.money_nano
    }

    /// The period of a sort that it lies in, whose cycle is the one that was billed; `None` if that or its start is none.
    fn period(&self, every: Every, customer: &Customer, record: &Record<'_>) -> Option<Period> {
        if matches!(every, Every::Cycle | Every::Quarter) {
            let (year, month) = self.billing_period.split_once('-')?;
            return Some(Period::with_cycle(every, year.parse::<i32>().ok()? * 12 + month.parse::<i32>().ok()? - 1));
        }
        Some(Period::of(every, customer, Timestamp::from_microsecond(record.start_us).ok()?))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.allowance.split('+').filter(|name| !name.is_empty())
    }

    fn names_it(&self, allowance: &Allowance) -> bool {
        self.names().any(|name| name == allowance.name)
    }
}

/// A source, and which bucket it is of.
type Open<'r> = (Source<'r>, Bucket<'r>);

impl<'r> Balances<'_, 'r> {
    /// Takes what a record stands with, as far as that is there; gives the first allowance in units that it drew from. `offered` is what
    /// it may draw from as what it comes out as.
    pub(crate) fn stay(
        &mut self,
        stood: &Stood<'_>,
        (window, customer): (&'r Window, &Customer),
        record: &Record<'_>,
        offered: &[Open<'r>],
    ) -> Option<&'r Allowance> {
        if !stood.is_priced {
            return None;
        }
        let sources = self.named(stood, (window, customer), record, offered);
        let first = sources.iter().map(|(source, _)| source.allowance).find(|allowance| allowance.stage() == Stage::Units);
        let (mut units, mut money) = (u128::from(stood.units), stood.money_nano.max(0).unsigned_abs());
        for (source, bucket) in &sources {
            let rest = match source.allowance.stage() {
                Stage::Units => &mut units,
                Stage::Credit => &mut money,
                Stage::Limit => continue,
            };
            let take = source.left.map_or(*rest, |left| left.min(*rest));
            *rest -= take;
            self.deduct(bucket, take);
        }
        // Of money that a limit and a credit gave together, the credit gave as much as it has.
        let by_credits = stood.money_nano.max(0).unsigned_abs() - money;
        let passed = stood.charge_nano.max(0).unsigned_abs() + by_credits;
        for (source, bucket) in sources.iter().filter(|(source, _)| source.allowance.stage() == Stage::Limit) {
            self.deduct(bucket, source.left.map_or(passed, |left| left.min(passed)));
        }
        first
    }

    /// The sources of the allowances that it drew from and of all limits that hold for it; of a name that its own tariff has not, those
    /// of the tariff that priced it, best of the version of its start, or else of the first that has it.
    fn named(
        &mut self,
        stood: &Stood<'_>,
        (window, customer): (&'r Window, &Customer),
        record: &Record<'_>,
        offered: &[Open<'r>],
    ) -> Vec<Open<'r>> {
        let is_meant = |allowance: &Allowance| allowance.stage() == Stage::Limit || stood.names_it(allowance);
        let mut found: Vec<Open<'r>> = offered.iter().filter(|(source, _)| is_meant(source.allowance)).copied().collect();
        for name in stood.names() {
            if offered.iter().any(|(source, _)| source.allowance.name == name) {
                continue;
            }
            let elsewhere = self.elsewhere(name, stood, window, record);
            let periods = |(.., allowance): &(_, _, &Allowance)| stood.period(allowance.every, customer, record);
            if let Some(((tariff, position, allowance), now)) = elsewhere.and_then(|of| Some((of, periods(&of)?))) {
                self.offer((window, customer), tariff, (position, allowance), now, &mut found);
            }
        }
        found.sort_by_key(|(source, _)| source.turn);
        found
    }

    /// The allowance of a name that may cover a record.
    fn elsewhere(
        &self,
        name: &str,
        stood: &Stood<'_>,
        window: &Window,
        record: &Record<'_>,
    ) -> Option<(&'r Tariff, usize, &'r Allowance)> {
        let kind = Sort::counted(record.family());
        let all = self.tariffs().filter_map(|tariff| {
            let (position, allowance) = tariff.allowances.iter().enumerate().find(|(_, allowance)| allowance.name == name)?;
            let is_its = allowance.scope != Scope::Group || window.group.is_some();
            let is_kind = allowance.stage() != Stage::Units || Sort::of(tariff, allowance) == kind;
            (is_its && is_kind).then_some((tariff, position, allowance))
        });
        let name_of = |tariff: &'r Tariff| tariff.version.split('@').next().unwrap_or_default();
        let priced = stood.tariff.split('@').next().unwrap_or_default();
        let holds = |tariff: &Tariff| {
            let from_us = tariff.from.as_microsecond();
            from_us <= record.start_us && tariff.to.is_none_or(|to| record.start_us < to.as_microsecond())
        };
        all.min_by_key(|(tariff, ..)| {
            let name = name_of(tariff);
            (name != priced, !holds(tariff), name, tariff.from, tariff.version.as_str())
        })
    }
}

/// Whose a record is that no window has any more as it stands.
pub(crate) fn stray(stood: &Stood<'_>, window: Option<&Window>) -> Window {
    let is_its = |window: &&Window| (&*window.customer, &*window.subscription) == (stood.customer, stood.subscription);
    Window {
        from_us: i64::MIN,
        to_us: i64::MAX,
        device: String::new(),
        subscription: stood.subscription.to_owned(),
        customer: stood.customer.to_owned(),
        plan: String::new(),
        group: window.filter(is_its).and_then(|window| window.group.clone()),
    }
}
