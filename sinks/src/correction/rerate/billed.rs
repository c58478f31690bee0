//! What closings have billed of rows that are rated again: when, and what stays as it stands because of it.

use std::collections::HashMap;

use domain::closed::{Beside, ClosedCycles, Stands};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::columns::linked::Owners;
use domain::columns::rated::{NO_PERIOD, RatedBatch};
use domain::delivery::ArrivalNumber;
use domain::period::Month;

use super::side::{Stood, came, cycles_of};
use super::{Choice, Side};
use crate::closing::{Now, Since, Versions, closed};
use crate::commit::CommitError;
use crate::correction::Place;
use crate::table::Table;

/// Closed cycles, and who asks for what was billed in them all the same.
pub(super) struct Billed<'q> {
    frozen: ClosedCycles,
    since: Since,
    choices: &'q [Choice],
}

/// Whose a row is, in which cycle.
type Of<'b> = (Option<&'b str>, &'b str);

impl<'q> Billed<'q> {
    /// Of a table, and of the choices that rows are rated again by.
    pub fn of(table: &Table, choices: &'q [Choice]) -> Result<Self, CommitError> {
        let mut frozen = closed(table);
        for choice in choices {
            frozen.take_in(&choice.frozen);
        }
        let since = Since::of(table, &[&frozen], &|_| true)?;
        Ok(Self { frozen, since, choices })
    }

    /// Whether nothing is closed.
    pub fn is_empty(&self) -> bool {
        self.frozen.is_empty()
    }

    /// What is to be known of rows beside what they come out as; nothing where no cycle is closed.
    pub fn beside<'b>(&self, (v, rows): (EntriesView<'b>, &[usize]), rated: &RatedBatch) -> Result<Vec<Beside<'b>>, ColumnError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let (stood, cycles, arrivals) = (Stood::of(v)?, cycles_of(rated), v.arrival()?);
        let (parsed, mut known) = (&rated.linked.parsed, HashMap::new());
        let mut beside = Vec::with_capacity(rows.len());
        for (n, &i) in rows.iter().enumerate() {
            let (was, becomes) = (stood.at(i)?, came(rated, n, &cycles));
            let place = Place { delivery: parsed.file.delivery, row: parsed.columns.row[n] };
            let record = (parsed.columns.key[n], place);
            let mut find = |side| self.find(record, (&was, side), &rated.linked.owners, &mut known);
            let (epoch, will_be) = find(&becomes);
            let is_same = (was.customer, was.cycle) == (becomes.customer, becomes.cycle);
            let (stood_at, was_billed) = if is_same { (epoch, will_be) } else { find(&was) };
            let arrival = arrivals.value(i).max(0).cast_unsigned();
            let is_left = (was_billed || will_be) && !self.is_freed(arrival, &was, &becomes);
            beside.push(Beside { epoch, stands: is_left.then(|| stands(&was, stood_at)) });
        }
        Ok(beside)
    }

    /// The closing that has billed a row as one side has it, and whether it is billed so.
    fn find<'k>(
        &self,
        (key, place): (u128, Place),
        (was, side): (&Side<'_>, &Side<'k>),
        owners: &Owners,
        known: &mut HashMap<Of<'k>, Versions>,
    ) -> (u64, bool) {
        let none = (u64::MAX, false);
        let Some(cycle) = side.cycle.filter(|cycle| self.frozen.first_from(cycle).is_some()) else { return none };
        let versions = known.entry((side.customer, cycle)).or_insert_with(|| {
            let code = side.customer.and_then(|name| owners.customer_names.code(name));
            Versions::of(&self.frozen, cycle, code, owners)
        });
        let now = Now { key, place, customer: side.customer, cycle, stands: was.stands_as(side) };
        (self.since.epoch(now, &versions.all), self.since.is_billed(now, versions))
    }

    /// Whether a choice means a row although it was billed.
    fn is_freed(&self, arrival: ArrivalNumber, was: &Side<'_>, becomes: &Side<'_>) -> bool {
        let frees = |choice: &Choice| choice.billed_too && arrival < choice.before && (was.fits(choice) || becomes.fits(choice));
        self.choices.iter().any(frees)
    }
}

/// What stays.
fn stands<'b>(was: &Side<'b>, epoch: u64) -> Stands<'b> {
    let nano = |money: i128| i64::try_from(money).unwrap_or(i64::MAX);
    Stands {
        customer: was.customer.unwrap_or_default(),
        subscription: was.subscription.unwrap_or_default(),
        period: was.cycle.and_then(Month::parse).map_or(NO_PERIOD, Month::number),
        epoch,
        is_priced: was.reason.is_none(),
        tariff: was.tariff.unwrap_or_default(),
        allowance: was.allowance.unwrap_or_default(),
        units: was.allowance_units.map_or(0, |units| units.max(0).cast_unsigned()),
        nano: was.allowance_money.map_or(0, |money| nano(money.0)),
        charge_nano: was.charge.map_or(0, |(money, _)| nano(money.0)),
    }
}
