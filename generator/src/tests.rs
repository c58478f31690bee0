//! What users of a generated month rely on, checked against the text of its files alone.

use std::collections::{HashMap, HashSet};

use crate::facts::Facts;
use crate::layout::Layout;
use crate::month::{FilePlan, Month};
use crate::settings::{GeneratorError, Rates, Settings};

fn demo() -> Month {
    Month::new(Settings::default()).expect("the defaults are allowed")
}

/// A month of all layouts that is small enough for a debug build.
fn all_layouts() -> Month {
    let settings = Settings { files: 120, rows_per_file: 700, layouts: Layout::ALL.to_vec(), ..Settings::default() };
    Month::new(settings).expect("allowed")
}

fn write(month: &Month, file: &FilePlan) -> (String, Facts) {
    let mut bytes = Vec::new();
    let facts = month.write_file(file, &mut bytes);
    let text = match file.layout {
        // Bytes above 127 are letters of the same code in Unicode, but for a few signs that nothing here asks for.
        Layout::KpnSp16 | Layout::Vodafone => bytes.iter().map(|b| char::from(*b)).collect(),
        Layout::TmobileCalvi => {
            let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            String::from_utf16(&units).expect("UTF-16")
        }
        _ => String::from_utf8(bytes).expect("UTF-8"),
    };
    (text, facts)
}

/// How many lines stand before the data rows.
fn head(layout: Layout) -> usize {
    match layout {
        Layout::AsteriskCdrCsv | Layout::FreeswitchCdrCsv => 0,
        Layout::Vodafone => 2,
        _ => 1,
    }
}

/// The first field of the last line, where that is no data row.
fn trailer(layout: Layout) -> Option<&'static str> {
    match layout {
        Layout::KpnSp16 => Some("TRAILER"),
        Layout::Vodafone => Some("TOTAAL"),
        Layout::TmobileCalvi => Some("TOTAL"),
        Layout::Yielder => Some("#end"),
        _ => None,
    }
}

fn separator(layout: Layout) -> char {
    match layout {
        Layout::KpnSp16 | Layout::KpnEen => ';',
        Layout::Vodafone => '|',
        Layout::TmobileCalvi => '\t',
        _ => ',',
    }
}

/// The data rows of a file.
fn rows(layout: Layout, text: &str) -> Vec<&str> {
    let begins = |line: &str, word: &str| line.strip_prefix(word).is_some_and(|rest| rest.starts_with(separator(layout)));
    text.lines().skip(head(layout)).filter(|line| trailer(layout).is_none_or(|word| !begins(line, word))).collect()
}

/// The cells of a row whose layout quotes all or none of them.
fn cells(layout: Layout, row: &str) -> Vec<&str> {
    match layout {
        Layout::Routit => row.trim_matches('"').split("\",\"").collect(),
        _ => row.split(separator(layout)).map(|cell| cell.trim_matches('"')).collect(),
    }
}

/// The place of the id, where a second row of an id is a conflict.
fn id_cell(layout: Layout) -> Option<usize> {
    match layout {
        Layout::KpnSp16 | Layout::TmobileCalvi | Layout::Yielder | Layout::PbxCsv => Some(0),
        Layout::FreeswitchCdrCsv => Some(10),
        Layout::CiscoCucm => Some(8),
        _ => None,
    }
}

#[test]
fn the_demo_is_as_large_as_promised() {
    let plan = demo().plan();
    assert_eq!(plan.iter().filter(|f| f.layout == Layout::KpnSp16 && f.resend_of.is_none()).count(), 46);
    assert_eq!(plan.iter().filter(|f| f.layout == Layout::Routit && f.resend_of.is_none()).count(), 46);
    assert_eq!(plan.iter().filter(|f| f.resend_of.is_some()).count(), 1);
    assert!(plan.iter().filter(|f| f.resend_of.is_none()).map(|f| f.rows).sum::<u32>() > 310_000);
    let names: HashSet<String> = plan.iter().map(FilePlan::path).collect();
    assert_eq!(names.len(), plan.len(), "every file has a name of its own");
    let accounts: HashSet<&str> = plan.iter().map(|f| f.account.as_str()).collect();
    assert_eq!(accounts, HashSet::from(["haven", "jansen", "reseller-a", "reseller-b"]));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_does_not() {
    let (one, two) = (all_layouts(), all_layouts());
    let other = Month::new(Settings { seed: 43, ..one.settings().clone() }).expect("allowed");
    for file in &one.plan()[..24] {
        assert_eq!(write(&one, file), write(&two, file));
        assert_ne!(write(&one, file).0, write(&other, file).0);
    }
    assert_eq!(one.reference(), two.reference());
    assert_ne!(one.reference(), other.reference());
}

#[test]
fn a_file_does_not_depend_on_how_many_are_asked_for() {
    let many = all_layouts();
    let few = Month::new(Settings { files: 17, ..many.settings().clone() }).expect("allowed");
    for (a, b) in few.plan().iter().zip(many.plan()) {
        assert_eq!(a, &b);
        assert_eq!(write(&few, a), write(&many, &b));
    }
}

#[test]
fn a_resent_file_has_the_bytes_of_an_earlier_one_of_its_account() {
    let month = all_layouts();
    let plan = month.plan();
    let position = plan.iter().position(|f| f.resend_of.is_some()).expect("the 60th file completes a turn");
    let again = &plan[position];
    let first = plan[..position].iter().find(|f| Some(&f.name) == again.resend_of.as_ref()).expect("sent before");
    assert_eq!((first.layout, &first.account), (again.layout, &again.account));
    assert_ne!(first.name, again.name);
    assert_eq!(write(&month, first), write(&month, again));
}

/// Whether the shipped profile leaves a whole row out.
fn is_left_out(layout: Layout, cells: &[&str]) -> bool {
    let is = |at: usize, what: &str| cells.get(at) == Some(&what);
    match layout {
        // The ninth cell has a comma.
        Layout::AsteriskCdrCsv => cells.len() == 19 && !is(15, "ANSWERED"),
        Layout::Vodafone => cells.len() == 13 && is(1, "Abonnement"),
        Layout::TmobileCalvi => cells.len() == 15 && !cells[1].starts_with("NL/"),
        Layout::Yielder => cells.len() == 13 && is(1, "data_interim"),
        Layout::FreeswitchCdrCsv => cells.len() == 15 && is(5, ""),
        Layout::PbxCsv => cells.len() == 7 && (is(1, "internal") || !is(6, "answered")),
        Layout::CiscoCucm => cells.len() == 10 && (!is(0, "1") || is(6, "0")),
        _ => false,
    }
}

#[test]
fn facts_agree_with_a_count_of_the_text() {
    let month = all_layouts();
    let mut before: HashMap<(Layout, String), HashSet<String>> = HashMap::new();
    let mut all = Facts::default();
    for file in month.plan().iter().filter(|f| f.resend_of.is_none()) {
        let (text, facts) = write(&month, file);
        let rows = rows(file.layout, &text);
        assert_eq!((rows.len() as u64, facts.rows), (u64::from(file.rows), u64::from(file.rows)), "{}", file.name);
        let distinct: HashSet<String> = rows.iter().map(|&r| r.to_owned()).collect();
        assert_eq!((rows.len() - distinct.len()) as u64, facts.duplicates + facts.twins, "{}", file.name);
        let earlier = before.remove(&(file.layout, file.account.clone())).unwrap_or_default();
        // Every file of CUCM has the same line of types.
        let again = distinct.intersection(&earlier).filter(|row| !row.starts_with("INTEGER,")).count();
        assert_eq!(again as u64, facts.repeated, "{}", file.name);
        if let Some(cell) = id_cell(file.layout) {
            // Rows that end too early, or whose id was taken away, name no record.
            let named: Vec<&str> =
                distinct.iter().filter_map(|r| cells(file.layout, r).get(cell).copied()).filter(|id| !id.is_empty()).collect();
            let ids: HashSet<&str> = named.iter().copied().collect();
            assert_eq!((named.len() - ids.len()) as u64, facts.id_conflicts, "{}", file.name);
        }
        let skipped = rows.iter().filter(|row| is_left_out(file.layout, &cells(file.layout, row))).count();
        assert_eq!(skipped as u64, facts.skipped, "{}", file.name);
        before.insert((file.layout, file.account.clone()), distinct);
        all.add(&facts);
    }
    assert!(all.duplicates > 0 && all.repeated > 0 && all.id_conflicts > 0 && all.twins > 0 && all.skipped > 0);
}

#[test]
fn malformed_rows_break_the_rule_they_are_counted_under() {
    let month = Month::new(Settings { rates: Rates { malformed_ppm: 50_000, ..Rates::default() }, ..Settings::default() })
        .expect("allowed");
    for file in &month.plan()[..2] {
        let (text, facts) = write(&month, file);
        let columns = cells(file.layout, text.trim_start_matches('\u{feff}').lines().next().expect("a header")).len();
        let (mut short, mut kinds, mut networks) = (0, 0, 0);
        for row in rows(file.layout, &text) {
            let cells = cells(file.layout, row);
            if cells.len() != columns {
                short += 1;
                continue;
            }
            let known = ["SPRAAK", "SMS", "MMS", "DATA", "Voice", "Sms", "Mms", "Data"].contains(&cells[1]);
            kinds += u64::from(!known || ["??", "Sideways"].contains(&cells[2]));
            networks += u64::from(!cells[9].bytes().all(|b| b.is_ascii_digit()) || cells[9].len() < 5);
        }
        assert_eq!(Some(&short), facts.malformed.get("malformed.columns"));
        assert_eq!(Some(&kinds), facts.malformed.get("malformed.type"));
        assert_eq!(Some(&networks), facts.malformed.get("malformed.network"));
        assert!(facts.malformed_rows() >= u64::from(file.rows) / 20 - 1);
    }
}

#[test]
fn every_trailer_is_right() {
    let month = all_layouts();
    let files: Vec<FilePlan> = month.plan().into_iter().filter(|f| trailer(f.layout).is_some()).take(12).collect();
    for file in &files {
        let (text, facts) = write(&month, file);
        let last = cells(file.layout, text.lines().last().expect("a trailer"));
        let rows = rows(file.layout, &text);
        let word = trailer(file.layout).expect("it has one");
        assert_eq!(last[..2], [word, rows.len().to_string().as_str()], "{}", file.name);
        let amounts = match file.layout {
            Layout::KpnSp16 => 11,
            Layout::TmobileCalvi => 14,
            _ => continue,
        };
        let sum: i64 = rows.iter().filter_map(|r| cells(file.layout, r).get(amounts).copied()).map(micro).sum();
        assert_eq!((micro(last[2]), sum), (sum, facts.cost_micro), "{}", file.name);
    }
}

/// Micro-euro of an amount with four to six places behind a comma.
fn micro(amount: &str) -> i64 {
    let (whole, places) = amount.split_once(',').expect("a comma");
    format!("{whole}{places:0<6}").parse().expect("digits")
}

#[test]
fn sims_and_cards_are_those_of_the_owner_at_that_instant() {
    let month = all_layouts();
    let devices = month.reference().devices_csv;
    let known: HashSet<(&str, &str, &str)> =
        devices.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()).map(|c| (c[1], c[2], c[3])).collect();
    let (mut matched, mut unknown) = (0, 0);
    for file in month.plan() {
        let (served, card) = match file.layout {
            Layout::TmobileCalvi => (5, 6),
            Layout::Yielder => (3, 4),
            _ => continue,
        };
        let (text, facts) = write(&month, &file);
        let mut foreign = 0;
        for row in rows(file.layout, &text) {
            let cells = cells(file.layout, row);
            let Some(card) = cells.get(card).filter(|card| card.len() > 14) else { continue };
            let card = card.trim_end_matches('F');
            let is_known =
                known.iter().any(|(number, imsi, iccid)| *number == cells[served] && (*imsi == card || *iccid == card));
            matched += u64::from(is_known);
            foreign += u64::from(!is_known);
        }
        assert!(foreign <= facts.unknown_number + facts.malformed_rows(), "{}: {foreign}", file.name);
        unknown += foreign;
    }
    assert!(matched > 5_000 && unknown > 0, "{matched} {unknown}");
}

#[test]
fn layouts_bring_customers_and_lines_of_their_own_and_the_demo_has_none_of_them() {
    let accounts = |month: &Month| -> HashSet<String> {
        let customers = month.reference().customers_csv;
        customers.lines().skip(1).map(|l| l.split('/').nth(1).expect("an owner path").to_owned()).collect()
    };
    let base = HashSet::from(["haven", "jansen", "reseller-a", "reseller-b"].map(str::to_owned));
    assert_eq!(accounts(&demo()), base);
    let own = ["polder", "kade", "noord", "weide", "switchboard", "hotels", "campus"].map(str::to_owned);
    assert_eq!(accounts(&all_layouts()).difference(&base).cloned().collect::<HashSet<_>>(), HashSet::from(own));
    for month in [demo(), all_layouts()] {
        assert_eq!(month.reference().customers_csv.lines().count(), 1 + month.settings().customers as usize);
    }
}

#[test]
fn the_repeated_hour_is_there_in_both_ways_of_writing_time() {
    let month = demo();
    let plan = month.plan();
    let of_day = |name: &str| plan.iter().find(|f| f.name == name).map(|f| write(&month, f)).expect("a file of that day");
    let (kpn, facts) = of_day("sp16_haven_2026-10-25.csv");
    let shown = rows(Layout::KpnSp16, &kpn).iter().filter(|r| r.contains(";25-10-2026;02:")).count() as u64;
    assert!(facts.repeated_hour > 5 && shown >= facts.repeated_hour, "{} of {shown}", facts.repeated_hour);
    let (routit, _) = of_day("routit_reseller-a_2026-10-25.csv");
    assert!(routit.contains("\"2026-10-25T02:") && routit.contains(".0000000+02:00\"") && routit.contains(".0000000+01:00\""));
}

/// Seconds UTC of the digits of `2026-10-25T02:30:15`.
fn seconds(text: &str) -> i64 {
    let part = |from: usize, len: usize| text[from..from + len].parse::<i64>().expect("digits");
    let small = |n: i64| u32::try_from(n).expect("small");
    let days = domain::zone::days_of(i32::try_from(part(0, 4)).expect("a year"), small(part(5, 2)), small(part(8, 2)));
    i64::from(days.expect("a date")) * 86_400 + part(11, 2) * 3_600 + part(14, 2) * 60 + part(17, 2)
}

#[test]
fn facts_agree_with_the_windows_of_the_reference_data() {
    let rates = Rates { malformed_ppm: 0, duplicate_ppm: 0, repeated_ppm: 0, ..Rates::default() };
    let month = Month::new(Settings { rates, layouts: vec![Layout::Routit], files: 20, ..Settings::default() }).expect("allowed");
    let devices = month.reference().devices_csv;
    let mut windows: HashMap<String, Vec<(i64, i64, &str)>> = HashMap::new();
    for line in devices.lines().skip(1) {
        let c: Vec<&str> = line.split(',').collect();
        let to = if c[8].is_empty() { i64::MAX } else { seconds(c[8]) };
        windows.entry(format!("+{}", c[1])).or_default().push((seconds(c[7]), to, c[5]));
    }
    let (mut unknown, mut unowned, mut all) = (0, 0, Facts::default());
    for file in month.plan().iter().filter(|f| f.resend_of.is_none()) {
        let (text, facts) = write(&month, file);
        for row in rows(Layout::Routit, &text) {
            let c = cells(Layout::Routit, row);
            let instant = seconds(c[5]) - if c[5].ends_with("+02:00") { 7_200 } else { 3_600 };
            match windows.get(if c[2] == "Terminating" { c[4] } else { c[3] }) {
                None => unknown += 1,
                Some(of_number) => match of_number.iter().find(|w| w.0 <= instant && instant < w.1) {
                    None => unowned += 1,
                    Some(window) => assert_eq!(window.2, c[0], "the source names the owner"),
                },
            }
        }
        all.add(&facts);
    }
    assert_eq!((unknown, unowned), (all.unknown_number, all.unowned));
    assert!(unknown > 0 && unowned > 0);
}

#[test]
fn a_month_has_the_proportions_of_its_rates() {
    let month = demo();
    let mut all = Facts::default();
    for file in month.plan().iter().take(24) {
        all.add(&month.facts(file));
    }
    let ppm = |n: u64| n * 1_000_000 / all.rows;
    assert!((4_000..=6_000).contains(&ppm(all.duplicates + all.twins)), "{all:?}");
    assert!((2_000..=4_000).contains(&ppm(all.repeated)), "{all:?}");
    assert!((700..=1_300).contains(&ppm(all.malformed_rows())), "{all:?}");
    assert!((2_300..=3_700).contains(&ppm(all.unknown_number)), "{all:?}");
    assert!((400..=1_000).contains(&ppm(all.unknown_zone)), "{all:?}");
    assert!((4_000..=6_000).contains(&ppm(all.late)), "{all:?}");
    assert!((44_000..=56_000).contains(&ppm(all.roaming)), "{all:?}");
    assert!(ppm(all.flawless()) > 975_000, "{all:?}");
}

#[test]
fn late_rows_reach_back_into_the_month_before() {
    let month = demo();
    let (text, _) = write(&month, &month.plan()[0]);
    assert!(text.contains("-09-2026;"));
}

#[test]
fn a_month_of_so_many_rows_has_at_least_that_many() {
    for (rows, files) in [(50_000, 20), (1_000_000, 200), (3_000, 11)] {
        let settings = Settings { files, layouts: Layout::ALL.to_vec(), ..Settings::default() };
        let month = Month::of_rows(rows, settings).expect("allowed");
        let planned: u64 = month.plan().iter().filter(|f| f.resend_of.is_none()).map(|f| u64::from(f.rows)).sum();
        assert!(planned >= rows && planned < rows + rows / 50, "{planned} for {rows}");
    }
}

#[test]
fn other_months_and_single_layouts_work() {
    for (year_month, layout) in
        [("2026-03", Layout::KpnSp16), ("2024-02", Layout::Routit), ("2026-12", Layout::Job), ("2027-03", Layout::CiscoCucm)]
    {
        let settings = Settings { year_month: year_month.to_owned(), layouts: vec![layout], files: 40, ..Settings::default() };
        let month = Month::new(Settings { rows_per_file: 200, ..settings }).expect("allowed");
        for file in month.plan() {
            let (text, facts) = write(&month, &file);
            assert_eq!(rows(layout, &text).len() as u64, facts.rows);
        }
    }
}

#[test]
fn settings_outside_their_limits_are_refused_by_name() {
    let refused = |settings: Settings| Month::new(settings).expect_err("refused").to_string();
    let too_small = refused(Settings { rows_per_file: 3, ..Settings::default() });
    assert_eq!(too_small, "setting `rows_per_file` is 3, but 20 to 250000 is allowed");
    assert!(refused(Settings { year_month: "2026-13".to_owned(), ..Settings::default() }).contains("`2026-13`"));
    assert!(matches!(Month::new(Settings { layouts: vec![], ..Settings::default() }), Err(GeneratorError::NoLayout)));
    let twice = Settings { layouts: vec![Layout::Job, Layout::Job], ..Settings::default() };
    assert!(refused(twice).contains("`job` twice"));
    let unknown = serde_json::from_str::<Settings>(r#"{"seeds": 1}"#).expect_err("no such setting").to_string();
    assert!(unknown.contains("seeds"));
}

#[test]
fn a_folder_holds_what_the_plan_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let month = Month::new(Settings { files: 6, rows_per_file: 100, ..Settings::default() }).expect("allowed");
    let made = std::sync::atomic::AtomicU64::new(0);
    let files = month
        .write_folder(folder.path(), |file| {
            made.fetch_add(file.bytes, std::sync::atomic::Ordering::Relaxed);
        })
        .expect("written");
    assert_eq!(files.iter().map(|f| f.file.clone()).collect::<Vec<_>>(), month.plan());
    assert_eq!(files.iter().map(|f| f.bytes).sum::<u64>(), made.into_inner());
    for file in &files {
        let mut bytes = Vec::new();
        month.write_file(&file.file, &mut bytes);
        assert_eq!(std::fs::read(folder.path().join("cdr").join(file.file.path())).expect("there"), bytes);
    }
    let expected = std::fs::read_to_string(folder.path().join("expected.json")).expect("there");
    assert!(expected.contains("\"unknown_number\""));
    let customers = std::fs::read_to_string(folder.path().join("reference/customers.csv")).expect("there");
    assert_eq!(customers, month.reference().customers_csv);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("taken");
    std::fs::write(&file, "a file").expect("written");
    let month = Month::new(Settings { files: 1, rows_per_file: 20, ..Settings::default() }).expect("allowed");
    let error = month.write_folder(&file, |_| {}).expect_err("a file is no folder");
    assert!(error.to_string().contains("taken"), "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

    #[test]
    fn any_allowed_month_writes_as_many_rows_as_it_plans(
        seed: u64, year in 1996..2100_u32, month in 1..=12_u32, rows_per_file in 20..400_u32, devices in 120..500_u32,
    ) {
        let settings = Settings { seed, year_month: format!("{year}-{month:02}"), rows_per_file, devices, ..Settings::default() };
        let month = Month::new(Settings { layouts: Layout::ALL.to_vec(), files: 24, customers: 14, ..settings }).expect("allowed");
        for file in month.plan() {
            let (text, facts) = write(&month, &file);
            proptest::prop_assert_eq!(facts.rows, u64::from(file.rows));
            proptest::prop_assert_eq!(rows(file.layout, &text).len() as u64, facts.rows);
        }
    }
}
