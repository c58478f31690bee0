//! The seeded, single-threaded simulator of the core: a seed decides files, faults and every step, and repeats them.
//!
//! ```text
//! world     what the files are, as a seed has it, and what each of their rows must become (a model of its own)
//! theatre   store, log, clock and the state machines over them: feeder, splitters, workers
//! script    who does the next step, who loses a partition, who is killed, who goes on as a zombie
//! weather   what goes wrong in the store and in the log; rivals who are faster
//! audit     after each commit: entry, data files, ledger and sidecar read back and held against the world
//! ```
//!
//! The machines are those of production, over `MemoryStore` and `MemoryLog`; state lives only in these two.

pub mod chance;
pub mod world;
pub mod layout;
pub mod price_list;
pub mod weather;
pub mod rival;
pub mod standing;
pub mod theatre;
pub mod script;
pub mod model;
pub mod audit;
pub mod entry;
pub mod tally;

use std::fmt;

use audit::Audit;
use script::Script;
use tally::Tally;
use theatre::Theatre;
use world::World;

/// Commits that each seed must bring at least.
pub const COMMITS_MIN: u64 = 50;

/// What must always hold and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach(pub String);

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Breach {}

/// Returns a [`Breach`] from the enclosing function unless the condition holds.
#[macro_export]
macro_rules! hold {
    ($holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err($crate::simulator::Breach(format!($($seen)+)));
        }
    };
}

/// What a seed brought.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Commits in the table.
    pub commits: u64,
    /// Rows of all files.
    pub rows: u64,
    /// Steps of all machines.
    pub steps: u64,
    /// What went wrong on purpose, by kind.
    pub tally: Tally,
    /// A hash over every entry of the table's log: equal for equal runs.
    pub trace: u64,
}

/// Runs a seed twice, in a storm and undisturbed, and compares.
pub fn run(seed: u64) -> Result<Outcome, Breach> {
    let world = World::of(seed);
    let mut theatre = Theatre::new(seed, &world);
    let mut audit = Audit::new(&world);
    let steps = Script::storm(seed, &world).play(&mut theatre, &mut audit)?;
    audit.finish(&theatre)?;
    let mut calm_theatre = Theatre::new(seed, &world);
    let mut calm_audit = Audit::new(&world);
    Script::calm(seed, &world).play(&mut calm_theatre, &mut calm_audit)?;
    calm_audit.finish(&calm_theatre)?;
    hold!(
        audit.records() == calm_audit.records(),
        "the records (key, outcome, charge) differ from those of the undisturbed run: {}",
        audit.difference(&calm_audit)
    );
    hold!(audit.commits() >= COMMITS_MIN, "only {} commits, {COMMITS_MIN} are wanted", audit.commits());
    let mut tally = theatre.tally();
    tally.add(audit.tally());
    Ok(Outcome { commits: audit.commits(), rows: world.rows(), steps, tally, trace: audit.trace() })
}

/// The command that repeats a seed.
pub fn replay_command(seed: u64) -> String {
    format!("TOLLWAY_SIM_SEED={seed} cargo test -p tests --test simulator -- replay --nocapture")
}
