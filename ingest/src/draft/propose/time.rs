//! `[time]`: the patterns, and the zone, which is always asked.

use crate::draft::DraftError;
use crate::draft::column::Column;
use crate::draft::decision::{Confidence, Section, quoted};
use crate::draft::roles::{Pick, TimePick};
use crate::draft::times::{self, ClockForm, DateForm, DateOrder, Offset, TimeEvidence};
use crate::draft::words;

use super::Findings;

/// Days that one file usually spans at most.
const USUAL_SPAN_DAYS: i32 = 62;

/// `[time]`; an error if no column can be read as times.
pub(super) fn section(found: &Findings<'_>) -> Result<Section, DraftError> {
    let mut section = Section::new("time");
    let time = found.roles.time.as_ref().ok_or_else(|| no_time(&found.columns))?;
    let pick = time.column();
    found.set_column(&mut section, "column", pick);
    let column = found.column(pick.at);
    match time {
        TimePick::Count { pattern, .. } => count(&mut section, pick, pattern),
        TimePick::Whole { date, joint, clock, .. } => {
            let joint = joint.map(String::from).unwrap_or_default();
            pattern(found, &mut section, column, *date, &format!("{joint}{}", times::clock_pattern(*clock)));
            zone(&mut section, *clock);
        }
        TimePick::Apart { date, clock_column, clock, .. } => {
            pattern(found, &mut section, column, *date, "");
            clock_of(found, &mut section, clock_column, *clock);
            zone(&mut section, *clock);
        }
    }
    Ok(section)
}

/// A count since 1970.
fn count(section: &mut Section, pick: &Pick, pattern: &str) {
    let because = format!("{} % of the values are such a count of an instant in this century", pick.fit);
    section.set("pattern", quoted(pattern), Confidence::of(pick.fit.min(95)), because);
    let question = "in which zone do people read these times? Counts since 1970 are UTC; the zone is that of days and bands. Is the \
                    source's count really UTC?";
    section.ask("zone", quoted("Europe/Amsterdam"), Confidence::of(60), "a file cannot tell", question.to_owned());
}

fn pattern(found: &Findings<'_>, section: &mut Section, column: &Column<'_>, date: DateForm, rest: &str) {
    let share = column.time_form().map_or(0, |(_, share)| share);
    let order = match date.order {
        DateOrder::YearFirst => {
            Order { day_first: true, confidence: Confidence::CERTAIN, because: "the year comes first", question: None }
        }
        DateOrder::YearLast => order(found, &column.times),
    };
    let value = quoted(&format!("{}{rest}", times::date_pattern(date, order.day_first)));
    let others = (share < 100)
        .then(|| format!("{} % of the values are written otherwise and will be malformed.time: what are they?", 100 - share));
    let questions: Vec<String> = order.question.into_iter().chain(others).collect();
    let question = (!questions.is_empty()).then(|| questions.join(" "));
    let because = format!("{share} % of the values are written so; {}", order.because);
    section.add("pattern", value, order.confidence.at_most(Confidence::of(share)), because, question);
}

/// Whether day or month comes first.
struct Order {
    day_first: bool,
    confidence: Confidence,
    because: &'static str,
    question: Option<String>,
}

/// Decides between day and month by all dates: by numbers above twelve, else by the days that they span, else by the language.
fn order(found: &Findings<'_>, dates: &TimeEvidence) -> Order {
    let (days, months) = (dates.first_is_day, dates.second_is_day);
    if days > 0 && months > 0 {
        let question = format!(
            "{days} dates can only begin with the day and {months} only with the month: are two kinds of files mixed? The fewer ones will \
             be malformed.time, and others read wrongly"
        );
        let because = "the dates contradict each other";
        return Order { day_first: days >= months, confidence: Confidence::GUESS, because, question: Some(question) };
    }
    if days > 0 || months > 0 {
        let because = "numbers above twelve stand in one place only";
        return Order { day_first: days > 0, confidence: Confidence::CERTAIN, because, question: None };
    }
    let ask = |first: &str, why: &str| {
        Some(format!(
            "does the {first} come first? No date has a number above twelve, and {why}; take a file of the end of a month"
        ))
    };
    if let [Some(day_first), Some(month_first)] = dates.span_days() {
        let fits = |span: i32| span <= USUAL_SPAN_DAYS;
        let because = "read the other way, the file would span months";
        if fits(day_first) && !fits(month_first) {
            return Order { day_first: true, confidence: Confidence::of(75), because, question: ask("day", because) };
        }
        if fits(month_first) && !fits(day_first) {
            return Order { day_first: false, confidence: Confidence::of(75), because, question: ask("month", because) };
        }
    }
    let is_dutch =
        |name: &String| words::tokens(name).iter().any(|t| matches!(t.as_str(), "datum" | "tijd" | "duur" | "van" | "naar"));
    if found.survey.header().is_some_and(|names| names.iter().any(is_dutch)) {
        let because = "its headers are Dutch, where the day comes first";
        return Order { day_first: true, confidence: Confidence::of(65), because, question: ask("day", because) };
    }
    let because = "nothing else tells them apart";
    Order { day_first: true, confidence: Confidence::GUESS, because, question: ask("day", because) }
}

fn clock_of(found: &Findings<'_>, section: &mut Section, clock: &Pick, form: ClockForm) {
    found.set_column(section, "clock_column", clock);
    let value = quoted(&times::clock_pattern(form));
    let question = (clock.fit < 100)
        .then(|| format!("{} % of the values are written otherwise and will be malformed.time: what are they?", 100 - clock.fit));
    let because = format!("{} % of the values are written so", clock.fit);
    section.add("clock_pattern", value, Confidence::of(clock.fit), because, question);
}

fn zone(section: &mut Section, clock: ClockForm) {
    let (because, question) = match clock.offset {
        Offset::None => (
            "the times have no offset, and a file cannot tell whose clock it was",
            "whose clock do these times stand for? `Europe/Amsterdam` takes the clock on the wall there, with summer time; `UTC` and others \
             are right, too. Look at a call whose time you know",
        ),
        _ => (
            "the times have their offset; the zone is only that of days and bands",
            "in which zone do people read these times? The times themselves have an offset; the zone is that of days and bands",
        ),
    };
    section.ask("zone", quoted("Europe/Amsterdam"), Confidence::of(60), because, question.to_owned());
}

/// Names the column that comes nearest to a time.
fn no_time(columns: &[Column<'_>]) -> DraftError {
    let nearest = columns.iter().find_map(|column| {
        let why = column.texts.keys().find_map(|text| times::unreadable(text))?;
        (column.share(|text| times::unreadable(text).is_some()) >= 50).then_some((column, why))
    });
    let hint = nearest.map_or_else(String::new, |(column, why)| {
        format!("; {} seems to, but {why}: ask the source for `2026-10-24 09:15:07`, or convert it before", column.shown())
    });
    DraftError::NoTime { columns: columns.len(), hint }
}
