//! Deliveries, their rows and their keys: what a landed file is called and when two rows are the same.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::ids::{AccountId, ProviderId, TenantId};
use crate::money::Currency;

/// The number that fixes the order of all that arrives: deliveries, reference imports and decisions share it.
pub type ArrivalNumber = u64;

/// Who sends: keys, order and duplicates are local to this.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Account {
    /// Whose data it is.
    pub tenant: TenantId,
    /// Who hands it out.
    pub provider: ProviderId,
    /// Under which account there.
    pub account: AccountId,
}

impl Account {
    /// `tenant/provider/account`: the key of topics and the scope of record keys.
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.tenant, self.provider, self.account)
    }
}

/// What makes a delivery itself; its hash is the [`DeliveryId`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeliveryIdentity {
    /// Who sent it.
    pub account: Account,
    /// The provider's billing cycle, if the source or the operator named one (`2026-10`).
    pub cycle: Option<String>,
    /// The name under which the source would send a newer version of the same file.
    pub logical_file: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Rises when a withdrawn delivery comes again.
    pub generation: u32,
}

impl DeliveryIdentity {
    /// The id: a hash over all fields, the same on every machine.
    pub fn id(&self) -> DeliveryId {
        let mut hash = SipHasher13::new_with_keys(0x746f_6c6c_7761_7931, 0x6465_6c69_7665_7279);
        for part in [&self.account.path(), self.cycle.as_deref().unwrap_or(""), &self.logical_file, &self.sha256] {
            hash.write_u64(part.len() as u64);
            hash.write(part.as_bytes());
        }
        hash.write_u32(self.generation);
        DeliveryId(hash.finish128().as_u128())
    }
}

/// The short name of a delivery: 128 bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(pub u128);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl DeliveryId {
    /// Reads 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no delivery id: 32 hexadecimal digits are"))
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> String {
        id.to_string()
    }
}

/// How a profile says that two rows are the same (docs/adr/0003).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyMode {
    /// The record id names the row; the same id with other content is suspense `id_conflict`.
    Id,
    /// Record id and content together.
    IdAndContent,
    /// Equal rows count once, in the same file and over files.
    Content,
    /// The n-th equal row of a file is the n-th call: a re-sent file adds nothing, two real identical calls stay two.
    ContentAndOccurrence,
}

/// What a profile promises about files of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// Each file brings new rows; a changed file of the same name waits for a word.
    Delta,
    /// A file of the same name replaces the one before: the month to date.
    Snapshot,
    /// As snapshot, and the last word on its period.
    Final,
}

/// The secret under which record keys are hashed: keys in sidecars tell nothing about numbers to who lacks it.
#[derive(Clone, Copy)]
pub struct KeySecret(pub [u8; 16]);

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(…)")
    }
}

/// Makes record keys of one account: a 128-bit keyed hash (SipHash-1-3) over mode, account and parts.
#[derive(Clone)]
pub struct RecordHasher(SipHasher13);

impl fmt::Debug for RecordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordHasher(…)")
    }
}

impl RecordHasher {
    /// The hasher of an account under a secret.
    pub fn new(secret: &KeySecret, account: &Account) -> Self {
        let mut sip = SipHasher13::new_with_key(&secret.0);
        let path = account.path();
        sip.write_u64(path.len() as u64);
        sip.write(path.as_bytes());
        // Padded to whole words, so that the words of every row are hashed where they stand.
        sip.write(&[0; 8][..path.len().next_multiple_of(8) - path.len()]);
        Self(sip)
    }

    /// The hash of one text in the account's scope.
    #[inline]
    pub fn hash(&self, domain: u8, bytes: &[u8]) -> u128 {
        let mut sip = self.0;
        sip.write_u64(u64::from(domain));
        sip.write(bytes);
        sip.finish128().as_u128()
    }

    /// The hash of a text and a number, as for the n-th occurrence.
    #[inline]
    pub fn hash_with(&self, domain: u8, bytes: u128, number: u64) -> u128 {
        let mut sip = self.0;
        sip.write_u64(u64::from(domain));
        sip.write_u64((bytes >> 64) as u64);
        sip.write_u64(u64::try_from(bytes & u128::from(u64::MAX)).expect("masked to 64 bits"));
        sip.write_u64(number);
        sip.finish128().as_u128()
    }
}

/// What the stages know about the file that a batch comes from.
#[derive(Debug, Clone)]
pub struct FileContext {
    /// Who sent it.
    pub account: Account,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its place in the order of arrivals.
    pub arrival: ArrivalNumber,
    /// The name that the source gave it, for people.
    pub origin: Arc<str>,
    /// The profile's name and version, `kpn-sp16@1`.
    pub profile: Arc<str>,
    /// The provider's billing cycle, if known.
    pub cycle: Option<Arc<str>>,
    /// The currency of the provider's cost.
    pub cost_currency: Currency,
    /// How keys are made.
    pub key_mode: KeyMode,
    /// Records that started before this instant were too old to bill when the file landed, microseconds UTC; `i64::MIN`: none was.
    pub billable_from_us: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> DeliveryIdentity {
        let id = |s| AccountId::parse(s).expect("an id");
        DeliveryIdentity {
            account: Account {
                tenant: TenantId::parse("main").expect("an id"),
                provider: ProviderId::parse("kpn").expect("an id"),
                account: id("haven"),
            },
            cycle: None,
            logical_file: "a.csv".to_owned(),
            sha256: "00".to_owned(),
            generation: 0,
        }
    }

    #[test]
    fn every_part_of_the_identity_counts() {
        let one = identity();
        let mut ids = vec![one.id()];
        ids.push(DeliveryIdentity { cycle: Some("2026-10".to_owned()), ..one.clone() }.id());
        ids.push(DeliveryIdentity { logical_file: "b.csv".to_owned(), ..one.clone() }.id());
        ids.push(DeliveryIdentity { sha256: "01".to_owned(), ..one.clone() }.id());
        ids.push(DeliveryIdentity { generation: 1, ..one.clone() }.id());
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
        assert_eq!(DeliveryId::parse(&one.id().to_string()), Some(one.id()));
    }

    #[test]
    fn keys_differ_by_account_and_secret() {
        let one = identity().account;
        let other = Account { account: AccountId::parse("x").expect("an id"), ..one.clone() };
        let key = |secret, account| RecordHasher::new(&KeySecret([secret; 16]), account).hash(0, b"row");
        assert_eq!(key(1, &one), key(1, &one));
        assert_ne!(key(1, &one), key(1, &other));
        assert_ne!(key(1, &one), key(2, &one));
    }
}
