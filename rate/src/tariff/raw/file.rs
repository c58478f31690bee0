//! The text of a tariff file: read whole, and its mistakes told with their line.

use std::sync::Arc;

use domain::nearest;
use toml::Spanned;

use super::RawTariff;
use crate::error::{Place, TariffError};

/// The text of the tariff file with what is needed to name a place in it.
pub(crate) struct TomlFile<'t> {
    pub name: Arc<str>,
    pub text: &'t str,
}

impl TomlFile<'_> {
    /// Reads the file; the error names the line and, for a key that does not exist, the nearest that does.
    pub fn read(&self) -> Result<RawTariff, TariffError> {
        toml::from_str(self.text).map_err(|error| {
            let place = Place { line: error.span().map(|span| self.line(span.start)), ..self.whole() };
            let message = error.message();
            if let Some(rest) = message.strip_prefix("unknown field ") {
                return unknown_key(place, rest);
            }
            let line = error.span().and_then(|span| self.line_at(span.start));
            let problem = line.and_then(|line| quoting(message, line));
            let problem = problem.unwrap_or_else(|| message.lines().collect::<Vec<_>>().join(": "));
            TariffError::Unreadable { place, problem }
        })
    }

    /// The file without a line.
    pub fn whole(&self) -> Place {
        Place { file: self.name.clone(), line: None }
    }

    /// Where an element of a list begins.
    pub fn place<T>(&self, spanned: &Spanned<T>) -> Place {
        Place { line: Some(self.line(spanned.span().start)), ..self.whole() }
    }

    fn line_at(&self, offset: usize) -> Option<&str> {
        let (before, behind) = self.text.split_at_checked(offset)?;
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        self.text.get(begin..offset + behind.find('\n').unwrap_or(behind.len()))
    }

    fn line(&self, offset: usize) -> u64 {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count() as u64
    }
}

/// What to write where a value wants quotes and has none, or has them and wants none: the slips that are made most.
fn quoting(message: &str, line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    let is_plain = !key.is_empty() && key.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    if !is_plain || value.is_empty() || value.len() > 60 || value.contains(['{', '[']) {
        return None;
    }
    if message.contains("expected a TOML datetime") && value.starts_with('"') {
        return Some(format!("`{key}` is a text; write the date without quotes: {key} = {}", value.trim_matches('"')));
    }
    let wants_text = message.starts_with("invalid type: ") && (message.contains("a string") || message.contains("a text"));
    (wants_text && !value.starts_with(['"', '\'']))
        .then(|| format!("`{key}` is {value}; write it in quotes: {key} = \"{value}\""))
}

/// `message` is what follows "unknown field": `` `nmae`, expected one of `name`, `currency` ``.
fn unknown_key(place: Place, message: &str) -> TariffError {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let key = quoted.next().unwrap_or_default().to_owned();
    let known: Vec<&str> = quoted.collect();
    let mut hint = nearest::hint(&key, known.iter().copied());
    if hint.is_empty() {
        hint = format!("; known here: {}", known.join(", "));
    }
    TariffError::UnknownKey { place, what: "key", key, hint }
}
