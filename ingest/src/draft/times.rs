//! How times are written, and which of day and month comes first: decided by all values together.

use std::collections::BTreeMap;

use domain::zone::days_of;

/// The year 2000 and the year 2100 in seconds since 1970.
const EPOCH_S: std::ops::Range<u64> = 946_684_800..4_102_444_800;

/// Which part of a date comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DateOrder {
    YearFirst,
    /// Day or month, then the other, then the year.
    YearLast,
}

/// A date as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DateForm {
    pub order: DateOrder,
    /// Between the parts.
    pub mark: Option<char>,
}

/// A time of day as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClockForm {
    pub mark: Option<char>,
    pub has_seconds: bool,
    /// Before a fraction, which may be missing in some values.
    pub fraction: Option<char>,
    pub offset: Offset,
}

/// The offset from UTC as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Offset {
    None,
    /// `+02:00`.
    Colon,
    /// `+0200`.
    Plain,
    /// `Z`, or in other values `+02:00`.
    Zulu,
}

/// A value of a time column as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimeForm {
    DateTime(DateForm, Option<char>, ClockForm),
    Date(DateForm),
    Clock(ClockForm),
    EpochSeconds,
    EpochMilliseconds,
}

/// The two parts of a date that may be day and month, in their order, and its year.
type DateParts = Option<(u32, u32, i32)>;

/// Reads digits off a text.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }

    /// As [`Cursor::digits`], for a number below a bound.
    fn below(&mut self, count: usize, bound: u32) -> Option<u32> {
        self.digits(count).filter(|value| *value < bound)
    }

    /// A character, if it is one of these.
    fn mark(&mut self, marks: &str) -> Option<char> {
        let mark = self.0.chars().next().filter(|c| marks.contains(*c))?;
        self.0 = &self.0[mark.len_utf8()..];
        Some(mark)
    }

    fn leading_digits(&self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }
}

fn date(cursor: &mut Cursor<'_>) -> Option<(DateForm, DateParts)> {
    const MARKS: &str = "-/.";
    match cursor.leading_digits() {
        4 => {
            let year = cursor.digits(4)?.cast_signed();
            let mark = cursor.mark(MARKS)?;
            let (month, _) = (cursor.below(2, 13)?, cursor.mark(MARKS).filter(|m| *m == mark)?);
            let day = cursor.below(2, 32)?;
            days_of(year, month, day)?;
            Some((DateForm { order: DateOrder::YearFirst, mark: Some(mark) }, None))
        }
        2 => {
            let (first, mark) = (cursor.below(2, 32)?, cursor.mark(MARKS)?);
            let (second, _) = (cursor.below(2, 32)?, cursor.mark(MARKS).filter(|m| *m == mark)?);
            let year = cursor.digits(4)?.cast_signed();
            is_a_day(first, second, year).then_some(())?;
            Some((DateForm { order: DateOrder::YearLast, mark: Some(mark) }, Some((first, second, year))))
        }
        8.. => compact_date(cursor),
        _ => None,
    }
}

/// Whether two numbers are day and month in any order.
fn is_a_day(first: u32, second: u32, year: i32) -> bool {
    days_of(year, second, first).is_some() || days_of(year, first, second).is_some()
}

/// Eight digits: the year is where a year can be.
fn compact_date(cursor: &mut Cursor<'_>) -> Option<(DateForm, DateParts)> {
    let is_year = |year: u32| (1990..2100).contains(&year);
    let mut other = Cursor(cursor.0);
    let (year, month, day) = (cursor.digits(4)?, cursor.digits(2)?, cursor.digits(2)?);
    if is_year(year) && days_of(year.cast_signed(), month, day).is_some() {
        return Some((DateForm { order: DateOrder::YearFirst, mark: None }, None));
    }
    let (first, second, year) = (other.digits(2)?, other.digits(2)?, other.digits(4)?);
    let is_date = is_year(year) && is_a_day(first, second, year.cast_signed());
    is_date.then_some((DateForm { order: DateOrder::YearLast, mark: None }, Some((first, second, year.cast_signed()))))
}

fn clock(cursor: &mut Cursor<'_>) -> Option<ClockForm> {
    cursor.below(2, 24)?;
    let mark = cursor.mark(":.");
    cursor.below(2, 60)?;
    let before = cursor.0;
    let has_seconds = match mark {
        Some(mark) => cursor.mark(":.").is_some_and(|m| m == mark) && cursor.below(2, 60).is_some(),
        None => cursor.below(2, 60).is_some(),
    };
    if !has_seconds {
        cursor.0 = before;
    }
    let fraction = cursor.mark(".,");
    if fraction.is_some() {
        let digits = cursor.leading_digits();
        if digits == 0 || !has_seconds {
            return None;
        }
        cursor.0 = &cursor.0[digits..];
    }
    let offset = if cursor.mark("Z").is_some() {
        Offset::Zulu
    } else if cursor.mark("+-").is_some() {
        cursor.below(2, 24)?;
        let colon = cursor.mark(":");
        cursor.below(2, 60)?;
        if colon.is_some() { Offset::Colon } else { Offset::Plain }
    } else {
        Offset::None
    };
    Some(ClockForm { mark, has_seconds, fraction, offset })
}

/// How a value is written; `None` if no pattern of a profile can read it.
pub(super) fn read(text: &str) -> Option<(TimeForm, DateParts)> {
    if !text.is_ascii() || text.len() < 4 {
        return None;
    }
    if text.bytes().all(|c| c.is_ascii_digit())
        && let Ok(count) = text.parse::<u64>()
    {
        match text.len() {
            10 if EPOCH_S.contains(&count) => return Some((TimeForm::EpochSeconds, None)),
            13 if EPOCH_S.contains(&(count / 1000)) => return Some((TimeForm::EpochMilliseconds, None)),
            _ => {}
        }
    }
    let mut cursor = Cursor(text);
    if let Some((form, parts)) = date(&mut cursor) {
        if cursor.0.is_empty() {
            return Some((TimeForm::Date(form), parts));
        }
        let joint = cursor.mark("T _-/");
        let clock = clock(&mut cursor).filter(|_| cursor.0.is_empty())?;
        return Some((TimeForm::DateTime(form, joint, clock), parts));
    }
    let mut cursor = Cursor(text);
    let clock = clock(&mut cursor).filter(|_| cursor.0.is_empty())?;
    Some((TimeForm::Clock(clock), None))
}

/// Why a value that is a time can be read by no pattern; `None` if it is no time.
pub(super) fn unreadable(text: &str) -> Option<&'static str> {
    let upper = text.to_uppercase();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if text.len() > 40 || digits < 3 {
        return None;
    }
    if upper.ends_with("AM") || upper.ends_with("PM") {
        return Some("it has AM and PM, and patterns know only hours from 00 to 23");
    }
    let is_month = |word: &str| {
        const MONTHS: [&str; 14] =
            ["JAN", "FEB", "MAR", "MRT", "APR", "MAY", "MEI", "JUN", "JUL", "AUG", "SEP", "OCT", "OKT", "NOV"];
        MONTHS.iter().any(|month| word.starts_with(month)) || word.starts_with("DEC")
    };
    if upper.split(|c: char| !c.is_alphabetic()).any(|word| word.len() >= 3 && is_month(word)) {
        return Some("it names months, and patterns know only their numbers");
    }
    let parts: Vec<&str> = text.split([' ', 'T']).next().unwrap_or_default().split(['-', '/', '.']).collect();
    let [a, b, c] = parts[..] else { return None };
    let all_digits = [a, b, c].iter().all(|part| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit()));
    match (all_digits, a.len(), b.len(), c.len()) {
        (true, 1..=2, 1..=2, 4) | (true, 4, 1..=2, 1..=2) if a.len() + b.len() + c.len() < 8 => {
            Some("days or months below ten have one digit, and patterns need two")
        }
        (true, 1..=2, 1..=2, 2) => Some("its years have two digits, and patterns need four"),
        _ => None,
    }
}

/// What all values of a column say together.
#[derive(Debug, Clone, Default)]
pub(super) struct TimeEvidence {
    forms: BTreeMap<TimeForm, u64>,
    /// Dates whose first part can only be the day, and whose second can only be.
    pub first_is_day: u64,
    pub second_is_day: u64,
    /// The earliest and latest day, if the day comes first and if the month does.
    spans: [Option<(i32, i32)>; 2],
}

impl TimeEvidence {
    /// Adds a value.
    pub fn add(&mut self, text: &str) {
        let Some((form, parts)) = read(text) else { return };
        *self.forms.entry(form).or_default() += 1;
        let Some((first, second, year)) = parts else { return };
        self.first_is_day += u64::from(first > 12);
        self.second_is_day += u64::from(second > 12);
        for (span, day) in self.spans.iter_mut().zip([days_of(year, second, first), days_of(year, first, second)]) {
            if let Some(day) = day {
                *span = Some(span.map_or((day, day), |(from, to)| (from.min(day), to.max(day))));
            }
        }
    }

    /// The form in which most values are written, with those that one pattern reads together, and how many they are.
    pub fn main_form(&self) -> Option<(TimeForm, u64)> {
        let (main, _) = self.forms.iter().max_by_key(|(_, count)| **count)?;
        let (mut merged, mut count) = (*main, 0);
        for (form, values) in &self.forms {
            if let Some(both) = merge(merged, *form) {
                merged = both;
                count += values;
            }
        }
        Some((merged, count))
    }

    /// Days between the first and the last date, if the day comes first and if the month does.
    pub fn span_days(&self) -> [Option<i32>; 2] {
        self.spans.map(|span| span.map(|(from, to)| to - from))
    }
}

/// The form that reads both, if one pattern can.
fn merge(one: TimeForm, other: TimeForm) -> Option<TimeForm> {
    match (one, other) {
        _ if one == other => Some(one),
        (TimeForm::DateTime(date, joint, clock), TimeForm::DateTime(other_date, other_joint, other_clock)) => {
            let is_same = date == other_date && joint == other_joint;
            merge_clocks(clock, other_clock).filter(|_| is_same).map(|clock| TimeForm::DateTime(date, joint, clock))
        }
        (TimeForm::Clock(clock), TimeForm::Clock(other)) => merge_clocks(clock, other).map(TimeForm::Clock),
        _ => None,
    }
}

/// Fractions may be missing, and `Z` may stand for an offset.
fn merge_clocks(one: ClockForm, other: ClockForm) -> Option<ClockForm> {
    let offset = match (one.offset, other.offset) {
        (this, that) if this == that => this,
        (Offset::Zulu, Offset::Colon) | (Offset::Colon, Offset::Zulu) => Offset::Zulu,
        _ => return None,
    };
    let is_same = one.mark == other.mark && one.has_seconds == other.has_seconds;
    let fraction = one.fraction.or(other.fraction);
    let fits = is_same && [one.fraction, other.fraction].iter().flatten().all(|mark| Some(*mark) == fraction);
    fits.then_some(ClockForm { fraction, offset, ..one })
}

/// The pattern of a date.
pub(super) fn date_pattern(form: DateForm, day_first: bool) -> String {
    let mark = form.mark.map(String::from).unwrap_or_default();
    match (form.order, day_first) {
        (DateOrder::YearFirst, _) => format!("YYYY{mark}MM{mark}DD"),
        (DateOrder::YearLast, true) => format!("DD{mark}MM{mark}YYYY"),
        (DateOrder::YearLast, false) => format!("MM{mark}DD{mark}YYYY"),
    }
}

/// The pattern of a time of day; a fraction that occurs may be missing.
pub(super) fn clock_pattern(form: ClockForm) -> String {
    let mark = form.mark.map(String::from).unwrap_or_default();
    let seconds = if form.has_seconds { format!("{mark}SS") } else { String::new() };
    // Libraries that write fractions leave out those that are zero, and write `Z` for an offset of none: sooner or later.
    let fraction = form.fraction.map(|point| format!("[{point}F]")).unwrap_or_default();
    let offset = match form.offset {
        Offset::None => "",
        Offset::Plain => "+hhmm",
        Offset::Colon | Offset::Zulu => "Z",
    };
    format!("HH{mark}mm{seconds}{fraction}{offset}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pattern of what most values are, read with the day first.
    fn pattern(texts: &[&str]) -> Option<String> {
        let mut evidence = TimeEvidence::default();
        for text in texts {
            evidence.add(text);
        }
        Some(match evidence.main_form()?.0 {
            TimeForm::DateTime(date, joint, clock) => {
                let joint = joint.map(String::from).unwrap_or_default();
                format!("{}{joint}{}", date_pattern(date, true), clock_pattern(clock))
            }
            TimeForm::Date(date) => date_pattern(date, true),
            TimeForm::Clock(clock) => clock_pattern(clock),
            TimeForm::EpochSeconds => "epoch-seconds".to_owned(),
            TimeForm::EpochMilliseconds => "epoch-milliseconds".to_owned(),
        })
    }

    #[test]
    fn the_same_instant_in_many_forms() {
        for (text, expected) in [
            ("2026-10-25 02:30:15", "YYYY-MM-DD HH:mm:SS"),
            ("2026-10-25T02:30:15+02:00", "YYYY-MM-DDTHH:mm:SSZ"),
            ("2026-10-25T02:30:15+0200", "YYYY-MM-DDTHH:mm:SS+hhmm"),
            ("2026-10-25T02:30:15.000Z", "YYYY-MM-DDTHH:mm:SS[.F]Z"),
            ("20261025023015", "YYYYMMDDHHmmSS"),
            ("25-10-2026", "DD-MM-YYYY"),
            ("25/10/2026 02:30", "DD/MM/YYYY HH:mm"),
            ("25102026", "DDMMYYYY"),
            ("02:30:15", "HH:mm:SS"),
            ("1793489415", "epoch-seconds"),
            ("1793489415000", "epoch-milliseconds"),
        ] {
            assert_eq!(pattern(&[text]).as_deref(), Some(expected), "{text}");
        }
        let mixed = ["2026-10-25T02:30:15Z", "2026-10-25T02:30:15.5+02:00"];
        assert_eq!(pattern(&mixed).as_deref(), Some("YYYY-MM-DDTHH:mm:SS[.F]Z"));
        for text in ["0612345678", "31612345678", "12,50", "hello", "99-99-9999", "2026-02-30 10:00:00"] {
            assert_eq!(pattern(&[text]), None, "{text}");
        }
    }

    #[test]
    fn what_no_pattern_can_say_has_a_reason() {
        assert!(unreadable("10/25/2026 02:30 PM").is_some_and(|why| why.contains("PM")));
        assert!(unreadable("3-7-2026 02:30").is_some_and(|why| why.contains("one digit")));
        assert!(unreadable("25-10-26 02:30:15").is_some_and(|why| why.contains("two digits")));
        assert!(unreadable("25 okt 2026").is_some_and(|why| why.contains("months")));
        assert_eq!(unreadable("0612345678"), None);
    }
}
