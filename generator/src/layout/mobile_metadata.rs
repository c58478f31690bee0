//! Mobile metadata: the calls and messages of one subscriber, who is not named in the rows; local time.

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::{COMMON, Cells, Shape, Tells, cell, cell_of, cut};
use crate::calendar::write_local;
use crate::call::Call;
use crate::numbering::{Party, write_plus};

/// Columns: 0 interaction, 1 direction, 2 `correspondent_id`, 3 datetime, 4 `call_duration` (empty for messages), 5 `antenna_id`.
pub(super) const SHAPE: Shape = Shape {
    profile: "mobile-metadata",
    opening: "interaction,direction,correspondent_id,datetime,call_duration,antenna_id\n",
    key: KeyMode::ContentAndOccurrence,
    tells: &[Tells::Incoming],
    wrecks: &[
        cut(4),
        cell(Reason::Kind, &[(0, "fax")]),
        cell(Reason::Kind, &[(1, "sideways")]),
        cell(Reason::Time, &[(3, "2026-10-32 10:00:00")]),
        cell(Reason::Time, &[(3, "05/10/2026 10:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(4, "abc")]),
    ],
    ..COMMON
};

pub(super) fn fill(call: &Call, cells: &mut Cells) {
    cells.text(if call.kind == UsageKind::Voice { "call" } else { "text" });
    cells.text(if call.direction == Direction::Incoming { "in" } else { "out" });
    cells.with(|out| {
        if let Party::Number(number) = call.party {
            write_plus(number, out);
        }
    });
    cells.with(|out| write_local(call.local_s(), b' ', out));
    if call.kind == UsageKind::Voice {
        cells.number(call.duration_s);
    } else {
        cells.text("");
    }
    cells.number(1 + call.noise % 40);
}
