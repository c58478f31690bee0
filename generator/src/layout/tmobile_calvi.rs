//! T-Mobile, Calvi (assumed layout): tabs in UTF-16, one file for a branch of the tree of partners, SIMs beside numbers.

use std::io::Write;

use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::charset::Charset;
use super::{COMMON, Cells, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::write_compact;
use crate::numbering::{Party, Region};

/// Columns: 0 `CdrId`, 1 `PartnerPath`, 2 Customer, 3 Service, 4 Leg, 5 Msisdn, 6 Imsi, 7 `OtherParty`, 8 Start, 9 Seconds,
/// 10 `UpKb`, 11 `DownKb`, 12 Plmn, 13 `RateClass`, 14 Amount. No wreck replaces Amount, so that the trailer's sum is the sum
/// over all rows that have one.
pub(super) const SHAPE: Shape = Shape {
    profile: "tmobile-calvi",
    opening: "\u{feff}CdrId\tPartnerPath\tCustomer\tService\tLeg\tMsisdn\tImsi\tOtherParty\tStart\tSeconds\tUpKb\tDownKb\tPlmn\t\
              RateClass\tAmount\r\n",
    line_end: "\r\n",
    charset: Charset::Utf16,
    separator: b'\t',
    cost_step: 1,
    tells: &[Tells::Id, Tells::Network, Tells::HiddenParty, Tells::Sender, Tells::Mms, Tells::Incoming, Tells::ForeignRows],
    wrecks: &[
        cut(6),
        cut(12),
        cell(Reason::Kind, &[(3, "FAX")]),
        cell(Reason::Kind, &[(4, "??")]),
        cell(Reason::Number, &[(5, "0612345678")]),
        cell(Reason::Number, &[(6, "2040812")]),
        cell(Reason::Time, &[(8, "20261032100000")]),
        cell(Reason::Time, &[(8, "2026-10-05 10:00")]),
        cell(Reason::TimeGap, &[(8, "20260329023000")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(9, "\u{bd}")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(10, "1k")]),
        cell(Reason::Network, &[(12, "2041")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.number(format_args!("{:02}{:04}{:06}", row.account + 20, row.slot, row.sequence));
    cells.with(|out| write_partner(row, out));
    cells.text(&row.customer.name);
    cells.text(match call.kind {
        UsageKind::Voice => "TEL",
        UsageKind::Sms => "SMS",
        UsageKind::Mms => "MMS",
        UsageKind::Data => "GPRS",
    });
    cells.text(match call.direction {
        Direction::Outgoing => "MO",
        Direction::Incoming => "MT",
        Direction::Forwarded => "CF",
    });
    cells.number(call.served);
    match row.tenure {
        // The export lacks some SIMs; then the number decides.
        _ if call.noise.is_multiple_of(16) => cells.text(""),
        Some(tenure) => cells.text(&tenure.imsi),
        None => cells.number(format_args!("20416{:010}", call.served % 10_000_000_000)),
    }
    cells.with(|out| match call.party {
        Party::Absent => {}
        Party::Number(number) => out.extend(number.to_string().as_bytes()),
        Party::Hidden => out.extend(b"anoniem"),
        Party::Sender(word) => out.extend(word.as_bytes()),
    });
    cells.with(|out| write_compact(call.local_s(), out));
    match call.kind {
        UsageKind::Voice | UsageKind::Data => cells.number(call.duration_s),
        UsageKind::Sms | UsageKind::Mms => cells.text(""),
    }
    for bytes in [call.bytes_up, call.bytes_down] {
        if call.kind == UsageKind::Data {
            cells.number(format_args!("{},{:03}", bytes / 1_000, bytes % 1_000));
        } else {
            cells.text("");
        }
    }
    cells.text(call.network);
    cells.text(match call.class {
        _ if call.region != Region::Home => "ROAM",
        "" => "",
        "EU_MOB" | "EU_VAST" => "EU1",
        "WERELD" => "WW",
        _ => "NAT",
    });
    cells.with(|out| write_amount(call.cost_micro, b',', 4, out));
}

/// Where the customer stands in the tree: `NL/Noord/0412`; a row of another country's partners is not ours.
fn write_partner(row: &Row<'_>, out: &mut Vec<u8>) {
    let number: u32 = row.customer.id.bytes().filter(u8::is_ascii_digit).fold(0, |n, c| n * 10 + u32::from(c - b'0'));
    let country = if row.call.is_foreign() { "BE" } else { "NL" };
    let region = ["Noord", "Zuid", "Gr\u{f8}n & Z\u{f6}hne"][number as usize % 3];
    write!(out, "{country}/{region}/{:04}", number % 10_000).expect("a vector takes all bytes");
}

/// `TOTAL<tab><data rows><tab><sum of Amount>`, without its line end.
pub(super) fn write_trailer(rows: u64, cost_micro: i64, out: &mut Vec<u8>) {
    write!(out, "TOTAL\t{rows}\t").expect("a vector takes all bytes");
    write_amount(cost_micro, b',', 4, out);
}
