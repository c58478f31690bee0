//! Prices that stand out: far above the others of their plan and kind, or nothing where something is usual.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use domain::money::Money;
use domain::usage::{Usage, UsageKind};

use crate::lint::book::Book;
use crate::lint::{Finding, Rule};
use crate::listing::names_text;
use crate::listing::terms::{Terms, per_text};
use crate::tariff::price_row::{Formula, PriceRow};

/// A price that is more than this many times the median of its plan and kind is worth a look.
const JUMP_TIMES: u128 = 20;

/// Fewer zones have no median that says something.
const ZONES_MIN: usize = 3;

const NAMES_SHOWN: usize = 8;

pub(super) fn findings(book: &Book<'_>) -> Vec<Finding> {
    let mut jumps: BTreeMap<u32, Jump<'_>> = BTreeMap::new();
    for (plan, usage) in &book.sold {
        look_for_jumps(book, *plan, *usage, &mut jumps);
    }
    let rows = &book.tariff.prices.rows;
    let mut findings: Vec<Finding> = jumps.into_iter().map(|(row, jump)| jump.finding(book, &rows[row as usize])).collect();
    findings.extend(zero(book));
    findings
}

/// A price of one unit size.
#[derive(Clone, Copy)]
struct UnitPrice {
    nano: u128,
    per: u128,
    row: u32,
    zone: u16,
}

impl UnitPrice {
    /// By what one unit costs, exactly: crosswise, so that nothing is divided.
    fn by_unit(&self, other: &Self) -> Ordering {
        (self.nano * other.per).cmp(&(other.nano * self.per))
    }

    /// How many times the other one it is, rounded down.
    fn times(&self, other: &Self) -> u128 {
        self.nano * other.per / (other.nano * self.per)
    }
}

/// A price that stands out, where it does so first.
struct Jump<'t> {
    price: UnitPrice,
    median: UnitPrice,
    plan: u32,
    usage: Usage,
    zones: BTreeSet<&'t str>,
}

fn look_for_jumps<'t>(book: &Book<'t>, plan: u32, usage: Usage, jumps: &mut BTreeMap<u32, Jump<'t>>) {
    let mut prices = zone_prices(book, plan, usage);
    if prices.len() < ZONES_MIN {
        return;
    }
    prices.sort_by(UnitPrice::by_unit);
    let median = prices[(prices.len() - 1) / 2];
    for price in prices {
        if price.nano * median.per <= JUMP_TIMES * median.nano * price.per {
            continue;
        }
        let jump = jumps.entry(price.row).or_insert_with(|| Jump { price, median, plan, usage, zones: BTreeSet::new() });
        jump.zones.insert(book.zone_name(price.zone));
    }
}

/// The dearest unit price of each zone that has one; what costs nothing is no measure.
fn zone_prices(book: &Book<'_>, plan: u32, usage: Usage) -> Vec<UnitPrice> {
    let mut prices: BTreeMap<u16, UnitPrice> = BTreeMap::new();
    for cell in book.cells(plan, usage) {
        let Some(charge) = cell.charge else { continue };
        let Formula::Units { steps, .. } = &book.row(charge).formula else { continue };
        let nano = steps.iter().map(|step| u128::from(step.unit_nano)).max().unwrap_or_default();
        let price = UnitPrice { nano, per: charge.per.into(), row: charge.row, zone: cell.zone };
        if nano == 0 {
            continue;
        }
        let dearest = prices.entry(cell.zone).or_insert(price);
        if dearest.by_unit(&price) == Ordering::Less {
            *dearest = price;
        }
    }
    prices.into_values().collect()
}

impl Jump<'_> {
    fn finding(&self, book: &Book<'_>, row: &PriceRow) -> Finding {
        let text = |price: &UnitPrice| {
            let per = per_text(self.usage.kind(), u64::try_from(price.per).expect("a unit size is at most 10^12"));
            format!("{} per {per}", Money(i128::try_from(price.nano).expect("an amount is at most 10^15")))
        };
        let zones = names_text(&self.zones.iter().copied().collect::<Vec<_>>(), NAMES_SHOWN);
        Finding::new(
            Rule::PriceJump,
            &row.place,
            format!(
                "{} for {zones} is {} times the median of {} in plan `{}` ({})",
                text(&self.price),
                self.price.times(&self.median),
                self.usage.as_str(),
                book.plan_name(self.plan),
                text(&self.median)
            ),
            "check the decimal point and the unit (`per`); if it is meant, leave it",
        )
    }
}

/// Prices of nothing for outgoing usage and data. Incoming usage is usually free, and a zone may say by its name that it is.
fn zero(book: &Book<'_>) -> Vec<Finding> {
    let is_nothing: Vec<bool> = book.tariff.prices.rows.iter().map(|row| Terms::of(row).is_nothing()).collect();
    let mut free: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    for cell in book.all_cells() {
        let (Some(charge), zone) = (cell.charge, book.zone_name(cell.zone)) else { continue };
        let usually_costs = cell.usage.has_destination() || cell.usage.kind() == UsageKind::Data;
        if usually_costs && !says_free(zone) && is_nothing[charge.row as usize] {
            free.entry(charge.row).or_default().insert(zone);
        }
    }
    let finding = |(row, zones): (u32, BTreeSet<&str>)| {
        let row = &book.tariff.prices.rows[row as usize];
        let zones = names_text(&zones.into_iter().collect::<Vec<_>>(), NAMES_SHOWN);
        Finding::new(
            Rule::ZeroPrice,
            &row.place,
            format!("{} of {} costs nothing in {zones}", row.kinds.join(", "), row.plans.join(", ")),
            "if the first units are meant to be free, say `free_units`; if all of it is, leave it",
        )
    };
    free.into_iter().map(finding).collect()
}

fn says_free(zone: &str) -> bool {
    let lower = zone.to_ascii_lowercase();
    ["free", "gratis"].iter().any(|word| lower.contains(word))
}
