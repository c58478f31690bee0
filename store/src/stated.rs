//! The rows of a file as the windows that they state, sorted by key; rows that repeat each other count once.

use crate::import::{DeviceRow, MemberRow, SubscriptionRow};
use crate::names::Interner;
use crate::report::Origin;
use crate::window::{OwnerCodes, Subject, Window};

/// The windows of numbers.
pub(crate) fn windows_of(rows: &[DeviceRow], names: &mut Interner) -> Vec<Window> {
    let mut windows = Vec::with_capacity(rows.len());
    for row in rows {
        let owner = OwnerCodes {
            device: names.code(&row.device),
            subscription: names.code(&row.subscription),
            customer: names.code(&row.customer),
            plan: names.code(&row.plan),
            group: names.code(""),
        };
        for identifier in &row.identifiers {
            let (identifier, origin) = (Subject::Number(*identifier), Origin::Line(row.line));
            windows.push(Window { identifier, from_us: row.from_us, to_us: row.to_us, owner, origin });
        }
    }
    once_per_key(windows)
}

/// The windows of subscriptions: who pays for them.
pub(crate) fn windows_of_subscriptions(rows: &[SubscriptionRow], names: &mut Interner) -> Vec<Window> {
    let window = |row: &SubscriptionRow| {
        let subscription = names.code(&row.id);
        let (customer, plan) = (names.code(&row.customer), names.code(&row.plan));
        Window {
            identifier: Subject::Subscription(subscription),
            from_us: row.from_us,
            to_us: row.to_us,
            owner: OwnerCodes { device: names.code(""), subscription, customer, plan, group: names.code("") },
            origin: Origin::Line(row.line),
        }
    };
    once_per_key(rows.iter().map(window).collect())
}

/// The windows of subscriptions in groups.
pub(crate) fn windows_of_members(rows: &[MemberRow], names: &mut Interner) -> Vec<Window> {
    let window = |row: &MemberRow| {
        let (subscription, nothing) = (names.code(&row.subscription), names.code(""));
        Window {
            identifier: Subject::Subscription(subscription),
            from_us: row.from_us,
            to_us: row.to_us,
            owner: OwnerCodes { device: nothing, subscription, customer: nothing, plan: nothing, group: names.code(&row.group) },
            origin: Origin::Line(row.line),
        }
    };
    once_per_key(rows.iter().map(window).collect())
}

fn once_per_key(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_by_key(Window::key);
    windows.dedup_by_key(|w| w.key());
    windows
}
