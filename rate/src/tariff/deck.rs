//! Destinations: a deck of prefixes asked for the longest match, and short codes asked for the exact one.
//!
//! The first five digits lead into a dense table that knows the best prefix of up to five digits and which longer lengths
//! exist below that head; only those are looked up, longest first. A miss costs one array access.

use crate::error::{Place, TariffError};
use crate::tariff::NONE_ROW;
use crate::tariff::days::Days;
use crate::tariff::field::bad;
use crate::words::WordMap;

/// Most prefixes in a deck: rows share a 32-bit word with ten bits of lengths.
pub(super) const PREFIXES_MAX: usize = 1_000_000;

/// Most rows of one key that hold on different days: they are asked one after the other.
pub(super) const ROWS_OF_KEY_MAX: usize = 100;

/// Longest prefix: an E.164 number has 15 digits.
const DIGITS_MAX: u32 = 15;

const HEAD_DIGITS: u32 = 5;
const HEADS: u32 = 100_000;
const ROW_BITS: u32 = 20;
const ROW_MASK: u32 = (1 << ROW_BITS) - 1;

const POWERS: [u64; 16] = {
    let mut powers = [1; 16];
    let mut i = 1;
    while i < 16 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// A row of a zone table: what is matched and the zone it leads to.
#[derive(Debug)]
pub(crate) struct ZoneRule {
    /// The prefix, short code, network or class.
    pub key: Box<str>,
    /// A code of the tariff's zones.
    pub zone: u16,
    /// When it holds.
    pub days: Days,
    /// Where it stands.
    pub place: Place,
}

/// Prefixes by length and value, ready for the longest match.
#[derive(Debug)]
pub(crate) struct Deck {
    pub rules: Vec<ZoneRule>,
    /// Per five-digit head: the best row of up to five digits, and above it a bit per longer length. Empty without rules.
    heads: Vec<u32>,
    by_prefix: WordMap<u64>,
    /// By row: another row of the same prefix that holds on other days. Empty where no row is dated.
    others: Vec<u32>,
}

/// Digits and their count in one word, so that 07 and 7 differ.
fn word(value: u64, digits: u32) -> u64 {
    u64::from(digits) << 50 | value
}

/// Reads a key of digits only.
fn digits(rule: &ZoneRule, field: &str, lengths: std::ops::RangeInclusive<usize>) -> Result<(u64, u32), TariffError> {
    let key = &*rule.key;
    let is_plain = lengths.contains(&key.len()) && key.bytes().all(|c| c.is_ascii_digit());
    let parsed = key.parse::<u64>().ok().zip(u32::try_from(key.len()).ok()).filter(|_| is_plain);
    parsed.ok_or_else(|| bad(&rule.place, field, key, format!("{} to {} digits are expected", lengths.start(), lengths.end())))
}

/// Rows of each key, and how to come from one to the next: a key may have several if they hold on different days.
pub(super) fn chain(others: &mut Vec<u32>, rules: &[ZoneRule], row: usize, before: u32, what: &str) -> Result<(), TariffError> {
    let rule = &rules[row];
    let next = |row: &u32| others.get(*row as usize).copied().filter(|next| *next != NONE_ROW);
    let of_key = std::iter::successors(Some(before).filter(|row| *row != NONE_ROW), next).map(|row| &rules[row as usize]);
    for (n, other) in of_key.enumerate() {
        if other.days.meets(rule.days) {
            let days = if rule.days == other.days { "" } else { " on these days" };
            let (place, first) = (rule.place.clone(), other.place.clone());
            return Err(TariffError::Twice { place, what: format!("{what} `{}`{days}", rule.key), first });
        }
        if n + 2 > ROWS_OF_KEY_MAX {
            let what = "rows of one key";
            return Err(TariffError::TooMany { place: rule.place.clone(), what, limit: ROWS_OF_KEY_MAX });
        }
    }
    if before != NONE_ROW {
        others.resize(rules.len(), NONE_ROW);
        others[row] = before;
    }
    Ok(())
}

/// The row of a chain that holds on a day, or [`NONE_ROW`].
pub(super) fn holding(rules: &[ZoneRule], others: &[u32], first: u32, day: i32) -> u32 {
    let next = |row: &u32| others.get(*row as usize).copied();
    let mut rows = std::iter::successors(Some(first), next).take_while(|row| *row != NONE_ROW);
    rows.find(|row| rules[*row as usize].days.holds(day)).unwrap_or(NONE_ROW)
}

impl Deck {
    pub fn build(rules: Vec<ZoneRule>) -> Result<Self, TariffError> {
        let (mut by_prefix, mut others) = (WordMap::default(), Vec::new());
        let mut prefixes = Vec::with_capacity(rules.len());
        for (row, rule) in rules.iter().enumerate() {
            let (value, length) = digits(rule, "prefix", 1..=DIGITS_MAX as usize)?;
            if rule.key.starts_with('0') {
                return Err(bad(&rule.place, "prefix", &rule.key, "an international prefix has no leading zero: 31, not 0031"));
            }
            let number = u32::try_from(row).expect("a deck has at most a million rows");
            let before = by_prefix.insert(word(value, length), number).unwrap_or(NONE_ROW);
            chain(&mut others, &rules, row, before, "prefix")?;
            prefixes.push((length, value, number));
        }
        let is_dated = rules.iter().any(|rule| rule.days != Days::ALWAYS);
        others.resize(if is_dated { rules.len() } else { 0 }, NONE_ROW);
        let mut heads = if rules.is_empty() { Vec::new() } else { vec![ROW_MASK; HEADS as usize] };
        prefixes.sort_unstable();
        for (length, value, row) in prefixes {
            fill(&mut heads, length, value, row);
        }
        Ok(Self { rules, heads, by_prefix, others })
    }

    /// The row of the longest prefix of a number on a local day, or [`NONE_ROW`].
    #[inline]
    pub fn longest_on(&self, value: u64, digits: u32, day: impl Fn() -> i32) -> u32 {
        let longest = self.longest(value, digits);
        if self.others.is_empty() || longest == NONE_ROW { longest } else { self.longest_held(value, digits, longest, day()) }
    }

    /// The same where rows are dated: the longest one that holds on the day, down from the longest of all.
    #[inline(never)]
    fn longest_held(&self, value: u64, digits: u32, mut row: u32, day: i32) -> u32 {
        let digits = digits.min(DIGITS_MAX);
        while let Some(rule) = self.rules.get(row as usize) {
            let held = holding(&self.rules, &self.others, row, day);
            if held != NONE_ROW {
                return held;
            }
            let shorter = u32::try_from(rule.key.len()).map_or(0, |length| length - 1);
            row = self.longest_by_length(value / POWERS[(digits - shorter) as usize], shorter);
        }
        NONE_ROW
    }

    /// The row of the longest prefix of a number, whenever it holds.
    #[inline]
    fn longest(&self, value: u64, digits: u32) -> u32 {
        if self.heads.is_empty() {
            return NONE_ROW;
        }
        if !(HEAD_DIGITS..=DIGITS_MAX).contains(&digits) {
            return self.longest_by_length(value, digits.min(DIGITS_MAX));
        }
        let head = usize::try_from(value / POWERS[(digits - HEAD_DIGITS) as usize]).unwrap_or(usize::MAX);
        let Some(entry) = self.heads.get(head) else {
            return NONE_ROW;
        };
        let mut lengths = entry >> ROW_BITS;
        while lengths != 0 {
            let bit = lengths.ilog2();
            let length = bit + HEAD_DIGITS + 1;
            if length <= digits
                && let Some(row) = self.by_prefix.get(&word(value / POWERS[(digits - length) as usize], length))
            {
                return *row;
            }
            lengths ^= 1 << bit;
        }
        if entry & ROW_MASK == ROW_MASK { NONE_ROW } else { entry & ROW_MASK }
    }

    /// The same for numbers that are shorter than a head: length by length.
    fn longest_by_length(&self, value: u64, digits: u32) -> u32 {
        let shorter = (1..=digits).rev().map(|length| word(value / POWERS[(digits - length) as usize], length));
        shorter.into_iter().find_map(|prefix| self.by_prefix.get(&prefix)).copied().unwrap_or(NONE_ROW)
    }
}

/// Enters a prefix; shorter ones must be entered before longer ones.
fn fill(heads: &mut [u32], length: u32, value: u64, row: u32) {
    let index = |v: u64| usize::try_from(v).expect("a head has five digits");
    if length <= HEAD_DIGITS {
        let width = POWERS[(HEAD_DIGITS - length) as usize];
        let first = index(value * width);
        heads[first..first + index(width)].fill(row);
    } else {
        let head = index(value / POWERS[(length - HEAD_DIGITS) as usize]);
        heads[head] |= 1 << (ROW_BITS + length - HEAD_DIGITS - 1);
    }
}

/// Short codes, matched whole.
#[derive(Debug)]
pub(crate) struct ShortCodes {
    pub rules: Vec<ZoneRule>,
    by_code: WordMap<u64>,
}

impl ShortCodes {
    pub fn build(rules: Vec<ZoneRule>) -> Result<Self, TariffError> {
        let mut by_code = WordMap::default();
        for (row, rule) in rules.iter().enumerate() {
            let (value, length) = digits(rule, "short_codes", 2..=10)?;
            let before = by_code.insert(word(value, length), u32::try_from(row).expect("at most 10,000 codes"));
            chain(&mut Vec::new(), &rules, row, before.unwrap_or(NONE_ROW), "short code")?;
        }
        Ok(Self { rules, by_code })
    }

    /// The row of a code, or [`NONE_ROW`].
    #[inline]
    pub fn exact(&self, value: u64, digits: u32) -> u32 {
        self.by_code.get(&word(value, digits)).copied().unwrap_or(NONE_ROW)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn deck(prefixes: &[String]) -> Deck {
        let place = Place { file: "deck.csv".into(), line: None };
        let rules = prefixes
            .iter()
            .map(|p| ZoneRule { key: p.as_str().into(), zone: 0, days: Days::ALWAYS, place: place.clone() })
            .collect();
        Deck::build(rules).expect("distinct prefixes")
    }

    #[test]
    fn one_deck_may_hold_every_length_of_a_number() {
        let number = "316123456789012";
        let prefixes: Vec<String> = (1..=15).map(|n| number[..n].to_owned()).collect();
        let deck = deck(&prefixes);
        let value: u64 = number.parse().expect("digits");
        assert_eq!(deck.longest(value, 15), 14);
        assert_eq!(deck.longest(value / 10, 14), 13);
        assert_eq!(deck.longest(value / POWERS[12], 3), 2);
        assert_eq!(deck.longest(31_612_345_678, 11), 10);
        assert_eq!(deck.longest(31_612_999_999, 11), 4);
        assert_eq!(deck.longest(49_151, 5), NONE_ROW);
    }

    #[test]
    fn a_prefix_cannot_stand_twice_or_begin_with_zero() {
        let rule = |key: &str, line| ZoneRule {
            key: key.into(),
            zone: 0,
            days: Days::ALWAYS,
            place: Place { file: "p.csv".into(), line: Some(line) },
        };
        let twice = Deck::build(vec![rule("31", 2), rule("316", 3), rule("31", 4)]).map(|_| ()).map_err(|e| e.to_string());
        assert_eq!(twice, Err("p.csv line 4: prefix `31` is already defined at p.csv line 2; keep one of the two".to_owned()));
        let zero = Deck::build(vec![rule("0031", 2)]).map(|_| ()).map_err(|e| e.to_string());
        let text = "p.csv line 2: `prefix` is `0031`; an international prefix has no leading zero: 31, not 0031";
        assert_eq!(zero, Err(text.to_owned()));
    }

    proptest! {
        #[test]
        fn the_longest_prefix_is_the_one_that_a_search_by_hand_finds(
            prefixes in prop::collection::hash_set("[1-3][0-3]{0,9}", 1..60),
            number in "[1-3][0-3]{7,14}",
        ) {
            let prefixes: Vec<String> = prefixes.into_iter().collect();
            let by_hand = prefixes.iter().enumerate().filter(|(_, p)| number.starts_with(p.as_str())).max_by_key(|(_, p)| p.len());
            let expected = by_hand.map_or(NONE_ROW, |(row, _)| u32::try_from(row).expect("few"));
            let length = u32::try_from(number.len()).expect("short");
            prop_assert_eq!(deck(&prefixes).longest(number.parse().expect("digits"), length), expected);
        }

        #[test]
        fn of_dated_prefixes_the_longest_that_holds_is_the_one_that_a_search_by_hand_finds(
            rows in prop::collection::vec(("[1-3][0-3]{0,7}", 0i32..20, 1i32..20), 1..60),
            number in "[1-3][0-3]{7,14}",
            day in 0i32..40,
        ) {
            let mut rules: Vec<ZoneRule> = Vec::new();
            for (key, from, length) in &rows {
                let days = Days { from: *from, to: from + length };
                if !rules.iter().any(|rule| *rule.key == **key && rule.days.meets(days)) {
                    let place = Place { file: "deck.csv".into(), line: None };
                    rules.push(ZoneRule { key: key.as_str().into(), zone: 0, days, place });
                }
            }
            let holds = |rule: &&ZoneRule| rule.days.holds(day) && number.starts_with(&*rule.key);
            let by_hand = rules.iter().filter(holds).max_by_key(|rule| rule.key.len()).map(|rule| rule.key.clone());
            let deck = Deck::build(rules).expect("rows of one prefix hold on different days");
            let length = u32::try_from(number.len()).expect("short");
            let found = deck.longest_on(number.parse().expect("digits"), length, || day);
            prop_assert_eq!(deck.rules.get(found as usize).map(|rule| rule.key.clone()), by_hand);
            prop_assert!(deck.rules.get(found as usize).is_none_or(|rule| rule.days.holds(day)));
        }
    }
}
