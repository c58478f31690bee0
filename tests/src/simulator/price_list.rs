//! A small tariff and the lines that it is sold to, as imports change them; and beside it, what a call costs, as a clerk would
//! reckon it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::ids::Names;
use domain::period::CycleDay;
use domain::zone::Zone;
use pipeline::PipelineError;
use pipeline::rating::{Reference, References};
use rate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use rate::tariff::set::TariffSet;
use rate::tariff::{Tariff, TariffSource};

use super::layout::{american, local};

/// Lines that belong to somebody from the beginning; even ones pay by the second, odd ones pay a setup as well.
pub const LINES: u64 = 6;

/// Lines that make calls; the last one is never anybody's.
pub const LINES_MAX: u64 = LINES + 3;

/// Reference versions in the order of the imports that make them.
pub const VERSIONS: [u64; 3] = [7, 8, 9];

/// Lines that belong to somebody in a version: each import brings one more.
fn lines(version: u64) -> u64 {
    LINES + version.saturating_sub(VERSIONS[0])
}

/// A line that the last import takes from its owner, as if it never had one.
const LOST: u64 = 2;

/// Whether a line is somebody's in a version.
fn is_owned(line: u64, version: u64) -> bool {
    line < lines(version) && (line != LOST || version < VERSIONS[2])
}

/// What a second of an even line costs in a version, nano-units: the first import raises it.
fn even_nano(version: u64) -> i64 {
    if version >= VERSIONS[1] { 3_000_000 } else { 2_000_000 }
}

/// Whether calls abroad have a zone and a price in a version: the last import brings them.
fn sells_abroad(version: u64) -> bool {
    version >= VERSIONS[2]
}

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

[[allowance]]
name = "texts"
plan = "odd"
kind = "sms-mo"
zone = ["NL", "US"]
units = 6
scope = "shared"
"#;

/// Texts that the odd lines together have free in a month.
pub const FREE_TEXTS: usize = 6;

/// What a text costs that is not free, nano-units.
pub const TEXT_NANO: i64 = 50_000_000;

/// Whether it is a text that may be free, in a version: which of them are hangs on all.
pub fn draws(usage: Usage, version: u64) -> bool {
    usage.is_text && usage.is_zoned && !usage.line.is_multiple_of(2) && is_owned(usage.line, version)
}

/// What the last import adds to the tariff.
const ABROAD: &str = r#"
[[price]]
plan = ["even", "odd"]
kind = "voice-mo"
zone = "DE"
unit_price = "0.004"
per = 1

[[price]]
plan = ["even", "odd"]
kind = "sms-mo"
zone = "DE"
unit_price = "0.07"
"#;

/// A call or text of a line, as far as its price goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The line.
    pub line: u64,
    /// Whether it stays in the zones that the tariff has from the beginning.
    pub is_zoned: bool,
    /// Whether it is a text.
    pub is_text: bool,
    /// Seconds.
    pub seconds: i64,
}

/// What it costs in a version, nano-units, as if all that may be free is; or why it has no price.
pub fn charge_nano(usage: Usage, version: u64) -> Result<i64, &'static str> {
    let Usage { line, is_zoned, is_text, seconds } = usage;
    match (is_zoned, is_text, line % 2) {
        _ if !is_owned(line, version) => Err("no_device"),
        (false, _, _) if !sells_abroad(version) => Err("no_zone"),
        (false, true, _) => Ok(70_000_000),
        (false, false, _) => Ok(seconds * 4_000_000),
        (true, true, 1) => Ok(0),
        (true, true, _) => Ok(TEXT_NANO),
        (true, false, 0) => Ok(seconds * even_nano(version)),
        (true, false, _) => Ok(100_000_000 + seconds * 1_000_000),
    }
}

fn owners(version: u64) -> Arc<Owners> {
    let names = |word: &str| Names::new((0..lines(version)).map(|line| format!("{word}-{line}")));
    let window = |line| Owner {
        from_us: i64::MIN,
        to_us: i64::MAX,
        device: line,
        subscription: line,
        customer: 0,
        plan: line % 2,
        group: NO_GROUP,
    };
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
        groups: Names::default(),
        zones: vec![Zone::load("Europe/Amsterdam").expect("zones are bundled")],
    })
}

/// The reference data of a version, the same in every run.
fn reference(version: u64) -> Arc<Reference> {
    static SHARED: [OnceLock<Arc<Reference>>; VERSIONS.len()] = [const { OnceLock::new() }; VERSIONS.len()];
    let load = || {
        let owners = owners(version);
        let number = |text: String| text.parse::<u64>().expect("digits");
        let window = |(line, owner): (u64, u32)| {
            [format!("31{}", local(line)), format!("1{}", american(line))].map(|msisdn| IdentifierWindow {
                kind: IdentifierKind::Msisdn,
                value: number(msisdn),
                owner,
            })
        };
        let windows = (0..lines(version)).zip(0..).filter(|(line, _)| is_owned(*line, version)).flat_map(window).collect();
        let index = DeviceIndex::build(Arc::clone(&owners), windows).expect("each number has one owner");
        let toml = if sells_abroad(version) {
            TARIFF.replace("31 = \"NL\"", "31 = \"NL\"\n49 = \"DE\"") + ABROAD
        } else {
            TARIFF.to_owned()
        };
        let toml = if even_nano(version) == 3_000_000 { toml.replace("\"0.002\"", "\"0.003\"") } else { toml };
        let source = TariffSource { name: "simulated.toml".to_owned(), toml, companions: BTreeMap::new() };
        let tariff = Tariff::load(&source).unwrap_or_else(|e| panic!("the tariff of the simulator: {e}"));
        let tariffs = Arc::new(TariffSet::build(vec![tariff]).expect("one tariff does not overlap"));
        Arc::new(Reference { version, tariffs: tariffs.bind(&owners), index })
    };
    let at = VERSIONS.iter().position(|known| *known == version).expect("a version of the list");
    Arc::clone(SHARED[at].get_or_init(load))
}

/// Hands out the reference version in force. Clones share it.
#[derive(Debug, Clone)]
pub struct InForce(Arc<AtomicU64>);

impl InForce {
    /// The first version.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(VERSIONS[0])))
    }

    /// Puts the next version in force, as an import does; gives it.
    pub fn import(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Default for InForce {
    fn default() -> Self {
        Self::new()
    }
}

impl References for InForce {
    fn current(&mut self) -> Result<Arc<Reference>, PipelineError> {
        Ok(reference(self.0.load(Ordering::Relaxed)))
    }
}
