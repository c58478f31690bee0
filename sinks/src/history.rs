//! Which version of a table stood at a moment, by the clocks of its commits.

use std::collections::BTreeMap;

use domain::ports::BlobError;

use crate::delta::DeltaError;
use crate::table::{Table, TableError};

/// A version that stood, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stood {
    /// The version.
    pub version: u64,
    /// Milliseconds since 1970 UTC: the latest that it or a commit before it says. The order is the versions', not the clocks'.
    pub since_ms: i64,
}

/// The newest version that was committed by then, one in the same millisecond included; `None` before the first file.
///
/// A file bears the clock of its commit, so the log is asked only for commits without any that may follow.
pub fn stood_at(table: &Table, at_ms: i64) -> Result<Option<Stood>, TableError> {
    let mut commits: BTreeMap<u64, i64> = BTreeMap::new();
    for add in table.files(&[]) {
        let of = commits.entry(add.version()).or_insert(i64::MIN);
        *of = (*of).max(add.modification_time);
    }
    let by_then = commits.iter().take_while(|(_, committed_ms)| **committed_ms <= at_ms);
    let newest = by_then.fold(None, |before: Option<Stood>, (version, committed_ms)| {
        let since_ms = before.map_or(*committed_ms, |before| before.since_ms.max(*committed_ms));
        Some(Stood { version: *version, since_ms })
    });
    let Some(mut stood) = newest else { return Ok(None) };
    let newer = commits.range(stood.version + 1..).next().map(|(version, _)| *version);
    for version in stood.version + 1..newer.unwrap_or(table.snapshot().next_version()) {
        match table.commit_info(version) {
            Ok(info) if info.timestamp <= at_ms => stood = Stood { version, since_ms: stood.since_ms.max(info.timestamp) },
            Ok(_) | Err(TableError::Delta(DeltaError::Blob(BlobError::NotFound(_)))) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(Some(stood))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::Schema;
    use domain::ports::Blob;

    use super::*;
    use crate::delta::action::CommitInfo;
    use crate::local_store::memory::MemoryStore;

    /// A table with these commits: when, and whether with a file. The first is version 1.
    fn table(commits: &[(i64, bool)]) -> Table {
        let blob: Arc<dyn Blob> = Arc::new(MemoryStore::new());
        let mut table = Table::open_or_create(&blob, "tables/t", &Schema::empty(), &[], "0", 1).expect("a new table");
        for (number, (at_ms, has_file)) in commits.iter().enumerate() {
            let file = table.put(b"", 0, &[], &number.to_string(), *at_ms).expect("a file");
            let info = CommitInfo { timestamp: *at_ms, commit_id: number.to_string(), ..CommitInfo::default() };
            let files = if *has_file { vec![file] } else { Vec::new() };
            table.attempt(&info, &files, &[]).expect("a commit");
        }
        table
    }

    #[test]
    fn the_newest_by_then_stood_and_nothing_before_the_first_file() {
        let table = table(&[(10, true), (20, true), (20, true), (25, false), (30, true)]);
        let stood = |at_ms| stood_at(&table, at_ms).expect("a log").map(|stood| (stood.version, stood.since_ms));
        assert_eq!((stood(9), stood(10), stood(19)), (None, Some((1, 10)), Some((1, 10))));
        assert_eq!((stood(20), stood(24)), (Some((3, 20)), Some((3, 20))), "both of the same millisecond");
        assert_eq!((stood(25), stood(29)), (Some((4, 25)), Some((4, 25))), "one without a file");
        assert_eq!(stood(i64::MAX), Some((5, 30)));
    }

    #[test]
    fn a_version_is_known_no_earlier_than_those_before_it() {
        let table = table(&[(10, true), (50, true), (40, true), (60, true)]);
        let stood = |at_ms| stood_at(&table, at_ms).expect("a log").map(|stood| (stood.version, stood.since_ms));
        assert_eq!((stood(45), stood(50), stood(60)), (Some((1, 10)), Some((3, 50)), Some((4, 60))));
    }
}
