//! `tollway ingest`: lands files and, unless a service runs on the data folder, rates them at once.

mod repeat;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::delivery::{Account, ArrivalNumber, DeliveryId};
use domain::ids::{AccountId, ProviderId};
use domain::outcome::Counts;
use domain::ports::Clock;
use ingest::land::{
    Arrival, ArrivalKind, DeliveryRecord, DeliveryState, LandError, LandRequest, Landed, LandedFile, Landing, PathLimits, Repeat,
    collect_paths,
};
use ingest::profile::Profile;
use ingest::unwrap::Skipped;
use serde_json::json;
use sinks::ledger::LedgerEntry;

use self::repeat::repeat;
use crate::attention::{self, Trouble};
use crate::backlog::Backlog;
use crate::cli::{Global, IngestArgs};
use crate::counts::{outcomes, sum, to_json};
use crate::exit_code::{Exit, Help, bad_input};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, bytes, count, seconds};
use crate::replacements;
use crate::settling::{Settlement, settle};
use crate::system::SystemClock;

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 20;

/// The states of files that were not taken.
const HELD: &str = "held";
const UNREADABLE: &str = "unreadable";
const KNOWN: &str = "known";
const REJECTED: &str = "rejected";

/// What landing made of the paths.
#[derive(Debug, Default)]
pub struct LandedFiles {
    /// Files that are new.
    pub new: Vec<DeliveryId>,
    /// Files that were there before.
    pub known: u64,
    /// Files that wait for a word: name and reason.
    pub held: Vec<(String, String)>,
    /// Files whose bytes waited once and were rejected: name and what takes them in all the same.
    pub rejected: Vec<(String, String)>,
    /// A file that was to be landed as new and counts already: name and reason.
    pub no_news: Vec<(String, String)>,
    /// Files that could not be opened or unwrapped: name and reason.
    pub unreadable: Vec<(String, String)>,
    /// Members of archives that hold no data.
    pub skipped: Vec<Skipped>,
    /// Bytes that were read.
    pub bytes: u64,
    /// All deliveries of the paths, new or known.
    pub deliveries: BTreeSet<DeliveryId>,
}

impl LandedFiles {
    /// The files that were not taken, as trouble.
    fn troubles(&self) -> Vec<Trouble> {
        let held = self.held.iter().map(|file| (file, HELD));
        let rejected = self.rejected.iter().map(|file| (file, REJECTED));
        let known = self.no_news.iter().map(|file| (file, KNOWN));
        let all = held.chain(rejected).chain(known).chain(self.unreadable.iter().map(|file| (file, UNREADABLE)));
        let trouble = |((file, message), state): (&(String, String), &str)| Trouble {
            file: file.clone(),
            state: state.to_owned(),
            message: message.clone(),
            delivery: None,
        };
        all.map(trouble).collect()
    }
}

/// Runs the command.
pub fn run(global: &Global, args: &IngestArgs) -> anyhow::Result<Exit> {
    let profile = super::profile::load(&args.profile)?;
    let provider = args.provider.as_deref().unwrap_or_else(|| profile.provider().unwrap_or(profile.name()));
    if let Some(cycle) = &args.cycle {
        named::cycle(cycle)?;
    }
    let (provider, account) = (ProviderId::parse(provider)?, AccountId::parse(&args.account)?);
    let paths: Vec<PathBuf> = args.paths.iter().filter(|p| !is_stream(p)).cloned().collect();
    let paths = collect_paths(&paths, PathLimits::default())?;
    let began = SystemClock.now_us();
    let installation = Installation::open_or_create(global)?;
    let account = Account { tenant: installation.config().data.tenant.clone(), provider, account };
    let landing = Arc::new(installation.landing());
    let files = paths.len() + args.paths.iter().filter(|p| is_stream(p)).count();
    let repeat = repeat(&installation, &landing, args, &account, files)?;
    // Loading reference data and rating go on while files land: on two cores the one hides the other.
    let (landed, backlog) = std::thread::scope(|scope| {
        let start = || Backlog::start(&installation, &landing, args.workers);
        let starting = (!args.land_only).then(|| scope.spawn(start));
        let desk = Desk { installation: &installation, landing: &landing, profile: &profile };
        let landed = land_paths(&desk, args, &account, repeat, &paths);
        (landed, starting.map(|thread| thread.join().expect("starting returns its errors")))
    });
    let backlog = backlog.transpose().map(Option::flatten);
    let landed = match landed {
        Ok(landed) => landed,
        Err(e) => {
            if let Ok(Some(backlog)) = backlog {
                backlog.abandon();
            }
            return Err(e);
        }
    };
    let drain = |backlog: Backlog| {
        let reference = backlog.reference();
        backlog.drain(global, None).map(|_| reference.get())
    };
    let drained = backlog.and_then(|backlog| backlog.map(drain).transpose());
    let rated_by = drained.map_err(|e| {
        e.context(Help(format!("{} files have landed and wait; run again to rate them", landed.deliveries.len())))
    })?;
    let settled = rated_by.as_deref().map(|reference| settle(global, &installation, &landing, reference, args.workers));
    let settled = settled.transpose()?;
    answer(global, (&installation, &landing), &landed, settled, SystemClock.now_us() - began)
}

fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn land_paths(
    desk: &Desk<'_>,
    args: &IngestArgs,
    account: &Account,
    repeat: Repeat,
    paths: &[PathBuf],
) -> anyhow::Result<LandedFiles> {
    let mut notes = Notes::default();
    let request = |name: &str| {
        let logical_file = Path::new(name).file_name().map_or_else(|| name.to_owned(), |n| n.to_string_lossy().into_owned());
        let cut_rows = desk.installation.config().landing.cut_rows;
        let request = LandRequest::new(desk.profile, account.clone(), name, &logical_file, cut_rows);
        LandRequest { cycle: args.cycle.clone(), repeat, ..request }
    };
    let mut together = desk.landing.together();
    for _ in args.paths.iter().filter(|p| is_stream(p)) {
        let (request, mut bytes) = (request(&args.name), std::io::stdin().lock());
        let _ = together.add(request.clone(), &request, &mut bytes, &SystemClock, &mut |r, all| desk.note(&r, all, &mut notes));
    }
    for path in paths {
        if notes.failed.is_some() {
            break;
        }
        let name = path.to_string_lossy();
        match File::open(path) {
            Ok(file) => {
                let (request, mut bytes) = (request(&name), BufReader::with_capacity(READ_BYTES, file));
                let hear = &mut |r: LandRequest, all| desk.note(&r, all, &mut notes);
                let _ = together.add(request.clone(), &request, &mut bytes, &SystemClock, hear);
            }
            // One closed file does not keep the others out.
            Err(e) => {
                let why = format!("it cannot be read: {e}; check its owner and mode");
                notes.landed.unreadable.push((name.into_owned(), why));
            }
        }
    }
    if notes.failed.is_none() {
        let _ = together.finish(&SystemClock, &mut |r, all| desk.note(&r, all, &mut notes));
    }
    let Notes { mut landed, first_known, failed, .. } = notes;
    if let Some(error) = failed {
        return Err(error);
    }
    if let (Some((file, number)), true) = (first_known, landed.new.is_empty()) {
        landed.no_news.push((file, format!("it counts already, as arrival {number}: --as-new has changed nothing")));
    }
    if let ([(file, why), ..], true) = (&landed.unreadable[..], landed.deliveries.is_empty()) {
        return Err(bad_input(format!("nothing was landed: `{file}`: {why}")));
    }
    Ok(landed)
}

/// What files are landed with.
struct Desk<'a> {
    installation: &'a Installation,
    landing: &'a Landing,
    profile: &'a Profile,
}

/// What became of the files so far.
#[derive(Default)]
struct Notes {
    landed: LandedFiles,
    /// The deliveries that were refused as a whole, once they are asked for.
    refused: Option<BTreeSet<DeliveryId>>,
    /// The first file that counts already although it was to count as new.
    first_known: Option<(String, ArrivalNumber)>,
    /// Why no further file lands.
    failed: Option<anyhow::Error>,
}

impl Desk<'_> {
    /// Adds what became of a file to the summary; nothing lands behind one that failed.
    fn note(&self, request: &LandRequest, all: Result<LandedFile, LandError>, notes: &mut Notes) -> ControlFlow<()> {
        match all.map_err(anyhow::Error::from).and_then(|all| self.note_landed(request, all, notes)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                notes.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }

    fn note_landed(&self, request: &LandRequest, all: LandedFile, notes: &mut Notes) -> anyhow::Result<()> {
        let is_alone = all.landed.len() == 1;
        for mut outcome in all.landed {
            if let Some((record, word)) = self.rejected(&outcome)? {
                // The name of today: the former one says nothing to whoever has typed another.
                let file = if is_alone { &request.origin } else { &record.origin };
                notes.landed.rejected.push((file.clone(), word));
                notes.landed.bytes += record.size;
                continue;
            }
            if let Some(former) = under_another_profile(&outcome, self.profile)
                && refused(&mut notes.refused, self.installation)?.contains(&former.delivery)
            {
                let request = LandRequest { origin: former.origin.clone(), ..request.clone() };
                outcome = self.landing.land_again(&request, former, &SystemClock)?;
            }
            if let (Repeat::AsNew, Landed::Already(arrival)) = (request.repeat, &outcome) {
                notes.first_known.get_or_insert((request.origin.clone(), arrival.number));
            }
            note(&outcome, &mut notes.landed);
        }
        notes.landed.skipped.extend(all.skipped);
        notes.landed.unreadable.extend(all.refused.into_iter().map(|error| match error {
            LandError::Wrapped { file, problem } => (file, problem.to_string()),
            error => (request.origin.clone(), error.to_string()),
        }));
        Ok(())
    }

    /// What bytes were that waited and were rejected, and what takes them in all the same.
    fn rejected<'o>(&self, outcome: &'o Landed) -> anyhow::Result<Option<(&'o DeliveryRecord, String)>> {
        let Landed::Already(Arrival { number, kind: ArrivalKind::Delivery(record), .. }) = outcome else { return Ok(None) };
        if record.state == DeliveryState::Announced {
            return Ok(None);
        }
        let Some(decision) = self.landing.withdrawal_of(*number)? else { return Ok(None) };
        let word = format!(
            "the same bytes came as `{}`, arrival {number}, and were rejected as arrival {decision}: nothing waits; if their rows are \
             to count all the same, `tollway ingest --as-new` takes the file in, `--replaces N` in the place of arrival N",
            record.origin
        );
        Ok(Some((record, word)))
    }
}

/// A file that was here before and was read by another profile: if it was refused as a whole, it is worth reading again.
fn under_another_profile<'a>(outcome: &'a Landed, profile: &Profile) -> Option<&'a DeliveryRecord> {
    let Landed::Already(Arrival { kind: ArrivalKind::Delivery(record), .. }) = outcome else { return None };
    let acts = record.state == DeliveryState::Announced;
    (acts && record.profile_sha256 != Landing::sha256_of(profile.text())).then_some(record)
}

/// The deliveries that were refused as a whole, looked up once.
fn refused<'a>(
    known: &'a mut Option<BTreeSet<DeliveryId>>,
    installation: &Installation,
) -> anyhow::Result<&'a BTreeSet<DeliveryId>> {
    if known.is_none() {
        let ledger = sinks::ledger::read_all(&installation.entries()?)?;
        *known = Some(ledger.iter().filter(|e| attention::is_refused(e)).map(|e| e.delivery).collect());
    }
    Ok(known.get_or_insert_default())
}

/// Adds one landed file to the summary.
pub fn note(outcome: &Landed, landed: &mut LandedFiles) {
    let is_new = matches!(outcome, Landed::New(_));
    let ArrivalKind::Delivery(delivery) = &outcome.arrival().kind else { return };
    landed.bytes += delivery.size;
    landed.deliveries.insert(delivery.delivery);
    match &delivery.state {
        DeliveryState::Held { reason } => {
            landed.held.push((delivery.origin.clone(), attention::waits(outcome.arrival().number, reason)));
        }
        DeliveryState::Announced if is_new => landed.new.push(delivery.delivery),
        DeliveryState::Announced => landed.known += 1,
    }
}

fn answer(
    global: &Global,
    (installation, landing): (&Installation, &Landing),
    landed: &LandedFiles,
    settled: Option<Settlement>,
    took_us: i64,
) -> anyhow::Result<Exit> {
    let entries = installation.entries()?;
    let ledger = sinks::ledger::read_all(&entries)?;
    let ours: Vec<&LedgerEntry> = ledger.iter().filter(|e| landed.deliveries.contains(&e.delivery)).collect();
    let counts: Counts = sum(ours.iter().copied());
    let mut troubles = landed.troubles();
    troubles.extend(attention::refused(landing, ours.iter().copied())?);
    let span = (ours.iter().map(|e| e.arrival).min(), ours.iter().map(|e| e.arrival).max());
    let over = match span {
        (Some(first), Some(last)) => {
            attention::over_limits(installation, &counts, &format!("arrival BETWEEN {first} AND {last}"))?
        }
        _ => Vec::new(),
    };
    let mut sheets = vec![outcomes(&counts)];
    let mut corrected = replacements::corrections(landing, &ledger)?;
    let new: BTreeSet<u64> = ours.iter().filter(|e| landed.new.contains(&e.delivery)).map(|e| e.arrival).collect();
    corrected.retain(|c| new.contains(&c.by));
    sheets.extend(replacements::sheet(&corrected));
    sheets.extend(attention::sheet(&troubles));
    let mut next = Vec::new();
    if landed.new.is_empty() && landed.known > 0 {
        next.push("nothing is new: these are the counts of when the files were rated before".to_owned());
    }
    if settled.is_none() {
        next.push("landed; the service that runs on this data folder rates them: tollway status".to_owned());
    }
    if let Some(Skipped { origin, why }) = landed.skipped.first() {
        let count = count(landed.skipped.len() as u64);
        next.push(format!("{count} members of archives hold no data and were skipped; the first is `{origin}`, {why}"));
    }
    next.extend(settled.into_iter().flat_map(Settlement::remarks));
    next.extend(attention::remarks(landing, ours.iter().copied())?);
    next.extend(over.iter().cloned());
    if counts.waiting() > 0 && over.is_empty() {
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
    let of = |states: fn(&str) -> bool| troubles.iter().filter(|t| states(&t.state)).map(Trouble::to_json).collect::<Vec<_>>();
    let (held, rejected, unreadable) = (of(|s| s == HELD), of(|s| s == REJECTED), of(|s| s == UNREADABLE));
    let refused = of(|s| ![HELD, REJECTED, KNOWN, UNREADABLE].contains(&s));
    json["files"] = json!({
        "new": landed.new.len(), "known": landed.known, "held": held.len(), "rejected": rejected.len(), "refused": refused.len(),
        "unreadable": unreadable.len(),
    });
    json["held"] = json!(held);
    json["rejected"] = json!(rejected);
    json["refused"] = json!(refused);
    json["unreadable"] = json!(unreadable);
    let skipped = landed.skipped.iter().map(|member| json!({ "file": member.origin, "message": member.why }));
    json["members_skipped"] = skipped.collect();
    json["over_limits"] = json!(over);
    json["corrections"] = corrected.iter().map(replacements::Corrected::to_json).collect();
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if troubles.is_empty() && over.is_empty() { Exit::Done } else { Exit::NeedsHand })
}
