//! Holds what the table says of records against what is derived a second time, from the reference data of the commit that wrote them.

mod drawing;
pub mod lines;
mod posted;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use domain::columns::linked::NO_GROUP;
use domain::money::Money;
use domain::outcome::Reason;
use serde_json::json;
use sinks::standing::{Standing, Word};
use sinks::table::Table;
use verify::owner::{Customer, Identifier, Owners, Window};
use verify::tariff::Tariff;
use verify::{Derived, Difference, Record, Reference, Stated, differences};

use self::drawing::{Billed, Drawing, Held, Waiting};
use crate::installation::Installation;
use crate::progress::Progress;

/// Records and their charges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Records that agree.
    pub records: u64,
    /// What they are charged, units of 10⁻⁹.
    pub charge_nano: i128,
}

/// A record on which table and derivation do not agree.
#[derive(Debug)]
pub struct Disagreement {
    /// `delivery:row`, as `tollway explain` takes it.
    pub record: String,
    /// Where they do not agree.
    pub differences: Vec<Difference>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Proof {
    /// Rated records that agree, by tariff version and currency.
    pub rated: BTreeMap<(String, String), Sum>,
    /// Records in suspense whose reason agrees, by reason.
    pub suspense: BTreeMap<String, u64>,
    /// Records in suspense that never came to be priced, by reason: what could not be read, and conflicts of ids.
    pub unpriced: BTreeMap<String, u64>,
    /// Records that cannot be derived, by what is in the way.
    pub underivable: BTreeMap<String, u64>,
    /// Records that draw otherwise from what allowances give, of customers of whom something has come since they were settled, or billed
    /// ones that do not cost either what they should beside what they drew: they wait to be settled.
    pub unsettled: u64,
    /// Records among those that agree which stay as they were billed: now they would draw otherwise.
    pub stay: u64,
    /// Records that keep the price of a total or a discount that the tariff in force has no more, so that nothing derives it.
    pub kept: u64,
    /// Records that disagree.
    pub differ: u64,
    /// What they are charged beyond their derivation, by currency, units of 10⁻⁹; negative: too little.
    pub too_much: BTreeMap<String, i128>,
    /// Which fields disagree how often.
    pub fields: BTreeMap<&'static str, u64>,
    /// The first of them.
    pub shown: Vec<Disagreement>,
    /// Reference versions that rows were written under.
    pub references: Vec<u64>,
}

impl Proof {
    /// Goes through every standing word of a version of an installation's records, or of one cycle.
    pub fn of(
        installation: &Installation,
        entries: &Table,
        cycle: Option<&str>,
        limit: usize,
        quiet: bool,
    ) -> anyhow::Result<Self> {
        let store = installation.state_read_only()?;
        let standing = Standing::of(entries)?;
        let rows = standing.by_reference.values().flatten().filter_map(|add| add.rows()).sum();
        let mut progress = Progress::start("verify", rows, quiet);
        let mut proof = Self::default();
        let (frozen, owners) = (installation.frozen_cycles(entries)?, installation.block_on(store.load_reference(None))?.owners);
        let (mut done, mut drawing) = (0, Drawing::of(entries, frozen, owners)?);
        let mut known = HashMap::new();
        for (version, files) in &standing.by_reference {
            let loaded = installation.block_on(store.load_reference(Some(*version)))?;
            if loaded.version != *version {
                let why = format!(
                    "the state does not know reference version {version}, by which they were rated; it reads the imports from landing \
                     again when `tollway run` or `tollway ingest` starts"
                );
                proof.underivable.insert(why, files.iter().filter_map(|add| add.rows()).sum());
                continue;
            }
            let reference = second_reference(&loaded, &mut known)?;
            proof.references.push(*version);
            for add in files {
                let asked = Asked { cycle, month: add.partition("event_month"), limit };
                standing.read(add, &mut |word| proof.hold((*version, &reference), word, &asked, &mut drawing))?;
                done += add.rows().unwrap_or(0);
                progress.at(done);
            }
        }
        let waiting = Waiting::of(entries, standing.by_reference.keys().next_back().copied())?;
        let mut again: BTreeMap<u64, BTreeSet<Billed<'_>>> = BTreeMap::new();
        for version in drawing.versions() {
            let loaded = installation.block_on(store.load_reference(Some(version)))?;
            let reference = second_reference(&loaded, &mut known)?;
            let billed = drawing.settle(version, &reference, &mut |held| match held {
                Some(held) => proof.settled(held, limit, &waiting),
                None => proof.kept += 1,
            })?;
            for (version, record) in billed {
                again.entry(version).or_default().insert(record);
            }
        }
        for (version, records) in &again {
            let loaded = installation.block_on(store.load_reference(Some(*version)))?;
            let reference = second_reference(&loaded, &mut known)?;
            drawing.settle_again(records, &reference, &mut |held| {
                proof.stay += u64::from(held.differences.is_empty());
                proof.settled(held, limit, &waiting);
            })?;
        }
        progress.finish();
        let unknown = standing.unknown.iter().filter_map(|add| add.rows()).sum();
        if unknown > 0 {
            let why = "the commit that says by which reference data they were rated is gone from the table's log";
            proof.underivable.insert(why.to_owned(), unknown);
        }
        Ok(proof)
    }

    /// Records that were derived.
    pub fn records(&self) -> u64 {
        self.differ + self.agree()
    }

    /// Records that agree.
    pub fn agree(&self) -> u64 {
        self.rated.values().map(|sum| sum.records).sum::<u64>() + self.suspense.values().sum::<u64>()
    }

    /// What the records that agree are charged, by currency.
    pub fn charge(&self) -> BTreeMap<&str, Money> {
        let mut all: BTreeMap<&str, Money> = BTreeMap::new();
        for ((_, currency), sum) in &self.rated {
            all.entry(currency).or_insert(Money(0)).0 += sum.charge_nano;
        }
        all
    }

    /// Holds a word against its derivation, if it is of the cycle that is asked for by either of the two.
    fn hold(&mut self, (version, reference): (u64, &Reference), word: &Word<'_>, asked: &Asked<'_>, drawing: &mut Drawing) {
        let stated_cycle = word.billing_period.or(asked.month);
        let is_asked = |cycle: Option<&str>| asked.cycle.is_none_or(|wanted| cycle == Some(wanted));
        if let Some(reason) = word.reason.filter(|reason| never_priced(word, reason)) {
            if is_asked(stated_cycle) {
                *self.unpriced.entry(reason.to_owned()).or_default() += 1;
            }
            return;
        }
        let stated = stated(word);
        let session = session(word);
        let record = record(word, &session);
        let derived = match reference.derive(&record) {
            // What it comes to hangs on the others that draw with it, also on those of other cycles.
            Ok(derived) if derived.priced.is_covered => {
                let is_asked = is_asked(stated_cycle) || is_asked(derived.billing_period.as_deref());
                drawing.add(version, &derived, &record, word, (&stated, is_asked));
                return;
            }
            Ok(derived) if is_asked(stated_cycle) || is_asked(derived.billing_period.as_deref()) => derived,
            Ok(_) => return,
            Err(e) => {
                *self.underivable.entry(e.to_string()).or_default() += 1;
                return;
            }
        };
        let differences = differences(&derived, &stated);
        self.note((word.delivery, word.row), &derived, &stated, differences, asked.limit);
    }

    /// Notes how a record that draws from allowances came out.
    fn settled(&mut self, held: Held<'_>, limit: usize, waiting: &Waiting) {
        let Held { place, derived, stated, differences, draws_only, is_billed } = held;
        let customer = derived.window.map_or("", |window| window.customer.as_str());
        if !differences.is_empty() && draws_only && waiting.means(customer, is_billed) {
            self.unsettled += 1;
        } else {
            self.note(place, derived, &stated, differences, limit);
        }
    }

    fn note(
        &mut self,
        (delivery, row): (&str, i64),
        derived: &Derived<'_>,
        stated: &Stated<'_>,
        differences: Vec<Difference>,
        limit: usize,
    ) {
        if !differences.is_empty() {
            self.differ += 1;
            let (currency, charge) = (derived.priced.currency, derived.priced.charge);
            let derived = currency.zip(charge.ok().map(|charge| -i128::from(charge.nano)));
            for (currency, nano) in [stated.currency.zip(stated.charge_nano), derived].into_iter().flatten() {
                *self.too_much.entry(currency.to_owned()).or_default() += nano;
            }
            for difference in &differences {
                *self.fields.entry(difference.field).or_default() += 1;
            }
            if limit == 0 || self.shown.len() < limit {
                self.shown.push(Disagreement { record: format!("{delivery}:{row}"), differences });
            }
        } else if let Some(reason) = stated.reason {
            *self.suspense.entry(reason.to_owned()).or_default() += 1;
        } else {
            let (tariff, currency) = (stated.tariff.unwrap_or_default(), stated.currency.unwrap_or_default());
            let sum = self.rated.entry((tariff.to_owned(), currency.to_owned())).or_default();
            sum.records += 1;
            sum.charge_nano += stated.charge_nano.unwrap_or(0);
        }
    }

    /// The same for machines.
    pub fn to_json(&self) -> serde_json::Value {
        let tariffs = self.rated.iter().map(|((version, currency), sum)| {
            json!({"tariff": version, "records": sum.records, "charge": Money(sum.charge_nano).to_text(9), "currency": currency})
        });
        let shown = self.shown.iter().map(|one| {
            let fields = one.differences.iter().map(|d| json!({"field": d.field, "table": d.stated, "derived": d.derived}));
            json!({"record": one.record, "differences": fields.collect::<Vec<_>>()})
        });
        let charge: BTreeMap<&str, String> =
            self.charge().into_iter().map(|(currency, sum)| (currency, sum.to_text(9))).collect();
        let too_much: BTreeMap<&String, String> =
            self.too_much.iter().map(|(currency, n)| (currency, Money(*n).to_text(9))).collect();
        json!({
            "records": self.records(), "agree": self.agree(), "differ": self.differ, "charge": charge,
            "tariffs": tariffs.collect::<Vec<_>>(), "suspense": self.suspense, "unpriced": self.unpriced,
            "underivable": self.underivable, "unsettled": self.unsettled, "kept": self.kept, "stay": self.stay, "too_much": too_much,
            "reference_versions": self.references, "fields": self.fields, "differences": shown.collect::<Vec<_>>(),
        })
    }
}

/// What is asked for, of a file.
struct Asked<'a> {
    cycle: Option<&'a str>,
    /// The month of its starts, for words that have no cycle.
    month: Option<&'a str>,
    limit: usize,
}

/// Whether a word has a reason that comes before any price: the row could not be read, or another record has its id. Any other
/// reason has to be derived, also one that nobody knows.
fn never_priced(word: &Word<'_>, reason: &str) -> bool {
    match Reason::parse(reason) {
        Some(Reason::IdConflict | Reason::TooOld | Reason::WrittenOff) => true,
        Some(reason) => reason.is_malformed() && word.kind.is_none(),
        None => false,
    }
}

/// The parsed fields of a word: all that a derivation may see.
fn record<'w>(word: &Word<'w>, session: &'w str) -> Record<'w> {
    Record {
        kind: word.kind.unwrap_or_default(),
        start_us: word.start.unwrap_or_default(),
        start_offset_s: word.start_offset_s.unwrap_or_default(),
        duration_s: word.duration_s.unwrap_or_default().into(),
        bytes_up: word.bytes_up.unwrap_or_default(),
        bytes_down: word.bytes_down.unwrap_or_default(),
        // Tables of earlier versions leave out what the source does not count: one.
        messages: word.messages.unwrap_or(1).into(),
        a_number: word.a_number.unwrap_or_default(),
        imsi: word.imsi.unwrap_or_default(),
        iccid: word.iccid.unwrap_or_default(),
        b_number: word.b_number.unwrap_or_default(),
        b_number_type: word.b_number_type.unwrap_or_default(),
        network: word.network.unwrap_or_default(),
        provider_class: word.provider_class.unwrap_or_default(),
        cost_nano: word.cost,
        cost_currency: word.cost_currency.unwrap_or_default(),
        session,
    }
}

/// The name of its session among all accounts; empty for a part of none.
fn session(word: &Word<'_>) -> String {
    let account = || [word.tenant, word.provider, word.account].map(Option::unwrap_or_default).join("/");
    word.session_id.map(|id| format!("{}/{id}", account())).unwrap_or_default()
}

/// What rating made of it.
fn stated<'w>(word: &Word<'w>) -> Stated<'w> {
    Stated {
        owner_path: word.owner_path,
        customer: word.customer,
        subscription: word.subscription,
        device: word.device,
        plan: word.plan,
        billing_period: word.billing_period,
        tariff: word.tariff,
        zone: word.zone,
        zone_by: word.zone_by,
        band: word.band,
        party: word.party,
        tax_class: word.tax_class,
        tax: word.tax,
        allowance: word.allowance,
        allowance_units: word.allowance_units,
        allowance_money: word.allowance_money,
        reason: word.reason,
        billed_units: word.billed_units,
        charge_nano: word.charge,
        currency: word.currency,
    }
}

/// Reference data as the second derivation takes it: names for codes, and tariffs read anew from their texts, once for all versions.
fn second_reference(loaded: &store::Reference, known: &mut HashMap<String, Rc<Tariff>>) -> anyhow::Result<Reference> {
    let owners = &loaded.owners;
    let windows = owners.windows.iter().map(|window| Window {
        from_us: window.from_us,
        to_us: window.to_us,
        device: owners.devices.name(window.device).to_owned(),
        subscription: owners.subscriptions.name(window.subscription).to_owned(),
        customer: owners.customer_names.name(window.customer).to_owned(),
        plan: owners.plans.name(window.plan).to_owned(),
        group: (window.group != NO_GROUP).then(|| owners.groups.name(window.group).to_owned()),
    });
    let mut numbers: HashMap<(Identifier, u64), Vec<usize>> = HashMap::new();
    for (kind, digits, window) in &loaded.identifiers {
        let kind = match kind {
            store::IdentifierKind::Msisdn => Identifier::Msisdn,
            store::IdentifierKind::Imsi => Identifier::Imsi,
            store::IdentifierKind::Iccid => Identifier::Iccid,
        };
        numbers.entry((kind, *digits)).or_default().push(usize::try_from(*window)?);
    }
    let named = owners.customer_names.iter().zip(&owners.customers).map(|(name, customer)| {
        let zone = owners.zones[usize::from(customer.zone)].name();
        Ok((name.to_owned(), Customer::new(customer.owner_path.to_string(), customer.cycle_day.into(), zone)?))
    });
    let customers = named.collect::<Result<HashMap<_, _>, verify::VerifyError>>()?;
    let mut tariffs = Vec::with_capacity(loaded.tariffs.len());
    for bundle in &loaded.tariffs {
        let tariff = match known.get(&bundle.hash) {
            Some(tariff) => Rc::clone(tariff),
            None => Rc::new(Tariff::read(&bundle.name, &bundle.toml, &bundle.companions)?),
        };
        known.insert(bundle.hash.clone(), Rc::clone(&tariff));
        tariffs.push(tariff);
    }
    Ok(Reference { owners: Owners { windows: windows.collect(), numbers, customers }, tariffs })
}
