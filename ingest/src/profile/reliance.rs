//! Which columns a profile relies on: those that a file cannot lack without its rows becoming malformed, or being left out or kept
//! against what the profile says.

use domain::nearest::hint;

use super::Profile;
use super::raw::ColumnRef;
use super::recipe::{Choice, PartySource, Recipe, Slot, TimeSource};

impl Profile {
    /// How many columns the profile names.
    pub(crate) fn column_count(&self) -> usize {
        self.columns.len()
    }

    /// The positions of the columns that it relies on, without those that files may lack.
    pub(crate) fn relied_on(&self) -> Vec<usize> {
        let Some(recipe) = &self.recipe else { return Vec::new() };
        let mut columns: Vec<usize> = slots(recipe).into_iter().map(|slot| slot.0).collect();
        columns.sort_unstable();
        columns.dedup();
        columns.retain(|column| !self.may_lack.iter().any(|name| *name == self.columns[*column].to_string()));
        columns
    }

    /// What a column is read for, and its name.
    pub(crate) fn role_and_name(&self, column: usize) -> (&'static str, String) {
        let role = self.roles.iter().find(|(_, slot)| slot.0 == column).map_or("columns", |(role, _)| role);
        (role, self.columns[column].to_string())
    }

    /// The path that may be meant by a misspelt one.
    pub(crate) fn nearest_path(&self, path: &str, there: &[String]) -> String {
        let unused = there.iter().filter(|path| !self.columns.contains(&ColumnRef::Name((*path).clone())));
        hint(path, unused.map(String::as_str))
    }
}

fn slots(recipe: &Recipe) -> Vec<Slot> {
    let mut slots: Vec<Slot> = recipe.skip.iter().map(|rule| rule.slot).collect();
    slots.extend(recipe.record_id);
    slots.extend(mapped(&recipe.kind));
    slots.extend(mapped(&recipe.direction));
    let parties = std::iter::once(&recipe.served).chain(&recipe.other);
    for party in parties.filter(|party| party.required && party.not_for == [false; 4]) {
        if let PartySource::Column(slot) = party.from {
            slots.push(slot);
        }
    }
    match &recipe.time {
        TimeSource::Epoch { slot, .. } => slots.push(*slot),
        TimeSource::Written { first, second, .. } => {
            slots.push(first.0);
            slots.extend(second.as_ref().map(|second| second.0));
        }
    }
    let cards = recipe.imsi.iter().chain(&recipe.iccid).map(|card| (card.slot, card.required));
    let figures = [
        recipe.duration.as_ref().map(|d| (d.slot, d.required)),
        recipe.volume.as_ref().and_then(|v| v.up.map(|slot| (slot, v.required))),
        recipe.volume.as_ref().and_then(|v| v.down.map(|slot| (slot, v.required))),
        recipe.messages.as_ref().map(|m| (m.slot, m.required)),
        recipe.network.as_ref().map(|n| (n.slot, n.required)),
        recipe.class.as_ref().map(|c| (c.slot, c.required && c.with.is_empty())),
        recipe.cost.as_ref().map(|c| (c.slot, c.required)),
        recipe.cost.as_ref().and_then(|c| c.currency.as_ref().map(|(slot, _)| (*slot, c.required))),
    ];
    slots.extend(cards.chain(figures.into_iter().flatten()).filter(|(_, required)| *required).map(|(slot, _)| slot));
    slots
}

fn mapped<T>(choice: &Choice<T>) -> Option<Slot> {
    match choice {
        Choice::Constant(_) => None,
        Choice::Mapped { slot, .. } => Some(*slot),
    }
}
