//! Holds the lines that closings posted against those that are derived a second time, from the records and the reference data of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;

use domain::closed::LateUsage;
use domain::period::Month;
use serde_json::json;
use sinks::closing::{Closing, closings};
use sinks::lines::Read;
use sinks::table::Table;
use verify::lines::{Kind, Late, Usage};
use verify::tariff::Tariff;
use verify::{Book, Difference, Line, VerifyError};

use super::posted::{self, add_usage, by_identity};
use super::second_reference;
use crate::closing::table::{is_posted, open_if_there, read};
use crate::closing::{Due, LateRules};
use crate::installation::Installation;
use crate::totals;

/// A line on which table and derivation do not agree.
#[derive(Debug)]
pub struct LineDisagreement {
    /// The closing that posted it, or should have.
    pub closing: u64,
    /// The cycle that was closed.
    pub cycle: String,
    /// The customer.
    pub customer: String,
    /// Its place among the customer's lines; of one that was not posted the place that it would have.
    pub line: i32,
    /// Where the two do not agree.
    pub differences: Vec<Difference>,
}

/// What came of the lines.
#[derive(Debug, Default)]
pub struct LineProof {
    /// Closings that were looked at.
    pub closings: u64,
    /// Lines that agree.
    pub agree: u64,
    /// Lines that do not.
    pub differ: u64,
    /// Lines that cannot be derived, by what is in the way.
    pub underivable: BTreeMap<String, u64>,
    /// The first of those that do not agree.
    pub shown: Vec<LineDisagreement>,
}

/// What a closing is made from, beside the reference data: it grows from one to the next.
#[derive(Debug, Default)]
struct Known {
    /// Records of all cycles.
    usage: HashMap<String, Vec<Usage>>,
    /// The version of the records from which on they are not in it.
    below: u64,
    /// The lines of the closings before.
    posted: HashMap<String, Vec<Line>>,
}

/// Tariffs that were read, by their hashes.
type Tariffs = HashMap<String, Rc<Tariff>>;

/// A closing, and what it posted by customer.
struct Held<'h> {
    closing: &'h Closing,
    before: &'h [Closing],
    lines: BTreeMap<&'h str, Vec<(i32, Line)>>,
    late: LateRules,
    limit: usize,
}

impl LineProof {
    /// Goes through the closings of a version of an installation's records, or those of one cycle. One whose lines are not written yet
    /// is left out: `tollway cycle close` writes them.
    pub fn of(installation: &Installation, entries: &Table, cycle: Option<&str>, limit: usize) -> anyhow::Result<Self> {
        let mut proof = Self::default();
        let Some(table) = open_if_there(installation)? else { return Ok(proof) };
        let all = closings(entries);
        let is_asked = |one: &Closing| is_posted(&table, one.number) && cycle.is_none_or(|cycle| one.cycle == cycle);
        let Some(last) = all.iter().rposition(is_asked) else { return Ok(proof) };
        let (store, mut tariffs, mut known) = (installation.state_read_only()?, HashMap::new(), Known::default());
        let mut posted: BTreeMap<u64, Vec<Read>> = BTreeMap::new();
        for read in read(installation, None)? {
            posted.entry(read.closing).or_default().push(read);
        }
        for (i, closing) in all[..=last].iter().enumerate() {
            let lines = by_customer(posted.get(&closing.number).map_or(&[][..], Vec::as_slice));
            let late = LateRules::of(installation, closing.reference, closing.late)?;
            let held = Held { closing, before: &all[..i], lines, late, limit };
            if is_asked(closing) {
                known.advance(entries, closing.version + 1)?;
                let loaded = installation.block_on(store.load_reference(Some(closing.reference)))?;
                proof.hold(&held, &known, (&loaded, &mut tariffs))?;
            }
            for (customer, lines) in held.lines {
                known.posted.entry(customer.to_owned()).or_default().extend(lines.into_iter().map(|(_, line)| line));
            }
        }
        Ok(proof)
    }

    /// Lines that were derived.
    pub fn lines(&self) -> u64 {
        self.agree + self.differ
    }

    /// Holds the lines of a closing against their derivation. Who is meant is the closing's own word, and not derived again.
    fn hold(
        &mut self,
        held: &Held<'_>,
        known: &Known,
        (loaded, tariffs): (&store::Reference, &mut Tariffs),
    ) -> anyhow::Result<()> {
        let Closing { number, cycle, reference: version, until_us, .. } = held.closing;
        self.closings += 1;
        if loaded.version != *version {
            let why = format!(
                "the state does not know reference version {version}, by which closing {number} was made; it reads the imports from \
                 landing again when `tollway run` or `tollway ingest` starts"
            );
            let lines: u64 = held.lines.values().map(|lines| lines.len() as u64).sum();
            self.underivable.insert(why, lines);
            return Ok(());
        }
        let reference = second_reference(loaded, tariffs)?;
        let (book, cycle) = (Book::of(&reference), crate::named::cycle(cycle)?);
        let due = Due::of(cycle, *until_us, held.before, &loaded.owners);
        let mut customers: BTreeSet<&str> = loaded.owners.customer_names.iter().collect();
        customers.extend(known.usage.keys().chain(known.posted.keys()).map(String::as_str));
        customers.extend(held.lines.keys());
        for customer in customers {
            let stated = held.lines.get(customer).map_or(&[][..], Vec::as_slice);
            match derive(&book, (customer, cycle), (&due, &held.late), known) {
                Ok(derived) => self.compare((held, customer), stated, &derived),
                Err(e) => *self.underivable.entry(e.to_string()).or_default() += stated.len().max(1) as u64,
            }
        }
        Ok(())
    }

    /// Holds a customer's lines against each other: those of the same thing, and then what is left of both sides, in their order.
    fn compare(&mut self, of: (&Held<'_>, &str), stated: &[(i32, Line)], derived: &[Line]) {
        let mut waiting = by_identity(derived);
        let mut alone = Vec::new();
        for (number, line) in stated {
            match waiting.get_mut(&posted::identity(line)).and_then(VecDeque::pop_front) {
                Some(i) => self.note(of, *number, posted::differences(line, &derived[i])),
                None => alone.push((*number, line)),
            }
        }
        let mut left: Vec<usize> = waiting.into_values().flatten().collect();
        left.sort_unstable();
        for at in 0..alone.len().max(left.len()) {
            match (alone.get(at), left.get(at)) {
                (Some((number, line)), Some(i)) => self.note(of, *number, posted::differences(line, &derived[*i])),
                (Some((number, line)), None) => self.note(of, *number, vec![posted::one_sided(Some(line), None)]),
                (None, Some(i)) => {
                    let number = i32::try_from(*i + 1).unwrap_or(i32::MAX);
                    self.note(of, number, vec![posted::one_sided(None, Some(&derived[*i]))]);
                }
                (None, None) => {}
            }
        }
    }

    fn note(&mut self, (held, customer): (&Held<'_>, &str), line: i32, differences: Vec<Difference>) {
        if differences.is_empty() {
            self.agree += 1;
            return;
        }
        self.differ += 1;
        if held.limit == 0 || self.shown.len() < held.limit {
            let (closing, cycle) = (held.closing.number, held.closing.cycle.clone());
            self.shown.push(LineDisagreement { closing, cycle, customer: customer.to_owned(), line, differences });
        }
    }

    /// The same for machines.
    pub fn to_json(&self) -> serde_json::Value {
        let shown = self.shown.iter().map(|one| {
            let fields = one.differences.iter().map(|d| json!({"field": d.field, "table": d.stated, "derived": d.derived}));
            json!({
                "closing": one.closing, "cycle": one.cycle, "customer": one.customer, "line": one.line,
                "differences": fields.collect::<Vec<_>>(),
            })
        });
        json!({
            "closings": self.closings, "agree": self.agree, "differ": self.differ, "underivable": self.underivable,
            "shown": shown.collect::<Vec<_>>(),
        })
    }
}

impl Known {
    /// Takes in the records below a version that are not in it: their own rows, not the table of totals.
    fn advance(&mut self, entries: &Table, below: u64) -> anyhow::Result<()> {
        add_usage(&mut self.usage, &totals::recompute_between(entries, self.below, below)?)?;
        self.below = below;
        Ok(())
    }
}

/// The lines of a customer as they should be; none of one who is not meant, or whose own invoice of the cycle was made before.
fn derive(
    book: &Book<'_>,
    (customer, cycle): (&str, Month),
    (due, rules): (&Due<'_>, &LateRules),
    known: &Known,
) -> Result<Vec<Line>, VerifyError> {
    let posted = known.posted.get(customer).map_or(&[][..], Vec::as_slice);
    let is_own =
        |line: &Line| line.cycle == cycle.number() && !matches!(line.kind, Kind::Late | Kind::Correction | Kind::Rounding);
    if !due.has(customer) || posted.iter().any(is_own) {
        return Ok(Vec::new());
    }
    let usage = known.usage.get(customer).map_or(&[][..], Vec::as_slice);
    let closed: BTreeSet<i32> = due.closed_for(customer).into_iter().map(Month::number).collect();
    let late = match rules.for_customer(customer) {
        LateUsage::Next => Late::Next,
        LateUsage::Correct => Late::Correct,
    };
    book.lines(&verify::Closing { customer, cycle: cycle.number(), closed: &closed, late, usage, posted })
}

/// A closing's lines by customer, with their numbers.
fn by_customer(lines: &[Read]) -> BTreeMap<&str, Vec<(i32, Line)>> {
    let mut customers: BTreeMap<&str, Vec<(i32, Line)>> = BTreeMap::new();
    for read in lines {
        customers.entry(&read.customer).or_default().push((read.number, posted::line(&read.line)));
    }
    customers
}
