//! Our tables are open: other readers see the same files, rows and money as `tollway query`.

use std::fs;

use serde_json::Value;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::readers;

/// Per file: rows and money by outcome.
const OUTCOMES: &str = "SELECT delivery, outcome, sum(rows) AS n, sum(charge) AS charge, sum(cost) AS cost FROM cdr_entries \
    WHERE outcome <> 'ledger' GROUP BY delivery, outcome ORDER BY delivery, outcome";

/// Per file: what the ledger says.
const LEDGER: &str = "SELECT delivery, sum(ledger_rows_in) AS rows_in, sum(ledger_rated) AS rated, sum(ledger_suspense) AS suspense, \
    sum(ledger_duplicates) AS duplicates, sum(ledger_resent) AS resent, sum(ledger_skipped) AS skipped FROM cdr_entries \
    WHERE outcome = 'ledger' GROUP BY delivery ORDER BY delivery";

/// Per period and customer: the totals.
const TOTALS: &str = "SELECT billing_period, customer, currency, sum(count) AS n, sum(seconds) AS seconds, sum(bytes) AS bytes, \
    sum(charge) AS charge, sum(cost) AS cost FROM totals GROUP BY billing_period, customer, currency \
    ORDER BY billing_period, customer, currency";

/// A small month over all layouts, in many commits and with checkpoints.
fn rated_month(home: &tempfile::TempDir) -> DataFolder {
    let month = Month::generate(&home.path().join("month"), 20_000, 20, 5);
    let data = DataFolder::new().with("TOLLWAY_LANDING__CUT_ROWS", 500).with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", 1_000);
    let data = data.with("TOLLWAY_TABLES__CHECKPOINT_COMMITS", 5);
    month.import(&data);
    for files in month.in_order().chunk_by(|a, b| a.account == b.account) {
        Month::land(&data, files);
        data.ok(&month.rating());
    }
    data
}

/// The cells of a question's rows as texts, in the order of its columns.
fn asked(data: &DataFolder, sql: &str) -> Vec<Vec<String>> {
    let out = data.ok(&["query", sql, "--output", "csv"]);
    let cell = |cell: &str| if cell.is_empty() { "0.000000000".to_owned() } else { cell.to_owned() };
    out.lines().skip(1).map(|line| line.split(',').map(cell).collect()).collect()
}

fn found(by: &Value, what: &str) -> Vec<Vec<String>> {
    let rows = by[what].as_array().unwrap_or_else(|| panic!("no `{what}` in {by}"));
    let cells = |row: &Value| row.as_array().expect("a row").iter().map(|c| c.as_str().expect("a text").to_owned()).collect();
    rows.iter().map(cells).collect()
}

/// *Scenario.* A script counts the data rows of the landed files with nothing of ours; DuckDB and Polars count outcomes and sum
/// money per file and per total over the file list of PyPI's `deltalake`. *Guarantees.* All agree with `tollway query` to the
/// last unit.
#[test]
fn other_readers_agree() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let data = rated_month(&home);
    let counts = readers::read("counts", &[data.path()]);
    for (what, sql) in [("outcomes", OUTCOMES), ("ledger", LEDGER), ("totals", TOTALS)] {
        let ours = asked(&data, sql);
        assert!(!ours.is_empty(), "{what} is empty");
        for reader in ["duckdb", "polars"] {
            assert_eq!(found(&counts[reader], what), ours, "{reader}: {what}");
        }
    }
    let mut landed: Vec<Vec<String>> = readers::read("landed", &[data.path()])
        .as_array()
        .expect("a list of files")
        .iter()
        .map(|f| vec![f["delivery"].as_str().expect("an id").to_owned(), f["rows"].to_string()])
        .collect();
    landed.sort();
    let ledger: Vec<Vec<String>> = asked(&data, LEDGER).into_iter().map(|row| row[..2].to_vec()).collect();
    assert_eq!(ledger, landed, "the ledger's rows are the rows of the landed files");
    let sum = |table: &str| asked(&data, &format!("SELECT sum(charge) AS charge FROM {table}"));
    assert_eq!(sum("totals"), sum("cdr_entries"), "the totals' money is the records' money");
}

/// *Scenario.* After many commits and checkpoints, PyPI's `deltalake` opens the tables as any Delta table: with the whole log,
/// and in a copy where all log entries before the newest checkpoint are gone. *Guarantees.* The same version, files and
/// positions (`txn`) both times, a history that names who wrote; and the program itself works on from the checkpoint.
#[test]
fn plain_delta_readers_open_the_tables() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let data = rated_month(&home);
    let trimmed = data.copied();
    for table in ["cdr_entries", "totals"] {
        let log = trimmed.table(table).join("_delta_log");
        let names = fs::read_dir(&log).expect("a table has a log").map(|e| e.expect("a listed file").file_name().into_string());
        let versions = names.filter_map(|name| name.ok()?.strip_suffix(".checkpoint.parquet")?.parse::<u64>().ok());
        let checkpoint = versions.max().unwrap_or_else(|| panic!("{table} has no checkpoint"));
        for version in 0..=checkpoint {
            fs::remove_file(log.join(format!("{version:020}.json"))).expect("an entry can be removed");
        }
    }
    let [whole, cut] = [&data, &trimmed].map(|data| readers::read("plain_delta", &[data.path()]));
    for table in ["cdr_entries", "totals"] {
        let (whole, cut) = (&whole[table], &cut[table]);
        assert_eq!(whole["version"], data.version(table), "{table}");
        assert!(whole["checkpoints"].as_u64().is_some_and(|n| n >= 1), "{table}: {whole:#}");
        assert!(whole["positions"].as_object().is_some_and(|all| !all.is_empty()), "{table}: {whole:#}");
        for what in ["version", "files", "positions"] {
            assert_eq!(whole[what], cut[what], "{table}: {what} with and without the entries before the checkpoint");
        }
        let history = whole["history"].as_array().expect("a list");
        assert_eq!(history.len() as u64, data.version(table) + 1, "{table}: one line of history for each version");
        assert!(history.iter().all(|by| by.as_str().is_some_and(|by| by.starts_with("tollway/"))), "{history:?}");
    }
    assert_eq!(asked(&trimmed, TOTALS), asked(&data, TOTALS));
    trimmed.assert_sound();
}
