//! Profiles: what is refused and how it is said, headers, and the published schema.

use domain::delivery::{DeliveryMode, KeyMode};

use super::samples::{SHIPPED, batch, file_of, shipped};
use super::{Profile, ProfileError, fixtures, layouts_markdown};
use crate::message::FileState;

/// The layouts of the six providers whose files we have been told of.
const SIX_PROVIDERS: [&str; 6] = ["kpn-sp16", "vodafone", "tmobile-calvi", "kpn-een", "yielder", "routit"];

fn refused(text: &str) -> String {
    Profile::load(text).expect_err("a wrong profile").to_string()
}

fn changed(from: &str, to: &str) -> String {
    let text = SHIPPED[0].1;
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn shipped_profiles_say_what_they_are() {
    for (name, _) in SHIPPED {
        let profile = shipped(name);
        assert_eq!(profile.name(), name);
        assert_eq!(&**profile.label(), format!("{name}@1"));
        assert_eq!(profile.assumed(), SIX_PROVIDERS.contains(&name));
        assert_eq!(profile.delivery_mode(), DeliveryMode::Delta);
        assert!(!profile.title().is_empty());
    }
    assert_eq!(shipped("kpn-sp16").key_mode(), KeyMode::Id);
    assert_eq!(shipped("kpn-sp16").provider(), Some("kpn"));
    assert_eq!(shipped("kpn-sp16").zone().map(domain::zone::Zone::name), Some("Europe/Amsterdam"));
    assert_eq!(shipped("job").cost_currency().as_str(), "EUR");
}

#[test]
fn any_two_providers_layouts_differ_in_at_least_four_traits() {
    for (i, one) in SIX_PROVIDERS.iter().enumerate() {
        for other in &SIX_PROVIDERS[i + 1..] {
            let (a, b) = (shipped(one).traits(), shipped(other).traits());
            let differ = a.all().iter().zip(b.all()).filter(|(a, b)| **a != *b).count();
            assert!(differ >= 4, "{one} and {other} differ in {differ} traits only: {a:?} {b:?}");
        }
    }
}

#[test]
fn the_page_of_layouts_says_what_the_profiles_say() {
    let all: Vec<Profile> = SHIPPED.iter().map(|(name, _)| shipped(name)).collect();
    let page = layouts_markdown(&all);
    for line in [
        "| `kpn-sp16` | KPN SP16 usage file (assumed layout) |",
        "| `job` | Call records of the yardstick job |",
        "| `kpn-sp16` | `;` | Latin-1 | `,` | `DD-MM-YYYY` and `HH:mm:SS`, local | `0…`, `00…` | s, kB of 1024 | \
         `TRAILER`: rows, sum | id |",
        "| `vodafone` | `\\|` | Windows-1252 | `,` | `DD/MM/YYYY HH:mm:SS`, local | `00…` | s, MB of 1000 kB of 1000 | \
         `TOTAAL`: rows | id and content |",
        "| `yielder` | `,` | UTF-8 | `.` | `epoch-seconds`, UTC | only `31…`, ICCID | s, bytes | `#end`: rows | id |",
        "| `kpn-een` | `;` | UTF-8 | `,` | `YYYY-MM-DD HH:mm:SS`, local | `00…`, 9 national digits | \
         hh:mm:ss, MB of 1024 kB of 1024 | none | content and occurrence |",
        "| `vodafone` | `Tariefgroep` with `Bundel` | `fee`: `Soort` is `Abonnement` |",
        "| `tmobile-calvi` | `RateClass` | `another-partner`: `PartnerPath` is not within `NL` |",
        "| `freeswitch-cdr-csv` |  | `unanswered`: `answer_stamp` is empty |",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let table = page.split("apart\n\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the second table");
    assert!(table.lines().all(|l| cells(l) == 10), "nine columns in every line\n{table}");
}

#[test]
fn a_branch_of_a_tree_is_itself_and_what_is_below_it() {
    let calvi = shipped("tmobile-calvi");
    let text = calvi.text().replace("not_within = [\"NL\"]", "not_within = [\"NL/Noord/\", \"NL/Zuid\"]");
    let load = |text: &str| Profile::load(text).expect("a profile");
    let fixture = fixtures::build(fixtures::shape("tmobile-calvi").expect("it has fixtures"), 4);
    let left_out = |profile: &Profile| batch(profile, &fixture.file).skipped.get("another-partner").copied();
    assert_eq!(left_out(&calvi), None);
    assert_eq!(left_out(&load(&text)), Some(1), "the row of the tree's root is in neither branch");
    assert_eq!(left_out(&load(&text.replace("NL/Noord/", "NL/Noo"))), Some(3), "half a level is no branch");
    for (from, to, words) in [
        ("\"NL/Zuid\"", "\"/\"", "a path is empty"),
        ("level_mark = \"/\"", "level_mark = \"x\"", "levels of a path"),
        ("level_mark = \"/\"", "empty = true", "exactly one of"),
        ("bom = \"required\"", "bom = \"absent\"", "cannot be absent"),
        ("column = \"RateClass\"", "column = \"RateClass\"\nwith = [0, 1, 2, 3]", "at most 4 columns"),
    ] {
        let error = refused(&text.replace(from, to));
        assert!(error.contains(words), "{to}: {error}");
    }
}

#[test]
fn a_misspelt_key_names_the_nearest_and_its_line() {
    let error = Profile::load(&changed("separator = ", "separater = ")).expect_err("a misspelt key");
    let ProfileError::Unknown { line, what, found, hint } = &error else { panic!("{error:?}") };
    assert_eq!((*line, *what, found.as_str(), hint.as_str()), (9, "key", "separater", "; did you mean `separator`?"));
    assert!(refused(&changed("[duration]", "[duratoin]")).contains("did you mean `duration`?"));
    assert!(refused(&changed("encoding = \"latin-1\"", "encoding = \"latin1\"")).contains("did you mean `latin-1`?"));
}

#[test]
fn settings_that_cannot_be_say_why() {
    for (from, to, words) in [
        ("separator = \";\"", "separator = \";;\"", "profile line"),
        ("separator = \";\"", "separator = \"a\"", "`file.separator`"),
        ("zone = \"Europe/Amsterdam\"", "zone = \"Europe/Amsterdm\"", "no IANA zone"),
        ("zone = \"Europe/Amsterdam\"", "", "need a zone"),
        ("pattern = \"DD-MM-YYYY\"", "pattern = \"dd-mm-yyyy\"", "`d`"),
        ("clock_pattern = \"HH:mm:SS\"", "", "go together"),
        ("currency = \"EUR\"", "currency = \"euro\"", "no currency"),
        ("id = \"RECORDID\"", "", "needs the column of the record id"),
        ("decimal = \",\"\nplaces_max", "decimal = \"'\"\nplaces_max", "`.` and `,`"),
        ("places_max = 9", "places_max = 10", "between 0 and 9"),
        ("kilo = 1024", "kilo = 1000000", "1000 or 1024"),
        ("map = { UIT = \"outgoing\", IN = \"incoming\", DOOR = \"forwarded\" }", "", "`column` and `map`"),
        ("marker = \"TRAILER\"", "marker = \"A;B\"", "without separator"),
        ("version = 1", "version = 0", "count from 1"),
        ("name = \"kpn-sp16\"", "name = \"KPN SP16\"", "small letters"),
        ("SMS = \"sms\"", "\"SM\u{20ac}\" = \"sms\"", "latin-1 cannot write"),
        ("header = \"names\"", "header = \"none\"", "needs `names` or `fields`"),
    ] {
        let error = refused(&changed(from, to));
        assert!(error.contains(words), "{to}: {error}");
    }
    let asterisk = SHIPPED[2].1.replace("column = \"billsec\"", "column = \"bilsec\"");
    assert!(refused(&asterisk).contains("did you mean `billsec`?"), "{}", refused(&asterisk));
}

#[test]
fn header_names_may_come_in_any_order_and_missing_ones_name_the_nearest() {
    let profile = shipped("mobile-metadata");
    let layout = profile.resolve_header(b"call_duration,datetime,interaction,direction,correspondent_id\r\n").expect("all there");
    assert_eq!((layout.body_from(), layout.fields()), (63, 5));
    let error = profile.resolve_header(b"interaction,direction,corespondent_id,datetime,call_duration\n").expect_err("misspelt");
    assert_eq!(error.state(), FileState::WrongHeader);
    assert!(error.to_string().contains("no column `correspondent_id`; did you mean `corespondent_id`?"), "{error}");
    let error =
        profile.resolve_header(b"interaction,direction,direction,correspondent_id,datetime,call_duration\n").expect_err("twice");
    assert!(error.to_string().contains("`direction` twice"), "{error}");
}

#[test]
fn a_header_can_be_found_without_the_rest_of_the_file() {
    for (name, _) in SHIPPED {
        let (profile, file) = (shipped(name), file_of(name));
        let whole = profile.resolve_header(&file).expect("a right header");
        let mut long = file.clone();
        while long.len() < profile.header_bytes_max() {
            long.extend_from_slice(&file[usize::try_from(whole.body_from()).expect("small")..]);
        }
        assert_eq!(profile.resolve_header(&long[..profile.header_bytes_max()]), Ok(whole), "{name}");
    }
}

#[test]
fn marks_of_other_encodings_are_told() {
    let kpn = shipped("kpn-sp16");
    for file in [&b"\xff\xfeR\0E\0"[..], b"\xfe\xff\0R\0E", b"\xef\xbb\xbfRECORDID;"] {
        assert_eq!(kpn.resolve_header(file).expect_err("wrong mark").state(), FileState::WrongEncoding);
    }
    let calvi = shipped("tmobile-calvi");
    for file in [&b"CdrId\tPartnerPath"[..], b"\xef\xbb\xbfCdrId", b"\xff\xfe\0\0C\0\0\0", b"C\0d\0r\0"] {
        let error = calvi.resolve_header(file).expect_err("no mark of UTF-16");
        assert_eq!(error.state(), FileState::WrongEncoding, "{error}");
    }
}

#[test]
fn the_schema_knows_every_section_and_the_profiles_keep_to_it() {
    let schema: serde_json::Value = serde_json::from_str(&Profile::schema_json()).expect("JSON");
    let known = schema["properties"].as_object().expect("an object of sections");
    assert_eq!(schema["additionalProperties"], serde_json::Value::Bool(false));
    for (name, text) in SHIPPED {
        let table: toml::Table = text.parse().expect("TOML");
        for (key, value) in &table {
            assert!(known.contains_key(key), "{name} {key}");
            assert!(known[key]["description"].is_string() || known[key]["anyOf"].is_array(), "{key} {value} has no description");
        }
    }
}

#[test]
fn a_map_of_many_words_finds_each_and_nothing_else() {
    use super::recipe::Words;
    use crate::parse::field::Field;
    let texts: Vec<String> = (0..300).map(|i| format!("{}{i}", "x".repeat(i % 12))).collect();
    let words = Words::new(texts.iter().enumerate().map(|(i, t)| (t.clone().into_bytes(), i)));
    for (i, text) in texts.iter().enumerate() {
        assert_eq!(words.get(Field::of(text.as_bytes())), Some(i));
        assert_eq!(words.get(Field::of(format!("{text}y").as_bytes())), None);
    }
    assert_eq!(words.get(Field::of(b"")), None);
    assert_eq!(Words::new([(Vec::new(), 1)]).get(Field::of(b"")), Some(1));
}
