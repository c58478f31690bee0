//! Tables whose rows carry a bar: outcomes per file, suspense by reason, money by customer and by zone.

use super::chart::put;
use super::figures::{count, escape, money, percent};
use super::findings::size;
use super::{FileOutcomes, Share, SuspenseReason};

/// How many rows a table shows; the others are added up in a last one.
const SHOWN: usize = 12;

/// How many of `len` rows are shown: a single other one would gain nothing by being added up.
fn shown(len: usize) -> usize {
    if len == SHOWN + 1 { len } else { SHOWN }
}

/// Draws a bar of parts, each a class and a size, on a scale where `whole` is the full width.
fn bar(parts: &[(&str, u128)], whole: u128, html: &mut String) {
    html.push_str("<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let (mut before, mut left) = (0_u128, 0_u128);
    for (class, size) in parts {
        before += size;
        let right = (before.min(whole) * 1_000).checked_div(whole).unwrap_or(0);
        // What is there is seen: a part that is not zero is two thousandths wide at least.
        let right = if *size > 0 { right.max(left + 2).min(1_000) } else { right };
        if right > left {
            put(html, format_args!(r#"<rect class="{class}" x="{left}" width="{}" height="10"/>"#, right - left));
            left = right;
        }
    }
    html.push_str("</svg>");
}

/// One bar with the outcomes of all rows.
pub(super) fn outcomes(summary: &super::Summary) -> String {
    let mut html = String::from("<div class=\"all\">");
    let parts = [
        ("rated", summary.rated),
        ("suspense", summary.suspense),
        ("duplicate", summary.duplicates),
        ("resent", summary.resent),
        ("skipped", summary.skipped),
    ];
    bar(&parts.map(|(class, rows)| (class, rows.into())), summary.rows_in.into(), &mut html);
    html.push_str("</div>");
    html.push_str(&legend_of(&parts));
    html
}

fn legend_of(parts: &[(&str, u64)]) -> String {
    let mut html = String::from("<ul class=\"legend\">");
    for (name, rows) in parts {
        put(&mut html, format_args!("<li><i class=\"{name}\"></i>{name} <b>{}</b></li>", count(*rows)));
    }
    html.push_str("</ul>");
    html
}

/// Rows that were not rated, per file: the file with most suspense first.
pub(super) fn files(files: &[FileOutcomes]) -> String {
    let mut sorted: Vec<&FileOutcomes> = files.iter().collect();
    sorted.sort_by(|a, b| (b.suspense, b.not_rated()).cmp(&(a.suspense, a.not_rated())).then_with(|| a.name.cmp(&b.name)));
    let longest = sorted.iter().take(shown(sorted.len())).map(|f| f.not_rated()).max().unwrap_or(0);
    let mut html = String::from(
        "<table class=\"bars\"><thead><tr><th scope=\"col\">file</th><th scope=\"col\">rows that were not rated</th>\
         <th scope=\"col\" class=\"n\">suspense</th><th scope=\"col\" class=\"n\">duplicate</th><th scope=\"col\" class=\"n\">resent</th>\
         <th scope=\"col\" class=\"n\">skipped</th><th scope=\"col\" class=\"n\">rated</th></tr></thead><tbody>",
    );
    for file in sorted.iter().take(shown(sorted.len())) {
        write_file(&escape(&file.name), file, longest, true, &mut html);
    }
    if let Some(rest) = sorted.get(shown(sorted.len())..).filter(|rest| !rest.is_empty()) {
        let mut sum = FileOutcomes::default();
        for file in rest {
            sum.rated += file.rated;
            sum.suspense += file.suspense;
            sum.duplicates += file.duplicates;
            sum.resent += file.resent;
            sum.skipped += file.skipped;
        }
        write_file(&format!("{} more files together", count(rest.len() as u64)), &sum, longest, false, &mut html);
    }
    html.push_str("</tbody></table>");
    html
}

fn write_file(name: &str, file: &FileOutcomes, longest: u64, drawn: bool, html: &mut String) {
    put(html, format_args!("<tr{}><th scope=\"row\">{name}</th><td>", if drawn { "" } else { " class=\"rest\"" }));
    if drawn {
        let parts =
            [("suspense", file.suspense), ("duplicate", file.duplicates), ("resent", file.resent), ("skipped", file.skipped)];
        bar(&parts.map(|(class, rows)| (class, rows.into())), longest.into(), html);
    }
    html.push_str("</td>");
    for rows in [file.suspense, file.duplicates, file.resent, file.skipped] {
        put(html, format_args!("<td class=\"n\">{}</td>", count(rows)));
    }
    let share = percent(file.rated.into(), file.rows().into());
    put(html, format_args!("<td class=\"n\">{} <small>{share}</small></td></tr>", count(file.rated)));
}

/// Suspense by reason, most rows first.
pub(super) fn suspense(reasons: &[SuspenseReason], currency: &str) -> String {
    let mut sorted: Vec<&SuspenseReason> = reasons.iter().filter(|r| r.rows > 0).collect();
    sorted.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.reason.cmp(&b.reason)));
    let longest = sorted.first().map_or(0, |r| r.rows);
    let mut html = format!(
        "<table class=\"bars reasons\"><thead><tr><th scope=\"col\">reason</th><td></td><th scope=\"col\" class=\"n\">rows</th>\
         <th scope=\"col\" class=\"n\">at risk, {}</th><th scope=\"col\">what to do</th></tr></thead><tbody>",
        escape(currency)
    );
    for r in sorted {
        put(&mut html, format_args!("<tr><th scope=\"row\"><code>{}</code></th><td>", escape(&r.reason)));
        bar(&[("suspense", r.rows.into())], longest.into(), &mut html);
        let at_risk = match &r.at_risk {
            Some(amount) => format!("<td class=\"n\" title=\"{}\">{}</td>", escape(&amount.text), money(amount.nano)),
            None => "<td class=\"n dim\">unknown</td>".to_owned(),
        };
        let remedy = code(&r.remedy);
        put(&mut html, format_args!("</td><td class=\"n\">{}</td>{at_risk}<td class=\"do\">{remedy}</td></tr>", count(r.rows)));
    }
    html.push_str("</tbody></table>");
    html
}

/// A text for people in which commands stand between back ticks.
fn code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let mut html = String::new();
    for (i, part) in parts.iter().enumerate() {
        match (is_paired, i % 2) {
            (true, 1) => put(&mut html, format_args!("<code>{}</code>", escape(part))),
            (true, _) => html.push_str(&escape(part)),
            (false, _) => put(&mut html, format_args!("{}{}", if i > 0 { "`" } else { "" }, escape(part))),
        }
    }
    html
}

/// Money by customer or by zone, most first; `what` names the first column.
pub(super) fn shares(shares: &[Share], what: &str, currency: &str) -> String {
    let mut sorted: Vec<&Share> = shares.iter().collect();
    sorted.sort_by(|a, b| b.charge.nano.cmp(&a.charge.nano).then_with(|| a.name.cmp(&b.name)));
    let longest = sorted.first().map_or(0, |s| size(s.charge.nano));
    let all = sorted.iter().map(|s| size(s.charge.nano)).sum();
    let mut html = format!(
        "<table class=\"bars\"><thead><tr><th scope=\"col\">{what}</th><td></td>\
         <th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" class=\"n\">share</th><th scope=\"col\" class=\"n\">records</th></tr></thead>\
         <tbody>",
        escape(currency)
    );
    for s in sorted.iter().take(shown(sorted.len())) {
        put(&mut html, format_args!("<tr><th scope=\"row\">{}</th><td>", escape(&s.name)));
        bar(&[(if s.roaming { "roaming" } else { "money" }, size(s.charge.nano))], longest, &mut html);
        let share = percent(size(s.charge.nano), all);
        put(
            &mut html,
            format_args!(
                "</td><td class=\"n\" title=\"{}\">{}</td><td class=\"n\">{share}</td><td class=\"n\">{}</td></tr>",
                escape(&s.charge.text),
                money(s.charge.nano),
                count(s.rows)
            ),
        );
    }
    if let Some(rest) = sorted.get(shown(sorted.len())..).filter(|rest| !rest.is_empty()) {
        let (nano, rows): (i128, u64) = (rest.iter().map(|s| s.charge.nano).sum(), rest.iter().map(|s| s.rows).sum());
        let share = percent(size(nano), all);
        put(
            &mut html,
            format_args!(
                "<tr class=\"rest\"><th scope=\"row\">{} more together</th><td></td><td class=\"n\">{}</td><td class=\"n\">{share}</td>\
                 <td class=\"n\">{}</td></tr>",
                count(rest.len() as u64),
                money(nano),
                count(rows)
            ),
        );
    }
    html.push_str("</tbody></table>");
    html
}
