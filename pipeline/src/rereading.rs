//! Rows of landed files read again one by one, as parse read them the first time, and rated with the reference data in force.

use std::collections::BTreeMap;

use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::ArrivalNumber;
use ingest::land::{ArrivalKind, Landing};
use ingest::parse::{RowRange, parse};
use sinks::correction::Anew;

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::rating::Reference;
use crate::splitter::cut;

/// Reads rows of one delivery again and rates them; the result holds these rows and no others. Their keys are those that are
/// asked for: occurrences were counted when the file was read as a whole.
pub fn rate_again(
    landing: &Landing,
    deliveries: &mut Deliveries,
    arrival: ArrivalNumber,
    rows: &BTreeMap<u64, Anew>,
    reference: &Reference,
) -> Result<Vec<RatedBatch>, PipelineError> {
    let landed = landing.arrival(arrival)?;
    let ArrivalKind::Delivery(record) = &landed.kind else { return Err(PipelineError::Header(arrival)) };
    let open = deliveries.open(arrival)?;
    let layout = open.layout.as_ref().ok_or(PipelineError::Header(arrival))?;
    let mut rated = Vec::new();
    for range in cut(&**deliveries.blob(), &open.profile, record)?.ranges {
        let wanted: BTreeMap<u64, Anew> =
            rows.range(range.first_row..range.first_row + range.rows).map(|(row, anew)| (*row, *anew)).collect();
        if wanted.is_empty() {
            continue;
        }
        let bytes = deliveries.blob().get_range(&open.object, range.from..range.to)?;
        let at = RowRange { first_row: range.first_row, byte_from: range.from };
        let batch = parse(&open.profile, layout, &open.file, &open.hasher, at, &bytes);
        rated.push(reference.rate(select(batch, &wanted)));
    }
    Ok(rated)
}

/// The wanted rows of a batch, under the keys that they go by.
fn select(mut batch: ParsedBatch, wanted: &BTreeMap<u64, Anew>) -> ParsedBatch {
    let kept: Vec<usize> = (0..batch.len()).filter(|i| wanted.contains_key(&batch.columns.row[*i])).collect();
    batch.columns = batch.columns.kept(&kept);
    batch.malformed.retain(|row| wanted.contains_key(&row.row));
    for (key, row) in batch.columns.key.iter_mut().zip(&batch.columns.row) {
        if let Some(anew) = wanted.get(row) {
            *key = anew.key;
        }
    }
    for row in &mut batch.malformed {
        if let Some(anew) = wanted.get(&row.row) {
            row.key = anew.key;
        }
    }
    batch.skipped.clear();
    batch.rows_in = batch.len() as u64 + batch.malformed.len() as u64;
    batch
}
