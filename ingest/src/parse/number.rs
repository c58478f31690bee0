//! Reads a party's number: cleaned, made international, and typed; only what is none of the allowed kinds is malformed.

use domain::number::{Number, NumberKind};

use crate::profile::recipe::{NumberForm, Party};

use super::field::Field;

/// Longest text that may stand for a number, in bytes.
const TEXT_BYTES_MAX: usize = 32;

/// Most digits of a number, and room for what is cleaned away or turns out to be too much.
const CLEANED_BYTES_MAX: usize = 32;

const POWERS: [u64; 16] = {
    let mut powers = [1u64; 16];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// What a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A number, or none.
    Number(Number),
    /// A text that stands for a number: the batch keeps it.
    Text(NumberKind),
    /// Nothing that the profile allows.
    Malformed,
}

/// Reads a party's field that is not empty.
#[inline]
pub(super) fn read(form: &NumberForm, party: &Party, field: Field<'_>) -> Reading {
    if let Some(number) = full_number(form, field) {
        return Reading::Number(number);
    }
    read_unusual(form, party, field)
}

/// Numbers with punctuation, short codes, words and hidden numbers.
#[cold]
fn read_unusual(form: &NumberForm, party: &Party, field: Field<'_>) -> Reading {
    let mut buffer = [0u8; CLEANED_BYTES_MAX];
    if let Some(cleaned) = clean(field.bytes(), &mut buffer) {
        let cleaned = Field::of(cleaned);
        if let Some(number) = full_number(form, cleaned) {
            return Reading::Number(number);
        }
        if party.short_codes && (3..=7).contains(&cleaned.len()) {
            if let Some(value) = cleaned.natural() {
                let digits = u32::try_from(cleaned.len()).expect("at most 7");
                return Reading::Number(Number::short_code(value, digits));
            }
        }
    }
    let text = field.bytes();
    if text.len() > TEXT_BYTES_MAX {
        return Reading::Malformed;
    }
    if party.masked && is_masked(form, text) {
        return Reading::Text(NumberKind::Masked);
    }
    let is_word = text.iter().any(|c| c.is_ascii_alphabetic() || *c >= 0x80 || b"*#".contains(c));
    if party.alphanumeric && is_word { Reading::Text(NumberKind::Alphanumeric) } else { Reading::Malformed }
}

/// A full number from a field of digits with the prefixes that the profile names.
#[inline]
fn full_number(form: &NumberForm, field: Field<'_>) -> Option<Number> {
    let text = field.bytes();
    let starts = |prefix: &[u8]| !prefix.is_empty() && text.starts_with(prefix);
    let (rest, is_national) = if text.first() == Some(&b'+') {
        (field.after(1), false)
    } else if starts(&form.international_prefix) {
        (field.after(form.international_prefix.len()), false)
    } else if starts(&form.national_prefix) {
        (field.after(form.national_prefix.len()), true)
    } else {
        (field, form.national_digits == Some(text.len()))
    };
    if rest.len() >= POWERS.len() {
        return None;
    }
    let value = rest.natural()?;
    let digits = u32::try_from(rest.len()).ok()?;
    let (value, digits) = if is_national {
        (form.country * POWERS[rest.len()] + value, form.country_digits + digits)
    } else if rest.byte(0) == Some(b'0') {
        return None;
    } else {
        (value, digits)
    };
    (form.digits_min..=form.digits_max).contains(&digits).then(|| Number::e164(value, digits))
}

/// Removes `(0)`, then spaces, `-`, `.`, `(` and `)`; `None` when more is left than any number has.
fn clean<'b>(text: &[u8], buffer: &'b mut [u8; CLEANED_BYTES_MAX]) -> Option<&'b [u8]> {
    let (mut length, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with(b"(0)") {
            at += 3;
            continue;
        }
        if !b" -.()".contains(&text[at]) {
            *buffer.get_mut(length)? = text[at];
            length += 1;
        }
        at += 1;
    }
    Some(&buffer[..length])
}

/// One of the profile's words, or digits of which some are hidden: `0612****78`, `+31612345xxx`.
fn is_masked(form: &NumberForm, text: &[u8]) -> bool {
    let hidden = text.iter().filter(|c| b"*xX".contains(c)).count();
    let others_are_digits = text.iter().all(|c| c.is_ascii_digit() || b"*xX+ -".contains(c));
    if hidden >= 2 && others_are_digits {
        return true;
    }
    let text = String::from_utf8_lossy(text).to_lowercase();
    form.masked_words.iter().any(|w| *w == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::recipe::PartySource;

    fn dutch() -> NumberForm {
        NumberForm {
            country: 31,
            country_digits: 2,
            national_prefix: b"0".to_vec(),
            international_prefix: b"00".to_vec(),
            national_digits: None,
            digits_min: 8,
            digits_max: 15,
            masked_words: vec!["anoniem".to_owned()],
        }
    }

    fn party(all: bool) -> Party {
        Party {
            from: PartySource::Constant(Number::ABSENT),
            required: true,
            not_for: [false; 4],
            short_codes: all,
            alphanumeric: all,
            masked: all,
        }
    }

    fn strict(text: &str) -> Reading {
        read(&dutch(), &party(false), Field::of(text.as_bytes()))
    }

    #[test]
    fn all_spellings_of_a_dutch_number_are_one() {
        let expected = Reading::Number(Number::e164(31_612_345_678, 11));
        for text in ["0612345678", "+31612345678", "0031612345678", "31612345678", "06-12345678", "+31 (0)6 1234 5678", "(06) 12.34.56.78"] {
            assert_eq!(strict(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_malformed() {
        for text in ["1234", "+", "00", "0", "anonymous", "06-12AB5678", "0000000000", "+49 12", "+0612345678", "1234567890123456", "٠٦١٢"] {
            assert_eq!(strict(text), Reading::Malformed, "{text}");
        }
        let long = "1".repeat(400);
        assert_eq!(strict(&long), Reading::Malformed);
    }

    #[test]
    fn other_kinds_are_typed_where_allowed() {
        let lenient = |text: &str| read(&dutch(), &party(true), Field::of(text.as_bytes()));
        assert_eq!(lenient("112"), Reading::Number(Number::short_code(112, 3)));
        assert_eq!(lenient("0611"), Reading::Number(Number::short_code(611, 4)));
        assert_eq!(lenient("116000"), Reading::Number(Number::short_code(116_000, 6)));
        assert_eq!(lenient("09001234"), Reading::Number(Number::e164(319_001_234, 9)));
        assert_eq!(lenient("RABOBANK"), Reading::Text(NumberKind::Alphanumeric));
        assert_eq!(lenient("*100#"), Reading::Text(NumberKind::Alphanumeric));
        assert_eq!(lenient("ANONIEM"), Reading::Text(NumberKind::Masked));
        assert_eq!(lenient("0612****78"), Reading::Text(NumberKind::Masked));
        assert_eq!(lenient("+49 12"), Reading::Malformed);
        assert_eq!(lenient("12"), Reading::Malformed);
    }

    #[test]
    fn bare_national_numbers_get_their_country() {
        let american = NumberForm {
            country: 1,
            country_digits: 1,
            national_prefix: Vec::new(),
            international_prefix: b"011".to_vec(),
            national_digits: Some(10),
            ..dutch()
        };
        let read = |text: &str| read(&american, &party(false), Field::of(text.as_bytes()));
        assert_eq!(read("917-375-0980"), Reading::Number(Number::e164(19_173_750_980, 11)));
        assert_eq!(read("1-917-375-0980"), Reading::Number(Number::e164(19_173_750_980, 11)));
        assert_eq!(read("011 31 20 1234567"), Reading::Number(Number::e164(31_201_234_567, 11)));
    }
}
