//! Rows of fixed width: columns by first character and width, without what fills them up.

use domain::outcome::Reason;

use crate::parse::encoding::first_bad_byte;
use crate::parse::field::Row;
use crate::parse::row::Fault;
use crate::profile::charset::Encoding;

use super::CutFields;
use super::cut::Cut;

/// A column, in characters from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub from: usize,
    pub to: usize,
    /// What fills the column up, besides blanks.
    pub pad: u8,
    /// On which sides that is cut off.
    pub cuts_left: bool,
    pub cuts_right: bool,
}

impl Span {
    /// A column's value: without blanks around it, and without what fills it up. Of zeros the last one stays where no other
    /// digit follows: `0000` is 0, `0000.5` is 0.5.
    pub fn trim<'a>(&self, column: &'a [u8]) -> &'a [u8] {
        let mut text = trim_blanks(column);
        while self.cuts_left && text.first() == Some(&self.pad) {
            if self.pad == b'0' && !text.get(1).is_some_and(u8::is_ascii_digit) {
                break;
            }
            text = &text[1..];
        }
        while self.cuts_right && text.last() == Some(&self.pad) {
            text = &text[..text.len() - 1];
        }
        trim_blanks(text)
    }
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|c| *c != b' ').unwrap_or(text.len());
    let to = text.iter().rposition(|c| *c != b' ').map_or(from, |last| last + 1);
    &text[from..to]
}

/// How the rows of a file of fixed width are cut.
#[derive(Debug, Clone)]
pub(crate) struct FixedWidth {
    /// By the position of the profile's columns.
    pub spans: Vec<Span>,
    /// How many characters a row has at least.
    pub width: usize,
    /// Whether it may not have more.
    pub is_exact: bool,
    /// Whether a shorter row lost nothing but blanks.
    pub pads: bool,
    pub encoding: Encoding,
}

impl FixedWidth {
    /// A column's value in a line; a column beyond its end is empty.
    pub fn value<'a>(&self, line: &'a [u8], span: &Span) -> &'a [u8] {
        span.trim(slice(line, span, self.is_simple(line)))
    }

    /// A figure of a trailer; `None` if it is empty or the line ends in it: half a count is no count.
    pub fn figure<'a>(&self, line: &'a [u8], span: &Span) -> Option<&'a [u8]> {
        let value = self.value(line, span);
        (self.length(line) >= span.to && !value.is_empty()).then_some(value)
    }

    /// Whether each byte of the line is a character.
    fn is_simple(&self, line: &[u8]) -> bool {
        !self.encoding.reads_utf8() || line.is_ascii()
    }

    /// Whether a line reaches to the end of its last column.
    pub fn is_whole(&self, line: &[u8]) -> bool {
        self.pads || self.length(line) >= self.width
    }

    /// Whether a line is as long as a row.
    pub fn fits(&self, line: &[u8]) -> bool {
        self.has_length(self.length(line))
    }

    fn has_length(&self, characters: usize) -> bool {
        (self.pads || characters >= self.width) && !(self.is_exact && characters > self.width)
    }

    fn length(&self, line: &[u8]) -> usize {
        if self.is_simple(line) { line.len() } else { line.iter().filter(|c| is_first_byte(**c)).count() }
    }

    /// The column in which a character stands, or the first one behind it.
    fn column_at(&self, character: usize) -> usize {
        let behind = self.spans.iter().enumerate().filter(|(_, span)| span.to > character);
        behind.min_by_key(|(_, span)| span.from).map_or(self.spans.len(), |(column, _)| column)
    }
}

fn is_first_byte(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn slice<'a>(line: &'a [u8], span: &Span, is_simple: bool) -> &'a [u8] {
    if is_simple {
        return &line[span.from.min(line.len())..span.to.min(line.len())];
    }
    let mut firsts = line.iter().enumerate().filter(|(_, c)| is_first_byte(**c)).map(|(at, _)| at).skip(span.from);
    let from = firsts.next().unwrap_or(line.len());
    let to = firsts.nth(span.to - span.from - 1).unwrap_or(line.len());
    &line[from..to]
}

/// Cuts lines of fixed width.
pub(crate) struct FixedWidthCutter<'p> {
    form: &'p FixedWidth,
    cut: Cut,
}

impl<'p> FixedWidthCutter<'p> {
    pub fn new(form: &'p FixedWidth) -> Self {
        Self { form, cut: Cut::default() }
    }
}

impl CutFields for FixedWidthCutter<'_> {
    fn cut(&mut self, line: &[u8]) -> Result<(), Fault> {
        let form = self.form;
        if let Some(position) = first_bad_byte(form.encoding, line) {
            return Err(Fault { reason: Reason::Encoding, at: form.column_at(form.length(&line[..position])) });
        }
        let is_simple = form.is_simple(line);
        let length = if is_simple { line.len() } else { form.length(line) };
        if !form.has_length(length) {
            return Err(Fault { reason: Reason::Columns, at: form.column_at(length) });
        }
        self.cut.begin(form.spans.len());
        for (column, span) in form.spans.iter().enumerate() {
            self.cut.put(column, span.trim(slice(line, span, is_simple)))?;
        }
        self.cut.finish();
        Ok(())
    }

    fn row(&self) -> Row<'_> {
        self.cut.row()
    }

    fn has(&self, _: usize) -> bool {
        true
    }

    fn canonical<'r>(&'r self, line: &'r [u8]) -> &'r [u8] {
        &line[..line.iter().rposition(|c| *c != b' ').map_or(0, |last| last + 1)]
    }
}
