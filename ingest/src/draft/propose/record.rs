//! What names a record, which rows are left out, and what the words for kind and direction mean.

use std::collections::HashMap;

use domain::usage::{Direction, UsageKind};

use crate::draft::column::Column;
use crate::draft::decision::{Confidence, Section, quoted, quoted_list};
use crate::draft::roles::Pick;
use crate::draft::words;

use super::Findings;

/// Texts that a question shows.
const SHOWN_MAX: usize = 6;

/// `[record]`.
pub(super) fn key(found: &Findings<'_>) -> Section {
    let mut section = Section::new("record");
    if let Some(id) = &found.roles.id {
        by_id(found, id, &mut section);
    } else {
        let question = "no column names a record: are rows that are equal in all fields two calls (so as here), or one that came \
                        twice (`content`)? Can the source add an id?";
        let because = "no column has another text in each row";
        section.ask("key", quoted("content-and-occurrence"), Confidence::USUAL, because, question.to_owned());
    }
    let question = "does a newer file of the same name bring more rows (`delta`), or replace the former (`snapshot`; `final` for the \
                    last word)?";
    section.ask("delivery", quoted("delta"), Confidence::USUAL, "as most sources do; a file cannot tell", question.to_owned());
    section
}

fn by_id(found: &Findings<'_>, id: &Pick, section: &mut Section) {
    let (again, differently) = repeats(found, id.at);
    let of = found.shown(id.at);
    if differently * 20 > found.rows() {
        let question = format!(
            "{differently} rows repeat a text of {of} with other content: is a record billed in parts? If an id comes once, `id` is right"
        );
        section.ask("key", quoted("id-and-content"), Confidence::of(70), "ids come again with other content", question);
    } else if differently > 0 {
        let question = format!(
            "{differently} rows repeat a text of {of} with other content and will wait as id_conflict: is a record billed in parts? Then \
             `id-and-content` is right"
        );
        section.ask("key", quoted("id"), Confidence::of(80), "nearly all ids come once", question);
    } else {
        let because = if again == 0 { "no two rows have the same" } else { "rows with the same id are equal" };
        section.set("key", quoted("id"), id.confidence(), because);
    }
    found.set_column(section, "id", id);
    let column = found.column(id.at);
    if column.has_gaps() {
        let empty = column.values.len() as u64 - column.filled;
        section.questions.push(format!("{empty} rows have no text in {of} and will be malformed.columns: what are they?"));
    }
}

/// Rows that repeat the text of a column, and those of them whose other columns differ from the first one's.
fn repeats(found: &Findings<'_>, at: usize) -> (u64, u64) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let (mut again, mut differently) = (0, 0);
    for (row, id) in found.column(at).values.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
        let Some(before) = first.get(id) else {
            first.insert(id, row);
            continue;
        };
        again += 1;
        differently += u64::from(found.columns.iter().any(|column| column.values[row] != column.values[*before]));
    }
    (again, differently)
}

/// `[[skip]]` for rows that are no usage.
pub(super) fn skips(found: &Findings<'_>) -> Vec<Section> {
    let mut sections = Vec::new();
    if found.has_type_line {
        let mut section = rule("types");
        section.set("column", found.reference(0), Confidence::of(95), "the line under the header names types");
        let text = found.column(0).values.first().copied().unwrap_or_default();
        section.set("equals", quoted_list([text]), Confidence::of(95), "the line under the header names types");
        sections.push(section);
    }
    if let Some(kind) = &found.roles.kind {
        let fees: Vec<&str> =
            found.column(kind.at).texts.keys().copied().filter(|text| words::is_fee(text) && found.is_word(text)).collect();
        if !fees.is_empty() {
            let mut section = rule("fee");
            section.set("column", found.reference(kind.at), Confidence::of(90), "some of its words are fees");
            let question =
                format!("{}: are these rows no usage, so that nothing is to be rated?", counted(found.column(kind.at), &fees));
            section.ask("equals", quoted_list(fees), Confidence::of(85), "words for fees", question);
            sections.push(section);
        }
    }
    sections.extend(found.roles.status.as_ref().and_then(|status| unanswered(found, status)));
    sections
}

fn rule(name: &str) -> Section {
    let mut section = Section::new("[skip]");
    section.set("rule", quoted(name), Confidence::CERTAIN, "the rows are counted under it");
    section
}

fn unanswered(found: &Findings<'_>, status: &Pick) -> Option<Section> {
    let column = found.column(status.at);
    let is = |wanted: Option<bool>| -> Vec<&str> {
        column.texts.keys().copied().filter(|text| words::is_answered(text) == wanted && found.is_word(text)).collect()
    };
    let (answered, others, unknown) = (is(Some(true)), is(Some(false)), is(None));
    if answered.is_empty() {
        return None;
    }
    if others.is_empty() && unknown.is_empty() {
        let question = format!("every row says {}: if others say something else, add a [[skip]] rule", quoted_list(answered));
        return Some(Section::left_out("[skip]", question));
    }
    let mut section = rule("unanswered");
    found.set_column_of_words(&mut section, "column", status);
    let left_out = [others, unknown.clone()].concat();
    let question = format!("{}: are these rows no usage, so that nothing is to be rated?", counted(column, &left_out));
    let confidence = Confidence::of(if unknown.is_empty() { 85 } else { 50 });
    section.ask("not_equals", quoted_list(answered), confidence, "words for calls that were answered", question);
    Some(section)
}

/// Texts with their rows: `BUSY` (3 rows), `X` (1).
fn counted(column: &Column<'_>, texts: &[&str]) -> String {
    let rows = |text: &&str| match column.texts.get(*text) {
        Some(1) => "1 row".to_owned(),
        rows => format!("{} rows", rows.copied().unwrap_or(0)),
    };
    let mut shown: Vec<String> = texts.iter().take(SHOWN_MAX).map(|text| format!("`{text}` ({})", rows(text))).collect();
    if texts.len() > SHOWN_MAX {
        shown.push(format!("and {} more", texts.len() - SHOWN_MAX));
    }
    shown.join(", ")
}

/// `[kind]`.
pub(super) fn kind(found: &Findings<'_>) -> Section {
    let mut section = Section::new("kind");
    if let Some(pick) = &found.roles.kind
        && let Some(map) = map(found, pick, "kind", |text| words::kind(text).map(kind_word), words::is_fee)
    {
        map.into_section(found, pick, &mut section);
        return section;
    }
    let moves_bytes = found.roles.volume.is_some() || found.roles.up.is_some() || found.roles.down.is_some();
    let is_data = moves_bytes && found.roles.duration.is_none();
    let (value, what) = if is_data { ("data", "sessions") } else { ("voice", "calls") };
    let question = format!("no column says what a row is: are all of them {what}?");
    section.ask("constant", quoted(value), Confidence::of(60), "no column has words for calls, texts or sessions", question);
    section
}

/// `[direction]`.
pub(super) fn direction(found: &Findings<'_>) -> Section {
    let mut section = Section::new("direction");
    if let Some(pick) = &found.roles.direction
        && let Some(map) = map(found, pick, "direction", |text| words::direction(text).map(direction_word), |_| false)
    {
        map.into_section(found, pick, &mut section);
        return section;
    }
    let question = "no column says which way: is every row an outgoing one?".to_owned();
    section.ask("constant", quoted("outgoing"), Confidence::of(60), "no column has words for directions", question);
    section
}

/// What the texts of a column mean, as far as they are known.
struct Map<'t> {
    known: Vec<(&'t str, &'static str, bool)>,
    unknown: Vec<&'t str>,
    what: &'static str,
}

fn map<'t>(
    found: &Findings<'t>,
    pick: &Pick,
    what: &'static str,
    meaning: impl Fn(&str) -> Option<&'static str>,
    is_aside: impl Fn(&str) -> bool,
) -> Option<Map<'t>> {
    let texts = found.column(pick.at).texts.keys().copied().filter(|text| !is_aside(text) && found.is_word(text));
    let mut map = Map { known: Vec::new(), unknown: Vec::new(), what };
    for text in texts {
        match meaning(text) {
            // A word among others may mean something else there: `data_interim`.
            Some(value) => map.known.push((text, value, words::tokens(text).len() == 1)),
            None => map.unknown.push(text),
        }
    }
    (!map.known.is_empty()).then_some(map)
}

impl Map<'_> {
    fn into_section(self, found: &Findings<'_>, pick: &Pick, section: &mut Section) {
        found.set_column_of_words(section, "column", pick);
        let bare = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c));
        let entry = |(text, value, _): &(&str, &str, bool)| {
            let key = if bare(text) { (*text).to_owned() } else { quoted(text) };
            format!("{key} = {}", quoted(value))
        };
        let entries: Vec<String> = self.known.iter().map(entry).collect();
        let column = found.column(pick.at);
        let mut open = Vec::new();
        if !self.unknown.is_empty() {
            let texts = counted(column, &self.unknown);
            open.push(format!("what {} is {texts}? Add it here, or leave those rows out with a [[skip]] rule", self.what));
        }
        let partly: Vec<&str> = self.known.iter().filter(|(_, _, is_sure)| !is_sure).map(|(text, _, _)| *text).collect();
        if !partly.is_empty() {
            open.push(format!("is it right what {} becomes? Only a part of it is known here", counted(column, &partly)));
        }
        if column.has_gaps() {
            let empty = column.values.len() as u64 - column.filled;
            open.push(format!("{empty} rows have nothing there and will be malformed.kind: what are they?"));
        }
        let confidence = Confidence::of(if open.is_empty() { 95 } else { 70 });
        let question = (!open.is_empty()).then(|| open.join(". "));
        section.add("map", format!("{{ {} }}", entries.join(", ")), confidence, "by the words that are known here", question);
    }
}

fn kind_word(kind: UsageKind) -> &'static str {
    match kind {
        UsageKind::Voice => "voice",
        UsageKind::Sms => "sms",
        UsageKind::Mms => "mms",
        UsageKind::Data => "data",
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Outgoing => "outgoing",
        Direction::Incoming => "incoming",
        Direction::Forwarded => "forwarded",
    }
}
