//! Known keys in memory: a bounded, disposable fold of the live sidecars, one set per account and bucket.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use domain::delivery::DeliveryId;
use hashbrown::HashMap;
use rayon::prelude::*;

use super::sidecar::{RunId, Sidecar, SidecarError};
use super::stopped::Stopped;
use super::{Claim, TAG_SIDECAR, Verdict};
use crate::table::Table;

/// Record keys are hashes already: the low half is as good a hash as any.
#[derive(Debug, Default, Clone)]
pub struct KeyBits(u64);

impl Hasher for KeyBits {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*b);
        }
    }
    fn write_u128(&mut self, key: u128) {
        self.0 = u64::try_from(key & u128::from(u64::MAX)).expect("masked to 64 bits");
    }
}

/// A map by record key.
pub type ByKey<V> = HashMap<u128, V, BuildHasherDefault<KeyBits>>;

/// The first claim of a key, as the check needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    content: u64,
    delivery: u32,
}

/// Bytes that one known key takes in memory, its share of free slots included.
const KNOWN_BYTES: usize = 56;

#[derive(Debug, Default)]
struct KeySet {
    known: ByKey<Known>,
    /// Positions in [`KeyCache::names`] of the sidecars that are folded in.
    folded: HashSet<u32>,
    used: u64,
}

impl KeySet {
    fn accept(&mut self, keys: ByKey<Known>, sidecar: u32) {
        if self.known.is_empty() {
            self.known = keys;
        } else {
            self.known.reserve(keys.len());
            for (key, known) in keys {
                self.known.entry(key).or_insert(known);
            }
        }
        self.folded.insert(sidecar);
    }
}

/// The keys of the buckets that were asked for lately.
#[derive(Debug)]
pub struct KeyCache {
    bytes_max: usize,
    sets: HashMap<RunId, KeySet>,
    sidecars: HashMap<u32, Arc<Sidecar>>,
    names: HashMap<String, u32>,
    deliveries: Vec<DeliveryId>,
    delivery_codes: HashMap<DeliveryId, u32>,
    stopped: Stopped,
    clock: u64,
}

impl KeyCache {
    /// A cache of at most `bytes_max` (a batch's own buckets are always held).
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            sets: HashMap::new(),
            sidecars: HashMap::new(),
            names: HashMap::new(),
            deliveries: Vec::new(),
            delivery_codes: HashMap::new(),
            stopped: Stopped::default(),
            clock: 0,
        }
    }

    /// The code of a delivery in checks.
    pub fn code(&mut self, delivery: DeliveryId) -> u32 {
        let next = u32::try_from(self.deliveries.len()).expect("fewer than 2^32 deliveries are held");
        let code = *self.delivery_codes.entry(delivery).or_insert(next);
        if code == next {
            self.deliveries.push(delivery);
        }
        code
    }

    /// The deliveries that act no more, as the table's state says.
    pub fn stopped(&mut self, table: &Table) -> &Stopped {
        let accounts = self.stopped.note(table);
        // What their claims had said of copies cannot be taken out of a fold.
        self.sets.retain(|id, _| !accounts.contains(&id.account));
        &self.stopped
    }

    /// Brings the sets of `runs` up to the table's live sidecars, in the order of their commits: of the claims of a key the last
    /// one that lives says whose copies the others are, else the first one. Claims of deliveries that act no more do not count.
    pub fn load(&mut self, table: &Table, runs: &BTreeSet<RunId>) -> Result<(), SidecarError> {
        self.clock += 1;
        self.stopped(table);
        let mut live: Vec<(u64, String, u32)> = table
            .files(&[("outcome", domain::columns::entries::LEDGER)])
            .filter_map(|add| Some((add.version(), add.tag(TAG_SIDECAR)?.to_owned())))
            .map(|(version, name)| {
                let next = u32::try_from(self.names.len()).expect("fewer than 2^32 sidecars are live");
                let code = *self.names.entry(name.clone()).or_insert(next);
                (version, name, code)
            })
            .collect();
        live.sort_unstable_by_key(|(version, _, _)| *version);
        for id in runs {
            let mut set = self.sets.remove(id).unwrap_or_default();
            set.used = self.clock;
            for (_, name, code) in &live {
                if set.folded.insert(*code) {
                    let sidecar = self.sidecar(table, name, *code)?;
                    set.known.reserve(sidecar.claims_of(*id).saturating_sub(set.known.len()));
                    let mut of = None;
                    sidecar.visit(&**table.blob(), *id, |claim| self.fold(&mut set.known, &mut of, claim))?;
                }
            }
            self.sets.insert(*id, set);
        }
        self.evict();
        Ok(())
    }

    /// Folds a claim in; `of` is the delivery of the one before with its code, or none if it acts no more: most claims of a run
    /// come from one.
    fn fold(&mut self, known: &mut ByKey<Known>, of: &mut Option<(DeliveryId, Option<u32>)>, claim: Claim) {
        let code = match *of {
            Some((delivery, code)) if delivery == claim.delivery => code,
            _ => {
                let acts = self.stopped.fate(claim.delivery).is_none();
                let code = acts.then(|| self.code(claim.delivery));
                *of = Some((claim.delivery, code));
                code
            }
        };
        let Some(delivery) = code else { return };
        let first = Known { content: claim.content, delivery };
        if claim.live {
            known.insert(claim.key, first);
        } else {
            known.entry(claim.key).or_insert(first);
        }
    }

    fn sidecar(&mut self, table: &Table, name: &str, code: u32) -> Result<Arc<Sidecar>, SidecarError> {
        if let Some(known) = self.sidecars.get(&code) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(Sidecar::open(&**table.blob(), &format!("{}/{name}", table.root()))?);
        self.sidecars.insert(code, Arc::clone(&opened));
        Ok(opened)
    }

    /// Forgets the sets that were not asked for longest, until the rest fits.
    fn evict(&mut self) {
        let mut held: usize = self.sets.values().map(|s| s.known.len() * KNOWN_BYTES).sum();
        while held > self.bytes_max {
            let oldest = self.sets.iter().filter(|(_, s)| s.used < self.clock).min_by_key(|(id, s)| (s.used, **id));
            let Some((id, set)) = oldest.map(|(id, s)| (*id, s.known.len() * KNOWN_BYTES)) else { break };
            held -= set;
            self.sets.remove(&id);
        }
    }

    /// Begins a check of one run whose finds stay apart until the commit has succeeded. Runs are checked apart from each
    /// other, in parallel if need be: a key is always in the same one.
    pub fn check(&self, run: RunId) -> RunCheck<'_> {
        RunCheck { known: self.sets.get(&run).map(|set| &set.known), found: ByKey::default() }
    }

    /// Takes the finds of a committed check over; `sidecar` is the one that the commit wrote.
    pub fn accept(&mut self, mut found: Found, sidecar: &str) {
        let next = u32::try_from(self.names.len()).expect("fewer than 2^32 sidecars are live");
        let code = *self.names.entry(sidecar.to_owned()).or_insert(next);
        let sets: Vec<_> = self.sets.iter_mut().filter_map(|(id, set)| Some((set, found.0.remove(id)?))).collect();
        sets.into_par_iter().for_each(|(set, keys)| set.accept(keys, code));
    }
}

/// The first claims that the checks of one commit found.
#[derive(Debug, Default)]
pub struct Found(HashMap<RunId, ByKey<Known>>);

impl Found {
    /// Adds what the check of a run found.
    pub fn insert(&mut self, run: RunId, found: ByKey<Known>) {
        self.0.insert(run, found);
    }
}

/// A check of the rows of one commit in one run, in their order.
#[derive(Debug)]
pub struct RunCheck<'a> {
    known: Option<&'a ByKey<Known>>,
    found: ByKey<Known>,
}

impl RunCheck<'_> {
    /// Whether a row is the first of its key. `delivery` is its [`KeyCache::code`]; `by_id` compares contents: the same key
    /// with other content is a conflict.
    pub fn row(&mut self, key: u128, content: u64, delivery: u32, by_id: bool) -> Verdict {
        let known = self.known.and_then(|known| known.get(&key)).or_else(|| self.found.get(&key));
        match known {
            None => {
                self.found.insert(key, Known { content, delivery });
                Verdict::First
            }
            Some(k) if by_id && k.content != content => Verdict::Conflict,
            Some(k) if k.delivery == delivery => Verdict::SameFile,
            Some(_) => Verdict::OtherFile,
        }
    }

    /// Ends the check.
    pub fn finish(self) -> ByKey<Known> {
        self.found
    }
}
