//! Spoils BER: a value changed, taken out, doubled or put elsewhere, with the lengths around it made right again.

use crate::random::Random;

/// So deep a tree is read; deeper values stay as they are.
const DEPTH_MAX: u32 = 12;

/// A tag with what it holds.
#[derive(Debug, Clone)]
struct Node {
    tag: Vec<u8>,
    inner: Inner,
    is_indefinite: bool,
}

#[derive(Debug, Clone)]
enum Inner {
    Value(Vec<u8>),
    Nodes(Vec<Node>),
}

/// Spoils a BER text in one way; what is none stays as it is.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    let Some((mut node, rest)) = read(bytes, 0) else { return };
    let rest = rest.to_vec();
    let steps = random.below(6) + 1;
    spoil(random, &mut node, steps);
    let mut new = Vec::with_capacity(bytes.len());
    write(&node, &mut new);
    new.extend(rest);
    *bytes = new;
}

fn read(bytes: &[u8], depth: u32) -> Option<(Node, &[u8])> {
    let first = *bytes.first()?;
    let mut at = 1;
    if first & 0x1f == 0x1f {
        while bytes.get(at)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
    }
    let tag = bytes[..at].to_vec();
    let length = *bytes.get(at)?;
    at += 1;
    let is_constructed = first & 0x20 != 0;
    if length == 0x80 {
        let mut rest = &bytes[at..];
        let mut nodes = Vec::new();
        if depth >= DEPTH_MAX {
            return None;
        }
        while !rest.starts_with(&[0, 0]) {
            let (node, behind) = read(rest, depth + 1)?;
            nodes.push(node);
            rest = behind;
        }
        return Some((Node { tag, inner: Inner::Nodes(nodes), is_indefinite: true }, &rest[2..]));
    }
    let mut count = usize::from(length);
    if length > 0x80 {
        let places = bytes.get(at..at + usize::from(length & 0x7f)).filter(|places| places.len() <= 4)?;
        count = places.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        at += places.len();
    }
    let value = bytes.get(at..at.checked_add(count)?)?;
    let nodes = if is_constructed && depth < DEPTH_MAX { read_all(value, depth + 1) } else { None };
    let inner = nodes.map_or_else(|| Inner::Value(value.to_vec()), Inner::Nodes);
    Some((Node { tag, inner, is_indefinite: false }, &bytes[at + count..]))
}

fn read_all(mut bytes: &[u8], depth: u32) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while !bytes.is_empty() {
        let (node, rest) = read(bytes, depth)?;
        nodes.push(node);
        bytes = rest;
    }
    Some(nodes)
}

fn write(node: &Node, out: &mut Vec<u8>) {
    let mut inner = Vec::new();
    match &node.inner {
        Inner::Value(value) => inner.extend_from_slice(value),
        Inner::Nodes(nodes) => nodes.iter().for_each(|node| write(node, &mut inner)),
    }
    out.extend_from_slice(&node.tag);
    if node.is_indefinite {
        out.push(0x80);
        out.extend(inner);
        out.extend([0, 0]);
        return;
    }
    let length = inner.len().to_be_bytes();
    let places = length.iter().skip_while(|byte| **byte == 0).count().max(1);
    if inner.len() >= 0x80 {
        out.push(0x80 | u8::try_from(places).unwrap_or(8));
    }
    out.extend_from_slice(&length[length.len() - places..]);
    out.extend(inner);
}

/// Goes so many steps down the tree and changes something there.
fn spoil(random: &mut Random, node: &mut Node, steps: usize) {
    match &mut node.inner {
        Inner::Nodes(nodes) if steps > 0 && !nodes.is_empty() => {
            let at = random.below(nodes.len());
            spoil(random, &mut nodes[at], steps - 1);
        }
        Inner::Nodes(nodes) => {
            let at = random.below(nodes.len() + 1);
            let copy = nodes.get(random.below(nodes.len())).cloned();
            match (random.below(6), copy) {
                (0, _) if at < nodes.len() => drop(nodes.remove(at)),
                (1, Some(copy)) => nodes.insert(at, copy),
                (2, Some(copy)) => {
                    let times = random.length(500);
                    nodes.extend(std::iter::repeat_n(copy, times));
                }
                (3, _) => node.is_indefinite = !node.is_indefinite,
                (4, Some(copy)) => {
                    let depth = random.length(80);
                    let wrap = |inner, _| Node { tag: node.tag.clone(), inner: Inner::Nodes(vec![inner]), is_indefinite: false };
                    nodes.insert(at, (0..depth).fold(copy, wrap));
                }
                _ => change_tag(random, &mut node.tag),
            }
        }
        Inner::Value(value) => match random.below(7) {
            0 => value.clear(),
            1 => value.push(random.byte()),
            2 => drop(value.pop()),
            3 => *value = vec![random.byte(); random.length(300)],
            4 => *value = random.next().to_be_bytes()[..random.below(9)].to_vec(),
            5 => change_tag(random, &mut node.tag),
            _ if value.is_empty() => {}
            _ => {
                let at = random.below(value.len());
                value[at] = random.byte();
            }
        },
    }
}

fn change_tag(random: &mut Random, tag: &mut [u8]) {
    let at = random.below(tag.len());
    tag[at] ^= 1 << random.below(7);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_lengths_without_end_are_not_followed_without_end() {
        let mut deep = [0x61, 0x80].repeat(1_000_000);
        let before = deep.clone();
        mutate(&mut Random::new(1), &mut deep);
        assert_eq!(deep, before);
    }
}
