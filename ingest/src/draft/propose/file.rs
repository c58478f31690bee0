//! How the file is written, and its trailer.

use crate::draft::decision::{Confidence, Section, quoted, quoted_list};
use crate::draft::delimited::Separated;
use crate::draft::encoding::Writing;
use crate::draft::form::{Form, Place};
use crate::draft::looks;
use crate::draft::survey::Surveyed;
use crate::draft::table::LastLine;

use super::Findings;

/// `[file]`.
pub(super) fn section(found: &Findings<'_>) -> Section {
    let mut section = Section::new("file");
    for left_out in &found.survey.left_out {
        section.questions.push(format!("{left_out}: it was left out of this draft; is it of another layout?"));
    }
    let files = &found.survey.files;
    let rows: u64 = files.iter().map(|file| file.table.row_count).sum();
    let odd: u64 = files.iter().map(|file| file.table.odd_rows).sum();
    if odd > 0 {
        section
            .questions
            .push(format!("{odd} of {rows} rows have another number of fields and will be malformed.columns: what are they?"));
    }
    reader(&files[0].form, &mut section);
    if let Some(first) = files[0].separated() {
        separator(found, first, &mut section);
    }
    // JSON is UTF-8.
    if !matches!(files[0].form, Form::JsonLines | Form::JsonArray { .. }) {
        encoding(files, &mut section);
    }
    if files[0].separated().is_some() {
        header(found, &mut section);
    } else if files[0].table.skip_lines > 0 {
        let because = "what stands before the rows is shorter or longer than they are";
        section.set("skip_lines", files[0].table.skip_lines.to_string(), Confidence::of(80), because);
    }
    section
}

/// The reader, where it is not the usual one.
fn reader(form: &Form, section: &mut Section) {
    let (word, because) = match form {
        Form::Delimited(_) => return,
        Form::JsonLines => ("json", "each line is an object"),
        Form::JsonArray { .. } => ("json", "it holds an array of objects"),
        Form::Xml { .. } => ("xml", "it is XML"),
        Form::FixedWidth { .. } => ("fixed-width", "its lines are as long as each other, and nothing separates fields"),
    };
    let confidence = if word == "fixed-width" { Confidence::of(85) } else { Confidence::CERTAIN };
    section.set("reader", quoted(word), confidence, because);
}

/// `[json]`, `[xml]` or `[columns]`: where the records and their columns are.
pub(super) fn places(found: &Findings<'_>) -> Option<Section> {
    let first = &found.survey.files[0];
    let mut section = match &first.form {
        Form::Delimited(_) => return None,
        Form::JsonLines => {
            let mut section = Section::new("json");
            section.set("records", quoted("lines"), Confidence::CERTAIN, "each line is an object");
            section
        }
        Form::JsonArray { path, others } => json_array(path, *others),
        Form::Xml { record, beside, is_alone } => xml(record, beside, *is_alone),
        Form::FixedWidth { places, .. } => columns(found, places),
    };
    if !first.table.lists.is_empty() {
        let lists: Vec<String> = first.table.lists.iter().take(6).map(|path| format!("`{path}`")).collect();
        section.questions.push(format!(
            "records hold lists, of which nothing is read: {}. Does anything in them have to be rated? Then ask the source for a \
             record each",
            lists.join(", ")
        ));
    }
    Some(section)
}

fn json_array(path: &str, others: usize) -> Section {
    let mut section = Section::new("json");
    section.set("records", quoted("array"), Confidence::CERTAIN, "objects stand in an array");
    let question = (others > 0).then(|| "there are other arrays of objects: is this the one with the records?".to_owned());
    let confidence = Confidence::of(if others > 0 { 75 } else { 95 });
    if !path.is_empty() || question.is_some() {
        section.add("path", quoted(path), confidence, "it is the array with the most objects", question);
    }
    section
}

fn xml(record: &str, beside: &[String], is_alone: bool) -> Section {
    let mut section = Section::new("xml");
    if is_alone {
        let question = "it comes once: is it the record, or what holds them? Draft again with a file of several".to_owned();
        section.ask("record", quoted(record), Confidence::GUESS, "it is the element with the most fields", question);
    } else {
        section.set("record", quoted(record), Confidence::of(90), "no other element comes again and covers as much");
    }
    if !beside.is_empty() {
        let question = "these elements stand beside the records: is it right that they mean nothing?".to_owned();
        let names = quoted_list(beside.iter().map(String::as_str));
        section.ask("ignore", names, Confidence::of(70), "they are no records", question);
    }
    section
}

fn columns(found: &Findings<'_>, places: &[Place]) -> Section {
    let mut section = Section::new("columns");
    section.questions.push(
        "these columns are guessed from what stands at each place of the lines: compare every start and width with the record \
         description, numbers that stand without a blank between them above all"
            .to_owned(),
    );
    for (at, place) in places.iter().enumerate() {
        let value = format!("{{ start = {}, width = {} }}", place.from + 1, place.to - place.from);
        let texts = found.column(at).texts.keys().take(2).map(|text| format!("`{}`", domain::number::mask_digits(text)));
        let because = format!("values such as {}", texts.collect::<Vec<_>>().join(", "));
        section.set(&found.names[at], value, Confidence::of(45), because);
    }
    section
}

fn separator(found: &Findings<'_>, first: &Separated, section: &mut Section) {
    let all = || found.survey.files.iter().filter_map(Surveyed::separated);
    let share = all().map(|separated| separated.share).min().unwrap_or(0);
    let because = format!("{share} in 100 lines have {} fields under it", first.fields);
    let confidence = Confidence::of(share as u64);
    section.set("separator", quoted(&char::from(first.separator).to_string()), confidence, because);
    let mut quotes: Vec<Option<u8>> = all().filter(|s| s.has_quotes || s.quote.is_none()).map(|s| s.quote).collect();
    quotes.sort_unstable();
    quotes.dedup();
    match quotes[..] {
        [] => section.set("quote", quoted("\""), Confidence::of(90), "no field is quoted; this is the usual mark"),
        [Some(quote)] => {
            let because = "fields are quoted, and every quote ends";
            section.set("quote", quoted(&char::from(quote).to_string()), Confidence::CERTAIN, because);
        }
        [None] => {
            let question = "quotes open fields and do not end: is it right that nothing is quoted?".to_owned();
            section.ask("quote", quoted(""), Confidence::of(80), "quotes do not end", question);
        }
        _ => {
            let quote = quotes.iter().flatten().next().map_or(String::new(), |quote| char::from(*quote).to_string());
            let question = "the files differ in what quotes their fields: which is right?".to_owned();
            section.ask("quote", quoted(&quote), Confidence::GUESS, "the files contradict each other", question);
        }
    }
}

fn encoding(files: &[Surveyed], section: &mut Section) {
    let has = |writing: Writing| files.iter().any(|file| file.writing == writing);
    let count = |of: fn(&Surveyed) -> u64| files.iter().map(of).sum::<u64>();
    let (foreign, broken) = (count(|file| file.foreign_lines), count(|file| file.broken_lines));
    let with_mark = files.iter().filter(|file| file.has_mark).count();
    let one_byte = has(Writing::OneByte) || has(Writing::Windows1252);
    let seen = format!("{foreign} lines have characters beyond ASCII");
    if has(Writing::Utf16) {
        section.set("encoding", quoted("utf-16"), Confidence::CERTAIN, "its byte order mark opens the file");
        section.set("bom", quoted("required"), Confidence::CERTAIN, "it tells the byte order");
        return;
    }
    if one_byte && (has(Writing::Utf8) || with_mark > 0) {
        let of = |wanted: fn(Writing) -> bool| -> Vec<&str> {
            files.iter().filter(|file| wanted(file.writing)).map(|file| file.name.as_str()).collect()
        };
        let utf8 = of(|writing| writing == Writing::Utf8).join(", ");
        let others = of(|writing| matches!(writing, Writing::OneByte | Writing::Windows1252)).join(", ");
        let question = format!("the files contradict each other: {utf8} in UTF-8, {others} not. Which will come?");
        section.ask("encoding", quoted("utf-8"), Confidence::GUESS, "the files contradict each other", question);
    } else if broken > 0 {
        let (name, what) = if one_byte { ("windows-1252", "Windows-1252") } else { ("utf-8", "UTF-8") };
        let question =
            format!("{broken} of the {foreign} lines with characters beyond ASCII are no {what}; will they come right?");
        section.ask("encoding", quoted(name), Confidence::of(70), seen, question);
    } else if has(Writing::Windows1252) {
        section.set("encoding", quoted("windows-1252"), Confidence::of(95), format!("{seen}, some of which Latin-1 has not"));
    } else if one_byte {
        let because = format!("{seen} and are no UTF-8; Windows-1252 reads all that Latin-1 reads");
        section.set("encoding", quoted("windows-1252"), Confidence::of(90), because);
    } else if has(Writing::Utf8) && foreign > 0 {
        section.set("encoding", quoted("utf-8"), Confidence::CERTAIN, format!("{seen}, all of them UTF-8"));
    } else if with_mark > 0 {
        section.set("encoding", quoted("utf-8"), Confidence::CERTAIN, "its byte order mark opens the file");
    } else {
        let question =
            "every character is ASCII, which reads the same in all of them: utf-8, latin-1 or windows-1252?".to_owned();
        section.ask("encoding", quoted("utf-8"), Confidence::USUAL, "every character is ASCII", question);
    }
    if with_mark > 0 {
        let because = format!("{with_mark} of {} files begin with the mark", files.len());
        section.set("bom", quoted("optional"), Confidence::CERTAIN, because);
    }
}

fn header(found: &Findings<'_>, section: &mut Section) {
    let files = &found.survey.files;
    let first = &files[0].table;
    match &first.header {
        Some(_) if first.header_is_sure => {
            section.set("header", quoted("names"), Confidence::CERTAIN, "its words are those of headers");
        }
        Some(_) => {
            let question = "does the first line name the columns? No word of it is known here".to_owned();
            section.ask("header", quoted("names"), Confidence::of(75), "its first line has no values", question);
        }
        None => section.set("header", quoted("none"), Confidence::of(90), "its first line has values like all others"),
    }
    let mut skips: Vec<usize> = files.iter().map(|file| file.table.skip_lines).collect();
    skips.sort_unstable();
    skips.dedup();
    if skips != [0] {
        let value = first.skip_lines.to_string();
        let because = "what stands before it has other fields";
        if skips.len() == 1 {
            section.set("skip_lines", value, Confidence::of(95), because);
        } else {
            let question = format!("the files differ in the lines before the header ({skips:?}): how many will there be?");
            section.ask("skip_lines", value, Confidence::GUESS, because, question);
        }
    }
    if first.header.is_none() {
        let question = "no line names the columns: are these names right? They are for people and for the settings below";
        let names = quoted_list(found.names.iter().map(String::as_str));
        section.ask("names", names, Confidence::of(60), "made up from what the values look like", question.to_owned());
    }
    if first.has_extra_fields {
        let question = "rows have one field more than the header, an empty one: does a separator always end them?".to_owned();
        section.ask("extra_fields", quoted("ignore"), Confidence::of(85), "rows end in a separator", question);
    }
}

/// `[trailer]`, if the last line of a file is no row.
pub(super) fn trailer(found: &Findings<'_>) -> Option<Section> {
    let all: Vec<&Surveyed> = found.survey.files.iter().collect();
    let with: Vec<(&Surveyed, &LastLine)> = all.iter().filter_map(|file| Some((*file, file.table.trailer.as_ref()?))).collect();
    let (file, last) = *with.first()?;
    if let Form::FixedWidth { count_at, .. } = &file.form {
        return count_at.map(|place| counted_lines(last, place));
    }
    let marker = &last.fields[0];
    let Some(rows_field) = count_field(last) else {
        let question = format!(
            "the last line begins with `{}` and gives no count of rows: it is no trailer that a profile can check, and will be \
             one malformed row of each file",
            shown(marker)
        );
        return Some(Section::left_out("trailer", question));
    };
    let counts = last.rows.is_some_and(|rows| last.fields[rows_field].trim().parse() == Ok(rows));
    if let (false, Some(rows)) = (counts, last.rows) {
        let said = &last.fields[rows_field];
        let question = format!(
            "the last line, `{}`, says {said}, but there are {rows} rows: what does it count? A profile compares the count of rows; \
             without a trailer the line is one malformed row of each file",
            shown(marker)
        );
        return Some(Section::left_out("trailer", question));
    }
    let mut section = Section::new("trailer");
    let differs = with.iter().find(|(_, other)| other.fields[0] != *marker);
    match (differs, with.len() == all.len()) {
        (Some((other, _)), _) => {
            let question = format!("the last line of `{}` begins otherwise: which is right?", other.name);
            section.ask("marker", quoted(marker), Confidence::GUESS, "the files contradict each other", question);
        }
        (None, false) => {
            let lacks = all.iter().find(|file| file.table.trailer.is_none()).map_or("", |file| file.name.as_str());
            let question = format!("`{lacks}` has no such last line and would be refused as truncated: was it cut off?");
            section.ask("marker", quoted(marker), Confidence::of(60), "most files end with it", question);
        }
        _ => section.set("marker", quoted(marker), Confidence::of(95), "no row begins with it, and the last line does"),
    }
    if counts {
        section.set("rows_field", rows_field.to_string(), Confidence::CERTAIN, "it is the number of rows");
    } else {
        let question = "the sample does not hold all rows: is this field their number?".to_owned();
        section.ask("rows_field", rows_field.to_string(), Confidence::of(75), "it is a whole number", question);
    }
    sum_field(found, file, last, rows_field, &mut section);
    Some(section)
}

/// The trailer of lines of fixed width.
fn counted_lines(last: &LastLine, place: Place) -> Section {
    let mut section = Section::new("trailer");
    section.set("marker", quoted(&last.fields[0]), Confidence::of(90), "no row begins with it, and the last line does");
    let value = format!("{{ start = {}, width = {}, pad = \"0\" }}", place.from + 1, place.to - place.from);
    let question = "it is the number of rows: is the column as wide as that?".to_owned();
    section.ask("rows_at", value, Confidence::of(85), "it is the number of rows", question);
    section
}

/// The field with the count: the one that is right, else the first whole number.
fn count_field(last: &LastLine) -> Option<usize> {
    let numbers = || last.fields.iter().enumerate().skip(1).filter_map(|(at, f)| Some((at, f.trim().parse::<u64>().ok()?)));
    let right = numbers().find(|(_, number)| Some(*number) == last.rows);
    right.or_else(|| numbers().next()).map(|(at, _)| at)
}

/// A number is not shown: a trailer that is none may be a row.
fn shown(marker: &str) -> String {
    domain::number::mask_digits(marker)
}

/// The field with the sum of the cost column.
fn sum_field(found: &Findings<'_>, file: &Surveyed, last: &LastLine, rows_field: usize, section: &mut Section) {
    let Some(cost) = &found.roles.cost else { return };
    let mark = super::units::cost_mark(found.column(cost.at));
    let rest = last.fields.iter().enumerate().skip(1).filter(|(at, _)| *at != rows_field);
    let sums: Vec<(usize, i128)> = rest.filter_map(|(at, field)| Some((at, looks::nano(field, mark)?))).collect();
    let Some(first) = sums.first() else { return };
    let is_alone = found.survey.files.len() == 1 && file.is_whole && file.table.has_all_rows();
    let values = &found.column(cost.at).values;
    let sum: i128 = values.iter().filter_map(|value| looks::nano(value, mark)).sum();
    if let Some((at, _)) = sums.iter().find(|(_, nano)| is_alone && *nano == sum) {
        section.set("sum_field", at.to_string(), Confidence::CERTAIN, "it is the sum of the costs");
    } else {
        let question = format!("is this field the sum of {}? If it is not, remove the line", found.shown(cost.at));
        section.ask("sum_field", first.0.to_string(), Confidence::of(60), "it is an amount", question);
    }
}
