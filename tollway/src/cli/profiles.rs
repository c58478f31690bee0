//! The command line of source layouts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// The shipped profiles
    List,
    /// The text of a profile
    Show {
        /// A shipped name, or a TOML file
        profile: String,
    },
    /// Read a file with a profile, without taking it in
    Check {
        /// A shipped name, or a TOML file
        profile: String,
        /// The file to read
        file: PathBuf,
        /// Rows to show
        #[arg(long, default_value_t = 10)]
        rows: usize,
    },
    /// Propose a profile for files of an unknown layout, with a question wherever they leave something open
    #[command(after_help = "Examples:\n  tollway profile draft october.csv > spits.toml\n  \
        tollway profile draft --out spits.toml october.csv november.csv.gz")]
    Draft(DraftArgs),
}

/// Options of `profile draft`.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// Files of one layout, wrapped or plain; more of them leave fewer questions
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the profile to a new file; else it goes to standard output, and the rest to standard error
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The profile's name; made from the first file's name if not given
    #[arg(long)]
    pub name: Option<String>,
    /// Rows of each file to look at
    #[arg(long, default_value_t = 10_000)]
    pub rows: usize,
    /// Bytes of each file to look at, wrappers taken off
    #[arg(long, default_value_t = 4 << 20)]
    pub bytes: usize,
}
