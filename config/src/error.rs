//! Why a configuration cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use domain::ports::Disposition;

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the embedded defaults.
    Default,
    /// In a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// In a variable of the environment.
    Variable(String),
    /// In an argument of the command line.
    Argument(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Argument(name) => write!(f, "argument {name}"),
        }
    }
}

/// Two settings that need each other, both with where they stand.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: `{key}` is {found}, but `{other}` is {other_found} ({other_origin}); {remedy}")]
pub struct Apart {
    /// Where the first stands.
    pub origin: Origin,
    /// The first.
    pub key: &'static str,
    /// `empty`, `set`, or its value if it is no secret.
    pub found: String,
    /// The other.
    pub other: &'static str,
    /// As `found`.
    pub other_found: String,
    /// Where the other stands.
    pub other_origin: Origin,
    /// What to do.
    pub remedy: &'static str,
}

/// A configuration error. Texts never hold the value of a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("failed to read configuration file `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{path}:{line}: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser expected.
        message: String,
    },
    /// A section that does not exist.
    #[error("{origin}: there is no section `{name}`; the nearest is `{nearest}`")]
    UnknownSection {
        /// Where.
        origin: Origin,
        /// The section.
        name: String,
        /// What may have been meant.
        nearest: &'static str,
    },
    /// A setting that does not exist.
    #[error("{origin}: there is no setting `{key}`; the nearest is `{nearest}`")]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key with its section.
        key: String,
        /// What may have been meant.
        nearest: String,
    },
    /// A setting outside of any section.
    #[error("{origin}: `{name}` stands outside of any section; write it below `[{section}]`")]
    NoSection {
        /// Where.
        origin: Origin,
        /// What stands there.
        name: String,
        /// Where it may belong.
        section: &'static str,
    },
    /// A value that is not allowed.
    #[error("{origin}: `{key}` is {found}; write {allowed}")]
    Value {
        /// Where.
        origin: Origin,
        /// The setting.
        key: &'static str,
        /// What stands there; `not allowed` for a secret.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// A variable of the environment that is a setting but for an underscore.
    #[error("environment {name} is no setting; two underscores stand between section and name: write {meant}")]
    OneUnderscore {
        /// The variable.
        name: String,
        /// What was meant.
        meant: String,
    },
    /// Two settings that do not go together.
    #[error(transparent)]
    Apart(#[from] Box<Apart>),
    /// A live source cannot be called so.
    #[error("`{name}` cannot be the name of a live source; take 1 to 32 letters, digits, dots, dashes and underscores")]
    SourceName {
        /// The name.
        name: String,
    },
    /// An open door.
    #[error("{origin}: `http.listen` is {address}, which others can reach; set `http.token`, or listen on 127.0.0.1")]
    TokenMissing {
        /// Where the address stands.
        origin: Origin,
        /// The address.
        address: std::net::SocketAddr,
    },
}

impl ConfigError {
    /// What to do about it: someone has to change the configuration.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }

    /// A syntax error of a file.
    pub(crate) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Self::Syntax { path: path.to_owned(), line, message: error.message().to_owned() }
    }
}

/// The line of a byte position, from 1.
pub(crate) fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|b| *b == b'\n').count() + 1
}
