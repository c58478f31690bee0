//! Deliveries that are being worked on: profile, layout and row numbering of each, opened once and kept while rows come.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{ArrivalNumber, FileContext, KeySecret, RecordHasher};
use domain::ports::{Blob, BlobError};
use ingest::land::{ArrivalKind, DeliveryRecord, Landing, LiveRange, Replaces};
use ingest::message::ClaimCheck;
use ingest::parse::occurrence::{Occurrences, number, number_live};
use ingest::parse::{RowRange, parse};
use ingest::profile::{Layout, Profile};

use crate::error::PipelineError;

/// Deliveries that are kept open at once: more accounts than a worker has partitions are rarely in turn.
const OPEN_MAX: usize = 64;

/// Bytes that are read at once when rows are numbered again.
const CHUNK_BYTES: u64 = 8 << 20;

/// A delivery ready to be parsed.
#[derive(Debug)]
pub struct Opened {
    /// Its place in the order of arrivals.
    pub arrival: ArrivalNumber,
    /// What the stages know about it.
    pub file: Arc<FileContext>,
    /// Its layout rules.
    pub profile: Arc<Profile>,
    /// Where its columns stand; `None` for a file that split has refused: it has a verdict and no rows.
    pub layout: Option<Layout>,
    /// Its bytes.
    pub object: String,
    /// Bytes of the object.
    pub size: u64,
    /// Rows per claim check, pinned at landing.
    pub cut_rows: u64,
    /// Makes its keys.
    pub hasher: RecordHasher,
    /// Which events it holds, if it is a micro-batch of a live source.
    pub live: Option<Box<LiveRange>>,
}

impl Opened {
    /// The rows of a claim check.
    pub fn range(&self, claim: &ClaimCheck) -> RowRange {
        RowRange { first_row: claim.first_row, byte_from: claim.from }
    }
}

/// How far the rows of a delivery are numbered.
#[derive(Debug)]
struct Numbering {
    occurrences: Occurrences,
    next_row: u64,
}

impl Numbering {
    fn of(hasher: &RecordHasher) -> Self {
        Self { occurrences: Occurrences::new(hasher), next_row: 0 }
    }
}

/// Opens deliveries and numbers their rows.
pub struct Deliveries {
    landing: Arc<Landing>,
    blob: Arc<dyn Blob>,
    secret: KeySecret,
    profiles: HashMap<String, Arc<Profile>>,
    open: HashMap<ArrivalNumber, Arc<Opened>>,
    numbering: HashMap<ArrivalNumber, Numbering>,
    order: Vec<ArrivalNumber>,
    /// How old a record may be when its file lands, microseconds; any age if none.
    max_age_us: Option<i64>,
}

impl std::fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Deliveries({} open)", self.open.len())
    }
}

impl Deliveries {
    /// Deliveries of a landing; keys are made under `secret`.
    pub fn new(landing: Arc<Landing>, blob: Arc<dyn Blob>, secret: KeySecret) -> Self {
        Self {
            landing,
            blob,
            secret,
            profiles: HashMap::new(),
            open: HashMap::new(),
            numbering: HashMap::new(),
            order: Vec::new(),
            max_age_us: None,
        }
    }

    /// The same where records of a greater age are not billed.
    #[must_use]
    pub fn with_max_age(self, max_age: Option<Duration>) -> Self {
        let max_age_us = max_age.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        Self { max_age_us, ..self }
    }

    /// The landing.
    pub fn landing(&self) -> &Arc<Landing> {
        &self.landing
    }

    /// The store that landing lies in.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    /// Forgets all numbering: the rows that it counted were not committed.
    pub fn reset(&mut self) {
        self.numbering.clear();
    }

    /// Forgets what was opened, too: an object that was damaged may be whole again.
    pub fn forget(&mut self) {
        self.reset();
        self.open.clear();
        self.order.clear();
    }

    /// Opens a delivery whose header split has accepted.
    pub fn open(&mut self, arrival: ArrivalNumber) -> Result<Arc<Opened>, PipelineError> {
        if let Some(known) = self.open.get(&arrival) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(self.load(arrival)?);
        if self.order.len() == OPEN_MAX {
            let oldest = self.order.remove(0);
            self.open.remove(&oldest);
            self.numbering.remove(&oldest);
        }
        self.order.push(arrival);
        self.open.insert(arrival, Arc::clone(&opened));
        Ok(opened)
    }

    fn load(&mut self, number: ArrivalNumber) -> Result<Opened, PipelineError> {
        let arrival = self.landing.arrival(number)?;
        let ArrivalKind::Delivery(record) = &arrival.kind else {
            return Err(BlobError::NotFound(format!("delivery of arrival {number}")).into());
        };
        let profile = self.profile(number, &record.profile_sha256)?;
        let object = Landing::object_path(&record.identity.sha256);
        // What follows the header of a micro-batch is the source's, whatever it looks like.
        let head = record.live.as_ref().map_or(profile.header_bytes_max() as u64, |live| live.header_bytes).min(record.size);
        let first = if head == 0 { Vec::new() } else { self.blob.get_range(&object, 0..head)? };
        let layout = profile.resolve_header(&first).ok();
        // A corrected file brings what was billed by the one before it.
        let max_age_us = self.max_age_us.filter(|_| !matches!(record.replaces, Some(Replaces::Arrival(_))));
        let billable_from_us = max_age_us.map_or(i64::MIN, |age_us| arrival.arrived_us.saturating_sub(age_us));
        let file = Arc::new(FileContext { billable_from_us, ..context(number, record, &profile) });
        let hasher = RecordHasher::new(&self.secret, &file.account);
        let (size, cut_rows, live) = (record.size, record.cut_rows, record.live.clone());
        Ok(Opened { arrival: number, file, profile, layout, object, size, cut_rows, hasher, live })
    }

    /// What the stages know about a delivery, from its record and its profile: its bytes are not asked for. Of its records none is too old:
    /// whether they were was decided when they were rated first.
    pub fn file(&mut self, arrival: ArrivalNumber) -> Result<Arc<FileContext>, PipelineError> {
        if let Some(known) = self.open.get(&arrival) {
            return Ok(Arc::new(FileContext { billable_from_us: i64::MIN, ..(*known.file).clone() }));
        }
        let landed = self.landing.arrival(arrival)?;
        let ArrivalKind::Delivery(record) = &landed.kind else {
            return Err(BlobError::NotFound(format!("delivery of arrival {arrival}")).into());
        };
        let profile = self.profile(arrival, &record.profile_sha256)?;
        Ok(Arc::new(context(arrival, record, &profile)))
    }

    /// The landed profile of an arrival, loaded once.
    pub fn profile(&mut self, arrival: ArrivalNumber, sha256: &str) -> Result<Arc<Profile>, PipelineError> {
        if let Some(known) = self.profiles.get(sha256) {
            return Ok(Arc::clone(known));
        }
        let text = self.blob.get(&Landing::object_path(sha256))?;
        let profile = Profile::load(&String::from_utf8_lossy(&text))
            .map_err(|source| PipelineError::Profile { arrival, source: Box::new(source) })?;
        let profile = Arc::new(profile);
        self.profiles.insert(sha256.to_owned(), Arc::clone(&profile));
        Ok(profile)
    }

    /// Gives equal rows of a delivery their occurrence. Rows must come in order; after a restart or a gap the earlier rows
    /// are read again, because the n-th equal row counts all before it.
    pub fn number(&mut self, open: &Arc<Opened>, claim: &ClaimCheck, batch: &mut ParsedBatch) -> Result<(), PipelineError> {
        if let Some(live) = &open.live {
            number_live(batch, live, &open.hasher);
            return Ok(());
        }
        let mut numbering = self.numbering.remove(&open.arrival).unwrap_or_else(|| Numbering::of(&open.hasher));
        if numbering.next_row != claim.first_row {
            numbering = self.number_again(open, claim)?;
        }
        number(batch, &mut numbering.occurrences);
        numbering.next_row = claim.first_row + claim.rows;
        // The last range ends the counting; a delivery that was closed meanwhile is counted again if it goes on.
        if claim.verdict.is_none() && self.open.contains_key(&open.arrival) {
            self.numbering.insert(open.arrival, numbering);
        }
        Ok(())
    }

    /// Numbers the rows before a claim check again, in pieces of whole rows: split has accepted the file, so no verdict on
    /// it is wanted here, and a piece of it would get another one.
    fn number_again(&self, open: &Arc<Opened>, claim: &ClaimCheck) -> Result<Numbering, PipelineError> {
        let layout = open.layout.as_ref().ok_or(PipelineError::Header(claim.arrival))?;
        let mut numbering = Numbering::of(&open.hasher);
        let (mut at, mut piece_bytes) = (layout.body_from(), CHUNK_BYTES);
        while at < claim.from {
            let to = (at + piece_bytes).min(claim.from);
            let bytes = self.blob.get_range(&open.object, at..to)?;
            let whole = if to == claim.from { Some(bytes.len()) } else { open.profile.whole_rows(layout, &bytes) };
            let Some(whole) = whole else {
                piece_bytes *= 2;
                continue;
            };
            let range = RowRange { first_row: numbering.next_row, byte_from: at };
            let mut batch = parse(&open.profile, layout, &open.file, &open.hasher, range, &bytes[..whole]);
            number(&mut batch, &mut numbering.occurrences);
            numbering.next_row += batch.rows_in;
            at += whole as u64;
        }
        domain::check!(
            LedgerCovers,
            numbering.next_row == claim.first_row,
            "arrival {}: rows before {} cannot be numbered again, the cuts end at {}",
            claim.arrival,
            claim.first_row,
            numbering.next_row
        );
        Ok(numbering)
    }
}

fn context(arrival: ArrivalNumber, record: &DeliveryRecord, profile: &Profile) -> FileContext {
    FileContext {
        account: record.identity.account.clone(),
        delivery: record.delivery,
        arrival,
        origin: record.origin.as_str().into(),
        profile: Arc::clone(profile.label()),
        cycle: record.identity.cycle.as_deref().map(Into::into),
        cost_currency: profile.cost_currency(),
        key_mode: profile.key_mode(),
        billable_from_us: i64::MIN,
    }
}
