//! A small tariff, and what scenarios do that price a handful of calls by it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::data_folder::DataFolder;

/// The head of a file in the layout `job`.
pub const HEADER: &str = "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n";

const ABROAD: &str = "\n[[price]]\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"DE\"\nunit_price = \"0.005\"\nper = 1\n";

/// A tariff of twelve cents a minute within the Netherlands; with `abroad`, thirty cents to Germany.
pub fn tariff(abroad: bool) -> String {
    let prefix = if abroad { "49 = \"DE\"\n" } else { "" };
    let price = if abroad { ABROAD } else { "" };
    format!(
        "name = \"small\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2020-01-01\nhome_zone = \"HOME\"\n\
         default_band = \"all\"\n\n[rounding]\nplaces = 6\nmode = \"half_up\"\n\n[destinations.prefixes]\n31 = \"NL\"\n{prefix}\n\
         [networks.zones]\n20408 = \"HOME\"\n\n[[plan]]\nname = \"flat\"\n\n\
         [[price]]\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nunit_price = \"0.002\"\nper = 1\n{price}"
    )
}

/// Its number is of `C-1` since the beginning of the year, under the tariff's plan.
pub const DEVICES: &str =
    "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,\n";

/// Two lines of `C-1`.
pub const TWO_LINES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,\n\
    D-2,31612340002,C-1,flat,2026-01-01T00:00:00Z,\n";

/// Calls of 100 seconds of one line, at ten on days of November.
pub fn calls(name: &str, line: u32, days: &[u32]) -> String {
    let row = |day: &u32| {
        format!("{name}-{day},voice,+3161234000{line},+31201234567,2026-11-{day:02}T10:00:00+01:00,100,,,MO,20408,0.10\n")
    };
    HEADER.to_owned() + &days.iter().map(row).collect::<String>()
}

/// Writes a file and gives its path.
pub fn write(folder: &Path, name: &str, text: &str) -> String {
    let path: PathBuf = folder.join(name);
    fs::write(&path, text).expect("a file can be written");
    path.to_string_lossy().into_owned()
}

/// Runs a command that may need a hand, for its exit code and its JSON.
pub fn asked(data: &DataFolder, arguments: &[&str]) -> (Option<i32>, Value) {
    let ended = data.run(&[arguments, &["--output", "json"]].concat());
    assert!(matches!(ended.code, Some(0 | 1)), "{arguments:?}: {} {}", ended.out, ended.err);
    let json = serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{arguments:?} printed no JSON ({e}): {}", ended.out));
    (ended.code, json)
}

/// Ingests a file in the layout `job`, for its JSON.
pub fn ingest(data: &DataFolder, home: &Path, account: &str, name: &str, text: &str) -> Value {
    asked(data, &["ingest", "--profile", "job", "--account", account, &write(home, name, text)]).1
}

/// Kills a closing when it is decided, when totals are frozen, and when its lines are posted; then finishes it, for its JSON. How often it
/// was killed stands beside it.
pub fn close_in_pieces(data: &DataFolder, arguments: &[&str]) -> (u32, Value) {
    let mut killed = 0;
    for message in ["cycle closed", "totals frozen", "lines posted"] {
        let running = data.start(arguments, Some("debug"));
        let seen = running.wait_for(message, |lines| lines.iter().find(|line| line.contains(message)).cloned());
        running.kill();
        killed += u32::from(seen.is_some());
    }
    (killed, asked(data, arguments).1)
}

/// Kills a command when its worker has read, prepared and committed, each in a run of its own; it is killed twice at least.
pub fn kill_in_the_middle(data: &DataFolder, arguments: &[&str]) {
    let mut killed = 0;
    for message in ["read", "prepared", "committed"] {
        let running = data.start(arguments, Some("debug"));
        let seen = running.wait_for(message, |lines| lines.iter().find(|l| l.contains(&format!(": {message} worker="))).cloned());
        if seen.is_some() {
            running.kill();
            killed += 1;
        }
    }
    assert!(killed >= 2, "it was killed {killed} times");
}
