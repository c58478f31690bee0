//! Reads a Rust file without compiling it: which bytes are code, comment or literal; where functions and tests stand.

use std::ops::Range;

/// What an exception to a rule says, followed by its reason.
pub const EXCUSE: &str = "// tidy:";
/// Letters of a reason that is one.
const REASON_LETTERS_MIN: usize = 10;

/// What a stretch of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// A Rust file, taken apart. In every mask the bytes of the other parts are blanks, so lines and columns stay.
#[derive(Debug)]
pub struct RustSource {
    /// Path from the root of the checkout.
    pub path: String,
    code: String,
    comments: String,
    literals: String,
    test_lines: Vec<bool>,
    /// Names of the `#[cfg(test)] mod name;` that stand in files of their own.
    test_modules: Vec<String>,
}

/// A function with a body. Lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`.
    pub first_line: usize,
    /// The line of the closing brace.
    pub last_line: usize,
}

impl RustSource {
    /// Takes a file apart.
    pub fn new(path: &str, text: &str) -> Self {
        let [code, comments, literals] = masks(text);
        let lines = code.lines().count();
        let mut source = Self {
            path: path.to_owned(),
            test_lines: vec![is_test_path(path) || code.contains("#![cfg(test)]"); lines],
            code,
            comments,
            literals,
            test_modules: Vec::new(),
        };
        source.mark_test_items();
        source
    }

    /// Lines of code, with their number from 1; comments and literals are blank.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.code)
    }

    /// Lines of code outside of tests.
    pub fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().filter(|(line, _)| !self.is_test(*line))
    }

    /// Lines of comments; code and literals are blank.
    pub fn comments(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.comments)
    }

    /// Lines of string and character literals; code and comments are blank.
    pub fn literals(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.literals)
    }

    /// Whether a line is part of a test module or a test file.
    pub fn is_test(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// Lines outside of and inside of tests.
    pub fn line_counts(&self) -> (usize, usize) {
        let tests = self.test_lines.iter().filter(|test| **test).count();
        (self.test_lines.len() - tests, tests)
    }

    /// All functions with a body, outer before inner.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in words(&self.code, "fn") {
            let rest = &self.code[at + 2..];
            let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || "_$#".contains(*c)).collect();
            if name.is_empty() {
                continue; // a function pointer type
            }
            if let Some(end) = item_end(self.code.as_bytes(), at).filter(|end| self.code.as_bytes()[*end] == b'}') {
                found.push(Function { name, first_line: line_of(&self.code, at), last_line: line_of(&self.code, end) });
            }
        }
        found
    }

    /// Whether what is declared on a line has a comment `// tidy: <reason>` above it or on its first two lines, with a
    /// reason that is one.
    pub fn is_excused(&self, line: usize) -> bool {
        let code: Vec<&str> = self.code.lines().collect();
        let comments: Vec<&str> = self.comments.lines().collect();
        let attached = |line: &usize| {
            let (code, comment) = (code[line - 1].trim(), comments[line - 1].trim());
            code.starts_with("#[") || (code.is_empty() && !comment.is_empty())
        };
        let first = (1..line).rev().take_while(attached).last().unwrap_or(line);
        let reasons = comments.iter().take(line + 1).skip(first - 1).filter_map(|comment| comment.split_once(EXCUSE));
        reasons.map(|(_, reason)| reason.trim()).any(|reason| reason.len() >= REASON_LETTERS_MIN)
    }

    fn mark_test_items(&mut self) {
        for (at, attribute) in self.code.match_indices("#[cfg(test)]") {
            let Some(end) = item_end(self.code.as_bytes(), at + attribute.len()) else { continue };
            let item = self.code[at + attribute.len()..=end].trim();
            let declared = item.rsplit("mod ").next().and_then(|rest| rest.strip_suffix(';'));
            self.test_modules.extend(declared.filter(|name| !name.contains(' ')).map(|name| name.trim().to_owned()));
            let (first, last) = (line_of(&self.code, at), line_of(&self.code, end));
            self.test_lines[first - 1..last].fill(true);
        }
    }
}

/// Marks the files of `#[cfg(test)] mod name;` as tests, whole.
pub fn mark_test_modules(sources: &mut [RustSource]) {
    let mut starts = Vec::new();
    for source in sources.iter() {
        let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
        let folder = match file {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => source.path.trim_end_matches(".rs").to_owned(),
        };
        starts.extend(source.test_modules.iter().flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]));
    }
    for source in sources.iter_mut() {
        if starts.iter().any(|start| source.path.starts_with(start)) {
            source.test_lines.fill(true);
        }
    }
}

/// Where a word stands in code, not as a part of a longer name.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).filter_map(move |(at, _)| {
        let alone = !code[..at].ends_with(part) && !code[at + word.len()..].starts_with(part);
        alone.then_some(at)
    })
}

/// Whether a word stands in a line.
pub fn has_word(line: &str, word: &str) -> bool {
    words(line, word).next().is_some()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The crates of tests and benches, and files of tests beside the code.
fn is_test_path(path: &str) -> bool {
    ["tests/", "benches/"].iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
        || path.ends_with("/tests.rs")
}

/// The last byte of the item that starts at or after `at`: its `;`, or the brace that closes its body.
fn item_end(code: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in code.iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return closing_brace(code, index),
            b';' if depth == 0 => return Some(index),
            _ => {}
        }
    }
    None
}

fn closing_brace(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 1 => return Some(index),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Code, comments and literals, each as long as the text.
fn masks(text: &str) -> [String; 3] {
    let bytes = text.as_bytes();
    let blank: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect();
    let mut masks = [blank.clone(), blank.clone(), blank];
    let mut at = 0;
    while at < bytes.len() {
        let (part, end) = part_at(bytes, at);
        masks[part as usize][at..end].copy_from_slice(&bytes[at..end]);
        at = end;
    }
    // parts begin and end at ASCII bytes, so no character is cut
    masks.map(|mask| String::from_utf8(mask).expect("a part of UTF-8 text between ASCII bytes is UTF-8"))
}

/// What begins at a byte of code, and where it ends.
fn part_at(bytes: &[u8], at: usize) -> (Part, usize) {
    let rest = &bytes[at..];
    let in_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return (Part::Comment, at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return (Part::Comment, at + block_comment(rest));
    }
    if let Some(length) = raw_string(rest).filter(|_| !in_name) {
        return (Part::Literal, at + length);
    }
    match rest[0] {
        b'"' => (Part::Literal, at + quoted(rest, b'"')),
        b'\'' => match character(rest) {
            Some(length) => (Part::Literal, at + length),
            None => (Part::Code, at + 1), // a lifetime
        },
        // a whole character, so that no mask gets half of one
        _ => (Part::Code, at + 1 + rest[1..].iter().take_while(|byte| **byte & 0xc0 == 0x80).count()),
    }
}

/// Length of a block comment; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return at + 2,
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of `r"…"`, `r#"…"#`, `br"…"` or `cr"…"`, if one begins here.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix: Range<usize> = match rest {
        [b'r', ..] => 0..1,
        [b'b' | b'c', b'r', ..] => 0..2,
        _ => return None,
    };
    let hashes = rest[prefix.end..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix.end + hashes;
    if rest.get(open) != Some(&b'"') {
        return None; // r#name
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &rest[open + 1..];
    let length = body.windows(close.len()).position(|window| window == close).map_or(body.len(), |at| at + close.len());
    Some(open + 1 + length)
}

/// Length of a quoted literal with backslash escapes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a character literal, or none for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    match rest {
        [_, b'\\', ..] => Some(quoted(rest, b'\'')),
        [_, first, ..] if *first != b'\'' => {
            let width = 1 + rest[2..].iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
            (rest.get(1 + width) == Some(&b'\'')).then_some(2 + width)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
