//! What landing remembers of the arrivals, so that the ten-thousandth file costs what the first did: about 300 bytes for each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::delivery::{Account, ArrivalNumber, DeliveryId, DeliveryIdentity, DeliveryMode};
use domain::ids::TenantId;

use super::arrival::{Arrival, ArrivalKind, Decision, DeliveryRecord, DeliveryState, ImportKind, ImportRecord, Replaces};
use super::live::{LivePartition, LiveRange};
use super::request::Repeat;

/// What the arrivals so far mean for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It has arrived, as this.
    Already(ArrivalNumber),
    /// It is new and acts.
    Announce,
    /// It is new and waits, for this reason.
    Hold(String),
    /// It acts, as this, and cannot take another's place beside that.
    Acts(ArrivalNumber),
}

/// Why a delivery counts no more.
#[derive(Debug, Clone, Copy)]
enum Superseded {
    /// A later file of its name came, as its profile says.
    ByName(ArrivalNumber),
    /// An operator has said that this one takes its place.
    ByWord(ArrivalNumber),
}

impl Superseded {
    fn by(self) -> ArrivalNumber {
        match self {
            Self::ByName(number) | Self::ByWord(number) => number,
        }
    }
}

/// Arrivals by what decisions ask for.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Where announced deliveries came from.
    origins: HashMap<ArrivalNumber, String>,
    /// The next number; 0 as long as nothing was read.
    next: ArrivalNumber,
    first: ArrivalNumber,
    /// The last number that the store listed at the beginning: there are no fewer arrivals.
    listed_last: ArrivalNumber,
    /// By hash of the bytes.
    by_bytes: HashMap<String, Vec<Seen>>,
    /// The announced arrivals of a name, in order; see [`name`].
    by_name: HashMap<DeliveryId, Vec<(ArrivalNumber, DeliveryId)>>,
    /// Deliveries that were taken back, by their number: the number of the decision.
    withdrawn: HashMap<ArrivalNumber, ArrivalNumber>,
    /// Deliveries whose place a later announced one takes, by their number. Whether that one was whole, the table knows.
    superseded: HashMap<ArrivalNumber, Superseded>,
    by_delivery: HashMap<DeliveryId, Acting>,
    /// Decisions to rate rows again, by account path, in order.
    recyclings: BTreeMap<String, Vec<ArrivalNumber>>,
    /// Deliveries that were dismissed, by their number: the number of the decision.
    dismissed: BTreeMap<ArrivalNumber, ArrivalNumber>,
    imports: BTreeMap<(TenantId, ImportKind), NewestImport>,
    /// Where the chain of each live partition ends: the next offset, and the last arrival.
    live: BTreeMap<LivePartition, (u64, ArrivalNumber)>,
    /// Repeats, which do not act.
    ignored: BTreeSet<ArrivalNumber>,
    /// Records that hold several arrivals: the first number of each, and how many.
    together: BTreeMap<ArrivalNumber, u64>,
}

/// A file that has arrived.
#[derive(Debug)]
struct Seen {
    account: Account,
    name: DeliveryId,
    generation: u32,
    number: ArrivalNumber,
    announced: bool,
}

impl Seen {
    /// Whether it is what this identity names, apart from the generation. All files without bytes have the same bytes: only
    /// the name tells one heartbeat from the next.
    fn is(&self, identity: &DeliveryIdentity, size: u64) -> bool {
        self.account == identity.account && (size > 0 || self.name == name(identity))
    }
}

/// The lowest numbers of a delivery.
#[derive(Debug, Default)]
struct Acting {
    announced: Option<ArrivalNumber>,
    held: Option<ArrivalNumber>,
}

/// The last import of a kind.
#[derive(Debug)]
pub(super) struct NewestImport {
    pub(super) number: ArrivalNumber,
    pub(super) sha256: String,
    pub(super) is_full: bool,
}

/// What a file is called apart from its bytes: account, cycle, logical file.
fn name(identity: &DeliveryIdentity) -> DeliveryId {
    DeliveryIdentity { sha256: String::new(), generation: 0, ..identity.clone() }.id()
}

impl Index {
    pub(super) fn is_blank(&self) -> bool {
        self.next == 0
    }

    pub(super) fn begin(&mut self, first: ArrivalNumber, listed_last: ArrivalNumber) {
        (self.first, self.next, self.listed_last) = (first, first, listed_last);
    }

    pub(super) fn listed_last(&self) -> ArrivalNumber {
        self.listed_last
    }

    pub(super) fn next(&self) -> ArrivalNumber {
        self.next
    }

    /// Takes in the record that has the next number.
    pub(super) fn note(&mut self, record: &[Arrival]) {
        if let [first, _, ..] = record {
            self.together.insert(first.number, record.len() as u64);
        }
        for arrival in record {
            self.note_arrival(arrival);
        }
    }

    /// The number of the record that an arrival is in; `None` if no such arrival is known yet.
    pub(super) fn record_of(&self, number: ArrivalNumber) -> Option<ArrivalNumber> {
        let together = self.together.range(..=number).next_back();
        let record = together.filter(|(first, count)| number - **first < **count).map_or(number, |(first, _)| *first);
        (number < self.next).then_some(record)
    }

    fn note_arrival(&mut self, arrival: &Arrival) {
        match &arrival.kind {
            ArrivalKind::Delivery(record) => self.note_delivery(arrival.number, record),
            ArrivalKind::Import(import) => self.note_import(arrival.number, import),
            ArrivalKind::Decision(Decision::Dismiss(word)) => {
                self.dismissed.entry(word.arrival).or_insert(arrival.number);
            }
            ArrivalKind::Decision(Decision::Replay(_)) => {}
            ArrivalKind::Decision(Decision::Withdraw(word)) => {
                self.withdrawn.entry(word.arrival).or_insert(arrival.number);
            }
            ArrivalKind::Decision(Decision::Recycle(word)) => {
                self.recyclings.entry(word.account.path()).or_default().push(arrival.number);
            }
        }
        self.next = arrival.number + 1;
    }

    fn note_delivery(&mut self, number: ArrivalNumber, record: &DeliveryRecord) {
        if let Some(range) = &record.live {
            if self.note_live(number, range) {
                self.by_delivery.entry(record.delivery).or_default().announced.get_or_insert(number);
            }
            return;
        }
        let announced = record.state == DeliveryState::Announced;
        let acting = self.by_delivery.entry(record.delivery).or_default();
        let repeats = acting.announced.is_some() || (!announced && acting.held.is_some());
        if repeats {
            self.ignored.insert(number);
            return;
        }
        let name = name(&record.identity);
        if announced {
            acting.announced = Some(number);
            self.origins.insert(number, record.origin.clone());
            self.note_superseded(number, record);
            self.by_name.entry(name).or_default().push((number, record.delivery));
        } else {
            acting.held = Some(number);
        }
        let (account, generation) = (record.identity.account.clone(), record.identity.generation);
        let seen = Seen { account, name, generation, number, announced };
        self.by_bytes.entry(record.identity.sha256.clone()).or_default().push(seen);
    }

    fn note_superseded(&mut self, number: ArrivalNumber, record: &DeliveryRecord) {
        match record.replaces {
            Some(Replaces::SameName) => {
                let former: Vec<ArrivalNumber> = self.acting_under(&record.identity, number).map(|(former, _)| former).collect();
                for former in former {
                    let was_word = matches!(self.superseded.get(&former), Some(Superseded::ByWord(_)));
                    let by = if was_word { Superseded::ByWord(number) } else { Superseded::ByName(number) };
                    self.superseded.insert(former, by);
                }
            }
            Some(Replaces::Arrival(former)) if former < number && !self.withdrawn.contains_key(&former) => {
                self.superseded.insert(former, Superseded::ByWord(number));
            }
            Some(Replaces::Arrival(_)) | None => {}
        }
    }

    /// What acts where a delivery acted: itself, or the last of those that came in its place; `None` if that was taken back.
    pub(super) fn stands_for(&self, delivery: ArrivalNumber) -> Option<ArrivalNumber> {
        let mut number = delivery;
        loop {
            if self.withdrawn.contains_key(&number) {
                return None;
            }
            match self.superseded.get(&number) {
                // Later ones take the place of earlier ones, so this ends.
                Some(superseded) => number = superseded.by(),
                None => return Some(number),
            }
        }
    }

    /// The delivery that takes the place of another, by the numbers of both.
    pub(super) fn superseded_by(&self, delivery: ArrivalNumber) -> Option<ArrivalNumber> {
        self.superseded.get(&delivery).map(|superseded| superseded.by())
    }

    /// A micro-batch is told from others by its place, never by its bytes, so that two equal ones are two, and a file that
    /// equals one is a file. Tells whether it goes on where its partition ended.
    fn note_live(&mut self, number: ArrivalNumber, range: &LiveRange) -> bool {
        let goes_on = self.live.get(&range.source).is_none_or(|(next, _)| *next == range.from_offset);
        if goes_on {
            self.live.insert(range.source.clone(), (range.next_offset, number));
        } else {
            self.ignored.insert(number);
        }
        goes_on
    }

    /// Where the chain of a live partition ends: the next offset, and the last arrival.
    pub(super) fn live_end(&self, source: &LivePartition) -> Option<(u64, ArrivalNumber)> {
        self.live.get(source).copied()
    }

    /// The lives of a topic from which something has landed, in the order of their last arrivals.
    pub(super) fn live_lives(&self, topic: &str) -> Vec<String> {
        let mut lives: BTreeMap<&str, ArrivalNumber> = BTreeMap::new();
        for (source, (_, number)) in self.live.iter().filter(|(source, _)| source.topic == topic) {
            let last = lives.entry(&source.incarnation).or_default();
            *last = (*last).max(*number);
        }
        let mut lives: Vec<_> = lives.into_iter().collect();
        lives.sort_by_key(|(_, last)| *last);
        lives.into_iter().map(|(life, _)| life.to_owned()).collect()
    }

    fn note_import(&mut self, number: ArrivalNumber, import: &ImportRecord) {
        let newest = NewestImport { number, sha256: import.sha256.clone(), is_full: import.full.is_some() };
        self.imports.insert((import.tenant.clone(), import.what), newest);
    }

    /// What the arrivals so far mean for a file of this identity.
    pub(super) fn rule(
        &self,
        identity: &DeliveryIdentity,
        origin: &str,
        size: u64,
        mode: DeliveryMode,
        repeat: Repeat,
    ) -> Ruling {
        let same_bytes = self.by_bytes.get(&identity.sha256).map_or(&[][..], Vec::as_slice);
        let latest = self.generation(identity, size).map(|(_, number)| number);
        let standing = latest.filter(|number| self.stands_for(*number) == Some(*number));
        match (standing, repeat) {
            // Once more what was said before, or a word that cannot be followed.
            (Some(number), Repeat::Replaces(former)) if self.superseded_by(former) != Some(number) => {
                return Ruling::Acts(number);
            }
            (Some(number), _) => return Ruling::Already(number),
            (None, Repeat::AsNew | Repeat::Replaces(_)) => return Ruling::Announce,
            (None, Repeat::Hold) => {}
        }
        let next = self.next_generation(identity, size);
        let waits = |seen: &&Seen| !seen.announced && seen.generation == next && seen.is(identity, size);
        if let Some(seen) = same_bytes.iter().find(waits) {
            return Ruling::Already(seen.number);
        }
        if let Some(number) = latest {
            return self.rule_stopped(number, origin, mode);
        }
        let elsewhere = |seen: &&Seen| seen.account != identity.account && seen.account.tenant == identity.account.tenant;
        if let Some(seen) = same_bytes.iter().find(elsewhere).filter(|_| size > 0) {
            return Ruling::Hold(format!(
                "same bytes as arrival {} of account {}; if it is meant for {}, land it again with --as-new; if it is not wanted, \
                 `tollway withdraw` it",
                seen.number,
                seen.account.path(),
                identity.account.path()
            ));
        }
        let under_name: Vec<_> = self.acting_under(identity, ArrivalNumber::MAX).collect();
        match under_name.into_iter().rev().find_map(|(number, _)| self.stands_for(number)) {
            Some(number) if mode == DeliveryMode::Delta => Ruling::Hold(format!(
                "same name as arrival {number}, new content, and its profile says that files bring new rows under new names; \
                 if it takes that one's place, land it again with --replaces {number}; if its rows come on top, with --as-new; \
                 if it is not wanted, `tollway withdraw` it"
            )),
            _ => Ruling::Announce,
        }
    }

    /// What bytes mean that acted once. What a person's word has stopped comes back by a person's word alone.
    fn rule_stopped(&self, number: ArrivalNumber, origin: &str, mode: DeliveryMode) -> Ruling {
        if let Some(decision) = self.withdrawn.get(&number) {
            return Ruling::Hold(format!(
                "same bytes as arrival {number}, which was taken back as arrival {decision}; if its rows are to count again, \
                 land it again with --as-new; if it is not wanted, `tollway withdraw` it"
            ));
        }
        let superseded = self.superseded.get(&number);
        if let (Some(Superseded::ByName(successor)), DeliveryMode::Snapshot | DeliveryMode::Final) = (superseded, mode) {
            // A folder that keeps both is read again and again: what lies where it lay before is no news, unless the newer
            // one has lain there since.
            let came_from = |number: &ArrivalNumber| self.origins.get(number).is_some_and(|known| known == origin);
            let is_old = came_from(&number) && !came_from(successor);
            return if is_old { Ruling::Already(number) } else { Ruling::Announce };
        }
        let by = superseded.map_or(number, |superseded| superseded.by());
        let word = self.stands_for(number).map_or_else(
            || "if its rows are to count again, land it again with --as-new".to_owned(),
            |acting| format!("if it is to take the place of what counts now, land it again with --replaces {acting}"),
        );
        Ruling::Hold(format!(
            "same bytes as arrival {number}, whose place arrival {by} has taken; {word}; if it is not wanted, `tollway withdraw` it"
        ))
    }

    /// The deliveries of the same account, cycle and logical file that were announced before a number and not taken back.
    pub(super) fn acting_under(
        &self,
        identity: &DeliveryIdentity,
        below: ArrivalNumber,
    ) -> impl Iterator<Item = (ArrivalNumber, DeliveryId)> + '_ {
        let all = self.by_name.get(&name(identity)).map_or(&[][..], Vec::as_slice);
        all.iter().copied().filter(move |(number, _)| *number < below && !self.withdrawn.contains_key(number))
    }

    /// What an announced file takes the place of.
    pub(super) fn replaced_by(
        &self,
        identity: &DeliveryIdentity,
        size: u64,
        mode: DeliveryMode,
        repeat: Repeat,
    ) -> Option<Replaces> {
        match repeat {
            Repeat::Replaces(number) => Some(Replaces::Arrival(number)),
            Repeat::AsNew => None,
            Repeat::Hold if mode == DeliveryMode::Delta || size == 0 => None,
            Repeat::Hold if self.acting_under(identity, ArrivalNumber::MAX).next().is_some() => Some(Replaces::SameName),
            // Bytes that acted under another name take the place of what acts in theirs.
            Repeat::Hold => {
                let (_, former) = self.generation(identity, size)?;
                self.stands_for(former).map(Replaces::Arrival)
            }
        }
    }

    /// The generation that these bytes of this account would come in.
    pub(super) fn next_generation(&self, identity: &DeliveryIdentity, size: u64) -> u32 {
        self.generation(identity, size).map_or(0, |(generation, _)| generation + 1)
    }

    /// The announced arrival of a delivery.
    pub(super) fn announced(&self, delivery: DeliveryId) -> Option<ArrivalNumber> {
        self.by_delivery.get(&delivery)?.announced
    }

    /// The decision that took a delivery back, by the numbers of both.
    pub(super) fn withdrawal_of(&self, delivery: ArrivalNumber) -> Option<ArrivalNumber> {
        self.withdrawn.get(&delivery).copied()
    }

    /// The decisions to rate rows of an account again, in order.
    pub(super) fn recyclings_of(&self, account: &str) -> &[ArrivalNumber] {
        self.recyclings.get(account).map_or(&[], Vec::as_slice)
    }

    /// The latest generation of a file that acts, and its number.
    pub(super) fn generation(&self, identity: &DeliveryIdentity, size: u64) -> Option<(u32, ArrivalNumber)> {
        let same_bytes = self.by_bytes.get(&identity.sha256).map_or(&[][..], Vec::as_slice);
        let acting = same_bytes.iter().filter(|seen| seen.announced && seen.is(identity, size));
        acting.map(|seen| (seen.generation, seen.number)).max()
    }

    /// The decision that dismissed a delivery, by the numbers of both.
    pub(super) fn dismissal_of(&self, delivery: ArrivalNumber) -> Option<ArrivalNumber> {
        self.dismissed.get(&delivery).copied()
    }

    /// The decisions that dismissed one.
    pub(super) fn dismissals(&self) -> Vec<ArrivalNumber> {
        self.dismissed.values().copied().collect()
    }

    /// The last import of a kind.
    pub(super) fn newest_import(&self, tenant: &TenantId, what: ImportKind) -> Option<&NewestImport> {
        self.imports.get(&(tenant.clone(), what))
    }

    /// Numbers from one on, without repeats.
    pub(super) fn in_force(&self, from: ArrivalNumber) -> impl Iterator<Item = ArrivalNumber> + '_ {
        (from.max(self.first)..self.next).filter(|number| !self.ignored.contains(number))
    }

    /// Deliveries that were held and not announced since.
    pub(super) fn held(&self) -> Vec<ArrivalNumber> {
        let waiting = self.by_delivery.values().filter(|acting| acting.announced.is_none());
        let mut numbers: Vec<ArrivalNumber> = waiting.filter_map(|acting| acting.held).collect();
        numbers.retain(|number| !self.withdrawn.contains_key(number));
        numbers.sort_unstable();
        numbers
    }
}
