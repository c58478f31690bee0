//! Bytes that are no call records: an error that says what to do, or a profile that loads; never a panic.

use std::io::Cursor;

use proptest::prelude::*;

use super::super::{DraftError, DraftLimits, Sample, draft, read_samples};
use super::draft_of;

/// Drafts whatever these bytes are, through wrappers and all; gives the error's text.
fn outcome(bytes: &[u8], limits: DraftLimits) -> Result<(), DraftError> {
    let samples = read_samples("in/garbage.csv", &mut Cursor::new(bytes), limits)?;
    let draft = draft(&samples, None, limits)?;
    for sample in &samples {
        draft.check(sample, 3);
    }
    Ok(())
}

#[test]
fn files_without_rows_are_refused_with_what_to_do() {
    for (bytes, fact) in [
        (&b""[..], "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"start;van;naar;duur\n", "no rows below its header"),
        (b"\x00\x01\x02\x03\xff\xfe;\n\x00\x00\x07", "is no text"),
        (
            b"a single line of prose without any structure whatsoever\nand a second one of another length\n",
            "no character separates",
        ),
        (b"a;b;c\rd;e;f\rg;h;i\r", "carriage returns"),
        (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        (b"s\0t\0a\0r\0t\0;\0v\0a\0n\0;\0n\0a\0a\0r\0\n\0", "without the mark"),
        (b"naam;plaats\nJan;Utrecht\nPiet;Delft\n", "none of the 2 columns holds dates"),
    ] {
        let error = outcome(bytes, DraftLimits::default()).expect_err(fact).to_string();
        assert!(error.contains(fact), "{fact}: {error}");
    }
    let no_file = draft(&[], None, DraftLimits::default()).expect_err("nothing to look at");
    assert!(matches!(no_file, DraftError::NoFile));
}

#[test]
fn a_huge_line_and_a_huge_file_are_read_in_part() {
    let limits = DraftLimits { bytes_max: 64 * 1024, ..DraftLimits::default() };
    let error = outcome(&vec![b'x'; 1 << 20], limits).expect_err("one line").to_string();
    assert!(error.contains("no line feed in its first 65536 bytes"), "{error}");
    let rows = "2026-10-24 09:15:00;0612345678;0201234567;60\n".repeat(100_000);
    outcome(rows.as_bytes(), limits).expect("its beginning is enough");
}

#[test]
fn a_damaged_wrapper_is_named() {
    let mut bytes = crate::unwrap::tests::build::gzip(b"start;van;naar;duur\n2026-10-24 09:15:00;0612345678;0201234567;60\n");
    bytes.truncate(bytes.len() - 4);
    let error = outcome(&bytes, DraftLimits::default()).expect_err("it is cut off").to_string();
    assert!(error.contains("in/garbage.csv") && error.contains("cut off"), "{error}");
}

#[test]
fn a_header_of_odd_names_still_makes_a_profile() {
    let text = "\"sta\\rt\";\"v\u{7f}an\";\"na;ar\";;duur;duur\n2026-10-24 09:15:00;0612345678;0201234567;;60;60\n";
    match draft_of(text) {
        Ok(_) => {}
        Err(error) => assert!(!matches!(error, DraftError::Unloadable { .. }), "{error}"),
    }
}

const FIXTURES: &[&[u8]] = &[
    include_bytes!("../../../fixtures/kpn-sp16.cdr"),
    include_bytes!("../../../fixtures/vodafone.cdr"),
    include_bytes!("../../../fixtures/tmobile-calvi.cdr"),
    include_bytes!("../../../fixtures/freeswitch-cdr-csv.cdr"),
];

/// Whatever comes in, what comes out loads or says why not.
fn holds(bytes: &[u8]) -> Result<(), TestCaseError> {
    let limits = DraftLimits { rows_max: 50, bytes_max: 8 * 1024, files_max: 8 };
    if let Err(error @ DraftError::Unloadable { .. }) = outcome(bytes, limits) {
        let chain = format!("{error}: {:?}", std::error::Error::source(&error));
        return Err(TestCaseError::fail(chain));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        holds(&bytes)?;
    }

    #[test]
    fn random_tables_never_panic(
        rows in prop::collection::vec(
            prop::collection::vec("[a-zA-Z é\"'€#-]{0,8}|[0-9]{1,16}|[0-9]{1,4}[-/.:,][0-9]{1,2}[-/.:,][0-9]{2,4}|06[0-9]{8}|2026-10-2[0-9] 0[0-9]:00:00", 3..7),
            1..20,
        ),
        separator in "[;,|\t:]",
    ) {
        let text: String = rows.iter().map(|row| row.join(&separator) + "\n").collect();
        holds(text.as_bytes())?;
    }

    #[test]
    fn mutated_fixtures_never_panic(
        which in 0..FIXTURES.len(),
        length in 0..6000usize,
        changes in prop::collection::vec((0..6000usize, any::<u8>()), 0..20),
    ) {
        let mut bytes = FIXTURES[which][..length.min(FIXTURES[which].len())].to_vec();
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        holds(&bytes)?;
    }
}

#[test]
fn more_files_than_the_limit_are_refused() {
    let file = Sample::whole("a.csv", b"start;van;naar;duur\n2026-10-24 09:15:00;0612345678;0201234567;60\n");
    let limits = DraftLimits { files_max: 2, ..DraftLimits::default() };
    let error = draft(&[file.clone(), file.clone(), file], None, limits).expect_err("three").to_string();
    assert!(error.contains("3 files are more than the 2"), "{error}");
}
