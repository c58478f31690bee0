//! Scenarios on real databases: what an operator imports, and who has a number afterwards. Each runs on both.

mod full;
mod groups;
mod imports;
mod opening;
mod outage;
mod parsing;
mod properties;
mod proxy;
mod sharing;
mod subscriptions;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::ids::TenantId;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::database::Pool;
use crate::identifier::{Identifier, IdentifierKind};
use crate::import::{ImportKind, ImportLimits, ImportRows, parse_import};
use crate::instant::parse_instant;
use crate::load::Reference;
use crate::report::ImportReport;
use crate::{Applied, Limits, Location, Store};

/// The header of the job's devices file.
const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";

/// Makes two tests of each scenario, one for each database. A scenario that is not listed is dead code, which CI refuses.
macro_rules! on_both {
    ($($scenario:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $scenario() { crate::tests::play(&crate::tests::Home::folder(), super::$scenario); })+
        }
        mod on_postgres {
            $(#[test] fn $scenario() { crate::tests::play(&crate::tests::Home::schema(), super::$scenario); })+
        }
    };
}
use on_both;

/// Where a test's state lies; it goes with the test.
enum Home {
    Folder(tempfile::TempDir),
    Schema { url: String, name: String },
}

impl Home {
    fn folder() -> Self {
        Self::Folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn schema() -> Self {
        static NTH: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("TOLLWAY_POSTGRES").unwrap_or_else(|_| {
            panic!("TOLLWAY_POSTGRES is not set: run `cargo xtask test`, or see `cargo xtask services start postgres`")
        });
        let name = format!("test_{}_{}", std::process::id(), NTH.fetch_add(1, Ordering::Relaxed));
        let home = Self::Schema { url, name };
        home.clear();
        home
    }

    fn location(&self) -> Location {
        match self {
            Self::Folder(folder) => Location::File(folder.path().join("state.sqlite")),
            Self::Schema { url, name } => Location::named(Some(url), name, &PathBuf::new()).expect("the server's address"),
        }
    }

    /// Drops what is there; what an aborted run with the same number left, too.
    fn clear(&self) {
        let Self::Schema { url, name } = self else { return };
        runtime().block_on(async {
            let mut sql = PgConnection::connect(url).await.expect("the server");
            let drop = AssertSqlSafe(format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"{name}\" CASCADE"));
            sqlx::raw_sql(drop).execute(&mut sql).await.expect("an end of the schema");
            sql.close().await.expect("an end of the connection");
        });
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.clear();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Plays a scenario; all its connections end before its home does.
fn play<F: Future<Output = ()>>(home: &Home, scenario: impl FnOnce(Scene) -> F) {
    let runtime = runtime();
    runtime.block_on(async { scenario(Scene::at(home.location(), &Limits::default()).await).await });
}

/// An open store.
struct Scene {
    store: Store,
}

impl Scene {
    async fn at(location: Location, limits: &Limits) -> Self {
        Self { store: Store::open(&location, limits, &tenant()).await.expect("a new state") }
    }

    fn location(&self) -> &Location {
        self.store.location()
    }

    /// The same database again, as another process opens it.
    async fn again(&self) -> Self {
        Self::at(self.location().clone(), &Limits::default()).await
    }

    /// The same database as another tenant sees it.
    async fn of_tenant(&self, name: &str) -> Self {
        let tenant = TenantId::parse(name).expect("an id");
        Self { store: Store::open(self.location(), &Limits::default(), &tenant).await.expect("the same state") }
    }

    async fn read_only(&self) -> Result<Store, crate::StoreError> {
        Store::open_read_only(self.location(), &Limits::default(), &tenant()).await
    }

    /// SQL by hand, past all rules.
    async fn tamper(&self, sql: &'static str) {
        match &self.store.pool {
            Pool::Sqlite(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
            Pool::Postgres(pool) => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        }
        .expect("SQL that both take");
    }

    /// Applies a devices file: the job's header and these rows.
    async fn devices(&self, arrival: u64, rows: &str) -> ImportReport {
        self.import(arrival, ImportKind::Devices, &format!("{DEVICES}{rows}")).await
    }

    async fn import(&self, arrival: u64, kind: ImportKind, text: &str) -> ImportReport {
        match self.store.apply_import(arrival, &rows(kind, text)).await.expect("an import that is fine") {
            Applied::Now(report) => *report,
            Applied::Before => panic!("arrival {arrival} was applied before"),
        }
    }

    async fn dry_run(&self, text: &str) -> ImportReport {
        self.store.plan_import(&rows(ImportKind::Devices, &format!("{DEVICES}{text}"))).await.expect("a plan")
    }

    async fn reference(&self, at: Option<u64>) -> Reference {
        self.store.load_reference(at).await.expect("a reference")
    }

    /// Who has a number at an instant: `device/customer/plan`, or `nobody`.
    async fn owner(&self, kind: IdentifierKind, number: &str, instant: &str) -> String {
        owner_in(&self.reference(None).await, kind, number, instant)
    }
}

fn tenant() -> TenantId {
    TenantId::parse("main").expect("an id")
}

fn rows(kind: ImportKind, text: &str) -> ImportRows {
    parse_import(kind, text.as_bytes(), &ImportLimits::default()).expect("a file that is fine")
}

/// Asks a reference as linking does: all windows of the number, at most one holds the instant.
fn owner_in(reference: &Reference, kind: IdentifierKind, number: &str, instant: &str) -> String {
    let (number, at) = (Identifier::parse(kind, number).expect("a number"), parse_instant(instant).expect("an instant"));
    let owners = &reference.owners;
    let of_number = reference.identifiers.iter().filter(|(k, value, _)| (*k, *value) == (number.kind, number.value));
    let holding: Vec<String> = of_number
        .map(|(_, _, window)| owners.windows[*window as usize])
        .filter(|w| w.from_us <= at && at < w.to_us)
        .map(|w| [owners.devices.name(w.device), owners.customer_names.name(w.customer), owners.plans.name(w.plan)].join("/"))
        .collect();
    assert!(holding.len() <= 1, "{number} at {instant}: {holding:?}");
    holding.into_iter().next().unwrap_or_else(|| "nobody".to_owned())
}
