//! What is measured and charged: durations, volumes, message parts, costs; and networks, rate classes and cards.

use domain::usage::UsageKind;

use crate::draft::column::Column;
use crate::draft::decision::{Confidence, Section, quoted};
use crate::draft::looks;
use crate::draft::roles::Pick;
use crate::draft::words::{self, Unit};

use super::Findings;

/// Seconds beyond which a call counted in minutes would be longer than calls are.
const LONG_CALL: u64 = 600;

/// Places behind the mark that an amount may always have.
const PLACES_MIN: usize = 2;

/// All that is measured, in the order of a profile.
pub(super) fn sections(found: &Findings<'_>) -> Vec<Section> {
    let roles = &found.roles;
    let mut sections = vec![duration(found)];
    sections.extend(volume(found));
    sections.extend(roles.parts.as_ref().map(|pick| plain(found, "messages", pick)));
    sections.extend(roles.network.as_ref().map(|pick| network(found, pick)));
    sections.extend(roles.class.as_ref().map(|pick| plain(found, "class", pick)));
    sections.extend(roles.imsi.as_ref().map(|pick| plain(found, "imsi", pick)));
    sections.extend(roles.iccid.as_ref().map(|pick| plain(found, "iccid", pick)));
    sections.extend(cost(found));
    sections
}

/// A section of a column alone.
fn plain(found: &Findings<'_>, name: &'static str, pick: &Pick) -> Section {
    let mut section = Section::new(name);
    found.set_column(&mut section, "column", pick);
    found.set_gaps(&mut section, pick.at);
    section
}

fn duration(found: &Findings<'_>) -> Section {
    let Some(pick) = &found.roles.duration else {
        let question =
            "no column says how long calls took, so every call would last 0 seconds: are there none, or what is it called?";
        return Section::left_out("duration", question.to_owned());
    };
    let mut section = Section::new("duration");
    found.set_column(&mut section, "column", pick);
    let column = found.column(pick.at);
    let (clocks, counts) = (column.share(looks::is_clock_duration), column.share(looks::is_count));
    if clocks > counts {
        let question = (clocks < 100).then(|| format!("{} % of the values are no hh:mm:ss: what are they?", 100 - clocks));
        section.add("unit", quoted("hh:mm:ss"), Confidence::of(clocks), "hours, minutes and seconds with colons", question);
    } else if counts < 50 {
        let question = "these durations are neither whole seconds, whole minutes nor hh:mm:ss, and no profile reads them: their calls will be \
                        malformed.duration. Ask the source for seconds";
        section.ask("unit", quoted("seconds"), Confidence::of(10), "no unit fits", question.to_owned());
    } else {
        unit(&mut section, column);
    }
    found.set_gaps(&mut section, pick.at);
    unmeasured(found, &mut section, column, UsageKind::Voice, "calls", "lasted 0 seconds");
    section
}

/// Seconds or minutes, of whole numbers.
fn unit(section: &mut Section, column: &Column<'_>) {
    let longest = column.texts.keys().filter_map(|text| text.parse::<u64>().ok()).max().unwrap_or(0);
    match column.unit {
        Some(Unit::Seconds) => section.set("unit", quoted("seconds"), Confidence::CERTAIN, "the header says it"),
        Some(Unit::Minutes) => section.set("unit", quoted("minutes"), Confidence::CERTAIN, "the header says it"),
        Some(Unit::Milliseconds) => {
            let question = "the header says milliseconds, which no profile reads: ask the source for seconds".to_owned();
            section.ask("unit", quoted("seconds"), Confidence::of(10), "no unit fits", question);
        }
        _ => {
            let because = format!("the longest is {longest}");
            let confidence = Confidence::of(if longest > LONG_CALL { 85 } else { 70 });
            let question = format!("are these seconds, or minutes? The longest is {longest}");
            section.ask("unit", quoted("seconds"), confidence, because, question);
        }
    }
}

/// Asks about rows of a kind that are charged by what they do not say.
fn unmeasured(found: &Findings<'_>, section: &mut Section, column: &Column<'_>, kind: UsageKind, rows: &str, means: &str) {
    let Some(kinds) = &found.roles.kind else { return };
    let of_kind = |(text, value): &(&&str, &&str)| words::kind(text) == Some(kind) && value.is_empty();
    let empty = found.column(kinds.at).values.iter().zip(&column.values).filter(of_kind).count();
    if empty > 0 {
        section.questions.push(format!(
            "{empty} {rows} have nothing in {} and will be malformed: does the source mean that they {means}? Then add \
             `empty_is_zero = true`",
            found.shown(column.at)
        ));
    }
}

fn volume(found: &Findings<'_>) -> Option<Section> {
    let roles = &found.roles;
    let picks: Vec<(&'static str, &Pick)> = [("up", &roles.up), ("down", &roles.down), ("total", &roles.volume)]
        .into_iter()
        .filter_map(|(key, pick)| Some((key, pick.as_ref()?)))
        .collect();
    let columns: Vec<&Column<'_>> = picks.iter().map(|(_, pick)| found.column(pick.at)).collect();
    let first = *columns.first()?;
    if columns.iter().any(|column| column.unit == Some(Unit::Gigabytes)) {
        let question = format!("{} is in gigabytes, which no profile reads: ask the source for megabytes", first.shown());
        return Some(Section::left_out("volume", question));
    }
    let mut section = Section::new("volume");
    for (key, pick) in &picks {
        found.set_column(&mut section, key, pick);
    }
    volume_unit(&mut section, &columns);
    if let Some(column) = columns.iter().find(|column| column.has_gaps()) {
        found.set_gaps(&mut section, column.at);
    }
    if let [column] = columns[..] {
        unmeasured(found, &mut section, column, UsageKind::Data, "data sessions", "moved 0 bytes");
    }
    Some(section)
}

fn volume_unit(section: &mut Section, columns: &[&Column<'_>]) {
    let has_places = columns.iter().any(|column| column.share(|text| looks::decimal(text).is_some_and(|d| d.mark.is_some())) > 0);
    let named = columns.iter().find_map(|column| column.unit);
    let kilo = "does a kilobyte have 1000 or 1024 bytes? No file can tell; the contract can";
    match named {
        Some(Unit::Bytes) if has_places => {
            let question = "the header says bytes, but the values have decimals: is the unit kB or MB?".to_owned();
            section.ask("unit", quoted("kB"), Confidence::GUESS, "bytes have no decimals", question);
        }
        Some(Unit::Bytes) => {
            section.set("unit", quoted("bytes"), Confidence::CERTAIN, "the header says it");
            return;
        }
        Some(Unit::Kilobytes) => section.set("unit", quoted("kB"), Confidence::CERTAIN, "the header says it"),
        Some(Unit::Megabytes) => section.set("unit", quoted("MB"), Confidence::CERTAIN, "the header says it"),
        _ if has_places => {
            let question = "no header names the unit: is it MB, or kB?".to_owned();
            section.ask("unit", quoted("MB"), Confidence::GUESS, "the values have decimals", question);
        }
        _ => {
            let question = "no header names the unit: is it bytes, kB or MB?".to_owned();
            section.ask("unit", quoted("bytes"), Confidence::of(50), "the values are whole", question);
            return;
        }
    }
    section.ask("kilo", "1000".to_owned(), Confidence::of(50), "a file cannot tell", kilo.to_owned());
    let (commas, points) = marks(columns);
    decimal(section, commas, points);
}

/// How many values have a decimal comma, and how many a point.
fn marks(columns: &[&Column<'_>]) -> (u64, u64) {
    let with = |mark: char| {
        let values = columns.iter().flat_map(|column| &column.texts);
        values.filter(|(text, _)| looks::decimal(text).is_some_and(|d| d.mark == Some(mark))).map(|(_, n)| n).sum::<u64>()
    };
    (with(','), with('.'))
}

fn decimal(section: &mut Section, commas: u64, points: u64) {
    let because = format!("{commas} values have a comma, {points} a point");
    match (commas, points) {
        (0, 0) => {
            let question = "no value has decimals: would a comma or a point stand before them?".to_owned();
            section.ask("decimal", quoted("."), Confidence::of(60), "all values are whole", question);
        }
        (_, 0) => section.set("decimal", quoted(","), Confidence::CERTAIN, because),
        (0, _) => section.set("decimal", quoted("."), Confidence::CERTAIN, because),
        _ => {
            let mark = if commas > points { "," } else { "." };
            let question = format!("{because}: which is the decimal mark, and what is the other?");
            section.ask("decimal", quoted(mark), Confidence::GUESS, because, question);
        }
    }
}

fn network(found: &Findings<'_>, pick: &Pick) -> Section {
    let mut section = Section::new("network");
    found.set_column(&mut section, "column", pick);
    let column = found.column(pick.at);
    let (codes, letters) = (column.share(looks::is_mccmnc), column.share(looks::is_tadig));
    let (form, because) = match (codes, letters) {
        (_, 0) => ("mccmnc", "all are country and network codes in digits"),
        (0, _) => ("tadig", "all are codes of five capitals and digits"),
        _ => ("either", "both digits and letters occur"),
    };
    section.set("form", quoted(form), Confidence::of((codes + letters).min(95)), because);
    found.set_gaps(&mut section, pick.at);
    section
}

/// The decimal mark that most costs have.
pub(super) fn cost_mark(column: &Column<'_>) -> char {
    let (commas, points) = marks(&[column]);
    if commas > points { ',' } else { '.' }
}

fn cost(found: &Findings<'_>) -> Option<Section> {
    let Some(pick) = &found.roles.cost else {
        let column = found.column(found.roles.dressed_cost?);
        let question = format!(
            "{} has amounts with a currency's sign or marks between thousands, which no profile reads: ask the source for plain ones, or the \
             provider's cost stays unknown",
            column.shown()
        );
        return Some(Section::left_out("cost", question));
    };
    let mut section = Section::new("cost");
    found.set_column(&mut section, "column", pick);
    let column = found.column(pick.at);
    currency(found, &mut section, column);
    let (commas, points) = marks(&[column]);
    decimal(&mut section, commas, points);
    let read = |text: &&str| looks::decimal(text);
    let places = column.texts.keys().filter_map(read).map(|d| d.places).max().unwrap_or(0);
    if places == 0 && column.unit == Some(Unit::Cents) {
        section.set("implied_places", "2".to_owned(), Confidence::of(95), "the header says cents, and all are whole");
    } else if places == 0 {
        let question =
            "all amounts are whole numbers: how many of their digits stand behind a mark that is not written? 2 for cents";
        section.ask("implied_places", "0".to_owned(), Confidence::GUESS, "no amount has a mark", question.to_owned());
    } else if is_thousands(column) {
        let question = "every amount has three places: is the mark one between thousands?".to_owned();
        section.ask("places_max", "3".to_owned(), Confidence::of(60), "every amount has three", question);
    } else {
        let because = format!("the longest has {places}");
        section.set("places_max", places.clamp(PLACES_MIN, 9).to_string(), Confidence::of(90), because);
    }
    if column.share(|text| looks::decimal(text).is_some_and(|d| d.is_negative)) > 0 {
        let question = "some amounts are negative: are they credits that the provider gives?".to_owned();
        section.ask("negative", "true".to_owned(), Confidence::of(85), "some have a minus sign", question);
    }
    found.set_gaps(&mut section, pick.at);
    Some(section)
}

/// Whether all amounts with a mark have exactly three places behind one to three digits.
fn is_thousands(column: &Column<'_>) -> bool {
    let marked = |text: &&&str| looks::decimal(text).filter(|d| d.mark.is_some());
    let mut with_mark = column.texts.keys().filter(|text| marked(text).is_some()).peekable();
    with_mark.peek().is_some() && with_mark.all(|text| marked(&text).is_some_and(|d| d.places == 3 && d.whole <= 3))
}

fn currency(found: &Findings<'_>, section: &mut Section, column: &Column<'_>) {
    let has_places = column.texts.keys().any(|text| looks::decimal(text).is_some_and(|d| d.places > 0));
    if column.unit == Some(Unit::Cents) && has_places {
        section
            .questions
            .push(format!("{} is in cents with decimals, which cannot be declared: ask the source for euros", column.shown()));
    }
    match &found.roles.currency {
        Some(pick) => {
            let texts = &found.column(pick.at).texts;
            let (code, _) = texts.iter().max_by_key(|(_, count)| **count).expect("a column that was picked has values");
            let is_code = code.len() == 3 && code.bytes().all(|c| c.is_ascii_uppercase());
            let code = if is_code { code } else { "EUR" };
            let question = (texts.len() > 1)
                .then(|| "the column names several currencies; rows in others than this one will be malformed.cost".to_owned());
            let confidence = Confidence::of(if texts.len() > 1 { 60 } else { 100 });
            section.add("currency", quoted(code), confidence, "its column says it", question);
            found.set_column(section, "currency_column", pick);
        }
        None if column.unit == Some(Unit::Euro) => {
            section.set("currency", quoted("EUR"), Confidence::CERTAIN, "the header says it");
        }
        None => {
            let question = "which currency is it? No column and no header says so".to_owned();
            section.ask("currency", quoted("EUR"), Confidence::USUAL, "nothing names it", question);
        }
    }
}
