//! Source layouts as data: one TOML file says how a provider's files are written and what their columns mean.
//!
//! A profile arrives as text, is checked as a whole when it is loaded, and leaves compiled: parse meets no setting that can
//! fail. `docs/howto/add-a-layout.md` shows how to write one; [`Profile::schema_json`] is its published schema.

pub(crate) mod charset;
mod compile;
mod error;
mod file_number;
mod layout;
mod numbering;
mod raw;
pub(crate) mod recipe;
mod reliance;
pub(crate) mod time;
mod traits;
mod walk;

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use domain::delivery::{DeliveryMode, KeyMode};
use domain::money::Currency;
use domain::zone::Zone;

pub use error::ProfileError;
pub use file_number::FileNumber;
pub use layout::{HeaderError, Layout};
pub(crate) use layout::{next_feed, trim_return};
pub use numbering::{FileNumbering, FileRhythm};
pub use traits::{LayoutTraits, layouts_markdown};

pub(crate) use compile::usual_numbers;

use raw::ColumnRef;
use recipe::{FileForm, Reader, Recipe, Slot, Trailer};

/// A source layout, checked and compiled.
#[derive(Clone)]
pub struct Profile {
    name: String,
    version: u32,
    label: Arc<str>,
    title: String,
    provider: Option<String>,
    assumed: bool,
    key_mode: KeyMode,
    delivery_mode: DeliveryMode,
    cost_currency: Currency,
    numbering: Option<FileNumbering>,
    rhythm: Option<FileRhythm>,
    text: String,
    pub(crate) file: FileForm,
    pub(crate) trailer: Option<Trailer>,
    pub(crate) reader: Reader,
    /// What to do with each row; `None` for a reader that knows what its records mean.
    pub(crate) recipe: Option<Recipe>,
    /// The columns that the profile names; a [`Slot`] is a position here.
    columns: Vec<ColumnRef>,
    /// Columns that a whole file may lack.
    may_lack: Vec<String>,
    /// What the columns are read for, `served`, `time`: for people.
    roles: Vec<(&'static str, Slot)>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profile({})", self.label)
    }
}

impl Profile {
    /// Reads, checks and compiles a profile; the error names line or setting and what would be right.
    pub fn load(text: &str) -> Result<Self, ProfileError> {
        let raw: raw::RawProfile = toml::from_str(text).map_err(|e| ProfileError::from_toml(text, &e))?;
        compile::compile(raw, text)
    }

    /// The JSON schema of profiles, for editors.
    pub fn schema_json() -> String {
        let schema = schemars::schema_for!(raw::RawProfile);
        serde_json::to_string_pretty(&schema).expect("a schema is plain JSON values") + "\n"
    }

    /// Its name, `kpn-sp16`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `name@version`, as deliveries and ledger rows carry it.
    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    /// One line for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether it was written from descriptions, not from the provider's own files: show "assumed layout".
    pub fn assumed(&self) -> bool {
        self.assumed
    }

    /// The provider whose files these usually are; a hint only.
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// How record keys are made.
    pub fn key_mode(&self) -> KeyMode {
        self.key_mode
    }

    /// What a newer file of the same name means.
    pub fn delivery_mode(&self) -> DeliveryMode {
        self.delivery_mode
    }

    /// The currency of the provider's cost; EUR where the layout has no cost.
    pub fn cost_currency(&self) -> Currency {
        self.cost_currency
    }

    /// How an account's files are numbered, if they are.
    pub fn numbering(&self) -> Option<&FileNumbering> {
        self.numbering.as_ref()
    }

    /// How often files are to arrive, if that is known.
    pub fn rhythm(&self) -> Option<FileRhythm> {
        self.rhythm
    }

    /// The zone of times without an offset, if declared.
    pub fn zone(&self) -> Option<&Zone> {
        self.recipe.as_ref()?.zone.as_ref()
    }

    /// The text that it was loaded from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether files are text, so that people can look up a row by its line.
    pub fn has_lines(&self) -> bool {
        !matches!(self.reader, Reader::Tap3(_))
    }

    /// The word for its reader.
    #[cfg(test)]
    pub(crate) fn reader_word(&self) -> &'static str {
        match self.reader {
            Reader::Delimited => "delimited",
            Reader::FixedWidth(_) => "fixed-width",
            Reader::JsonLines(_) | Reader::JsonArray(_) => "json",
            Reader::Xml(_) => "xml",
            Reader::Tap3(_) => "tap3",
        }
    }

    /// Whether each row is a line.
    pub(crate) fn has_rows_as_lines(&self) -> bool {
        matches!(self.reader, Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_))
    }

    /// A landed row of a file as text, for people. Bytes that are none become U+FFFD; a row that is no text is hexadecimal.
    pub fn row_text(&self, layout: &Layout, row: &[u8]) -> String {
        match &self.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => self.decode(&layout.line_text(row)).into_owned(),
            Reader::JsonArray(_) | Reader::Xml(_) => self.decode(row).into_owned(),
            Reader::Tap3(_) => row.iter().fold(String::with_capacity(2 * row.len()), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string takes all");
                text
            }),
        }
    }

    /// The columns that rows are read from: what for, and where in the file.
    pub(crate) fn roles<'a>(&'a self, layout: &'a Layout) -> impl Iterator<Item = (&'static str, usize)> + 'a {
        self.roles.iter().map(|(role, slot)| (*role, layout.at(*slot)))
    }

    /// Bytes of a line as text. Bytes that are none (which parse has refused before) become U+FFFD.
    #[inline]
    pub(crate) fn decode<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        self.file.encoding.decode(bytes)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) mod fixtures;

#[cfg(test)]
pub(crate) mod samples;
