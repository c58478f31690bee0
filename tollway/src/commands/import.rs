//! `tollway import`: reference data, landed first, then put in force; a dry run shows what would change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::delivery::ArrivalNumber;
use ingest::land::{ArrivalKind, ImportKind as LandedWhat, ImportRequest, Landing};
use serde_json::json;
use store::import::ImportContent;
use store::{ImportKind, ImportLimits, ImportReport, Store, TariffBundle, parse_import};
use tokio::runtime::Handle;

use crate::cli::{Global, ImportArgs, ImportWhat};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::output::Answer;
use crate::system::SystemClock;

fn kind_of(what: ImportWhat) -> (ImportKind, LandedWhat) {
    match what {
        ImportWhat::Devices => (ImportKind::Devices, LandedWhat::Devices),
        ImportWhat::Customers => (ImportKind::Customers, LandedWhat::Customers),
        ImportWhat::Plans => (ImportKind::Plans, LandedWhat::Plans),
        ImportWhat::Tariffs => (ImportKind::Tariffs, LandedWhat::Tariffs),
    }
}

fn kind_in_state(what: LandedWhat) -> ImportKind {
    match what {
        LandedWhat::Devices => ImportKind::Devices,
        LandedWhat::Customers => ImportKind::Customers,
        LandedWhat::Plans => ImportKind::Plans,
        LandedWhat::Tariffs => ImportKind::Tariffs,
    }
}

/// Runs the command.
pub fn run(global: &Global, args: &ImportArgs) -> anyhow::Result<Exit> {
    let bytes = read(args)?;
    let installation = Installation::open_or_create(global)?;
    let (kind, landed) = kind_of(args.what);
    let rows =
        parse_import(kind, &bytes, &ImportLimits::default()).map_err(|e| bad_input(format!("{}: {e}", args.file.display())))?;
    let store = installation.state()?;
    if let ImportContent::Tariff(bundle) = &rows.content {
        fits_the_others(&installation, &store, bundle)?;
    }
    catch_up(&installation, &store)?;
    let report = installation.block_on(store.plan_import(&rows))?;
    let mut json = json!({"what": kind.as_str(), "dry_run": args.dry_run, "report": serde_json::to_value(&report)?});
    let text = report.to_string();
    if report.is_refused() {
        Answer { headline: format!("refused, nothing was changed\n{text}"), json, ..Answer::default() }.print(global.output)?;
        return Ok(Exit::BadInput);
    }
    let headline = if args.dry_run {
        format!("dry run, nothing was changed\n{text}")
    } else {
        let number = put_in_force(&installation, &store, landed, &args.file.to_string_lossy(), &bytes, &report)?;
        json["arrival"] = json!(number);
        format!("imported as arrival {number}\n{text}")
    };
    Answer { headline: headline.trim_end().to_owned(), json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}

/// Whether the tariffs in force and a new one can stand together: found out now, because once it is in force nothing can be
/// rated until they do.
fn fits_the_others(installation: &Installation, store: &Store, bundle: &TariffBundle) -> anyhow::Result<()> {
    let mut bundles = installation.block_on(store.load_reference(None))?.tariffs;
    bundles.retain(|other| other.name != bundle.name);
    bundles.push(bundle.clone());
    let load = |b: &TariffBundle| rate::tariff::Tariff::load(&crate::reference::source(&b.name, &b.toml, &b.companions));
    let tariffs = bundles.iter().map(load).collect::<Result<Vec<_>, _>>()?;
    rate::tariff::set::TariffSet::build(tariffs)?;
    Ok(())
}

/// Lands an import and applies it; the arrival number is its place in the order of everything.
fn put_in_force(
    installation: &Installation,
    store: &Store,
    what: LandedWhat,
    origin: &str,
    bytes: &[u8],
    report: &ImportReport,
) -> anyhow::Result<u64> {
    debug_assert!(!report.is_refused(), "a refused import is never landed");
    let request = ImportRequest { tenant: installation.config().data.tenant.clone(), what, origin: origin.to_owned() };
    let landed = installation.landing().land_import(&request, &mut &bytes[..], &SystemClock)?;
    let number = landed.arrival().number;
    catch_up(installation, store).with_context(|| {
        format!(
            "arrival {number} has landed but is not in force yet; it will be with the next `import`, `ingest` or start of `run`"
        )
    })?;
    Ok(number)
}

/// Applies every landed import that the state database has not seen: after a crash between landing and applying, or when
/// another process landed one.
pub fn catch_up(installation: &Installation, store: &Store) -> anyhow::Result<()> {
    let applied = installation.block_on(store.reference_counts())?.version;
    apply_landed(&installation.landing(), store, installation.runtime().handle(), applied + 1)?;
    Ok(())
}

/// A look at what has landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// The arrival to go on from.
    pub next: ArrivalNumber,
    /// Imports among those looked at; all of them are applied.
    pub imports: usize,
}

/// Applies the imports among the arrivals from a number on; one that is applied already stays as it is.
pub fn apply_landed(landing: &Landing, store: &Store, runtime: &Handle, from: ArrivalNumber) -> anyhow::Result<Looked> {
    let mut looked = Looked { next: from, imports: 0 };
    for arrival in landing.arrivals(from)? {
        looked.next = arrival.number + 1;
        let ArrivalKind::Import(import) = &arrival.kind else { continue };
        let bytes = landing.read_import(&import.sha256)?;
        let kind = kind_in_state(import.what);
        let refused = match parse_import(kind, &bytes, &ImportLimits::default()) {
            Ok(rows) => match runtime.block_on(store.apply_import(arrival.number, &rows)) {
                Ok(_) => None,
                Err(store::StoreError::Refused(report)) => Some(report.to_string()),
                Err(e) => return Err(e.into()),
            },
            Err(e) => Some(e.to_string()),
        };
        if let Some(why) = refused {
            // What came in between made it impossible. It must not keep out what arrived later.
            tracing::error!(arrival = arrival.number, why, "import does not act");
            runtime.block_on(store.pass_over(arrival.number, kind, &import.sha256))?;
        }
        looked.imports += 1;
    }
    Ok(looked)
}

/// Imports text without asking; what the demo does. The same bytes again are a no-op.
pub fn import_text(
    installation: &Installation,
    store: &Store,
    what: ImportWhat,
    origin: &str,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let (kind, landed) = kind_of(what);
    let rows = parse_import(kind, bytes, &ImportLimits::default())?;
    let report = installation.block_on(store.plan_import(&rows))?;
    if report.is_refused() {
        return Err(bad_input(format!("{origin} is refused\n{report}")));
    }
    put_in_force(installation, store, landed, origin, bytes, &report)?;
    Ok(())
}

/// The bytes to land: a CSV as it is, a tariff with its companions as one bundle.
fn read(args: &ImportArgs) -> anyhow::Result<Vec<u8>> {
    if args.what == ImportWhat::Tariffs {
        return tariff_bundle(&args.file, args.base.as_deref());
    }
    fs::read(&args.file).map_err(|e| bad_input(format!("{} cannot be read: {e}", args.file.display())))
}

/// A tariff by file or shipped name, with its companions, as it is landed.
pub fn tariff_bundle(file: &Path, base: Option<&Path>) -> anyhow::Result<Vec<u8>> {
    let shipped = file.to_str().and_then(|name| config::tariffs::find(name).map(|toml| (name, toml)));
    let (name, toml, companions) = match shipped {
        Some((name, toml)) if !file.exists() => {
            let names = rate::tariff::companion_names(toml);
            let companions = match base {
                Some(base) => companions(base, &names)?,
                None => config::tariffs::companions(names.iter().map(String::as_str)),
            };
            (name.to_owned(), toml.to_owned(), companions)
        }
        _ => {
            let toml = fs::read_to_string(file).map_err(|e| unreadable_tariff(file, &e))?;
            let beside = file.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
            let names = rate::tariff::companion_names(&toml);
            (file.display().to_string(), toml, companions(base.unwrap_or(&beside), &names)?)
        }
    };
    // Loaded here so that a tariff with a mistake is refused before it is landed.
    let tariff = rate::tariff::Tariff::load(&crate::reference::source(&name, &toml, &companions))?;
    let bundle = TariffBundle::new(tariff.name(), &toml, companions)?;
    Ok(bundle.to_json().into_bytes())
}

fn unreadable_tariff(file: &Path, cause: &std::io::Error) -> anyhow::Error {
    let shipped: Vec<&str> = config::tariffs::SHIPPED.iter().map(|(name, _)| *name).collect();
    bad_input(format!(
        "{} cannot be read: {cause}; name a TOML file, or a shipped tariff: {}",
        file.display(),
        shipped.join(", ")
    ))
}

fn companions(folder: &Path, names: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let read = |n: &String| {
        let path = folder.join(n);
        let text = fs::read_to_string(&path).map_err(|e| {
            bad_input(format!("the tariff names {}, which cannot be read: {e}; --base names its folder", path.display()))
        })?;
        Ok((n.clone(), text))
    };
    names.iter().map(read).collect()
}
