//! What stands on a row beside what comes out of it: the columns that rating decides.

use std::collections::{BTreeSet, HashMap};

use arrow_array::{Decimal128Array, Int64Array, StringArray};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::columns::rated::{NO_PERIOD, RatedBatch, TaxLabel, ZoneBy};
use domain::money::{Currency, Money};
use domain::outcome::{Outcome, Reason};
use domain::period::Month;

use super::{Choice, Drawing};
use crate::correction::recycle::can_change;
use crate::standing::at;

/// The columns of what stands.
pub(super) const COLUMNS: [&str; 19] = [
    "reason",
    "owner_path",
    "customer",
    "subscription",
    "device",
    "plan",
    "billing_period",
    "tariff",
    "zone",
    "zone_by",
    "band",
    "billed_units",
    "charge",
    "currency",
    "tax_class",
    "tax",
    "allowance",
    "allowance_units",
    "allowance_money",
];

/// What is said of a row; the fields are columns of `cdr_entries`, `None` is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side<'r> {
    /// Why it has no price.
    pub reason: Option<Reason>,
    /// Operator / reseller / customer / cost centre.
    pub owner_path: Option<&'r str>,
    /// The customer.
    pub customer: Option<&'r str>,
    /// The subscription.
    pub subscription: Option<&'r str>,
    /// The device.
    pub device: Option<&'r str>,
    /// The plan.
    pub plan: Option<&'r str>,
    /// The customer's cycle.
    pub cycle: Option<&'r str>,
    /// The tariff's version, which may change without any consequence.
    pub tariff: Option<&'r str>,
    /// The zone.
    pub zone: Option<&'r str>,
    /// What decided it.
    pub zone_by: Option<&'r str>,
    /// The time band.
    pub band: Option<&'r str>,
    /// Units billed.
    pub billed_units: Option<i64>,
    /// The charge.
    pub charge: Option<(Money, Currency)>,
    /// Its tax class.
    pub tax_class: Option<&'r str>,
    /// Whether it holds the tax; `None` for what was written before tables said so.
    pub tax: Option<&'r str>,
    /// The allowances that it drew from.
    pub allowance: Option<&'r str>,
    /// Units that they gave.
    pub allowance_units: Option<i64>,
    /// Money that they gave.
    pub allowance_money: Option<Money>,
    /// Whether one covers it; of what stands only known if it gave something.
    pub is_covered: bool,
}

impl Side<'_> {
    /// Whether both say the same; the version of a tariff that charges the same may be another.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let says_tax = self.tax.is_some() && other.tax.is_some();
        let compared = |side: &Self| Self {
            tariff: None,
            tax_class: side.tax_class.filter(|_| says_tax),
            tax: side.tax.filter(|_| says_tax),
            is_covered: false,
            ..*side
        };
        compared(self) == compared(other)
    }

    /// Whether it stands as one side or the other has it: as that customer's, in that cycle, with a price or beyond an allowance.
    pub(super) fn stands_as(&self, other: &Side<'_>) -> bool {
        let is_priced = self.reason.is_none_or(|reason| reason == Reason::BeyondAllowance);
        is_priced && (self.customer, self.cycle) == (other.customer, other.cycle)
    }

    pub(super) fn fits(&self, choice: &Choice) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        let is_in = |wanted: &BTreeSet<String>, found: Option<&str>| {
            wanted.is_empty() || found.is_some_and(|found| wanted.contains(found))
        };
        let draws = |of: &Drawing| self.is_covered && is_in(&of.customers, self.customer) && is_in(&of.cycles, self.cycle);
        is(&choice.customer, self.customer)
            && is(&choice.plan, self.plan)
            && is(&choice.cycle, self.cycle)
            && choice.drawing.as_ref().is_none_or(draws)
    }
}

/// The columns of what stands.
pub(super) struct Stood<'b> {
    reason: &'b StringArray,
    texts: [&'b StringArray; 14],
    billed_units: &'b Int64Array,
    charge: &'b Decimal128Array,
    allowance_units: &'b Int64Array,
    allowance_money: &'b Decimal128Array,
}

impl<'b> Stood<'b> {
    pub(super) fn of(v: EntriesView<'b>) -> Result<Self, ColumnError> {
        let texts = [
            v.owner_path()?,
            v.customer()?,
            v.subscription()?,
            v.device()?,
            v.plan()?,
            v.billing_period()?,
            v.tariff()?,
            v.zone()?,
            v.zone_by()?,
            v.band()?,
            v.currency()?,
            v.tax_class()?,
            v.tax()?,
            v.allowance()?,
        ];
        Ok(Self {
            reason: v.reason()?,
            texts,
            billed_units: v.billed_units()?,
            charge: v.charge()?,
            allowance_units: v.allowance_units()?,
            allowance_money: v.allowance_money()?,
        })
    }

    pub(super) fn at(&self, i: usize) -> Result<Side<'b>, ColumnError> {
        let texts = self.texts.map(|column| at(column, i));
        let [owner_path, customer, subscription, device, plan, cycle, tariff, zone, zone_by, band, currency, ..] = texts;
        let [.., tax_class, tax, allowance] = texts;
        let unknown = |code: &str| ColumnError::Batch(format!("`{code}` is no currency"));
        let currency = currency.map(|code| Currency::parse(code).ok_or_else(|| unknown(code))).transpose()?;
        let (charge, billed_units) = (at(self.charge, i).map(Money), at(self.billed_units, i));
        Ok(Side {
            reason: reason_at(self.reason, i)?,
            owner_path,
            customer,
            subscription,
            device,
            plan,
            cycle,
            tariff,
            zone,
            zone_by,
            band,
            billed_units,
            charge: charge.zip(currency),
            tax_class,
            tax,
            allowance,
            allowance_units: at(self.allowance_units, i),
            allowance_money: at(self.allowance_money, i).map(Money),
            is_covered: allowance.is_some() || is_reason(self.reason, i, Reason::BeyondAllowance),
        })
    }
}

fn reason_at(column: &StringArray, i: usize) -> Result<Option<Reason>, ColumnError> {
    let unknown = |name: &str| ColumnError::Batch(format!("`{name}` is no reason"));
    at(column, i).map(|name| Reason::parse(name).ok_or_else(|| unknown(name))).transpose()
}

fn is_reason(column: &StringArray, i: usize, reason: Reason) -> bool {
    at(column, i) == Some(reason.as_str())
}

/// Those of the rows that ended so and that reference data decides; what is beyond an allowance is with the rated ones, because it has a
/// price when another record goes.
pub(super) fn may_change(reasons: &StringArray, rows: &[usize], outcomes: &[Outcome]) -> Result<Vec<usize>, ColumnError> {
    let (rated, suspense) = (outcomes.contains(&Outcome::Rated), outcomes.contains(&Outcome::Suspense));
    let mut may = Vec::with_capacity(rows.len());
    for &i in rows {
        let is_meant = match reason_at(reasons, i)? {
            None => rated,
            Some(Reason::BeyondAllowance) => rated || suspense,
            Some(reason) => suspense && can_change(reason),
        };
        if is_meant {
            may.push(i);
        }
    }
    Ok(may)
}

/// The names of the cycles of a batch, by their numbers.
pub(super) fn cycles_of(rated: &RatedBatch) -> HashMap<i32, String> {
    let mut names = HashMap::new();
    for period in rated.columns.period.iter().filter(|period| **period != NO_PERIOD) {
        names.entry(*period).or_insert_with(|| Month::from_number(*period).to_string());
    }
    names
}

/// What comes out, as it would stand in the table.
pub(super) fn came<'r>(rated: &'r RatedBatch, i: usize, cycles: &'r HashMap<i32, String>) -> Side<'r> {
    let (columns, labels, owners) = (&rated.columns, &rated.labels, &rated.linked.owners);
    let reason = rated.reason(i);
    let owner = owners.windows.get(rated.linked.owner[i] as usize);
    let customer = owner.map(|owner| &owners.customers[owner.customer as usize]);
    let tariff = labels.tariffs.get(usize::from(columns.tariff[i]));
    let (zone, band) = (columns.zone[i], columns.band[i]);
    let zone_by = ZoneBy::from_code(columns.zone_by[i]);
    let charge = tariff.filter(|_| reason.is_none());
    let tax = labels.taxes.get(usize::from(columns.tax[i]));
    let drawn = rated.drawn(i).filter(|_| reason.is_none());
    Side {
        reason,
        owner_path: customer.map(|customer| &*customer.owner_path),
        customer: owner.map(|owner| owners.customer_names.name(owner.customer)),
        subscription: owner.map(|owner| owners.subscriptions.name(owner.subscription)),
        device: owner.map(|owner| owners.devices.name(owner.device)),
        plan: owner.map(|owner| owners.plans.name(owner.plan)),
        cycle: cycles.get(&columns.period[i]).map(String::as_str),
        tariff: tariff.map(|tariff| &*tariff.id),
        zone: (zone != u16::MAX).then(|| labels.zones.name(u32::from(zone))),
        zone_by: (zone_by != ZoneBy::None).then(|| zone_by.as_str()),
        band: (band != u8::MAX).then(|| labels.bands.name(u32::from(band))),
        billed_units: reason.is_none().then(|| columns.billed[i]),
        charge: charge.map(|tariff| (Money(i128::from(columns.charge_nano[i])), tariff.currency)),
        tax_class: tax.and_then(|tax| tax.class.as_deref()),
        tax: tax.map(TaxLabel::word),
        allowance: drawn.and_then(|drawn| rated.allowances.get(usize::from(drawn.allowance))).map(AsRef::as_ref),
        allowance_units: drawn.map(|drawn| drawn.units).filter(|units| *units != 0),
        allowance_money: drawn.map(|drawn| Money(drawn.nano.into())).filter(|money| money.0 != 0),
        is_covered: rated.is_covered(i),
    }
}
