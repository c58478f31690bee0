//! Parts of allowances that are used up: what warnings are made of.

use domain::columns::linked::Owners;
use domain::money::{Currency, Money};
use domain::usage::UsageKind;

use super::Period;
use super::fold::Subject;
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

/// The same by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold<'n> {
    /// The customer.
    pub customer: &'n str,
    /// The subscription; `None` where it is the customer's.
    pub subscription: Option<&'n str>,
    /// The group of the customer's lines that it is of.
    pub group: Option<&'n str>,
    /// The allowance.
    pub allowance: &'n str,
    /// What is counted: `seconds`, `bytes`, `messages`, or a currency.
    pub unit: String,
    /// The period that gave it: `2026-10`, `2026-10-05`, `2026-W41` or `2026-Q4`.
    pub period: String,
    /// So many percent are used.
    pub percent: u8,
    /// What is used, with this record.
    pub used: String,
    /// What the period gave.
    pub given: String,
    /// The record.
    pub record_key: u128,
    /// Its start, microseconds UTC.
    pub start_us: i64,
}

impl Reached {
    /// By the names of the reference data that the tariffs are bound to.
    pub fn named<'n>(&self, tariffs: &'n BoundTariffs) -> Threshold<'n> {
        let owners: &Owners = tariffs.owners();
        let tariff = &tariffs.set().tariffs()[usize::from(self.tariff)];
        let allowance = &tariff.allowances.list[usize::from(self.allowance)];
        let unit = |currency: Currency| match allowance.family() {
            _ if allowance.is_money() => currency.to_string(),
            UsageKind::Voice => "seconds".to_owned(),
            UsageKind::Data => "bytes".to_owned(),
            UsageKind::Sms | UsageKind::Mms => "messages".to_owned(),
        };
        let size = |value: u64| if allowance.is_money() { Money(value.into()).to_text(9) } else { value.to_string() };
        let (subscription, group) = match self.subject {
            Subject::Line(subscription) => (Some(owners.subscriptions.name(subscription)), None),
            Subject::Group(group) => (None, Some(owners.groups.name(group))),
            Subject::Customer | Subject::Pool => (None, None),
        };
        Threshold {
            customer: owners.customer_names.name(self.customer),
            subscription,
            group,
            allowance: &allowance.name,
            unit: unit(tariff.currency()),
            period: self.period.to_string(),
            percent: self.percent,
            used: size(self.used),
            given: size(self.given),
            record_key: self.key,
            start_us: self.start_us,
        }
    }
}
