//! One file: records in the order in which they arrived, some of them broken, copied or contradicted on purpose.

use std::collections::HashSet;
use std::ops::Range;

use domain::delivery::KeyMode;

use crate::calendar::{Days, HOUR_S};
use crate::call::{Billing, Call, Flaw, Source, Wanted};
use crate::facts::Facts;
use crate::layout::cells::Cells;
use crate::layout::{Layout, Row, Wreck};
use crate::random::Dice;

/// The seed's streams for files and for the rows that two files share.
const FILE_PURPOSE: u64 = 2;
const SHARED_PURPOSE: u64 = 3;

/// Rows that two files share are numbered from here, above all others of a file.
const SHARED_SEQUENCE: u32 = 900_000;

/// What an amount becomes in a row that contradicts another: 0.77.
const CONTRADICTION_MICRO: i64 = 770_000;

/// By how much a duration is longer in a row that contradicts another, where rows have no amounts.
const CONTRADICTION_S: i64 = 7;

/// What a file is made of.
pub(crate) struct Recipe<'f> {
    pub source: Source<'f>,
    pub seed: u64,
    /// The account's number among those of its layout.
    pub account: u32,
    /// How many files of the account come before.
    pub slot: u32,
    /// Data rows.
    pub rows: u32,
    /// Data rows of a file of average days: what the rows shared by two files are a part of.
    pub rows_per_file: u32,
    /// The days of the account's file before, whose last rows come again.
    pub before: Option<Days>,
}

/// How many rows of each planted kind a file has: exact, so that its size is known before it is made.
struct Quota {
    own: u32,
    shared: u32,
    duplicates: u32,
    conflicts: u32,
    malformed: u32,
}

impl Recipe<'_> {
    fn dice(&self, purpose: u64, slot: u32) -> Dice {
        Dice::new(self.seed, &[purpose, self.source.layout as u64, self.account.into(), slot.into()])
    }

    fn quota(&self, dice: &mut Dice) -> Quota {
        let rates = self.source.rates;
        // A fraction of a row becomes a whole one as often as the fraction says.
        let mut part = |rows: u32, ppm: u32| {
            let planted = u64::from(rows) * u64::from(ppm);
            u32::try_from((planted + dice.below(1_000_000)) / 1_000_000).expect("a part of a file's rows")
        };
        let duplicates = part(self.rows, rates.duplicate_ppm);
        let conflicts = if self.source.layout.has_ids() { part(self.rows, rates.id_conflict_ppm) } else { 0 };
        let malformed = part(self.rows, rates.malformed_ppm);
        let shared = if self.source.layout == Layout::MobileMetadata { 0 } else { self.shared() };
        let first = u32::from(!self.source.layout.shape().first_row.is_empty());
        let copies = first + duplicates + conflicts + shared + if self.before.is_some() { shared } else { 0 };
        Quota { own: self.rows.saturating_sub(copies), shared, duplicates, conflicts, malformed }
    }

    /// How many rows a file shares with the next one of its account: the same for all files.
    fn shared(&self) -> u32 {
        let ppm = u64::from(self.source.rates.repeated_ppm);
        u32::try_from(u64::from(self.rows_per_file) * ppm / 1_000_000).expect("a part of a file's rows")
    }
}

/// A record on its way into the file.
struct Arrival {
    /// When it arrived, seconds: the order of the file.
    at_s: i64,
    call: Call,
    /// The slot of the file that it belongs to first.
    slot: u32,
    sequence: u32,
}

/// Appends the file to `out`.
pub(crate) fn compose(recipe: &Recipe<'_>, out: &mut Vec<u8>) -> Facts {
    let mut dice = recipe.dice(FILE_PURPOSE, recipe.slot);
    let quota = recipe.quota(&mut dice);
    let arrivals = arrivals(recipe, &quota, &mut dice);
    let wrecks = choose_wrecks(recipe, &quota, &arrivals, &mut dice);
    let mut sheet = Sheet::new(recipe, arrivals.len());
    for (arrival, wreck) in arrivals.iter().zip(&wrecks) {
        sheet.add(arrival, *wreck);
    }
    sheet.copy(&quota, &arrivals, &wrecks, &mut dice);
    sheet.print(out)
}

/// All records but copies, in order of arrival.
fn arrivals(recipe: &Recipe<'_>, quota: &Quota, dice: &mut Dice) -> Vec<Arrival> {
    let source = &recipe.source;
    let mut taken = HashSet::new();
    let mut all: Vec<Arrival> = Vec::with_capacity(recipe.rows as usize);
    let begins_s = source.calendar.instant_of(source.days.begins_s(), false);
    let lasts_s = i64::from(source.days.count()) * 24 * HOUR_S;
    for _ in 0..quota.own {
        let mut call = source.draw(Wanted::Any, dice);
        part(&mut call, source, &mut taken);
        let at_s = if call.late { begins_s + dice.span(lasts_s) } else { call.instant_s };
        all.push(Arrival { at_s, call, slot: recipe.slot, sequence: 0 });
    }
    let mut shared = |slot: u32, days: Days, at_s: Option<i64>| {
        let mut dice = recipe.dice(SHARED_PURPOSE, slot);
        let source = Source { days, ..*source };
        for sequence in SHARED_SEQUENCE..SHARED_SEQUENCE + quota.shared {
            let call = source.draw(Wanted::Flawless, &mut dice);
            // A shared row looks the same in both files, so it gives way to no other row of either.
            all.push(Arrival { at_s: at_s.unwrap_or(call.instant_s), call, slot, sequence });
        }
    };
    shared(recipe.slot, source.days, None);
    if let Some(days) = recipe.before {
        shared(recipe.slot - 1, days, Some(begins_s));
    }
    all.sort_by_key(|arrival| arrival.at_s);
    for (sequence, arrival) in (0..).zip(all.iter_mut().filter(|a| a.sequence == 0)) {
        arrival.sequence = sequence;
    }
    all
}

/// Moves a record on by seconds until no other of its line and kind shows the same local time: two rows of a file are never
/// equal by chance.
fn part(call: &mut Call, source: &Source<'_>, taken: &mut HashSet<(u64, i64, u8)>) {
    let served = if source.layout == Layout::MobileMetadata { 0 } else { call.served };
    while !taken.insert((served, call.local_s(), call.kind as u8)) {
        call.instant_s += 1;
        call.offset_s = source.calendar.offset_at(call.instant_s);
    }
    call.repeated_hour = source.calendar.is_repeated(call.instant_s);
}

/// Which rows break which rule.
fn choose_wrecks(recipe: &Recipe<'_>, quota: &Quota, arrivals: &[Arrival], dice: &mut Dice) -> Vec<Option<&'static Wreck>> {
    let all = recipe.source.layout.shape().wrecks;
    let mut chosen: Vec<Option<&'static Wreck>> = vec![None; arrivals.len()];
    for _ in 0..quota.malformed {
        let start = dice.index(arrivals.len());
        let free = (start..arrivals.len()).chain(0..start).find(|i| chosen[*i].is_none() && arrivals[*i].is_plain());
        if let Some(i) = free {
            let kind = arrivals[i].call.kind;
            let wreck = loop {
                let wreck = dice.pick(all);
                if wreck.fits(kind) {
                    break wreck;
                }
            };
            chosen[i] = Some(wreck);
        }
    }
    chosen
}

impl Arrival {
    /// Whether it is a row of this file alone, answered and without any flaw: one that may be broken, copied or contradicted.
    fn is_plain(&self) -> bool {
        self.call.flaw == Flaw::None && self.call.answered && !self.call.is_foreign() && self.sequence < SHARED_SEQUENCE
    }
}

/// The rows of a file and the order they stand in.
struct Sheet<'r, 'f> {
    recipe: &'r Recipe<'f>,
    bytes: Vec<u8>,
    /// Arrival and place in `bytes` of each row.
    rows: Vec<(i64, Range<usize>)>,
    cells: Cells,
    facts: Facts,
}

impl<'r, 'f> Sheet<'r, 'f> {
    fn new(recipe: &'r Recipe<'f>, rows: usize) -> Self {
        let bytes = Vec::with_capacity(rows * 120);
        Self { recipe, bytes, rows: Vec::with_capacity(rows), cells: Cells::default(), facts: Facts::default() }
    }

    fn write(&mut self, arrival: &Arrival, call: &Call, wreck: Option<&Wreck>, at_s: i64) {
        let (layout, fleet) = (self.recipe.source.layout, self.recipe.source.fleet);
        let row = Row {
            call,
            account: self.recipe.account,
            slot: arrival.slot,
            sequence: arrival.sequence,
            customer: &fleet.customers[call.customer],
            tenure: call.line.map(|line| fleet.lines[line].tenure_or_first(call.instant_s)),
        };
        layout.fill(&row, &mut self.cells);
        let from = self.bytes.len();
        self.cells.write(layout.shape(), wreck, &mut self.bytes);
        self.rows.push((at_s, from..self.bytes.len()));
        if layout.has_cost() && wreck.is_none_or(Wreck::keeps_amount) {
            self.facts.cost_micro += call.cost_micro;
        }
    }

    fn add(&mut self, arrival: &Arrival, wreck: Option<&'static Wreck>) {
        self.write(arrival, &arrival.call, wreck, arrival.at_s);
        if let Some(wreck) = wreck {
            self.facts.count_malformed(wreck.reason);
        } else if arrival.slot == self.recipe.slot {
            self.facts.count(&arrival.call, self.recipe.source.layout);
        } else {
            self.facts.rows += 1;
            self.facts.repeated += 1;
            self.facts.count_circumstances(&arrival.call);
        }
    }

    /// Adds exact copies and contradictions of plain rows, each of another one, which arrive within two hours.
    fn copy(&mut self, quota: &Quota, arrivals: &[Arrival], wrecks: &[Option<&'static Wreck>], dice: &mut Dice) {
        let mut free: Vec<bool> = arrivals.iter().zip(wrecks).map(|(a, w)| w.is_none() && a.is_plain()).collect();
        for n in 0..quota.duplicates + quota.conflicts {
            let start = dice.index(arrivals.len());
            let Some(i) = (start..arrivals.len()).chain(0..start).find(|i| free[*i]) else { return };
            free[i] = false;
            let mut call = arrivals[i].call.clone();
            let layout = self.recipe.source.layout;
            let key = layout.key();
            if n < quota.duplicates {
                let twins = key == KeyMode::ContentAndOccurrence;
                *(if twins { &mut self.facts.twins } else { &mut self.facts.duplicates }) += 1;
            } else {
                if layout.has_cost() {
                    call.cost_micro = if call.cost_micro == CONTRADICTION_MICRO { 0 } else { CONTRADICTION_MICRO };
                    call.billing = Billing::Usage;
                } else {
                    call.duration_s += CONTRADICTION_S;
                }
                self.facts.id_conflicts += u64::from(key == KeyMode::Id);
            }
            self.facts.rows += 1;
            self.facts.count_circumstances(&call);
            let at_s = arrivals[i].at_s + dice.span(2 * HOUR_S);
            self.write(&arrivals[i], &call, None, at_s);
        }
    }

    fn print(mut self, out: &mut Vec<u8>) -> Facts {
        let (layout, begins) = (self.recipe.source.layout, out.len());
        let shape = layout.shape();
        self.rows.sort_by_key(|row| row.0);
        out.reserve(self.bytes.len() + self.rows.len() * 2 + 300);
        out.extend(shape.opening.as_bytes());
        if !shape.first_row.is_empty() {
            out.extend(shape.first_row.as_bytes());
            out.extend(shape.line_end.as_bytes());
            self.facts.count_first_row();
        }
        for (_, row) in self.rows {
            out.extend(&self.bytes[row]);
            out.extend(shape.line_end.as_bytes());
        }
        layout.close(self.facts.rows, self.facts.cost_micro, out);
        shape.charset.encode_from(begins, out);
        self.facts
    }
}
