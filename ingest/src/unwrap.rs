//! Takes the wrappers off a file: gzip, zstd, bzip2, zip and tar in any nesting, recognised by content.
//!
//! Everything is a stream of bounded memory: what comes out of a wrapper is looked at, and is either the next wrapper or a member,
//! which is kept as an object of its own. A member counts only when every checksum around it was read and was right; so what one
//! gzip stream holds counts together or not at all, while the members of a zip archive stand alone.

mod bzip2;
mod fault;
mod name;
mod reader;
mod sniff;
mod tar;
#[cfg(test)]
pub(crate) mod tests;
mod walk;
mod zip;

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use crate::land::LandError;

pub use self::fault::Problem;
pub use self::sniff::Wrapper;

use self::fault::Fault;
use self::walk::{Place, Walk};

/// How much of one file is unwrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnwrapLimits {
    /// Wrappers inside each other.
    pub depth_max: u32,
    /// Members of all its archives together, those included that hold no data.
    pub members_max: u64,
    /// Bytes that come out of its wrappers together.
    pub bytes_max: u64,
    /// Bytes that come out of a wrapper, and of all together, for each byte that went in. The first MiB is free.
    pub ratio_max: u64,
}

impl Default for UnwrapLimits {
    fn default() -> Self {
        Self { depth_max: 5, members_max: 10_000, bytes_max: 64 << 30, ratio_max: 250 }
    }
}

/// Bytes that are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) sha256: String,
    pub(crate) size: u64,
}

/// Where bytes are kept: landing.
pub(crate) trait Objects {
    /// Keeps bytes to their end. An error of the reader comes back as the source of [`LandError::Source`].
    fn keep(&self, origin: &str, bytes: &mut dyn Read) -> Result<Object, LandError>;
    /// Some bytes of what is kept.
    fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, LandError>;
}

/// A file that was found in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// The way to it, for people: `archive.zip!folder/member.csv`.
    pub(crate) origin: String,
    /// Its own name.
    pub(crate) logical_file: String,
    pub(crate) object: Object,
}

/// What an archive holds beside data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The way to it: `archive.zip!__MACOSX/._member.csv`.
    pub origin: String,
    /// What it is.
    pub why: &'static str,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub(crate) struct Unwrapped {
    pub(crate) members: Vec<Member>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) refused: Vec<LandError>,
}

/// The first bytes of a file, as many as it takes to know whether it is wrapped.
pub(crate) fn head(bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; sniff::HEAD_BYTES];
    let mut count = 0;
    while count < head.len() {
        match bytes.read(&mut head[count..]) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    head.truncate(count);
    Ok(head)
}

/// Whether a file that begins so is no wrapper of any kind.
pub(crate) fn is_plain(head: &[u8]) -> bool {
    sniff::sniff(head) == sniff::Found::Plain
}

/// Unwraps a file that is kept. What cannot be unwrapped is refused by name and the rest goes on; an error means that the store
/// failed.
pub(crate) fn unwrap(
    objects: &dyn Objects,
    file: &Object,
    origin: &str,
    logical_file: &str,
    limits: UnwrapLimits,
) -> Result<Unwrapped, LandError> {
    let budget = reader::Budget { limits, sent_bytes: file.size, spent: std::cell::Cell::new(0) };
    let mut walk = Walk::new(objects, &budget);
    let place = Place::of_file(origin, logical_file);
    let mut input = reader::FromObject::new(objects, file, 0, file.size);
    let whole = walk.visit(&place, &mut input, Some(file));
    let mut found = walk.found;
    match whole {
        Ok(()) => {}
        Err(Fault::Land(error)) => return Err(error),
        Err(Fault::Layer { origin, problem, .. }) => found.refuse(origin, problem),
    }
    if found.members.is_empty() && found.refused.is_empty() {
        found.refuse(origin.to_owned(), Problem::Nothing);
    }
    Ok(found)
}

impl Unwrapped {
    fn refuse(&mut self, file: String, problem: Problem) {
        self.refused.push(LandError::Wrapped { file, problem });
    }
}
