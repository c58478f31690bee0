//! Reference data from the state database to what rating asks: device windows and tariffs of one version.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::delivery::ArrivalNumber;
use domain::ids::Names;
use domain::period::CycleDay;
use domain::zone::Zone;
use ingest::land::Landing;
use pipeline::PipelineError;
use pipeline::rating::{Reference, References};
use rate::error::TariffError;
use rate::link::index::{DeviceIndex, IdentifierWindow};
use rate::tariff::set::TariffSet;
use rate::tariff::{Tariff, TariffSource};
use store::Store;
use tokio::runtime::Handle;

use crate::commands::import::apply_landed;

/// The reference data in force, shared by all workers; a new import replaces it as a whole.
///
/// It is renewed before a group is rated: deliveries and imports share one order of arrivals, so what lands after an import
/// is rated by it, also where another process has just landed both.
#[derive(Clone)]
pub struct SharedReference {
    held: Arc<RwLock<Arc<Reference>>>,
    renewal: Arc<Mutex<Renewal>>,
}

/// What it takes to put an import in force.
struct Renewal {
    landing: Arc<Landing>,
    store: Store,
    runtime: Handle,
    /// The first arrival that was not looked at.
    next: ArrivalNumber,
}

impl std::fmt::Debug for SharedReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharedReference(version {})", self.get().version)
    }
}

impl SharedReference {
    /// Applies every import that has landed and shares the version that they make.
    pub fn open(landing: Arc<Landing>, store: Store, runtime: Handle) -> anyhow::Result<Self> {
        let from = runtime.block_on(store.reference_counts())?.version + 1;
        let next = apply_landed(&landing, &store, &runtime, from)?.next;
        let held = runtime.block_on(load(&store))?;
        let renewal = Renewal { landing, store, runtime, next };
        Ok(Self { held: Arc::new(RwLock::new(Arc::new(held))), renewal: Arc::new(Mutex::new(renewal)) })
    }

    /// Puts in force what was imported since the last look, and gives the version in force.
    pub fn renew(&self) -> anyhow::Result<Arc<Reference>> {
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = apply_landed(&renewal.landing, &renewal.store, &renewal.runtime, renewal.next)?;
        if looked.imports > 0 {
            let newest = renewal.runtime.block_on(load(&renewal.store))?;
            let version = newest.version;
            *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(newest);
            // Said when it is so: whoever reads this line may ask for prices.
            tracing::info!(version, "reference data in force");
        }
        renewal.next = looked.next;
        Ok(self.get())
    }

    /// The version in force when somebody last looked.
    pub fn get(&self) -> Arc<Reference> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl References for SharedReference {
    fn current(&mut self) -> Result<Arc<Reference>, PipelineError> {
        self.renew().map_err(|e| PipelineError::Reference(format!("{e:#}")))
    }
}

/// Loads the newest version from the state database.
pub async fn load(store: &Store) -> anyhow::Result<Reference> {
    compile(store.load_reference(None).await?)
}

/// Loads the version as it was when arrival `at` had acted.
pub async fn load_at(store: &Store, at: u64) -> anyhow::Result<Reference> {
    compile(store.load_reference(Some(at)).await?)
}

/// Builds the index and the tariffs of a version.
pub fn compile(loaded: store::Reference) -> anyhow::Result<Reference> {
    compile_by(loaded, TariffSet::build)
}

/// The newest version with a draft beside its tariffs, as if that had always been in force.
pub async fn load_with_draft(store: &Store, draft: &TariffSource) -> anyhow::Result<Reference> {
    let draft = Tariff::load_for_all_time(draft)?;
    compile_by(store.load_reference(None).await?, |tariffs| TariffSet::with_draft(tariffs, draft))
}

fn compile_by(
    loaded: store::Reference,
    build: impl FnOnce(Vec<Tariff>) -> Result<TariffSet, TariffError>,
) -> anyhow::Result<Reference> {
    let owners = Arc::new(loaded.owners);
    let windows = loaded.identifiers.iter().map(|(kind, value, owner)| IdentifierWindow {
        kind: kind_of(*kind),
        value: *value,
        owner: *owner,
    });
    let index = DeviceIndex::build(Arc::clone(&owners), windows.collect())?;
    let tariffs =
        loaded.tariffs.iter().map(|b| Tariff::load(&source(&b.name, &b.toml, &b.companions))).collect::<Result<Vec<_>, _>>()?;
    let set = Arc::new(build(tariffs)?);
    Ok(Reference { version: loaded.version, index, tariffs: set.bind(&owners) })
}

fn kind_of(kind: store::IdentifierKind) -> rate::link::index::IdentifierKind {
    match kind {
        store::IdentifierKind::Msisdn => rate::link::index::IdentifierKind::Msisdn,
        store::IdentifierKind::Imsi => rate::link::index::IdentifierKind::Imsi,
        store::IdentifierKind::Iccid => rate::link::index::IdentifierKind::Iccid,
    }
}

/// A tariff's texts as the rating crate takes them.
pub fn source(name: &str, toml: &str, companions: &BTreeMap<String, String>) -> TariffSource {
    TariffSource { name: name.to_owned(), toml: toml.to_owned(), companions: companions.clone() }
}

/// A reference without a state database: the windows of one devices file under one tariff. What a measured job uses.
pub fn from_devices(devices_csv: &[u8], tariff: &TariffSource) -> anyhow::Result<Reference> {
    let rows = store::parse_import(store::ImportKind::Devices, devices_csv, &store::ImportLimits::default())?;
    let store::import::ImportContent::Devices { rows, .. } = rows.content else {
        unreachable!("a devices file parses to devices");
    };
    let names = |name: fn(&store::import::DeviceRow) -> &str| Names::new(rows.iter().map(name));
    let mut owners = Owners {
        windows: Vec::with_capacity(rows.len()),
        devices: names(|r| &r.device),
        subscriptions: names(|r| &r.subscription),
        customer_names: names(|r| &r.customer),
        customers: Vec::new(),
        plans: names(|r| &r.plan),
        groups: Names::default(),
        zones: vec![Zone::load(store::import::DEFAULT_TIME_ZONE).expect("the zone is bundled")],
    };
    let customer = Customer { owner_path: "main".into(), cycle_day: CycleDay::FIRST, zone: 0 };
    owners.customers = vec![customer; owners.customer_names.len()];
    let mut identifiers = Vec::with_capacity(rows.len());
    for row in &rows {
        let position = u32::try_from(owners.windows.len())?;
        let code = |names: &Names, name: &str| names.code(name).expect("the list was made of these names");
        owners.windows.push(Owner {
            from_us: row.from_us,
            to_us: row.to_us.unwrap_or(i64::MAX),
            device: code(&owners.devices, &row.device),
            subscription: code(&owners.subscriptions, &row.subscription),
            customer: code(&owners.customer_names, &row.customer),
            plan: code(&owners.plans, &row.plan),
            group: NO_GROUP,
        });
        identifiers.extend(row.identifiers.iter().map(|i| (i.kind, i.value, position)));
    }
    let owners = Arc::new(owners);
    let windows =
        identifiers.iter().map(|(kind, value, owner)| IdentifierWindow { kind: kind_of(*kind), value: *value, owner: *owner });
    let index = DeviceIndex::build(Arc::clone(&owners), windows.collect())?;
    let set = Arc::new(TariffSet::build(vec![Tariff::load(tariff)?])?);
    Ok(Reference { version: 0, index, tariffs: set.bind(&owners) })
}
