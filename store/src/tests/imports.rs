//! The life of a number: recycled, swapped, transferred, corrected, and seen as it was known earlier.

use super::{DEVICES, Scene, on_both, owner_in, rows};
use crate::identifier::IdentifierKind::{Iccid, Imsi, Msisdn};
use crate::import::ImportKind;
use crate::{Applied, StoreError};

const NUMBER: &str = "31612345678";

on_both![
    a_recycled_number_belongs_to_each_holder_in_turn,
    a_sim_swap_takes_one_row_and_ends_the_old_sim,
    a_second_number_on_a_device_ends_nothing,
    a_transfer_closes_the_former_customer_and_is_reported,
    overlapping_windows_are_refused_and_both_are_named,
    two_rows_of_one_file_may_not_overlap_either,
    a_row_of_the_same_number_and_start_is_a_correction,
    a_window_inside_an_open_one_says_that_the_number_is_lost_afterwards,
    the_same_import_again_changes_nothing,
    arrivals_act_in_order_and_keep_their_content,
    an_import_that_is_passed_over_takes_its_place_once,
    windows_may_come_in_any_order_of_their_dates,
    an_old_version_loads_as_it_was_known_then,
    unknown_customers_and_plans_are_made_and_reported,
    names_have_codes_in_natural_order,
    tenants_do_not_see_each_other,
    a_file_of_the_jobs_size_is_one_import,
    the_shipped_samples_import_without_a_finding,
];

async fn a_recycled_number_belongs_to_each_holder_in_turn(scene: Scene) {
    let report = scene
        .devices(
            1,
            "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z\n\
             D2,31612345678,C2,P2,2025-09-01T00:00:00Z,\n",
        )
        .await;
    assert_eq!((report.added, report.gaps.count, report.owner_changes.count), (2, 1, 1), "{report}");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-05-31T23:59:59Z").await, "D1/C1/P1");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-06-01T00:00:00Z").await, "nobody", "the end is not part of a window");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-08-31T23:59:59.999999Z").await, "nobody");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-09-01T00:00:00Z").await, "D2/C2/P2");
}

async fn a_sim_swap_takes_one_row_and_ends_the_old_sim(scene: Scene) {
    let header = "device_id,msisdn,imsi,iccid,subscription_id,customer_id,plan_id,valid_from\n";
    let old = "D1,31612345678,204040000000001,8931440000000000011,S1,C1,P1,2025-01-01T00:00:00Z\n";
    let new = "D1,31612345678,204040000000002,8931440000000000029,S1,C1,P1,2025-03-01T00:00:00Z\n";
    scene.import(1, ImportKind::Devices, &format!("{header}{old}")).await;
    let report = scene.import(2, ImportKind::Devices, &format!("{header}{new}")).await;
    assert_eq!((report.added, report.closed.count, report.owner_changes.count), (3, 3, 0), "{report}");

    let (before, after) = ("2025-02-28T23:59:59Z", "2025-03-01T00:00:00Z");
    for (kind, number, at_first, then) in [
        (Msisdn, NUMBER, "D1/C1/P1", "D1/C1/P1"),
        (Imsi, "204040000000001", "D1/C1/P1", "nobody"),
        (Imsi, "204040000000002", "nobody", "D1/C1/P1"),
        (Iccid, "8931440000000000011", "D1/C1/P1", "nobody"),
        (Iccid, "8931440000000000029", "nobody", "D1/C1/P1"),
    ] {
        assert_eq!(scene.owner(kind, number, before).await, at_first, "{kind:?} {number} before the swap");
        assert_eq!(scene.owner(kind, number, after).await, then, "{kind:?} {number} after the swap");
    }
}

async fn a_second_number_on_a_device_ends_nothing(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let report = scene.devices(2, "D1,31687654321,C1,P1,2025-03-01T00:00:00Z,\n").await;
    assert_eq!(report.closed.count, 0);
    assert_eq!(scene.owner(Msisdn, NUMBER, "2026-01-01T00:00:00Z").await, "D1/C1/P1");
}

async fn a_transfer_closes_the_former_customer_and_is_reported(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let report = scene.devices(2, "D1,31612345678,C2,P1,2025-07-01T00:00:00Z,\n").await;
    let change = &report.owner_changes.first[0];
    assert_eq!((&*change.from_customer, &*change.to_customer, &*change.at), ("C1", "C2", "2025-07-01T00:00:00Z"));
    assert!(!change.rewrites);
    let closed = &report.closed.first[0];
    assert_eq!((closed.was.as_deref(), closed.window.to.as_deref()), (None, Some("2025-07-01T00:00:00Z")));
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-06-30T23:59:59Z").await, "D1/C1/P1");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-07-01T00:00:00Z").await, "D1/C2/P1");
}

async fn overlapping_windows_are_refused_and_both_are_named(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z\n").await;
    let text = format!("{DEVICES}D8,31687654321,C1,P1,2025-01-01T00:00:00Z,\nD2,31612345678,C2,P1,2025-05-01T00:00:00Z,\n");
    let refused = scene.store.apply_import(2, &rows(ImportKind::Devices, &text)).await.expect_err("an overlap");
    let StoreError::Refused(report) = &refused else { panic!("{refused}") };
    assert_eq!(report.overlaps.count, 1);
    let said = refused.to_string();
    for part in ["arrival 1 (device D1, customer C1", "line 3 (device D2, customer C2", "316•••••678", "2025-05-01T00:00:00Z"]
    {
        assert!(said.contains(part), "`{part}` in: {said}");
    }
    assert!(!said.contains(NUMBER), "numbers are masked: {said}");
    assert_eq!(scene.owner(Msisdn, "31687654321", "2025-02-01T00:00:00Z").await, "nobody", "nothing of a refused import acts");
    assert_eq!(scene.reference(None).await.version, 1);
}

async fn two_rows_of_one_file_may_not_overlap_either(scene: Scene) {
    let report = scene
        .dry_run(
            "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z\n\
             D2,31612345678,C2,P1,2025-05-01T00:00:00Z,2025-08-01T00:00:00Z\n",
        )
        .await;
    assert!(report.is_refused());
    assert!(report.to_string().contains("line 2 (device D1") && report.to_string().contains("line 3 (device D2"), "{report}");
}

async fn a_row_of_the_same_number_and_start_is_a_correction(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let report = scene.devices(2, "D1,31612345678,C2,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z\n").await;
    assert_eq!((report.added, report.changed, report.closed.count), (0, 1, 0));
    assert!(report.owner_changes.first[0].rewrites, "what was billed to C1 may have to be corrected");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-02-01T00:00:00Z").await, "D1/C2/P1");
    assert_eq!(scene.owner(Msisdn, NUMBER, "2025-06-01T00:00:00Z").await, "nobody");
}

async fn a_window_inside_an_open_one_says_that_the_number_is_lost_afterwards(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let report = scene.dry_run("D2,31612345678,C1,P1,2025-03-01T00:00:00Z,2025-04-01T00:00:00Z\n").await;
    assert_eq!(report.closed.count, 1);
    let gap = &report.gaps.first[0];
    assert_eq!((&*gap.from, gap.to.as_deref()), ("2025-04-01T00:00:00Z", None));
}

async fn the_same_import_again_changes_nothing(scene: Scene) {
    let text = "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\nD2,31687654321,C1,P1,2025-01-01T00:00:00Z,\n";
    scene.devices(1, text).await;
    let before = scene.reference(None).await;
    let twice = scene.store.apply_import(1, &rows(ImportKind::Devices, &format!("{DEVICES}{text}"))).await;
    assert_eq!(twice.expect("the same arrival"), Applied::Before);
    let report = scene.devices(2, text).await;
    assert!(report.is_unchanged() && report.unchanged == 2, "{report}");
    let after = scene.reference(None).await;
    assert_eq!((after.version, after.owners.windows, after.identifiers), (2, before.owners.windows, before.identifiers));
}

async fn arrivals_act_in_order_and_keep_their_content(scene: Scene) {
    let one = rows(ImportKind::Plans, "plan_id,name\nP1,Zakelijk\n");
    let other = rows(ImportKind::Plans, "plan_id,name\nP2,Prive\n");
    scene.store.apply_import(5, &one).await.expect("arrival 5");
    assert!(matches!(scene.store.apply_import(5, &other).await, Err(StoreError::ArrivalTaken(5))));
    assert!(matches!(scene.store.pass_over(5, ImportKind::Plans, &other.sha256).await, Err(StoreError::ArrivalTaken(5))));
    let late = scene.store.apply_import(3, &other).await;
    assert!(matches!(late, Err(StoreError::OutOfOrder { arrival: 3, latest: 5 })));
    assert!(matches!(scene.store.apply_import(u64::MAX, &other).await, Err(StoreError::ArrivalTooLarge(_))));
}

async fn an_import_that_is_passed_over_takes_its_place_once(scene: Scene) {
    let refused = rows(ImportKind::Plans, "plan_id,name\nP1,Zakelijk\n");
    for _ in 0..2 {
        scene.store.pass_over(2, ImportKind::Plans, &refused.sha256).await.expect("its place");
    }
    assert_eq!(scene.store.apply_import(2, &refused).await.expect("a look"), Applied::Before);
    assert_eq!(scene.store.latest_import().await.expect("a look"), Some((2, refused.sha256.clone())));
    assert_eq!(scene.of_tenant("other").await.store.latest_import().await.expect("a look"), None);
    assert_eq!((scene.reference(None).await.version, scene.store.plans(None).await.expect("plans").len()), (2, 0));
    scene.import(4, ImportKind::Plans, "plan_id,name\nP2,Prive\n").await;
    let mut noted = Vec::new();
    for arrival in [2, 3, 4] {
        noted.push(scene.store.rows_in_force(arrival).await.expect("a look"));
    }
    assert_eq!(noted, [Some(0), None, Some(1)], "passed over, not there yet, in force");
}

async fn windows_may_come_in_any_order_of_their_dates(scene: Scene) {
    let stated = [
        "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n",
        "D2,31612345678,C2,P1,2025-03-01T00:00:00Z,\n",
        "D3,31612345678,C3,P1,2025-06-01T00:00:00Z,\n",
    ];
    let mut seen = Vec::new();
    let mut arrivals = 1..;
    for (tenant, order) in [("a", [0, 1, 2]), ("b", [2, 1, 0]), ("c", [1, 2, 0])] {
        let scene = scene.of_tenant(tenant).await;
        for (arrival, row) in arrivals.by_ref().zip(order) {
            scene.devices(arrival, stated[row]).await;
        }
        assert_eq!(scene.owner(Msisdn, NUMBER, "2025-05-31T00:00:00Z").await, "D2/C2/P1");
        let reference = scene.reference(None).await;
        seen.push((reference.owners.windows, reference.identifiers));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "the order of arrival does not matter");
}

async fn an_old_version_loads_as_it_was_known_then(scene: Scene) {
    scene.import(2, ImportKind::Customers, "customer_id,name,cycle_day\nC1,Bakkerij Jansen,15\n").await;
    scene.devices(4, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    scene.import(6, ImportKind::Tariffs, r#"{"name":"nl","toml":"a = 1"}"#).await;
    scene.devices(9, "D1,31612345678,C1,P2,2025-01-01T00:00:00Z,\nD2,31612345678,C2,P1,2025-07-01T00:00:00Z,\n").await;
    scene.import(10, ImportKind::Tariffs, r#"{"name":"nl","toml":"a = 2"}"#).await;
    scene.import(11, ImportKind::Customers, "customer_id,name,cycle_day\nC1,Bakkerij Jansen,20\n").await;

    let at = |version| scene.reference(Some(version));
    let (first, second, now) = (at(7).await, at(9).await, scene.reference(None).await);
    assert_eq!((at(1).await.version, at(5).await.version, first.version, second.version, now.version), (0, 4, 6, 9, 11));
    assert!(at(3).await.identifiers.is_empty());
    assert_eq!(owner_in(&first, Msisdn, NUMBER, "2025-08-01T00:00:00Z"), "D1/C1/P1");
    assert_eq!(owner_in(&second, Msisdn, NUMBER, "2025-06-01T00:00:00Z"), "D1/C1/P2");
    assert_eq!(owner_in(&second, Msisdn, NUMBER, "2025-08-01T00:00:00Z"), "D2/C2/P1");
    assert!(at(5).await.tariffs.is_empty());
    assert_eq!((&*second.tariffs[0].toml, &*now.tariffs[0].toml), ("a = 1", "a = 2"));
    let day =
        |r: &crate::Reference| u8::from(r.owners.customers[r.owners.customer_names.code("C1").expect("C1") as usize].cycle_day);
    assert_eq!((day(&first), day(&second), day(&now)), (15, 15, 20));
}

async fn unknown_customers_and_plans_are_made_and_reported(scene: Scene) {
    scene.import(1, ImportKind::Customers, "customer_id,owner_path,time_zone\nC1,op/reseller/C1,America/New_York\n").await;
    let report =
        scene.devices(2, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\nD2,31687654321,C7,P1,2025-01-01T00:00:00Z,\n").await;
    assert_eq!((report.new_customers.first, report.new_plans.first), (vec!["C7".to_owned()], vec!["P1".to_owned()]));
    let reference = scene.reference(None).await;
    let owners = &reference.owners;
    let of = |id: &str| &owners.customers[owners.customer_names.code(id).expect("a customer") as usize];
    assert_eq!((&*of("C1").owner_path, owners.zones[usize::from(of("C1").zone)].name()), ("op/reseller/C1", "America/New_York"));
    assert_eq!((&*of("C7").owner_path, owners.zones[usize::from(of("C7").zone)].name()), ("main", "Europe/Amsterdam"));
    assert_eq!(u8::from(of("C7").cycle_day), 1);
    let window = owners.windows[reference.identifiers[0].2 as usize];
    assert_eq!(owners.subscriptions.name(window.subscription), "D1", "a subscription is named after its device");
    let counts = scene.store.reference_counts().await.expect("counts");
    assert_eq!((counts.version, counts.customers, counts.plans, counts.devices, counts.windows), (2, 2, 1, 2, 2));
}

async fn names_have_codes_in_natural_order(scene: Scene) {
    scene
        .devices(
            1,
            "10,31612345678,200,P1,2025-01-01T00:00:00Z,\n9,31612345679,30,P1,2025-01-01T00:00:00Z,\n\
             A,31612345670,7,P1,2025-01-01T00:00:00Z,\n",
        )
        .await;
    let owners = scene.reference(None).await.owners;
    assert_eq!(owners.devices.iter().collect::<Vec<_>>(), ["9", "10", "A"]);
    assert_eq!(owners.customer_names.iter().collect::<Vec<_>>(), ["7", "30", "200"]);
    assert_eq!(owners.customers.len(), 3);
}

async fn tenants_do_not_see_each_other(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let reference = scene.of_tenant("other").await.reference(None).await;
    assert_eq!((reference.version, reference.identifiers.len(), reference.owners.customers.len()), (0, 0, 0));
}

async fn a_file_of_the_jobs_size_is_one_import(scene: Scene) {
    let text = (0..20_000u64).fold(String::new(), |text, n| {
        text + &format!("{n},{},{},{},2025-01-01T00:00:00Z,2026-10-01T00:00:00Z\n", 31_610_000_000 + n, n % 200, n % 12)
            + &format!("{n},{},{},{},2026-10-01T00:00:00Z,\n", 31_610_000_000 + n, (n + 1) % 200, n % 12)
    });
    let report = scene.devices(1, &text).await;
    assert_eq!((report.added, report.owner_changes.count, report.gaps.count), (40_000, 20_000, 0));
    assert_eq!(report.owner_changes.first.len(), crate::report::EXAMPLES_MAX);
    let reference = scene.reference(None).await;
    assert_eq!((reference.identifiers.len(), reference.owners.windows.len()), (40_000, 40_000));
    assert_eq!(
        (reference.owners.devices.len(), reference.owners.customers.len(), reference.owners.plans.len()),
        (20_000, 200, 12)
    );
    assert_eq!(owner_in(&reference, Msisdn, "31610019999", "2026-10-01T00:00:00Z"), "19999/0/7");
}

async fn the_shipped_samples_import_without_a_finding(scene: Scene) {
    let text = |file| config::samples::find(file).expect("a shipped file");
    let customers = scene.import(1, ImportKind::Customers, text("customers.csv")).await;
    let plans = scene.import(2, ImportKind::Plans, text("plans.csv")).await;
    let devices = scene.import(3, ImportKind::Devices, text("devices.csv")).await;
    assert_eq!((customers.added, plans.added, devices.added), (2, 2, 16));
    assert_eq!((devices.new_customers.count, devices.new_plans.count, devices.gaps.count), (0, 0, 0), "{devices}");
    let owner = scene.owner(Msisdn, "19173750980", "2017-06-27T09:27:15Z").await;
    assert_eq!(owner, "sample-line-15/sample-exchange/sample-voice");
}
