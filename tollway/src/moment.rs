//! A moment of the past, as `--known-at` names it: the records and the reference data as they were known then (docs/adr/0026).

use domain::delivery::ArrivalNumber;
use domain::ports::Clock;
use domain::zone::SECOND_US;
use ingest::land::{Arrival, Landing};
use pipeline::rating::Reference;
use sinks::history::{Stood, stood_at};
use sinks::table::Table;
use store::Store;
use store::instant::{InstantError, parse_instant, show_instant};

use crate::exit_code::usage;
use crate::installation::Installation;
use crate::system::SystemClock;

/// Microseconds of a day of UTC, which has no leap seconds here.
const DAY_US: i64 = 86_400 * SECOND_US;

/// The length of a day as it is written, such as 2026-10-31.
const DAY_TEXT: usize = "2026-10-31".len();

/// A moment, to the millisecond: what has happened in it belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    at_ms: i64,
}

/// The records as they stood.
#[derive(Debug)]
pub struct Then {
    /// The table `cdr_entries` of then.
    pub entries: Table,
    /// Its version, and since when it stood.
    pub stood: Stood,
}

impl Moment {
    /// The moment that an option names, if it is given: not one to come.
    pub fn given(text: Option<&str>) -> anyhow::Result<Option<Self>> {
        text.map(|text| Self::parse(text, SystemClock.now_us())).transpose()
    }

    fn parse(text: &str, now_us: i64) -> anyhow::Result<Self> {
        let is_day = text.len() == DAY_TEXT && text.bytes().all(|c| c.is_ascii_digit() || c == b'-');
        let read = if is_day {
            // Its last instant.
            parse_instant(&format!("{text}T00:00:00Z")).map(|begin_us| begin_us + DAY_US - 1)
        } else {
            parse_instant(text)
        };
        let at_us = read.map_err(|e| match e {
            InstantError::Pattern(_) => usage(format!(
                "--known-at: `{text}` is no moment; write an instant with seconds and the offset of its clock, such as \
                 2026-11-01T08:00:00+01:00, or a day such as 2026-10-31 for its end in UTC"
            )),
            InstantError::Impossible(_) => {
                usage(format!("--known-at: `{text}` does not exist in the calendar; correct day, time or offset"))
            }
        })?;
        if at_us > now_us {
            let what =
                if is_day { "is not over yet in UTC; name an instant of it" } else { "lies in the future; name an earlier one" };
            return Err(usage(format!("--known-at: {text} {what}, or leave the option out for what is known now")));
        }
        Ok(Self { at_ms: at_us.div_euclid(1000) })
    }

    /// The moment in UTC, to the millisecond.
    pub fn text(self) -> String {
        show_ms(self.at_ms)
    }

    /// That nothing was known, in words.
    pub fn nothing(self) -> String {
        format!("nothing was known at {}", self.text())
    }

    /// The records as they stood; `None` before there were any.
    pub fn records(self, installation: &Installation) -> anyhow::Result<Option<Then>> {
        let newest = installation.entries()?;
        let Some(stood) = stood_at(&newest, self.at_ms)? else { return Ok(None) };
        Ok(Some(Then { entries: newest.at(stood.version)?, stood }))
    }

    /// The newest arrival by then, 0 before the first: reference data that had landed was known. The order is the numbers', not the
    /// clocks': nothing is known before what came earlier.
    pub fn arrival(self, landing: &Landing) -> anyhow::Result<ArrivalNumber> {
        let arrivals = landing.arrivals(0)?;
        let by_then = arrivals.iter().take_while(|arrival| self.has_seen(arrival));
        Ok(by_then.last().map_or(0, |arrival| arrival.number))
    }

    /// Whether something had arrived by then.
    pub fn has_seen(self, arrival: &Arrival) -> bool {
        arrival.arrived_us.div_euclid(1000) <= self.at_ms
    }

    /// The reference data as it was known; empty before the first import.
    pub fn reference(self, installation: &Installation, store: &Store) -> anyhow::Result<Reference> {
        let at = self.arrival(&installation.landing())?;
        installation.block_on(crate::reference::load_at(store, at))
    }
}

impl Then {
    /// Which version that is, in words.
    pub fn text(&self) -> String {
        format!("version {} of the records, of {}", self.stood.version, show_ms(self.stood.since_ms))
    }

    /// When it was committed, in UTC.
    pub fn since(&self) -> String {
        show_ms(self.stood.since_ms)
    }
}

fn show_ms(at_ms: i64) -> String {
    show_instant(at_ms.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_code::{Exit, of};

    const NOW: &str = "2026-11-02T12:00:00.5Z";

    fn parse(text: &str) -> anyhow::Result<String> {
        Moment::parse(text, parse_instant(NOW).expect("an instant")).map(Moment::text)
    }

    #[test]
    fn an_instant_is_taken_to_the_millisecond_and_a_day_to_its_end() {
        for (text, moment) in [
            ("2026-11-01T08:00:00+01:00", "2026-11-01T07:00:00Z"),
            ("2026-11-01T08:00:00.123999Z", "2026-11-01T08:00:00.123Z"),
            ("2026-10-31", "2026-10-31T23:59:59.999Z"),
            (NOW, NOW),
        ] {
            assert_eq!(parse(text).expect("a moment"), moment, "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_and_what_is_to_come_is_wrong_use() {
        for (text, words) in [
            ("", "is no moment"),
            ("yesterday", "is no moment"),
            ("2026-11-01T08:00:00", "with seconds and the offset"),
            ("2026-11-01 08:00", "2026-10-31 for its end"),
            ("1-11-2026", "is no moment"),
            ("20261101", "is no moment"),
            ("----------", "is no moment"),
            ("2026-02-30", "does not exist in the calendar"),
            ("2026-11-01T25:00:00Z", "does not exist"),
            ("2026-11-02T12:00:00.501Z", "lies in the future"),
            ("2026-11-02", "is not over yet"),
            ("2027-01-01", "is not over yet"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.to_string().contains(words), "{text}: {error}");
            assert_eq!(of(&error), Exit::Usage, "{text}");
        }
    }
}
