//! How the files of an account are numbered, so that a missing one is noticed.

use super::ProfileError;
use super::compile::{FIELDS_MAX, check_range, readers};
use super::raw::{RawNumberPlace, RawProfile, RawReader, RawRhythm, RawSequence};
use super::recipe::TrailerPlace;

/// Most digits of a number: with them it stays below 2^63.
const DIGITS_MAX: usize = 18;

/// Longest pattern, in characters.
const PATTERN_CHARS_MAX: usize = 200;

/// The place of the number in a pattern.
const NUMBER: &str = "{n}";

/// The numbers of an account's files: each file has the one before it plus the step; after the last comes the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNumbering {
    pub(super) place: NumberPlace,
    /// The first number.
    pub first: u64,
    /// The last number, after which the first comes again.
    pub last: u64,
    /// From one file to the next.
    pub step: u64,
}

/// Where the number of a file stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NumberPlace {
    /// In its name, between these.
    Name { before: String, after: String },
    /// In this line before the rows, from 1.
    Line(u32, TrailerPlace),
    /// In its trailer.
    Trailer(TrailerPlace),
    /// In the batch control of a TAP3 file.
    BatchControl,
}

impl NumberPlace {
    fn compile(raw: &RawSequence, profile: &RawProfile) -> Result<Self, ProfileError> {
        let wrong = |key: &str, problem: &str| Err(ProfileError::setting(key, problem));
        let (reader, in_name) = (profile.file.reader, raw.place == RawNumberPlace::Name);
        let in_control = reader == RawReader::Tap3 && raw.place == RawNumberPlace::Header;
        for (key, is_there, is_used) in [
            ("sequence.name", raw.name.is_some(), in_name),
            ("sequence.line", raw.line.is_some(), raw.place == RawNumberPlace::Header && !in_control),
            ("sequence.field", raw.field.is_some(), !in_name && reader == RawReader::Delimited),
            ("sequence.at", raw.at.is_some(), !in_name && reader == RawReader::FixedWidth),
        ] {
            if is_there && !is_used {
                return wrong(key, "with this reader and this `sequence.in` it is not used; take it out");
            }
        }
        match raw.place {
            RawNumberPlace::Name => match &raw.name {
                Some(name) => Self::in_name(name),
                None => wrong("sequence.name", "the pattern of names is missing, such as `name = \"cdr_*_{n}.csv\"`"),
            },
            RawNumberPlace::Header if in_control => Ok(Self::BatchControl),
            RawNumberPlace::Header => {
                let at = Self::in_line(raw, reader)?;
                let (line, skipped) = (raw.line.unwrap_or(1), profile.file.skip_lines);
                if !(1..=skipped).contains(&line) {
                    let problem =
                        format!("line {line} is none of the {skipped} that `file.skip_lines` leaves out before the rows");
                    return wrong("sequence.line", &problem);
                }
                Ok(Self::Line(line, at))
            }
            RawNumberPlace::Trailer => {
                let at = Self::in_line(raw, reader)?;
                if profile.trailer.is_none() {
                    return wrong("sequence.in", "there is no trailer to read the number from; add a [trailer] section");
                }
                Ok(Self::Trailer(at))
            }
        }
    }

    fn in_name(name: &str) -> Result<Self, ProfileError> {
        let wrong = |problem: String| Err(ProfileError::setting("sequence.name", problem));
        let Some((before, after)) = name.split_once(NUMBER) else {
            return wrong(format!("`{name}` has no {NUMBER}, the place of the number"));
        };
        if after.contains(NUMBER) || name.chars().count() > PATTERN_CHARS_MAX {
            return wrong(format!("`{name}` must have one {NUMBER} and at most {PATTERN_CHARS_MAX} characters"));
        }
        if before.ends_with('*')
            || after.starts_with('*')
            || after.starts_with('?')
            || after.starts_with(|c: char| c.is_ascii_digit())
        {
            return wrong(format!(
                "in `{name}` it is open where the number begins or ends; put a fixed character beside {NUMBER}"
            ));
        }
        Ok(Self::Name { before: before.to_owned(), after: after.to_owned() })
    }

    fn in_line(raw: &RawSequence, reader: RawReader) -> Result<TrailerPlace, ProfileError> {
        match (reader, raw.field, &raw.at) {
            (RawReader::Delimited, Some(field), _) => {
                check_range("sequence.field", i64::from(field), 0, i64::from(FIELDS_MAX - 1))?;
                Ok(TrailerPlace::Field(field as usize))
            }
            (RawReader::Delimited, None, _) => {
                Err(ProfileError::setting("sequence.field", "the position of the field with the number is missing; from 0"))
            }
            (RawReader::FixedWidth, _, Some(at)) => Ok(TrailerPlace::Span(readers::digits_span("sequence.at", at)?)),
            (RawReader::FixedWidth, _, None) => {
                Err(ProfileError::setting("sequence.at", "where the number stands: `at = { start = 10, width = 5 }`"))
            }
            _ => Err(ProfileError::setting("sequence.in", "files of this reader have their numbers in names; set it to `name`")),
        }
    }
}

impl FileNumbering {
    pub(super) fn compile(raw: &RawSequence, profile: &RawProfile) -> Result<Self, ProfileError> {
        let place = NumberPlace::compile(raw, profile)?;
        let digits_max = 10u64.pow(u32::try_from(DIGITS_MAX).unwrap_or(0)) - 1;
        if raw.step == 0 || raw.first >= raw.last || raw.last > digits_max || !(raw.last - raw.first).is_multiple_of(raw.step) {
            let problem = format!(
                "numbers from {} to {} in steps of {} do not come out; `last` must be a whole number of steps (1 or more) after `first`",
                raw.first, raw.last, raw.step
            );
            return Err(ProfileError::setting("sequence", problem));
        }
        Ok(Self { place, first: raw.first, last: raw.last, step: raw.step })
    }

    /// The number that a text is, if it is one of the sequence and nothing but digits.
    pub(super) fn number_of(&self, text: &str) -> Option<u64> {
        if text.len() > DIGITS_MAX || !text.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let number: u64 = text.parse().ok()?;
        let is_one = (self.first..=self.last).contains(&number) && (number - self.first).is_multiple_of(self.step);
        is_one.then_some(number)
    }

    /// How many numbers there are until the first comes again.
    pub fn span(&self) -> u64 {
        (self.last - self.first) / self.step + 1
    }
}

/// The number in a file's name (without folders) between what stands before and behind it, as its digits stand there; `None` if
/// the name is of another pattern.
pub(super) fn digits_in<'a>(name: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut starts = name.char_indices().map(|(at, _)| at).filter(|at| name.as_bytes()[*at].is_ascii_digit());
    // A run of digits is one number, unless fixed characters before it take its beginning.
    starts.find_map(|start| {
        let digits = name[start..].bytes().take_while(u8::is_ascii_digit).count();
        let (text, rest) = name[start..].split_at(digits);
        (digits <= DIGITS_MAX && matches(before, &name[..start]) && matches(after, rest)).then_some(text)
    })
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
    use crate::profile::Profile;
    use crate::profile::samples::shipped;

    /// A layout whose files are numbered like that.
    fn numbered(sequence: &str) -> Result<Profile, ProfileError> {
        Profile::load(&format!("{}\n[sequence]\n{sequence}\n", shipped("job").text()))
    }

    fn in_names(name: &str) -> Result<Profile, ProfileError> {
        numbered(&format!("name = '{name}'\nlast = 99999"))
    }

    fn number_in(profile: &Profile, name: &str) -> Option<(u64, String)> {
        let found = profile.file_number(name, 0, |_| Err("names suffice")).expect("no byte is read");
        found.map(|file| (file.number, file.digits))
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
            let found = number_in(&in_names(pattern).expect(pattern), name);
            assert_eq!(found, expected.map(|(number, digits): (u64, &str)| (number, digits.to_owned())), "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_that_leave_the_number_open_are_refused() {
        for pattern in ["cdr.csv", "{n}{n}", "*{n}.csv", "a{n}*", "a{n}?", "a{n}0.csv"] {
            let said = in_names(pattern).expect_err(pattern).to_string();
            assert!(said.contains("sequence.name"), "{said}");
        }
        let said = numbered("name = 'a{n}'\nlast = 10\nstep = 2").expect_err("10 is no odd number").to_string();
        assert!(said.contains("steps of 2"), "{said}");
        assert!(numbered(&format!("name = 'a{{n}}'\nlast = {}", i64::MAX)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn a_name_that_is_written_by_the_pattern_reads_back(number in 1u64..=99_999, middle in "[a-z-]{0,12}") {
            let name = format!("x/cdr_{middle}_{number:05}.csv");
            let found = digits_in(&name, "cdr_*_", ".csv").and_then(|digits| digits.parse().ok());
            proptest::prop_assert_eq!(found, Some(number));
        }

        #[test]
        fn garbage_never_panics(pattern in "[*?a-c{n}0-9é]{0,12}", name in ".{0,40}") {
            if let Ok(NumberPlace::Name { before, after }) = NumberPlace::in_name(&pattern) {
                let _ = digits_in(&name, &before, &after);
            }
        }
    }
}
