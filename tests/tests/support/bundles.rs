//! The shipped tariff with more allowances than it sells: personal ones with roll-over, shared and pooled ones, of all units.

use std::fs;
use std::path::Path;

use super::small::write;

/// Bundles for the shipped tariff: personal ones with roll-over, shared and pooled ones, of minutes, bytes, messages and money.
const BUNDLES: &str = r#"
[[allowance]]
name = "minutes"
plan = "zakelijk-basis"
kind = ["voice-mo", "voice-fwd"]
zone = ["NL-FIX", "NL-MOB"]
units = 1200
minimum = 60
increment = 60
roll_over = 1

[[allowance]]
name = "texts"
plan = ["zakelijk-basis", "zakelijk-plus"]
kind = "sms-mo"
zone = "*"
units = 5
scope = "pooled"

[[allowance]]
name = "family"
plan = "zakelijk-plus"
kind = "voice-*"
zone = ["NL-FIX", "NL-MOB", "EU-FIX", "EU-MOB"]
units = 1800
scope = "shared"
minimum = 60
pro_rata = "days"

[[allowance]]
name = "credit"
plan = ["zakelijk-plus", "vast"]
kind = "*"
zone = "*"
money = "1.50"
priority = 5

[[allowance]]
name = "pool"
plan = ["m2m", "zakelijk-plus"]
kind = "data"
zone = ["HOME", "ROAM-EU"]
units = 20_000_000
increment = 100_000
scope = "pooled"
"#;

/// Writes the shipped tariff with bundles of every kind to a folder of its own; gives its path.
pub fn with_bundles(folder: &Path) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tariffs");
    fs::create_dir_all(folder).expect("a folder");
    for table in ["prefixes", "networks", "prices"] {
        let name = format!("nl-zakelijk-{table}.csv");
        fs::copy(shipped.join(&name), folder.join(&name)).expect("a shipped table");
    }
    let toml = fs::read_to_string(shipped.join("nl-zakelijk.toml")).expect("the shipped tariff");
    write(folder, "nl-zakelijk.toml", &(toml + BUNDLES))
}
