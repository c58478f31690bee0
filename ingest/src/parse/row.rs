//! One row after the other into columns: the tests in their order, then the values all at once.

mod record;
mod store;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::parsed::{MalformedRow, ParsedBatch, ParsedColumns};
use domain::delivery::{FileContext, KeyMode, RecordHasher};
use domain::number::{Network, Number};
use domain::outcome::Reason;
use domain::usage::{Direction, Usage, UsageKind};

use crate::profile::recipe::{Choice, Column, Party, PartySource, Recipe, SkipTest, Slot, Volume};
use crate::profile::{Layout, Profile};

use super::classes::Classes;
use super::encoding::{column_of, first_bad_byte};
use super::field::{Field, Row};
use super::quoted::{Fields, Searched};
use super::time::{self, Start};
use super::{amount, hash_domain, number};

/// A line without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub data: &'a [u8],
    /// The window's bytes as text, where they are valid UTF-8 and anyone wants to know.
    pub text: Option<&'a str>,
    pub begin: usize,
    pub end: usize,
    /// Where it begins in the delivery.
    pub offset: u64,
}

impl<'a> Line<'a> {
    fn raw(&self) -> &'a [u8] {
        &self.data[self.begin..self.end]
    }
}

/// The first test that failed, and in which column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub reason: Reason,
    pub at: usize,
}

/// What a row says, before any of it is stored.
#[derive(Debug, Clone, Copy)]
struct Values {
    usage: Usage,
    served: Found,
    other: Found,
    imsi: u64,
    iccid: u64,
    start: Start,
    duration_s: i32,
    up: i64,
    down: i64,
    messages: i32,
    network: Network,
    cost_nano: i64,
    class: u16,
}

/// A party's number, and the column that has its text if it is a word or hidden.
#[derive(Debug, Clone, Copy)]
struct Found {
    number: Number,
    at: usize,
}

/// Fills the columns of one batch.
pub(super) struct RowReader<'a> {
    profile: &'a Profile,
    recipe: &'a Recipe,
    layout: &'a Layout,
    hasher: &'a RecordHasher,
    first_row: u64,
    rows: u64,
    columns: ParsedColumns,
    malformed: Vec<MalformedRow>,
    /// Rows left out, by rule.
    skipped: Vec<u64>,
    texts: Vec<String>,
    classes: Classes,
    /// The class of the row at hand, where several columns make it.
    class: Vec<u8>,
    unquoted: Fields,
    /// Why the row at hand cannot be read; means something only then.
    fault: Cell<Fault>,
}

impl<'a> RowReader<'a> {
    pub fn new(profile: &'a Profile, recipe: &'a Recipe, layout: &'a Layout, hasher: &'a RecordHasher, first_row: u64) -> Self {
        Self {
            profile,
            recipe,
            layout,
            hasher,
            first_row,
            rows: 0,
            columns: ParsedColumns::default(),
            malformed: Vec::new(),
            skipped: vec![0; recipe.skip.len()],
            texts: Vec::new(),
            classes: Classes::default(),
            class: Vec::new(),
            unquoted: Fields::default(),
            fault: Cell::new(Fault { reason: Reason::Columns, at: 0 }),
        }
    }

    /// Reads a line. `ends` are where its fields end if there is nothing `odd` about it: no quotes, and only printable ASCII.
    #[inline]
    pub fn take(&mut self, line: Line<'_>, ends: &[u32], odd: &[u32]) {
        if line.begin == line.end && self.profile.file.ignores_blank_lines {
            return;
        }
        let read = if line.end - line.begin > self.profile.file.row_bytes_max {
            self.fail(Reason::Columns, 0)
        } else if odd.is_empty() {
            self.read(line, Row { data: line.data, ends, text: line.text }, line.raw())
        } else {
            self.read_carefully(line, ends, odd)
        };
        if read.is_none() {
            self.keep_malformed(line.raw(), line.offset);
        }
        self.rows += 1;
    }

    /// Notes why the row cannot be read.
    #[cold]
    fn fail<T>(&self, reason: Reason, at: usize) -> Option<T> {
        self.fault.set(Fault { reason, at });
        None
    }

    /// Keeps the beginning of a line that is longer than any row may be.
    #[cold]
    pub fn take_endless(&mut self, raw: &[u8], offset: u64) {
        self.fault.set(Fault { reason: Reason::Columns, at: 0 });
        self.keep_malformed(raw.strip_suffix(b"\r").unwrap_or(raw), offset);
        self.rows += 1;
    }

    #[cold]
    fn keep_malformed(&mut self, raw: &[u8], offset: u64) {
        let fault = self.fault.get();
        self.malformed.push(MalformedRow {
            row: self.first_row + self.rows,
            offset,
            raw: raw[..raw.len().min(self.profile.file.row_bytes_max)].to_vec(),
            length: raw.len() as u64,
            reason: fault.reason,
            field: self.layout.name(fault.at),
            key: self.hasher.hash(hash_domain::MALFORMED, raw),
        });
    }

    /// Checks the characters of a line, takes quotes off, and reads it.
    #[inline(never)]
    fn read_carefully(&mut self, line: Line<'_>, ends: &[u32], odd: &[u32]) -> Option<()> {
        let raw = line.raw();
        let (separator, quote) = (self.profile.file.separator, self.profile.file.quote);
        let is_quote = |at: &u32| Some(line.data[*at as usize]) == quote;
        // Quotes alone are no reason to look at every byte again.
        let is_searched = odd.iter().all(is_quote);
        if !is_searched && let Some(position) = first_bad_byte(self.profile.file.encoding, raw) {
            return self.fail(Reason::Encoding, column_of(&raw[..position], separator, quote));
        }
        let Some(quote) = quote.filter(|_| odd.iter().any(is_quote)) else {
            return self.read(line, Row { data: line.data, ends, text: line.text }, raw);
        };
        let mut unquoted = std::mem::take(&mut self.unquoted);
        let cut = if is_searched {
            let separators = &ends[1..ends.len() - 1];
            unquoted.cut(Searched { data: line.data, begin: line.begin, end: line.end, separator, separators, quotes: odd })
        } else {
            unquoted.split(raw, separator, Some(quote))
        };
        let read = if let Err(broken) = cut {
            self.fail(Reason::Columns, broken.0)
        } else {
            unquoted.make_canonical(separator, quote);
            self.read(line, unquoted.row(), unquoted.canonical())
        };
        self.unquoted = unquoted;
        read
    }

    /// Makes the tests in their order and, if all hold, stores the row; else `fault` says why.
    #[inline]
    fn read(&mut self, line: Line<'_>, row: Row<'_>, canonical: &[u8]) -> Option<()> {
        let wanted = self.layout.fields();
        let found = row.len();
        if found != wanted && (found < wanted || !self.profile.file.takes_extra_fields) {
            return self.fail(Reason::Columns, found.min(wanted));
        }
        if let Some(rule) = self.skip_rule(&row) {
            self.skipped[rule] += 1;
            return Some(());
        }
        if let Some(slot) = self.recipe.record_id
            && matches!(self.profile.key_mode(), KeyMode::Id | KeyMode::IdAndContent)
            && row.field(self.layout.at(slot)).is_empty()
        {
            return self.fail(Reason::Columns, self.layout.at(slot));
        }
        let values = self.values(&row)?;
        self.store(line, &row, canonical, &values);
        Some(())
    }

    /// The first rule that leaves the row out.
    #[inline]
    fn skip_rule(&self, row: &Row<'_>) -> Option<usize> {
        self.recipe.skip.iter().position(|rule| {
            let field = row.field(self.layout.at(rule.slot));
            match &rule.test {
                SkipTest::Equals(words) => words.get(field).is_some(),
                SkipTest::NotEquals(words) => words.get(field).is_none(),
                SkipTest::Empty => field.is_empty(),
                SkipTest::NotWithin(branches) => !branches.hold(field.bytes()),
            }
        })
    }

    #[inline]
    fn values(&mut self, row: &Row<'_>) -> Option<Values> {
        let recipe = self.recipe;
        let kind = self.choose(&recipe.kind, row)?;
        let direction: Direction = self.choose(&recipe.direction, row)?;
        let (served, other) = match &recipe.other {
            Some(other) if !other.not_for[kind as usize] => {
                let (mut from, mut to) = (recipe.served.from, other.from);
                if recipe.swap_for[direction as usize] {
                    std::mem::swap(&mut from, &mut to);
                }
                (self.party(&recipe.served, from, row)?, self.party(other, to, row)?)
            }
            _ => (self.party(&recipe.served, recipe.served.from, row)?, Found { number: Number::ABSENT, at: 0 }),
        };
        let imsi = self.card(recipe.imsi.as_ref(), amount::imsi, row)?;
        let iccid = self.card(recipe.iccid.as_ref(), amount::iccid, row)?;
        let start = time::read(recipe, self.layout, row, &self.fault)?;
        let duration_s = match &recipe.duration {
            // What a row is charged by must be there: no call is free because its duration is missing.
            Some(rule) => {
                let needed = kind == UsageKind::Voice && !rule.empty_is_zero;
                self.test(Reason::Duration, rule.slot, row, |f| {
                    if needed && f.is_empty() { None } else { amount::duration(rule, f) }
                })?
            }
            None => 0,
        };
        let (up, down) = match &recipe.volume {
            Some(rule) => self.volumes(rule, kind == UsageKind::Data && !rule.empty_is_zero, row)?,
            None => (0, 0),
        };
        let messages = match &recipe.messages {
            Some(rule) => self.test(Reason::Volume, rule.slot, row, |f| amount::messages(rule, f))?,
            None => 1,
        };
        let network = match &recipe.network {
            Some(rule) => self.test(Reason::Network, rule.slot, row, |f| amount::network(rule, f))?,
            None => Network::ABSENT,
        };
        let cost_nano = match &recipe.cost {
            Some(rule) => {
                if let Some((slot, words)) = &rule.currency {
                    self.test(Reason::Cost, *slot, row, |f| words.get(f))?;
                }
                self.test(Reason::Cost, rule.slot, row, |f| amount::cost(rule, f))?
            }
            None => 0,
        };
        let class = self.class(row)?;
        let usage = Usage::new(kind, direction);
        Some(Values { usage, served, other, imsi, iccid, start, duration_s, up, down, messages, network, cost_nano, class })
    }

    /// Reads a field; a reading that finds nothing is a fault of that column.
    #[inline]
    fn test<T>(&self, reason: Reason, slot: Slot, row: &Row<'_>, read: impl FnOnce(Field<'_>) -> Option<T>) -> Option<T> {
        let at = self.layout.at(slot);
        read(row.field(at)).or_else(|| self.fail(reason, at))
    }

    #[inline]
    fn choose<T: Copy>(&self, choice: &Choice<T>, row: &Row<'_>) -> Option<T> {
        match choice {
            Choice::Constant(value) => Some(*value),
            Choice::Mapped { slot, words, fallback } => self.test(Reason::Kind, *slot, row, |f| words.get(f).or(*fallback)),
        }
    }

    #[inline]
    fn party(&self, party: &Party, source: PartySource, row: &Row<'_>) -> Option<Found> {
        let slot = match source {
            PartySource::Constant(number) => return Some(Found { number, at: 0 }),
            PartySource::Column(slot) => slot,
        };
        let at = self.layout.at(slot);
        let field = row.field(at);
        if !party.required && field.is_empty() {
            return Some(Found { number: Number::ABSENT, at });
        }
        let number = number::read(&self.recipe.numbers, party, field);
        number.or_else(|| self.fail(Reason::Number, at)).map(|number| Found { number, at })
    }

    #[inline]
    fn card(&self, column: Option<&Column>, read: fn(Field<'_>) -> Option<u64>, row: &Row<'_>) -> Option<u64> {
        let Some(column) = column else { return Some(0) };
        self.test(Reason::Number, column.slot, row, |f| if f.is_empty() && !column.required { Some(0) } else { read(f) })
    }

    /// Bytes sent and received; a `needed` volume is malformed when all its fields are empty.
    #[inline]
    fn volumes(&self, rule: &Volume, needed: bool, row: &Row<'_>) -> Option<(i64, i64)> {
        if needed {
            let columns = [rule.up, rule.down];
            let given = columns.iter().flatten().any(|slot| !row.field(self.layout.at(*slot)).is_empty());
            if !given {
                let slot = columns.into_iter().flatten().next_back()?;
                return self.test(Reason::Volume, slot, row, |_| None);
            }
        }
        Some((self.volume(rule, rule.up, row)?, self.volume(rule, rule.down, row)?))
    }

    #[inline]
    fn volume(&self, rule: &Volume, slot: Option<Slot>, row: &Row<'_>) -> Option<i64> {
        slot.map_or(Some(0), |slot| self.test(Reason::Volume, slot, row, |f| amount::volume(rule, f)))
    }

    /// The code of the row's rate class plus one; 0 where it has none.
    #[inline]
    fn class(&mut self, row: &Row<'_>) -> Option<u16> {
        let Some(column) = &self.recipe.class else { return Some(0) };
        let at = self.layout.at(column.slot);
        let field = row.field(at);
        let class = if column.with.is_empty() {
            field.bytes()
        } else {
            let parts = column.with.iter().map(|slot| row.field(self.layout.at(*slot)).bytes());
            join_class(&mut self.class, field.bytes(), parts);
            &self.class
        };
        if class.is_empty() {
            return if column.required { self.fail(Reason::Columns, at) } else { Some(0) };
        }
        // A column with more classes than codes holds something else.
        self.classes.code(self.profile, class).or_else(|| self.fail(Reason::Columns, at))
    }

    /// The batch; INV-2 holds for it.
    pub fn finish(self, file: &Arc<FileContext>) -> ParsedBatch {
        let mut skipped = BTreeMap::new();
        for (rule, count) in self.recipe.skip.iter().zip(self.skipped).filter(|(_, count)| *count > 0) {
            *skipped.entry(rule.name.clone()).or_default() += count;
        }
        let batch = ParsedBatch {
            file: Arc::clone(file),
            first_row: self.first_row,
            rows_in: self.rows,
            columns: self.columns,
            malformed: self.malformed,
            skipped,
            texts: self.texts,
            classes: self.classes.names,
        };
        debug_assert!(batch.is_balanced(), "INV-2: each row was stored, kept as malformed or skipped");
        batch
    }
}

/// Writes the parts of a class, each behind a `/`; empty ones at the end leave nothing.
fn join_class<'f>(class: &mut Vec<u8>, first: &[u8], parts: impl Iterator<Item = &'f [u8]>) {
    class.clear();
    class.extend_from_slice(first);
    let mut used = class.len();
    for part in parts {
        class.push(b'/');
        class.extend_from_slice(part);
        if !part.is_empty() {
            used = class.len();
        }
    }
    class.truncate(used);
}
