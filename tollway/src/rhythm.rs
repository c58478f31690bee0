//! Which accounts are late: no file for longer than ever before, or than their profile says.

use std::collections::BTreeMap;

use domain::zone::SECOND_US;
use ingest::land::Landing;
use ingest::profile::FileRhythm;
use store::instant::show_instant;

use crate::arrived::{Came, LandedProfiles};

const HOUR_US: i64 = 3_600 * SECOND_US;

/// Files that arrive within so long count as one delivery: providers send a day's files together.
const TOGETHER_US: i64 = HOUR_US;

/// Deliveries that make a rhythm: with fewer nobody knows what is usual.
const DELIVERIES_MIN: usize = 4;

/// Deliveries that are looked back at.
const DELIVERIES_MAX: usize = 31;

/// An account whose next file is late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Tenant, provider and account.
    pub account: String,
    /// The profile of its files.
    pub profile: String,
    /// When the last came, microseconds UTC.
    pub last_us: i64,
    /// What is usual, or declared, between two, microseconds.
    pub usual_us: i64,
    /// Whether the profile declares it.
    pub is_declared: bool,
}

impl Late {
    /// `no file since 2026-10-30T08:00:00Z, 3 days ago; it came every day`.
    pub fn text(&self, now_us: i64) -> String {
        format!(
            "no file since {}, {} ago; {} every {}",
            show_instant(self.last_us - self.last_us.rem_euclid(SECOND_US)),
            span_text(now_us - self.last_us),
            if self.is_declared { "its profile says" } else { "it came" },
            span_text(self.usual_us)
        )
    }
}

/// The accounts that are late at an instant, the longest silence first.
pub fn late(landing: &Landing, profiles: &mut LandedProfiles, came: &[Came], now_us: i64) -> Vec<Late> {
    let mut accounts: BTreeMap<String, Vec<&Came>> = BTreeMap::new();
    for one in came {
        accounts.entry(one.record.identity.account.path()).or_default().push(one);
    }
    let mut late = Vec::new();
    for (account, files) in accounts {
        let Some(newest) = files.last() else { continue };
        let declared = profiles.of(landing, &newest.record).and_then(|profile| profile.rhythm());
        let instants: Vec<i64> = files.iter().map(|f| f.at_us).collect();
        let Some(wait) = wait_of(&instants, declared) else { continue };
        if now_us - wait.last_us > wait.longest_us {
            let profile = newest.record.profile.clone();
            late.push(Late { account, profile, last_us: wait.last_us, usual_us: wait.usual_us, is_declared: declared.is_some() });
        }
    }
    late.sort_by_key(|l| l.last_us);
    late
}

/// How long an account may be silent.
#[expect(clippy::struct_field_names, reason = "the unit of each")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    last_us: i64,
    usual_us: i64,
    longest_us: i64,
}

/// From when files came: the longest of the latest waits and a tenth more is borne, so that weekends and months are no alarm.
fn wait_of(instants: &[i64], declared: Option<FileRhythm>) -> Option<Wait> {
    let mut sorted = instants.to_vec();
    sorted.sort_unstable();
    let last_us = *sorted.last()?;
    if let Some(FileRhythm { every_hours, grace_hours }) = declared {
        let (usual_us, grace_us) = (i64::from(every_hours) * HOUR_US, i64::from(grace_hours) * HOUR_US);
        return Some(Wait { last_us, usual_us, longest_us: usual_us + grace_us });
    }
    sorted.dedup_by(|next, before| *next - *before < TOGETHER_US);
    let latest = &sorted[sorted.len().saturating_sub(DELIVERIES_MAX)..];
    if latest.len() < DELIVERIES_MIN {
        return None;
    }
    let mut waits: Vec<i64> = latest.windows(2).map(|pair| pair[1] - pair[0]).collect();
    waits.sort_unstable();
    let longest_us = *waits.last()?;
    Some(Wait { last_us, usual_us: waits[waits.len() / 2], longest_us: longest_us + longest_us / 10 })
}

/// A time span for people: `26 hours`, `3.5 days`.
pub fn span_text(us: i64) -> String {
    let hours = us.max(0) / HOUR_US;
    if hours < 48 {
        return format!("{hours} hours");
    }
    let tenths = hours * 10 / 24;
    if tenths % 10 == 0 { format!("{} days", tenths / 10) } else { format!("{}.{} days", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(instants: &[i64]) -> Vec<i64> {
        instants.iter().map(|h| h * HOUR_US).collect()
    }

    #[test]
    fn a_rhythm_is_what_came_before() {
        assert_eq!(wait_of(&hours(&[0, 24, 48]), None), None, "three deliveries are no rhythm");
        let daily = wait_of(&hours(&[0, 24, 48, 72, 96]), None).expect("a rhythm");
        assert_eq!((daily.usual_us / HOUR_US, daily.longest_us), (24, 24 * HOUR_US + 24 * HOUR_US / 10));
        let workdays = wait_of(&hours(&[0, 24, 48, 72, 96, 168, 192]), None).expect("a rhythm");
        assert_eq!((workdays.usual_us / HOUR_US, workdays.longest_us / HOUR_US), (24, 79), "a weekend is no alarm");
        let together: Vec<i64> =
            hours(&[0, 24, 48]).into_iter().flat_map(|at| [at, at + SECOND_US, at + 60 * SECOND_US]).collect();
        assert_eq!(wait_of(&together, None), None, "a day's files are one delivery");
    }

    #[test]
    fn a_declared_rhythm_needs_no_history() {
        let declared = Some(FileRhythm { every_hours: 24, grace_hours: 6 });
        let wait = wait_of(&hours(&[5]), declared).expect("a rhythm");
        assert_eq!((wait.last_us, wait.longest_us), (5 * HOUR_US, 30 * HOUR_US));
        assert_eq!(wait_of(&[], declared), None);
    }

    #[test]
    fn spans_read_well() {
        assert_eq!(
            [span_text(25 * HOUR_US), span_text(72 * HOUR_US), span_text(84 * HOUR_US)],
            ["25 hours", "3 days", "3.5 days"]
        );
    }
}
