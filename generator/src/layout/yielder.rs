//! Yielder (assumed layout): a feed with seconds since 1970, cards beside numbers, and interim records of long sessions.

use std::io::Write;

use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::numbering::Party;

/// Columns: 0 `event_id`, 1 event, 2 direction, 3 msisdn, 4 iccid, 5 peer, 6 `started_at`, 7 seconds, 8 `bytes_up`,
/// 9 `bytes_down`, 10 plmn, 11 cost, 12 currency.
pub(super) const SHAPE: Shape = Shape {
    profile: "yielder",
    opening: "event_id,event,direction,msisdn,iccid,peer,started_at,seconds,bytes_up,bytes_down,plmn,cost,currency\n",
    cost_step: 1,
    tells: &[Tells::Id, Tells::Network, Tells::Offset, Tells::HiddenParty, Tells::Sender, Tells::Incoming, Tells::ForeignRows],
    wrecks: &[
        cut(3),
        cut(11),
        cell(Reason::Columns, &[(0, "")]),
        cell(Reason::Kind, &[(1, "fax")]),
        cell(Reason::Kind, &[(2, "??")]),
        cell(Reason::Number, &[(3, "+")]),
        cell(Reason::Number, &[(4, "8931")]),
        cell(Reason::Time, &[(6, "2026-10-24")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(7, "1:03")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(9, "n/a")]),
        cell(Reason::Network, &[(10, "20x04")]),
        cell(Reason::Cost, &[(11, "0,12")]),
        cell(Reason::Cost, &[(12, "USD")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.number(format_args!("{:08x}-{:04x}-4a5b-8c7d-{:012x}", row.slot, row.account, row.sequence));
    cells.text(match call.kind {
        _ if call.is_foreign() => "data_interim",
        UsageKind::Voice => "call",
        UsageKind::Sms | UsageKind::Mms => "sms",
        UsageKind::Data => "data",
    });
    cells.text(match call.direction {
        Direction::Outgoing => "mo",
        Direction::Incoming => "mt",
        Direction::Forwarded => "cf",
    });
    cells.number(call.served);
    match row.tenure {
        // The feed lacks some cards; then the number decides.
        _ if call.noise.is_multiple_of(16) => cells.text(""),
        Some(tenure) => cells.number(format_args!("{}F", tenure.iccid)),
        None => cells.number(format_args!("893116{:013}F", call.served % 10_000_000_000_000)),
    }
    cells.with(|out| match call.party {
        Party::Absent => {}
        Party::Number(number) => out.extend(number.to_string().as_bytes()),
        Party::Hidden => out.extend(b"anoniem"),
        Party::Sender(word) => out.extend(word.as_bytes()),
    });
    cells.number(call.instant_s);
    match call.kind {
        UsageKind::Voice | UsageKind::Data => cells.number(call.duration_s),
        UsageKind::Sms | UsageKind::Mms => cells.text(""),
    }
    for bytes in [call.bytes_up, call.bytes_down] {
        if call.kind == UsageKind::Data {
            cells.number(bytes);
        } else {
            cells.text("");
        }
    }
    cells.text(call.network);
    cells.with(|out| write_amount(call.cost_micro, b'.', 4, out));
    cells.text("EUR");
}

/// `#end,<data rows>`, without its line end.
pub(super) fn write_trailer(rows: u64, out: &mut Vec<u8>) {
    write!(out, "#end,{rows}").expect("a vector takes all bytes");
}
