//! The state on a `PostgreSQL` server: down at the start, gone in the middle, back again.

use std::fs;
use std::path::PathBuf;

use crate::support::data_folder::DataFolder;
use crate::support::road::Road;

const SECRET: &str = "hunter2";
const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";

/// `HOST:PORT` and the rest of the address of the server of this run.
fn server() -> (String, String) {
    let url = std::env::var("TOLLWAY_POSTGRES").unwrap_or_else(|_| {
        panic!("TOLLWAY_POSTGRES is not set: run `cargo xtask test`, or see `cargo xtask services start postgres`")
    });
    let (_, rest) = url.split_once('@').expect("a user");
    let (host, database) = rest.split_once('/').expect("a database");
    (host.to_owned(), database.to_owned())
}

/// The same data folder, its state in a schema of its own, reached by this address; quick to give up.
fn on(data: &DataFolder, address: &str, schema: &str) -> DataFolder {
    let (_, database) = server();
    DataFolder::at(data.path())
        .with("TOLLWAY_STATE__URL", format!("postgres://tollway:{SECRET}@{address}/{database}"))
        .with("TOLLWAY_STATE__SCHEMA", schema)
        .with("TOLLWAY_STATE__CONNECT_TIMEOUT_MS", 300)
        .with("TOLLWAY_PIPELINE__RETRY_PAUSE_MS", 20)
}

fn schema(of: &str) -> String {
    format!("scenario_{}_{of}", std::process::id())
}

fn written(data: &DataFolder, name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(data.path().parent().expect("a folder around it")).expect("it can be made");
    let path = data.path().with_extension(name);
    fs::write(&path, text).expect("a file can be written");
    path
}

/// *Scenario.* An import is started while nobody listens where the state should be; then again while the server is there; then
/// the state is asked while it is gone. *Guarantees.* Exit code 4, a message that names the server and not the password, nothing
/// landed; the same command succeeds later.
#[test]
fn state_server_that_is_down_at_the_start_is_named_and_the_command_can_be_repeated() {
    let home = DataFolder::new();
    let road = Road::to(&server().0, None);
    road.close();
    let data = on(&home, &road.address().to_string(), &schema("start")).with("TOLLWAY_PIPELINE__RETRIES_MAX", 1);
    let devices = written(&home, "devices.csv", &format!("{DEVICES}D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n"));
    let words = ["import", "devices", &devices.to_string_lossy()];
    let ended = data.run(&words);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let said = format!("the state database at {} does not answer", road.address());
    assert!(ended.err.contains(&said) && !ended.err.contains(SECRET), "{ended:?}");

    road.reopen();
    let said = data.ok(&words);
    assert!(said.contains("added 1"), "{said}");
    road.close();
    let ended = data.run(&["why", "C1", "2025-01"]);
    assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");
    assert_eq!(ended.code, Some(4), "{ended:?}");
}

/// *Scenario.* Two installations are given one schema by mistake. *Guarantees.* The second one is refused before it imports
/// or rates anything by the first one's reference data; with a schema of its own it works.
#[test]
fn state_server_schema_of_another_installation_is_refused() {
    let (ours, theirs) = (DataFolder::new(), DataFolder::new());
    let (address, schema) = (server().0, schema("shared"));
    let plans = written(&ours, "plans.csv", "plan_id,name\nP1,Zakelijk\n");
    let others = written(&theirs, "plans.csv", "plan_id,name\nP1,Prive\n");
    on(&ours, &address, &schema).ok(&["import", "plans", &plans.to_string_lossy()]);
    let words = ["import", "plans", &others.to_string_lossy()];
    let ended = on(&theirs, &address, &schema).run(&words);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    for fact in ["was made from another landing", "arrival 1", &schema, "`state.schema`"] {
        assert!(ended.err.contains(fact), "`{fact}` in {ended:?}");
    }
    on(&theirs, &address, &format!("{schema}_own")).ok(&words);
    on(&ours, &address, &schema).ok(&["import", "plans", &plans.to_string_lossy()]);
}

/// *Scenario.* A service is started while the state's server is away, and the server comes back; it goes away again while an
/// import lands, and comes back. *Guarantees.* The service waits, starts, waits, and puts the import in force, without a hand;
/// its log names the server and not the password.
#[test]
fn state_server_that_goes_away_and_comes_back_needs_no_hand() {
    let home = DataFolder::new();
    let road = Road::to(&server().0, None);
    road.close();
    let schema = schema("service");
    let through_door = on(&home, &road.address().to_string(), &schema);
    let direct = on(&home, &server().0, &schema).with("TOLLWAY_STATE__CONNECT_TIMEOUT_MS", 30_000);
    let said = format!("the state database at {} does not answer", road.address());

    let service = through_door.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    service.line("trying again", |fields| fields["error"].as_str().is_some_and(|error| error.contains(&said)));
    road.reopen();
    service.line("running", |_| true);

    road.close();
    let plans = written(&home, "plans.csv", "plan_id,name\nP1,Zakelijk\n");
    direct.ok(&["import", "plans", &plans.to_string_lossy()]);
    let noticed = service.wait_for("an outage after the start", |lines| {
        let since = lines.iter().skip_while(|line| !line.contains("\"running\""));
        since.filter(|line| line.contains("trying again")).find(|line| line.contains(&said)).cloned()
    });
    assert!(noticed.is_some(), "the service ended");
    road.reopen();
    service.line("reference data in force", |fields| fields["version"] == 1);
    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.err.contains(SECRET), "{ended:?}");
}
