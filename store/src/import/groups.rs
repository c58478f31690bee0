//! groups.csv: `group_id,subscription_id,valid_from` and, if it ends, `valid_to`.

use std::collections::HashMap;

use super::table::{Layout, Row, finish, read};
use super::{ImportError, ImportLimits, MemberRow, RowError, RowProblem};
use crate::report::Listed;

const LAYOUT: Layout = Layout { required: &["group_id", "subscription_id", "valid_from"], optional: &["valid_to"] };

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<Vec<MemberRow>, ImportError> {
    let rows = read(&LAYOUT, bytes, limits, member)?;
    let mut first_of: HashMap<(&str, i64), &MemberRow> = HashMap::with_capacity(rows.len());
    let mut errors = Listed::up_to(limits.errors_max);
    for row in &rows {
        let first = *first_of.entry((&row.subscription, row.from_us)).or_insert(row);
        if (&first.group, first.to_us) != (&row.group, row.to_us) {
            let problem = RowProblem::Contradicts { first_line: first.line };
            errors.push(RowError { line: row.line, field: "subscription_id", problem });
        }
    }
    finish((), errors)?;
    Ok(rows)
}

fn member(row: &Row<'_>) -> Result<MemberRow, RowError> {
    let from_us = row.instant("valid_from")?.ok_or_else(|| row.error("valid_from", RowProblem::Missing))?;
    let to_us = row.instant("valid_to")?;
    if to_us.is_some_and(|to_us| to_us <= from_us) {
        return Err(row.error("valid_to", RowProblem::NoInstant));
    }
    Ok(MemberRow { line: row.line, group: row.id("group_id")?, subscription: row.id("subscription_id")?, from_us, to_us })
}
