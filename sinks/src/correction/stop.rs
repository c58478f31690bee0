//! Deliveries that stop acting: which entries go with them, and which rows of other files take their place.
//!
//! The rule: a record lives exactly as long as a delivery that acts claims it. Claims of one key and content are one record;
//! of the records that share an id (mode `id`) one holds the id and the others are in conflict with it. A withdrawn delivery
//! keeps no entry: what others claim as well is written anew for the earliest of them. A superseded one keeps the entries that
//! its successor claims: they were rated once and need not be written again.

use std::collections::{BTreeMap, BTreeSet};

use domain::check;
use domain::delivery::{ArrivalNumber, DeliveryId};
use hashbrown::{HashMap, HashSet};

use super::{Anew, Change, Place, Plan};
use crate::commit::CommitError;
use crate::keys::sidecar::{RunId, Sidecar, account_hash};
use crate::keys::stopped::{Fate, Stopped};
use crate::keys::{Claim, TAG_SIDECAR, conflict_mask};
use crate::ledger::files_about;
use crate::table::Table;

/// Deliveries of an account that act no more.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Tenant, provider and account, with `/`.
    pub account: String,
    /// The deliveries with their arrival numbers; those that have stopped before are passed over.
    pub deliveries: Vec<(ArrivalNumber, DeliveryId)>,
    /// Why.
    pub fate: Fate,
    /// The delivery that takes their place.
    pub successor: Option<(ArrivalNumber, DeliveryId)>,
    /// The arrival that ordered it.
    pub by: ArrivalNumber,
}

/// A claim with its place in the history of its run.
#[derive(Debug, Clone, Copy)]
struct Held {
    version: u64,
    run: RunId,
    claim: Claim,
}

/// Which claims of an account are looked at.
#[derive(Clone, Copy)]
enum Among<'a> {
    /// Those of the ledger files about these arrivals.
    About(&'a [ArrivalNumber]),
    /// Those of these runs, in all ledger files.
    Runs(&'a HashSet<RunId>),
}

/// Claims of one key and content, oldest first.
type Class<'a> = Vec<&'a Held>;

/// What becomes of a class that lives on: the key that it goes by, and where its entry stands.
struct Outcome {
    key: u128,
    entry: Place,
    takes_back: Option<Place>,
    is_anew: bool,
}

/// Plans on the table as it is known; empty if all of the deliveries have stopped before.
pub fn plan(table: &Table, stop: &Stop) -> Result<Plan, CommitError> {
    let stopped = Stopped::of_table(table);
    let mut plan = Plan::new(&stop.account, table.snapshot().version.unwrap_or(0), stop.by, "promoted");
    plan.fate = stop.fate;
    plan.stopping = stop.deliveries.iter().filter(|(_, d)| stopped.fate(*d).is_none()).map(|(n, d)| (*d, *n)).collect();
    if plan.stopping.is_empty() {
        return Ok(plan);
    }
    let account = account_hash(&stop.account);
    let arrivals: Vec<ArrivalNumber> = plan.stopping.values().copied().collect();
    let mut kept = HashSet::new();
    if let Some((arrival, successor)) = stop.successor {
        visit(table, account, Among::About(&[arrival]), |held| {
            if held.claim.delivery == successor {
                kept.insert(held.claim.key);
            }
        })?;
    }
    let mut loose = Vec::new();
    visit(table, account, Among::About(&arrivals), |held| {
        // What the successor claims under the same key lives on as it is.
        if plan.stopping.contains_key(&held.claim.delivery) && !kept.contains(&held.claim.key) {
            loose.push(held);
        }
    })?;
    let wanted: HashSet<u128> =
        loose.iter().flat_map(|held| [held.claim.key, held.claim.key ^ conflict_mask(held.claim.content)]).collect();
    let runs: HashSet<RunId> = loose.iter().map(|held| held.run).collect();
    let related = |claim: &Claim| wanted.contains(&claim.key) || wanted.contains(&(claim.key ^ conflict_mask(claim.content)));
    let mut all = Vec::new();
    if !runs.is_empty() {
        visit(table, account, Among::Runs(&runs), |held| {
            if related(&held.claim) {
                all.push(held);
            }
        })?;
    }
    let mut order = Decision { plan: &mut plan, stopped: &stopped };
    for (root, classes) in by_root(&all) {
        order.root(root, &classes)?;
    }
    Ok(plan)
}

/// Goes through claims of an account, in the order of their commits.
fn visit(table: &Table, account: u64, among: Among<'_>, mut take_in: impl FnMut(Held)) -> Result<(), CommitError> {
    let (files, wanted) = match among {
        Among::About(arrivals) => (files_about(table, arrivals), None),
        Among::Runs(runs) => (crate::ledger::files(table), Some(runs)),
    };
    for add in files {
        let Some(name) = add.tag(TAG_SIDECAR) else { continue };
        let sidecar = Sidecar::open(&**table.blob(), &format!("{}/{name}", table.root()))?;
        let ours = sidecar.runs().filter(|run| run.account == account && wanted.is_none_or(|runs| runs.contains(run)));
        // In one order, so that a seed repeats a run.
        for run in ours.collect::<BTreeSet<RunId>>() {
            sidecar.visit(&**table.blob(), run, |claim| take_in(Held { version: add.version(), run, claim }))?;
        }
    }
    Ok(())
}

/// Claims by the key that their row's id or content makes, then by content.
fn by_root(all: &[Held]) -> BTreeMap<u128, BTreeMap<u64, Class<'_>>> {
    // A key of conflict is the id's key under a mask, and a record of other content has claimed that before; under the key of
    // conflict nobody else has. So of two keys that a record may go by, the one that several contents have claimed is the id's.
    let mut contents: HashMap<u128, (u64, bool)> = HashMap::new();
    for Claim { key, content, .. } in all.iter().map(|held| held.claim) {
        let known = contents.entry(key).or_insert((content, false));
        known.1 |= known.0 != content;
    }
    let has_others = |key, content| contents.get(&key).is_some_and(|(first, several)| *several || *first != content);
    let mut roots: BTreeMap<u128, BTreeMap<u64, Class<'_>>> = BTreeMap::new();
    for held in all {
        let Claim { key, content, .. } = held.claim;
        let under_mask = key ^ conflict_mask(content);
        let root = if has_others(under_mask, content) { under_mask } else { key };
        roots.entry(root).or_default().entry(content).or_default().push(held);
    }
    roots
}

/// Decides root by root.
struct Decision<'p> {
    plan: &'p mut Plan,
    stopped: &'p Stopped,
}

impl Decision<'_> {
    fn acts_after(&self, claim: &Claim) -> bool {
        self.stopped.fate(claim.delivery).is_none() && !self.plan.stopping.contains_key(&claim.delivery)
    }

    /// The records that share a key: one of them holds it as long as it lives.
    fn root(&mut self, root: u128, classes: &BTreeMap<u64, Class<'_>>) -> Result<(), CommitError> {
        let mut living: Vec<(Outcome, &Class<'_>)> = Vec::new();
        let mut holders = 0;
        for class in classes.values() {
            if !class.iter().any(|held| self.stopped.fate(held.claim.delivery).is_none()) {
                continue;
            }
            let live = class.iter().rev().find(|held| held.claim.live).map(|held| held.claim);
            check!(KeyOnce, live.is_some(), "a key of {} that is claimed has no entry", self.plan.account);
            let Some(live) = live else { continue };
            holders += u32::from(live.key == root);
            let place = Place { delivery: live.delivery, row: live.row };
            match class.iter().find(|held| self.acts_after(&held.claim)) {
                None => self.change(place).takes_back = true,
                Some(earliest) => living.push((self.outcome(&live, &earliest.claim), class)),
            }
        }
        check!(KeyOnce, holders == 1, "{holders} records of {} hold one key", self.plan.account);
        if !living.is_empty() && living.iter().all(|(outcome, _)| outcome.key != root) {
            // Whoever held the key is gone: the earliest of those in conflict with it is a record like any other now.
            let acts = |held: &&&Held| self.acts_after(&held.claim);
            let rank = |(n, (_, class)): &(usize, &(Outcome, &Class<'_>))| {
                let first = class.iter().find(acts).map(|held| (held.version, held.claim.delivery, held.claim.row));
                (first, *n)
            };
            let next = living.iter().enumerate().min_by_key(rank).map_or(0, |(n, _)| n);
            let outcome = &mut living[next].0;
            outcome.key = root;
            outcome.is_anew = true;
            outcome.takes_back.get_or_insert(outcome.entry);
        }
        for (outcome, class) in living {
            self.settle(root, &outcome, class);
        }
        Ok(())
    }

    /// A class that lives on, before it is asked who holds the key.
    fn outcome(&self, live: &Claim, earliest: &Claim) -> Outcome {
        let stands = Place { delivery: live.delivery, row: live.row };
        let is_displaced = self.plan.fate == Fate::Withdrawn && self.plan.stopping.contains_key(&live.delivery);
        let heir = Place { delivery: earliest.delivery, row: earliest.row };
        Outcome {
            key: live.key,
            entry: if is_displaced { heir } else { stands },
            takes_back: is_displaced.then_some(stands),
            is_anew: is_displaced,
        }
    }

    /// Notes what a living class needs: entries, and a claim that acts under the key that it goes by.
    fn settle(&mut self, root: u128, outcome: &Outcome, class: &Class<'_>) {
        let Some(first) = class.first() else { return };
        let (run, content) = (first.run, first.claim.content);
        let mut claims = Vec::new();
        if let Some(place) = outcome.takes_back {
            self.change(place).takes_back = true;
        }
        if outcome.is_anew {
            self.change(outcome.entry).anew = Some(Anew { key: root, is_conflict: outcome.key != root });
            let Place { delivery, row } = outcome.entry;
            claims.push(Claim { key: outcome.key, content, delivery, row, live: true });
        }
        let held = class.iter().map(|held| held.claim).chain(claims.iter().copied());
        let is_claimed = held.clone().any(|claim| claim.key == outcome.key && self.acts_after(&claim));
        if let Some(earliest) = held.clone().find(|claim| self.acts_after(claim)).filter(|_| !is_claimed) {
            claims.push(Claim { key: outcome.key, live: false, ..earliest });
        }
        if !claims.is_empty() {
            self.plan.claims.entry(run).or_default().extend(claims);
        }
    }

    fn change(&mut self, place: Place) -> &mut Change {
        self.plan.changes.entry(place).or_default()
    }
}
