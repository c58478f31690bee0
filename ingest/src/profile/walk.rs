//! Where rows end in bytes that begin with one: for those who read a file again, or row by row.

use crate::records::json::array::ArrayPieces;
use crate::records::list::{Pieces, Step, reach};
use crate::records::xml::pieces::XmlPieces;
use crate::tap3;

use super::Profile;
use super::layout::Layout;
use super::recipe::Reader;

impl Profile {
    /// How many of these bytes, which begin with a row, are whole rows that fall apart as they do in the file; `None` if no row
    /// ends among them for sure. More bytes may be needed than the longest row has.
    pub fn whole_rows(&self, layout: &Layout, bytes: &[u8]) -> Option<usize> {
        let reach = reach(self.file.row_bytes_max);
        match &self.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => layout.whole_lines(bytes),
            Reader::JsonArray(form) => whole_pieces(ArrayPieces::new(form, reach, true), bytes),
            Reader::Xml(form) => whole_pieces(XmlPieces::new(form, reach), bytes),
            Reader::Tap3(form) => tap3::whole_events(&form.rules, bytes),
        }
    }

    /// Where the first row stands in these bytes, with its line end if it is a line. All of a range must follow.
    pub(crate) fn first_row(&self, layout: &Layout, bytes: &[u8]) -> (usize, usize) {
        let reach = reach(self.file.row_bytes_max);
        match &self.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => (0, layout.line_length(bytes)),
            Reader::JsonArray(form) => first_piece(ArrayPieces::new(form, reach, true), bytes),
            Reader::Xml(form) => first_piece(XmlPieces::new(form, reach), bytes),
            Reader::Tap3(form) => (0, tap3::first_event(&form.rules, bytes)),
        }
    }
}

fn whole_pieces(mut pieces: impl Pieces, bytes: &[u8]) -> Option<usize> {
    let mut whole = None;
    while let Step::Piece(piece) = pieces.next(bytes, whole.unwrap_or(0), false) {
        whole = Some(piece.to);
    }
    whole
}

fn first_piece(mut pieces: impl Pieces, bytes: &[u8]) -> (usize, usize) {
    match pieces.next(bytes, 0, true) {
        Step::Piece(piece) => (piece.from, piece.to),
        _ => (0, bytes.len()),
    }
}
