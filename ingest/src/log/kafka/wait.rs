//! How long a broker is waited for.

use std::time::{Duration, Instant};

/// A moment up to which something waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a broker answers in real time; nothing that is stored depends on it")]
    pub(super) fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }

    /// What is left, zero when it has passed.
    #[expect(clippy::disallowed_methods, reason = "a broker answers in real time; nothing that is stored depends on it")]
    pub(super) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(super) fn has_passed(self) -> bool {
        self.left().is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
        assert!(!Deadline::after(Duration::from_hours(1)).has_passed());
    }
}
