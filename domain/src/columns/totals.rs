//! The table `totals`: additive partial sums over `cdr_entries`, what invoices and BillingInsight read.

use super::types::{Label, Long, Sum};

/// Partition column of `totals`.
pub const PARTITION: [&str; 1] = ["billing_period"];

crate::columns! {
    /// Rows of `totals` to write, without the partition column `billing_period`. Rows of one key add up.
    TotalRows / TotalsView {
        /// Whose data it is.
        tenant: Label,
        /// The customer.
        customer: Label,
        /// The subscription.
        subscription: Label,
        /// The device.
        device: Label,
        /// The plan.
        plan: Label,
        /// Kind and direction.
        kind: Label,
        /// The zone that was charged.
        zone: Label,
        /// The time band.
        band: Label,
        /// The currency of the charge.
        currency: Label,
        /// How many rows, reversals subtracted.
        count: Long,
        /// Seconds.
        seconds: Long,
        /// Bytes, both ways.
        bytes: Long,
        /// Message parts.
        messages: Long,
        /// Units billed.
        billed_units: Long,
        /// The charge.
        charge: Sum,
        /// The provider's cost where it has the same currency.
        cost: Sum,
    }
}
