//! Where the program, the other readers and the samples are, as the environment says.

use std::env;
use std::path::{Path, PathBuf};

/// The checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout")
}

/// The program under test: `TOLLWAY_BIN`, else the one beside this test's own build.
pub fn program() -> PathBuf {
    if let Some(named) = named("TOLLWAY_BIN") {
        return named;
    }
    let own = env::current_exe().expect("a test runs from a file");
    let beside = own.parent().and_then(Path::parent).expect("tests lie in target/<profile>/deps").join("tollway");
    assert!(
        beside.exists(),
        "{} is not there: run `cargo xtask test`, or build tollway and name it in TOLLWAY_BIN",
        beside.display()
    );
    beside
}

/// A Python with the packages of `xtask/requirements.txt`.
pub fn python() -> PathBuf {
    named("TOLLWAY_PYTHON")
        .expect("TOLLWAY_PYTHON names no Python with xtask/requirements.txt: run `cargo xtask test`, which makes one")
}

/// The real-shaped sample records; says loudly where there are none.
pub fn samples() -> Option<PathBuf> {
    let found = named("TOLLWAY_SAMPLES");
    if found.is_none() {
        eprintln!("SKIPPED: TOLLWAY_SAMPLES names no folder with sample records; this test has proved nothing");
    }
    found
}

/// Data rows of the generated month: enough for a debug build in CI; a million in release is run by hand.
pub fn month_rows() -> u64 {
    let asked = env::var("TOLLWAY_MONTH_ROWS").ok();
    asked.map_or(60_000, |text| text.replace('_', "").parse().expect("TOLLWAY_MONTH_ROWS is a count of rows"))
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
