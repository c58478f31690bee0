//! `tollway ingest`: lands files and, unless a service runs on the data folder, rates them at once.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::delivery::{Account, DeliveryId};
use domain::ids::{AccountId, ProviderId};
use domain::outcome::Counts;
use domain::ports::Clock;
use ingest::land::{ArrivalKind, DeliveryState, LandRequest, Landed, Landing, PathLimits, Repeat, collect_paths};
use ingest::log::LogError;
use ingest::profile::Profile;
use serde_json::json;

use crate::cli::{Global, IngestArgs};
use crate::counts::{outcomes, sum, to_json};
use crate::exit_code::{Exit, bad_input};
use crate::flow::{Finished, Flow, Installed, Until};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, bytes, count, seconds};
use crate::progress::Progress;
use crate::reference::{SharedReference, load};
use crate::system::{SystemClock, SystemRng};
use crate::totals;

/// Held files that are listed.
const HELD_MAX: usize = 20;

/// What landing made of the paths.
#[derive(Debug, Default)]
pub struct LandedFiles {
    /// Files that are new.
    pub new: Vec<DeliveryId>,
    /// Files that were there before.
    pub known: u64,
    /// Files that wait for a word: name and reason.
    pub held: Vec<(String, String)>,
    /// Bytes that were read.
    pub bytes: u64,
    /// All deliveries of the paths, new or known.
    pub deliveries: BTreeSet<DeliveryId>,
}

/// Runs the command.
pub fn run(global: &Global, args: &IngestArgs) -> anyhow::Result<Exit> {
    let profile = super::profile::load(&args.profile)?;
    let provider = args.provider.as_deref().unwrap_or_else(|| profile.provider().unwrap_or(profile.name()));
    if let Some(cycle) = &args.cycle {
        domain::period::Month::parse(cycle).ok_or_else(|| bad_input(format!("`{cycle}` is no cycle; write it as 2026-10")))?;
    }
    let began = SystemClock.now_us();
    let installation = Installation::open_or_create(global)?;
    let account = Account {
        tenant: installation.config().data.tenant.clone(),
        provider: ProviderId::parse(provider)?,
        account: AccountId::parse(&args.account)?,
    };
    let landing = Arc::new(installation.landing());
    let landed = land_paths(&landing, &profile, &account, args, installation.config().landing.cut_rows)?;
    let finished = if args.land_only { None } else { rate_what_landed(&installation, global, args.workers, None)? };
    answer(global, &installation, &landed, finished.is_some(), SystemClock.now_us() - began)
}

fn land_paths(
    landing: &Landing,
    profile: &Profile,
    account: &Account,
    args: &IngestArgs,
    cut_rows: u64,
) -> anyhow::Result<LandedFiles> {
    let mut landed = LandedFiles::default();
    let land = |name: &str, reader: &mut dyn Read, landed: &mut LandedFiles| {
        let request = LandRequest {
            account: account.clone(),
            cycle: args.cycle.clone(),
            origin: name.to_owned(),
            logical_file: Path::new(name).file_name().map_or_else(|| name.to_owned(), |n| n.to_string_lossy().into_owned()),
            profile: Arc::clone(profile.label()),
            profile_text: profile.text().into(),
            mode: profile.delivery_mode(),
            cut_rows,
            repeat: if args.as_new { Repeat::AsNew } else { Repeat::Hold },
        };
        note(&landing.land(&request, reader, &SystemClock)?, landed);
        anyhow::Ok(())
    };
    let (streams, paths): (Vec<&PathBuf>, Vec<&PathBuf>) = args.paths.iter().partition(|p| p.as_os_str() == "-");
    for _ in streams {
        land(&args.name, &mut std::io::stdin().lock(), &mut landed)?;
    }
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    for path in collect_paths(&paths, PathLimits::default())? {
        let mut file = BufReader::with_capacity(1 << 20, File::open(&path).map_err(|e| bad_input(format!("{} cannot be read: {e}", path.display())))?);
        land(&path.to_string_lossy(), &mut file, &mut landed)?;
    }
    Ok(landed)
}

/// Adds one landed file to the summary.
pub fn note(outcome: &Landed, landed: &mut LandedFiles) {
    let is_new = matches!(outcome, Landed::New(_));
    let ArrivalKind::Delivery(delivery) = &outcome.arrival().kind else { return };
    landed.bytes += delivery.size;
    landed.deliveries.insert(delivery.delivery);
    match &delivery.state {
        DeliveryState::Held { reason } => landed.held.push((delivery.origin.clone(), reason.to_string())),
        DeliveryState::Announced if is_new => landed.new.push(delivery.delivery),
        DeliveryState::Announced => landed.known += 1,
    }
}

/// Rates everything that has landed and brings the totals up to date. `None` if a service holds the log: it will do it.
pub fn rate_what_landed(
    installation: &Installation,
    global: &Global,
    workers: Option<u32>,
    expected_rows: Option<u64>,
) -> anyhow::Result<Option<Finished>> {
    let log = match installation.log() {
        Ok(log) => log,
        Err(e) if matches!(e.downcast_ref(), Some(LogError::Locked { .. })) => return Ok(None),
        Err(e) => return Err(e),
    };
    let store = installation.state()?;
    super::import::catch_up(installation, &store)?;
    let reference = SharedReference::new(installation.block_on(load(&store))?);
    let mut entries = installation.entries()?;
    let mut sums = installation.totals()?;
    let mut rng = SystemRng::new()?;
    let settings = installation.flow_settings(workers);
    let installed = Installed {
        blob: Arc::clone(installation.blob()),
        landing: Arc::new(installation.landing()),
        log,
        secret: installation.secret(),
        reference,
        parquet: installation.parquet(),
    };
    let flow = Flow::start(installed, &entries, settings)?;
    let mut progress = Progress::start("rating", expected_rows.unwrap_or(0), global.quiet);
    let house = || totals::step(&mut entries, &mut sums, &SystemClock, &mut rng).map(|_| ());
    flow.watch(|rows| progress.at(rows), house, Until::Drained)?;
    progress.finish();
    let finished = flow.finish()?;
    while totals::step(&mut entries, &mut sums, &SystemClock, &mut rng)? {}
    keep_house(&mut entries, settings.checkpoint_every)?;
    keep_house(&mut sums, settings.checkpoint_every)?;
    Ok(Some(finished))
}

/// A checkpoint when enough versions have passed since the last one.
pub fn keep_house(table: &mut sinks::table::Table, every: u64) -> anyhow::Result<()> {
    table.refresh()?;
    let version = table.snapshot().next_version();
    if version.saturating_sub(table.newest_checkpoint()?.unwrap_or(0)) >= every.max(1) {
        table.checkpoint()?;
    }
    Ok(())
}

fn answer(
    global: &Global,
    installation: &Installation,
    landed: &LandedFiles,
    rated: bool,
    took_us: i64,
) -> anyhow::Result<Exit> {
    let entries = installation.entries()?;
    let ledger = sinks::ledger::read_all(&entries)?;
    let counts: Counts = sum(ledger.iter().filter(|e| landed.deliveries.contains(&e.delivery)));
    let refused: Vec<_> = ledger
        .iter()
        .filter(|e| landed.deliveries.contains(&e.delivery))
        .filter_map(|e| e.verdict.as_ref().filter(|v| !v.message.is_empty() && v.state != "complete").map(|v| (e.delivery, v)))
        .collect();
    let mut sheets = vec![outcomes(&counts)];
    let hand = landed.held.len() + refused.len();
    if hand > 0 {
        let mut sheet = Sheet::new("files that need a hand", &["file", "state", "what to do"]);
        for (name, why) in landed.held.iter().take(HELD_MAX) {
            sheet.row([name.clone(), "held".to_owned(), why.clone()]);
        }
        for (delivery, verdict) in refused.iter().take(HELD_MAX) {
            sheet.row([delivery.to_string(), verdict.state.clone(), verdict.message.clone()]);
        }
        sheets.push(sheet);
    }
    let mut next = Vec::new();
    if !rated {
        next.push("landed; the service that runs on this data folder rates them: tollway status".to_owned());
    }
    if counts.suspended() > 0 {
        next.push("what needs a hand: tollway suspense list".to_owned());
    }
    let headline = format!(
        "{} files landed, {} known before, {} held · {} · {}",
        count(landed.new.len() as u64),
        count(landed.known),
        landed.held.len(),
        bytes(landed.bytes),
        seconds(took_us)
    );
    let mut json = to_json(&counts);
    json["files"] = json!({"new": landed.new.len(), "known": landed.known, "held": landed.held.len(), "refused": refused.len()});
    json["held"] = json!(landed.held.iter().map(|(n, w)| json!({"file": n, "reason": w})).collect::<Vec<_>>());
    json["refused"] = json!(refused.iter().map(|(d, v)| json!({"delivery": d.to_string(), "state": v.state, "message": v.message})).collect::<Vec<_>>());
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if hand > 0 { Exit::NeedsHand } else { Exit::Done })
}
