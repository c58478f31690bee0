//! Rows per second over the run, between one sample and the next.

use super::Sample;
use super::chart::{Frame, open, put, t};
use super::figures::{count, duration, short};
use super::findings::rates;

/// At most so many columns: more samples are thinned out.
const COLUMNS: usize = 240;

/// The drawing; nothing without samples.
pub(super) fn draw(samples: &[Sample], title: &str) -> String {
    let rates = rates(&thinned(samples));
    let (Some((_, end, _)), Some(largest)) = (rates.last().copied(), rates.iter().map(|r| r.2).max()) else {
        return String::new();
    };
    let frame = Frame::new(end, largest);
    let mut svg = String::new();
    let description =
        format!("Rows per second over {}, {} samples, at most {} a second", duration(end), rates.len(), short(largest));
    open("throughput", title, &description, &mut svg);
    frame.write_scale(&mut svg);
    let mut path = format!("M{} {}", t(frame.x(0)), t(frame.y(0)));
    for (from, to, rate) in &rates {
        let y = t(frame.y(*rate));
        put(&mut path, format_args!("L{} {y}L{} {y}", t(frame.x(*from)), t(frame.x(*to))));
    }
    put(&mut path, format_args!("L{} {}Z", t(frame.x(end)), t(frame.y(0))));
    put(&mut svg, format_args!(r#"<path class="area" d="{path}"/>"#));
    for quarter in 0..=4 {
        let at = end * quarter / 4;
        frame.write_label(at, &duration(at), &mut svg);
    }
    svg.push_str("</svg>");
    svg
}

/// Every n-th sample and the last one.
fn thinned(samples: &[Sample]) -> Vec<Sample> {
    let every = samples.len().div_ceil(COLUMNS).max(1);
    let mut sorted = samples.to_vec();
    sorted.sort_by_key(|s| (s.at_ms, s.rows));
    let last = sorted.len().saturating_sub(1);
    sorted.into_iter().enumerate().filter(|(i, _)| *i == last || i % every == 0).map(|(_, s)| s).collect()
}

/// The figures.
pub(super) fn table(samples: &[Sample]) -> String {
    let mut html = String::from(
        "<table><thead><tr><th scope=\"col\" class=\"n\">from</th><th scope=\"col\" class=\"n\">to</th>\
         <th scope=\"col\" class=\"n\">rows a second</th></tr></thead><tbody>",
    );
    for (from, to, rate) in rates(&thinned(samples)) {
        let (from, to, rate) = (duration(from), duration(to), count(rate));
        put(&mut html, format_args!("<tr><td class=\"n\">{from}</td><td class=\"n\">{to}</td><td class=\"n\">{rate}</td></tr>"));
    }
    html.push_str("</tbody></table>");
    html
}
