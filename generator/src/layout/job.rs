//! The layout of benches/job: header, commas, numbers in many notations, time with offset.

use std::io::Write;

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::{write_local, write_offset};
use crate::numbering::Party;

/// Columns: 0 `record_id`, 1 type, 2 `a_number`, 3 `b_number`, 4 start, 5 `duration_s`, 6 `bytes_up`, 7 `bytes_down`, 8 direction,
/// 9 mccmnc, 10 cost.
pub(super) const SHAPE: Shape = Shape {
    profile: "job",
    opening: "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n",
    key: KeyMode::Content,
    cost_step: 1,
    tells: &[Tells::Id, Tells::Network, Tells::Offset, Tells::Mms, Tells::Incoming],
    wrecks: &[
        cut(2),
        cut(9),
        cell(Reason::Kind, &[(1, "fax")]),
        cell(Reason::Kind, &[(8, "IN")]),
        cell(Reason::Number, &[(2, "anonymous")]),
        cell(Reason::Number, &[(2, "06-12AB5678")]),
        cell(Reason::Number, &[(2, "+")]),
        cell(Reason::Time, &[(4, "2026-10-32T10:00:00+02:00")]),
        cell(Reason::Time, &[(4, "2026-10-05T10:00:00")]),
        cell(Reason::Time, &[(4, "2026-10-05T10:00:00+05:30")]),
        cell(Reason::Duration, &[(5, "12s")]),
        cell(Reason::Duration, &[(5, "-5")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(6, "1k")]),
        cell(Reason::Network, &[(9, "2040")]),
        cell(Reason::Network, &[(9, "NLD")]),
        cell(Reason::Cost, &[(10, "n/a")]),
        cell(Reason::Cost, &[(10, "1.2.3")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    let is_data = call.kind == UsageKind::Data;
    cells.number(format_args!("{:05}-{:06}-{:04x}", row.slot, row.sequence, call.noise & 0xffff));
    cells.text(match call.kind {
        UsageKind::Voice => "voice",
        UsageKind::Sms => "sms",
        UsageKind::Mms => "mms",
        UsageKind::Data => "data",
    });
    cells.with(|out| write_notation(call.served, call.noise >> 16 & 0xff, out));
    cells.with(|out| {
        if let Party::Number(number) = call.party {
            write_notation(number, call.noise >> 24 & 0xff, out);
        }
    });
    cells.with(|out| {
        write_local(call.local_s(), b'T', out);
        write_offset(call.offset_s, out);
    });
    cells.number(call.duration_s);
    if is_data {
        cells.number(call.bytes_up);
        cells.number(call.bytes_down);
    } else {
        cells.text("");
        cells.text("");
    }
    cells.text(match call.direction {
        Direction::Outgoing => "MO",
        Direction::Incoming => "MT",
        Direction::Forwarded => "FWD",
    });
    cells.text(call.network);
    cells.with(|out| write_amount(call.cost_micro, b'.', 0, out));
}

/// One of the ways in which providers write a number; `form` is below 256.
fn write_notation(number: u64, form: u64, out: &mut Vec<u8>) {
    let digits = number.to_string();
    let written = match (form, digits.strip_prefix("31")) {
        (0..38, _) => write!(out, "+{digits}"),
        (38..59, _) | (66..205, None) => write!(out, "00{digits}"),
        (59..66, None) => write!(out, "+{} {} {}", &digits[..2], &digits[2..5], &digits[5..]),
        (_, None) | (59..102, _) => write!(out, "{digits}"),
        (102..112, Some(rest)) => write!(out, "0{}-{}", &rest[..1], &rest[1..]),
        (112..117, Some(rest)) => write!(out, "+31 (0){} {} {}", &rest[..1], &rest[1..5], &rest[5..]),
        (117..120, Some(rest)) => write!(out, "(0{}) {}", &rest[..2], &rest[2..]),
        (_, Some(rest)) => write!(out, "0{rest}"),
    };
    written.expect("a vector takes all bytes");
}
