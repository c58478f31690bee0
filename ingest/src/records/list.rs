//! Records that are no lines: a list of pieces, each a record or what stands in the place of one that is damaged.
//!
//! The cut of a list is a function of its bytes: where a piece begins, the walk knows nothing of what came before. So a range
//! that begins and ends with pieces falls into the same pieces on its own as in its file.

/// A record, or a stretch in which none can be made out: one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its first byte.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
    /// Whether it is no record.
    pub is_broken: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A row.
    Piece(Piece),
    /// The bytes end before that can be told; never when they are all there are.
    More,
    /// The list ends, and the byte after its end is this one.
    End(usize),
    /// All bytes were read and the list did not end.
    Open,
    /// No record in reach behind what is broken here.
    Lost(usize),
}

/// Walks over a list.
pub(crate) trait Pieces {
    /// What comes at or behind `at`, where a piece has ended. `is_all`: no bytes follow these.
    fn next(&mut self, bytes: &[u8], at: usize, is_all: bool) -> Step;

    /// Whether what stands behind the end of a list belongs to its file; `bytes` are all of it.
    fn is_fitting_end(&self, bytes: &[u8]) -> bool;
}

/// So far the next record is looked for behind a broken one, and so long a record can be: bytes, for rows of at most so many.
pub(crate) fn reach(row_bytes_max: usize) -> usize {
    (4 * row_bytes_max).max(1 << 20)
}

/// How the list opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// More bytes are needed.
    More,
    /// Its first record begins at this byte or behind it.
    From(usize),
    /// The document is there, and has no list with records.
    Nothing,
    /// It says that it is in another encoding.
    WrongEncoding(String),
    /// It does not, and why.
    Wrong(String),
}
