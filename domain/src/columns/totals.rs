//! The table `totals`: additive partial sums over `cdr_entries`, what invoices and BillingInsight read.

use super::types::{Label, Long, Maybe, Sum};

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
        /// The tax class of the price, if the tariff names one.
        tax_class: Maybe<Label>,
        /// Whether the charge holds the tax: `included` or `excluded`; null for what was written before tables said so.
        tax: Maybe<Label>,
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
