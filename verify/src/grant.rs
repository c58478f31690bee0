//! What customers are given in a period, by the plans that their lines had in it.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::derive::Reference;
use crate::owner::{Whose, Window};
use crate::period::{Day, Period};
use crate::tariff::Tariff;
use crate::terms::{Allowance, Stage};
use crate::text::settled::Scope;

/// Which bucket: of an allowance, whichever tariff gives it; of whom; granted in a day, week, cycle or quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bucket<'r> {
    pub allowance: &'r str,
    pub sort: Sort<'r>,
    pub whose: Whose<'r>,
    pub granted: Period,
}

/// What is counted in a bucket or a total: what is of one name and of another sort is another bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sort<'r> {
    Seconds,
    Bytes,
    Messages,
    /// In a currency.
    Money(&'r str),
    /// What may still be charged, in a currency.
    Limit(&'r str),
}

impl<'r> Sort<'r> {
    /// That of an allowance of a tariff.
    pub fn of(tariff: &'r Tariff, allowance: &Allowance) -> Self {
        match allowance.stage() {
            Stage::Credit => Self::Money(&tariff.currency),
            Stage::Limit => Self::Limit(&tariff.currency),
            Stage::Units => Self::counted(allowance.usage.family()),
        }
    }

    /// What is counted of a family of kinds.
    pub fn counted(family: &str) -> Self {
        match family {
            "voice" => Self::Seconds,
            "data" => Self::Bytes,
            _ => Self::Messages,
        }
    }
}

/// What a bucket was granted, and what is left of it.
#[derive(Debug)]
pub(crate) struct Grant<'r> {
    /// The first instant at which a line had the allowance, and the tariff of then: the first by name, if there are several. The terms are
    /// those.
    since: (i64, &'r str),
    pub roll_over: i32,
    /// `None` never runs out.
    pub left: Option<u128>,
}

/// A time within a period during which a line had an allowance.
struct Span<'r> {
    from_us: i64,
    to_us: i64,
    tariff: &'r Tariff,
    allowance: &'r Allowance,
}

/// Everybody's lines.
pub(crate) struct Lines<'r> {
    pub reference: &'r Reference,
    /// Their windows, by customer and subscription.
    windows: HashMap<&'r str, BTreeMap<&'r str, Vec<&'r Window>>>,
    /// The instants at which tariffs come into force or end.
    edges: Vec<i64>,
}

impl<'r> Lines<'r> {
    pub fn of(reference: &'r Reference) -> Self {
        let mut windows: HashMap<&str, BTreeMap<&str, Vec<&Window>>> = HashMap::new();
        for window in &reference.owners.windows {
            windows.entry(&window.customer).or_default().entry(&window.subscription).or_default().push(window);
        }
        let edges = reference.tariffs.iter().flat_map(|tariff| [Some(tariff.from), tariff.to]).flatten();
        let mut edges: Vec<i64> = edges.map(Timestamp::as_microsecond).collect();
        edges.sort_unstable();
        Self { reference, windows, edges }
    }

    /// What a bucket is granted in a period of these days, if anything.
    pub fn grant(&self, bucket: &Bucket<'_>, days: &[Day]) -> Option<Grant<'r>> {
        let Whose { scope, customer, part } = bucket.whose;
        let lines = self.windows.get(customer)?;
        let spans = |windows: &Vec<&'r Window>| self.spans(windows, bucket, days);
        match scope {
            Scope::Personal => one(&spans(lines.get(part?)?), days),
            Scope::Shared => one(&lines.values().flat_map(spans).collect::<Vec<_>>(), days),
            Scope::Group => {
                let group = part?;
                let of_group = |window: &&&Window| window.group.as_deref() == Some(group);
                one(&spans(&lines.values().flatten().filter(of_group).copied().collect()), days)
            }
            Scope::Pooled => sum(lines.values().filter_map(|windows| one(&spans(windows), days)).collect()),
        }
    }

    /// When a line had the allowance: while a version of the tariff sold its plan as one that has it.
    fn spans(&self, windows: &[&'r Window], bucket: &Bucket<'_>, days: &[Day]) -> Vec<Span<'r>> {
        let Some((first, last)) = days.first().zip(days.last()) else { return Vec::new() };
        let mut spans = Vec::new();
        for window in windows {
            let (mut from_us, end_us) = (window.from_us.max(first.from_us), window.to_us.min(last.to_us));
            while from_us < end_us {
                let to_us = self.edges.iter().copied().find(|edge| *edge > from_us).map_or(end_us, |edge| edge.min(end_us));
                if let Some((tariff, allowance)) = self.had(window, from_us, bucket) {
                    spans.push(Span { from_us, to_us, tariff, allowance });
                }
                from_us = to_us;
            }
        }
        spans
    }

    /// The allowance of a bucket as the plan of a window has it at an instant.
    fn had(&self, window: &'r Window, at_us: i64, bucket: &Bucket<'_>) -> Option<(&'r Tariff, &'r Allowance)> {
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let (tariff, plan) = self.reference.seller(&window.plan, at).ok()?;
        let allowance = tariff.allowance(bucket.allowance).filter(|allowance| allowance.usage.names_plan(plan))?;
        let is_same = Sort::of(tariff, allowance) == bucket.sort && allowance.every == bucket.granted.every;
        is_same.then_some((tariff, allowance))
    }
}

/// What is granted once for all of these times, by the terms of the first.
fn one<'r>(spans: &[Span<'r>], days: &[Day]) -> Option<Grant<'r>> {
    let first = spans.iter().min_by_key(|span| (span.from_us, &span.tariff.version))?;
    let touches = |day: &&Day| spans.iter().any(|span| span.from_us < day.to_us && day.from_us < span.to_us);
    let touched = days.iter().filter(touches).count();
    Some(Grant {
        since: (first.from_us, &first.tariff.version),
        roll_over: first.allowance.roll_over,
        left: first.allowance.share(touched, days.len(), first.tariff.places),
    })
}

/// What several lines are granted together, by the terms of the first.
fn sum(grants: Vec<Grant<'_>>) -> Option<Grant<'_>> {
    let left = grants.iter().map(|grant| grant.left).sum::<Option<u128>>();
    let first = grants.into_iter().min_by_key(|grant| grant.since)?;
    // Of what never runs out nothing is left over.
    Some(Grant { left, roll_over: left.map_or(0, |_| first.roll_over), ..first })
}
