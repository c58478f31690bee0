//! Whether a line is text in the profile's encoding, and in which column it is not.

use crate::profile::charset::Encoding;

/// The first byte that is no text: a control character other than a tab, or none of the encoding's.
pub(crate) fn first_bad_byte(encoding: Encoding, line: &[u8]) -> Option<usize> {
    let is_control = |c: &u8| *c < b' ' && *c != b'\t' || *c == 0x7f;
    // Hardly a line has one, and a loop that does not stop takes many bytes at a time.
    let has_control = line.iter().fold(false, |found, c| found | is_control(c));
    let control = if has_control { line.iter().position(is_control) } else { None };
    match (control, encoding.first_foreign(line)) {
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
