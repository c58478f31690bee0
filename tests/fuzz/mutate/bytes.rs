//! Spoils bytes without knowing what they mean: cut off, flipped, taken out, put in, repeated, exchanged; numbers made extreme.

use crate::random::Random;

use super::stretch;

/// Bytes that mean something somewhere.
const SPECIAL: &[u8] = b"\0\x01\x7f\x80\xff\xfe\n\r\t \"'\\,;|<>&{}[]:=-+/.0129aZ\xc3\xa9\xef\xbb\xbf";

/// Numbers as texts that readers may stumble over.
pub(super) const NUMBERS: &[&[u8]] = &[
    b"",
    b"0",
    b"-1",
    b"+1",
    b"00",
    b"0031",
    b"1e9",
    b"1e400",
    b"0x10",
    b"NaN",
    b"0.1",
    b"0,1",
    b"1.2.3",
    b".5",
    b"5.",
    b"255",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"4294967295",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"340282366920938463463374607431768211456",
    b"99999999999999999999999999999999999999999999999999",
    b"0.0000000000000000000000000000001",
    b"999999999.999999999",
];

/// Spoils bytes in one way.
pub fn mutate(random: &mut Random, tokens: &[&[u8]], bytes: &mut Vec<u8>, other: &[u8]) {
    let (from, to) = stretch(random, bytes.len());
    match random.below(14) {
        0 => bytes.truncate(from),
        1 => drop(bytes.drain(..from)),
        2 => drop(bytes.drain(from..to)),
        3 => change(random, bytes, |random, byte| byte ^ 1 << random.below(8)),
        4 => change(random, bytes, |random, _| *random.pick(SPECIAL)),
        5 => change(random, bytes, |random, _| random.byte()),
        6 => put(bytes, from, &[*random.pick(SPECIAL)]),
        7 if !tokens.is_empty() => put(bytes, from, random.word(tokens)),
        8 if !tokens.is_empty() => drop(bytes.splice(from..to, random.word(tokens).iter().copied())),
        9 => {
            let piece = bytes[from..to].to_vec();
            let place = random.below(bytes.len() + 1);
            put(bytes, place, &piece);
        }
        10 => {
            let (other_from, other_to) = stretch(random, other.len());
            drop(bytes.splice(from..to, other[other_from..other_to].iter().copied()));
        }
        11 => field(random, bytes),
        12 => number(random, bytes),
        _ => repeat(random, bytes, from, to),
    }
}

fn change(random: &mut Random, bytes: &mut [u8], to: impl Fn(&mut Random, u8) -> u8) {
    if !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] = to(random, bytes[at]);
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}

/// Changes what may be a length or a count: one to eight bytes in either order.
fn field(random: &mut Random, bytes: &mut [u8]) {
    let width = 1 << random.below(4);
    if bytes.len() < width {
        return;
    }
    let at = random.below(bytes.len() - width + 1);
    let place = &mut bytes[at..at + width];
    let is_little = random.once_in(2);
    let mut word = [0; 8];
    word[..width].copy_from_slice(place);
    if !is_little {
        word[..width].reverse();
    }
    let value = u64::from_le_bytes(word);
    let new = match random.below(6) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => 0,
        3 => u64::MAX,
        4 => 1 << random.below(8 * width),
        _ => u64::MAX >> 1 >> (64 - 8 * width),
    };
    place.copy_from_slice(&new.to_le_bytes()[..width]);
    if !is_little {
        place.reverse();
    }
}

/// Changes a number that is written in digits.
fn number(random: &mut Random, bytes: &mut Vec<u8>) {
    let start = random.below(bytes.len() + 1);
    let Some(from) = bytes[start..].iter().position(u8::is_ascii_digit).map(|ahead| start + ahead) else { return };
    let to = bytes[from..].iter().position(|c| !c.is_ascii_digit()).map_or(bytes.len(), |ahead| from + ahead);
    drop(bytes.splice(from..to, random.word(NUMBERS).iter().copied()));
}

/// Repeats a stretch: a few times mostly, rarely very often.
fn repeat(random: &mut Random, bytes: &mut Vec<u8>, from: usize, to: usize) {
    let piece = bytes[from..to].to_vec();
    let most = if random.once_in(40) { 400_000 } else { 4_000 };
    let times = random.length(most / piece.len().max(1));
    put(bytes, from, &piece.repeat(times));
}
