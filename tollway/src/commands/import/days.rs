//! Customers whose cycle would begin on another day, or by another clock, though one of their cycles is closed: what was billed would lie in
//! another cycle.

use domain::period::Month;
use sinks::closing::closed;
use store::Store;
use store::import::CustomerRow;

use crate::exit_code::bad_input;
use crate::installation::Installation;

/// Customers that a refusal names at most.
const NAMED_MAX: usize = 5;

/// Refuses a list that moves the begin of cycles of which one is closed.
pub(super) fn check(installation: &Installation, store: &Store, rows: &[CustomerRow]) -> anyhow::Result<()> {
    let cycles = closed(&installation.entries()?);
    if cycles.is_empty() {
        return Ok(());
    }
    let owners = installation.block_on(store.load_reference(None))?.owners;
    let moved = |row: &CustomerRow| {
        let code = owners.customer_names.code(&row.id)?;
        let known = &owners.customers[code as usize];
        let (day, zone) = (known.cycle_day, owners.zones[usize::from(known.zone)].name());
        if (day, zone) == (row.cycle_day, row.time_zone.as_str()) {
            return None;
        }
        let is_closed = |cycle: &&str| Month::parse(cycle).is_some() && cycles.version_for(cycle, Some(code), &owners).is_some();
        let closed = cycles.cycles().filter(is_closed).last()?;
        let (now, then) = (u8::from(row.cycle_day), u8::from(day));
        Some(format!(
            "{}: its cycles begin on day {then} ({zone}), and not on {now} ({}), since {closed} is closed",
            row.id, row.time_zone
        ))
    };
    let all: Vec<String> = rows.iter().filter_map(moved).collect();
    if all.is_empty() {
        return Ok(());
    }
    let (first, more) = (all[..all.len().min(NAMED_MAX)].join("\n"), all.len().saturating_sub(NAMED_MAX));
    let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    Err(bad_input(format!(
        "{first}{more}\nwhat was billed would lie in another cycle; nothing was changed: keep day and zone, or end the customer and open \
         another one from the new day on"
    )))
}
