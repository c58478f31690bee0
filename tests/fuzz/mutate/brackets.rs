//! Spoils JSON: values taken out, doubled, exchanged, put into each other; names twice.

use crate::random::Random;

use super::bytes::NUMBERS;

const WORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"[null]",
    b"\"\"",
    b"\"\\u0000\"",
    b"\"\\ud800\"",
    b"\"\\ud83d\\ude00\"",
    b"\"\\\"",
    b"-0",
    b"{\"id\":1,\"id\":2}",
];

/// Spoils a JSON text in one way.
pub fn mutate(random: &mut Random, tokens: &[&[u8]], bytes: &mut Vec<u8>) {
    let start = random.below(bytes.len() + 1);
    let Some(from) = bytes[start..].iter().position(|c| b"{[\":".contains(c)).map(|ahead| start + ahead) else { return };
    let to = end_of(bytes, from);
    let piece = bytes[from..to].to_vec();
    let new = match random.below(8) {
        0 => Vec::new(),
        1 => [&piece[..], b",", &piece].concat(),
        2 => random.word(WORDS).to_vec(),
        3 => random.word(NUMBERS).to_vec(),
        4 if !tokens.is_empty() => random.word(tokens).to_vec(),
        5 => {
            let depth = random.length(600);
            let (open, close) = *random.pick(&[("[", "]"), ("{\"x\":", "}")]);
            [open.repeat(depth).as_bytes(), &piece, close.repeat(depth).as_bytes()].concat()
        }
        6 => [&b" "[..], &piece, b"\n"].concat(),
        _ => [&piece[..], &piece].concat(),
    };
    drop(bytes.splice(from..to, new));
}

/// The byte after what opens at `from`: the bracket or quote that belongs to it, or the end of the value behind a colon.
fn end_of(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut in_text) = (0usize, false);
    for (at, byte) in bytes.iter().enumerate().skip(from) {
        match byte {
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !in_text && *byte != b':' {
            return at + 1;
        }
    }
    bytes.len()
}
