//! A small tariff and the lines that it is sold to; and beside it, what a call costs, as a clerk would reckon it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use domain::columns::linked::{Customer, Owner, Owners};
use domain::ids::Names;
use domain::period::CycleDay;
use domain::zone::Zone;
use pipeline::PipelineError;
use pipeline::rating::{Reference, References};
use rate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use rate::tariff::set::TariffSet;
use rate::tariff::{Tariff, TariffSource};

use super::layout::{american, local};

/// Lines that belong to somebody; even ones pay by the second, odd ones pay a setup as well.
pub const LINES: u64 = 6;

/// The reference version that all rows are rated with.
pub const REFERENCE_VERSION: u64 = 7;

const TARIFF: &str = r#"
name = "simulated"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2020-01-01
home_zone = "HOME"
default_band = "all"

[rounding]
places = 6
mode = "half_up"

[destinations.prefixes]
31 = "NL"
1 = "US"

[networks.zones]
20408 = "HOME"

[[plan]]
name = "even"

[[plan]]
name = "odd"

[[price]]
plan = "even"
kind = "voice-mo"
zone = ["NL", "US"]
unit_price = "0.002"
per = 1

[[price]]
plan = "odd"
kind = "voice-mo"
zone = ["NL", "US"]
setup = "0.1"
unit_price = "0.001"
per = 1

[[price]]
plan = ["even", "odd"]
kind = "sms-mo"
zone = ["NL", "US"]
unit_price = "0.05"
"#;

/// What a call of a line costs, nano-units.
pub fn charge_nano(line: u64, is_text: bool, seconds: i64) -> i64 {
    match (is_text, line % 2) {
        (true, _) => 50_000_000,
        (false, 0) => seconds * 2_000_000,
        (false, _) => 100_000_000 + seconds * 1_000_000,
    }
}

fn owners() -> Arc<Owners> {
    let names = |word: &str| Names::new((0..LINES).map(|line| format!("{word}-{line}")));
    let window =
        |line| Owner { from_us: i64::MIN, to_us: i64::MAX, device: line, subscription: line, customer: 0, plan: line % 2 };
    Arc::new(Owners {
        windows: (0..).take(names("device").len()).map(window).collect(),
        devices: names("device"),
        subscriptions: names("subscription"),
        customer_names: Names::new(["customer"]),
        customers: vec![Customer {
            owner_path: "operator/customer".into(),
            cycle_day: CycleDay::try_from(1).expect("a day of every month"),
            zone: 0,
        }],
        plans: Names::new(["even", "odd"]),
        zones: vec![Zone::load("Europe/Amsterdam").expect("zones are bundled")],
    })
}

/// The reference data of every run.
fn reference() -> Arc<Reference> {
    static SHARED: OnceLock<Arc<Reference>> = OnceLock::new();
    let load = || {
        let owners = owners();
        let number = |text: String| text.parse::<u64>().expect("digits");
        let window = |(line, owner): (u64, u32)| {
            [format!("31{}", local(line)), format!("1{}", american(line))].map(|msisdn| IdentifierWindow {
                kind: IdentifierKind::Msisdn,
                value: number(msisdn),
                owner,
            })
        };
        let windows = (0..LINES).zip(0..).flat_map(window).collect();
        let index = DeviceIndex::build(Arc::clone(&owners), windows).expect("each number has one owner");
        let source = TariffSource { name: "simulated.toml".to_owned(), toml: TARIFF.to_owned(), companions: BTreeMap::new() };
        let tariff = Tariff::load(&source).unwrap_or_else(|e| panic!("the tariff of the simulator: {e}"));
        let tariffs = Arc::new(TariffSet::build(vec![tariff]).expect("one tariff does not overlap"));
        Arc::new(Reference { version: REFERENCE_VERSION, tariffs: tariffs.bind(&owners), index })
    };
    Arc::clone(SHARED.get_or_init(load))
}

/// Hands out the one reference version.
#[derive(Debug)]
pub struct Fixed;

impl References for Fixed {
    fn current(&mut self) -> Result<Arc<Reference>, PipelineError> {
        Ok(reference())
    }
}
