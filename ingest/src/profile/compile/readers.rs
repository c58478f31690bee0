//! Checks and compiles what a profile says about its reader: where columns stand, where records are, what TAP3 files hold.

use std::collections::BTreeMap;

use domain::nearest::hint;

use crate::profile::ProfileError;
use crate::profile::charset::Encoding;
use crate::profile::raw::{
    ColumnRef, RawAlign, RawEncoding, RawFile, RawJson, RawJsonRecords, RawProfile, RawReader, RawShortRows, RawSpan, RawTap3,
    RawTrailer, RawXml,
};
use crate::profile::recipe::{FileForm, Reader, Slot, Tap3Form};
use crate::records::fixed_width::{FixedWidth, Span};
use crate::records::json::JsonForm;
use crate::records::json::scan::DEPTH_LIMIT;
use crate::records::paths::{Path, Paths};
use crate::records::xml::{self, XmlForm};
use crate::tap3;

use super::{Checked, columns};

/// Most characters of a row of fixed width, and the last one of a column.
const WIDTH_MAX: u32 = 65_536;

/// Refuses what belongs to another reader: a setting that is silently ignored is a wrong declaration.
pub(super) fn check_sections(raw: &RawProfile) -> Checked<()> {
    let reader = raw.file.reader;
    let is_tap3 = reader == RawReader::Tap3;
    let has_lines = matches!(reader, RawReader::Delimited | RawReader::FixedWidth);
    let usual = RawFile::default();
    let file = &raw.file;
    for (key, is_there, is_allowed) in [
        ("columns", !raw.columns.is_empty(), reader == RawReader::FixedWidth),
        ("json", raw.json.is_some(), reader == RawReader::Json),
        ("xml", raw.xml.is_some(), reader == RawReader::Xml),
        ("tap3", raw.tap3.is_some(), is_tap3),
        ("trailer", raw.trailer.is_some(), has_lines),
        ("file.skip_lines", file.skip_lines > 0, has_lines),
        ("file.separator", file.separator != usual.separator, reader == RawReader::Delimited),
        ("file.quote", file.quote != usual.quote, reader == RawReader::Delimited),
        ("file.names", !file.names.is_empty(), reader == RawReader::Delimited),
        ("file.fields", file.fields.is_some(), reader == RawReader::Delimited),
        ("file.extra_fields", file.extra_fields != usual.extra_fields, reader == RawReader::Delimited),
        ("file.row_width", file.row_width.is_some(), reader == RawReader::FixedWidth),
        ("file.short_rows", file.short_rows != usual.short_rows, reader == RawReader::FixedWidth),
        ("file.encoding", file.encoding != usual.encoding, !matches!(reader, RawReader::Json | RawReader::Tap3)),
        ("file.encoding", file.encoding == RawEncoding::Utf16, has_lines),
    ] {
        if is_there && !is_allowed {
            return Err(ProfileError::setting(key, format!("the reader `{}` does not use it; take it out", word(reader))));
        }
    }
    for (key, is_there) in meanings(raw) {
        if is_tap3 && is_there {
            let problem = "the reader `tap3` knows what events mean; take it out, or see [tap3] for what can be set";
            return Err(ProfileError::setting(key, problem));
        }
    }
    if is_tap3 && raw.record.id.is_some() {
        return Err(ProfileError::setting("record.id", "the reader `tap3` knows the id of an event; take it out"));
    }
    Ok(())
}

/// The sections that say what columns mean.
fn meanings(raw: &RawProfile) -> [(&'static str, bool); 15] {
    [
        ("kind", raw.kind.is_some()),
        ("direction", raw.direction.is_some()),
        ("served", raw.served.is_some()),
        ("other", raw.other.is_some()),
        ("time", raw.time.is_some()),
        ("duration", raw.duration.is_some()),
        ("volume", raw.volume.is_some()),
        ("messages", raw.messages.is_some()),
        ("cost", raw.cost.is_some()),
        ("network", raw.network.is_some()),
        ("class", raw.class.is_some()),
        ("imsi", raw.imsi.is_some()),
        ("iccid", raw.iccid.is_some()),
        ("session", raw.session.is_some()),
        ("skip", !raw.skip.is_empty()),
    ]
}

/// The word of the profile.
fn word(reader: RawReader) -> &'static str {
    match reader {
        RawReader::Delimited => "delimited",
        RawReader::FixedWidth => "fixed-width",
        RawReader::Json => "json",
        RawReader::Xml => "xml",
        RawReader::Tap3 => "tap3",
    }
}

/// Refuses a column that the reader cannot find.
pub(super) fn check_column(raw: &RawProfile, role: &str, column: &ColumnRef) -> Checked<()> {
    let reader = raw.file.reader;
    let name = match column {
        _ if reader == RawReader::Delimited => return Ok(()),
        ColumnRef::Name(name) => name,
        ColumnRef::Position(position) => {
            let problem = format!("the reader `{}` has no positions; name the column instead of {position}", word(reader));
            return Err(ProfileError::setting(role, problem));
        }
    };
    match reader {
        RawReader::FixedWidth if !raw.columns.contains_key(name) => {
            let near = hint(name, raw.columns.keys().map(String::as_str));
            Err(ProfileError::setting(role, format!("[columns] has no column `{name}`{near}")))
        }
        RawReader::Json => json_path(role, name).map(|_| ()),
        RawReader::Xml => xml_path(role, name).map(|_| ()),
        _ => Ok(()),
    }
}

/// The names of a path with points between; a backslash takes the meaning of the character behind it.
fn json_path(key: &str, path: &str) -> Checked<Path> {
    let mut names = vec![String::new()];
    let mut rest = path.chars();
    while let Some(c) = rest.next() {
        let last = names.last_mut().expect("it begins with one name");
        match c {
            '.' => names.push(String::new()),
            '\\' => last.extend(rest.next()),
            c => last.push(c),
        }
    }
    if names.iter().any(String::is_empty) || names.len() > DEPTH_LIMIT as usize {
        let problem = format!("`{path}` is no path: names with points between are, such as `call.start`");
        return Err(ProfileError::setting(key, problem));
    }
    Ok(names.into_iter().map(String::into_bytes).collect())
}

fn path_of<'c>(columns: &'c [ColumnRef], roles: &[(&'static str, Slot)], at: usize) -> (&'static str, &'c str) {
    let role = roles.iter().find(|(_, slot)| slot.0 == at).map_or("columns", |(role, _)| role);
    let ColumnRef::Name(name) = &columns[at] else { return (role, "") };
    (role, name)
}

/// The columns that a whole file may lack: each must be one that the profile reads.
pub(super) fn may_lack(raw: &RawProfile, columns: &[ColumnRef]) -> Checked<Vec<String>> {
    let (key, paths) = match (&raw.json, &raw.xml) {
        (Some(json), _) => ("json.may_lack", &json.may_lack),
        (_, Some(xml)) => ("xml.may_lack", &xml.may_lack),
        (None, None) => return Ok(Vec::new()),
    };
    let known: Vec<String> = columns.iter().map(ToString::to_string).collect();
    if let Some(unknown) = paths.iter().find(|path| !known.contains(path)) {
        let near = hint(unknown, known.iter().map(String::as_str));
        return Err(ProfileError::setting(key, format!("no section reads `{unknown}`{near}")));
    }
    Ok(paths.clone())
}

/// The reader of a profile whose columns are known.
pub(super) fn reader(
    raw: &RawProfile,
    file: &FileForm,
    columns: &[ColumnRef],
    roles: &[(&'static str, Slot)],
) -> Checked<Reader> {
    match raw.file.reader {
        RawReader::Delimited => Ok(Reader::Delimited),
        RawReader::FixedWidth => fixed_width(raw, file.encoding, columns).map(Reader::FixedWidth),
        RawReader::Json => {
            let paths = (0..columns.len()).map(|at| path_of(columns, roles, at)).map(|(role, path)| json_path(role, path));
            json(raw.json.clone().unwrap_or_default(), &paths.collect::<Checked<Vec<_>>>()?)
        }
        RawReader::Xml => {
            let paths = (0..columns.len()).map(|at| path_of(columns, roles, at)).map(|(role, path)| xml_path(role, path));
            xml_form(raw.xml.as_ref(), file.encoding, &paths.collect::<Checked<Vec<_>>>()?).map(Reader::Xml)
        }
        RawReader::Tap3 => tap3(raw.tap3.clone().unwrap_or_default(), file).map(Reader::Tap3),
    }
}

fn fixed_width(raw: &RawProfile, encoding: Encoding, columns: &[ColumnRef]) -> Checked<FixedWidth> {
    let all: BTreeMap<&str, Span> =
        raw.columns.iter().map(|(name, s)| Ok((name.as_str(), span(name, s)?))).collect::<Checked<_>>()?;
    let of = |column: &ColumnRef| match column {
        ColumnRef::Name(name) => all.get(name.as_str()).copied(),
        ColumnRef::Position(_) => None,
    };
    let last = all.values().map(|span| span.to).max().unwrap_or(0);
    if let Some(width) = raw.file.row_width {
        columns::check_range("file.row_width", i64::from(width), 1, i64::from(WIDTH_MAX))?;
        if (width as usize) < last {
            let problem = format!("the last column ends at character {last}, behind the row's end at {width}");
            return Err(ProfileError::setting("file.row_width", problem));
        }
    }
    Ok(FixedWidth {
        spans: columns.iter().map(|c| of(c).expect("each was checked to be a name of [columns]")).collect(),
        width: raw.file.row_width.map_or(last, |width| width as usize),
        is_exact: raw.file.row_width.is_some(),
        pads: raw.file.short_rows == RawShortRows::Pad,
        encoding,
    })
}

fn span(name: &str, raw: &RawSpan) -> Checked<Span> {
    let key = format!("columns.{name}");
    columns::check_range(&format!("{key}.start"), i64::from(raw.start), 1, i64::from(WIDTH_MAX))?;
    columns::check_range(&format!("{key}.width"), i64::from(raw.width), 1, i64::from(WIDTH_MAX - raw.start + 1))?;
    let Some(pad) = u8::try_from(raw.pad).ok().filter(|c| (b' '..0x7f).contains(c)) else {
        return Err(ProfileError::setting(&key, format!("{:?} cannot fill a column up; one ASCII character can", raw.pad)));
    };
    if pad != b' ' && raw.align == RawAlign::Either {
        let problem =
            format!("say on which side the value stands, so that no `{}` of its own is cut off: `align = \"right\"`", raw.pad);
        return Err(ProfileError::setting(&key, problem));
    }
    if raw.pad == '0' && raw.align == RawAlign::Left {
        return Err(ProfileError::setting(&key, "zeros behind a value make it another one; they fill up to the left only"));
    }
    let from = raw.start as usize - 1;
    Ok(Span {
        from,
        to: from + raw.width as usize,
        pad,
        cuts_left: pad != b' ' && raw.align == RawAlign::Right,
        cuts_right: pad != b' ' && raw.align == RawAlign::Left,
    })
}

/// Where count and sum stand in a trailer of fixed width.
pub(super) fn trailer_spans(raw: &RawTrailer) -> Checked<(Span, Option<Span>)> {
    let Some(rows) = &raw.rows_at else {
        let problem = "where the count of rows stands: `rows_at = { start = 10, width = 6 }`";
        return Err(ProfileError::setting("trailer.rows_at", problem));
    };
    let digits = |raw: &RawSpan| digits_span("trailer", raw);
    Ok((digits(rows)?, raw.sum_at.as_ref().map(digits).transpose()?))
}

/// Where a number stands in a line of fixed width.
pub(in crate::profile) fn digits_span(name: &str, raw: &RawSpan) -> Checked<Span> {
    span(name, &RawSpan { align: RawAlign::Right, ..raw.clone() })
}

fn json(raw: RawJson, paths: &[Path]) -> Checked<Reader> {
    columns::check_range("json.depth_max", i64::from(raw.depth_max), 1, i64::from(DEPTH_LIMIT))?;
    if let Some((outer, inner)) = nested(paths) {
        let text = |path: &Path| path.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(".");
        let problem = format!("`{}` cannot be a value and hold `{}`", text(outer), text(inner));
        return Err(ProfileError::setting("columns", problem));
    }
    let list = if raw.path.is_empty() { Vec::new() } else { json_path("json.path", &raw.path)? };
    let form = JsonForm { paths: Paths::new(paths), depth_max: raw.depth_max, list };
    match raw.records {
        RawJsonRecords::Lines if !form.list.is_empty() => {
            Err(ProfileError::setting("json.path", "lines stand in no array; set `json.records` to array"))
        }
        RawJsonRecords::Lines => Ok(Reader::JsonLines(form)),
        RawJsonRecords::Array => Ok(Reader::JsonArray(form)),
    }
}

/// Two paths of which one leads on below the other.
fn nested(paths: &[Path]) -> Option<(&Path, &Path)> {
    paths.iter().find_map(|outer| {
        let inner = paths.iter().find(|inner| inner.len() > outer.len() && inner.starts_with(outer));
        inner.map(|inner| (outer, inner))
    })
}

/// The names of a path with slashes between; the last one may be an attribute, `@name`.
fn xml_path(key: &str, path: &str) -> Checked<Path> {
    let names: Vec<&str> = path.split('/').collect();
    let is_name = |name: &str| !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "<>&\"'=@".contains(c));
    let (last, outer) = names.split_last().expect("a split text has a part");
    if !is_name(last.strip_prefix('@').unwrap_or(last)) || !outer.iter().all(|name| is_name(name)) || names.len() > 256 {
        let problem = format!("`{path}` is no path: names with slashes between are, such as `Times/Start` or `Party/@number`");
        return Err(ProfileError::setting(key, problem));
    }
    Ok(names.into_iter().map(|name| name.as_bytes().to_vec()).collect())
}

fn xml_form(raw: Option<&RawXml>, encoding: Encoding, paths: &[Path]) -> Checked<XmlForm> {
    let Some(raw) = raw else {
        return Err(ProfileError::setting("xml.record", "where the records are: `record = \"Usage/Calls/Call\"`"));
    };
    columns::check_range("xml.depth_max", i64::from(raw.depth_max), 1, i64::from(xml::scan::DEPTH_LIMIT))?;
    let mut around = xml_path("xml.record", &raw.record)?;
    let record = around.pop().unwrap_or_default();
    if around.is_empty() || record.starts_with(b"@") {
        let problem = format!("`{}` must begin with the root element: `Usage/Call`", raw.record);
        return Err(ProfileError::setting("xml.record", problem));
    }
    let encoded = |name: Vec<u8>| encode(encoding, &name);
    let paths: Vec<Path> =
        paths.iter().map(|path| path.iter().cloned().map(encoded).collect::<Checked<_>>()).collect::<Checked<_>>()?;
    Ok(XmlForm {
        paths: Paths::new(&paths),
        around: around.into_iter().map(encoded).collect::<Checked<_>>()?,
        record: encoded(record)?,
        ignored: raw.ignore.iter().map(|name| encoded(name.clone().into_bytes())).collect::<Checked<_>>()?,
        depth_max: raw.depth_max,
        encoding,
    })
}

/// A name as the file writes it.
fn encode(encoding: Encoding, name: &[u8]) -> Checked<Vec<u8>> {
    let text = String::from_utf8_lossy(name);
    encoding
        .encode(&text)
        .ok_or_else(|| ProfileError::setting("xml", format!("`{text}` has characters that {} cannot write", encoding.name())))
}

fn tap3(raw: RawTap3, file: &FileForm) -> Checked<Tap3Form> {
    let cost_currency = columns::currency(&raw.cost_currency).map_err(|_| {
        ProfileError::setting("tap3.cost_currency", format!("`{}` is no currency; XDR is one", raw.cost_currency))
    })?;
    columns::check_range("tap3.event_bytes_max", i64::from(raw.event_bytes_max), 64, 16 * 1024 * 1024)?;
    columns::check_range("tap3.file_bytes_max", i64::try_from(raw.file_bytes_max).unwrap_or(i64::MAX), 1024, 1 << 32)?;
    columns::check_range("tap3.duration_max_s", raw.duration_max_s, 1, i64::from(i32::MAX))?;
    columns::check_range("tap3.volume_max_bytes", raw.volume_max_bytes, 1, i64::MAX / 2)?;
    Ok(Tap3Form {
        rules: tap3::Rules {
            cost_currency,
            event_bytes_max: raw.event_bytes_max as usize,
            raw_bytes_max: file.row_bytes_max,
            duration_s_max: raw.duration_max_s.unsigned_abs(),
            volume_bytes_max: raw.volume_max_bytes.unsigned_abs(),
            takes_tests: raw.takes_tests,
            skips_free_supplementary: raw.skips_free_supplementary,
        },
        file_bytes_max: raw.file_bytes_max,
    })
}

/// The columns that the reader `tap3` fills, under the roles of other profiles, with the item of TAP3 that each is read from.
pub(super) const TAP3_COLUMNS: [(&str, &str); 13] = [
    ("record.id", "callReference"),
    ("kind", "callEventDetail"),
    ("direction", "callEventDetail"),
    ("served", "chargeableSubscriber"),
    ("imsi", "imsi"),
    ("other", "calledNumber"),
    ("time", "callEventStartTimeStamp"),
    ("duration", "totalCallEventDuration"),
    ("volume.up", "dataVolumeOutgoing"),
    ("volume.down", "dataVolumeIncoming"),
    ("network", "servingNetwork"),
    ("class", "callTypeGroup"),
    ("cost", "charge"),
];
