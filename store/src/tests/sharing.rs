//! Several processes over one state: one writes at a time, in the order of arrivals, and nobody who reads sees half of it.

use std::time::Duration;

use super::{Home, Scene, on_both, rows, runtime, tenant};
use crate::database::Pool;
use crate::identifier::IdentifierKind::Msisdn;
use crate::statements::LATEST_ARRIVAL;
use crate::{Applied, ImportKind, Limits, Location, Store, StoreError};

/// For a state that must come.
const PATIENCE: Duration = Duration::from_secs(20);

on_both![
    a_reader_sees_one_state_from_its_first_read_on,
    a_writer_that_waits_too_long_says_so,
    of_two_processes_that_apply_the_same_import_one_does,
    imports_of_two_processes_act_in_the_order_of_arrivals,
];

async fn a_reader_sees_one_state_from_its_first_read_on(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let mut reading = scene.store.read().await.expect("a reader");
    let values = ["main".into(), i64::MAX.into()];
    let (before,): (i64,) = reading.one(LATEST_ARRIVAL, &values).await.expect("a version");
    scene.again().await.devices(2, "D2,31687654321,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let (after,): (i64,) = reading.one(LATEST_ARRIVAL, &values).await.expect("a version");
    assert_eq!((before, after), (1, 1));
    reading.commit().await.expect("an end");
    assert_eq!(scene.reference(None).await.version, 2);
}

async fn a_writer_that_waits_too_long_says_so(scene: Scene) {
    let hasty = Limits { lock_wait: Duration::from_millis(50), ..Limits::default() };
    let other = loop {
        match Store::open(scene.location(), &hasty, &tenant()).await {
            // Schemas of one server are migrated one after the other: another test's turn.
            Err(StoreError::Locked(_)) => {}
            opened => break opened.expect("the state"),
        }
    };
    let writing = scene.store.write().await.expect("the write lock");
    let plans = rows(ImportKind::Plans, "plan_id\nP1\n");
    let locked = other.apply_import(1, &plans).await.expect_err("somebody writes");
    assert!(matches!(locked, StoreError::Locked(_)), "{locked:?}");
    assert_eq!(locked.disposition(), domain::ports::Disposition::Retry);
    writing.commit().await.expect("an end");
    assert!(matches!(other.apply_import(1, &plans).await, Ok(Applied::Now(_))));
}

async fn of_two_processes_that_apply_the_same_import_one_does(scene: Scene) {
    let other = scene.again().await;
    for arrival in 1..=10u64 {
        let plans = rows(ImportKind::Plans, &format!("plan_id\nP{arrival}\n"));
        let (one, two) = tokio::join!(scene.store.apply_import(arrival, &plans), other.store.apply_import(arrival, &plans));
        let acted = [one.expect("an import"), two.expect("an import")].iter().filter(|a| **a != Applied::Before).count();
        assert_eq!(acted, 1, "arrival {arrival}");
    }
    assert_eq!(scene.store.reference_counts().await.expect("counts").plans, 10);
}

async fn imports_of_two_processes_act_in_the_order_of_arrivals(scene: Scene) {
    let other = scene.again().await;
    for arrival in (1..=20u64).step_by(2) {
        let (earlier, later) = (rows(ImportKind::Plans, "plan_id\nP1\n"), rows(ImportKind::Plans, "plan_id\nP2\n"));
        let (one, two) = tokio::join!(scene.store.apply_import(arrival, &earlier), other.store.apply_import(arrival + 1, &later));
        two.expect("nothing later has acted");
        match one {
            Ok(Applied::Now(_)) | Err(StoreError::OutOfOrder { .. }) => {}
            other => panic!("arrival {arrival}: {other:?}"),
        }
        assert_eq!(scene.reference(None).await.version, arrival + 1);
    }
}

async fn an_import_waits_for_the_one_before_it(scene: Scene) {
    scene.import(1, ImportKind::Plans, "plan_id\nP1\n").await;
    let mut writing = scene.store.write().await.expect("the write lock");
    let other = scene.again().await;
    let second = tokio::spawn(async move {
        other.devices(3, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
        other
    });
    let Pool::Postgres(pool) = &scene.store.pool else { panic!("a server") };
    let waits = async {
        loop {
            let waiting: i64 =
                sqlx::query_scalar("SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'imports'::regclass")
                    .fetch_one(pool)
                    .await
                    .expect("the server's locks");
            if waiting > 0 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waits).await.expect("the second import stands in line");
    assert!(!second.is_finished());
    let values = ["main".into(), 2i64.into(), "plans".into(), "content".into(), 0i64.into()];
    writing.insert(crate::statements::NOTE_IMPORT, &[values]).await.expect("the import before it");
    writing.commit().await.expect("its end");
    let other = second.await.expect("the second import");
    assert_eq!(other.owner(Msisdn, "31612345678", "2025-02-01T00:00:00Z").await, "D1/C1/P1");
    assert_eq!(other.reference(None).await.version, 3);
}

#[test]
fn on_a_server_an_import_waits_for_the_one_before_it() {
    super::play(&Home::schema(), an_import_waits_for_the_one_before_it);
}

#[test]
fn schemas_of_one_server_do_not_see_each_other() {
    let (one, other) = (Home::schema(), Home::schema());
    runtime().block_on(async {
        let here = Scene::at(one.location(), &Limits::default()).await;
        here.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
        let there = Scene::at(other.location(), &Limits::default()).await;
        assert_eq!(there.reference(None).await.version, 0);
        there.devices(1, "D2,31612345678,C2,P1,2025-01-01T00:00:00Z,\n").await;
        assert_eq!(here.owner(Msisdn, "31612345678", "2025-02-01T00:00:00Z").await, "D1/C1/P1");
        assert_eq!(there.owner(Msisdn, "31612345678", "2025-02-01T00:00:00Z").await, "D2/C2/P1");
    });
}

#[test]
fn processes_that_start_together_make_the_schema_once() {
    let home = Home::schema();
    runtime().block_on(async {
        let open = || async { Scene::at(home.location(), &Limits::default()).await };
        let (one, two, three) = tokio::join!(open(), open(), open());
        one.import(1, ImportKind::Plans, "plan_id\nP1\n").await;
        for scene in [two, three] {
            assert!(matches!(scene.location(), Location::Server(_)));
            assert_eq!(scene.reference(None).await.version, 1);
        }
    });
}
