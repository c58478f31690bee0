//! `tollway demo`: twice, killed, and elsewhere.

use crate::support::data_folder::DataFolder;
use crate::support::readers;

const TABLES: [&str; 2] = ["cdr_entries", "totals"];

/// *Scenario.* The demo runs; runs again; in another folder it is killed while it splits files and half way through rating, and
/// started again. *Guarantees.* The second run changes nothing and says so; the killed one ends with the same tables and totals
/// as the undisturbed one; both folders pass the audit.
#[test]
fn demo_twice_and_killed() {
    let data = DataFolder::new();
    let first = data.json(&["demo"]);
    assert!(first["rows_in"].as_u64().is_some_and(|rows| rows >= 300_000), "{first:#}");
    assert!(data.path().join("report.html").exists());
    data.assert_sound();

    let versions = TABLES.map(|table| data.version(table));
    let again = data.ok(&["demo"]);
    assert!(again.contains("0 files new") && again.contains("nothing has changed"), "{again}");
    assert_eq!(TABLES.map(|table| data.version(table)), versions, "a second run writes no version");

    let killed = DataFolder::new().with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", 10_000);
    for (word, times) in [(" file split ", 5), (": committed worker", 12)] {
        let running = killed.start(&["demo"], Some("pipeline=info,warn"));
        let there = running.wait_for(word, |lines| (lines.iter().filter(|l| l.contains(word)).count() >= times).then_some(()));
        let log = running.kill();
        assert!(there.is_some(), "the demo ended before it could be killed; it said:\n{log}");
        println!("killed at version {} of cdr_entries", killed.version("cdr_entries"));
    }
    let half_way = killed.version("cdr_entries");
    let finished = killed.json(&["demo"]);
    assert!(half_way >= 1 && half_way < killed.version("cdr_entries"), "it was killed half way");
    assert_eq!((&finished["rows_in"], &finished["charge"]), (&first["rows_in"], &first["charge"]));
    let folders = [data.path().to_string_lossy(), killed.path().to_string_lossy()];
    println!("{}", readers::python("tests/readers/same_tables.py", &folders.each_ref().map(|f| &**f)).trim_end());
    killed.assert_sound();
}
