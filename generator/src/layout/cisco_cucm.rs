//! Cisco Unified Communications Manager: outgoing legs under a line of names and a line of types, seconds since 1970.

use domain::outcome::Reason;

use super::{COMMON, Cells, Quote, Row, Shape, Tells, cell, cut};
use crate::numbering::{Party, write_national};

/// Columns: 0 `cdrRecordType`, 1 `globalCallID_callId`, 2 `dateTimeOrigination`, 3 `callingPartyNumber`,
/// 4 `originalCalledPartyNumber`, 5 `finalCalledPartyNumber`, 6 `dateTimeConnect`, 7 `dateTimeDisconnect`, 8 pkid, 9 duration.
/// Texts are quoted.
pub(super) const SHAPE: Shape = Shape {
    profile: "cisco-cucm",
    opening: "\"cdrRecordType\",\"globalCallID_callId\",\"dateTimeOrigination\",\"callingPartyNumber\",\
              \"originalCalledPartyNumber\",\"finalCalledPartyNumber\",\"dateTimeConnect\",\"dateTimeDisconnect\",\"pkid\",\
              \"duration\"\n",
    first_row: "INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,UNIQUEIDENTIFIER,INTEGER",
    quote: Quote::Except(1 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7 | 1 << 9),
    tells: &[Tells::Id, Tells::Offset, Tells::Unanswered, Tells::ForeignRows],
    wrecks: &[
        cut(5),
        cut(9),
        cell(Reason::Columns, &[(8, "")]),
        cell(Reason::Number, &[(3, "")]),
        cell(Reason::Time, &[(2, "24-10-2026")]),
        cell(Reason::Duration, &[(9, "1:03")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    let answered_s = call.instant_s + (2 + call.noise % 25).cast_signed();
    // Type 2 measures the quality of a call.
    cells.number(if call.is_foreign() { 2 } else { 1 });
    cells.number(90_000 + u64::from(row.slot) * 1_000_000 + u64::from(row.sequence));
    cells.number(call.instant_s);
    cells.with(|out| write_national(call.served, out));
    for _ in 0..2 {
        cells.with(|out| {
            if let Party::Number(number) = call.party {
                write_national(number, out);
            }
        });
    }
    cells.number(if call.answered { answered_s } else { 0 });
    cells.number(answered_s + call.duration_s);
    cells.number(format_args!("5f0a1c7e-{:04x}-4c3d-9e8f-{:06x}{:06x}", row.account, row.slot, row.sequence));
    cells.number(call.duration_s);
}
