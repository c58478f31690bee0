//! A server that is down, goes down or falls silent: a named state, nothing lost, nothing twice, recovery by itself.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use domain::ports::Disposition;

use super::proxy::{Proxy, Wire};
use super::{DEVICES, Home, Scene, rows, runtime, tenant};
use crate::identifier::IdentifierKind::Msisdn;
use crate::statements::Statement;
use crate::{Applied, ImportKind, ImportRows, Limits, Location, Store, StoreError};

const NUMBER: &str = "31612345678";
const SECRET: &str = "hunter2";

/// For a state that must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// For answers that do not come.
const HASTY: Limits = Limits {
    connections_max: 2,
    connect_wait: Duration::from_millis(400),
    statement_wait: Duration::from_millis(600),
    lock_wait: Duration::from_millis(300),
};

fn devices() -> ImportRows {
    rows(ImportKind::Devices, &format!("{DEVICES}D1,{NUMBER},C1,P1,2025-01-01T00:00:00Z,\n"))
}

/// The home's schema, by way of another host and port, with a password that nobody asks for.
fn by_way_of(home: &Home, address: &str) -> Location {
    let Home::Schema { url, name } = home else { panic!("a schema") };
    let (_, path) = url.rsplit_once('/').expect("a database");
    Location::named(Some(&format!("postgres://tollway:{SECRET}@{address}/{path}")), name, Path::new("")).expect("an address")
}

fn server_of(home: &Home) -> String {
    let Home::Schema { url, .. } = home else { panic!("a schema") };
    let host = url.rsplit_once('@').and_then(|(_, rest)| rest.split_once('/')).expect("a host");
    host.0.to_owned()
}

/// The error is the named state: where, what to do, retried, and no password in it or its causes.
fn is_outage(error: &StoreError, address: &str) {
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.disposition(), Disposition::Retry);
    let said = error.to_string();
    assert!(said.contains(&format!("the state database at {address} does not answer")), "{said}");
    assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
}

/// A scene behind a wire, and the same without it.
async fn behind_a_wire(home: &Home) -> (Scene, Proxy, Scene) {
    let direct = Scene::at(home.location(), &Limits::default()).await;
    let proxy = Proxy::before(&server_of(home)).await;
    let scene = Scene::at(by_way_of(home, &proxy.address.to_string()), &Limits::default()).await;
    (scene, proxy, direct)
}

/// Tries until it succeeds.
async fn at_last<T, F: Future<Output = Result<T, StoreError>>>(try_once: impl Fn() -> F) -> T {
    let tries = async {
        loop {
            if let Ok(done) = try_once().await {
                return done;
            }
        }
    };
    tokio::time::timeout(PATIENCE, tries).await.expect("a recovery")
}

#[test]
fn a_server_that_is_down_at_the_start_is_named() {
    let home = Home::schema();
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port that nobody listens on");
    let location = by_way_of(&home, &port.to_string());
    runtime().block_on(async {
        let error = Store::open(&location, &HASTY, &tenant()).await.expect_err("nobody is there");
        is_outage(&error, &port.to_string());
        let error = Store::open_read_only(&location, &HASTY, &tenant()).await.expect_err("nobody is there");
        is_outage(&error, &port.to_string());
        // A balancer that has no server behind it takes the connection and ends it.
        let proxy = Proxy::before(&server_of(&home)).await;
        proxy.set(Wire::Cut);
        let location = by_way_of(&home, &proxy.address.to_string());
        let error = Store::open(&location, &HASTY, &tenant()).await.expect_err("nobody is behind it");
        is_outage(&error, &proxy.address.to_string());
    });
}

#[test]
fn a_login_that_is_refused_is_no_outage() {
    let home = Home::schema();
    let server = server_of(&home);
    runtime().block_on(async {
        for (user, database) in [("somebody_else", "postgres"), ("tollway", "no_such_database")] {
            let url = format!("postgres://{user}:{SECRET}@{server}/{database}");
            let location = Location::named(Some(&url), "tollway", Path::new("")).expect("an address");
            let error = Store::open(&location, &Limits::default(), &tenant()).await.expect_err("a refusal");
            assert!(matches!(error, StoreError::LoginRefused { .. }), "{error:?}");
            let said = format!("{error} {error:?}");
            assert!(said.contains(user) && said.contains(database) && !said.contains(SECRET), "{said}");
            assert_eq!(error.disposition(), Disposition::Stop);
        }
    });
}

#[test]
fn a_server_that_goes_away_between_imports_is_found_again() {
    let home = Home::schema();
    runtime().block_on(async {
        let (scene, proxy, _) = behind_a_wire(&home).await;
        scene.import(1, ImportKind::Plans, "plan_id\nP1\n").await;
        proxy.set(Wire::Cut);
        let error = scene.store.apply_import(2, &devices()).await.expect_err("the wire is cut");
        is_outage(&error, &proxy.address.to_string());
        let error = scene.store.load_reference(None).await.expect_err("the wire is cut");
        is_outage(&error, &proxy.address.to_string());
        proxy.set(Wire::Whole);
        assert!(matches!(scene.store.apply_import(2, &devices()).await, Ok(Applied::Now(_))));
        assert_eq!(scene.owner(Msisdn, NUMBER, "2025-02-01T00:00:00Z").await, "D1/C1/P1");
    });
}

#[test]
fn an_import_that_is_cut_off_in_the_middle_leaves_nothing_and_acts_later() {
    let home = Home::schema();
    runtime().block_on(async {
        for (arrival, word) in [(1, &b"INSERT INTO customers"[..]), (3, b"UPDATE link_windows"), (5, b"COMMIT\0")] {
            let (scene, proxy, direct) = behind_a_wire(&home).await;
            let from = format!("2025-01-01T00:00:0{arrival}Z");
            let text = format!("{DEVICES}D{arrival},{NUMBER},C{arrival},P1,{from},\n");
            proxy.set(Wire::CutBefore(word));
            let error = scene.store.apply_import(arrival, &rows(ImportKind::Devices, &text)).await.expect_err("a cut wire");
            is_outage(&error, &proxy.address.to_string());
            assert_eq!(direct.reference(None).await.version, arrival.saturating_sub(2), "nothing of it is there");
            proxy.set(Wire::Whole);
            let applied = scene.store.apply_import(arrival, &rows(ImportKind::Devices, &text)).await.expect("a whole wire");
            assert!(matches!(applied, Applied::Now(_)));
            assert_eq!(direct.owner(Msisdn, NUMBER, &from).await, format!("D{arrival}/C{arrival}/P1"));
        }
    });
}

#[test]
fn an_import_whose_last_answer_is_lost_has_acted_once() {
    let home = Home::schema();
    runtime().block_on(async {
        let (mut scene, proxy, direct) = behind_a_wire(&home).await;
        scene.store.limits = HASTY;
        proxy.set(Wire::DeafAfter(b"COMMIT\0"));
        let error = scene.store.apply_import(1, &devices()).await.expect_err("no answer");
        is_outage(&error, &proxy.address.to_string());
        let heard = async { while direct.reference(None).await.version == 0 {} };
        tokio::time::timeout(PATIENCE, heard).await.expect("the server heard it");
        proxy.set(Wire::Whole);
        let rows = devices();
        assert_eq!(at_last(|| scene.store.apply_import(1, &rows)).await, Applied::Before);
        assert_eq!(direct.store.reference_counts().await.expect("counts").windows, 1);
    });
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for_for_ever() {
    let home = Home::schema();
    runtime().block_on(async {
        let (mut scene, proxy, direct) = behind_a_wire(&home).await;
        scene.import(1, ImportKind::Plans, "plan_id\nP1\n").await;
        scene.store.limits = HASTY;
        let rows = devices();
        for word in [&b"SELECT"[..], b"BEGIN", b"INSERT INTO imports"] {
            proxy.set(Wire::DeafAfter(word));
            let error = scene.store.apply_import(2, &rows).await.expect_err("silence");
            is_outage(&error, &proxy.address.to_string());
        }
        proxy.set(Wire::Whole);
        at_last(|| scene.store.apply_import(2, &rows)).await;
        assert_eq!(direct.owner(Msisdn, NUMBER, "2025-02-01T00:00:00Z").await, "D1/C1/P1");
    });
}

async fn a_statement_that_takes_too_long_ends_with_a_name(scene: Scene) {
    let mut reading = scene.store.read().await.expect("a reader");
    let hurry = Statement { does: "hurry", sql: "SET LOCAL statement_timeout = 50" };
    reading.run(hurry, &[]).await.expect("a setting");
    let slow = Statement { does: "count far", sql: "SELECT COUNT(*) FROM generate_series(1, 10000000000)" };
    let error = reading.one::<(i64,)>(slow, &[]).await.expect_err("a slow statement");
    assert!(matches!(error, StoreError::TooSlow { .. }) && error.disposition() == Disposition::Retry, "{error:?}");
    assert!(error.to_string().contains("`state.statement_timeout_ms`"), "{error}");
}

#[test]
fn on_a_server_a_statement_that_takes_too_long_ends_with_a_name() {
    super::play(&Home::schema(), a_statement_that_takes_too_long_ends_with_a_name);
}
