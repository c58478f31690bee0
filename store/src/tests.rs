//! Scenarios on a real database file: what an operator imports, and who has a number afterwards.

mod imports;
mod opening;
mod parsing;
mod properties;

use std::path::PathBuf;

use domain::ids::TenantId;

use crate::identifier::{Identifier, IdentifierKind};
use crate::import::{ImportKind, ImportLimits, ImportRows, parse_import};
use crate::instant::parse_instant;
use crate::load::Reference;
use crate::report::ImportReport;
use crate::{Applied, Store};

/// The header of the job's devices file.
const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";

/// A store in a folder of its own.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&folder.path().join("state.sqlite"), &tenant()).await.expect("a new database");
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
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
