//! The texts of a derivation: each step of the decision said in words, with the rule's place and the sum.

use domain::columns::rated::ZoneBy;
use domain::money::{Money, NANO_PLACES, RoundingMode};
use domain::number::masked;
use domain::usage::UsageKind;

use crate::explain::{BandStep, ChargeStep, ExplainInput, Neighbour, PriceStep, ZoneStep, amount, besides};
use crate::instant::time_text;
use crate::price::Facts;
use crate::price::charge::{Charged, fraction, fraction_beyond, free_units, parts, with_information};
use crate::price::edge::{self, Call, Piece, Stopped};
use crate::price::zone::Zoned;
use crate::tariff::band::BandClock;
use crate::tariff::deck::ZoneRule;
use crate::tariff::network::NetworkKey;
use crate::tariff::plan::BandEdge;
use crate::tariff::price_row::{Bounds, Formula, Information, PriceRow};
use crate::tariff::price_table::Charge;
use crate::tariff::{NONE_ROW, Tariff};

/// Longer prefixes that nearly match: how many are shown.
const NEAR_MAX: usize = 3;

pub(super) fn zone_step(tariff: &Tariff, input: &ExplainInput, zoned: &Zoned) -> ZoneStep {
    let name = |zone: u16| tariff.zones.name(u32::from(zone)).to_owned();
    let by_number = zoned.by == ZoneBy::Prefix || (zoned.zone.is_none() && input.b_number_type == "e164");
    ZoneStep {
        zone: zoned.zone.map(name),
        by: zoned.by.as_str(),
        asked: asked(tariff, input, zoned),
        neighbours: if by_number { neighbours(tariff, input, zoned.row) } else { Vec::new() },
    }
}

/// The questions of [`zone`](crate::price::zone) up to the one that decided, each with its answer.
fn asked(tariff: &Tariff, input: &ExplainInput, zoned: &Zoned) -> Vec<String> {
    let rule = |rules: &[ZoneRule], row: u32| {
        let rule = rules.get(row as usize);
        rule.map(|r| format!("`{}` → {} ({})", r.key, tariff.zones.name(u32::from(r.zone)), r.place))
    };
    let home = tariff.zones.name(u32::from(tariff.home));
    let mut asked = Vec::new();
    if input.network.is_empty() {
        asked.push(format!("network: the source names none, so the row counts as made at home ({home})"));
    } else {
        let row = match NetworkKey::parse(&input.network) {
            Some(NetworkKey::Network(network)) => tariff.networks.find(network, || tariff.day_of(input.start_us)),
            _ => NONE_ROW,
        };
        let answer = rule(&tariff.networks.rules, row).unwrap_or_else(|| "in no row of the tariff".to_owned());
        let days = tariff.networks.rules.get(row as usize).map(|rule| rule.days.text()).unwrap_or_default();
        asked.push(format!("network {}: {answer}{days}", input.network));
        if zoned.by == ZoneBy::Roaming {
            let pair = rule(&tariff.roaming.rules, zoned.row).unwrap_or_default();
            asked.push(format!("roaming: {pair}, by where it was made and whom it went to"));
            return asked;
        }
        if zoned.by == ZoneBy::Network || row == NONE_ROW {
            return asked;
        }
    }
    if input.provider_class.is_empty() {
        asked.push("class: the source gives none".to_owned());
    } else {
        let row = tariff.classes.find(&input.provider_class);
        let answer = rule(&tariff.classes.rules, row).unwrap_or_else(|| "not mapped by the tariff".to_owned());
        asked.push(format!("class {}: {answer}", input.provider_class));
    }
    // A subscriber's number is nobody's to read here; the rule names the digits that mattered.
    let number = match (input.b_number_type.as_str(), input.b_number.as_str()) {
        (_, "") => "none".to_owned(),
        ("short_code", code) => code.to_owned(),
        (_, number) => masked(number),
    };
    match zoned.by {
        ZoneBy::Network | ZoneBy::Roaming | ZoneBy::Class => {}
        ZoneBy::Home => asked.push(format!("destination: incoming usage and data have none, so the zone is {home}")),
        ZoneBy::Prefix => {
            let answer = rule(&tariff.deck.rules, zoned.row).map(|rule| format!("longest prefix {rule}"));
            let answer = answer.unwrap_or_else(|| "no digits, so the tariff's `unnumbered` zone".to_owned());
            asked.push(format!("destination {number}: {answer}"));
        }
        ZoneBy::ShortCode => {
            let answer = rule(&tariff.short_codes.rules, zoned.row).unwrap_or_default();
            asked.push(format!("destination {number}: short code {answer}"));
        }
        ZoneBy::None => asked.push(format!("destination {number} ({}): no row of the tariff matches", input.b_number_type)),
    }
    asked
}

/// Shorter prefixes that match as well, and the longer ones that agree with most digits of the number.
fn neighbours(tariff: &Tariff, input: &ExplainInput, deciding: u32) -> Vec<Neighbour> {
    let number = input.b_number.as_str();
    let common = |key: &str| key.bytes().zip(number.bytes()).take_while(|(a, b)| a == b).count();
    let longest = tariff.deck.rules.get(deciding as usize).map_or(0, |rule| rule.key.len());
    let day = tariff.day_of(input.start_us);
    let mut near: Vec<(usize, &ZoneRule, bool)> = Vec::new();
    for rule in &tariff.deck.rules {
        let (length, agrees) = (rule.key.len(), common(&rule.key));
        let matches = agrees == length;
        let is_over = matches && !rule.days.holds(day);
        if is_over || (matches && length < longest) || (!matches && length > longest && agrees >= longest.max(1)) {
            near.push((agrees, rule, matches));
        }
    }
    near.sort_by(|(a, x, _), (b, y, _)| b.cmp(a).then_with(|| x.key.cmp(&y.key)));
    let mut longer = 0;
    near.retain(|(_, _, matches)| {
        longer += usize::from(!matches);
        *matches || longer <= NEAR_MAX
    });
    let neighbour = |(_, rule, matches): (usize, &ZoneRule, bool)| Neighbour {
        prefix: rule.key.to_string(),
        zone: tariff.zones.name(u32::from(rule.zone)).to_owned(),
        place: rule.place.to_string(),
        matches,
        holds: (!rule.days.holds(day)).then(|| rule.days.text().trim_start().to_owned()),
    };
    near.into_iter().map(neighbour).collect()
}

pub(super) fn band_step(tariff: &Tariff, input: &ExplainInput, band: u8) -> BandStep {
    let bands = &tariff.bands;
    let offset_s = bands.clock_offset_s(tariff.zone(), input.start_us, input.start_offset_s);
    let clock = match bands.clock {
        BandClock::TariffZone => format!("by the tariff's clock ({})", tariff.zone().name()),
        BandClock::SourceOffset => "by the clock that the source wrote".to_owned(),
    };
    let why = match bands.window_at(tariff.zone(), input.start_us, input.start_offset_s) {
        Some(window) => format!("in the window {} ({})", window.text, window.place),
        None => "in no window, so the default band".to_owned(),
    };
    let [today, yesterday] = bands.calendars_at(tariff.zone(), input.start_us, input.start_offset_s);
    let says =
        |day: &str, named: &[&str]| if named.is_empty() { String::new() } else { format!("; {day} is in {}", named.join(", ")) };
    let date = says("the date", &today) + &says("the day before", &yesterday);
    BandStep {
        band: bands.names.name(u32::from(band)).to_owned(),
        local_time: time_text(input.start_us, Some(offset_s)),
        why: format!("{clock} {why}{date}"),
    }
}

/// A plan, and those on which it falls back up to the one whose price a row is.
fn sellers<'t>(tariff: &'t Tariff, row: &PriceRow, plan: &'t str) -> Vec<&'t str> {
    let mut sellers = vec![plan];
    while let Some(seller) = sellers.last().filter(|seller| !row.plans.iter().any(|name| name == *seller || name == "*"))
        && let Some(fallback) =
            tariff.plans.iter().find(|known| known.name == **seller).and_then(|known| known.fallback.as_deref())
    {
        sellers.push(fallback);
    }
    sellers
}

pub(super) fn price_step(tariff: &Tariff, charge: &Charge, plan: u32) -> PriceStep {
    let row = &tariff.prices.rows[charge.row as usize];
    let mut terms = Vec::new();
    let sellers = sellers(tariff, row, &tariff.plans[plan as usize].name);
    if sellers.len() > 1 {
        terms.push(format!("{}: a plan falls back on the next where it has no price of its own", sellers.join(" → ")));
    }
    terms.extend(besides::parties(&row.parties));
    match &row.formula {
        Formula::CostPlus { percent_nano, fixed_nano, bounds } => {
            terms.push(format!("provider's cost plus {} % plus {}", percent_text(*percent_nano), amount(*fixed_nano)));
            terms.extend(bounds_terms(*bounds));
        }
        Formula::Units { setup_nano, minimum, steps, extras, .. } => {
            terms.push(format!("setup {}, minimum {minimum}", amount(*setup_nano)));
            if extras.free_units > 0 {
                terms.push(format!("the first {} are free", extras.free_units));
            }
            for step in steps {
                let price = amount(step.unit_nano);
                terms.push(format!("from {} on: {price} per {}, in increments of {}", step.from, charge.per, step.increment));
            }
            if extras.disconnect_nano > 0 {
                terms.push(format!("disconnect {}", amount(extras.disconnect_nano)));
            }
            terms.extend(bounds_terms(extras.bounds));
            terms.extend(extras.information.map(|word| match word {
                Information::Listed => "and what the number asks, by the tariff's list".to_owned(),
                Information::Cost => "and what the provider asks".to_owned(),
            }));
            if charge.free_at_zero {
                terms.push("no units, no charge".to_owned());
            }
            terms.extend(match charge.band_edge {
                BandEdge::Start => None,
                BandEdge::Increment => Some("over a band's edge: each increment by the band in which it begins".to_owned()),
                BandEdge::Anew => Some("over a band's edge: each part in increments of its own".to_owned()),
            });
        }
    }
    PriceStep { row: charge.row, place: row.place.to_string(), terms }
}

fn bounds_terms(bounds: Bounds) -> impl Iterator<Item = String> {
    let bounds = [("at least", bounds.least_nano), ("at most", bounds.most_nano)];
    bounds.into_iter().filter_map(|(word, nano)| Some(format!("{word} {}", amount(nano?))))
}

/// Most pieces of a call that are shown.
const PIECES_MAX: usize = 50;

/// What of a record is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charging {
    /// All of it, as if there were no allowance.
    Whole,
    /// Nothing of its units; the setup fee, if it is wanted.
    Covered { with_setup: bool },
    /// What allowances left: so many units, from one of them on.
    Beyond { at: u64, rest: u64 },
}

pub(super) fn charge_step(call: &Call<'_, '_>, charge: &Charge, charged: Charged, how: Charging) -> ChargeStep {
    let Call { tariff, facts, .. } = *call;
    let units = facts.units.unwrap_or(0);
    let name = match facts.usage.kind() {
        UsageKind::Voice => "seconds",
        UsageKind::Sms | UsageKind::Mms => "messages",
        UsageKind::Data => "bytes",
    };
    let rounding = tariff.prices.rounding;
    let mode = match rounding.mode {
        RoundingMode::HalfUp => "half up",
        RoundingMode::HalfEven => "half to even",
        RoundingMode::Up => "up",
        RoundingMode::Down => "down",
    };
    let free = free_units(&tariff.prices, charge);
    let left = units.saturating_sub(free);
    let mut lines = Vec::new();
    if free > 0 {
        lines.push(format!("max(0, {units} - {free}) = {left} are not free"));
    }
    match left {
        _ if how != Charging::Whole => lines.extend(besides_allowances(call, charge, how)),
        0 if units > 0 => lines.push("all units are free, no charge for them".to_owned()),
        0 if charge.free_at_zero => lines.push("no units, no charge".to_owned()),
        _ if is_cut(call, charge) => {
            lines.extend(call.pieces(charge).map(|found| pieces(call, charge, &found)).unwrap_or_default());
        }
        _ => lines.extend(arithmetic(tariff, charge, left, facts, false)),
    }
    if units > 0 || !charge.free_at_zero {
        let (asked, term) = besides::information_lines(tariff, charge, facts);
        lines.extend(asked);
        lines.extend(term.map(|term| format!("that + {term} = {}", exact_text(call, charge, how))));
    }
    let total = format!("{} {}", amount(charged.charge_nano), tariff.currency());
    ChargeStep {
        units: format!("{units} {name}"),
        billed: charged.billed,
        arithmetic: lines,
        rounding: format!("rounded {mode} to {} places: {total}", rounding.places),
        taken: None,
        charge: total,
    }
}

/// The sum of what allowances leave of a record.
fn besides_allowances(call: &Call<'_, '_>, charge: &Charge, how: Charging) -> Vec<String> {
    let tariff = call.tariff;
    match how {
        Charging::Covered { with_setup: false } => vec!["allowances cover all of it, no charge for its units".to_owned()],
        Charging::Covered { with_setup: true } => {
            let setup = match &tariff.prices.rows[charge.row as usize].formula {
                Formula::Units { setup_nano, .. } => *setup_nano,
                Formula::CostPlus { .. } => 0,
            };
            vec![format!("allowances cover all of it; setup {}, which they leave", amount(setup))]
        }
        Charging::Beyond { at, rest } if charge.band_edge != BandEdge::Start => {
            let found = call.pieces_beyond(charge, at, rest).ok();
            found.map(|found| pieces(call, charge, &found)).unwrap_or_default()
        }
        Charging::Beyond { rest, .. } => {
            let left = format!(
                "allowances leave {rest}, counted by their increments; charged from the first step on, without a minimum"
            );
            std::iter::once(left).chain(arithmetic(tariff, charge, rest, call.facts, true)).collect()
        }
        Charging::Whole => Vec::new(),
    }
}

/// The whole sum before it is rounded.
fn exact_text(call: &Call<'_, '_>, charge: &Charge, how: Charging) -> String {
    let Call { tariff, facts, .. } = *call;
    let left = facts.units.unwrap_or(0).saturating_sub(free_units(&tariff.prices, charge));
    let setup = || match &tariff.prices.rows[charge.row as usize].formula {
        Formula::Units { setup_nano, .. } => i128::from(*setup_nano),
        Formula::CostPlus { .. } => 0,
    };
    let own = if let Charging::Covered { with_setup } = how {
        Some((if with_setup { setup() } else { 0 }, 1))
    } else if let Charging::Beyond { at, rest } = how {
        if charge.band_edge == BandEdge::Start {
            fraction_beyond(tariff, charge, rest).map(|(numerator, denominator, _)| (numerator, denominator))
        } else {
            call.pieces_beyond(charge, at, rest).ok().and_then(|pieces| edge::sum(tariff, charge, &pieces))
        }
    } else if left == 0 && facts.units.unwrap_or(0) > 0 {
        Some((0, 1))
    } else if is_cut(call, charge) {
        call.pieces(charge).ok().and_then(|pieces| edge::sum(tariff, charge, &pieces))
    } else {
        fraction(tariff, charge, left, facts).ok().map(|(numerator, denominator, _)| (numerator, denominator))
    };
    let sum = own.and_then(|own| with_information(tariff, charge, facts, own).ok());
    sum.map(|(numerator, denominator)| fraction_text(numerator, denominator)).unwrap_or_default()
}

/// Whether a call is charged by more than one band.
fn is_cut(call: &Call<'_, '_>, charge: &Charge) -> bool {
    charge.band_edge != BandEdge::Start && call.reaches_edge()
}

/// The band in which an increment begins that has no price.
pub(super) fn band_without_price(call: &Call<'_, '_>, first: &Charge) -> String {
    let Some(Stopped { at, .. }) = Some(first).filter(|first| is_cut(call, first)).and_then(|first| call.pieces(first).err())
    else {
        return String::new();
    };
    let at_us = call.instant(at).unwrap_or(call.facts.start_us);
    let band = call.tariff.bands.names.name(u32::from(call.band(at_us)));
    format!("; second {at}, {}, is in band {band}, which has no price", clock(call, at_us))
}

fn clock(call: &Call<'_, '_>, at_us: i64) -> String {
    let Call { tariff, facts, .. } = call;
    time_text(at_us, Some(tariff.bands.clock_offset_s(tariff.zone(), at_us, facts.offset_s)))
}

/// The sum of a call over an edge, from the pieces that the computation itself uses.
fn pieces(call: &Call<'_, '_>, first: &Charge, pieces: &[Piece<'_>]) -> Vec<String> {
    let tariff = call.tariff;
    let Some((numerator, denominator)) = edge::sum(tariff, first, pieces) else { return Vec::new() };
    let Formula::Units { setup_nano, extras, .. } = &tariff.prices.rows[first.row as usize].formula else { return Vec::new() };
    let (mut lines, mut terms) = (Vec::new(), vec![amount(*setup_nano)]);
    for piece in pieces.iter().take(PIECES_MAX) {
        let (at, row) = (piece.at, &tariff.prices.rows[piece.charge.row as usize]);
        let place = match &sellers(tariff, row, &tariff.plans[call.plan as usize].name)[..] {
            [_] => row.place.to_string(),
            lent => format!("{}, {}", lent.join(" → "), row.place),
        };
        let clock = clock(call, call.instant(at).unwrap_or(call.facts.start_us));
        lines.push(if piece.is_minimum {
            format!("from second {at}, {clock}: the minimum at the price of the start = {} billed ({place})", piece.billed)
        } else {
            let (increments, size) = (piece.billed / piece.step.increment, piece.step.increment);
            let band = tariff.bands.names.name(u32::from(piece.band));
            format!("from second {at}, {clock}, band {band}: {increments} × {size} = {} billed ({place})", piece.billed)
        });
        terms.push(format!("{} × {} / {}", amount(piece.step.unit_nano), piece.billed, piece.charge.per));
    }
    if let Some(more) = pieces.len().checked_sub(PIECES_MAX).filter(|more| *more > 0) {
        lines.push(format!("and {more} pieces more"));
        terms.push("…".to_owned());
    }
    if extras.disconnect_nano > 0 {
        terms.push(amount(extras.disconnect_nano));
    }
    let billed: u64 = pieces.iter().map(|piece| piece.billed).sum();
    let (sum, exact) = (bounded(extras.bounds, &terms.join(" + ")), fraction_text(numerator, denominator));
    lines.push(format!("{sum} = {exact} ({billed} billed)"));
    lines
}

/// The sum within the least and the most of a record.
fn bounded(bounds: Bounds, sum: &str) -> String {
    match (bounds.least_nano.map(amount), bounds.most_nano.map(amount)) {
        (None, None) => sum.to_owned(),
        (Some(least), None) => format!("max({least}, {sum})"),
        (None, Some(most)) => format!("min({most}, {sum})"),
        (Some(least), Some(most)) => format!("min({most}, max({least}, {sum}))"),
    }
}

/// The sum of a charge, from the parts that the computation itself uses; of what is beyond allowances without the minimum.
fn arithmetic(tariff: &Tariff, charge: &Charge, units: u64, facts: &Facts, is_beyond: bool) -> Vec<String> {
    let found = if is_beyond { fraction_beyond(tariff, charge, units) } else { fraction(tariff, charge, units, facts).ok() };
    let Some((numerator, denominator, billed)) = found else {
        return Vec::new();
    };
    let exact = fraction_text(numerator, denominator);
    match &tariff.prices.rows[charge.row as usize].formula {
        Formula::CostPlus { percent_nano, fixed_nano, bounds } => {
            let (cost, percent) = (besides::cost_text(tariff, facts), percent_text(*percent_nano));
            let sum = format!("{cost} × (100 + {percent}) / 100 + {}", amount(*fixed_nano));
            let mut lines: Vec<String> = besides::rate_line(tariff, facts).into_iter().collect();
            lines.push(format!("{} = {exact}", bounded(*bounds, &sum)));
            lines
        }
        Formula::Units { setup_nano, minimum, steps, extras, .. } => {
            let (mut lines, mut terms) = (Vec::new(), vec![amount(*setup_nano)]);
            let minimum = if is_beyond { 0 } else { *minimum };
            for part in parts(steps, minimum, units) {
                let step = part.step;
                lines.push(format!(
                    "from {}: {} + ⌈max(0, {} - {}) / {}⌉ × {} = {} billed",
                    step.from, part.minimum, part.used, part.minimum, step.increment, step.increment, part.billed
                ));
                terms.push(format!("{} × {} / {}", amount(step.unit_nano), part.billed, charge.per));
            }
            if units > 0 && extras.disconnect_nano > 0 {
                terms.push(amount(extras.disconnect_nano));
            }
            let bounded = bounded(extras.bounds, &terms.join(" + "));
            lines.push(format!("{bounded} = {exact} ({billed} billed)"));
            lines
        }
    }
}

fn percent_text(nano: i64) -> String {
    let text = Money(i128::from(nano)).to_text(NANO_PLACES);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A fraction of nano-units with twelve places, and `…` if it does not end there.
fn fraction_text(numerator: i128, denominator: i128) -> String {
    let (nano, rest) = (numerator / denominator, (numerator % denominator).abs());
    let (thousandths, left) = (rest * 1000 / denominator, rest * 1000 % denominator);
    let sign = if nano == 0 && numerator < 0 { "-" } else { "" };
    let text = format!("{sign}{}{thousandths:03}", Money(nano).to_text(NANO_PLACES));
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if left == 0 { short.to_owned() } else { format!("{text}…") }
}
