//! Price: a linked batch learns what each row costs and how that came about, or why it has no price.
//!
//! Per row, in this order, the first that fails being its reason: an owner ([`Reason::NoDevice`]), a tariff that sells the
//! plan at all ([`Reason::NoPlan`]) and at the row's start ([`Reason::NoTariff`]), a zone ([`zone`], [`Reason::NoZone`]), a
//! price for plan, kind, zone and band ([`Reason::NoPrice`]), the provider's cost where the price builds on it
//! ([`Reason::NoCost`]), a charge that a row can hold ([`Reason::ChargeLimit`]). A row in suspense keeps what was found
//! before.

pub mod zone;
pub mod charge;
mod cycle;
pub(crate) mod edge;

use domain::columns::linked::LinkedBatch;
use domain::columns::parsed::{NO_COST, ParsedBatch, ParsedColumns};
use domain::columns::rated::{NO_PERIOD, NONE, RatedBatch, RatedColumns, ZoneBy};
use domain::number::{Network, Number};
use domain::outcome::Reason;
use domain::usage::{Usage, UsageKind};

use crate::price::charge::Charged;
use crate::price::cycle::Cycles;
use crate::price::zone::{ZoneFacts, Zoned};
use crate::tariff::plan::BandEdge;
use crate::tariff::set::{BoundTariffs, Sale};
use crate::tariff::{NONE_ROW, Tariff};

const NO_CODE_16: u16 = u16::MAX;
const NO_CODE_8: u8 = u8::MAX;

/// Prices every readable row; rows and their order stay. If the batch was linked with another reference version than the
/// tariffs are bound to, its plans are matched by name again.
pub fn price(batch: LinkedBatch, tariffs: &BoundTariffs) -> RatedBatch {
    let rebound;
    let tariffs = if std::sync::Arc::ptr_eq(&batch.owners, tariffs.owners()) {
        tariffs
    } else {
        rebound = tariffs.set().bind(&batch.owners);
        &rebound
    };
    let rows = batch.parsed.len();
    let classes = ClassRows::resolve(&batch.parsed, tariffs);
    let mut cycles = Cycles::default();
    let mut out = columns_for(rows);
    for i in 0..rows {
        price_row(&batch, i, tariffs, &classes, &mut cycles, &mut out);
    }
    debug_assert_eq!(out.charge_nano.len(), rows, "INV-2: pricing keeps every row");
    RatedBatch { linked: batch, columns: out, labels: tariffs.set().labels().clone() }
}

fn columns_for(rows: usize) -> RatedColumns {
    RatedColumns {
        reason: Vec::with_capacity(rows),
        tariff: Vec::with_capacity(rows),
        zone: Vec::with_capacity(rows),
        zone_by: Vec::with_capacity(rows),
        zone_row: Vec::with_capacity(rows),
        band: Vec::with_capacity(rows),
        price_row: Vec::with_capacity(rows),
        billed: Vec::with_capacity(rows),
        charge_nano: Vec::with_capacity(rows),
        period: Vec::with_capacity(rows),
    }
}

/// Rows of the class tables by tariff and class code of the batch, so that a row asks by number and not by text.
struct ClassRows {
    rows: Vec<u32>,
    classes: usize,
}

impl ClassRows {
    fn resolve(batch: &ParsedBatch, tariffs: &BoundTariffs) -> Self {
        let classes = batch.classes.len();
        let versions = if classes == 0 { &[] } else { tariffs.set().tariffs() };
        let rows = versions.iter().flat_map(|t| batch.classes.iter().map(|class| t.classes.find(class)));
        Self { rows: rows.collect(), classes }
    }

    /// The row for a code of the column: 0 is no class.
    #[inline]
    fn find(&self, tariff: u16, code: u16) -> u32 {
        let position = |code: usize| usize::from(tariff) * self.classes + code;
        match usize::from(code).checked_sub(1).filter(|code| *code < self.classes) {
            Some(code) => self.rows.get(position(code)).copied().unwrap_or(NONE_ROW),
            None => NONE_ROW,
        }
    }
}

/// What pricing asks of one row, whatever table it comes from.
pub(crate) struct Facts {
    pub usage: Usage,
    pub start_us: i64,
    pub offset_s: i32,
    pub b_number: Number,
    pub network: Network,
    /// Seconds, bytes or messages; `None` where they do not fit 63 bits.
    pub units: Option<u64>,
    /// The provider's cost in nano-units, if it is known and in the tariff's currency.
    pub cost_nano: Option<i64>,
}

/// What pricing found for one row, in the codes of its tariff.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub zoned: Zoned,
    pub band: u8,
    /// The price row, or [`NONE`].
    pub price_row: u32,
    pub charged: Result<Charged, Reason>,
}

/// The whole decision for a row whose tariff and plan are known: [`price`] and the explanation both ask here.
#[inline]
pub(crate) fn decide(tariff: &Tariff, plan: u32, facts: &Facts, class_row: u32) -> Verdict {
    let zone_facts = ZoneFacts { usage: facts.usage, b_number: facts.b_number, network: facts.network, class_row };
    let zoned = zone::find(tariff, &zone_facts);
    let band = tariff.bands.at(tariff.zone(), facts.start_us, facts.offset_s);
    let Some(zone) = zoned.zone else {
        return Verdict { zoned, band, price_row: NONE, charged: Err(Reason::NoZone) };
    };
    let Some(charge) = tariff.prices.find(plan, facts.usage, zone, band) else {
        return Verdict { zoned, band, price_row: NONE, charged: Err(Reason::NoPrice) };
    };
    let charged = match charge.band_edge {
        BandEdge::Start => charge::apply(&tariff.prices, charge, facts.units, facts.cost_nano),
        BandEdge::Increment | BandEdge::Anew => edge::apply(tariff, plan, zone, facts, charge),
    };
    Verdict { zoned, band, price_row: charge.row, charged }
}

/// The sale that holds an instant, or why there is none.
#[inline]
pub(crate) fn sale_at(sales: &[Sale], start_us: i64) -> Result<Sale, Reason> {
    if sales.is_empty() {
        return Err(Reason::NoPlan);
    }
    sales.iter().copied().find(|sale| sale.from_us <= start_us && start_us < sale.to_us).ok_or(Reason::NoTariff)
}

#[inline]
fn price_row(
    batch: &LinkedBatch,
    i: usize,
    tariffs: &BoundTariffs,
    classes: &ClassRows,
    cycles: &mut Cycles,
    out: &mut RatedColumns,
) {
    let columns = &batch.parsed.columns;
    let start_us = columns.start_us[i];
    let owner = batch.owners.windows.get(batch.owner[i] as usize);
    let period = owner.and_then(|owner| cycles.period(&batch.owners, owner.customer, start_us));
    out.period.push(period.unwrap_or(NO_PERIOD));
    let sale = owner.ok_or(Reason::NoDevice).and_then(|owner| sale_at(tariffs.sales(owner.plan), start_us));
    match sale {
        Err(reason) => push_without_tariff(out, reason),
        Ok(sale) => {
            let tariff = &tariffs.set().tariffs()[usize::from(sale.tariff)];
            let in_its_currency = batch.parsed.file.cost_currency == tariff.currency();
            let facts = facts(columns, i, in_its_currency);
            let class = columns.class.get(i).copied().unwrap_or(0);
            let verdict = decide(tariff, sale.plan, &facts, classes.find(sale.tariff, class));
            push(out, tariffs, sale.tariff, &verdict);
        }
    }
}

/// What a row of a batch holds for pricing.
#[inline]
pub(crate) fn facts(columns: &ParsedColumns, i: usize, in_its_currency: bool) -> Facts {
    let usage = columns.usage[i];
    let volume = |column: &[i64]| column.get(i).copied().unwrap_or(0);
    let cost = columns.cost_nano.get(i).copied().filter(|cost| *cost != NO_COST && in_its_currency);
    Facts {
        usage,
        start_us: columns.start_us[i],
        offset_s: columns.offset_s[i],
        b_number: columns.b_number[i],
        network: columns.network.get(i).copied().unwrap_or(Network::ABSENT),
        units: units(
            usage.kind(),
            columns.duration_s[i],
            (volume(&columns.bytes_up), volume(&columns.bytes_down)),
            columns.messages.get(i).copied().unwrap_or(1),
        ),
        cost_nano: cost,
    }
}

/// The units of a kind: seconds, bytes both ways, or messages; `None` if negative or beyond 63 bits.
#[inline]
pub(crate) fn units(kind: UsageKind, duration_s: i32, bytes: (i64, i64), messages: i32) -> Option<u64> {
    match kind {
        UsageKind::Voice => u64::try_from(duration_s).ok(),
        UsageKind::Sms | UsageKind::Mms => u64::try_from(messages).ok(),
        UsageKind::Data => {
            let both = (bytes.0 >= 0 && bytes.1 >= 0).then(|| bytes.0.checked_add(bytes.1)).flatten();
            both.and_then(|sum| u64::try_from(sum).ok())
        }
    }
}

#[inline]
fn push(out: &mut RatedColumns, tariffs: &BoundTariffs, tariff: u16, verdict: &Verdict) {
    let codes = tariffs.set().codes(tariff);
    let (reason, charged) = match &verdict.charged {
        Ok(charged) => (0, *charged),
        Err(reason) => (*reason as u8, Charged::default()),
    };
    out.reason.push(reason);
    out.tariff.push(tariff);
    out.zone.push(verdict.zoned.zone.map_or(NO_CODE_16, |zone| codes.zones[usize::from(zone)]));
    out.zone_by.push(verdict.zoned.by as u8);
    out.zone_row.push(verdict.zoned.row);
    out.band.push(codes.bands[usize::from(verdict.band)]);
    out.price_row.push(verdict.price_row);
    out.billed.push(charged.billed);
    out.charge_nano.push(charged.charge_nano);
}

fn push_without_tariff(out: &mut RatedColumns, reason: Reason) {
    out.reason.push(reason as u8);
    out.tariff.push(NO_CODE_16);
    out.zone.push(NO_CODE_16);
    out.zone_by.push(ZoneBy::None as u8);
    out.zone_row.push(NONE);
    out.band.push(NO_CODE_8);
    out.price_row.push(NONE);
    out.billed.push(0);
    out.charge_nano.push(0);
}

#[cfg(test)]
mod tests;
