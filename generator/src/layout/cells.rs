//! The cells of a row, and how they become a line: separators, quotes, and what a wreck does to them.

use std::io::Write;

use super::{Damage, Quote, Shape, Wreck};

/// The cells of one row, one after the other in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Ends the cell that was written into the buffer.
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    pub fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
        self.end();
    }

    pub fn number(&mut self, number: impl std::fmt::Display) {
        write!(self.bytes, "{number}").expect("a vector takes all bytes");
        self.end();
    }

    pub fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.end();
    }

    /// Writes the row without its line end.
    pub fn write(&self, shape: &Shape, wreck: Option<&Wreck>, out: &mut Vec<u8>) {
        let (shown, replaced): (usize, &[(usize, &str)]) = match wreck.map(|w| &w.damage) {
            None => (self.ends.len(), &[]),
            Some(Damage::Cut(cells)) => (*cells, &[]),
            Some(Damage::Cells(cells)) => (self.ends.len(), cells),
        };
        let mut from = 0;
        for (i, end) in self.ends.iter().take(shown).enumerate() {
            if i > 0 {
                out.push(shape.separator);
            }
            let content = replaced.iter().find(|cell| cell.0 == i).map_or(&self.bytes[from..*end], |cell| cell.1.as_bytes());
            let quoted = match shape.quote {
                Quote::Never => false,
                Quote::Always => true,
                Quote::Except(plain) => plain >> i & 1 == 0,
            } || content.contains(&shape.separator);
            if quoted {
                out.push(b'"');
            }
            out.extend(content);
            if quoted {
                out.push(b'"');
            }
            from = *end;
        }
    }
}
