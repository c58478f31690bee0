//! Time bands: named windows by the tariff's clock, as a table of the week's minutes and of those of the dates that calendars name.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

use domain::ids::Names;
use domain::zone::{SECOND_US, Zone};
use toml::Spanned;

use crate::error::{Place, TariffError};
use crate::instant::day_text;
use crate::tariff::calendar::{Calendar, Calendars};
use crate::tariff::field::{bad, name};
use crate::tariff::raw::{RawBand, TomlFile};

/// Most windows of a tariff.
const WINDOWS_MAX: usize = 1_000;

/// Most band names, the default included: codes are one byte and the last one means "none".
const BANDS_MAX: usize = 254;

const DAY_MIN: usize = 1_440;
const WEEK_MIN: usize = 7 * DAY_MIN;
const MINUTE_US: i64 = 60 * SECOND_US;

pub(super) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// By which clock the band is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BandClock {
    /// The tariff's time zone.
    TariffZone,
    /// The offset that the source wrote beside the time.
    SourceOffset,
}

/// A window.
#[derive(Debug)]
pub(crate) struct BandWindow {
    pub band: u8,
    /// As written: `mon-fri 08:00 to 20:00`.
    pub text: String,
    pub place: Place,
    /// The local minute of the day at which it begins, and how many minutes it is long: at most a day.
    from: usize,
    length: usize,
    /// From Monday.
    weekdays: [bool; 7],
    /// The calendars on whose dates it begins, too, and those on whose dates it does not.
    calendars: Vec<usize>,
    except: Vec<usize>,
}

impl BandWindow {
    /// Whether it begins on a date: days since 1970.
    fn begins_on(&self, day: i32, calendars: &[Calendar]) -> bool {
        let any = |numbers: &[usize]| numbers.iter().any(|number| calendars[*number].holds(day));
        (self.weekdays[weekday(day)] || any(&self.calendars)) && !any(&self.except)
    }
}

/// The minutes of dates that differ from the week's.
#[derive(Debug, Default)]
struct Dates {
    first_day: i32,
    /// From the first day on, the table plus one; 0: the week's.
    tables: Vec<u16>,
    /// Per table and minute of the day the window plus one, 0 for none.
    windows: Vec<u16>,
    /// The same as band codes.
    codes: Vec<u8>,
}

impl Dates {
    /// Where the minutes of a date begin, if it has its own.
    #[inline]
    fn table(&self, day: i32) -> Option<usize> {
        let table = *self.tables.get(usize::try_from(day.checked_sub(self.first_day)?).ok()?)?;
        table.checked_sub(1).map(|table| usize::from(table) * DAY_MIN)
    }
}

/// The bands of a tariff.
#[derive(Debug)]
pub(crate) struct Bands {
    pub names: Names,
    pub clock: BandClock,
    pub windows: Vec<BandWindow>,
    pub default: u8,
    /// Per minute of the week the window plus one, 0 for none; empty if there is no window.
    week: Vec<u16>,
    /// The same as band codes.
    codes: Vec<u8>,
    dates: Dates,
    pub calendars: Vec<Calendar>,
}

impl Bands {
    pub fn build(
        file: &TomlFile<'_>,
        default: &str,
        clock: BandClock,
        raw: &[Spanned<RawBand>],
        calendars: Calendars,
        in_force: RangeInclusive<i32>,
    ) -> Result<Self, TariffError> {
        if raw.len() > WINDOWS_MAX {
            return Err(TariffError::TooMany { place: file.whole(), what: "band windows", limit: WINDOWS_MAX });
        }
        name(&file.whole(), "default_band", default)?;
        let names = Names::new(raw.iter().map(|b| b.get_ref().name.as_str()).chain([default]));
        if names.len() > BANDS_MAX {
            return Err(TariffError::TooMany { place: file.whole(), what: "bands", limit: BANDS_MAX });
        }
        let code = |band: &str| names.code(band).and_then(|c| u8::try_from(c).ok()).expect("names hold all bands, at most 254");
        let default = code(default);
        let windows = raw.iter().map(|band| window(file.place(band), code(&band.get_ref().name), band.get_ref(), &calendars));
        let windows = windows.collect::<Result<Vec<_>, _>>()?;
        let calendars = calendars.into_all();
        let week = if raw.is_empty() { Vec::new() } else { week_of(&windows)? };
        let of_window = |w: &u16| w.checked_sub(1).map_or(default, |i| windows[usize::from(i)].band);
        let codes = week.iter().map(of_window).collect();
        let mut dates = dates_of(&windows, &calendars, in_force)?;
        dates.codes = dates.windows.iter().map(of_window).collect();
        Ok(Self { names, clock, windows, default, week, codes, dates, calendars })
    }

    /// The band of an instant; `offset_s` is what the source wrote beside it.
    #[inline]
    pub fn at(&self, zone: &Zone, start_us: i64, offset_s: i32) -> u8 {
        if self.codes.is_empty() {
            return self.default;
        }
        let (day, minute) = local_minute(self.clock_offset_s(zone, start_us, offset_s), start_us);
        match self.dates.table(day) {
            Some(table) => self.dates.codes[table + minute],
            None => self.codes[weekday(day) * DAY_MIN + minute],
        }
    }

    /// The first instant after `at_us` and before `end_us` at which another band holds.
    pub fn next_edge(&self, zone: &Zone, at_us: i64, offset_s: i32, end_us: i64) -> Option<i64> {
        if self.codes.is_empty() {
            return None;
        }
        let band = self.at(zone, at_us, offset_s);
        // Bands begin with a minute of the local clock, and so do clock changes.
        let local_us = at_us.saturating_add(i64::from(self.clock_offset_s(zone, at_us, offset_s)) * SECOND_US);
        let mut at_us = at_us.checked_add(MINUTE_US - local_us.rem_euclid(MINUTE_US))?;
        while at_us < end_us {
            if self.at(zone, at_us, offset_s) != band {
                return Some(at_us);
            }
            at_us = at_us.checked_add(MINUTE_US)?;
        }
        None
    }

    /// Seconds east of UTC of the clock that decides.
    pub fn clock_offset_s(&self, zone: &Zone, start_us: i64, offset_s: i32) -> i32 {
        match self.clock {
            BandClock::TariffZone => zone.offset_at(start_us),
            BandClock::SourceOffset => offset_s,
        }
    }

    /// The window that holds an instant, for derivations.
    pub fn window_at(&self, zone: &Zone, start_us: i64, offset_s: i32) -> Option<&BandWindow> {
        let (day, minute) = local_minute(self.clock_offset_s(zone, start_us, offset_s), start_us);
        let window = match self.dates.table(day) {
            Some(table) => self.dates.windows[table + minute],
            None => *self.week.get(weekday(day) * DAY_MIN + minute)?,
        };
        window.checked_sub(1).and_then(|i| self.windows.get(usize::from(i)))
    }

    /// Whether a window begins or stays away on the dates of a calendar, by its number.
    pub fn asks(&self, calendar: usize) -> bool {
        self.windows.iter().any(|window| window.calendars.contains(&calendar) || window.except.contains(&calendar))
    }

    /// The calendars that name the local date of an instant, and those that name the one before if windows reach over midnight.
    pub fn calendars_at(&self, zone: &Zone, start_us: i64, offset_s: i32) -> [Vec<&str>; 2] {
        let (day, _) = local_minute(self.clock_offset_s(zone, start_us, offset_s), start_us);
        let reaches = self.windows.iter().any(|window| window.from + window.length > DAY_MIN);
        let naming = |day| {
            let naming = self.calendars.iter().filter(move |calendar| calendar.holds(day));
            naming.map(|calendar| calendar.name.as_str()).collect()
        };
        [naming(day), if reaches { naming(day - 1) } else { Vec::new() }]
    }
}

/// A window as its text says it.
fn window(place: Place, band: u8, raw: &RawBand, calendars: &Calendars) -> Result<BandWindow, TariffError> {
    name(&place, "name", &raw.name)?;
    let (from, to) = (minute(&place, "from", &raw.from)?, minute(&place, "to", &raw.to)?);
    if from == to || from == DAY_MIN {
        return Err(bad(&place, "to", &raw.to, "another time than `from` is expected; a whole day is 00:00 to 24:00"));
    }
    let length = if to > from { to - from } else { to + DAY_MIN - from };
    let (weekdays, on) = days(&place, &raw.days.0, calendars)?;
    let mut except = Vec::new();
    for called in raw.except.iter().flat_map(|list| &list.0) {
        let expected = || format!("the name of a [[calendar]] is expected{}", calendars.hint(called, []));
        except.push(calendars.find(called).ok_or_else(|| bad(&place, "except", called, expected()))?);
    }
    let but = raw.except.as_ref().map_or_else(String::new, |list| format!(" except {}", list.0.join(", ")));
    let text = format!("{}{but} {} to {}", raw.days.0.join(", "), raw.from, raw.to);
    Ok(BandWindow { band, text, place, from, length, weekdays, calendars: on, except })
}

/// Per minute of a week without dates of calendars the window plus one.
fn week_of(windows: &[BandWindow]) -> Result<Vec<u16>, TariffError> {
    let mut week = vec![0; WEEK_MIN];
    for (window, number) in windows.iter().zip(1..) {
        for day in (0..7).filter(|day| window.weekdays[*day]) {
            for at in (day * DAY_MIN + window.from..).take(window.length).map(|at| at % WEEK_MIN) {
                let when = || format!("{} {}", DAYS[at / DAY_MIN], clock(at % DAY_MIN));
                enter(&mut week[at], number, windows, when)?;
            }
        }
    }
    Ok(week)
}

/// The dates that calendars name and those after them, into which windows reach; of those days that are asked for.
fn dates_of(windows: &[BandWindow], calendars: &[Calendar], asked: RangeInclusive<i32>) -> Result<Dates, TariffError> {
    let used = windows.iter().flat_map(|window| window.calendars.iter().chain(&window.except));
    let named = used.flat_map(|number| &calendars[*number].days).flat_map(|day| [*day, *day + 1]);
    let days: BTreeSet<i32> = named.filter(|day| asked.contains(day)).collect();
    let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else { return Ok(Dates::default()) };
    let span = usize::try_from(last - first).expect("the last is not before the first") + 1;
    let mut dates = Dates { first_day: first, tables: vec![0; span], ..Dates::default() };
    // Most holidays begin and keep out the same windows: their minutes are laid out once.
    let mut known: HashMap<Vec<(bool, bool)>, u16> = HashMap::new();
    for day in days {
        let begins = |window: &BandWindow| (window.begins_on(day, calendars), window.begins_on(day - 1, calendars));
        let begun: Vec<(bool, bool)> = windows.iter().map(begins).collect();
        let next = u16::try_from(known.len() + 1).expect("calendars have at most 5,000 dates");
        let table = if let Some(table) = known.get(&begun) {
            *table
        } else {
            dates.windows.extend(minutes_of(day, windows, &begun)?);
            known.insert(begun, next);
            next
        };
        dates.tables[usize::try_from(day - first).expect("days ascend")] = table;
    }
    Ok(dates)
}

/// Per minute of a date the window plus one. A window that passes midnight belongs to the date on which it begins.
fn minutes_of(day: i32, windows: &[BandWindow], begun: &[(bool, bool)]) -> Result<Vec<u16>, TariffError> {
    let mut minutes = vec![0; DAY_MIN];
    for ((window, number), (today, yesterday)) in windows.iter().zip(1..).zip(begun) {
        let today = today.then_some(window.from..(window.from + window.length).min(DAY_MIN));
        let since_yesterday = yesterday.then_some(0..(window.from + window.length).saturating_sub(DAY_MIN));
        for at in today.into_iter().chain(since_yesterday).flatten() {
            let when = || format!("{} {}", day_text(day), clock(at));
            enter(&mut minutes[at], number, windows, when)?;
        }
    }
    Ok(minutes)
}

/// Gives a minute to a window, unless a window of another band has it.
fn enter(minute: &mut u16, number: u16, windows: &[BandWindow], when: impl Fn() -> String) -> Result<(), TariffError> {
    let window = &windows[usize::from(number) - 1];
    if let Some(first) = minute.checked_sub(1).map(|first| &windows[usize::from(first)])
        && first.band != window.band
    {
        return Err(TariffError::BandsMeet { place: window.place.clone(), when: when(), first: first.place.clone() });
    }
    *minute = number;
    Ok(())
}

fn clock(minute: usize) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The local date, in days since 1970, and the minute of it.
#[inline]
fn local_minute(offset_s: i32, start_us: i64) -> (i32, usize) {
    let minute = start_us.saturating_add(i64::from(offset_s) * SECOND_US).div_euclid(MINUTE_US);
    let day = i32::try_from(minute.div_euclid(1_440)).expect("64 bits of microseconds are less than 2^31 days");
    (day, usize::try_from(minute.rem_euclid(1_440)).expect("a remainder of a positive number is not negative"))
}

/// Monday is 0; 1 January 1970 was a Thursday.
#[inline]
fn weekday(day: i32) -> usize {
    usize::try_from((i64::from(day) + 3).rem_euclid(7)).expect("a remainder of a positive number is not negative")
}

/// Minutes since midnight of `HH:MM`; 24:00 is the day's end.
fn minute(place: &Place, field: &str, text: &str) -> Result<usize, TariffError> {
    let two = |s: &str| (s.len() == 2 && s.bytes().all(|c| c.is_ascii_digit())).then(|| s.parse::<usize>().ok()).flatten();
    let parsed = text.split_once(':').and_then(|(hour, minute)| two(hour).zip(two(minute)));
    match parsed {
        Some((hour, minute)) if minute < 60 && hour * 60 + minute <= DAY_MIN => Ok(hour * 60 + minute),
        _ => Err(bad(place, field, text, "a time from 00:00 to 24:00 is expected")),
    }
}

/// The weekdays and the calendars of a list such as `mon-fri`, `sun`, `holidays`.
fn days(place: &Place, list: &[String], calendars: &Calendars) -> Result<([bool; 7], Vec<usize>), TariffError> {
    let expected = "days are mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or the name of a [[calendar]]";
    let day = |text: &str| DAYS.iter().position(|d| *d == text);
    let (mut weekdays, mut on) = ([false; 7], Vec::new());
    for text in list {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (day(first).zip(day(last)), calendars.find(text)) {
            (Some((first, last)), _) => (first..).take((last + 7 - first) % 7 + 1).for_each(|d| weekdays[d % 7] = true),
            (None, Some(calendar)) => on.push(calendar),
            (None, None) => return Err(bad(place, "days", text, format!("{expected}{}", calendars.hint(text, DAYS)))),
        }
    }
    if list.is_empty() { Err(bad(place, "days", "[]", expected)) } else { Ok((weekdays, on)) }
}
