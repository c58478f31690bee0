//! Routit (assumed layout): many customers of a reseller in quoted commas, UTF-8 with a byte order mark, time with offset.

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Quote, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::{write_local, write_offset};
use crate::numbering::{Party, write_plus};

/// Columns: 0 `CustomerReference`, 1 Type, 2 Direction, 3 `CallingNumber`, 4 `CalledNumber` (the served party of what is terminated), 5
/// `StartTime`, 6 Duration, 7 `BytesUp`, 8 `BytesDown`, 9 Network, 10 Costs.
pub(super) const SHAPE: Shape = Shape {
    profile: "routit",
    opening: "\u{feff}\"CustomerReference\",\"Type\",\"Direction\",\"CallingNumber\",\"CalledNumber\",\"StartTime\",\
              \"Duration\",\"BytesUp\",\"BytesDown\",\"Network\",\"Costs\"\n",
    quote: Quote::Always,
    key: KeyMode::ContentAndOccurrence,
    cost_step: 1,
    tells: &[Tells::Network, Tells::Offset, Tells::HiddenParty, Tells::Sender, Tells::Mms, Tells::Incoming],
    wrecks: &[
        cut(6),
        cut(8),
        cell(Reason::Kind, &[(1, "Fax")]),
        cell(Reason::Kind, &[(2, "Sideways")]),
        cell(Reason::Number, &[(3, "+3161234567890123456789")]),
        cell(Reason::Time, &[(5, "2026-10-32T10:00:00.0000000+02:00")]),
        cell(Reason::Time, &[(5, "05/10/2026 10:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(6, "-5")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(6, "abc")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(8, "n/a")]),
        cell(Reason::Network, &[(9, "20x04")]),
        cell(Reason::Cost, &[(10, "0,12")]),
        cell(Reason::Cost, &[(10, "EUR 1")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.text(&row.customer.id);
    cells.text(match call.kind {
        UsageKind::Voice => "Voice",
        UsageKind::Sms => "Sms",
        UsageKind::Mms => "Mms",
        UsageKind::Data => "Data",
    });
    cells.text(match call.direction {
        Direction::Outgoing => "Originating",
        Direction::Incoming => "Terminating",
        Direction::Forwarded => "Forwarded",
    });
    let served = Party::Number(call.served);
    let (calling, called) = if call.direction == Direction::Incoming { (call.party, served) } else { (served, call.party) };
    write_party(calling, cells);
    write_party(called, cells);
    cells.with(|out| {
        write_local(call.local_s(), b'T', out);
        out.extend(b".0000000");
        write_offset(call.offset_s, out);
    });
    cells.number(call.duration_s);
    cells.number(call.bytes_up);
    cells.number(call.bytes_down);
    cells.text(call.network);
    cells.with(|out| write_amount(call.cost_micro, b'.', 2, out));
}

fn write_party(party: Party, cells: &mut Cells) {
    match party {
        Party::Absent => cells.text(""),
        Party::Number(number) => cells.with(|out| write_plus(number, out)),
        Party::Hidden => cells.text("anonymous"),
        Party::Sender(word) => cells.text(word),
    }
}
