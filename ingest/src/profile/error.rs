//! Why a text is no profile, with the line, the key and the nearest one that exists.

use domain::nearest;
use domain::ports::Disposition;

/// Why a text is no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is no TOML, or a key has a value of the wrong type.
    #[error("profile line {line}: {problem}")]
    Text {
        /// Line in the profile, from 1.
        line: usize,
        /// What the reader says.
        problem: String,
    },
    /// A key, or a word for a choice, that does not exist.
    #[error("profile line {line}: unknown {what} `{found}`{hint}")]
    Unknown {
        /// Line in the profile, from 1.
        line: usize,
        /// `key` or `word`.
        what: &'static str,
        /// What stands there.
        found: String,
        /// The nearest that exists, as `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// A setting that reads well but cannot be.
    #[error("profile setting `{key}`: {problem}")]
    Setting {
        /// Section and key, `time.pattern`.
        key: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

impl ProfileError {
    /// Someone has to correct the profile.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }

    pub(super) fn setting(key: &str, problem: impl Into<String>) -> Self {
        Self::Setting { key: key.to_owned(), problem: problem.into() }
    }

    /// Turns the reader's message into ours; its lists of names become the nearest one.
    pub(super) fn from_toml(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|s| text.get(..s.start)).unwrap_or("");
        let line = before.bytes().filter(|c| *c == b'\n').count() + 1;
        let message = error.message();
        for (opening, what) in [("unknown field `", "key"), ("unknown variant `", "word")] {
            let Some((found, known)) = message.strip_prefix(opening).and_then(|rest| rest.split_once('`')) else { continue };
            let known = known.split('`').skip(1).step_by(2);
            return Self::Unknown { line, what, found: found.to_owned(), hint: nearest::hint(found, known) };
        }
        Self::Text { line, problem: message.lines().next().unwrap_or("it is no TOML").to_owned() }
    }
}
