//! bzip2, decoded block by block: Huffman codes, runs, move-to-front, the inverse Burrows-Wheeler transform, runs again.
//!
//! Written here because the libraries either lack the check of the whole stream and several streams in one file, or come under a
//! licence that the tree does not allow. Memory: 3.6 MB for the largest block.

mod bits;
mod code;

use std::io::{self, BufRead, ErrorKind, Read};

use self::bits::Bits;
use self::code::{CODE_BITS_MAX, Code};

const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
const END_MAGIC: u64 = 0x1772_4538_5090;

/// Symbols per choice of a code table.
const GROUP: u32 = 50;

/// Most bytes that a level stands for, times the level.
const LEVEL_BYTES: usize = 100_000;

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let (mut byte, mut place) = (0_u32, 0);
    while place < table.len() {
        let mut crc = byte << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { (crc << 1) ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[place] = crc;
        (byte, place) = (byte + 1, place + 1);
    }
    table
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

/// What is left of a block and how its runs stand.
#[derive(Default)]
struct Block {
    /// Lowest 8 bits: a byte; above: the place of the one that follows.
    links: Vec<u32>,
    place: usize,
    left: usize,
    last: u8,
    /// Equal bytes in a row, up to 4, behind which a count follows.
    run: u8,
    /// Further copies of the last byte.
    copies: u8,
    crc: u32,
    expected_crc: u32,
}

impl Block {
    /// Writes bytes; 0 when the block is over.
    fn fill(&mut self, out: &mut [u8]) -> usize {
        let mut written = 0;
        while written < out.len() {
            if self.copies > 0 {
                self.copies -= 1;
            } else if self.left == 0 {
                break;
            } else {
                let link = self.links[self.place];
                (self.place, self.left) = ((link >> 8) as usize, self.left - 1);
                let [byte, ..] = link.to_le_bytes();
                if self.run == 4 {
                    (self.run, self.copies) = (0, byte);
                    continue;
                }
                self.run = if self.run > 0 && byte == self.last { self.run + 1 } else { 1 };
                self.last = byte;
            }
            out[written] = self.last;
            written += 1;
            self.crc = (self.crc << 8) ^ CRC_TABLE[usize::from(self.crc.to_be_bytes()[0] ^ self.last)];
        }
        written
    }
}

enum State {
    /// Before a stream's header.
    Start,
    /// Before a block or the stream's end.
    Between,
    /// In a block.
    Block,
    Over,
}

/// Reads what a bzip2 file holds, its streams one after the other.
pub(super) struct Bzip2<R> {
    bits: Bits<R>,
    state: State,
    block_bytes_max: usize,
    block: Block,
    stream_crc: u32,
    is_first: bool,
}

impl<R: BufRead> Bzip2<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            bits: Bits::new(input),
            state: State::Start,
            block_bytes_max: 0,
            block: Block::default(),
            stream_crc: 0,
            is_first: true,
        }
    }

    fn start(&mut self) -> io::Result<State> {
        let mut first = self.bits.byte()?;
        if !self.is_first {
            // Tapes and blocks are filled up with zeros.
            while first == Some(0) {
                first = self.bits.byte()?;
            }
            if first.is_none() {
                return Ok(State::Over);
            }
        }
        let mut next = || self.bits.byte()?.ok_or_else(|| io::Error::from(ErrorKind::UnexpectedEof));
        match (first, next()?, next()?, next()?) {
            (Some(b'B'), b'Z', b'h', level @ b'1'..=b'9') => {
                self.block_bytes_max = usize::from(level - b'0') * LEVEL_BYTES;
                (self.stream_crc, self.is_first) = (0, false);
                Ok(State::Between)
            }
            _ => Err(damaged("something else follows its end")),
        }
    }

    fn between(&mut self) -> io::Result<State> {
        let magic = self.bits.magic()?;
        let crc = self.bits.take(32)?;
        match magic {
            BLOCK_MAGIC => {
                self.read_block()?;
                (self.block.crc, self.block.expected_crc) = (u32::MAX, crc);
                Ok(State::Block)
            }
            END_MAGIC if crc == self.stream_crc => {
                self.bits.align();
                Ok(State::Start)
            }
            END_MAGIC => Err(damaged("the checksum of its bytes is wrong")),
            _ => Err(damaged("a block begins wrongly")),
        }
    }

    fn end_block(&mut self) -> io::Result<State> {
        let crc = !self.block.crc;
        if crc != self.block.expected_crc {
            return Err(damaged("the checksum of its bytes is wrong"));
        }
        self.stream_crc = self.stream_crc.rotate_left(1) ^ crc;
        Ok(State::Between)
    }

    fn read_block(&mut self) -> io::Result<()> {
        if self.bits.flag()? {
            return Err(damaged("a block is randomised, as only bzip2 before 0.9.5 did"));
        }
        let origin = self.bits.take(24)? as usize;
        let used = self.read_used()?;
        let tables = self.bits.take(3)?;
        if !(2..=6).contains(&tables) {
            return Err(damaged("a block has a wrong number of codes"));
        }
        let choices = self.read_choices(tables)?;
        let codes: Vec<Code> = (0..tables).map(|_| self.read_code(used.len() + 2)).collect::<io::Result<_>>()?;
        self.read_links(used, &choices, &codes)?;
        let links = &mut self.block.links;
        if origin >= links.len() {
            return Err(damaged("a block begins behind its end"));
        }
        chain(links);
        self.block.place = (links[origin] >> 8) as usize;
        (self.block.left, self.block.run, self.block.copies) = (links.len(), 0, 0);
        Ok(())
    }

    /// The bytes that occur.
    fn read_used(&mut self) -> io::Result<Vec<u8>> {
        let sixteenths = self.bits.take(16)?;
        let mut used = Vec::with_capacity(256);
        for high in (0..16_u8).filter(|high| sixteenths & (0x8000 >> high) != 0) {
            let bytes = self.bits.take(16)?;
            used.extend((0..16_u8).filter(|low| bytes & (0x8000 >> low) != 0).map(|low| high * 16 + low));
        }
        if used.is_empty() { Err(damaged("a block holds no bytes")) } else { Ok(used) }
    }

    /// Which code each group of symbols is in.
    fn read_choices(&mut self, tables: u32) -> io::Result<Vec<u8>> {
        let count = self.bits.take(15)?;
        let mut recent = [0, 1, 2, 3, 4, 5];
        let mut choices = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let mut place = 0;
            while self.bits.flag()? {
                place += 1;
                if place >= tables {
                    return Err(damaged("a block names a code that it does not have"));
                }
            }
            recent[..=place as usize].rotate_right(1);
            choices.push(recent[0]);
        }
        Ok(choices)
    }

    /// A code: the length of the first symbol, then how each differs from the one before.
    fn read_code(&mut self, symbols: usize) -> io::Result<Code> {
        let mut length = self.bits.take(5)?;
        let mut lengths = Vec::with_capacity(symbols);
        for _ in 0..symbols {
            loop {
                if !(1..=CODE_BITS_MAX).contains(&length) {
                    return Err(damaged("a code is too long"));
                }
                match self.bits.flag()? {
                    false => break,
                    true if self.bits.flag()? => length -= 1,
                    true => length += 1,
                }
            }
            lengths.push(u8::try_from(length).expect("at most 20"));
        }
        Code::new(&lengths)
    }

    /// The transformed bytes: symbols 0 and 1 are digits of a run, the last one ends the block, the others are places in the list
    /// of recent bytes.
    fn read_links(&mut self, mut recent: Vec<u8>, choices: &[u8], codes: &[Code]) -> io::Result<()> {
        let end = u16::try_from(recent.len() + 1).expect("at most 257");
        let links = &mut self.block.links;
        links.clear();
        let (mut run, mut weight) = (0_usize, 1_usize);
        for choice in choices {
            for _ in 0..GROUP {
                let symbol = codes[usize::from(*choice)].next(&mut self.bits)?;
                if symbol < 2 {
                    run += weight << symbol;
                    weight <<= 1;
                    if run > self.block_bytes_max {
                        return Err(damaged("a block is too long"));
                    }
                    continue;
                }
                links.extend(std::iter::repeat_n(u32::from(recent[0]), run));
                (run, weight) = (0, 1);
                if symbol != end {
                    recent[..usize::from(symbol)].rotate_right(1);
                    links.push(u32::from(recent[0]));
                }
                if links.len() > self.block_bytes_max {
                    return Err(damaged("a block is too long"));
                }
                if symbol == end {
                    return Ok(());
                }
            }
        }
        Err(damaged("a block has no end"))
    }
}

/// The inverse transform: above each byte comes the place of the one that follows it.
fn chain(links: &mut [u32]) {
    let mut places = [0_u32; 256];
    for link in links.iter() {
        places[*link as usize] += 1;
    }
    let mut sum = 0;
    for place in &mut places {
        (sum, *place) = (sum + *place, sum);
    }
    for n in 0..links.len() {
        let byte = usize::from(links[n].to_le_bytes()[0]);
        links[places[byte] as usize] |= u32::try_from(n).expect("at most 900,000") << 8;
        places[byte] += 1;
    }
}

impl<R: BufRead> Read for Bzip2<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            self.state = match self.state {
                State::Start => self.start()?,
                State::Between => self.between()?,
                State::Block => match self.block.fill(out) {
                    0 => self.end_block()?,
                    written => return Ok(written),
                },
                State::Over => return Ok(0),
            };
        }
    }
}
