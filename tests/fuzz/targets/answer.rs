//! The way a target answered, as a number: inputs with a new one are worth spoiling further.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A number for an answer.
pub fn of(answer: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish()
}

/// A count as far as it says something new: its number of binary digits.
pub fn size(count: u64) -> u32 {
    u64::BITS - count.leading_zeros()
}

/// A message without its numbers and names, which would make every answer a new one.
pub fn words(message: &str) -> String {
    let mut is_quoted = false;
    let kept = message.chars().filter(|c| {
        is_quoted ^= *c == '`';
        !is_quoted && (c.is_alphabetic() || *c == ' ')
    });
    kept.collect()
}
