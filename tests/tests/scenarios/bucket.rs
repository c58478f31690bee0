//! Landing and tables in a bucket of a real S3 server: the same promises as on a disk, and what happens when it is away.

use sinks::local_store::blob_contract;

use crate::support::brokers::all_is_rated;
use crate::support::bucket::{TestBucket, server};
use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::readers;
use crate::support::road::Road;

/// The exit code of a command that an outside system failed.
const OUTSIDE_FAILED: i32 = 4;

/// The exit code of a command that would have harmed data.
const REFUSED: i32 = 5;

/// *Scenario.* Every case of the object store's contract, over the wire. *Guarantees.* What the commit protocol builds on holds
/// on a server whose conditional puts are atomic; an object larger than a part takes its name once, too.
#[test]
fn bucket_keeps_the_contract_of_object_stores() {
    let bucket = TestBucket::new();
    let mut stores = 0;
    blob_contract::run(&mut || {
        stores += 1;
        Box::new(bucket.store(&format!("contract/{stores}")))
    });
    let store = bucket.store("large");
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let publish = || domain::ports::Blob::put_if_absent(&store, "a/large", &bytes);
    publish().expect("a free name");
    assert!(matches!(publish(), Err(domain::ports::BlobError::AlreadyExists(_))));
    assert!(domain::ports::Blob::get(&store, "a/large").expect("it is there") == bytes);
    assert!(store.claim("mine", b"me").expect("a server that honours conditions"));
}

/// Lands and rates a month on a disk and elsewhere, and compares everything but lineage.
fn assert_same_as_on_a_disk(month: &Month, bucket: &TestBucket, prefix: &str, elsewhere: &DataFolder) {
    let disk = DataFolder::new();
    for data in [&disk, elsewhere] {
        month.import(data);
        Month::land(data, &month.in_order());
        data.ok(&month.rating());
        data.assert_sound_behind_a_service();
    }
    assert!(!elsewhere.path().join("store").exists(), "landing or tables lie in the data folder");
    let sums = "SELECT outcome, count(*) AS records, sum(charge) AS charge FROM cdr_entries GROUP BY outcome ORDER BY outcome";
    assert_eq!(disk.query(sums), elsewhere.query(sums));
    let copy = DataFolder::new();
    bucket.copy_to(prefix, copy.path());
    let (left, right) = (disk.path().to_string_lossy(), copy.path().to_string_lossy());
    println!("{}", readers::python("tests/readers/same_tables.py", &[&*left, &*right]).trim_end());
}

/// *Scenario.* A month over all layouts is landed and rated in a bucket. *Guarantees.* Rows, reasons, money and totals are those
/// of a local disk, also as other readers see them; the audit holds; the data folder keeps no object. Another installation's
/// secret does not open the bucket, and the data folder opens no other store.
#[test]
fn bucket_month_is_that_of_a_disk() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 4_000, 20, 71);
    let bucket = TestBucket::new();
    let data = bucket.data("cdr/main", server());
    assert_same_as_on_a_disk(&month, &bucket, "cdr/main", &data);
    let other = bucket.data("cdr/main", server()).with("TOLLWAY_KEY_SECRET", "f".repeat(32));
    let moved = DataFolder::at(data.path());
    for (who, why) in [(&other, "another secret of record keys"), (&moved, "has its landing and tables in s3://tollway-")] {
        let refused = who.run(&month.rating());
        assert_eq!(refused.code, Some(REFUSED), "{}", refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
}

/// *Scenario.* The same over a road that loses every 29th piece of the server's answers: what was asked may have been done.
/// *Guarantees.* Nothing is done twice and nothing is lost.
#[test]
fn bucket_month_with_lost_answers_is_that_of_a_disk() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 2_000, 10, 72);
    let (bucket, road) = (TestBucket::new(), Road::to(&server().to_string(), Some(29)));
    let data = bucket.data("lossy", road.address());
    assert_same_as_on_a_disk(&month, &bucket, "lossy", &data);
    println!("{} answers were lost", road.cuts());
    assert!(road.cuts() >= 10, "too few answers were lost to prove anything: {}", road.cuts());
}

/// *Scenario.* The server cannot be reached when a command starts; then it can. *Guarantees.* The command ends within its
/// attempts with exit code 4 and names the bucket and no secret; the same command does the work once the road is open.
#[test]
fn bucket_away_at_the_start_is_named_and_comes_back() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 500, 5, 73);
    let (bucket, road) = (TestBucket::new(), Road::to(&server().to_string(), None));
    let data = bucket.data("late", road.address());
    let names_the_bucket = |arguments: &[String]| {
        road.close();
        let ended = data.run(arguments);
        assert_eq!(ended.code, Some(OUTSIDE_FAILED), "{}", ended.err);
        assert!(ended.err.contains("s3://tollway-") && ended.err.contains("/late"), "{}", ended.err);
        assert!(!ended.err.contains("not-a-secret"), "{}", ended.err);
        road.reopen();
    };
    names_the_bucket(&month.rating());
    month.import(&data);
    names_the_bucket(&month.rating());
    Month::land(&data, &month.in_order());
    names_the_bucket(&["status".to_owned()]);
    data.ok(&month.rating());
    let rows = data.query("SELECT sum(ledger_rows_in) AS rows FROM cdr_entries WHERE outcome = 'ledger'");
    assert_eq!(rows[0]["rows"].as_u64(), Some(month.rows()), "{rows:?}");
    data.assert_sound_behind_a_service();
}

/// *Scenario.* A service is started while the server is away, which comes back. *Guarantees.* The service says what it waits for
/// and that it tries again, then starts and rates what had landed, without a hand.
#[test]
fn bucket_away_at_the_start_of_a_service_is_waited_for() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 500, 5, 75);
    let (bucket, road) = (TestBucket::new(), Road::to(&server().to_string(), None));
    let data = bucket.data("waits", road.address()).with("TOLLWAY_PIPELINE__RETRY_PAUSE_MS", 20);
    month.import(&data);
    Month::land(&data, &month.in_order());
    road.close();
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    // More often than a command would.
    let again = |fields: &serde_json::Value| {
        fields["attempt"].as_u64() > Some(6) && fields["error"].as_str().is_some_and(|error| error.contains("s3://tollway-"))
    };
    service.line("trying again", again);
    road.reopen();
    service.line("running", |_| true);
    assert!(all_is_rated(&data), "the service said:\n{}", service.kill());
    assert_eq!(service.terminate().code, Some(0), "it stops in order");
    data.assert_sound_behind_a_service();
}

/// *Scenario.* A service rates what has landed; the server goes away and comes back. *Guarantees.* The service says that it tries
/// again, goes on without a hand and loses nothing.
#[test]
fn bucket_away_in_the_middle_costs_nothing_but_time() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 3_000, 10, 74);
    let (bucket, road) = (TestBucket::new(), Road::to(&server().to_string(), None));
    let data = bucket.data("middle", road.address()).with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", 200);
    month.import(&data);
    Month::land(&data, &month.in_order());
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    let said = |what: &'static str| {
        let found = service.wait_for(what, |lines| lines.iter().any(|line| line.contains(what)).then_some(()));
        assert!(found.is_some(), "the service ended without `{what}`");
    };
    said("\"running\"");
    road.close();
    said("object storage: trying again");
    road.reopen();
    service.wait_for("all rows", |lines| {
        let parsed = lines.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let committed = parsed.filter(|line| line["fields"]["message"] == "committed");
        let rows: u64 = committed.filter_map(|line| line["fields"]["rows"].as_u64()).sum();
        (rows >= month.rows()).then_some(())
    });
    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let rows = data.query("SELECT sum(ledger_rows_in) AS rows FROM cdr_entries WHERE outcome = 'ledger'");
    assert_eq!(rows[0]["rows"].as_u64(), Some(month.rows()), "{rows:?}");
    data.assert_sound_behind_a_service();
}
