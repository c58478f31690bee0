//! The records in an XML document: where they begin, and the pieces between the elements around them.
//!
//! A damaged record ends where the next record element begins that is well formed, or where the element around it ends.
//! Beside the records only blanks, comments and ignored elements may stand: another element is a malformed row, because it may
//! be a record whose name was damaged.

use crate::profile::charset::Encoding;
use crate::records::list::{Opening, Piece, Pieces, Step};

use super::XmlForm;
use super::scan::{self, Blind, Flaw, Markup, Open, skip_blanks};

/// So many beginnings of records without an end are tried behind a damaged one: each may cost a walk over all that is in reach.
const CUTS_MAX: u32 = 64;

/// Walks over the records.
#[derive(Debug)]
pub(crate) struct XmlPieces<'p> {
    form: &'p XmlForm,
    reach: usize,
    /// How many of the elements around the records are open.
    level: usize,
}

/// Whether something is there, and the byte after it.
enum Found<T> {
    There((T, usize)),
    /// More bytes are needed to tell.
    Later,
    /// The document ends in it.
    Cut,
    /// It is longer than a record may be.
    Endless,
    Not,
}

/// Where the walk stands.
enum Way {
    /// It goes on here.
    On(usize),
    Stop(Step),
}

impl<'p> XmlPieces<'p> {
    /// A walk that begins among the records.
    pub fn new(form: &'p XmlForm, reach: usize) -> Self {
        Self { form, reach, level: form.around.len() }
    }

    /// Takes what stands at `at`, among the records or between two elements that hold some.
    fn take(&self, bytes: &[u8], at: usize, level: &mut usize, is_all: bool) -> Way {
        let is_among = *level == self.form.around.len();
        if bytes[at] != b'<' {
            return if is_among { self.bridge(bytes, at, is_all) } else { Way::On(next_markup(bytes, at)) };
        }
        let (markup, end) = match self.markup(bytes, at, is_all) {
            Found::There(markup) => markup,
            Found::Later => return Way::Stop(Step::More),
            Found::Cut if !is_among => return Way::Stop(Step::Open),
            Found::Cut | Found::Endless | Found::Not => return self.damage(bytes, at, is_among, is_all),
        };
        match markup {
            Markup::Aside => Way::On(end),
            Markup::Verbatim(_) if !is_among => Way::On(end),
            Markup::End(name) if self.form.around[..*level].last().is_some_and(|open| open == name) => {
                *level -= 1;
                if *level == 0 { Way::Stop(Step::End(end)) } else { Way::On(end) }
            }
            Markup::Start { name, is_empty, .. } if !is_among && self.form.around[*level] == name => {
                *level += usize::from(!is_empty);
                Way::On(end)
            }
            Markup::Start { name, .. } => match self.element(bytes, at, scan::DEPTH_LIMIT, is_all) {
                Found::Later => Way::Stop(Step::More),
                Found::Cut if !is_among => Way::Stop(Step::Open),
                Found::Cut | Found::Endless | Found::Not => self.damage(bytes, at, is_among, is_all),
                Found::There(((), to)) if is_among && name == self.form.record => piece(at, to, false),
                Found::There(((), to)) if !is_among || self.form.ignored.iter().any(|ignored| ignored == name) => Way::On(to),
                Found::There(((), to)) => piece(at, to, true),
            },
            Markup::End(_) | Markup::Verbatim(_) => self.damage(bytes, at, is_among, is_all),
        }
    }

    /// Something is wrong here. Among the records it is a row; elsewhere nobody can tell where records are.
    fn damage(&self, bytes: &[u8], at: usize, is_among: bool, is_all: bool) -> Way {
        if is_among { self.bridge(bytes, at, is_all) } else { Way::Stop(Step::Lost(at)) }
    }

    /// What `read` finds at `at`, if it is no longer than a record may be. No more bytes are looked at than that, however many
    /// there are: so the answer and its cost are the same.
    fn bounded<'b, T>(
        &self,
        bytes: &'b [u8],
        at: usize,
        is_all: bool,
        read: impl FnOnce(&'b [u8]) -> Result<(T, usize), Flaw>,
    ) -> Found<T> {
        match read(&bytes[..bytes.len().min(at + self.reach)]) {
            Ok(found) => Found::There(found),
            Err(Flaw::Wrong) => Found::Not,
            Err(Flaw::Cut) if bytes.len() - at > self.reach => Found::Endless,
            Err(Flaw::Cut) if is_all => Found::Cut,
            Err(Flaw::Cut) => Found::Later,
        }
    }

    fn markup<'b>(&self, bytes: &'b [u8], at: usize, is_all: bool) -> Found<Markup<'b>> {
        self.bounded(bytes, at, is_all, |bytes| scan::markup(bytes, at))
    }

    fn element(&self, bytes: &[u8], from: usize, depth_max: u32, is_all: bool) -> Found<()> {
        let read = |bytes: &[u8]| scan::element(bytes, from, depth_max, &mut Open::new(), &mut Blind).map(|end| ((), end));
        self.bounded(bytes, from, is_all, read)
    }

    /// The stretch from a place where no record can be read, up to the next one.
    #[cold]
    fn bridge(&self, bytes: &[u8], from: usize, is_all: bool) -> Way {
        let limit = bytes.len().min(from.saturating_add(self.reach));
        let mut cuts = 0;
        for at in memchr::memchr_iter(b'<', &bytes[from + 1..limit]).map(|ahead| from + 1 + ahead) {
            match self.ends_damage(bytes, at, is_all) {
                Found::There(_) => return piece(from, from + bytes[from..at].trim_ascii_end().len().max(1), true),
                Found::Later => return Way::Stop(Step::More),
                Found::Cut | Found::Endless => cuts += 1,
                Found::Not => {}
            }
            if cuts == CUTS_MAX {
                return Way::Stop(Step::Lost(from));
            }
        }
        match (bytes.len() - from > self.reach, is_all) {
            (true, _) => Way::Stop(Step::Lost(from)),
            (false, true) => piece(from, from + bytes[from..].trim_ascii_end().len().max(1), true),
            (false, false) => Way::Stop(Step::More),
        }
    }

    /// Whether a record begins at `at`, or the element around the records ends.
    fn ends_damage(&self, bytes: &[u8], at: usize, is_all: bool) -> Found<()> {
        let (rest, record) = (&bytes[at + 1..], &self.form.record[..]);
        let parent = self.form.around.last().map_or(&[][..], Vec::as_slice);
        let (behind, wanted) = match rest.strip_prefix(b"/") {
            Some(behind) => (behind, parent),
            None => (rest, record),
        };
        if !behind.starts_with(wanted) {
            return if !is_all && wanted.starts_with(behind) { Found::Later } else { Found::Not };
        }
        match self.markup(bytes, at, is_all) {
            Found::There((Markup::End(name), end)) if name == parent => Found::There(((), end)),
            // A deeper record would be malformed all the same.
            Found::There((Markup::Start { name, .. }, _)) if name == record => {
                self.element(bytes, at, self.form.depth_max, is_all)
            }
            Found::Later => Found::Later,
            Found::Cut | Found::Endless => Found::Endless,
            Found::There(_) | Found::Not => Found::Not,
        }
    }
}

fn piece(from: usize, to: usize, is_broken: bool) -> Way {
    Way::Stop(Step::Piece(Piece { from, to, is_broken }))
}

fn next_markup(bytes: &[u8], at: usize) -> usize {
    memchr::memchr(b'<', &bytes[at..]).map_or(bytes.len(), |ahead| at + ahead)
}

impl Pieces for XmlPieces<'_> {
    fn next(&mut self, bytes: &[u8], at: usize, is_all: bool) -> Step {
        let (mut now, mut level) = (at, self.level);
        let step = loop {
            now = skip_blanks(bytes, now);
            // Nothing between two records is so long.
            if now - at > self.reach {
                break Step::Lost(at);
            }
            if now == bytes.len() {
                break if is_all { Step::Open } else { Step::More };
            }
            match self.take(bytes, now, &mut level, is_all) {
                Way::On(next) => now = next,
                Way::Stop(step) => break step,
            }
        };
        // What is looked at again later must be met in the same state.
        if step != Step::More {
            self.level = level;
        }
        step
    }

    fn is_fitting_end(&self, bytes: &[u8]) -> bool {
        let mut at = skip_blanks(bytes, 0);
        while let Some(b'<') = bytes.get(at) {
            let Ok((Markup::Aside, end)) = scan::markup(bytes, at) else { return false };
            at = skip_blanks(bytes, end);
        }
        at == bytes.len()
    }
}

/// Finds where the records begin, from the beginning of the document.
pub(crate) fn open(form: &XmlForm, bytes: &[u8], is_all: bool) -> Opening {
    let (mut at, mut level) = (0, 0);
    loop {
        at = skip_blanks(bytes, at);
        let step = match bytes.get(at) {
            None => Err(Before::Cut),
            Some(b'<') => step_in(form, bytes, at, &mut level),
            Some(_) if level > 0 => Ok(next_markup(bytes, at)),
            Some(_) => wrong("the file does not begin with `<`, so it is no XML".to_owned()),
        };
        match step {
            Ok(next) => at = next,
            Err(Before::Cut) if is_all => return Opening::Wrong("the document ends before its records".to_owned()),
            Err(Before::Cut) => return Opening::More,
            Err(Before::Done(opening)) => return opening,
        }
    }
}

/// Why the way to the records ends.
enum Before {
    /// With the bytes.
    Cut,
    Done(Opening),
}

fn wrong<T>(problem: String) -> Result<T, Before> {
    Err(Before::Done(Opening::Wrong(problem)))
}

/// Takes the markup at `at`, outside of the records; returns the byte after it.
fn step_in(form: &XmlForm, bytes: &[u8], at: usize, level: &mut usize) -> Result<usize, Before> {
    const DOCUMENT_TYPE: &[u8] = b"<!DOCTYPE";
    if DOCUMENT_TYPE.starts_with(&bytes[at..]) {
        return Err(Before::Cut);
    }
    if bytes[at..].starts_with(DOCUMENT_TYPE) {
        let problem = "the file has a document type (DTD), which can define entities and is not read; ask the provider for \
                       files without one";
        return wrong(problem.to_owned());
    }
    let damaged = |flaw| match flaw {
        Flaw::Cut => Before::Cut,
        Flaw::Wrong => {
            Before::Done(Opening::Wrong(format!("no well-formed XML at byte {at}, before the records; ask for the file again")))
        }
    };
    let (markup, end) = scan::markup(bytes, at).map_err(damaged)?;
    match markup {
        Markup::Aside => match wrong_encoding(form.encoding, &bytes[at..end]) {
            Some(problem) => Err(Before::Done(Opening::WrongEncoding(problem))),
            None => Ok(end),
        },
        Markup::Start { name, is_empty, .. } if form.around[*level] == name => {
            *level += usize::from(!is_empty);
            match *level {
                0 => Err(Before::Done(Opening::Nothing)),
                open if open == form.around.len() => Err(Before::Done(Opening::From(end))),
                _ => Ok(end),
            }
        }
        Markup::Start { name, .. } if *level == 0 => {
            let (found, wanted) = (shown(name), shown(&form.around[0]));
            wrong(format!("the root element is `{found}`, not `{wanted}`; correct `xml.record`"))
        }
        Markup::Start { .. } => scan::element(bytes, at, scan::DEPTH_LIMIT, &mut Open::new(), &mut Blind).map_err(damaged),
        Markup::End(name) if form.around[..*level].last().is_some_and(|open| open == name) => {
            *level -= 1;
            if *level == 0 { Err(Before::Done(Opening::Nothing)) } else { Ok(end) }
        }
        Markup::End(_) => wrong(format!("the elements before byte {at} do not nest; ask for the file again")),
        Markup::Verbatim(_) => Ok(end),
    }
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(40)]).into_owned()
}

/// What the declaration of a file in another encoding than the profile's says.
fn wrong_encoding(declared: Encoding, aside: &[u8]) -> Option<String> {
    let text = aside.strip_prefix(b"<?xml ")?;
    let from = memchr::memmem::find(text, b"encoding")? + "encoding".len();
    let quoted = &text[from..];
    let open = quoted.iter().position(|c| b"\"'".contains(c))?;
    let length = memchr::memchr(quoted[open], &quoted[open + 1..])?;
    let name = String::from_utf8_lossy(&quoted[open + 1..open + 1 + length]).to_lowercase();
    let is_same = match declared {
        Encoding::Utf8 | Encoding::Utf16 => ["utf-8", "utf8", "us-ascii"].contains(&name.as_str()),
        Encoding::Latin1 => ["iso-8859-1", "latin1", "us-ascii"].contains(&name.as_str()),
        Encoding::Windows1252 => ["windows-1252", "cp1252", "us-ascii"].contains(&name.as_str()),
    };
    let shown: String = name.chars().take(24).collect();
    (!is_same).then(|| {
        format!("the file says that it is in {shown}, the profile declares {}; correct `file.encoding`", declared.name())
    })
}
