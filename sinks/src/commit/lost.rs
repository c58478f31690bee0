//! Moving positions over records that the log lost before they were rated: a commit of its own, which says so.

use std::collections::BTreeMap;

use domain::ports::{Clock, Rng};

use super::{CommitError, Committer, PositionMove};
use crate::delta::action::CommitInfo;
use crate::delta::log::Attempt;

/// The operation of such a commit in the table's history.
pub const OPERATION: &str = "SKIP LOST RECORDS";

/// How moving over lost records ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipped {
    /// The positions are behind the gap.
    Moved,
    /// Another worker moved one of them meanwhile: look again where the table stands.
    Fenced,
}

impl Committer {
    /// Moves positions from where the table stands to the first record that the log still holds. It brings no rows: the files
    /// behind the lost records have no verdict and are announced again from landing. Each move stands in the commit's
    /// parameters, as `<app id>` = `<from>-<to>`, so that the table's history says why offsets are missing.
    pub fn skip_lost(
        &mut self,
        moves: &[PositionMove],
        reference_version: u64,
        clock: &dyn Clock,
        rng: &mut dyn Rng,
    ) -> Result<Skipped, CommitError> {
        let parameters: BTreeMap<String, String> =
            moves.iter().map(|m| (m.app_id.clone(), format!("{}-{}", m.from, m.to))).collect();
        let info = CommitInfo {
            timestamp: clock.now_us() / 1000,
            operation: OPERATION.to_owned(),
            operation_parameters: parameters,
            engine_info: crate::ENGINE.to_owned(),
            commit_id: rng.next_name(),
            accounts: Vec::new(),
            reference_version,
        };
        let positions: Vec<(String, u64)> = moves.iter().map(|m| (m.app_id.clone(), m.to)).collect();
        for _ in 0..self.settings.attempts_max {
            let changes = self.table.refresh()?;
            let fenced = moves.iter().any(|m| self.table.snapshot().position(&m.app_id) != m.from);
            if fenced || changes.entries.is_none() {
                self.forget();
            }
            if fenced {
                return Ok(Skipped::Fenced);
            }
            if self.table.attempt(&info, &[], &positions)? == Attempt::Committed {
                return Ok(Skipped::Moved);
            }
        }
        Err(CommitError::Contended(self.settings.attempts_max))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::columns::entries::{Entries, PARTITION};
    use domain::ports::Blob;

    use super::*;
    use crate::commit::CommitSettings;
    use crate::local_store::memory::MemoryStore;
    use crate::table::Table;

    struct Noon;

    impl Clock for Noon {
        fn now_us(&self) -> i64 {
            1_760_000_000_000_000
        }
    }

    struct Counted(u64);

    impl Rng for Counted {
        fn next_u64(&mut self) -> u64 {
            self.0 += 1;
            self.0
        }
    }

    fn committer(blob: &Arc<dyn Blob>) -> Committer {
        let table = Table::open_or_create(blob, "tables/t", &Entries::schema(), &PARTITION, &"0".repeat(32), 0).expect("memory");
        Committer::new(table, CommitSettings::default())
    }

    #[test]
    fn a_gap_of_the_log_is_passed_once_and_the_history_says_so() {
        let blob: Arc<dyn Blob> = Arc::new(MemoryStore::default());
        let (mut first, mut second) = (committer(&blob), committer(&blob));
        let gap = [PositionMove { app_id: "rate/life/topic/0".to_owned(), from: 0, to: 17 }];
        assert_eq!(first.skip_lost(&gap, 3, &Noon, &mut Counted(0)).expect("memory"), Skipped::Moved);
        assert_eq!(second.skip_lost(&gap, 3, &Noon, &mut Counted(9)).expect("memory"), Skipped::Fenced);
        assert_eq!(second.position("rate/life/topic/0").expect("memory"), 17);
        let entry = blob.get("tables/t/_delta_log/00000000000000000001.json").expect("one commit");
        let text = String::from_utf8_lossy(&entry);
        assert!(text.contains(OPERATION) && text.contains(r#""rate/life/topic/0":"0-17""#), "{text}");
        assert!(!text.contains(r#""add""#), "{text}");
    }
}
