//! Takes records of the readers beside delimited text: from their fields on, a row is a row.

use domain::outcome::Reason;

use crate::records::CutFields;

use super::{Fault, Line, RowReader};

impl RowReader<'_> {
    /// Reads a record of another reader than delimited text.
    #[inline]
    pub fn take_record<C: CutFields>(&mut self, line: Line<'_>, cutter: &mut C) {
        if line.begin == line.end && self.profile.file.ignores_blank_lines {
            return;
        }
        let cut = if line.end - line.begin > self.profile.file.row_bytes_max {
            Err(Fault { reason: Reason::Columns, at: self.layout.fields() })
        } else {
            cutter.cut(line.raw())
        };
        let read = match cut {
            Ok(()) => self.read(line, cutter.row(), cutter.canonical(line.raw())),
            Err(fault) => self.fail(fault.reason, fault.at),
        };
        if read.is_none() {
            self.keep_malformed(line.raw(), line.offset);
        }
        self.rows += 1;
    }

    /// Keeps a stretch of a list in which no record can be made out.
    #[cold]
    pub fn take_broken(&mut self, line: Line<'_>) {
        self.fault.set(Fault { reason: Reason::Columns, at: self.layout.fields() });
        self.keep_malformed(line.raw(), line.offset);
        self.rows += 1;
    }
}
