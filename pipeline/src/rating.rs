//! One group of claim checks → its rows, parsed and numbered, in parallel where order does not matter; and what rates them once
//! the commit knows which of them are new.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::closed::{Beside, ClosedCycles};
use domain::columns::parsed::{ParsedBatch, ParsedColumns};
use domain::columns::rated::RatedBatch;
use domain::outcome::Outcome;
use domain::ports::Blob;
use ingest::message::ClaimCheck;
use ingest::parse::parse;
use rate::link::index::DeviceIndex;
use rate::settle::{Demand, Draws, Record, Trace, demands, settle, trace};
use rate::tariff::set::BoundTariffs;
use rayon::prelude::*;
use sinks::commit::{CommitError, ParsedRange};
use sinks::correction::rerate::{Choice, Meant, gather};
use sinks::ledger::Verdict;
use sinks::table::Table;

use crate::deliveries::{Deliveries, Opened};
use crate::error::PipelineError;
use crate::metrics;

/// Devices and tariffs of one reference version.
#[derive(Debug)]
pub struct Reference {
    /// The arrival number of the last import in it.
    pub version: u64,
    /// Whose device is it.
    pub index: DeviceIndex,
    /// What does it cost.
    pub tariffs: BoundTariffs,
}

impl Reference {
    /// Links and prices all readable rows.
    pub fn rate(&self, batch: impl Into<Arc<ParsedBatch>>) -> RatedBatch {
        rate::rate(batch, &self.index, &self.tariffs)
    }

    /// The same where it is known what allowances give.
    pub fn rate_settled(&self, batch: impl Into<Arc<ParsedBatch>>, draws: &Draws) -> RatedBatch {
        rate::rate_settled(batch, &self.index, &self.tariffs, draws)
    }

    /// What allowances give to the standing records of a table, or of some customers in it (docs/adr/0022), as far as the choices change
    /// anything: what was billed draws what it stands with, unless one of them means it all the same. Memory grows with the records that
    /// allowances cover.
    pub fn draws(
        &self,
        table: &Table,
        outcomes: &[Outcome],
        customers: Option<&BTreeSet<String>>,
        choices: &[Choice],
    ) -> Result<Draws, CommitError> {
        let meant = Meant { outcomes, accounts: None, customers };
        Ok(settle(self.demands(table, &meant, choices)?, &self.tariffs))
    }

    /// How a standing record of a customer draws from allowances where some cycles are frozen; `None` if none covers it.
    pub fn trace(
        &self,
        table: &Table,
        customer: &str,
        record: Record,
        frozen: ClosedCycles,
    ) -> Result<Option<Trace>, CommitError> {
        let customers = BTreeSet::from([customer.to_owned()]);
        let meant = Meant { outcomes: &[Outcome::Rated], accounts: None, customers: Some(&customers) };
        let choice = Choice { frozen, ..Choice::default() };
        Ok(trace(self.demands(table, &meant, &[choice])?, record, &self.tariffs))
    }

    /// The standing records that allowances cover; without such tariffs the table is not read.
    fn demands(&self, table: &Table, meant: &Meant<'_>, choices: &[Choice]) -> Result<Vec<Demand>, CommitError> {
        if !self.tariffs.settles() {
            return Ok(Vec::new());
        }
        // What was billed when its cycle was closed keeps what it drew; who comes later has what is left (docs/adr/0025).
        let take = |rated: &RatedBatch, beside: &[Beside<'_>]| demands(rated, beside, &self.tariffs);
        gather(table, meant, choices, &|batch| self.rate(batch), &take)
    }
}

/// Hands out the reference data in force.
pub trait References: Send {
    /// The newest version; the same `Arc` while nothing has changed.
    fn current(&mut self) -> Result<Arc<Reference>, PipelineError>;
}

/// Why a group was not read: its first claim check that could not be.
#[derive(Debug)]
pub struct Spoilt {
    /// Which claim check of the group.
    pub claim: usize,
    /// What is wrong.
    pub error: Box<PipelineError>,
}

impl Spoilt {
    fn at(claim: usize) -> impl Fn(PipelineError) -> Self {
        move |error| Self { claim, error: Box::new(error) }
    }
}

/// Reads the ranges of claim checks; the result is in their order.
pub fn read(claims: &[ClaimCheck], deliveries: &mut Deliveries) -> Result<Vec<ParsedRange>, Spoilt> {
    let open = |(i, claim): (usize, &ClaimCheck)| open(deliveries, claim).map_err(Spoilt::at(i));
    let opened = claims.iter().enumerate().map(open).collect::<Result<Vec<_>, _>>()?;
    let blob = Arc::clone(deliveries.blob());
    let parsed: Vec<_> = claims.par_iter().zip(&opened).map(|(claim, open)| parse_claim(&*blob, open, claim)).collect();
    let mut ranges = Vec::with_capacity(parsed.len());
    for (i, ((claim, open), batch)) in claims.iter().zip(&opened).zip(parsed).enumerate() {
        let batch = batch.and_then(|batch| number(deliveries, claim, open, batch));
        let verdict = claim.verdict.as_ref().map(|v| Verdict {
            state: v.state.as_str().to_owned(),
            rows: v.rows,
            message: v.message.clone(),
        });
        ranges.push(ParsedRange { batch: Arc::new(batch.map_err(Spoilt::at(i))?), verdict });
    }
    Ok(ranges)
}

/// The delivery of a claim check, if it is the one that the claim check means.
fn open(deliveries: &mut Deliveries, claim: &ClaimCheck) -> Result<Arc<Opened>, PipelineError> {
    let opened = deliveries.open(claim.arrival)?;
    if opened.file.delivery == claim.delivery {
        Ok(opened)
    } else {
        Err(PipelineError::Foreign { arrival: claim.arrival, delivery: Box::new(claim.delivery) })
    }
}

/// Gives the rows of a range their occurrence, if they are the rows that split has seen.
fn number(
    deliveries: &mut Deliveries,
    claim: &ClaimCheck,
    open: &Arc<Opened>,
    mut batch: ParsedBatch,
) -> Result<ParsedBatch, PipelineError> {
    domain::check!(
        RowsBalance,
        batch.is_balanced() && batch.rows_in == claim.rows,
        "arrival {} from row {}: split counted {} rows, parse {}",
        claim.arrival,
        claim.first_row,
        claim.rows,
        batch.rows_in
    );
    deliveries.number(open, claim, &mut batch)?;
    Ok(batch)
}

/// Fetches and parses the bytes of one claim check.
fn parse_claim(blob: &dyn Blob, open: &Opened, claim: &ClaimCheck) -> Result<ParsedBatch, PipelineError> {
    let Some(layout) = &open.layout else {
        if claim.rows > 0 {
            return Err(PipelineError::Header(claim.arrival));
        }
        return Ok(no_rows(open));
    };
    let bytes = if claim.from == claim.to { Vec::new() } else { blob.get_range(&open.object, claim.from..claim.to)? };
    metrics::bytes(bytes.len() as u64);
    Ok(parse(&open.profile, layout, &open.file, &open.hasher, open.range(claim), &bytes))
}

/// The batch of a file without rows: its ledger row carries the verdict.
fn no_rows(open: &Opened) -> ParsedBatch {
    ParsedBatch {
        file: Arc::clone(&open.file),
        first_row: 0,
        rows_in: 0,
        columns: ParsedColumns::default(),
        malformed: Vec::new(),
        skipped: BTreeMap::new(),
        texts: Vec::new(),
        classes: Vec::new(),
    }
}
