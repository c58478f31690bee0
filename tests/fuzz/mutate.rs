//! Spoils inputs: by bytes, and by what their format is made of, so that most of them get past the first check of a reader.

mod ber;
mod brackets;
mod bytes;
mod elements;
mod lines;
mod wrapped;

use crate::case::Case;
use crate::random::Random;

/// What a format is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing that is known here.
    Bytes,
    /// Lines of cells.
    Lines,
    /// Values in brackets: JSON.
    Brackets,
    /// Elements with names: XML.
    Elements,
    /// Tags with lengths and values: TAP3.
    Ber,
    /// Files in a wrapper: gzip, zstd, zip, tar.
    Wrapped,
}

/// Larger inputs are cut: what is slow with a megabyte is slow with more.
const BYTES_MAX: usize = 1 << 20;

/// Spoils an input; `other` is one from which pieces may come.
pub fn mutate(random: &mut Random, shape: Shape, tokens: &[&[u8]], case: &Case, other: &Case) -> Case {
    let mut spoilt = case.clone();
    for _ in 0..=random.length(6) {
        let by_shape = random.once_in(2);
        let bytes = &mut spoilt.bytes;
        match shape {
            Shape::Lines if by_shape => lines::mutate(random, tokens, bytes),
            Shape::Brackets if by_shape => brackets::mutate(random, tokens, bytes),
            Shape::Elements if by_shape => elements::mutate(random, tokens, bytes),
            Shape::Ber if by_shape => ber::mutate(random, bytes),
            Shape::Wrapped if by_shape => wrapped::mutate(random, tokens, bytes),
            _ => bytes::mutate(random, tokens, bytes, &other.bytes),
        }
        spoilt.bytes.truncate(BYTES_MAX);
    }
    spoilt
}

/// A stretch of so many bytes: from and to, mostly short.
fn stretch(random: &mut Random, bytes: usize) -> (usize, usize) {
    let from = random.below(bytes + 1);
    (from, from + random.length(bytes - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_spoils_the_same_way_and_all_shapes_take_any_bytes() {
        let shapes = [Shape::Bytes, Shape::Lines, Shape::Brackets, Shape::Elements, Shape::Ber, Shape::Wrapped];
        let texts: [&[u8]; 4] =
            [b"", b"a;b\n1;2\n", b"<a><b x='1'/>{\"c\":[1,2]}</a>", b"\x61\x82\x00\x10\x1f\x8b\x08\x80\x00\x00"];
        for shape in shapes {
            for text in texts {
                let run = |seed| {
                    let mut random = Random::new(seed);
                    let mut case = Case::new("any", text);
                    for _ in 0..200 {
                        case = mutate(&mut random, shape, &[b"token"], &case, &Case::new("any", "other"));
                    }
                    case
                };
                assert_eq!(run(7), run(7));
            }
        }
    }
}
