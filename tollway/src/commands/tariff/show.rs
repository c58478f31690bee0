//! `tollway tariff show`: a tariff as those read it who make prices.

use std::collections::HashMap;

use domain::nearest;
use rate::listing::terms::{Terms, UnitTerms};
use rate::listing::{Head, Listing, Price, names_text};
use rate::tariff::Tariff;
use serde_json::json;

use super::named::{Known, Named};
use super::shown;
use crate::cli::{Global, OutputMode, TariffShowArgs};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::moment::Moment;
use crate::output::{Answer, Sheet};

/// Names of classes and networks in one cell.
const NAMES_SHOWN: usize = 3;

/// Numbers that ask something, of which the table shows what.
const NUMBERS_SHOWN: usize = 20;

const HEADS: [&str; 13] =
    ["plan", "kind", "zone", "party", "band", "class", "network", "#setup", "#minimum", "increment", "price", "besides", "place"];

const ALLOWANCE_HEADS: [&str; 16] = [
    "allowance",
    "plan",
    "kind",
    "zone",
    "only",
    "gives",
    "every",
    "whose",
    "taken by",
    "order",
    "roll-over",
    "pro rata",
    "setup",
    "beyond",
    "told at %",
    "place",
];

/// Runs the command.
pub fn run(global: &Global, args: &TariffShowArgs) -> anyhow::Result<Exit> {
    let moment = Moment::given(args.known_at.as_deref())?;
    let named = match moment {
        Some(moment) => Known::of(&Installation::open(global)?, Some(moment))?.find_known(&args.tariff, moment)?,
        None => Known::if_any(global)?.find(&args.tariff, args.base.as_deref())?,
    };
    let tariff = Tariff::load(&named.source)?;
    let mut listing = Listing::of(&tariff);
    let leading = Leading::of(&listing);
    if let Some(plan) = &args.plan {
        check(plan, "plan", listing.plans.iter().map(|sold| sold.name.as_str()))?;
        listing.keep_plan(plan);
    }
    if let Some(zone) = &args.zone {
        let head = [Some(&listing.head.home_zone), listing.head.unnumbered_zone.as_ref()];
        let zones = listing.rules.iter().map(|rule| &rule.zone).chain(head.into_iter().flatten());
        check(zone, "zone", zones.map(String::as_str))?;
        listing.keep_zone(zone);
    }
    let mut json = json!({"origin": named.origin, "tariff": listing});
    if let Some(moment) = moment {
        json["known_at"] = json!(moment.text());
    }
    let headline = headline(&listing.head, &named);
    let (prices, mut next) = prices(global, args, &listing, &leading);
    let mut sheets = vec![prices];
    let (allowances, more) = allowances(global, args, &listing);
    next.extend(more);
    if global.output == OutputMode::Table {
        sheets.splice(
            0..0,
            [
                plans(&listing),
                allowances,
                discounts(&listing),
                charges(&listing),
                bands(&listing),
                calendars(&listing),
                numbers(&listing),
                rates(&listing),
            ]
            .into_iter()
            .filter(|sheet| !sheet.rows.is_empty()),
        );
    }
    if args.zone.is_some() {
        let (rules, more) = rules(global, args, &listing);
        sheets.push(rules);
        next.extend(more);
    }
    next.extend(named.aside);
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(Exit::Done)
}

fn check<'n>(name: &str, what: &str, known: impl Iterator<Item = &'n str> + Clone) -> anyhow::Result<()> {
    if known.clone().any(|other| other == name) {
        return Ok(());
    }
    let hint = nearest::hint(name, known);
    Err(bad_input(format!("the tariff has no {what} `{name}`{hint}")))
}

fn headline(head: &Head, named: &Named) -> String {
    let until = head.valid_to.as_ref().map_or_else(|| "until further notice".to_owned(), |to| format!("to {to} (not included)"));
    let clock = match head.band_clock {
        "source_offset" => "the clock that the source wrote",
        _ => head.time_zone.as_str(),
    };
    let unnumbered = head.unnumbered_zone.as_ref().map_or_else(String::new, |zone| format!(", words and masked numbers {zone}"));
    let lines = [
        format!("{} ({}), in {}", head.id, named.origin, head.currency),
        format!("  in force   from {} {until}, days of {}", head.valid_from, head.time_zone),
        format!("  bands      by {clock}; what no window holds is `{}`", head.default_band),
        format!("  rounding   each charge to {} places, {}", head.rounding_places, head.rounding_mode.replace('_', " ")),
        format!(
            "             lines: {}; invoices: {}",
            head.rounding_line.replace('_', " "),
            head.rounding_invoice.replace('_', " ")
        ),
        format!("  zones      at home {}{unnumbered}", head.home_zone),
        format!("  tax        {}", head.tax),
        format!("  sha256     {}", head.sha256),
    ];
    let fallback =
        head.fallback_plan.as_ref().map(|plan| format!("\n  fallback   `{plan}` holds for plans that no tariff sells"));
    lines.join("\n") + &fallback.unwrap_or_default()
}

fn plans(listing: &Listing) -> Sheet {
    let mut sheet = Sheet::new("plans", &["plan", "#bytes of a MB", "over a band's edge", "falls back on", "place"]);
    for plan in &listing.plans {
        let bytes = plan.mb_bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        let fallback = plan.fallback.clone().unwrap_or_default();
        sheet.row([plan.name.clone(), bytes, plan.band_edge.to_owned(), fallback, plan.place.clone()]);
    }
    sheet
}

/// What plans give in each period. What most allowances leave to the usual is told only where it is something else.
fn allowances(global: &Global, args: &TariffShowArgs, listing: &Listing) -> (Sheet, Option<String>) {
    let mut sheet = Sheet::new("allowances", &ALLOWANCE_HEADS);
    let (rows, more) = shown(global, listing.allowances.len(), args.limit);
    for allowance in listing.allowances.iter().take(rows) {
        let [plans, kinds, zones, only] = allowance.covering.columns();
        sheet.row([
            allowance.name.clone(),
            plans,
            kinds,
            zones,
            only,
            allowance.gives_text(&listing.head.currency),
            allowance.every.to_owned(),
            allowance.scope.to_owned(),
            allowance.taken_text(),
            allowance.order_text(),
            allowance.roll_over_text(),
            Some(allowance.pro_rata).filter(|word| *word != "none").unwrap_or_default().to_owned(),
            allowance.setup.unwrap_or_default().replace('_', " "),
            allowance.beyond_text().to_owned(),
            allowance.thresholds_text(),
            allowance.place.clone(),
        ]);
    }
    (sheet, more)
}

fn discounts(listing: &Listing) -> Sheet {
    let heads = ["discount", "plan", "kind", "zone", "only", "percent", "every", "whose", "count", "place"];
    let mut sheet = Sheet::new("discounts", &heads);
    for discount in &listing.discounts {
        let [plans, kinds, zones, only] = discount.covering.columns();
        sheet.row([
            discount.name.clone(),
            plans,
            kinds,
            zones,
            only,
            discount.steps.join("; "),
            discount.every.to_owned(),
            discount.scope.to_owned(),
            discount.count.to_owned(),
            discount.place.clone(),
        ]);
    }
    sheet
}

/// What is charged whatever is used, and at least.
fn charges(listing: &Listing) -> Sheet {
    let mut sheet = Sheet::new("fees and commitments", &["name", "", "what", "place"]);
    for fee in &listing.fees {
        sheet.row([fee.name.clone(), "fee".to_owned(), fee.text(), fee.place.clone()]);
    }
    for commitment in &listing.commitments {
        sheet.row([commitment.name.clone(), "commitment".to_owned(), commitment.text(), commitment.place.clone()]);
    }
    sheet
}

fn bands(listing: &Listing) -> Sheet {
    let mut sheet = Sheet::new("bands", &["band", "window", "place"]);
    for window in &listing.bands {
        sheet.row([window.band.clone(), window.window.clone(), window.place.clone()]);
    }
    sheet
}

fn calendars(listing: &Listing) -> Sheet {
    let mut sheet = Sheet::new("calendars", &["calendar", "#dates", "from", "to"]);
    for calendar in &listing.calendars {
        let [first, last] = [calendar.dates.first(), calendar.dates.last()].map(|date| date.cloned().unwrap_or_default());
        sheet.row([calendar.name.clone(), calendar.dates.len().to_string(), first, last]);
    }
    sheet
}

/// How many numbers ask something, and what the first ones ask.
fn numbers(listing: &Listing) -> Sheet {
    let mut sheet = Sheet::new("what numbers ask", &["number", "#per call", "#per minute"]);
    for row in listing.numbers.iter().take(NUMBERS_SHOWN) {
        sheet.row([format!("{}{}", row.number, row.days), row.per_call.clone(), row.per_minute.clone()]);
    }
    if let Some(more @ 1..) = listing.numbers.len().checked_sub(NUMBERS_SHOWN) {
        sheet.row([format!("and {more} more"), String::new(), String::new()]);
    }
    sheet
}

/// The newest rate of each currency.
fn rates(listing: &Listing) -> Sheet {
    let title = format!("rates of exchange to {}, used for {} days", listing.head.currency, listing.head.exchange_days_max);
    let mut sheet = Sheet::new(&title, &["currency", "newest", "#rate"]);
    for rates in listing.rates.chunk_by(|a, b| a.currency == b.currency) {
        let newest = &rates[rates.len() - 1];
        sheet.row([newest.currency.clone(), newest.date.clone(), newest.rate.clone()]);
    }
    sheet
}

fn rules(global: &Global, args: &TariffShowArgs, listing: &Listing) -> (Sheet, Option<String>) {
    let title = format!("what leads to {}", args.zone.as_deref().unwrap_or_default());
    let mut sheet = Sheet::new(&title, &["by", "key", "place"]);
    let (rows, more) = shown(global, listing.rules.len(), args.limit);
    for rule in listing.rules.iter().take(rows) {
        sheet.row([rule.by.to_owned(), format!("{}{}", rule.key, rule.days), rule.place.clone()]);
    }
    (sheet, more)
}

/// Which classes and networks lead to a zone.
struct Leading {
    by_zone: HashMap<String, [Vec<String>; 2]>,
}

impl Leading {
    fn of(listing: &Listing) -> Self {
        let mut by_zone: HashMap<String, [Vec<String>; 2]> = HashMap::new();
        for rule in &listing.rules {
            let at = match rule.by {
                "class" => 0,
                "network" => 1,
                _ => continue,
            };
            by_zone.entry(rule.zone.clone()).or_default()[at].push(format!("{}{}", rule.key, rule.days));
        }
        Self { by_zone }
    }

    /// Those of the zones that a price names.
    fn cells(&self, price: &Price) -> [String; 2] {
        [0, 1].map(|at| {
            let lists = price.zones.iter().filter_map(|zone| self.by_zone.get(zone));
            let names: Vec<&String> = lists.flat_map(|lists| &lists[at]).collect();
            names_text(&names, NAMES_SHOWN)
        })
    }
}

fn prices(global: &Global, args: &TariffShowArgs, listing: &Listing, leading: &Leading) -> (Sheet, Vec<String>) {
    let title = format!("prices in {}", listing.head.currency);
    let mut sheet = Sheet::new(&title, &HEADS);
    let (rows, more) = shown(global, listing.prices.len(), args.limit);
    for price in listing.prices.iter().take(rows) {
        let [plans, kinds, zones, bands] = [&price.plans, &price.kinds, &price.zones, &price.bands].map(|names| names.join(", "));
        let mut terms = terms(&price.terms, &listing.per_text(price));
        if let Some(class) = &price.tax_class {
            let both = [std::mem::take(&mut terms[4]), format!("tax class {class}")];
            terms[4] = both.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
        }
        let names = [plans, kinds, zones, price.parties.join(", "), bands];
        sheet.row(names.into_iter().chain(leading.cells(price)).chain(terms).chain([price.place.clone()]));
    }
    (sheet, more.into_iter().collect())
}

/// Setup, minimum, increment, price and what is besides.
fn terms(terms: &Terms, per: &str) -> [String; 5] {
    let Terms::Units(units) = terms else {
        return [String::new(), String::new(), String::new(), terms.text(per), String::new()];
    };
    [units.setup.to_string(), units.minimum.to_string(), units.increments_text(), price(units, per), units.besides().join(", ")]
}

fn price(units: &UnitTerms, per: &str) -> String {
    match units.steps.as_slice() {
        [step] => format!("{} per {per}", step.unit_price),
        steps => {
            let steps: Vec<String> = steps.iter().map(|step| format!("from {}: {}", step.from, step.unit_price)).collect();
            format!("{} per {per}", steps.join(", "))
        }
    }
}
