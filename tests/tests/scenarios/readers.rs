//! The same calls in files of every reader: whatever the file looks like, they cost the same.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::place;

/// The how-to's blocks: a file and its profile, three times.
fn how_to() -> Vec<String> {
    let page = fs::read_to_string(place::checkout().join("docs/howto/describe-other-records.md")).expect("the page is there");
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').expect("a block has lines").1.to_owned()).collect()
}

fn with_one_subscriber(folder: &Path) -> DataFolder {
    let data = DataFolder::new();
    let devices = folder.join("devices.csv");
    let row = "D-1,31612345678,C-1,zakelijk-plus,2026-01-01T00:00:00Z,\n";
    fs::write(&devices, format!("device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n{row}")).expect("it can be written");
    data.ok(&["import", "devices", &devices.to_string_lossy()]);
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    data
}

/// Writes a file and its profile; gives their paths.
fn written(folder: &Path, name: &str, file: &[u8], profile: &str) -> [String; 2] {
    let (path, described) = (folder.join(name), folder.join(name).with_extension("toml"));
    fs::write(&path, file).expect("it can be written");
    fs::write(&described, profile).expect("it can be written");
    [path, described].map(|path| path.to_string_lossy().into_owned())
}

fn ingest(data: &DataFolder, account: &str, [file, profile]: &[String; 2]) -> Value {
    let ended = data.run(&["ingest", "--profile", profile, "--account", account, file, "--output", "json"]);
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended:?}"))
}

/// *Scenario.* The two records of the how-to as rows of fixed width, in a JSON array and as XML elements, each file ingested
/// under an account of its own. *Guarantees.* Every file is taken; the records are rated the same, to the nano-unit, with the
/// same derivation; one broken record among them waits with its bytes, and its neighbours are rated.
#[test]
fn the_same_calls_cost_the_same_whatever_the_file_looks_like() {
    let folder = TempDir::new().expect("a temporary folder");
    let data = with_one_subscriber(folder.path());
    let blocks = how_to();
    let names = ["centrale.txt", "calls.json", "usage.xml"];
    for (i, name) in names.iter().enumerate() {
        let paths = written(folder.path(), name, blocks[2 * i].as_bytes(), &blocks[2 * i + 1]);
        let check = data.json(&["profile", "check", &paths[1], &paths[0]]);
        assert_eq!((&check["verdict"]["state"], &check["readable"]), (&json!("complete"), &json!(2)), "{check:#}");
        let said = ingest(&data, name.split('.').next().expect("a name"), &paths);
        assert_eq!((&said["rows_in"], &said["rated"], &said["suspense"]), (&json!(2), &json!(2), &json!({})), "{said:#}");
    }
    let rows = |account: &str| {
        let columns = "record_id, kind, start, duration_s, tariff, zone, price_row, billed_units, charge";
        data.query(&format!("SELECT {columns} FROM cdr WHERE account = '{account}' ORDER BY record_id"))
    };
    assert_eq!(rows("centrale").len(), 2);
    assert_eq!(rows("centrale"), rows("calls"));
    assert_eq!(rows("calls"), rows("usage"));
    for (i, (from, to)) in
        [("2026-10-24 09:15", "2026-13-24 09:15"), ("\"type\": \"V\"", "\"type\" \"V\""), ("<Type>V", "<Typ>V")]
            .iter()
            .enumerate()
    {
        let file = blocks[2 * i].replace(from, to);
        assert_ne!(file, blocks[2 * i], "{from}");
        let paths = written(folder.path(), &format!("broken-{}", names[i]), file.as_bytes(), &blocks[2 * i + 1]);
        let said = ingest(&data, &format!("broken-{i}"), &paths);
        let suspended: u64 = said["suspense"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
        assert_eq!((&said["rows_in"], &said["rated"], suspended), (&json!(2), &json!(1), 1), "{said:#}");
    }
    data.assert_sound();
}

/// *Scenario.* A file of each reader that is cut off, and an XML file that defines entities. *Guarantees.* Each is refused as a
/// whole with a state that says why; none of its rows is taken, and the next file of the account is.
#[test]
fn a_file_that_is_not_whole_is_refused_whatever_it_looks_like() {
    let folder = TempDir::new().expect("a temporary folder");
    let data = with_one_subscriber(folder.path());
    let blocks = how_to();
    let bomb = "<!DOCTYPE Usage [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>\n<Usage";
    for (i, name) in ["centrale.txt", "calls.json", "usage.xml", "bomb.xml"].iter().enumerate() {
        let block = 2 * i.min(2);
        let whole = &blocks[block];
        let file = if i == 3 { whole.replacen("<Usage", bomb, 1) } else { whole[..whole.len() - 12].to_owned() };
        let paths = written(folder.path(), name, file.as_bytes(), &blocks[block + 1]);
        let ended = data.run(&["profile", "check", &paths[1], &paths[0]]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.out.contains(if i == 3 { "document type (DTD)" } else { "truncated" }), "{ended:?}");
        let account = format!("account-{i}");
        let said = ingest(&data, &account, &paths);
        assert_eq!((&said["rows_in"], &said["rated"]), (&json!(0), &json!(0)), "{said:#}");
        // The same bytes under two accounts would be held.
        let whole = if i == 3 { format!("{whole}<!-- without -->\n") } else { whole.clone() };
        let paths = written(folder.path(), &format!("whole-{name}"), whole.as_bytes(), &blocks[block + 1]);
        assert_eq!(ingest(&data, &account, &paths)["rated"], json!(2), "{name}");
    }
    data.assert_sound();
}

/// An element of BER: a tag below 31 of class APPLICATION, or in two octets above, and its content.
fn element(tag: u16, is_constructed: bool, content: &[u8]) -> Vec<u8> {
    let first = 0x40 | if is_constructed { 0x20 } else { 0 };
    let octet = |bits: u16| u8::try_from(bits & 0x7f).expect("seven bits");
    let mut bytes = match tag {
        0..31 => vec![first | octet(tag)],
        31..128 => vec![first | 0x1f, octet(tag)],
        _ => vec![first | 0x1f, 0x80 | octet(tag >> 7), octet(tag)],
    };
    let length = u16::try_from(content.len()).expect("small");
    bytes.push(0x82);
    bytes.extend(length.to_be_bytes());
    bytes.extend(content);
    bytes
}

fn group(tag: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, true, &parts.concat())
}

fn text(tag: u16, text: &str) -> Vec<u8> {
    element(tag, false, text.as_bytes())
}

/// *Scenario.* A notification, as a roaming partner sends it on a day without usage, and a file that is no TAP3. *Guarantees.*
/// The first is a sign of life and needs no hand; the second is refused and its message says what it begins with.
#[test]
fn a_tap3_notification_is_a_sign_of_life() {
    let folder = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let stamp = |tag| group(tag, &[text(16, "20261025120000"), text(231, "+0000")]);
    let control = [
        text(196, "GBRVF"),
        text(182, "NLDLT"),
        text(109, "00017"),
        stamp(108),
        stamp(227),
        stamp(107),
        element(201, false, &[3]),
        element(189, false, &[12]),
    ];
    let file = folder.path().join("CDGBRVFNLDLT00017");
    fs::write(&file, group(2, &control)).expect("it can be written");
    let check = data.json(&["profile", "check", "tap3", &file.to_string_lossy()]);
    assert_eq!((&check["verdict"]["state"], &check["verdict"]["message"]), (&json!("empty"), &json!("")), "{check:#}");
    fs::write(&file, "RECORDID;SOORT\n").expect("it can be written");
    let ended = data.run(&["profile", "check", "tap3", &file.to_string_lossy()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("no TAP3 batch") && ended.out.contains("choose another profile"), "{ended:?}");
}
