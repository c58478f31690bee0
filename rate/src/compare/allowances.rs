//! Allowances that came, went, give or cover something else, or are drawn from in another order.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::percent::percent;
use crate::compare::prices::{Field, field};
use crate::compare::{Change, Fate, Part};
use crate::listing::allowances::GivenAllowance;
use crate::listing::cover::Cover;
use crate::listing::names_text;
use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives};

const NAMES_SHOWN: usize = 6;

pub(super) fn changes(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let (old, new) = (by_name(old), by_name(new));
    let text = |side: &Side<'_>| Some(side.given.text(&side.currency()));
    let mut changes = Vec::new();
    for (name, before) in &old {
        match new.get(name) {
            None => changes.extend(Change::of_value(Part::Allowance, name, "gives", text(before), None)),
            Some(now) => changes.extend(fields(before, now).into_iter().map(|field| changed(name, field))),
        }
    }
    let added = new.iter().filter(|(name, _)| !old.contains_key(*name));
    changes.extend(added.filter_map(|(name, now)| Change::of_value(Part::Allowance, name, "gives", None, text(now))));
    changes.extend(orders(&old, &new));
    changes
}

fn changed(name: &str, (field, old, new, percent): Field) -> Change {
    Change { field: Some(field.to_owned()), old, new, percent, ..Change::new(Part::Allowance, Fate::Changed, name) }
}

/// An allowance of one of the two tariffs.
struct Side<'t> {
    tariff: &'t Tariff,
    allowance: &'t Allowance,
    cover: Cover,
    given: GivenAllowance,
    /// Its place among those of the file.
    number: usize,
}

fn by_name<'t>(tariff: &'t Tariff) -> BTreeMap<&'t str, Side<'t>> {
    let side = |(number, allowance): (usize, &'t Allowance)| {
        let cover = Cover::of(tariff, &allowance.coverage);
        Side { tariff, allowance, given: GivenAllowance::of(tariff, allowance, &cover), cover, number }
    };
    tariff.allowances.list.iter().enumerate().map(side).map(|side| (&*side.allowance.name, side)).collect()
}

impl<'t> Side<'t> {
    fn currency(&self) -> String {
        self.tariff.currency().to_string()
    }

    fn plans(&self) -> Vec<&'t str> {
        self.cover.plans.iter().map(|plan| self.tariff.plans[*plan as usize].name.as_str()).collect()
    }

    fn zones(&self) -> Vec<&'t str> {
        self.cover.zones.iter().map(|zone| self.tariff.zones.name(u32::from(*zone))).collect()
    }

    fn bands(&self) -> Vec<&'t str> {
        self.cover.bands.iter().map(|band| self.tariff.bands.names.name(u32::from(*band))).collect()
    }

    /// Priority, weight and roll-over, which put it in order.
    fn rank(&self) -> (i64, i64, u32) {
        (self.given.priority, self.given.weight, self.given.roll_over)
    }
}

/// The fields that differ, as a tariff names them.
fn fields(old: &Side<'_>, new: &Side<'_>) -> Vec<Field> {
    let (was, is) = (&old.given, &new.given);
    let are_all = |was: &[String], is: &[String]| [was == ["*"], is == ["*"]];
    let word = |word: Option<&str>| word.unwrap_or("none").to_owned();
    let others = [
        // Plans are told by name even if these are all: one that comes is given something. A zone or band that comes has its prices.
        names("plan", &old.plans(), &new.plans(), [false; 2]),
        field("kind", was.covering.kinds.join(", "), is.covering.kinds.join(", "), None),
        names("zone", &old.zones(), &new.zones(), are_all(&was.covering.zones, &is.covering.zones)),
        names("band", &old.bands(), &new.bands(), are_all(&was.covering.bands, &is.covering.bands)),
        field("party", word(was.covering.party), word(is.covering.party), None),
        field("gives", was.gives_text(&old.currency()), is.gives_text(&new.currency()), difference(old, new)),
        field("every", was.every.to_owned(), is.every.to_owned(), None),
        field("scope", was.scope.to_owned(), is.scope.to_owned(), None),
        of_units("minimum", was.minimum, is.minimum),
        of_units("increment", was.increment, is.increment),
        of_units("setup", was.setup, is.setup),
        field("priority", was.priority.to_string(), is.priority.to_string(), None),
        field("weight", was.weight.to_string(), is.weight.to_string(), None),
        field("roll_over", was.roll_over.to_string(), is.roll_over.to_string(), None),
        field("pro_rata", was.pro_rata.to_owned(), is.pro_rata.to_owned(), None),
        field("beyond", was.beyond.to_owned(), is.beyond.to_owned(), None),
        of_ends("thresholds", was, is, GivenAllowance::thresholds_text),
    ];
    others.into_iter().flatten().collect()
}

/// A field that only allowances in units have: where one of the two gives money, that says enough.
fn of_units<V: ToString>(name: &'static str, old: Option<V>, new: Option<V>) -> Option<Field> {
    field(name, old?.to_string(), new?.to_string(), None)
}

/// A field that only allowances with an end have.
fn of_ends(
    name: &'static str,
    old: &GivenAllowance,
    new: &GivenAllowance,
    text: impl Fn(&GivenAllowance) -> String,
) -> Option<Field> {
    let text = |given: &GivenAllowance| Some(text(given)).filter(|_| !given.unlimited);
    field(name, text(old)?, text(new)?, None)
}

/// Two lists of names that are not the same, each with whether it is all that its tariff has. Of a long one those come first that the
/// other lacks, so that they are seen.
fn names(name: &'static str, old: &[&str], new: &[&str], are_all: [bool; 2]) -> Option<Field> {
    let [was, is] = [old, new].map(|list| list.iter().copied().collect::<BTreeSet<&str>>());
    let text = |list: &[&str], others: &BTreeSet<&str>, is_all| {
        let mut list = list.to_vec();
        if list.len() > NAMES_SHOWN {
            list.sort_by_key(|name| others.contains(name));
        }
        Some(if is_all { "*".to_owned() } else { names_text(&list, NAMES_SHOWN) })
    };
    let is_same = was == is || are_all == [true; 2];
    (!is_same).then(|| (name, text(old, &is, are_all[0]), text(new, &was, are_all[1]), None))
}

/// By how many per cent it gives more; nothing where the two cannot be held against each other.
fn difference(old: &Side<'_>, new: &Side<'_>) -> Option<String> {
    match (old.allowance.gives, new.allowance.gives) {
        (Gives::Units(was), Gives::Units(is)) if old.given.unit == new.given.unit => percent(was.into(), is.into()),
        (Gives::Money(was), Gives::Money(is)) | (Gives::Beyond(was), Gives::Beyond(is))
            if old.tariff.currency() == new.tariff.currency() =>
        {
            percent(was.into(), is.into())
        }
        _ => None,
    }
}

/// Allowances of one rank whose order in the file is another one, where a record can be covered by both: the first one gives first.
fn orders(old: &BTreeMap<&str, Side<'_>>, new: &BTreeMap<&str, Side<'_>>) -> Vec<Change> {
    let mut by_rank: BTreeMap<_, Vec<(&str, &Side<'_>, &Side<'_>)>> = BTreeMap::new();
    let both = old.iter().filter_map(|(name, before)| Some((*name, before, new.get(name)?)));
    // What changes its rank is told by that.
    for (name, before, now) in both.filter(|(_, before, now)| before.rank() == now.rank()) {
        by_rank.entry(now.rank()).or_default().push((name, before, now));
    }
    let mut changes = Vec::new();
    for (name, before, now) in by_rank.values().flatten() {
        let is_passed = |(_, old_other, new_other): &&(&str, &Side<'_>, &Side<'_>)| {
            old_other.number < before.number
                && now.number < new_other.number
                && before.may_both_give(old_other)
                && now.may_both_give(new_other)
        };
        let passed: Vec<&str> = by_rank[&now.rank()].iter().filter(is_passed).map(|(other, ..)| *other).collect();
        if !passed.is_empty() {
            let text = |word: &str| Some(format!("{word} {}", names_text(&passed, NAMES_SHOWN)));
            changes.push(changed(name, ("order", text("after"), text("before"), None)));
        }
    }
    changes
}

impl Side<'_> {
    /// Whether a record may ask both of one tariff, one before the other: units are asked before money, whatever the file says.
    fn may_both_give(&self, other: &Self) -> bool {
        self.allowance.is_money() == other.allowance.is_money()
            && self.cover.plans.iter().any(|plan| other.cover.plans.binary_search(plan).is_ok())
            && self.cover.meets(&other.cover)
    }
}
