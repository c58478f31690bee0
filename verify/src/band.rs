//! The time band of an instant, by the local date and minute, window after window.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use crate::text::{BandClock, BandText};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MIN: u32 = 1_440;

/// A window of a band.
#[derive(Debug)]
struct Window {
    band: String,
    /// Weekdays, ranges of them and calendars on whose dates it begins.
    days: Vec<String>,
    /// Calendars on whose dates it does not.
    except: Vec<String>,
    from: u32,
    length: u32,
}

/// The bands of a tariff.
#[derive(Debug)]
pub(crate) struct Bands {
    clock: BandClock,
    default: String,
    windows: Vec<Window>,
    calendars: HashMap<String, BTreeSet<Date>>,
}

impl Bands {
    pub fn new(
        clock: BandClock,
        default: String,
        texts: Vec<BandText>,
        calendars: HashMap<String, BTreeSet<Date>>,
    ) -> Result<Self, String> {
        let windows = texts.into_iter().map(|text| {
            let minutes = |time: &str| minutes(time).ok_or_else(|| format!("`{time}` is no time of a day"));
            let (from, to) = (minutes(&text.from)?, minutes(&text.to)?);
            let length = if to > from { to - from } else { to + DAY_MIN - from };
            Ok(Window { band: text.name, days: text.days.into_list(), except: text.except.into_list(), from, length })
        });
        let windows = windows.collect::<Result<Vec<_>, String>>()?;
        let unknown = |name: &&String| weekdays(name).is_none() && !calendars.contains_key(*name);
        if let Some(name) = windows.iter().flat_map(|window| window.days.iter().chain(&window.except)).find(unknown) {
            return Err(format!("`{name}` is neither a day nor a calendar"));
        }
        Ok(Self { clock, default, windows, calendars })
    }

    /// Every band there is.
    pub fn names(&self) -> BTreeSet<&str> {
        self.windows.iter().map(|window| window.band.as_str()).chain([self.default.as_str()]).collect()
    }

    /// The local time that decides at an instant. `source_offset` is the clock of the record's source.
    pub fn local(&self, zone: &TimeZone, instant: Timestamp, source_offset: Offset) -> DateTime {
        match self.clock {
            BandClock::TariffZone => zone.to_datetime(instant),
            BandClock::SourceOffset => source_offset.to_datetime(instant),
        }
    }

    /// The band at a local time.
    pub fn at(&self, local: DateTime) -> &str {
        let holding = self.windows.iter().find(|window| self.holds(window, local));
        holding.map_or(&self.default, |window| &window.band)
    }

    /// Whether a window holds a local time: begun on its date, or on the day before and reaching over midnight.
    fn holds(&self, window: &Window, local: DateTime) -> bool {
        let minute = u32::from(local.hour().unsigned_abs()) * 60 + u32::from(local.minute().unsigned_abs());
        let end = window.from + window.length;
        let since_today = (window.from..end.min(DAY_MIN)).contains(&minute) && self.begins_on(window, local.date());
        let yesterday = || local.date().yesterday().is_ok_and(|date| self.begins_on(window, date));
        since_today || (minute + DAY_MIN < end && yesterday())
    }

    fn begins_on(&self, window: &Window, date: Date) -> bool {
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        let names = |name: &String| match weekdays(name) {
            Some(days) => days.contains(&weekday),
            None => self.calendars.get(name).is_some_and(|dates| dates.contains(&date)),
        };
        window.days.iter().any(names) && !window.except.iter().any(names)
    }
}

/// The weekdays of `mon` or `fri-mon`, from Monday at 0.
fn weekdays(text: &str) -> Option<Vec<usize>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = day(first).zip(day(last))?;
    let mut days = vec![first];
    while days.last() != Some(&last) {
        days.push((first + days.len()) % 7);
    }
    Some(days)
}

/// Minutes since midnight of `HH:MM`.
fn minutes(time: &str) -> Option<u32> {
    let (hour, minute) = time.split_once(':')?;
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MIN).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::OneOrMany;

    fn bands(clock: BandClock) -> Bands {
        let list = |names: &[&str]| OneOrMany::Many(names.iter().map(|name| (*name).to_owned()).collect());
        let text = |name: &str, days: &[&str], except: &[&str], from: &str, to: &str| BandText {
            name: name.to_owned(),
            days: list(days),
            except: list(except),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let texts = vec![
            text("peak", &["mon-fri"], &["feast"], "08:00", "20:00"),
            text("night", &["sat-mon", "feast"], &[], "23:00", "07:00"),
        ];
        let feast = BTreeSet::from([jiff::civil::date(2026, 12, 25)]);
        Bands::new(clock, "off".to_owned(), texts, HashMap::from([("feast".to_owned(), feast)])).expect("bands")
    }

    #[test]
    fn windows_belong_to_the_date_on_which_they_begin() {
        let (bands, zone) = (bands(BandClock::TariffZone), TimeZone::get("Europe/Amsterdam").expect("a zone"));
        let cases = [
            ("2026-10-14T06:00:00Z", "peak"),  // Wednesday 08:00
            ("2026-10-14T05:59:59Z", "off"),   // Wednesday 07:59:59
            ("2026-10-14T18:00:00Z", "off"),   // Wednesday 20:00
            ("2026-10-12T21:30:00Z", "night"), // Monday 23:30
            ("2026-10-13T04:59:00Z", "night"), // Tuesday 06:59, begun on Monday
            ("2026-10-13T05:00:00Z", "off"),   // Tuesday 07:00
            ("2026-12-25T11:00:00Z", "off"),   // the feast, a Friday, at noon
            ("2026-12-26T05:30:00Z", "night"), // Saturday 06:30, begun on the feast
            ("2026-10-25T00:59:00Z", "night"), // the first 02:59 of the night when clocks go back
        ];
        for (instant, band) in cases {
            assert_eq!(bands.at(bands.local(&zone, instant.parse().expect("an instant"), Offset::UTC)), band, "{instant}");
        }
    }

    #[test]
    fn the_clock_of_the_source_is_taken_where_the_tariff_says_so() {
        let (bands, zone) = (bands(BandClock::SourceOffset), TimeZone::get("Europe/Amsterdam").expect("a zone"));
        let instant = "2026-10-14T06:00:00Z".parse().expect("an instant");
        let at = |hours| bands.at(bands.local(&zone, instant, Offset::constant(hours)));
        assert_eq!([at(1), at(2)], ["off", "peak"]);
    }
}
