//! A tariff as it is imported, landed and kept: the TOML text and the CSV files it refers to, as one JSON text.

use std::collections::BTreeMap;

use domain::ids::{IdError, check_id};
use sha2::{Digest, Sha256};

/// Most companion files of a tariff.
const COMPANIONS_MAX: usize = 64;
/// Longest name of a companion file.
const COMPANION_NAME_BYTES_MAX: usize = 128;

/// A tariff file and its companions, named and hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffBundle {
    /// The tariff's name; a new bundle of the same name replaces the former from its arrival on.
    pub name: String,
    /// SHA-256 of [`TariffBundle::to_json`], hexadecimal: the same content has the same hash everywhere.
    pub hash: String,
    /// The tariff file.
    pub toml: String,
    /// The CSV files that it refers to, by file name.
    pub companions: BTreeMap<String, String>,
}

/// Why bytes are no tariff bundle.
#[derive(Debug, thiserror::Error)]
pub enum TariffError {
    /// The JSON cannot be read.
    #[error(
        "the tariff bundle is no JSON object with `name`, `toml` and `companions`; make it with `tollway import tariffs FILE`"
    )]
    Json(#[source] serde_json::Error),
    /// The tariff's name breaks the rules for ids.
    #[error("the tariff's name cannot be used; rename the file")]
    Name(#[source] IdError),
    /// A companion that is no plain file name.
    #[error("the companion `{0}` cannot be used; refer to files beside the tariff by plain names, at most 128 bytes long")]
    Companion(String),
    /// No text at all.
    #[error("the tariff `{0}` is empty; write at least one plan")]
    Empty(String),
    /// Too many files.
    #[error("the tariff `{name}` has {found} companions, {COMPANIONS_MAX} are allowed; merge some")]
    TooMany {
        /// The tariff.
        name: String,
        /// How many it has.
        found: usize,
    },
}

/// The JSON shape.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBundle {
    name: String,
    toml: String,
    #[serde(default)]
    companions: BTreeMap<String, String>,
}

impl TariffBundle {
    /// Checks names and limits and hashes the content; what the TOML says is the tariff loader's to check.
    pub fn new(name: &str, toml: &str, companions: BTreeMap<String, String>) -> Result<Self, TariffError> {
        check_id(name).map_err(TariffError::Name)?;
        if toml.trim().is_empty() {
            return Err(TariffError::Empty(name.to_owned()));
        }
        if companions.len() > COMPANIONS_MAX {
            return Err(TariffError::TooMany { name: name.to_owned(), found: companions.len() });
        }
        if let Some(companion) = companions.keys().find(|name| !is_plain_file_name(name)) {
            return Err(TariffError::Companion(companion.chars().take(60).collect()));
        }
        let mut bundle = Self { name: name.to_owned(), hash: String::new(), toml: toml.to_owned(), companions };
        bundle.hash = sha256_hex(bundle.to_json().as_bytes());
        Ok(bundle)
    }

    /// The text that is landed and kept: one JSON object, companions sorted by name.
    pub fn to_json(&self) -> String {
        let raw = RawBundle { name: self.name.clone(), toml: self.toml.clone(), companions: self.companions.clone() };
        serde_json::to_string(&raw).expect("strings and a map with string keys always serialize")
    }

    /// Reads what [`TariffBundle::to_json`] wrote.
    pub fn from_json(bytes: &[u8]) -> Result<Self, TariffError> {
        let raw: RawBundle = serde_json::from_slice(bytes).map_err(TariffError::Json)?;
        Self::new(&raw.name, &raw.toml, raw.companions)
    }
}

/// A companion lies beside its tariff: no folders, no hidden files.
fn is_plain_file_name(name: &str) -> bool {
    (1..=COMPANION_NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(['/', '\\', ':'])
        && !name.contains(char::is_control)
}

/// SHA-256 as 64 hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].map(|n| char::from_digit(n.into(), 16).expect("a nibble is a hexadecimal digit")));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_survives_its_json_and_keeps_its_hash() {
        let companions = BTreeMap::from([("prefixes.csv".to_owned(), "prefix,zone\n31,NL\n".to_owned())]);
        let bundle = TariffBundle::new("nl-2026", "currency = \"EUR\"", companions).expect("a bundle");
        assert_eq!(TariffBundle::from_json(bundle.to_json().as_bytes()).expect("its own JSON"), bundle);
        let spaced = "{ \"name\": \"nl-2026\", \"companions\": {\"prefixes.csv\": \"prefix,zone\\n31,NL\\n\"}, \"toml\": \"currency = \\\"EUR\\\"\" }";
        assert_eq!(TariffBundle::from_json(spaced.as_bytes()).expect("other spacing").hash, bundle.hash);
        assert_ne!(TariffBundle::new("nl-2026", "currency = \"USD\"", bundle.companions).expect("a bundle").hash, bundle.hash);
    }

    #[test]
    fn hashes_are_the_published_ones() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let refused = |bytes: &[u8]| TariffBundle::from_json(bytes).expect_err("no bundle");
        assert!(matches!(refused(b"currency = \"EUR\""), TariffError::Json(_)));
        assert!(matches!(refused(br#"{"name":"a/b","toml":"x"}"#), TariffError::Name(_)));
        assert!(matches!(refused(br#"{"name":"a","toml":" "}"#), TariffError::Empty(_)));
        assert!(matches!(refused(br#"{"name":"a","toml":"x","companions":{"../x":""}}"#), TariffError::Companion(_)));
        assert!(matches!(refused(br#"{"name":"a","toml":"x","extra":1}"#), TariffError::Json(_)));
    }
}
