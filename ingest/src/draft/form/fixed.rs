//! Lines of fixed width: columns guessed from what stands at each place of all lines together. It is a guess, and asked about.

use crate::draft::delimited::Separated;
use crate::draft::table::{LastLine, Table};

use super::Form;

/// A column: its first character from 0, and the one behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::draft) struct Place {
    pub from: usize,
    pub to: usize,
}

/// More fields than this are no chance: a separator makes them.
const CHANCE_FIELDS_MAX: usize = 4;

/// Lines by which columns are told.
const LINES_MAX: usize = 2_000;

/// Longest line that is looked at.
const WIDTH_MAX: usize = 4_096;

/// Whether a separator only seems to be one: few fields, without quotes, and in all lines at the same places, as the colons of
/// a clock are and the marks of amounts.
pub(super) fn is_chance(separated: &Separated, lines: &[&str]) -> bool {
    let separator = char::from(separated.separator);
    let places = |line: &&str| line.chars().enumerate().filter(|(_, c)| *c == separator).map(|(at, _)| at).collect::<Vec<_>>();
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut full = lines.iter().filter(|line| line.chars().count() == longest);
    let Some(first) = full.next().map(places) else { return false };
    separated.fields <= CHANCE_FIELDS_MAX && !separated.has_quotes && full.all(|line| places(line) == first)
}

/// Reads lines of fixed width; `None` if no columns can be made out.
pub(super) fn read(text: &str, is_whole: bool, rows_max: usize) -> Option<(Form, Table)> {
    let lines: Vec<Vec<char>> = text.lines().filter(|line| !line.is_empty()).map(|line| line.chars().collect()).collect();
    let width = usual_length(&lines)?;
    let first = lines.iter().position(|line| line.len() == width)?;
    let mut body = &lines[first..];
    let trailer = if is_whole { body.split_last().and_then(|(last, rows)| trailer(last, rows)) } else { None };
    if trailer.is_some() {
        body = &body[..body.len() - 1];
    }
    let rows: Vec<&Vec<char>> = body.iter().filter(|line| line.len() == width).take(LINES_MAX).collect();
    let places = columns(&rows, width);
    if places.len() < 2 {
        return None;
    }
    let cut = |line: &Vec<char>, place: &Place| line[place.from..place.to].iter().collect::<String>().trim().to_owned();
    let good = body.iter().filter(|line| line.len() == width);
    let table_rows: Vec<Vec<String>> =
        good.clone().take(rows_max.max(1)).map(|line| places.iter().map(|place| cut(line, place)).collect()).collect();
    let count_at = trailer.as_ref().map(|(_, place)| *place);
    let last = trailer.map(|(marker, _)| LastLine { fields: vec![marker], rows: Some(body.len() as u64) });
    let table = Table {
        skip_lines: first,
        header: None,
        header_is_sure: true,
        width: places.len(),
        has_extra_fields: false,
        rows: table_rows,
        odd_rows: (body.len() - good.count()) as u64,
        row_count: body.len() as u64,
        trailer: last,
        lists: Vec::new(),
    };
    Some((Form::FixedWidth { places, count_at }, table))
}

/// The length that most lines have.
fn usual_length(lines: &[Vec<char>]) -> Option<usize> {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for line in lines {
        *counts.entry(line.len()).or_default() += 1;
    }
    counts.into_iter().filter(|(length, _)| *length <= WIDTH_MAX).max_by_key(|(_, count)| *count).map(|(length, _)| length)
}

/// The marker of a last line that counts the rows, and where the count stands.
fn trailer(last: &[char], rows: &[Vec<char>]) -> Option<(String, Place)> {
    let marker: String = last.iter().take_while(|c| c.is_alphabetic()).collect();
    let is_row = |row: &Vec<char>| row.iter().collect::<String>().starts_with(&marker);
    if marker.is_empty() || marker.len() > 64 || rows.iter().any(is_row) {
        return None;
    }
    let mut from = marker.chars().count();
    while from < last.len() {
        let to = last[from..].iter().position(|c| !c.is_ascii_digit()).map_or(last.len(), |ahead| from + ahead);
        let digits: String = last[from..to].iter().collect();
        if digits.parse() == Ok(rows.len()) {
            return Some((marker, Place { from, to }));
        }
        from = to + 1;
    }
    None
}

/// What stands at one place of all lines.
#[derive(Debug, Clone, Copy, Default)]
struct Spot {
    filled: usize,
    digits: usize,
    letters: usize,
}

/// What most characters are that stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Digits,
    Letters,
    Mixed,
}

impl Spot {
    fn class(self) -> Class {
        let nearly_all = |count: usize| count * 50 >= self.filled * 49;
        match () {
            () if self.filled == 0 => Class::Mixed,
            () if nearly_all(self.digits) => Class::Digits,
            () if nearly_all(self.letters) => Class::Letters,
            () => Class::Mixed,
        }
    }
}

/// The columns: dates and times first, then what blanks, kinds of characters and fill divide.
fn columns(rows: &[&Vec<char>], width: usize) -> Vec<Place> {
    let mut spots = vec![Spot::default(); width];
    for row in rows {
        for (spot, c) in spots.iter_mut().zip(row.iter()) {
            spot.filled += usize::from(*c != ' ');
            spot.digits += usize::from(c.is_ascii_digit());
            spot.letters += usize::from(c.is_alphabetic());
        }
    }
    let mut places = moments(rows, width);
    let is_free = |at: usize, places: &[Place]| places.iter().all(|place| at < place.from || at >= place.to);
    let mut at = 0;
    let mut others = Vec::new();
    while at < width {
        if spots[at].filled == 0 || !is_free(at, &places) {
            at += 1;
            continue;
        }
        let from = at;
        at += 1;
        while at < width && spots[at].filled > 0 && is_free(at, &places) && !divides(&spots, from, at, rows.len()) {
            at += 1;
        }
        others.push(Place { from, to: at });
    }
    places.extend(others);
    places.sort_by_key(|place| place.from);
    widen(&mut places, &spots, width);
    places
}

/// Whether a column ends before the place `at`, if it began at `from`.
fn divides(spots: &[Spot], from: usize, at: usize, rows: usize) -> bool {
    let (before, here) = (spots[at - 1], spots[at]);
    let often = |spot: Spot| spot.filled * 2 >= rows;
    let changes = matches!((before.class(), here.class()), (Class::Digits, Class::Letters) | (Class::Letters, Class::Digits));
    if changes && often(before) && often(here) {
        return true;
    }
    // Values that stand left thin out to the right: where the lines are filled again, the next column begins. Values that stand
    // right begin thin.
    let jump = rows * 3 / 10 + 1;
    let thins = at > from + 1 && spots[at - 2].filled >= before.filled && spots[from].filled > before.filled;
    let begins_thin = before.filled >= here.filled + jump && spots.get(at + 1).is_some_and(|next| next.filled > here.filled);
    thins && here.filled >= before.filled + jump || begins_thin
}

/// Blanks between two columns belong to the one whose values may grow into them.
fn widen(places: &mut [Place], spots: &[Spot], width: usize) {
    let grows_right = |place: &Place| spots[place.from].filled > spots[place.to - 1].filled;
    let grows_left = |place: &Place| spots[place.from].filled < spots[place.to - 1].filled;
    for i in 0..places.len() {
        let end = places.get(i + 1).map_or(width, |next| next.from);
        if grows_right(&places[i]) {
            places[i].to = end;
        }
        let begin = if i == 0 { 0 } else { places[i - 1].to };
        if grows_left(&places[i]) {
            places[i].from = begin;
        }
    }
}

/// How moments are written at fixed places: `9` stands for a digit.
const MOMENTS: &[&str] = &[
    "9999-99-99 99:99:99",
    "9999-99-99T99:99:99",
    "99-99-9999 99:99:99",
    "99/99/9999 99:99:99",
    "99999999999999",
    "9999-99-99",
    "99-99-9999",
    "99/99/9999",
    "99999999",
    "99:99:99",
];

/// Places where nearly all lines have a moment.
fn moments(rows: &[&Vec<char>], width: usize) -> Vec<Place> {
    let mut found: Vec<Place> = Vec::new();
    for form in MOMENTS {
        let length = form.chars().count();
        let mut from = 0;
        while from + length <= width {
            let place = Place { from, to: from + length };
            let is_free = found.iter().all(|other| place.to <= other.from || place.from >= other.to);
            let hits = || rows.iter().filter(|row| is_moment(&row[place.from..place.to], form)).count();
            if is_free && !rows.is_empty() && hits() * 100 >= rows.len() * 95 {
                found.push(place);
                from += length;
            } else {
                from += 1;
            }
        }
    }
    found
}

/// Whether characters are a moment of a form: years of this century, months, days, hours that exist.
fn is_moment(text: &[char], form: &str) -> bool {
    let fits = text.iter().zip(form.chars()).all(|(c, f)| if f == '9' { c.is_ascii_digit() } else { *c == f });
    if !fits {
        return false;
    }
    let digits: String = text.iter().filter(|c| c.is_ascii_digit()).collect();
    let number = |from: usize, to: usize| digits[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let is_clock =
        |from: usize| number(from, from + 2) < 24 && number(from + 2, from + 4) < 60 && number(from + 4, from + 6) < 60;
    if digits.len() == 6 {
        return is_clock(0);
    }
    let year_first = (2000..2100).contains(&number(0, 4)) && (1..=12).contains(&number(4, 6)) && (1..=31).contains(&number(6, 8));
    let (one, two) = (number(0, 2), number(2, 4));
    let year_last = (2000..2100).contains(&number(4, 8)) && (1..=31).contains(&one.max(two)) && (1..=12).contains(&one.min(two));
    (year_first || year_last) && (digits.len() == 8 || is_clock(8))
}
