//! The bytes of an import become typed rows: everything that one file alone can tell is checked here.

use domain::closed::LateUsage;
use domain::period::CycleDay;

use crate::identifier::Identifier;
use crate::report::Listed;
use crate::tariff::{TariffBundle, sha256_hex};

mod customers;
mod devices;
mod groups;
mod plans;
mod problem;
mod subscriptions;
mod table;

pub use problem::{ImportError, RowError, RowErrors, RowProblem};
pub use table::HeaderError;

/// What an import brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportKind {
    /// `customers.csv`: who pays.
    Customers,
    /// `devices.csv`: who has which number from when to when.
    Devices,
    /// `plans.csv`: the names of plans.
    Plans,
    /// One tariff with its companions.
    Tariffs,
    /// `subscriptions.csv`: who pays for a contract, under which plan, from when to when.
    Subscriptions,
    /// `groups.csv`: which group a line is in, from when to when.
    Groups,
}

impl ImportKind {
    /// All kinds, in the order in which a new installation imports them.
    pub const ALL: [Self; 6] = [Self::Customers, Self::Plans, Self::Subscriptions, Self::Devices, Self::Groups, Self::Tariffs];

    /// The name on the command line and in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::Devices => "devices",
            Self::Plans => "plans",
            Self::Tariffs => "tariffs",
            Self::Subscriptions => "subscriptions",
            Self::Groups => "groups",
        }
    }

    /// The kind behind a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == name)
    }
}

/// How an import treats what it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// It adds and changes; absence ends nothing.
    Delta,
    /// It is the whole list as of an instant: what holds then and is absent ends there.
    Full(FullList),
}

/// What a full list may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullList {
    /// The instant for which the list is true, microseconds UTC. What begins after it is none of its business.
    pub as_of_us: i64,
    /// Most windows, customers or plans that it may end; with more it is refused.
    pub ended_max: u64,
}

impl ImportMode {
    /// The full list, if it is one.
    pub fn full(self) -> Option<FullList> {
        match self {
            Self::Delta => None,
            Self::Full(list) => Some(list),
        }
    }
}

/// How much one import may bring, and how much is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportLimits {
    /// Largest file in bytes.
    pub bytes_max: usize,
    /// Most rows of one file.
    pub rows_max: u64,
    /// Broken rows that are listed; all are counted.
    pub errors_max: usize,
}

impl Default for ImportLimits {
    /// 256 MiB, 2 million rows, 100 listed errors: a row of devices.csv takes about 100 bytes.
    fn default() -> Self {
        Self { bytes_max: 256 << 20, rows_max: 2_000_000, errors_max: 100 }
    }
}

/// A row of devices.csv: one statement on who has a device from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Where it stands, from 1; the header is line 1.
    pub line: u64,
    /// The device.
    pub device: String,
    /// The subscription; the device's id where the file names none.
    pub subscription: String,
    /// The customer; empty: who has the subscription.
    pub customer: String,
    /// The plan; empty: that of the subscription.
    pub plan: String,
    /// One to three numbers that name the device.
    pub identifiers: Vec<Identifier>,
    /// First instant, microseconds UTC.
    pub from_us: i64,
    /// First instant after it; `None`: until the next window of the same number begins.
    pub to_us: Option<i64>,
}

/// A row of subscriptions.csv: one statement on who pays for a contract from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRow {
    /// Where it stands, from 1; the header is line 1.
    pub line: u64,
    /// The subscription.
    pub id: String,
    /// The customer.
    pub customer: String,
    /// The plan.
    pub plan: String,
    /// First instant, microseconds UTC.
    pub from_us: i64,
    /// First instant after it; `None`: until the next row of the same subscription begins.
    pub to_us: Option<i64>,
}

/// A row of groups.csv: one statement on which group a line is in from when to when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Where it stands, from 1; the header is line 1.
    pub line: u64,
    /// The group.
    pub group: String,
    /// The line: a subscription.
    pub subscription: String,
    /// First instant, microseconds UTC.
    pub from_us: i64,
    /// First instant after it; `None`: until the next row of the same subscription begins.
    pub to_us: Option<i64>,
}

/// A row of customers.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerRow {
    /// The customer.
    pub id: String,
    /// What people call it; the id where the file gives none.
    pub name: String,
    /// Operator / reseller / customer / cost centre; `None`: the tenant.
    pub owner_path: Option<String>,
    /// The day on which its cycle begins.
    pub cycle_day: CycleDay,
    /// The IANA zone by whose clock it begins.
    pub time_zone: String,
    /// Where usage goes that comes when its cycle is closed; `None`: as the configuration says.
    pub late_usage: Option<LateUsage>,
    /// First instant at which it is no customer any more, microseconds UTC; `None`: it stays.
    pub valid_to_us: Option<i64>,
}

/// The clock of a customer for whom no zone was given.
pub const DEFAULT_TIME_ZONE: &str = "Europe/Amsterdam";

impl CustomerRow {
    /// The customer that a devices file names and no customers file has described yet. These values are part of what a
    /// replay from landing gives, so they are fixed here and not a setting.
    pub fn unknown(id: &str) -> Self {
        let (id, name) = (id.to_owned(), id.to_owned());
        Self {
            id,
            name,
            owner_path: None,
            cycle_day: CycleDay::FIRST,
            time_zone: DEFAULT_TIME_ZONE.to_owned(),
            late_usage: None,
            valid_to_us: None,
        }
    }
}

/// A row of plans.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// The plan; the tariff that sells it names it too.
    pub id: String,
    /// What people call it; the id where the file gives none.
    pub name: String,
    /// First instant at which it is no longer sold, microseconds UTC; `None`: it stays.
    pub valid_to_us: Option<i64>,
}

impl PlanRow {
    /// The plan that a devices file names and no plans file has described yet.
    pub fn unknown(id: &str) -> Self {
        Self { id: id.to_owned(), name: id.to_owned(), valid_to_us: None }
    }
}

/// What a parsed import holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportContent {
    /// Customers, by id.
    Customers(Vec<CustomerRow>),
    /// Devices in the file's order.
    Devices {
        /// The rows that say something.
        rows: Vec<DeviceRow>,
        /// Lines whose end is not after their start: they hold no instant and link nothing.
        without_instant: Listed<u64>,
    },
    /// Plans, by id.
    Plans(Vec<PlanRow>),
    /// One tariff.
    Tariff(TariffBundle),
    /// Subscriptions in the file's order.
    Subscriptions(Vec<SubscriptionRow>),
    /// Who is in which group, in the file's order.
    Groups(Vec<MemberRow>),
}

/// A checked import, ready to be planned and applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRows {
    /// SHA-256 of the imported bytes, hexadecimal.
    pub sha256: String,
    /// What becomes of what they do not name.
    pub mode: ImportMode,
    /// What they say.
    pub content: ImportContent,
}

impl ImportRows {
    /// The same rows in a mode.
    #[must_use]
    pub fn with_mode(self, mode: ImportMode) -> Self {
        Self { mode, ..self }
    }

    /// What kind of import it is.
    pub fn kind(&self) -> ImportKind {
        match self.content {
            ImportContent::Customers(_) => ImportKind::Customers,
            ImportContent::Devices { .. } => ImportKind::Devices,
            ImportContent::Plans(_) => ImportKind::Plans,
            ImportContent::Tariff(_) => ImportKind::Tariffs,
            ImportContent::Subscriptions(_) => ImportKind::Subscriptions,
            ImportContent::Groups(_) => ImportKind::Groups,
        }
    }

    /// How many rows it has, those without an instant included.
    pub fn row_count(&self) -> u64 {
        match &self.content {
            ImportContent::Customers(rows) => rows.len() as u64,
            ImportContent::Devices { rows, without_instant } => rows.len() as u64 + without_instant.count,
            ImportContent::Plans(rows) => rows.len() as u64,
            ImportContent::Tariff(_) => 1,
            ImportContent::Subscriptions(rows) => rows.len() as u64,
            ImportContent::Groups(rows) => rows.len() as u64,
        }
    }
}

/// Reads an import, as a delta. CSV files are UTF-8 (a BOM is fine), with `,` or `;`, a header and RFC 4180 quotes; a tariff is
/// the JSON text of [`TariffBundle::to_json`].
pub fn parse_import(kind: ImportKind, bytes: &[u8], limits: &ImportLimits) -> Result<ImportRows, ImportError> {
    if bytes.len() > limits.bytes_max {
        return Err(ImportError::TooLarge { bytes: bytes.len(), bytes_max: limits.bytes_max });
    }
    let content = match kind {
        ImportKind::Customers => ImportContent::Customers(customers::parse(bytes, limits)?),
        ImportKind::Devices => devices::parse(bytes, limits)?,
        ImportKind::Plans => ImportContent::Plans(plans::parse(bytes, limits)?),
        ImportKind::Subscriptions => ImportContent::Subscriptions(subscriptions::parse(bytes, limits)?),
        ImportKind::Groups => ImportContent::Groups(groups::parse(bytes, limits)?),
        ImportKind::Tariffs => ImportContent::Tariff(TariffBundle::from_json(bytes)?),
    };
    Ok(ImportRows { sha256: sha256_hex(bytes), mode: ImportMode::Delta, content })
}
