//! plans.csv: `plan_id` and, if it has them, `name` and `valid_to`.

use super::table::{Layout, once_per_key, read};
use super::{ImportError, ImportLimits, PlanRow};

const LAYOUT: Layout = Layout { required: &["plan_id"], optional: &["name", "valid_to"] };

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<Vec<PlanRow>, ImportError> {
    let rows = read(&LAYOUT, bytes, limits, |row| {
        let id = row.id("plan_id")?;
        let name = row.name("name", &id)?;
        Ok((row.line, PlanRow { id, name, valid_to_us: row.instant("valid_to")? }))
    })?;
    once_per_key(rows, |plan| &plan.id, "plan_id", limits)
}
