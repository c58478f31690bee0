//! Time bands: named weekly windows by the tariff's clock, as a table of the week's minutes.

use domain::ids::Names;
use domain::zone::{SECOND_US, Zone};
use toml::Spanned;

use crate::error::{Place, TariffError};
use crate::tariff::field::{bad, name};
use crate::tariff::raw::{RawBand, TomlFile};

/// Most windows of a tariff.
const WINDOWS_MAX: usize = 1_000;

/// Most band names, the default included: codes are one byte and the last one means "none".
const BANDS_MAX: usize = 254;

const DAY_MIN: usize = 1_440;
const WEEK_MIN: usize = 7 * DAY_MIN;
const MINUTE_US: i64 = 60 * SECOND_US;

/// 1 January 1970 was a Thursday, the fourth day of a week that begins on Monday.
const EPOCH_MIN: i64 = 3 * 1_440;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// By which clock the band is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BandClock {
    /// The tariff's time zone.
    TariffZone,
    /// The offset that the source wrote beside the time.
    SourceOffset,
}

/// A weekly window, for derivations.
#[derive(Debug)]
pub(crate) struct BandWindow {
    pub band: u8,
    /// As written: `mon-fri 08:00 to 20:00`.
    pub text: String,
    pub place: Place,
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
}

impl Bands {
    pub fn build(file: &TomlFile<'_>, default: &str, clock: BandClock, raw: &[Spanned<RawBand>]) -> Result<Self, TariffError> {
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
        let week = if raw.is_empty() { Vec::new() } else { vec![0; WEEK_MIN] };
        let mut bands = Self { default, clock, windows: Vec::new(), week, codes: Vec::new(), names: Names::default() };
        for band in raw {
            bands.add(file.place(band), code(&band.get_ref().name), band.get_ref())?;
        }
        let of_window = |w: &u16| w.checked_sub(1).map_or(default, |i| bands.windows[usize::from(i)].band);
        bands.codes = bands.week.iter().map(of_window).collect();
        bands.names = names;
        Ok(bands)
    }

    fn add(&mut self, place: Place, code: u8, raw: &RawBand) -> Result<(), TariffError> {
        name(&place, "name", &raw.name)?;
        let (from, to) = (minute(&place, "from", &raw.from)?, minute(&place, "to", &raw.to)?);
        if from == to || from == DAY_MIN {
            return Err(bad(&place, "to", &raw.to, "another time than `from` is expected; a whole day is 00:00 to 24:00"));
        }
        let length = if to > from { to - from } else { to + DAY_MIN - from };
        let number = u16::try_from(self.windows.len() + 1).expect("a tariff has at most 1,000 windows");
        for day in days(&place, &raw.days.0)? {
            for at in (day * DAY_MIN + from..).take(length).map(|at| at % WEEK_MIN) {
                if let Some(other) = self.week[at].checked_sub(1).map(usize::from)
                    && let Some(first) = self.windows.get(other)
                    && first.band != code
                {
                    let what = format!("{} {:02}:{:02}", DAYS[at / DAY_MIN], at % DAY_MIN / 60, at % 60);
                    return Err(TariffError::Twice { place, what, first: first.place.clone() });
                }
                self.week[at] = number;
            }
        }
        let text = format!("{} {} to {}", raw.days.0.join(", "), raw.from, raw.to);
        self.windows.push(BandWindow { band: code, text, place });
        Ok(())
    }

    /// The band of an instant; `offset_s` is what the source wrote beside it.
    #[inline]
    pub fn at(&self, zone: &Zone, start_us: i64, offset_s: i32) -> u8 {
        if self.codes.is_empty() {
            return self.default;
        }
        self.codes[minute_of_week(self.clock_offset_s(zone, start_us, offset_s), start_us)]
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
        let minute = minute_of_week(self.clock_offset_s(zone, start_us, offset_s), start_us);
        self.week.get(minute)?.checked_sub(1).and_then(|i| self.windows.get(usize::from(i)))
    }
}

#[inline]
fn minute_of_week(offset_s: i32, start_us: i64) -> usize {
    let minute = start_us.saturating_add(i64::from(offset_s) * SECOND_US).div_euclid(MINUTE_US);
    usize::try_from((minute + EPOCH_MIN).rem_euclid(10_080)).expect("a remainder of a positive number is not negative")
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

/// The days of a list such as `mon-fri`, `sun`; Monday is 0.
fn days(place: &Place, list: &[String]) -> Result<Vec<usize>, TariffError> {
    let expected = "days are mon, tue, wed, thu, fri, sat, sun or a range such as mon-fri";
    let day = |text: &str| DAYS.iter().position(|d| *d == text);
    let mut days = Vec::new();
    for text in list {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = day(first).zip(day(last)).ok_or_else(|| bad(place, "days", text, expected))?;
        days.extend((first..).take((last + 7 - first) % 7 + 1).map(|d| d % 7));
    }
    if days.is_empty() { Err(bad(place, "days", "[]", expected)) } else { Ok(days) }
}
