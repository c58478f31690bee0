//! Numbers as people write and dial them, outside of any file: read by the rules that profiles have unless they say otherwise.

use domain::number::{Number, NumberKind};

use crate::profile::recipe::{Party, PartySource};
use crate::profile::{ProfileError, usual_numbers};

use super::field::Field;
use super::number;

/// A number with its text: digits without prefixes, or the word itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialled {
    /// What kind of number it is.
    pub kind: NumberKind,
    /// Digits with the country code, a short code, or a word; empty if nobody was dialled.
    pub text: String,
}

/// Reads `+44 1632 960000`, `0044...`, `06...` of the country, `112` or `RABOBANK`; `None` if it is none of them.
pub fn read(text: &str, country_code: &str) -> Result<Option<Dialled>, ProfileError> {
    let form = usual_numbers(country_code)?;
    let anything = Party {
        from: PartySource::Constant(Number::ABSENT),
        required: false,
        not_for: [false; 4],
        short_codes: true,
        alphanumeric: true,
        masked: true,
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(Some(Dialled { kind: NumberKind::Absent, text: String::new() }));
    }
    let Some(number) = number::read(&form, &anything, Field::of(text.as_bytes())) else { return Ok(None) };
    let mut digits = String::new();
    number.write(&[text.to_owned()], &mut digits).expect("a string takes every text");
    Ok(Some(Dialled { kind: number.kind(), text: digits }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_and_text(text: &str) -> Option<(NumberKind, String)> {
        read(text, "31").expect("a country code").map(|dialled| (dialled.kind, dialled.text))
    }

    #[test]
    fn what_people_dial_is_understood() {
        for (text, kind, digits) in [
            ("+44 1632 960000", NumberKind::E164, "441632960000"),
            ("00441632960000", NumberKind::E164, "441632960000"),
            ("06-12345678", NumberKind::E164, "31612345678"),
            ("112", NumberKind::ShortCode, "112"),
            ("RABOBANK", NumberKind::Alphanumeric, "RABOBANK"),
            ("", NumberKind::Absent, ""),
        ] {
            assert_eq!(kind_and_text(text), Some((kind, digits.to_owned())), "{text}");
        }
        assert_eq!(kind_and_text("12"), None);
        let british = read("01632 960000", "44").expect("a country code").map(|dialled| dialled.text);
        assert_eq!(british.as_deref(), Some("441632960000"));
    }

    #[test]
    fn a_country_code_that_is_none_is_refused() {
        assert!(read("06-12345678", "NL").is_err());
    }
}
