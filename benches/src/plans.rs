//! Plans: what a record costs the kernel by what its price hangs on: link, zone and price, and the fold where others come into it.

pub mod memory;

use std::sync::Arc;

use domain::columns::parsed::{ParsedBatch, Texts};
use domain::columns::rated::RatedBatch;
use domain::usage::UsageKind;
use generator::layout::Layout;
use generator::month::Month;
use pipeline::rating::Reference;
use rate::settle::{demands, settle};
use rate::tariff::{Tariff, TariffSource, companion_names};
use rayon::ThreadPoolBuilder;

use crate::deck;
use crate::effort::Effort;
use crate::reference::all_on;
use crate::report::{Lap, Report};
use crate::sample;
use crate::stopwatch::{Spent, measure, time};

const HEAD: &str = include_str!("../tariffs/head.toml");

/// The plan that each of the tariffs sells.
const PLAN: &str = "p";

/// One kind of plan.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    name: &'static str,
    rules: &'static str,
    /// Whether its destinations are the large deck.
    has_large_deck: bool,
    /// Whether its records hang on each other. Such prices count unit by unit, so that none may be lost or billed twice.
    settles: bool,
}

/// From plain to involved.
const KINDS: [Kind; 5] = [
    Kind { name: "simple", rules: include_str!("../tariffs/simple.toml"), has_large_deck: false, settles: false },
    Kind { name: "deck", rules: include_str!("../tariffs/simple.toml"), has_large_deck: true, settles: false },
    Kind { name: "bands", rules: include_str!("../tariffs/bands.toml"), has_large_deck: false, settles: false },
    Kind { name: "tiers", rules: include_str!("../tariffs/tiers.toml"), has_large_deck: false, settles: true },
    Kind { name: "allowances", rules: include_str!("../tariffs/allowances.toml"), has_large_deck: false, settles: true },
];

/// What is measured of a kind of plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Link, zone and price.
    Rate,
    /// The fold in the order of event time.
    Settle,
}

/// Each kind, and what settling adds to it where its records hang on each other.
fn parts() -> impl Iterator<Item = (&'static Kind, Part)> {
    KINDS
        .iter()
        .flat_map(|kind| [Part::Rate, Part::Settle].into_iter().take(1 + usize::from(kind.settles)).map(move |part| (kind, part)))
}

/// Measures what allowances and a large deck hold, and then each kind of plan on one core.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let footprints = memory::measure(effort)?;
    let one_core = ThreadPoolBuilder::new().num_threads(1).build()?;
    let throughputs = one_core.install(|| {
        let (month, batches) = batches(effort)?;
        let of = |(kind, part): (&Kind, Part)| {
            let reference = all_on(&month, PLAN, tariff(kind, effort)?)?;
            let round = || {
                let counted = count(&batches, &reference);
                counted.check(kind)?;
                let spent = if part == Part::Rate { counted.rating } else { counted.settling };
                Ok(Lap { rows: counted.rows, bytes: None, spent })
            };
            let name = if part == Part::Rate { kind.name.to_owned() } else { format!("{} settled", kind.name) };
            measure(&format!("plans/{name}"), effort.rounds, round)
        };
        parts().map(of).collect::<anyhow::Result<Vec<_>>>()
    })?;
    Ok(Report { throughputs, footprints, ..Report::default() })
}

/// The batches of a month, and it.
fn batches(effort: &Effort) -> anyhow::Result<(Month, Vec<Arc<ParsedBatch>>)> {
    let month = sample::month(&[Layout::Job], effort.files, effort.rows, effort)?;
    let batch = |file: &sample::SampleFile| {
        let mut batch = file.numbered();
        batch.columns.session_id = sessions(&batch);
        Arc::new(batch)
    };
    let batches = sample::files(&month)?.iter().map(batch).collect();
    Ok((month, batches))
}

/// What a line sends in an hour is of one session: the layout itself names none.
fn sessions(batch: &ParsedBatch) -> Texts {
    const HOUR_US: i64 = 3_600_000_000;
    let mut ids = Texts::default();
    let columns = &batch.columns;
    for ((usage, line), start_us) in columns.usage.iter().zip(&columns.a_number).zip(&columns.start_us) {
        let is_data = usage.kind() == UsageKind::Data;
        ids.push(&if is_data { format!("{}-{}", line.value(), start_us.div_euclid(HOUR_US)) } else { String::new() });
    }
    ids
}

fn tariff(kind: &Kind, effort: &Effort) -> anyhow::Result<Tariff> {
    let toml = format!("{HEAD}{}", kind.rules);
    let mut companions = config::tariffs::companions(companion_names(&toml).iter().map(String::as_str));
    if kind.has_large_deck {
        companions.insert(deck::FILE.to_owned(), deck::csv(effort.prefixes)?);
    }
    Ok(Tariff::load(&TariffSource { name: format!("{}.toml", kind.name), toml, companions })?)
}

/// What became of all batches, and what that took.
#[derive(Debug, PartialEq, Eq)]
struct Counted {
    rows: u64,
    priced: u64,
    /// Records that hang on others ...
    demands: u64,
    /// ... and those of them that come to something else than alone.
    moved: u64,
    /// Units of the priced records, what allowances gave of them, and what was billed.
    units: i128,
    given: i128,
    billed: i128,
    charge_nano: i128,
    /// Link, zone and price.
    rating: Spent,
    /// The fold that settles.
    settling: Spent,
}

/// Rates batch after batch, and settles what hangs on others. The clock runs for these only.
fn count(batches: &[Arc<ParsedBatch>], reference: &Reference) -> Counted {
    let (mut rating, mut settling) = (Spent::NOTHING, Spent::NOTHING);
    let mut found = Vec::new();
    for batch in batches {
        let (rated, took) = time(|| reference.rate(Arc::clone(batch)));
        rating += took;
        let (demands, took) = time(|| demands(&rated, &[], &reference.tariffs));
        found.extend(demands);
        settling += took;
    }
    let demands = found.len() as u64;
    let (draws, took) = time(|| settle(found, &reference.tariffs));
    settling += took;
    let moved = draws.len() as u64;
    let mut counted =
        Counted { rows: 0, priced: 0, demands, moved, units: 0, given: 0, billed: 0, charge_nano: 0, rating, settling };
    for batch in batches {
        counted.take(&reference.rate_settled(Arc::clone(batch), &draws));
    }
    counted
}

impl Counted {
    fn take(&mut self, rated: &RatedBatch) {
        let columns = &rated.linked.parsed.columns;
        self.rows += columns.row.len() as u64;
        for i in (0..columns.row.len()).filter(|i| rated.reason(*i).is_none()) {
            let units = match columns.usage[i].kind() {
                UsageKind::Voice => i64::from(columns.duration_s[i]),
                UsageKind::Data => columns.bytes_up[i] + columns.bytes_down[i],
                UsageKind::Sms | UsageKind::Mms => columns.messages.get(i).copied().unwrap_or(1).into(),
            };
            self.priced += 1;
            self.units += i128::from(units);
            self.given += i128::from(rated.drawn(i).map_or(0, |drawn| drawn.units));
            self.billed += i128::from(rated.columns.billed[i]);
            self.charge_nano += i128::from(rated.columns.charge_nano[i]);
        }
    }

    fn check(&self, kind: &Kind) -> anyhow::Result<()> {
        let Self { rows, priced, demands, moved, units, given, billed, .. } = *self;
        anyhow::ensure!(priced > rows / 2, "{}: of {rows} rows {priced} are priced", kind.name);
        let hang = if kind.settles { priced } else { 0 };
        anyhow::ensure!(
            demands <= hang && (demands > rows / 2 && moved > 0) == kind.settles,
            "{}: {demands} rows hang on others, {moved} of them are moved",
            kind.name
        );
        let is_whole = if kind.settles { given + billed == units } else { given == 0 && billed >= units };
        anyhow::ensure!(is_whole, "{}: of {units} units {given} are given and {billed} billed", kind.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enough rows that bundles are used up.
    const MONTH: Effort = Effort { rows: 10_000, ..Effort::TINY };

    fn counted(name: &str, effort: &Effort) -> Counted {
        let kind = KINDS.iter().find(|kind| kind.name == name).expect("it is among them");
        let (month, batches) = batches(effort).expect("a month");
        let reference = all_on(&month, PLAN, tariff(kind, effort).expect("a good tariff")).expect("a reference");
        count(&batches, &reference)
    }

    #[test]
    fn every_kind_of_plan_prices_all_that_the_generator_planted_no_flaw_in() {
        let report = bench(&MONTH).expect("it runs");
        assert_eq!(report.throughputs.len(), parts().count());
        let (month, _) = batches(&MONTH).expect("a month");
        let flawless: u64 = month.plan().iter().map(|file| month.facts(file).flawless()).sum();
        for kind in KINDS {
            let counted = counted(kind.name, &MONTH);
            assert!(counted.priced >= flawless, "{}: {counted:?}, {flawless} flawless", kind.name);
            counted.check(&kind).expect("no unit is lost");
        }
    }

    #[test]
    fn a_large_deck_changes_no_price() {
        let effort = Effort { rows: 2_000, ..Effort::TINY };
        let (simple, deck) = (counted("simple", &effort), counted("deck", &effort));
        let untimed = |counted| Counted { rating: Spent::NOTHING, settling: Spent::NOTHING, ..counted };
        assert_eq!(untimed(simple), untimed(deck));
    }

    #[test]
    fn an_allowance_gives_to_most_records_and_not_to_all() {
        let Counted { given, billed, units, .. } = counted("allowances", &MONTH);
        assert!(given > 0 && billed > 0 && given + billed == units, "{given} of {units}");
    }
}
