//! Log: claim checks appended to the embedded log, with and without waiting for the disk, and read back; one thread.

use std::path::Path;
use std::sync::Arc;

use domain::delivery::DeliveryId;
use ingest::log::embedded::{EmbeddedLog, Fsync, LogSettings};
use ingest::log::{LogEvent, LogReader, LogWriter, Topic};
use ingest::message::ClaimCheck;
use tempfile::TempDir;

use crate::effort::Effort;
use crate::outside::StillClock;
use crate::report::{Lap, Report};
use crate::stopwatch::{measure, time};

/// The key of the records: one account, so one partition.
const KEY: &[u8] = b"main/kpn/haven";

/// Records of a poll: what a worker fetches ahead.
const POLL_RECORDS: usize = 1024;

/// Measures appending and reading; rows are records, bytes their payloads.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    let waited = (effort.appends / 100).max(1);
    let policies = [("always", Fsync::Always, waited), ("never", Fsync::Never, effort.appends)];
    for (name, fsync, records) in policies {
        let folder = TempDir::new()?;
        let mut writer = open(folder.path(), fsync)?.writer();
        report.throughputs.push(measure(&format!("log/append, fsync {name}"), effort.rounds, || {
            let payloads = payloads(records)?;
            let (appended, spent) = time(|| append(&mut writer, &payloads));
            appended?;
            Ok(lap(&payloads, spent))
        })?);
    }
    let folder = TempDir::new()?;
    let log = open(folder.path(), Fsync::Never)?;
    let payloads = payloads(effort.appends)?;
    append(&mut log.writer(), &payloads)?;
    report.throughputs.push(measure("log/read", effort.rounds, || {
        let (read, spent) = time(|| read(&log));
        let read = read?;
        anyhow::ensure!(read == payloads.len(), "{read} records of {} came back", payloads.len());
        Ok(lap(&payloads, spent))
    })?);
    Ok(report)
}

fn open(folder: &Path, fsync: Fsync) -> anyhow::Result<EmbeddedLog> {
    Ok(EmbeddedLog::open(&folder.join("log"), LogSettings { fsync, ..LogSettings::new(Arc::new(StillClock)) })?)
}

/// Claim checks of a file of many ranges.
fn payloads(records: u32) -> anyhow::Result<Vec<Vec<u8>>> {
    const ROWS: u64 = 50_000;
    const BYTES: u64 = 4_600_000;
    let claim = |n: u64| ClaimCheck {
        arrival: 1_042,
        delivery: DeliveryId(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef),
        from: n * BYTES,
        to: (n + 1) * BYTES,
        first_row: n * ROWS,
        rows: ROWS,
        verdict: None,
        corrects: false,
    };
    (0..u64::from(records)).map(|n| Ok(serde_json::to_vec(&claim(n))?)).collect()
}

fn lap(payloads: &[Vec<u8>], spent: crate::stopwatch::Spent) -> Lap {
    Lap { rows: payloads.len() as u64, bytes: Some(payloads.iter().map(|payload| payload.len() as u64).sum()), spent }
}

fn append(writer: &mut dyn LogWriter, payloads: &[Vec<u8>]) -> anyhow::Result<()> {
    for payload in payloads {
        writer.append(Topic::Batches, KEY, &[], payload)?;
    }
    Ok(())
}

/// Reads all partitions from their beginning; tells how many records came.
fn read(log: &EmbeddedLog) -> anyhow::Result<usize> {
    let mut reader = log.reader("bench", Topic::Batches, 0, 1);
    let mut read = 0;
    loop {
        match reader.poll(0, POLL_RECORDS)? {
            LogEvent::Assigned(partitions) => {
                for partition in partitions {
                    reader.start_at(partition, 0)?;
                }
            }
            LogEvent::Records(_, records) => read += records.len(),
            LogEvent::Revoked(_) => {}
            LogEvent::Idle => return Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_appended_and_read() {
        let report = bench(&Effort::TINY).expect("it runs");
        let rows: Vec<u64> = report.throughputs.iter().flat_map(|t| &t.laps).map(|lap| lap.rows).collect();
        assert_eq!(rows, [2, 200, 200]);
    }
}
