//! Why something cannot be verified; each message names what and what to do.

/// Why something cannot be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A tariff text that this crate does not understand.
    #[error("tariff `{tariff}` is not understood: {problem}; verify with the program that rates by it, or a newer one")]
    Tariff {
        /// Its name or file.
        tariff: String,
        /// What is not understood.
        problem: String,
    },
    /// A time zone that does not exist.
    #[error("there is no time zone `{0}`; write a name such as Europe/Amsterdam")]
    Zone(String),
    /// A customer who is not there.
    #[error("the customer `{0}` is not known; import the customers first")]
    Customer(String),
    /// Amounts beyond all bounds.
    #[error("the lines of customer `{0}` come to more than can be counted; look for the amount in the tariffs")]
    Amount(String),
    /// A start that no calendar holds.
    #[error("the start {0} (microseconds since 1970) lies beyond all calendars; look at the source's time format")]
    Instant(i64),
    /// A field of a record that cannot be read.
    #[error("the record's {field} is `{value}`, which nobody writes; run `tollway check`")]
    Field {
        /// The column.
        field: &'static str,
        /// What stands there.
        value: String,
    },
}
