//! Walks over JSON strictly and in one pass, without recursion and without building anything: a visitor sees what goes by.

/// Most objects and arrays that may stand in each other: one bit each in a word.
pub(crate) const DEPTH_LIMIT: u32 = 64;

/// Why a value cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The bytes end in it.
    Cut,
    /// No JSON from this byte on.
    Wrong(usize),
    /// Too many objects and arrays in each other.
    Deep(usize),
}

/// A value that holds no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar<'a> {
    /// A text, as it stands between its quotes.
    Text(&'a [u8]),
    /// A number, `true` or `false`, as it is written.
    Word(&'a [u8]),
    /// `null`.
    Null,
}

/// Sees the members of a value in their order.
pub(crate) trait Visitor<'a> {
    /// The name of the next member, as it stands between its quotes.
    fn name(&mut self, name: &'a [u8]);
    /// An object or an array begins.
    fn open(&mut self, is_object: bool);
    /// It ends.
    fn close(&mut self);
    /// A value without others in it.
    fn scalar(&mut self, scalar: Scalar<'a>);
}

/// A visitor that does not look.
pub(crate) struct Blind;

impl Visitor<'_> for Blind {
    fn name(&mut self, _: &[u8]) {}
    fn open(&mut self, _: bool) {}
    fn close(&mut self) {}
    fn scalar(&mut self, _: Scalar<'_>) {}
}

/// What a value is that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whole {
    /// The byte after it.
    pub end: usize,
    /// Whether blanks stand in it that mean nothing.
    pub has_blanks: bool,
}

/// The first byte from `at` on that is no blank.
#[inline]
pub(crate) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|c| !matches!(c, b' ' | b'\t' | b'\n' | b'\r')).map_or(bytes.len(), |ahead| at + ahead)
}

/// Reads the value that begins at `from`.
pub(crate) fn value<'a, V: Visitor<'a>>(bytes: &'a [u8], from: usize, depth_max: u32, visitor: &mut V) -> Result<Whole, Flaw> {
    let walk = Walk { bytes, at: from, kinds: 0, depth: 0, depth_max: depth_max.min(DEPTH_LIMIT), has_blanks: false };
    walk.run(true, visitor)
}

/// Reads on behind a value that stands in so many objects, up to the end of the outermost one.
pub(crate) fn rest(bytes: &[u8], from: usize, objects: u32, depth_max: u32) -> Result<Whole, Flaw> {
    let depth_max = (depth_max + objects).min(DEPTH_LIMIT);
    let walk = Walk { bytes, at: from, kinds: u64::MAX, depth: objects, depth_max, has_blanks: false };
    walk.run(false, &mut Blind)
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What is open, the innermost in the lowest bit: 1 for an object, 0 for an array.
    kinds: u64,
    depth: u32,
    depth_max: u32,
    has_blanks: bool,
}

impl<'a> Walk<'a> {
    fn run<V: Visitor<'a>>(mut self, mut wants_value: bool, visitor: &mut V) -> Result<Whole, Flaw> {
        loop {
            if wants_value && self.begin(visitor)? {
                continue;
            }
            // A value has ended.
            if self.depth == 0 {
                return Ok(Whole { end: self.at, has_blanks: self.has_blanks });
            }
            wants_value = self.go_on(visitor)?;
        }
    }

    fn skip(&mut self) {
        let at = skip_blanks(self.bytes, self.at);
        self.has_blanks |= at != self.at && self.depth > 0;
        self.at = at;
    }

    fn peek(&self) -> Result<u8, Flaw> {
        self.bytes.get(self.at).copied().ok_or(Flaw::Cut)
    }

    /// Reads a value, or the opening of one that holds others; says whether another value must follow.
    #[inline]
    fn begin<V: Visitor<'a>>(&mut self, visitor: &mut V) -> Result<bool, Flaw> {
        self.skip();
        let first = self.peek()?;
        match first {
            b'"' => {
                let text = self.string()?;
                visitor.scalar(Scalar::Text(text));
            }
            b'{' | b'[' => return self.open(first == b'{', visitor),
            b'-' | b'0'..=b'9' => {
                let number = self.number()?;
                visitor.scalar(Scalar::Word(number));
            }
            b't' => visitor.scalar(Scalar::Word(self.word(b"true")?)),
            b'f' => visitor.scalar(Scalar::Word(self.word(b"false")?)),
            b'n' => {
                self.word(b"null")?;
                visitor.scalar(Scalar::Null);
            }
            _ => return Err(Flaw::Wrong(self.at)),
        }
        Ok(false)
    }

    fn open<V: Visitor<'a>>(&mut self, is_object: bool, visitor: &mut V) -> Result<bool, Flaw> {
        if self.depth == self.depth_max {
            return Err(Flaw::Deep(self.at));
        }
        self.depth += 1;
        self.kinds = self.kinds << 1 | u64::from(is_object);
        self.at += 1;
        visitor.open(is_object);
        self.skip();
        match self.peek()? {
            b'}' if is_object => self.close(visitor),
            b']' if !is_object => self.close(visitor),
            _ if is_object => {
                self.name(visitor)?;
                return Ok(true);
            }
            _ => return Ok(true),
        }
        Ok(false)
    }

    fn close<V: Visitor<'a>>(&mut self, visitor: &mut V) {
        self.at += 1;
        self.depth -= 1;
        self.kinds >>= 1;
        visitor.close();
    }

    /// Goes on behind a value: to the next one, which it says, or behind the end of what holds it.
    #[inline]
    fn go_on<V: Visitor<'a>>(&mut self, visitor: &mut V) -> Result<bool, Flaw> {
        self.skip();
        let in_object = self.kinds & 1 == 1;
        match self.peek()? {
            b',' => {
                self.at += 1;
                if in_object {
                    self.skip();
                    self.name(visitor)?;
                }
                return Ok(true);
            }
            b'}' if in_object => self.close(visitor),
            b']' if !in_object => self.close(visitor),
            _ => return Err(Flaw::Wrong(self.at)),
        }
        Ok(false)
    }

    /// Reads the name of a member and the colon behind it.
    #[inline]
    fn name<V: Visitor<'a>>(&mut self, visitor: &mut V) -> Result<(), Flaw> {
        if self.peek()? != b'"' {
            return Err(Flaw::Wrong(self.at));
        }
        let name = self.string()?;
        visitor.name(name);
        self.skip();
        if self.peek()? != b':' {
            return Err(Flaw::Wrong(self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a text from its opening quote; returns what stands between the quotes.
    #[inline]
    fn string(&mut self) -> Result<&'a [u8], Flaw> {
        let from = self.at + 1;
        let mut at = from;
        loop {
            let Some(ahead) = memchr::memchr2(b'"', b'\\', &self.bytes[at..]) else {
                // A text that does not end may still be no text: then no more bytes are waited for.
                let rest = &self.bytes[at..];
                return Err(rest.iter().position(|c| *c < b' ').map_or(Flaw::Cut, |control| Flaw::Wrong(at + control)));
            };
            if let Some(control) = self.bytes[at..at + ahead].iter().position(|c| *c < b' ') {
                return Err(Flaw::Wrong(at + control));
            }
            at += ahead;
            if self.bytes[at] == b'"' {
                self.at = at + 1;
                return Ok(&self.bytes[from..at]);
            }
            at = self.escape(at)?;
        }
    }

    /// The byte after the escape that begins at `at`.
    fn escape(&self, at: usize) -> Result<usize, Flaw> {
        match self.bytes.get(at + 1).ok_or(Flaw::Cut)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
            b'u' => {
                for digit in at + 2..at + 6 {
                    if !self.bytes.get(digit).ok_or(Flaw::Cut)?.is_ascii_hexdigit() {
                        return Err(Flaw::Wrong(digit));
                    }
                }
                Ok(at + 6)
            }
            _ => Err(Flaw::Wrong(at + 1)),
        }
    }

    fn word(&mut self, word: &'static [u8]) -> Result<&'a [u8], Flaw> {
        let from = self.at;
        for wanted in word {
            if self.peek()? != *wanted {
                return Err(Flaw::Wrong(self.at));
            }
            self.at += 1;
        }
        Ok(&self.bytes[from..self.at])
    }

    fn number(&mut self) -> Result<&'a [u8], Flaw> {
        let from = self.at;
        if self.peek()? == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek()?, b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.bytes[from..self.at])
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), Flaw> {
        if !self.peek()?.is_ascii_digit() {
            return Err(Flaw::Wrong(self.at));
        }
        self.at = self.bytes[self.at..].iter().position(|c| !c.is_ascii_digit()).map_or(self.bytes.len(), |n| self.at + n);
        Ok(())
    }
}
