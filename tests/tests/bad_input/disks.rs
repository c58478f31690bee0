//! Disks that are full or closed: nothing half applied is left, and the same command completes once there is room again.

use std::cell::Cell;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::desk::{DEVICES, DONE, Desk, INGEST, OUTSIDE_FAILED, Said};
use crate::kpn;

/// Calls of the large file: its landed bytes (about 770 kB), and the keys of its rows (36 bytes each), need more than
/// [`LEFT_BYTES`].
const CALLS: usize = 10_000;

/// Room that is left: enough for small files and the state database, not for the large file or its rows.
const LEFT_BYTES: u64 = 300 << 10;

/// A place with little room for data.
enum Room {
    /// No file may grow beyond a limit, which any user may set: writes fail in the middle, as over a quota.
    Limited(Cell<Option<u64>>),
    /// A file system of our own, which needs the right to mount: writes fail when it is full.
    Mounted(TempDir),
}

impl Room {
    /// All kinds that can be had here; the limit always can.
    fn all() -> Vec<Self> {
        let mut all = vec![Self::Limited(Cell::new(None))];
        let folder = TempDir::new().expect("a temporary folder");
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=8m", "none"]).arg(folder.path()).output();
        if mounted.is_ok_and(|m| m.status.success()) {
            all.push(Self::Mounted(folder));
        } else {
            eprintln!("mounting is not allowed here: a limit on file sizes stands for the full disk");
        }
        all
    }

    fn desk(&self) -> Desk {
        match self {
            Self::Limited(_) => Desk::new(),
            Self::Mounted(folder) => Desk::with_data(&folder.path().join("data")),
        }
    }

    /// Takes all room but some bytes.
    fn leave(&self, bytes: u64) {
        match self {
            Self::Limited(limit) => limit.set(Some(bytes)),
            Self::Mounted(folder) => {
                let mut filler = OpenOptions::new().append(true).create(true).open(folder.path().join("filler")).expect("a file");
                while filler.write_all(&[0; 4096]).is_ok() {}
                let size = filler.metadata().expect("a size").len();
                filler.set_len(size - bytes).expect("it can be cut");
            }
        }
    }

    /// Gives all room back.
    fn clear(&self) {
        match self {
            Self::Limited(limit) => limit.set(None),
            Self::Mounted(folder) => fs::remove_file(folder.path().join("filler")).expect("it is there"),
        }
    }

    fn tollway(&self, desk: &Desk, words: &[&str]) -> Said {
        let mut command = match self {
            Self::Limited(limit) if limit.get().is_some() => {
                // In units of 512 bytes. Ignoring the signal lets the write fail instead of the program end.
                let blocks = limit.get().unwrap_or_default() / 512;
                let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
                desk.through(&["sh", "-c", &script], words)
            }
            _ => desk.command(words),
        };
        Said::of(words, &command.output().expect("it starts"))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Self::Mounted(folder) = self {
            let unmounted = Command::new("umount").arg(folder.path()).status();
            assert!(
                std::thread::panicking() || unmounted.is_ok_and(|s| s.success()),
                "{} stays mounted",
                folder.path().display()
            );
        }
    }
}

/// Devices of a long list.
const MANY: usize = 4_000;

/// A list of devices that fits into [`LEFT_BYTES`] as it lands, while its windows in the state database do not.
fn many_devices() -> String {
    let rows = (0..MANY).map(|n| format!("D-{n},3163{n:07},C-1,zakelijk-plus,2026-01-01T00:00:00Z,\n"));
    let list: String = rows.collect();
    let header = DEVICES.lines().next().expect("a header");
    format!("{header}\n{list}")
}

#[test]
fn a_disk_that_is_full_while_landing_keeps_what_was_landed_and_completes_later() {
    for room in Room::all() {
        let desk = room.desk();
        desk.write("in/a-small.csv", kpn::good("small", 3));
        desk.write("in/b-large.csv", kpn::good("large", CALLS));
        room.leave(LEFT_BYTES);
        let ingest = [&INGEST[..], &["in"]].concat();
        let facts = ["no space left while landing `in/b-large.csv`", "it has not arrived", "free space and run again"];
        room.tollway(&desk, &ingest).ends(OUTSIDE_FAILED).says(&facts);
        desk.check();
        let objects = fs::read_dir(desk.data("store/.staging")).map_or(0, Iterator::count);
        assert_eq!(objects, 0, "the half file was removed");
        room.clear();
        room.tollway(&desk, &ingest).ends(DONE).says(&["1 files landed, 1 known before"]);
        desk.holds(CALLS as u64 + 3, 0);
    }
}

#[test]
fn a_disk_that_is_full_while_committing_loses_nothing_and_completes_later() {
    for room in Room::all() {
        let desk = room.desk();
        desk.write("in/a-small.csv", kpn::good("small", 3));
        desk.write("in/b-large.csv", kpn::good("large", CALLS));
        let ingest = [&INGEST[..], &["in"]].concat();
        room.tollway(&desk, &[&ingest[..], &["--land-only"]].concat()).ends(DONE).says(&["2 files landed"]);
        let facts = ["no space left", "free space and run again", "1 files have landed and wait; run again to rate them"];
        if matches!(room, Room::Mounted(_)) {
            room.leave(0);
            room.tollway(&desk, &ingest).ends(OUTSIDE_FAILED).says(&facts[..2]);
            room.clear();
        }
        room.leave(LEFT_BYTES);
        let small = [&INGEST[..], &["in/a-small.csv"]].concat();
        room.tollway(&desk, &small).ends(OUTSIDE_FAILED).says(&facts).says(&["tables/cdr_entries/"]);
        desk.check();
        room.clear();
        room.tollway(&desk, &ingest).ends(DONE).says(&["0 files landed, 2 known before"]);
        desk.holds(CALLS as u64 + 3, 0);
        desk.tollway(&["status"]).ends(DONE).says(&["all well", "2 files landed, 2 done, 0 waiting"]);
    }
}

#[test]
fn a_disk_that_is_full_while_importing_keeps_the_list_for_later() {
    for room in Room::all() {
        let desk = room.desk();
        desk.write("many.csv", many_devices());
        let import = ["import", "devices", "many.csv"];
        room.leave(LEFT_BYTES);
        let failed = room.tollway(&desk, &import).ends(OUTSIDE_FAILED);
        let facts: [&str; 3] = match room {
            Room::Limited(_) => ["could not be written", "`ulimit -f`", "run again"],
            Room::Mounted(_) => ["no space left for state database", "nothing was changed", "free space and run again"],
        };
        failed.says(&facts).says(&["has landed but is not in force yet"]);
        room.clear();
        let known = format!("{MANY} rows: windows added 0, changed 0, unchanged {MANY}");
        room.tollway(&desk, &import).ends(DONE).says(&[&known]);
    }
}

/// Takes from everything in a folder the right to be written, or gives it back.
fn close(folder: &Path, closed: bool) {
    let metadata = fs::metadata(folder).expect("it is there");
    let mode = if closed { metadata.mode() & !0o222 } else { metadata.mode() | 0o200 };
    fs::set_permissions(folder, Permissions::from_mode(mode)).expect("it is ours");
    if metadata.is_dir() {
        for entry in fs::read_dir(folder).expect("it can be listed") {
            close(&entry.expect("an entry").path(), closed);
        }
    }
}

/// Types a command without the privilege of root to write what is closed.
fn unprivileged(desk: &Desk, words: &[&str]) -> Said {
    let is_root = fs::metadata("/proc/self").expect("a process").uid() == 0;
    let starter = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let mut command = if is_root { desk.through(&starter, words) } else { desk.command(words) };
    Said::of(words, &command.output().expect("the program starts; root needs setpriv of util-linux"))
}

#[test]
fn a_read_only_data_folder_can_be_read_and_says_why_it_takes_nothing() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/b.csv", kpn::good("b", 2));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    let key = desk.query("SELECT encode(record_key, 'hex') AS record FROM cdr LIMIT 1");
    let record = key[0]["record"].as_str().expect("a key").to_owned();
    close(&desk.data(""), true);
    let ingest = [&INGEST[..], &["in/b.csv"]].concat();
    let facts = ["no permission to land `in/b.csv`", "read-only or belongs to someone else", "check its owner and mode"];
    unprivileged(&desk, &ingest).ends(OUTSIDE_FAILED).says(&facts);
    for words in [&["run", "--listen", "127.0.0.1:0"][..], &["import", "devices", "devices.csv"]] {
        unprivileged(&desk, words).ends(OUTSIDE_FAILED).says(&["no permission", "owner"]);
    }
    for words in [
        &["status"][..],
        &["check"],
        &["totals"],
        &["suspense", "list"],
        &["query", "SELECT count(*) FROM cdr"],
        &["explain", &record],
    ] {
        unprivileged(&desk, words).ends(DONE);
    }
    close(&desk.data(""), false);
    unprivileged(&desk, &ingest).ends(DONE);
    desk.holds(5, 0);
}

#[test]
fn a_data_folder_that_cannot_be_made_is_named() {
    let desk = Desk::bare();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("closed/file", "");
    close(&desk.path("closed"), true);
    let ingest = [&INGEST[..], &["--data", "closed/data", "in/a.csv"]].concat();
    unprivileged(&desk, &ingest).ends(OUTSIDE_FAILED).says(&["failed to make the data folder closed/data", "Permission denied"]);
    close(&desk.path("closed"), false);
    unprivileged(&desk, &ingest);
    desk.tollway(&["status", "--data", "closed/data"]).says(&["1 files landed, 1 done"]);
}
