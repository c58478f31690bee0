//! The metrics of the flow: names, units and meanings in one place.

use domain::outcome::Counts;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// Rows by outcome and reason.
pub const ROWS: &str = "tollway_rows_total";
/// Bytes read from landing.
pub const BYTES: &str = "tollway_landed_bytes_read_total";
/// Seconds of a stage.
pub const STAGE_SECONDS: &str = "tollway_stage_seconds";
/// Commits by how they ended.
pub const COMMITS: &str = "tollway_commits_total";
/// Ranges that came again after they were committed.
pub const REDELIVERED: &str = "tollway_redelivered_ranges_total";
/// Records of a partition that wait.
pub const LAG: &str = "tollway_log_lag_records";
/// Claim checks that a worker holds.
pub const QUEUE: &str = "tollway_worker_queue_records";
/// Partitions of a worker that wait for a hand.
pub const PARKED: &str = "tollway_partitions_parked";
/// Accounts whose files wait for a hand.
pub const BLOCKED: &str = "tollway_accounts_blocked";
/// Records that could not be understood and were put aside.
pub const DEAD_LETTERS: &str = "tollway_dead_letters_total";
/// Claim checks that the log lost before they were rated.
pub const LOST_RECORDS: &str = "tollway_log_lost_records_total";
/// Files that were announced again because nobody worked on them any more.
pub const ANNOUNCED_AGAIN: &str = "tollway_files_announced_again_total";
/// Files by state.
pub const FILES: &str = "tollway_files_split_total";
/// Events taken from a live source.
pub const LISTEN_EVENTS: &str = "tollway_listen_events_total";
/// Bytes of their values.
pub const LISTEN_BYTES: &str = "tollway_listen_bytes_total";
/// Micro-batches by how they ended.
pub const LISTEN_BATCHES: &str = "tollway_listen_batches_total";
/// Rows that have landed from a live source.
pub const LISTEN_ROWS: &str = "tollway_listen_rows_total";
/// Events without a row.
pub const LISTEN_EMPTY: &str = "tollway_listen_empty_events_total";
/// Offsets of a live partition that have not landed.
pub const LISTEN_LAG: &str = "tollway_listen_lag_events";
/// Where the next micro-batch of a live partition begins.
pub const LISTEN_OFFSET: &str = "tollway_listen_next_offset";
/// Whether a live source is heard.
pub const LISTEN_UP: &str = "tollway_listen_up";

/// Registers all names with unit and meaning; call once.
pub fn describe() {
    describe_counter!(ROWS, Unit::Count, "Rows by outcome and, for suspense and skipped, by reason");
    describe_counter!(BYTES, Unit::Bytes, "Bytes of landed files that were parsed");
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "Time of one group in a stage: read, prepare (which rates), commit");
    describe_counter!(COMMITS, Unit::Count, "Commits by how they ended: committed, redo, fenced");
    describe_counter!(REDELIVERED, Unit::Count, "Ranges dropped because the ledger covers them");
    describe_gauge!(LAG, Unit::Count, "Records of a partition behind the table's position, as the broker last told");
    describe_gauge!(QUEUE, Unit::Count, "Claim checks that a worker holds and has not committed");
    describe_gauge!(PARKED, Unit::Count, "Partitions of a worker that wait before a claim check that cannot be rated");
    describe_gauge!(BLOCKED, Unit::Count, "Accounts whose files wait because one of them cannot be split");
    describe_counter!(DEAD_LETTERS, Unit::Count, "Records that could not be understood and were put aside, by topic");
    describe_counter!(
        LOST_RECORDS,
        Unit::Count,
        "Claim checks that retention removed before they were rated; their files come again"
    );
    describe_counter!(
        ANNOUNCED_AGAIN,
        Unit::Count,
        "Files announced again because the log was worked off and they had no verdict"
    );
    describe_counter!(FILES, Unit::Count, "Files split, by state");
    describe_counter!(
        LISTEN_EVENTS,
        Unit::Count,
        "Events taken from a live source, by topic; those of a dropped batch come again"
    );
    describe_counter!(LISTEN_BYTES, Unit::Bytes, "Bytes of the values of these events");
    describe_counter!(LISTEN_BATCHES, Unit::Count, "Micro-batches of a topic by how they ended: landed, overtaken");
    describe_counter!(LISTEN_ROWS, Unit::Count, "Rows of a topic that have landed");
    describe_counter!(LISTEN_EMPTY, Unit::Count, "Events of a topic that have landed without a row: no value, or blank lines");
    describe_gauge!(
        LISTEN_LAG,
        Unit::Count,
        "Offsets of a live partition that have not landed, as the broker last told, those of open transactions included"
    );
    describe_counter!(LISTEN_OFFSET, Unit::Count, "Where the next micro-batch of a live partition begins");
    describe_gauge!(LISTEN_UP, Unit::Count, "1 while a live source is heard; 0 while its brokers are away, or it has stopped");
}

/// Counts the rows of a commit.
pub fn count_rows(counts: &Counts) {
    counter!(ROWS, "outcome" => "rated").increment(counts.rated);
    counter!(ROWS, "outcome" => "duplicate", "reason" => "same_file").increment(counts.duplicates);
    counter!(ROWS, "outcome" => "duplicate", "reason" => "other_file").increment(counts.resent);
    for (reason, n) in &counts.suspense {
        counter!(ROWS, "outcome" => "suspense", "reason" => reason.as_str()).increment(*n);
    }
    for (rule, n) in &counts.skipped {
        counter!(ROWS, "outcome" => "skipped", "reason" => rule.clone()).increment(*n);
    }
}

/// Notes how long a stage took for one group; microseconds come from the caller's clock.
pub fn stage(name: &'static str, micros: i64) {
    let micros = u64::try_from(micros).unwrap_or(0);
    tracing::debug!(stage = name, micros, "stage done");
    histogram!(STAGE_SECONDS, "stage" => name).record(std::time::Duration::from_micros(micros));
}

/// Notes how a commit ended.
pub fn commit(how: &'static str) {
    counter!(COMMITS, "result" => how).increment(1);
}

/// Notes ranges that came again.
pub fn redelivered(ranges: usize) {
    counter!(REDELIVERED).increment(ranges as u64);
}

/// Notes bytes read.
pub fn bytes(n: u64) {
    counter!(BYTES).increment(n);
}

/// Notes a split file.
pub fn file(state: &'static str) {
    counter!(FILES, "state" => state).increment(1);
}

/// Notes the lag of a partition.
pub fn lag(partition: u32, records: u64) {
    let records = u32::try_from(records).unwrap_or(u32::MAX);
    gauge!(LAG, "partition" => partition.to_string()).set(records);
}

/// Notes how many claim checks a worker holds.
pub fn queue(worker: u32, records: usize) {
    let records = u32::try_from(records).unwrap_or(u32::MAX);
    gauge!(QUEUE, "worker" => worker.to_string()).set(records);
}

/// Notes how many partitions of a worker are parked.
pub fn parked(worker: u32, partitions: usize) {
    let partitions = u32::try_from(partitions).unwrap_or(u32::MAX);
    gauge!(PARKED, "worker" => worker.to_string()).set(partitions);
}

/// Notes how many accounts are blocked.
pub fn blocked(accounts: usize) {
    gauge!(BLOCKED).set(u32::try_from(accounts).unwrap_or(u32::MAX));
}

/// Claim checks were lost by the log before they were rated.
pub fn lost_records(records: u64) {
    counter!(LOST_RECORDS).increment(records);
}

/// Files were announced again.
pub fn announced_again(files: usize) {
    counter!(ANNOUNCED_AGAIN).increment(files as u64);
}

/// A record was put aside.
pub fn dead_letter(topic: &'static str) {
    counter!(DEAD_LETTERS, "topic" => topic).increment(1);
}

/// Events were taken.
pub fn listen_events(topic: &str, events: usize, bytes: usize) {
    if events == 0 {
        return;
    }
    counter!(LISTEN_EVENTS, "topic" => topic.to_owned()).increment(events as u64);
    counter!(LISTEN_BYTES, "topic" => topic.to_owned()).increment(bytes as u64);
}

/// A micro-batch has ended, and so many rows and events without a row have landed with it.
pub fn listen_batch(topic: &str, how: &'static str, rows: u64, empty: u64) {
    counter!(LISTEN_BATCHES, "topic" => topic.to_owned(), "result" => how).increment(1);
    counter!(LISTEN_ROWS, "topic" => topic.to_owned()).increment(rows);
    counter!(LISTEN_EMPTY, "topic" => topic.to_owned()).increment(empty);
}

/// Notes how far a live partition has landed.
pub fn listen_offset(topic: &str, partition: u32, next: u64) {
    counter!(LISTEN_OFFSET, "topic" => topic.to_owned(), "partition" => partition.to_string()).absolute(next);
}

/// Notes how much of a live partition has not landed.
pub fn listen_lag(topic: &str, partition: u32, events: u64) {
    let events = u32::try_from(events).unwrap_or(u32::MAX);
    gauge!(LISTEN_LAG, "topic" => topic.to_owned(), "partition" => partition.to_string()).set(events);
}

/// Notes whether a live source is heard.
pub fn listen_up(source: &str, is_up: bool) {
    gauge!(LISTEN_UP, "source" => source.to_owned()).set(u32::from(is_up));
}
