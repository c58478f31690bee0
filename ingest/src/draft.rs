//! Proposes a profile for files whose layout nobody has described: every setting with its confidence, and a question wherever
//! the files leave something open.
//!
//! [`read_samples`] takes a bounded piece of each file, wrappers off; [`draft`] looks at the pieces together and writes one TOML
//! file that loads as a [`Profile`]. What the files cannot tell (whose clock it is, whether a kilobyte has 1000 bytes) is always
//! asked, and what no profile can say ends in an error or a question, never in a guess that reads something else.

mod column;
mod decision;
mod delimited;
mod encoding;
mod error;
mod form;
mod looks;
mod propose;
mod roles;
mod sample;
mod survey;
mod table;
mod times;
mod words;
mod write;

use crate::parse::check::{CheckReport, check};
use crate::profile::Profile;

pub use decision::{Confidence, Decision, Question};
pub use error::DraftError;
pub use sample::{Opened, Sample, open_samples, read_samples};

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftLimits {
    /// Rows of each file.
    pub rows_max: usize,
    /// Bytes of each file, wrappers taken off. At least 1024 are read.
    pub bytes_max: usize,
    /// Files, those in archives included; the rest of an archive is left alone.
    pub files_max: usize,
}

impl Default for DraftLimits {
    fn default() -> Self {
        Self { rows_max: 10_000, bytes_max: 4 << 20, files_max: 32 }
    }
}

/// A proposed profile.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The profile's TOML, with each question above the line that it concerns.
    pub toml: String,
    /// The same, loaded.
    pub profile: Profile,
    /// Every setting of the TOML, in its order.
    pub decisions: Vec<Decision>,
    /// Every open point, in the order of the TOML.
    pub questions: Vec<Question>,
    /// How many rows of all files were looked at.
    pub rows: u64,
}

/// Proposes a profile for samples of one layout; `name` is the profile's name, made from that of the file with the most rows if not given.
pub fn draft(samples: &[Sample], name: Option<&str>, limits: DraftLimits) -> Result<Draft, DraftError> {
    let survey = survey::survey(samples, limits)?;
    let name = match name {
        Some(name) if write::is_profile_name(name) => name.to_owned(),
        Some(name) => return Err(DraftError::Name(name.to_owned())),
        None => write::profile_name(&survey.files[0].name),
    };
    let sections = propose::propose(&survey, &name)?;
    let (toml, decisions, questions) = write::write(sections);
    match Profile::load(&toml) {
        Ok(profile) => Ok(Draft { toml, profile, decisions, questions, rows: survey.rows() }),
        Err(source) => Err(DraftError::Unloadable { source }),
    }
}

impl Draft {
    /// Runs the profile over a sample. The verdict on a file whose sample is cut says nothing: its end is missing.
    pub fn check(&self, sample: &Sample, rows_max: usize) -> CheckReport {
        let bytes = if self.profile.has_rows_as_lines() { sample.whole_lines() } else { &sample.bytes };
        check(&self.profile, &sample.name, bytes, rows_max)
    }
}

#[cfg(test)]
mod tests;
