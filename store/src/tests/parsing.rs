//! Files as people send them: what is read, what is refused, and what the message says.

use proptest::{prop_assert, proptest};

use super::rows;
use crate::identifier::{Identifier, IdentifierKind};
use crate::import::{ImportContent, ImportKind, ImportLimits, parse_import};
use crate::report::Listed;

const HEADER: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";

fn message(kind: ImportKind, bytes: &[u8]) -> String {
    parse_import(kind, bytes, &ImportLimits::default()).expect_err("a file that is not fine").to_string()
}

#[test]
fn a_devices_file_is_read_with_and_without_the_optional_columns() {
    let text = "\u{feff}valid_to,valid_from,plan_id,customer_id, msisdn ,device_id,imsi,iccid,subscription_id\r\n\
                \r\n,2026-01-01T00:00:00Z,P1,C1,+31612345678,D1,204041234567890,8931440400012345678F,S1\r\n";
    let ImportContent::Devices { rows, .. } = rows(ImportKind::Devices, text).content else { panic!("devices") };
    let number = |kind, digits| Identifier::parse(kind, digits).expect("a number");
    assert_eq!(rows[0].line, 3, "the empty line counts");
    assert_eq!((&*rows[0].subscription, rows[0].to_us), ("S1", None));
    assert_eq!(
        rows[0].identifiers,
        [
            number(IdentifierKind::Msisdn, "31612345678"),
            number(IdentifierKind::Imsi, "204041234567890"),
            number(IdentifierKind::Iccid, "8931440400012345678")
        ]
    );
}

#[test]
fn a_file_is_read_as_a_spreadsheet_saves_it() {
    let text = "\u{feff}\"valid_from\";\"device_id\";\"msisdn\";\"customer_id\";\"plan_id\";\"valid_to\"\r\n\
                2026-01-01T00:00:00Z;\"D1\";\"31612345678\";C1;P1;\r\n";
    let ImportContent::Devices { rows, .. } = rows(ImportKind::Devices, text).content else { panic!("devices") };
    assert_eq!((rows.len(), &*rows[0].device, &*rows[0].plan, rows[0].to_us), (1, "D1", "P1", None));
    let text = "\u{feff}name;customer_id;valid_to\r\n\"Jansen; Zoon, en Co\";C1;2026-02-01T00:00:00+01:00\r\n";
    let ImportContent::Customers(rows) = self::rows(ImportKind::Customers, text).content else { panic!("customers") };
    assert_eq!((&*rows[0].name, rows[0].valid_to_us), ("Jansen; Zoon, en Co", Some(1_769_900_400_000_000)));
}

#[test]
fn broken_rows_are_all_named_with_line_field_and_remedy() {
    let broken = [
        ("D1,0612345678,C1,P1,2026-01-01T00:00:00Z,", "line 2, field `msisdn`", "country code and number"),
        ("D1,31612345678,C1,P1,2026-02-29T00:00:00Z,", "line 3, field `valid_from`", "does not exist in the calendar"),
        ("D1,31612345678,C1,P1,2026-01-01,", "line 4, field `valid_from`", "write it with seconds and the offset"),
        ("D1,31612345678,C 1,P1,2026-01-01T00:00:00Z,", "line 5, field `customer_id`", "letters, digits"),
        ("D1,,C1,P1,2026-01-01T00:00:00Z,", "line 6, field `msisdn`", "at least one of msisdn, imsi and iccid"),
        (",31612345678,C1,P1,2026-01-01T00:00:00Z,", "line 7, field `device_id`", "fill it in"),
        ("D1,31612345678,C1,P1,2026-01-01T00:00:00Z", "line 8: the row", "5 fields, the header has 6"),
        ("D1,31612345678,C\0,P1,2026-01-01T00:00:00Z,", "line 9, field `customer_id`", "letters, digits"),
    ];
    let text = broken.iter().fold(HEADER.to_owned(), |text, (row, ..)| text + row + "\n");
    let said = message(ImportKind::Devices, text.as_bytes());
    assert!(said.starts_with("8 broken rows; nothing was imported"), "{said}");
    for (row, place, remedy) in broken {
        let line = said.lines().find(|line| line.contains(place)).unwrap_or_else(|| panic!("{place} ({row}) in: {said}"));
        assert!(line.contains(remedy), "`{remedy}` in: {line}");
    }
    assert!(!said.contains("0612345678"), "numbers are masked: {said}");
}

#[test]
fn the_list_of_errors_is_limited_and_the_count_is_not() {
    let text = (0..250).fold(HEADER.to_owned(), |text, _| text + "D1,x,C1,P1,2026-01-01T00:00:00Z,\n");
    let said = message(ImportKind::Devices, text.as_bytes());
    assert!(said.starts_with("250 broken rows") && said.ends_with("and 150 more"), "{said}");
    assert_eq!(said.lines().count(), 102);
}

#[test]
fn a_window_that_holds_no_instant_links_nothing_and_its_line_is_listed() {
    let text = format!(
        "{HEADER}D1,31612345678,C1,P1,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\nD2,31612345679,C1,P1,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z\n"
    );
    let import = rows(ImportKind::Devices, &text);
    assert_eq!(import.row_count(), 2);
    let ImportContent::Devices { rows, without_instant } = import.content else { panic!("devices") };
    assert!(rows.is_empty());
    assert_eq!((without_instant.count, without_instant.first), (2, vec![2, 3]));
}

#[test]
fn a_file_may_repeat_a_row_but_not_contradict_it() {
    let row = "D1,31612345678,C1,P1,2026-01-01T00:00:00Z,\n";
    rows(ImportKind::Devices, &format!("{HEADER}{row}{row}"));
    let said = message(ImportKind::Devices, format!("{HEADER}{row}{}", row.replace("C1", "C2")).as_bytes());
    assert!(said.contains("line 3, field `msisdn`: it says something else than line 2"), "{said}");
    let said = message(ImportKind::Plans, b"plan_id,name\nP1,A\nP1,A\nP1,B\n");
    assert!(said.contains("line 4, field `plan_id`: it says something else than line 2"), "{said}");
}

#[test]
fn headers_are_checked_and_the_nearest_name_is_given() {
    for (kind, text, expected) in [
        (ImportKind::Devices, "", "the file is empty"),
        (
            ImportKind::Devices,
            "device_id,msisdn,custmer_id,plan_id,valid_from\n",
            "no column `custmer_id`; the nearest is `customer_id`",
        ),
        (ImportKind::Devices, "msisdn,customer_id,plan_id,valid_from\n", "the column `device_id` is missing"),
        (ImportKind::Devices, "device_id\tmsisdn\tcustomer_id\tplan_id\tvalid_from\n", "separated by `,` or `;`"),
        (ImportKind::Plans, "plan_id,plan_id\n", "the column `plan_id` stands there twice"),
    ] {
        let said = message(kind, text.as_bytes());
        assert!(said.contains(expected), "`{expected}` in: {said}");
    }
}

#[test]
fn customers_are_checked_field_by_field() {
    let text = "customer_id,name,owner_path,cycle_day,time_zone\n\
                C1,Jansen,op/re/C1,31,Europe/Amsterdam\nC2,,,,\nC3,,,32,\nC4,,,,Europe/Asterdam\nC5,,op//x,,\n";
    let said = message(ImportKind::Customers, text.as_bytes());
    for expected in ["line 4, field `cycle_day`", "line 5, field `time_zone`", "line 6, field `owner_path`"] {
        assert!(said.contains(expected), "`{expected}` in: {said}");
    }
    assert!(said.starts_with("3 broken rows"), "{said}");
    let mut latin1 = b"customer_id,name\nC1,Caf".to_vec();
    latin1.extend([0xe9, b'\n']);
    assert!(message(ImportKind::Customers, &latin1).contains("line 2, field `name`: it is not UTF-8"));
}

#[test]
fn files_beyond_the_limits_are_refused() {
    let limits = ImportLimits { bytes_max: 30, rows_max: 1, errors_max: 10 };
    let said = |text: &str| parse_import(ImportKind::Plans, text.as_bytes(), &limits).expect_err("too much").to_string();
    assert!(said("plan_id\nP1\nP2\n").contains("more than 1 rows"));
    assert!(said("plan_id\nP1\nP2\nP3\nP4\nP5\nP6\nP7\nP8\n").contains("32 bytes, 30 are allowed"));
}

#[test]
fn lists_count_what_they_do_not_keep() {
    let mut list = Listed::up_to(2);
    (0..5).for_each(|n| list.push(n));
    assert_eq!((list.count, list.first.len(), list.more()), (5, 2, 3));
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        for kind in ImportKind::ALL {
            let _ = parse_import(kind, &bytes, &ImportLimits::default());
        }
        let mut behind_a_header = HEADER.as_bytes().to_vec();
        behind_a_header.extend(&bytes);
        let parsed = parse_import(ImportKind::Devices, &behind_a_header, &ImportLimits::default());
        prop_assert!(parsed.is_err() || bytes.iter().all(u8::is_ascii_whitespace) || bytes.is_empty());
    }
}
