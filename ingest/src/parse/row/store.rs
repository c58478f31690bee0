//! Puts a row that has passed all tests into the columns of its batch.

use domain::columns::parsed::{NO_SEQUENCE, ParsedColumns, Partial, Texts};
use domain::delivery::{KeyMode, RecordHasher};
use domain::number::{Number, NumberKind};

use crate::parse::field::{Field, Row};
use crate::parse::hash_domain;
use crate::profile::recipe::{SessionForm, Slot, TimeSource};
use crate::profile::{Layout, Profile};

use super::{Found, Line, RowReader, Values};

impl RowReader<'_> {
    /// Makes room in the columns that this layout fills.
    pub fn reserve(&mut self, rows: usize) {
        let recipe = self.recipe;
        let when = |used: bool| if used { rows } else { 0 };
        let c = &mut self.columns;
        c.row.reserve(rows);
        c.offset.reserve(rows);
        c.length.reserve(rows);
        c.key.reserve(rows);
        c.content.reserve(when(self.profile.key_mode() == KeyMode::Id));
        c.usage.reserve(rows);
        c.a_number.reserve(rows);
        c.b_number.reserve(rows);
        c.start_us.reserve(rows);
        c.offset_s.reserve(rows);
        c.time_flag.reserve(when(has_local_times(&recipe.time)));
        c.duration_s.reserve(rows);
        c.bytes_up.reserve(when(recipe.volume.as_ref().is_some_and(|v| v.up.is_some())));
        c.bytes_down.reserve(when(recipe.volume.as_ref().is_some_and(|v| v.down.is_some())));
        c.network.reserve(when(recipe.network.is_some()));
        c.class.reserve(when(recipe.class.is_some()));
        c.cost_nano.reserve(when(recipe.cost.is_some()));
    }

    #[inline]
    pub(super) fn store(&mut self, line: Line<'_>, row: &Row<'_>, canonical: &[u8], values: &Values) {
        let recipe = self.recipe;
        let id = recipe.record_id.map(|slot| row.field(self.layout.at(slot)));
        let c = &mut self.columns;
        let (key, content) = keys(self.profile.key_mode(), self.hasher, id.map(|f| f.bytes()), canonical);
        c.key.push(key);
        c.content.extend(content);
        if let Some(id) = id {
            push_text(&mut c.record_id, self.profile, row, id);
        }
        c.row.push(self.first_row + self.rows);
        c.offset.push(line.offset);
        c.length.push(u32::try_from(line.end - line.begin).expect("a row is at most 16 MiB"));
        c.usage.push(values.usage);
        c.start_us.push(values.start.us);
        c.offset_s.push(values.start.offset_s);
        c.duration_s.push(values.duration_s);
        if has_local_times(&recipe.time) {
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
        if let Some(session) = &recipe.session {
            store_session(c, session, self.profile, self.layout, row);
        }
        let (served, other) = (self.keep(values.served, row), self.keep(values.other, row));
        self.columns.a_number.push(served);
        self.columns.b_number.push(other);
    }

    /// The number, with the place of its text in the batch if it has one.
    #[inline]
    fn keep(&mut self, found: Found, row: &Row<'_>) -> Number {
        match found.number.kind() {
            NumberKind::Absent | NumberKind::E164 | NumberKind::ShortCode => found.number,
            kind @ (NumberKind::Alphanumeric | NumberKind::Masked) => self.keep_text(kind, row.field(found.at)),
        }
    }

    #[cold]
    fn keep_text(&mut self, kind: NumberKind, field: Field<'_>) -> Number {
        let position = u32::try_from(self.texts.len()).expect("a batch has fewer rows than that");
        self.texts.push(self.profile.decode(field.bytes()).into_owned());
        Number::text(kind, position)
    }
}

/// The session that a row is of; what cannot be read of it is absent, because no charge hangs on it.
fn store_session(c: &mut ParsedColumns, session: &SessionForm, profile: &Profile, layout: &Layout, row: &Row<'_>) {
    let field = |slot: Slot| row.field(layout.at(slot));
    push_text(&mut c.session_id, profile, row, field(session.id));
    if let Some(slot) = session.sequence {
        let digits = std::str::from_utf8(field(slot).bytes()).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        c.session_sequence.push(digits.and_then(|digits| digits.parse().ok()).unwrap_or(NO_SEQUENCE));
    }
    if let Some((slot, words)) = &session.partial {
        c.partial.push(words.get(field(*slot)).unwrap_or(Partial::Whole) as u8);
    }
}

/// Whether times have no offset, so that some may stand for two instants.
#[inline]
fn has_local_times(time: &TimeSource) -> bool {
    matches!(time, TimeSource::Written { has_offset: false, .. })
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
fn push_text(texts: &mut Texts, profile: &Profile, row: &Row<'_>, field: Field<'_>) {
    match row.text.and_then(|text| text.get(field.from..field.to)) {
        Some(text) => texts.push(text),
        None => texts.push(&profile.decode(field.bytes())),
    }
}
