//! The line at the end of a file that says how many rows there are and what they sum to.

use crate::parse::amount::signed_nano;
use crate::parse::field::Field;
use crate::parse::quoted::Fields;
use crate::profile::recipe::{Reader, Trailer, TrailerPlace};
use crate::profile::{Layout, Profile};

/// What the trailer announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announced {
    /// The line that it stands on, from 1.
    pub line: u64,
    /// The count; `None` if the field is not there.
    pub rows: Option<Result<u64, String>>,
    /// The sum in nano-units, if the profile declares one; `None` if the field is not there.
    pub sum_nano: Option<Result<i128, String>>,
}

/// Compares what the trailer announces with what the file holds.
#[derive(Debug, Default)]
pub(super) struct TrailerCheck {
    pub announced: Option<Announced>,
    /// Rows that stand behind the trailer, where none may.
    pub rows_after: u64,
    /// The sum of the amounts that could be read.
    pub sum_nano: i128,
    /// Rows whose amount could not be read: they are malformed and kept, so the sum cannot be compared.
    pub unreadable: u64,
}

/// Whether the first field of a line is the trailer's marker.
pub(crate) fn is_trailer(trailer: &Trailer, profile: &Profile, line: &[u8]) -> bool {
    if let Reader::FixedWidth(_) = profile.reader {
        return line.starts_with(&trailer.marker);
    }
    let (separator, quote) = (profile.file.separator, profile.file.quote);
    let after = |text: &[u8]| text.first().is_none_or(|c| *c == separator);
    if let Some(rest) = line.strip_prefix(&trailer.marker[..]) {
        return after(rest);
    }
    let Some(quote) = quote.filter(|q| line.first() == Some(q)) else { return false };
    let rest = line[1..].strip_prefix(&trailer.marker[..]).and_then(|rest| rest.strip_prefix(&[quote]));
    rest.is_some_and(after)
}

impl TrailerCheck {
    pub fn is_seen(&self) -> bool {
        self.announced.is_some()
    }

    pub fn note_row_after(&mut self) {
        self.rows_after += 1;
    }

    /// Reads a trailer; of several the last counts, and the rows between them stand behind the first.
    pub fn take(&mut self, profile: &Profile, trailer: &Trailer, line: &[u8], number: u64, fields: &mut Fields) {
        let is_cut = fields.split(line, profile.file.separator, profile.file.quote).is_err();
        if is_cut && matches!(trailer.rows, TrailerPlace::Field(_)) {
            self.announced = Some(Announced { line: number, rows: None, sum_nano: None });
            return;
        }
        let row = fields.row();
        let at = |place: TrailerPlace| match (place, &profile.reader) {
            (TrailerPlace::Span(span), Reader::FixedWidth(form)) => form.figure(line, &span).map(Field::of),
            (TrailerPlace::Field(at), _) if at < row.len() => Some(row.field(at)),
            _ => None,
        };
        let shown = |f: Field<'_>| profile.decode(f.bytes()).chars().take(24).collect::<String>();
        let rows = at(trailer.rows).map(|f| f.natural().ok_or_else(|| shown(f)));
        let cost = profile.recipe.as_ref().and_then(|recipe| recipe.cost.as_ref());
        let sum_nano = trailer.sum.and_then(at).zip(cost).map(|(f, cost)| signed_nano(cost, f).ok_or_else(|| shown(f)));
        self.announced = Some(Announced { line: number, rows, sum_nano });
    }

    /// Adds the amount of a row.
    pub fn add_amount(&mut self, profile: &Profile, layout: Option<&Layout>, line: &[u8], fields: &mut Fields) {
        match amount(profile, layout, line, fields) {
            Some(nano) => self.sum_nano = self.sum_nano.saturating_add(nano),
            None => self.unreadable += 1,
        }
    }
}

fn amount(profile: &Profile, layout: Option<&Layout>, line: &[u8], fields: &mut Fields) -> Option<i128> {
    let cost = profile.recipe.as_ref()?.cost.as_ref()?;
    let at = layout?.at(cost.slot);
    let (separator, quote) = (profile.file.separator, profile.file.quote);
    let of = |field: Field<'_>| if field.is_empty() && !cost.required { Some(0) } else { signed_nano(cost, field) };
    if let Reader::FixedWidth(form) = &profile.reader {
        return if form.fits(line) { of(Field::of(form.value(line, &form.spans[at]))) } else { None };
    }
    if quote.is_some_and(|q| line.contains(&q)) {
        fields.split(line, separator, quote).ok()?;
        let row = fields.row();
        return if at < row.len() { of(row.field(at)) } else { None };
    }
    let mut from = 0;
    for _ in 0..at {
        from += memchr::memchr(separator, &line[from..])? + 1;
    }
    let to = memchr::memchr(separator, &line[from..]).map_or(line.len(), |end| from + end);
    of(Field { data: line, from, to })
}
