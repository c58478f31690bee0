//! The page: summary, pictures in the order of the flow, and under each its figures and its query.

use super::chart::put;
use super::figures::{bytes, count, duration, escape, money, percent, places, short};
use super::{ReportData, Summary, bars, findings, hours, throughput};

const STYLE: &str = include_str!("style.css");

/// Draws the page: a whole HTML document without scripts, images or links to anywhere.
pub fn render(data: &ReportData) -> String {
    let mut html = String::with_capacity(200_000);
    let title = escape(&data.period);
    put(
        &mut html,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
             <meta name=\"color-scheme\" content=\"light dark\"/>\n<title>{title} · tollway</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        ),
    );
    write_header(data, &mut html);
    write_missing(&data.missing, &mut html);
    let (queries, currency) = (&data.queries, data.currency.as_str());
    let title = findings::of_hours(&data.hours);
    let drawing = format!("{}{}", hours::draw(&data.hours, &title), hours::legend(&data.hours));
    let outside = match data.hours.outside {
        0 => String::new(),
        n => format!("<p class=\"dim\">{} records started on other days: they came late, or their clock is wrong.</p>", count(n)),
    };
    write_picture("Records per hour", &title, &(drawing + &outside), Some(&hours::table(&data.hours)), &queries.hours, &mut html);
    let title = findings::of_files(&data.files);
    write_picture("Outcomes per file", &title, &bars::files(&data.files), None, &queries.files, &mut html);
    let title = findings::of_suspense(&data.suspense, currency);
    write_picture("Suspense by reason", &title, &bars::suspense(&data.suspense, currency), None, &queries.suspense, &mut html);
    let title = findings::of_customers(&data.customers);
    let table = bars::shares(&data.customers, "customer", currency);
    write_picture("Money by customer", &title, &table, None, &queries.customers, &mut html);
    let title = findings::of_zones(&data.zones);
    let mut table = bars::shares(&data.zones, "zone", currency);
    if data.zones.iter().any(|z| z.roaming) {
        table.push_str(
            "<ul class=\"legend\"><li><i class=\"money\"></i>from home</li><li><i class=\"roaming\"></i>roaming</li></ul>",
        );
    }
    write_picture("Money by zone", &title, &table, None, &queries.zones, &mut html);
    let title = findings::of_throughput(data);
    let drawing = throughput::draw(&data.throughput, &title);
    let figures = (!drawing.is_empty()).then(|| throughput::table(&data.throughput));
    write_picture("Throughput of the run", &title, &drawing, figures.as_deref(), &queries.throughput, &mut html);
    put(
        &mut html,
        format_args!(
            "<footer>tollway · {} · {}</footer>\n</main>\n</body>\n</html>\n",
            escape(&data.origin),
            escape(&data.made_at)
        ),
    );
    html
}

fn write_header(data: &ReportData, html: &mut String) {
    let s = &data.summary;
    put(html, format_args!("<header>\n<p class=\"kind\">{}</p>\n<h1>{}</h1>\n", escape(&data.origin), escape(&data.period)));
    put(html, format_args!("<p class=\"lead\">{}</p>\n</header>\n", lead(data)));
    html.push_str("<section class=\"summary\" aria-label=\"summary\">\n<div class=\"tiles\">\n");
    let currency = escape(&data.currency);
    let again = match s.resent_files {
        0 => bytes(s.bytes),
        1 => format!("{}, 1 sent again", bytes(s.bytes)),
        n => format!("{}, {} sent again", bytes(s.bytes), count(n)),
    };
    let rate = s.rows_in.saturating_mul(1_000).checked_div(s.elapsed_ms).unwrap_or(0);
    let pace = format!("{} rows a second", short(rate));
    let of_all = |rows: u64| places(rows.into(), s.rows_in.into());
    let charged = format!("<em>{currency}</em> {}", money(s.charge.nano));
    let tiles = [
        ("rows in", count(s.rows_in), format!("{} files, {again}", count(s.files))),
        ("charged", charged, format!("for {} rated rows", count(s.rated))),
        ("suspense", count(s.suspense), format!("{currency} {} at risk", money(s.at_risk.nano))),
        ("duplicate or resent", count(s.duplicates + s.resent), of_all(s.duplicates + s.resent)),
        ("time", duration(s.elapsed_ms), pace),
    ];
    for (name, figure, note) in tiles {
        put(html, format_args!("<div class=\"tile\"><span>{name}</span><b>{figure}</b><small>{note}</small></div>\n"));
    }
    html.push_str("</div>\n");
    html.push_str(&bars::outcomes(s));
    html.push_str("</section>\n");
}

/// The sentence under the headline: whether every row is accounted for.
fn lead(data: &ReportData) -> String {
    let s: &Summary = &data.summary;
    if s.rows_in == 0 {
        return "No rows came in.".to_owned();
    }
    let rated = places(s.rated.into(), s.rows_in.into());
    if s.is_balanced() {
        return format!(
            "{} rows came in, {rated} have a price, every one is accounted for <span class=\"ok\">✓</span>",
            count(s.rows_in)
        );
    }
    let found = s.rated + s.suspense + s.duplicates + s.resent + s.skipped;
    let missing = s.rows_in.abs_diff(found);
    format!(
        "{} rows came in and {} ended somewhere: <strong class=\"bad\">{} are not accounted for</strong>, {}",
        count(s.rows_in),
        count(found),
        count(missing),
        percent(missing.into(), s.rows_in.into())
    )
}

fn write_missing(missing: &[String], html: &mut String) {
    if missing.is_empty() {
        return;
    }
    html.push_str("<section class=\"missing\">\n<h2>What is missing</h2>\n<ul>\n");
    for sentence in missing {
        put(html, format_args!("<li>{}</li>\n", escape(sentence)));
    }
    html.push_str("</ul>\n</section>\n");
}

/// A picture under its finding, with its figures and its query folded away. `finding`, `picture` and `figures` are markup.
fn write_picture(kind: &str, finding: &str, picture: &str, figures: Option<&str>, query: &str, html: &mut String) {
    put(
        html,
        format_args!("<section>\n<p class=\"kind\">{kind}</p>\n<h2>{finding}</h2>\n<div class=\"picture\">{picture}</div>\n"),
    );
    if let Some(figures) = figures {
        put(html, format_args!("<details><summary>Figures</summary><div class=\"scroll\">{figures}</div></details>\n"));
    }
    if !query.is_empty() {
        put(html, format_args!("<details><summary>Query</summary><pre><code>{}</code></pre></details>\n", escape(query.trim())));
    }
    html.push_str("</section>\n");
}
