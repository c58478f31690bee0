//! Billing cycles on the morning's screen: closings that were interrupted, and cycles that have ended, with what is in their way.

use std::collections::{BTreeMap, BTreeSet};

use domain::closed::ClosedCycles;
use domain::columns::linked::Owners;
use domain::period::Month;
use serde_json::json;
use sinks::closing::Closing;
use sinks::table::Table;

use super::{Desk, Item, LINES_MAX, and_more};
use crate::closing::standing::{Ended, Standing, View, interrupted};
use crate::closing::unfinished;
use crate::commands::totals::CUSTOMER;
use crate::output::{count, counted};
use crate::totals;

impl Desk<'_> {
    /// Closings that were interrupted, and cycles that have ended for some customers and are not closed for them.
    pub(super) fn cycles(&self) -> anyhow::Result<Vec<Item>> {
        let entries = self.installation.entries()?;
        let open = unfinished(self.installation, &entries)?;
        let mut items: Vec<Item> =
            open.iter().map(|closing| interrupted_item(&entries, closing)).collect::<anyhow::Result<_>>()?;
        let reference = self.installation.block_on(self.installation.state_read_only()?.load_reference(None))?;
        let ended = self.ended(&self.installation.frozen_cycles(&entries)?, &reference.owners)?;
        if !ended.is_empty() {
            let at = (self.at_us, self.landing.next_number()?);
            let view = View::at(self.installation, &entries, &reference.owners, at)?;
            // Each is looked at with a query of its own.
            let more = ended.len().saturating_sub(LINES_MAX);
            let due = ended.into_iter().take(LINES_MAX).filter_map(|cycle| item(&view, cycle).transpose());
            items.extend(and_more(due.collect::<anyhow::Result<_>>()?, more, "tollway cycle list"));
        }
        Ok(items)
    }

    /// The cycles that have ended for some customers with records in them, and are not frozen for these.
    fn ended(&self, frozen: &ClosedCycles, owners: &Owners) -> anyhow::Result<BTreeSet<Month>> {
        let mut customers: BTreeMap<Month, BTreeSet<u32>> = BTreeMap::new();
        for (cycle, names) in totals::read(&self.installation.totals()?, None)?.into_keys() {
            let code = owners.customer_names.code(&names[CUSTOMER]);
            let is_open = |code: &u32| frozen.version_for(&cycle, Some(*code), owners).is_none();
            if let Some((month, code)) = Month::parse(&cycle).zip(code.filter(is_open)) {
                customers.entry(month).or_default().insert(code);
            }
        }
        let has_ended = |month: Month, code: u32| {
            let customer = &owners.customers[code as usize];
            month < customer.cycle_day.period_of(self.at_us, &owners.zones[usize::from(customer.zone)])
        };
        customers.retain(|month, codes| codes.iter().any(|code| has_ended(*month, *code)));
        Ok(customers.into_keys().collect())
    }
}

fn interrupted_item(entries: &Table, closing: &Closing) -> anyhow::Result<Item> {
    let obstacle = interrupted(entries, closing)?;
    Ok(Item {
        kind: "cycle_interrupted",
        is_urgent: true,
        what: format!("cycle {}", closing.cycle),
        text: obstacle.text,
        command: obstacle.command,
        facts: json!({"cycle": closing.cycle, "closing": closing.number}),
    })
}

/// Whether a cycle can be closed, as `cycle close` would say; nothing if there is nobody to close it for.
fn item(view: &View<'_>, cycle: Month) -> anyhow::Result<Option<Item>> {
    let (text, facts) = match view.of(cycle)? {
        Standing::Closed(_) | Standing::Runs(_) => return Ok(None),
        // It has a line of its own.
        Standing::Interrupted(open) if open.cycle == cycle.to_string() => return Ok(None),
        Standing::Interrupted(open) => {
            let text = format!("cannot be closed yet: the closing of {} was interrupted", open.cycle);
            (text, json!({"cycle": cycle.to_string(), "obstacles": ["interrupted"]}))
        }
        Standing::Ended(Ended { due, running, obstacles, .. }) => {
            let kinds: BTreeSet<&str> = obstacles.iter().map(|obstacle| obstacle.kind).collect();
            let facts = json!({"cycle": cycle.to_string(), "ended": due, "customers": due + running, "obstacles": kinds});
            let text = match obstacles.split_first() {
                None => format!("can be closed for {} of {}", count(due), counted(due + running, "customer")),
                Some((first, [])) => format!("cannot be closed yet: {}", first.text),
                Some((first, more)) => format!("cannot be closed yet: {}, and {} more", first.text, count(more.len() as u64)),
            };
            (text, facts)
        }
    };
    Ok(Some(Item {
        kind: "cycle_due",
        is_urgent: false,
        what: format!("cycle {cycle}"),
        text,
        command: format!("tollway cycle close {cycle} --dry-run"),
        facts,
    }))
}
