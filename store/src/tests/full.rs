//! Full lists: what is absent ends at an instant and stays known, within a limit; a replay does the same.

use super::{DEVICES, Scene, on_both, rows};
use crate::identifier::IdentifierKind::Msisdn;
use crate::import::{FullList, ImportKind, ImportMode, ImportRows};
use crate::instant::parse_instant;
use crate::{Applied, ImportReport, StoreError};

on_both![
    what_a_full_list_does_not_name_ends_at_its_instant,
    a_full_list_leaves_what_begins_after_it_and_what_had_ended,
    a_full_list_that_ends_more_than_it_may_is_refused_whole,
    a_list_and_a_later_window_that_contradict_each_other_are_refused,
    a_customer_that_a_full_list_leaves_out_ends_and_can_come_back,
    a_plan_that_ends_while_numbers_have_it_is_reported,
    the_same_full_list_again_changes_nothing,
    a_replay_of_deltas_and_full_lists_gives_the_same_state,
];

const AS_OF: &str = "2026-03-01T00:00:00Z";

fn full(kind: ImportKind, text: &str, ended_max: u64) -> ImportRows {
    let as_of_us = parse_instant(AS_OF).expect("an instant");
    rows(kind, text).with_mode(ImportMode::Full(FullList { as_of_us, ended_max }))
}

fn devices(text: &str, ended_max: u64) -> ImportRows {
    full(ImportKind::Devices, &format!("{DEVICES}{text}"), ended_max)
}

async fn apply(scene: &Scene, arrival: u64, rows: &ImportRows) -> ImportReport {
    match scene.store.apply_import(arrival, rows).await.expect("an import that is fine") {
        Applied::Now(report) => *report,
        Applied::Before => panic!("arrival {arrival} was applied before"),
    }
}

async fn what_a_full_list_does_not_name_ends_at_its_instant(scene: Scene) {
    scene
        .devices(
            1,
            "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD2,31612345672,C1,P1,2026-01-01T00:00:00Z,2026-09-01T00:00:00Z\n",
        )
        .await;
    let list = devices("D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD3,31612345673,C2,P1,2026-02-01T00:00:00Z,\n", 1);
    let planned = scene.store.plan_import(&list).await.expect("a plan");
    assert_eq!(scene.owner(Msisdn, "31612345672", AS_OF).await, "D2/C1/P1", "a plan changes nothing");
    let report = apply(&scene, 2, &list).await;
    assert_eq!(planned, report, "the dry run says what the import does");
    assert_eq!(
        (report.added, report.changed, report.ended.count, report.unchanged, report.existing),
        (1, 0, 1, 1, 2),
        "{report}"
    );
    let said = report.to_string();
    for part in ["ended 1 of 2", "316•••••672", "ends at 2026-03-01T00:00:00Z; its end was 2026-09-01T00:00:00Z", "316•••••673"]
    {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    assert_eq!(scene.owner(Msisdn, "31612345672", "2026-02-28T23:59:59Z").await, "D2/C1/P1", "nothing is deleted");
    assert_eq!(scene.owner(Msisdn, "31612345672", AS_OF).await, "nobody");
    assert_eq!(scene.owner(Msisdn, "31612345671", AS_OF).await, "D1/C1/P1");
    let before = scene.reference(Some(1)).await;
    assert_eq!(super::owner_in(&before, Msisdn, "31612345672", AS_OF), "D2/C1/P1", "the version before is still there");
}

async fn a_full_list_leaves_what_begins_after_it_and_what_had_ended(scene: Scene) {
    let known = "D1,31612345671,C1,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z\n\
                 D2,31612345671,C2,P1,2026-06-01T00:00:00Z,\nD3,31612345673,C1,P1,2026-03-01T00:00:00Z,\n";
    scene.devices(1, known).await;
    let report = apply(&scene, 2, &devices("D9,31612345679,C1,P1,2026-01-01T00:00:00Z,\n", 0)).await;
    assert_eq!((report.ended.count, report.added), (0, 1), "{report}");
    assert_eq!(scene.owner(Msisdn, "31612345671", "2025-02-01T00:00:00Z").await, "D1/C1/P1");
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-07-01T00:00:00Z").await, "D2/C2/P1");
    assert_eq!(scene.owner(Msisdn, "31612345673", AS_OF).await, "D3/C1/P1", "it begins at the very instant");
}

async fn a_full_list_that_ends_more_than_it_may_is_refused_whole(scene: Scene) {
    scene.devices(1, "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD2,31612345672,C1,P1,2026-01-01T00:00:00Z,\n").await;
    let short = devices("D3,31612345673,C1,P1,2026-01-01T00:00:00Z,\n", 1);
    let refused = scene.store.apply_import(2, &short).await.expect_err("too many ends");
    let StoreError::Refused(report) = &refused else { panic!("{refused}") };
    assert!(report.ends_too_many() && report.ended.count == 2, "{report}");
    assert_eq!(scene.owner(Msisdn, "31612345673", AS_OF).await, "nobody", "nothing of it acts");
    assert_eq!(scene.owner(Msisdn, "31612345672", AS_OF).await, "D2/C1/P1");
    let report = apply(&scene, 2, &devices("D3,31612345673,C1,P1,2026-01-01T00:00:00Z,\n", 2)).await;
    assert_eq!(report.ended.count, 2);
}

async fn a_list_and_a_later_window_that_contradict_each_other_are_refused(scene: Scene) {
    scene.devices(1, "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\n").await;
    let list = devices("D2,31612345671,C2,P1,2025-06-01T00:00:00Z,\n", u64::MAX);
    let report = scene.store.plan_import(&list).await.expect("a plan");
    assert!(report.is_refused(), "{report}");
    let said = report.to_string();
    for part in ["line 2 (device D2, customer C2", "arrival 1 (device D1, customer C1", "correct the second"] {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    let same_owner = devices("D1,31612345671,C1,P1,2025-06-01T00:00:00Z,\n", 0);
    let report = apply(&scene, 2, &same_owner).await;
    assert_eq!((report.added, report.ended.count), (1, 0), "{report}");
    assert_eq!(scene.owner(Msisdn, "31612345671", "2026-04-01T00:00:00Z").await, "D1/C1/P1");
}

async fn a_customer_that_a_full_list_leaves_out_ends_and_can_come_back(scene: Scene) {
    scene.import(1, ImportKind::Customers, "customer_id,name,cycle_day\nC1,Jansen,1\nC2,Haven,1\n").await;
    scene.devices(2, "D2,31612345672,C2,P1,2026-01-01T00:00:00Z,\n").await;
    let report = apply(&scene, 3, &full(ImportKind::Customers, "customer_id,name,cycle_day\nC1,Jansen BV,15\n", 1)).await;
    assert_eq!((report.changed, report.ended.count, report.existing), (1, 1, 2), "{report}");
    let said = report.to_string();
    for part in
        ["C1: name `Jansen` becomes `Jansen BV`", "C1: cycle_day `1` becomes `15`", "C2 ends at 2026-03-01", "C2 (1 numbers)"]
    {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    let ends = |rows: Vec<crate::import::CustomerRow>| rows.into_iter().map(|c| (c.id, c.valid_to_us)).collect::<Vec<_>>();
    let end_us = parse_instant(AS_OF).expect("an instant");
    let at = |version| scene.store.customers(version);
    let (open, ended) = (("C1".to_owned(), None), ("C2".to_owned(), Some(end_us)));
    assert_eq!(ends(at(None).await.expect("customers")), [open.clone(), ended]);
    assert_eq!(ends(at(Some(2)).await.expect("customers")), [open.clone(), ("C2".to_owned(), None)]);
    assert_eq!(scene.owner(Msisdn, "31612345672", AS_OF).await, "D2/C2/P1", "its calls are still rated, and that is reported");
    scene.import(4, ImportKind::Customers, "customer_id,name\nC2,Haven\n").await;
    assert_eq!(ends(at(None).await.expect("customers")), [open, ("C2".to_owned(), None)]);
}

async fn a_plan_that_ends_while_numbers_have_it_is_reported(scene: Scene) {
    scene.import(1, ImportKind::Plans, "plan_id\nP1\nP2\nP3\n").await;
    scene
        .devices(
            2,
            "D2,31612345672,C2,P2,2026-01-01T00:00:00Z,\nD3,31612345673,C2,P3,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z\n",
        )
        .await;
    let report = apply(&scene, 3, &full(ImportKind::Plans, "plan_id\nP1\n", 2)).await;
    assert_eq!(report.still_used.first, ["P2 (1 numbers)"], "{report}");
    let ended = scene.store.plans(None).await.expect("plans").into_iter().filter(|p| p.valid_to_us.is_some()).count();
    assert_eq!(ended, 2);
}

async fn the_same_full_list_again_changes_nothing(scene: Scene) {
    scene.devices(1, "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD2,31612345672,C1,P1,2026-01-01T00:00:00Z,\n").await;
    let list = devices("D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\n", 1);
    apply(&scene, 2, &list).await;
    let before = scene.reference(None).await;
    let report = apply(&scene, 3, &list).await;
    assert!(report.is_unchanged(), "{report}");
    let after = scene.reference(None).await;
    assert_eq!((after.owners.windows, after.identifiers), (before.owners.windows, before.identifiers));
}

async fn a_replay_of_deltas_and_full_lists_gives_the_same_state(scene: Scene) {
    let known = "D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\nD2,31612345672,C2,P2,2026-01-01T00:00:00Z,\n";
    let imports = [
        rows(ImportKind::Devices, &format!("{DEVICES}{known}")),
        full(ImportKind::Customers, "customer_id;name\nC1;Jansen\n", 1),
        devices("D1,31612345671,C1,P1,2026-01-01T00:00:00Z,\n", 1),
        rows(ImportKind::Devices, &format!("{DEVICES}D4,31612345672,C4,P2,2026-05-01T00:00:00Z,\n")),
    ];
    let mut seen = Vec::new();
    let mut arrivals = 1..;
    for tenant in ["first", "again"] {
        let scene = scene.of_tenant(tenant).await;
        for (arrival, rows) in arrivals.by_ref().zip(&imports) {
            apply(&scene, arrival, rows).await;
        }
        let reference = scene.reference(None).await;
        let customers = scene.store.customers(None).await.expect("customers");
        seen.push((reference.owners.windows, reference.identifiers, customers));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].2.iter().filter(|c| c.valid_to_us.is_some()).count(), 1);
}
