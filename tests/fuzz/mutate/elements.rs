//! Spoils XML: elements taken out, doubled, renamed, put into each other; attributes, comments and references put in.

use crate::random::Random;

use super::bytes::NUMBERS;

const PIECES: &[&[u8]] = &[
    b"<!--",
    b"-->",
    b"<!-- - -->",
    b"<![CDATA[",
    b"]]>",
    b"<![CDATA[<Call>]]>",
    b"<?x?>",
    b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
    b"&amp;",
    b"&#0;",
    b"&#x110000;",
    b"&b;",
    b"&",
    b" a='1'",
    b" a=\"",
    b"/>",
    b"</",
    b"<",
    b">",
    b"\xe9",
];

/// Spoils an XML text in one way.
pub fn mutate(random: &mut Random, tokens: &[&[u8]], bytes: &mut Vec<u8>) {
    let start = random.below(bytes.len() + 1);
    let Some(from) = bytes[start..].iter().position(|c| *c == b'<').map(|ahead| start + ahead) else { return };
    let to = end_of(bytes, from);
    let piece = bytes[from..to].to_vec();
    let new = match random.below(9) {
        0 => Vec::new(),
        1 => [&piece[..], &piece].concat(),
        2 => random.word(PIECES).to_vec(),
        3 => [&piece[..], random.word(PIECES)].concat(),
        4 => within(random, &piece, |random| random.word(PIECES).to_vec()),
        5 => within(random, &piece, |random| random.word(NUMBERS).to_vec()),
        6 if !tokens.is_empty() => within(random, &piece, |random| random.word(tokens).to_vec()),
        7 => {
            let depth = random.length(600);
            [b"<x>".repeat(depth), piece, b"</x>".repeat(depth)].concat()
        }
        _ => within(random, &piece, |_| piece.clone()),
    };
    drop(bytes.splice(from..to, new));
}

fn within(random: &mut Random, piece: &[u8], new: impl FnOnce(&mut Random) -> Vec<u8>) -> Vec<u8> {
    let at = random.below(piece.len() + 1);
    [&piece[..at], &new(random), &piece[at..]].concat()
}

/// The byte after the element that begins at `from`: behind the next end tag of its name, or behind its tag.
fn end_of(bytes: &[u8], from: usize) -> usize {
    let is_name = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    let name: Vec<u8> = bytes[from + 1..].iter().take_while(|c| is_name(c)).copied().collect();
    let wanted = [b"</", &name[..], b">"].concat();
    let found = bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|ahead| from + ahead + wanted.len());
    let tag = || bytes[from..].iter().position(|c| *c == b'>').map_or(bytes.len(), |ahead| from + ahead + 1);
    found.filter(|_| !name.is_empty()).unwrap_or_else(tag)
}
