//! Subscriptions in a list of their own: a plan changes with one row, whatever numbers the contract has.

use super::{Scene, on_both, rows};
use crate::identifier::IdentifierKind::Msisdn;
use crate::import::{FullList, ImportKind, ImportMode};
use crate::instant::parse_instant;
use crate::{Applied, StoreError};

on_both![
    numbers_follow_their_subscription_from_plan_to_plan,
    the_order_of_the_two_lists_does_not_matter,
    a_row_with_its_own_payer_does_not_ask_the_subscription,
    overlapping_rows_of_a_subscription_are_refused_by_name,
    a_full_list_ends_the_subscriptions_that_it_does_not_name,
];

const DEVICES: &str = "device_id,msisdn,subscription_id,valid_from,valid_to\n\
                       D1,31612345671,S1,2026-01-01T00:00:00Z,\nD2,31612345672,S1,2026-02-01T00:00:00Z,\n";
const SUBSCRIPTIONS: &str = "subscription_id,customer_id,plan_id,valid_from,valid_to\n";

async fn subscriptions(scene: &Scene, arrival: u64, text: &str) -> crate::ImportReport {
    scene.import(arrival, ImportKind::Subscriptions, &format!("{SUBSCRIPTIONS}{text}")).await
}

async fn numbers_follow_their_subscription_from_plan_to_plan(scene: Scene) {
    subscriptions(&scene, 1, "S1,C1,P1,2026-01-15T00:00:00Z,\n").await;
    let report = scene.import(2, ImportKind::Devices, DEVICES).await;
    assert_eq!((report.added, report.unknown_subscriptions.count, report.new_customers.count), (2, 0, 0), "{report}");
    let report = subscriptions(&scene, 3, "S1,C1,P2,2026-03-01T00:00:00Z,2026-06-01T00:00:00Z\n").await;
    assert_eq!((report.added, report.closed.count, report.new_plans.count), (1, 1, 1), "{report}");
    assert!(report.to_string().contains("subscription S1: arrival 1 (subscription S1, customer C1, plan P1)"), "{report}");
    for (number, instant, expected) in [
        ("31612345671", "2026-01-10T00:00:00Z", "nobody"),
        ("31612345671", "2026-01-15T00:00:00Z", "D1/C1/P1"),
        ("31612345671", "2026-03-01T00:00:00Z", "D1/C1/P2"),
        ("31612345672", "2026-01-20T00:00:00Z", "nobody"),
        ("31612345672", "2026-02-28T23:59:59Z", "D2/C1/P1"),
        ("31612345672", "2026-05-31T23:59:59Z", "D2/C1/P2"),
        ("31612345672", "2026-06-01T00:00:00Z", "nobody"),
    ] {
        assert_eq!(scene.owner(Msisdn, number, instant).await, expected, "{number} {instant}");
    }
    let before = scene.reference(Some(2)).await;
    assert_eq!(super::owner_in(&before, Msisdn, "31612345671", "2026-03-01T00:00:00Z"), "D1/C1/P1", "as it was known then");
}

async fn the_order_of_the_two_lists_does_not_matter(scene: Scene) {
    let mut seen = Vec::new();
    let mut arrivals = 1..;
    for (tenant, devices_first) in [("a", true), ("b", false)] {
        let scene = scene.of_tenant(tenant).await;
        for is_devices in [devices_first, !devices_first] {
            let arrival = arrivals.next().expect("a number");
            if is_devices {
                let report = scene.import(arrival, ImportKind::Devices, DEVICES).await;
                assert_eq!(report.unknown_subscriptions.first, if devices_first { vec!["S1"] } else { vec![] }, "{report}");
            } else {
                subscriptions(&scene, arrival, "S1,C1,P1,2026-01-01T00:00:00Z,\n").await;
            }
        }
        let reference = scene.reference(None).await;
        seen.push((reference.owners.windows, reference.identifiers));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].1.len(), 2);
}

async fn a_row_with_its_own_payer_does_not_ask_the_subscription(scene: Scene) {
    subscriptions(&scene, 1, "S1,C1,P1,2026-01-01T00:00:00Z,\n").await;
    let text = "device_id,msisdn,subscription_id,customer_id,plan_id,valid_from\n\
                D1,31612345671,S1,C9,P9,2026-01-01T00:00:00Z\nD2,31612345672,S1,,,2026-01-01T00:00:00Z\n";
    scene.import(2, ImportKind::Devices, text).await;
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-02-01T00:00:00Z").await, "D1/C9/P9");
    assert_eq!(scene.owner(Msisdn, "31612345672", "2026-02-01T00:00:00Z").await, "D2/C1/P1");
    let half = "device_id,msisdn,subscription_id,customer_id,plan_id,valid_from\n\
                D1,31612345671,S1,C9,,2026-01-01T00:00:00Z\nD1,31612345671,,,,2026-01-01T00:00:00Z\n";
    let said = crate::parse_import(ImportKind::Devices, half.as_bytes(), &crate::ImportLimits::default())
        .expect_err("half a payer")
        .to_string();
    for part in ["line 2, field `plan_id`: it is empty", "line 3, field `customer_id`: the row names nobody who pays"] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
}

async fn overlapping_rows_of_a_subscription_are_refused_by_name(scene: Scene) {
    subscriptions(&scene, 1, "S1,C1,P1,2026-01-01T00:00:00Z,2026-06-01T00:00:00Z\n").await;
    let text = format!("{SUBSCRIPTIONS}S1,C2,P1,2026-05-01T00:00:00Z,\n");
    let refused = scene.store.apply_import(2, &rows(ImportKind::Subscriptions, &text)).await.expect_err("an overlap");
    assert!(matches!(refused, StoreError::Refused(_)));
    let said = refused.to_string();
    for part in ["subscription S1: arrival 1", "overlaps line 2 (subscription S1, customer C2", "2026-05-01T00:00:00Z"] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
}

async fn a_full_list_ends_the_subscriptions_that_it_does_not_name(scene: Scene) {
    subscriptions(&scene, 1, "S1,C1,P1,2026-01-01T00:00:00Z,\nS2,C1,P1,2026-01-01T00:00:00Z,\n").await;
    scene.import(2, ImportKind::Devices, DEVICES).await;
    let as_of_us = parse_instant("2026-03-01T00:00:00Z").expect("an instant");
    let list = rows(ImportKind::Subscriptions, &format!("{SUBSCRIPTIONS}S2,C1,P1,2026-01-01T00:00:00Z,\n"))
        .with_mode(ImportMode::Full(FullList { as_of_us, ended_max: 1 }));
    let Applied::Now(report) = scene.store.apply_import(3, &list).await.expect("a list") else { panic!("it acts now") };
    assert_eq!((report.ended.count, report.existing, report.unchanged), (1, 2, 1), "{report}");
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-02-28T23:59:59Z").await, "D1/C1/P1");
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-03-01T00:00:00Z").await, "nobody");
}
