//! The plain layout for telephone exchanges: who called and who was called, answered or not, time with offset.

use domain::outcome::Reason;
use domain::usage::Direction;

use super::{COMMON, Cells, Row, Shape, Tells, cell, cut};
use crate::calendar::{write_local, write_offset};
use crate::numbering::{Party, write_national};

/// Columns: 0 `call_id`, 1 direction, 2 caller, 3 called (the served party of what comes in), 4 start, 5 `talk_seconds`,
/// 6 status.
pub(super) const SHAPE: Shape = Shape {
    profile: "pbx-csv",
    opening: "call_id,direction,caller,called,start,talk_seconds,status\r\n",
    line_end: "\r\n",
    tells: &[Tells::Id, Tells::Offset, Tells::HiddenParty, Tells::Incoming, Tells::Unanswered, Tells::ForeignRows],
    wrecks: &[
        cut(4),
        cut(6),
        cell(Reason::Columns, &[(0, "")]),
        cell(Reason::Kind, &[(1, "sideways")]),
        // A plus alone is neither a number nor a word, whichever side it stands on.
        cell(Reason::Number, &[(2, "+")]),
        cell(Reason::Time, &[(4, "2026-10-24T10:00:00")]),
        cell(Reason::Time, &[(4, "05/10/2026 10:00")]),
        cell(Reason::Duration, &[(5, "1:03")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.number(format_args!("pbx-{}-{}-{}", row.account, row.slot, row.sequence));
    cells.text(match call.direction {
        _ if call.is_foreign() => "internal",
        Direction::Outgoing => "outbound",
        Direction::Incoming => "inbound",
        Direction::Forwarded => "forwarded",
    });
    let served = Party::Number(call.served);
    let (caller, called) = if call.direction == Direction::Incoming { (call.party, served) } else { (served, call.party) };
    for (party, colleague) in [(caller, call.noise % 70), (called, call.noise / 70 % 70)] {
        match party {
            // Colleagues call each other by extension.
            _ if call.is_foreign() => cells.number(200 + colleague),
            Party::Number(number) => cells.with(|out| write_national(number, out)),
            Party::Hidden => cells.text("anoniem"),
            Party::Absent | Party::Sender(_) => cells.text(""),
        }
    }
    cells.with(|out| {
        write_local(call.local_s(), b'T', out);
        write_offset(call.offset_s, out);
    });
    cells.number(call.duration_s);
    cells.text(match (call.answered, call.noise % 4) {
        (true, _) => "answered",
        (false, 0) => "busy",
        (false, _) => "no answer",
    });
}
