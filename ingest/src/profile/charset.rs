//! How characters are written: the encodings that a profile may declare, and what their bytes mean.

use std::borrow::Cow;

/// What the bytes 0x80 to 0x9f are in Windows-1252; NUL where they are nothing.
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”', '•', '–', '—',
    '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Latin1,
    Windows1252,
    /// In the byte order that the mark at the beginning tells. Split and parse read its lines as UTF-8 (`parse::utf16`), so
    /// wherever a line is meant, this is UTF-8.
    Utf16,
}

impl Encoding {
    /// The word of the profile.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Latin1 => "latin-1",
            Self::Windows1252 => "windows-1252",
            Self::Utf16 => "utf-16",
        }
    }

    /// Bytes of the smallest character in the file.
    pub fn unit_bytes(self) -> usize {
        if self == Self::Utf16 { 2 } else { 1 }
    }

    /// Whether lines, as they are read, are UTF-8.
    #[inline]
    pub fn reads_utf8(self) -> bool {
        matches!(self, Self::Utf8 | Self::Utf16)
    }

    /// The first byte of a line that stands for no character; control characters are looked for elsewhere.
    pub fn first_foreign(self, line: &[u8]) -> Option<usize> {
        match self {
            Self::Utf8 | Self::Utf16 => std::str::from_utf8(line).err().map(|e| e.valid_up_to()),
            // Latin-1 has control characters there; files that use them are in another encoding.
            Self::Latin1 => line.iter().position(|c| (0x80..0xa0).contains(c)),
            Self::Windows1252 => line.iter().position(|c| (0x80..0xa0).contains(c) && windows_1252(*c) == '\0'),
        }
    }

    /// A text as lines of such files have it; `None` if they cannot.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 | Self::Utf16 => Some(text.as_bytes().to_vec()),
            Self::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
            Self::Windows1252 => text.chars().map(to_windows_1252).collect(),
        }
    }

    /// Bytes of a line as text. Bytes that are none become U+FFFD.
    #[inline]
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Latin1 if !bytes.is_ascii() => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
            Self::Windows1252 if !bytes.is_ascii() => {
                let shown = |c: char| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
                Cow::Owned(bytes.iter().map(|byte| shown(windows_1252(*byte))).collect())
            }
            _ => String::from_utf8_lossy(bytes),
        }
    }
}

/// The character of a byte, NUL for those that are none.
fn windows_1252(byte: u8) -> char {
    match byte {
        0x80..0xa0 => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn to_windows_1252(c: char) -> Option<u8> {
    let plain = u8::try_from(c).ok().filter(|byte| !(0x80..0xa0).contains(byte));
    plain.or_else(|| (0x80..0xa0).find(|byte| windows_1252(*byte) == c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_is_latin_1_with_letters_between() {
        let text = "caf\u{e9} € „Zuid” Šœ";
        let bytes = Encoding::Windows1252.encode(text).expect("all have a byte");
        assert_eq!(bytes[5], 0x80, "the euro sign");
        assert_eq!(Encoding::Windows1252.decode(&bytes), text);
        assert_eq!(Encoding::Windows1252.first_foreign(&bytes), None);
        assert_eq!(Encoding::Latin1.first_foreign(&bytes), Some(5));
        assert_eq!(Encoding::Windows1252.encode("ł"), None);
        for byte in [0x81, 0x8d, 0x8f, 0x90, 0x9d] {
            assert_eq!(Encoding::Windows1252.first_foreign(&[b'a', byte]), Some(1), "{byte:x} is no character");
        }
        assert_eq!(
            (0..=255u8).filter(|b| to_windows_1252(windows_1252(*b)) == Some(*b)).count(),
            256 - 5,
            "there and back, NUL included"
        );
    }
}
