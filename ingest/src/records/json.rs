//! Records as JSON objects: columns by a path of names, and the array in which the records stand.

pub(crate) mod array;
pub(crate) mod scan;

use domain::outcome::Reason;

use crate::parse::field::Row;
use crate::parse::row::Fault;

use super::CutFields;
use super::cut::Cut;
use super::paths::{Node, Path, Paths};
use scan::{Flaw, Scalar, Visitor, Whole};

/// How the records of a JSON file are cut.
#[derive(Debug, Clone)]
pub(crate) struct JsonForm {
    pub paths: Paths,
    pub depth_max: u32,
    /// The names of the members that lead to the array of records.
    pub list: Path,
}

/// Cuts JSON objects.
pub(crate) struct JsonCutter<'p> {
    form: &'p JsonForm,
    cut: Cut,
    /// For each name of the tree, the record in which it was seen last: a name that comes twice says two things.
    seen: Vec<u64>,
    record: u64,
    text: Vec<u8>,
    compact: Vec<u8>,
    has_blanks: bool,
}

impl<'p> JsonCutter<'p> {
    pub fn new(form: &'p JsonForm) -> Self {
        let seen = vec![0; form.paths.len()];
        Self { form, cut: Cut::default(), seen, record: 0, text: Vec::new(), compact: Vec::new(), has_blanks: false }
    }

    fn whole_record<T>(&self) -> Result<T, Fault> {
        Err(Fault { reason: Reason::Columns, at: self.form.paths.columns() })
    }
}

impl CutFields for JsonCutter<'_> {
    fn cut(&mut self, record: &[u8]) -> Result<(), Fault> {
        let columns = self.form.paths.columns();
        if std::str::from_utf8(record).is_err() {
            return Err(Fault { reason: Reason::Encoding, at: columns });
        }
        let from = scan::skip_blanks(record, 0);
        if record.get(from) != Some(&b'{') {
            return self.whole_record();
        }
        self.record += 1;
        self.cut.begin(columns);
        let mut fields = Members {
            paths: &self.form.paths,
            cut: &mut self.cut,
            seen: &mut self.seen,
            record: self.record,
            text: &mut self.text,
            around: [None; scan::DEPTH_LIMIT as usize],
            depth: 0,
            next: Some(Paths::ROOT),
            fault: None,
        };
        let read = scan::value(record, from, self.form.depth_max, &mut fields);
        let fault = fields.fault;
        let whole = match read {
            Ok(whole) if scan::skip_blanks(record, whole.end) == record.len() => whole,
            _ => return self.whole_record(),
        };
        if let Some(fault) = fault {
            return Err(fault);
        }
        self.cut.finish();
        self.has_blanks = whole.has_blanks || from > 0 || whole.end < record.len();
        if self.has_blanks {
            compact(record, &mut self.compact);
        }
        Ok(())
    }

    fn row(&self) -> Row<'_> {
        self.cut.row()
    }

    fn has(&self, column: usize) -> bool {
        self.form.paths.node_of(column).is_some_and(|node| self.seen[node] == self.record)
    }

    fn canonical<'r>(&'r self, record: &'r [u8]) -> &'r [u8] {
        if self.has_blanks { &self.compact } else { record }
    }
}

/// A record without the blanks that mean nothing; it must be JSON.
fn compact(record: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in record {
        if in_text {
            (in_text, is_escaped) = (is_escaped || *byte != b'"', !is_escaped && *byte == b'\\');
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = *byte == b'"';
        }
        out.push(*byte);
    }
}

/// Picks the values of the columns out of what goes by.
struct Members<'c> {
    paths: &'c Paths,
    cut: &'c mut Cut,
    seen: &'c mut [u64],
    record: u64,
    text: &'c mut Vec<u8>,
    /// The names of the objects that are open, innermost last; `None` where no column is below.
    around: [Option<Node>; scan::DEPTH_LIMIT as usize],
    depth: usize,
    /// The name of the value that comes next, if a column is at or below it.
    next: Option<Node>,
    /// The first thing that is wrong.
    fault: Option<Fault>,
}

impl Members<'_> {
    fn fail(&mut self, reason: Reason, node: Node) {
        let at = self.paths.first_column(node);
        self.fault = self.fault.or(Some(Fault { reason, at }));
    }

    fn put(&mut self, node: Node, scalar: Scalar<'_>) {
        let Some(column) = self.paths.column(node) else {
            // Columns are below it, so it should be an object; an absent one may be `null`.
            if scalar != Scalar::Null {
                self.fail(Reason::Columns, node);
            }
            return;
        };
        let put = match scalar {
            Scalar::Null => return,
            Scalar::Word(word) => self.cut.put(column, word),
            Scalar::Text(text) if !text.contains(&b'\\') => self.cut.put(column, text),
            Scalar::Text(text) => {
                self.text.clear();
                match unescape(text, self.text) {
                    Some(()) => self.cut.put(column, self.text),
                    None => Err(Fault { reason: Reason::Encoding, at: column }),
                }
            }
        };
        self.fault = self.fault.or(put.err());
    }
}

impl<'a> Visitor<'a> for Members<'_> {
    #[inline]
    fn name(&mut self, name: &'a [u8]) {
        let Some(node) = self.around[self.depth - 1] else {
            self.next = None;
            return;
        };
        self.next = if name.contains(&b'\\') {
            self.text.clear();
            unescape(name, self.text).and_then(|()| self.paths.below(node, self.text))
        } else {
            self.paths.below(node, name)
        };
        if let Some(next) = self.next
            && std::mem::replace(&mut self.seen[next], self.record) == self.record
        {
            self.fail(Reason::Columns, next);
        }
    }

    fn open(&mut self, is_object: bool) {
        let node = self.next.take();
        if let Some(node) = node
            && !(is_object && self.paths.goes_on(node))
        {
            self.fail(Reason::Columns, node);
        }
        self.around[self.depth] = node.filter(|_| is_object);
        self.depth += 1;
    }

    #[inline]
    fn close(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    fn scalar(&mut self, scalar: Scalar<'a>) {
        if let Some(node) = self.next.take() {
            self.put(node, scalar);
        }
    }
}

/// Writes a text of JSON without its escapes; `None` for half a pair of surrogates, which is no character.
pub(crate) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let escape = *rest.get(at + 1)?;
        rest = &rest[at + 2..];
        let plain = match escape {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (c, length) = unicode(rest)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
                continue;
            }
            other => other,
        };
        out.push(plain);
    }
    out.extend_from_slice(rest);
    Some(())
}

/// The character behind `\u`, and how many bytes say it.
fn unicode(text: &[u8]) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = std::str::from_utf8(text.get(from..from + 4)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 4));
    }
    let second = unit(6).filter(|second| text[4..6] == *b"\\u" && (0xdc00..0xe000).contains(second))?;
    Some((char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?, 10))
}

/// Whether an object is there as a whole, and has nothing but blanks behind it: a line that is cut off has not.
pub(crate) fn is_whole(line: &[u8], depth_max: u32) -> bool {
    match scan::value(line, 0, depth_max, &mut scan::Blind) {
        Ok(Whole { end, .. }) => scan::skip_blanks(line, end) == line.len(),
        Err(Flaw::Cut) => false,
        Err(_) => true,
    }
}
