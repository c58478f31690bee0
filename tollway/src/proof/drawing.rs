//! Records that draw from allowances, held until all of their customers' are there: what one comes to hangs on the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use domain::closed::ClosedCycles;
use domain::columns::linked::Owners;
use domain::delivery::DeliveryId;
use domain::outcome::Reason;
use sinks::closing::{Now, Since, closed};
use sinks::correction::Place;
use sinks::correction::drawn::{customers_since, marked};
use sinks::standing::Word;
use sinks::table::{Table, TableError};
use verify::{Derived, Difference, Entry, Record, Reference, Stated, VerifyError, differences};

use crate::installation::Installation;

/// What settling decides of a record; all else is as it is alone.
const SETTLED: [&str; 9] =
    ["reason", "currency", "tax_class", "tax", "billed_units", "charge", "allowance", "allowance_units", "allowance_money"];

/// The records by customer.
#[derive(Default)]
pub(super) struct Drawing {
    customers: BTreeMap<String, Customer>,
    texts: HashMap<String, Rc<str>>,
    /// Closed cycles, and what has come to them and gone since.
    closed: (ClosedCycles, Since),
    /// Whose cycle ends when.
    owners: Option<Owners>,
}

#[derive(Default)]
struct Customer {
    /// The newest reference version by which one of the records was rated.
    version: u64,
    records: Vec<Drawn>,
}

/// A record, and what the table says of what settling decides.
struct Drawn {
    delivery: Rc<str>,
    row: i64,
    key: u128,
    epoch: u64,
    record: Owned,
    reason: Option<Rc<str>>,
    tariff: Option<Rc<str>>,
    currency: Option<Rc<str>>,
    tax: [Option<Rc<str>>; 2],
    billed_units: Option<i64>,
    charge_nano: Option<i128>,
    allowance: Option<Rc<str>>,
    allowance_units: Option<i64>,
    allowance_money: Option<i128>,
    is_asked: bool,
    /// Where it does not agree in what it is alone.
    differences: Vec<Difference>,
}

/// The fields of a record that are not numbers; texts of few are shared.
struct Owned {
    /// All but the texts.
    plain: Record<'static>,
    kind: Rc<str>,
    a_number: Box<str>,
    b_number: Box<str>,
    b_number_type: Rc<str>,
    network: Rc<str>,
    provider_class: Rc<str>,
    cost_currency: Rc<str>,
    session: Box<str>,
}

impl Owned {
    fn record(&self) -> Record<'_> {
        Record {
            kind: &self.kind,
            a_number: &self.a_number,
            b_number: &self.b_number,
            b_number_type: &self.b_number_type,
            network: &self.network,
            provider_class: &self.provider_class,
            cost_currency: &self.cost_currency,
            session: &self.session,
            ..self.plain
        }
    }
}

/// How a record came out.
pub(super) struct Held<'h> {
    pub place: (&'h str, i64),
    pub derived: &'h Derived<'h>,
    pub stated: Stated<'h>,
    pub differences: Vec<Difference>,
    /// Whether they are only of what settling decides.
    pub draws_only: bool,
    /// Whether a closing has billed it.
    pub is_billed: bool,
}

/// Whose records may wait to be settled.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Customers of whom something has come since; `None`: nobody knows, so all.
    customers: Option<BTreeSet<String>>,
    /// Cycles that are frozen by hand.
    frozen: BTreeSet<String>,
}

impl Waiting {
    /// Those of a table whose rows were rated with reference data up to a version.
    pub fn of(installation: &Installation, entries: &Table, newest: Option<u64>) -> anyhow::Result<Self> {
        let since = marked(entries).filter(|mark| newest.is_none_or(|newest| newest <= mark.reference));
        let customers = since.map(|mark| customers_since(entries, mark)).transpose()?.flatten();
        Ok(Self { customers, frozen: installation.frozen_by_hand()? })
    }

    /// Whether a customer's record of a cycle is among them: something of the customer has come since, it was billed, or the cycle is frozen
    /// by hand.
    pub fn means(&self, customer: &str, cycle: Option<&str>, is_billed: bool) -> bool {
        self.customers.as_ref().is_none_or(|customers| customers.contains(customer))
            || is_billed
            || cycle.is_some_and(|cycle| self.frozen.contains(cycle))
    }
}

impl Drawing {
    /// Of a table, whose customers' cycles end as some reference data says.
    pub fn of(table: &Table, owners: Owners) -> Result<Self, TableError> {
        let closed = closed(table);
        let since = Since::of(table, &[&closed], &|_| true)?;
        Ok(Self { closed: (closed, since), owners: Some(owners), ..Self::default() })
    }

    /// Takes in a record that an allowance covers, derived alone by a reference version.
    pub fn add(
        &mut self,
        version: u64,
        derived: &Derived<'_>,
        record: &Record<'_>,
        word: &Word<'_>,
        (stated, is_asked): (&Stated<'_>, bool),
    ) {
        let found = differences(derived, stated);
        let others = found.into_iter().filter(|one| !SETTLED.contains(&one.field)).collect();
        let epoch = self.epoch(derived, word);
        let mut shared = |text: &str| match self.texts.get(text) {
            Some(known) => Rc::clone(known),
            None => Rc::clone(self.texts.entry(text.to_owned()).or_insert_with(|| text.into())),
        };
        let drawn = Drawn {
            delivery: shared(word.delivery),
            row: word.row,
            key: key_of(word),
            epoch,
            record: Owned {
                plain: Record {
                    kind: "",
                    a_number: "",
                    b_number: "",
                    b_number_type: "",
                    network: "",
                    provider_class: "",
                    cost_currency: "",
                    session: "",
                    ..*record
                },
                kind: shared(record.kind),
                a_number: record.a_number.into(),
                b_number: record.b_number.into(),
                b_number_type: shared(record.b_number_type),
                network: shared(record.network),
                provider_class: shared(record.provider_class),
                cost_currency: shared(record.cost_currency),
                session: record.session.into(),
            },
            reason: stated.reason.map(&mut shared),
            tariff: stated.tariff.map(&mut shared),
            currency: stated.currency.map(&mut shared),
            tax: [stated.tax_class, stated.tax].map(|text| text.map(&mut shared)),
            billed_units: stated.billed_units,
            charge_nano: stated.charge_nano,
            allowance: stated.allowance.map(&mut shared),
            allowance_units: stated.allowance_units,
            allowance_money: stated.allowance_money,
            is_asked,
            differences: others,
        };
        let name = derived.window.map_or("", |window| window.customer.as_str());
        if !self.customers.contains_key(name) {
            self.customers.insert(name.to_owned(), Customer::default());
        }
        if let Some(customer) = self.customers.get_mut(name) {
            customer.version = customer.version.max(version);
            customer.records.push(drawn);
        }
    }

    /// Which closing has billed a record as the one that it is derived to be, as its version; `u64::MAX`: none has.
    fn epoch(&self, derived: &Derived<'_>, word: &Word<'_>) -> u64 {
        let (closed, since) = &self.closed;
        let cycle = derived.billing_period.as_deref().filter(|cycle| closed.first_from(cycle).is_some());
        let Some(((cycle, window), owners)) = cycle.zip(derived.window).zip(self.owners.as_ref()) else { return u64::MAX };
        let Some(delivery) = DeliveryId::parse(word.delivery) else { return u64::MAX };
        let place = Place { delivery, row: word.row.max(0).cast_unsigned() };
        let is_priced = word.reason.is_none_or(|reason| reason == Reason::BeyondAllowance.as_str());
        let stands = is_priced && word.customer == Some(&*window.customer) && word.billing_period == Some(cycle);
        let code = owners.customer_names.code(&window.customer);
        let now = Now { key: key_of(word), place, customer: Some(&window.customer), cycle, stands };
        since.epoch(now, &closed.versions_from(cycle, code, owners))
    }

    /// The reference versions by which customers are settled.
    pub fn versions(&self) -> BTreeSet<u64> {
        self.customers.values().map(|customer| customer.version).collect()
    }

    /// Settles the customers of a version, and hands out how each of their records that was asked for came out; nothing of one that has
    /// the price of a total or a discount which the tariff in force has no more: it keeps that until somebody rates it again.
    pub fn settle(&self, version: u64, reference: &Reference, take: &mut dyn FnMut(Option<Held<'_>>)) -> Result<(), VerifyError> {
        let settlement = reference.settlement();
        for customer in self.customers.values().filter(|customer| customer.version == version) {
            let entries: Vec<Entry<'_>> = customer.records.iter().map(Drawn::entry).collect();
            for (drawn, derived) in customer.records.iter().zip(&settlement.settle(&entries)?) {
                if drawn.is_asked {
                    let is_kept = !derived.priced.is_covered && drawn.allowance.is_none() && drawn.is_rated();
                    take((!is_kept).then(|| drawn.held(derived)));
                }
            }
        }
        Ok(())
    }
}

impl Drawn {
    fn is_rated(&self) -> bool {
        self.reason.is_none()
    }

    fn entry(&self) -> Entry<'_> {
        Entry { record: self.record.record(), key: self.key, delivery: &self.delivery, row: self.row, epoch: self.epoch }
    }

    fn held<'h>(&'h self, derived: &'h Derived<'h>) -> Held<'h> {
        let stated = Stated {
            tariff: self.tariff.as_deref(),
            reason: self.reason.as_deref(),
            currency: self.currency.as_deref(),
            tax_class: self.tax[0].as_deref(),
            tax: self.tax[1].as_deref(),
            billed_units: self.billed_units,
            charge_nano: self.charge_nano,
            allowance: self.allowance.as_deref(),
            allowance_units: self.allowance_units,
            allowance_money: self.allowance_money,
            ..Stated::default()
        };
        let mut found = differences(derived, &stated);
        found.retain(|one| SETTLED.contains(&one.field));
        found.extend(self.differences.iter().cloned());
        let draws_only = self.differences.is_empty();
        let (place, is_billed) = ((&*self.delivery, self.row), self.epoch != u64::MAX);
        Held { place, derived, stated, differences: found, draws_only, is_billed }
    }
}

fn key_of(word: &Word<'_>) -> u128 {
    word.record_key.and_then(|key| key.try_into().ok()).map_or(0, u128::from_be_bytes)
}
