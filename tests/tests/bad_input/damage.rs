//! What was landed and is gone: its account waits for a hand, everything else goes on.

use std::fs;

use crate::desk::{DONE, Desk, NEEDS_HAND, REFUSED};
use crate::kpn;

const LAND_HAVEN: [&str; 6] = ["ingest", "--profile", "kpn-sp16", "--account", "haven", "--land-only"];
const INGEST_ANKER: [&str; 5] = ["ingest", "--profile", "kpn-sp16", "--account", "anker"];

#[test]
fn a_lost_file_holds_back_its_account_and_nobody_else() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/later.csv", kpn::good("later", 2));
    desk.write("in/b.csv", kpn::good("b", 4));
    desk.tollway(&[&LAND_HAVEN[..], &["in/a.csv"]].concat()).ends(DONE);
    let objects = desk.data("store/landing/objects");
    let original = fs::read(desk.path("in/a.csv")).expect("the file");
    let lost = walk(&objects).into_iter().find(|path| fs::read(path).is_ok_and(|b| b == original)).expect("it has landed");
    fs::remove_file(&lost).expect("removed");
    desk.tollway(&[&LAND_HAVEN[..], &["in/later.csv"]].concat()).ends(DONE);

    let facts = ["main/kpn/haven", "everything else is rated", "nothing is lost"];
    desk.tollway(&[&INGEST_ANKER[..], &["in/b.csv"]].concat()).ends(REFUSED).says(&facts);
    let rated = desk.query("SELECT account, count(*) AS n FROM cdr WHERE outcome = 'rated' GROUP BY account");
    assert_eq!(
        (rated[0]["account"].as_str(), rated[0]["n"].as_u64(), rated.as_array().map(Vec::len)),
        (Some("anker"), Some(4), Some(1))
    );
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["in/a.csv", "blocked", "restore"]);

    fs::write(&lost, original).expect("restored");
    desk.tollway(&[&INGEST_ANKER[..], &["in/b.csv"]].concat()).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    desk.holds(9, 0);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()) {
        if entry.is_dir() { files.extend(walk(&entry)) } else { files.push(entry) }
    }
    files
}
