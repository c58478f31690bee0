//! The words that stand on records: rows of `cdr_entries` that nothing took back, by the reference version that they were said under.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayAccessor, RecordBatch};
use domain::columns::entries::{Entries, EntriesView};
use domain::columns::{ColumnError, with_nulls};
use domain::delivery::DeliveryId;
use domain::outcome::Outcome;
use domain::ports::BlobError;

use crate::delta::DeltaError;
use crate::delta::action::Add;
use crate::table::{TAG_REFERENCE, Table, TableError};

/// The tag of a file that holds nothing but reversals, with their number.
pub const TAG_REVERSALS: &str = "tollway.reversals";

/// The columns that tell one word from another, and whether it takes one back.
const IDENTITY: [&str; 4] = ["rows", "entry_no", "delivery", "row"];

/// Takes a batch and the positions of the words that stand in it.
pub type EachBatch<'e> = &'e mut dyn FnMut(&RecordBatch, &[usize]) -> Result<(), ColumnError>;

/// The columns of which a word is made, each once: a field of [`Word`], a column that is read, a value that is handed out.
macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident: $value:ty,)*) => {
        /// The columns to read.
        const COLUMNS: &[&str] = &[$(stringify!($name)),*];

        /// What is said of one record; the fields are those of `cdr_entries`, `None` is null.
        #[derive(Debug, Clone, Copy)]
        pub struct Word<'b> {
            /// The delivery that it came in.
            pub delivery: &'b str,
            /// Its row there.
            pub row: i64,
            $($(#[$doc])+ pub $name: Option<$value>,)*
        }

        /// Hands out the words at these positions of a batch.
        fn words(batch: &RecordBatch, stand: &[usize], each: &mut dyn FnMut(&Word<'_>)) -> Result<(), ColumnError> {
            let v = EntriesView(batch);
            let (delivery, row) = (v.delivery()?, v.row()?);
            $(let $name = v.$name()?;)*
            for &i in stand {
                each(&Word { delivery: delivery.value(i), row: row.value(i), $($name: at($name, i),)* });
            }
            Ok(())
        }
    };
}

words! {
    /// The key that names it within its account, 16 bytes.
    record_key: &'b [u8],
    /// The place of its delivery in the order of arrivals.
    arrival: i64,
    /// Why it is in suspense.
    reason: &'b str,
    /// Kind and direction; `None` for a row that could not be read.
    kind: &'b str,
    /// Whose file it came in: the tenant, ...
    tenant: &'b str,
    /// ... the provider ...
    provider: &'b str,
    /// ... and the account.
    account: &'b str,
    /// The source's id of the session that it is a part of.
    session_id: &'b str,
    /// Microseconds since 1970 UTC.
    start: i64,
    /// Seconds east of UTC.
    start_offset_s: i32,
    /// Seconds.
    duration_s: i32,
    /// Bytes sent.
    bytes_up: i64,
    /// Bytes received.
    bytes_down: i64,
    /// Parts of a message.
    messages: i32,
    /// The served party.
    a_number: &'b str,
    /// The other party.
    b_number: &'b str,
    /// What the other party's number is.
    b_number_type: &'b str,
    /// IMSI of the served party.
    imsi: i64,
    /// First 19 digits of its ICCID.
    iccid: i64,
    /// The network that carried it.
    network: &'b str,
    /// The provider's rate class.
    provider_class: &'b str,
    /// The provider's cost, units of 10⁻⁹.
    cost: i128,
    /// Its currency.
    cost_currency: &'b str,
    /// Operator / reseller / customer / cost centre.
    owner_path: &'b str,
    /// The customer.
    customer: &'b str,
    /// The subscription.
    subscription: &'b str,
    /// The device.
    device: &'b str,
    /// The plan.
    plan: &'b str,
    /// The customer's cycle.
    billing_period: &'b str,
    /// The tariff's version.
    tariff: &'b str,
    /// The zone.
    zone: &'b str,
    /// What decided it.
    zone_by: &'b str,
    /// Who the other party is.
    party: &'b str,
    /// The time band.
    band: &'b str,
    /// Units billed.
    billed_units: i64,
    /// The charge, units of 10⁻⁹.
    charge: i128,
    /// Its currency.
    currency: &'b str,
    /// Its tax class.
    tax_class: &'b str,
    /// Whether it holds the tax.
    tax: &'b str,
    /// The allowances that it drew from.
    allowance: &'b str,
    /// Units that they gave.
    allowance_units: i64,
    /// Money that they gave, units of 10⁻⁹.
    allowance_money: i128,
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
        Self::of_files(table, &|_| true)
    }

    /// The same of some of its files: those of every commit that speaks of the records that are asked for.
    pub fn of_files(table: &'t Table, is_asked: &dyn Fn(&Add) -> bool) -> Result<Self, TableError> {
        let mut all = Self { table, by_reference: BTreeMap::new(), unknown: Vec::new(), taken_back: HashSet::new() };
        let mut commits: BTreeMap<u64, Option<u64>> = BTreeMap::new();
        for outcome in [Outcome::Rated, Outcome::Suspense] {
            for add in table.files(&[("outcome", outcome.as_str())]).filter(|add| is_asked(add)) {
                let tagged = add.tag(TAG_REFERENCE).and_then(|version| version.parse().ok());
                let reference = match (tagged, commits.get(&add.version())) {
                    (Some(tagged), _) => Some(tagged),
                    (None, Some(known)) => *known,
                    (None, None) => *commits.entry(add.version()).or_insert(said_by_log(table, add.version())?),
                };
                let reversals = add.tag(TAG_REVERSALS).is_some();
                if reversals || tagged.is_none() {
                    for batch in table.read(add, Some(&IDENTITY))? {
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
        self.batches(add, COLUMNS, &mut |batch, stand| words(batch, stand, each))
    }

    /// Hands out the batches of a file with the positions of the words that stand. The batches have these columns, and those that
    /// tell one word from another.
    pub fn batches(&self, add: &Add, columns: &[&str], each: EachBatch<'_>) -> Result<(), TableError> {
        let damaged = |e: ColumnError| TableError::File { path: add.path.clone(), what: e.to_string() };
        let columns = [&IDENTITY, columns].concat();
        let schema = Entries::schema();
        for batch in self.table.read(add, Some(&columns))? {
            let batch = with_nulls(batch, &schema, Some(&columns)).map_err(damaged)?;
            let stand = self.positions(&batch).map_err(damaged)?;
            each(&batch, &stand).map_err(damaged)?;
        }
        Ok(())
    }

    /// Where the words of a batch stand that nothing took back.
    fn positions(&self, batch: &RecordBatch) -> Result<Vec<usize>, ColumnError> {
        let mut stands = self.stands(batch)?;
        let mut all = Vec::with_capacity(batch.num_rows());
        for i in 0..batch.num_rows() {
            if stands(i)? {
                all.push(i);
            }
        }
        Ok(all)
    }

    /// Tells of each row of a batch whether it is a word that nothing took back.
    fn stands<'b>(
        &self,
        batch: &'b RecordBatch,
    ) -> Result<impl FnMut(usize) -> Result<bool, ColumnError> + use<'_, 'b>, ColumnError> {
        let v = EntriesView(batch);
        let (rows, numbers, deliveries, row) = (v.rows()?, v.entry_no()?, v.delivery()?, v.row()?);
        // Rows of one delivery follow each other: its text is read once.
        let mut of: Option<(&str, DeliveryId)> = None;
        Ok(move |i: usize| {
            if rows.value(i) < 0 || self.taken_back.is_empty() {
                return Ok(rows.value(i) >= 0);
            }
            let text = deliveries.value(i);
            let id = match of.filter(|(known, _)| *known == text) {
                Some((_, id)) => id,
                None => delivery_of(text)?,
            };
            of = Some((text, id));
            Ok(!self.taken_back.contains(&(id, row.value(i), numbers.value(i))))
        })
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

/// A delivery as the table names it.
pub(crate) fn delivery_of(text: &str) -> Result<DeliveryId, ColumnError> {
    DeliveryId::parse(text).ok_or_else(|| ColumnError::Batch(format!("`{text}` is no delivery id")))
}

/// A value, or nothing where it is null.
pub(crate) fn at<A: ArrayAccessor>(column: A, i: usize) -> Option<A::Item> {
    (!column.is_null(i)).then(|| column.value(i))
}
