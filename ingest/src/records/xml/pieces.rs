//! The records in an XML document: where they begin, and the pieces between the elements around them.
//!
//! A damaged record ends where the next record element begins that is well formed, or where the element around it ends.
//! Beside the records only blanks, comments and ignored elements may stand: another element is a malformed row, because it may
//! be a record whose name was damaged.

use crate::profile::charset::Encoding;
use crate::records::list::{Opening, Piece, Pieces, Step};

use super::XmlForm;
use super::scan::{self, Blind, Flaw, Markup, Open, skip_blanks};

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
        let (markup, end) = match self.bounded(bytes, at, is_all, scan::markup(bytes, at)) {
            Found::There(markup) => markup,
            Found::Later => return Way::Stop(Step::More),
            Found::Cut if !is_among => return Way::Stop(Step::Open),
            Found::Cut | Found::Not => return self.damage(bytes, at, is_among, is_all),
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
            Markup::Start { name, .. } => match self.element(bytes, at, is_all) {
                Found::Later => Way::Stop(Step::More),
                Found::Cut if !is_among => Way::Stop(Step::Open),
                Found::Cut | Found::Not => self.damage(bytes, at, is_among, is_all),
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

    /// What was read at `at`, if it is no longer than a record may be; however many bytes there are, the answer is the same.
    fn bounded<T>(&self, bytes: &[u8], at: usize, is_all: bool, read: Result<(T, usize), Flaw>) -> Found<T> {
        match read {
            Ok(found) if found.1 - at <= self.reach => Found::There(found),
            Err(Flaw::Cut) if bytes.len() - at <= self.reach => {
                if is_all {
                    Found::Cut
                } else {
                    Found::Later
                }
            }
            _ => Found::Not,
        }
    }

    /// An element from `from` on; how deep it may be, the cut of its fields will say.
    fn element(&self, bytes: &[u8], from: usize, is_all: bool) -> Found<()> {
        let read = scan::element(bytes, from, scan::DEPTH_LIMIT, &mut Open::new(), &mut Blind);
        self.bounded(bytes, from, is_all, read.map(|end| ((), end)))
    }

    /// The stretch from a place where no record can be read, up to the next one.
    #[cold]
    fn bridge(&self, bytes: &[u8], from: usize, is_all: bool) -> Way {
        let limit = bytes.len().min(from.saturating_add(self.reach));
        let broken = |to: usize| piece(from, from + bytes[from..to].trim_ascii_end().len().max(1), true);
        let parent = self.form.around.last().map_or(&[][..], Vec::as_slice);
        for at in memchr::memchr_iter(b'<', &bytes[from + 1..limit]).map(|ahead| from + 1 + ahead) {
            match self.bounded(bytes, at, is_all, scan::markup(bytes, at)) {
                Found::Later => return Way::Stop(Step::More),
                Found::There((Markup::End(name), _)) if name == parent => return broken(at),
                Found::There((Markup::Start { name, .. }, _)) if name == self.form.record => {
                    match self.element(bytes, at, is_all) {
                        Found::There(_) => return broken(at),
                        Found::Later => return Way::Stop(Step::More),
                        Found::Cut | Found::Not => {}
                    }
                }
                _ => {}
            }
        }
        match (bytes.len() - from > self.reach, is_all) {
            (true, _) => Way::Stop(Step::Lost(from)),
            (false, true) => broken(bytes.len()),
            (false, false) => Way::Stop(Step::More),
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

/// Finds the first record from the beginning of the document.
pub(crate) fn open(form: &XmlForm, bytes: &[u8], is_all: bool) -> Opening {
    let more = |problem: &str| if is_all { Opening::Wrong(problem.to_owned()) } else { Opening::More };
    let (mut at, mut level) = (0, 0);
    loop {
        at = skip_blanks(bytes, at);
        let Some(first) = bytes.get(at) else { return more("the document ends before its records") };
        if *first != b'<' {
            if level == 0 {
                return Opening::Wrong("the file does not begin with `<`, so it is no XML".to_owned());
            }
            at = next_markup(bytes, at);
            continue;
        }
        if bytes[at..].starts_with(b"<!DOCTYPE") {
            let problem = "the file has a document type (DTD), which can define entities and is not read; ask the provider for \
                           files without one";
            return Opening::Wrong(problem.to_owned());
        }
        let (markup, end) = match scan::markup(bytes, at) {
            Ok(found) => found,
            Err(Flaw::Cut) => return more("the document ends before its records"),
            Err(Flaw::Wrong) => {
                return Opening::Wrong(format!("no XML at byte {at}, before the records; ask for the file again"));
            }
        };
        match markup {
            Markup::Aside => {
                if let Some(problem) = wrong_encoding(form.encoding, &bytes[at..end]) {
                    return Opening::WrongEncoding(problem);
                }
            }
            Markup::Start { name, is_empty, .. } if form.around[level] == name => {
                if !is_empty {
                    level += 1;
                } else if level == 0 {
                    return Opening::Nothing;
                }
                if level == form.around.len() {
                    return Opening::From(end);
                }
            }
            Markup::Start { name, .. } if level == 0 => {
                let (found, wanted) = (shown(name), shown(&form.around[0]));
                return Opening::Wrong(format!("the root element is `{found}`, not `{wanted}`; correct `xml.record`"));
            }
            Markup::Start { .. } => match scan::element(bytes, at, scan::DEPTH_LIMIT, &mut Open::new(), &mut Blind) {
                Ok(end) => {
                    at = end;
                    continue;
                }
                Err(Flaw::Cut) => return more("the document ends before its records"),
                Err(Flaw::Wrong) => {
                    return Opening::Wrong(format!("the element at byte {at} is damaged; ask for the file again"));
                }
            },
            Markup::End(name) if level > 0 && form.around[level - 1] == name => {
                level -= 1;
                if level == 0 {
                    return Opening::Nothing;
                }
            }
            Markup::End(_) => {
                return Opening::Wrong(format!("the elements before byte {at} do not nest; ask for the file again"));
            }
            Markup::Verbatim(_) => {}
        }
        at = end;
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
