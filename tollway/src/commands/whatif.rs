//! `tollway whatif`: a past month under a draft of a tariff, beside what stands.

use std::collections::BTreeMap;

use domain::columns::ColumnError;
use domain::money::{Currency, Money};
use domain::outcome::Outcome;
use ingest::land::PricedChoice;
use pipeline::recycling::priced_choice;
use serde_json::{Value, json};
use sinks::correction::rerate::{Compared, Findings};

use super::tariff::named::Known;
use crate::cli::{Global, OutputMode, WhatIfArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::rerating::{Question, ask, known, signed};

/// What records come to, as they stand and by the draft.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pair {
    records_now: u64,
    now: Money,
    records_draft: u64,
    draft: Money,
}

impl Pair {
    fn difference(self) -> Money {
        Money(self.draft.0 - self.now.0)
    }

    fn add(&mut self, other: Self) {
        self.records_now += other.records_now;
        self.now = self.now.plus(other.now);
        self.records_draft += other.records_draft;
        self.draft = self.draft.plus(other.draft);
    }
}

/// By what records are put side by side, and the column that they come under.
const SIDES: [&str; 3] = ["customer", "zone", "band"];

/// By name and currency.
type Pairs = BTreeMap<String, BTreeMap<Currency, Pair>>;

/// A month beside a month.
#[derive(Debug, Default)]
struct Comparison {
    /// Records with a price, now or by the draft.
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

fn note(pairs: &mut Pairs, name: Option<&str>, (money, currency): (Money, Currency), is_draft: bool) {
    let name = name.unwrap_or_default();
    // Most rows come under a name that is there.
    if !pairs.contains_key(name) {
        pairs.insert(name.to_owned(), BTreeMap::new());
    }
    let Some(of) = pairs.get_mut(name) else { return };
    let pair = of.entry(currency).or_default();
    let (records, sum) =
        if is_draft { (&mut pair.records_draft, &mut pair.draft) } else { (&mut pair.records_now, &mut pair.now) };
    *records += 1;
    *sum = sum.plus(money);
}

impl Findings for Comparison {
    fn row(&mut self, row: &Compared<'_>) -> Result<(), ColumnError> {
        // A record counts on the side on which it is meant: who is asked for has it there.
        let (now, draft) = (row.was.charge.filter(|_| row.fits.0), row.becomes.charge.filter(|_| row.fits.1));
        self.records += u64::from(now.is_some() || draft.is_some());
        self.freed += u64::from(row.was.charge.is_none() && draft.is_some());
        self.lost += u64::from(now.is_some() && row.becomes.charge.is_none());
        for (side, charge, is_draft) in [(&row.was, now, false), (&row.becomes, draft, true)] {
            let Some(charge) = charge else { continue };
            for (pairs, name) in self.pairs.iter_mut().zip([side.customer, side.zone, side.band]) {
                note(pairs, name, charge, is_draft);
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
    let installation = Installation::open(global)?;
    let draft = Known::of(&installation)?.find(&args.tariff, args.base.as_deref())?;
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load_with_draft(&store, &draft.source))?;
    let choice = PricedChoice { customer: args.customer.clone(), plan: args.plan.clone(), cycle: cycle.map(str::to_owned) };
    let question = Question {
        what: "whatif",
        outcomes: &[Outcome::Rated, Outcome::Suspense],
        choice: priced_choice(&choice, u64::MAX),
        account: args.account.as_deref(),
        customers: None,
    };
    let entries = installation.entries()?;
    let draws = reference.draws(&entries, question.outcomes, question.customers)?;
    let comparison: Comparison = ask(&entries, &question, (&reference, &draws), global.quiet)?;
    if comparison.records == 0 {
        known((choice.customer.as_deref(), choice.plan.as_deref()), args.account.as_deref(), &entries, &reference)?;
    }
    let mut json = json_of(&comparison);
    (json["draft"], json["cycle"]) = (json!(draft.source.name), json!(args.cycle));
    let sheets = if global.output == OutputMode::Csv { vec![for_machines(&comparison)] } else { sheets(&comparison, args.limit) };
    let next = draft.aside.into_iter().chain(next(&comparison, args.limit)).collect();
    Answer { headline: headline(&comparison, cycle), sheets, next, json }.print(global.output)?;
    Ok(if comparison.lost > 0 { Exit::NeedsHand } else { Exit::Done })
}

fn headline(comparison: &Comparison, cycle: Option<&str>) -> String {
    let of = cycle.map(|cycle| format!(" of cycle {cycle}")).unwrap_or_default();
    if comparison.records == 0 {
        return format!("no record{of} has a price, neither now nor by the draft");
    }
    let total = comparison.total().into_iter().map(|(currency, pair)| {
        let (now, draft, difference) = (grouped(pair.now, 9), grouped(pair.draft, 9), signed(pair.difference(), false));
        format!("{currency} {now} would be {draft} ({difference})")
    });
    format!("{} records{of}: {}", count(comparison.records), total.collect::<Vec<_>>().join(", "))
}

fn sheets(comparison: &Comparison, limit: usize) -> Vec<Sheet> {
    let sheet = |(side, pairs): (&str, &Pairs)| {
        let heads = [side, "#records", "#charge now", "#by the draft", "#charge", "#difference", ""];
        let mut sheet = Sheet::new(&format!("by {side}"), &heads);
        for (name, currency, pair) in largest(pairs).into_iter().take(if limit == 0 { usize::MAX } else { limit }) {
            sheet.row([
                name.to_owned(),
                count(pair.records_now),
                grouped(pair.now, 9),
                count(pair.records_draft),
                grouped(pair.draft, 9),
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

fn for_machines(comparison: &Comparison) -> Sheet {
    let heads = ["by", "name", "#records_now", "#now", "#records_draft", "#draft", "#difference", "currency"];
    let mut sheet = Sheet::new("", &heads);
    for (side, pairs) in SIDES.into_iter().zip(&comparison.pairs) {
        for (name, currency, pair) in largest(pairs) {
            sheet.row([
                side.to_owned(),
                name.to_owned(),
                pair.records_now.to_string(),
                pair.now.to_text(9),
                pair.records_draft.to_string(),
                pair.draft.to_text(9),
                pair.difference().to_text(9),
                currency.to_string(),
            ]);
        }
    }
    sheet
}

fn next(comparison: &Comparison, limit: usize) -> Vec<String> {
    let mut next = Vec::new();
    if limit > 0 && comparison.pairs.iter().any(|pairs| pairs.len() > limit) {
        next.push("some are not shown: --limit 0 shows all".to_owned());
    }
    if comparison.freed > 0 {
        next.push(format!("{} records in suspense would have a price", count(comparison.freed)));
    }
    if comparison.lost > 0 {
        next.push(format!(
            "{} records that have a price would have none: `tollway tariff lint` the draft",
            count(comparison.lost)
        ));
    }
    if comparison.records > 0 {
        next.push("by the prices in force now, without any draft: tollway rerate --cycle all --dry-run".to_owned());
    }
    next
}

fn json_of(comparison: &Comparison) -> Value {
    let pair = |currency: Currency, pair: Pair| {
        json!({
            "currency": currency.to_string(), "records_now": pair.records_now, "now": pair.now.to_text(9),
            "records_draft": pair.records_draft, "draft": pair.draft.to_text(9), "difference": pair.difference().to_text(9),
        })
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
