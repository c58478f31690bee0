//! devices.csv: `device_id,msisdn,customer_id,plan_id,valid_from,valid_to` and, if known, `imsi`, `iccid`, `subscription_id`; with
//! a subscription, customer and plan may be left to it.

use std::collections::HashMap;

use super::table::{Layout, Row, finish, read};
use super::{DeviceRow, ImportContent, ImportError, ImportLimits, RowError, RowProblem};
use crate::identifier::{Identifier, IdentifierKind};
use crate::report::Listed;

/// A file of SIMs alone has no MSISDN column, so none of the three numbers is required by itself. Customer and plan are in each
/// row, or in none of it and in the subscriptions.
const LAYOUT: Layout = Layout {
    required: &["device_id", "valid_from"],
    optional: &["msisdn", "valid_to", "imsi", "iccid", "subscription_id", "customer_id", "plan_id"],
};

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<ImportContent, ImportError> {
    let all = read(&LAYOUT, bytes, limits, device)?;
    let mut without_instant = Listed::up_to(limits.errors_max);
    let mut rows = Vec::with_capacity(all.len());
    for row in all {
        if row.to_us.is_some_and(|to_us| to_us <= row.from_us) {
            without_instant.push(row.line);
        } else {
            rows.push(row);
        }
    }
    refuse_contradictions(&rows, limits)?;
    Ok(ImportContent::Devices { rows, without_instant })
}

fn device(row: &Row<'_>) -> Result<DeviceRow, RowError> {
    let device = row.id("device_id")?;
    let has_subscription = row.optional("subscription_id")?.is_some();
    let subscription = if has_subscription { row.id("subscription_id")? } else { device.clone() };
    let (customer, plan) = match (row.optional("customer_id")?, row.optional("plan_id")?, has_subscription) {
        (None, None, true) => (String::new(), String::new()),
        (None, None, false) => return Err(row.error("customer_id", RowProblem::NoPayer)),
        _ => (row.id("customer_id")?, row.id("plan_id")?),
    };
    let mut identifiers = Vec::with_capacity(3);
    for kind in IdentifierKind::ALL {
        if let Some(text) = row.optional(kind.as_str())? {
            identifiers.push(Identifier::parse(kind, text).map_err(|e| row.error(kind.as_str(), RowProblem::Identifier(e)))?);
        }
    }
    if identifiers.is_empty() {
        return Err(row.error("msisdn", RowProblem::NoIdentifier));
    }
    Ok(DeviceRow {
        line: row.line,
        device,
        subscription,
        customer,
        plan,
        identifiers,
        from_us: row.instant("valid_from")?.ok_or_else(|| row.error("valid_from", RowProblem::Missing))?,
        to_us: row.instant("valid_to")?,
    })
}

/// Two rows of one file may repeat each other, but not give the same number from the same instant on to two owners.
fn refuse_contradictions(rows: &[DeviceRow], limits: &ImportLimits) -> Result<(), ImportError> {
    let mut first_of: HashMap<(Identifier, i64), &DeviceRow> = HashMap::with_capacity(rows.len());
    let mut errors = Listed::up_to(limits.errors_max);
    for row in rows {
        for identifier in &row.identifiers {
            let first = *first_of.entry((*identifier, row.from_us)).or_insert(row);
            let content = |r: &DeviceRow| (r.device.clone(), r.subscription.clone(), r.customer.clone(), r.plan.clone(), r.to_us);
            if first.line != row.line && content(first) != content(row) {
                let problem = RowProblem::Contradicts { first_line: first.line };
                errors.push(RowError { line: row.line, field: identifier.kind.as_str(), problem });
            }
        }
    }
    finish((), errors)
}
