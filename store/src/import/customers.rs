//! customers.csv: `customer_id` and, as far as known, `name`, `owner_path`, `cycle_day`, `time_zone`, `late_usage`, `valid_to`.

use domain::closed::LateUsage;
use domain::ids::check_id;
use domain::period::CycleDay;
use domain::zone::Zone;

use super::table::{Layout, Row, once_per_key, read};
use super::{CustomerRow, DEFAULT_TIME_ZONE, ImportError, ImportLimits, RowError, RowProblem};

const LAYOUT: Layout =
    Layout { required: &["customer_id"], optional: &["name", "owner_path", "cycle_day", "time_zone", "late_usage", "valid_to"] };

/// Most levels of an owner path.
const LEVELS_MAX: usize = 8;

/// Reads the file.
pub(super) fn parse(bytes: &[u8], limits: &ImportLimits) -> Result<Vec<CustomerRow>, ImportError> {
    let mut zones: Vec<String> = Vec::new();
    let rows = read(&LAYOUT, bytes, limits, |row| Ok((row.line, customer(row, &mut zones)?)))?;
    once_per_key(rows, |customer| &customer.id, "customer_id", limits)
}

/// `zones` remembers the zones that exist: loading one takes longer than reading a row.
fn customer(row: &Row<'_>, zones: &mut Vec<String>) -> Result<CustomerRow, RowError> {
    let id = row.id("customer_id")?;
    let name = row.name("name", &id)?;
    let owner_path = row.optional("owner_path")?.map(str::to_owned);
    if let Some(path) = &owner_path {
        let levels: Vec<&str> = path.split('/').collect();
        if levels.len() > LEVELS_MAX || levels.iter().any(|level| check_id(level).is_err()) {
            return Err(row.error("owner_path", RowProblem::OwnerPath(path.chars().take(60).collect())));
        }
    }
    let cycle_day = match row.optional("cycle_day")? {
        None => CycleDay::FIRST,
        Some(text) => text
            .parse::<u8>()
            .ok()
            .and_then(|day| CycleDay::try_from(day).ok())
            .ok_or_else(|| row.error("cycle_day", RowProblem::CycleDay(text.chars().take(20).collect())))?,
    };
    let time_zone = row.optional("time_zone")?.unwrap_or(DEFAULT_TIME_ZONE).to_owned();
    if !zones.contains(&time_zone) {
        if Zone::load(&time_zone).is_none() {
            return Err(row.error("time_zone", RowProblem::TimeZone(time_zone.chars().take(60).collect())));
        }
        zones.push(time_zone.clone());
    }
    let unknown = |text: &str| row.error("late_usage", RowProblem::LateUsage(text.chars().take(20).collect()));
    let late_usage = row.optional("late_usage")?.map(|text| LateUsage::parse(text).ok_or_else(|| unknown(text))).transpose()?;
    let valid_to_us = row.instant("valid_to")?;
    Ok(CustomerRow { id, name, owner_path, cycle_day, time_zone, late_usage, valid_to_us })
}
