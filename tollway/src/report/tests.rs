//! A hand-made month through the page: is it well-formed, is every figure there, is every text harmless.

use super::*;

fn amount(text: &str) -> Amount {
    let (units, places) = text.split_once('.').unwrap_or((text, ""));
    Amount { text: text.to_owned(), nano: format!("{units}{places:0<9}").parse().expect("a decimal") }
}

fn file(name: &str, rated: u64, suspense: u64, duplicates: u64) -> FileOutcomes {
    FileOutcomes { name: name.to_owned(), rated, suspense, duplicates, ..FileOutcomes::default() }
}

fn share(name: &str, rows: u64, charge: &str, roaming: bool) -> Share {
    Share { name: name.to_owned(), rows, charge: amount(charge), roaming }
}

fn reason(reason: &str, rows: u64, at_risk: Option<&str>, remedy: &str) -> SuspenseReason {
    SuspenseReason { reason: reason.to_owned(), rows, at_risk: at_risk.map(amount), remedy: remedy.to_owned() }
}

/// Spaces that do not break as plain ones.
fn plain(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

/// Two days, three files, all outcomes: 1,000 rows.
fn sample() -> ReportData {
    let mut voice = vec![3; 48];
    voice[34] = 77;
    ReportData {
        period: "October 2026".to_owned(),
        origin: "demo · seed 42".to_owned(),
        made_at: "2026-11-01 08:00 CET".to_owned(),
        currency: "EUR".to_owned(),
        summary: Summary {
            files: 3,
            resent_files: 1,
            bytes: 27_412_000,
            rows_in: 1_000,
            rated: 983,
            suspense: 9,
            duplicates: 5,
            resent: 2,
            skipped: 1,
            charge: amount("1208.114230"),
            at_risk: amount("7.421000"),
            elapsed_ms: 6_840,
            peak_bytes: 212_000_000,
        },
        hours: Hours {
            days: vec![Day { label: "Sat 3".to_owned(), weekend: true }, Day { label: "Mon 5".to_owned(), weekend: false }],
            series: vec![
                Series { name: "voice".to_owned(), per_hour: voice },
                Series { name: "data".to_owned(), per_hour: vec![2; 48] },
            ],
            outside: 17,
        },
        files: vec![file("good.csv", 500, 0, 0), file("bad.csv", 283, 8, 5), file("fair.csv", 200, 1, 0)],
        suspense: vec![
            reason("malformed.time", 2, None, "look at the raw row"),
            reason("no_device", 7, Some("7.421000"), "import it with `tollway import devices`"),
        ],
        customers: vec![
            share("Bakkerij Jansen", 300, "708.114230", false),
            share("Haven Logistiek", 600, "400.000000", false),
            share("Garage Hendriks", 83, "100.000000", false),
        ],
        zones: vec![share("NL-MOB", 953, "712.787396", false), share("ROAM-EU", 30, "495.326834", true)],
        throughput: vec![Sample { at_ms: 2_000, rows: 600 }, Sample { at_ms: 4_000, rows: 1_000 }],
        missing: vec!["sp16 of 7 October did not come".to_owned()],
        queries: Queries { zones: "select zone, sum(charge)\nfrom cdr where 1 < 2".to_owned(), ..Queries::default() },
    }
}

/// Checks that tags nest, attributes are quoted and entities are known, as in XML.
fn assert_well_formed(page: &str) {
    let body = page.strip_prefix("<!DOCTYPE html>").expect("a document type");
    // Style is text of its own: it holds no markup.
    let (before, rest) = body.split_once("<style>").expect("a style");
    let (style, after) = rest.split_once("</style>").expect("its end");
    assert!(!style.contains('<'));
    let text = format!("{before}{after}");
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "a stray > in {}", &rest[..at]);
        let end = at + rest[at..].find('>').expect("every tag ends");
        let tag = &rest[at + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes what is open");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().expect("a name"));
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    for entity in text.split('&').skip(1) {
        assert!(
            ["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|e| entity.starts_with(e)),
            "&{}",
            &entity[..8.min(entity.len())]
        );
    }
}

#[test]
fn the_page_is_well_formed_and_stands_alone() {
    for data in [sample(), ReportData::default()] {
        let page = render(&data);
        assert_well_formed(&page);
        for outside in ["<script", "http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}

#[test]
fn every_figure_is_on_the_page() {
    let page = plain(&render(&sample()));
    for figure in [
        "1,000 rows came in, 98.30 % have a price, every one is accounted for",
        "for 983 rated rows",
        "<em>EUR</em> 1,208.11",
        "EUR 7.42 at risk",
        "27.4 MB, 1 sent again",
        "6.8 s",
        "146 rows a second",
        "17 records started on other days",
        "bad.csv",
        "<code>malformed.time</code>",
        "unknown",
        "import it with <code>tollway import devices</code>",
        "Bakkerij Jansen",
        "708.11",
        "712.79",
        "sp16 of 7 October did not come",
        "from cdr where 1 &lt; 2",
        "2026-11-01 08:00 CET",
    ] {
        assert!(page.contains(figure), "{figure} is not in the page");
    }
}

#[test]
fn titles_say_what_the_figures_say() {
    let page = plain(&render(&sample()));
    for finding in [
        // 77 + 2 in one hour; Saturday has 24 x 5 of 314 records.
        "The busiest hour was Mon 5 from 10:00: 79 records; weekends carry 38 % of all",
        "One file holds 89 % of the rows in suspense",
        "no_device makes 78 % of the rows in suspense and 100 % of the money at risk",
        "Bakkerij Jansen alone makes 59 % of the money of 3 customers",
        "Roaming makes 41 % of the money in 3.1 % of the records",
        "250 rows a second over the whole run, with at most 212 MB of memory",
    ] {
        assert!(page.contains(&format!("<h2>{finding}</h2>")), "{finding}");
    }
}

#[test]
fn other_figures_give_other_titles() {
    let files = [file("a.csv", 10, 0, 0), file("b.csv", 10, 0, 3)];
    assert_eq!(findings::of_files(&files), "All 2 files went through without a row in suspense");
    let spread: Vec<FileOutcomes> = (0..20).map(|i| file(&format!("{i}.csv"), 99, 1, 0)).collect();
    assert!(findings::of_files(&spread).starts_with("Trouble is spread thin"));
    let two = [reason("no_zone", 5, Some("91.32"), ""), reason("no_device", 9, Some("1.00"), "")];
    assert_eq!(
        plain(&findings::of_suspense(&two, "EUR")),
        "no_device makes 64 % of the rows in suspense, but no_zone holds the money: EUR 91.32"
    );
    let equal: Vec<Share> = (0..10).map(|i| share(&format!("c{i}"), 1, "1.00", false)).collect();
    assert_eq!(plain(&findings::of_customers(&equal)), "5 of 10 customers make 50 % of the money");
    assert_eq!(
        plain(&findings::of_zones(&[share("NL", 3, "1.00", false)])),
        "NL makes 100 % of the money in 100 % of the records"
    );
    assert_eq!(findings::of_suspense(&[], "EUR"), "Nothing is in suspense");
}

#[test]
fn a_lost_row_is_said_loudly() {
    let mut data = sample();
    data.summary.rated -= 1;
    let page = render(&data);
    assert!(page.contains("1 are not accounted for"));
    assert!(!page.contains("every one is accounted for"));
}

#[test]
fn hostile_texts_stay_texts() {
    let evil = "<script>alert(\"1\")</script>'&`x";
    let mut data = sample();
    data.period = evil.to_owned();
    data.origin = evil.to_owned();
    data.made_at = evil.to_owned();
    data.currency = evil.to_owned();
    data.missing = vec![evil.to_owned()];
    data.hours.days[1].label = evil.to_owned();
    data.hours.series[0].name = evil.to_owned();
    data.files[1].name = evil.to_owned();
    data.suspense[1].reason = evil.to_owned();
    data.suspense[1].remedy = evil.to_owned();
    data.suspense[1].at_risk = Some(Amount { text: evil.to_owned(), nano: 1 });
    data.customers[0] = share(evil, 1, "9999.00", false);
    data.customers[0].charge.text = evil.to_owned();
    data.zones[0].name = evil.to_owned();
    data.zones[1].roaming = false;
    data.queries.hours = evil.to_owned();
    let page = render(&data);
    assert_well_formed(&page);
    assert!(!page.contains("<script"));
    assert!(page.matches("&lt;script&gt;").count() >= 14);
}

#[test]
fn many_files_and_customers_are_added_up() {
    let mut data = sample();
    data.files = (0..93).map(|i| file(&format!("f{i:02}.csv"), 10, u64::from(i % 7 == 0), 2)).collect();
    data.customers = (1..=40).map(|i| share(&format!("customer {i}"), 10, &format!("{i}.00"), false)).collect();
    let page = render(&data);
    assert_well_formed(&page);
    assert!(page.contains("81 more files together"));
    // The twelve largest are shown; 1 + 2 + ... + 28 = 406 is left.
    assert!(page.contains("28 more together") && page.contains(">406.00<"));
}

#[test]
fn figures_beyond_all_reason_do_not_break_it() {
    let mut data = sample();
    data.hours.series[0].per_hour = vec![u64::MAX / 64; 48];
    data.hours.series[1].per_hour = vec![1; 5];
    data.files = vec![file("huge.csv", u64::MAX / 8, u64::MAX / 8, u64::MAX / 8)];
    data.zones = vec![share("credit", 1, "5.00", true)];
    data.zones[0].charge.nano = -5_000_000_000;
    data.throughput = vec![Sample { at_ms: 5, rows: u64::MAX }, Sample { at_ms: 5, rows: 1 }, Sample { at_ms: 0, rows: 3 }];
    assert_well_formed(&render(&data));
}
