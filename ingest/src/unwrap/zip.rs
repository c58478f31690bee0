//! zip archives: the directory at the end says what is in them, so they are read from an object, piece by piece. The directory is
//! a stream, too: an archive of a million members takes no more memory than one.

use std::io::{self, ErrorKind, Read};

use super::sniff::u16_at;

const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: u64 = 65_535;
const END_64: [u8; 4] = *b"PK\x06\x06";
const END_64_BYTES: u64 = 56;
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_64_BYTES: u64 = 20;
const MEMBER: [u8; 4] = *b"PK\x01\x02";
const MEMBER_BYTES: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_BYTES: u64 = 30;

/// What stands in a field that is too narrow for its number.
const WIDE: u32 = u32::MAX;

/// What is read at any place: an archive that has landed.
pub(super) trait Places {
    /// Its bytes.
    fn size(&self) -> u64;
    /// Some of its bytes, at most a few KiB.
    fn at(&self, from: u64, count: u64) -> io::Result<Vec<u8>>;
}

/// Where the directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) from: u64,
    pub(super) bytes: u64,
    pub(super) members: u64,
}

/// A member, as the directory describes it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    /// How it is compressed: 0 stored, 8 deflate, 12 bzip2, 93 zstd.
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed_bytes: u64,
    pub(super) bytes: u64,
    pub(super) is_encrypted: bool,
    pub(super) is_link: bool,
    /// How much of the directory describes it.
    pub(super) directory_bytes: u64,
    local: u64,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// Finds the directory: its address stands in a record that ends the file, behind which only a comment may come.
pub(super) fn directory(archive: &dyn Places) -> io::Result<Directory> {
    let size = archive.size();
    let tail_bytes = size.min(COMMENT_BYTES_MAX + END_BYTES as u64);
    let tail = archive.at(size - tail_bytes, tail_bytes)?;
    let fits = |at: &usize| {
        tail[*at..].starts_with(&END) && at + END_BYTES + usize::from(u16_at(&tail, at + END_BYTES - 2)) == tail.len()
    };
    let places = (tail.len() + 1).saturating_sub(END_BYTES);
    let at = (0..places).rev().find(fits).ok_or(ErrorKind::UnexpectedEof)?;
    let (record, record_at) = (&tail[at..at + END_BYTES], size - tail_bytes + at as u64);
    if u16_at(record, 4) != u16_at(record, 6) {
        return Err(damaged("it is one of several volumes"));
    }
    let (members, bytes, from) = (u16_at(record, 10), u32_at(record, 12), u32_at(record, 16));
    let found = if members == u16::MAX || bytes == WIDE || from == WIDE {
        wide_directory(archive, record_at)?
    } else {
        Directory { from: from.into(), bytes: bytes.into(), members: members.into() }
    };
    let is_inside = found.from.checked_add(found.bytes).is_some_and(|end| end <= record_at);
    if is_inside { Ok(found) } else { Err(damaged("its directory does not lie in it")) }
}

/// The record of large archives, whose address stands before the common one.
fn wide_directory(archive: &dyn Places, record_at: u64) -> io::Result<Directory> {
    let wrong = || damaged("the address of its directory is wrong");
    let locator_at = record_at.checked_sub(LOCATOR_64_BYTES).ok_or_else(wrong)?;
    let locator = archive.at(locator_at, LOCATOR_64_BYTES)?;
    let at = u64_at(&locator, 8);
    let is_before = at.checked_add(END_64_BYTES).is_some_and(|end| end <= locator_at);
    if !locator.starts_with(&LOCATOR_64) || !is_before {
        return Err(wrong());
    }
    let record = archive.at(at, END_64_BYTES)?;
    if !record.starts_with(&END_64) {
        return Err(wrong());
    }
    Ok(Directory { members: u64_at(&record, 32), bytes: u64_at(&record, 40), from: u64_at(&record, 48) })
}

/// Counts the members of the directory, which must end where it says.
pub(super) fn check_directory(entries: &mut dyn Read, directory: Directory) -> io::Result<u64> {
    let (mut bytes, mut members) = (0, 0_u64);
    while bytes < directory.bytes {
        (bytes, members) = (bytes + entry(entries)?.directory_bytes, members + 1);
    }
    // Writers of the old form count no further than to 65,535 and begin again.
    if members & 0xffff != directory.members & 0xffff {
        return Err(damaged("its directory does not list as many members as it says"));
    }
    Ok(members)
}

/// The next member of the directory.
pub(super) fn entry(directory: &mut dyn Read) -> io::Result<Entry> {
    let mut head = [0; MEMBER_BYTES];
    directory.read_exact(&mut head)?;
    if !head.starts_with(&MEMBER) {
        return Err(damaged("its directory does not describe its members"));
    }
    let mut text = |at| -> io::Result<Vec<u8>> {
        let mut text = vec![0; u16_at(&head, at).into()];
        directory.read_exact(&mut text)?;
        Ok(text)
    };
    let (name, extra, comment) = (text(28)?, text(30)?, text(32)?);
    let name_and_more = name.len() + extra.len() + comment.len();
    let flags = u16_at(&head, 8);
    let made_on_unix = head[5] == 3;
    let mut entry = Entry {
        name,
        method: u16_at(&head, 10),
        crc32: u32_at(&head, 16),
        packed_bytes: u32_at(&head, 20).into(),
        bytes: u32_at(&head, 24).into(),
        is_encrypted: flags & 1 != 0 || flags & 0x2000 != 0,
        is_link: made_on_unix && (u32_at(&head, 38) >> 16) & 0o170_000 == 0o120_000,
        directory_bytes: (MEMBER_BYTES + name_and_more) as u64,
        local: u32_at(&head, 42).into(),
    };
    widen(&mut entry, &extra)?;
    Ok(entry)
}

/// Takes numbers from the field of large members: those that were too wide for their own fields, in this order.
fn widen(entry: &mut Entry, extra: &[u8]) -> io::Result<()> {
    let wide = [&mut entry.bytes, &mut entry.packed_bytes, &mut entry.local];
    let mut wide = wide.into_iter().filter(|n| **n == u64::from(WIDE)).peekable();
    if wide.peek().is_none() {
        return Ok(());
    }
    let mut rest = extra;
    while let [id_low, id_high, low, high, fields @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let Some(field) = fields.get(..length) else { break };
        if (*id_low, *id_high) == (1, 0) {
            for (number, eight) in (&mut wide).zip(field.as_chunks::<8>().0) {
                *number = u64::from_le_bytes(*eight);
            }
            break;
        }
        rest = &fields[length..];
    }
    if wide.next().is_some() { Err(damaged("the size of a large member is missing")) } else { Ok(()) }
}

impl Entry {
    /// Where its packed bytes begin: behind a header of its own.
    pub(super) fn data_from(&self, archive: &dyn Places) -> io::Result<u64> {
        let fits = |from: u64, bytes: u64| from.checked_add(bytes).filter(|end| *end <= archive.size());
        let outside = || damaged("a member does not lie in it");
        fits(self.local, LOCAL_BYTES).ok_or_else(outside)?;
        let head = archive.at(self.local, LOCAL_BYTES)?;
        if !head.starts_with(&LOCAL) {
            return Err(damaged("a member is not where the directory says"));
        }
        let (name_at, name_bytes) = (self.local + LOCAL_BYTES, u64::from(u16_at(&head, 26)));
        fits(name_at, name_bytes).ok_or_else(outside)?;
        if archive.at(name_at, name_bytes)? != self.name {
            return Err(damaged("a member has another name than in the directory"));
        }
        let from = name_at + name_bytes + u64::from(u16_at(&head, 28));
        fits(from, self.packed_bytes).ok_or_else(outside)?;
        Ok(from)
    }
}

/// Checks what a member unwraps to against what the directory says of it.
pub(super) struct Checked<R> {
    input: R,
    left: u64,
    crc32: u32,
    found: flate2::Crc,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(input: R, entry: &Entry) -> Self {
        Self { input, left: entry.bytes, crc32: entry.crc32, found: flate2::Crc::new() }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let count = self.input.read(out)?;
        self.found.update(&out[..count]);
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| damaged("it is longer than the directory says"))?;
        match count {
            0 if self.left > 0 => Err(damaged("it is shorter than the directory says")),
            0 if self.found.sum() != self.crc32 => Err(damaged("the checksum of its bytes is wrong")),
            _ => Ok(count),
        }
    }
}
