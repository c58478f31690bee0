//! subscriptions.csv: `subscription_id,customer_id,plan_id,valid_from` and, if it ends, `valid_to`.

use std::collections::HashMap;

use super::table::{Layout, Row, finish, read};
use super::{ImportError, ImportLimits, RowError, RowProblem, SubscriptionRow};
use crate::report::Listed;

const LAYOUT: Layout = Layout { required: &["subscription_id", "customer_id", "plan_id", "valid_from"], optional: &["valid_to"] };

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<Vec<SubscriptionRow>, ImportError> {
    let rows = read(&LAYOUT, bytes, limits, subscription)?;
    let mut first_of: HashMap<(&str, i64), &SubscriptionRow> = HashMap::with_capacity(rows.len());
    let mut errors = Listed::up_to(limits.errors_max);
    for row in &rows {
        let first = *first_of.entry((&row.id, row.from_us)).or_insert(row);
        if (&first.customer, &first.plan, first.to_us) != (&row.customer, &row.plan, row.to_us) {
            let problem = RowProblem::Contradicts { first_line: first.line };
            errors.push(RowError { line: row.line, field: "subscription_id", problem });
        }
    }
    finish((), errors)?;
    Ok(rows)
}

fn subscription(row: &Row<'_>) -> Result<SubscriptionRow, RowError> {
    let from_us = row.instant("valid_from")?.ok_or_else(|| row.error("valid_from", RowProblem::Missing))?;
    let to_us = row.instant("valid_to")?;
    if to_us.is_some_and(|to_us| to_us <= from_us) {
        return Err(row.error("valid_to", RowProblem::NoInstant));
    }
    let (id, customer, plan) = (row.id("subscription_id")?, row.id("customer_id")?, row.id("plan_id")?);
    Ok(SubscriptionRow { line: row.line, id, customer, plan, from_us, to_us })
}
