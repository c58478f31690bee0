//! What a tariff says, as plain values: its head, plans, allowances, bands, zone rules and prices, as they are shown and compared.

pub mod allowances;
pub mod charges;
pub mod covering;
pub mod discounts;
pub mod terms;
pub(crate) mod cover;
mod rows;

use domain::money::{Rounding, RoundingMode};
use domain::usage::{Usage, UsageKind};
use serde::Serialize;

use crate::error::Place;
use crate::instant::{date_text, day_text};
use crate::listing::allowances::GivenAllowance;
use crate::listing::charges::{GivenCommitment, GivenFee};
use crate::listing::discounts::GivenDiscount;
use crate::listing::terms::{Terms, UnitTerms, per_text};
use crate::tariff::Tariff;
use crate::tariff::band::BandClock;
use crate::tariff::deck::ZoneRule;
use crate::tariff::price_row::names_kind;

/// A tariff as it is read by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// What holds for all of it.
    pub head: Head,
    /// The windows of its bands, as written.
    pub bands: Vec<Window>,
    /// The dates on which windows hold, or do not.
    pub calendars: Vec<NamedDates>,
    /// What it sells.
    pub plans: Vec<SoldPlan>,
    /// What plans give in each cycle before prices are charged.
    pub allowances: Vec<GivenAllowance>,
    /// Discounts by what is charged.
    pub discounts: Vec<GivenDiscount>,
    /// What plans charge whatever is used.
    pub fees: Vec<GivenFee>,
    /// What is charged at least.
    pub commitments: Vec<GivenCommitment>,
    /// What leads to its zones: prefixes, short codes, networks, pairs abroad and classes.
    pub rules: Vec<Rule>,
    /// What numbers ask.
    pub numbers: Vec<AskedNumber>,
    /// Rates of exchange.
    pub rates: Vec<DatedRate>,
    /// Its prices, as written: a `*` stands for all.
    pub prices: Vec<Price>,
}

/// The head of a tariff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// `name@hash`.
    pub id: String,
    /// The name that all its versions have.
    pub name: String,
    /// The whole content hash.
    pub sha256: String,
    /// The currency of its prices.
    pub currency: String,
    /// The clock of dates and bands.
    pub time_zone: String,
    /// First local day in force.
    pub valid_from: String,
    /// First local day no longer in force; nothing: until further notice.
    pub valid_to: Option<String>,
    /// Zone of home networks, and of usage without a destination.
    pub home_zone: String,
    /// Zone of words and masked numbers.
    pub unnumbered_zone: Option<String>,
    /// The band of what no window holds.
    pub default_band: String,
    /// `tariff_zone` or `source_offset`.
    pub band_clock: &'static str,
    /// Whether prices hold the tax: `excluded` or `included`.
    pub tax: &'static str,
    /// The plan that holds for plans that no tariff sells.
    pub fallback_plan: Option<String>,
    /// Days that a rate of exchange is used at most.
    pub exchange_days_max: i32,
    /// Places that charges are rounded to.
    pub rounding_places: u8,
    /// How.
    pub rounding_mode: &'static str,
    /// How lines of a cycle are rounded: `2 places, half_up`.
    pub rounding_line: String,
    /// How their sum is.
    pub rounding_invoice: String,
}

/// A window of a band.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Window {
    /// The band's name.
    pub band: String,
    /// `mon-fri 08:00 to 20:00`.
    pub window: String,
    /// Where it stands.
    pub place: String,
}

/// A calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedDates {
    /// Its name.
    pub name: String,
    /// Its dates, such as 2026-12-25.
    pub dates: Vec<String>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SoldPlan {
    /// Its name.
    pub name: String,
    /// Bytes of a megabyte by contract.
    pub mb_bytes: Option<u64>,
    /// What becomes of a call that reaches into another band: `start`, `increment` or `anew`.
    pub band_edge: &'static str,
    /// The plan whose prices hold where it has none.
    pub fallback: Option<String>,
    /// Where it stands.
    pub place: String,
}

/// Something that leads to a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// `prefix`, `short code`, `network`, `roaming` or `class`.
    pub by: &'static str,
    /// The prefix, code, network, pair of zones or class.
    pub key: String,
    /// When it holds, if not always: ` from 2026-01-01 to 2027-01-01`.
    pub days: String,
    /// The zone.
    pub zone: String,
    /// Where it stands.
    pub place: String,
}

/// What a number asks beside the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedNumber {
    /// The number, or a short code.
    pub number: String,
    /// When, if not always: ` from 2026-01-01 to 2027-01-01`.
    pub days: String,
    /// Once per record.
    pub per_call: String,
    /// Per minute.
    pub per_minute: String,
}

/// A rate of exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatedRate {
    /// The other currency.
    pub currency: String,
    /// The first day on which it holds.
    pub date: String,
    /// Units of the tariff's currency for one of the other.
    pub rate: String,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Plans, or `*`.
    pub plans: Vec<String>,
    /// Kinds, families such as `voice-*`, or `*`.
    pub kinds: Vec<String>,
    /// Zones, or `*`.
    pub zones: Vec<String>,
    /// Whom the other party must be; nobody in particular where it is empty.
    pub parties: Vec<&'static str>,
    /// Bands, or `*`.
    pub bands: Vec<String>,
    /// Its tax class.
    pub tax_class: Option<String>,
    /// What it asks.
    pub terms: Terms,
    /// Where it stands.
    pub place: String,
}

impl Listing {
    /// Lists a tariff.
    pub fn of(tariff: &Tariff) -> Self {
        let prices = tariff.prices.rows.iter().map(|row| Price {
            plans: row.plans.clone(),
            kinds: row.kinds.clone(),
            zones: row.zones.clone(),
            parties: row.parties.iter().filter_map(|party| party.name()).collect(),
            bands: row.bands.clone(),
            tax_class: row.tax_class.as_deref().or(tariff.tax_class.as_deref()).map(str::to_owned),
            terms: Terms::of(row),
            place: row.place.to_string(),
        });
        let (allowances, rules) = (GivenAllowance::all(tariff), rows::rules(tariff).collect());
        let (discounts, fees) = (GivenDiscount::all(tariff), GivenFee::all(tariff));
        let commitments = GivenCommitment::all(tariff);
        Self { allowances, discounts, fees, commitments, rules, prices: prices.collect(), ..Self::of_head(tariff) }
    }

    /// All but allowances, discounts, fees and commitments, what leads to zones, and prices.
    pub(crate) fn of_head(tariff: &Tariff) -> Self {
        let windows = tariff.bands.windows.iter().map(|window| Window {
            band: tariff.bands.names.name(u32::from(window.band)).to_owned(),
            window: window.text.clone(),
            place: window.place.to_string(),
        });
        let plans = tariff.plans.iter().map(|plan| SoldPlan {
            name: plan.name.clone(),
            mb_bytes: plan.mb_bytes,
            band_edge: plan.band_edge.as_str(),
            fallback: plan.fallback.clone(),
            place: plan.place.to_string(),
        });
        let calendars = tariff.bands.calendars.iter().map(|calendar| NamedDates {
            name: calendar.name.clone(),
            dates: calendar.days.iter().map(|day| day_text(*day)).collect(),
        });
        let (bands, calendars, plans) = (windows.collect(), calendars.collect(), plans.collect());
        let (head, numbers, rates) = (Head::of(tariff), rows::numbers(tariff), rows::rates(tariff));
        Self {
            head,
            bands,
            calendars,
            plans,
            allowances: Vec::new(),
            discounts: Vec::new(),
            fees: Vec::new(),
            commitments: Vec::new(),
            rules: Vec::new(),
            numbers,
            rates,
            prices: Vec::new(),
        }
    }

    /// What one unit price of a price covers, in words: `60 s`, the megabyte of its plans, or a message.
    pub fn per_text(&self, price: &Price) -> String {
        let Terms::Units(UnitTerms { per, .. }) = &price.terms else { return String::new() };
        let mut kinds: Vec<UsageKind> = Usage::all().filter(|usage| price.is_for(*usage)).map(Usage::kind).collect();
        kinds.sort();
        kinds.dedup();
        match (kinds.as_slice(), per) {
            ([kind], Some(per)) => per_text(*kind, *per),
            ([UsageKind::Voice], None) => per_text(UsageKind::Voice, 60),
            ([UsageKind::Data], None) => self.megabyte(price),
            (_, Some(per)) => format!("{per} units"),
            (kinds, None) if kinds.iter().all(|kind| matches!(kind, UsageKind::Sms | UsageKind::Mms)) => "message".to_owned(),
            (_, None) => "minute, MB or message".to_owned(),
        }
    }

    /// The megabyte of a price's plans, if they agree.
    fn megabyte(&self, price: &Price) -> String {
        let mut sizes: Vec<u64> =
            self.plans.iter().filter(|plan| names(&price.plans, &plan.name)).filter_map(|plan| plan.mb_bytes).collect();
        sizes.sort_unstable();
        sizes.dedup();
        match sizes.as_slice() {
            [bytes] => per_text(UsageKind::Data, *bytes),
            _ => "MB of the plan".to_owned(),
        }
    }

    /// Keeps what is sold under a plan.
    pub fn keep_plan(&mut self, plan: &str) {
        self.plans.retain(|sold| sold.name == plan);
        self.allowances.retain(|allowance| allowance.covering.is_of(plan));
        self.discounts.retain(|discount| discount.covering.is_of(plan));
        self.fees.retain(|fee| names(&fee.plans, plan));
        self.commitments.retain(|commitment| commitment.covering.is_of(plan));
        self.prices.retain(|price| names(&price.plans, plan));
    }

    /// Keeps what concerns a zone: the prices that hold there, the allowances and commitments that cover it, and what leads to it. Fees
    /// are of no zone.
    pub fn keep_zone(&mut self, zone: &str) {
        self.allowances.retain(|allowance| allowance.covering.covers(zone));
        self.discounts.retain(|discount| discount.covering.covers(zone));
        self.fees.clear();
        self.commitments.retain(|commitment| commitment.covering.covers(zone));
        self.rules.retain(|rule| rule.zone == zone);
        self.prices.retain(|price| names(&price.zones, zone));
    }
}

impl Price {
    /// Whether it names a kind.
    fn is_for(&self, usage: Usage) -> bool {
        self.kinds.iter().any(|pattern| names_kind(pattern, usage))
    }
}

fn names(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| pattern == "*" || pattern == name)
}

impl Head {
    /// The head of a tariff.
    pub fn of(tariff: &Tariff) -> Self {
        let zone_name = |code: u16| tariff.zones.name(u32::from(code)).to_owned();
        Self {
            id: tariff.id().to_string(),
            name: tariff.name().to_owned(),
            sha256: tariff.sha256().to_owned(),
            currency: tariff.currency().to_string(),
            time_zone: tariff.zone().name().to_owned(),
            valid_from: date_text(tariff.zone(), tariff.from_us()),
            valid_to: (tariff.to_us() != i64::MAX).then(|| date_text(tariff.zone(), tariff.to_us())),
            home_zone: zone_name(tariff.home),
            unnumbered_zone: tariff.unnumbered.map(zone_name),
            default_band: tariff.bands.names.name(u32::from(tariff.bands.default)).to_owned(),
            band_clock: match tariff.bands.clock {
                BandClock::TariffZone => "tariff_zone",
                BandClock::SourceOffset => "source_offset",
            },
            tax: if tariff.tax_is_included { "included" } else { "excluded" },
            fallback_plan: tariff.fallback_plan.map(|plan| tariff.plans[plan as usize].name.clone()),
            exchange_days_max: tariff.exchange.days_max,
            rounding_places: tariff.prices.rounding.places,
            rounding_mode: mode_text(tariff.prices.rounding),
            rounding_line: rounding_text(tariff.line_rounding.line),
            rounding_invoice: rounding_text(tariff.line_rounding.invoice),
        }
    }
}

fn mode_text(rounding: Rounding) -> &'static str {
    match rounding.mode {
        RoundingMode::HalfUp => "half_up",
        RoundingMode::HalfEven => "half_even",
        RoundingMode::Up => "up",
        RoundingMode::Down => "down",
    }
}

fn rounding_text(rounding: Rounding) -> String {
    format!("{} places, {}", rounding.places, mode_text(rounding))
}

/// The zone tables of a tariff, each with what its keys are.
pub(crate) fn tables(tariff: &Tariff) -> [(&'static str, &[ZoneRule]); 5] {
    [
        ("prefix", &tariff.deck.rules),
        ("short code", &tariff.short_codes.rules),
        ("network", &tariff.networks.rules),
        ("roaming", &tariff.roaming.rules),
        ("class", &tariff.classes.rules),
    ]
}

/// A list of names in one line: the first ones, and how many more there are.
pub fn names_text<S: AsRef<str>>(names: &[S], shown_max: usize) -> String {
    let shown: Vec<&str> = names.iter().take(shown_max).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(shown_max) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A place without its line.
pub(crate) fn whole_file(file: &str) -> Place {
    Place { file: file.into(), line: None }
}

#[cfg(test)]
mod tests;
