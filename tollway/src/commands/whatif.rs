//! `tollway whatif`: a past month under a draft of a tariff, or by what was known at a moment, beside what stands.

use std::collections::BTreeMap;

use domain::columns::ColumnError;
use domain::money::{Currency, Money};
use domain::outcome::Outcome;
use ingest::land::PricedChoice;
use pipeline::rating::Reference;
use pipeline::recycling::priced_choice;
use serde_json::{Value, json};
use sinks::correction::rerate::{Choice, Compared, Findings};

use super::tariff::named::Known;
use crate::cli::{Global, OutputMode, WhatIfArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::moment::Moment;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::rerating::{Question, ask, known, signed};

/// What records come to, as they stand and by what is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pair {
    records_now: u64,
    now: Money,
    records_then: u64,
    then: Money,
}

/// By what the month is priced a second time.
enum Other {
    /// A draft of this name, and what else has the name.
    Draft(String, Option<String>),
    /// What was known at a moment.
    Known(Moment),
}

impl Other {
    /// The name of its column, for machines.
    fn column(&self) -> &'static str {
        match self {
            Self::Draft(..) => "draft",
            Self::Known(_) => "then",
        }
    }

    /// The head of its column, for people.
    fn head(&self) -> &'static str {
        match self {
            Self::Draft(..) => "by the draft",
            Self::Known(_) => "as known then",
        }
    }
}

impl Pair {
    fn difference(self) -> Money {
        Money(self.then.0 - self.now.0)
    }

    fn add(&mut self, other: Self) {
        self.records_now += other.records_now;
        self.now = self.now.plus(other.now);
        self.records_then += other.records_then;
        self.then = self.then.plus(other.then);
    }
}

/// By what records are put side by side, and the column that they come under.
const SIDES: [&str; 3] = ["customer", "zone", "band"];

/// By name and currency.
type Pairs = BTreeMap<String, BTreeMap<Currency, Pair>>;

/// A month beside a month.
#[derive(Debug, Default)]
struct Comparison {
    /// Records with a price, now or then.
    records: u64,
    /// Records that stand without a price and would have one.
    freed: u64,
    /// Records that stand with a price and would have none.
    lost: u64,
    /// By customer, by zone, by band.
    pairs: [Pairs; 3],
}

impl Comparison {
    fn total(&self) -> BTreeMap<Currency, Pair> {
        let mut total: BTreeMap<Currency, Pair> = BTreeMap::new();
        for (currency, pair) in self.pairs[0].values().flatten() {
            total.entry(*currency).or_default().add(*pair);
        }
        total
    }
}

fn note(pairs: &mut Pairs, name: Option<&str>, (money, currency): (Money, Currency), is_then: bool) {
    let name = name.unwrap_or_default();
    // Most rows come under a name that is there.
    if !pairs.contains_key(name) {
        pairs.insert(name.to_owned(), BTreeMap::new());
    }
    let Some(of) = pairs.get_mut(name) else { return };
    let pair = of.entry(currency).or_default();
    let (records, sum) = if is_then { (&mut pair.records_then, &mut pair.then) } else { (&mut pair.records_now, &mut pair.now) };
    *records += 1;
    *sum = sum.plus(money);
}

impl Findings for Comparison {
    fn row(&mut self, row: &Compared<'_>) -> Result<(), ColumnError> {
        // A record counts on the side on which it is meant: who is asked for has it there.
        let (now, then) = (row.was.charge.filter(|_| row.fits.0), row.becomes.charge.filter(|_| row.fits.1));
        self.records += u64::from(now.is_some() || then.is_some());
        self.freed += u64::from(row.was.charge.is_none() && then.is_some());
        self.lost += u64::from(now.is_some() && row.becomes.charge.is_none());
        for (side, charge, is_then) in [(&row.was, now, false), (&row.becomes, then, true)] {
            let Some(charge) = charge else { continue };
            for (pairs, name) in self.pairs.iter_mut().zip([side.customer, side.zone, side.band]) {
                note(pairs, name, charge, is_then);
            }
        }
        Ok(())
    }

    fn join(mut self, later: Self) -> Self {
        self.records += later.records;
        self.freed += later.freed;
        self.lost += later.lost;
        for (pairs, more) in self.pairs.iter_mut().zip(later.pairs) {
            for (name, of) in more {
                let known = pairs.entry(name).or_default();
                for (currency, pair) in of {
                    known.entry(currency).or_default().add(pair);
                }
            }
        }
        self
    }
}

/// Runs the command.
pub fn run(global: &Global, args: &WhatIfArgs) -> anyhow::Result<Exit> {
    let cycle = Some(args.cycle.as_str()).filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let moment = Moment::given(args.known_at.as_deref())?;
    let installation = Installation::open(global)?;
    let (reference, other) = reference(&installation, args, moment)?;
    let (customer, plan) = (args.customer.clone(), args.plan.clone());
    let choice = PricedChoice { customer, plan, cycle: cycle.map(str::to_owned), ..PricedChoice::default() };
    let question = Question {
        what: "whatif",
        outcomes: &[Outcome::Rated, Outcome::Suspense],
        choice: priced_choice(&choice, u64::MAX),
        account: args.account.as_deref(),
        customers: None,
    };
    let entries = installation.entries()?;
    // The draft holds as if it had always been there, also for what was billed.
    let all = Choice { before: u64::MAX, billed_too: true, ..Choice::default() };
    let draws = reference.draws(&entries, question.outcomes, question.customers, &[all])?;
    let comparison: Comparison = ask(&entries, &question, (&reference, &draws), global.quiet)?;
    if comparison.records == 0 {
        known((choice.customer.as_deref(), choice.plan.as_deref()), args.account.as_deref(), &entries, &reference)?;
    }
    let mut json = json_of(&comparison, &other);
    json["cycle"] = json!(args.cycle);
    match &other {
        Other::Draft(name, _) => json["draft"] = json!(name),
        Other::Known(moment) => {
            (json["known_at"], json["reference_version"]) = (json!(moment.text()), json!(reference.version));
        }
    }
    let is_csv = global.output == OutputMode::Csv;
    let sheets = if is_csv { vec![for_machines(&comparison, &other)] } else { sheets(&comparison, &other, args.limit) };
    let next = next(&comparison, &other, args.limit);
    Answer { headline: headline(&comparison, &other, cycle, reference.version), sheets, next, json }.print(global.output)?;
    // What was not known then is no work for anybody.
    let is_lost = comparison.lost > 0 && matches!(other, Other::Draft(..));
    Ok(if is_lost { Exit::NeedsHand } else { Exit::Done })
}

/// The reference data that the month is priced by: with the draft in force, or as it was known.
fn reference(installation: &Installation, args: &WhatIfArgs, moment: Option<Moment>) -> anyhow::Result<(Reference, Other)> {
    let store = installation.state_read_only()?;
    if let Some(moment) = moment {
        return Ok((moment.reference(installation, &store)?, Other::Known(moment)));
    }
    let name = args.tariff.as_deref().unwrap_or_default();
    let draft = Known::of(installation, None)?.find(name, args.base.as_deref())?;
    let reference = installation.block_on(crate::reference::load_with_draft(&store, &draft.source))?;
    Ok((reference, Other::Draft(draft.source.name, draft.aside)))
}

fn headline(comparison: &Comparison, other: &Other, cycle: Option<&str>, reference: u64) -> String {
    let of = cycle.map(|cycle| format!(" of cycle {cycle}")).unwrap_or_default();
    let known = match other {
        Other::Known(moment) if reference == 0 => return format!("{}: no import had landed", moment.nothing()),
        Other::Known(moment) => format!(" as known at {}, reference version {reference}", moment.text()),
        Other::Draft(..) => String::new(),
    };
    if comparison.records == 0 {
        let other = if known.is_empty() { " by the draft" } else { &known };
        return format!("no record{of} has a price, neither now nor{other}");
    }
    let total = comparison.total().into_iter().map(|(currency, pair)| {
        let (now, then, difference) = (grouped(pair.now, 9), grouped(pair.then, 9), signed(pair.difference(), false));
        format!("{currency} {now} would be {then} ({difference})")
    });
    format!("{} records{of}: {}{known}", count(comparison.records), total.collect::<Vec<_>>().join(", "))
}

fn sheets(comparison: &Comparison, other: &Other, limit: usize) -> Vec<Sheet> {
    let sheet = |(side, pairs): (&str, &Pairs)| {
        let heads = [side, "#records", "#charge now", &format!("#{}", other.head()), "#charge", "#difference", ""];
        let mut sheet = Sheet::new(&format!("by {side}"), &heads);
        for (name, currency, pair) in largest(pairs).into_iter().take(if limit == 0 { usize::MAX } else { limit }) {
            sheet.row([
                name.to_owned(),
                count(pair.records_now),
                grouped(pair.now, 9),
                count(pair.records_then),
                grouped(pair.then, 9),
                signed(pair.difference(), false),
                currency.to_string(),
            ]);
        }
        sheet
    };
    SIDES.into_iter().zip(&comparison.pairs).map(sheet).filter(|sheet| !sheet.rows.is_empty()).collect()
}

/// The largest differences first.
fn largest(pairs: &Pairs) -> Vec<(&str, Currency, Pair)> {
    let all = pairs.iter().flat_map(|(name, of)| of.iter().map(move |(currency, pair)| (name.as_str(), *currency, *pair)));
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(_, _, pair)| std::cmp::Reverse(pair.difference().0.unsigned_abs()));
    all
}

fn for_machines(comparison: &Comparison, other: &Other) -> Sheet {
    let then = other.column();
    let [records, charge] = [format!("#records_{then}"), format!("#{then}")];
    let mut sheet = Sheet::new("", &["by", "name", "#records_now", "#now", &records, &charge, "#difference", "currency"]);
    for (side, pairs) in SIDES.into_iter().zip(&comparison.pairs) {
        for (name, currency, pair) in largest(pairs) {
            sheet.row([
                side.to_owned(),
                name.to_owned(),
                pair.records_now.to_string(),
                pair.now.to_text(9),
                pair.records_then.to_string(),
                pair.then.to_text(9),
                pair.difference().to_text(9),
                currency.to_string(),
            ]);
        }
    }
    sheet
}

fn next(comparison: &Comparison, other: &Other, limit: usize) -> Vec<String> {
    let mut next = Vec::new();
    if let Other::Draft(_, aside) = other {
        next.extend(aside.clone());
    }
    if limit > 0 && comparison.pairs.iter().any(|pairs| pairs.len() > limit) {
        next.push("some are not shown: --limit 0 shows all".to_owned());
    }
    if comparison.freed > 0 {
        next.push(format!("{} records in suspense would have a price", count(comparison.freed)));
    }
    let lost = count(comparison.lost);
    match other {
        Other::Draft(..) if comparison.lost > 0 => {
            next.push(format!("{lost} records that have a price would have none: `tollway tariff lint` the draft"));
        }
        Other::Known(_) if comparison.lost > 0 => {
            next.push(format!("{lost} records that have a price would have none by what was known then"));
        }
        _ => {}
    }
    match other {
        Other::Draft(..) if comparison.records > 0 => {
            next.push("by the prices in force now, without any draft: tollway rerate --cycle all --dry-run".to_owned());
        }
        Other::Known(_) => next.push("what was told then: tollway totals with the same --cycle and --known-at".to_owned()),
        Other::Draft(..) => {}
    }
    next
}

fn json_of(comparison: &Comparison, other: &Other) -> Value {
    let then = other.column();
    let pair = |currency: Currency, pair: Pair| {
        let mut json = json!({
            "currency": currency.to_string(), "records_now": pair.records_now, "now": pair.now.to_text(9),
            "difference": pair.difference().to_text(9),
        });
        json[format!("records_{then}")] = json!(pair.records_then);
        json[then] = json!(pair.then.to_text(9));
        json
    };
    let mut json = json!({"records": comparison.records, "freed": comparison.freed, "lost": comparison.lost});
    json["total"] = comparison.total().into_iter().map(|(currency, of)| pair(currency, of)).collect();
    for (side, pairs) in SIDES.into_iter().zip(&comparison.pairs) {
        let rows = largest(pairs).into_iter().map(|(name, currency, of)| {
            let mut row = pair(currency, of);
            row[side] = json!(name);
            row
        });
        json[side] = rows.collect();
    }
    json
}
