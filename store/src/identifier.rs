//! What a window is bound to: an MSISDN, an IMSI or an ICCID, as one integer each.

use std::fmt;

use domain::number::masked;

/// Which number names the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// The subscriber's number: country code and number, 8 to 15 digits (ITU-T E.164).
    Msisdn,
    /// The subscription on the SIM: 6 to 15 digits (ITU-T E.212).
    Imsi,
    /// The card: 18 to 20 digits that begin with 89 (ITU-T E.118); the first 19 count, because sources differ in whether
    /// they send the check digit.
    Iccid,
}

impl IdentifierKind {
    /// All kinds, in the order in which linking asks.
    pub const ALL: [Self; 3] = [Self::Msisdn, Self::Imsi, Self::Iccid];

    /// The name in files and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Msisdn => "msisdn",
            Self::Imsi => "imsi",
            Self::Iccid => "iccid",
        }
    }

    /// The kind behind a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }
}

/// Why a text is no identifier. The text itself is a subscriber's number, so it is masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// A character that is no digit.
    #[error("`{0}` has characters that are no digits; write digits only, without spaces or hyphens")]
    NotDigits(String),
    /// Not an E.164 number.
    #[error("`{0}` is no E.164 number; write country code and number, 8 to 15 digits, such as 31612345678")]
    Msisdn(String),
    /// Not an IMSI.
    #[error("`{0}` is no IMSI; write its 6 to 15 digits, such as 204041234567890")]
    Imsi(String),
    /// Not an ICCID.
    #[error("`{0}` is no ICCID; write its 18 to 20 digits, which begin with 89")]
    Iccid(String),
}

/// A number that names a device during a window. Printed masked; [`Identifier::clear`] shows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// What the digits are.
    pub kind: IdentifierKind,
    /// The digits as an integer; of an ICCID the first 19.
    pub value: u64,
}

impl Identifier {
    /// Reads an identifier: an MSISDN with or without plus sign, an IMSI, an ICCID with or without F padding.
    pub fn parse(kind: IdentifierKind, text: &str) -> Result<Self, IdentifierError> {
        let digits = match kind {
            IdentifierKind::Msisdn => text.strip_prefix('+').unwrap_or(text),
            IdentifierKind::Imsi => text,
            IdentifierKind::Iccid => text.trim_end_matches(['F', 'f']),
        };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdentifierError::NotDigits(masked(text)));
        }
        let (fits, refused): (bool, fn(String) -> IdentifierError) = match kind {
            IdentifierKind::Msisdn => ((8..=15).contains(&digits.len()) && !digits.starts_with('0'), IdentifierError::Msisdn),
            IdentifierKind::Imsi => ((6..=15).contains(&digits.len()), IdentifierError::Imsi),
            IdentifierKind::Iccid => ((18..=20).contains(&digits.len()) && digits.starts_with("89"), IdentifierError::Iccid),
        };
        let value = digits.get(..digits.len().min(19)).and_then(|d| d.parse().ok()).unwrap_or(0);
        if fits && value != 0 { Ok(Self { kind, value }) } else { Err(refused(masked(text))) }
    }

    /// The digits in clear: for answers to someone who may see them, never for logs.
    pub fn clear(self) -> String {
        self.value.to_string()
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), masked(&self.clear()))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({self})")
    }
}

impl serde::Serialize for Identifier {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: IdentifierKind, text: &str) -> Option<u64> {
        Identifier::parse(kind, text).ok().map(|i| i.value)
    }

    #[test]
    fn numbers_are_read_as_operators_write_them() {
        use IdentifierKind::{Iccid, Imsi, Msisdn};
        assert_eq!(parsed(Msisdn, "31612345678"), Some(31_612_345_678));
        assert_eq!(parsed(Msisdn, "+31612345678"), Some(31_612_345_678));
        assert_eq!(parsed(Imsi, "204041234567890"), Some(204_041_234_567_890));
        assert_eq!(parsed(Iccid, "89314404000123456789"), Some(8_931_440_400_012_345_678), "the check digit does not count");
        assert_eq!(parsed(Iccid, "8931440400012345678F"), Some(8_931_440_400_012_345_678), "nor does padding");
        assert_eq!(parsed(Iccid, "893144040001234567FF"), Some(893_144_040_001_234_567));
    }

    #[test]
    fn what_names_no_device_is_refused() {
        use IdentifierKind::{Iccid, Imsi, Msisdn};
        for text in
            ["", "0612345678", "0031612345678", "3161234", "3161234567890123", "31-612345678", "++31612345678", "31612345678 "]
        {
            assert_eq!(parsed(Msisdn, text), None, "{text}");
        }
        for text in ["", "20404", "2040412345678901", "20404X234567890", "000000000000000"] {
            assert_eq!(parsed(Imsi, text), None, "{text}");
        }
        for text in ["", "89314404000123456", "893144040001234567890", "12314404000123456789", "FFFFFFFFFFFFFFFFFFFF"] {
            assert_eq!(parsed(Iccid, text), None, "{text}");
        }
    }

    #[test]
    fn errors_and_debug_texts_hide_the_number() {
        let error = Identifier::parse(IdentifierKind::Msisdn, "0612345678").expect_err("a leading zero");
        assert!(!error.to_string().contains("0612345678"), "{error}");
        let good = Identifier::parse(IdentifierKind::Msisdn, "31612345678").expect("an MSISDN");
        assert_eq!(format!("{good} {good:?}"), "msisdn 316•••••678 Identifier(msisdn 316•••••678)");
    }
}
