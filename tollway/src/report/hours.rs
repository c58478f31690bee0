//! Records per hour over the month: a line per kind, weekends shaded.

use super::Hours;
use super::chart::{Frame, open, put, t};
use super::figures::{count, escape};
use super::findings::{busiest, totals};

/// How many lines have a colour of their own; further kinds share the last.
pub(super) const COLOURS: usize = 5;

/// At most so many days have their name under the axis.
const LABELS: usize = 16;

/// The drawing.
pub(super) fn draw(hours: &Hours, title: &str) -> String {
    let positions = (hours.days.len() * 24) as u64;
    let largest = hours.series.iter().flat_map(|s| &s.per_hour).copied().max().unwrap_or(0);
    let frame = Frame::new(positions, largest);
    let mut svg = String::new();
    let kinds: Vec<String> =
        hours.series.iter().map(|s| format!("{} {}", escape(&s.name), count(s.per_hour.iter().sum()))).collect();
    let description = format!("Records per hour of {} days, a line per kind: {}", hours.days.len(), kinds.join(", "));
    open("hours", title, &description, &mut svg);
    let every = hours.days.len().div_ceil(LABELS).max(1);
    for (i, day) in hours.days.iter().enumerate() {
        let first = i as u64 * 24;
        if day.weekend {
            frame.write_band(first, first + 24, &mut svg);
        }
        if i % every == 0 {
            frame.write_label(first + 12, &day.label, &mut svg);
        }
    }
    frame.write_scale(&mut svg);
    for (i, series) in hours.series.iter().enumerate().rev() {
        put(&mut svg, format_args!(r#"<polyline class="line k{}" points=""#, i.min(COLOURS - 1)));
        for (hour, records) in (0..positions).zip(&series.per_hour) {
            put(&mut svg, format_args!("{},{} ", t(frame.x(hour)), t(frame.y(*records))));
        }
        svg.push_str("\"/>");
    }
    write_busiest(hours, &frame, &mut svg);
    svg.push_str("</svg>");
    svg
}

/// A mark at the hour that the title names, above all lines.
fn write_busiest(hours: &Hours, frame: &Frame, svg: &mut String) {
    let Some((position, records)) = busiest(hours) else { return };
    let highest = hours.series.iter().filter_map(|s| s.per_hour.get(position)).max().copied().unwrap_or(0);
    let (x, y) = (frame.x(position as u64), frame.y(highest));
    put(svg, format_args!(r#"<circle class="peak" cx="{}" cy="{}" r="3.5"/>"#, t(x), t(y)));
    let (class, x) = if x > 7_500 { ("note end", x - 40) } else { ("note", x - 30) };
    put(svg, format_args!(r#"<text class="{class}" x="{}" y="{}">{} records</text>"#, t(x), t(y - 80), count(records)));
}

/// The names of the lines with their colours.
pub(super) fn legend(hours: &Hours) -> String {
    let mut html = String::from("<ul class=\"legend\">");
    for (i, series) in hours.series.iter().enumerate() {
        let all = count(series.per_hour.iter().sum());
        put(&mut html, format_args!("<li><i class=\"b{}\"></i>{} <b>{all}</b></li>", i.min(COLOURS - 1), escape(&series.name)));
    }
    html.push_str("</ul>");
    html
}

/// The figures per day.
pub(super) fn table(hours: &Hours) -> String {
    let mut html = String::from("<table><thead><tr><th scope=\"col\">day</th>");
    for series in &hours.series {
        put(&mut html, format_args!("<th scope=\"col\" class=\"n\">{}</th>", escape(&series.name)));
    }
    html.push_str("<th scope=\"col\" class=\"n\">busiest hour</th></tr></thead><tbody>");
    let all = totals(hours);
    for (i, day) in hours.days.iter().enumerate() {
        put(&mut html, format_args!("<tr><th scope=\"row\">{}</th>", escape(&day.label)));
        for series in &hours.series {
            let records: u64 = series.per_hour.iter().skip(i * 24).take(24).sum();
            put(&mut html, format_args!("<td class=\"n\">{}</td>", count(records)));
        }
        let busiest = (0..24).rev().max_by_key(|hour| all[i * 24 + hour]).unwrap_or(0);
        put(&mut html, format_args!("<td class=\"n\">{busiest:02}:00, {}</td></tr>", count(all[i * 24 + busiest])));
    }
    html.push_str("</tbody></table>");
    html
}
