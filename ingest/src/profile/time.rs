//! Time patterns: `DD-MM-YYYY HH:mm:SS` compiled to masks that test all fixed characters and digits of a text at once.

/// Longest fixed part of a pattern: four machine words.
const FIXED_BYTES_MAX: usize = 32;

/// What follows the fixed part of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fraction {
    /// No fraction.
    None,
    /// After this mark.
    Always(u8),
    /// After this mark, which may be missing together with the fraction.
    Maybe(u8),
}

/// How an offset from UTC is written at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetForm {
    /// There is none.
    None,
    /// `+hh:mm`.
    Colon,
    /// `+hhmm`.
    Plain,
    /// `Z` or `+hh:mm`.
    Zulu,
}

/// Where the parts of date and time stand in the fixed part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Places {
    pub year: Option<u8>,
    pub month: Option<u8>,
    pub day: Option<u8>,
    pub hour: Option<u8>,
    pub minute: Option<u8>,
    pub second: Option<u8>,
    /// The sign of the offset, where it is part of the fixed text, and its minutes.
    pub offset: Option<(u8, u8)>,
}

/// A compiled pattern: a fixed part of digits and literals, then perhaps a fraction and an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimePattern {
    pub length: usize,
    /// The literal characters in their places, and `0` where a digit must stand; of a digit only the high half is compared.
    pub expected: [u64; 4],
    pub compared: [u64; 4],
    /// The bit that shows, once six was added, where the low half of a digit is beyond nine.
    pub beyond_nine: [u64; 4],
    pub places: Places,
    pub fraction: Fraction,
    pub offset: OffsetForm,
}

impl TimePattern {
    /// Compiles a pattern; the error says what is wrong with it.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let (fixed, fraction, offset) = split_tail(pattern);
        let mut compiled = Self {
            length: 0,
            expected: [0; 4],
            compared: [0; 4],
            beyond_nine: [0; 4],
            places: Places::default(),
            fraction,
            offset,
        };
        let mut rest = fixed;
        while !rest.is_empty() {
            rest = compiled.take_token(rest, pattern)?;
        }
        if compiled.length == 0 {
            return Err(format!("`{pattern}` has no date and no time; an example is `YYYY-MM-DD HH:mm:SS`"));
        }
        compiled.take_offset();
        Ok(compiled)
    }

    /// Makes an offset of fixed length that follows the fixed part a piece of it, if there is room.
    fn take_offset(&mut self) {
        let colon = match self.offset {
            OffsetForm::Colon => Some(b':'),
            OffsetForm::Plain => None,
            OffsetForm::None | OffsetForm::Zulu => return,
        };
        let at = self.length;
        let length = 5 + usize::from(colon.is_some());
        let (Fraction::None, Ok(sign), true) = (self.fraction, u8::try_from(at), at + length <= FIXED_BYTES_MAX) else { return };
        let minutes = sign + 3 + u8::from(colon.is_some());
        // The sign is one of two characters, so it is looked at later.
        self.length += 1;
        for literal in [None, None].into_iter().chain(colon.map(Some)).chain([None, None]) {
            self.put(literal);
        }
        self.places.offset = Some((sign, minutes));
        self.offset = OffsetForm::None;
    }

    /// Whether texts of this pattern say their offset.
    pub fn has_offset(&self) -> bool {
        self.offset != OffsetForm::None || self.places.offset.is_some()
    }

    fn take_token<'a>(&mut self, rest: &'a str, pattern: &str) -> Result<&'a str, String> {
        const TOKENS: [(&str, usize); 6] = [("YYYY", 4), ("MM", 2), ("DD", 2), ("HH", 2), ("mm", 2), ("SS", 2)];
        let at = u8::try_from(self.length).unwrap_or(u8::MAX);
        if let Some((token, digits)) = TOKENS.into_iter().find(|(t, _)| rest.starts_with(t)) {
            let place = match token {
                "YYYY" => &mut self.places.year,
                "MM" => &mut self.places.month,
                "DD" => &mut self.places.day,
                "HH" => &mut self.places.hour,
                "mm" => &mut self.places.minute,
                _ => &mut self.places.second,
            };
            if place.replace(at).is_some() {
                return Err(format!("`{pattern}` has `{token}` twice"));
            }
            for _ in 0..digits {
                self.push(None, pattern)?;
            }
            return Ok(&rest[digits..]);
        }
        let literal = rest.chars().next().expect("the caller stops at an empty rest");
        if !literal.is_ascii_graphic() && literal != ' ' || literal.is_ascii_alphanumeric() && literal != 'T' {
            return Err(format!(
                "`{pattern}` has `{literal}`, which is none of YYYY MM DD HH mm SS .F [.F] +hh:mm +hhmm Z and no fixed character"
            ));
        }
        self.push(u8::try_from(literal).ok(), pattern)?;
        Ok(&rest[1..])
    }

    /// Adds a literal, or a digit for `None`.
    fn push(&mut self, literal: Option<u8>, pattern: &str) -> Result<(), String> {
        if self.length == FIXED_BYTES_MAX {
            return Err(format!("`{pattern}` is longer than {FIXED_BYTES_MAX} characters"));
        }
        self.put(literal);
        Ok(())
    }

    /// As [`TimePattern::push`], where there is room.
    fn put(&mut self, literal: Option<u8>) {
        let (word, shift) = (self.length / 8, self.length % 8 * 8);
        self.expected[word] |= u64::from(literal.unwrap_or(b'0')) << shift;
        if literal.is_some() {
            self.compared[word] |= 0xff << shift;
        } else {
            self.compared[word] |= 0xf0 << shift;
            self.beyond_nine[word] |= 0x10 << shift;
        }
        self.length += 1;
    }

    /// Whether it names a day.
    pub fn has_date(&self) -> bool {
        self.places.year.is_some() && self.places.month.is_some() && self.places.day.is_some()
    }

    /// Whether it names a time of day, at least to the minute.
    pub fn has_clock(&self) -> bool {
        self.places.hour.is_some() && self.places.minute.is_some()
    }
}

/// Cuts fraction and offset off the end of a pattern.
fn split_tail(pattern: &str) -> (&str, Fraction, OffsetForm) {
    let offsets = [("+hh:mm", OffsetForm::Colon), ("+hhmm", OffsetForm::Plain), ("Z", OffsetForm::Zulu)];
    let (rest, offset) = offsets
        .into_iter()
        .find_map(|(text, form)| pattern.strip_suffix(text).map(|rest| (rest, form)))
        .unwrap_or((pattern, OffsetForm::None));
    let fractions = [
        ("[.F]", Fraction::Maybe(b'.')),
        ("[,F]", Fraction::Maybe(b',')),
        (".F", Fraction::Always(b'.')),
        (",F", Fraction::Always(b',')),
    ];
    let (rest, fraction) = fractions
        .into_iter()
        .find_map(|(text, form)| rest.strip_suffix(text).map(|rest| (rest, form)))
        .unwrap_or((rest, Fraction::None));
    (rest, fraction, offset)
}

/// Seconds east of UTC of `+hh:mm` or `-hh:mm`.
pub(crate) fn offset_seconds(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).filter(|c| c.is_ascii_digit()).map(|c| i32::from(c - b'0'));
    let (hours, minutes) = (digit(1)? * 10 + digit(2)?, digit(4)? * 10 + digit(5)?);
    let sign = match bytes.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    (bytes.len() == 6 && bytes[3] == b':' && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}
