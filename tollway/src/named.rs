//! Files, accounts, cycles and ids as people name them. A file is named by its name, arrival number, or the first digits of its delivery.

use std::collections::{BTreeSet, HashSet};

use domain::columns::linked::Owners;
use domain::delivery::ArrivalNumber;
use domain::nearest;
use domain::period::Month;
use ingest::land::{ArrivalKind, Decision, DeliveryRecord, DeliveryState, Landing};
use sinks::keys::stopped::Stopped;

use crate::exit_code::{bad_input, usage};

/// The fewest digits that name a delivery: fewer are a number, or a name.
const DIGITS_MIN: usize = 8;

/// Files that are listed when a name fits several.
const LISTED_MAX: usize = 10;

/// Whether `TENANT/PROVIDER/ACCOUNT` is the account that somebody has named: by its name, after its provider, or whole.
pub fn is_account(path: &str, wanted: &str) -> bool {
    path.strip_suffix(wanted).is_some_and(|before| before.is_empty() || before.ends_with('/')) && !wanted.is_empty()
}

/// A cycle as it is written everywhere: the month in which it begins.
pub fn cycle(text: &str) -> anyhow::Result<Month> {
    Month::parse(text).ok_or_else(|| usage(format!("`{text}` is no cycle; write it as 2026-10, the month in which it begins")))
}

/// The error for an id that the reference data does not have: what is like it, or else the remedy.
pub fn unknown_id<'a>(what: &str, id: &str, known: impl IntoIterator<Item = &'a str>, remedy: &str) -> anyhow::Error {
    let known: Vec<&str> = known.into_iter().collect();
    let mut near: Vec<&str> =
        known.iter().copied().filter(|other| other.contains(id) || id.contains(other)).take(LISTED_MAX).collect();
    if near.is_empty() {
        near.extend(nearest::nearest(id, known));
    }
    let hint = if near.is_empty() { remedy.to_owned() } else { format!("did you mean {}?", near.join(", ")) };
    bad_input(format!("there is no {what} `{id}` in the reference data; {hint}"))
}

/// The same for a customer.
pub fn unknown_customer(owners: &Owners, id: &str) -> anyhow::Error {
    let codes = 0..u32::try_from(owners.customers.len()).unwrap_or(0);
    let known: BTreeSet<&str> = codes.map(|code| owners.customer_names.name(code)).collect();
    unknown_id("customer", id, known, "see `tollway totals`")
}

/// A file that has landed.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its arrival number.
    pub number: ArrivalNumber,
    /// What landing says of it.
    pub record: DeliveryRecord,
}

impl Named {
    fn is(&self, name: &str) -> bool {
        let (identity, origin) = (&self.record.identity, &self.record.origin);
        name.parse() == Ok(self.number)
            || (name.len() >= DIGITS_MIN && self.record.delivery.to_string().starts_with(name))
            || identity.logical_file == name
            || origin == name
            || origin.rsplit('/').next() == Some(name)
    }

    fn is_announced(&self) -> bool {
        self.record.state == DeliveryState::Announced
    }
}

/// The one file of that name that is there: announced or held, and not taken back. Of several versions of it the one that acts is
/// meant.
pub fn find(landing: &Landing, stopped: &Stopped, name: &str, account: Option<&str>) -> anyhow::Result<Named> {
    choose(found(landing, stopped, name, account)?, stopped, name, account)
}

/// As [`find`], but one that is held gives way to those that were announced: nothing can take the place of it.
pub fn find_announced(landing: &Landing, stopped: &Stopped, name: &str, account: Option<&str>) -> anyhow::Result<Named> {
    let mut found = found(landing, stopped, name, account)?;
    if found.iter().any(Named::is_announced) {
        found.retain(|named| named.is_announced() || name.parse() == Ok(named.number));
    }
    choose(found, stopped, name, account)
}

/// The files of that name that are there.
fn found(landing: &Landing, stopped: &Stopped, name: &str, account: Option<&str>) -> anyhow::Result<Vec<Named>> {
    let mut found: Vec<Named> = Vec::new();
    let mut withdrawn = HashSet::new();
    for arrival in landing.arrivals(0)? {
        let record = match arrival.kind {
            ArrivalKind::Delivery(record) => record,
            ArrivalKind::Decision(Decision::Withdraw(word)) => {
                withdrawn.insert(word.arrival);
                continue;
            }
            ArrivalKind::Decision(_) | ArrivalKind::Import(_) => continue,
        };
        let named = Named { number: arrival.number, record };
        if !named.is(name) {
            continue;
        }
        let path = named.record.identity.account.path();
        let is_ours = account.is_none_or(|wanted| is_account(&path, wanted));
        if is_ours {
            // One that was held and then taken has two numbers and acts under the second.
            found.retain(|other| other.record.delivery != named.record.delivery);
            found.push(named);
        }
    }
    // One that is to be taken back is there until it is.
    found.retain(|named| {
        !withdrawn.contains(&named.number) || (named.is_announced() && stopped.fate(named.record.delivery).is_none())
    });
    Ok(found)
}

fn choose(mut found: Vec<Named>, stopped: &Stopped, name: &str, account: Option<&str>) -> anyhow::Result<Named> {
    if let Some(at) = found.iter().position(|named| name.parse() == Ok(named.number)) {
        return Ok(found.swap_remove(at));
    }
    let acting: Vec<&Named> = found.iter().filter(|named| stopped.fate(named.record.delivery).is_none()).collect();
    match (&acting[..], &found[..]) {
        ([one], _) => Ok((*one).clone()),
        ([], [one]) => Ok(one.clone()),
        ([], []) => {
            let under = account.map(|a| format!(" under {a}")).unwrap_or_default();
            Err(bad_input(format!("no file `{name}` has landed{under}, or it was taken back; tollway status tells what did")))
        }
        _ => {
            let line = |named: &&Named| {
                let state = if named.is_announced() { "" } else { ", held" };
                format!("{} ({}, {}{state})", named.number, named.record.origin, named.record.identity.account.path())
            };
            let listed: Vec<String> = acting.iter().rev().take(LISTED_MAX).map(line).collect();
            Err(bad_input(format!("`{name}` is the name of several files; name one by its arrival: {}", listed.join("; "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_account;

    #[test]
    fn an_account_is_named_by_its_end_at_a_slash() {
        for wanted in ["haven", "kpn/haven", "main/kpn/haven"] {
            assert!(is_account("main/kpn/haven", wanted), "{wanted}");
        }
        for wanted in ["", "aven", "pn/haven", "kpn", "main/kpn", "other/main/kpn/haven", "/haven"] {
            assert!(!is_account("main/kpn/haven", wanted), "{wanted}");
        }
    }
}
