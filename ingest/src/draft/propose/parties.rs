//! How numbers are written, who is served, and who is at the other end.

use std::collections::{BTreeMap, HashSet};

use domain::usage::{Direction, UsageKind};

use crate::draft::column::Column;
use crate::draft::decision::{Confidence, Section, quoted, quoted_list};
use crate::draft::looks::{self, NumberLook};
use crate::draft::roles::Pick;
use crate::draft::words::{self, Meaning};

use super::Findings;

/// `[numbers]`, `[served]` and `[other]`.
pub(super) fn sections(found: &Findings<'_>) -> Vec<Section> {
    let picks = [&found.roles.served, &found.roles.other];
    let columns: Vec<&Column<'_>> = picks.into_iter().flatten().map(|pick| found.column(pick.at)).collect();
    let mut sections = vec![numbers(found, &columns), served(found)];
    sections.extend(found.roles.other.as_ref().map_or_else(|| no_other(found), |pick| Some(other(found, pick))));
    sections
}

/// Asks about a column whose header says that it is the other party, but which holds no numbers.
fn no_other(found: &Findings<'_>) -> Option<Section> {
    let named = found.columns.iter().find(|column| column.filled > 0 && column.says(&[Meaning::Called, Meaning::Other]) >= 90);
    let question = format!(
        "{} holds no numbers and is left out: if it names the other party all the same, add an [other] section with it and \
         `alphanumeric = true`",
        found.shown(named?.at)
    );
    Some(Section::left_out("other", question))
}

/// How often each look occurs.
fn looks_of(columns: &[&Column<'_>]) -> BTreeMap<NumberLook, u64> {
    let mut looks = BTreeMap::new();
    for (text, count) in columns.iter().flat_map(|column| &column.texts) {
        if let Some(look) = looks::number(text) {
            *looks.entry(look).or_default() += count;
        }
    }
    looks
}

fn numbers(found: &Findings<'_>, columns: &[&Column<'_>]) -> Section {
    let mut section = Section::new("numbers");
    let looks = looks_of(columns);
    let of =
        |wanted: fn(NumberLook) -> bool| looks.iter().filter(|(look, _)| wanted(**look)).map(|(_, count)| count).sum::<u64>();
    let (national, short_of_country) =
        (of(|look| look == NumberLook::National), of(|look| matches!(look, NumberLook::Bare(9 | 10))));
    let with_country = of(|look| matches!(look, NumberLook::Plus | NumberLook::DoubleZero | NumberLook::Bare(11..)));
    if national > 0 || short_of_country == 0 {
        country(&mut section, columns, national, with_country);
    } else {
        bare_national(&mut section, columns, looks.contains_key(&NumberLook::DoubleZero));
    }
    hidden_words(&mut section, columns);
    swap(found, &mut section);
    section
}

/// The country of national numbers that begin with 0.
fn country(section: &mut Section, columns: &[&Column<'_>], national: u64, with_country: u64) {
    if national == 0 {
        let because = format!("{with_country} numbers have their country, none is national");
        section.set("country_code", quoted("31"), Confidence::of(90), because);
        return;
    }
    let is_mobile = |text: &str| text.starts_with("06") && text.chars().filter(char::is_ascii_digit).count() == 10;
    let mobiles = count(columns, is_mobile);
    let because = format!("{national} numbers are national, {mobiles} of them as Dutch mobile ones are (06 and eight digits)");
    let question = "whose country do national numbers (`0…`) belong to? 31 is that of the Netherlands".to_owned();
    let confidence = Confidence::of(if mobiles * 4 >= national { 85 } else { 50 });
    section.ask("country_code", quoted("31"), confidence, because, question);
}

/// National numbers with nothing before them: `612345678`, or those of North America.
fn bare_national(section: &mut Section, columns: &[&Column<'_>], has_double_zero: bool) {
    let bare = |digits: usize| count(columns, |text| looks::number(text) == Some(NumberLook::Bare(digits)));
    let (nine, ten) = (bare(9), bare(10));
    let (country, digits, abroad, where_to) = if ten > nine {
        ("1", 10, "011", "North America, as numbers of ten digits are")
    } else {
        ("31", 9, "00", "the Netherlands, whose numbers have nine digits without their 0")
    };
    let because = format!("{} numbers have {digits} digits and nothing before them", nine.max(ten));
    let question = format!("are the numbers of {digits} digits national ones of {where_to}?");
    section.ask("country_code", quoted(country), Confidence::of(75), because.clone(), question);
    section.set("national_prefix", quoted(""), Confidence::of(90), "no number begins with a single 0");
    let seen = if has_double_zero { "some numbers begin with it" } else { "usual in that country" };
    section.set("international_prefix", quoted(abroad), Confidence::of(90), seen);
    section.set("national_digits", digits.to_string(), Confidence::of(90), because);
}

fn count(columns: &[&Column<'_>], holds: impl Fn(&str) -> bool) -> u64 {
    columns.iter().flat_map(|column| &column.texts).filter(|(text, _)| holds(text)).map(|(_, count)| count).sum()
}

/// Words for hidden numbers that a profile does not know by itself.
fn hidden_words(section: &mut Section, columns: &[&Column<'_>]) {
    let words: HashSet<String> = columns
        .iter()
        .flat_map(|c| c.texts.keys())
        .filter(|t| words::is_hidden(t) == Some(false))
        .map(|t| t.to_lowercase())
        .collect();
    if words.is_empty() {
        return;
    }
    let mut all: Vec<&str> = words.iter().map(String::as_str).collect();
    all.sort_unstable();
    all.extend(words::usual_hidden());
    section.set("masked_words", quoted_list(all), Confidence::of(90), "words for hidden numbers that occur, and the usual ones");
}

/// Whether the served party of an incoming row is the called one: then it is among those who call in outgoing rows.
fn swap(found: &Findings<'_>, section: &mut Section) {
    let (Some(served), Some(other), Some(way)) = (&found.roles.served, &found.roles.other, &found.roles.direction) else {
        return;
    };
    let ways: Vec<Option<Direction>> = found.column(way.at).values.iter().map(|text| words::direction(text)).collect();
    let values = |pick: &Pick| &found.column(pick.at).values;
    let rows_of = |wanted: Direction| ways.iter().enumerate().filter(move |(_, way)| **way == Some(wanted)).map(|(row, _)| row);
    let ours: HashSet<&str> =
        rows_of(Direction::Outgoing).map(|row| values(served)[row]).filter(|text| !text.is_empty()).collect();
    let (mut incoming, mut first, mut second) = (0u64, 0u64, 0u64);
    for row in rows_of(Direction::Incoming) {
        incoming += 1;
        first += u64::from(ours.contains(values(served)[row]));
        second += u64::from(ours.contains(values(other)[row]));
    }
    let (one, two) = (found.shown(served.at), found.shown(other.at));
    if second > first {
        let because = format!(
            "in {second} of {incoming} incoming rows {two} holds a number that makes calls in outgoing rows, and {one} in {first}"
        );
        let confidence = Confidence::of(second * 100 / incoming).at_most(Confidence::of(95));
        section.add("swap_for", quoted_list(["incoming"]), confidence, because, None);
    } else if found.roles.has_caller && first == second {
        section.questions.push(format!(
            "{one} and {two} are who called and who was called: is {two} the served party of incoming rows? Then add \
             `swap_for = [\"incoming\"]`"
        ));
    }
}

fn served(found: &Findings<'_>) -> Section {
    let mut section = Section::new("served");
    let Some(pick) = &found.roles.served else {
        let question =
            "no column holds the numbers of those who are served: whose usage is it? Put the number here, or name the column"
                .to_owned();
        let because = "no column looks like numbers of subscribers";
        section.ask("constant", quoted("31600000000"), Confidence::of(10), because, question);
        return section;
    };
    found.set_column(&mut section, "column", pick);
    let column = found.column(pick.at);
    if column.has_gaps() {
        let empty = column.values.len() as u64 - column.filled;
        section.questions.push(format!("{empty} rows name no served party and will be malformed.number: whose are they?"));
    }
    allow(&mut section, &column.texts, false);
    section
}

fn other(found: &Findings<'_>, pick: &Pick) -> Section {
    let mut section = Section::new("other");
    found.set_column(&mut section, "column", pick);
    found.set_gaps(&mut section, pick.at);
    let kinds = found.roles.kind.as_ref().map(|kind| &found.column(kind.at).values);
    let is_data = |row: usize| kinds.is_some_and(|kinds| words::kind(kinds[row]) == Some(UsageKind::Data));
    let mut texts = BTreeMap::new();
    let values = &found.column(pick.at).values;
    for (row, text) in values.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
        if !is_data(row) {
            *texts.entry(*text).or_default() += 1;
        }
    }
    if (0..values.len()).any(is_data) {
        let because = "a data session has no other party, whatever stands there";
        section.set("not_for", quoted_list(["data"]), Confidence::of(90), because);
    }
    allow(&mut section, &texts, true);
    section
}

/// What may stand for a number, by what does; short codes always may where calls go.
fn allow(section: &mut Section, texts: &BTreeMap<&str, u64>, always_short: bool) {
    let seen = |wanted: NumberLook| texts.iter().filter(|(t, _)| looks::number(t) == Some(wanted)).map(|(_, n)| n).sum::<u64>();
    let keys = [("short_codes", NumberLook::Short), ("alphanumeric", NumberLook::Word), ("masked", NumberLook::Masked)];
    for (key, look) in keys {
        let rows = seen(look);
        if rows > 0 {
            section.set(key, "true".to_owned(), Confidence::of(95), format!("{rows} rows have one"));
        } else if key == "short_codes" && always_short {
            section.set(key, "true".to_owned(), Confidence::of(90), "none in the sample, but 112 is called everywhere");
        }
    }
}
