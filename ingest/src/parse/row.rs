//! One row after the other into columns: the tests in their order, then the values all at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::columns::parsed::{MalformedRow, ParsedBatch, ParsedColumns, Texts};
use domain::delivery::{FileContext, KeyMode, RecordHasher};
use domain::number::{Network, Number};
use domain::outcome::Reason;
use domain::usage::{Direction, Usage};

use crate::profile::recipe::{Choice, Column, Encoding, Party, PartySource, SkipTest, Slot, TimeSource};
use crate::profile::{Layout, Profile};

use super::amount;
use super::field::{Field, Row};
use super::hash_domain;
use super::number::{self, Reading};
use super::quoted::Fields;
use super::time::{self, Start};

/// A line without its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    pub data: &'a [u8],
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
struct Fault {
    reason: Reason,
    at: usize,
}

/// What a row says, before any of it is stored.
#[derive(Debug, Clone, Copy)]
struct Values<'a> {
    usage: Usage,
    served: (Reading, Option<Field<'a>>),
    other: (Reading, Option<Field<'a>>),
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

/// The provider's rate classes of a batch and their codes.
#[derive(Debug, Default)]
struct Classes {
    codes: HashMap<Box<[u8]>, u16>,
    names: Vec<Arc<str>>,
    last: (Vec<u8>, u16),
}

/// Fills the columns of one batch.
pub(super) struct RowReader<'a> {
    profile: &'a Profile,
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
    unquoted: Fields,
}

impl<'a> RowReader<'a> {
    pub fn new(profile: &'a Profile, layout: &'a Layout, hasher: &'a RecordHasher, first_row: u64) -> Self {
        Self {
            profile,
            layout,
            hasher,
            first_row,
            rows: 0,
            columns: ParsedColumns::default(),
            malformed: Vec::new(),
            skipped: vec![0; profile.recipe.skip.len()],
            texts: Vec::new(),
            classes: Classes::default(),
            unquoted: Fields::default(),
        }
    }

    /// Makes room for the columns that every layout has.
    pub fn reserve(&mut self, rows: usize) {
        let c = &mut self.columns;
        c.row.reserve(rows);
        c.offset.reserve(rows);
        c.length.reserve(rows);
        c.key.reserve(rows);
        c.usage.reserve(rows);
        c.a_number.reserve(rows);
        c.b_number.reserve(rows);
        c.start_us.reserve(rows);
        c.offset_s.reserve(rows);
        c.duration_s.reserve(rows);
    }

    /// Reads a line. `ends` are where its fields end if it is plain: without quotes, and only printable ASCII.
    #[inline]
    pub fn take(&mut self, line: Line<'_>, ends: &[u32], is_plain: bool) {
        if line.begin == line.end && self.profile.file.ignores_blank_lines {
            return;
        }
        let result = if line.end - line.begin > self.profile.file.row_bytes_max {
            Err(Fault { reason: Reason::Columns, at: 0 })
        } else if is_plain {
            self.read(line, Row { data: line.data, begin: line.begin, ends }, line.raw())
        } else {
            self.read_carefully(line, ends)
        };
        if let Err(fault) = result {
            self.keep_malformed(line.raw(), line.offset, fault);
        }
        self.rows += 1;
    }

    /// Keeps the beginning of a line that is longer than any row may be.
    #[cold]
    pub fn take_endless(&mut self, raw: &[u8], offset: u64) {
        self.keep_malformed(raw.strip_suffix(b"\r").unwrap_or(raw), offset, Fault { reason: Reason::Columns, at: 0 });
        self.rows += 1;
    }

    #[cold]
    fn keep_malformed(&mut self, raw: &[u8], offset: u64, fault: Fault) {
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
    fn read_carefully(&mut self, line: Line<'_>, ends: &[u32]) -> Result<(), Fault> {
        let raw = line.raw();
        let (separator, quote) = (self.profile.file.separator, self.profile.file.quote);
        if let Some(position) = first_bad_byte(self.profile.file.encoding, raw) {
            return Err(Fault { reason: Reason::Encoding, at: column_of(&raw[..position], separator, quote) });
        }
        let Some(quote) = quote.filter(|q| raw.contains(q)) else {
            return self.read(line, Row { data: line.data, begin: line.begin, ends }, raw);
        };
        let mut unquoted = std::mem::take(&mut self.unquoted);
        let result = match unquoted.split(raw, separator, Some(quote)) {
            Err(broken) => Err(Fault { reason: Reason::Columns, at: broken.0 }),
            Ok(()) => {
                unquoted.make_canonical(separator, quote);
                self.read(line, unquoted.row(), unquoted.canonical())
            }
        };
        self.unquoted = unquoted;
        result
    }

    /// Makes the tests in their order and, if all hold, stores the row.
    #[inline]
    fn read(&mut self, line: Line<'_>, row: Row<'_>, canonical: &[u8]) -> Result<(), Fault> {
        let wanted = self.layout.fields();
        let found = row.ends.len();
        if found != wanted && (found < wanted || !self.profile.file.takes_extra_fields) {
            return Err(Fault { reason: Reason::Columns, at: found.min(wanted) });
        }
        if let Some(rule) = self.skip_rule(&row) {
            self.skipped[rule] += 1;
            return Ok(());
        }
        if let Some(slot) = self.profile.recipe.record_id
            && row.field(self.layout.at(slot)).is_empty()
            && matches!(self.profile.key_mode(), KeyMode::Id | KeyMode::IdAndContent)
        {
            return Err(Fault { reason: Reason::Columns, at: self.layout.at(slot) });
        }
        let values = self.values(&row)?;
        self.store(line, &row, canonical, &values);
        Ok(())
    }

    /// The first rule that leaves the row out.
    #[inline]
    fn skip_rule(&self, row: &Row<'_>) -> Option<usize> {
        self.profile.recipe.skip.iter().position(|rule| {
            let field = row.field(self.layout.at(rule.slot));
            match &rule.test {
                SkipTest::Equals(words) => words.get(field).is_some(),
                SkipTest::NotEquals(words) => words.get(field).is_none(),
                SkipTest::Empty => field.is_empty(),
            }
        })
    }

    #[inline]
    fn values<'r>(&mut self, row: &Row<'r>) -> Result<Values<'r>, Fault> {
        let recipe = &self.profile.recipe;
        let kind = self.choose(&recipe.kind, row)?;
        let direction: Direction = self.choose(&recipe.direction, row)?;
        let absent = (Reading::Number(Number::ABSENT), None);
        let (served, other) = match &recipe.other {
            Some(other) if !other.not_for[kind as usize] => {
                let (mut from, mut to) = (recipe.served.from, other.from);
                if recipe.swap_for[direction as usize] {
                    std::mem::swap(&mut from, &mut to);
                }
                (self.party(&recipe.served, from, row)?, self.party(other, to, row)?)
            }
            _ => (self.party(&recipe.served, recipe.served.from, row)?, absent),
        };
        let imsi = self.card(recipe.imsi.as_ref(), amount::imsi, row)?;
        let iccid = self.card(recipe.iccid.as_ref(), amount::iccid, row)?;
        let start = time::read(recipe, self.layout, row).map_err(|(reason, at)| Fault { reason, at })?;
        let duration_s = match &recipe.duration {
            Some(rule) => self.test(Reason::Duration, rule.slot, row, |f| amount::duration(rule, f))?,
            None => 0,
        };
        let (mut up, mut down) = (0, 0);
        if let Some(rule) = &recipe.volume {
            for (slot, value) in [(rule.up, &mut up), (rule.down, &mut down)] {
                if let Some(slot) = slot {
                    *value = self.test(Reason::Volume, slot, row, |f| amount::volume(rule, f))?;
                }
            }
        }
        let messages = match &recipe.messages {
            Some(rule) => self.test(Reason::Volume, rule.slot, row, |f| {
                let parts = if f.is_empty() && !rule.required { 1 } else { f.natural()? };
                i32::try_from(parts).ok().filter(|_| (1..=rule.max).contains(&parts))
            })?,
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
        Ok(Values { usage, served, other, imsi, iccid, start, duration_s, up, down, messages, network, cost_nano, class })
    }

    /// Reads a field; a reading that finds nothing is a fault of that column.
    #[inline]
    fn test<T>(&self, reason: Reason, slot: Slot, row: &Row<'_>, read: impl FnOnce(Field<'_>) -> Option<T>) -> Result<T, Fault> {
        let at = self.layout.at(slot);
        read(row.field(at)).ok_or(Fault { reason, at })
    }

    #[inline]
    fn choose<T: Copy>(&self, choice: &Choice<T>, row: &Row<'_>) -> Result<T, Fault> {
        match choice {
            Choice::Constant(value) => Ok(*value),
            Choice::Mapped { slot, words, fallback } => self.test(Reason::Kind, *slot, row, |f| words.get(f).or(*fallback)),
        }
    }

    #[inline]
    fn party<'r>(&self, party: &Party, source: PartySource, row: &Row<'r>) -> Result<(Reading, Option<Field<'r>>), Fault> {
        let slot = match source {
            PartySource::Constant(number) => return Ok((Reading::Number(number), None)),
            PartySource::Column(slot) => slot,
        };
        let at = self.layout.at(slot);
        let field = row.field(at);
        if field.is_empty() && !party.required {
            return Ok((Reading::Number(Number::ABSENT), None));
        }
        match number::read(&self.profile.recipe.numbers, party, field) {
            Reading::Malformed => Err(Fault { reason: Reason::Number, at }),
            reading => Ok((reading, Some(field))),
        }
    }

    #[inline]
    fn card(&self, column: Option<&Column>, read: fn(Field<'_>) -> Option<u64>, row: &Row<'_>) -> Result<u64, Fault> {
        let Some(column) = column else { return Ok(0) };
        self.test(Reason::Number, column.slot, row, |f| if f.is_empty() && !column.required { Some(0) } else { read(f) })
    }

    /// The code of the row's rate class plus one; 0 where it has none.
    #[inline]
    fn class(&mut self, row: &Row<'_>) -> Result<u16, Fault> {
        let Some(column) = &self.profile.recipe.class else { return Ok(0) };
        let at = self.layout.at(column.slot);
        let field = row.field(at);
        match (field.is_empty(), column.required) {
            (true, false) => return Ok(0),
            (true, true) => return Err(Fault { reason: Reason::Columns, at }),
            (false, _) if self.classes.last.0 == field.bytes() => return Ok(self.classes.last.1),
            (false, _) => {}
        }
        let code = match self.classes.codes.get(field.bytes()) {
            Some(code) => *code,
            None => {
                // A column with more classes than codes holds something else.
                let code = u16::try_from(self.classes.names.len() + 1).map_err(|_| Fault { reason: Reason::Columns, at })?;
                self.classes.names.push(self.profile.decode(field.bytes()).into());
                self.classes.codes.insert(field.bytes().into(), code);
                code
            }
        };
        self.classes.last.0.clear();
        self.classes.last.0.extend_from_slice(field.bytes());
        self.classes.last.1 = code;
        Ok(code)
    }

    #[inline]
    fn store(&mut self, line: Line<'_>, row: &Row<'_>, canonical: &[u8], values: &Values<'_>) {
        let recipe = &self.profile.recipe;
        let id = recipe.record_id.map(|slot| row.field(self.layout.at(slot)).bytes());
        let c = &mut self.columns;
        let (key, content) = keys(self.profile.key_mode(), self.hasher, id, canonical);
        c.key.push(key);
        c.content.extend(content);
        if let Some(id) = id {
            push_text(&mut c.record_id, self.profile, id);
        }
        c.row.push(self.first_row + self.rows);
        c.offset.push(line.offset);
        c.length.push(u32::try_from(line.end - line.begin).expect("a row is at most 16 MiB"));
        c.usage.push(values.usage);
        c.start_us.push(values.start.start_us);
        c.offset_s.push(values.start.offset_s);
        c.duration_s.push(values.duration_s);
        if let TimeSource::Written { has_offset: false, .. } = recipe.time {
            c.time_flag.push(values.start.flag as u8);
        }
        if recipe.imsi.is_some() {
            c.imsi.push(values.imsi);
        }
        if recipe.iccid.is_some() {
            c.iccid.push(values.iccid);
        }
        if let Some(volume) = &recipe.volume {
            if volume.up.is_some() {
                c.bytes_up.push(values.up);
            }
            if volume.down.is_some() {
                c.bytes_down.push(values.down);
            }
        }
        if recipe.messages.is_some() {
            c.messages.push(values.messages);
        }
        if recipe.network.is_some() {
            c.network.push(values.network);
        }
        if recipe.class.is_some() {
            c.class.push(values.class);
        }
        if recipe.cost.is_some() {
            c.cost_nano.push(values.cost_nano);
        }
        let served = self.keep_number(values.served);
        let other = self.keep_number(values.other);
        self.columns.a_number.push(served);
        self.columns.b_number.push(other);
    }

    #[inline]
    fn keep_number(&mut self, (reading, field): (Reading, Option<Field<'_>>)) -> Number {
        match (reading, field) {
            (Reading::Number(number), _) => number,
            (Reading::Text(kind), Some(field)) => {
                let position = u32::try_from(self.texts.len()).expect("a batch has fewer rows than that");
                self.texts.push(self.profile.decode(field.bytes()).into_owned());
                Number::text(kind, position)
            }
            (Reading::Text(_), None) | (Reading::Malformed, _) => unreachable!("texts come with their field, malformed rows never"),
        }
    }

    /// The batch; INV-2 holds for it.
    pub fn finish(self, file: &Arc<FileContext>) -> ParsedBatch {
        let mut skipped = BTreeMap::new();
        for (rule, count) in self.profile.recipe.skip.iter().zip(self.skipped).filter(|(_, count)| *count > 0) {
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

/// A row's key and, where ids name rows, the hash of its content.
#[inline]
fn keys(mode: KeyMode, hasher: &RecordHasher, id: Option<&[u8]>, canonical: &[u8]) -> (u128, Option<u64>) {
    match mode {
        KeyMode::Content | KeyMode::ContentAndOccurrence => (hasher.hash(hash_domain::CONTENT, canonical), None),
        // All fields, so the id among them.
        KeyMode::IdAndContent => (hasher.hash(hash_domain::ID_AND_CONTENT, canonical), None),
        KeyMode::Id => {
            let content = hasher.hash(hash_domain::CONTENT, canonical) & u128::from(u64::MAX);
            let content = u64::try_from(content).expect("masked to 64 bits");
            (hasher.hash(hash_domain::RECORD_ID, id.unwrap_or_default()), Some(content))
        }
    }
}

#[inline]
fn push_text(texts: &mut Texts, profile: &Profile, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) if profile.file.encoding == Encoding::Utf8 || text.is_ascii() => texts.push(text),
        _ => texts.push(&profile.decode(bytes)),
    }
}

/// The first byte that is no text: a control character other than a tab, or none of the encoding's.
pub(crate) fn first_bad_byte(encoding: Encoding, line: &[u8]) -> Option<usize> {
    let is_control = |c: &u8| *c < b' ' && *c != b'\t' || *c == 0x7f;
    let control = line.iter().position(is_control);
    let foreign = match encoding {
        Encoding::Utf8 => std::str::from_utf8(line).err().map(|e| e.valid_up_to()),
        // Latin-1 has control characters there; files that use them are in another encoding.
        Encoding::Latin1 => line.iter().position(|c| (0x80..0xa0).contains(c)),
    };
    match (control, foreign) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The position of the column that follows these bytes of a row.
fn column_of(before: &[u8], separator: u8, quote: Option<u8>) -> usize {
    let (mut column, mut inside) = (0, false);
    for byte in before {
        if Some(*byte) == quote {
            inside = !inside;
        } else if *byte == separator && !inside {
            column += 1;
        }
    }
    column
}
