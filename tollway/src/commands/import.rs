//! `tollway import`: reference data, landed first, then put in force; a dry run shows what would change.

mod days;
mod version;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domain::delivery::ArrivalNumber;
use domain::nearest;
use domain::outcome::Outcome;
use domain::ports::Clock;
use ingest::land::{Approval, ArrivalKind, FullImport, ImportKind as LandedWhat, ImportRequest, Landing};
use rate::tariff::TariffSource;
use serde_json::json;
use sinks::table::Table;
use store::import::ImportContent;
use store::instant::parse_instant;
use store::{
    FullList, ImportError, ImportKind, ImportLimits, ImportMode, ImportReport, ImportRows, Store, TariffBundle, parse_import,
};
use tokio::runtime::Handle;

use self::version::Version;
use crate::cli::{Global, ImportArgs, ImportWhat, ListMode};
use crate::exit_code::{Exit, bad_input, usage};
use crate::installation::{ENTRIES, Installation};
use crate::output::{Answer, Sheet, count};
use crate::recycling::{Recycled, Wish, carry_out, look, waiting};
use crate::settling::settle_by_newest;
use crate::system::SystemClock;

fn kind_of(what: ImportWhat) -> (ImportKind, LandedWhat) {
    match what {
        ImportWhat::Devices => (ImportKind::Devices, LandedWhat::Devices),
        ImportWhat::Customers => (ImportKind::Customers, LandedWhat::Customers),
        ImportWhat::Plans => (ImportKind::Plans, LandedWhat::Plans),
        ImportWhat::Tariffs => (ImportKind::Tariffs, LandedWhat::Tariffs),
        ImportWhat::Subscriptions => (ImportKind::Subscriptions, LandedWhat::Subscriptions),
        ImportWhat::Groups => (ImportKind::Groups, LandedWhat::Groups),
    }
}

fn kind_in_state(what: LandedWhat) -> ImportKind {
    match what {
        LandedWhat::Devices => ImportKind::Devices,
        LandedWhat::Customers => ImportKind::Customers,
        LandedWhat::Plans => ImportKind::Plans,
        LandedWhat::Tariffs => ImportKind::Tariffs,
        LandedWhat::Subscriptions => ImportKind::Subscriptions,
        LandedWhat::Groups => ImportKind::Groups,
    }
}

/// Runs the command.
pub fn run(global: &Global, args: &ImportArgs) -> anyhow::Result<Exit> {
    let bytes = read(args)?;
    let installation = Installation::open_or_create(global)?;
    let (kind, landed) = kind_of(args.what);
    let named = |e: ImportError| bad_input(format!("{}: {e}", args.file.display()));
    let rows = parse_import(kind, &bytes, &ImportLimits::default()).map_err(named)?;
    let store = installation.state()?;
    catch_up(&installation, &store)?;
    let version = beforehand(&installation, &store, &rows.content)?;
    let as_of_us = as_of(args)?;
    let rows = rows
        .with_mode(as_of_us.map_or(ImportMode::Delta, |as_of_us| ImportMode::Full(FullList { as_of_us, ended_max: u64::MAX })));
    let report = installation.block_on(store.plan_import(&rows))?;
    let word = as_of_us.map(|as_of_us| full_import(&installation, args, as_of_us, &report)).transpose()?;
    let import = Import { what: landed, origin: args.file.to_string_lossy().into_owned(), full: word.clone().flatten() };
    let needs_approval = word.is_some_and(|word| word.is_none());
    let mut json = json!({
        "what": kind.as_str(), "mode": if as_of_us.is_some() { "full" } else { "delta" }, "dry_run": args.dry_run,
        "needs_approval": needs_approval, "report": serde_json::to_value(&report)?, "tariff": version.as_ref().map(Version::to_json),
    });
    let (mut next, mut sheets) = (Vec::new(), Vec::new());
    let (headline, exit) = if report.is_refused() {
        ("refused, nothing was changed".to_owned(), Exit::BadInput)
    } else if needs_approval {
        let why = too_many(&installation, &report);
        let (what, exit) = if args.dry_run { ("dry run", Exit::NeedsHand) } else { ("refused", Exit::Refused) };
        (format!("{what}, nothing was changed: {why}"), exit)
    } else if args.dry_run {
        ("dry run, nothing was changed".to_owned(), Exit::Done)
    } else if import.full.is_some() && report.is_unchanged() {
        ("nothing to do: all of it is so already".to_owned(), Exit::Done)
    } else {
        let landed = put_in_force(&installation, &store, import, &bytes, &rows)?;
        json["arrival"] = json!(landed.number);
        json["in_force"] = json!(landed.refused.is_none());
        if let Some(why) = landed.refused {
            let headline = format!("{}\n{why}", does_not_act(landed.number));
            Answer { headline: headline.trim_end().to_owned(), json, ..Answer::default() }.print(global.output)?;
            return Ok(Exit::BadInput);
        }
        let freed = if args.no_recycle { None } else { free(global, &installation, landed.number)? };
        json["recycled"] = freed.as_ref().map_or(json!(null), Recycled::to_json);
        if let Some(freed) = freed {
            next.extend(crate::thresholds::remark(freed.thresholds));
            sheets.push(Sheet { title: freed.headline(), ..freed.outlook.sheet() });
        }
        if !args.no_recycle && !report.is_unchanged() {
            let settled = settle_by_newest(global, &installation, &Arc::new(installation.landing()), None);
            next.extend(settled.with_context(|| format!("imported as arrival {}; tollway settle", landed.number))?.remarks());
        }
        // A hint: the import is in force whether it can be given or not.
        let waiting = waiting(&installation).unwrap_or(0);
        if waiting > 0 {
            let rows = count(waiting as u64);
            next.push(format!("{rows} rows wait in suspense for reference data: tollway suspense recycle --dry-run"));
        }
        if !report.is_unchanged() && has_prices(&installation).unwrap_or(false) {
            next.push(
                "records keep the price that they have; what this would change: tollway rerate --cycle all --dry-run".to_owned(),
            );
        }
        (format!("imported as arrival {}", landed.number), Exit::Done)
    };
    let told = version.map_or_else(|| report.to_string(), |version| version.told(&report));
    Answer { headline: format!("{headline}\n{told}").trim_end().to_owned(), sheets, next, json }.print(global.output)?;
    Ok(exit)
}

/// What a tariff brings into force; refuses customers whose cycles may not move.
fn beforehand(installation: &Installation, store: &Store, content: &ImportContent) -> anyhow::Result<Option<Version>> {
    match content {
        ImportContent::Tariff(bundle) => Version::of(installation, store, bundle).map(Some),
        ImportContent::Customers(customers) => days::check(installation, store, customers).map(|()| None),
        _ => Ok(None),
    }
}

/// Rates suspense again if that gives some of it a price; tells what came of it, if anything did.
fn free(global: &Global, installation: &Installation, arrival: ArrivalNumber) -> anyhow::Result<Option<Recycled>> {
    if waiting(installation).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let (landing, all) = (Arc::new(installation.landing()), Wish::default());
    let failed =
        || format!("imported as arrival {arrival}, but what it frees of suspense was not rated again; tollway suspense recycle");
    let outlook = look(installation, &landing, &all, None).with_context(failed)?;
    if outlook.rated() == 0 {
        return Ok(None);
    }
    carry_out(global, installation, &landing, &all.again(), outlook, None).with_context(failed).map(Some)
}

/// Whether there are records with a price.
fn has_prices(installation: &Installation) -> anyhow::Result<bool> {
    let entries = Table::open(installation.blob(), ENTRIES)?;
    Ok(entries.files(&[("outcome", Outcome::Rated.as_str())]).next().is_some())
}

/// The instant for which a full list is true; `None` for a delta.
fn as_of(args: &ImportArgs) -> anyhow::Result<Option<i64>> {
    if args.mode == ListMode::Delta {
        return match (&args.as_of, &args.approve) {
            (None, None) => Ok(None),
            _ => Err(usage("--as-of and --approve are for full lists: a delta ends nothing by absence; add --mode full")),
        };
    }
    if args.what == ImportWhat::Tariffs {
        return Err(usage(
            "a tariff is a whole by itself; --mode full is for customers, plans, subscriptions, devices and groups",
        ));
    }
    let given = args.as_of.as_deref().map(parse_instant).transpose().map_err(|e| usage(format!("--as-of: {e}")))?;
    Ok(Some(given.unwrap_or_else(|| SystemClock.now_us())))
}

/// What a full list may end without a person's word.
fn ended_free(installation: &Installation, report: &ImportReport) -> u64 {
    let share = u128::from(report.existing) * u128::from(installation.config().import.ended_per_mille_max) / 1000;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// How the full list is landed; `None` if it ends too many and nobody has approved.
fn full_import(
    installation: &Installation,
    args: &ImportArgs,
    as_of_us: i64,
    report: &ImportReport,
) -> anyhow::Result<Option<FullImport>> {
    let free = ended_free(installation, report);
    let word = |reason: &String| {
        let by = args.by.clone().ok_or_else(|| usage("say who approves: --by NAME"))?;
        Ok::<_, anyhow::Error>(Approval { by, reason: reason.clone() })
    };
    let approval = args.approve.as_ref().filter(|_| report.ended.count > free).map(word).transpose()?;
    if report.ended.count > free && approval.is_none() {
        return Ok(None);
    }
    Ok(Some(FullImport { as_of_us, ended_max: free.max(report.ended.count), approval }))
}

fn too_many(installation: &Installation, report: &ImportReport) -> String {
    format!(
        "the list would end {} of {} {}, {} are allowed (`import.ended_per_mille_max`); \
         is it whole? if so: --approve \"REASON\"",
        count(report.ended.count),
        count(report.existing),
        report.kept(),
        count(ended_free(installation, report)),
    )
}

/// An import as it is landed.
struct Import {
    what: LandedWhat,
    origin: String,
    full: Option<FullImport>,
}

/// What became of an import.
struct InForce {
    /// Its arrival: its place in the order of everything.
    number: ArrivalNumber,
    /// Why it does not act: what came in between made it impossible.
    refused: Option<String>,
}

/// That an import has its place and changes nothing there, in words.
fn does_not_act(number: ArrivalNumber) -> String {
    format!(
        "landed as arrival {number} and does not act, nothing was changed: with what arrived before it this cannot stand; \
         mend the file and import it again"
    )
}

/// Lands an import and applies it. Between the plan and its place in the order others may have arrived that make it
/// impossible: then it does not act.
fn put_in_force(
    installation: &Installation,
    store: &Store,
    import: Import,
    bytes: &[u8],
    rows: &ImportRows,
) -> anyhow::Result<InForce> {
    let Import { what, origin, full } = import;
    let request = ImportRequest { tenant: installation.config().data.tenant.clone(), what, origin, full };
    let landed = installation.landing().land_import(&request, &mut &bytes[..], &SystemClock)?;
    let number = landed.arrival().number;
    let looked = catch_up(installation, store).with_context(|| {
        format!(
            "arrival {number} has landed but is not in force yet; it will be with the next `import`, `ingest` or start of `run`"
        )
    })?;
    let refused = match looked.refused.get(&number) {
        Some(why) => Some(why.clone()),
        None => passed_over(installation, store, number, rows)?,
    };
    Ok(InForce { number, refused })
}

/// Why an import does not act if another process passed it over, as a running service does that looks first.
fn passed_over(
    installation: &Installation,
    store: &Store,
    number: ArrivalNumber,
    rows: &ImportRows,
) -> anyhow::Result<Option<String>> {
    let is_passed_over = rows.row_count() > 0 && installation.block_on(store.rows_in_force(number))? == Some(0);
    if !is_passed_over {
        return Ok(None);
    }
    let report = installation.block_on(store.plan_import(rows))?;
    Ok(Some(if report.is_refused() { report.to_string() } else { String::new() }))
}

/// Applies every landed import that the state database has not seen: after a crash between landing and applying, or when
/// another process landed one.
pub fn catch_up(installation: &Installation, store: &Store) -> anyhow::Result<Looked> {
    let applied = installation.block_on(store.reference_counts())?.version;
    apply_landed(&installation.landing(), store, installation.runtime().handle(), applied + 1)
}

/// A look at what has landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The arrival to go on from.
    pub next: ArrivalNumber,
    /// Imports among those looked at; all of them have their place, and all but those refused are in force.
    pub imports: usize,
    /// Those that do not act, and why.
    pub refused: BTreeMap<ArrivalNumber, String>,
}

/// Applies the imports among the arrivals from a number on; one that is applied already stays as it is.
pub fn apply_landed(landing: &Landing, store: &Store, runtime: &Handle, from: ArrivalNumber) -> anyhow::Result<Looked> {
    let mut looked = Looked { next: from, imports: 0, refused: BTreeMap::new() };
    for arrival in landing.arrivals(from)? {
        looked.next = arrival.number + 1;
        let ArrivalKind::Import(import) = &arrival.kind else { continue };
        let bytes = landing.read_import(&import.sha256)?;
        let kind = kind_in_state(import.what);
        let refused = match parse_import(kind, &bytes, &ImportLimits::default()) {
            Ok(rows) => {
                match runtime.block_on(store.apply_import(arrival.number, &rows.with_mode(mode_of(import.full.as_ref())))) {
                    Ok(_) => None,
                    Err(store::StoreError::Refused(report)) => Some(report.to_string()),
                    Err(e) => return Err(e.into()),
                }
            }
            Err(e) => Some(e.to_string()),
        };
        if let Some(why) = refused {
            // What came in between made it impossible. It must not keep out what arrived later.
            tracing::error!(arrival = arrival.number, why = why.as_str(), "import does not act");
            runtime.block_on(store.pass_over(arrival.number, kind, &import.sha256))?;
            looked.refused.insert(arrival.number, why);
        }
        looked.imports += 1;
    }
    Ok(looked)
}

fn mode_of(full: Option<&FullImport>) -> ImportMode {
    let list = |full: &FullImport| FullList { as_of_us: full.as_of_us, ended_max: full.ended_max };
    full.map_or(ImportMode::Delta, |full| ImportMode::Full(list(full)))
}

/// Imports text as a delta without asking; gives its arrival, and fails if it does not act. The same bytes again are a no-op.
pub fn import_text(
    installation: &Installation,
    store: &Store,
    what: ImportWhat,
    origin: &str,
    bytes: &[u8],
) -> anyhow::Result<u64> {
    let (kind, what) = kind_of(what);
    let rows = parse_import(kind, bytes, &ImportLimits::default())?;
    let report = installation.block_on(store.plan_import(&rows))?;
    if report.is_refused() {
        return Err(bad_input(format!("{origin} is refused\n{report}")));
    }
    let landed = put_in_force(installation, store, Import { what, origin: origin.to_owned(), full: None }, bytes, &rows)?;
    match landed.refused {
        None => Ok(landed.number),
        Some(why) => Err(bad_input(format!("{origin}: {}\n{why}", does_not_act(landed.number)).trim_end().to_owned())),
    }
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
    let source = tariff_source(file, base)?;
    // Loaded here so that a tariff with a mistake is refused before it is landed.
    let tariff = rate::tariff::Tariff::load(&source)?;
    let bundle = TariffBundle::new(tariff.name(), &source.toml, source.companions)?;
    Ok(bundle.to_json().into_bytes())
}

/// Before the name of a shipped tariff, where something else has that name, too.
pub const SHIPPED_PREFIX: &str = "shipped:";

/// The texts of a tariff by file or shipped name, with its companions from beside it or from `base`.
pub fn tariff_source(file: &Path, base: Option<&Path>) -> anyhow::Result<TariffSource> {
    let named = file.to_str().map(|name| name.strip_prefix(SHIPPED_PREFIX).unwrap_or(name));
    let shipped = named.and_then(|name| config::tariffs::find(name).map(|toml| (name, toml)));
    if let Some((name, toml)) = shipped.filter(|_| !file.exists()) {
        let names = rate::tariff::companion_names(toml);
        let companions = match base {
            Some(base) => companions(base, &names)?,
            None => config::tariffs::companions(names.iter().map(String::as_str)),
        };
        return Ok(TariffSource { name: name.to_owned(), toml: toml.to_owned(), companions });
    }
    let toml = fs::read_to_string(file).map_err(|e| unreadable_tariff(file, &e))?;
    let beside = file.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let companions = companions(base.unwrap_or(&beside), &rate::tariff::companion_names(&toml))?;
    Ok(TariffSource { name: file.display().to_string(), toml, companions })
}

fn unreadable_tariff(file: &Path, cause: &std::io::Error) -> anyhow::Error {
    let shipped: Vec<&str> = config::tariffs::SHIPPED.iter().map(|(name, _)| *name).collect();
    let hint = nearest::hint(&file.to_string_lossy(), shipped.iter().copied());
    bad_input(format!(
        "{} cannot be read: {cause}; name a TOML file, or a shipped tariff: {}{hint}",
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

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";

    /// Devices whose windows overlap within the file, as another import may make them that came between plan and place.
    fn impossible() -> String {
        let first = "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,2025-06-01T00:00:00Z";
        format!("{DEVICES}{first}\nD2,31612345678,C2,P1,2025-05-01T00:00:00Z,2025-08-01T00:00:00Z\n")
    }

    fn put(installation: &Installation, store: &Store, text: &str) -> InForce {
        let rows = parse_import(ImportKind::Devices, text.as_bytes(), &ImportLimits::default()).expect("devices");
        let import = Import { what: LandedWhat::Devices, origin: "devices.csv".to_owned(), full: None };
        put_in_force(installation, store, import, text.as_bytes(), &rows).expect("a look")
    }

    #[test]
    fn an_import_that_does_not_act_is_told_whoever_looked_first() {
        let home = tempfile::tempdir().expect("a folder");
        let global = Global {
            data: Some(home.path().join("data")),
            config: None,
            output: crate::cli::OutputMode::Table,
            quiet: true,
            clear: false,
        };
        let installation = Installation::open_or_create(&global).expect("an installation");
        let store = installation.state().expect("the state");
        let refused = put(&installation, &store, &impossible());
        assert!(refused.refused.is_some_and(|why| why.contains("line 3")), "told by who passed it over");
        let again = put(&installation, &store, &impossible());
        assert_eq!(again.number, refused.number, "the same bytes again are the same arrival");
        assert!(again.refused.is_some_and(|why| why.contains("line 3")), "as if another process had passed it over");
        let possible = put(&installation, &store, &format!("{DEVICES}D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n"));
        assert_eq!((possible.number, possible.refused), (refused.number + 1, None));
        let text = import_text(&installation, &store, ImportWhat::Devices, "unassigned assign", impossible().as_bytes());
        assert_eq!(crate::exit_code::of(&text.expect_err("it is refused")), Exit::BadInput);
    }
}
