//! XML: the element that comes again and again and covers most of the document is the record.

use std::collections::{BTreeMap, BTreeSet};

use crate::draft::table::Table;
use crate::profile::charset::Encoding;
use crate::records::flat::{self, Pair};
use crate::records::xml::scan::{self, Markup};

use super::{Form, Problem, tabled};

/// Elements in each other that are looked at.
const DEPTH_MAX: usize = 32;

/// Kinds of elements that are looked at.
const KINDS_MAX: usize = 10_000;

/// Elements of one path.
#[derive(Debug, Default)]
struct Kind {
    /// From where to where each of them stands.
    places: Vec<(usize, usize)>,
    has_fields: bool,
    bytes: usize,
}

/// Reads XML; `None` if the text is none.
pub(super) fn read(text: &str, rows_max: usize) -> Option<Result<(Form, Table), Problem>> {
    let bytes = text.as_bytes();
    let opens = matches!(bytes, [b'<', b'?' | b'!' | b'_' | b'a'..=b'z' | b'A'..=b'Z', ..]) && text.contains('>');
    if !opens {
        return None;
    }
    if text.contains("<!DOCTYPE") {
        return Some(Err(Problem::DocumentType));
    }
    Some(records(bytes, rows_max))
}

fn records(bytes: &[u8], rows_max: usize) -> Result<(Form, Table), Problem> {
    let kinds = kinds(bytes);
    let (mut path, mut kind) = best(&kinds, "").ok_or(Problem::NoElement)?;
    let read = |kind: &Kind| -> Vec<Vec<Pair>> {
        kind.places.iter().take(rows_max.max(1)).map(|(from, to)| flat::of_xml(&bytes[*from..*to], Encoding::Utf8)).collect()
    };
    let mut found = read(kind);
    // An element that holds nearly nothing but lists is a group of records.
    while mostly_lists(&found)
        && let Some((inner, inner_kind)) = best(&kinds, &format!("{path}/"))
    {
        (path, kind) = (inner, inner_kind);
        found = read(kind);
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let name = |other: &str| other.strip_prefix(parent)?.strip_prefix('/').filter(|name| !name.contains('/')).map(str::to_owned);
    let beside: BTreeSet<String> = kinds.keys().filter(|other| **other != path).filter_map(|other| name(other)).collect();
    let form = Form::Xml { record: path, beside: beside.into_iter().collect(), is_alone: kind.places.len() == 1 };
    Ok((form, tabled(found, kind.places.len() as u64, 0)))
}

fn mostly_lists(records: &[Vec<Pair>]) -> bool {
    let all = records.iter().flatten().count();
    all > 0 && records.iter().flatten().filter(|pair| pair.is_in_list).count() * 2 > all
}

/// The kind below a path that covers most, if it comes twice; else the one with fields that is alone.
fn best<'k>(kinds: &'k BTreeMap<String, Kind>, below: &str) -> Option<(String, &'k Kind)> {
    let inside = || kinds.iter().filter(|(path, kind)| path.starts_with(below) && path.contains('/') && kind.has_fields);
    let repeated = inside().filter(|(_, kind)| kind.places.len() > 1).max_by_key(|(_, kind)| kind.bytes);
    let alone = || inside().filter(|_| below.is_empty()).max_by_key(|(path, kind)| (kind.bytes, path.len()));
    repeated.or_else(alone).map(|(path, kind)| (path.clone(), kind))
}

/// All elements by their path, as far as the text is well formed.
fn kinds(bytes: &[u8]) -> BTreeMap<String, Kind> {
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut at = 0;
    while let Some(ahead) = memchr::memchr(b'<', &bytes[at..]) {
        let from = at + ahead;
        let Ok((markup, end)) = scan::markup(bytes, from) else { break };
        at = end;
        match markup {
            Markup::Start { name, attributes, is_empty } => {
                if open.len() == DEPTH_MAX || kinds.len() == KINDS_MAX {
                    break;
                }
                let name = String::from_utf8_lossy(name);
                let path = open.last().map_or_else(|| name.clone().into_owned(), |(outer, _)| format!("{outer}/{name}"));
                if let Some(outer) = open.last().and_then(|(outer, _)| kinds.get_mut(outer)) {
                    outer.has_fields = true;
                }
                let kind = kinds.entry(path.clone()).or_default();
                kind.has_fields |= !attributes.trim_ascii().is_empty();
                if is_empty {
                    kind.close(from, end);
                } else {
                    open.push((path, from));
                }
            }
            Markup::End(_) => {
                let Some((path, from)) = open.pop() else { break };
                if let Some(kind) = kinds.get_mut(&path) {
                    kind.close(from, end);
                }
            }
            Markup::Verbatim(_) | Markup::Aside => {}
        }
    }
    kinds.retain(|_, kind| !kind.places.is_empty());
    kinds
}

impl Kind {
    fn close(&mut self, from: usize, to: usize) {
        self.places.push((from, to));
        self.bytes += to - from;
    }
}
