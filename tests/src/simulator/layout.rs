//! Rows as providers write them, and how this model reads them back: by splitting texts, without a line of the product.

use super::price_list::{self, LINES_MAX, Usage};

/// A shipped profile; together they use all four ways to make a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// `kpn-sp16`: the id names the record.
    Kpn,
    /// `asterisk-cdr-csv`: id and content together; unanswered rows are skipped.
    Asterisk,
    /// `job`: equal rows count once.
    Job,
    /// `routit`: the n-th equal row of a file is the n-th call.
    Routit,
}

/// The number that operators say was called: it lies in a zone, whatever the layout.
pub const EDITED: &str = "31201234567";

/// What is wrong with a row, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A usage kind that nobody knows.
    Kind,
    /// The 31st of November.
    Date,
    /// A duration that is none.
    Duration,
    /// The end of the row is missing.
    Short,
}

/// A call or text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The source's id.
    pub id: u64,
    /// The caller's line; later ones are nobody's before imports bring their owners.
    pub line: u64,
    /// Whether the number that was called lies in a zone of the tariff.
    pub zoned: bool,
    /// Day of October 2026; from 32 on in November.
    pub day: u64,
    /// Second of an hour.
    pub second: u64,
    /// Seconds, at least 1; 0 is a text message.
    pub seconds: u64,
    /// Whether somebody answered; only Asterisk tells.
    pub answered: bool,
    /// What is wrong with the row.
    pub flaw: Option<Flaw>,
}

/// What becomes of a row that is no copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A charge in nano-units.
    Rated(i64),
    /// In suspense for this reason.
    Suspense(&'static str),
    /// Left out by the profile's rule.
    Skipped,
}

/// A row as the model reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What names the record within its account.
    pub key: String,
    /// What must be equal too, where only the id is the key.
    pub content: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
}

/// What decides how a row ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its own bytes.
    Fixed(End),
    /// What is known of its line and its destination.
    Priced(Usage),
}

impl Reading {
    /// What becomes of it under a reference version.
    pub fn end(&self, version: u64) -> End {
        match self.fate {
            Fate::Fixed(end) => end,
            Fate::Priced(usage) => price_list::charge_nano(usage, version).map_or_else(End::Suspense, End::Rated),
        }
    }

    /// Whether it draws from what its line has free, under a reference version.
    pub fn draws(&self, version: u64) -> bool {
        matches!(self.fate, Fate::Priced(usage) if price_list::draws(usage, version))
    }

    /// The same if the number that was called lies in a zone.
    #[must_use]
    pub fn zoned(&self) -> Self {
        let fate = match self.fate {
            Fate::Priced(usage) => Fate::Priced(Usage { is_zoned: true, ..usage }),
            Fate::Fixed(end) => Fate::Fixed(end),
        };
        Self { fate, ..self.clone() }
    }

    /// Whether the profile leaves it out.
    pub fn is_skipped(&self) -> bool {
        self.fate == Fate::Fixed(End::Skipped)
    }
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kpn, Self::Asterisk, Self::Job, Self::Routit];

    /// The name of the shipped profile.
    pub fn profile(self) -> &'static str {
        match self {
            Self::Kpn => "kpn-sp16",
            Self::Asterisk => "asterisk-cdr-csv",
            Self::Job => "job",
            Self::Routit => "routit",
        }
    }

    /// The header line, if there is one.
    pub fn header(self) -> &'static str {
        match self {
            Self::Kpn => "RECORDID;SOORT;RICHTING;MSISDN;BESTEMMING;DATUM;TIJD;DUUR;VOLUME_KB;NETWERK;TARIEFKLASSE;BEDRAG\n",
            Self::Asterisk => "",
            Self::Job => "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n",
            Self::Routit => {
                "\u{feff}\"Type\",\"Direction\",\"CallingNumber\",\"CalledNumber\",\"StartTime\",\"Duration\",\"BytesUp\",\
                 \"BytesDown\",\"Network\",\"Costs\"\n"
            }
        }
    }

    /// The trailer line, if there is one, for so many rows.
    pub fn trailer(self, rows: usize) -> String {
        match self {
            // Each row costs one cent.
            Self::Kpn => format!("TRAILER;{rows};{},{:02}\n", rows / 100, rows % 100),
            Self::Asterisk | Self::Job | Self::Routit => String::new(),
        }
    }

    /// The caller's number of a line, country code first.
    pub fn msisdn(self, line: u64) -> u64 {
        let text = if self == Self::Asterisk { format!("1{}", american(line)) } else { format!("31{}", local(line)) };
        text.parse().expect("digits")
    }

    fn separator(self) -> char {
        if self == Self::Kpn { ';' } else { ',' }
    }

    /// The row of a call, without its line end. `quoted` writes the same row with quotes that it does not need.
    pub fn write(self, call: &Call, quoted: bool) -> String {
        let fields = self.fields(call);
        let end = if call.flaw == Some(Flaw::Short) { fields.len() - 2 } else { fields.len() };
        let always = self == Self::Routit || self == Self::Asterisk || (quoted && self == Self::Job);
        let written: Vec<String> = fields[..end].iter().map(|f| if always { format!("\"{f}\"") } else { f.clone() }).collect();
        written.join(&self.separator().to_string())
    }

    fn fields(self, call: &Call) -> Vec<String> {
        let text = call.seconds == 0;
        let (month, day) = match call.flaw {
            Some(Flaw::Date) => (11, 31),
            _ if call.day > 31 => (11, call.day - 31),
            _ => (10, call.day),
        };
        let clock = format!("10:{:02}:{:02}", call.second / 60 % 60, call.second % 60);
        let offset = if month == 10 { "+02:00" } else { "+01:00" };
        let kind = |voice: &str, sms: &str| match call.flaw {
            Some(Flaw::Kind) => "fax".to_owned(),
            _ if text => sms.to_owned(),
            _ => voice.to_owned(),
        };
        let duration = match call.flaw {
            Some(Flaw::Duration) => "abc".to_owned(),
            _ if text => String::new(),
            _ => call.seconds.to_string(),
        };
        let empty = String::new;
        match self {
            Self::Kpn => {
                let to = if call.zoned { "0201234567" } else { "004930123456" };
                let date = format!("{day:02}-{month:02}-2026");
                let id = format!("R{}", call.id);
                let head = [id, kind("SPRAAK", "SMS"), "UIT".to_owned(), format!("0{}", local(call.line)), to.to_owned()];
                head.into_iter().chain([date, clock, duration, empty(), empty(), empty(), "0,01".to_owned()]).collect()
            }
            Self::Job => {
                let start = format!("2026-{month:02}-{day:02}T{clock}{offset}");
                let head = [format!("r-{}", call.id), kind("voice", "sms"), international(call.line), called(call.zoned), start];
                head.into_iter()
                    .chain([duration, empty(), empty(), "MO".to_owned(), "20408".to_owned(), "0".to_owned()])
                    .collect()
            }
            Self::Routit => {
                let start = format!("2026-{month:02}-{day:02}T{clock}.0000000{offset}");
                let head = [kind("Voice", "Sms"), "Originating".to_owned(), international(call.line), called(call.zoned), start];
                head.into_iter().chain([duration, empty(), empty(), empty(), "0.01".to_owned()]).collect()
            }
            Self::Asterisk => {
                let to = if call.zoned { "9175550199" } else { "0114930123456" };
                let start = format!("2026-{month:02}-{day:02} {clock}");
                let seconds = if call.flaw == Some(Flaw::Duration) { "abc".to_owned() } else { call.seconds.to_string() };
                let word = |text: &str| text.to_owned();
                vec![
                    empty(),
                    american(call.line),
                    word(to),
                    word("office"),
                    word("desk"),
                    word("a"),
                    word("b"),
                    word("Dial"),
                    word("c"),
                    start.clone(),
                    start.clone(),
                    start,
                    seconds.clone(),
                    seconds,
                    word(if call.answered { "ANSWERED" } else { "NO ANSWER" }),
                    word("DOC"),
                    format!("u.{}", call.id),
                    empty(),
                ]
            }
        }
    }

    /// The rows of a file's text, copies not yet told apart.
    pub fn read(self, text: &str) -> Vec<Reading> {
        let body = text.strip_prefix(self.header()).unwrap_or(text);
        let mut seen: std::collections::HashMap<String, u64> = std::collections::HashMap::new();
        let rows = body.lines().filter(|line| !line.starts_with("TRAILER"));
        rows.map(|line| {
            let mut reading = self.read_row(line);
            let is_malformed = matches!(reading.fate, Fate::Fixed(End::Suspense(_)));
            if is_malformed || (self == Self::Routit && !reading.is_skipped()) {
                let count = seen.entry(reading.key.clone()).or_default();
                reading.key = format!("{} #{count}", reading.key);
                *count += 1;
            }
            reading
        })
        .collect()
    }

    fn read_row(self, line: &str) -> Reading {
        let fields: Vec<&str> = line.split(self.separator()).map(|f| f.trim_matches('"')).collect();
        let malformed =
            |reason| Reading { key: format!("malformed {line}"), content: None, fate: Fate::Fixed(End::Suspense(reason)) };
        let wanted = match self {
            Self::Kpn => 12,
            Self::Asterisk => 18,
            Self::Job => 11,
            Self::Routit => 10,
        };
        if fields.len() != wanted {
            return malformed("malformed.columns");
        }
        let (kind, from, to, start, seconds) = match self {
            Self::Kpn => (fields[1], fields[3], fields[4], fields[5], fields[7]),
            Self::Asterisk => ("voice", fields[1], fields[2], fields[9], fields[13]),
            Self::Job => (fields[1], fields[2], fields[3], fields[4], fields[5]),
            Self::Routit => (fields[0], fields[2], fields[3], fields[4], fields[5]),
        };
        let plain = fields.join(",");
        let (key, content) = if self == Self::Kpn { (fields[0].to_owned(), Some(plain)) } else { (plain, None) };
        if self == Self::Asterisk && fields[14] != "ANSWERED" {
            return Reading { key, content, fate: Fate::Fixed(End::Skipped) };
        }
        if kind == "fax" {
            return malformed("malformed.type");
        }
        if start.starts_with("31-11") || start.starts_with("2026-11-31") {
            return malformed("malformed.time");
        }
        let is_text = kind.eq_ignore_ascii_case("sms");
        let seconds: i64 = match seconds.parse() {
            Ok(seconds) => seconds,
            Err(_) if is_text => 0,
            Err(_) => return malformed("malformed.duration"),
        };
        let line = (0..LINES_MAX).find(|line| from.ends_with(&local(*line)) || from.ends_with(&american(*line)));
        let is_zoned = ["0201234567", "+31201234567", "9175550199"].contains(&to);
        let usage = Usage { line: line.unwrap_or(LINES_MAX), is_zoned, is_text, seconds };
        Reading { key, content, fate: Fate::Priced(usage) }
    }
}

/// The Dutch mobile number of a line without country or prefix.
pub fn local(line: u64) -> String {
    format!("6123400{line:02}")
}

/// The American number of a line.
pub fn american(line: u64) -> String {
    format!("91755501{line:02}")
}

fn international(line: u64) -> String {
    format!("+31{}", local(line))
}

fn called(zoned: bool) -> String {
    if zoned { "+31201234567" } else { "+4930123456" }.to_owned()
}
