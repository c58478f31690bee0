//! Why no profile can be proposed for a file, and what to do instead.

use domain::ports::Disposition;

use crate::land::LandError;
use crate::profile::ProfileError;

/// Why no profile can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The file cannot be read.
    #[error("failed to read `{file}`")]
    Unreadable {
        /// The file.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The wrappers cannot be taken off.
    #[error(transparent)]
    Wrapped(#[from] LandError),
    /// An archive in a wrapper is larger than the sample.
    #[error("`{0}` is an archive inside another wrapper and larger than the sample; unpack the outer one, or raise --bytes")]
    DeepArchive(String),
    /// Too many files.
    #[error("{count} files are more than the {files_max} that are looked at; a few that differ say as much")]
    TooManyFiles {
        /// How many there are.
        count: usize,
        /// The limit.
        files_max: usize,
    },
    /// No file was named.
    #[error("there is no file to look at; name at least one")]
    NoFile,
    /// There is nothing in it.
    #[error("`{0}` is empty; take a file with rows")]
    Empty(String),
    /// It is no text.
    #[error("`{file}` is no text ({control_percent} % of it are control characters){hint}")]
    Binary {
        /// The file.
        file: String,
        /// Control characters in a hundred.
        control_percent: u64,
        /// What it might be, or what to do.
        hint: &'static str,
    },
    /// It is text in an encoding that no profile can declare.
    #[error("`{file}` {problem}")]
    Encoding {
        /// The file.
        file: String,
        /// What it is, and what to do.
        problem: &'static str,
    },
    /// It has no lines.
    #[error("`{file}` has no line feed in its first {bytes} bytes{hint}; rows must end in LF or CR LF")]
    NoLines {
        /// The file.
        file: String,
        /// How much was looked at.
        bytes: usize,
        /// What ends its lines instead, if anything.
        hint: &'static str,
    },
    /// It is in a form for which no profile is proposed.
    #[error("`{file}` looks like {form}; drafts are made of text with separators: {advice}")]
    OtherForm {
        /// The file.
        file: String,
        /// What it looks like.
        form: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Nothing separates fields.
    #[error("no character separates the fields of `{file}`: its lines have no common number of them; is it a file of records?")]
    NoSeparator {
        /// The file.
        file: String,
    },
    /// It has a header at most.
    #[error("`{0}` has no rows below its header; take a file with rows")]
    NoRows(String),
    /// No column says when anything happened.
    #[error("none of the {columns} columns holds dates and times that a profile can read{hint}")]
    NoTime {
        /// How many columns there are.
        columns: usize,
        /// The column that comes nearest, and why it cannot be read.
        hint: String,
    },
    /// The name that was given cannot be a profile's.
    #[error("`{0}` is no name of a profile: 1 to 48 small letters, digits and `-` are")]
    Name(String),
    /// The proposal is no profile, which is a bug.
    #[error("the proposal for these files is no profile, which is a bug; report it with a file of the same shape")]
    Unloadable {
        /// What is wrong with it.
        #[source]
        source: ProfileError,
    },
}

impl DraftError {
    /// Someone has to choose another file or write the profile by hand.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Wrapped(error) => error.disposition(),
            _ => Disposition::Stop,
        }
    }
}
