//! The words that stand on records: rows of `cdr_entries` that nothing took back, by the reference version that they were said under.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayAccessor, RecordBatch};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::delivery::DeliveryId;
use domain::outcome::Outcome;
use domain::ports::BlobError;

use crate::delta::DeltaError;
use crate::delta::action::Add;
use crate::table::{TAG_REFERENCE, Table, TableError};

/// The tag of a file that holds nothing but reversals, with their number.
pub const TAG_REVERSALS: &str = "tollway.reversals";

/// The columns of a [`Word`].
const COLUMNS: [&str; 34] = [
    "rows",
    "entry_no",
    "delivery",
    "row",
    "reason",
    "kind",
    "start",
    "start_offset_s",
    "duration_s",
    "bytes_up",
    "bytes_down",
    "messages",
    "a_number",
    "b_number",
    "b_number_type",
    "imsi",
    "iccid",
    "network",
    "provider_class",
    "cost",
    "cost_currency",
    "owner_path",
    "customer",
    "subscription",
    "device",
    "plan",
    "billing_period",
    "tariff",
    "zone",
    "zone_by",
    "band",
    "billed_units",
    "charge",
    "currency",
];

/// What is said of one record; the fields are those of `cdr_entries`, `None` is null.
#[derive(Debug, Clone, Copy)]
pub struct Word<'b> {
    /// The delivery that it came in.
    pub delivery: &'b str,
    /// Its row there.
    pub row: i64,
    /// Why it is in suspense.
    pub reason: Option<&'b str>,
    /// Kind and direction; `None` for a row that could not be read.
    pub kind: Option<&'b str>,
    /// Microseconds since 1970 UTC.
    pub start_us: Option<i64>,
    /// Seconds east of UTC.
    pub start_offset_s: Option<i32>,
    /// Seconds.
    pub duration_s: Option<i32>,
    /// Bytes sent.
    pub bytes_up: Option<i64>,
    /// Bytes received.
    pub bytes_down: Option<i64>,
    /// Parts of a message.
    pub messages: Option<i32>,
    /// The served party.
    pub a_number: Option<&'b str>,
    /// The other party.
    pub b_number: Option<&'b str>,
    /// What the other party's number is.
    pub b_number_type: Option<&'b str>,
    /// IMSI of the served party.
    pub imsi: Option<i64>,
    /// First 19 digits of its ICCID.
    pub iccid: Option<i64>,
    /// The network that carried it.
    pub network: Option<&'b str>,
    /// The provider's rate class.
    pub provider_class: Option<&'b str>,
    /// The provider's cost, units of 10⁻⁹.
    pub cost_nano: Option<i128>,
    /// Its currency.
    pub cost_currency: Option<&'b str>,
    /// Operator / reseller / customer / cost centre.
    pub owner_path: Option<&'b str>,
    /// The customer.
    pub customer: Option<&'b str>,
    /// The subscription.
    pub subscription: Option<&'b str>,
    /// The device.
    pub device: Option<&'b str>,
    /// The plan.
    pub plan: Option<&'b str>,
    /// The customer's cycle.
    pub billing_period: Option<&'b str>,
    /// The tariff's version.
    pub tariff: Option<&'b str>,
    /// The zone.
    pub zone: Option<&'b str>,
    /// What decided it.
    pub zone_by: Option<&'b str>,
    /// The time band.
    pub band: Option<&'b str>,
    /// Units billed.
    pub billed_units: Option<i64>,
    /// The charge, units of 10⁻⁹.
    pub charge_nano: Option<i128>,
    /// Its currency.
    pub currency: Option<&'b str>,
}

/// The standing words of a table, as files to read.
#[derive(Debug)]
pub struct Standing<'t> {
    table: &'t Table,
    /// Files with first words and corrections by the reference version that their rows were rated with.
    pub by_reference: BTreeMap<u64, Vec<Arc<Add>>>,
    /// Files of which nobody says so any more: written before the tag, by a commit that was trimmed from the table's log.
    pub unknown: Vec<Arc<Add>>,
    /// Words that were taken back: delivery, row, number of the entry.
    taken_back: HashSet<(DeliveryId, i64, i32)>,
}

impl<'t> Standing<'t> {
    /// Looks through the table for what was taken back, and under which reference version each file was written.
    pub fn of(table: &'t Table) -> Result<Self, TableError> {
        let mut all = Self { table, by_reference: BTreeMap::new(), unknown: Vec::new(), taken_back: HashSet::new() };
        let mut commits: BTreeMap<u64, Option<u64>> = BTreeMap::new();
        for outcome in [Outcome::Rated, Outcome::Suspense] {
            for add in table.files(&[("outcome", outcome.as_str())]) {
                let tagged = add.tag(TAG_REFERENCE).and_then(|version| version.parse().ok());
                let reference = match (tagged, commits.get(&add.version())) {
                    (Some(tagged), _) => Some(tagged),
                    (None, Some(known)) => *known,
                    (None, None) => *commits.entry(add.version()).or_insert(said_by_log(table, add.version())?),
                };
                let reversals = add.tag(TAG_REVERSALS).is_some();
                if reversals || tagged.is_none() {
                    for batch in table.read(add, Some(&["rows", "entry_no", "delivery", "row"]))? {
                        let noted = all.note_reversals(&batch);
                        noted.map_err(|e| TableError::File { path: add.path.clone(), what: e.to_string() })?;
                    }
                }
                match reference {
                    _ if reversals => {}
                    Some(reference) => all.by_reference.entry(reference).or_default().push(Arc::clone(add)),
                    None => all.unknown.push(Arc::clone(add)),
                }
            }
        }
        Ok(all)
    }

    fn note_reversals(&mut self, batch: &RecordBatch) -> Result<(), ColumnError> {
        let v = EntriesView(batch);
        let (rows, numbers, deliveries, row) = (v.rows()?, v.entry_no()?, v.delivery()?, v.row()?);
        for i in (0..batch.num_rows()).filter(|i| rows.value(*i) < 0) {
            self.taken_back.insert((delivery_of(deliveries.value(i))?, row.value(i), numbers.value(i)));
        }
        Ok(())
    }

    /// Hands out the standing words of a file.
    pub fn read(&self, add: &Add, each: &mut dyn FnMut(&Word<'_>)) -> Result<(), TableError> {
        for batch in self.table.read(add, Some(&COLUMNS))? {
            let damaged = |e: ColumnError| TableError::File { path: add.path.clone(), what: e.to_string() };
            self.words(&batch, each).map_err(damaged)?;
        }
        Ok(())
    }

    // tidy: one line per column
    fn words(&self, batch: &RecordBatch, each: &mut dyn FnMut(&Word<'_>)) -> Result<(), ColumnError> {
        let v = EntriesView(batch);
        let (rows, entry_no, delivery, row) = (v.rows()?, v.entry_no()?, v.delivery()?, v.row()?);
        let (reason, kind, start, start_offset_s) = (v.reason()?, v.kind()?, v.start()?, v.start_offset_s()?);
        let (duration_s, bytes_up, bytes_down, messages) = (v.duration_s()?, v.bytes_up()?, v.bytes_down()?, v.messages()?);
        let (a_number, b_number, b_number_type) = (v.a_number()?, v.b_number()?, v.b_number_type()?);
        let (imsi, iccid, network, provider_class) = (v.imsi()?, v.iccid()?, v.network()?, v.provider_class()?);
        let (cost, cost_currency, owner_path, customer) = (v.cost()?, v.cost_currency()?, v.owner_path()?, v.customer()?);
        let (subscription, device, plan, billing_period) = (v.subscription()?, v.device()?, v.plan()?, v.billing_period()?);
        let (tariff, zone, zone_by, band) = (v.tariff()?, v.zone()?, v.zone_by()?, v.band()?);
        let (billed_units, charge, currency) = (v.billed_units()?, v.charge()?, v.currency()?);
        // Rows of one delivery follow each other: it is read once.
        let mut of: Option<(&str, DeliveryId)> = None;
        for i in 0..batch.num_rows() {
            if rows.value(i) < 0 {
                continue;
            }
            if !self.taken_back.is_empty() {
                let text = delivery.value(i);
                let id = match of.filter(|(known, _)| *known == text) {
                    Some((_, id)) => id,
                    None => delivery_of(text)?,
                };
                of = Some((text, id));
                if self.taken_back.contains(&(id, row.value(i), entry_no.value(i))) {
                    continue;
                }
            }
            each(&Word {
                delivery: delivery.value(i),
                row: row.value(i),
                reason: at(reason, i),
                kind: at(kind, i),
                start_us: at(start, i),
                start_offset_s: at(start_offset_s, i),
                duration_s: at(duration_s, i),
                bytes_up: at(bytes_up, i),
                bytes_down: at(bytes_down, i),
                messages: at(messages, i),
                a_number: at(a_number, i),
                b_number: at(b_number, i),
                b_number_type: at(b_number_type, i),
                imsi: at(imsi, i),
                iccid: at(iccid, i),
                network: at(network, i),
                provider_class: at(provider_class, i),
                cost_nano: at(cost, i),
                cost_currency: at(cost_currency, i),
                owner_path: at(owner_path, i),
                customer: at(customer, i),
                subscription: at(subscription, i),
                device: at(device, i),
                plan: at(plan, i),
                billing_period: at(billing_period, i),
                tariff: at(tariff, i),
                zone: at(zone, i),
                zone_by: at(zone_by, i),
                band: at(band, i),
                billed_units: at(billed_units, i),
                charge_nano: at(charge, i),
                currency: at(currency, i),
            });
        }
        Ok(())
    }
}

/// The reference version that a commit says of itself; nothing if it was trimmed from the log.
fn said_by_log(table: &Table, version: u64) -> Result<Option<u64>, TableError> {
    match table.commit_info(version) {
        Ok(info) => Ok(Some(info.reference_version)),
        Err(TableError::Delta(DeltaError::Blob(BlobError::NotFound(_)))) => Ok(None),
        Err(e) => Err(e),
    }
}

fn delivery_of(text: &str) -> Result<DeliveryId, ColumnError> {
    DeliveryId::parse(text).ok_or_else(|| ColumnError::Batch(format!("`{text}` is no delivery id")))
}

/// A value, or nothing where it is null.
fn at<A: ArrayAccessor>(column: A, i: usize) -> Option<A::Item> {
    (!column.is_null(i)).then(|| column.value(i))
}
