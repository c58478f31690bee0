//! The number of a file: in its name, in a line before its rows, in its trailer, or in the batch control of a TAP3 file.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use crate::parse::quoted::Fields;
use crate::split::is_trailer;
use crate::tap3::head::{self, Opening};

use super::Profile;
use super::charset::Encoding;
use super::layout::{next_feed, next_line};
use super::numbering::{NumberPlace, digits_in};
use super::recipe::{Reader, TrailerPlace};

/// So much of a file is read at first; more only where the record with the number has not ended in it.
const FIRST_BYTES: u64 = 4096;

/// The number of a file among those of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNumber {
    /// The number.
    pub number: u64,
    /// Its digits as they stand there.
    pub digits: String,
    /// Whose files are counted together, where a file says it: sender and recipient of a TAP3 file. Empty elsewhere.
    pub series: String,
}

impl Profile {
    /// The number of a file, by the profile's `[sequence]`: `None` if its files have none, or this one does not. `read` hands over
    /// a range of the `size` bytes that have landed; it is not asked where the number stands in the name.
    pub fn file_number<E>(
        &self,
        name: &str,
        size: u64,
        mut read: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
    ) -> Result<Option<FileNumber>, E> {
        let Some(numbering) = &self.numbering else { return Ok(None) };
        let alone = |digits: String| (digits, String::new());
        let found = match &numbering.place {
            NumberPlace::Name { before, after } => digits_in(name, before, after).map(|digits| alone(digits.to_owned())),
            NumberPlace::Line(line, at) => {
                let line = self.search_beginning(size, read, |bytes, is_whole| self.line_before(bytes, is_whole, *line))?;
                line.and_then(|line| self.text_at(*at, &line)).map(alone)
            }
            NumberPlace::Trailer(at) => {
                let line = self.last_line(size, &mut read)?;
                let trailer = line.filter(|line| self.trailer.as_ref().is_some_and(|t| is_trailer(t, self, line)));
                trailer.and_then(|line| self.text_at(*at, &line)).map(alone)
            }
            NumberPlace::BatchControl => self.search_beginning(size, read, batch_control)?,
        };
        let number =
            |(digits, series): (String, String)| numbering.number_of(&digits).map(|number| FileNumber { number, digits, series });
        Ok(found.and_then(number))
    }

    /// Looks at more and more of a file's beginning until something is found, or can no longer be.
    fn search_beginning<E, T>(
        &self,
        size: u64,
        mut read: impl FnMut(Range<u64>) -> Result<Vec<u8>, E>,
        find: impl Fn(&[u8], bool) -> ControlFlow<Option<T>>,
    ) -> Result<Option<T>, E> {
        let most = size.min(self.header_bytes_max() as u64);
        let mut wanted = most.min(FIRST_BYTES);
        loop {
            match find(&read(0..wanted)?, wanted == size) {
                ControlFlow::Break(found) => return Ok(found),
                ControlFlow::Continue(()) if wanted == most => return Ok(None),
                ControlFlow::Continue(()) => wanted = most.min(wanted * 16),
            }
        }
    }

    /// A line before the rows, from 1, as it is read.
    fn line_before(&self, bytes: &[u8], is_whole: bool, line: u32) -> ControlFlow<Option<Vec<u8>>> {
        if bytes.len() < 4 && !is_whole {
            return ControlFlow::Continue(());
        }
        let Ok((mut at, order)) = self.check_mark(bytes) else { return ControlFlow::Break(None) };
        let mut found = None;
        for _ in 0..line {
            // A line that does not end may be cut off, and half a number is another one.
            match next_line(order, &bytes[at..], false) {
                Some((text, next)) => (found, at) = (Some(text), at + next),
                None if is_whole => return ControlFlow::Break(None),
                None => return ControlFlow::Continue(()),
            }
        }
        ControlFlow::Break(found.map(Cow::into_owned))
    }

    /// The last line of a file that is not blank, as it is read.
    fn last_line<E>(&self, size: u64, read: &mut impl FnMut(Range<u64>) -> Result<Vec<u8>, E>) -> Result<Option<Vec<u8>>, E> {
        let order = match self.file.encoding {
            Encoding::Utf16 => match self.check_mark(&read(0..size.min(4))?) {
                Ok((_, order)) => order,
                Err(_) => return Ok(None),
            },
            _ => None,
        };
        // The longest row and a line feed, and the same again for what stands before it.
        let most = 2 * (self.file.row_bytes_max as u64 + 2) * self.file.encoding.unit_bytes() as u64;
        let mut wanted = FIRST_BYTES;
        loop {
            // A unit of UTF-16 begins at an even place.
            let from = size.saturating_sub(wanted) & !1;
            let bytes = read(from..size)?;
            let mut at = match next_feed(order, &bytes) {
                _ if from == 0 => self.check_mark(&bytes).map_or(0, |(mark, _)| mark),
                Some((_, next)) => next,
                None => bytes.len(),
            };
            let mut last = None;
            while let Some((line, next)) = next_line(order, &bytes[at..], true) {
                last = if line.is_empty() { last } else { Some(line.into_owned()) };
                at += next;
            }
            if last.is_some() || from == 0 || wanted >= most {
                return Ok(last);
            }
            wanted = most.min(wanted * 16);
        }
    }

    /// A value in a line, without the blanks around it.
    fn text_at(&self, place: TrailerPlace, line: &[u8]) -> Option<String> {
        let mut fields = Fields::default();
        let value = match (place, &self.reader) {
            (TrailerPlace::Span(span), Reader::FixedWidth(form)) => form.figure(line, &span)?,
            (TrailerPlace::Span(_), _) => return None,
            (TrailerPlace::Field(at), _) => {
                fields.split(line, self.file.separator, self.file.quote).ok()?;
                let row = fields.row();
                return (at < row.len()).then(|| self.decode(row.field(at).bytes()).trim().to_owned());
            }
        };
        Some(self.decode(value).trim().to_owned())
    }
}

/// Number and series in the batch control of a TAP3 file, or of a notification, which is numbered with them. Test files are
/// numbered apart, so they have none.
fn batch_control(bytes: &[u8], is_whole: bool) -> ControlFlow<Option<(String, String)>> {
    let control = match head::read(bytes, is_whole) {
        Ok(None) => return ControlFlow::Continue(()),
        Err(_) => return ControlFlow::Break(None),
        Ok(Some(Opening::Batch(head))) => head.control,
        Ok(Some(Opening::Notification(control))) => control,
    };
    let series = format!("{} {}", control.sender, control.recipient);
    ControlFlow::Break((!control.is_test).then_some((control.sequence, series)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixtures::{self, ROWS};
    use crate::profile::samples::{KPN_HEADER, file_of, shipped};
    use crate::split::split;
    use crate::tap3::tests::encode::{Batch, Event, Form};

    fn number(profile: &Profile, bytes: &[u8]) -> Option<(u64, String, String)> {
        let place = |at: u64| usize::try_from(at).expect("small");
        let read = |range: Range<u64>| bytes.get(place(range.start)..place(range.end)).map(<[u8]>::to_vec).ok_or(range);
        let found = profile.file_number("any", bytes.len() as u64, read).expect("no byte beyond the end is asked for");
        found.map(|file| (file.number, file.digits, file.series))
    }

    fn numbered(number: u64, digits: &str) -> (u64, String, String) {
        (number, digits.to_owned(), String::new())
    }

    fn with(layout: &str, sequence: &str) -> Profile {
        Profile::load(&format!("{}\n[sequence]\n{sequence}\n", shipped(layout).text())).expect("a profile")
    }

    fn kpn_headed() -> Profile {
        let text = shipped("kpn-sp16").text().replace("header = \"names\"", "header = \"names\"\nskip_lines = 2");
        Profile::load(&format!("{text}\n[sequence]\nin = \"header\"\nline = 2\nfield = 1\n")).expect("a profile")
    }

    #[test]
    fn a_line_before_the_rows_has_the_number_of_the_file() {
        let profile = kpn_headed();
        let file = |first: &str, second: &str| format!("{first}\n{second}\n{KPN_HEADER}\n").into_bytes();
        assert_eq!(number(&profile, &file("KPN", "SEQ; 00017 ;x\r")), Some(numbered(17, "00017")));
        assert_eq!(number(&profile, &file(&"x".repeat(9_000), "SEQ;00017")), Some(numbered(17, "00017")));
        for second in ["SEQ", "SEQ;", "SEQ;17a", "SEQ;-17", "SEQ;0", "OTHER"] {
            assert_eq!(number(&profile, &file("KPN", second)), None, "{second}");
        }
        for cut in [&b""[..], b"KPN", b"KPN\nSEQ;0001"] {
            assert_eq!(number(&profile, cut), None, "half a number is another one");
        }
    }

    #[test]
    fn a_trailer_has_the_number_however_far_search_beginning_it_stands() {
        let profile = with("kpn-sp16", "in = \"trailer\"\nfield = 3\nlast = 99999");
        let row = "1001;SPRAAK;UIT;0612345678;0201234567;24-10-2026;09:15:00;63;;20408;MOB NL;0,0412\n";
        for rows in [0, 1, 700] {
            let file = |end: &str| format!("{KPN_HEADER}\n{}{end}", row.repeat(rows)).into_bytes();
            for end in ["TRAILER;4;0,1;00017", "TRAILER;4;0,1;00017\r\n", "TRAILER;4;0,1; 00017\n\n\r\n"] {
                assert_eq!(number(&profile, &file(end)), Some(numbered(17, "00017")), "{rows} rows and {end:?}");
            }
            for end in ["", "TRAILER;4;0,1\n", "TRAILER;4;0,1;00017\nx\n", "TRAILERS;4;0,1;00017\n", "TRAILER;4;0,1;100000\n"] {
                assert_eq!(number(&profile, &file(end)), None, "{rows} rows and {end:?}");
            }
        }
    }

    #[test]
    fn files_in_utf_16_have_theirs_too() {
        // Its count of rows is as good a number as another.
        let profile = with("tmobile-calvi", "in = \"trailer\"\nfield = 1");
        let file = fixtures::build(fixtures::shape("tmobile-calvi").expect("a layout with fixtures"), ROWS).file;
        let rows = split(&profile, &file, u64::MAX).verdict.rows;
        assert!(rows > 100 && file.len() > 8_000, "the trailer must stand behind what is read at first");
        assert_eq!(number(&profile, &file), Some(numbered(rows, &rows.to_string())));
    }

    #[test]
    fn tap3_files_are_numbered_from_sender_to_recipient_whatever_they_are_called() {
        let profile = shipped("tap3");
        let expected = Some((17, "00017".to_owned(), "GBRVF NLDLT".to_owned()));
        assert_eq!(number(&profile, &file_of("tap3")), expected);
        for form in [Form::Definite, Form::Indefinite, Form::Padded] {
            let batch = Batch::of(form, &vec![Event::call(); 40]);
            assert_eq!(number(&profile, &batch.encode()), expected, "{form:?}");
            assert_eq!(number(&profile, &batch.notification()), expected, "{form:?}: a notification has its place");
            let test = Batch { is_test: true, ..batch };
            assert_eq!(number(&profile, &test.encode()), None, "{form:?}: test files are numbered apart");
        }
        assert_eq!(number(&profile, b"no TAP3"), None);
    }

    #[test]
    fn declarations_that_cannot_be_followed_are_refused() {
        for (layout, sequence, said) in [
            ("job", "in = \"header\"\nfield = 1", "`file.skip_lines`"),
            ("job", "in = \"trailer\"\nfield = 1", "[trailer]"),
            ("job", "last = 9", "sequence.name"),
            ("job", "name = \"a{n}\"\nfield = 1", "sequence.field"),
            ("kpn-sp16", "in = \"trailer\"", "sequence.field"),
            ("kpn-sp16", "in = \"trailer\"\nname = \"a{n}\"\nfield = 3", "sequence.name"),
            ("kpn-sp16", "in = \"trailer\"\nfield = 3\nline = 1", "sequence.line"),
            ("kpn-sp16", "in = \"trailer\"\nat = { start = 1, width = 3 }", "sequence.at"),
            ("kpn-sp16", "in = \"trailer\"\nfield = 4096", "4095"),
        ] {
            let text = format!("{}\n[sequence]\n{sequence}\n", shipped(layout).text());
            let error = Profile::load(&text).expect_err(sequence).to_string();
            assert!(error.contains(said), "{sequence}: {error}");
        }
        let tap3 = shipped("tap3").text().replace("in = \"header\"", "in = \"trailer\"");
        assert!(Profile::load(&tap3).expect_err("TAP3 has no trailer").to_string().contains("set it to `name`"));
    }

    proptest::proptest! {
        #[test]
        fn garbage_never_panics_and_no_byte_beyond_the_file_is_read(
            bytes in proptest::collection::vec(proptest::sample::select(b"\xff\xfe\0;T\n\r0179".to_vec()), 0..9_000),
        ) {
            for profile in [kpn_headed(), with("tmobile-calvi", "in = \"trailer\"\nfield = 1"), shipped("tap3")] {
                let _ = number(&profile, &bytes);
            }
        }
    }
}
