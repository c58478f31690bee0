//! From the profile as written to the profile ready for use: every check that can be made without a file is made here.

mod columns;
pub(super) mod readers;

use domain::delivery::KeyMode;
use domain::money::Currency;

use super::charset::Encoding;
use super::numbering::{FileNumbering, FileRhythm};
use super::raw::{
    ColumnRef, RawBlankLines, RawBom, RawEmptyFile, RawEncoding, RawExtraFields, RawFile, RawHeader, RawProfile, RawReader,
    RawSkip, RawTrailer,
};
use super::recipe::{Bom, Branches, FileForm, Reader, Recipe, SkipRule, SkipTest, Slot, Trailer, TrailerPlace, Words};
use super::{Profile, ProfileError, layout};

/// Most columns that a file may have.
pub(super) const FIELDS_MAX: u32 = 4096;

/// Most lines that may be skipped before the header.
const SKIP_LINES_MAX: u32 = 100;

type Checked<T> = Result<T, ProfileError>;

pub(in crate::profile) use columns::check_range;
pub(crate) use columns::usual_numbers;

/// Collects the columns that the profile names and knows how its texts are written.
struct Compiler<'r> {
    raw: &'r RawProfile,
    encoding: Encoding,
    columns: Vec<ColumnRef>,
    roles: Vec<(&'static str, Slot)>,
}

impl Compiler<'_> {
    /// The slot of a column, noted under the section that reads it.
    fn slot(&mut self, role: &'static str, column: ColumnRef) -> Checked<Slot> {
        match &column {
            ColumnRef::Name(name) if name.trim().is_empty() => {
                return Err(ProfileError::setting(role, "a column's name is empty; give its name or its position from 0"));
            }
            ColumnRef::Position(position) if *position >= FIELDS_MAX => {
                return Err(ProfileError::setting(
                    role,
                    format!("column {position} is beyond the limit of {FIELDS_MAX} columns"),
                ));
            }
            _ => readers::check_column(self.raw, role, &column)?,
        }
        let place = self.columns.iter().position(|c| *c == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        });
        self.roles.push((role, Slot(place)));
        Ok(Slot(place))
    }

    /// The columns of a reader that knows what they mean.
    fn add_known_columns(&mut self) {
        for (role, item) in readers::TAP3_COLUMNS {
            let column = ColumnRef::Name(item.to_owned());
            let place = self.columns.iter().position(|c| *c == column).unwrap_or(self.columns.len());
            if place == self.columns.len() {
                self.columns.push(column);
            }
            self.roles.push((role, Slot(place)));
        }
    }

    /// A text of the profile as the file writes it.
    fn encode(&self, key: &str, text: &str) -> Checked<Vec<u8>> {
        self.encoding.encode(text).ok_or_else(|| {
            ProfileError::setting(key, format!("`{text}` has characters that {} cannot write", self.encoding.name()))
        })
    }

    fn words(&self, key: &str, texts: &[String]) -> Checked<Words<()>> {
        let entries = texts.iter().map(|t| self.encode(key, t).map(|bytes| (bytes, ()))).collect::<Checked<Vec<_>>>()?;
        Ok(Words::new(entries))
    }

    fn branches(&self, paths: &[String], level_mark: char) -> Checked<Branches> {
        let Some(level_mark) = u8::try_from(level_mark).ok().filter(u8::is_ascii_punctuation) else {
            let problem = format!("{level_mark:?} cannot divide the levels of a path; `/` or `>` can");
            return Err(ProfileError::setting("skip.level_mark", problem));
        };
        let branch = |path: &String| match path.trim_end_matches(char::from(level_mark)) {
            "" => Err(ProfileError::setting("skip.not_within", "a path is empty; name a branch of the tree")),
            path => self.encode("skip.not_within", path).map(Into::into),
        };
        Ok(Branches { paths: paths.iter().map(branch).collect::<Checked<Vec<_>>>()?, level_mark })
    }

    fn skip(&mut self, raw: RawSkip) -> Checked<SkipRule> {
        let key = "skip";
        if raw.rule.is_empty() || !raw.rule.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            let problem = format!("rule `{}` needs a name of letters, digits and `-_.`", raw.rule);
            return Err(ProfileError::setting("skip.rule", problem));
        }
        let test = match (&raw.equals[..], &raw.not_equals[..], raw.empty, &raw.not_within[..]) {
            (equals @ [_, ..], [], false, []) => SkipTest::Equals(self.words(key, equals)?),
            ([], not_equals @ [_, ..], false, []) => SkipTest::NotEquals(self.words(key, not_equals)?),
            ([], [], true, []) => SkipTest::Empty,
            ([], [], false, paths @ [_, ..]) => SkipTest::NotWithin(self.branches(paths, raw.level_mark)?),
            _ => {
                let problem =
                    format!("rule `{}` needs exactly one of `equals`, `not_equals`, `not_within` and `empty = true`", raw.rule);
                return Err(ProfileError::setting(key, problem));
            }
        };
        Ok(SkipRule { name: raw.rule, slot: self.slot("skip", raw.column)?, test })
    }
}

/// Checks everything and compiles it.
pub(super) fn compile(raw: RawProfile, text: &str) -> Checked<Profile> {
    check_name(&raw)?;
    readers::check_sections(&raw)?;
    let mut file = file_form(raw.file.clone())?;
    let mut compiler = Compiler { raw: &raw, encoding: file.encoding, columns: Vec::new(), roles: Vec::new() };
    let trailer = raw.trailer.clone().map(|t| trailer(&compiler, t, raw.cost.is_some(), &file)).transpose()?;
    let recipe = match raw.file.reader {
        RawReader::Tap3 => {
            compiler.add_known_columns();
            None
        }
        _ => Some(recipe(&mut compiler, raw.clone(), &file)?),
    };
    let reader = readers::reader(&raw, &file, &compiler.columns, &compiler.roles)?;
    if raw.file.reader == RawReader::Delimited {
        check_columns(&compiler, &file)?;
    } else {
        // The reader hands over the columns of the profile, in its order and nothing else.
        file.names = compiler.columns.iter().map(ToString::to_string).collect();
        file.fields = file.names.len();
    }
    let cost_currency = match &reader {
        Reader::Tap3(form) => form.rules.cost_currency,
        _ => raw.cost.as_ref().map_or(Ok(Currency::EUR), |c| columns::currency(&c.currency))?,
    };
    let may_lack = readers::may_lack(&raw, &compiler.columns)?;
    let (columns, roles) = (compiler.columns, compiler.roles);
    let numbering = raw.sequence.as_ref().map(|sequence| FileNumbering::compile(sequence, &raw)).transpose()?;
    let rhythm = raw.rhythm.as_ref().map(FileRhythm::compile).transpose()?;
    Ok(Profile {
        numbering,
        rhythm,
        label: format!("{}@{}", raw.name, raw.version).into(),
        name: raw.name,
        version: raw.version,
        title: raw.title,
        provider: raw.provider,
        assumed: raw.assumed,
        key_mode: raw.record.key.into(),
        delivery_mode: raw.record.delivery.into(),
        cost_currency,
        text: text.to_owned(),
        file,
        reader,
        trailer,
        recipe,
        columns,
        may_lack,
        roles,
    })
}

/// What to do with each row.
fn recipe(compiler: &mut Compiler<'_>, raw: RawProfile, file: &FileForm) -> Checked<Recipe> {
    let key_mode = KeyMode::from(raw.record.key);
    let record_id = raw.record.id.map(|c| compiler.slot("record.id", c)).transpose()?;
    if record_id.is_none() && matches!(key_mode, KeyMode::Id | KeyMode::IdAndContent) {
        return Err(ProfileError::setting("record.id", "the record key needs the column of the record id; add `id = \"...\"`"));
    }
    let served = wanted("served", raw.served)?;
    let (zone, offsets, time) = columns::time(compiler, wanted("time", raw.time)?)?;
    Ok(Recipe {
        record_id,
        kind: columns::choice(compiler, "kind", wanted("kind", raw.kind)?)?,
        direction: columns::choice(compiler, "direction", wanted("direction", raw.direction)?)?,
        swap_for: columns::swap_for(&raw.numbers, &served, raw.other.as_ref())?,
        numbers: columns::number_form(raw.numbers)?,
        served: columns::party(compiler, "served", served)?,
        other: raw.other.map(|p| columns::party(compiler, "other", p)).transpose()?,
        imsi: raw.imsi.map(|c| columns::column(compiler, "imsi", c)).transpose()?,
        iccid: raw.iccid.map(|c| columns::column(compiler, "iccid", c)).transpose()?,
        time,
        zone,
        offsets,
        duration: raw.duration.map(|d| columns::duration(compiler, d, file)).transpose()?,
        volume: raw.volume.map(|v| columns::volume(compiler, v, file)).transpose()?,
        messages: raw.messages.map(|m| columns::messages(compiler, m)).transpose()?,
        network: raw.network.map(|n| columns::network(compiler, n)).transpose()?,
        class: raw.class.map(|c| columns::class(compiler, c)).transpose()?,
        cost: raw.cost.map(|c| columns::cost(compiler, c, file)).transpose()?,
        session: raw.session.map(|s| columns::session(compiler, s)).transpose()?,
        skip: raw.skip.into_iter().map(|s| compiler.skip(s)).collect::<Checked<Vec<_>>>()?,
    })
}

/// A section that only `tap3` goes without.
fn wanted<T>(key: &str, section: Option<T>) -> Checked<T> {
    section.ok_or_else(|| ProfileError::setting(key, format!("a layout needs the section [{key}]")))
}

fn check_name(raw: &RawProfile) -> Checked<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if raw.name.is_empty() || raw.name.len() > 48 || !raw.name.chars().all(plain) {
        let problem = format!("`{}` is no name: 1 to 48 small letters, digits and `-` are", raw.name);
        return Err(ProfileError::setting("name", problem));
    }
    if raw.version == 0 {
        return Err(ProfileError::setting("version", "versions count from 1"));
    }
    Ok(())
}

fn file_form(raw: RawFile) -> Checked<FileForm> {
    let separator =
        u8::try_from(raw.separator).ok().filter(|c| *c == b'\t' || c.is_ascii_graphic() && !c.is_ascii_alphanumeric());
    let Some(separator) = separator.filter(|c| !b"\"'-+.".contains(c)) else {
        let problem = format!("{:?} cannot separate fields; `,` `;` `|` `:` or a tab can", raw.separator);
        return Err(ProfileError::setting("file.separator", problem));
    };
    let quote = match raw.quote.as_bytes() {
        [] => None,
        [quote @ (b'"' | b'\'')] if *quote != separator => Some(*quote),
        _ => {
            let problem =
                format!("`{}` cannot quote fields; `\"` or `'` can, and an empty text says that nothing does", raw.quote);
            return Err(ProfileError::setting("file.quote", problem));
        }
    };
    let is_delimited = raw.reader == RawReader::Delimited;
    let has_header = is_delimited && raw.header == RawHeader::Names;
    let fields = if is_delimited { field_count(&raw, has_header)? } else { 0 };
    for (key, value, low, high) in [
        ("file.fields", fields, 0, FIELDS_MAX),
        ("file.skip_lines", raw.skip_lines, 0, SKIP_LINES_MAX),
        ("file.row_bytes_max", raw.row_bytes_max, 64, 16 * 1024 * 1024),
        ("file.invalid_percent_max", u32::from(raw.invalid_percent_max), 0, 100),
    ] {
        columns::check_range(key, i64::from(value), i64::from(low), i64::from(high))?;
    }
    Ok(FileForm {
        is_delimited,
        separator,
        quote,
        encoding: match raw.encoding {
            RawEncoding::Utf8 => Encoding::Utf8,
            RawEncoding::Latin1 => Encoding::Latin1,
            RawEncoding::Windows1252 => Encoding::Windows1252,
            RawEncoding::Utf16 if raw.bom == RawBom::Absent => {
                let problem = "the mark tells the byte order of utf-16, so it cannot be absent";
                return Err(ProfileError::setting("file.bom", problem));
            }
            RawEncoding::Utf16 => Encoding::Utf16,
        },
        bom: match raw.bom {
            RawBom::Optional => Bom::Optional,
            RawBom::Required => Bom::Required,
            RawBom::Absent => Bom::Absent,
        },
        has_header,
        skip_lines: raw.skip_lines,
        names: raw.names,
        fields: fields as usize,
        takes_extra_fields: raw.extra_fields == RawExtraFields::Ignore,
        ignores_blank_lines: raw.blank_lines == RawBlankLines::Ignore,
        row_bytes_max: raw.row_bytes_max as usize,
        invalid_percent_max: u64::from(raw.invalid_percent_max),
        empty_is_heartbeat: raw.empty_file == RawEmptyFile::Heartbeat,
    })
}

/// How many fields a row has; 0 where the header will tell.
fn field_count(raw: &RawFile, has_header: bool) -> Checked<u32> {
    let count = u32::try_from(raw.names.len()).unwrap_or(u32::MAX);
    match (has_header, count, raw.fields) {
        (true, 0, None) => Ok(0),
        (true, _, _) => {
            Err(ProfileError::setting("file.header", "a file whose header names the columns needs no `names` or `fields`"))
        }
        (false, 0, None | Some(0)) => {
            Err(ProfileError::setting("file.fields", "a file without a header needs `names` or `fields`"))
        }
        (false, 0, Some(fields)) => Ok(fields),
        (false, names, None) => Ok(names),
        (false, names, Some(fields)) if names == fields => Ok(fields),
        (false, names, Some(fields)) => {
            let problem = format!("`names` has {names} columns and `fields` says {fields}; give one of them");
            Err(ProfileError::setting("file.fields", problem))
        }
    }
}

fn trailer(compiler: &Compiler<'_>, raw: RawTrailer, has_cost: bool, file: &FileForm) -> Checked<Trailer> {
    let marker = compiler.encode("trailer.marker", &raw.marker)?;
    let is_delimited = compiler.raw.file.reader == RawReader::Delimited;
    let breaks = |c: &u8| *c < b' ' || is_delimited && (*c == file.separator || Some(*c) == file.quote);
    if marker.is_empty() || marker.len() > 64 || marker.iter().any(breaks) {
        let problem = format!("`{}` must be 1 to 64 characters without separator and quote", raw.marker);
        return Err(ProfileError::setting("trailer.marker", problem));
    }
    if (raw.sum_field.is_some() || raw.sum_at.is_some()) && !has_cost {
        return Err(ProfileError::setting("trailer.sum_field", "the sum is of the cost column; add a [cost] section"));
    }
    if !is_delimited {
        let (rows, sum) = readers::trailer_spans(&raw)?;
        return Ok(Trailer { marker, rows: TrailerPlace::Span(rows), sum: sum.map(TrailerPlace::Span) });
    }
    if raw.rows_at.is_some() || raw.sum_at.is_some() {
        return Err(ProfileError::setting("trailer.rows_at", "places are for files of fixed width; give `rows_field`"));
    }
    if raw.rows_field == 0 || raw.rows_field >= FIELDS_MAX {
        return Err(ProfileError::setting("trailer.rows_field", "field 0 is the marker; the count stands behind it"));
    }
    if raw.sum_field.is_some_and(|f| f == 0 || f == raw.rows_field || f >= FIELDS_MAX) {
        return Err(ProfileError::setting("trailer.sum_field", "the sum must have a field of its own behind the marker"));
    }
    Ok(Trailer {
        marker,
        rows: TrailerPlace::Field(raw.rows_field as usize),
        sum: raw.sum_field.map(|f| TrailerPlace::Field(f as usize)),
    })
}

/// Checks what can be said about columns without a file: where there is no header, all must be known.
fn check_columns(compiler: &Compiler<'_>, file: &FileForm) -> Checked<()> {
    if file.has_header {
        return Ok(());
    }
    for (role, slot) in &compiler.roles {
        let place = layout::find(&compiler.columns[slot.0], &file.names).map_err(|problem| {
            ProfileError::setting(role, problem.replace("the header has no column", "`file.names` has no column"))
        })?;
        if place >= file.fields {
            let problem = format!("column {place} (counted from 0) is beyond the {} fields of a row", file.fields);
            return Err(ProfileError::setting(role, problem));
        }
    }
    Ok(())
}
