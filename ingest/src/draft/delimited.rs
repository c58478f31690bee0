//! Which character separates fields, and what quotes them.

use crate::parse::quoted::Fields;

/// Separators that are tried, those first that mean it most.
const SEPARATORS: &[u8] = b";\t|,^~#:";

/// Lines that decide.
const LINES_MAX: usize = 1000;

/// So many fields count; beyond, more of them say nothing more.
const FIELDS_THAT_COUNT: usize = 24;

/// Fewest lines in a hundred that must have the same number of fields.
const SHARE_MIN: usize = 60;

/// What was found, with the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Separated {
    pub separator: u8,
    /// `None` where quoting would break rows.
    pub quote: Option<u8>,
    /// Whether any field is quoted.
    pub has_quotes: bool,
    /// Fields of a row.
    pub fields: usize,
    /// Lines in a hundred that have so many.
    pub share: usize,
}

/// Cuts a line into fields; `None` where its quotes do not end.
pub(super) fn cut(fields: &mut Fields, line: &str, separator: u8, quote: Option<u8>) -> Option<Vec<String>> {
    fields.split(line.as_bytes(), separator, quote).ok()?;
    Some(fields.row().fields().map(|field| String::from_utf8_lossy(field.bytes()).into_owned()).collect())
}

/// How many fields a line has.
fn count(fields: &mut Fields, line: &str, separator: u8, quote: Option<u8>) -> Option<usize> {
    fields.split(line.as_bytes(), separator, quote).ok().map(|()| fields.row().len())
}

/// The separator under which most lines have the same number of fields, and many; `None` if there is none.
pub(super) fn find(lines: &[&str]) -> Option<Separated> {
    let lines: Vec<&str> = lines.iter().filter(|line| !line.is_empty()).take(LINES_MAX).copied().collect();
    let mut best: Option<(usize, Separated)> = None;
    for separator in SEPARATORS.iter().copied() {
        // Clocks are full of colons: they separate only where nothing else does.
        if separator == b':' && best.is_some() {
            break;
        }
        let Some(found) = under(&lines, separator) else { continue };
        let score = found.share * found.fields.min(FIELDS_THAT_COUNT);
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, found));
        }
    }
    best.map(|(_, found)| found)
}

/// What the lines look like if this separates them.
fn under(lines: &[&str], separator: u8) -> Option<Separated> {
    let mut fields = Fields::default();
    let quotes = |mark: char| {
        let opens = [format!("{mark}"), format!("{}{mark}", char::from(separator))];
        lines.iter().filter(|line| line.starts_with(&opens[0]) || line.contains(&opens[1])).count()
    };
    let (double, single) = (quotes('"'), quotes('\''));
    let mark = if single > double { b'\'' } else { b'"' };
    let quoted_lines = double.max(single);
    let broken = lines.iter().filter(|line| count(&mut fields, line, separator, Some(mark)).is_none()).count();
    // A file whose quotes do not close does not quote.
    let quotes_break = broken * 2 > quoted_lines && broken > 0;
    let quote = if quotes_break { None } else { Some(mark) };
    let mut lines_by_count = std::collections::BTreeMap::<usize, usize>::new();
    for line in lines {
        if let Some(count) = count(&mut fields, line, separator, quote).filter(|count| *count > 1) {
            *lines_by_count.entry(count).or_default() += 1;
        }
    }
    let (count, with_so_many) = lines_by_count.into_iter().max_by_key(|(count, lines)| (*lines, *count))?;
    // Lines before the header and behind the rows are few, but so may the rows be.
    let of = lines.len().saturating_sub(2).max(with_so_many).max(1);
    let share = with_so_many * 100 / of;
    let has_quotes = quoted_lines > 0 && quote.is_some();
    (share >= SHARE_MIN).then_some(Separated { separator, quote, has_quotes, fields: count, share })
}

/// Whether the lines are as long as each other and hold blanks, as records of fixed width do.
pub(super) fn is_fixed_width(lines: &[&str]) -> bool {
    const WIDTH_MIN: usize = 20;
    let lengths: Vec<usize> = lines.iter().filter(|line| !line.is_empty()).map(|line| line.chars().count()).collect();
    let Some(longest) = lengths.iter().max() else { return false };
    let alike = lengths.iter().filter(|length| *length == longest).count();
    *longest >= WIDTH_MIN && lengths.len() >= 2 && alike * 10 >= lengths.len() * 8
}
