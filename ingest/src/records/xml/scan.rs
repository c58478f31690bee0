//! Walks over XML strictly and in one pass, without recursion and without building anything: a visitor sees what goes by.
//! Nothing is ever expanded: a document type is an error, and entities stay as they are written.

/// Most elements that may stand in each other.
pub(crate) const DEPTH_LIMIT: u32 = 256;

/// Why markup or an element cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The bytes end in it.
    Cut,
    /// No XML that is read here: damage, a document type, or too many elements in each other.
    Wrong,
}

/// One piece of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup<'a> {
    /// `<name …>`, and what stands between name and end.
    Start { name: &'a [u8], attributes: &'a [u8], is_empty: bool },
    /// `</name>`.
    End(&'a [u8]),
    /// Text that means what it says, `<![CDATA[…]]>`.
    Verbatim(&'a [u8]),
    /// A comment or a processing instruction.
    Aside,
}

/// Sees the parts of an element in their order.
pub(crate) trait Visitor<'a> {
    /// An element begins.
    fn open(&mut self, name: &'a [u8]);
    /// An attribute of the element that began last, as it stands between its quotes.
    fn attribute(&mut self, name: &'a [u8], value: &'a [u8]);
    /// Text in the innermost element; entities are to be replaced unless it `is_verbatim`.
    fn text(&mut self, text: &'a [u8], is_verbatim: bool);
    /// The innermost element ends.
    fn close(&mut self);
}

/// A visitor that does not look.
pub(crate) struct Blind;

impl Visitor<'_> for Blind {
    fn open(&mut self, _: &[u8]) {}
    fn attribute(&mut self, _: &[u8], _: &[u8]) {}
    fn text(&mut self, _: &[u8], _: bool) {}
    fn close(&mut self) {}
}

/// The first byte from `at` on that is no blank.
pub(crate) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|c| !c.is_ascii_whitespace()).map_or(bytes.len(), |ahead| at + ahead)
}

/// The elements that are open while one is walked over; reused.
pub(crate) type Open<'a> = Vec<&'a [u8]>;

/// Reads the element that begins at `from` and returns the byte after it.
pub(crate) fn element<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    from: usize,
    depth_max: u32,
    open: &mut Open<'a>,
    visitor: &mut V,
) -> Result<usize, Flaw> {
    open.clear();
    let mut at = from;
    loop {
        let (markup, end) = markup(bytes, at)?;
        match markup {
            Markup::Start { name, attributes, is_empty } => {
                if open.len() >= depth_max.min(DEPTH_LIMIT) as usize {
                    return Err(Flaw::Wrong);
                }
                visitor.open(name);
                visit_attributes(attributes, visitor)?;
                if is_empty { visitor.close() } else { open.push(name) }
            }
            Markup::End(name) => {
                if open.pop() != Some(name) {
                    return Err(Flaw::Wrong);
                }
                visitor.close();
            }
            Markup::Verbatim(text) => visitor.text(text, true),
            Markup::Aside => {}
        }
        if open.is_empty() {
            return Ok(end);
        }
        let next = memchr::memchr(b'<', &bytes[end..]).ok_or(Flaw::Cut)?;
        if next > 0 {
            visitor.text(&bytes[end..end + next], false);
        }
        at = end + next;
    }
}

/// The markup that begins with the `<` at `at`, and the byte after it.
pub(crate) fn markup(bytes: &[u8], at: usize) -> Result<(Markup<'_>, usize), Flaw> {
    let rest = &bytes[at..];
    match rest.get(1).ok_or(Flaw::Cut)? {
        b'?' => behind(rest, 2, b"?>").map(|end| (Markup::Aside, at + end)),
        b'!' => declared(rest).map(|(markup, end)| (markup, at + end)),
        b'/' => {
            let name = name(rest, 2)?;
            let end = skip_blanks(rest, 2 + name.len());
            match rest.get(end) {
                Some(b'>') => Ok((Markup::End(name), at + end + 1)),
                Some(_) => Err(Flaw::Wrong),
                None => Err(Flaw::Cut),
            }
        }
        _ => {
            let name = name(rest, 1)?;
            let from = 1 + name.len();
            let end = tag_end(rest, from)?;
            let is_empty = rest[end - 1] == b'/' && end > from;
            let attributes = &rest[from..end - usize::from(is_empty)];
            Ok((Markup::Start { name, attributes, is_empty }, at + end + 1))
        }
    }
}

/// The byte after `closing`, looked for from `from` on.
fn behind(rest: &[u8], from: usize, closing: &[u8]) -> Result<usize, Flaw> {
    let found = rest.get(from..).and_then(|tail| memchr::memmem::find(tail, closing));
    found.map(|ahead| from + ahead + closing.len()).ok_or(Flaw::Cut)
}

/// A comment or verbatim text; whatever else is declared is not read.
fn declared(rest: &[u8]) -> Result<(Markup<'_>, usize), Flaw> {
    const COMMENT: &[u8] = b"<!--";
    const VERBATIM: &[u8] = b"<![CDATA[";
    if rest.starts_with(COMMENT) {
        return behind(rest, COMMENT.len(), b"-->").map(|end| (Markup::Aside, end));
    }
    if rest.starts_with(VERBATIM) {
        return behind(rest, VERBATIM.len(), b"]]>").map(|end| (Markup::Verbatim(&rest[VERBATIM.len()..end - 3]), end));
    }
    Err(if COMMENT.starts_with(rest) || VERBATIM.starts_with(rest) { Flaw::Cut } else { Flaw::Wrong })
}

/// The name from `from` on.
fn name(rest: &[u8], from: usize) -> Result<&[u8], Flaw> {
    let is_name = |c: &u8| c.is_ascii_alphanumeric() || b"_:-.".contains(c) || *c >= 0x80;
    let length = rest[from..].iter().position(|c| !is_name(c)).ok_or(Flaw::Cut)?;
    let name = &rest[from..from + length];
    let is_right = name.first().is_some_and(|c| !c.is_ascii_digit() && !b"-.".contains(c));
    if is_right { Ok(name) } else { Err(Flaw::Wrong) }
}

/// The `>` that ends a start tag; those in quotes do not.
fn tag_end(rest: &[u8], from: usize) -> Result<usize, Flaw> {
    let mut at = from;
    loop {
        at += rest[at..].iter().position(|c| b"<>\"'".contains(c)).ok_or(Flaw::Cut)?;
        match rest[at] {
            b'>' => return Ok(at),
            b'<' => return Err(Flaw::Wrong),
            quote => at += 2 + memchr::memchr(quote, &rest[at + 1..]).ok_or(Flaw::Cut)?,
        }
    }
}

/// Reads ` name="value" …`.
fn visit_attributes<'a, V: Visitor<'a>>(attributes: &'a [u8], visitor: &mut V) -> Result<(), Flaw> {
    let mut at = 0;
    loop {
        let from = skip_blanks(attributes, at);
        if from == attributes.len() {
            return Ok(());
        }
        if from == at {
            return Err(Flaw::Wrong);
        }
        let name = name(attributes, from).map_err(|_| Flaw::Wrong)?;
        let equals = skip_blanks(attributes, from + name.len());
        if attributes.get(equals) != Some(&b'=') {
            return Err(Flaw::Wrong);
        }
        let open = skip_blanks(attributes, equals + 1);
        let quote = *attributes.get(open).filter(|c| b"\"'".contains(c)).ok_or(Flaw::Wrong)?;
        let length = memchr::memchr(quote, &attributes[open + 1..]).ok_or(Flaw::Wrong)?;
        let value = &attributes[open + 1..open + 1 + length];
        if value.contains(&b'<') {
            return Err(Flaw::Wrong);
        }
        visitor.attribute(name, value);
        at = open + length + 2;
    }
}
