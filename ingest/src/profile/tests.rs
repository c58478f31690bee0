//! Profiles: what is refused and how it is said, headers, and the published schema.

use domain::delivery::{DeliveryMode, KeyMode};

use super::samples::{SHIPPED, file_of, shipped};
use super::{Profile, ProfileError};
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
fn a_misspelt_key_names_the_nearest_and_its_line() {
    let error = Profile::load(&changed("separator = ", "separater = ")).expect_err("a misspelt key");
    let ProfileError::Unknown { line, what, found, nearest } = &error else { panic!("{error:?}") };
    assert_eq!((*line, *what, found.as_str(), nearest.as_deref()), (9, "key", "separater", Some("separator")));
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
