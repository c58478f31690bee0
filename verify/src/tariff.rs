//! A tariff from its texts, and the version that they make.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use toml::value::Datetime;

use crate::amount::Mode;
use crate::band::Bands;
use crate::companion::{AS_THEY_ARE, Tables, information, rates, zones};
use crate::dated::Dated;
use crate::discount::Discount;
use crate::error::VerifyError;
use crate::exchange::Rates;
use crate::information::Information;
use crate::owner::Party;
use crate::price::{Price, Rule};
use crate::recurring::{Recurring, commitments, fees};
use crate::table::{Columns, Format};
use crate::terms::Allowance;
use crate::text::{BandEdge, CalendarText, Cents, PlanText, TariffText, Tax, ZeroUsage};
use crate::usage::Usage;
use crate::zone::Zones;

/// Hexadecimal digits of a version in `name@hash`.
const VERSION_DIGITS: usize = 16;

/// A tariff version.
#[derive(Debug)]
pub struct Tariff {
    /// `name@hash` over all its texts, as rows carry it.
    pub version: String,
    pub(crate) currency: String,
    pub(crate) zone: TimeZone,
    pub(crate) from: Timestamp,
    pub(crate) to: Option<Timestamp>,
    pub(crate) zones: Zones,
    pub(crate) bands: Bands,
    pub(crate) information: Dated<Information>,
    pub(crate) rates: Rates,
    /// Whether prices hold the tax.
    pub(crate) tax: Tax,
    tax_class: Option<String>,
    /// The plan as which those are priced that no tariff sells.
    pub(crate) fallback_plan: Option<String>,
    plans: HashMap<String, Plan>,
    prices: Vec<Price>,
    /// Which prices name a plan and a zone, or `*` for one or both.
    by_name: HashMap<String, HashMap<String, Vec<usize>>>,
    /// In the order of the file.
    pub(crate) allowances: Vec<Allowance>,
    /// In the order of the file.
    pub(crate) discounts: Vec<Discount>,
    /// Fees and commitments, by name.
    pub(crate) recurring: HashMap<String, Recurring>,
    /// How a line of a cycle is rounded.
    pub(crate) line: Cents,
    /// How what lines of a document add up to is rounded.
    pub(crate) invoice: Cents,
    /// Whether any price, allowance or discount asks who is called.
    pub(crate) asks_party: bool,
    zero_usage: ZeroUsage,
    pub(crate) places: u32,
    pub(crate) mode: Mode,
    /// What was found before, by plan, kind, zone, party and band.
    found: RefCell<HashMap<String, Option<Found>>>,
}

#[derive(Debug)]
struct Plan {
    mb_bytes: Option<u64>,
    edge: BandEdge,
    fallback: Option<String>,
}

/// A row of the price list and what it leaves to others to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub row: usize,
    /// Units that one unit price covers.
    pub per: u64,
    /// Whether no units cost nothing.
    pub is_free_at_zero: bool,
}

/// The places of prices by plan and zone.
fn by_name(prices: &[Price]) -> HashMap<String, HashMap<String, Vec<usize>>> {
    let mut by_name: HashMap<String, HashMap<String, Vec<usize>>> = HashMap::new();
    for (row, price) in prices.iter().enumerate() {
        for (plan, zone) in price.usage.plans_and_zones() {
            by_name.entry(plan.to_owned()).or_default().entry(zone.to_owned()).or_default().push(row);
        }
    }
    by_name
}

impl Tariff {
    /// Reads a tariff: the file, and the tables that it names from those beside it. `name` is for messages.
    pub fn read(name: &str, toml: &str, companions: &BTreeMap<String, String>) -> Result<Self, VerifyError> {
        let plain = toml.strip_prefix('\u{feff}').unwrap_or(toml);
        let text = toml::from_str(plain).map_err(|e| e.message().to_owned());
        let read = text.and_then(|text| Self::build(toml, text, companions));
        read.map_err(|problem| VerifyError::Tariff { tariff: name.to_owned(), problem })
    }

    fn build(toml: &str, mut text: TariffText, companions: &BTreeMap<String, String>) -> Result<Self, String> {
        let zone = TimeZone::get(&text.time_zone).map_err(|e| e.to_string())?;
        let mut tables = Tables { all: companions, used: BTreeSet::new(), format: Format::of(&text.tables)? };
        let midnight = |day: &Datetime| {
            let midnight = date(day)?.to_zoned(zone.clone()).map_err(|e| e.to_string())?;
            Ok::<_, String>(midnight.timestamp())
        };
        if text.rounding_scope.every().is_some() {
            return Err("the head rounds by the record or the session; a total is a price's own".to_owned());
        }
        let (from, to) = (midnight(&text.valid_from)?, text.valid_to.as_ref().map(midnight).transpose()?);
        let zones = zones(&mut text, &mut tables)?;
        let information = information(text.information.table.as_ref(), &mut tables)?;
        let rates = rates(&text.exchange, &mut tables)?;
        let calendars = calendars(&text.calendar, &mut tables)?;
        let bands = Bands::new(text.band_clock, text.default_band, text.band, calendars)?;
        let plans = plans(text.plan, text.plans.table.as_ref(), &mut tables)?;
        let mut prices =
            text.price.into_iter().map(|price| Price::from_text(price, text.rounding_scope)).collect::<Result<Vec<_>, _>>()?;
        let columns = Columns { known: &Price::COLUMNS, aliases: &[("plan", "plan_id")], called: &text.prices.columns };
        tables.each(text.prices.table.as_ref(), &columns, |row| {
            prices.push(Price::from_row(&row, text.rounding_scope)?);
            Ok(())
        })?;
        let by_name = by_name(&prices);
        let allowances = Allowance::all(text.allowance)?;
        let discounts = Discount::all(text.discount)?;
        let given = allowances.iter().map(|allowance| &allowance.usage).chain(discounts.iter().map(|discount| &discount.usage));
        let asks_party = prices.iter().map(|price| &price.usage).chain(given).any(Usage::names_party);
        let mut recurring = fees(text.fee, text.tax_class.as_ref())?;
        recurring.extend(commitments(text.commitment, text.tax_class.as_ref())?);
        let hash = content_hash(toml, tables.used.iter().map(|file| (file.as_str(), companions[file].as_str())));
        Ok(Self {
            version: format!("{}@{}", text.name, &hash[..VERSION_DIGITS]),
            currency: text.currency,
            zone,
            from,
            to,
            zones,
            bands,
            information,
            rates,
            tax: text.tax,
            tax_class: text.tax_class,
            fallback_plan: text.fallback_plan,
            plans,
            asks_party,
            prices,
            by_name,
            allowances,
            discounts,
            recurring,
            line: text.rounding.line,
            invoice: text.rounding.invoice.unwrap_or(text.rounding.line),
            zero_usage: text.zero_usage,
            places: text.rounding.places,
            mode: text.rounding.mode,
            found: RefCell::default(),
        })
    }

    pub(crate) fn sells(&self, plan: &str) -> bool {
        self.plans.contains_key(plan)
    }

    pub(crate) fn is_in_force(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// What a plan says of calls that reach into another band.
    pub(crate) fn edge(&self, plan: &str) -> BandEdge {
        self.plans.get(plan).map_or(BandEdge::Start, |plan| plan.edge)
    }

    pub(crate) fn rule(&self, found: Found) -> &Rule {
        &self.prices[found.row].rule
    }

    /// Its allowance of a name.
    pub(crate) fn allowance(&self, name: &str) -> Option<&Allowance> {
        self.allowances.iter().find(|allowance| allowance.name == name)
    }

    /// The tax class of what a price charges.
    pub(crate) fn tax_class(&self, found: Found) -> Option<&str> {
        self.prices[found.row].tax_class.as_deref().or(self.tax_class.as_deref())
    }

    /// The price of a plan, else that of the plan on which it falls back.
    pub(crate) fn price(&self, plan: &str, kind: &str, zone: &str, party: Option<Party>, band: &str) -> Option<Found> {
        let key = [plan, kind, zone, party.map_or("", Party::as_str), band].join("\u{1f}");
        if let Some(found) = self.found.borrow().get(&key) {
            return *found;
        }
        let found = self.search(plan, kind, zone, party, band);
        self.found.borrow_mut().insert(key, found);
        found
    }

    fn search(&self, plan: &str, kind: &str, zone: &str, party: Option<Party>, band: &str) -> Option<Found> {
        let seller = self.plans.get(plan)?;
        let named = [plan, "*"].into_iter().filter_map(|plan| self.by_name.get(plan));
        let named = named.flat_map(|zones| [zone, "*"].into_iter().filter_map(|zone| zones.get(zone))).flatten();
        let ranked = named.filter_map(|row| Some((self.prices[*row].usage.rank(plan, kind, zone, party, band)?, *row)));
        let Some((_, row)) = ranked.max() else {
            return self.price(seller.fallback.as_deref()?, kind, zone, party, band);
        };
        let price = &self.prices[row];
        let usual = match kind.split('-').next() {
            Some("voice") => Some(60),
            Some("data") => seller.mb_bytes,
            _ => Some(1),
        };
        let (own, is_units) = match &price.rule {
            Rule::Units(units) => (units.per, true),
            Rule::CostPlus { .. } => (Some(1), false),
        };
        let is_counted_at_zero = kind.starts_with("sms") || kind.starts_with("mms");
        let zero_usage = price.zero_usage.unwrap_or(if is_counted_at_zero { ZeroUsage::Priced } else { self.zero_usage });
        Some(Found { row, per: own.or(usual)?, is_free_at_zero: is_units && zero_usage == ZeroUsage::Free })
    }
}

/// The dates of calendars by name, from the file and the tables beside it.
fn calendars(texts: &[CalendarText], tables: &mut Tables<'_>) -> Result<HashMap<String, BTreeSet<Date>>, String> {
    let mut calendars: HashMap<String, BTreeSet<Date>> = HashMap::new();
    for calendar in texts {
        let dates = calendars.entry(calendar.name.clone()).or_default();
        for day in &calendar.dates {
            dates.insert(date(day)?);
        }
        let columns = Columns { known: &["date", "name"], aliases: &[("date", "day")], called: &AS_THEY_ARE };
        tables.each(calendar.table.as_ref(), &columns, |row| {
            let day = row.get("date").and_then(|day| day.parse().ok());
            dates.insert(day.ok_or("a calendar's table has a row without a date")?);
            Ok(())
        })?;
    }
    Ok(calendars)
}

fn plans(inline: Vec<PlanText>, table: Option<&String>, tables: &mut Tables<'_>) -> Result<HashMap<String, Plan>, String> {
    let mut plans = HashMap::new();
    for text in inline {
        plans.insert(text.name, Plan { mb_bytes: text.mb_bytes, edge: text.band_edge, fallback: text.fallback });
    }
    let known = ["plan", "mb_bytes", "band_edge", "fallback"];
    let columns = Columns { known: &known, aliases: &[("plan", "plan_id")], called: &AS_THEY_ARE };
    tables.each(table, &columns, |row| {
        let bytes = row.get("mb_bytes").map(|bytes| bytes.parse().map_err(|_| format!("`{bytes}` is no number of bytes")));
        let edge = match row.get("band_edge").map(String::as_str) {
            None | Some("start") => BandEdge::Start,
            Some("increment") => BandEdge::Increment,
            Some("anew") => BandEdge::Anew,
            Some(other) => return Err(format!("the band edge `{other}` is not known")),
        };
        let name = row.get("plan").cloned().ok_or("a plan without a name")?;
        plans.insert(name, Plan { mb_bytes: bytes.transpose()?, edge, fallback: row.get("fallback").cloned() });
        Ok(())
    })?;
    Ok(plans)
}

fn date(day: &Datetime) -> Result<Date, String> {
    let date = day.date.ok_or_else(|| format!("`{day}` is no date"))?;
    let part = |value: u8| i8::try_from(value).map_err(|e| e.to_string());
    Date::new(date.year.cast_signed(), part(date.month)?, part(date.day)?).map_err(|e| e.to_string())
}

/// SHA-256 over the file and its tables in the order of their names, each with name and length. Line ends, spaces at the ends of lines,
/// empty lines at the end and a byte order mark do not count (docs/adr/0006).
fn content_hash<'t>(toml: &'t str, tables: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut hash = Sha256::new();
    for (name, text) in [("", toml)].into_iter().chain(tables) {
        let mut plain = String::new();
        for line in text.strip_prefix('\u{feff}').unwrap_or(text).lines() {
            plain.push_str(line.trim_end());
            plain.push('\n');
        }
        for part in [name, plain.trim_end()] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes all");
        digits
    })
}
