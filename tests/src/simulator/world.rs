//! The files of a seed: whose they are, what stands in them, and what landing must say to each.

use std::sync::Arc;

use config::profiles;
use domain::delivery::{Account, DeliveryMode};
use domain::ids::{AccountId, ProviderId, TenantId};
use ingest::land::{LandRequest, Repeat};
use ingest::profile::Profile;

use super::COMMITS_MIN;
use super::chance::Chance;
use super::layout::{Call, Flaw, Layout, Reading};
use super::price_list::LINES;

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

/// A file.
#[derive(Debug)]
pub struct SentFile {
    /// Position in [`World::senders`].
    pub sender: usize,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub text: String,
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
        let mut world = Self { senders, files: Vec::new(), rows_max, partitions };
        let mut calls: Vec<Vec<Call>> = vec![Vec::new(); world.senders.len()];
        while world.whole_claims() < COMMITS_MIN {
            world.send(&mut chance, &mut calls);
        }
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
            logical_file: sent.name.clone(),
            profile: Arc::clone(&sender.profile.0),
            profile_text: Arc::clone(&sender.profile.1),
            mode: DeliveryMode::Delta,
            cut_rows: sender.cut_rows,
            repeat: Repeat::Hold,
        }
    }

    /// Adds a file: usually new rows with copies of older ones among them, sometimes an old file, a broken or an empty one.
    fn send(&mut self, chance: &mut Chance, calls: &mut [Vec<Call>]) {
        let sender = chance.index(self.senders.len());
        let layout = self.senders[sender].layout;
        let ours: Vec<usize> = (0..self.files.len()).filter(|f| self.senders[self.files[*f].sender].layout == layout).collect();
        let (text, state) = match chance.below(100) {
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
        let reception = self.receive(sender, &text);
        let name = format!("file-{:03}.csv", self.files.len());
        self.files.push(SentFile { sender, name, text, reception, state, readings });
    }

    fn receive(&self, sender: usize, text: &str) -> Reception {
        let mut same = self.files.iter().filter(|f| f.text == text && !text.is_empty());
        if same.clone().any(|f| f.sender == sender) {
            Reception::Already
        } else if same.next().is_some() {
            Reception::Held
        } else {
            Reception::Announced
        }
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

fn new_call(layout: Layout, chance: &mut Chance, number: usize) -> Call {
    let flaws = match layout {
        Layout::Asterisk => &[Flaw::Date, Flaw::Duration, Flaw::Short][..],
        Layout::Kpn | Layout::Job | Layout::Routit => &[Flaw::Kind, Flaw::Date, Flaw::Duration, Flaw::Short],
    };
    let is_text = layout != Layout::Asterisk && chance.per_mille(200);
    let flaw = chance.per_mille(30).then(|| *chance.pick(flaws));
    Call {
        id: 1000 + number as u64,
        line: if chance.per_mille(25) { LINES + chance.below(3) } else { chance.below(LINES) },
        zoned: !chance.per_mille(20),
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
