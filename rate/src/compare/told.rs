//! Discounts, fees and commitments that came, went or say something else: each is told in one line.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Change, Part};
use crate::listing::charges::{GivenCommitment, GivenFee};
use crate::listing::discounts::GivenDiscount;
use crate::tariff::Tariff;

/// What each says, by name.
type Told = BTreeMap<String, String>;

/// How a list of a tariff is told.
type Telling = (Part, fn(&Tariff) -> Told);

pub(super) fn changes(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let lists: [Telling; 3] = [
        (Part::Discount, |tariff| GivenDiscount::all(tariff).into_iter().map(|d| (d.name.clone(), d.text())).collect()),
        (Part::Fee, |tariff| GivenFee::all(tariff).into_iter().map(|fee| (fee.name.clone(), fee.text())).collect()),
        (Part::Commitment, |tariff| GivenCommitment::all(tariff).into_iter().map(|c| (c.name.clone(), c.text())).collect()),
    ];
    lists.into_iter().flat_map(|(part, told)| differences(part, &told(old), &told(new))).collect()
}

fn differences(part: Part, old: &Told, new: &Told) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changes = names.into_iter().filter_map(|name| {
        let said = |told: &Told| told.get(name).cloned();
        Change::of_value(part, name, "is", said(old), said(new))
    });
    changes.collect()
}
