//! Files of layouts that nobody has described: from `profile draft` to rated rows.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::{place, process};

/// A Dutch mobile reseller: a line before the header, byte order mark, decimal commas, kilobytes of its own, a trailer with a sum.
const DUTCH: &str = "\u{feff}Bijtel BV;gebruik oktober\r\n\
    Datum;Tijd;Soort;Richting;Mobiel nummer;Gebelde nummer;Gebruiker;Duur;Volume MB;Kosten\r\n\
    24-10-2026;09:15:00;Gesprek;Uit;06-12345678;020-1234567;Zoë;00:01:03;;0,0500\r\n\
    24-10-2026;10:00:00;Gesprek;Uit;0612345678;0687654321;Zoë;00:02:00;;0,1000\r\n\
    25-10-2026;11:00:00;SMS;Uit;0612345678;0687654321;Zoë;;;0,0300\r\n\
    26-10-2026;12:00:00;Internet;Uit;0612345678;;Zoë;;12,5;0,2000\r\n\
    26-10-2026;13:00:00;Gesprek;In;0612345678;0201234567;Zoë;00:00:30;;0,0000\r\n\
    27-10-2026;14:00:00;Gesprek;Uit;0612345678;112;Zoë;00:00:40;;0,0000\r\n\
    TOTAAL;6;0,3800\r\n";

/// An English feed: tabs, milliseconds since 1970, who called and who was called, an id.
const EPOCH: &str = "EventId\tEpochMs\tType\tDirection\tCaller\tCalled\tSeconds\tBytes\tPrice\tCurrency\n\
    e-1\t1792826100000\tCALL\tMO\t31612345678\t31201234567\t63\t\t0.05\tEUR\n\
    e-2\t1792829700000\tTEXT\tMO\t31612345678\t31687654321\t\t\t0.03\tEUR\n\
    e-3\t1792833300000\tDATA\tMO\t31612345678\t\t\t12500000\t0.20\tEUR\n\
    e-4\t1792836900000\tCALL\tMT\t31201234567\t31612345678\t30\t\t0.00\tEUR\n";

/// An exchange abroad: month before day, minutes, states, neither kind nor direction.
const MONTH_FIRST: &str = "Start Time|Calling Number|Called Number|Minutes|Result|Charge EUR\n\
    10/24/2026 09:15|+31612345678|+31201234567|2|Answered|0.05\n\
    10/24/2026 09:20|+31612345678|+31687654321|0|Busy|0.00\n\
    10/25/2026 10:00|+31612345678|+31687654321|1|Answered|0.07\n";

/// Someone who has a file, a data folder and few commands to spend.
struct Newcomer {
    folder: TempDir,
    data: DataFolder,
    commands: Cell<u32>,
}

impl Newcomer {
    fn with(name: &str, text: &str) -> Self {
        let newcomer =
            Self { folder: TempDir::new().expect("a temporary folder"), data: DataFolder::new(), commands: Cell::new(0) };
        fs::write(newcomer.path(name), text).expect("a file can be written");
        let devices = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n\
            D-1,31612345678,C-1,zakelijk-basis,2026-01-01T00:00:00Z,\n";
        fs::write(newcomer.path("devices.csv"), devices).expect("a file can be written");
        newcomer
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command that must end well.
    fn run(&self, words: &[&str]) -> Value {
        self.commands.set(self.commands.get() + 1);
        self.data.json(words)
    }

    /// Drafts a profile of a file; gives what the command said.
    fn draft(&self, file: &str, profile: &Path) -> Value {
        self.run(&["profile", "draft", &self.path(file).to_string_lossy(), "--out", &profile.to_string_lossy()])
    }

    /// Changes a line of the profile, as an answer to its question.
    fn answer(profile: &Path, line_begins: &str, answer: &str) {
        let text = fs::read_to_string(profile).expect("the draft is there");
        let mut found = false;
        let changed = |line: &str| {
            let is_it = line.starts_with(line_begins);
            found |= is_it;
            if is_it { answer.to_owned() } else { line.to_owned() }
        };
        let lines: Vec<String> = text.lines().map(changed).collect();
        assert!(found, "no line begins with `{line_begins}`:\n{text}");
        fs::write(profile, lines.join("\n")).expect("a file can be written");
    }

    /// From the answered profile to rated rows; gives what `ingest` said.
    fn rate(&self, file: &str, profile: &Path) -> Value {
        let (profile, file) = (profile.to_string_lossy(), self.path(file));
        let file = file.to_string_lossy();
        let checked = self.run(&["profile", "check", &profile, &file]);
        assert_eq!(checked["malformed"], json!({}), "{checked:#}");
        self.run(&["import", "tariffs", "nl-zakelijk"]);
        self.run(&["import", "devices", &self.path("devices.csv").to_string_lossy()]);
        let said = self.run(&["ingest", "--profile", &profile, "--account", "haven", &file]);
        self.data.assert_sound();
        assert!(self.commands.get() < 10, "{} commands", self.commands.get());
        said
    }

    /// Kind, seconds, bytes and charge of what is rated, in order of time.
    fn rated(&self) -> Vec<(String, u64, u64, String)> {
        let sql = "SELECT kind, duration_s, coalesce(bytes_up, 0) + coalesce(bytes_down, 0) AS bytes, charge FROM cdr \
            WHERE outcome = 'rated' ORDER BY start";
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap_or_else(|| panic!("no {name} in {row}"));
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_else(|| panic!("no {name} in {row}")).to_owned();
        let row = |row: &Value| (text(row, "kind"), number(row, "duration_s"), number(row, "bytes"), text(row, "charge"));
        self.data.query(sql).iter().map(row).collect()
    }
}

fn row(kind: &str, seconds: u64, bytes: u64, charge: &str) -> (String, u64, u64, String) {
    (kind.to_owned(), seconds, bytes, charge.to_owned())
}

/// The value that the draft proposes for a setting.
fn value(draft: &Value, setting: &str) -> String {
    let decisions = draft["decisions"].as_array().expect("a list");
    let found = decisions.iter().find(|d| d["setting"] == setting).unwrap_or_else(|| panic!("no {setting} in {draft:#}"));
    found["value"].as_str().expect("a text").to_owned()
}

fn asked(draft: &Value) -> Vec<&str> {
    draft["questions"].as_array().expect("a list").iter().filter_map(|q| q["key"].as_str()).collect()
}

/// *Scenario.* A semicolon export with byte order mark, a line before the header, date and time apart, megabytes and a trailer.
/// *Guarantees.* The draft asks what a kilobyte is; once answered, six rows are rated: two minutes at 0.12, two at 0.15, a text at
/// 0.08, 12.5 MB of 1000 kB at 0.02, an incoming call and 112 at nothing.
#[test]
fn draft_of_a_dutch_mobile_export() {
    let newcomer = Newcomer::with("bijtel-2026-10.csv", DUTCH);
    let profile = newcomer.path("bijtel.toml");
    let said = newcomer.draft("bijtel-2026-10.csv", &profile);
    assert_eq!(value(&said, "time.pattern"), "\"DD-MM-YYYY\"");
    assert_eq!((value(&said, "trailer.marker"), value(&said, "trailer.sum_field")), ("\"TOTAAL\"".to_owned(), "2".to_owned()));
    assert!(["time.zone", "volume.kilo", "numbers.country_code"].iter().all(|key| asked(&said).contains(key)), "{said:#}");
    assert_eq!((&said["check"][0]["readable"], &said["check"][0]["state"]), (&json!(6), &json!("complete")), "{said:#}");
    Newcomer::answer(&profile, "kilo = ", "kilo = 1000");
    let rated = newcomer.rate("bijtel-2026-10.csv", &profile);
    assert_eq!((&rated["rated"], &rated["suspense"]), (&json!(6), &json!({})), "{rated:#}");
    let expected = [
        row("voice-mo", 63, 0, "0.240000000"),
        row("voice-mo", 120, 0, "0.300000000"),
        row("sms-mo", 0, 0, "0.080000000"),
        row("data", 0, 12_500_000, "0.250000000"),
        row("voice-mt", 30, 0, "0.000000000"),
        row("voice-mo", 40, 0, "0.000000000"),
    ];
    assert_eq!(newcomer.rated(), expected);
}

/// *Scenario.* Tabs, milliseconds since 1970 and the columns of caller and called. *Guarantees.* The draft finds that the served
/// party of incoming rows is the called one, without a question; four rows are rated.
#[test]
fn draft_of_a_feed_with_epoch_milliseconds() {
    let newcomer = Newcomer::with("feed.tsv", EPOCH);
    let profile = newcomer.path("feed.toml");
    let said = newcomer.draft("feed.tsv", &profile);
    assert_eq!(value(&said, "time.pattern"), "\"epoch-milliseconds\"");
    assert_eq!(value(&said, "numbers.swap_for"), "[\"incoming\"]");
    assert_eq!((value(&said, "record.key"), value(&said, "record.id")), ("\"id\"".to_owned(), "\"EventId\"".to_owned()));
    assert_eq!(value(&said, "cost.currency_column"), "\"Currency\"");
    let rated = newcomer.rate("feed.tsv", &profile);
    assert_eq!((&rated["rated"], &rated["suspense"]), (&json!(4), &json!({})), "{rated:#}");
    let expected = [
        row("voice-mo", 63, 0, "0.240000000"),
        row("sms-mo", 0, 0, "0.080000000"),
        row("data", 0, 12_500_000, "0.250000000"),
        row("voice-mt", 30, 0, "0.000000000"),
    ];
    assert_eq!(newcomer.rated(), expected);
}

/// *Scenario.* Bars, month before day, minutes and a state per call. *Guarantees.* All dates together say that the month comes
/// first; unanswered calls are left out by a rule; with UTC as the answer about the clock, a call at 09:15 began at 11:15 in
/// Amsterdam.
#[test]
fn draft_of_an_exchange_that_writes_the_month_first() {
    let newcomer = Newcomer::with("pbx-export.txt", MONTH_FIRST);
    let profile = newcomer.path("pbx-export.toml");
    let said = newcomer.draft("pbx-export.txt", &profile);
    assert_eq!(value(&said, "time.pattern"), "\"MM/DD/YYYY HH:mm\"");
    assert_eq!(value(&said, "duration.unit"), "\"minutes\"");
    let wanted = ["kind.constant", "direction.constant", "skip.not_equals", "time.zone"];
    assert!(wanted.iter().all(|key| asked(&said).contains(key)), "{said:#}");
    Newcomer::answer(&profile, "zone = ", "zone = \"UTC\"");
    let rated = newcomer.rate("pbx-export.txt", &profile);
    let counts = [&rated["rated"], &rated["skipped"], &rated["suspense"]];
    assert_eq!(counts, [&json!(2), &json!(1), &json!({})], "{rated:#}");
    assert_eq!(newcomer.rated(), [row("voice-mo", 120, 0, "0.240000000"), row("voice-mo", 60, 0, "0.150000000")]);
    let starts = newcomer.data.query("SELECT CAST(start AS VARCHAR) AS start FROM cdr ORDER BY start");
    assert!(starts[0]["start"].as_str().is_some_and(|start| start.starts_with("2026-10-24T09:15")), "{starts:?}");
}

/// The same four records of a reseller in three forms that no shipped layout has.
const JSON: &str = r#"{"kenmerk":"r-1","soort":"gesprek","richting":"uit","lijn":{"msisdn":"0612345678","tegennummer":"0201234567"},"tijd":{"start":"2026-10-24 09:15:00","duur":63}}
{"kenmerk":"r-2","soort":"sms","richting":"uit","lijn":{"msisdn":"0612345678","tegennummer":"0687654321"},"tijd":{"start":"2026-10-24 10:00:00","duur":0}}
{"kenmerk":"r-3","soort":"gesprek","richting":"in","lijn":{"msisdn":"0612345678","tegennummer":"0201234567"},"tijd":{"start":"2026-10-24 11:00:00","duur":30}}
{"kenmerk":"r-4","soort":"gesprek","richting":"uit","lijn":{"msisdn":"0612345678","tegennummer":"0201234567"},"tijd":{"start":"2026-10-24 12:00:00","duur":120}}
"#;

const XML: &str = "<Verbruik maand='10'><Regels>\n\
    <Regel kenmerk='r-1'><Soort>gesprek</Soort><Richting>uit</Richting><Msisdn>0612345678</Msisdn><Tegennummer>0201234567</Tegennummer>\
        <Start>2026-10-24 09:15:00</Start><Duur>63</Duur></Regel>\n\
    <Regel kenmerk='r-2'><Soort>sms</Soort><Richting>uit</Richting><Msisdn>0612345678</Msisdn><Tegennummer>0687654321</Tegennummer>\
        <Start>2026-10-24 10:00:00</Start><Duur>0</Duur></Regel>\n\
    <Regel kenmerk='r-3'><Soort>gesprek</Soort><Richting>in</Richting><Msisdn>0612345678</Msisdn><Tegennummer>0201234567</Tegennummer>\
        <Start>2026-10-24 11:00:00</Start><Duur>30</Duur></Regel>\n\
    <Regel kenmerk='r-4'><Soort>gesprek</Soort><Richting>uit</Richting><Msisdn>0612345678</Msisdn><Tegennummer>0201234567</Tegennummer>\
        <Start>2026-10-24 12:00:00</Start><Duur>120</Duur></Regel>\n\
    </Regels></Verbruik>\n";

const FIXED: &str = "r-1  gesprek uit 0612345678  0201234567  20261024091500    63\n\
    r-2  sms     uit 0612345678  0687654321  20261024100000     0\n\
    r-3  gesprek in  0612345678  0201234567  20261024110000    30\n\
    r-4  gesprek uit 0612345678  0201234567  20261024120000   120\n";

/// From a file of these four records to rated rows: minutes begun to a fixed line at 0.12, a text at 0.08, an incoming call at
/// nothing. Gives what the draft said.
fn four_records(file: &str, text: &str, reader: &str) -> (Newcomer, Value) {
    let newcomer = Newcomer::with(file, text);
    let profile = newcomer.path("mine.toml");
    let said = newcomer.draft(file, &profile);
    assert_eq!(value(&said, "file.reader"), format!("\"{reader}\""), "{said:#}");
    assert!(["time.zone", "record.delivery"].iter().all(|key| asked(&said).contains(key)), "{said:#}");
    assert_eq!((&said["check"][0]["readable"], &said["check"][0]["state"]), (&json!(4), &json!("complete")), "{said:#}");
    let rated = newcomer.rate(file, &profile);
    assert_eq!((&rated["rated"], &rated["suspense"]), (&json!(4), &json!({})), "{rated:#}");
    let expected = [
        row("voice-mo", 63, 0, "0.240000000"),
        row("sms-mo", 0, 0, "0.080000000"),
        row("voice-mt", 30, 0, "0.000000000"),
        row("voice-mo", 120, 0, "0.240000000"),
    ];
    assert_eq!(newcomer.rated(), expected);
    (newcomer, said)
}

/// *Scenario.* A JSON object per line, columns in objects of their own. *Guarantees.* The draft proposes the paths; four rows are
/// rated; `profile check` reads the file compressed, too.
#[test]
fn draft_of_json_lines() {
    let (newcomer, said) = four_records("regels.jsonl", JSON, "json");
    assert_eq!((value(&said, "time.column"), value(&said, "served.column")), ("\"tijd.start\"".into(), "\"lijn.msisdn\"".into()));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, JSON.as_bytes()).expect("memory");
    fs::write(newcomer.path("regels.jsonl.gz"), packed.finish().expect("memory")).expect("a file can be written");
    let (profile, file) = (newcomer.path("mine.toml"), newcomer.path("regels.jsonl.gz"));
    let checked = newcomer.run(&["profile", "check", &profile.to_string_lossy(), &file.to_string_lossy()]);
    assert_eq!((&checked["readable"], &checked["absent"]), (&json!(4), &json!([])), "{checked:#}");
}

/// *Scenario.* XML records with an attribute, in a list of a document. *Guarantees.* The draft names the record element; four rows
/// are rated.
#[test]
fn draft_of_xml_records() {
    let (_, said) = four_records("regels.xml", XML, "xml");
    assert_eq!(value(&said, "xml.record"), "\"Verbruik/Regels/Regel\"");
    assert_eq!(value(&said, "record.id"), "\"@kenmerk\"");
}

/// *Scenario.* Lines of fixed width without a description. *Guarantees.* The columns are a guess and asked about; here it is right,
/// and four rows are rated.
#[test]
fn draft_of_lines_of_fixed_width() {
    let (_, said) = four_records("regels.txt", FIXED, "fixed-width");
    assert!(asked(&said).contains(&"columns"), "{said:#}");
}

/// *Scenario.* Files that no profile can be proposed for, and a profile that is there already. *Guarantees.* The exit code says
/// whose turn it is, the message what to do; nothing is overwritten.
#[test]
fn draft_of_what_is_no_file_of_rows() {
    let newcomer = Newcomer::with("day.csv", "naam;plaats\nJan;Utrecht\n");
    for (name, bytes, fact) in [
        ("day.csv", None, "none of the 2 columns holds dates and times"),
        ("empty.csv", Some(&b""[..]), "is empty"),
        ("noise.bin", Some(&[0, 159, 146, 150, 0, 7, 10, 3][..]), "is no text"),
        ("calls.json", Some(&b"{\"a\": [1,\n2]}\n"[..]), "looks like JSON without a list of objects"),
    ] {
        let path = newcomer.path(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).expect("a file can be written");
        }
        let ended = newcomer.data.run(&["profile", "draft", &path.to_string_lossy()]);
        assert_eq!(ended.code, Some(3), "{name}: {}", ended.err);
        assert!(ended.err.contains(fact) && (ended.err.contains(name) || name == "day.csv"), "{name}: {}", ended.err);
    }
    let (file, profile) = (newcomer.path("feed.tsv"), newcomer.path("mine.toml"));
    fs::write(&file, EPOCH).expect("a file can be written");
    fs::write(&profile, "# my answers\n").expect("a file can be written");
    let ended = newcomer.data.run(&["profile", "draft", &file.to_string_lossy(), "--out", &profile.to_string_lossy()]);
    assert_eq!(ended.code, Some(5), "{}", ended.err);
    assert_eq!(fs::read_to_string(&profile).expect("it is there"), "# my answers\n");
    let ended = newcomer.data.run(&["profile", "draft", &file.to_string_lossy()]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.starts_with("# Proposed by") && ended.err.contains("questions"), "stdout is the profile alone");
    assert!(!ended.err.contains("31612345678"), "numbers stay hidden");
}

/// A fenced block of a how-to: what stands before it, and its lines.
struct Block {
    before: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut parts = page.split("\n```");
    let (mut before, mut blocks) = (parts.next().unwrap_or_default().to_owned(), Vec::new());
    while let (Some(block), Some(after)) = (parts.next(), parts.next()) {
        let text = block.split_once('\n').map_or("", |(_, text)| text).to_owned();
        blocks.push(Block { before: std::mem::replace(&mut before, after.to_owned()), text });
    }
    blocks
}

/// *Scenario.* The how-to, word for word: its two files, its commands, its two corrections. *Guarantees.* Every command says what
/// the page shows.
#[test]
fn draft_as_the_how_to_shows_it() {
    let page = fs::read_to_string(place::checkout().join("docs/howto/draft-a-profile.md")).expect("the how-to is there");
    let (folder, data) = (TempDir::new().expect("a temporary folder"), DataFolder::new());
    let mut commands = 0;
    for block in blocks(&page) {
        if let Some((_, named)) = block.before.rsplit_once("ave this as `") {
            let name = named.split('`').next().expect("a name ends");
            fs::write(folder.path().join(name), block.text + "\n").expect("a file can be written");
            continue;
        }
        for shown in block.text.split("$ tollway ").skip(1) {
            let (command, expected) = shown.split_once('\n').unwrap_or((shown, ""));
            // A quoted word may hold blanks.
            let (plain, quoted) = command.split_once(" \"").map_or((command, None), |(plain, word)| (plain, Some(word)));
            let quoted = quoted.map(|word| word.trim_end().trim_end_matches('"'));
            let words: Vec<&str> = plain.split_whitespace().chain(quoted).collect();
            if words.starts_with(&["profile", "check"]) {
                let profile = folder.path().join("polder.toml");
                Newcomer::answer(&profile, "map = ", "map = { Bellen = \"voice\", SMS = \"sms\", Surfen = \"data\" }");
                Newcomer::answer(&profile, "kilo = ", "kilo = 1024");
            }
            let ended = process::run(data.command(&words).current_dir(folder.path()));
            let mut printed = ended.out.lines().map(str::trim_end);
            // The page leaves lines out, but shows none that are not printed, and in their order.
            for line in expected.lines().filter(|line| !line.is_empty() && *line != "…") {
                let is_there = printed.any(|is| is == line);
                assert!(is_there, "`{command}` does not say `{line}`, but:\n{}\n{}", ended.out, ended.err);
            }
            commands += 1;
        }
    }
    assert!((4..10).contains(&commands), "the page shows {commands} commands");
}
