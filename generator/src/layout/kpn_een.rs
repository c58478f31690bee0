//! KPN EEN (assumed layout): a spreadsheet's export in semicolons, with numbers that lost their zero and hours as hh:mm:ss.

use std::io::Write;

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::write_local;
use crate::call::Call;
use crate::numbering::{Party, write_bare};

/// Columns: 0 type, 1 richting, 2 nummer, 3 tegennummer, 4 tijdstip, 5 duur, 6 megabytes, 7 tariefsoort, 8 bedrag,
/// 9 omschrijving, which is quoted where it has a semicolon.
pub(super) const SHAPE: Shape = Shape {
    profile: "kpn-een",
    opening: "type;richting;nummer;tegennummer;tijdstip;duur;megabytes;tariefsoort;bedrag;omschrijving\n",
    separator: b';',
    key: KeyMode::ContentAndOccurrence,
    cost_step: 100,
    tells: &[Tells::HiddenParty, Tells::Incoming],
    wrecks: &[
        cut(4),
        cut(8),
        cell(Reason::Kind, &[(0, "fax")]),
        cell(Reason::Kind, &[(1, "??")]),
        cell(Reason::Number, &[(2, "06AB")]),
        cell(Reason::Time, &[(4, "2026-10-32 10:00:00")]),
        cell(Reason::Time, &[(4, "24-10-2026 10:00:00")]),
        cell(Reason::TimeGap, &[(4, "2026-03-29 02:30:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(5, "00:61:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(5, "-5")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(6, "1k")]),
        cell(Reason::Cost, &[(8, "0.12")]),
        cell(Reason::Cost, &[(8, "gratis")]),
    ],
    ..COMMON
};

pub(super) fn fill(call: &Call, cells: &mut Cells) {
    cells.text(match call.kind {
        UsageKind::Voice => "spraak",
        UsageKind::Sms | UsageKind::Mms => "sms",
        UsageKind::Data => "data",
    });
    cells.text(match call.direction {
        Direction::Outgoing => "uit",
        Direction::Incoming => "in",
        Direction::Forwarded => "door",
    });
    cells.with(|out| write_bare(call.served, out));
    cells.with(|out| match call.party {
        Party::Number(number) => write_bare(number, out),
        Party::Hidden => out.extend(b"anoniem"),
        Party::Absent | Party::Sender(_) => {}
    });
    cells.with(|out| write_local(call.local_s(), b' ', out));
    let long = call.duration_s;
    match call.kind {
        UsageKind::Sms | UsageKind::Mms => cells.text(""),
        _ => cells.number(format_args!("{:02}:{:02}:{:02}", long / 3600, long / 60 % 60, long % 60)),
    }
    cells.with(|out| {
        if call.kind == UsageKind::Data {
            write_megabytes(call.bytes_up + call.bytes_down, out);
        }
    });
    cells.text(call.class);
    cells.with(|out| write_amount(call.cost_micro, b',', 4, out));
    cells.text(description(call));
}

/// Megabytes of 1,048,576 bytes with three places, every thousandth begun.
fn write_megabytes(bytes: i64, out: &mut Vec<u8>) {
    let thousandths = (bytes * 1_000 + 1_048_575) / 1_048_576;
    write!(out, "{},{:03}", thousandths / 1_000, thousandths % 1_000).expect("a vector takes all bytes");
}

fn description(call: &Call) -> &'static str {
    match call.class {
        "N_MOBOV" => "Nederland; mobiel",
        "N_VAST" => "Nederland; vast",
        "EU_MOB" => "Belgi\u{eb} en de rest van Europa; mobiel",
        "EU_VAST" => "Belgi\u{eb} en de rest van Europa; vast",
        "WERELD" => "Wereld",
        _ => "",
    }
}
