//! The record of arrivals: versioned JSON, one object for all that arrived together, which is one thing in most cases.

use domain::delivery::{Account, ArrivalNumber, DeliveryId, DeliveryIdentity};
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};

use super::error::LandError;
use super::live::LiveRange;
use super::recycling::Recycling;
use super::word::{Dismissal, Replay};

/// The format of imports of groups, the newest that this program writes and reads.
const GROUPS_FORMAT: u32 = 4;

/// The format of several arrivals in one record.
const TOGETHER_FORMAT: u32 = 3;

/// The format of decisions, replacements and full lists.
const ACTING_FORMAT: u32 = 2;

/// The format of deliveries that replace none and of imports as deltas: programs that know of nothing else read them, too.
const PLAIN_FORMAT: u32 = 1;

/// The first number.
pub(super) const FIRST: ArrivalNumber = 1;

/// Where the records lie.
pub(super) const FOLDER: &str = "landing/arrivals/";

/// Something that has arrived, at its place in the order that everything acts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its place: from 1, without gaps.
    pub number: ArrivalNumber,
    /// When its record was made, microseconds since 1970 UTC. The order is the numbers', not the clock's.
    pub arrived_us: i64,
    /// What arrived.
    pub kind: ArrivalKind,
}

/// What can arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalKind {
    /// A provider's file.
    Delivery(DeliveryRecord),
    /// Reference data.
    Import(ImportRecord),
    /// An operator's word.
    Decision(Decision),
}

/// A provider's file as it was landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRecord {
    /// What makes it itself.
    pub identity: DeliveryIdentity,
    /// The hash of the identity.
    pub delivery: DeliveryId,
    /// The name as given: a path, an address.
    pub origin: String,
    /// The SHA-256 of the file as it was sent, if this one was wrapped in it; it lies in landing, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwrapped_from: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The profile's label, `kpn-sp16@1`.
    pub profile: String,
    /// The profile's text as it was at landing, itself a landed object: split and parse are pure in it.
    pub profile_sha256: String,
    /// How many rows split puts into one claim check; fixed here, so that every split of this file cuts alike.
    pub cut_rows: u64,
    /// The size at which it ends a claim check earlier; fixed for the same reason.
    pub cut_bytes: u64,
    /// What it takes the place of, once it is in the table whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
    /// Whether it acts.
    pub state: DeliveryState,
    /// Which events it holds, if it is a micro-batch of a live source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Box<LiveRange>>,
}

/// What a delivery takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replaces {
    /// Every earlier delivery of the same account, cycle and logical file: its profile says `snapshot` or `final`.
    SameName,
    /// The delivery with this arrival number: an operator has said so.
    Arrival(ArrivalNumber),
}

/// Whether a delivery acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It does: split reads it.
    Announced,
    /// It waits for a word.
    Held {
        /// Why, and what to do.
        reason: String,
    },
}

/// Reference data as it was landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRecord {
    /// Whose data it is.
    pub tenant: TenantId,
    /// What it describes.
    pub what: ImportKind,
    /// The name as given.
    pub origin: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// How it is meant if it is a full list, in which absence means an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<FullImport>,
}

/// What a full list may do, fixed before it acts, so that a replay does the same under any configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullImport {
    /// The instant for which the list is true, microseconds since 1970 UTC.
    pub as_of_us: i64,
    /// Most that it may end; if what comes in between makes it more, it does not act.
    pub ended_max: u64,
    /// The word of a person, where it ends more than may end without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The kinds of reference data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// Which identifiers belong to which device, subscription, customer and plan, from when to when.
    Devices,
    /// Customers and their billing cycles.
    Customers,
    /// Plans and the tariffs behind them.
    Plans,
    /// A tariff.
    Tariffs,
    /// Who pays for a subscription under which plan, from when to when.
    Subscriptions,
    /// Which group a subscription is in, from when to when.
    Groups,
}

/// An operator's word that acts at its place in the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A delivery that was refused as a whole needs no hand any more.
    Dismiss(Dismissal),
    /// Dead letters are sent again by whoever holds the log.
    Replay(Replay),
    /// A delivery is taken back: its entries are reversed, and its bytes may come again. One that is held is rejected.
    Withdraw(Withdrawal),
    /// Rows, in suspense or with a price, are rated again; those in suspense perhaps with corrected fields, or never.
    Recycle(Recycling),
}

/// Which delivery is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Whose it is: its corrections stand in the order of the account's files.
    pub account: Account,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its arrival number.
    pub arrival: ArrivalNumber,
    /// Its name as given, for people.
    pub origin: String,
}

#[derive(Serialize)]
struct Writing<'a> {
    format: u32,
    number: ArrivalNumber,
    arrived_us: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a ArrivalKind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<&'a ArrivalKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    #[serde(rename = "format")]
    _format: u32,
    number: ArrivalNumber,
    arrived_us: i64,
    /// What arrived alone.
    #[serde(default)]
    kind: Option<ArrivalKind>,
    /// What arrived together, in order: the first has the record's number.
    #[serde(default)]
    kinds: Vec<ArrivalKind>,
}

/// Read before all else, so that a newer record is told from a damaged one.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// The object of a number: names sort as numbers do.
pub(super) fn path(number: ArrivalNumber) -> String {
    format!("{FOLDER}{number:020}.json")
}

/// Reads back what [`path`] wrote.
pub(super) fn number_of(object: &str) -> Option<ArrivalNumber> {
    let number = object.strip_prefix(FOLDER)?.strip_suffix(".json")?.parse().ok()?;
    (path(number) == object).then_some(number)
}

/// The record of arrivals that follow each other and arrived at one time; at least one.
pub(super) fn encode(arrivals: &[Arrival]) -> Vec<u8> {
    let Arrival { number, arrived_us, .. } = arrivals[0];
    let (format, kind, kinds) = match arrivals {
        [Arrival { kind, .. }] => (kind.format(), Some(kind), Vec::new()),
        several => {
            let format = several.iter().map(|arrival| arrival.kind.format()).fold(TOGETHER_FORMAT, u32::max);
            (format, None, several.iter().map(|arrival| &arrival.kind).collect())
        }
    };
    let record = Writing { format, number, arrived_us, kind, kinds };
    serde_json::to_vec_pretty(&record).expect("numbers and texts are JSON")
}

/// Reads a record and checks that it is the one of this number: the number of the first arrival that it holds.
pub(super) fn decode(number: ArrivalNumber, record: &[u8]) -> Result<Vec<Arrival>, LandError> {
    let damaged = |what: String| LandError::Damaged { path: path(number), what };
    let unreadable = |e: serde_json::Error| damaged(format!("it is no arrival: {e}"));
    let Format { format } = serde_json::from_slice(record).map_err(unreadable)?;
    if format > GROUPS_FORMAT {
        return Err(LandError::Newer { path: path(number), found: format, known: GROUPS_FORMAT });
    }
    let Reading { number: stated, arrived_us, kind, kinds, .. } = serde_json::from_slice(record).map_err(unreadable)?;
    if stated != number {
        return Err(damaged(format!("it says that it is arrival {stated}")));
    }
    let kinds = match (kind, kinds) {
        (Some(kind), kinds) if kinds.is_empty() => vec![kind],
        (None, kinds) if !kinds.is_empty() => kinds,
        _ => return Err(damaged("it is no arrival: it wants either `kind` or `kinds`".to_owned())),
    };
    if let Some(fault) = kinds.iter().find_map(ArrivalKind::fault) {
        return Err(damaged(fault));
    }
    Ok((number..).zip(kinds).map(|(number, kind)| Arrival { number, arrived_us, kind }).collect())
}

impl ArrivalKind {
    fn format(&self) -> u32 {
        match self {
            Self::Decision(_) | Self::Delivery(DeliveryRecord { replaces: Some(_), .. }) => ACTING_FORMAT,
            Self::Import(ImportRecord { what: ImportKind::Groups, .. }) => GROUPS_FORMAT,
            Self::Import(import) if import.full.is_some() || import.what == ImportKind::Subscriptions => ACTING_FORMAT,
            Self::Delivery(_) | Self::Import(_) => PLAIN_FORMAT,
        }
    }

    /// What does not fit together in it.
    fn fault(&self) -> Option<String> {
        let hashes = match self {
            Self::Delivery(d) if d.delivery != d.identity.id() => {
                return Some(format!("its delivery is {}, its identity makes {}", d.delivery, d.identity.id()));
            }
            Self::Delivery(DeliveryRecord { live: Some(live), .. }) if live.fault().is_some() => {
                return live.fault().map(str::to_owned);
            }
            Self::Delivery(d) => [&d.identity.sha256, &d.profile_sha256].into_iter().chain(&d.unwrapped_from).collect(),
            Self::Import(import) => vec![&import.sha256],
            Self::Decision(_) => Vec::new(),
        };
        hashes.into_iter().find(|hash| !is_sha256(hash)).map(|bad| format!("`{bad}` is no SHA-256"))
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
