//! What a file is wrapped in, by its first bytes. A name decides nothing, and neither does a magic number alone: the whole header
//! must be right, because a CSV file may begin with any letters.

/// How many bytes are looked at: the header of a tar archive.
pub(super) const HEAD_BYTES: usize = 512;

/// A wrapper that is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// gzip (RFC 1952), also several members one after the other.
    Gzip,
    /// Zstandard (RFC 8878), also several frames.
    Zstd,
    /// bzip2, also several streams.
    Bzip2,
    /// A zip archive.
    Zip,
    /// A tar archive: ustar, pax, GNU or older.
    Tar,
}

impl Wrapper {
    /// What people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No wrapper.
    Plain,
    /// A wrapper with a whole header.
    Wrapped(Wrapper),
    /// The beginning of a header, and then the file is over.
    Cut(Wrapper),
    /// A wrapper that this program does not take off.
    Foreign(&'static str),
}

const GZIP: &[u8] = &[0x1f, 0x8b, 8];
const GZIP_BYTES: usize = 10;
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Magic, descriptor and a window or a content size.
const ZSTD_BYTES: usize = 6;
const ZIP: &[u8] = b"PK\x03\x04";
const ZIP_BYTES: usize = 30;
const ZIP_EMPTY: &[u8] = b"PK\x05\x06";
const ZIP_EMPTY_BYTES: usize = 22;
const BZIP2_BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
const BZIP2_END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];

/// Others, by their magic numbers: none of them is text.
const FOREIGN: &[(&[u8], &str)] = &[
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (&[b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c], "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    (&[0x1f, 0x9d, 0x90], "compress (.Z)"),
];

/// Looks at the first [`HEAD_BYTES`] of a file, or at all of it if it is shorter.
pub(super) fn sniff(head: &[u8]) -> Found {
    if head.starts_with(GZIP) {
        return match head.get(3) {
            _ if head.len() < GZIP_BYTES => Found::Cut(Wrapper::Gzip),
            Some(flags) if flags & 0xe0 == 0 => Found::Wrapped(Wrapper::Gzip),
            _ => Found::Plain,
        };
    }
    if let Some(found) = zstd(head).or_else(|| zip(head)).or_else(|| tar(head)) {
        return found;
    }
    if is_bzip2(head) {
        return Found::Wrapped(Wrapper::Bzip2);
    }
    let foreign = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic));
    foreign.map_or(Found::Plain, |(_, name)| Found::Foreign(name))
}

fn zstd(head: &[u8]) -> Option<Found> {
    let frame = after_skippable(head)?;
    if !frame.starts_with(ZSTD) {
        return None;
    }
    // Bit 3 of the descriptor is reserved and 0.
    match frame.get(4) {
        _ if frame.len() < ZSTD_BYTES => Some(Found::Cut(Wrapper::Zstd)),
        Some(descriptor) if descriptor & 0x08 == 0 => Some(Found::Wrapped(Wrapper::Zstd)),
        _ => None,
    }
}

/// What follows frames that decoders pass over; parallel compressors begin with one.
fn after_skippable(mut head: &[u8]) -> Option<&[u8]> {
    while let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = head {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        head = rest.get(length..)?;
    }
    Some(head)
}

fn zip(head: &[u8]) -> Option<Found> {
    if head.starts_with(ZIP) {
        if head.len() < ZIP_BYTES {
            return Some(Found::Cut(Wrapper::Zip));
        }
        let (version, method, name_bytes) = (head[4], u16_at(head, 8), u16_at(head, 26));
        let is_known = matches!(method, 0..=10 | 12 | 14 | 16 | 18..=20 | 93..=99);
        return (version <= 63 && is_known && name_bytes > 0).then_some(Found::Wrapped(Wrapper::Zip));
    }
    // An archive without members: no disks, no entries, no directory.
    let is_empty = head.len() >= ZIP_EMPTY_BYTES && head.starts_with(ZIP_EMPTY) && head[4..20].iter().all(|b| *b == 0);
    is_empty.then_some(Found::Wrapped(Wrapper::Zip))
}

fn tar(head: &[u8]) -> Option<Found> {
    let is_posix = head.get(257..262) == Some(b"ustar");
    let Some(header) = head.get(..HEAD_BYTES) else {
        return (is_posix && head[0] != 0).then_some(Found::Cut(Wrapper::Tar));
    };
    // Before POSIX there was no magic number, but nothing behind the link's name either, except the zeros of a device.
    let is_older = matches!(header[156], 0 | b'0'..=b'5') && header[257..].iter().all(|b| matches!(b, 0 | b'0'));
    let is_tar = header[0] != 0 && (is_posix || is_older) && super::tar::has_right_checksum(header);
    is_tar.then_some(Found::Wrapped(Wrapper::Tar))
}

fn is_bzip2(head: &[u8]) -> bool {
    let [b'B', b'Z', b'h', b'1'..=b'9', magic @ ..] = head else { return false };
    magic.starts_with(&BZIP2_BLOCK) || magic.starts_with(&BZIP2_END)
}

/// A number of two bytes, lowest first.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_a_wrapper_is_text() {
        for text in [
            &b"BZh91,a number that begins like bzip2\n"[..],
            b"PK,customer,amount\nPK\x03",
            b"PK\x03\x04;not the header of a zip archive because its version and method are letters\n",
            b"Rar!,7z\n",
            b"7zXZ\n",
            b"(\xb5/\xfe is no zstd\n",
            b"(\xb5/\xfd\xff\xff is none either\n",
            b"\x1f\x8b\x08\xff with flags that nobody knows\n",
            b"\x1f\x8b",
            b"",
        ] {
            assert_eq!(sniff(text), Found::Plain, "{}", String::from_utf8_lossy(text));
        }
        let mut long = vec![b'x'; HEAD_BYTES];
        long[257..262].copy_from_slice(b"ustar");
        assert_eq!(sniff(&long), Found::Plain, "the checksum of a tar header must fit");
    }

    #[test]
    fn a_header_that_is_not_whole_is_a_file_that_was_cut_off() {
        assert_eq!(sniff(b"\x1f\x8b\x08\x00"), Found::Cut(Wrapper::Gzip));
        assert_eq!(sniff(b"(\xb5/\xfd"), Found::Cut(Wrapper::Zstd));
        assert_eq!(sniff(b"PK\x03\x04\x14\x00"), Found::Cut(Wrapper::Zip));
    }

    #[test]
    fn what_is_not_unwrapped_is_named() {
        assert_eq!(sniff(b"\xfd7zXZ\x00\x00\x04"), Found::Foreign("xz"));
        assert_eq!(sniff(b"7z\xbc\xaf\x27\x1c\x00\x04"), Found::Foreign("7z"));
        assert_eq!(sniff(b"Rar!\x1a\x07\x01\x00"), Found::Foreign("rar"));
    }
}
