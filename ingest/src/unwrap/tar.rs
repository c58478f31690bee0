//! tar archives as a stream: ustar, pax, GNU's long names and what was before. Nothing of a header is believed without its
//! checksum, and headers have a size limit: what stands in them is read into memory.

use std::io::{self, ErrorKind, Read};

/// The unit of the format.
const BLOCK: usize = 512;

/// Longest name or list of attributes, bytes.
const ATTRIBUTES_BYTES_MAX: u64 = 64 * 1024;

/// Largest member that a header may name: beyond it, sums with the padding would not fit.
const BYTES_MAX: u64 = 1 << 60;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Device,
    /// A file with holes, which only GNU tar understands.
    Sparse,
}

/// A member.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
}

/// An archive that is read from its beginning to its end.
pub(super) struct Tar<R> {
    input: R,
    /// Bytes of the current member that were not read.
    left: u64,
    /// Bytes behind it up to the next block.
    padding: u64,
}

/// What headers before a member's own say of it.
#[derive(Default)]
struct Attributes {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

/// Whether the sum of a header's bytes is the one it names; its own field counts as blanks. Old programs summed signed bytes.
pub(super) fn has_right_checksum(header: &[u8]) -> bool {
    let Some(named) = octal(&header[148..156]).and_then(|named| i64::try_from(named).ok()) else { return false };
    let bytes = || header[..148].iter().chain(&[b' '; 8]).chain(&header[156..BLOCK]);
    let unsigned: i64 = bytes().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
    named == unsigned || named == signed
}

/// A number in octal digits between blanks and zero bytes.
fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches(|c| c == ' ' || c == '\0');
    if digits.is_empty() {
        return None;
    }
    u64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'))
}

/// A size: octal or, where it is too large for that, binary with the highest bit set.
fn size_of(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field).or_else(|| field.iter().all(|b| matches!(b, 0 | b' ')).then_some(0));
    }
    let (high, low) = field[1..].split_at(field.len() - 9);
    let is_small = field[0] == 0x80 && high.iter().all(|b| *b == 0);
    is_small.then(|| low.iter().fold(0, |n, byte| (n << 8) | u64::from(*byte)))
}

/// A text up to its first zero byte.
fn until_zero(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    &field[..end]
}

impl<R: Read> Tar<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0 }
    }

    /// The next member; what is unread of the one before is passed over. `None` behind the last one, when the rest was read and
    /// holds nothing.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut attributes = Attributes::default();
        loop {
            self.pass(self.left + self.padding)?;
            (self.left, self.padding) = (0, 0);
            let mut header = [0; BLOCK];
            self.input.read_exact(&mut header)?;
            if header.iter().all(|b| *b == 0) {
                return self.end();
            }
            if !has_right_checksum(&header) {
                return Err(damaged("the checksum of a member's header is wrong"));
            }
            let size = size_of(&header[124..136]).filter(|size| *size <= BYTES_MAX);
            let size = size.ok_or_else(|| damaged("the size of a member is no number or absurd"))?;
            self.left = size;
            match header[156] {
                b'L' => attributes.name = Some(until_zero(&self.attributes(size)?).to_vec()),
                b'x' => attributes.read(&self.attributes(size)?)?,
                b'g' | b'K' | b'V' => {}
                b'M' => return Err(damaged("it is one of several volumes")),
                flag => return Ok(Some(self.member(&header, flag, attributes))),
            }
            self.padding = padding_of(size);
        }
    }

    fn member(&mut self, header: &[u8], flag: u8, attributes: Attributes) -> Entry {
        let name = attributes.name.unwrap_or_else(|| short_name(header));
        let kind = match flag {
            _ if attributes.is_sparse => Kind::Sparse,
            b'S' => Kind::Sparse,
            b'5' | b'D' => Kind::Folder,
            b'1' | b'2' => Kind::Link,
            b'3' | b'4' | b'6' => Kind::Device,
            _ if name.ends_with(b"/") => Kind::Folder,
            _ => Kind::File,
        };
        // Links name the size of what they point to, and nothing follows.
        self.left = if matches!(kind, Kind::Link | Kind::Device) { 0 } else { attributes.size.unwrap_or(self.left) };
        self.padding = padding_of(self.left);
        Entry { name, kind }
    }

    /// The data of a header's own member.
    fn attributes(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > ATTRIBUTES_BYTES_MAX {
            return Err(damaged("a member has a name or attributes beyond all measure"));
        }
        let mut text = vec![0; usize::try_from(size).expect("it has a limit")];
        self.input.read_exact(&mut text)?;
        self.left = 0;
        Ok(text)
    }

    fn pass(&mut self, count: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.input).take(count), &mut io::sink())?;
        if passed < count { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Reads what follows the mark of the end: another archive there would be lost without a word.
    fn end(&mut self) -> io::Result<Option<Entry>> {
        let mut rest = [0; 8 * BLOCK];
        loop {
            match self.input.read(&mut rest) {
                Ok(0) => return Ok(None),
                Ok(count) if rest[..count].iter().all(|b| *b == 0) => {}
                Ok(_) => return Err(damaged("something follows its end; archives must not be strung together")),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

fn padding_of(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64) - size
}

/// The name in the header, with the field that POSIX puts before it.
fn short_name(header: &[u8]) -> Vec<u8> {
    let (name, prefix) = (until_zero(&header[..100]), until_zero(&header[345..500]));
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}

impl Attributes {
    /// Reads lines `LENGTH KEY=VALUE\n`.
    fn read(&mut self, mut text: &[u8]) -> io::Result<()> {
        let wrong = || damaged("the attributes of a member are wrong");
        while !text.is_empty() {
            let blank = text.iter().position(|b| *b == b' ').ok_or_else(wrong)?;
            let length = std::str::from_utf8(&text[..blank]).ok().and_then(|n| n.parse::<usize>().ok()).ok_or_else(wrong)?;
            let line = text.get(blank + 1..length).and_then(|line| line.strip_suffix(b"\n")).ok_or_else(wrong)?;
            let equals = line.iter().position(|b| *b == b'=').ok_or_else(wrong)?;
            let (key, value) = (&line[..equals], &line[equals + 1..]);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok());
                    self.size = Some(size.filter(|size| *size <= BYTES_MAX).ok_or_else(wrong)?);
                }
                _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
            text = &text[length..];
        }
        Ok(())
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).map_or(out.len(), |left| left.min(out.len()));
        if wanted == 0 {
            return Ok(0);
        }
        let read = self.input.read(&mut out[..wanted])?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}
