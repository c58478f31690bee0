//! Windows against a slow reading of the rule: a number belongs to the statement with the latest start that still holds.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::{prop_assert_eq, proptest};

use crate::identifier::{Identifier, IdentifierKind};
use crate::import::ImportKind;
use crate::names::Interner;
use crate::report::{ImportReport, Origin};
use crate::window::{OPEN_US, OwnerCodes, Window, ends_of, plan_windows};

/// A statement in small numbers: SIM or MSISDN, which, start, length (0: open), device.
type Stated = (bool, u64, i64, i64, u32);

fn windows(stated: &[Stated]) -> Vec<Window> {
    let mut by_key = BTreeMap::new();
    for (is_sim, value, from_us, length, device) in stated {
        let kind = if *is_sim { IdentifierKind::Imsi } else { IdentifierKind::Msisdn };
        let owner = OwnerCodes { device: *device, subscription: *device, customer: *device, plan: 0 };
        let to_us = (*length > 0).then_some(from_us + length);
        let window =
            Window { identifier: Identifier { kind, value: *value }, from_us: *from_us, to_us, owner, origin: Origin::Line(0) };
        by_key.insert(window.key(), window);
    }
    by_key.into_values().collect()
}

/// The rule of the module's first paragraph, word for word.
fn end_by_the_rule(all: &[Window], one: &Window) -> i64 {
    let ends = |other: &&Window| {
        let same_number = other.identifier == one.identifier;
        let other_sim = one.identifier.kind != IdentifierKind::Msisdn
            && other.identifier.kind == one.identifier.kind
            && other.owner.device == one.owner.device;
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
        let written = plan_windows(&known, &stated, &names, &mut report);
        prop_assert_eq!(report.added + report.changed, written.len() as u64);
        prop_assert_eq!(report.added + report.changed + report.unchanged, stated.len() as u64);
        let content = |w: &Window| (w.key(), w.to_us, w.owner);
        let mut after: BTreeMap<_, _> = known.iter().map(|w| (w.key(), content(w))).collect();
        after.extend(written.iter().map(|w| (w.key(), content(w))));
        prop_assert_eq!(stated.iter().filter(|w| after[&w.key()] != content(w)).count(), 0);
        // Written again, nothing differs.
        let merged: Vec<Window> = windows_of_keys(&known, &written);
        let mut again = ImportReport::new(ImportKind::Devices, 0);
        prop_assert_eq!(plan_windows(&merged, &stated, &names, &mut again).len(), 0);
        prop_assert_eq!((again.closed.count, again.gaps.count, again.owner_changes.count), (0, 0, 0));
    }
}

fn windows_of_keys(known: &[Window], written: &[Window]) -> Vec<Window> {
    let mut by_key: BTreeMap<_, Window> = known.iter().map(|w| (w.key(), *w)).collect();
    by_key.extend(written.iter().map(|w| (w.key(), *w)));
    by_key.into_values().collect()
}
