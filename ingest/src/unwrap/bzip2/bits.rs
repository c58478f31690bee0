//! A stream of bits, as bzip2 packs them: the highest of each byte first.

use std::io::{self, BufRead, ErrorKind};

/// Bits, highest first.
pub(super) struct Bits<R> {
    input: R,
    /// The lowest `count` bits wait.
    waiting: u64,
    count: u32,
}

impl<R: BufRead> Bits<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, waiting: 0, count: 0 }
    }

    /// Takes in more bytes; false at the end of the input.
    fn refill(&mut self) -> io::Result<bool> {
        let chunk = self.input.fill_buf()?;
        let space = ((64 - self.count) / 8) as usize;
        let taken = space.min(chunk.len());
        for byte in &chunk[..taken] {
            self.waiting = (self.waiting << 8) | u64::from(*byte);
        }
        self.count += 8 * u32::try_from(taken).expect("at most eight");
        self.input.consume(taken);
        Ok(taken > 0)
    }

    /// The next bits, at most 32.
    pub(super) fn take(&mut self, bits: u32) -> io::Result<u32> {
        while self.count < bits {
            if !self.refill()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        self.count -= bits;
        let value = (self.waiting >> self.count) & ((1 << bits) - 1);
        Ok(u32::try_from(value).expect("at most 32 bits"))
    }

    pub(super) fn flag(&mut self) -> io::Result<bool> {
        Ok(self.take(1)? == 1)
    }

    /// A number of 48 bits.
    pub(super) fn magic(&mut self) -> io::Result<u64> {
        Ok((u64::from(self.take(24)?) << 24) | u64::from(self.take(24)?))
    }

    /// The next bits without taking them; zeros behind the end.
    pub(super) fn peek(&mut self, bits: u32) -> io::Result<u32> {
        while self.count < bits && self.refill()? {}
        let value = if self.count >= bits { self.waiting >> (self.count - bits) } else { self.waiting << (bits - self.count) };
        Ok(u32::try_from(value & ((1 << bits) - 1)).expect("at most 32 bits"))
    }

    /// Takes bits that were looked at.
    pub(super) fn skip(&mut self, bits: u32) -> io::Result<()> {
        self.count = self.count.checked_sub(bits).ok_or(ErrorKind::UnexpectedEof)?;
        Ok(())
    }

    /// Drops the rest of a byte.
    pub(super) fn align(&mut self) {
        self.count -= self.count % 8;
    }

    /// The next whole byte; none at the end.
    pub(super) fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.count < 8 && !self.refill()? {
            return Ok(None);
        }
        self.take(8).map(|byte| u8::try_from(byte).ok())
    }
}
