//! Groups of lines: who is in which from when to when, as the windows of their numbers tell it.

use super::{Scene, on_both, rows};
use crate::identifier::IdentifierKind::Msisdn;
use crate::import::{FullList, ImportKind, ImportLimits, ImportMode, parse_import};
use crate::instant::parse_instant;
use crate::{Applied, ImportReport, Reference, StoreError};

on_both![
    windows_are_cut_where_a_line_joins_and_leaves_a_group,
    a_membership_without_an_end_lasts_until_the_next_one,
    the_order_of_the_lists_does_not_matter,
    a_group_follows_its_line_through_changes_of_payer,
    lines_that_nobody_knows_are_named_and_wait,
    overlapping_memberships_are_refused_by_name,
    a_full_list_ends_the_memberships_that_it_does_not_name,
    a_version_has_the_groups_that_were_known_then,
];

const GROUPS: &str = "group_id,subscription_id,valid_from,valid_to\n";
const LINES: &str = "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD2,31612345672,C2,P1,2026-01-01T00:00:00Z,\n";

async fn groups(scene: &Scene, arrival: u64, text: &str) -> ImportReport {
    scene.import(arrival, ImportKind::Groups, &format!("{GROUPS}{text}")).await
}

/// The windows of a number in order: `from to group`, days alone.
fn windows_in(reference: &Reference, number: &str) -> Vec<String> {
    let (number, owners) = (number.parse::<u64>().expect("digits"), &reference.owners);
    let day = |us| if us == i64::MAX { "open".to_owned() } else { crate::instant::show_instant(us)[..10].to_owned() };
    let of_number = reference.identifiers.iter().filter(|(kind, value, _)| (*kind, *value) == (Msisdn, number));
    let shown = of_number.map(|(_, _, window)| owners.windows[*window as usize]).map(|window| {
        let group = if window.group == domain::columns::linked::NO_GROUP { "-" } else { owners.groups.name(window.group) };
        format!("{} {} {group}", day(window.from_us), day(window.to_us))
    });
    shown.collect()
}

async fn windows(scene: &Scene, number: &str) -> Vec<String> {
    windows_in(&scene.reference(None).await, number)
}

async fn windows_are_cut_where_a_line_joins_and_leaves_a_group(scene: Scene) {
    scene.devices(1, LINES).await;
    assert_eq!(windows(&scene, "31612345671").await, ["2026-01-01 open -"]);
    let report = groups(&scene, 2, "G1,D1,2026-03-01T00:00:00Z,2026-06-01T00:00:00Z\nG1,D2,2025-01-01T00:00:00Z,\n").await;
    assert_eq!((report.added, report.unknown_subscriptions.count, report.owner_changes.count), (2, 0, 0), "{report}");
    assert!(report.to_string().starts_with("2 rows: memberships added 2, changed 0"), "{report}");
    assert!(report.to_string().contains("subscription D1: line 2 (subscription D1, group G1) 2026-03-01T00:00:00Z"), "{report}");
    let cut = ["2026-01-01 2026-03-01 -", "2026-03-01 2026-06-01 G1", "2026-06-01 open -"];
    assert_eq!(windows(&scene, "31612345671").await, cut);
    assert_eq!(windows(&scene, "31612345672").await, ["2026-01-01 open G1"], "a membership before the number is none");
    for (instant, expected) in [("2026-02-28T23:59:59Z", "D1/C1/P1"), ("2026-03-01T00:00:00Z", "D1/C1/P1")] {
        assert_eq!(scene.owner(Msisdn, "31612345671", instant).await, expected, "the owner stays: {instant}");
    }
    let again = groups(&scene, 3, "G1,D1,2026-03-01T00:00:00Z,2026-06-01T00:00:00Z\n").await;
    assert!(again.is_unchanged() && again.unchanged == 1, "{again}");
}

async fn a_membership_without_an_end_lasts_until_the_next_one(scene: Scene) {
    scene.devices(1, LINES).await;
    groups(&scene, 2, "G1,D1,2026-02-01T00:00:00Z,\n").await;
    let report = groups(&scene, 3, "G2,D1,2026-04-01T00:00:00Z,2026-05-01T00:00:00Z\n").await;
    assert_eq!((report.added, report.closed.count, report.gaps.count), (1, 1, 1), "{report}");
    assert!(report.to_string().contains("subscription D1: is in no group from 2026-05-01T00:00:00Z to open"), "{report}");
    let moved = ["2026-01-01 2026-02-01 -", "2026-02-01 2026-04-01 G1", "2026-04-01 2026-05-01 G2", "2026-05-01 open -"];
    assert_eq!(windows(&scene, "31612345671").await, moved);
    let report = groups(&scene, 4, "G3,D1,2026-04-01T00:00:00Z,\n").await;
    assert_eq!((report.added, report.changed), (0, 1), "{report}");
    assert_eq!(windows(&scene, "31612345671").await[2..], ["2026-04-01 open G3"], "the same start is a correction");
}

async fn the_order_of_the_lists_does_not_matter(scene: Scene) {
    let devices = "device_id,msisdn,subscription_id,valid_from\nD1,31612345671,S1,2026-01-01T00:00:00Z\n";
    let subscriptions = "subscription_id,customer_id,plan_id,valid_from\nS1,C1,P1,2026-01-01T00:00:00Z\n";
    let members = format!("{GROUPS}G1,S1,2026-03-01T00:00:00Z,\n");
    let lists =
        [(ImportKind::Devices, devices), (ImportKind::Subscriptions, subscriptions), (ImportKind::Groups, members.as_str())];
    let mut arrivals = 1..;
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let scene = scene.of_tenant(&format!("order-{}{}{}", order[0], order[1], order[2])).await;
        for (kind, text) in order.map(|n| lists[n]) {
            scene.import(arrivals.next().expect("a number"), kind, text).await;
        }
        assert_eq!(windows(&scene, "31612345671").await, ["2026-01-01 2026-03-01 -", "2026-03-01 open G1"], "{order:?}");
    }
}

async fn a_group_follows_its_line_through_changes_of_payer(scene: Scene) {
    let subscriptions = "subscription_id,customer_id,plan_id,valid_from\n\
                         S1,C1,P1,2026-01-01T00:00:00Z\nS1,C2,P2,2026-04-01T00:00:00Z\n";
    scene.import(1, ImportKind::Subscriptions, subscriptions).await;
    let devices = "device_id,msisdn,subscription_id,valid_from\n\
                   D1,31612345671,S1,2026-01-01T00:00:00Z\nD2,31612345672,S1,2026-05-01T00:00:00Z\n";
    scene.import(2, ImportKind::Devices, devices).await;
    groups(&scene, 3, "G1,S1,2026-02-01T00:00:00Z,2026-06-01T00:00:00Z\n").await;
    let cut = ["2026-01-01 2026-02-01 -", "2026-02-01 2026-04-01 G1", "2026-04-01 2026-06-01 G1", "2026-06-01 open -"];
    assert_eq!(windows(&scene, "31612345671").await, cut);
    assert_eq!(windows(&scene, "31612345672").await, ["2026-05-01 2026-06-01 G1", "2026-06-01 open -"]);
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-05-01T00:00:00Z").await, "D1/C2/P2");
}

async fn lines_that_nobody_knows_are_named_and_wait(scene: Scene) {
    scene.devices(1, LINES).await;
    let report = groups(&scene, 2, "G1,D1,2026-01-01T00:00:00Z,\nG1,D9,2026-01-01T00:00:00Z,\n").await;
    assert_eq!((report.added, report.unknown_subscriptions.first.as_slice()), (2, &["D9".to_owned()][..]), "{report}");
    assert!(report.to_string().contains("subscriptions that nothing is known of: import them, too (1)\n  D9"), "{report}");
    scene.devices(3, "D9,31612345679,C1,P1,2026-01-01T00:00:00Z,\n").await;
    assert_eq!(windows(&scene, "31612345679").await, ["2026-01-01 open G1"]);
}

async fn overlapping_memberships_are_refused_by_name(scene: Scene) {
    groups(&scene, 1, "G1,D1,2026-01-01T00:00:00Z,2026-06-01T00:00:00Z\n").await;
    let text = format!("{GROUPS}G2,D1,2026-05-01T00:00:00Z,\n");
    let refused = scene.store.apply_import(2, &rows(ImportKind::Groups, &text)).await.expect_err("an overlap");
    assert!(matches!(refused, StoreError::Refused(_)));
    let said = refused.to_string();
    for part in ["subscription D1: arrival 1 (subscription D1, group G1)", "overlaps line 2 (subscription D1, group G2)"] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    let twice = format!("{GROUPS}G1,D1,2026-07-01T00:00:00Z,\nG2,D1,2026-07-01T00:00:00Z,\n");
    let said = parse_import(ImportKind::Groups, twice.as_bytes(), &ImportLimits::default()).expect_err("two groups").to_string();
    assert!(said.contains("line 3, field `subscription_id`: it says something else than line 2"), "{said}");
    let empty = format!("{GROUPS}G1,D1,2026-07-01T00:00:00Z,2026-07-01T00:00:00Z\n");
    let said = parse_import(ImportKind::Groups, empty.as_bytes(), &ImportLimits::default()).expect_err("no instant").to_string();
    assert!(said.contains("line 2, field `valid_to`: it is not after valid_from"), "{said}");
}

async fn a_full_list_ends_the_memberships_that_it_does_not_name(scene: Scene) {
    scene.devices(1, LINES).await;
    groups(&scene, 2, "G1,D1,2026-01-01T00:00:00Z,\nG1,D2,2026-01-01T00:00:00Z,\n").await;
    let list = |ended_max| {
        let as_of_us = parse_instant("2026-03-01T00:00:00Z").expect("an instant");
        let text = format!("{GROUPS}G1,D2,2026-01-01T00:00:00Z,\n");
        rows(ImportKind::Groups, &text).with_mode(ImportMode::Full(FullList { as_of_us, ended_max }))
    };
    let refused = scene.store.apply_import(3, &list(0)).await.expect_err("more than it may end");
    assert!(refused.to_string().contains("would end 1 memberships, 0 are allowed"), "{refused}");
    let planned = scene.store.plan_import(&list(1)).await.expect("a plan");
    assert_eq!(windows(&scene, "31612345671").await, ["2026-01-01 open G1"], "a dry run changes nothing");
    let Applied::Now(report) = scene.store.apply_import(3, &list(1)).await.expect("a list") else { panic!("it acts now") };
    assert_eq!(*report, planned, "the dry run says what the import does");
    assert_eq!((report.ended.count, report.existing, report.unchanged), (1, 2, 1), "{report}");
    assert_eq!(windows(&scene, "31612345671").await, ["2026-01-01 2026-03-01 G1", "2026-03-01 open -"]);
    assert_eq!(windows(&scene, "31612345672").await, ["2026-01-01 open G1"]);
}

async fn a_version_has_the_groups_that_were_known_then(scene: Scene) {
    scene.devices(1, LINES).await;
    groups(&scene, 2, "G1,D1,2026-01-01T00:00:00Z,\n").await;
    groups(&scene, 3, "G2,D1,2026-01-01T00:00:00Z,\n").await;
    let of = |reference: &Reference| (reference.version, windows_in(reference, "31612345671"));
    for (at, group) in [(1, "-"), (2, "G1"), (3, "G2")] {
        let reference = scene.reference(Some(at)).await;
        assert_eq!(of(&reference), (at, vec![format!("2026-01-01 open {group}")]));
    }
    assert_eq!(windows_in(&scene.of_tenant("other").await.reference(None).await, "31612345671"), [""; 0]);
}
