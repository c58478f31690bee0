//! A bounded piece of each file: its beginning, and of a plain file also its end, where a trailer would stand.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use crate::land::LandError;
use crate::parse::utf16::ByteOrder;
use crate::unwrap::{self, Object, Objects, UnwrapLimits};

use super::{DraftError, DraftLimits};

/// Fewest bytes that are looked at, whatever is asked for.
const BYTES_MIN: usize = 1024;

/// How much of the end of a plain file is read, when its beginning does not reach there.
const TAIL_BYTES: u64 = 64 * 1024;

/// The name under which the file itself is kept; its members have numbers.
const WHOLE_FILE: &str = "file";

/// The beginning of a file.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The file's name; of a member of an archive the way to it, `archive.zip!member.csv`.
    pub name: String,
    /// Its first bytes.
    pub bytes: Vec<u8>,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// Its last bytes, where the beginning does not reach there and they could be read.
    pub(super) tail: Vec<u8>,
}

impl Sample {
    /// A file that is in memory.
    pub fn whole(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.to_owned(), bytes: bytes.to_vec(), is_whole: true, tail: Vec::new() }
    }

    /// Its bytes without a line that is cut.
    pub(super) fn whole_lines(&self) -> &[u8] {
        if self.is_whole {
            return &self.bytes;
        }
        let end = match ByteOrder::of_mark(&self.bytes) {
            None => memchr::memrchr(b'\n', &self.bytes).map(|feed| feed + 1),
            Some(order) => order.find_last_feed(&self.bytes).map(|feed| feed + 2),
        };
        &self.bytes[..end.unwrap_or(0)]
    }
}

/// What is in a file: itself if it is plain, else what its wrappers hold.
#[derive(Debug)]
pub struct Opened {
    /// Of each file, a piece or all of it.
    pub samples: Vec<Sample>,
    /// What could not be unwrapped, each with its name and what to do.
    pub refused: Vec<LandError>,
}

/// Reads a piece of a file, wrappers taken off: one sample for a plain file, one for each member of an archive.
pub fn read_samples<R: Read + Seek>(name: &str, input: &mut R, limits: DraftLimits) -> Result<Vec<Sample>, DraftError> {
    let Opened { samples, refused } = open_samples(name, input, limits)?;
    match refused.into_iter().next() {
        Some(problem) if samples.is_empty() => Err(problem.into()),
        _ => Ok(samples),
    }
}

/// As [`read_samples`], with what could not be unwrapped beside what could.
pub fn open_samples<R: Read + Seek>(name: &str, input: &mut R, limits: DraftLimits) -> Result<Opened, DraftError> {
    let opened = |samples| Opened { samples, refused: Vec::new() };
    let unreadable = |source| DraftError::Unreadable { file: name.to_owned(), source };
    let size = input.seek(SeekFrom::End(0)).map_err(unreadable)?;
    input.rewind().map_err(unreadable)?;
    let head = unwrap::head(input).map_err(unreadable)?;
    input.rewind().map_err(unreadable)?;
    if unwrap::is_plain(&head) {
        return read_plain(name, input, size, limits).map(|sample| opened(vec![sample])).map_err(unreadable);
    }
    let source = Source { input: RefCell::new(input), kept: RefCell::default(), is_full: Cell::new(false), limits };
    let file = Object { sha256: WHOLE_FILE.to_owned(), size };
    let unwrapped = unwrap::unwrap(&source, &file, name, name, UnwrapLimits::default());
    let is_full = source.is_full.get();
    let mut kept = source.kept.into_inner();
    match unwrapped {
        // The sample is full: what was kept until then is enough, whether or not the rest is whole.
        Err(_) if is_full => {
            if let Some(archive) = kept.iter().find(|s| !s.is_whole && !unwrap::is_plain(&s.bytes)) {
                return Err(DraftError::DeepArchive(archive.name.clone()));
            }
            kept.retain(|sample| unwrap::is_plain(&sample.bytes));
            Ok(opened(kept))
        }
        Err(error) => Err(error.into()),
        Ok(found) => {
            let mut samples = Vec::with_capacity(found.members.len());
            for member in found.members {
                let place = member.object.sha256.parse().ok().filter(|place: &usize| *place < kept.len());
                let bytes = place.map(|place| std::mem::take(&mut kept[place].bytes)).unwrap_or_default();
                samples.push(Sample { name: member.origin, bytes, is_whole: true, tail: Vec::new() });
            }
            Ok(Opened { samples, refused: found.refused })
        }
    }
}

fn read_plain<R: Read + Seek>(name: &str, input: &mut R, size: u64, limits: DraftLimits) -> io::Result<Sample> {
    let bytes = first_bytes(input, limits.bytes_max.max(BYTES_MIN))?;
    let is_whole = bytes.len() as u64 >= size;
    let mut tail = Vec::new();
    if !is_whole {
        // An even place, so that the units of UTF-16 stay whole.
        let from = size.saturating_sub(TAIL_BYTES).max(bytes.len() as u64);
        input.seek(SeekFrom::Start(from & !1))?;
        input.take(TAIL_BYTES + 1).read_to_end(&mut tail)?;
    }
    Ok(Sample { name: name.to_owned(), bytes, is_whole, tail })
}

fn first_bytes(input: &mut dyn Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(bytes_max as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A wrapped file and what came out of it so far.
struct Source<'r, R> {
    input: RefCell<&'r mut R>,
    kept: RefCell<Vec<Sample>>,
    /// Whether unwrapping was stopped because there is enough.
    is_full: Cell<bool>,
    limits: DraftLimits,
}

impl<R: Read + Seek> Source<'_, R> {
    fn stop(&self, file: &str) -> LandError {
        self.is_full.set(true);
        LandError::Source { file: file.to_owned(), source: io::Error::other("the sample is full") }
    }
}

impl<R: Read + Seek> Objects for Source<'_, R> {
    fn keep(&self, origin: &str, bytes: &mut dyn Read) -> Result<Object, LandError> {
        let place = self.kept.borrow().len();
        if place >= self.limits.files_max {
            return Err(self.stop(origin));
        }
        let bytes_max = self.limits.bytes_max.max(BYTES_MIN);
        let mut head =
            first_bytes(bytes, bytes_max + 1).map_err(|source| LandError::Source { file: origin.to_owned(), source })?;
        let is_whole = head.len() <= bytes_max;
        head.truncate(bytes_max);
        let size = head.len() as u64;
        self.kept.borrow_mut().push(Sample { name: origin.to_owned(), bytes: head, is_whole, tail: Vec::new() });
        if !is_whole {
            return Err(self.stop(origin));
        }
        Ok(Object { sha256: place.to_string(), size })
    }

    fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, LandError> {
        let failed = |source| LandError::Source { file: object.sha256.clone(), source };
        if object.sha256 == WHOLE_FILE {
            let mut input = self.input.borrow_mut();
            input.seek(SeekFrom::Start(range.start)).map_err(failed)?;
            let mut bytes = Vec::new();
            let input: &mut R = &mut input;
            input.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes).map_err(failed)?;
            return Ok(bytes);
        }
        let kept = self.kept.borrow();
        let sample = object.sha256.parse().ok().and_then(|place: usize| kept.get(place));
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let bytes = sample.and_then(|sample| sample.bytes.get(place(range.start)..place(range.end)));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))
    }
}
