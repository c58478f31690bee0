//! Two hundred rows of each provider's layout with what must become of them: invented calls, written by hand-made rules that
//! know nothing of how rows are read. The files lie in `ingest/fixtures`, each with its expected rows beside it.

mod shapes;

use std::fmt::Write;

pub(crate) use shapes::SHAPES;

/// Rows of a fixture.
pub(crate) const ROWS: usize = 200;

/// The first row of expected outcomes.
pub(crate) const EXPECTED_HEADER: &str = "row,outcome,usage,served,other,start,duration_s,bytes_up,bytes_down,network,class,cost";

/// 2026-10-01 in seconds since 1970, UTC.
const OCTOBER_S: u64 = 1_790_812_800;

/// 2026-10-25T01:00:00Z, when Amsterdam goes from +02:00 to +01:00.
const WINTER_S: u64 = OCTOBER_S + 24 * 86_400 + 3600;

/// What happens to a row on its way into the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Good,
    /// The row before it again.
    Copy,
    /// The id of the row before it, with another amount.
    Conflict,
    /// A row that the layout's rule leaves out.
    Skipped,
    /// A row with this one of the layout's faults.
    Broken(usize),
}

/// A call, a text or a session that never was.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub n: usize,
    /// The row whose id it has.
    pub id: usize,
    /// `voice`, `sms` or `data`.
    pub kind: &'static str,
    /// `mo`, `mt` or `fwd`.
    pub direction: &'static str,
    pub served: u64,
    pub other: Other,
    /// Since 1970, UTC.
    pub start_s: u64,
    pub duration_s: u64,
    /// In whatever the layout counts.
    pub volume: u64,
    /// Ten-thousandths of a euro.
    pub cost: u64,
    pub fate: Fate,
}

/// Who was at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Other {
    Number(u64),
    Short(&'static str),
    Word(&'static str),
    Hidden(&'static str),
    Nobody,
}

/// A layout as its writer sees it.
pub(crate) struct Shape {
    /// The profile's name.
    pub name: &'static str,
    pub separator: &'static str,
    pub line_end: &'static str,
    /// Whether all cells are quoted.
    pub quoted: bool,
    /// What stands before the rows, without byte order mark.
    pub head: &'static [&'static str],
    /// A first row that is none, and the rule that leaves it out.
    pub first: Option<(&'static [&'static str], &'static str)>,
    /// What this provider's calls are like.
    pub adapt: fn(&mut Call),
    pub cells: fn(&Call) -> Vec<String>,
    /// Bytes sent and received of a volume.
    pub bytes: fn(u64) -> (u64, u64),
    pub network: fn(&Call) -> &'static str,
    pub class: fn(&Call) -> &'static str,
    pub has_cost: bool,
    /// The cell and its text that make a rule leave a row out, and the rule.
    pub skip: Option<(usize, &'static str, &'static str)>,
    /// Cell, text and reason; a cell behind the last one is one too many.
    pub faults: [(usize, &'static str, &'static str); 5],
    /// The last line, from the count of rows and the sum of their costs in ten-thousandths.
    pub trailer: Option<fn(usize, u64) -> String>,
    /// Whether equal ids are one record, and whether equal ids with other content are a conflict.
    pub ids: Ids,
    pub encode: fn(&str) -> Vec<u8>,
}

/// What names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    Id,
    IdAndContent,
    Occurrence,
}

/// A file with what must become of it.
pub(crate) struct Fixture {
    pub file: Vec<u8>,
    /// The bytes of each row, without line end.
    pub rows: Vec<Vec<u8>>,
    /// A line per row under [`EXPECTED_HEADER`].
    pub expected: String,
}

/// The layout of a profile, if it has fixtures.
pub(crate) fn shape(name: &str) -> Option<&'static Shape> {
    SHAPES.iter().find(|s| s.name == name)
}

/// The first rows of a layout's fixture; all 200 of them, or a few.
pub(crate) fn build(shape: &Shape, rows: usize) -> Fixture {
    let calls: Vec<Call> = (0..rows).map(|n| call_of(shape, n)).collect();
    let lines: Vec<String> = calls.iter().map(|call| line_of(shape, call)).collect();
    let mut expected = format!("{EXPECTED_HEADER}\n");
    for call in &calls {
        expect(shape, call, &mut expected);
    }
    let cost = |call: &Call| if shape.first.is_some() && call.n == 0 { 0 } else { call.cost };
    let trailer = shape.trailer.map(|write| write(rows, calls.iter().map(cost).sum()));
    let all = shape.head.iter().map(|l| (*l).to_owned()).chain(lines.iter().cloned()).chain(trailer);
    let mut file = mark_of(shape);
    all.for_each(|line| file.extend((shape.encode)(&(line + shape.line_end))));
    let rows = lines.iter().map(|line| (shape.encode)(line)).collect();
    Fixture { file, rows, expected }
}

/// The byte order mark.
fn mark_of(shape: &Shape) -> Vec<u8> {
    match shape.name {
        "routit" | "tmobile-calvi" => (shape.encode)("\u{feff}"),
        _ => Vec::new(),
    }
}

/// The n-th call of everyone's month, as this provider has it.
fn call_of(shape: &Shape, n: usize) -> Call {
    let fate = match n {
        23 | 73 | 123 | 173 => Fate::Copy,
        150 => Fate::Conflict,
        17 | 57 | 97 | 137 | 177 => Fate::Broken(n / 40),
        _ if n % 25 == 11 && shape.skip.is_some() => Fate::Skipped,
        _ => Fate::Good,
    };
    if matches!(fate, Fate::Copy | Fate::Conflict) {
        let before = call_of(shape, n - 1);
        let more = u64::from(fate == Fate::Conflict);
        let duration_s = before.duration_s + if before.kind == "voice" { more } else { 0 };
        let cost = before.cost + more;
        return Call { n, duration_s, cost, fate, ..before };
    }
    let m = n as u64;
    let kind = ["voice", "voice", "sms", "data", "voice", "sms", "voice", "data", "voice", "data"][n % 10];
    let direction = match (kind, n % 7) {
        ("voice" | "sms", 3) => "mt",
        ("voice", 5) => "fwd",
        _ => "mo",
    };
    let others = [31_201_234_567, 31_687_654_321, 49_301_234_567, 31_881_234_567, 31_103_456_789];
    let other = match n % 11 {
        _ if kind == "data" => Other::Nobody,
        4 if direction == "mt" => Other::Hidden("anoniem"),
        7 if direction == "mo" => Other::Short(if n.is_multiple_of(2) { "112" } else { "1233" }),
        9 => Other::Word("CAF\u{c9} \u{20ac}"),
        10 => Other::Hidden("0612****78"),
        _ => Other::Number(others[n % 5]),
    };
    // The 155th call begins in the first of the two hours between 02:00 and 03:00 in Amsterdam.
    let start_s = if n == 155 { WINTER_S - 1800 } else { OCTOBER_S + m * 13_337 + 300 };
    let mut call = Call {
        n,
        id: n,
        kind,
        direction,
        served: 31_612_345_000 + m % 40,
        other,
        start_s,
        duration_s: match kind {
            "voice" => m * 37 % 900 + 1,
            "data" => m * 311 % 7200,
            _ => 0,
        },
        volume: if kind == "data" { m * 97 % 5000 + 1 } else { 0 },
        cost: (m * m * 7 + m * 13) % 25_000,
        fate,
    };
    (shape.adapt)(&mut call);
    call
}

fn line_of(shape: &Shape, call: &Call) -> String {
    if let (Some((cells, _)), 0) = (shape.first, call.n) {
        return cells.join(shape.separator);
    }
    let mut cells = (shape.cells)(call);
    let change = match call.fate {
        Fate::Skipped => shape.skip.map(|(at, text, _)| (at, text)),
        Fate::Broken(which) => Some((shape.faults[which].0, shape.faults[which].1)),
        _ => None,
    };
    if let Some((at, text)) = change {
        if at == cells.len() {
            cells.push(text.to_owned());
        } else {
            cells[at] = text.to_owned();
        }
    }
    if shape.quoted {
        cells = cells.iter().map(|c| format!("\"{c}\"")).collect();
    }
    cells.join(shape.separator)
}

/// Writes what must become of a row. A second record of the same name is told from a conflict by the layout's key.
fn expect(shape: &Shape, call: &Call, out: &mut String) {
    let outcome = match (call.fate, shape.ids) {
        _ if shape.first.is_some() && call.n == 0 => format!("skipped.{}", shape.first.map_or("", |f| f.1)),
        (Fate::Skipped, _) => format!("skipped.{}", shape.skip.map_or("", |s| s.2)),
        (Fate::Broken(which), _) => format!("malformed.{}", shape.faults[which].2),
        (Fate::Copy, Ids::Id | Ids::IdAndContent) => "duplicate".to_owned(),
        (Fate::Conflict, Ids::Id) => "id_conflict".to_owned(),
        _ => "readable".to_owned(),
    };
    if outcome.contains('.') {
        writeln!(out, "{},{outcome},,,,,,,,,,", call.n).expect("a string takes all");
        return;
    }
    let usage = if call.kind == "data" { "data".to_owned() } else { format!("{}-{}", call.kind, call.direction) };
    let other = match call.other {
        Other::Number(number) => number.to_string(),
        Other::Short(text) | Other::Word(text) | Other::Hidden(text) => text.to_owned(),
        Other::Nobody => String::new(),
    };
    let (up, down) = if call.kind == "data" { (shape.bytes)(call.volume) } else { (0, 0) };
    let cost = if shape.has_cost { euros(call.cost, '.') } else { String::new() };
    writeln!(
        out,
        "{},{outcome},{usage},{},{other},{},{},{up},{down},{},{},{cost}",
        call.n,
        call.served,
        call.start_s,
        call.duration_s,
        (shape.network)(call),
        (shape.class)(call)
    )
    .expect("a string takes all");
}

/// Ten-thousandths of a euro with four places.
pub(crate) fn euros(cost: u64, mark: char) -> String {
    format!("{}{mark}{:04}", cost / 10_000, cost % 10_000)
}

#[cfg(test)]
mod tests;
