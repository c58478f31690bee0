//! What a single value looks like: a number, a card, an amount, a duration.

/// The longest text that may stand for a number.
const NUMBER_BYTES_MAX: usize = 32;

/// How a party's number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NumberLook {
    /// `+31612345678`.
    Plus,
    /// `0031612345678`.
    DoubleZero,
    /// `0612345678`.
    National,
    /// Digits with nothing before them, so many: `31612345678` or `612345678`.
    Bare(usize),
    /// Three to seven digits: `112`, `2001`.
    Short,
    /// `0612****78`.
    Masked,
    /// A word, such as a sender's name.
    Word,
}

/// How a number is written; `None` if the text is none.
pub(super) fn number(text: &str) -> Option<NumberLook> {
    if text.is_empty() || text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    if super::words::is_hidden(text).is_some() {
        return Some(NumberLook::Masked);
    }
    let hidden = text.chars().filter(|c| "*xX".contains(*c)).count();
    if hidden >= 2 && text.chars().all(|c| c.is_ascii_digit() || "*xX+ -".contains(c)) {
        return Some(NumberLook::Masked);
    }
    let cleaned: String = text.replace("(0)", "").chars().filter(|c| !" -.()".contains(*c)).collect();
    let (has_plus, digits) = cleaned.strip_prefix('+').map_or((false, &cleaned[..]), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        let is_word = text.chars().any(|c| c.is_alphabetic() || "*#".contains(c));
        return is_word.then_some(NumberLook::Word);
    }
    match (has_plus, digits.len()) {
        (true, 8..=15) => Some(NumberLook::Plus),
        (true, _) => None,
        (_, 10..=17) if digits.starts_with("00") => Some(NumberLook::DoubleZero),
        (_, 8..=13) if digits.starts_with('0') => Some(NumberLook::National),
        (_, 3..=7) => Some(NumberLook::Short),
        (_, length @ 8..=15) => Some(NumberLook::Bare(length)),
        _ => None,
    }
}

fn digits_only(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// The check digit that cards and devices end in (Luhn's).
pub(super) fn has_check_digit(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, c)| {
            let digit = u32::from(c.wrapping_sub(b'0')) * if place % 2 == 0 { 1 } else { 2 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    digits_only(digits) && sum.is_multiple_of(10)
}

/// An IMSI: 14 or 15 digits behind a mobile country code.
pub(super) fn is_imsi(text: &str) -> bool {
    (14..=15).contains(&text.len()) && digits_only(text) && matches!(text.as_bytes(), [b'2'..=b'7', ..])
}

/// An ICCID: 18 to 20 digits that begin with 89, perhaps padded with F.
pub(super) fn is_iccid(text: &str) -> bool {
    let digits = text.trim_end_matches(['F', 'f']);
    (18..=20).contains(&digits.len()) && digits_only(digits) && digits.starts_with("89")
}

/// The number of a device: 15 digits of which the last checks the others.
pub(super) fn is_imei(text: &str) -> bool {
    text.len() == 15 && has_check_digit(text)
}

/// Mobile country and network code.
pub(super) fn is_mccmnc(text: &str) -> bool {
    (5..=6).contains(&text.len()) && digits_only(text) && matches!(text.as_bytes(), [b'2'..=b'7' | b'9', ..])
}

/// A network's code among networks: country in letters and two more.
pub(super) fn is_tadig(text: &str) -> bool {
    let is_capital = |c: u8| c.is_ascii_uppercase();
    text.len() == 5 && text.bytes().take(3).all(is_capital) && text.bytes().all(|c| is_capital(c) || c.is_ascii_digit())
}

/// A decimal number with one mark at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub mark: Option<char>,
    pub places: usize,
    pub is_negative: bool,
    /// Digits before the mark.
    pub whole: usize,
}

/// Reads `-12,50`; `None` for everything that has more than digits, one mark and a minus sign.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mark = text.chars().find(|c| ",.".contains(*c));
    let (whole, places) = mark.and_then(|mark| text.split_once(mark)).unwrap_or((text, ""));
    let is_right = digits_only(whole) && (mark.is_none() || digits_only(places));
    is_right.then_some(Decimal { mark, places: places.len(), is_negative, whole: whole.len() })
}

/// An amount that no profile can read: with a currency's sign, or with marks between thousands.
pub(super) fn is_dressed_amount(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !"€$£ \u{a0}".contains(*c)).collect();
    let plain = plain.trim_start_matches("EUR").trim_end_matches("EUR");
    let marks = plain.chars().filter(|c| ",.".contains(*c)).count();
    let digits: String = plain.chars().filter(|c| !",.-".contains(*c)).collect();
    digits_only(&digits) && (plain.len() != text.len() || marks > 1)
}

/// Nano-units of a decimal with this mark.
pub(super) fn nano(text: &str, mark: char) -> Option<i128> {
    let read = decimal(text)?;
    if read.mark.is_some_and(|m| m != mark) || read.places > 9 || read.whole > 18 {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let zeros = "0".repeat(9 - read.places);
    let value: i128 = format!("{digits}{zeros}").parse().ok()?;
    Some(if read.is_negative { -value } else { value })
}

/// A count of seconds or minutes: whole, and not longer than a month.
pub(super) fn is_count(text: &str) -> bool {
    text.len() <= 7 && digits_only(text)
}

/// `hh:mm:ss`, hours of any length.
pub(super) fn is_clock_duration(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else { return false };
    let sixty = |part: &str| part.len() == 2 && digits_only(part) && part < "60";
    digits_only(hours) && hours.len() <= 6 && sixty(minutes) && sixty(seconds)
}

/// A duration that no profile can read: `mm:ss`, or with decimals or letters.
pub(super) fn is_odd_duration(text: &str) -> bool {
    let parts: Vec<&str> = text.split([':', 'h', 'm', 's', '.', ',']).filter(|p| !p.is_empty()).collect();
    !parts.is_empty() && parts.len() <= 3 && parts.iter().all(|p| digits_only(p.trim()) && p.len() <= 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_their_look() {
        for (text, look) in [
            ("+31612345678", Some(NumberLook::Plus)),
            ("+31 (0)6 12345678", Some(NumberLook::Plus)),
            ("0031612345678", Some(NumberLook::DoubleZero)),
            ("06-12345678", Some(NumberLook::National)),
            ("31612345678", Some(NumberLook::Bare(11))),
            ("612345678", Some(NumberLook::Bare(9))),
            ("112", Some(NumberLook::Short)),
            ("ANONIEM", Some(NumberLook::Masked)),
            ("0612****78", Some(NumberLook::Masked)),
            ("RABOBANK", Some(NumberLook::Word)),
            ("0,0412", None),
            ("", None),
        ] {
            assert_eq!(number(text), look, "{text}");
        }
    }

    #[test]
    fn cards_are_told_by_length_and_check_digit() {
        assert!(is_imei("490154203237518"), "the example of the check digit's public descriptions");
        assert!(!is_imei("490154203237519"));
        assert!(is_imsi("204160012345000") && !is_imsi("904160012345000") && !is_imsi("31612345678"));
        assert!(is_iccid("8931163000123450007F") && !is_iccid("7931163000123450007"));
    }

    #[test]
    fn amounts_and_durations() {
        assert_eq!(decimal("0,0412"), Some(Decimal { mark: Some(','), places: 4, is_negative: false, whole: 1 }));
        assert_eq!(decimal("1.234,56"), None);
        assert!(is_dressed_amount("€ 0,12") && is_dressed_amount("1.234,56") && !is_dressed_amount("0,12"));
        assert_eq!(nano("-220,2983", ','), Some(-220_298_300_000));
        assert_eq!(nano("1.5", ','), None);
        assert!(is_clock_duration("00:01:03") && !is_clock_duration("01:03") && is_odd_duration("01:03"));
    }
}
