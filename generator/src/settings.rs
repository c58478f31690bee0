//! What a generated month is made of: settings as they come in, with the defaults of the demo, and why one is refused.

use std::path::PathBuf;

use domain::ports::{Disposition, io_error};

use crate::group::Group;
use crate::layout::Layout;

/// How often something is planted or happens, in parts per million of rows. The defaults follow DOMAIN 5.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Rows again, byte for byte, in the same file.
    pub duplicate_ppm: u32,
    /// Rows of the account's file before, sent again in this one.
    pub repeated_ppm: u32,
    /// Rows with the id of another row of the file and another amount or duration; only in layouts with ids.
    pub id_conflict_ppm: u32,
    /// Rows that break one rule of their layout.
    pub malformed_ppm: u32,
    /// Served numbers that no device has.
    pub unknown_number_ppm: u32,
    /// Destinations or visited networks that no tariff knows.
    pub unknown_zone_ppm: u32,
    /// Rows that arrive more than a day after the days of their file.
    pub late_ppm: u32,
    /// Usage in a visited network.
    pub roaming_ppm: u32,
    /// Calls and messages to and from other countries.
    pub international_ppm: u32,
    /// Calls and messages to premium numbers.
    pub premium_ppm: u32,
    /// Calls and messages to freephone numbers.
    pub freephone_ppm: u32,
    /// Starts around a change of the clock, of the rows of a file of that day.
    pub clock_change_ppm: u32,
    /// Rows that are no usage of the source's customers: fees, interim records, other partners' calls; only in layouts that have
    /// such rows.
    pub foreign_ppm: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            duplicate_ppm: 5_000,
            repeated_ppm: 3_000,
            id_conflict_ppm: 100,
            malformed_ppm: 1_000,
            unknown_number_ppm: 3_000,
            unknown_zone_ppm: 700,
            late_ppm: 5_000,
            roaming_ppm: 50_000,
            international_ppm: 15_000,
            premium_ppm: 10_000,
            freephone_ppm: 10_000,
            clock_change_ppm: 40_000,
            foreign_ppm: 10_000,
        }
    }
}

/// A month to be generated, as asked for; [`crate::month::Month::new`] checks it. The default is the demo's.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// The month, such as `2026-10`.
    pub year_month: String,
    /// Files with rows of their own; re-sent files come on top.
    pub files: u32,
    /// Data rows of a file of average days; busy days have more.
    pub rows_per_file: u32,
    /// The layouts that take turns. File k of a list of layouts is the same, however many files are asked for.
    pub layouts: Vec<Layout>,
    /// Companies that own devices.
    pub customers: u32,
    /// SIMs and lines.
    pub devices: u32,
    /// After how many files one of them is sent again under another name; 0: never.
    pub resend_every: u32,
    /// What goes wrong and what is rare.
    pub rates: Rates,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 42,
            year_month: "2026-10".to_owned(),
            files: 92,
            rows_per_file: 3_424,
            layouts: vec![Layout::KpnSp16, Layout::Routit],
            customers: 40,
            devices: 680,
            resend_every: 60,
            rates: Rates::default(),
        }
    }
}

/// The limits of the settings: (smallest, largest).
pub(crate) mod limits {
    /// Files: four digits of a record id number them.
    pub const FILES: (u32, u32) = (1, 9_999);
    /// Rows of a file: six digits of a record id number them, with room for busy days.
    pub const ROWS_PER_FILE: (u32, u32) = (20, 250_000);
    /// Customers: every account has at least one, so layouts with accounts of their own need more.
    pub const CUSTOMERS: (u32, u32) = (8, 10_000);
    /// Devices: every account has several.
    pub const DEVICES: (u32, u32) = (120, 100_000);
    /// Planted rows, together: most rows of a file stay as they are.
    pub const PLANTED_PPM: (u32, u32) = (0, 300_000);
    /// Any single probability.
    pub const RATE_PPM: (u32, u32) = (0, 1_000_000);
}

/// Why a month cannot be generated.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// A setting is outside its limits.
    #[error("setting `{setting}` is {value}, but {smallest} to {largest} is allowed")]
    OutOfRange {
        /// Its name.
        setting: &'static str,
        /// What was asked for.
        value: u64,
        /// The least that is allowed.
        smallest: u32,
        /// The most that is allowed.
        largest: u32,
    },
    /// The month is none.
    #[error("setting `year_month` is `{0}`, but a month such as 2026-10, from 1996-01 on, is needed")]
    Month(String),
    /// No layout is named.
    #[error("setting `layouts` is empty, but at least one layout is needed")]
    NoLayout,
    /// A layout is named twice, so its files would be made twice.
    #[error("setting `layouts` names `{0}` twice; name each layout once")]
    LayoutTwice(&'static str),
    /// A file cannot be written.
    #[error("failed to write `{path}`; check that the folder exists, is writable and has space")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl GeneratorError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Write { path, source } => io_error(&path.to_string_lossy(), std::io::Error::from(source.kind())).disposition(),
            Self::OutOfRange { .. } | Self::Month(_) | Self::NoLayout | Self::LayoutTwice(_) => Disposition::Stop,
        }
    }
}

impl Settings {
    /// Refuses what is outside the limits.
    pub(crate) fn check(&self) -> Result<(), GeneratorError> {
        let rates = &self.rates;
        let planted = [
            rates.duplicate_ppm,
            rates.repeated_ppm,
            rates.repeated_ppm,
            rates.id_conflict_ppm,
            rates.malformed_ppm,
            rates.unknown_number_ppm,
            rates.unknown_zone_ppm,
        ];
        let planted = planted.iter().fold(0, |sum: u32, ppm| sum.saturating_add(*ppm));
        let called = rates.international_ppm.saturating_add(rates.premium_ppm).saturating_add(rates.freephone_ppm);
        let own_accounts = u32::try_from(Group::own(&self.layouts).count()).unwrap_or(u32::MAX);
        let checks = [
            ("files", self.files, limits::FILES),
            ("rows_per_file", self.rows_per_file, limits::ROWS_PER_FILE),
            ("customers", self.customers, (limits::CUSTOMERS.0 + own_accounts.saturating_sub(1), limits::CUSTOMERS.1)),
            ("devices", self.devices, limits::DEVICES),
            ("rates: all that is planted", planted, limits::PLANTED_PPM),
            ("rates.late_ppm", rates.late_ppm, limits::RATE_PPM),
            ("rates.roaming_ppm", rates.roaming_ppm, limits::RATE_PPM),
            ("rates: all destinations", called, limits::RATE_PPM),
            ("rates.clock_change_ppm", rates.clock_change_ppm, limits::RATE_PPM),
            ("rates.foreign_ppm", rates.foreign_ppm, limits::RATE_PPM),
        ];
        for (setting, value, (smallest, largest)) in checks {
            if !(smallest..=largest).contains(&value) {
                return Err(GeneratorError::OutOfRange { setting, value: value.into(), smallest, largest });
            }
        }
        if self.layouts.is_empty() {
            return Err(GeneratorError::NoLayout);
        }
        let twice = self.layouts.iter().enumerate().find(|(i, layout)| self.layouts[..*i].contains(layout));
        twice.map_or(Ok(()), |(_, layout)| Err(GeneratorError::LayoutTwice(layout.profile())))
    }
}
