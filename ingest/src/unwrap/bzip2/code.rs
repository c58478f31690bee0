//! Huffman codes in canonical form: a code is known by the lengths of its symbols.

use std::io::{self, BufRead};

use super::bits::Bits;

/// Longest code, bits.
pub(super) const CODE_BITS_MAX: u32 = 20;

/// A canonical code: by length, then by symbol.
pub(super) struct Code {
    /// By length: the first code behind those of this length, at the left of [`CODE_BITS_MAX`] bits.
    limits: [u32; CODE_BITS_MAX as usize + 1],
    /// By length: the first code.
    firsts: [u32; CODE_BITS_MAX as usize + 1],
    /// By length: where its symbols begin.
    places: [u32; CODE_BITS_MAX as usize + 1],
    symbols: Vec<u16>,
}

impl Code {
    /// The code in which each symbol has such a length, 1 to 20.
    pub(super) fn new(lengths: &[u8]) -> io::Result<Self> {
        let (mut limits, mut firsts, mut places) = ([0; 21], [0; 21], [0; 21]);
        let mut symbols = Vec::with_capacity(lengths.len());
        let mut code = 0_u32;
        for length in 1..=CODE_BITS_MAX {
            let at = length as usize;
            (firsts[at], places[at]) = (code, u32::try_from(symbols.len()).expect("at most 258"));
            let of_length = (0_u16..).zip(lengths).filter(|(_, l)| u32::from(**l) == length);
            symbols.extend(of_length.map(|(symbol, _)| symbol));
            code += u32::try_from(symbols.len()).expect("at most 258") - places[at];
            if code > 1 << length {
                return Err(super::damaged("its codes overlap"));
            }
            limits[at] = code << (CODE_BITS_MAX - length);
            code <<= 1;
        }
        Ok(Self { limits, firsts, places, symbols })
    }

    pub(super) fn next<R: BufRead>(&self, bits: &mut Bits<R>) -> io::Result<u16> {
        let ahead = bits.peek(CODE_BITS_MAX)?;
        let length = (1..=CODE_BITS_MAX).find(|length| ahead < self.limits[*length as usize]);
        let length = length.ok_or_else(|| super::damaged("it holds a code that stands for nothing"))?;
        bits.skip(length)?;
        let at = length as usize;
        let place = self.places[at] + (ahead >> (CODE_BITS_MAX - length)) - self.firsts[at];
        Ok(self.symbols[place as usize])
    }
}
