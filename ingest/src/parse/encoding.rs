//! Whether a line is text in the profile's encoding, and in which column it is not.

use crate::profile::recipe::Encoding;

/// The first byte that is no text: a control character other than a tab, or none of the encoding's.
pub(crate) fn first_bad_byte(encoding: Encoding, line: &[u8]) -> Option<usize> {
    let is_control = |c: &u8| *c < b' ' && *c != b'\t' || *c == 0x7f;
    let control = line.iter().position(is_control);
    let foreign = match encoding {
        Encoding::Utf8 => std::str::from_utf8(line).err().map(|e| e.valid_up_to()),
        // Latin-1 has control characters there; files that use them are in another encoding.
        Encoding::Latin1 => line.iter().position(|c| (0x80..0xa0).contains(c)),
    };
    match (control, foreign) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The position of the column that follows these bytes of a row.
pub(super) fn column_of(before: &[u8], separator: u8, quote: Option<u8>) -> usize {
    let (mut column, mut inside) = (0, false);
    for byte in before {
        if Some(*byte) == quote {
            inside = !inside;
        } else if *byte == separator && !inside {
            column += 1;
        }
    }
    column
}
