//! Readers between the wrappers: from the store, through the decoders, and past the limits.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use super::bzip2::Bzip2;
use super::fault::{Fault, Problem, Speaker, WHOLE};
use super::sniff::Wrapper;
use super::zip::Places;
use super::{Object, Objects, UnwrapLimits};

/// How much of an object is read at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// How much of a wrapper's bytes waits for its decoder.
const BUFFER_BYTES: usize = 64 * 1024;

/// The window that a zstd frame may ask for, as a power of two: 128 MiB, what its own tools allow.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// This much may come out of any wrapper, however small it is.
const FREE_BYTES: u64 = 1 << 20;

/// Bytes of an object, in order.
pub(super) struct FromObject<'a> {
    objects: &'a dyn Objects,
    object: &'a Object,
    next: u64,
    end: u64,
    piece: Vec<u8>,
    read: usize,
}

impl<'a> FromObject<'a> {
    pub(super) fn new(objects: &'a dyn Objects, object: &'a Object, from: u64, end: u64) -> Self {
        Self { objects, object, next: from, end, piece: Vec::new(), read: 0 }
    }
}

impl Read for FromObject<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            let end = self.end.min(self.next + PIECE_BYTES);
            if end <= self.next {
                return Ok(0);
            }
            self.piece = self.objects.range(self.object, self.next..end).map_err(Fault::Land)?;
            (self.next, self.read) = (end, 0);
        }
        let count = (&self.piece[self.read..]).read(out)?;
        self.read += count;
        Ok(count)
    }
}

/// An object that is read at any place.
pub(super) struct InObject<'a> {
    pub(super) objects: &'a dyn Objects,
    pub(super) object: &'a Object,
}

impl Places for InObject<'_> {
    fn size(&self) -> u64 {
        self.object.size
    }

    fn at(&self, from: u64, count: u64) -> io::Result<Vec<u8>> {
        Ok(self.objects.range(self.object, from..from + count).map_err(Fault::Land)?)
    }
}

/// Counts what is read.
pub(super) struct Counted<'a, R> {
    pub(super) input: R,
    pub(super) count: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(out)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// What all wrappers of a file may unwrap to together.
pub(super) struct Budget {
    pub(super) limits: UnwrapLimits,
    /// Size of the file as it was sent.
    pub(super) sent_bytes: u64,
    pub(super) spent: Cell<u64>,
}

impl Budget {
    fn allowed(&self, wrapper_bytes: u64) -> u64 {
        wrapper_bytes.saturating_mul(self.limits.ratio_max).max(FREE_BYTES)
    }

    /// Takes bytes from the budget of the whole file.
    fn spend(&self, count: u64) -> Option<Problem> {
        self.spent.set(self.spent.get() + count);
        match self.spent.get() {
            spent if spent > self.limits.bytes_max => Some(Problem::Bytes(self.limits.bytes_max)),
            spent if spent > self.allowed(self.sent_bytes) => Some(Problem::Ratio(self.limits.ratio_max)),
            _ => None,
        }
    }
}

/// What comes out of a decoder, within the limits; errors say which wrapper they are about.
pub(super) struct Metered<'a> {
    pub(super) decoder: Box<dyn Read + 'a>,
    /// What the decoder has read so far.
    pub(super) wrapped: &'a Cell<u64>,
    pub(super) unwrapped: u64,
    pub(super) budget: &'a Budget,
    pub(super) speaker: &'a Speaker,
}

impl Read for Metered<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match self.decoder.read(out) {
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::Interrupted => return Err(e),
            Err(e) => return Err(self.speaker.explain(e).into()),
        };
        self.unwrapped += count as u64;
        if let Some(problem) = self.budget.spend(count as u64) {
            return Err(Speaker { layer: WHOLE, ..self.speaker.clone() }.fault(problem).into());
        }
        if self.unwrapped > self.budget.allowed(self.wrapped.get()) {
            return Err(self.speaker.fault(Problem::Ratio(self.budget.limits.ratio_max)).into());
        }
        Ok(count)
    }
}

/// What is read of an archive's member; errors say which wrapper they are about.
pub(super) struct Spoken<'a, R> {
    pub(super) input: R,
    pub(super) speaker: &'a Speaker,
}

impl<R: Read> Read for Spoken<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.input.read(out) {
            Err(e) if e.kind() != ErrorKind::Interrupted => Err(self.speaker.explain(e).into()),
            read => read,
        }
    }
}

/// The decoder of a compressor.
pub(super) fn decoder<'a>(wrapper: Wrapper, input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let input = BufReader::with_capacity(BUFFER_BYTES, input);
    Ok(match wrapper {
        Wrapper::Gzip => Box::new(Gzip { decoder: Some(GzDecoder::new(input)) }),
        Wrapper::Bzip2 => Box::new(Bzip2::new(input)),
        Wrapper::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
        Wrapper::Zip | Wrapper::Tar => Box::new(input),
    })
}

/// The decoder of a zip member.
pub(super) fn zip_decoder<'a>(method: u16, input: impl Read + 'a) -> io::Result<Option<Box<dyn Read + 'a>>> {
    Ok(Some(match method {
        0 => Box::new(input),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(BufReader::with_capacity(BUFFER_BYTES, input))),
        12 => decoder(Wrapper::Bzip2, input)?,
        93 => decoder(Wrapper::Zstd, input)?,
        _ => return Ok(None),
    }))
}

/// gzip members one after the other, as several compressed files put together make them.
struct Gzip<R> {
    decoder: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            // The member is over and its checksum was right.
            let mut input = self.decoder.take().expect("there is one").into_inner();
            self.decoder = is_followed(&mut input)?.then(|| GzDecoder::new(input));
        }
        Ok(0)
    }
}

/// Whether another member follows; zeros that fill up a tape or a block are none.
fn is_followed(input: &mut impl BufRead) -> io::Result<bool> {
    let mut filled = false;
    loop {
        let waiting = input.fill_buf()?;
        let zeros = waiting.iter().take_while(|b| **b == 0).count();
        match (waiting.get(zeros), waiting.len()) {
            (_, 0) => return Ok(false),
            (Some(0x1f), _) if zeros == 0 && !filled => return Ok(true),
            (Some(_), _) => return Err(io::Error::new(ErrorKind::InvalidData, "something else follows its end")),
            (None, length) => input.consume(length),
        }
        filled = true;
    }
}
