//! From columns and their roles to the sections of a profile, in the order in which profiles are written.

mod file;
mod parties;
mod record;
mod time;
mod units;

use super::column::Column;
use super::decision::{Confidence, Section, quoted};
use super::roles::{Roles, TimePick};
use super::survey::Survey;
use super::{DraftError, roles, words};

/// So few rows prove little, whatever they say.
const FEW_ROWS: u64 = 20;

/// What all sections are made from.
struct Findings<'s> {
    survey: &'s Survey,
    columns: Vec<Column<'s>>,
    roles: Roles,
    /// Names by position, for files without a header.
    names: Vec<String>,
    /// Whether a line of types stands under the header.
    has_type_line: bool,
}

impl<'s> Findings<'s> {
    fn new(survey: &'s Survey) -> Self {
        let columns = survey.columns();
        let roles = roles::find(&columns);
        let names = invented_names(&roles, columns.len());
        let first = columns.iter().filter_map(|column| column.values.first()).filter(|text| !text.is_empty());
        let has_type_line =
            survey.header().is_some() && first.clone().count() > 1 && first.clone().all(|text| words::is_type(text));
        Self { survey, columns, roles, names, has_type_line }
    }

    /// A column as a setting names it: by name, or by position where a name says too little.
    fn reference(&self, at: usize) -> String {
        let Some(header) = self.survey.header() else { return quoted(&self.names[at]) };
        match header.get(at) {
            Some(name) if !name.is_empty() && header.iter().filter(|other| *other == name).count() == 1 => quoted(name),
            _ => at.to_string(),
        }
    }

    fn column(&self, at: usize) -> &Column<'s> {
        &self.columns[at]
    }

    /// Whether a text can be a word of the profile: those of the line of types mean nothing, and broken characters cannot be
    /// written.
    fn is_word(&self, text: &str) -> bool {
        let is_type = self.has_type_line && words::is_type(text);
        !is_type && !text.contains(char::REPLACEMENT_CHARACTER)
    }

    /// How many rows were looked at.
    fn rows(&self) -> u64 {
        self.survey.rows()
    }

    /// Other columns that would do as well, for a question.
    fn rivals(&self, rivals: &[usize]) -> String {
        let shown: Vec<String> = rivals.iter().take(4).map(|at| self.shown(*at)).collect();
        shown.join(", ")
    }

    /// A column for people.
    fn shown(&self, at: usize) -> String {
        if self.survey.header().is_some() { self.column(at).shown() } else { format!("`{}` (column {at})", self.names[at]) }
    }

    /// Adds the column of a section, with its rivals as a question.
    fn set_column(&self, section: &mut Section, key: &str, pick: &roles::Pick) {
        let because = match pick.header {
            0 => format!("{} % of the values of {} look like it; no header says so", pick.fit, self.shown(pick.at)),
            _ => format!("the header says it, and {} % of the values look like it", pick.fit),
        };
        self.set_column_because(section, key, pick, because);
    }

    /// As [`Findings::set_column`], for a column of words: those that nobody knows say nothing against it.
    fn set_column_of_words(&self, section: &mut Section, key: &str, pick: &roles::Pick) {
        let because = match pick.header {
            0 => format!("{} has the words; no header says so", self.shown(pick.at)),
            _ => "the header says it, and it has the words".to_owned(),
        };
        self.set_column_because(section, key, &roles::Pick { fit: 100, ..pick.clone() }, because);
    }

    fn set_column_because(&self, section: &mut Section, key: &str, pick: &roles::Pick, because: String) {
        let question = match (pick.header, &pick.rivals[..]) {
            (_, rivals @ [_, ..]) => Some(format!("is it {}, or {}?", self.shown(pick.at), self.rivals(rivals))),
            (0, []) => Some(format!("is it {}? Its values look like it, but no header says so", self.shown(pick.at))),
            _ => None,
        };
        section.add(key, self.reference(pick.at), pick.confidence(), because, question);
    }

    /// Adds `required = false` where some rows have nothing in the column.
    fn set_gaps(&self, section: &mut Section, at: usize) {
        let column = self.column(at);
        if column.has_gaps() {
            let empty = column.values.len() as u64 - column.filled;
            section.set("required", "false".to_owned(), Confidence::CERTAIN, format!("{empty} rows have nothing there"));
        }
    }
}

/// The profile's sections.
pub(super) fn propose(survey: &Survey, name: &str) -> Result<Vec<Section>, DraftError> {
    let found = Findings::new(survey);
    let mut sections = vec![top(&found, name), file::section(&found)];
    sections.extend(file::places(&found));
    sections.extend(file::trailer(&found));
    sections.push(record::key(&found));
    sections.extend(record::skips(&found));
    sections.push(record::kind(&found));
    sections.push(record::direction(&found));
    sections.extend(parties::sections(&found));
    sections.push(time::section(&found)?);
    sections.extend(units::sections(&found));
    Ok(sections)
}

fn top(found: &Findings<'_>, name: &str) -> Section {
    let mut section = Section::new("");
    if found.rows() < FEW_ROWS {
        section.questions.push(format!(
            "only {} rows were looked at: is there a larger file, with every kind of usage in it? Draft again with it",
            found.rows()
        ));
    }
    section.set("name", quoted(name), Confidence::CERTAIN, "from the file's name, or as given");
    section.set("version", "1".to_owned(), Confidence::CERTAIN, "versions count from 1");
    let file = &found.survey.files[0].name;
    let file = file.rsplit(['/', '!']).next().unwrap_or(file);
    section.set("title", quoted(&format!("Drafted from {file}")), Confidence::CERTAIN, "one line for people: change it");
    section.set("assumed", "true".to_owned(), Confidence::CERTAIN, "until the source has confirmed it");
    section
}

/// A name for every column of a file that names none.
fn invented_names(roles: &Roles, width: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..width).map(|at| format!("column_{at}")).collect();
    let (served, other) = if roles.has_caller { ("caller", "called") } else { ("served", "other") };
    let picks = [
        (&roles.id, "id"),
        (&roles.kind, "kind"),
        (&roles.direction, "direction"),
        (&roles.served, served),
        (&roles.other, other),
        (&roles.imsi, "imsi"),
        (&roles.iccid, "iccid"),
        (&roles.duration, "duration"),
        (&roles.status, "status"),
    ];
    for (pick, name) in picks {
        if let Some(pick) = pick {
            name.clone_into(&mut names[pick.at]);
        }
    }
    match &roles.time {
        Some(TimePick::Count { column, .. } | TimePick::Whole { column, .. }) => "start".clone_into(&mut names[column.at]),
        Some(TimePick::Apart { column, clock_column, .. }) => {
            "date".clone_into(&mut names[column.at]);
            "time".clone_into(&mut names[clock_column.at]);
        }
        None => {}
    }
    names
}
