//! Spoils lines of cells: lines and cells taken out, doubled, exchanged, joined; line ends mixed; columns named twice.

use crate::random::Random;

use super::bytes::NUMBERS;

/// What may stand between two cells.
const SEPARATORS: &[u8] = b";,|\t";

/// Spoils a file of lines in one way.
pub fn mutate(random: &mut Random, tokens: &[&[u8]], bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let (at, other) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(11) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(other, lines[at].clone()),
        2 => lines.swap(at, other),
        3 => drop(lines[at].pop_if(|last| *last == b'\n')),
        4 => end(&mut lines[at], random.word(&[&b"\r\n"[..], b"\n", b"\r", b"\n\r", b"\r\r\n", b"\n\n", b"\0\n"])),
        5 => lines.insert(at, b"\n".to_vec()),
        6 => {
            let from = lines[other].clone();
            exchange_cell(random, &mut lines[at], &from);
        }
        _ => spoil_cell(random, tokens, &mut lines[at]),
    }
    *bytes = lines.concat();
}

fn end(line: &mut Vec<u8>, with: &[u8]) {
    let kept = line.trim_ascii_end().len();
    line.truncate(kept);
    line.extend_from_slice(with);
}

/// The separator that a line has most of, and its cells.
fn cells(line: &[u8]) -> (u8, Vec<Vec<u8>>) {
    let count = |separator: &&u8| memchr::memchr_iter(**separator, line).count();
    let separator = *SEPARATORS.iter().max_by_key(count).unwrap_or(&b';');
    (separator, line.split(|c| *c == separator).map(<[u8]>::to_vec).collect())
}

fn exchange_cell(random: &mut Random, line: &mut Vec<u8>, from: &[u8]) {
    let (separator, mut mine) = cells(line);
    let (_, theirs) = cells(from);
    let at = random.below(mine.len());
    mine[at].clone_from(random.pick(&theirs));
    *line = mine.join(&separator);
}

fn spoil_cell(random: &mut Random, tokens: &[&[u8]], line: &mut Vec<u8>) {
    let (separator, mut all) = cells(line);
    let at = random.below(all.len());
    match random.below(9) {
        0 => all[at].clear(),
        1 => drop(all.remove(at)),
        2 => all.insert(at, all[at].clone()),
        3 => all[at] = random.word(NUMBERS).to_vec(),
        4 if !tokens.is_empty() => all[at] = random.word(tokens).to_vec(),
        5 => all[at].insert(0, b'"'),
        6 => all[at] = [b"\"", &all[at][..], b"\""].concat(),
        7 => all[at] = vec![random.byte(); random.length(70_000)],
        _ => {
            let place = random.below(all[at].len() + 1);
            let new = random.byte();
            all[at].insert(place, new);
        }
    }
    *line = all.join(&separator);
}
