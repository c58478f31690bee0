//! Records as XML elements: columns by a path of elements and attributes.

pub(crate) mod pieces;
pub(crate) mod scan;

use domain::outcome::Reason;

use crate::parse::field::Row;
use crate::parse::row::Fault;
use crate::profile::charset::Encoding;

use super::CutFields;
use super::cut::Cut;
use super::paths::{Node, Path, Paths};
use scan::Visitor;

/// How the records of an XML file are found and cut.
#[derive(Debug, Clone)]
pub(crate) struct XmlForm {
    /// Attributes are names with an `@` before them.
    pub paths: Paths,
    /// The elements around the records, the root first.
    pub around: Path,
    pub record: Vec<u8>,
    /// Elements beside the records that mean nothing.
    pub ignored: Vec<Vec<u8>>,
    pub depth_max: u32,
    pub encoding: Encoding,
}

/// Cuts XML elements.
pub(crate) struct XmlCutter<'p> {
    form: &'p XmlForm,
    cut: Cut,
    seen: Vec<u64>,
    record: u64,
    text: Vec<u8>,
    value: Vec<u8>,
    canonical: Vec<u8>,
}

impl<'p> XmlCutter<'p> {
    pub fn new(form: &'p XmlForm) -> Self {
        let seen = vec![0; form.paths.len()];
        let (text, value, canonical) = (Vec::new(), Vec::new(), Vec::new());
        Self { form, cut: Cut::default(), seen, record: 0, text, value, canonical }
    }
}

impl CutFields for XmlCutter<'_> {
    fn cut(&mut self, record: &[u8]) -> Result<(), Fault> {
        let columns = self.form.paths.columns();
        if self.form.encoding.first_foreign(record).is_some() {
            return Err(Fault { reason: Reason::Encoding, at: columns });
        }
        self.record += 1;
        self.cut.begin(columns);
        self.text.clear();
        self.canonical.clear();
        let mut elements = Elements {
            form: self.form,
            cut: &mut self.cut,
            seen: &mut self.seen,
            record: self.record,
            text: &mut self.text,
            value: &mut self.value,
            canonical: &mut self.canonical,
            around: Vec::new(),
            fault: None,
        };
        let read = scan::element(record, 0, self.form.depth_max, &mut scan::Open::new(), &mut elements);
        let fault = elements.fault;
        if read != Ok(record.len()) {
            return Err(Fault { reason: Reason::Columns, at: columns });
        }
        if let Some(fault) = fault {
            return Err(fault);
        }
        self.cut.finish();
        Ok(())
    }

    fn row(&self) -> Row<'_> {
        self.cut.row()
    }

    fn has(&self, column: usize) -> bool {
        self.form.paths.node_of(column).is_some_and(|node| self.seen[node] == self.record)
    }

    fn canonical<'r>(&'r self, _: &'r [u8]) -> &'r [u8] {
        &self.canonical
    }
}

/// An element that is open: its place in the tree of paths, if it has one, and where its text begins.
#[derive(Debug, Clone, Copy)]
struct Level {
    node: Option<Node>,
    text_from: usize,
}

/// Picks the values of the columns out of what goes by.
struct Elements<'c> {
    form: &'c XmlForm,
    cut: &'c mut Cut,
    seen: &'c mut [u64],
    record: u64,
    /// The texts of the open elements that are columns, one behind the other.
    text: &'c mut Vec<u8>,
    value: &'c mut Vec<u8>,
    canonical: &'c mut Vec<u8>,
    around: Vec<Level>,
    /// The first thing that is wrong.
    fault: Option<Fault>,
}

impl Elements<'_> {
    fn fail(&mut self, reason: Reason, at: usize) {
        self.fault = self.fault.or(Some(Fault { reason, at }));
    }

    /// Writes a part of the content: what it is, how long it is, and it.
    fn note(&mut self, what: u8, part: &[u8]) {
        self.canonical.push(what);
        self.canonical.extend_from_slice(&part.len().to_le_bytes());
        self.canonical.extend_from_slice(part);
    }

    /// The place below another one; the second of a kind says two things.
    fn below(&mut self, node: Node, name: &[u8]) -> Option<Node> {
        let below = self.form.paths.below(node, name)?;
        if std::mem::replace(&mut self.seen[below], self.record) == self.record {
            self.fail(Reason::Columns, self.form.paths.first_column(below));
        }
        Some(below)
    }

    /// Gives a column the text that stands in `value`.
    fn put(&mut self, column: usize) {
        for c in self.value.iter_mut().filter(|c| matches!(c, b'\n' | b'\r' | b'\t')) {
            *c = b' ';
        }
        let put = self.cut.put(column, self.value.trim_ascii());
        self.fault = self.fault.or(put.err());
    }
}

impl<'a> Visitor<'a> for Elements<'_> {
    fn open(&mut self, name: &'a [u8]) {
        self.note(b'<', name);
        let node = match self.around.last().copied() {
            None => Some(Paths::ROOT),
            Some(Level { node: None, .. }) => None,
            Some(Level { node: Some(outer), .. }) => {
                let below = self.below(outer, name);
                if let (None, Some(column)) = (below, self.form.paths.column(outer)) {
                    // A column is a text; with elements in it, the path ends too early.
                    self.fail(Reason::Columns, column);
                }
                below
            }
        };
        self.around.push(Level { node, text_from: self.text.len() });
    }

    fn attribute(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.note(b'@', name);
        self.note(b'=', value);
        let Some(Level { node: Some(node), .. }) = self.around.last().copied() else { return };
        self.value.clear();
        self.value.push(b'@');
        self.value.extend_from_slice(name);
        let name = std::mem::take(self.value);
        let below = self.below(node, &name);
        *self.value = name;
        if let Some(column) = below.and_then(|below| self.form.paths.column(below)) {
            self.value.clear();
            match unescape(self.form.encoding, value, self.value) {
                Ok(()) => self.put(column),
                Err(reason) => self.fail(reason, column),
            }
        }
    }

    fn text(&mut self, text: &'a [u8], is_verbatim: bool) {
        let trimmed = if is_verbatim { text } else { text.trim_ascii() };
        if !trimmed.is_empty() {
            self.note(if is_verbatim { b'!' } else { b'"' }, trimmed);
        }
        let Some(Level { node: Some(node), .. }) = self.around.last().copied() else { return };
        let Some(column) = self.form.paths.column(node) else { return };
        if is_verbatim {
            self.text.extend_from_slice(text);
        } else if let Err(reason) = unescape(self.form.encoding, text, self.text) {
            self.fail(reason, column);
        }
    }

    fn close(&mut self) {
        self.canonical.push(b'>');
        let Some(Level { node, text_from }) = self.around.pop() else { return };
        let Some(column) = node.and_then(|node| self.form.paths.column(node)) else { return };
        self.value.clear();
        self.value.extend(self.text.drain(text_from..));
        self.put(column);
    }
}

/// Writes a text of XML with the characters that its references stand for. Entities that a document type would have to define
/// are not known.
pub(super) fn unescape(encoding: Encoding, text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        let length = rest[at..].iter().take(12).position(|c| *c == b';').ok_or(Reason::Columns)?;
        let character = match &rest[at + 1..at + length] {
            b"amp" => '&',
            b"lt" => '<',
            b"gt" => '>',
            b"quot" => '"',
            b"apos" => '\'',
            number => numbered(number).ok_or(Reason::Columns)?,
        };
        let bytes = encoding.encode(character.encode_utf8(&mut [0; 4])).ok_or(Reason::Encoding)?;
        out.extend_from_slice(&bytes);
        rest = &rest[at + length + 1..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// The character of `#233` or `#xe9`.
fn numbered(reference: &[u8]) -> Option<char> {
    let digits = std::str::from_utf8(reference.strip_prefix(b"#")?).ok()?;
    let is_plain = |digits: &str| digits.bytes().all(|c| c.is_ascii_hexdigit());
    let number = match digits.strip_prefix('x') {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok().filter(|_| is_plain(hexadecimal)),
        None => digits.parse().ok().filter(|_| is_plain(digits)),
    };
    char::from_u32(number?)
}
