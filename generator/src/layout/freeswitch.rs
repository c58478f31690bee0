//! `FreeSWITCH`'s `mod_cdr_csv` with its template `example`: outgoing calls of a switch, 15 columns, no header, local time.

use domain::outcome::Reason;

use super::{COMMON, Cells, Quote, Row, Shape, Tells, cell, cut};
use crate::calendar::write_local;
use crate::numbering::{Party, write_national};

/// Columns: 0 `caller_id_name`, 1 `caller_id_number`, 2 `destination_number`, 3 context, 4 `start_stamp`, 5 `answer_stamp`,
/// 6 `end_stamp`, 7 duration, 8 billsec, 9 `hangup_cause`, 10 uuid, 11 `bleg_uuid`, 12 accountcode, 13 `read_codec`,
/// 14 `write_codec`.
pub(super) const SHAPE: Shape = Shape {
    profile: "freeswitch-cdr-csv",
    quote: Quote::Always,
    tells: &[Tells::Id, Tells::Unanswered],
    wrecks: &[
        cut(8),
        cut(14),
        cell(Reason::Columns, &[(10, "")]),
        cell(Reason::Number, &[(1, "0612345678901234567890123456789012345678")]),
        cell(Reason::Time, &[(4, "2026-10-24T10:00:00")]),
        cell(Reason::Time, &[(4, "2026-10-32 10:00:00")]),
        cell(Reason::TimeGap, &[(4, "2026-03-29 02:30:00")]),
        cell(Reason::Duration, &[(8, "63s")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    // The clock of the record starts when it begins to ring.
    let ring_s = (2 + call.noise % 25).cast_signed();
    cells.text(&row.customer.name);
    cells.with(|out| write_national(call.served, out));
    cells.with(|out| {
        if let Party::Number(number) = call.party {
            write_national(number, out);
        }
    });
    cells.text("default");
    cells.with(|out| write_local(call.local_s(), b' ', out));
    cells.with(|out| {
        if call.answered {
            write_local(call.local_s() + ring_s, b' ', out);
        }
    });
    cells.with(|out| write_local(call.local_s() + ring_s + call.duration_s, b' ', out));
    cells.number(ring_s + call.duration_s);
    cells.number(call.duration_s);
    cells.text(match (call.answered, call.noise % 4) {
        (true, _) => "NORMAL_CLEARING",
        (false, 0) => "USER_BUSY",
        (false, _) => "NO_ANSWER",
    });
    cells.number(format_args!("{:08x}-2fa1-11d2-{:04x}-{:012x}", row.slot, row.account, row.sequence));
    cells.number(format_args!("{:08x}-2fa1-11d2-{:04x}-{:012x}", row.slot, row.account + 1, row.sequence));
    cells.text("");
    cells.text("PCMA");
    cells.text(if call.noise.is_multiple_of(5) { "G722" } else { "PCMA" });
}
