//! What an import would do, before it does: counts of everything and the first examples of what a person should look at.

use std::fmt;

use crate::import::ImportKind;

/// Examples that a report lists of each finding; all are counted.
pub const EXAMPLES_MAX: usize = 50;

/// Examples of what is added: a first import adds everything.
const ADDITIONS_MAX: usize = 5;

/// Findings: how many there are, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed<T> {
    /// All.
    pub count: u64,
    /// The first, at most as many as the limit with which the list was made.
    pub first: Vec<T>,
    #[serde(skip)]
    limit: usize,
}

impl<T> Listed<T> {
    /// An empty list that keeps up to `limit`.
    pub fn up_to(limit: usize) -> Self {
        Self { count: 0, first: Vec::new(), limit }
    }

    /// Counts one and keeps it while there is room.
    pub fn push(&mut self, finding: T) {
        self.count += 1;
        if self.first.len() < self.limit {
            self.first.push(finding);
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        (self.count, self.first) = (0, Vec::new());
    }

    /// The same list of other things.
    pub fn map<U>(&self, other: impl Fn(T) -> U) -> Listed<U>
    where
        T: Clone,
    {
        Listed { count: self.count, first: self.first.iter().cloned().map(other).collect(), limit: self.limit }
    }

    /// How many were counted and not kept.
    pub fn more(&self) -> u64 {
        self.count - self.first.len() as u64
    }
}

/// Each on a line of its own, behind a line break.
impl<T: fmt::Display> fmt::Display for Listed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.first {
            write!(f, "\n  {finding}")?;
        }
        match self.more() {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::up_to(EXAMPLES_MAX)
    }
}

/// Where a window came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A line of this file.
    Line(u64),
    /// An earlier import.
    Arrival(u64),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Arrival(arrival) => write!(f, "arrival {arrival}"),
        }
    }
}

/// A window as a report names it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NamedWindow {
    /// Where it came from.
    pub origin: Origin,
    /// The device; empty in a window of a subscription.
    pub device: String,
    /// The subscription.
    pub subscription: String,
    /// The customer; empty: who has the subscription.
    pub customer: String,
    /// The plan; empty: that of the subscription.
    pub plan: String,
    /// The group; empty where the file is of none.
    pub group: String,
    /// First instant, UTC.
    pub from: String,
    /// First instant after it, UTC; `None` is open.
    pub to: Option<String>,
}

impl fmt::Display for NamedWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, device, subscription, customer, plan, group, from, to } = self;
        match (device.as_str(), customer.as_str()) {
            ("", "") => write!(f, "{origin} (subscription {subscription}, group {group})")?,
            ("", _) => write!(f, "{origin} (subscription {subscription}, customer {customer}, plan {plan})")?,
            (_, "") => write!(f, "{origin} (device {device}, subscription {subscription})")?,
            _ => write!(f, "{origin} (device {device}, customer {customer}, plan {plan})")?,
        }
        write!(f, " {from} to {}", to.as_deref().unwrap_or("open"))
    }
}

/// Two windows claim the same number at the same time: the import is refused.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Overlap {
    /// The number, masked, or the subscription.
    pub identifier: String,
    /// The window that starts first.
    pub earlier: NamedWindow,
    /// The window that starts while the first has not ended.
    pub later: NamedWindow,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, earlier, later } = self;
        write!(f, "{identifier}: {earlier} overlaps {later}; end the first by {} or correct the second", later.from)
    }
}

/// A window that the import writes anew.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The number, masked, or the subscription.
    pub identifier: String,
    /// As it was.
    pub before: NamedWindow,
    /// As it will be.
    pub after: NamedWindow,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} becomes {}", self.identifier, self.before, self.after)
    }
}

/// A field of a customer, plan or tariff that the import changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldChange {
    /// Whose.
    pub id: String,
    /// Which.
    pub field: &'static str,
    /// As it was; empty: none.
    pub was: String,
    /// As it will be; empty: none.
    pub becomes: String,
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, field, was, becomes } = self;
        write!(f, "{id}: {field} `{was}` becomes `{becomes}`")
    }
}

/// What a full list ends because it does not name it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Ended {
    /// A customer, a plan, or a number with its window.
    pub what: String,
    /// First instant at which it does not hold any more, UTC.
    pub at: String,
    /// Its end before, UTC; `None` was open.
    pub was: Option<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ends at {}; its end was {}", self.what, self.at, self.was.as_deref().unwrap_or("open"))
    }
}

/// A window that ends elsewhere because of another one, without a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MovedEnd {
    /// The number, masked, or the subscription.
    pub identifier: String,
    /// The window, with its new end.
    pub window: NamedWindow,
    /// Its end before, UTC; `None` was open.
    pub was: Option<String>,
}

impl fmt::Display for MovedEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; its end was {}", self.identifier, self.window, self.was.as_deref().unwrap_or("open"))
    }
}

/// A time in which nobody has a number that someone had before, or a line is in no group.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    /// What was imported.
    #[serde(skip)]
    pub kind: ImportKind,
    /// The number, masked, or the subscription.
    pub identifier: String,
    /// From then on, UTC.
    pub from: String,
    /// Until then, UTC; `None`: for ever.
    pub to: Option<String>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.kind == ImportKind::Groups { "is in no group" } else { "nobody has it" };
        write!(f, "{}: {what} from {} to {}", self.identifier, self.from, self.to.as_deref().unwrap_or("open"))
    }
}

/// A number that passes to another customer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct OwnerChange {
    /// The number, masked, or the subscription.
    pub identifier: String,
    /// From then on, UTC.
    pub at: String,
    /// Who had it, or was said to have it.
    pub from_customer: String,
    /// Who has it.
    pub to_customer: String,
    /// Whether the former customer had just this window: what was billed under it may have to be corrected.
    pub rewrites: bool,
}

impl fmt::Display for OwnerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.rewrites { "is rewritten from" } else { "passes from" };
        write!(f, "{}: {how} customer {} to {} at {}", self.identifier, self.from_customer, self.to_customer, self.at)
    }
}

/// The dry run of an import. For devices, what is counted are windows: one per number of a row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportReport {
    /// What was imported.
    pub kind: ImportKind,
    /// Rows of the file.
    pub rows: u64,
    /// New windows, customers, plans or tariffs.
    pub added: u64,
    /// Those that are written anew with other content.
    pub changed: u64,
    /// Those that are there with the same content.
    pub unchanged: u64,
    /// Of a full list: how many there are that hold at its instant, before it acts.
    pub existing: u64,
    /// Of a full list: most that it may end; `None` of a delta.
    pub ended_max: Option<u64>,
    /// What a full list ends because it does not name it.
    pub ended: Listed<Ended>,
    /// The first of those that are new.
    pub additions: Listed<String>,
    /// What changes of customers, plans and tariffs, field by field.
    pub field_changes: Listed<FieldChange>,
    /// Customers or plans that end while numbers are theirs, with how many.
    pub still_used: Listed<String>,
    /// The changed windows.
    pub changes: Listed<Change>,
    /// Windows that end earlier because another one begins.
    pub closed: Listed<MovedEnd>,
    /// Windows that end later because another one was changed.
    pub extended: Listed<MovedEnd>,
    /// Claims of two windows on one number: the import is refused.
    pub overlaps: Listed<Overlap>,
    /// Times in which nobody has a number, or a line is in no group.
    pub gaps: Listed<Gap>,
    /// Numbers that pass to another customer.
    pub owner_changes: Listed<OwnerChange>,
    /// Customers that are made with default values because no customers file named them.
    pub new_customers: Listed<String>,
    /// Plans that are made because no plans file named them.
    pub new_plans: Listed<String>,
    /// Subscriptions that devices are left to and that no subscriptions file has named: their numbers have no owner yet. Of groups:
    /// those that neither subscriptions nor devices have named.
    pub unknown_subscriptions: Listed<String>,
    /// Lines whose `valid_to` is not after `valid_from`: they hold no instant and link nothing.
    pub without_instant: Listed<u64>,
}

impl ImportReport {
    /// A report without findings.
    pub fn new(kind: ImportKind, rows: u64) -> Self {
        Self {
            kind,
            rows,
            added: 0,
            changed: 0,
            unchanged: 0,
            existing: 0,
            ended_max: None,
            ended: Listed::default(),
            additions: Listed::up_to(ADDITIONS_MAX),
            field_changes: Listed::default(),
            still_used: Listed::default(),
            changes: Listed::default(),
            closed: Listed::default(),
            extended: Listed::default(),
            overlaps: Listed::default(),
            gaps: Listed::default(),
            owner_changes: Listed::default(),
            new_customers: Listed::default(),
            new_plans: Listed::default(),
            unknown_subscriptions: Listed::default(),
            without_instant: Listed::default(),
        }
    }

    /// Whether [`Store::apply_import`](crate::Store::apply_import) would refuse it.
    pub fn is_refused(&self) -> bool {
        self.overlaps.count > 0 || self.ends_too_many()
    }

    /// Whether a full list ends more than it may.
    pub fn ends_too_many(&self) -> bool {
        self.ended_max.is_some_and(|ended_max| self.ended.count > ended_max)
    }

    /// What is counted, in words.
    pub fn kept(&self) -> &'static str {
        match self.kind {
            ImportKind::Devices => "windows",
            ImportKind::Subscriptions => "rows of subscriptions",
            ImportKind::Groups => "memberships",
            other => other.as_str(),
        }
    }

    /// Whether it would change nothing.
    pub fn is_unchanged(&self) -> bool {
        self.added + self.changed + self.ended.count + self.new_customers.count + self.new_plans.count == 0
    }
}

/// Counts first, then the findings, the gravest first. Numbers are masked.
impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept();
        let Self { rows, added, changed, unchanged, .. } = self;
        write!(f, "{rows} rows: {kept} added {added}, changed {changed}, ")?;
        if self.ended_max.is_some() {
            write!(f, "ended {} of {}, ", self.ended.count, self.existing)?;
        }
        write!(f, "unchanged {unchanged}, closed {}", self.closed.count)?;
        section(f, "overlaps, refused", &self.overlaps)?;
        section(f, "without an instant, ignored: valid_to is not after valid_from in line", &self.without_instant)?;
        section(f, "ended, because the full list does not name them", &self.ended)?;
        section(f, "ended, but numbers are theirs: send the devices, too", &self.still_used)?;
        section(f, "changes of owner", &self.owner_changes)?;
        section(f, "changed", &self.changes)?;
        section(f, "changed", &self.field_changes)?;
        section(f, "closed", &self.closed)?;
        section(f, "extended", &self.extended)?;
        section(f, "gaps", &self.gaps)?;
        section(f, "added", &self.additions)?;
        section(f, "subscriptions that nothing is known of: import them, too", &self.unknown_subscriptions)?;
        section(f, "customers made with default values", &self.new_customers)?;
        section(f, "plans made", &self.new_plans)
    }
}

fn section<T: fmt::Display>(f: &mut fmt::Formatter<'_>, title: &str, findings: &Listed<T>) -> fmt::Result {
    if findings.count == 0 { Ok(()) } else { write!(f, "\n{title} ({}){findings}", findings.count) }
}
