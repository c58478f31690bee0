//! What is wrong with a tariff, told whole: every fault that loading refuses, and what loads all the same and costs money later.
//!
//! [`lint`] looks at one tariff, [`versions::together`] at several that will be in force side by side.

pub mod versions;
pub mod levels;
mod refusal;
mod texts;
pub(crate) mod book;
mod coverage;
mod prices;
mod prefixes;
mod calendars;
mod idle;
mod allowances;
mod charges;

use serde::{Serialize, Serializer};

use crate::error::Place;
use crate::lint::book::Book;
use crate::tariff::{Tariff, TariffSource};

/// Most findings of one rule in one table: a table with more is wrong as a whole.
const FINDINGS_MAX: usize = 1_000;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It cannot be imported, or not beside the others.
    Error,
    /// Calls will wait or cost what nobody meant.
    Warning,
    /// It works; is it meant?
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident $text:literal $severity:ident),* $(,)?) => {
        /// What is looked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[$doc])* $name,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name in answers.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// How bad what it finds is.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)*
                }
            }
        }
    };
}

rules! {
    /// A file cannot be read.
    Unreadable "unreadable" Error,
    /// The first thing for which loading refuses the tariff.
    Refused "refused" Error,
    /// Fields are separated by something else than commas, or not all alike.
    Separator "separator" Error,
    /// A prefix is no international number's beginning.
    PrefixForm "prefix_form" Error,
    /// A prefix stands twice.
    PrefixTwice "prefix_twice" Error,
    /// Amounts have a decimal comma.
    DecimalMark "decimal_mark" Error,
    /// Two tariffs sell one plan on the same days.
    DateOverlap "date_overlap" Error,
    /// Days on which nobody sells a plan that was sold before and is sold after.
    DateGap "date_gap" Warning,
    /// Days that the version in force covers and the new one does not.
    DaysLost "days_lost" Warning,
    /// Two files with one name: the second import replaces the first.
    SameName "same_name" Warning,
    /// A plan changes its currency from one tariff to the next.
    CurrencyChange "currency_change" Warning,
    /// A zone into which calls of a plan can fall has no price.
    MissingPrice "missing_price" Warning,
    /// A price for a zone or band in which no such record can be.
    UnreachablePrice "unreachable_price" Warning,
    /// A price that more specific ones cover wherever it could hold.
    ShadowedPrice "shadowed_price" Warning,
    /// A calendar has no date in a year of the tariff.
    StaleCalendar "stale_calendar" Warning,
    /// A calendar that no band asks.
    IdleCalendar "idle_calendar" Warning,
    /// A table that no price asks.
    IdleTable "idle_table" Warning,
    /// A number in the list of what numbers ask whose zone has no price that adds it.
    IdleNumber "idle_number" Warning,
    /// A price that adds what numbers ask, in a zone of which none is listed.
    UnlistedZone "unlisted_zone" Warning,
    /// An allowance that covers nothing that costs anything.
    IdleAllowance "idle_allowance" Warning,
    /// A sell plan for an owner path that no customer has.
    IdleLevel "idle_level" Warning,
    /// An allowance that comes after one without an end, which covers all that it covers.
    UnreachedAllowance "unreached_allowance" Warning,
    /// A commitment for which nothing counts.
    IdleCommitment "idle_commitment" Warning,
    /// Days between two rows of one prefix or network on which neither holds.
    RowGap "row_gap" Note,
    /// A price asks for the provider's cost, and the newest rate of a currency is long before the tariff's end.
    StaleRates "stale_rates" Note,
    /// A price without a zone that counts before prices which name the zone.
    CrossingPrices "crossing_prices" Note,
    /// A price far above the others of its plan and kind.
    PriceJump "price_jump" Note,
    /// A price of nothing for what usually costs.
    ZeroPrice "zero_price" Note,
    /// A fee of nothing.
    ZeroFee "zero_fee" Note,
    /// A prefix or network that leads where a shorter one leads anyway.
    RedundantRow "redundant_row" Note,
    /// The default band never holds.
    IdleBand "idle_band" Note,
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that found it.
    pub rule: Rule,
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// A finding.
    pub fn new(rule: Rule, place: &Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { rule, place: place.clone(), what: what.into(), remedy: remedy.into() }
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.rule.severity()
    }
}

/// A tariff that was looked at.
#[derive(Debug)]
pub struct Linted {
    /// The tariff, if it loads.
    pub tariff: Option<Tariff>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
}

/// Looks at one tariff.
pub fn lint(source: &TariffSource) -> Linted {
    match Tariff::load(source) {
        Ok(tariff) => Linted { findings: sorted(of(&tariff)), tariff: Some(tariff) },
        Err(error) => {
            let mut refused = refusal::finding(source, &error);
            // The loader stops at the first fault; the texts are searched for the others of the usual kinds.
            let (same, mut findings): (Vec<Finding>, Vec<Finding>) =
                texts::findings(source).into_iter().partition(|found| found.place.line.is_some() && found.place == refused.place);
            // What stands at the place of the refusal is the same fault, and knows better what was meant.
            if let Some(same) = same.first() {
                refused.remedy.clone_from(&same.remedy);
            }
            findings.push(refused);
            Linted { tariff: None, findings: sorted(findings) }
        }
    }
}

/// What there is to say of a tariff that loads.
fn of(tariff: &Tariff) -> Vec<Finding> {
    let book = Book::of(tariff);
    let mut findings = coverage::findings(&book);
    findings.extend(prices::findings(&book));
    findings.extend(prefixes::findings(tariff));
    findings.extend(calendars::findings(tariff));
    findings.extend(idle::findings(tariff));
    findings.extend(allowances::findings(&book));
    findings.extend(charges::findings(tariff));
    findings
}

/// By severity, then as they stand in the files.
pub fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings
}

fn order(finding: &Finding) -> (Severity, &str, Option<u64>, Rule, &str) {
    let Finding { rule, place, what, .. } = finding;
    (rule.severity(), &place.file, place.line, *rule, what)
}

#[cfg(test)]
mod tests;
