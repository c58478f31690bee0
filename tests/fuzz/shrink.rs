//! Makes a finding small: what can be taken out while it still fails is taken out.

use std::time::Duration;

use crate::case::Case;
use crate::targets::Target;
use crate::watch::Watch;

/// So long it is tried.
const TIME_MAX: Duration = Duration::from_secs(10);

/// The smallest input found that fails, too.
pub fn shrink(target: &Target, case: &Case, watch: &Watch) -> Case {
    let until = crate::now() + TIME_MAX;
    let mut small = case.clone();
    let mut piece = small.bytes.len().div_ceil(2).max(1);
    loop {
        let mut from = 0;
        while from < small.bytes.len() && crate::now() < until {
            let mut shorter = small.clone();
            let to = (from + piece).min(shorter.bytes.len());
            shorter.bytes.drain(from..to);
            if watch.over(&shorter, || crate::attempt(target, &shorter)).is_err() {
                small = shorter;
            } else {
                from += piece;
            }
        }
        if piece == 1 || crate::now() >= until {
            return small;
        }
        piece = piece.div_ceil(2);
    }
}
