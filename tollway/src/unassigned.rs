//! Numbers that no one owns: rows in suspense with `no_device`, gathered by the number that would have to be assigned.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::linked::Owner;
use domain::money::{Currency, Money};
use domain::number::masked;
use serde_json::{Value, json};
use store::instant::show_instant;
use store::{Identifier, IdentifierKind, Reference};

use crate::commands::rows::{Row, ask_rows};
use crate::installation::Installation;

const FROM_ROWS: &str = include_str!("commands/unassigned.sql");

/// What calls without an owner have as their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A number that can be assigned.
    Number(Identifier),
    /// None: a short code, a word, a hidden number, or nothing.
    None,
}

/// A number that no one owns, with its traffic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unassigned {
    /// The number.
    pub party: Party,
    /// Start of its first call, UTC.
    pub first_seen: String,
    /// Start of its last call, UTC.
    pub last_seen: String,
    /// Calls, messages and sessions.
    pub records: u64,
    /// Seconds.
    pub seconds: i64,
    /// Bytes both ways.
    pub bytes: i64,
    /// The provider's cost, which nobody is charged for, by currency.
    pub at_risk: BTreeMap<Currency, Money>,
    /// Provider and account, with `/`.
    pub accounts: BTreeSet<String>,
    /// Who has it at other times; `None`: it is in no list.
    pub known_as: Option<String>,
}

impl Unassigned {
    fn new(party: Party, known_as: Option<String>) -> Self {
        Self {
            party,
            first_seen: String::new(),
            last_seen: String::new(),
            records: 0,
            seconds: 0,
            bytes: 0,
            at_risk: BTreeMap::new(),
            accounts: BTreeSet::new(),
            known_as,
        }
    }

    fn add(&mut self, row: &Row) {
        let (first, last) = (row.text("first_seen").unwrap_or_default(), row.text("last_seen").unwrap_or_default());
        if self.first_seen.is_empty() || first < self.first_seen.as_str() {
            first.clone_into(&mut self.first_seen);
        }
        if last > self.last_seen.as_str() {
            last.clone_into(&mut self.last_seen);
        }
        self.records += row.number("records");
        self.seconds = self.seconds.saturating_add(row.long("seconds"));
        self.bytes = self.bytes.saturating_add(row.long("bytes"));
        if let Some((currency, cost)) =
            row.text("cost_currency").and_then(Currency::parse).zip(row.text("cost").and_then(Money::parse))
        {
            let sum = self.at_risk.entry(currency).or_default();
            *sum = sum.plus(cost);
        }
        self.accounts.insert(format!("{}/{}", row.text("provider").unwrap_or_default(), row.text("account").unwrap_or_default()));
    }

    /// Kind and digits, masked unless `clear`.
    pub fn shown(&self, clear: bool) -> String {
        match self.party {
            Party::Number(number) if clear => format!("{} {}", number.kind.as_str(), number.clear()),
            Party::Number(number) => number.to_string(),
            Party::None => "no number".to_owned(),
        }
    }

    /// For machines.
    pub fn to_json(&self, clear: bool) -> Value {
        let (kind, number) = match self.party {
            Party::Number(n) => (Some(n.kind.as_str()), Some(if clear { n.clear() } else { masked(&n.clear()) })),
            Party::None => (None, None),
        };
        json!({
            "kind": kind,
            "number": number,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "records": self.records,
            "seconds": self.seconds,
            "bytes": self.bytes,
            "at_risk": amounts_json(&self.at_risk),
            "accounts": self.accounts,
            "known_as": self.known_as,
        })
    }
}

/// Amounts by currency for machines.
pub fn amounts_json(amounts: &BTreeMap<Currency, Money>) -> BTreeMap<String, String> {
    amounts.iter().map(|(currency, money)| (currency.to_string(), money.to_text(9))).collect()
}

/// All numbers that no one owns, the most money at risk first. Amounts of different currencies are compared by their figures:
/// there is no rate to compare them by, and each worklist has mostly one.
pub fn worklist(installation: &Installation) -> anyhow::Result<Vec<Unassigned>> {
    let reference = installation.block_on(installation.state_read_only()?.load_reference(None))?;
    let windows = by_number(&reference);
    let mut found: BTreeMap<Party, Unassigned> = BTreeMap::new();
    for row in ask_rows(installation, FROM_ROWS)? {
        let party = party_of(&row, &windows);
        let known_as = || match party {
            Party::Number(number) => windows.get(&number).map(|owners| known_as(&reference, owners)),
            Party::None => None,
        };
        found.entry(party).or_insert_with(|| Unassigned::new(party, known_as())).add(&row);
    }
    let mut list: Vec<Unassigned> = found.into_values().collect();
    let most = |u: &Unassigned| u.at_risk.values().map(|m| m.0).max().unwrap_or(0);
    list.sort_by_key(|u| (Reverse(most(u)), Reverse(u.records), u.party));
    Ok(list)
}

type Windows<'a> = HashMap<Identifier, Vec<&'a Owner>>;

fn by_number(reference: &Reference) -> Windows<'_> {
    let mut windows: Windows<'_> = HashMap::new();
    for (kind, value, position) in &reference.identifiers {
        let owner = &reference.owners.windows[*position as usize];
        windows.entry(Identifier { kind: *kind, value: *value }).or_default().push(owner);
    }
    windows
}

/// The number that linking asked last: the first of IMSI, ICCID and MSISDN that is known at any time, because it decides; if
/// none is, the MSISDN.
fn party_of(row: &Row, windows: &Windows<'_>) -> Party {
    let read = |kind: IdentifierKind, column| row.text(column).and_then(|text| Identifier::parse(kind, text).ok());
    let sims = [(IdentifierKind::Imsi, "imsi"), (IdentifierKind::Iccid, "iccid")].map(|(kind, column)| read(kind, column));
    let msisdn = read(IdentifierKind::Msisdn, "a_number");
    let decides = sims.into_iter().flatten().find(|number| windows.contains_key(number));
    decides.or(msisdn).or(sims[0]).or(sims[1]).map_or(Party::None, Party::Number)
}

/// The latest owner of a number, in words.
fn known_as(reference: &Reference, owners: &[&Owner]) -> String {
    let Some(last) = owners.iter().max_by_key(|o| o.from_us) else { return String::new() };
    let customer = reference.owners.customer_names.name(last.customer);
    let until = if last.to_us == i64::MAX { "on".to_owned() } else { format!("to {}", show_instant(last.to_us)) };
    format!("{customer} from {} {until}", show_instant(last.from_us))
}

/// The sum over numbers, by currency.
pub fn total_at_risk(all: &[Unassigned]) -> BTreeMap<Currency, Money> {
    let mut total: BTreeMap<Currency, Money> = BTreeMap::new();
    for (currency, money) in all.iter().flat_map(|u| &u.at_risk) {
        let sum = total.entry(*currency).or_default();
        *sum = sum.plus(*money);
    }
    total
}
