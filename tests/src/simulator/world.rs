//! The files of a seed: whose they are, what stands in them, and what landing must say to each.

use std::collections::BTreeSet;
use std::sync::Arc;

use config::profiles;
use domain::delivery::{Account, DeliveryMode};
use domain::ids::{AccountId, ProviderId, TenantId};
use ingest::land::{LandRequest, Repeat};
use ingest::profile::Profile;

use super::COMMITS_MIN;
use super::chance::Chance;
use super::layout::{Call, Flaw, Layout, Reading};
use super::price_list::{LINES, LINES_MAX, VERSIONS};

/// Rows of a file at most.
const FILE_ROWS_MAX: u64 = 40;

/// An account at a provider, and how its files are read.
#[derive(Debug)]
pub struct Sender {
    /// The account.
    pub account: Account,
    /// How its rows are written.
    pub layout: Layout,
    /// Rows per claim check.
    pub cut_rows: u64,
    /// The profile's label and text.
    profile: (Arc<str>, Arc<str>),
}

/// What landing makes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// It acts.
    Announced,
    /// The account sent the same bytes before.
    Already,
    /// Another account sent the same bytes before: it waits for a word.
    Held,
}

/// Who says that a file takes the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Its name: the profile calls such files snapshots.
    Name,
    /// An operator.
    Operator,
}

/// An operator's decision to take a file back.
#[derive(Debug)]
pub struct Withdrawal {
    /// So many files have landed before it.
    pub after: usize,
    /// The file.
    pub file: usize,
}

/// An operator's decision to rate rows of an account again.
#[derive(Debug)]
pub struct Recycle {
    /// So many files have landed before it.
    pub after: usize,
    /// Whose rows.
    pub sender: usize,
    /// Which of them.
    pub rows: Again,
}

/// The rows that a decision means.
#[derive(Debug)]
pub enum Again {
    /// In suspense; all that is named must fit.
    Suspense {
        /// Only rows of this reason.
        reason: Option<&'static str>,
        /// Only rows of this file.
        file: Option<usize>,
        /// Only rows of this line.
        line: Option<u64>,
    },
    /// In suspense, to be written off; all that is named must fit.
    WriteOff {
        /// Only rows of this reason.
        reason: Option<&'static str>,
        /// Only rows of this file.
        file: Option<usize>,
    },
    /// In suspense, to have another number that was called; all that is named must fit.
    Edit {
        /// Only rows of this reason.
        reason: Option<&'static str>,
        /// Only rows of this file.
        file: Option<usize>,
    },
    /// With a price.
    Priced {
        /// Only rows under this plan.
        plan: Option<&'static str>,
    },
    /// With a price, and drawing from an allowance.
    Drawing,
}

/// A file.
#[derive(Debug)]
pub struct SentFile {
    /// Position in [`World::senders`].
    pub sender: usize,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub text: String,
    /// The name under which newer versions of it would come.
    pub logical: String,
    /// The file whose place it takes, and whether its name says so or an operator.
    pub replaces: Option<(usize, Word)>,
    /// What landing makes of it.
    pub reception: Reception,
    /// The state that its verdict must name.
    pub state: &'static str,
    /// Its rows as the model reads them; none unless they are taken.
    pub readings: Vec<Reading>,
}

/// Everything that is sent in a run.
#[derive(Debug)]
pub struct World {
    /// Who sends.
    pub senders: Vec<Sender>,
    /// What is sent, in this order.
    pub files: Vec<SentFile>,
    /// What is taken back, in this order.
    pub withdrawals: Vec<Withdrawal>,
    /// After how many files reference data is imported.
    pub imports: Vec<usize>,
    /// What is rated again, in this order; at last all of every account, so that all ends as the last import has it.
    pub recycles: Vec<Recycle>,
    /// Rows of one commit at most.
    pub rows_max: u64,
    /// Partitions of each topic.
    pub partitions: u32,
}

impl World {
    /// The world of a seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let layouts = [Layout::Kpn, Layout::Asterisk, Layout::Job, Layout::Routit, *chance.pick(&Layout::ALL)];
        let senders = layouts.iter().enumerate().map(|(n, layout)| Sender::new(n, *layout, chance.between(3, 4))).collect();
        // Less than two whole claim checks, so that each of them is a commit of its own.
        let (rows_max, partitions) = (chance.between(4, 5), u32::try_from(chance.between(2, 4)).expect("a few"));
        let (files, withdrawals, imports, recycles) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { senders, files, withdrawals, imports, recycles, rows_max, partitions };
        let mut calls: Vec<Vec<Call>> = vec![Vec::new(); world.senders.len()];
        while world.whole_claims() < COMMITS_MIN {
            world.send(&mut chance, &mut calls);
            if chance.per_mille(300) {
                world.withdraw(&mut chance);
            }
            if world.imports.len() + 1 < VERSIONS.len() && chance.per_mille(120) {
                world.imports.push(world.files.len());
            }
            if chance.per_mille(150) {
                world.recycle(&mut chance);
            }
        }
        world.imports.resize(VERSIONS.len() - 1, world.files.len());
        let after = world.files.len();
        let all = |sender| {
            let suspense = |reason| Again::Suspense { reason, file: None, line: None };
            // What was written off, too, as far as it could be read: whether a row was there yet is chance.
            [suspense(Some("written_off")), suspense(None), Again::Priced { plan: None }].map(|rows| Recycle {
                after,
                sender,
                rows,
            })
        };
        let last: Vec<Recycle> = (0..world.senders.len()).flat_map(all).collect();
        world.recycles.extend(last);
        world
    }

    /// Rows of all files that act.
    pub fn rows(&self) -> u64 {
        self.files.iter().filter(|f| f.reception == Reception::Announced).map(|f| f.readings.len() as u64).sum()
    }

    /// Claim checks that are cut to their full size.
    fn whole_claims(&self) -> u64 {
        let acting = self.files.iter().filter(|f| f.reception == Reception::Announced);
        acting.map(|f| f.readings.len() as u64 / self.senders[f.sender].cut_rows).sum()
    }

    /// What the source says of a file.
    pub fn request(&self, file: usize) -> LandRequest {
        let sent = &self.files[file];
        let sender = &self.senders[sent.sender];
        LandRequest {
            account: sender.account.clone(),
            cycle: None,
            origin: sent.name.clone(),
            logical_file: sent.logical.clone(),
            profile: Arc::clone(&sender.profile.0),
            profile_text: Arc::clone(&sender.profile.1),
            mode: if sent.mode_is_snapshot() { DeliveryMode::Snapshot } else { DeliveryMode::Delta },
            cut_rows: sender.cut_rows,
            repeat: Repeat::Hold,
        }
    }

    /// Adds a file: usually new rows with copies of older ones among them, sometimes an old file, a broken or an empty one.
    fn send(&mut self, chance: &mut Chance, calls: &mut [Vec<Call>]) {
        let sender = chance.index(self.senders.len());
        let layout = self.senders[sender].layout;
        let ours: Vec<usize> = (0..self.files.len()).filter(|f| self.senders[self.files[*f].sender].layout == layout).collect();
        let former = self.some_standing(chance, sender).filter(|_| chance.per_mille(250));
        let word = if chance.per_mille(500) { Word::Name } else { Word::Operator };
        let (text, state) = match chance.below(100) {
            _ if former.is_some() => {
                let former = former.map_or("", |f| &self.files[f].text);
                let rows = newer_version(layout, chance, former, &mut calls[sender]);
                (compose(layout, &rows, rows.len(), false), "complete")
            }
            0..8 if !ours.is_empty() => {
                let again = &self.files[*chance.pick(&ours)];
                (again.text.clone(), again.state)
            }
            8..12 => (compose(layout, &[], 0, false), "empty"),
            12..20 if layout == Layout::Kpn => {
                let rows = rows_of(layout, chance, &mut calls[sender]);
                (compose(layout, &rows, rows.len() + 1, false), "wrong_count")
            }
            _ => {
                let rows = rows_of(layout, chance, &mut calls[sender]);
                (compose(layout, &rows, rows.len(), chance.per_mille(200)), "complete")
            }
        };
        let readings = if state == "complete" { layout.read(&text) } else { Vec::new() };
        let reception = self.receive(sender, &text, former.map(|_| word));
        let name = format!("file-{:03}.csv", self.files.len());
        let replaces = former.map(|former| (former, word));
        let logical = match replaces {
            Some((former, Word::Name)) => self.files[former].logical.clone(),
            _ => name.clone(),
        };
        self.files.push(SentFile { sender, name, text, logical, replaces, reception, state, readings });
    }

    /// One of the sender's whole files that were announced and not taken back.
    fn some_standing(&self, chance: &mut Chance, sender: usize) -> Option<usize> {
        let stands = |f: &usize| {
            let file = &self.files[*f];
            file.sender == sender && file.state == "complete" && file.reception == Reception::Announced && !self.is_withdrawn(*f)
        };
        let all: Vec<usize> = (0..self.files.len()).filter(stands).collect();
        (!all.is_empty()).then(|| *chance.pick(&all))
    }

    fn withdraw(&mut self, chance: &mut Chance) {
        let sender = chance.index(self.senders.len());
        if let Some(file) = self.some_standing(chance, sender) {
            self.withdrawals.push(Withdrawal { after: self.files.len(), file });
        }
    }

    fn recycle(&mut self, chance: &mut Chance) {
        let (after, sender) = (self.files.len(), chance.index(self.senders.len()));
        if chance.per_mille(300) {
            self.recycles.push(Recycle { after, sender, rows: Again::Drawing });
            return;
        }
        if chance.per_mille(400) {
            let plan = chance.per_mille(400).then(|| *chance.pick(&["even", "odd"]));
            self.recycles.push(Recycle { after, sender, rows: Again::Priced { plan } });
            return;
        }
        if chance.per_mille(200) {
            let reason =
                chance.per_mille(700).then(|| *chance.pick(&["no_device", "no_zone", "id_conflict", "malformed.columns"]));
            let file = if chance.per_mille(300) { self.some_standing(chance, sender) } else { None };
            self.recycles.push(Recycle { after, sender, rows: Again::WriteOff { reason, file } });
            return;
        }
        if chance.per_mille(400) {
            let reason = chance.per_mille(500).then(|| *chance.pick(&["no_device", "no_zone", "id_conflict", "written_off"]));
            let file = if chance.per_mille(300) { self.some_standing(chance, sender) } else { None };
            self.recycles.push(Recycle { after, sender, rows: Again::Edit { reason, file } });
            return;
        }
        let reason = chance.per_mille(300).then(|| *chance.pick(&["no_device", "no_zone", "written_off"]));
        let file = if chance.per_mille(200) { self.some_standing(chance, sender) } else { None };
        let line = chance.per_mille(200).then(|| LINES + chance.below(LINES_MAX - LINES));
        self.recycles.push(Recycle { after, sender, rows: Again::Suspense { reason, file, line } });
    }

    /// Whether numbers that were called are corrected of an account at some time.
    pub fn is_edited(&self, sender: usize) -> bool {
        self.recycles.iter().any(|r| r.sender == sender && matches!(r.rows, Again::Edit { .. }))
    }

    /// Whether a file is taken back at some time.
    pub fn is_withdrawn(&self, file: usize) -> bool {
        self.withdrawals.iter().any(|w| w.file == file)
    }

    /// Who has said so far that another file takes the place of this one; an operator's word stays one.
    fn replaced_by(&self, number: usize) -> Option<Word> {
        let mut said = None;
        for later in self.files.iter().skip(number + 1).filter(|f| f.reception == Reception::Announced) {
            let file = &self.files[number];
            match later.replaces {
                Some((former, Word::Operator)) if former == number => said = Some(Word::Operator),
                Some((_, Word::Name)) if (later.sender, &later.logical) == (file.sender, &file.logical) => {
                    said = said.or(Some(Word::Name));
                }
                _ => {}
            }
        }
        said
    }

    /// The files that act no more in the end: taken back, or replaced by one that is whole.
    pub fn stopped(&self) -> BTreeSet<usize> {
        let mut stopped: BTreeSet<usize> = self.withdrawals.iter().map(|w| w.file).collect();
        for (number, file) in self.files.iter().enumerate() {
            let acts = file.reception == Reception::Announced && file.state == "complete";
            match file.replaces {
                Some((former, Word::Operator)) if acts => drop(stopped.insert(former)),
                Some((_, Word::Name)) if acts => {
                    let is_earlier = |f: &usize| {
                        let other = &self.files[*f];
                        other.reception == Reception::Announced && (other.sender, &other.logical) == (file.sender, &file.logical)
                    };
                    stopped.extend((0..number).filter(is_earlier));
                }
                _ => {}
            }
        }
        stopped
    }

    /// What landing makes of a text: what acts comes once, what a word has stopped comes back by a word alone, and what a newer
    /// file of its name has replaced comes back if its profile says so, too.
    fn receive(&self, sender: usize, text: &str, word: Option<Word>) -> Reception {
        let mut same = self.files.iter().enumerate().filter(|(_, f)| f.text == text && !text.is_empty());
        let ours = same.clone().rfind(|(_, f)| f.sender == sender);
        let announced = same.clone().rfind(|(_, f)| f.sender == sender && f.reception == Reception::Announced);
        if let Some((number, _)) = announced {
            let replaced = self.replaced_by(number);
            if !self.is_withdrawn(number) && replaced.is_none() {
                return Reception::Already;
            }
            let comes_back = word == Some(Word::Operator)
                || (word == Some(Word::Name) && !self.is_withdrawn(number) && replaced == Some(Word::Name));
            let waits = same.any(|(later, f)| later > number && f.sender == sender && f.reception == Reception::Held);
            return match (comes_back, waits) {
                (true, false) => Reception::Announced,
                (true, true) if word == Some(Word::Operator) => Reception::Announced,
                (_, true) => Reception::Already,
                (false, false) => Reception::Held,
            };
        }
        if ours.is_some() {
            Reception::Already
        } else if same.next().is_some() {
            Reception::Held
        } else {
            Reception::Announced
        }
    }
}

impl SentFile {
    /// Whether its profile calls it a snapshot: then its name says whose place it takes.
    fn mode_is_snapshot(&self) -> bool {
        matches!(self.replaces, Some((_, Word::Name)))
    }
}

impl Sender {
    fn new(number: usize, layout: Layout, cut_rows: u64) -> Self {
        let text = profiles::find(layout.profile()).expect("the profile is shipped");
        let profile = Profile::load(text).expect("shipped profiles load");
        let name = format!("account-{number}");
        let account = Account {
            tenant: TenantId::parse("main").expect("an id"),
            provider: ProviderId::parse("provider").expect("an id"),
            account: AccountId::parse(&name).expect("an id"),
        };
        Self { account, layout, cut_rows, profile: (Arc::clone(profile.label()), text.into()) }
    }
}

/// The rows of a file: new calls, copies of rows of the same and of older files, flaws. New calls are added to `calls`.
fn rows_of(layout: Layout, chance: &mut Chance, calls: &mut Vec<Call>) -> Vec<String> {
    let count = chance.between(1, FILE_ROWS_MAX);
    let mut rows: Vec<String> = Vec::new();
    for _ in 0..count {
        let quoted = chance.per_mille(200);
        let row = match chance.below(100) {
            0..8 if !rows.is_empty() => chance.pick(&rows).clone(),
            8..20 if !calls.is_empty() => layout.write(chance.pick(calls), quoted),
            20..25 if !calls.is_empty() => {
                // The same id for another call.
                let other = Call { seconds: chance.between(1, 500), flaw: None, ..chance.pick(calls).clone() };
                layout.write(&other, quoted)
            }
            _ => {
                let call = new_call(layout, chance, calls.len());
                let row = layout.write(&call, quoted);
                calls.push(call);
                row
            }
        };
        rows.push(row);
    }
    rows
}

/// The rows of a newer version of a file: most of its rows, some of them changed, and a few new ones.
fn newer_version(layout: Layout, chance: &mut Chance, former: &str, calls: &mut Vec<Call>) -> Vec<String> {
    let body = former.strip_prefix(layout.header()).unwrap_or(former);
    let mut rows: Vec<String> = Vec::new();
    for line in body.lines().filter(|line| !line.starts_with("TRAILER")) {
        match chance.below(100) {
            0..15 => {}
            15..25 if !calls.is_empty() => {
                let other = Call { seconds: chance.between(1, 500), flaw: None, ..chance.pick(calls).clone() };
                rows.push(layout.write(&other, false));
            }
            _ => rows.push(line.to_owned()),
        }
    }
    for _ in 0..chance.below(4) + u64::from(rows.is_empty()) {
        let call = new_call(layout, chance, calls.len());
        rows.push(layout.write(&call, false));
        calls.push(call);
    }
    rows
}

fn new_call(layout: Layout, chance: &mut Chance, number: usize) -> Call {
    let flaws = match layout {
        Layout::Asterisk => &[Flaw::Date, Flaw::Duration, Flaw::Short][..],
        Layout::Kpn | Layout::Job | Layout::Routit => &[Flaw::Kind, Flaw::Date, Flaw::Duration, Flaw::Short],
    };
    let is_text = layout != Layout::Asterisk && chance.per_mille(200);
    let flaw = chance.per_mille(30).then(|| *chance.pick(flaws));
    Call {
        id: 1000 + number as u64,
        line: if chance.per_mille(80) { LINES + chance.below(LINES_MAX - LINES) } else { chance.below(LINES) },
        zoned: !chance.per_mille(50),
        day: if chance.per_mille(10) { 33 } else { 14 + chance.below(2) },
        second: chance.below(3600),
        // A text has no duration that could be wrong.
        seconds: if is_text && flaw != Some(Flaw::Duration) { 0 } else { chance.between(1, 600) },
        answered: !chance.per_mille(200),
        flaw,
    }
}

fn compose(layout: Layout, rows: &[String], announced: usize, returns: bool) -> String {
    let end = if returns { "\r\n" } else { "\n" };
    let body: String = rows.iter().flat_map(|row| [row, end]).collect();
    format!("{}{body}{}", layout.header(), layout.trailer(announced))
}
