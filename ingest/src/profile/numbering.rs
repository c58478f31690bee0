//! How the files of an account are numbered in their names, so that a missing one is noticed.

use super::ProfileError;
use super::raw::{RawRhythm, RawSequence};

/// Most digits of a number: with them it stays below 2^63.
const DIGITS_MAX: usize = 18;

/// Longest pattern, in characters.
const PATTERN_CHARS_MAX: usize = 200;

/// The place of the number in a pattern.
const NUMBER: &str = "{n}";

/// The numbers in the names of an account's files: each file has the one before it plus the step; after the last comes the
/// first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNumbering {
    before: String,
    after: String,
    /// The first number.
    pub first: u64,
    /// The last number, after which the first comes again.
    pub last: u64,
    /// From one file to the next.
    pub step: u64,
}

impl FileNumbering {
    pub(super) fn compile(raw: &RawSequence) -> Result<Self, ProfileError> {
        let wrong = |problem: String| Err(ProfileError::setting("sequence.name", problem));
        let Some((before, after)) = raw.name.split_once(NUMBER) else {
            return wrong(format!("`{}` has no {NUMBER}, the place of the number", raw.name));
        };
        if after.contains(NUMBER) || raw.name.chars().count() > PATTERN_CHARS_MAX {
            return wrong(format!("`{}` must have one {NUMBER} and at most {PATTERN_CHARS_MAX} characters", raw.name));
        }
        if before.ends_with('*')
            || after.starts_with('*')
            || after.starts_with('?')
            || after.starts_with(|c: char| c.is_ascii_digit())
        {
            return wrong(format!(
                "in `{}` it is open where the number begins or ends; put a fixed character beside {NUMBER}",
                raw.name
            ));
        }
        let digits_max = 10u64.pow(u32::try_from(DIGITS_MAX).unwrap_or(0)) - 1;
        if raw.step == 0 || raw.first >= raw.last || raw.last > digits_max || !(raw.last - raw.first).is_multiple_of(raw.step) {
            let problem = format!(
                "numbers from {} to {} in steps of {} do not come out; `last` must be a whole number of steps (1 or more) after `first`",
                raw.first, raw.last, raw.step
            );
            return Err(ProfileError::setting("sequence", problem));
        }
        let (before, after) = (before.to_owned(), after.to_owned());
        Ok(Self { before, after, first: raw.first, last: raw.last, step: raw.step })
    }

    /// The number in a file's name (without folders), with the digits as they stand there; `None` if the name is of another
    /// pattern or the number is none of the sequence.
    pub fn number_in<'a>(&self, name: &'a str) -> Option<(u64, &'a str)> {
        let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let starts = name.char_indices().map(|(at, _)| at).filter(|at| name.as_bytes()[*at].is_ascii_digit());
        // A run of digits is one number, unless fixed characters before it take its beginning.
        for start in starts {
            let digits = name[start..].bytes().take_while(u8::is_ascii_digit).count();
            let (text, rest) = name[start..].split_at(digits);
            if digits > DIGITS_MAX || !matches(&self.before, &name[..start]) || !matches(&self.after, rest) {
                continue;
            }
            let number: u64 = text.parse().ok()?;
            let is_one = (self.first..=self.last).contains(&number) && (number - self.first).is_multiple_of(self.step);
            return is_one.then_some((number, text));
        }
        None
    }

    /// How many numbers there are until the first comes again.
    pub fn span(&self) -> u64 {
        (self.last - self.first) / self.step + 1
    }
}

/// Whether a text is of a pattern: `*` is any run of characters, `?` one character, all else itself.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the latest `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (p, t) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// How often files are to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRhythm {
    /// Hours from one arrival to the next.
    pub every_hours: u32,
    /// Hours that are borne beyond that.
    pub grace_hours: u32,
}

impl FileRhythm {
    pub(super) fn compile(raw: &RawRhythm) -> Result<Self, ProfileError> {
        super::compile::check_range("rhythm.every_hours", i64::from(raw.every_hours), 1, 24 * 366)?;
        super::compile::check_range("rhythm.grace_hours", i64::from(raw.grace_hours), 0, 24 * 366)?;
        Ok(Self { every_hours: raw.every_hours, grace_hours: raw.grace_hours })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering(name: &str) -> Result<FileNumbering, ProfileError> {
        FileNumbering::compile(&RawSequence { name: name.to_owned(), first: 1, last: 99_999, step: 1 })
    }

    #[test]
    fn the_number_is_found_where_the_pattern_says() {
        for (pattern, name, expected) in [
            ("CD??????????{n}", "CDNLDPNGBRVF00017", Some((17, "00017"))),
            ("CD??????????{n}", "in/CDNLDPNUSA3100017", Some((17, "00017"))),
            ("CD??????????{n}", "CDNLDPNUSA310017", Some((17, "0017"))),
            ("CD??????????{n}", "TDNLDPNGBRVF00017", None),
            ("cdr_*_{n}.csv", "october/cdr_2026-10-25_00018.csv", Some((18, "00018"))),
            ("cdr_*_{n}.csv", "cdr_2026-10-25_00018.csv.bak", None),
            ("cdr_*_{n}.csv", "cdr_2026-10-25_100000.csv", None),
            ("cdr_*_{n}.csv", "cdr_2026-10-25_0.csv", None),
            ("{n}.json", "7.json", Some((7, "7"))),
            ("a{n}", "a99999999999999999999", None),
            ("a{n}", "é7", None),
        ] {
            assert_eq!(numbering(pattern).expect(pattern).number_in(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_that_leave_the_number_open_are_refused() {
        for pattern in ["cdr.csv", "{n}{n}", "*{n}.csv", "a{n}*", "a{n}?", "a{n}0.csv"] {
            let said = numbering(pattern).expect_err(pattern).to_string();
            assert!(said.contains("sequence.name"), "{said}");
        }
        let odd = RawSequence { name: "a{n}".to_owned(), first: 1, last: 10, step: 2 };
        assert!(FileNumbering::compile(&odd).expect_err("10 is no odd number").to_string().contains("steps of 2"));
        let endless = RawSequence { last: u64::MAX, step: 1, ..odd };
        assert!(FileNumbering::compile(&endless).is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_name_that_is_written_by_the_pattern_reads_back(number in 1u64..=99_999, middle in "[a-z-]{0,12}") {
            let numbering = numbering("cdr_*_{n}.csv").expect("a pattern");
            let found = numbering.number_in(&format!("x/cdr_{middle}_{number:05}.csv")).map(|(n, _)| n);
            proptest::prop_assert_eq!(found, Some(number));
        }

        #[test]
        fn garbage_never_panics(pattern in "[*?a-c{n}0-9é]{0,12}", name in ".{0,40}") {
            if let Ok(numbering) = numbering(&pattern) {
                let _ = numbering.number_in(&name);
            }
        }
    }
}
