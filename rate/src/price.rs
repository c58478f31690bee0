//! Price: a linked batch learns what each row costs and how that came about, or why it has no price.
//!
//! Per row, in this order, the first that fails being its reason: an owner ([`Reason::NoDevice`]), a tariff that sells the
//! plan at all ([`Reason::NoPlan`]) and at the row's start ([`Reason::NoTariff`]), a zone ([`zone`], [`Reason::NoZone`]), a
//! price for plan, kind, zone, party and band ([`Reason::NoPrice`]), the provider's cost where the price builds on it
//! ([`Reason::NoCost`]) and its rate of exchange ([`Reason::NoRate`]), what the number asks where the price adds it
//! ([`Reason::NoInformation`]), a charge that a row can hold ([`Reason::ChargeLimit`]). A row in suspense keeps what was found before.

pub mod zone;
pub mod charge;
pub(crate) mod allowance;
mod cycle;
pub(crate) mod numbers;
pub(crate) mod edge;

use domain::columns::linked::{LinkedBatch, NO_GROUP, Party};
use domain::columns::parsed::{NO_COST, ParsedBatch, ParsedColumns};
use domain::columns::rated::{NO_PERIOD, NONE, RatedBatch, RatedColumns, ZoneBy};
use domain::money::Currency;
use domain::number::{Network, Number};
use domain::outcome::Reason;
use domain::usage::{Usage, UsageKind};

use crate::price::allowance::{Covered, Drawing};
use crate::price::charge::Charged;
use crate::price::cycle::Cycles;
use crate::price::zone::{ZoneFacts, Zoned};
use crate::settle::Draws;
use crate::tariff::plan::BandEdge;
use crate::tariff::price_table::Charge;
use crate::tariff::set::{BoundTariffs, Sale};
use crate::tariff::{NONE_ROW, Tariff};

const NO_CODE_16: u16 = u16::MAX;
const NO_CODE_8: u8 = u8::MAX;

/// Prices every readable row; rows and their order stay. If the batch was linked with another reference version than the
/// tariffs are bound to, its plans are matched by name again.
pub fn price(batch: LinkedBatch, tariffs: &BoundTariffs) -> RatedBatch {
    price_settled(batch, tariffs, &Draws::default())
}

/// The same where it is known what allowances give.
pub(crate) fn price_settled(batch: LinkedBatch, tariffs: &BoundTariffs, draws: &Draws) -> RatedBatch {
    let tariffs = &*tariffs.of(&batch.owners);
    let rows = batch.parsed.len();
    let classes = ClassRows::resolve(&batch.parsed, tariffs);
    let mut cycles = Cycles::default();
    let mut out = columns_for(rows);
    let mut drawing = Drawing::new(draws);
    for i in 0..rows {
        price_row(&batch, i, tariffs, &classes, (&mut cycles, &mut drawing), &mut out);
    }
    debug_assert_eq!(out.charge_nano.len(), rows, "INV-2: pricing keeps every row");
    let allowances = drawing.finish(&mut out.drawn, rows);
    RatedBatch { linked: batch, columns: out, labels: tariffs.set().labels().clone(), allowances }
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
        tax: Vec::with_capacity(rows),
        party: Vec::with_capacity(rows),
        billed: Vec::with_capacity(rows),
        charge_nano: Vec::with_capacity(rows),
        period: Vec::with_capacity(rows),
        drawn: Vec::new(),
    }
}

/// Rows of the class tables by tariff and class code of the batch, so that a row asks by number and not by text.
pub(crate) struct ClassRows {
    rows: Vec<u32>,
    classes: usize,
}

impl ClassRows {
    pub fn resolve(batch: &ParsedBatch, tariffs: &BoundTariffs) -> Self {
        let classes = batch.classes.len();
        let versions = if classes == 0 { &[] } else { tariffs.set().tariffs() };
        let rows = versions.iter().flat_map(|t| batch.classes.iter().map(|class| t.classes.find(class)));
        Self { rows: rows.collect(), classes }
    }

    /// The row for a code of the column: 0 is no class.
    #[inline]
    pub fn find(&self, tariff: u16, code: u16) -> u32 {
        let position = |code: usize| usize::from(tariff) * self.classes + code;
        match usize::from(code).checked_sub(1).filter(|code| *code < self.classes) {
            Some(code) => self.rows.get(position(code)).copied().unwrap_or(NONE_ROW),
            None => NONE_ROW,
        }
    }
}

/// What pricing asks of one row, whatever table it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub usage: Usage,
    pub start_us: i64,
    pub offset_s: i32,
    pub b_number: Number,
    pub network: Network,
    /// Seconds, bytes or messages; `None` where they do not fit 63 bits.
    pub units: Option<u64>,
    /// The provider's cost in nano-units, if it is known ...
    pub cost_nano: Option<i64>,
    /// ... in this currency.
    pub cost_currency: Currency,
    /// Who the other party is, if the tariff asks.
    pub party: Party,
    /// Whether the line is in a group.
    pub has_group: bool,
}

/// What pricing found for one row, in the codes of its tariff.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub zoned: Zoned,
    pub band: u8,
    /// The price row, or [`NONE`].
    pub price_row: u32,
    /// What it says of tax: a position in the tariff's classes.
    pub tax: u8,
    pub charged: Result<Charged, Reason>,
}

/// The whole decision for a row whose tariff and plan are known: [`price`] and the explanation both ask here.
#[inline]
pub(crate) fn decide(tariff: &Tariff, plan: u32, facts: &Facts, class_row: u32) -> Verdict {
    let Facts { usage, b_number, network, start_us, .. } = *facts;
    let zone_facts = ZoneFacts { usage, b_number, network, start_us, class_row };
    let zoned = zone::find(tariff, &zone_facts);
    let band = tariff.bands.at(tariff.zone(), facts.start_us, facts.offset_s);
    let Some(zone) = zoned.zone else {
        return Verdict { zoned, band, price_row: NONE, tax: 0, charged: Err(Reason::NoZone) };
    };
    let Some(charge) = tariff.prices.find(plan, facts.usage, zone, facts.party, band) else {
        return Verdict { zoned, band, price_row: NONE, tax: 0, charged: Err(Reason::NoPrice) };
    };
    let charged = charge_of(tariff, plan, zone, facts, charge);
    Verdict { zoned, band, price_row: charge.row, tax: charge.tax, charged }
}

/// What a row costs by a price, for itself.
#[inline]
pub(crate) fn charge_of(tariff: &Tariff, plan: u32, zone: u16, facts: &Facts, charge: &Charge) -> Result<Charged, Reason> {
    match charge.band_edge {
        BandEdge::Start => charge::apply(tariff, charge, facts),
        BandEdge::Increment | BandEdge::Anew => edge::apply(tariff, plan, zone, facts, charge),
    }
}

/// The sale that holds an instant, or why there is none.
#[inline]
pub(crate) fn sale_at(sales: &[Sale], start_us: i64) -> Result<Sale, Reason> {
    let holds = sales.iter().copied().find(|sale| sale.from_us <= start_us && start_us < sale.to_us);
    holds.ok_or_else(|| if sales.iter().all(|sale| sale.is_fallback) { Reason::NoPlan } else { Reason::NoTariff })
}

#[inline]
fn price_row(
    batch: &LinkedBatch,
    i: usize,
    tariffs: &BoundTariffs,
    classes: &ClassRows,
    (cycles, drawing): (&mut Cycles, &mut Drawing<'_>),
    out: &mut RatedColumns,
) {
    let columns = &batch.parsed.columns;
    let start_us = columns.start_us[i];
    let owner = batch.owners.windows.get(batch.owner[i] as usize);
    let period = owner.and_then(|owner| cycles.period(&batch.owners, owner.customer, start_us));
    out.period.push(period.unwrap_or(NO_PERIOD));
    let sale = owner.ok_or(Reason::NoDevice).and_then(|owner| sale_at(tariffs.sales(owner.plan), start_us));
    match sale {
        _ if start_us < batch.parsed.file.billable_from_us => push_without_tariff(out, Reason::TooOld),
        Err(reason) => push_without_tariff(out, reason),
        Ok(sale) => {
            let tariff = &tariffs.set().tariffs()[usize::from(sale.tariff)];
            let party = if tariff.asks_party() { batch.party.get(i).copied().unwrap_or(0) } else { 0 };
            let has_group = owner.is_some_and(|owner| owner.group != NO_GROUP);
            let facts = facts(columns, i, batch.parsed.file.cost_currency, (Party::from_code(party), has_group));
            let class = columns.class.get(i).copied().unwrap_or(0);
            let mut verdict = decide(tariff, sale.plan, &facts, classes.find(sale.tariff, class));
            if let Some(record) = Covered::of(tariff, sale.plan, &facts, &verdict) {
                let id = (batch.parsed.file.delivery, columns.row[i]);
                verdict.charged = drawing.draw((i, id), &record, &mut out.drawn);
            }
            push(out, tariffs, sale.tariff, &verdict, facts.party);
        }
    }
}

/// What a row of a batch holds for pricing.
#[inline]
pub(crate) fn facts(columns: &ParsedColumns, i: usize, cost_currency: Currency, (party, has_group): (Party, bool)) -> Facts {
    let usage = columns.usage[i];
    let volume = |column: &[i64]| column.get(i).copied().unwrap_or(0);
    let cost = columns.cost_nano.get(i).copied().filter(|cost| *cost != NO_COST);
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
        cost_currency,
        party,
        has_group,
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
fn push(out: &mut RatedColumns, tariffs: &BoundTariffs, tariff: u16, verdict: &Verdict, party: Party) {
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
    out.tax.push(if reason == 0 { codes.taxes[usize::from(verdict.tax)] } else { NO_CODE_16 });
    out.party.push(party as u8);
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
    out.tax.push(NO_CODE_16);
    out.party.push(Party::Unasked as u8);
    out.billed.push(0);
    out.charge_nano.push(0);
}

#[cfg(test)]
mod tests;
