//! Dedupe: rows of batch after batch held against the known keys, on one core, and the sidecar that a commit leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::rated::RatedBatch;
use domain::delivery::KeyMode;
use domain::ports::Blob;
use generator::layout::Layout;
use sinks::keys::cache::{Found, KeyCache};
use sinks::keys::sidecar::{RunId, account_hash, encode};
use sinks::keys::{Bucket, Claim, Verdict};
use sinks::local_store::memory::MemoryStore;
use sinks::table::Table;

use crate::effort::Effort;
use crate::outside;
use crate::reference::reference;
use crate::report::{Lap, Report};
use crate::sample;
use crate::stopwatch::{measure, time};

/// Known keys are never forgotten here: forgetting is measured by nobody, and reading them again by `commit`.
const CACHE_BYTES: usize = 1 << 30;

/// Layouts with different key modes: content, id, content and occurrence.
const LAYOUTS: [Layout; 3] = [Layout::Job, Layout::KpnSp16, Layout::Routit];

/// Measures rows that are new and the same rows again, and the sidecar; bytes are the sidecar's.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in LAYOUTS {
        let month = sample::month(&[layout], effort.files, effort.rows, effort)?;
        let reference = reference(&month)?;
        let batches: Vec<RatedBatch> = sample::files(&month)?.iter().map(|file| file.rated(&reference)).collect();
        measure_layout(layout.profile(), &batches, effort.rounds, &mut report)?;
    }
    Ok(report)
}

fn measure_layout(layout: &str, batches: &[RatedBatch], rounds: u32, report: &mut Report) -> anyhow::Result<()> {
    let blob: Arc<dyn Blob> = Arc::new(MemoryStore::new());
    let table = outside::entries(&blob)?;
    let rows: usize = batches.iter().map(|batch| batch.linked.parsed.len()).sum();
    let mut known = KeyCache::new(CACHE_BYTES);
    let mut distinct = None;
    report.throughputs.push(measure(&format!("dedupe/{layout} new"), rounds, || {
        known = KeyCache::new(CACHE_BYTES);
        let (first, spent) = time(|| check(&mut known, &table, batches));
        let first = first?;
        let before = distinct.replace(first);
        anyhow::ensure!(first > rows / 2 && before.is_none_or(|before| before == first), "{first} of {rows} rows are new");
        Ok(Lap { rows: rows as u64, bytes: None, spent })
    })?);
    report.throughputs.push(measure(&format!("dedupe/{layout} known"), rounds, || {
        let (first, spent) = time(|| check(&mut known, &table, batches));
        let first = first?;
        anyhow::ensure!(first == 0, "{first} of {rows} rows that were seen before are new");
        Ok(Lap { rows: rows as u64, bytes: None, spent })
    })?);
    let Some(batch) = batches.first() else { return Ok(()) };
    report.throughputs.push(measure(&format!("dedupe/{layout} sidecar"), rounds, || {
        let claims: Vec<(RunId, Claim)> = claims(batch).collect();
        let rows = claims.len() as u64;
        let (bytes, spent) = time(|| {
            let mut runs = BTreeMap::<RunId, Vec<Claim>>::new();
            for (run, claim) in claims {
                runs.entry(run).or_default().push(claim);
            }
            encode(&runs)
        });
        Ok(Lap { rows, bytes: Some(bytes.len() as u64), spent })
    })?);
    Ok(())
}

/// The run and claim of each readable row, as a commit makes them.
fn claims(batch: &RatedBatch) -> impl Iterator<Item = (RunId, Claim)> + '_ {
    let parsed = &batch.linked.parsed;
    let (columns, file) = (&parsed.columns, &parsed.file);
    let account = account_hash(&file.account.path());
    (0..parsed.len()).map(move |i| {
        let key = columns.key[i];
        let content = columns.content.get(i).copied().unwrap_or(0);
        let run = RunId { account, bucket: Bucket::of(file.key_mode, key, Some(columns.start_us[i])) };
        (run, Claim { key, content, delivery: file.delivery, row: columns.row[i], live: true })
    })
}

/// Runs every batch through the check as a commit of its own; tells how many rows were the first of their key.
fn check(cache: &mut KeyCache, table: &Table, batches: &[RatedBatch]) -> anyhow::Result<usize> {
    let mut first = 0;
    for (batch, number) in batches.iter().zip(0..) {
        let file = &batch.linked.parsed.file;
        let mut runs: BTreeMap<RunId, Vec<Claim>> = BTreeMap::new();
        for (run, claim) in claims(batch) {
            runs.entry(run).or_default().push(claim);
        }
        cache.load(table, &runs.keys().copied().collect())?;
        let delivery = cache.code(file.delivery);
        let by_id = file.key_mode == KeyMode::Id;
        let mut found = Found::default();
        for (run, claims) in runs {
            let mut check = cache.check(run);
            let is_first = |c: &&Claim| check.row(c.key, c.content, delivery, by_id) == Verdict::First;
            first += claims.iter().filter(is_first).count();
            found.insert(run, check.finish());
        }
        cache.accept(found, &format!("_keys/{number}"));
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_checked_and_only_the_first_of_its_key_is_new() {
        let effort = Effort::TINY;
        let report = bench(&effort).expect("it runs");
        for (throughputs, layout) in report.throughputs.chunks(3).zip(LAYOUTS) {
            let month = sample::month(&[layout], effort.files, effort.rows, &effort).expect("a month");
            let reference = reference(&month).expect("a reference");
            let batches: Vec<RatedBatch> =
                sample::files(&month).expect("files").iter().map(|file| file.rated(&reference)).collect();
            let keys: Vec<u128> = batches.iter().flat_map(|batch| &batch.linked.parsed.columns.key).copied().collect();
            for throughput in &throughputs[..2] {
                assert_eq!(throughput.laps[0].rows, keys.len() as u64, "{}", throughput.name);
            }
            let blob: Arc<dyn Blob> = Arc::new(MemoryStore::new());
            let table = outside::entries(&blob).expect("a table");
            let first = check(&mut KeyCache::new(CACHE_BYTES), &table, &batches).expect("it runs");
            assert_eq!(first, keys.iter().collect::<HashSet<_>>().len(), "{}", layout.profile());
        }
        assert_eq!(report.throughputs.len(), 3 * LAYOUTS.len());
    }
}
