//! The array of records in a JSON document: where it begins, and its pieces.
//!
//! A damaged record ends where the next one begins: at an object behind a comma that is JSON up to its end, that is followed
//! by a comma or by the end of the array, and that has at least half of the names with which the profile's paths begin.
//! Objects inside of a damaged record hardly ever look like that.

use crate::records::list::{Opening, Piece, Pieces, Step};
use crate::records::paths::Paths;

use super::scan::{self, DEPTH_LIMIT, Flaw, Scalar, Visitor};
use super::{JsonForm, unescape};

/// So many array ends are tried as the end of the list, when its last record is damaged.
const ENDS_MAX: usize = 16;

/// Walks over the array.
#[derive(Debug)]
pub(crate) struct ArrayPieces<'p> {
    form: &'p JsonForm,
    reach: usize,
    /// Whether the bytes are a range of the list: then its end is not among them.
    is_range: bool,
}

impl<'p> ArrayPieces<'p> {
    pub fn new(form: &'p JsonForm, reach: usize, is_range: bool) -> Self {
        Self { form, reach, is_range }
    }

    /// The stretch from a place where no object can be read, up to the next record. Unless it `may_end` the list, the bytes
    /// are an object so far: then a bracket at the end is one of its own, and the file was cut off there.
    #[cold]
    fn bridge(&self, bytes: &[u8], from: usize, is_all: bool, may_end: bool) -> Step {
        let broken = |to: usize| Step::Piece(Piece { from, to: trim(bytes, from, to), is_broken: true });
        let limit = bytes.len().min(from.saturating_add(self.reach));
        for at in memchr::memchr_iter(b'{', &bytes[from + 1..limit]).map(|ahead| from + 1 + ahead) {
            if bytes[trim_blanks(bytes, from, at) - 1] != b',' {
                continue;
            }
            match self.is_record(bytes, at, is_all) {
                Some(true) => return broken(at),
                Some(false) => {}
                None => return Step::More,
            }
        }
        if bytes.len() - from > self.reach {
            return Step::Lost(from);
        }
        if !is_all {
            return Step::More;
        }
        let end = if self.is_range || !may_end { None } else { self.last_end(bytes, from + 1) };
        broken(end.unwrap_or(bytes.len()))
    }

    /// Whether a record begins here; `None` if the bytes end before that can be told. However many bytes there are, no more are
    /// looked at than a record may have.
    fn is_record(&self, bytes: &[u8], at: usize, is_all: bool) -> Option<bool> {
        let mut known = Known { paths: &self.form.paths, depth: 0, found: 0, text: Vec::new() };
        let may_wait = !is_all && bytes.len() - at <= self.reach;
        let end = match scan::value(bytes, at, self.form.depth_max, &mut known) {
            Ok(whole) => scan::skip_blanks(bytes, whole.end),
            Err(Flaw::Cut) if may_wait => return None,
            Err(_) => return Some(false),
        };
        let follows = match bytes.get(end) {
            _ if end - at > self.reach => false,
            Some(next) => b",]".contains(next),
            None if may_wait => return None,
            None => is_all,
        };
        Some(follows && 2 * known.found >= self.form.paths.names_below(Paths::ROOT))
    }

    /// Where the array may end, seen from the end of the document.
    fn last_end(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let ends = memchr::memrchr_iter(b']', &bytes[from..]).map(|ahead| from + ahead).take(ENDS_MAX);
        ends.filter(|end| self.is_fitting_end(&bytes[end + 1..])).last()
    }
}

impl Pieces for ArrayPieces<'_> {
    #[inline]
    fn next(&mut self, bytes: &[u8], at: usize, is_all: bool) -> Step {
        let between = bytes[at..].iter().position(|c| !matches!(c, b' ' | b'\t' | b'\n' | b'\r' | b','));
        let from = between.map_or(bytes.len(), |ahead| at + ahead);
        if from - at > self.reach {
            return Step::Lost(at);
        }
        let Some(first) = bytes.get(from) else { return if is_all { Step::Open } else { Step::More } };
        match first {
            b']' if !self.is_range => Step::End(from + 1),
            b'{' => match scan::value(bytes, from, DEPTH_LIMIT, &mut scan::Blind) {
                Ok(whole) if whole.end - from <= self.reach => Step::Piece(Piece { from, to: whole.end, is_broken: false }),
                Err(Flaw::Cut) if !is_all && bytes.len() - from <= self.reach => Step::More,
                Err(Flaw::Cut) => self.bridge(bytes, from, is_all, false),
                _ => self.bridge(bytes, from, is_all, true),
            },
            _ => self.bridge(bytes, from, is_all, true),
        }
    }

    fn is_fitting_end(&self, bytes: &[u8]) -> bool {
        let around = u32::try_from(self.form.list.len()).unwrap_or(DEPTH_LIMIT);
        let end = if around == 0 { Ok(0) } else { scan::rest(bytes, 0, around, DEPTH_LIMIT).map(|whole| whole.end) };
        end.is_ok_and(|end| scan::skip_blanks(bytes, end) == bytes.len())
    }
}

/// The end of what stands before `to`, without the blanks there.
fn trim_blanks(bytes: &[u8], from: usize, to: usize) -> usize {
    bytes[from..to].iter().rposition(|c| !c.is_ascii_whitespace()).map_or(from + 1, |last| from + last + 1)
}

/// As [`trim_blanks`], without commas either.
fn trim(bytes: &[u8], from: usize, to: usize) -> usize {
    let last = bytes[from..to].iter().rposition(|c| !matches!(c, b' ' | b'\t' | b'\n' | b'\r' | b','));
    last.map_or(from + 1, |last| from + last + 1)
}

/// Counts the members of an object that lead to columns.
struct Known<'p> {
    paths: &'p Paths,
    depth: u32,
    found: usize,
    text: Vec<u8>,
}

impl<'a> Visitor<'a> for Known<'_> {
    fn name(&mut self, name: &'a [u8]) {
        if self.depth != 1 {
            return;
        }
        self.text.clear();
        let is_text = unescape(name, &mut self.text).is_some();
        self.found += usize::from(is_text && self.paths.below(Paths::ROOT, &self.text).is_some());
    }
    fn open(&mut self, _: bool) {
        self.depth += 1;
    }
    fn close(&mut self) {
        self.depth -= 1;
    }
    fn scalar(&mut self, _: Scalar<'a>) {}
}

/// Finds the array from the beginning of the document.
pub(crate) fn open(form: &JsonForm, bytes: &[u8], is_all: bool) -> Opening {
    let mut at = 0;
    for (depth, name) in form.list.iter().enumerate() {
        match find_member(bytes, at, name, is_all) {
            Ok(Some(value)) => at = value,
            Ok(None) => return Opening::More,
            Err(Missing::NoObject(found)) => {
                let place = if depth == 0 { "the file".to_owned() } else { format!("`{}`", path(&form.list[..depth])) };
                return Opening::Wrong(format!("{place} begins with {found} where `json.path` wants an object"));
            }
            Err(Missing::Name) => {
                return Opening::Wrong(format!("the document has no `{}`; correct `json.path`", path(&form.list[..=depth])));
            }
            Err(Missing::NoJson(byte)) => {
                return Opening::Wrong(format!(
                    "no JSON at byte {byte}, before the records; ask the provider for the file again"
                ));
            }
        }
    }
    let at = scan::skip_blanks(bytes, at);
    match bytes.get(at) {
        Some(b'[') => Opening::From(at + 1),
        Some(first) => {
            let found = shown(*first);
            let place = if form.list.is_empty() { "the file".to_owned() } else { format!("`{}`", path(&form.list)) };
            Opening::Wrong(format!("{place} begins with {found} and not with an array; correct `json.records` or `json.path`"))
        }
        None if is_all => Opening::Wrong("the document ends before its records".to_owned()),
        None => Opening::More,
    }
}

fn path(names: &[Vec<u8>]) -> String {
    names.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(".")
}

fn shown(byte: u8) -> String {
    if byte.is_ascii_graphic() { format!("`{}`", char::from(byte)) } else { format!("the byte 0x{byte:02x}") }
}

enum Missing {
    NoObject(String),
    Name,
    NoJson(usize),
}

/// Where the value of a member begins; `None` if more bytes are needed.
fn find_member(bytes: &[u8], at: usize, wanted: &[u8], is_all: bool) -> Result<Option<usize>, Missing> {
    let mut at = scan::skip_blanks(bytes, at);
    match bytes.get(at) {
        Some(b'{') => at += 1,
        Some(other) => return Err(Missing::NoObject(shown(*other))),
        None if is_all => return Err(Missing::NoJson(at)),
        None => return Ok(None),
    }
    let mut name = Vec::new();
    loop {
        at = scan::skip_blanks(bytes, at);
        match bytes.get(at) {
            Some(b'}') => return Err(Missing::Name),
            Some(b',') => at = scan::skip_blanks(bytes, at + 1),
            _ => {}
        }
        let Some(end) = skip(bytes, at, is_all)? else { return Ok(None) };
        name.clear();
        let is_wanted = bytes.get(at) == Some(&b'"') && unescape(&bytes[at + 1..end - 1], &mut name).is_some() && name == wanted;
        at = scan::skip_blanks(bytes, end);
        match bytes.get(at) {
            Some(b':') => at += 1,
            None if !is_all => return Ok(None),
            _ => return Err(Missing::NoJson(at)),
        }
        if is_wanted {
            return Ok(Some(at));
        }
        let Some(end) = skip(bytes, at, is_all)? else { return Ok(None) };
        at = end;
    }
}

/// The byte after a value; `None` if it may go on behind the bytes.
fn skip(bytes: &[u8], at: usize, is_all: bool) -> Result<Option<usize>, Missing> {
    match scan::value(bytes, at, DEPTH_LIMIT, &mut scan::Blind) {
        Ok(whole) if whole.end == bytes.len() && !is_all => Ok(None),
        Ok(whole) => Ok(Some(whole.end)),
        Err(Flaw::Cut) if !is_all => Ok(None),
        Err(Flaw::Cut) => Err(Missing::NoJson(bytes.len())),
        Err(Flaw::Wrong(at) | Flaw::Deep(at)) => Err(Missing::NoJson(at)),
    }
}
