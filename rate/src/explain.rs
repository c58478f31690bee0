//! Explain: how one row came to its charge or its reason, as texts, out of the same decisions that priced it.
//!
//! The row comes as the table's columns hold it, so that any entry can be explained later with the tariff version that it
//! names; nothing here decides anything: zone, band, price and charge are asked of [`price`](crate::price).

mod allowance;
mod besides;
mod derivation;
mod running;
mod texts;

use domain::columns::linked::{NO_GROUP, Party};
use domain::columns::parsed::NO_COST;
use domain::columns::rated::RatedBatch;
use domain::money::{Currency, Money};
use domain::number::{Network, Number, NumberKind};
use domain::outcome::Reason;
use domain::usage::Usage;

use self::allowance::Drawing;
pub use self::derivation::{AllowanceStep, BandStep, ChargeStep, Derivation, Neighbour, PriceStep, TariffStep, ZoneStep};
use self::texts::Charging;
use crate::error::ExplainError;
use crate::instant::time_text;
use crate::price::allowance::Covered;
use crate::price::edge::Call;
use crate::price::{Facts, decide, sale_at, units};
use crate::settle::Trace;
use crate::tariff::network::NetworkKey;
use crate::tariff::set::TariffSet;
use crate::tariff::{NONE_ROW, Tariff};

/// A row as `cdr_entries` holds it; each field has the name of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainInput {
    /// Kind and direction: `voice-mo`.
    pub kind: String,
    /// `start`, microseconds UTC.
    pub start_us: i64,
    /// The source's clock, seconds east of UTC.
    pub start_offset_s: i32,
    /// Seconds; 0 where null.
    pub duration_s: i32,
    /// Bytes sent; 0 where null.
    pub bytes_up: i64,
    /// Bytes received; 0 where null.
    pub bytes_down: i64,
    /// Message parts; 1 where null.
    pub messages: i32,
    /// Digits or text of the other party; empty where null.
    pub b_number: String,
    /// `e164`, `short_code`, `alphanumeric`, `masked` or `absent`.
    pub b_number_type: String,
    /// MCC-MNC or TADIG code; empty where null.
    pub network: String,
    /// The provider's rate class; empty where null.
    pub provider_class: String,
    /// The provider's cost in nano-units, if the source gave one.
    pub cost_nano: Option<i64>,
    /// The currency of the cost.
    pub cost_currency: Option<Currency>,
    /// `group_customer`, `group`, `own_customer`, `own_network` or `other`; empty where null.
    pub party: String,
    /// Whether the line is in a group.
    pub has_group: bool,
    /// The plan; `None` for a row without a device.
    pub plan: Option<String>,
    /// The tariff version that priced the row, to explain it by that one; `None`: the version in force at the start.
    pub tariff: Option<String>,
}

impl ExplainInput {
    /// Row `i` of a batch, as it will stand in the table.
    pub fn of(batch: &RatedBatch, i: usize) -> Self {
        let parsed = &batch.linked.parsed;
        let columns = &parsed.columns;
        let owners = &batch.linked.owners;
        let mut b_number = String::new();
        columns.b_number[i].write(&parsed.texts, &mut b_number).expect("a string takes every text");
        let class = columns.class.get(i).and_then(|code| usize::from(*code).checked_sub(1));
        let plan = owners.windows.get(batch.linked.owner[i] as usize).map(|owner| owners.plans.name(owner.plan).to_owned());
        Self {
            kind: columns.usage[i].as_str().to_owned(),
            start_us: columns.start_us[i],
            start_offset_s: columns.offset_s[i],
            duration_s: columns.duration_s[i],
            bytes_up: columns.bytes_up.get(i).copied().unwrap_or(0),
            bytes_down: columns.bytes_down.get(i).copied().unwrap_or(0),
            messages: columns.messages.get(i).copied().unwrap_or(1),
            b_number,
            b_number_type: columns.b_number[i].kind().as_str().to_owned(),
            network: columns.network.get(i).map(ToString::to_string).unwrap_or_default(),
            provider_class: class.and_then(|code| parsed.classes.get(code)).map(ToString::to_string).unwrap_or_default(),
            cost_nano: columns.cost_nano.get(i).copied().filter(|cost| *cost != NO_COST),
            cost_currency: Some(parsed.file.cost_currency),
            party: Party::from_code(batch.columns.party[i]).name().unwrap_or_default().to_owned(),
            has_group: owners.windows.get(batch.linked.owner[i] as usize).is_some_and(|owner| owner.group != NO_GROUP),
            plan,
            tariff: batch.labels.tariffs.get(usize::from(batch.columns.tariff[i])).map(|label| label.id.to_string()),
        }
    }

    /// What pricing asks of it.
    pub(crate) fn facts(&self) -> Result<Facts, ExplainError> {
        let usage = Usage::parse(&self.kind);
        let usage = usage.ok_or_else(|| bad("kind", &self.kind, "a kind such as voice-mo, sms-mt or data is expected"))?;
        let party = if self.party.is_empty() { Some(Party::Unasked) } else { Party::parse(&self.party) };
        Ok(Facts {
            usage,
            start_us: self.start_us,
            offset_s: self.start_offset_s,
            b_number: self.number()?,
            network: self.visited()?,
            units: units(usage.kind(), self.duration_s, (self.bytes_up, self.bytes_down), self.messages),
            cost_nano: self.cost_nano.filter(|_| self.cost_currency.is_some()),
            cost_currency: self.cost_currency.unwrap_or(Currency::EUR),
            has_group: self.has_group,
            party: party.ok_or_else(|| {
                bad("party", &self.party, "group_customer, group, own_customer, own_network or other is expected")
            })?,
        })
    }

    fn number(&self) -> Result<Number, ExplainError> {
        let digits = || {
            let length = u32::try_from(self.b_number.len()).ok().filter(|n| *n <= 15);
            let value = self.b_number.parse::<u64>().ok().filter(|_| self.b_number.bytes().all(|c| c.is_ascii_digit()));
            value.zip(length).ok_or_else(|| bad("b_number", &self.b_number, "1 to 15 digits are expected"))
        };
        Ok(match self.b_number_type.as_str() {
            "e164" => digits().map(|(value, length)| Number::e164(value, length))?,
            "short_code" => digits().map(|(value, length)| Number::short_code(value, length))?,
            "alphanumeric" => Number::text(NumberKind::Alphanumeric, 0),
            "masked" => Number::text(NumberKind::Masked, 0),
            "absent" | "" => Number::ABSENT,
            other => {
                let expected = "e164, short_code, alphanumeric, masked or absent is expected";
                return Err(bad("b_number_type", other, expected));
            }
        })
    }

    fn visited(&self) -> Result<Network, ExplainError> {
        if self.network.is_empty() {
            return Ok(Network::ABSENT);
        }
        match NetworkKey::parse(&self.network) {
            Some(NetworkKey::Network(network)) => Ok(network),
            _ => Err(bad("network", &self.network, "an MCC-MNC or a TADIG code is expected")),
        }
    }
}

fn bad(field: &'static str, value: &str, expected: &'static str) -> ExplainError {
    ExplainError::BadField { field, value: value.to_owned(), expected }
}

/// Explains a row: by the tariff version that it names, else by the one that sells its plan at its start. Where allowances cover it, it
/// is told what it costs without them.
pub fn explain(input: &ExplainInput, tariffs: &TariffSet) -> Result<Derivation, ExplainError> {
    explain_settled(input, tariffs, None)
}

/// The same of a row of which it is known how it draws from allowances.
pub fn explain_settled(input: &ExplainInput, tariffs: &TariffSet, trace: Option<&Trace>) -> Result<Derivation, ExplainError> {
    let Some(plan) = &input.plan else {
        return Ok(Derivation::suspense(Reason::NoDevice, None));
    };
    let (tariff, number) = match &input.tariff {
        Some(id) => {
            let tariff = tariffs.version(id).ok_or_else(|| ExplainError::UnknownVersion(id.clone()))?;
            let number = tariff.plan_names().position(|name| name == plan);
            let number = number.and_then(|n| u32::try_from(n).ok()).or(tariff.fallback_plan);
            (tariff, number.ok_or_else(|| bad("plan", plan, "a plan of the tariff version that priced the row is expected"))?)
        }
        None => match sale_at(&tariffs.sales_or_fallback(plan), input.start_us) {
            Ok(sale) => (&tariffs.tariffs()[usize::from(sale.tariff)], sale.plan),
            Err(reason) => return Ok(Derivation::suspense(reason, Some(plan.clone()))),
        },
    };
    let facts = input.facts()?;
    let class_row = if input.provider_class.is_empty() { NONE_ROW } else { tariff.classes.find(&input.provider_class) };
    let mut verdict = decide(tariff, number, &facts, class_row);
    let covered = Covered::of(tariff, number, &facts, &verdict);
    let drawing = covered.as_ref().map(|record| allowance::drawing(record, trace));
    if let Some(drawing) = &drawing {
        verdict.charged = drawing.charged;
    }
    let reason = verdict.charged.as_ref().err().copied();
    let zone = verdict.zoned.zone;
    let charge = zone.and_then(|zone| tariff.prices.find(number, facts.usage, zone, facts.party, verdict.band));
    let call = zone.map(|zone| Call { tariff, plan: number, zone, facts: &facts });
    let mut band = texts::band_step(tariff, input, verdict.band);
    if let (Some(Reason::NoPrice), Some(charge), Some(call)) = (reason, charge, &call) {
        band.why += &texts::band_without_price(call, charge);
    }
    Ok(Derivation {
        outcome: reason.map_or("rated", Reason::as_str),
        remedy: reason.map(Reason::remedy),
        plan: Some(plan.clone()),
        tariff: Some(tariff_step(tariff, plan)),
        zone: Some(texts::zone_step(tariff, input, &verdict.zoned)),
        party: besides::party(facts.party),
        is_settled: covered.is_some(),
        charge_nano: drawing.as_ref().map_or(verdict.charged.ok().map(|charged| charged.charge_nano), Drawing::charge_nano),
        band: Some(band),
        price: charge.map(|charge| {
            let mut step = texts::price_step(tariff, charge, number);
            step.terms.extend(reason.and_then(|reason| besides::missing(tariff, &facts, reason)));
            step
        }),
        tax: charge.filter(|_| reason.is_none() && tariff.says_tax()).map(|charge| besides::tax(tariff, charge)),
        charge: charge.zip(verdict.charged.ok()).zip(call).map(|((charge, charged), call)| {
            let how = drawing.as_ref().map_or(Charging::Whole, |drawing| drawing.how);
            let mut step = texts::charge_step(&call, charge, charged, how);
            if let Some((drawing, record)) = drawing.as_ref().zip(covered.as_ref()) {
                drawing.run_on(record, &mut step);
                drawing.take_money(&mut step, tariff);
            }
            step
        }),
        allowance: drawing.map(|drawing| drawing.steps).unwrap_or_default(),
    })
}

fn tariff_step(tariff: &Tariff, plan: &str) -> TariffStep {
    let text = |instant_us| time_text(instant_us, Some(tariff.zone().offset_at(instant_us)));
    let until =
        if tariff.to_us() == i64::MAX { "until further notice".to_owned() } else { format!("until {}", text(tariff.to_us())) };
    TariffStep {
        id: tariff.id().to_string(),
        currency: tariff.currency().to_string(),
        in_force: format!("from {} {until} ({})", text(tariff.from_us()), tariff.zone().name()),
        fallback: besides::fallback(tariff, plan),
    }
}

/// An amount in nano-units, as texts show it.
fn amount(nano: impl Into<i128>) -> String {
    Money(nano.into()).to_string()
}

#[cfg(test)]
mod tests;
