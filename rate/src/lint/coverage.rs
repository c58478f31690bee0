//! Whether prices and zones meet: zones without a price, prices that no record asks for, prices that others always cover.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::linked::Party;
use domain::usage::Usage;

use crate::lint::book::{Book, Cell, kinds};
use crate::lint::{Finding, Rule};
use crate::listing::{names_text, whole_file};
use crate::tariff::price_row::PriceRow;

/// Zones that a finding names one by one.
const ZONES_SHOWN: usize = 8;

pub(super) fn findings(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = missing(book);
    findings.extend(never_chosen(book));
    findings.extend(crossing(book));
    findings.extend(idle_band(book));
    findings
}

/// Zones into which records of a plan fall and for which it has no price, though it has prices of their kind.
fn missing(book: &Book<'_>) -> Vec<Finding> {
    let mut holes: BTreeMap<(u32, u16), Vec<String>> = BTreeMap::new();
    for (plan, usage) in &book.sold {
        let cells: Vec<Cell<'_>> = book.cells(*plan, *usage).filter(|cell| book.reach.is_usual(*usage, cell.zone)).collect();
        for zone in cells.chunk_by(|a, b| a.zone == b.zone) {
            // Whoever is called: a price for parties of ours alone leaves the others without one.
            let zone: Vec<&Cell<'_>> = zone.iter().filter(|cell| cell.party == Party::Other).collect();
            let bare: Vec<&str> = zone.iter().filter(|c| c.charge.is_none()).map(|c| book.band_name(c.band)).collect();
            if bare.is_empty() {
                continue;
            }
            let bands = if bare.len() == zone.len() { String::new() } else { format!(" in band {}", bare.join(", ")) };
            holes.entry((*plan, zone[0].zone)).or_default().push(format!("{}{bands}", usage.as_str()));
        }
    }
    // Zones of a plan that lack the same are one finding.
    let mut alike: BTreeMap<(u32, String), Vec<&str>> = BTreeMap::new();
    for ((plan, zone), kinds) in holes {
        alike.entry((plan, kinds.join(", "))).or_default().push(book.zone_name(zone));
    }
    let finding = |((plan, kinds), zones): ((u32, String), Vec<&str>)| {
        let sold = &book.tariff.plans[plan as usize];
        let zones = names_text(&zones, ZONES_SHOWN);
        Finding::new(
            Rule::MissingPrice,
            &sold.place,
            format!("plan `{}` has no price for {kinds} in {zones}: such records wait as no_price", sold.name),
            "add a price for these zones, or one with zone `*`; if the plan never makes such calls, leave it",
        )
    };
    alike.into_iter().map(finding).collect()
}

/// Price rows that hold for no record.
fn never_chosen(book: &Book<'_>) -> Vec<Finding> {
    let rows = &book.tariff.prices.rows;
    let mut chosen = vec![false; rows.len()];
    for charge in book.all_cells().filter_map(|cell| cell.charge) {
        chosen[charge.row as usize] = true;
    }
    let mut findings = Vec::new();
    for (row, is_chosen) in rows.iter().zip(chosen) {
        let out_of_reach = unreachable_zones(book, row);
        let is_everywhere = out_of_reach.len() == row.zones.len();
        if !out_of_reach.is_empty() {
            findings.push(unreachable(book, row, &out_of_reach));
        }
        if is_chosen || is_everywhere {
            continue;
        }
        findings.push(if in_idle_band_only(book, row) {
            let what = format!("no minute of the week is in band `{}`", row.bands.join(", "));
            Finding::new(Rule::UnreachablePrice, &row.place, what, "remove the price, or leave minutes without a window")
        } else {
            shadowed(book, row)
        });
    }
    findings
}

/// The zones that a row names and in which no record of its kinds can be.
fn unreachable_zones<'r>(book: &Book<'_>, row: &'r PriceRow) -> Vec<&'r str> {
    let kinds: Vec<Usage> = kinds(row).collect();
    let is_out = |name: &&str| {
        let code = book.tariff.zones.code(name).and_then(|code| u16::try_from(code).ok());
        code.is_some_and(|zone| !kinds.iter().any(|usage| book.reach.may(*usage, zone)))
    };
    row.zones.iter().map(String::as_str).filter(is_out).collect()
}

fn unreachable(book: &Book<'_>, row: &PriceRow, zones: &[&str]) -> Finding {
    let home = book.zone_name(book.tariff.home);
    let names = names_text(zones, ZONES_SHOWN);
    let what = format!("no {} can be in {names}", row.kinds.join(", "));
    let remedy = if kinds(row).any(Usage::has_destination) {
        format!("outgoing usage at home has the zone of its number or class, not {home}: name that zone, or remove the price")
    } else {
        format!("incoming usage and data have no number: their zone is a network's, a class's or {home}; name one of those")
    };
    Finding::new(Rule::UnreachablePrice, &row.place, what, remedy)
}

fn in_idle_band_only(book: &Book<'_>, row: &PriceRow) -> bool {
    let holds = |name: &String| book.reach.bands.iter().any(|band| book.band_name(*band) == name);
    !row.bands.iter().any(|band| band == "*" || holds(band))
}

fn shadowed(book: &Book<'_>, row: &PriceRow) -> Finding {
    let winner = cells_of(book, row).find_map(|cell| cell.charge).map(|charge| book.row(charge));
    let first = winner.map_or_else(String::new, |winner| format!(", first of all by {}", winner.place));
    let names = format!("{}, {}, {}", row.plans.join(", "), row.kinds.join(", "), names_text(&row.zones, ZONES_SHOWN));
    Finding::new(
        Rule::ShadowedPrice,
        &row.place,
        format!("this price ({names}) is never chosen: more specific ones cover it everywhere{first}"),
        "remove it, or name in it what it is meant for",
    )
}

/// The cells that a row names.
fn cells_of<'b>(book: &'b Book<'_>, row: &'b PriceRow) -> impl Iterator<Item = Cell<'b>> {
    let names = |patterns: &[String], name: &str| patterns.iter().any(|pattern| pattern == "*" || pattern == name);
    let of_plan =
        move |(plan, usage): &&(u32, Usage)| kinds(row).any(|kind| kind == *usage) && names(&row.plans, book.plan_name(*plan));
    let cells = book.sold.iter().filter(of_plan).flat_map(|(plan, usage)| book.cells(*plan, *usage));
    let is_for = |parties: &[Party], party: Party| parties.is_empty() || parties.iter().any(|wanted| party.is_of(*wanted));
    cells.filter(move |cell| {
        let is_there = names(&row.zones, book.zone_name(cell.zone)) && names(&row.bands, book.band_name(cell.band));
        is_there && is_for(&row.parties, cell.party)
    })
}

/// What a price that names no zone takes from prices that name one.
#[derive(Default)]
struct Taken<'t> {
    zones: BTreeSet<&'t str>,
    kinds: BTreeSet<&'t str>,
    plans: BTreeSet<&'t str>,
    first: Option<u32>,
}

/// Prices with zone `*` that count before prices which name the zone, because they name plan or kind more exactly.
fn crossing(book: &Book<'_>) -> Vec<Finding> {
    let rows = &book.tariff.prices.rows;
    let general: Vec<bool> = rows.iter().map(|row| row.zones.iter().all(|zone| zone == "*")).collect();
    let by_zone = rows_by_zone(book);
    let mut taken: BTreeMap<u32, Taken<'_>> = BTreeMap::new();
    for cell in book.all_cells().filter(|cell| book.reach.is_usual(cell.usage, cell.zone)) {
        let Some(charge) = cell.charge.filter(|charge| general[charge.row as usize]) else { continue };
        let (plan, zone) = (book.plan_name(cell.plan), book.zone_name(cell.zone));
        let named = ["*", plan].into_iter().filter_map(|plan| by_zone.get(&(plan, zone))).flatten();
        let Some(loser) = named.copied().find(|number| names_cell(book, &rows[*number as usize], &cell)) else { continue };
        let entry = taken.entry(charge.row).or_default();
        entry.zones.insert(zone);
        entry.kinds.insert(cell.usage.as_str());
        entry.plans.insert(plan);
        entry.first.get_or_insert(loser);
    }
    taken.into_iter().map(|(winner, taken)| crossed(&rows[winner as usize], rows, &taken)).collect()
}

/// The rows that name a zone, by plan and zone.
fn rows_by_zone<'t>(book: &Book<'t>) -> HashMap<(&'t str, &'t str), Vec<u32>> {
    let mut by_zone: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
    for (row, number) in book.tariff.prices.rows.iter().zip(0..) {
        for zone in row.zones.iter().filter(|zone| *zone != "*") {
            for plan in &row.plans {
                by_zone.entry((plan, zone)).or_default().push(number);
            }
        }
    }
    by_zone
}

/// Whether a row of the cell's plan and zone names its kind and band, too.
fn names_cell(book: &Book<'_>, row: &PriceRow, cell: &Cell<'_>) -> bool {
    let names = |patterns: &[String], name: &str| patterns.iter().any(|pattern| pattern == "*" || pattern == name);
    kinds(row).any(|kind| kind == cell.usage) && names(&row.bands, book.band_name(cell.band))
}

fn crossed(winner: &PriceRow, rows: &[PriceRow], taken: &Taken<'_>) -> Finding {
    let list = |names: &BTreeSet<&str>| names_text(&names.iter().copied().collect::<Vec<_>>(), ZONES_SHOWN);
    let first = taken.first.map_or_else(String::new, |row| format!(" (such as {})", rows[row as usize].place));
    Finding::new(
        Rule::CrossingPrices,
        &winner.place,
        format!(
            "this price of all zones counts for {} of {} in {}, although other prices{first} name these zones: plan and kind \
             are compared before the zone",
            list(&taken.kinds),
            list(&taken.plans),
            list(&taken.zones)
        ),
        "if these zones are to keep their own prices, add a row with this plan and kind for each",
    )
}

fn idle_band(book: &Book<'_>) -> Option<Finding> {
    if book.reach.has_default(book.tariff) {
        return None;
    }
    let place = book.tariff.bands.windows.first().map_or_else(|| whole_file(book.tariff.id()), |window| window.place.clone());
    let what =
        format!("the default band `{}` never holds: windows take up the whole week", book.band_name(book.tariff.bands.default));
    Some(Finding::new(Rule::IdleBand, &place, what, "fine if it is meant; prices for it are never asked for"))
}
