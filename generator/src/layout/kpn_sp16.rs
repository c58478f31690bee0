//! KPN SP16 (assumed layout): one account's month in semicolons and Latin-1, closed by a trailer with count and sum.

use std::io::Write;

use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::{write_clock, write_dutch_date};
use crate::numbering::{Party, write_national};

/// Columns: 0 RECORDID, 1 SOORT, 2 RICHTING, 3 MSISDN, 4 BESTEMMING, 5 DATUM, 6 TIJD, 7 DUUR, 8 `VOLUME_KB`, 9 NETWERK,
/// 10 TARIEFKLASSE, 11 BEDRAG. No wreck replaces BEDRAG, so that the trailer's sum is the sum over all rows that have one.
pub(super) const SHAPE: Shape = Shape {
    profile: "kpn-sp16",
    opening: "RECORDID;SOORT;RICHTING;MSISDN;BESTEMMING;DATUM;TIJD;DUUR;VOLUME_KB;NETWERK;TARIEFKLASSE;BEDRAG\n",
    separator: b';',
    cost_step: 100,
    tells: &[Tells::Id, Tells::Network, Tells::HiddenParty, Tells::Mms, Tells::Incoming],
    wrecks: &[
        cut(4),
        cut(9),
        cell(Reason::Kind, &[(1, "FAX")]),
        cell(Reason::Kind, &[(2, "??")]),
        cell(Reason::Number, &[(3, "061234567890123456789")]),
        cell(Reason::Time, &[(5, "31-11-2026")]),
        cell(Reason::Time, &[(5, "2026/10/05")]),
        cell(Reason::Time, &[(6, "25:10:00")]),
        cell(Reason::TimeGap, &[(5, "29-03-2026"), (6, "02:30:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(7, "12s")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(7, "-5")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(8, "1k")]),
        cell(Reason::Network, &[(9, "2040")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.number(format_args!("26{:02}{:05}{:06}", row.account + 10, row.slot, row.sequence));
    cells.text(match call.kind {
        UsageKind::Voice => "SPRAAK",
        UsageKind::Sms => "SMS",
        UsageKind::Mms => "MMS",
        UsageKind::Data => "DATA",
    });
    cells.text(match call.direction {
        Direction::Outgoing => "UIT",
        Direction::Incoming => "IN",
        Direction::Forwarded => "DOOR",
    });
    cells.with(|out| write_national(call.served, out));
    cells.with(|out| match call.party {
        Party::Number(number) => write_national(number, out),
        Party::Hidden => out.extend(b"ANONIEM"),
        Party::Absent | Party::Sender(_) => {}
    });
    cells.with(|out| write_dutch_date(call.local_s(), b'-', out));
    cells.with(|out| write_clock(call.local_s(), out));
    cells.number(call.duration_s);
    if call.kind == UsageKind::Data {
        cells.number((call.bytes_up + call.bytes_down + 1_023) / 1_024);
    } else {
        cells.text("");
    }
    cells.text(call.network);
    cells.text(call.class);
    cells.with(|out| write_amount(call.cost_micro, b',', 4, out));
}

/// `TRAILER;<data rows>;<sum of BEDRAG>`, without its line end.
pub(super) fn write_trailer(rows: u64, cost_micro: i64, out: &mut Vec<u8>) {
    write!(out, "TRAILER;{rows};").expect("a vector takes all bytes");
    write_amount(cost_micro, b',', 4, out);
}
