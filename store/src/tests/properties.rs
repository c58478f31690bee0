//! Windows against a slow reading of the rule: a number belongs to the statement with the latest start that still holds.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::identifier::{Identifier, IdentifierKind};
use crate::import::{FullList, ImportKind, ImportMode};
use crate::names::Interner;
use crate::report::{ImportReport, Origin};
use crate::window::{OPEN_US, OwnerCodes, Subject, Window, ends_of, plan_windows};

/// A statement in small numbers: SIM or MSISDN, which, start, length (0: open), device.
type Stated = (bool, u64, i64, i64, u32);

fn windows(stated: &[Stated]) -> Vec<Window> {
    let mut by_key = BTreeMap::new();
    for (is_sim, value, from_us, length, device) in stated {
        let kind = if *is_sim { IdentifierKind::Imsi } else { IdentifierKind::Msisdn };
        let owner = OwnerCodes { device: *device, subscription: *device, customer: *device, plan: 0, group: 0 };
        let to_us = (*length > 0).then_some(from_us + length);
        let identifier = Subject::Number(Identifier { kind, value: *value });
        let window = Window { identifier, from_us: *from_us, to_us, owner, origin: Origin::Line(0) };
        by_key.insert(window.key(), window);
    }
    by_key.into_values().collect()
}

fn kind_of(window: &Window) -> IdentifierKind {
    match window.identifier {
        Subject::Number(number) => number.kind,
        Subject::Subscription(_) => panic!("numbers alone are made here"),
    }
}

/// The rule of the module's first paragraph, word for word.
fn end_by_the_rule(all: &[Window], one: &Window) -> i64 {
    let ends = |other: &&Window| {
        let same_number = other.identifier == one.identifier;
        let other_sim =
            kind_of(one) != IdentifierKind::Msisdn && kind_of(other) == kind_of(one) && other.owner.device == one.owner.device;
        other.from_us > one.from_us && (same_number || (other_sim && other.identifier != one.identifier))
    };
    one.to_us.unwrap_or_else(|| all.iter().filter(ends).map(|w| w.from_us).min().unwrap_or(OPEN_US))
}

proptest! {
    #[test]
    fn ends_follow_the_rule(stated in vec((proptest::bool::ANY, 1u64..5, 0i64..20, 0i64..4, 0u32..3), 0..40)) {
        let all = windows(&stated);
        let expected: Vec<i64> = all.iter().map(|w| end_by_the_rule(&all, w)).collect();
        prop_assert_eq!(ends_of(&all), expected);
    }

    #[test]
    fn a_plan_writes_just_what_differs(
        known in vec((proptest::bool::ANY, 1u64..5, 0i64..20, 0i64..4, 0u32..3), 0..30),
        stated in vec((proptest::bool::ANY, 1u64..5, 0i64..20, 0i64..4, 0u32..3), 0..30),
    ) {
        let (known, stated) = (windows(&known), windows(&stated));
        let mut names = Interner::default();
        for name in ["a", "b", "c"] {
            names.code(name);
        }
        let mut report = ImportReport::new(ImportKind::Devices, 0);
        let written = plan_windows(&known, &stated, ImportMode::Delta, &names, &mut report);
        prop_assert_eq!(report.added + report.changed, written.len() as u64);
        prop_assert_eq!(report.added + report.changed + report.unchanged, stated.len() as u64);
        let content = |w: &Window| (w.key(), w.to_us, w.owner);
        let mut after: BTreeMap<_, _> = known.iter().map(|w| (w.key(), content(w))).collect();
        after.extend(written.iter().map(|w| (w.key(), content(w))));
        prop_assert_eq!(stated.iter().filter(|w| after[&w.key()] != content(w)).count(), 0);
        // Written again, nothing differs.
        let merged: Vec<Window> = windows_of_keys(&known, &written);
        let mut again = ImportReport::new(ImportKind::Devices, 0);
        prop_assert_eq!(plan_windows(&merged, &stated, ImportMode::Delta, &names, &mut again).len(), 0);
        prop_assert_eq!((again.closed.count, again.gaps.count, again.owner_changes.count), (0, 0, 0));
    }

    /// What a full list promises, whatever was there: at its instant a number belongs to whom the list says, and to nobody if it
    /// names it nowhere; what came before that instant stays as a delta of the same rows would leave it.
    #[test]
    fn a_full_list_is_true_at_its_instant_and_leaves_the_past(
        known in vec((proptest::bool::ANY, 1u64..5, 0i64..20, 0i64..4, 0u32..3), 0..30),
        stated in vec((proptest::bool::ANY, 1u64..5, 0i64..20, 0i64..4, 0u32..3), 0..30),
        as_of_us in 1i64..20,
    ) {
        let (known, stated) = (windows(&known), windows(&stated));
        let mut names = Interner::default();
        for name in ["a", "b", "c"] {
            names.code(name);
        }
        let plan = |mode| {
            let mut report = ImportReport::new(ImportKind::Devices, 0);
            let written = plan_windows(&known, &stated, mode, &names, &mut report);
            (windows_of_keys(&known, &written), report)
        };
        let full = ImportMode::Full(FullList { as_of_us, ended_max: u64::MAX });
        let ((delta, _), (after, report)) = (plan(ImportMode::Delta), plan(full));
        if report.overlaps.count == 0 {
            for window in &after {
                let number = window.identifier;
                for at_us in 0..as_of_us {
                    prop_assert_eq!(owner_at(&after, number, at_us), owner_at(&delta, number, at_us));
                }
                let named = stated.iter().any(|w| w.identifier == number);
                let begins_now = known.iter().any(|w| w.identifier == number && w.from_us == as_of_us);
                prop_assert!(named || begins_now || owner_at(&after, number, as_of_us).is_none());
                if owner_at(&stated, number, as_of_us).is_some() && kind_of(window) == IdentifierKind::Msisdn && !begins_now {
                    prop_assert_eq!(owner_at(&after, number, as_of_us), owner_at(&stated, number, as_of_us));
                }
            }
        }
    }
}

/// Who has a number at an instant.
fn owner_at(windows: &[Window], number: Subject, at_us: i64) -> Option<u32> {
    let holds = |(w, end_us): &(&Window, i64)| w.identifier == number && w.from_us <= at_us && at_us < *end_us;
    windows.iter().zip(ends_of(windows)).find(holds).map(|(w, _)| w.owner.device)
}

fn windows_of_keys(known: &[Window], written: &[Window]) -> Vec<Window> {
    let mut by_key: BTreeMap<_, Window> = known.iter().map(|w| (w.key(), *w)).collect();
    by_key.extend(written.iter().map(|w| (w.key(), *w)));
    by_key.into_values().collect()
}
