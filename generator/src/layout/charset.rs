//! In which bytes a layout's text is written: cells are UTF-8 until the file is whole.

/// The encoding of a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8.
    Utf8,
    /// Windows-1252.
    Windows1252,
    /// UTF-16, the lower byte of each unit first.
    Utf16,
}

/// The characters of Windows-1252 that are not where Latin-1 has them, as far as files here have them.
const WINDOWS_1252: [(char, u8); 4] = [('\u{20ac}', 0x80), ('\u{160}', 0x8a), ('\u{2018}', 0x91), ('\u{2013}', 0x96)];

impl Charset {
    /// Turns what follows the first `from` bytes of a buffer from UTF-8 into this encoding.
    pub fn encode_from(self, from: usize, out: &mut Vec<u8>) {
        if self == Self::Utf8 {
            return;
        }
        let text = String::from_utf8(out.split_off(from)).expect("cells are text");
        match self {
            Self::Utf8 => {}
            Self::Windows1252 => out.extend(text.chars().map(windows_1252)),
            Self::Utf16 => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }
}

/// The byte of a character; a question mark for one that the table above lacks.
fn windows_1252(c: char) -> u8 {
    let moved = WINDOWS_1252.iter().find(|(character, _)| *character == c).map(|(_, byte)| *byte);
    moved.or_else(|| u8::try_from(c).ok()).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(charset: Charset, text: &str) -> Vec<u8> {
        let mut out = b"kept".to_vec();
        out.extend(text.as_bytes());
        charset.encode_from(4, &mut out);
        assert_eq!(&out[..4], b"kept");
        out.split_off(4)
    }

    #[test]
    fn letters_and_signs_become_the_bytes_of_the_code_page() {
        assert_eq!(encoded(Charset::Windows1252, "Zo\u{eb} \u{2018}t \u{20ac}1"), b"Zo\xeb \x91t \x801");
        assert_eq!(encoded(Charset::Utf8, "\u{eb}"), b"\xc3\xab");
        assert_eq!(encoded(Charset::Utf16, "\u{feff}\u{1f4de}"), [0xff, 0xfe, 0x3d, 0xd8, 0xde, 0xdc]);
    }
}
