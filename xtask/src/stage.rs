//! Stages with their times, so that a slow one is seen before it hurts.

use std::time::{Duration, Instant};

/// The stages of one command, in the order in which they ran.
#[derive(Default)]
pub struct Stages {
    done: Vec<(&'static str, Duration)>,
}

impl Stages {
    /// Runs one stage and keeps its time; a failing stage is named in the error.
    pub fn run<T>(&mut self, name: &'static str, stage: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        println!("== {name}");
        let began = now();
        let result = stage();
        let took = began.elapsed();
        self.done.push((name, took));
        println!("== {name}: {} {}", if result.is_ok() { "ok" } else { "FAILED" }, seconds(took));
        result.map_err(|error| error.context(format!("stage `{name}` failed")))
    }

    /// One line with all times.
    pub fn summary(&self) -> String {
        self.done.iter().map(|(name, took)| format!("{name} {}", seconds(*took))).collect::<Vec<_>>().join(", ")
    }
}

/// Seconds with one place.
fn seconds(took: Duration) -> String {
    format!("{}.{} s", took.as_secs(), took.subsec_millis() / 100)
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch of the build, not of the product")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_stage_is_named_and_timed() {
        let mut stages = Stages::default();
        stages.run("first", || Ok(())).unwrap();
        let error = stages.run("second", || -> anyhow::Result<()> { anyhow::bail!("no luck") }).unwrap_err();
        assert_eq!(format!("{error:#}"), "stage `second` failed: no luck");
        assert!(stages.summary().starts_with("first 0.") && stages.summary().contains(", second 0."));
    }
}
