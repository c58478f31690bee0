//! What a user writes and what comes out, messages included.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ports::Disposition;

use crate::sections::{Fsync, LogLevel, Unwrap};
use crate::setting::{SETTINGS, Setting, sections};
use crate::{Config, ConfigError, DEFAULT_TOML, profiles, reference_markdown, samples, schema_json, tariffs};

/// A configuration file in a folder of its own.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("tollway.toml"), text).expect("a file");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tollway.toml")
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(Some(&self.path()), [])
    }
}

fn refused(text: &str) -> String {
    let error = File::new(text).load().expect_err("a configuration that is not fine");
    assert_eq!(error.disposition(), Disposition::Stop);
    error.to_string()
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_defaults_are_complete_and_valid() {
    let config = Config::load(None, []).expect("the defaults");
    assert_eq!((config.data.folder.as_path(), config.data.tenant.as_str()), (Path::new("./tollway-data"), "main"));
    assert_eq!((config.landing.cut_rows, &config.landing.watch_folder), (50_000, &None));
    let unwrap = Unwrap { depth_max: 5, members_max: 10_000, bytes_max: 64 << 30, ratio_max: 250 };
    assert_eq!(config.landing.unwrap, unwrap);
    assert_eq!((config.log.fsync, config.log.batches_partitions), (Fsync::Always, 8));
    assert_eq!((config.pipeline.workers, config.pipeline.linger), (None, Duration::from_secs(1)));
    assert_eq!((config.tables.checkpoint_commits, config.tables.compression_level), (50, 1));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9464");
    assert!(config.http.token.is_none() && config.state.url.is_none());
    assert_eq!((&*config.state.schema, config.state.connect_timeout), ("tollway", Duration::from_secs(5)));
    assert!(config.in_force().iter().all(|setting| setting.origin == "default"));
}

#[test]
fn every_setting_is_explained_in_the_defaults_file_and_in_its_order() {
    let mut place = 0;
    for setting in SETTINGS {
        assert!(setting.meaning().ends_with('.'), "{} has no comment above it", setting.key);
        let line = format!("\n{} = ", setting.name());
        let found = DEFAULT_TOML[place..].find(&line).unwrap_or_else(|| panic!("{} is not where it should be", setting.key));
        place += found + 1;
    }
    let written = DEFAULT_TOML.lines().filter(|line| !line.starts_with('#') && line.contains(" = ")).count();
    assert_eq!(written, SETTINGS.len());
    assert!(sections().iter().all(|(_, meaning)| meaning.ends_with('.')));
}

#[test]
fn a_file_overrides_defaults_the_environment_the_file_and_arguments_all() {
    let file =
        File::new("[landing]\ncut_rows = 1_000\nfile_bytes_max = 0x1000\n[data]\ntenant = 'op'\n[logging]\nlevel = \"debug\"\n");
    let environment = variables(&[
        ("TOLLWAY_LANDING__CUT_ROWS", "2_000"),
        ("TOLLWAY_DATA__FOLDER", "/srv/env"),
        ("TOLLWAY_SAMPLES", "/elsewhere"),
        ("HOME", "/root"),
    ]);
    let arguments = [("data.folder", "/srv/argument", "--data")];
    let config = Config::load_with(Some(&file.path()), environment, &arguments).expect("a good configuration");
    assert_eq!((config.landing.cut_rows, config.landing.file_bytes_max), (2_000, 4_096));
    assert_eq!((config.data.folder.as_path(), config.data.tenant.as_str()), (Path::new("/srv/argument"), "op"));
    assert_eq!(config.logging.level, LogLevel::Debug);

    let shown = config.show();
    for expected in [
        "cut_rows = 2000  # environment TOLLWAY_LANDING__CUT_ROWS".to_owned(),
        "folder = \"/srv/argument\"  # argument --data".to_owned(),
        format!("tenant = \"op\"  # {}:5", file.path().display()),
        "linger_ms = 1000  # default".to_owned(),
    ] {
        assert!(shown.lines().any(|line| line == expected), "`{expected}` in:\n{shown}");
    }
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let shown = Config::load(None, variables(&[("TOLLWAY_LOG__FSYNC", "interval")])).expect("a good configuration").show();
    let again = File::new(&shown).load().expect("what was shown");
    assert_eq!(again.log.fsync, Fsync::Interval(Duration::from_millis(50)));
    assert_eq!(again.in_force().len(), SETTINGS.len());
}

#[test]
fn a_variable_with_one_underscore_is_answered_with_the_one_that_was_meant() {
    let error = Config::load(None, variables(&[("TOLLWAY_LOG_KIND", "kafka")])).expect_err("it would be ignored");
    assert!(error.to_string().contains("TOLLWAY_LOG_KIND") && error.to_string().contains("write TOLLWAY_LOG__KIND"), "{error}");
    let others = [("TOLLWAY_LOG", "info"), ("TOLLWAY_DATA", "/srv"), ("TOLLWAY_KAFKA_PROXY", "x"), ("TOLLWAY_KEY_SECRET", "0")];
    Config::load(None, variables(&others)).expect("these are no settings");
}

#[test]
fn settings_that_need_each_other_are_both_named_with_where_they_stand() {
    let said = refused("[log]\nkind = \"kafka\"\n");
    assert!(said.starts_with("default: `kafka.brokers` is empty, but `log.kind` is \"kafka\" ("), "{said}");
    assert!(said.contains("tollway.toml:2); name at least one broker"), "{said}");
    let said = refused("[storage]\naccess_key_id = \"AKIA\"\n");
    assert!(said.contains("`storage.secret_access_key` is empty, but `storage.access_key_id` is set ("), "{said}");
    assert!(said.contains("tollway.toml:2); set both or neither") && !said.contains("AKIA"), "{said}");
    let said = refused("[kafka]\nsasl_password = \"hunter2\"\n");
    assert!(said.contains("`kafka.sasl_password` is set, but `kafka.security` is \"plaintext\" (default)"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let said = refused("[kafka]\nca_file = \"/etc/ca.pem\"\n");
    assert!(said.contains("`kafka.ca_file` is set, but `kafka.security` is \"plaintext\""), "{said}");
}

#[test]
fn misspelt_names_are_answered_with_the_nearest() {
    let said = refused("[landing]\ncut_rows = 10\ncut_row = 20\n");
    assert!(said.contains("tollway.toml:3: there is no setting `landing.cut_row`; the nearest is `landing.cut_rows`"), "{said}");
    let said = refused("\n[pipelines]\nworkers = 1\n");
    assert!(said.contains("tollway.toml:2: there is no section `pipelines`; the nearest is `pipeline`"), "{said}");
    let said = refused("worker = 1\n");
    assert!(said.contains("tollway.toml:1: `worker` stands outside of any section; write it below `[pipeline]`"), "{said}");
    let error = Config::load(None, variables(&[("TOLLWAY_LANDING__CUTROWS", "1")])).expect_err("a misspelt variable");
    let said = error.to_string();
    assert!(said.contains("environment TOLLWAY_LANDING__CUTROWS") && said.contains("TOLLWAY_LANDING__CUT_ROWS"), "{said}");
    let error = Config::load_with(None, [], &[("data.folders", "x", "--data")]).expect_err("a key that is not there");
    assert!(error.to_string().contains("`data.folder`"), "{error}");
}

#[test]
fn values_outside_their_limits_say_what_is_allowed() {
    for (text, expected) in [
        ("[landing]\ncut_rows = 0", "tollway.toml:2: `landing.cut_rows` is 0; write a whole number from 1 to 10000000"),
        ("[landing]\ncut_rows = \"many\"", "`landing.cut_rows` is \"many\"; write a whole number"),
        ("[landing]\ncut_rows = 1.5", "`landing.cut_rows` is 1.5; write a whole number"),
        ("[landing]\ncut_rows = 99999999999999999999", "`landing.cut_rows` is 99999999999999999999; write a whole number"),
        ("[log]\nfsync = \"sometimes\"", "`log.fsync` is \"sometimes\"; write \"always\", \"interval\", \"never\""),
        ("[log]\nfsync = true", "`log.fsync` is true; write"),
        ("[data]\ntenant = \"a b\"", "`data.tenant` is \"a b\"; write 1 to 64 letters"),
        ("[data]\nfolder = \"\"", "`data.folder` is \"\"; write a path"),
        ("[rating]\nat_risk_max = \"-1\"", "`rating.at_risk_max` is \"-1\"; write a decimal"),
        ("[rating]\nat_risk_max = \"1,50\"", "`rating.at_risk_max` is \"1,50\"; write a decimal"),
        ("[state]\nurl = \"mysql://u:hunter2@h/d\"", "`state.url` is not allowed; write postgres://USER:PASSWORD@HOST:PORT"),
        ("[state]\nschema = \"Main\"", "`state.schema` is \"Main\"; write 1 to 63 lower-case letters"),
        ("[state]\nschema = \"pg_temp\"", "`state.schema` is \"pg_temp\"; write"),
        ("[storage]\nurl = \"ftp://b\"", "`storage.url` is \"ftp://b\"; write \"s3://BUCKET/PREFIX\", az://, gs://"),
        ("[storage]\nurl = \"s3://b/../c\"", "`storage.url` is \"s3://b/../c\"; write"),
        ("[storage]\nurl = \"s3://me:hunter2@b\"", "`storage.url` is an address with a user; write"),
        ("[storage]\nurl = \"s3://\"", "`storage.url` is \"s3://\"; write"),
        ("[storage]\nendpoint = \"localhost:9000\"", "`storage.endpoint` is \"localhost:9000\"; write an address such as"),
        ("[storage]\nendpoint = \"https://me:hunter2@s3\"", "`storage.endpoint` is an address with a user; write an address"),
        ("[storage]\naccess_key_id = \"me\"", "`storage.secret_access_key` is empty, but `storage.access_key_id` is set"),
        (
            "[storage]\nsecret_access_key = \"hunter2\"",
            "`storage.access_key_id` is empty, but `storage.secret_access_key` is set",
        ),
        ("[http]\nlisten = \"localhost\"", "`http.listen` is \"localhost\"; write an IP address and a port"),
        ("[http]\nlisten = [\"127.0.0.1:1\"]", "`http.listen` is [\"127.0.0.1:1\"]; write"),
        ("[landing\ncut_rows = 1", "tollway.toml:1:"),
        ("[landing]\ncut_rows = 1\ncut_rows = 2", "tollway.toml:3:"),
    ] {
        let said = refused(text);
        assert!(said.contains(expected), "`{expected}` in: {said}");
    }
}

#[test]
fn a_bucket_has_a_name_and_perhaps_a_prefix() {
    let bucket = |url: &str| {
        let config = Config::load(None, variables(&[("TOLLWAY_STORAGE__URL", url)])).expect("a bucket");
        config.storage.bucket.map(|bucket| (bucket.to_string(), bucket.name, bucket.prefix))
    };
    assert_eq!(bucket(""), None);
    for (url, place, name, prefix) in [
        ("s3://cdr", "s3://cdr", "cdr", ""),
        ("az://cdr/", "az://cdr", "cdr", ""),
        ("gs://cdr.example/a/b=c/", "gs://cdr.example/a/b=c", "cdr.example", "a/b=c"),
    ] {
        assert_eq!(bucket(url), Some((place.to_owned(), name.to_owned(), prefix.to_owned())));
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Some(Path::new("/nowhere/tollway.toml")), []).expect_err("no file");
    assert!(error.to_string().contains("/nowhere/tollway.toml"), "{error}");
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    let said = refused("[http]\nlisten = \"0.0.0.0:9464\"\n");
    assert!(said.contains("tollway.toml:2:") && said.contains("set `http.token`"), "{said}");
    let config = File::new("[http]\nlisten = \"0.0.0.0:9464\"\ntoken = \"sixteen-letters!\"\n").load().expect("with a token");
    assert_eq!(config.http.token.expect("a token").reveal(), "sixteen-letters!");
    File::new("[http]\nlisten = \"[::1]:9464\"\n").load().expect("loopback needs none");
}

#[test]
fn secrets_are_nowhere_to_be_seen() {
    let secret = "correct-horse-battery";
    let config = Config::load(None, variables(&[("TOLLWAY_HTTP__TOKEN", secret)])).expect("a good configuration");
    let token = config.http.token.clone().expect("a token");
    let seen = format!("{config:?} {} {:?} {token} {token:?}", config.show(), config.in_force());
    assert!(!seen.contains(secret), "{seen}");
    assert!(config.show().contains("token = \"•••\"  # environment TOLLWAY_HTTP__TOKEN"));
    let config = Config::load(None, variables(&[("TOLLWAY_STATE__URL", "postgres://u:hunter2@db/tollway")])).expect("an address");
    let url = config.state.url.clone().expect("an address");
    assert_eq!(url.reveal(), "postgres://u:hunter2@db/tollway");
    let seen = format!("{config:?} {} {:?} {url}", config.show(), config.in_force());
    assert!(!seen.contains("hunter2"), "{seen}");
    let pair = [("TOLLWAY_STORAGE__ACCESS_KEY_ID", "me"), ("TOLLWAY_STORAGE__SECRET_ACCESS_KEY", "hunter2")];
    let config = Config::load(None, variables(&pair)).expect("a key with its id");
    assert_eq!(config.storage.key_pair.as_ref().expect("a pair").secret.reveal(), "hunter2");
    let seen = format!("{config:?} {} {:?}", config.show(), config.in_force());
    assert!(!seen.contains("hunter2"), "{seen}");
    let error = Config::load(None, variables(&[("TOLLWAY_HTTP__TOKEN", "too-short")])).expect_err("a short token");
    let seen = format!("{error} {error:?}");
    assert!(!seen.contains("too-short") && seen.contains("16 to 512 characters"), "{seen}");
}

#[test]
fn brokers_need_an_address_and_a_login_only_where_it_is_used() {
    let base = "[log]\nkind = \"kafka\"\n[kafka]\n";
    for (text, key) in [
        ("", "kafka.brokers"),
        ("brokers = \"b:9092\"\ntopic_prefix = \"a/b\"", "kafka.topic_prefix"),
        ("brokers = \"b:9092\"\nsasl_password = \"hunter2\"", "kafka.sasl_password"),
        ("brokers = \"b:9092\"\nsecurity = \"sasl_ssl\"\nsasl_username = \"u\"", "kafka.sasl_mechanism"),
        ("brokers = \"u:hunter2@b:9092\"", "kafka.brokers"),
        ("brokers = \"b:9092\"\nca_file = \"/ca.pem\"", "kafka.ca_file"),
    ] {
        let said = refused(&format!("{base}{text}"));
        assert!(said.contains(&format!("`{key}`")) && !said.contains("hunter2"), "`{key}` in: {said}");
    }
    let login = "security = \"sasl_ssl\"\nsasl_mechanism = \"PLAIN\"\nsasl_username = \"u\"\nsasl_password = \"hunter2\"";
    let config = File::new(&format!("{base}brokers = \"b:9092\"\n{login}\n")).load().expect("a login");
    let told: Vec<(&str, &str)> = config.kafka.security.iter().map(|(name, value)| (*name, value.reveal())).collect();
    assert_eq!(told[0], ("security.protocol", "sasl_ssl"));
    assert!(told.contains(&("sasl.password", "hunter2")) && told.len() == 4, "{told:?}");
    let seen = format!("{config:?} {} {:?}", config.show(), config.in_force());
    assert!(!seen.contains("hunter2"), "{seen}");
}

#[test]
fn a_live_source_says_what_differs_from_the_section_and_arguments_override_it() {
    let text = "[kafka]\nbrokers = \"b:9092\"\n[listen]\nbatch_rows = 1_000\nprofile = \"kpn-een\"\n\
                [listen.core]\ntopic = \"cdr.core\"\naccount = \"haven\"\n\
                [listen.edge]\ntopic = \"cdr.edge\"\naccount = \"dam\"\n\
                batch_rows = 7\nprofile = \"job\"\n";
    let config = File::new(text).load().expect("two sources");
    let sources = config.live_sources().expect("both are whole");
    let facts: Vec<_> = sources.iter().map(|s| (&*s.name, &*s.topic, &*s.profile, &*s.account, s.batch_rows)).collect();
    assert_eq!(facts, [("core", "cdr.core", "kpn-een", "haven", 1_000), ("edge", "cdr.edge", "job", "dam", 7)]);
    let other = config.live_source("core", &[("listen.topic", "cdr.test", "--topic")]).expect("an argument");
    assert_eq!((&*other.topic, other.batch_wait), ("cdr.test", Duration::from_secs(10)));
    let new = config.live_source("new", &[("listen.topic", "t", "--topic"), ("listen.account", "a", "--account")]);
    assert_eq!(new.expect("the section has a profile").profile, "kpn-een");
    let shown = config.show();
    assert!(shown.contains("[listen.edge]\ntopic = \"cdr.edge\"  # "), "{shown}");
}

#[test]
fn a_live_source_that_lacks_something_is_refused_where_it_stands() {
    let brokers = "[kafka]\nbrokers = \"b:9092\"\n";
    for (text, what) in [
        ("[listen.core]\ntopic = \"t\"\nprofile = \"job\"\n", "`listen.account`"),
        ("[listen.core]\ntopic = \"a/b\"\nprofile = \"job\"\naccount = \"a\"\n", "`listen.topic`"),
        ("[listen.core]\ntopics = \"t\"\n", "the nearest is `listen.topic`"),
        (
            "[listen.core]\ntopic = \"t\"\nprofile = \"job\"\naccount = \"a\"\nbatch_rows = 0\n",
            "tollway.toml:7: `listen.batch_rows` is 0",
        ),
        ("[listen.\"a b\"]\ntopic = \"t\"\n", "`a b` cannot be the name"),
    ] {
        let said = refused(&format!("{brokers}{text}"));
        assert!(said.contains(what), "{what} in: {said}");
    }
    let said = refused("[listen.core]\ntopic = \"t\"\nprofile = \"job\"\naccount = \"a\"\n");
    assert!(said.contains("`kafka.brokers`"), "{said}");
}

#[test]
fn the_generated_reference_names_every_setting() {
    let (page, schema) = (reference_markdown(), schema_json());
    let parsed: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    for setting in SETTINGS {
        let section = page.split("\n## ").find(|s| s.starts_with(&format!("`[{}]`", setting.section()))).expect(setting.key);
        let row = section.lines().find(|line| line.starts_with(&format!("| `{}` |", setting.name())));
        assert!(row.is_some_and(|row| row.contains(&setting.meaning())), "{} on the page", setting.key);
        let described = &parsed["properties"][setting.section()]["properties"][setting.name()]["description"];
        assert_eq!(described, &setting.meaning(), "{} in the schema", setting.key);
    }
    assert!(page.contains("| `cut_rows` | `50000` | a whole number from 1 to 10000000 |"), "{page}");
    assert_eq!(parsed["properties"]["log"]["properties"]["fsync"]["enum"], serde_json::json!(["always", "interval", "never"]));
    assert_eq!(Setting::find("log.fsync").expect("a setting").variable(), "TOLLWAY_LOG__FSYNC");
}

#[test]
fn what_ships_is_embedded_under_its_name() {
    for name in ["asterisk-cdr-csv", "job", "kpn-sp16", "mobile-metadata", "routit"] {
        let text = profiles::find(name).unwrap_or_else(|| panic!("the profile {name}"));
        assert!(text.contains(&format!("name = \"{name}\"")), "{name} calls itself so");
    }
    for name in ["customers.csv", "devices.csv", "plans.csv"] {
        assert!(samples::find(name).is_some(), "{name}");
    }
    assert!(profiles::find("nowhere").is_none());
    assert_eq!(tariffs::companions(["nowhere.csv"]).len(), 0);
}

#[test]
fn the_samples_fit_each_other() {
    let column = |file: &str, name: &str| -> Vec<String> {
        let text = samples::find(file).expect("a shipped file");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let position = reader.headers().expect("a header").iter().position(|h| h == name).expect("the column");
        reader.records().map(|row| row.expect("a row")[position].to_owned()).collect()
    };
    let (customers, plans) = (column("customers.csv", "customer_id"), column("plans.csv", "plan_id"));
    assert!(column("devices.csv", "customer_id").iter().all(|id| customers.contains(id)));
    assert!(column("devices.csv", "plan_id").iter().all(|id| plans.contains(id)));
    // The constant that the profile gives as the number of the subscriber whose records hold none.
    assert!(column("devices.csv", "msisdn").contains(&"31600000001".to_owned()));
    assert!(profiles::find("mobile-metadata").is_some_and(|profile| profile.contains("31600000001")));
}
