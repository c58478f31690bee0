//! What was decided for each setting, how sure that is, and what to ask.

use std::fmt::Write;

use serde::Serialize;

/// How sure a decision is, in per cent: a rank of evidence, not a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(u8);

impl Confidence {
    /// Nothing speaks against it.
    pub(super) const CERTAIN: Self = Self(100);
    /// What files usually mean, where these say nothing.
    pub(super) const USUAL: Self = Self(70);
    /// One of several that fit equally.
    pub(super) const GUESS: Self = Self(40);

    /// Of so many per cent; more than 100 are 100.
    pub(super) fn of(percent: u64) -> Self {
        Self(u8::try_from(percent.min(100)).unwrap_or(100))
    }

    /// Not more than another.
    pub(super) fn at_most(self, other: Self) -> Self {
        self.min(other)
    }

    /// In per cent.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// `high` from 90 per cent, `medium` from 60, else `low`.
    pub fn level(self) -> &'static str {
        match self.0 {
            90.. => "high",
            60.. => "medium",
            _ => "low",
        }
    }

    /// Whether someone has to look: everything but `high`.
    pub fn is_open(self) -> bool {
        self.0 < 90
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

/// One setting of the proposed profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Section and key, `time.pattern`.
    pub key: String,
    /// Its value as the TOML has it.
    pub value: String,
    /// In per cent.
    pub confidence: Confidence,
    /// What speaks for it.
    pub because: String,
    /// What to ask, if anything is open.
    pub question: Option<String>,
}

/// One open point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The line of the TOML that it concerns, from 1.
    pub line: usize,
    /// The setting there; a section's name where a section may be missing.
    pub key: String,
    /// What to find out, and what to change.
    pub text: String,
}

/// A section of the proposed profile.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// `file`, `[skip]` for one of many; empty for the settings above all sections.
    pub name: &'static str,
    /// Whether the section is left out and only its questions stay.
    pub is_left_out: bool,
    /// What to ask about the section as a whole.
    pub questions: Vec<String>,
    pub decisions: Vec<Decision>,
}

impl Section {
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// A section that is not proposed, with what to ask about it.
    pub fn left_out(name: &'static str, question: String) -> Self {
        Self { name, is_left_out: true, questions: vec![question], ..Self::default() }
    }

    /// Adds a setting that is sure.
    pub fn set(&mut self, key: &str, value: String, confidence: Confidence, because: impl Into<String>) {
        self.add(key, value, confidence, because, None);
    }

    /// Adds a setting with a question.
    pub fn ask(&mut self, key: &str, value: String, confidence: Confidence, because: impl Into<String>, question: String) {
        self.add(key, value, confidence, because, Some(question));
    }

    /// Adds a setting whose question, if it has one, is asked.
    pub fn add(
        &mut self,
        key: &str,
        value: String,
        confidence: Confidence,
        because: impl Into<String>,
        question: Option<String>,
    ) {
        let because = because.into();
        let question = question.or_else(|| confidence.is_open().then(|| format!("is this right? {because}")));
        let key = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name.trim_matches(['[', ']'])) };
        self.decisions.push(Decision { key, value, confidence, because, question });
    }
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("a string takes all"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Texts as a TOML list.
pub(super) fn quoted_list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<String> = texts.into_iter().map(quoted).collect();
    format!("[{}]", all.join(", "))
}
