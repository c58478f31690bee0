//! JSON: lines of objects, or the array with the most objects wherever it is in the document.

use crate::draft::table::Table;
use crate::records::flat;
use crate::records::json::scan::{self, Blind, DEPTH_LIMIT};

use super::{Form, Problem, tabled};

/// So deep an array of records may lie.
const LIST_DEPTH_MAX: usize = 8;

/// Reads JSON; `None` if the text is none.
pub(super) fn read(text: &str, rows_max: usize) -> Option<Result<(Form, Table), Problem>> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'{' if text.lines().next().is_some_and(is_object) && (text.trim_end().contains('\n') || !has_list(bytes)) => {
            Some(Ok(lines(text, rows_max)))
        }
        b'{' => has_members(bytes).then(|| array(bytes, rows_max)),
        b'[' if bytes[1..].trim_ascii_start().starts_with(b"{") => Some(array(bytes, rows_max)),
        _ => None,
    }
}

fn is_object(line: &str) -> bool {
    let line = line.trim().as_bytes();
    line.starts_with(b"{") && scan::value(line, 0, DEPTH_LIMIT, &mut Blind).is_ok_and(|whole| whole.end == line.len())
}

/// Whether an object begins with the name of a member.
fn has_members(bytes: &[u8]) -> bool {
    let name = scan::skip_blanks(bytes, 1);
    let colon = end_of(bytes, name).filter(|_| bytes[name] == b'"').map(|end| scan::skip_blanks(bytes, end));
    colon.is_some_and(|colon| bytes.get(colon) == Some(&b':'))
}

fn has_list(bytes: &[u8]) -> bool {
    let mut lists = Vec::new();
    find_lists(bytes, 0, &mut Vec::new(), &mut lists);
    !lists.is_empty()
}

fn lines(text: &str, rows_max: usize) -> (Form, Table) {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let objects = lines().filter(|line| is_object(line)).take(rows_max.max(1));
    let records = objects.map(|line| flat::of_json(line.as_bytes())).collect();
    let odd = lines().filter(|line| !is_object(line)).count() as u64;
    (Form::JsonLines, tabled(records, lines().count() as u64, odd))
}

/// An array of objects.
struct List {
    path: Vec<String>,
    from: usize,
    objects: usize,
}

fn array(bytes: &[u8], rows_max: usize) -> Result<(Form, Table), Problem> {
    let mut lists = Vec::new();
    find_lists(bytes, 0, &mut Vec::new(), &mut lists);
    let others = lists.len().saturating_sub(1);
    let list = lists.into_iter().max_by_key(|list| list.objects).ok_or(Problem::NoJsonList)?;
    let mut records = Vec::new();
    let mut at = list.from;
    while let Some((from, to)) = next_object(bytes, at).filter(|_| records.len() < rows_max.max(1)) {
        records.push(flat::of_json(&bytes[from..to]));
        at = to;
    }
    Ok((Form::JsonArray { path: list.path.join("."), others }, tabled(records, list.objects as u64, 0)))
}

/// The next object of an array behind `at`.
fn next_object(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut from = scan::skip_blanks(bytes, at);
    if bytes.get(from) == Some(&b',') {
        from = scan::skip_blanks(bytes, from + 1);
    }
    let is_object = bytes.get(from) == Some(&b'{');
    is_object.then(|| end_of(bytes, from)).flatten().map(|to| (from, to))
}

/// The byte after the value at `at`; `None` if the text ends in it, or it is no value.
fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    scan::value(bytes, at, DEPTH_LIMIT, &mut Blind).ok().map(|whole| whole.end)
}

/// Adds all arrays of objects at or below the value at `at`; returns the byte after it.
fn find_lists(bytes: &[u8], at: usize, path: &mut Vec<String>, lists: &mut Vec<List>) -> Option<usize> {
    let at = scan::skip_blanks(bytes, at);
    match bytes.get(at)? {
        b'[' => {
            let (mut objects, mut end) = (0, at + 1);
            while let Some((_, to)) = next_object(bytes, end) {
                (objects, end) = (objects + 1, to);
            }
            if objects > 0 {
                lists.push(List { path: path.clone(), from: at + 1, objects });
            }
            end_of(bytes, at)
        }
        b'{' if path.len() < LIST_DEPTH_MAX => {
            let mut at = scan::skip_blanks(bytes, at + 1);
            while bytes.get(at) == Some(&b'"') {
                let end = end_of(bytes, at)?;
                let name = String::from_utf8_lossy(&bytes[at + 1..end - 1]);
                // A name with an escape in it can hardly be meant.
                path.push(if name.contains('\\') { String::new() } else { name.replace('.', "\\.") });
                let colon = scan::skip_blanks(bytes, end);
                let value = bytes.get(colon).filter(|c| **c == b':').map(|_| colon + 1);
                let is_named = path.iter().all(|name| !name.is_empty());
                let next = value.and_then(|value| {
                    let value = scan::skip_blanks(bytes, value);
                    if is_named { find_lists(bytes, value, path, lists) } else { end_of(bytes, value) }
                });
                path.pop();
                at = scan::skip_blanks(bytes, next?);
                if bytes.get(at) == Some(&b',') {
                    at = scan::skip_blanks(bytes, at + 1);
                }
            }
            (bytes.get(at) == Some(&b'}')).then_some(at + 1)
        }
        _ => end_of(bytes, at),
    }
}
