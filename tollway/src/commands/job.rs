//! `tollway bench job DATA OUT`: benches/job/JOB.md with the same parse, link, price, sort and encode as `run`; only the
//! sink differs: plain sorted Parquet instead of a commit, no log, no fsync.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::{Account, DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::outcome::Reason;
use domain::ports::Clock;
use ingest::parse::{RowRange, parse};
use ingest::profile::Profile;
use pipeline::rating::Reference;
use rayon::prelude::*;
use serde_json::json;
use sinks::gather::{Pick, sort};
use sinks::job::{write_detail, write_totals};
use sinks::keys::cache::ByKey;

use crate::exit_code::{Exit, bad_input};
use crate::output::to_stdout;
use crate::system::SystemClock;

/// Parts that the duplicate check runs in, each over the keys of one range.
const KEY_PARTS: u32 = 16;

/// JOB.md's names of what our reasons call otherwise.
fn job_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Kind => "bad_type",
        Reason::Number => "bad_number",
        Reason::Time | Reason::TimeGap => "bad_time",
        Reason::Duration => "bad_duration",
        Reason::Volume => "bad_bytes",
        Reason::Network => "bad_network",
        Reason::Cost => "bad_cost",
        _ => "bad_columns",
    }
}

/// What the job found, in JOB.md's terms.
#[derive(Debug, Default)]
struct Summary {
    rows_in: u64,
    malformed: BTreeMap<&'static str, u64>,
    duplicates: u64,
    reasons: BTreeMap<Reason, u64>,
    rated: u64,
    charge_nano: i128,
}

/// Runs the job.
pub fn run(data: &Path, out: &Path) -> anyhow::Result<Exit> {
    let clock = SystemClock;
    let began = clock.now_us();
    fs::create_dir_all(out).with_context(|| format!("failed to make {}", out.display()))?;
    let mut steps = serde_json::Map::new();
    let mut last = began;
    let mut lap = |name: &str, now: i64| {
        steps.insert(name.to_owned(), json!(decimal_seconds(now - last)));
        last = now;
    };
    let reference = reference(&data.join("ref"))?;
    lap("reference", clock.now_us());
    let rated = read_and_rate(&data.join("cdr"), &reference)?;
    lap("parse+link+price", clock.now_us());
    let (summary, mut picks) = settle(&rated);
    lap("duplicates", clock.now_us());
    let batches: Vec<&RatedBatch> = rated.iter().collect();
    sort(&batches, &mut picks);
    lap("sort", clock.now_us());
    write_detail(&batches, &picks, out)?;
    lap("detail", clock.now_us());
    write_totals(&batches, &picks, out)?;
    let ended = clock.now_us();
    lap("totals", ended);
    let malformed: u64 = summary.malformed.values().sum();
    let count = |r: Reason| summary.reasons.get(&r).copied().unwrap_or(0);
    let known = [Reason::NoDevice, Reason::NoZone, Reason::NoPrice];
    let other: u64 = summary.reasons.iter().filter(|(r, _)| !known.contains(r)).map(|(_, n)| n).sum();
    anyhow::ensure!(
        summary.rows_in == malformed + summary.duplicates + known.iter().map(|r| count(*r)).sum::<u64>() + other + summary.rated,
        "rows do not add up: this is a bug"
    );
    if other > 0 {
        return Err(bad_input(format!("{other} rows ended with a reason that the job does not have: {:?}", summary.reasons)));
    }
    let line = json!({
        "rows_in": summary.rows_in,
        "malformed": summary.malformed,
        "duplicates": summary.duplicates,
        "no_device": count(Reason::NoDevice),
        "no_zone": count(Reason::NoZone),
        "no_price": count(Reason::NoPrice),
        "rated": summary.rated,
        "charge": i64::try_from(summary.charge_nano / 1000).context("the sum of charges is beyond 64 bits")?,
        "job_s": decimal_seconds(ended - began),
        "steps": steps,
    });
    fs::write(out.join("summary.json"), line.to_string())?;
    to_stdout(|out| Ok(writeln!(out, "{line}")?))?;
    Ok(Exit::Done)
}

/// Seconds as a JSON number with four places, from an integer.
fn decimal_seconds(us: i64) -> serde_json::Number {
    let ticks = us.max(0) / 100;
    let text = format!("{}.{:04}", ticks / 10_000, ticks % 10_000);
    serde_json::from_str(&text).expect("digits, a point and digits are a JSON number")
}

/// JOB.md's reference files as ordinary reference data under the shipped `job` tariff.
fn reference(folder: &Path) -> anyhow::Result<Reference> {
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("failed to read {name} in {}", folder.display()))
    };
    let toml = config::tariffs::find("job").context("the shipped tariff `job` is missing: this is a bug")?;
    let companions =
        rate::tariff::companion_names(toml).into_iter().map(|n| Ok((n.clone(), read(&n)?))).collect::<anyhow::Result<_>>()?;
    crate::reference::from_devices(read("devices.csv")?.as_bytes(), &crate::reference::source("job", toml, &companions))
}

/// The files of a folder, by name.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))?;
    let mut paths = listed.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "csv"));
    paths.sort();
    Ok(paths)
}

fn read_and_rate(folder: &Path, reference: &Reference) -> anyhow::Result<Vec<RatedBatch>> {
    let text = config::profiles::find("job").context("the shipped profile `job` is missing: this is a bug")?;
    let profile = Profile::load(text)?;
    let account =
        Account { tenant: TenantId::parse("main")?, provider: ProviderId::parse("job")?, account: AccountId::parse("job")? };
    let hasher = RecordHasher::new(&KeySecret([0; 16]), &account);
    files(folder)?
        .into_par_iter()
        .enumerate()
        .map(|(i, path)| {
            let bytes = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
            let layout = profile.resolve_header(&bytes).with_context(|| path.display().to_string())?;
            let file = Arc::new(FileContext {
                account: account.clone(),
                delivery: DeliveryId(i as u128),
                arrival: i as u64,
                origin: path.to_string_lossy().into(),
                profile: Arc::clone(profile.label()),
                cycle: None,
                cost_currency: profile.cost_currency(),
                key_mode: profile.key_mode(),
                billable_from_us: i64::MIN,
            });
            let from = layout.body_from();
            let range = RowRange { first_row: 0, byte_from: from };
            let body = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            let parsed = parse(&profile, &layout, &file, &hasher, range, &bytes[body..]);
            drop(bytes);
            Ok(rate::rate(parsed, &reference.index, &reference.tariffs))
        })
        .collect()
}

/// Counts everything, drops duplicates, and picks the rated rows.
fn settle(rated: &[RatedBatch]) -> (Summary, Vec<Pick>) {
    let gone = duplicates(rated);
    let mut summary = Summary::default();
    let mut picks = Vec::with_capacity(rated.iter().map(|b| b.linked.parsed.len()).sum());
    for ((number, batch), gone) in (0..).zip(rated.iter()).zip(&gone) {
        let parsed: &ParsedBatch = &batch.linked.parsed;
        summary.rows_in += parsed.rows_in;
        for row in &parsed.malformed {
            *summary.malformed.entry(job_reason(row.reason)).or_default() += 1;
        }
        for (row, i) in (0..).zip(0..parsed.len()) {
            if gone[i] {
                summary.duplicates += 1;
            } else if let Some(reason) = batch.reason(i) {
                *summary.reasons.entry(reason).or_default() += 1;
            } else {
                summary.rated += 1;
                summary.charge_nano += i128::from(batch.columns.charge_nano[i]);
                picks.push(Pick { batch: number, row });
            }
        }
    }
    (summary, picks)
}

/// Which rows repeat an earlier one. Keys are spread over parts by their top bits, so that parts run in parallel and the
/// set of each stays in cache.
fn duplicates(rated: &[RatedBatch]) -> Vec<Vec<bool>> {
    let repeats: Vec<(usize, usize)> = (0..KEY_PARTS)
        .into_par_iter()
        .flat_map_iter(|part| {
            let mine = |key: u128| key >> (128 - KEY_PARTS.ilog2()) == u128::from(part);
            let rows = rated.iter().map(|b| b.linked.parsed.len()).sum::<usize>() / KEY_PARTS as usize;
            let mut seen: ByKey<()> = ByKey::default();
            seen.reserve(rows + rows / 8);
            let mut found = Vec::new();
            for (b, batch) in rated.iter().enumerate() {
                for (i, key) in batch.linked.parsed.columns.key.iter().enumerate() {
                    if mine(*key) && seen.insert(*key, ()).is_some() {
                        found.push((b, i));
                    }
                }
            }
            found
        })
        .collect();
    let mut gone: Vec<Vec<bool>> = rated.iter().map(|b| vec![false; b.linked.parsed.len()]).collect();
    for (b, i) in repeats {
        gone[b][i] = true;
    }
    gone
}
