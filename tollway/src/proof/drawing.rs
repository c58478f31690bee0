//! Records that draw from allowances, held until all of their customers' are there: what one comes to hangs on the others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use domain::closed::ClosedCycles;
use domain::columns::linked::Owners;
use domain::delivery::DeliveryId;
use domain::outcome::Reason;
use sinks::closing::{Now, Since, Versions};
use sinks::correction::Place;
use sinks::correction::drawn::{customers_since, marked};
use sinks::standing::Word;
use sinks::table::{Table, TableError};
use verify::{Derived, Difference, Entry, Record, Reference, Settlement, Stated, Stood, VerifyError, differences};

/// What settling decides of a record; all else is as it is alone.
const SETTLED: [&str; 9] =
    ["reason", "currency", "tax_class", "tax", "billed_units", "charge", "allowance", "allowance_units", "allowance_money"];

/// The records by customer.
#[derive(Default)]
pub(super) struct Drawing {
    customers: BTreeMap<String, Customer>,
    texts: HashMap<String, Rc<str>>,
    /// Closed cycles and those that are frozen by hand, and what has come to them and gone since.
    frozen: (ClosedCycles, Since),
    /// Whose cycle ends when.
    owners: Option<Owners>,
}

/// A record that stays as it was billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Billed<'d> {
    customer: &'d str,
    /// Its place among the customer's.
    number: usize,
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
    /// The reference version that it was rated by.
    version: u64,
    epoch: u64,
    /// Its customer, subscription and cycle, where it was billed as theirs and stays as it stands.
    stays_of: Option<[Rc<str>; 3]>,
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
    /// Whether it was billed, or lies in a cycle that is frozen by hand, and stays as it stands.
    pub is_billed: bool,
}

/// Whose records may wait to be settled.
#[derive(Debug)]
pub(super) struct Waiting {
    /// Customers of whom something has come since; `None`: nobody knows, so all.
    customers: Option<BTreeSet<String>>,
}

impl Waiting {
    /// Those of a table whose rows were rated with reference data up to a version.
    pub fn of(entries: &Table, newest: Option<u64>) -> anyhow::Result<Self> {
        let since = marked(entries).filter(|mark| newest.is_none_or(|newest| newest <= mark.reference));
        let customers = since.map(|mark| customers_since(entries, mark)).transpose()?.flatten();
        Ok(Self { customers })
    }

    /// Whether a customer's record is among them: something of the customer has come since, or it stays as it was billed.
    pub fn means(&self, customer: &str, is_billed: bool) -> bool {
        self.customers.as_ref().is_none_or(|customers| customers.contains(customer)) || is_billed
    }
}

impl Drawing {
    /// Of a table, whose customers' cycles end as some reference data says, and of which some cycles are frozen.
    pub fn of(table: &Table, frozen: ClosedCycles, owners: Owners) -> Result<Self, TableError> {
        let since = Since::of(table, &[&frozen], &|_| true)?;
        Ok(Self { frozen: (frozen, since), owners: Some(owners), ..Self::default() })
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
        let (epoch, is_billed) = self.billed(derived, word);
        let mut shared = |text: &str| match self.texts.get(text) {
            Some(known) => Rc::clone(known),
            None => Rc::clone(self.texts.entry(text.to_owned()).or_insert_with(|| text.into())),
        };
        let drawn = Drawn {
            delivery: shared(word.delivery),
            row: word.row,
            key: key_of(word),
            version,
            epoch,
            stays_of: is_billed.then(|| {
                let texts = [word.customer, word.subscription, word.billing_period];
                texts.map(|text| shared(text.unwrap_or_default()))
            }),
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

    /// Which closing has billed a record as the one that it is derived to be, as its version; `u64::MAX`: none has. And whether it stays
    /// as it stands because of that, or because its cycle is frozen by hand.
    fn billed(&self, derived: &Derived<'_>, word: &Word<'_>) -> (u64, bool) {
        let (frozen, since) = &self.frozen;
        let none = (u64::MAX, false);
        let cycle = derived.billing_period.as_deref().filter(|cycle| frozen.first_from(cycle).is_some());
        let Some(((cycle, window), owners)) = cycle.zip(derived.window).zip(self.owners.as_ref()) else { return none };
        let Some(delivery) = DeliveryId::parse(word.delivery) else { return none };
        let place = Place { delivery, row: word.row.max(0).cast_unsigned() };
        let is_priced = word.reason.is_none_or(|reason| reason == Reason::BeyondAllowance.as_str());
        let stands = is_priced && word.customer == Some(&*window.customer) && word.billing_period == Some(cycle);
        let code = owners.customer_names.code(&window.customer);
        let now = Now { key: key_of(word), place, customer: Some(&window.customer), cycle, stands };
        let versions = Versions::of(frozen, cycle, code, owners);
        (since.epoch(now, &versions.all), since.is_billed(now, &versions))
    }

    /// The reference versions by which customers are settled.
    pub fn versions(&self) -> BTreeSet<u64> {
        self.customers.values().map(|customer| customer.version).collect()
    }

    /// Settles the customers of a version, and hands out how each of their records that was asked for came out; nothing of one that has
    /// the price of a total or a discount which the tariff in force has no more: it keeps that until somebody rates it again. What stays as
    /// it was billed may come out otherwise by now; then it is given back, with the version that it was rated by.
    pub fn settle(
        &self,
        version: u64,
        reference: &Reference,
        take: &mut dyn FnMut(Option<Held<'_>>),
    ) -> Result<Vec<(u64, Billed<'_>)>, VerifyError> {
        let (settlement, mut again) = (reference.settlement(), Vec::new());
        for (name, customer) in self.customers.iter().filter(|(_, customer)| customer.version == version) {
            for (number, (drawn, derived)) in customer.records.iter().zip(&customer.settle(&settlement)?).enumerate() {
                let held = drawn.held(derived);
                if !drawn.is_asked {
                    continue;
                }
                // Where a cycle is frozen by hand, what came later was not billed, and waits.
                if drawn.epoch != u64::MAX && held.is_billed && !held.differences.is_empty() {
                    again.push((drawn.version, Billed { customer: name, number }));
                } else {
                    let is_kept = !derived.priced.is_covered && drawn.allowance.is_none() && drawn.is_rated();
                    take((!is_kept).then_some(held));
                }
            }
        }
        Ok(again)
    }

    /// Hands out what records cost that were billed, beside what they say they drew, by the version that they were rated by.
    pub fn settle_again(
        &self,
        records: &BTreeSet<Billed<'_>>,
        reference: &Reference,
        take: &mut dyn FnMut(Held<'_>),
    ) -> Result<(), VerifyError> {
        let (settlement, mut settled) = (reference.settlement_of_billed(), None);
        for Billed { customer, number } in records {
            let Some(theirs) = self.customers.get(*customer) else { continue };
            if settled.as_ref().is_none_or(|(of, _)| of != customer) {
                settled = Some((*customer, theirs.settle(&settlement)?));
            }
            if let Some((_, derived)) = &settled {
                take(theirs.records[*number].held(&derived[*number]));
            }
        }
        Ok(())
    }
}

impl Customer {
    /// What each record comes to.
    fn settle<'r>(&self, settlement: &Settlement<'r>) -> Result<Vec<Derived<'r>>, VerifyError> {
        settlement.settle(&self.records.iter().map(Drawn::entry).collect::<Vec<Entry<'_>>>())
    }
}

impl Drawn {
    fn is_rated(&self) -> bool {
        self.reason.is_none()
    }

    fn entry(&self) -> Entry<'_> {
        let stood = self.stays_of.as_ref().map(|[customer, subscription, billing_period]| Stood {
            customer,
            subscription,
            billing_period,
            is_priced: self.is_rated(),
            tariff: self.tariff.as_deref().unwrap_or_default(),
            allowance: self.allowance.as_deref().unwrap_or_default(),
            units: self.allowance_units.map_or(0, |units| units.max(0).cast_unsigned()),
            money_nano: self.allowance_money.unwrap_or(0),
            charge_nano: self.charge_nano.unwrap_or(0),
        });
        let (record, delivery) = (self.record.record(), &*self.delivery);
        Entry { record, key: self.key, delivery, row: self.row, epoch: self.epoch, stood }
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
        let (place, is_billed) = ((&*self.delivery, self.row), self.stays_of.is_some());
        Held { place, derived, stated, differences: found, draws_only, is_billed }
    }
}

fn key_of(word: &Word<'_>) -> u128 {
    word.record_key.and_then(|key| key.try_into().ok()).map_or(0, u128::from_be_bytes)
}
