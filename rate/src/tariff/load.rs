//! From texts to a tariff: raw values are checked one by one, names become codes, tables become look-ups.

mod lines;
mod tables;
mod zones;

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use domain::ids::Names;
use domain::money::Currency;
use domain::zone::{SECOND_US, Zone};

use crate::error::{Place, TariffError};
use crate::tariff::allowance::Allowances;
use crate::tariff::band::{BandClock, Bands};
use crate::tariff::calendar::{Calendars, DATES_MAX, day_of, day_of_text};
use crate::tariff::companion::{Companion, Format, optional, required, separator};
use crate::tariff::coverage::Known;
use crate::tariff::deck::{Deck, ShortCodes, ZoneRule};
use crate::tariff::discount::{self, Discount};
use crate::tariff::field::{UNITS_MAX, bad, midnight, name, plan_name, whole};
use crate::tariff::network::Networks;
use crate::tariff::plan::{BandEdge, Plan};
use crate::tariff::price_row::{COLUMNS, PRICES_MAX, PriceRow, ZeroUsage};
use crate::tariff::price_table::{PriceTable, Scope, unknown};
use crate::tariff::raw::{RawTables, RawTariff, TomlFile};
use crate::tariff::total;
use crate::tariff::{Classes, Tariff, TariffSource, VERSION_DIGITS, content_hash};

/// Longest TOML text, 4 MiB, and longest companion, 256 MiB: a million rows fit many times.
const TOML_BYTES_MAX: usize = 4 << 20;
const COMPANION_BYTES_MAX: usize = 256 << 20;

const SHORT_CODES_MAX: usize = 10_000;
const CLASSES_MAX: usize = 10_000;
const PLANS_MAX: usize = 10_000;

/// Codes are 16 bits and the last one means "none".
const ZONES_MAX: usize = 10_000;

/// A call that begins on a tariff's last day ends at most so much later: [`SECONDS_MAX`](crate::price::edge::SECONDS_MAX).
const LONGEST_DAYS: i32 = 368;

static SAME_NAMES: BTreeMap<String, String> = BTreeMap::new();

/// The tables that a tariff names: the field and the file.
fn named_tables(raw: &RawTariff) -> impl Iterator<Item = (&'static str, &str)> {
    let tables = [
        ("destinations.table", &raw.destinations.table),
        ("networks.table", &raw.networks.table),
        ("roaming.table", &raw.roaming.table),
        ("information.table", &raw.information.table),
        ("exchange.table", &raw.exchange.table),
        ("classes.table", &raw.classes.table),
        ("plans.table", &raw.plans.table),
        ("prices.table", &raw.prices.table),
    ];
    let calendars = raw.calendar.iter().map(|calendar| ("calendar.table", &calendar.get_ref().table));
    tables.into_iter().chain(calendars).filter_map(|(field, file)| file.as_deref().map(|file| (field, file)))
}

/// A companion lies beside the tariff: no folders, no hidden files.
fn is_plain_file_name(file: &str) -> bool {
    !file.is_empty() && file.len() <= 128 && !file.starts_with('.') && !file.contains(['/', '\\', ':', '\0'])
}

pub(super) fn companions(toml: &str) -> Vec<String> {
    let file = TomlFile { name: "".into(), text: toml };
    let mut names: Vec<String> = file.read().map_or_else(
        |_| Vec::new(),
        |raw| named_tables(&raw).map(|(_, name)| name.to_owned()).filter(|name| is_plain_file_name(name)).collect(),
    );
    names.sort();
    names.dedup();
    names
}

/// Compiles a tariff for calls while it is in force, or `at_all_times`.
pub(super) fn tariff(source: &TariffSource, at_all_times: bool) -> Result<Tariff, TariffError> {
    let toml = source.toml.strip_prefix('\u{feff}').unwrap_or(&source.toml);
    let file = TomlFile { name: source.name.as_str().into(), text: toml };
    if toml.len() > TOML_BYTES_MAX {
        return Err(TariffError::TooMany { place: file.whole(), what: "bytes of TOML", limit: TOML_BYTES_MAX });
    }
    let raw = file.read()?;
    let format = format(&file.whole(), &raw.tables)?;
    let loader = Loader { place: file.whole(), file: &file, raw: &raw, source, format, at_all_times };
    loader.check_companions()?;
    loader.load()
}

struct Loader<'t> {
    place: Place,
    file: &'t TomlFile<'t>,
    raw: &'t RawTariff,
    source: &'t TariffSource,
    format: Format,
    at_all_times: bool,
}

impl<'t> Loader<'t> {
    fn load(&self) -> Result<Tariff, TariffError> {
        let (raw, place) = (self.raw, &self.place);
        name(place, "name", &raw.name)?;
        let (currency, zone) = self.currency_and_zone()?;
        let (from_us, to_us) = self.in_force(&zone)?;
        let (zones, tables) = self.zone_tables()?;
        let home = zone_code(&zones, &raw.home_zone);
        let unnumbered = raw.destinations.unnumbered.as_deref().map(|zone| zone_code(&zones, zone));
        let lead = tables.lead(home, unnumbered);
        let roaming = Self::roaming(tables.roaming, &zones, &lead)?;
        let (deck, short_codes) = (Deck::build(tables.prefixes)?, ShortCodes::build(tables.short_codes)?);
        let (networks, classes) = (Networks::build(tables.networks)?, classes(tables.classes)?);
        let (information, exchange, plans) = (self.information()?, self.exchange(currency)?, self.plans()?);
        let bands = self.bands(from_us, to_us)?;
        let zero_usage = raw.zero_usage.as_deref().map_or(Ok(ZeroUsage::Free), |text| ZeroUsage::parse(place, text))?;
        let scope = Scope {
            file: place.clone(),
            plans: &plans,
            zones: &zones,
            bands: &bands.names,
            rounding: self.rounding("rounding", raw.rounding.places, &raw.rounding.mode)?,
            zero_usage,
            tax_class: raw.tax_class.as_deref(),
            has_information: information.is_some(),
        };
        let prices = PriceTable::build(&scope, self.price_rows()?)?;
        let known = Known { plans: &plans, zones: &zones, bands: &bands.names, prices: &prices };
        let allowances = Allowances::build(self.file, &raw.allowance, &known)?;
        let discounts = discount::build(self.file, &raw.discount, &known)?;
        let (fees, commitments) = self.charges(&known)?;
        let settles = settled_plans(&known, &allowances, &discounts);
        let (fallback_plan, tax_is_included) = (self.fallback_plan(&plans)?, self.tax_is_included()?);
        let sha256 = self.content_hash();
        Ok(Tariff {
            id: format!("{}@{}", raw.name, &sha256[..VERSION_DIGITS]).into(),
            sha256,
            name: raw.name.clone(),
            currency,
            zone,
            from_us,
            to_us,
            home,
            unnumbered,
            fallback_plan,
            tax_is_included,
            tax_class: raw.tax_class.clone(),
            deck,
            short_codes,
            networks,
            roaming,
            classes,
            information,
            exchange,
            zones,
            bands,
            plans,
            prices,
            allowances,
            discounts,
            fees,
            commitments,
            line_rounding: self.line_rounding()?,
            settles,
        })
    }

    fn bands(&self, from_us: i64, to_us: i64) -> Result<Bands, TariffError> {
        let days = if self.at_all_times { i32::MIN..=i32::MAX } else { days_of(from_us, to_us) };
        let (clock, calendars) = (self.band_clock()?, self.calendars()?);
        Bands::build(self.file, &self.raw.default_band, clock, &self.raw.band, calendars, days)
    }

    fn currency_and_zone(&self) -> Result<(Currency, Zone), TariffError> {
        let (raw, place) = (self.raw, &self.place);
        let currency = Currency::parse(&raw.currency)
            .ok_or_else(|| bad(place, "currency", &raw.currency, "three capital letters such as EUR are expected"))?;
        let zone = Zone::load(&raw.time_zone)
            .ok_or_else(|| bad(place, "time_zone", &raw.time_zone, "a zone name such as Europe/Amsterdam is expected"))?;
        Ok((currency, zone))
    }

    /// The first instant in force, and the first one that is no longer.
    fn in_force(&self, zone: &Zone) -> Result<(i64, i64), TariffError> {
        let (raw, place) = (self.raw, &self.place);
        let from_us = midnight(place, "valid_from", &raw.valid_from, zone)?;
        let to_us = raw.valid_to.as_ref().map_or(Ok(i64::MAX), |date| midnight(place, "valid_to", date, zone))?;
        if to_us <= from_us {
            let to = raw.valid_to.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(bad(place, "valid_to", to, "it is the first day that is no longer in force, so after `valid_from`"));
        }
        Ok((from_us, to_us))
    }

    /// Every table that the tariff names must be there, under a plain name and not too long.
    fn check_companions(&self) -> Result<(), TariffError> {
        for (field, file) in named_tables(self.raw) {
            if !is_plain_file_name(file) {
                return Err(bad(&self.place, field, file, "the name of a file beside the tariff is expected, without folders"));
            }
            let Some(text) = self.source.companions.get(file) else {
                return Err(TariffError::MissingCompanion { place: self.place.clone(), field, file: file.to_owned() });
            };
            if text.len() > COMPANION_BYTES_MAX {
                let place = Place { file: file.into(), line: None };
                return Err(TariffError::TooMany { place, what: "bytes", limit: COMPANION_BYTES_MAX });
            }
        }
        Ok(())
    }

    fn content_hash(&self) -> String {
        let mut files: Vec<&str> = named_tables(self.raw).map(|(_, file)| file).collect();
        files.sort_unstable();
        files.dedup();
        content_hash(&self.source.toml, files.into_iter().map(|file| (file, self.source.companions[file].as_str())))
    }

    fn companion(&self, file: Option<&String>, columns: &'t BTreeMap<String, String>) -> Option<Companion<'t>> {
        let file = file?;
        Some(Companion { file: file.as_str().into(), text: self.source.companions.get(file)?, columns, format: self.format })
    }

    fn band_clock(&self) -> Result<BandClock, TariffError> {
        match self.raw.band_clock.as_deref() {
            None | Some("tariff_zone") => Ok(BandClock::TariffZone),
            Some("source_offset") => Ok(BandClock::SourceOffset),
            Some(other) => Err(bad(&self.place, "band_clock", other, "`tariff_zone` or `source_offset` is expected")),
        }
    }

    fn tax_is_included(&self) -> Result<bool, TariffError> {
        if let Some(class) = &self.raw.tax_class {
            name(&self.place, "tax_class", class)?;
        }
        match self.raw.tax.as_deref() {
            None | Some("excluded") => Ok(false),
            Some("included") => Ok(true),
            Some(other) => Err(bad(&self.place, "tax", other, "`excluded` or `included` is expected")),
        }
    }

    /// The plan that holds for plans that nobody sells.
    fn fallback_plan(&self, plans: &[Plan]) -> Result<Option<u32>, TariffError> {
        let Some(wanted) = &self.raw.fallback_plan else { return Ok(None) };
        let number = plans.iter().position(|plan| plan.name == *wanted).and_then(|at| u32::try_from(at).ok());
        let known = plans.iter().map(|plan| plan.name.as_str());
        let missing = || unknown(&self.place, "fallback_plan", wanted, "no plan of this tariff has that name", known);
        number.map(Some).ok_or_else(missing)
    }

    fn calendars(&self) -> Result<Calendars, TariffError> {
        let mut calendars = Calendars::default();
        for spanned in &self.raw.calendar {
            let (place, raw) = (self.file.place(spanned), spanned.get_ref());
            let mut days = raw.dates.iter().map(|date| day_of(&place, date)).collect::<Result<Vec<_>, _>>()?;
            if let Some(companion) = self.companion(raw.table.as_ref(), &SAME_NAMES) {
                companion.each(&[required("date", "day"), optional("name")], DATES_MAX, |place, [date, _]| {
                    days.push(day_of_text(&place, "date", date)?);
                    Ok(())
                })?;
            }
            calendars.add(place, &raw.name, days)?;
        }
        Ok(calendars)
    }

    fn plans(&self) -> Result<Vec<Plan>, TariffError> {
        let mut plans = Vec::new();
        for spanned in &self.raw.plan {
            let (place, raw) = (self.file.place(spanned), spanned.get_ref());
            let bytes = raw.mb_bytes.map(|bytes| whole(&place, "mb_bytes", &bytes.to_string(), 1..=UNITS_MAX)).transpose()?;
            let band_edge = BandEdge::parse(&place, raw.band_edge.as_deref().unwrap_or_default())?;
            plans.push(Plan { name: raw.name.clone(), mb_bytes: bytes, band_edge, fallback: raw.fallback.clone(), place });
        }
        if let Some(companion) = self.companion(self.raw.plans.table.as_ref(), &SAME_NAMES) {
            companion.each(
                &[required("plan", "plan_id"), required("mb_bytes", "mb_bytes"), optional("band_edge"), optional("fallback")],
                PLANS_MAX,
                |place, [plan, mb, band_edge, fallback]| {
                    let bytes = if mb.is_empty() { None } else { Some(whole(&place, "mb_bytes", mb, 1..=UNITS_MAX)?) };
                    let band_edge = BandEdge::parse(&place, band_edge)?;
                    let fallback = Some(fallback).filter(|name| !name.is_empty()).map(str::to_owned);
                    plans.push(Plan { name: plan.to_owned(), mb_bytes: bytes, band_edge, fallback, place });
                    Ok(())
                },
            )?;
        }
        if plans.len() > PLANS_MAX {
            return Err(TariffError::TooMany { place: self.place.clone(), what: "plans", limit: PLANS_MAX });
        }
        if plans.is_empty() {
            return Err(bad(&self.place, "plan", "absent", "a tariff sells at least one plan; add a [[plan]] or [plans] table"));
        }
        let mut seen: HashMap<&str, &Place> = HashMap::new();
        for plan in &plans {
            plan_name(&plan.place, &plan.name)?;
            if let Some(first) = seen.insert(&plan.name, &plan.place) {
                let (place, first) = (plan.place.clone(), first.clone());
                return Err(TariffError::Twice { place, what: format!("plan `{}`", plan.name), first });
            }
        }
        Ok(plans)
    }

    fn price_rows(&self) -> Result<Vec<PriceRow>, TariffError> {
        let usual = total::of_head(&self.place, self.raw.rounding_scope.as_deref())?;
        let inline =
            self.raw.price.iter().map(|price| PriceRow::from_toml(self.file.place(price), price.get_ref(), usual.as_ref()));
        let mut rows: Vec<PriceRow> = inline.collect::<Result<_, _>>()?;
        if let Some(companion) = self.companion(self.raw.prices.table.as_ref(), &self.raw.prices.columns) {
            companion.each(&COLUMNS, PRICES_MAX, |place, fields| {
                rows.push(PriceRow::from_fields(place, fields, usual.as_ref())?);
                Ok(())
            })?;
        }
        if rows.len() > PRICES_MAX {
            return Err(TariffError::TooMany { place: self.place.clone(), what: "prices", limit: PRICES_MAX });
        }
        Ok(rows)
    }
}

/// By number of the plan: whether what its records come to hangs on others of the customer.
fn settled_plans(known: &Known<'_>, allowances: &Allowances, discounts: &[Discount]) -> Vec<bool> {
    let is_settled = |(plan, _): (u32, &Plan)| {
        let has_discount = discounts.iter().any(|discount| discount.coverage.is_of(plan));
        has_discount || !allowances.of(plan).is_empty() || known.prices.has_totals(plan)
    };
    (0..).zip(known.plans).map(is_settled).collect()
}

/// How the tables say that they are written.
fn format(place: &Place, raw: &RawTables) -> Result<Format, TariffError> {
    let word = raw.separator.as_deref().unwrap_or(",");
    let separator = separator(word).ok_or_else(|| bad(place, "tables.separator", word, "`,`, `;` or `tab` is expected"))?;
    let has_decimal_commas = match raw.decimal_mark.as_deref() {
        None | Some(".") => false,
        Some(",") => true,
        Some(other) => return Err(bad(place, "tables.decimal_mark", other, "`.` or `,` is expected")),
    };
    Ok(Format { separator, has_decimal_commas })
}

/// The local days, since 1970, on which calls can begin or be under way.
fn days_of(from_us: i64, to_us: i64) -> RangeInclusive<i32> {
    let day = |instant_us: i64| i32::try_from(instant_us.div_euclid(86_400 * SECOND_US)).unwrap_or(i32::MAX);
    day(from_us).saturating_sub(2)..=day(to_us).saturating_add(LONGEST_DAYS)
}

fn zone_code(zones: &Names, zone: &str) -> u16 {
    zones.code(zone).and_then(|code| u16::try_from(code).ok()).expect("the list was made of all zones, at most 10,000")
}

fn classes(rules: Vec<ZoneRule>) -> Result<Classes, TariffError> {
    let mut by_name: HashMap<Box<str>, u32> = HashMap::new();
    for (row, rule) in rules.iter().enumerate() {
        if rule.key.is_empty() {
            return Err(bad(&rule.place, "class", "", "the provider's name of a rate class is expected"));
        }
        let number = u32::try_from(row).expect("a table has at most 10,000 rows");
        if let Some(first) = by_name.insert(rule.key.clone(), number) {
            let (place, first) = (rule.place.clone(), rules[first as usize].place.clone());
            return Err(TariffError::Twice { place, what: format!("class `{}`", rule.key), first });
        }
    }
    Ok(Classes { rules, by_name })
}
