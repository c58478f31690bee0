//! Who has a number when: its windows with their ends, joined with who pays for the subscription and which group it is in.

use std::collections::HashMap;

use crate::identifier::Identifier;
use crate::names::Interner;
use crate::window::{OwnerCodes, Subject, Window, ends_of};

/// A stretch of time in which a number has one owner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldWindow {
    /// Whose window it is.
    pub number: Identifier,
    pub from_us: i64,
    /// Where it ends.
    pub to_us: i64,
    /// Who has it, the payer and the group of its subscription included.
    pub owner: OwnerCodes,
}

/// The rows of each subscription with their ends, in the order of their starts.
type BySubscription<'w> = HashMap<u32, Vec<(&'w Window, i64)>>;

/// The windows of numbers with their ends; those that leave the payer to the subscription are cut where it changes, and left
/// out where nobody has the subscription; all are cut where the subscription joins and leaves a group. Sorted as the windows are.
pub(crate) fn held_windows(
    windows: &[Window],
    subscriptions: &[Window],
    members: &[Window],
    names: &Interner,
) -> Vec<HeldWindow> {
    let (payers, groups) = (by_subscription(subscriptions), by_subscription(members));
    let nobody = names.find("");
    let mut held = Vec::with_capacity(windows.len());
    for (window, to_us) in windows.iter().zip(ends_of(windows)) {
        let Subject::Number(number) = window.identifier else { continue };
        let of_groups = groups.get(&window.owner.subscription).map_or(&[][..], Vec::as_slice);
        let whole = HeldWindow { number, from_us: window.from_us, to_us, owner: window.owner };
        if Some(window.owner.customer) != nobody {
            cut_by_groups(whole, of_groups, &mut held);
            continue;
        }
        for (row, until_us) in payers.get(&window.owner.subscription).into_iter().flatten() {
            let (from_us, to_us) = (whole.from_us.max(row.from_us), whole.to_us.min(*until_us));
            if from_us < to_us {
                let owner = OwnerCodes { customer: row.owner.customer, plan: row.owner.plan, ..whole.owner };
                cut_by_groups(HeldWindow { from_us, to_us, owner, ..whole }, of_groups, &mut held);
            }
        }
    }
    held
}

fn by_subscription(rows: &[Window]) -> BySubscription<'_> {
    let mut by_subscription: BySubscription<'_> = HashMap::new();
    for (row, end_us) in rows.iter().zip(ends_of(rows)) {
        by_subscription.entry(row.owner.subscription).or_default().push((row, end_us));
    }
    by_subscription
}

/// Cuts a window at the edges of its line's memberships; before, between and after them the line is in no group.
fn cut_by_groups(whole: HeldWindow, members: &[(&Window, i64)], held: &mut Vec<HeldWindow>) {
    let mut from_us = whole.from_us;
    for (member, until_us) in members {
        let (joins_us, leaves_us) = (member.from_us.max(from_us), whole.to_us.min(*until_us));
        if joins_us >= leaves_us {
            continue;
        }
        if from_us < joins_us {
            held.push(HeldWindow { from_us, to_us: joins_us, ..whole });
        }
        let owner = OwnerCodes { group: member.owner.group, ..whole.owner };
        held.push(HeldWindow { from_us: joins_us, to_us: leaves_us, owner, ..whole });
        from_us = leaves_us;
    }
    if from_us < whole.to_us {
        held.push(HeldWindow { from_us, ..whole });
    }
}
