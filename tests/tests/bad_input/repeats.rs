//! Files that come again: under the same name, another name, another account.

use crate::desk::{DONE, Desk, NEEDS_HAND};
use crate::kpn::{self, Call};

#[test]
fn the_same_file_twice_and_under_another_name_changes_nothing() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/copy-of-a.csv", kpn::good("a", 3));
    desk.ingest(&["in/a.csv"]).ends(DONE).says(&["1 files landed"]);
    let before = desk.query("SELECT count(*) AS n, sum(charge) AS charge FROM cdr_entries");
    desk.ingest(&["in/a.csv"]).ends(DONE).says(&["0 files landed, 1 known before"]);
    desk.ingest(&["in/copy-of-a.csv"]).ends(DONE).says(&["0 files landed, 1 known before"]);
    let said = desk.ingest(&["in", "--output", "json"]).ends(DONE).json();
    assert_eq!((&said["files"]["new"], &said["files"]["known"]), (&0.into(), &2.into()), "{said}");
    assert_eq!(desk.query("SELECT count(*) AS n, sum(charge) AS charge FROM cdr_entries"), before);
    desk.holds(3, 0);
}

#[test]
fn the_same_bytes_under_another_account_are_held_until_someone_says_so() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/b.csv", kpn::good("b", 2));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    let other = ["ingest", "--profile", "kpn-sp16", "--account", "other", "in/a.csv", "in/b.csv"];
    let facts = ["in/a.csv", "held", "same bytes as arrival 3 of account main/kpn/haven", "main/kpn/other", "--as-new"];
    desk.tollway(&other).ends(NEEDS_HAND).says(&facts);
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&facts);
    // The file beside it was taken.
    desk.holds(5, 0);
    let said = desk.tollway(&[&other[..], &["--output", "json"]].concat()).ends(NEEDS_HAND).json();
    assert_eq!((&said["files"]["held"], &said["held"][0]["file"]), (&1.into(), &"in/a.csv".into()), "{said}");
    desk.tollway(&[&other[..], &["--as-new"]].concat()).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well", "3 files landed, 3 done, 0 waiting, 0 held"]);
    desk.holds(8, 0);
}

#[test]
fn rejected_bytes_that_come_again_say_so_and_what_takes_them_in() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    desk.write("later/a.csv", kpn::good("b", 2));
    desk.ingest(&["later/a.csv"]).ends(NEEDS_HAND).says(&["this file waits as arrival 4"]);
    desk.tollway(&["withdraw", "4", "--yes"]).ends(DONE).says(&["later/a.csv: rejected as arrival 5"]);
    desk.tollway(&["status"]).ends(DONE);

    desk.write("in/b.csv", kpn::good("b", 2));
    let facts = ["in/b.csv", "rejected", "came as `later/a.csv`, arrival 4", "as arrival 5", "--as-new", "0 held"];
    desk.ingest(&["in/b.csv"]).ends(NEEDS_HAND).says(&facts);
    let said = desk.ingest(&["in/b.csv", "--output", "json"]).ends(NEEDS_HAND).json();
    assert_eq!((&said["files"]["held"], &said["files"]["rejected"]), (&0.into(), &1.into()), "{said}");
    assert_eq!(said["rejected"][0]["file"], "in/b.csv", "{said}");
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    desk.holds(3, 0);

    desk.ingest(&["in/b.csv", "--as-new"]).ends(DONE);
    desk.holds(5, 0);
}

#[test]
fn rejected_bytes_may_take_the_place_of_a_file_after_all() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    desk.write("in/a.csv", kpn::good("b", 2));
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND);
    desk.tollway(&["withdraw", "4", "--yes"]).ends(DONE);
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND).says(&["--replaces N"]);
    desk.ingest(&["in/a.csv", "--replaces", "3"]).ends(DONE);
    desk.holds(2, 0);
}

#[test]
fn other_bytes_under_a_known_name_are_held_until_someone_says_so() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    desk.write("in/a.csv", kpn::file(&[Call::new("a-0"), Call::new("new")]));
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND).says(&["in/a.csv", "held", "same name as arrival 3, new content", "--as-new"]);
    desk.holds(3, 0);
    // The row that was there before is known by its id.
    let said = desk.ingest(&["in/a.csv", "--as-new", "--output", "json"]).ends(DONE).json();
    assert_eq!((&said["rated"], &said["resent"]), (&1.into(), &1.into()), "{said}");
    desk.holds(4, 0);
}
