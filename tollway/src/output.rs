//! What goes to the screen: an answer as tables for people, as JSON or as CSV; complaints on stderr.

use std::io::{ErrorKind, IsTerminal, Write};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use crate::cli::OutputMode;
use crate::exit_code::{Exit, Help};

/// A table of texts.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// A line above it.
    pub title: String,
    /// Column heads; a head that starts with `#` is a figure and stands right.
    pub heads: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// A sheet with these column heads.
    pub fn new(title: &str, heads: &[&str]) -> Self {
        Self { title: title.to_owned(), heads: heads.iter().map(|h| (*h).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// What a command has to say.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The first line: it answers the question.
    pub headline: String,
    /// Detail; `--output csv` prints the first sheet.
    pub sheets: Vec<Sheet>,
    /// The last lines: what to do next.
    pub next: Vec<String>,
    /// The same for machines.
    pub json: Value,
}

impl Answer {
    /// Prints to stdout.
    pub fn print(&self, mode: OutputMode) -> anyhow::Result<()> {
        to_stdout(|out| self.write(mode, out))
    }

    fn write(&self, mode: OutputMode, out: &mut dyn Write) -> anyhow::Result<()> {
        match mode {
            OutputMode::Json => {
                serde_json::to_writer_pretty(&mut *out, &self.json)?;
                Ok(out.write_all(b"\n")?)
            }
            OutputMode::Csv => self.write_csv(out),
            OutputMode::Table => Ok(self.write_tables(out)?),
        }
    }

    /// Prints to stderr, for people: stdout has something else.
    pub fn print_beside(&self) -> anyhow::Result<()> {
        Ok(self.write_tables(&mut std::io::stderr().lock())?)
    }

    fn write_csv(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        let Some(sheet) = self.sheets.first() else {
            // No main table: the facts for machines, one in a row.
            csv.write_record(["name", "value"])?;
            let mut facts = Vec::new();
            flatten("", &self.json, &mut facts);
            facts.iter().try_for_each(|(name, value)| csv.write_record([name, value]))?;
            return Ok(csv.flush()?);
        };
        csv.write_record(sheet.heads.iter().map(|h| h.trim_start_matches('#')))?;
        for row in &sheet.rows {
            // Only figures are grouped; a comma in a name is part of it.
            let plain = |(cell, head): (&String, &String)| {
                if head.starts_with('#') { cell.replace(THOUSANDS, "") } else { cell.clone() }
            };
            csv.write_record(row.iter().zip(&sheet.heads).map(plain))?;
        }
        Ok(csv.flush()?)
    }

    fn write_tables(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if !self.headline.is_empty() {
            writeln!(out, "{}", self.headline)?;
        }
        for sheet in &self.sheets {
            writeln!(out)?;
            if !sheet.title.is_empty() {
                writeln!(out, "{}", sheet.title)?;
            }
            writeln!(out, "{}", render(sheet))?;
        }
        if !self.next.is_empty() {
            writeln!(out)?;
            for line in &self.next {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}

/// Writes to stdout. All that commands print goes through here: a reader that has seen enough is nobody's fault, whatever its mode.
pub fn to_stdout(write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    unless_nobody_reads(write(&mut out).and_then(|()| Ok(out.flush()?)))
}

fn unless_nobody_reads(written: anyhow::Result<()>) -> anyhow::Result<()> {
    // CSV and JSON wrap the cause, each in its way.
    let is_closed = |e: &anyhow::Error| {
        let of_csv = |e: &csv::Error| matches!(e.kind(), csv::ErrorKind::Io(e) if e.kind() == ErrorKind::BrokenPipe);
        e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
            || e.downcast_ref::<serde_json::Error>().is_some_and(|e| e.io_error_kind() == Some(ErrorKind::BrokenPipe))
            || e.downcast_ref::<csv::Error>().is_some_and(of_csv)
    };
    match written {
        Err(e) if is_closed(&e) => Ok(()),
        written => written,
    }
}

/// The single values in a JSON value, each under its way there: `files.new`, `places.0.topic`.
fn flatten(way: &str, value: &Value, facts: &mut Vec<(String, String)>) {
    let below = |name: &str| if way.is_empty() { name.to_owned() } else { format!("{way}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, facts)),
        Value::Array(values) => {
            for (n, value) in values.iter().enumerate() {
                flatten(&below(&n.to_string()), value, facts);
            }
        }
        Value::Null => {}
        Value::String(text) => facts.push((way.to_owned(), text.clone())),
        Value::Bool(_) | Value::Number(_) => facts.push((way.to_owned(), value.to_string())),
    }
}

fn render(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(sheet.heads.iter().map(|h| h.trim_start_matches('#').to_owned()));
    for row in &sheet.rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    for (column, head) in table.column_iter_mut().zip(&sheet.heads) {
        column.set_padding((1, 2));
        if head.starts_with('#') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Control characters as their pictures: cells may come from a provider's file, and a terminal would obey them.
fn visible(cell: &str) -> String {
    let picture = |c: char| match c {
        '\n' => c,
        '\u{7f}' => '\u{2421}',
        c if c.is_ascii_control() => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    cell.chars().map(picture).collect()
}

/// Between groups of three digits on screens.
const THOUSANDS: &str = ",";

/// A count with thousands: `318,400`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push_str(THOUSANDS);
        }
        text.push(c);
    }
    text
}

/// So many of something whose plural ends in `s`: `1 line`, `318,400 lines`.
pub fn counted(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A share in hundredths of a per cent, rounded half up, as `98.27 %`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let basis = (part * 20_000 + whole) / (whole * 2);
    format!("{}.{:02} %", basis / 100, basis % 100)
}

/// A size in bytes with a unit: `27.4 MB`.
pub fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{}.{} kB", n / 1_000, n / 100 % 10),
        1_000_000..1_000_000_000 => format!("{}.{} MB", n / 1_000_000, n / 100_000 % 10),
        _ => format!("{}.{} GB", n / 1_000_000_000, n / 100_000_000 % 10),
    }
}

/// Microseconds as seconds: `2.1 s`.
pub fn seconds(us: i64) -> String {
    let tenths = us.max(0) / 100_000;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// An instant as ISO 8601 in UTC.
pub fn instant(us: i64) -> String {
    jiff::Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |at| at.to_string())
}

/// Prints an error with its causes and what to do to stderr.
pub fn complain(error: &anyhow::Error, exit: Exit) {
    eprint!("{}", complaint(error, exit));
}

fn complaint(error: &anyhow::Error, exit: Exit) -> String {
    let help = error.downcast_ref::<Help>();
    // The help is a context around the error: the first of the chain.
    let mut causes = error.chain().skip(usize::from(help.is_some()));
    let mut text = format!("error: {}\n", causes.next().map(ToString::to_string).unwrap_or_default());
    let mut last = String::new();
    for cause in causes.map(ToString::to_string) {
        // Some libraries repeat their cause in their own text.
        if !last.ends_with(&cause) {
            text.extend(["  because: ", &cause, "\n"]);
        }
        last = cause;
    }
    if let Some(help) = help {
        text.extend(["  help: ", &help.0, "\n"]);
    }
    if exit == Exit::Bug {
        text.push_str(
            "  this is a bug of tollway; nothing wrong was written. `tollway check` shows the state of the data folder\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_first_its_help_last() {
        let error = anyhow::Error::from(std::io::Error::other("no space")).context("failed to land `a.csv`");
        assert_eq!(complaint(&error, Exit::Outside), "error: failed to land `a.csv`\n  because: no space\n");
        let helped = error.context(Help("free space".to_owned()));
        let expected = "error: failed to land `a.csv`\n  because: no space\n  help: free space\n";
        assert_eq!(complaint(&helped, Exit::Outside), expected);
    }

    /// The end of a pipe that nobody reads any more.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_left_is_no_failure_in_whatever_mode() {
        let mut sheet = Sheet::new("", &["customer"]);
        // More than CSV buffers: it fails in the middle, not at its end.
        (0..10_000).for_each(|n| sheet.row([format!("C-{n}")]));
        let json = serde_json::json!({"customers": sheet.rows});
        let answer = Answer { sheets: vec![sheet], json, ..Answer::default() };
        for mode in [OutputMode::Csv, OutputMode::Json, OutputMode::Table] {
            let written = answer.write(mode, &mut Closed);
            assert!(written.is_err(), "it stops writing: {mode:?}");
            unless_nobody_reads(written).expect("nobody's fault");
        }
        assert!(unless_nobody_reads(Err(std::io::Error::from(ErrorKind::StorageFull).into())).is_err());
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_file_says() {
        assert_eq!(visible("06\0\u{1b}[2J é\t"), "06␀␛[2J é␉");
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(count(0), "0");
        assert_eq!(count(318_400), "318,400");
        assert_eq!(share(312_907, 318_400), "98.27 %");
        assert_eq!(share(1_674, 318_402), "0.53 %", "rounded, not cut");
        assert_eq!(share(1, 0), "-");
        assert_eq!(bytes(27_412_345), "27.4 MB");
        assert_eq!(seconds(2_149_000), "2.1 s");
    }

    #[test]
    fn an_answer_without_a_table_is_csv_all_the_same() {
        let json = serde_json::json!({"rows": 0, "files": {"new": 2, "held": null}, "names": ["a, b"], "done": true});
        let mut out = Vec::new();
        Answer { headline: "nothing is in suspense".to_owned(), json, ..Answer::default() }.write_csv(&mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        let mut lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.remove(0), "name,value");
        lines.sort_unstable();
        assert_eq!(lines, ["done,true", "files.new,2", "names.0,\"a, b\"", "rows,0"]);
    }
}
