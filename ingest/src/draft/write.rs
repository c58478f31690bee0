//! The sections as TOML, each question above the line that it concerns.

use super::decision::{Decision, Question, Section};

/// Longest line of a comment.
const COLUMNS_MAX: usize = 118;

/// Longest name that a profile may have.
const NAME_MAX: usize = 48;

/// The TOML, its settings in order, and its questions with their lines.
pub(super) fn write(sections: Vec<Section>) -> (String, Vec<Decision>, Vec<Question>) {
    let mut page = Page::default();
    page.line("# Proposed by `tollway profile draft`. Each `# ?` is a question about the line below it: answer it, correct the line, and");
    page.line("# remove the question. The per cent behind a line say how much speaks for it.");
    let (mut decisions, mut questions) = (Vec::new(), Vec::new());
    for section in sections {
        // Settings of the first section stand at the top.
        if !section.name.is_empty() {
            page.line("");
        }
        let key = section.name.trim_matches(['[', ']']);
        for text in &section.questions {
            page.question(text);
        }
        if !section.name.is_empty() {
            let head = format!("[{}]", section.name);
            page.line(if section.is_left_out { format!("# {head}") } else { head });
        }
        let line = page.lines.len();
        let key = if key.is_empty() { "the file" } else { key };
        questions.extend(section.questions.into_iter().map(|text| Question { line, key: key.to_owned(), text }));
        for decision in section.decisions {
            if let Some(text) = &decision.question {
                page.question(text);
            }
            let (_, name) = decision.key.rsplit_once('.').unwrap_or(("", &decision.key));
            let confidence = decision.confidence;
            page.line(format!("{name} = {}  # {} % {}", decision.value, confidence.percent(), confidence.level()));
            if let Some(text) = &decision.question {
                questions.push(Question { line: page.lines.len(), key: decision.key.clone(), text: text.clone() });
            }
            decisions.push(decision);
        }
    }
    (page.lines.join("\n") + "\n", decisions, questions)
}

/// Lines of the TOML so far.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
}

impl Page {
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A question as a comment, broken between words.
    fn question(&mut self, text: &str) {
        let mut line = "# ?".to_owned();
        for word in text.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > COLUMNS_MAX {
                self.line(std::mem::replace(&mut line, "#  ".to_owned()));
            }
            line.push(' ');
            // A comment of TOML has no control characters, and a terminal should obey none.
            line.extend(word.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
        }
        self.line(line);
    }
}

/// Whether a profile may have this name.
pub(super) fn is_profile_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=NAME_MAX).contains(&name.len()) && name.chars().all(plain)
}

/// A profile's name from a file's: its words up to the first that has digits.
pub(super) fn profile_name(file: &str) -> String {
    let base = file.rsplit(['/', '!', '\\']).next().unwrap_or(file);
    let stem = base.split('.').next().unwrap_or(base);
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let named: Vec<String> =
        words.take_while(|word| !word.contains(|c: char| c.is_ascii_digit())).map(str::to_lowercase).collect();
    let mut name = named.join("-");
    name.truncate(NAME_MAX);
    if name.is_empty() { "draft".to_owned() } else { name }
}
