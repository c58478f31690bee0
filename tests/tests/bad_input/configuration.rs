//! Configuration with mistakes: wrong use, with file, line, key and the nearest one.

use crate::desk::{DONE, Desk, WRONG_USE};
use crate::kpn;

#[test]
fn a_misspelt_key_names_file_line_and_the_nearest_key() {
    let desk = Desk::new();
    desk.write("in/good.csv", kpn::good("good", 2));
    desk.write("tollway.toml", "# ours\n[landing]\ncut_row = 500\n");
    let facts = ["tollway.toml:3", "`landing.cut_row`", "the nearest is `landing.cut_rows`"];
    desk.tollway(&["--config", "tollway.toml", "config", "check"]).ends(WRONG_USE).says(&facts);
    desk.ingest(&["--config", "tollway.toml", "in/good.csv"]).ends(WRONG_USE).says(&facts);
    desk.tollway(&["status", "--config", "tollway.toml"]).ends(WRONG_USE).says(&facts);
    desk.holds(0, 0);
    desk.write("tollway.toml", "# ours\n[landing]\ncut_rows = 500\n");
    desk.ingest(&["--config", "tollway.toml", "in/good.csv"]).ends(DONE);
    desk.holds(2, 0);
}

#[test]
fn other_mistakes_name_their_place_and_what_is_allowed() {
    let desk = Desk::bare();
    for (text, facts) in [
        ("[landng]\ncut_rows = 5\n", &["tollway.toml:1", "`landng`", "the nearest is `landing`"][..]),
        ("[landing]\ncut_rows = \"many\"\n", &["tollway.toml:2", "`landing.cut_rows` is \"many\"", "a whole number from 1 to"]),
        ("[landing]\ncut_rows = -5\n", &["tollway.toml:2", "`landing.cut_rows`", "a whole number from 1 to"]),
        ("[landing\n", &["tollway.toml:1", "expected `]`"]),
        ("cut_rows = 5\n", &["tollway.toml:1", "outside of any section", "[landing]"]),
        ("[http]\nlisten = \"0.0.0.0:9464\"\n", &["tollway.toml:2", "`http.listen`", "set `http.token`"]),
    ] {
        desk.write("tollway.toml", text);
        desk.tollway(&["--config", "tollway.toml", "config", "check"]).ends(WRONG_USE).says(facts);
    }
    desk.tollway(&["--config", "nowhere.toml", "config", "check"]).ends(WRONG_USE).says(&["`nowhere.toml`", "No such file"]);
}

#[test]
fn a_misspelt_variable_names_the_nearest_one() {
    let desk = Desk::bare();
    let mut command = desk.command(&["config", "check"]);
    let output = command.env("TOLLWAY_LANDING__CUT_ROW", "5").output().expect("it starts");
    let said = crate::desk::Said::of(&["config", "check"], &output).ends(WRONG_USE);
    said.says(&["TOLLWAY_LANDING__CUT_ROW", "the nearest is `TOLLWAY_LANDING__CUT_ROWS`"]);
}

#[test]
fn a_secret_is_not_repeated_in_the_complaint() {
    let desk = Desk::bare();
    desk.write("tollway.toml", "[http]\ntoken = \"hunter2\"\n");
    let said = desk.tollway(&["--config", "tollway.toml", "config", "check"]).ends(WRONG_USE);
    let said = said.says(&["tollway.toml:2", "`http.token`", "16 to 512 characters"]);
    assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    desk.write("tollway.toml", "[http]\ntoken = \"hunter2-hunter2-hunter2\"\n");
    let said = desk.tollway(&["--config", "tollway.toml", "config", "show"]).ends(DONE);
    assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
}

#[test]
fn config_check_reads_addresses_as_those_who_use_them_do() {
    let desk = Desk::bare();
    for (text, facts) in [
        ("[state]\nurl = \"postgres://u:secret@db:port/t\"\n", &["state.url"][..]),
        ("[log]\nkind = \"kafka\"\n[kafka]\nbrokers = \"http://kafka:9092\"\n", &["`http://kafka:9092`", "host:port"]),
        ("[log]\nkind = \"kafka\"\n", &["`kafka.brokers` is empty", "`log.kind`", "tollway.toml:2"]),
    ] {
        desk.write("tollway.toml", text);
        let said = desk.tollway(&["--config", "tollway.toml", "config", "check"]).ends(WRONG_USE).says(facts);
        assert!(!format!("{said:?}").contains("secret"), "{said:?}");
    }
    let mut command = desk.command(&["config", "check"]);
    let output = command.env("TOLLWAY_LOG_KIND", "kafka").output().expect("it starts");
    crate::desk::Said::of(&["config", "check"], &output).ends(WRONG_USE).says(&["write TOLLWAY_LOG__KIND"]);
}
