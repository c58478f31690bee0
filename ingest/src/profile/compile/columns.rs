//! Checks and compiles the sections of a profile that say what a column means.

use domain::money::Currency;
use domain::number::Number;
use domain::zone::Zone;

use crate::profile::ProfileError;
use crate::profile::raw::{
    RawChoice, RawClass, RawColumn, RawCost, RawDuration, RawDurationRounding, RawDurationUnit, RawMessages, RawNetwork,
    RawNetworkForm, RawNumbers, RawParty, RawSession, RawTime, RawVolume, RawVolumeUnit,
};
use crate::profile::recipe::{
    Choice, ClassForm, Column, Cost, Duration, DurationRounding, DurationUnit, FileForm, Messages, NetworkForm, NumberForm,
    Party, PartySource, Prefix, SessionForm, TimeSource, Volume, Words,
};
use crate::profile::time::{TimePattern, offset_seconds};

use super::{Checked, Compiler};

/// Refuses a setting outside its range.
pub(in crate::profile) fn check_range(key: &str, value: i64, low: i64, high: i64) -> Checked<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(ProfileError::setting(key, format!("{value} is not between {low} and {high}")))
}

pub(super) fn currency(code: &str) -> Checked<Currency> {
    Currency::parse(code).ok_or_else(|| {
        ProfileError::setting("cost.currency", format!("`{code}` is no currency: three capital letters are, such as EUR"))
    })
}

pub(super) fn choice<R: Copy + Into<T>, T: Copy>(
    compiler: &mut Compiler<'_>,
    key: &'static str,
    raw: RawChoice<R>,
) -> Checked<Choice<T>> {
    match (raw.column, raw.constant) {
        (Some(column), None) if !raw.map.is_empty() => {
            let entries = raw.map.iter().map(|(text, value)| compiler.encode(key, text).map(|bytes| (bytes, (*value).into())));
            let words = Words::new(entries.collect::<Checked<Vec<_>>>()?);
            Ok(Choice::Mapped { slot: compiler.slot(key, column)?, words, fallback: raw.fallback.map(Into::into) })
        }
        (None, Some(constant)) if raw.map.is_empty() && raw.fallback.is_none() => Ok(Choice::Constant(constant.into())),
        _ => Err(ProfileError::setting(key, "needs `column` and `map`, or `constant` alone")),
    }
}

pub(super) fn column(compiler: &mut Compiler<'_>, key: &'static str, raw: RawColumn) -> Checked<Column> {
    Ok(Column { slot: compiler.slot(key, raw.column)?, required: raw.required })
}

/// Most columns that make one rate class.
const CLASS_COLUMNS_MAX: usize = 4;

pub(super) fn class(compiler: &mut Compiler<'_>, raw: RawClass) -> Checked<ClassForm> {
    if raw.with.len() >= CLASS_COLUMNS_MAX {
        let problem = format!("at most {CLASS_COLUMNS_MAX} columns make one rate class");
        return Err(ProfileError::setting("class.with", problem));
    }
    let slot = compiler.slot("class", raw.column)?;
    let with = raw.with.into_iter().map(|c| compiler.slot("class", c)).collect::<Checked<Vec<_>>>()?;
    Ok(ClassForm { slot, with, required: raw.required })
}

pub(super) fn session(compiler: &mut Compiler<'_>, raw: RawSession) -> Checked<SessionForm> {
    let id = compiler.slot("session", raw.column)?;
    let sequence = raw.sequence.map(|c| compiler.slot("session.sequence", c)).transpose()?;
    let Some(partial) = raw.partial else { return Ok(SessionForm { id, sequence, partial: None }) };
    let key = "session.partial";
    let entries = partial.map.iter().map(|(text, part)| compiler.encode(key, text).map(|bytes| (bytes, (*part).into())));
    let words = Words::new(entries.collect::<Checked<Vec<_>>>()?);
    Ok(SessionForm { id, sequence, partial: Some((compiler.slot(key, partial.column)?, words)) })
}

/// How numbers are written where nothing says otherwise, in a country.
pub(crate) fn usual_numbers(country_code: &str) -> Checked<NumberForm> {
    number_form(RawNumbers { country_code: country_code.to_owned(), ..RawNumbers::default() })
}

pub(super) fn number_form(raw: RawNumbers) -> Checked<NumberForm> {
    let digits = |key: &str, text: &str, longest: usize| -> Checked<()> {
        if text.len() <= longest && text.bytes().all(|c| c.is_ascii_digit()) {
            return Ok(());
        }
        Err(ProfileError::setting(key, format!("`{text}` must be at most {longest} digits, without plus sign")))
    };
    digits("numbers.country_code", &raw.country_code, 3)?;
    digits("numbers.national_prefix", &raw.national_prefix, 3)?;
    digits("numbers.international_prefix", &raw.international_prefix, 5)?;
    if raw.country_code.is_empty() || raw.country_code.starts_with('0') {
        return Err(ProfileError::setting("numbers.country_code", "a country code is 1 to 3 digits and does not begin with 0"));
    }
    check_range("numbers.digits_max", i64::from(raw.digits_max), 4, 15)?;
    check_range("numbers.digits_min", i64::from(raw.digits_min), 4, i64::from(raw.digits_max))?;
    if let Some(digits) = raw.national_digits {
        check_range("numbers.national_digits", i64::from(digits), 4, 14)?;
    }
    Ok(NumberForm {
        country: raw.country_code.bytes().fold(0, |n, c| n * 10 + u64::from(c - b'0')),
        country_digits: raw.country_code.len(),
        national_prefix: Prefix::new(&raw.national_prefix),
        international_prefix: Prefix::new(&raw.international_prefix),
        national_digits: raw.national_digits.map_or(usize::MAX, |d| d as usize),
        digits_min: raw.digits_min as usize,
        digits_max: raw.digits_max as usize,
        masked_words: raw.masked_words.iter().map(|w| w.to_lowercase()).collect(),
    })
}

/// For which directions the two parties change places.
pub(super) fn swap_for(numbers: &RawNumbers, served: &RawParty, other: Option<&RawParty>) -> Checked<[bool; 3]> {
    let mut swap = [false; 3];
    for direction in &numbers.swap_for {
        swap[domain::usage::Direction::from(*direction) as usize] = true;
    }
    let both_columns = served.column.is_some() && other.is_some_and(|o| o.column.is_some());
    if !numbers.swap_for.is_empty() && !both_columns {
        return Err(ProfileError::setting(
            "numbers.swap_for",
            "only two columns can change places; give `served.column` and `other.column`",
        ));
    }
    Ok(swap)
}

pub(super) fn party(compiler: &mut Compiler<'_>, key: &'static str, raw: RawParty) -> Checked<Party> {
    let from = match (raw.column, raw.constant) {
        (Some(column), None) => PartySource::Column(compiler.slot(key, column)?),
        (None, Some(digits)) => PartySource::Constant(constant_number(key, &digits)?),
        _ => return Err(ProfileError::setting(key, "needs `column`, or `constant` where the file has no column for it")),
    };
    let mut not_for = [false; 4];
    for kind in raw.not_for {
        not_for[domain::usage::UsageKind::from(kind) as usize] = true;
    }
    if key == "served" && not_for != [false; 4] {
        return Err(ProfileError::setting("served.not_for", "every row has a served party; `not_for` is for the other one"));
    }
    Ok(Party {
        from,
        required: raw.required,
        not_for,
        short_codes: raw.short_codes,
        alphanumeric: raw.alphanumeric,
        masked: raw.masked,
    })
}

fn constant_number(key: &str, digits: &str) -> Checked<Number> {
    let plain = (8..=15).contains(&digits.len()) && digits.bytes().all(|c| c.is_ascii_digit()) && !digits.starts_with('0');
    if !plain {
        return Err(ProfileError::setting(key, format!("`{digits}` is no E.164 number: 8 to 15 digits without plus sign are")));
    }
    let value = digits.bytes().fold(0, |n, c| n * 10 + u64::from(c - b'0'));
    Ok(Number::e164(value, u32::try_from(digits.len()).expect("checked to be at most 15 digits")))
}

/// Zone, allowed offsets, and where the time comes from.
pub(super) fn time(compiler: &mut Compiler<'_>, raw: RawTime) -> Checked<(Option<Zone>, Vec<i32>, TimeSource)> {
    let zone = raw.zone.map(|name| {
        Zone::load(&name)
            .ok_or_else(|| ProfileError::setting("time.zone", format!("`{name}` is no IANA zone; Europe/Amsterdam is one")))
    });
    let zone = zone.transpose()?;
    let offsets = raw.offsets.iter().map(|text| {
        offset_seconds(text)
            .ok_or_else(|| ProfileError::setting("time.offsets", format!("`{text}` is no offset; `+01:00` is one")))
    });
    let offsets = offsets.collect::<Checked<Vec<i32>>>()?;
    let slot = compiler.slot("time", raw.column)?;
    let unit_us = match raw.pattern.as_str() {
        "epoch-seconds" => Some(1_000_000),
        "epoch-milliseconds" => Some(1000),
        _ => None,
    };
    if let Some(unit_us) = unit_us {
        if raw.clock_column.is_some() || raw.clock_pattern.is_some() || !offsets.is_empty() {
            return Err(ProfileError::setting("time.pattern", "a count since 1970 has no clock column and no offsets"));
        }
        return Ok((zone, offsets, TimeSource::Epoch { slot, unit_us }));
    }
    let compiled =
        |key: &str, pattern: &str| TimePattern::compile(pattern).map_err(|problem| ProfileError::setting(key, problem));
    let first = compiled("time.pattern", &raw.pattern)?;
    let second = match (raw.clock_column, raw.clock_pattern) {
        (None, None) => None,
        (Some(column), Some(pattern)) => Some((compiler.slot("time", column)?, compiled("time.clock_pattern", &pattern)?)),
        _ => return Err(ProfileError::setting("time.clock_column", "`clock_column` and `clock_pattern` go together")),
    };
    let clock = second.as_ref().map_or(&first, |s| &s.1);
    if !first.has_date() || second.as_ref().is_some_and(|s| s.1.has_date() || first.has_clock()) {
        return Err(ProfileError::setting(
            "time.pattern",
            "the pattern needs YYYY, MM and DD; with a clock column nothing but these",
        ));
    }
    if !clock.has_clock() {
        return Err(ProfileError::setting("time.pattern", "no time of day: add HH and mm, or a `clock_column`"));
    }
    let has_offset = clock.has_offset();
    if second.is_some() && first.has_offset() {
        return Err(ProfileError::setting("time.pattern", "the offset belongs to the time of day: move it to `clock_pattern`"));
    }
    if !has_offset && zone.is_none() {
        return Err(ProfileError::setting("time.zone", "times without an offset need a zone, such as Europe/Amsterdam"));
    }
    if !has_offset && !offsets.is_empty() {
        return Err(ProfileError::setting("time.offsets", "the pattern has no offset that could be checked"));
    }
    Ok((zone, offsets, TimeSource::Written { first: (slot, first), second, has_offset }))
}

pub(super) fn duration(compiler: &mut Compiler<'_>, raw: RawDuration, file: &FileForm) -> Checked<Duration> {
    check_range("duration.max_s", raw.max_s, 1, i64::from(i32::MAX))?;
    if raw.rounding.is_some() && raw.unit == RawDurationUnit::Clock {
        return Err(ProfileError::setting("duration.rounding", "hh:mm:ss has whole seconds alone: leave it out"));
    }
    Ok(Duration {
        slot: compiler.slot("duration", raw.column)?,
        unit: match raw.unit {
            RawDurationUnit::Seconds => DurationUnit::Seconds,
            RawDurationUnit::Minutes => DurationUnit::Minutes,
            RawDurationUnit::Milliseconds => DurationUnit::Milliseconds,
            RawDurationUnit::Clock => DurationUnit::Clock,
        },
        rounding: raw.rounding.map(|rounding| match rounding {
            RawDurationRounding::Up => DurationRounding::Up,
            RawDurationRounding::Down => DurationRounding::Down,
            RawDurationRounding::HalfUp => DurationRounding::HalfUp,
        }),
        // Without rounding no mark is looked for.
        decimal: if raw.rounding.is_some() { decimal_mark("duration.decimal", raw.decimal, file)? } else { b'.' },
        required: raw.required,
        empty_is_zero: raw.empty_is_zero,
        max_s: raw.max_s.unsigned_abs(),
    })
}

fn decimal_mark(key: &str, mark: char, file: &FileForm) -> Checked<u8> {
    let byte = u8::try_from(mark).ok().filter(|m| b".,".contains(m));
    let Some(byte) = byte else {
        return Err(ProfileError::setting(key, format!("{mark:?} is no decimal mark; `.` and `,` are")));
    };
    if byte == file.separator && file.quote.is_none() && file.is_delimited {
        return Err(ProfileError::setting(key, "the decimal mark is also the separator, and nothing is quoted"));
    }
    Ok(byte)
}

pub(super) fn volume(compiler: &mut Compiler<'_>, raw: RawVolume, file: &FileForm) -> Checked<Volume> {
    let (up, down) = match (raw.up, raw.down, raw.total) {
        (None, None, Some(total)) => (None, Some(total)),
        (up, down, None) if up.is_some() || down.is_some() => (up, down),
        _ => return Err(ProfileError::setting("volume", "needs `up` and `down`, or `total` alone")),
    };
    if ![1000, 1024].contains(&raw.kilo) {
        return Err(ProfileError::setting("volume.kilo", format!("a kilobyte has 1000 or 1024 bytes, not {}", raw.kilo)));
    }
    check_range("volume.max_bytes", raw.max_bytes, 1, i64::MAX / 2)?;
    let kilo = u64::from(raw.kilo);
    Ok(Volume {
        up: up.map(|c| compiler.slot("volume.up", c)).transpose()?,
        down: down.map(|c| compiler.slot("volume.down", c)).transpose()?,
        unit_bytes: match raw.unit {
            RawVolumeUnit::Bytes => 1,
            RawVolumeUnit::Kilobytes => kilo,
            RawVolumeUnit::Megabytes => kilo * kilo,
        },
        decimal: decimal_mark("volume.decimal", raw.decimal, file)?,
        required: raw.required,
        empty_is_zero: raw.empty_is_zero,
        max_bytes: raw.max_bytes.unsigned_abs(),
    })
}

pub(super) fn messages(compiler: &mut Compiler<'_>, raw: RawMessages) -> Checked<Messages> {
    check_range("messages.max", raw.max, 1, i64::from(i32::MAX))?;
    Ok(Messages { slot: compiler.slot("messages", raw.column)?, required: raw.required, max: raw.max.unsigned_abs() })
}

pub(super) fn network(compiler: &mut Compiler<'_>, raw: RawNetwork) -> Checked<NetworkForm> {
    Ok(NetworkForm {
        slot: compiler.slot("network", raw.column)?,
        mccmnc: raw.form != RawNetworkForm::Tadig,
        tadig: raw.form != RawNetworkForm::MccMnc,
        required: raw.required,
    })
}

pub(super) fn cost(compiler: &mut Compiler<'_>, raw: RawCost, file: &FileForm) -> Checked<Cost> {
    check_range("cost.places_max", i64::from(raw.places_max), 0, 9)?;
    check_range("cost.implied_places", i64::from(raw.implied_places), 0, 9)?;
    let words = compiler.words("cost.currency", std::slice::from_ref(&raw.currency))?;
    let slot = compiler.slot("cost", raw.column)?;
    let currency = raw.currency_column.map(|c| compiler.slot("cost.currency", c)).transpose()?;
    Ok(Cost {
        slot,
        currency: currency.map(|slot| (slot, words)),
        decimal: decimal_mark("cost.decimal", raw.decimal, file)?,
        places_max: usize::from(raw.places_max),
        implied_places: usize::from(raw.implied_places),
        negative: raw.negative,
        required: raw.required,
    })
}
