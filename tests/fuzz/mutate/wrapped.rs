//! Wraps spoilt files whole: right checksums around wrong contents, wrappers in wrappers, many members, bombs.

use crate::random::Random;
use crate::wrap;

/// Names of members that lead elsewhere or hide something.
const NAMES: &[&str] = &[
    "cdr.csv",
    "../../etc/cdr.csv",
    "/abs.csv",
    "a/b/c.csv",
    "C:\\x\\cdr.csv",
    "__MACOSX/._cdr.csv",
    ".",
    "..",
    "folder/",
    "\u{e9}.csv",
    "cdr.csv.gz",
];

/// Spoils a wrapped file in one way.
pub fn mutate(random: &mut Random, tokens: &[&[u8]], bytes: &mut Vec<u8>) {
    let inner = match random.below(4) {
        0 => vec![random.byte(); random.length(400_000)],
        1 if !tokens.is_empty() => random.word(tokens).to_vec(),
        _ => bytes.clone(),
    };
    *bytes = match random.below(8) {
        0 => wrap::gzip(&inner),
        1 => wrap::zstd(&inner),
        2 => wrap::zip(&members(random, &inner)),
        3 => wrap::tar(&members(random, &inner)),
        4 => [&bytes[..], &wrap::gzip(&inner)].concat(),
        5 => (0..random.below(9)).fold(inner, |inner, n| if n % 2 == 0 { wrap::gzip(&inner) } else { wrap::zstd(&inner) }),
        _ => {
            // A header whose checksum was right before something was changed.
            let mut archive = bytes.clone();
            if !archive.is_empty() {
                let at = random.below(archive.len());
                archive[at] = random.byte();
            }
            wrap::mend_tar(&mut archive);
            archive
        }
    };
}

fn members<'a>(random: &mut Random, inner: &'a [u8]) -> Vec<(&'static str, &'a [u8])> {
    let count = if inner.len() > 10_000 { 1 } else { random.length(20) };
    (0..count).map(|_| (*random.pick(NAMES), inner)).collect()
}
