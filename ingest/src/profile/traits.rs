//! What tells one layout from another, read off the profiles themselves: the table of `tollway docs profiles`.

use std::fmt::Write;

use super::Profile;
use super::raw::{
    RawDurationUnit, RawEncoding, RawJsonRecords, RawKeyMode, RawProfile, RawReader, RawSkip, RawTime, RawVolume, RawVolumeUnit,
};

/// Eight things that layouts differ in, in the words of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutTraits {
    /// Between two fields; for a reader beside delimited text, what a record is.
    pub separator: String,
    /// How characters are written.
    pub encoding: String,
    /// The decimal mark of amounts and volumes; `-` where nothing has decimals.
    pub decimal: String,
    /// How times are written, and whether they say their offset.
    pub time: String,
    /// How full numbers are written, and which other identifiers there are.
    pub numbers: String,
    /// Of durations and volumes.
    pub units: String,
    /// What the last line announces.
    pub trailer: String,
    /// What names a record.
    pub key: String,
}

impl LayoutTraits {
    /// The headings of the table.
    pub const NAMES: [&str; 8] = ["separator", "encoding", "decimal mark", "time form", "number form", "units", "trailer", "key"];

    /// The eight, in the order of [`LayoutTraits::NAMES`].
    pub fn all(&self) -> [&str; 8] {
        [&self.separator, &self.encoding, &self.decimal, &self.time, &self.numbers, &self.units, &self.trailer, &self.key]
    }
}

impl Profile {
    /// The profile as it is written.
    fn raw(&self) -> RawProfile {
        toml::from_str(self.text()).expect("a loaded profile's text is a profile")
    }

    /// What tells this layout from others.
    pub fn traits(&self) -> LayoutTraits {
        let raw = self.raw();
        LayoutTraits {
            separator: separator(&raw),
            encoding: if raw.file.reader == RawReader::Tap3 { "BER" } else { encoding(raw.file.encoding) }.to_owned(),
            decimal: decimal(&raw),
            time: raw.time.as_ref().map_or_else(|| "-".to_owned(), time),
            numbers: numbers(&raw),
            units: units(&raw),
            trailer: match &raw.trailer {
                None if raw.file.reader == RawReader::Tap3 => "audit control: events, charge, tax".to_owned(),
                None => "none".to_owned(),
                Some(trailer) if trailer.sum_field.is_some() || trailer.sum_at.is_some() => {
                    format!("{}: rows, sum", code(&trailer.marker))
                }
                Some(trailer) => format!("{}: rows", code(&trailer.marker)),
            },
            key: match raw.record.key {
                RawKeyMode::Id => "id",
                RawKeyMode::IdAndContent => "id and content",
                RawKeyMode::Content => "content",
                RawKeyMode::ContentAndOccurrence => "content and occurrence",
            }
            .to_owned(),
        }
    }
}

/// A page with all profiles and what tells them apart.
pub fn layouts_markdown(profiles: &[Profile]) -> String {
    let mut text = "# Shipped layouts\n\nWhat `--profile NAME` knows. An *assumed* layout was written from descriptions, without a file of the \
        provider's own at hand: run `tollway profile check` with the first real one and correct it.\n\n| profile | layout |\n| --- | --- |\n"
        .to_owned();
    for profile in profiles {
        let assumed = if profile.assumed() { " (assumed layout)" } else { "" };
        line(&mut text, &[code(profile.name()), format!("{}{assumed}", profile.title())]);
    }
    text += "\n## What tells them apart\n\n";
    let heads = LayoutTraits::NAMES.map(str::to_owned);
    line(&mut text, &[&["profile".to_owned()][..], &heads].concat());
    line(&mut text, &vec!["---".to_owned(); heads.len() + 1]);
    for profile in profiles {
        let traits = profile.traits();
        let cells = traits.all().map(str::to_owned);
        line(&mut text, &[&[code(profile.name())][..], &cells].concat());
    }
    text +=
        "\n## Rate classes, and rows that are left out\n\n| profile | rate class | left out, by rule |\n| --- | --- | --- |\n";
    for profile in profiles {
        let raw = profile.raw();
        let class = raw.class.iter().flat_map(|c| std::iter::once(&c.column).chain(&c.with));
        let class: Vec<String> = class.map(code).collect();
        let left_out: Vec<String> = raw.skip.iter().map(skip_rule).collect();
        if !class.is_empty() || !left_out.is_empty() {
            line(&mut text, &[code(profile.name()), class.join(" with "), left_out.join("; ")]);
        }
    }
    text
}

/// A rule in words: `fee`: `Soort` is `Abonnement`.
fn skip_rule(rule: &RawSkip) -> String {
    let words = |texts: &[String]| texts.iter().map(code).collect::<Vec<_>>().join(" or ");
    let test = match (&rule.equals[..], &rule.not_equals[..], &rule.not_within[..]) {
        (equals @ [_, ..], ..) => format!("is {}", words(equals)),
        (_, not_equals @ [_, ..], _) => format!("is not {}", words(not_equals)),
        (.., paths @ [_, ..]) => format!("is not within {}", words(paths)),
        _ => "is empty".to_owned(),
    };
    format!("{}: {} {test}", code(&rule.rule), code(&rule.column))
}

/// A line of a table.
fn line(text: &mut String, cells: &[String]) {
    writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes all");
}

/// A text as code; a bar would end the table's cell.
fn code(text: impl ToString) -> String {
    format!("`{}`", text.to_string().replace('|', "\\|"))
}

fn separator(raw: &RawProfile) -> String {
    match raw.file.reader {
        RawReader::Delimited if raw.file.separator == '\t' => "tab".to_owned(),
        RawReader::Delimited => code(raw.file.separator),
        RawReader::FixedWidth => "fixed width".to_owned(),
        RawReader::Json => match raw.json.as_ref().map(|json| json.records) {
            Some(RawJsonRecords::Array) => "JSON array".to_owned(),
            _ => "JSON lines".to_owned(),
        },
        RawReader::Xml => raw.xml.as_ref().map_or_else(String::new, |xml| format!("XML {}", code(&xml.record))),
        RawReader::Tap3 => "TAP3".to_owned(),
    }
}

fn encoding(encoding: RawEncoding) -> &'static str {
    match encoding {
        RawEncoding::Utf8 => "UTF-8",
        RawEncoding::Latin1 => "Latin-1",
        RawEncoding::Windows1252 => "Windows-1252",
        RawEncoding::Utf16 => "UTF-16",
    }
}

fn decimal(raw: &RawProfile) -> String {
    let of_volume = raw.volume.as_ref().filter(|v| v.unit != RawVolumeUnit::Bytes).map(|v| v.decimal);
    if let Some(cost) = raw.cost.as_ref().filter(|cost| cost.implied_places > 0) {
        return format!("not written: {} places", cost.implied_places);
    }
    let marks: Vec<char> = raw.cost.as_ref().map(|c| c.decimal).into_iter().chain(of_volume).collect();
    match marks[..] {
        [] => "-".to_owned(),
        [one] => code(one),
        [cost, volume, ..] if cost == volume => code(cost),
        [cost, volume, ..] => format!("{} (volumes {})", code(cost), code(volume)),
    }
}

fn time(raw: &RawTime) -> String {
    if raw.pattern.starts_with("epoch") {
        return format!("{}, UTC", code(&raw.pattern));
    }
    let clock = raw.clock_pattern.as_ref().map_or_else(String::new, |p| format!(" and {}", code(p)));
    let last = raw.clock_pattern.as_ref().unwrap_or(&raw.pattern);
    let has_offset = last.ends_with('Z') || last.ends_with("hh:mm") || last.ends_with("hhmm");
    format!("{}{clock}, {}", code(&raw.pattern), if has_offset { "with offset" } else { "local" })
}

fn numbers(raw: &RawProfile) -> String {
    if raw.file.reader == RawReader::Tap3 {
        return "international, IMSI".to_owned();
    }
    let form = &raw.numbers;
    let mut forms: Vec<String> =
        raw.served.iter().flat_map(|s| &s.constant).map(|number| format!("always {}", code(number))).collect();
    let prefixes = [&form.national_prefix, &form.international_prefix];
    forms.extend(prefixes.iter().filter(|p| !p.is_empty()).map(|p| code(format!("{p}\u{2026}"))));
    if let Some(digits) = form.national_digits {
        forms.push(format!("{digits} national digits"));
    }
    if form.national_prefix.is_empty() && form.international_prefix.is_empty() {
        forms.push(format!("only {}", code(format!("{}\u{2026}", form.country_code))));
    }
    if !form.swap_for.is_empty() {
        forms.push("caller and called".to_owned());
    }
    forms.extend(raw.imsi.as_ref().map(|_| "IMSI".to_owned()));
    forms.extend(raw.iccid.as_ref().map(|_| "ICCID".to_owned()));
    forms.join(", ")
}

fn units(raw: &RawProfile) -> String {
    if raw.file.reader == RawReader::Tap3 {
        return "s, bytes".to_owned();
    }
    let duration = raw.duration.as_ref().map(|d| match d.unit {
        RawDurationUnit::Seconds => "s",
        RawDurationUnit::Minutes => "min",
        RawDurationUnit::Milliseconds => "ms",
        RawDurationUnit::Clock => "hh:mm:ss",
    });
    let volume = |v: &RawVolume| match v.unit {
        RawVolumeUnit::Bytes => "bytes".to_owned(),
        RawVolumeUnit::Kilobytes => format!("kB of {}", v.kilo),
        RawVolumeUnit::Megabytes => format!("MB of {} kB of {}", v.kilo, v.kilo),
    };
    let all: Vec<String> = duration.map(str::to_owned).into_iter().chain(raw.volume.as_ref().map(volume)).collect();
    all.join(", ")
}
