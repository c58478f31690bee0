//! Paths that no record of a file has: a misspelt one is told, one that may be absent is not.

use super::{json, xml};
use crate::message::FileState;
use crate::parse::check::check;
use crate::profile::Profile;
use crate::split::{Splitter, split};

const SKIP: &str = "\n[[skip]]\nrule = \"tests\"\ncolumn = \"marks.tset\"\n";

/// The profile of JSON lines with something changed.
fn lines(from: &str, to: &str, more: &str) -> Profile {
    Profile::load(&(json::lines().text().replace(from, to) + more)).unwrap_or_else(|e| panic!("{e}"))
}

/// JSON lines in which a mark stands on the last record only.
fn file(records: u32) -> String {
    let record = |id: u32| json::record(id).replace("\"id\":", "\"marks\":{\"vip\":false},\"id\":");
    let all: Vec<String> = (1..=records).map(record).collect();
    all.join("\n") + "\n"
}

#[test]
fn a_misspelt_path_that_rows_need_is_named_with_the_one_that_is_there() {
    let misspelt = lines("call.seconds", "call.secnods", "").text().replace("required = false\n\n[cost]", "\n[cost]");
    let misspelt = Profile::load(&misspelt).expect("a profile");
    let verdict = split(&misspelt, file(10).as_bytes(), 9).verdict;
    assert_eq!(verdict.state, FileState::WrongHeader);
    assert_eq!(
        verdict.message,
        "no record has `call.secnods`, which [duration] reads; did you mean `call.seconds`?; correct it, or list it in \
         `json.may_lack`"
    );
    let few = split(&misspelt, file(9).as_bytes(), 9).verdict;
    assert_eq!((few.state, few.rows), (FileState::Complete, 9), "of a few records each is told for itself");
}

#[test]
fn a_skip_rule_on_a_path_that_is_in_no_record_skips_nothing_and_everything_only_if_the_profile_says_so() {
    for test in ["equals = [\"true\"]", "not_equals = [\"false\"]", "empty = true"] {
        let rule = format!("{SKIP}{test}\n");
        let strict = lines("", "", &rule);
        let split = split(&strict, file(12).as_bytes(), 9);
        assert_eq!((split.verdict.state, split.ranges.len()), (FileState::WrongHeader, 0), "{test}");
        assert!(split.verdict.message.contains("`marks.tset`, which [skip] reads"), "{}", split.verdict.message);
        let lax = lines("reader = \"json\"\n", "reader = \"json\"\n[json]\nmay_lack = [\"marks.tset\"]\n", &rule);
        assert_eq!(crate::split::split(&lax, file(12).as_bytes(), 9).verdict.state, FileState::Complete, "{test}");
    }
    let once = file(12).replacen("\"vip\":false", "\"tset\":null", 1);
    let strict = lines("", "", &format!("{SKIP}empty = true\n"));
    assert_eq!(split(&strict, once.as_bytes(), 9).verdict.state, FileState::Complete, "one record has it");
}

#[test]
fn what_may_be_absent_is_told_by_the_dry_run_only() {
    let lines = json::lines();
    let without = file(11).replace(",\"cost\":0.0412", "");
    let report = check(&lines, "calls.jsonl", without.as_bytes(), 2);
    assert_eq!((report.verdict.state, report.readable), (FileState::Complete, 11));
    assert_eq!(report.absent, ["no record has `cost`, which [cost] reads"]);
    assert_eq!(check(&lines, "calls.jsonl", file(11).as_bytes(), 2).absent, [""; 0]);
}

#[test]
fn lists_are_looked_at_too_and_may_lack_names_a_column() {
    let calls: Vec<String> = (1..=10).map(|id| xml::record(id).replace("Start>", "Begin>")).collect();
    for size in [1, 100_000] {
        let profile = xml::calls();
        let mut splitter = Splitter::new(&profile, 9);
        xml::file(&calls).as_bytes().chunks(size).for_each(|chunk| splitter.push(chunk));
        let verdict = splitter.finish().verdict;
        assert_eq!(verdict.state, FileState::WrongHeader);
        assert!(verdict.message.contains("no record has `Start`, which [time] reads"), "{}", verdict.message);
        assert!(verdict.message.ends_with("`xml.may_lack`"), "{}", verdict.message);
    }
    let unknown = json::array().text().replace("records = \"array\"\n", "records = \"array\"\nmay_lack = [\"cots\"]\n");
    let error = Profile::load(&unknown).expect_err("no section reads it").to_string();
    assert!(error.contains("json.may_lack") && error.contains("did you mean `cost`?"), "{error}");
}
