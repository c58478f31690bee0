//! plans.csv: `plan_id` and, if it has one, `name`.

use super::table::{Layout, once_per_key, read};
use super::{ImportError, ImportLimits, PlanRow};

const LAYOUT: Layout = Layout { required: &["plan_id"], optional: &["name"] };

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<Vec<PlanRow>, ImportError> {
    let rows = read(&LAYOUT, bytes, limits, |row| {
        let id = row.id("plan_id")?;
        let name = row.name("name", &id)?;
        Ok((row.line, PlanRow { id, name }))
    })?;
    once_per_key(rows, |plan| &plan.id, "plan_id", limits)
}
