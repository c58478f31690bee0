//! The data folder: what lies where, who may open it, and what the commands get from it.
//!
//! `installation.json` (format, tenant), `secret.key` (record keys), and, unless they lie elsewhere, `store/` (landing and
//! tables), `log/` and `state.db`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use config::Config;
use domain::closed::ClosedCycles;
use domain::columns::entries::{Entries, PARTITION};
use domain::delivery::KeySecret;
use domain::ids::TenantId;
use domain::ports::{Blob, Clock, Rng};
use ingest::land::{ArrivalKind, LandError, Landing, LandingSettings};
use ingest::log::Log;
use ingest::unwrap::UnwrapLimits;
use pipeline::deliveries::Deliveries;
use sinks::closing::closed;
use sinks::commit::CommitSettings;
use sinks::parquet::ParquetSettings;
use sinks::table::Table;
use store::{Limits, Location, Store, StoreError};

use crate::cli::Global;
use crate::exit_code::{bad_input, refused};
use crate::flow::FlowSettings;
use crate::leading::LeadSettings;
use crate::log;
use crate::patience::{Patience, outlast};
use crate::storage::{self, Purpose};
use crate::system::{SystemClock, SystemRng, secret_bytes};
use crate::totals;

/// Folder of the records table in the store.
pub const ENTRIES: &str = "tables/cdr_entries";

/// The variable that names the secret of record keys; a new data folder keeps it in `secret.key`.
const KEY_SECRET: &str = "TOLLWAY_KEY_SECRET";

/// The layout of data folders that this program knows.
const FORMAT: u32 = 1;

/// `installation.json`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Marker {
    format: u32,
    made_by: String,
    tenant: TenantId,
    /// The bucket of landing and tables; empty: they lie in this folder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    storage: String,
}

/// An opened data folder.
pub struct Installation {
    folder: PathBuf,
    config: Config,
    blob: Arc<dyn Blob>,
    secret: KeySecret,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Installation({})", self.folder.display())
    }
}

/// The settings in force: defaults, file, environment, command line.
pub fn settings(global: &Global) -> anyhow::Result<Config> {
    let folder = global.data.as_ref().map(|d| d.to_string_lossy().into_owned());
    let arguments: Vec<(&str, &str, &str)> = folder.iter().map(|d| ("data.folder", d.as_str(), "--data")).collect();
    let texts = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let ours = texts.filter(|(name, _)| name.starts_with("TOLLWAY_"));
    // What is no text is refused by the setting that it is for.
    let variables = ours.map(|(name, value)| (name, value.to_string_lossy().into_owned()));
    Ok(Config::load_with(global.config.as_deref(), variables, &arguments)?)
}

/// Reads the settings as those who use them do, as far as that needs no server: what `config check` says is right is taken.
pub fn check_settings(config: &Config) -> anyhow::Result<()> {
    state_location(config)?;
    log::check(config)
}

fn state_location(config: &Config) -> anyhow::Result<(Location, Limits)> {
    let state = &config.state;
    let url = state.url.as_ref().map(config::Secret::reveal);
    let limits = Limits {
        connections_max: state.connections_max,
        connect_wait: state.connect_timeout,
        statement_wait: state.statement_timeout,
        lock_wait: state.lock_timeout,
    };
    Ok((Location::named(url, &state.schema, &config.data.folder.join("state.db"))?, limits))
}

impl Installation {
    /// Opens a data folder that exists; reading commands do.
    pub fn open(global: &Global) -> anyhow::Result<Self> {
        let config = settings(global)?;
        let folder = config.data.folder.clone();
        if !folder.join("installation.json").exists() {
            return Err(bad_input(format!(
                "{} is no tollway data folder; `tollway demo` or `tollway ingest` make one, --data names another",
                folder.display()
            )));
        }
        Self::open_folder(folder, config, Purpose::Read)
    }

    /// Opens a data folder, making it if it is not there; writing commands do.
    pub fn open_or_create(global: &Global) -> anyhow::Result<Self> {
        let config = settings(global)?;
        let folder = config.data.folder.clone();
        if !folder.join("installation.json").exists() {
            create(&folder, &config).with_context(|| format!("failed to make the data folder {}", folder.display()))?;
        }
        Self::open_folder(folder, config, Purpose::Write)
    }

    fn open_folder(folder: PathBuf, config: Config, purpose: Purpose) -> anyhow::Result<Self> {
        let text = fs::read_to_string(folder.join("installation.json"))?;
        let marker: Marker = serde_json::from_str(&text).map_err(|e| {
            refused(format!("{}/installation.json cannot be read: {e}; is it of a newer version?", folder.display()))
        })?;
        if marker.format > FORMAT {
            return Err(refused(format!(
                "{} has format {}, this program knows {FORMAT}; it was written by {}: use that version or a newer one",
                folder.display(),
                marker.format,
                marker.made_by
            )));
        }
        if marker.tenant != config.data.tenant {
            return Err(refused(format!(
                "{} belongs to tenant `{}`, the configuration says `{}`",
                folder.display(),
                marker.tenant,
                config.data.tenant
            )));
        }
        if marker.storage != storage::bucket(&config).unwrap_or_default() {
            let place = |bucket: &str| if bucket.is_empty() { "itself".to_owned() } else { bucket.to_owned() };
            return Err(refused(format!(
                "{} has its landing and tables in {}, the configuration says {}; copy nothing by hand: set `storage.url` back, \
                 or take another data folder",
                folder.display(),
                place(&marker.storage),
                place(&storage::bucket(&config).unwrap_or_default())
            )));
        }
        let secret = read_secret(&folder.join("secret.key"))?;
        check_named_secret(secret, std::env::var(KEY_SECRET).ok().as_deref())
            .with_context(|| format!("failed to open {}", folder.display()))?;
        let blob = storage::open(&config, &folder, secret, purpose)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self { folder, config, blob, secret, runtime })
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where landing and tables lie, for screens.
    pub fn storage_place(&self) -> String {
        storage::place(&self.config, &self.folder)
    }

    /// The object store.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    /// The secret of record keys.
    pub fn secret(&self) -> KeySecret {
        self.secret
    }

    /// Landing.
    pub fn landing(&self) -> Landing {
        let limits = &self.config.landing;
        let config::sections::Unwrap { depth_max, members_max, bytes_max, ratio_max } = limits.unwrap;
        let unwrap = UnwrapLimits { depth_max, members_max, bytes_max, ratio_max };
        let (file_bytes_max, together_files_max) = (limits.file_bytes_max, limits.together_files);
        let settings = LandingSettings { file_bytes_max, together_files_max, unwrap, ..LandingSettings::default() };
        Landing::new(Arc::clone(&self.blob), settings)
    }

    /// Deliveries of a landing, as they are read here.
    pub fn deliveries(&self, landing: &Arc<Landing>) -> Deliveries {
        let deliveries = Deliveries::new(Arc::clone(landing), Arc::clone(&self.blob), self.secret());
        deliveries.with_max_age(self.config.billing.max_age)
    }

    /// The log, for working on it.
    pub fn log(&self) -> anyhow::Result<Arc<dyn Log>> {
        log::open(&self.folder.join("log"), &self.config)
    }

    /// The log beside a running service.
    pub fn log_read_only(&self) -> anyhow::Result<Arc<dyn Log>> {
        log::open_read_only(&self.folder.join("log"), &self.config)
    }

    /// The records table, made if it is not there.
    pub fn entries(&self) -> anyhow::Result<Table> {
        let id = SystemRng::new()?.next_name();
        let table = Table::open_or_create(&self.blob, ENTRIES, &Entries::schema(), &PARTITION, &id, SystemClock.now_us() / 1000)?;
        Ok(table.with_settings(self.parquet()))
    }

    /// The totals table, made if it is not there.
    pub fn totals(&self) -> anyhow::Result<Table> {
        Ok(totals::open(&self.blob, totals::TOTALS, &SystemClock, &mut SystemRng::new()?)?.with_settings(self.parquet()))
    }

    /// Cycles that are closed; and those whose totals were frozen without that, in which nothing changes whatever arrives.
    pub fn frozen_cycles(&self, entries: &Table) -> anyhow::Result<ClosedCycles> {
        let mut cycles = closed(entries);
        self.frozen_by_hand()?.into_iter().for_each(|cycle| cycles.freeze(cycle));
        Ok(cycles)
    }

    /// Cycles whose totals were frozen without closing them.
    pub fn frozen_by_hand(&self) -> anyhow::Result<BTreeSet<String>> {
        let Some(backups) = self.totals_backup()? else { return Ok(BTreeSet::new()) };
        let frozen = backups.snapshot().files.values().filter(|add| !totals::is_of_closing(add));
        Ok(frozen.filter_map(|add| add.partition("billing_period")).map(str::to_owned).collect())
    }

    /// The frozen totals; `None` if none were ever frozen.
    pub fn totals_backup(&self) -> anyhow::Result<Option<Table>> {
        let is_there = !self.blob.list(&format!("{}/_delta_log/", totals::TOTALS_BACKUP))?.is_empty();
        Ok(if is_there { Some(Table::open(&self.blob, totals::TOTALS_BACKUP)?) } else { None })
    }

    /// How tables are written.
    pub fn parquet(&self) -> ParquetSettings {
        let tables = &self.config.tables;
        ParquetSettings {
            zstd_level: tables.compression_level,
            row_group_rows: tables.row_group_rows,
            ..ParquetSettings::default()
        }
    }

    /// For a service, which outlives its servers: what may pass is borne for ever, with pauses that stop growing.
    #[must_use]
    pub fn for_a_service(mut self) -> Self {
        self.config.pipeline.retries_max = u32::MAX;
        self
    }

    /// How long failures that may pass are borne.
    pub fn patience(&self) -> Patience {
        Patience::new(self.config.pipeline.retries_max, self.config.pipeline.retry_pause)
    }

    /// The state database, for writing; a server that is down is waited for, as long as `[pipeline]` says.
    pub fn state(&self) -> anyhow::Result<Store> {
        let (location, limits) = state_location(&self.config)?;
        outlast(self.patience(), || {
            let store = self.block_on(Store::open(&location, &limits, &self.config.data.tenant))?;
            self.check_landing(&store)?;
            Ok(store)
        })
    }

    /// A file in the data folder is ours; a schema may be another installation's, and rows would be rated by its customers.
    fn check_landing(&self, store: &Store) -> anyhow::Result<()> {
        let Location::Server(_) = store.location() else { return Ok(()) };
        let Some((number, sha256)) = self.block_on(store.latest_import())? else { return Ok(()) };
        let is_ours = match self.landing().arrival(number) {
            Ok(arrival) => matches!(&arrival.kind, ArrivalKind::Import(import) if import.sha256 == sha256),
            // Retention may have taken it, if later ones are there.
            Err(LandError::NoArrival(_)) => self.landing().next_number()? > number,
            Err(e) => return Err(e.into()),
        };
        if is_ours {
            return Ok(());
        }
        Err(refused(format!(
            "the state {} was made from another landing: its newest import, arrival {number}, is not the one in {}; give this \
             installation a `state.schema` of its own",
            store.location(),
            self.folder.display()
        )))
    }

    /// The state database beside a running service.
    pub fn state_read_only(&self) -> anyhow::Result<Store> {
        let (location, limits) = state_location(&self.config)?;
        match self.block_on(Store::open_read_only(&location, &limits, &self.config.data.tenant)) {
            Err(StoreError::Missing(_)) => self.state(),
            opened => Ok(opened?),
        }
    }

    /// Whether the state database answers and has the tables that this program reads; once, and nothing is made.
    pub fn look_at_state(&self) -> anyhow::Result<()> {
        let (location, limits) = state_location(&self.config)?;
        match self.block_on(Store::open_read_only(&location, &limits, &self.config.data.tenant)) {
            Ok(store) => self.check_landing(&store),
            Err(StoreError::Missing(_)) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Waits for something asynchronous.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// The runtime, for services.
    pub fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// Limits of a flow; `workers` overrides the configuration.
    pub fn flow_settings(&self, workers: Option<u32>) -> FlowSettings {
        let p = &self.config.pipeline;
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let configured = p.workers.map_or(cores, std::num::NonZero::get);
        FlowSettings {
            workers: workers
                .unwrap_or_else(|| u32::try_from(configured).unwrap_or(1))
                .clamp(1, self.config.log.batches_partitions),
            worker: pipeline::worker::WorkerSettings {
                rows_max: p.commit_rows_max,
                bytes_max: p.commit_bytes_max,
                linger_us: i64::try_from(p.linger.as_micros()).unwrap_or(i64::MAX),
                queue_max: p.queue_max,
                look_again_us: i64::try_from(p.look_again.as_micros()).unwrap_or(i64::MAX),
            },
            lead: LeadSettings { landing_pause_max: self.config.landing.look_pause_max, look_again: p.look_again },
            commit: CommitSettings { key_cache_bytes: p.key_cache_bytes, attempts_max: p.commit_attempts_max },
            retries_max: p.retries_max,
            retry_pause: p.retry_pause,
            stalled: p.stalled,
            checkpoint_every: self.config.tables.checkpoint_commits,
        }
    }
}

fn create(folder: &Path, config: &Config) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let secret = match std::env::var(KEY_SECRET) {
        Ok(hex) => hex,
        Err(_) => format!("{:032x}", u128::from_be_bytes(secret_bytes()?)),
    };
    parse_secret(&secret)?;
    let path = folder.join("secret.key");
    if !path.exists() {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(secret.as_bytes())?;
        file.sync_all()?;
    }
    // A bucket that cannot be reached is mended in the configuration: until then this folder is bound to none.
    storage::open(config, folder, read_secret(&path)?, Purpose::Write)?;
    let marker = Marker {
        format: FORMAT,
        made_by: sinks::ENGINE.to_owned(),
        tenant: config.data.tenant.clone(),
        storage: storage::bucket(config).unwrap_or_default(),
    };
    let staged = folder.join("installation.json.new");
    fs::write(&staged, serde_json::to_vec_pretty(&marker)?)?;
    fs::File::open(&staged)?.sync_all()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "the marker is the last thing made, whole or not at all; no object of the store"
    )]
    fs::rename(&staged, folder.join("installation.json"))?;
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

fn parse_secret(hex: &str) -> anyhow::Result<KeySecret> {
    let value = (hex.trim().len() == 32).then(|| u128::from_str_radix(hex.trim(), 16).ok()).flatten();
    let value = value.ok_or_else(|| bad_input("the secret of record keys must be 32 hexadecimal digits"))?;
    Ok(KeySecret(value.to_be_bytes()))
}

/// A secret that is named beside the one that is kept must be the same: rows that are known under one are new under another.
fn check_named_secret(kept: KeySecret, named: Option<&str>) -> anyhow::Result<()> {
    let Some(named) = named else { return Ok(()) };
    if parse_secret(named)?.0 == kept.0 {
        return Ok(());
    }
    Err(refused(format!(
        "{KEY_SECRET} and `secret.key` are different secrets of record keys, and known rows could not be told; unset the variable, \
         or restore the `secret.key` that belongs to it"
    )))
}

fn read_secret(path: &Path) -> anyhow::Result<KeySecret> {
    let text = fs::read_to_string(path).with_context(|| {
        format!("failed to read {}: without it known rows cannot be told; restore it from a backup", path.display())
    })?;
    parse_secret(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_named_must_be_the_one_that_is_kept() {
        let kept = parse_secret(&"0a".repeat(16)).expect("32 digits");
        check_named_secret(kept, None).expect("none is named");
        check_named_secret(kept, Some(&"0A".repeat(16))).expect("the same");
        let other = check_named_secret(kept, Some(&"0b".repeat(16))).expect_err("another");
        let said = format!("{other:#}");
        assert!(said.contains(KEY_SECRET) && said.contains("`secret.key`") && !said.contains("0b0b"), "{said}");
        assert!(check_named_secret(kept, Some("short")).is_err());
    }
}
