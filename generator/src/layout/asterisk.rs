//! Asterisk's `cdr_csv`: what a telephone exchange writes about outgoing calls of its lines, 18 columns, no header, local time.

use domain::delivery::KeyMode;
use domain::outcome::Reason;

use super::{COMMON, Cells, Quote, Row, Shape, Tells, cell, cut};
use crate::calendar::{DAY_S, write_local};
use crate::numbering::{Party, write_plus};

/// Columns: 0 accountcode, 1 src, 2 dst, 3 dcontext, 4 clid, 5 channel, 6 dstchannel, 7 lastapp, 8 lastdata, 9 start, 10 answer,
/// 11 end, 12 duration, 13 billsec, 14 disposition, 15 amaflags, 16 uniqueid, 17 userfield. All but 12 and 13 are quoted.
pub(super) const SHAPE: Shape = Shape {
    profile: "asterisk-cdr-csv",
    quote: Quote::Except(1 << 12 | 1 << 13),
    key: KeyMode::IdAndContent,
    tells: &[Tells::Unanswered],
    wrecks: &[
        cut(10),
        cut(12),
        cell(Reason::Number, &[(1, "+3130212345678901234567")]),
        cell(Reason::Time, &[(9, "2026-10-32 10:00:00")]),
        cell(Reason::Time, &[(9, "05/10/2026 10:00")]),
        cell(Reason::Duration, &[(13, "abc")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    let extension = 100 + call.noise % 80;
    // The clock of the record starts when it begins to ring.
    let ring_s = (2 + call.noise / 80 % 25).cast_signed();
    let answered_s = call.local_s() + ring_s;
    cells.text("");
    cells.with(|out| write_plus(call.served, out));
    cells.with(|out| {
        if let Party::Number(number) = call.party {
            write_plus(number, out);
        }
    });
    cells.text("from-internal");
    cells.number(format_args!("\"\"Toestel {extension}\"\" <+{}>", call.served));
    cells.number(format_args!("PJSIP/{extension}-{:08x}", call.noise >> 32));
    cells.number(format_args!("PJSIP/trunk-{:08x}", call.noise.rotate_left(13) >> 32));
    cells.text("Dial");
    cells.number(format_args!(
        "PJSIP/trunk/{},60",
        match call.party {
            Party::Number(number) => number,
            _ => 0,
        }
    ));
    cells.with(|out| write_local(call.local_s(), b' ', out));
    if call.answered {
        cells.with(|out| write_local(answered_s, b' ', out));
    } else {
        cells.text("");
    }
    cells.with(|out| write_local(answered_s + call.duration_s, b' ', out));
    cells.number(ring_s + call.duration_s);
    cells.number(call.duration_s);
    cells.text(match (call.answered, call.noise % 4) {
        (true, _) => "ANSWERED",
        (false, 0) => "BUSY",
        (false, _) => "NO ANSWER",
    });
    cells.text("DOCUMENTATION");
    cells.number(format_args!("{}.{}", call.instant_s, i64::from(row.slot) * DAY_S + i64::from(row.sequence)));
    cells.text("");
}
