//! The sink of the measured job (benches/job/JOB.md): sorted detail and totals as plain Parquet files, from the same sorted rows
//! and the same encoder as the tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, Decimal128Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::ArrowError;
use domain::columns::linked::Owner;
use domain::columns::parsed::NO_COST;
use domain::columns::rated::RatedBatch;
use domain::ids::Names;
use domain::number::NumberKind;
use domain::period::Month;
use domain::ports::Disposition;
use domain::usage::Usage;
use domain::zone::SECOND_US;
use rayon::prelude::*;

use crate::gather::{Pick, Selection};
use crate::parquet::{ParquetSettings, encode};

/// Rows of a detail file.
const FILE_ROWS: usize = 125_000;

/// Rows that one thread sums up at a time.
const SUM_ROWS: usize = 65_536;

/// Why the job's files could not be written.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The job's customers, devices and plans are numbers.
    #[error("id `{0}` is no number; the ids of the job's reference files are")]
    Id(String),
    /// Columns could not be built or encoded: a bug.
    #[error("failed to encode the job's rows: {0}")]
    Encode(String),
    /// A file could not be written.
    #[error("failed to write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl JobError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Id(_) | Self::Encode(_) => Disposition::Stop,
            Self::Write { .. } => Disposition::Retry,
        }
    }
}

impl From<ArrowError> for JobError {
    fn from(e: ArrowError) -> Self {
        Self::Encode(e.to_string())
    }
}

fn write(path: PathBuf, rows: RecordBatch) -> Result<(), JobError> {
    let bytes = encode(&[rows], ParquetSettings::default()).map_err(|e| JobError::Encode(e.to_string()))?;
    fs::write(&path, bytes).map_err(|source| JobError::Write { path, source })
}

/// Names of digits as numbers, by code.
fn numbers(names: &Names) -> Result<Vec<i32>, JobError> {
    names.iter().map(|n| n.parse().map_err(|_| JobError::Id(n.to_owned()))).collect()
}

/// Micro-units of a cost in nano-units; the job's costs have at most six places.
fn micros(nano: i64) -> Option<i128> {
    (nano != NO_COST).then(|| i128::from(nano) / 1000)
}

/// The local month of a row by the clock that the file writes.
fn month(batch: &RatedBatch, i: usize) -> Month {
    let c = &batch.linked.parsed.columns;
    Month::of(c.start_us[i] + i64::from(c.offset_s[i]) * SECOND_US)
}

/// Writes `detail_NNNNN.parquet`, several files at a time.
pub fn write_detail(batches: &[&RatedBatch], picks: &[Pick], out: &Path) -> Result<(), JobError> {
    let Some(first) = batches.first() else { return Ok(()) };
    let owners = &first.linked.owners;
    let (customers, devices, plans) = (numbers(&owners.customer_names)?, numbers(&owners.devices)?, numbers(&owners.plans)?);
    picks.par_chunks(FILE_ROWS).enumerate().try_for_each(|(k, picks)| {
        let rows = detail(&Selection { batches, picks }, &customers, &devices, &plans)?;
        write(out.join(format!("detail_{k:05}.parquet")), rows)
    })
}

fn detail(s: &Selection<'_>, customers: &[i32], devices: &[i32], plans: &[i32]) -> Result<RecordBatch, JobError> {
    let owner = |value: fn(&Owner) -> u32, table: &[i32]| -> ArrayRef {
        Arc::new(s.owners().map(|o| o.map(|o| table[value(o) as usize])).collect::<Int32Array>())
    };
    let number = |party: fn(&RatedBatch, usize) -> domain::number::Number| -> ArrayRef {
        Arc::new(s.texts(|b, i, text| {
            let n = party(b, i);
            n.kind() != NumberKind::Absent && n.write(&b.linked.parsed.texts, text).is_ok()
        }))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "record_id",
            Arc::new(s.texts(|b, i, text| {
                text.push_str(b.linked.parsed.columns.record_id.get(i));
                true
            })),
        ),
        ("customer_id", owner(|o| o.customer, customers)),
        ("device_id", owner(|o| o.device, devices)),
        ("plan_id", owner(|o| o.plan, plans)),
        ("kind", Arc::new(s.labels(|b, i| Some(b.linked.parsed.columns.usage[i]), |_, u| u.as_str().to_owned()))),
        ("zone", Arc::new(s.labels(|b, i| Some(b.columns.zone[i]), |b, z| b.labels.zones.name(u32::from(z)).to_owned()))),
        ("band", Arc::new(s.labels(|b, i| Some(b.columns.band[i]), |b, v| b.labels.bands.name(u32::from(v)).to_owned()))),
        ("month", Arc::new(s.labels(|b, i| Some(month(b, i)), |_, m| m.to_string()))),
        ("start", Arc::new(s.instants(|b, i| b.linked.parsed.columns.start_us[i]))),
        ("duration_s", Arc::new(s.values::<Int32Type>(|b, i| b.linked.parsed.columns.duration_s[i]))),
        ("bytes_up", Arc::new(s.optional::<Int64Type, _>(|b| &b.linked.parsed.columns.bytes_up, Some))),
        ("bytes_down", Arc::new(s.optional::<Int64Type, _>(|b| &b.linked.parsed.columns.bytes_down, Some))),
        ("a_number", number(|b, i| b.linked.parsed.columns.a_number[i])),
        ("b_number", number(|b, i| b.linked.parsed.columns.b_number[i])),
        ("mccmnc", Arc::new(s.labels(|b, i| b.linked.parsed.columns.network.get(i).copied(), |_, n| n.to_string()))),
        ("cost", Arc::new(s.decimals(6, |b, i| b.linked.parsed.columns.cost_nano.get(i).copied().and_then(micros)))),
        ("charge", Arc::new(s.decimals(6, |b, i| Some(i128::from(b.columns.charge_nano[i]) / 1000)))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// Customer, month, device, usage, zone, band: all as codes.
type Key = (u32, Month, u32, Usage, u16, u8);

/// Count, seconds, bytes, charge in nano-units.
type Sums = (i64, i64, i64, i128);

/// Where runs of about [`SUM_ROWS`] rows end, never inside the rows of one device.
fn cuts(selection: &Selection<'_>) -> Vec<usize> {
    let who = |i: usize| {
        let one = Selection { batches: selection.batches, picks: &selection.picks[i..=i] };
        one.owners().next().flatten().map(|o| (o.customer, o.device))
    };
    let mut cuts = vec![0];
    let mut at = SUM_ROWS;
    while at < selection.len() {
        if who(at) == who(at - 1) {
            at += 1;
        } else {
            cuts.push(at);
            at += SUM_ROWS;
        }
    }
    cuts.push(selection.len());
    cuts
}

/// The sums of a run; rows come sorted by customer and device, so each device is summed in a small map of its own.
fn sum(selection: &Selection<'_>) -> Vec<(Key, Sums)> {
    let mut rows = Vec::with_capacity(selection.len() / 3);
    let mut device: BTreeMap<Key, Sums> = BTreeMap::new();
    let mut current = None;
    for ((b, i), owner) in selection.rows().zip(selection.owners()) {
        let Some(owner) = owner else { continue };
        let who = (owner.customer, owner.device);
        if current != Some(who) {
            rows.extend(std::mem::take(&mut device));
            current = Some(who);
        }
        let c = &b.linked.parsed.columns;
        let key = (owner.customer, month(b, i), owner.device, c.usage[i], b.columns.zone[i], b.columns.band[i]);
        let sums = device.entry(key).or_default();
        sums.0 += 1;
        sums.1 += i64::from(c.duration_s[i]);
        sums.2 += c.bytes_up.get(i).copied().unwrap_or(0) + c.bytes_down.get(i).copied().unwrap_or(0);
        sums.3 += i128::from(b.columns.charge_nano[i]);
    }
    rows.extend(device);
    rows
}

/// Writes `totals.parquet`.
pub fn write_totals(batches: &[&RatedBatch], picks: &[Pick], out: &Path) -> Result<(), JobError> {
    let Some(first) = batches.first() else { return Ok(()) };
    let cuts = cuts(&Selection { batches, picks });
    let runs = cuts.par_windows(2).map(|cut| sum(&Selection { batches, picks: &picks[cut[0]..cut[1]] }));
    let mut rows: Vec<(Key, Sums)> = runs.collect::<Vec<_>>().concat();
    rows.par_sort_unstable_by_key(|(key, _)| *key);
    write(out.join("totals.parquet"), totals(&rows, first)?)
}

fn totals(rows: &[(Key, Sums)], first: &RatedBatch) -> Result<RecordBatch, JobError> {
    let (owners, labels) = (&first.linked.owners, &first.labels);
    let (customers, devices) = (numbers(&owners.customer_names)?, numbers(&owners.devices)?);
    let mut months: Vec<Month> = rows.iter().map(|(k, _)| k.1).collect();
    months.sort_unstable();
    months.dedup();
    let label = |names: Vec<String>, code: &dyn Fn(&Key) -> usize| -> ArrayRef {
        let keys = rows.iter().map(|(k, _)| i32::try_from(code(k)).expect("names are fewer than 2^31"));
        let names = Arc::new(StringArray::from_iter_values(names));
        Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from_iter_values(keys), names))
    };
    let texts = |names: &Names| names.iter().map(str::to_owned).collect::<Vec<_>>();
    let int =
        |value: &dyn Fn(&Key) -> i32| -> ArrayRef { Arc::new(rows.iter().map(|(k, _)| Some(value(k))).collect::<Int32Array>()) };
    let long =
        |value: fn(&Sums) -> i64| -> ArrayRef { Arc::new(rows.iter().map(|(_, s)| Some(value(s))).collect::<Int64Array>()) };
    let charge: Decimal128Array = rows.iter().map(|(_, s)| Some(s.3 / 1000)).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("customer_id", int(&|k| customers[k.0 as usize])),
        ("month", label(months.iter().map(Month::to_string).collect(), &|k| months.partition_point(|m| *m < k.1))),
        ("device_id", int(&|k| devices[k.2 as usize])),
        ("kind", label(Usage::all().map(|u| u.as_str().to_owned()).collect(), &|k| k.3.code())),
        ("zone", label(texts(&labels.zones), &|k| usize::from(k.4))),
        ("band", label(texts(&labels.bands), &|k| usize::from(k.5))),
        ("count", long(|s| s.0)),
        ("seconds", long(|s| s.1)),
        ("bytes", long(|s| s.2)),
        ("charge", Arc::new(charge.with_precision_and_scale(18, 6)?)),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}
