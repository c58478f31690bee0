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

/// Reads a party's field that is not empty; `None` if it is nothing that the profile allows. A word or a hidden number
/// comes back with position 0: the caller keeps the field's text and puts in where.
#[inline]
pub(super) fn read(form: &NumberForm, party: &Party, field: Field<'_>) -> Option<Number> {
    full_number(form, field).or_else(|| read_unusual(form, party, field))
}

/// Numbers with punctuation, short codes, words and hidden numbers.
#[cold]
fn read_unusual(form: &NumberForm, party: &Party, field: Field<'_>) -> Option<Number> {
    let mut buffer = [0u8; CLEANED_BYTES_MAX];
    if let Some(cleaned) = clean(field.bytes(), &mut buffer) {
        let cleaned = Field::of(cleaned);
        if let Some(number) = full_number(form, cleaned) {
            return Some(number);
        }
        if party.short_codes
            && (3..=7).contains(&cleaned.len())
            && let Some(value) = cleaned.natural()
        {
            let digits = u32::try_from(cleaned.len()).expect("at most 7");
            return Some(Number::short_code(value, digits));
        }
    }
    let text = field.bytes();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    if party.masked && is_masked(form, text) {
        return Some(Number::text(NumberKind::Masked, 0));
    }
    let is_word = text.iter().any(|c| c.is_ascii_alphabetic() || *c >= 0x80 || b"*#".contains(c));
    (party.alphanumeric && is_word).then(|| Number::text(NumberKind::Alphanumeric, 0))
}

/// A full number from a field of digits with the prefixes that the profile names.
#[inline]
fn full_number(form: &NumberForm, field: Field<'_>) -> Option<Number> {
    let first = field.load(field.from);
    let is_plus = !field.is_empty() & (first & 0xff == u64::from(b'+'));
    let is_international = is_plus | form.international_prefix.opens(first);
    let has_prefix = !is_international & form.national_prefix.opens(first);
    let is_national = has_prefix | !is_international & (form.national_digits == field.len());
    let prefix = if is_plus {
        1
    } else if is_international {
        form.international_prefix.length
    } else if has_prefix {
        form.national_prefix.length
    } else {
        0
    };
    let rest = field.after(prefix);
    if rest.is_empty() || rest.len() >= POWERS.len() {
        return None;
    }
    let value = rest.natural()?;
    let country = if is_national { form.country * POWERS[rest.len()] } else { 0 };
    let digits = rest.len() + if is_national { form.country_digits } else { 0 };
    let opens_with_zero = !is_national & (rest.load(rest.from) & 0xff == u64::from(b'0'));
    if opens_with_zero || !(form.digits_min..=form.digits_max).contains(&digits) {
        return None;
    }
    Some(Number::e164(country + value, u32::try_from(digits).ok()?))
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
    form.masked_words.contains(&text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::recipe::{PartySource, Prefix};

    fn dutch() -> NumberForm {
        NumberForm {
            country: 31,
            country_digits: 2,
            national_prefix: Prefix::new("0"),
            international_prefix: Prefix::new("00"),
            national_digits: usize::MAX,
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

    fn strict(text: &str) -> Option<Number> {
        read(&dutch(), &party(false), Field::of(text.as_bytes()))
    }

    #[test]
    fn all_spellings_of_a_dutch_number_are_one() {
        let expected = Some(Number::e164(31_612_345_678, 11));
        for text in [
            "0612345678",
            "+31612345678",
            "0031612345678",
            "31612345678",
            "06-12345678",
            "+31 (0)6 1234 5678",
            "(06) 12.34.56.78",
        ] {
            assert_eq!(strict(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_malformed() {
        for text in [
            "1234",
            "+",
            "00",
            "0",
            "anonymous",
            "06-12AB5678",
            "0000000000",
            "+49 12",
            "+0612345678",
            "1234567890123456",
            "٠٦١٢",
        ] {
            assert_eq!(strict(text), None, "{text}");
        }
        let long = "1".repeat(400);
        assert_eq!(strict(&long), None);
    }

    #[test]
    fn other_kinds_are_typed_where_allowed() {
        let lenient = |text: &str| read(&dutch(), &party(true), Field::of(text.as_bytes()));
        assert_eq!(lenient("112"), Some(Number::short_code(112, 3)));
        assert_eq!(lenient("0611"), Some(Number::short_code(611, 4)));
        assert_eq!(lenient("116000"), Some(Number::short_code(116_000, 6)));
        assert_eq!(lenient("09001234"), Some(Number::e164(319_001_234, 9)));
        assert_eq!(lenient("RABOBANK"), Some(Number::text(NumberKind::Alphanumeric, 0)));
        assert_eq!(lenient("*100#"), Some(Number::text(NumberKind::Alphanumeric, 0)));
        assert_eq!(lenient("ANONIEM"), Some(Number::text(NumberKind::Masked, 0)));
        assert_eq!(lenient("0612****78"), Some(Number::text(NumberKind::Masked, 0)));
        assert_eq!(lenient("+49 12"), None);
        assert_eq!(lenient("12"), None);
    }

    #[test]
    fn bare_national_numbers_get_their_country() {
        let american = NumberForm {
            country: 1,
            country_digits: 1,
            national_prefix: Prefix::new(""),
            international_prefix: Prefix::new("011"),
            national_digits: 10,
            ..dutch()
        };
        let read = |text: &str| read(&american, &party(false), Field::of(text.as_bytes()));
        assert_eq!(read("917-375-0980"), Some(Number::e164(19_173_750_980, 11)));
        assert_eq!(read("1-917-375-0980"), Some(Number::e164(19_173_750_980, 11)));
        assert_eq!(read("011 31 20 1234567"), Some(Number::e164(31_201_234_567, 11)));
    }

    /// JOB.md's step 2, word for word.
    fn normalised(text: &str) -> Option<u64> {
        let text = text.replace("(0)", "").replace([' ', '-', '.', '(', ')'], "");
        let text = if let Some(rest) = text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
            rest.to_owned()
        } else if let Some(rest) = text.strip_prefix('0') {
            format!("31{rest}")
        } else {
            text
        };
        let is_valid = (8..=15).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
        is_valid.then(|| text.parse().ok()).flatten()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn numbers_are_normalised_as_the_job_says(
            text in "(\\+|00|0)?[0-9]{0,16}|[0-9+() .-]{1,20}|\\+31 ?\\(0\\)6[0-9 -]{6,12}",
        ) {
            let inside = format!("12345678,{text},0612345678");
            let field = Field { data: inside.as_bytes(), from: 9, to: 9 + text.len() };
            prop_assert_eq!(read(&dutch(), &party(false), field).and_then(Number::as_e164), normalised(&text));
        }
    }
}
