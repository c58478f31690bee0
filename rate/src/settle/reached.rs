//! Parts of allowances that are used up: what warnings are made of.

use std::borrow::Cow;

use domain::columns::linked::Owners;
use domain::columns::thresholds::{Threshold, Used};
use domain::money::{Currency, Money};
use domain::period::Month;
use domain::usage::UsageKind;

use super::Period;
use super::bucket::Subject;
use crate::tariff::set::BoundTariffs;

/// A record with which a part of an allowance was used up, in the codes of the reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub(super) customer: u32,
    pub(super) subject: Subject,
    pub(super) tariff: u16,
    pub(super) allowance: u16,
    pub(super) period: Period,
    pub(super) percent: u8,
    pub(super) used: u64,
    pub(super) given: u64,
    pub(super) key: u128,
    pub(super) start_us: i64,
}

impl Reached {
    /// By the month of the period, then as the records came.
    pub fn order(&self) -> (Month, i64, u128, u32, u8) {
        (self.period.month(), self.start_us, self.key, self.customer, self.percent)
    }

    /// By the names of the reference data that the tariffs are bound to.
    pub fn named<'n>(&self, tariffs: &'n BoundTariffs) -> Threshold<'n> {
        let owners: &Owners = tariffs.owners();
        let tariff = &tariffs.set().tariffs()[usize::from(self.tariff)];
        let allowance = &tariff.allowances.list[usize::from(self.allowance)];
        let is_money = allowance.is_money();
        let unit = |currency: Currency| match allowance.family() {
            _ if is_money => Cow::Owned(currency.to_string()),
            UsageKind::Voice => Cow::Borrowed("seconds"),
            UsageKind::Data => Cow::Borrowed("bytes"),
            UsageKind::Sms | UsageKind::Mms => Cow::Borrowed("messages"),
        };
        let (used, given) = (self.used, self.given);
        let money = |nano: u64| Money(nano.into());
        let (subscription, group) = match self.subject {
            Subject::Line(subscription) => (Some(owners.subscriptions.name(subscription)), None),
            Subject::Group(group) => (None, Some(owners.groups.name(group))),
            Subject::Customer | Subject::Pool => (None, None),
        };
        Threshold {
            customer: Cow::Borrowed(owners.customer_names.name(self.customer)),
            subscription: subscription.map(Cow::Borrowed),
            group: group.map(Cow::Borrowed),
            allowance: Cow::Borrowed(&allowance.name),
            unit: unit(tariff.currency()),
            every: Cow::Borrowed(self.period.every.as_str()),
            period: Cow::Owned(self.period.to_string()),
            month: self.period.month(),
            percent: self.percent,
            used: if is_money { Used::Money { used: money(used), given: money(given) } } else { Used::Units { used, given } },
            record_key: self.key,
            start_us: self.start_us,
        }
    }
}
