//! Rows that have a price, linked and priced again from the table's own columns: which come out otherwise (docs/adr/0021).
//!
//! Nothing but what rating was given goes in, and by the code that rated them first. What comes out as it stands is forgotten at
//! once, so memory grows with the differences. If nothing but the name of the tariff's version is another, a row is as it was.

mod billed;
mod side;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use domain::closed::{Beside, ClosedCycles};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::columns::linked::Owners;
use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::{Account, ArrivalNumber, DeliveryId, FileContext, KeyMode};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::money::Currency;
use domain::outcome::Outcome;
use rayon::prelude::*;

use self::billed::Billed;
pub use self::side::Side;
use self::side::{Stood, came, cycles_of};
use super::{Files, LiveEntries, Place};
use crate::closing::{Now, Since};
use crate::commit::CommitError;
use crate::delta::action::Add;
use crate::ledger::{files_about, read_all};
use crate::premise;
use crate::standing::{Standing, at, delivery_of};
use crate::table::{Table, TableError};

/// What the ledger says of a delivery of which rows with a price were rated again.
pub(crate) const CAUSE: &str = "rerated";

/// Links and prices rows with one reference version.
pub type Rate<'r> = &'r (dyn Fn(ParsedBatch) -> RatedBatch + Sync);

/// What rows with a price are chosen by, as they stand or as they come out; all that is named must fit.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The customer.
    pub customer: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// The customer's cycle.
    pub cycle: Option<String>,
    /// Allowances cover them.
    pub drawing: Option<Drawing>,
    /// They arrived before this number: later ones were rated with what was in force by then.
    pub before: ArrivalNumber,
    /// Closed cycles: what was billed in them stays as it stands.
    pub frozen: ClosedCycles,
    /// What was billed is meant, too.
    pub billed_too: bool,
}

/// What rows that allowances cover are chosen by.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// Their customers; any if the list is empty.
    pub customers: BTreeSet<String>,
    /// Their cycles; any if the list is empty.
    pub cycles: BTreeSet<String>,
    /// The reference version under which all rows that are meant stand as those customers'.
    pub reference: Option<u64>,
}

impl Choice {
    /// Whether it leaves a record alone: it was billed where it stands, or where it would come.
    fn leaves(&self, row: &Compared<'_>, place: Place, since: &Since, owners: &Owners) -> bool {
        let was_billed = |side: &Side<'_>| {
            let stands = row.was.stands_as(side);
            let now = side.cycle.map(|cycle| Now { key: row.key, place, customer: side.customer, cycle, stands });
            now.is_some_and(|now| since.was_billed(now, &self.frozen, owners))
        };
        !self.billed_too && (was_billed(&row.was) || was_billed(&row.becomes))
    }
}

/// The customers as whose all rows of the choices stand under a reference version; `None` if that is not known of all choices.
pub fn standing_customers(choices: &[Choice], reference: u64) -> Option<BTreeSet<String>> {
    let known = |choice: &'_ Choice| {
        let drawing = choice.drawing.as_ref().filter(|drawing| drawing.reference == Some(reference));
        drawing.filter(|drawing| !drawing.customers.is_empty()).map(|drawing| drawing.customers.clone())
    };
    choices.iter().map(known).collect::<Option<Vec<_>>>().map(|all| all.into_iter().flatten().collect())
}

/// Which rows of a table are looked at.
#[derive(Clone, Copy)]
pub struct Meant<'m> {
    /// How they ended; what is beyond an allowance counts as rated.
    pub outcomes: &'m [Outcome],
    /// Of which accounts; of all if none.
    pub accounts: Option<Accounts<'m>>,
    /// As whose they stand; as anybody's if none.
    pub customers: Option<&'m BTreeSet<String>>,
}

/// A row that is meant, as it stands and as it comes out.
#[derive(Debug)]
pub struct Compared<'r> {
    /// Tenant, provider and account, with `/`.
    pub account: &'r str,
    /// The delivery that it came in, as the table names it.
    pub delivery: &'r str,
    /// Its row there.
    pub row: u64,
    /// The arrival number of the delivery.
    pub arrival: ArrivalNumber,
    /// Its record key.
    pub key: u128,
    /// Kind and direction.
    pub kind: &'r str,
    /// What stands.
    pub was: Side<'r>,
    /// What comes out.
    pub becomes: Side<'r>,
    /// Whether it is meant as it stands, and as it comes out.
    pub fits: (bool, bool),
    /// Whether what comes out is another thing.
    pub differs: bool,
    /// Whether it differs and is left as it stands all the same, because it was billed when its cycle was closed.
    pub is_left: bool,
}

impl Compared<'_> {
    /// The record.
    pub fn place(&self) -> Result<Place, ColumnError> {
        Ok(Place { delivery: delivery_of(self.delivery)?, row: self.row })
    }
}

/// Takes in what is found, one value for each file; they are joined in the order of the files.
pub trait Findings: Default + Send {
    /// A row that is meant.
    fn row(&mut self, row: &Compared<'_>) -> Result<(), ColumnError>;
    /// What this and a later file came to.
    #[must_use]
    fn join(self, later: Self) -> Self;
}

/// Whose rows are meant, by tenant, provider and account, with `/`.
pub type Accounts<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// Rates the rows of some outcomes that one of the choices names, as they stand or as they come out; of some accounts, or of all.
/// Rows that no reference data can give a price are left out. Reads every file that may hold some, and calls `done` with the rows of
/// each.
pub fn look<F: Findings>(
    table: &Table,
    meant: &Meant<'_>,
    choices: &[Choice],
    rate: Rate<'_>,
    done: &(dyn Fn(u64) + Sync),
) -> Result<F, CommitError> {
    let versions = meant.accounts.map(|accounts| versions_of(table, accounts)).transpose()?;
    let is_asked = |add: &Add| versions.as_ref().is_none_or(|versions| versions.contains(&add.version()));
    let standing = Standing::of_files(table, &is_asked)?;
    let files = files_of(&standing, meant.outcomes);
    let columns =
        [&premise::RATING[..], &side::COLUMNS[..], &["tenant", "provider", "account", "arrival", "record_key"]].concat();
    let frozen: Vec<&ClosedCycles> = choices.iter().map(|choice| &choice.frozen).collect();
    let question = Question { meant, choices, rate, since: Since::of(table, &frozen, &is_asked)? };
    let find = |add: &&Arc<Add>| {
        let mut findings = F::default();
        standing.batches(add, &columns, &mut |batch, stand| question.ask(batch, stand, &mut findings))?;
        done(add.rows().unwrap_or(0));
        Ok(findings)
    };
    let found = files.par_iter().map(find).collect::<Result<Vec<F>, TableError>>()?;
    Ok(found.into_iter().fold(F::default(), F::join))
}

/// Rates the rows of some outcomes as they would come out alone, and gives each batch of them, with their record keys, to `take`;
/// those that stand as some customers', or all; beside it, what a closing has billed of them, nothing if no cycle is closed. What was billed
/// stays as it stands, unless one of the choices means it although it was. Rows that no reference data can give a price are left out.
pub fn gather<T: Send>(
    table: &Table,
    meant: &Meant<'_>,
    choices: &[Choice],
    rate: Rate<'_>,
    take: &(dyn Fn(&RatedBatch, &[Beside<'_>]) -> Vec<T> + Sync),
) -> Result<Vec<T>, CommitError> {
    let (standing, billed) = (Standing::of(table)?, Billed::of(table, choices)?);
    let asked = ["tenant", "provider", "account", "arrival", "record_key"];
    // What a row stands as is asked only where it may have been billed.
    let of_what_stands = if billed.is_empty() { &["reason", "customer"][..] } else { &side::COLUMNS };
    let columns = [&premise::RATING[..], of_what_stands, &asked].concat();
    let find = |add: &&Arc<Add>| {
        let mut found = Vec::new();
        standing.batches(add, &columns, &mut |batch, stand| {
            let v = EntriesView(batch);
            let (mut rows, stand_as) = (side::may_change(v.reason()?, stand, meant.outcomes)?, v.customer()?);
            rows.retain(|i| is_of(meant.customers, stand_as, *i));
            for (mut file, rows) in by_file(v, &rows)? {
                let first = rows.first().copied().unwrap_or(0);
                file.account = account(v, first)?;
                let mut parsed = premise::for_rating(batch, &rows, &Arc::new(file))?;
                parsed.columns.key = rows.iter().map(|i| premise::key(v, *i)).collect::<Result<_, _>>()?;
                let rated = rate(parsed);
                found.extend(take(&rated, &billed.beside((v, &rows), &rated)?));
            }
            Ok(())
        })?;
        Ok(found)
    };
    let found = files_of(&standing, meant.outcomes).par_iter().map(find).collect::<Result<Vec<Vec<T>>, TableError>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// Whether a row stands as one of the customers'.
fn is_of(meant: Option<&BTreeSet<String>>, customers: &StringArray, i: usize) -> bool {
    meant.is_none_or(|meant| at(customers, i).is_some_and(|customer| meant.contains(customer)))
}

/// The files that may hold standing words of some outcomes, in the order of their commits.
fn files_of<'s>(standing: &'s Standing<'_>, outcomes: &[Outcome]) -> Vec<&'s Arc<Add>> {
    let mut files: Vec<&Arc<Add>> = standing.by_reference.values().flatten().chain(&standing.unknown).collect();
    // What is beyond an allowance counts as rated, and lies with suspense.
    let is_meant = |name: &str| name == Outcome::Suspense.as_str() || outcomes.iter().any(|outcome| name == outcome.as_str());
    files.retain(|add| add.partition("outcome").is_some_and(is_meant));
    files.sort_by_key(|add| add.version());
    files
}

/// The versions of the table whose commits may have brought something of these accounts.
fn versions_of(table: &Table, accounts: Accounts<'_>) -> Result<HashSet<u64>, CommitError> {
    let entries = read_all(table)?;
    let ours: BTreeSet<ArrivalNumber> = entries.iter().filter(|entry| accounts(&entry.account)).map(|e| e.arrival).collect();
    let ours: Vec<ArrivalNumber> = ours.into_iter().collect();
    Ok(files_about(table, &ours).iter().map(|add| add.version()).collect())
}

struct Question<'q> {
    meant: &'q Meant<'q>,
    choices: &'q [Choice],
    rate: Rate<'q>,
    since: Since,
}

impl Question<'_> {
    /// Rates rows of a batch again and notes what differs.
    fn ask(&self, batch: &RecordBatch, stand: &[usize], findings: &mut impl Findings) -> Result<(), ColumnError> {
        let v = EntriesView(batch);
        let stood = Stood::of(v)?;
        let mut paths = Paths::of(v)?;
        let (arrivals, customers) = (v.arrival()?, v.customer()?);
        let before = self.choices.iter().map(|choice| choice.before).max().unwrap_or(0);
        let mut stand = side::may_change(v.reason()?, stand, self.meant.outcomes)?;
        stand.retain(|&i| {
            arrivals.value(i).max(0).cast_unsigned() < before
                && self.meant.accounts.is_none_or(|meant| meant(paths.at(i)))
                && is_of(self.meant.customers, customers, i)
        });
        for (file, rows) in by_file(v, &stand)? {
            let rated = (self.rate)(premise::for_rating(batch, &rows, &Arc::new(file))?);
            let (cycles, owners) = (cycles_of(&rated), &rated.linked.owners);
            for (n, &i) in rows.iter().enumerate() {
                let account = paths.at(i);
                let (was, becomes) = (stood.at(i)?, came(&rated, n, &cycles));
                let arrival = arrivals.value(i).max(0).cast_unsigned();
                let in_time = |one: &&Choice| arrival < one.before;
                let fits = |side: &Side<'_>| self.choices.iter().filter(in_time).any(|one| side.fits(one));
                let fits = (fits(&was), fits(&becomes));
                if fits == (false, false) {
                    continue;
                }
                let (delivery, row) = (v.delivery()?.value(i), v.row()?.value(i).max(0).cast_unsigned());
                let kind = at(v.kind()?, i).unwrap_or_default();
                let differs = !was.is_as(&becomes);
                let key = premise::key(v, i)?;
                let compared =
                    Compared { account, delivery, row, arrival, key, kind, was, becomes, fits, differs, is_left: false };
                let is_left = differs && self.leaves(&compared, owners)?;
                findings.row(&Compared { is_left, ..compared })?;
            }
        }
        Ok(())
    }

    /// Whether all choices that mean a row leave it as it stands.
    fn leaves(&self, row: &Compared<'_>, owners: &Owners) -> Result<bool, ColumnError> {
        if self.choices.iter().all(|one| one.frozen.is_empty()) {
            return Ok(false);
        }
        let place = row.place()?;
        let is_meant = |one: &&Choice| row.arrival < one.before && (row.was.fits(one) || row.becomes.fits(one));
        Ok(self.choices.iter().filter(is_meant).all(|one| one.leaves(row, place, &self.since, owners)))
    }
}

/// The accounts of the rows of a batch, each name made when it is not the one before.
struct Paths<'b> {
    columns: [&'b StringArray; 3],
    last: Option<[&'b str; 3]>,
    path: String,
}

impl<'b> Paths<'b> {
    fn of(v: EntriesView<'b>) -> Result<Self, ColumnError> {
        Ok(Self { columns: [v.tenant()?, v.provider()?, v.account()?], last: None, path: String::new() })
    }

    fn at(&mut self, i: usize) -> &str {
        let names = self.columns.map(|column| column.value(i));
        if self.last != Some(names) {
            (self.last, self.path) = (Some(names), names.join("/"));
        }
        &self.path
    }
}

/// Rows by the currency of their cost and their delivery, as files of them; those without a cost are with the first currency.
fn by_file(v: EntriesView<'_>, rows: &[usize]) -> Result<Vec<(FileContext, Vec<usize>)>, ColumnError> {
    let known = premise::labels("cost_currency", v.cost_currency()?, rows, |code| Currency::parse(code).map(Some))?;
    let first = known.iter().flatten().min().copied().unwrap_or(Currency::EUR);
    let texts = v.delivery()?;
    let mut groups: BTreeMap<(&str, Currency), Vec<usize>> = BTreeMap::new();
    for (n, &i) in rows.iter().enumerate() {
        let currency = known.get(n).copied().flatten().unwrap_or(first);
        groups.entry((texts.value(i), currency)).or_default().push(i);
    }
    groups.into_iter().map(|((delivery, currency), rows)| Ok((any_file(delivery_of(delivery)?, currency), rows))).collect()
}

/// The account of a row.
fn account(v: EntriesView<'_>, i: usize) -> Result<Account, ColumnError> {
    let unknown = |name: &str| ColumnError::Batch(format!("`{name}` is no name of an account"));
    let (tenant, provider, account) = (v.tenant()?.value(i), v.provider()?.value(i), v.account()?.value(i));
    Ok(Account {
        tenant: TenantId::parse(tenant).map_err(|_| unknown(tenant))?,
        provider: ProviderId::parse(provider).map_err(|_| unknown(provider))?,
        account: AccountId::parse(account).map_err(|_| unknown(account))?,
    })
}

/// Stands for the file of rows: rating asks it for the currency of the cost, and settling for the delivery.
fn any_file(delivery: DeliveryId, cost_currency: Currency) -> FileContext {
    let account = Account {
        tenant: TenantId::parse("any").expect("a name"),
        provider: ProviderId::parse("any").expect("a name"),
        account: AccountId::parse("any").expect("a name"),
    };
    FileContext {
        account,
        delivery,
        arrival: 0,
        origin: "".into(),
        profile: "".into(),
        cycle: None,
        cost_currency,
        key_mode: KeyMode::Id,
        billable_from_us: i64::MIN,
    }
}

/// Rates live entries again that stand with a price, to be entered anew; with the record key of each. What rating did not decide is
/// taken over from the table.
pub fn rate_entries(
    live: &LiveEntries,
    table: &Table,
    files: &Files,
    rate: Rate<'_>,
) -> Result<(Vec<RatedBatch>, BTreeMap<Place, u128>), CommitError> {
    let (mut rated, mut keys) = (Vec::new(), BTreeMap::new());
    live.parsed(table, files, |parsed| {
        let delivery = parsed.file.delivery;
        let places = parsed.columns.row.iter().map(|row| Place { delivery, row: *row });
        keys.extend(places.zip(parsed.columns.key.iter().copied()));
        rated.push(rate(parsed));
    })?;
    Ok((rated, keys))
}
