//! Rows with quotes: fields are unquoted into a buffer of their own, and written back in the one canonical form.

use super::field::{BEFORE_START, Row};

/// A quote that does not end, or text between its end and the next separator: in the field of this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenQuote(pub usize);

/// A line of which it is known where separators and quotes stand, in and out of quotes: positions in `data`, as all here are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Searched<'a> {
    pub data: &'a [u8],
    pub begin: usize,
    pub end: usize,
    pub separator: u8,
    pub separators: &'a [u32],
    pub quotes: &'a [u32],
}

/// The fields of one line without their quotes; reused from row to row.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    data: Vec<u8>,
    ends: Vec<u32>,
    wants_quotes: bool,
    canonical: Vec<u8>,
    separators: Vec<u32>,
    quotes: Vec<u32>,
}

impl Fields {
    /// Cuts a line (without line end) into fields. A quote inside an unquoted field is a character like others.
    pub fn split(&mut self, line: &[u8], separator: u8, quote: Option<u8>) -> Result<(), BrokenQuote> {
        let (mut separators, mut quotes) = (std::mem::take(&mut self.separators), std::mem::take(&mut self.quotes));
        separators.clear();
        quotes.clear();
        for (at, byte) in (0..).zip(line) {
            if *byte == separator {
                separators.push(at);
            } else if Some(*byte) == quote {
                quotes.push(at);
            }
        }
        let (separators_in, quotes_in) = (&separators[..], &quotes[..]);
        let searched =
            Searched { data: line, begin: 0, end: line.len(), separator, separators: separators_in, quotes: quotes_in };
        let cut = self.cut(searched);
        (self.separators, self.quotes) = (separators, quotes);
        cut
    }

    /// As [`Fields::split`], of a line that was searched before.
    pub fn cut(&mut self, line: Searched<'_>) -> Result<(), BrokenQuote> {
        self.data.clear();
        self.data.reserve(line.end - line.begin);
        self.ends.clear();
        self.ends.push(BEFORE_START);
        self.wants_quotes = false;
        // What is still ahead of `at`.
        let (mut at, mut separators, mut quotes) = (line.begin, line.separators, line.quotes);
        loop {
            let end = if quotes.first().is_some_and(|quote| *quote as usize == at) {
                let end = self.unquote(line, &mut quotes)?;
                let hidden = separators.iter().take_while(|separator| (**separator as usize) < end).count();
                self.wants_quotes |= hidden > 0;
                separators = &separators[hidden..];
                end
            } else {
                let end = separators.first().map_or(line.end, |separator| *separator as usize);
                let stray = quotes.iter().take_while(|quote| (**quote as usize) < end).count();
                self.wants_quotes |= stray > 0;
                quotes = &quotes[stray..];
                self.data.extend_from_slice(&line.data[at..end]);
                end
            };
            self.ends.push(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
            let Some((_, behind)) = separators.split_first() else { return Ok(()) };
            self.data.push(line.separator);
            (at, separators) = (end + 1, behind);
        }
    }

    /// Takes the field that the first of the quotes opens and returns where it ends: at a separator, or with the line.
    fn unquote(&mut self, line: Searched<'_>, quotes: &mut &[u32]) -> Result<usize, BrokenQuote> {
        let broken = BrokenQuote(self.ends.len() - 1);
        loop {
            let [open, close, behind @ ..] = *quotes else { return Err(broken) };
            let (from, to) = (*open as usize + 1, *close as usize);
            self.data.extend_from_slice(&line.data[from..to]);
            *quotes = behind;
            let end = to + 1;
            if behind.first().is_some_and(|next| *next as usize == end) {
                // The second of a pair stands for both, and opens the rest of the field.
                self.data.push(line.data[to]);
                self.wants_quotes = true;
            } else if end == line.end || line.data[end] == line.separator {
                return Ok(end);
            } else {
                return Err(broken);
            }
        }
    }

    /// The fields of the last line.
    pub fn row(&self) -> Row<'_> {
        Row { data: &self.data, ends: &self.ends, text: None }
    }

    /// The last line with only those fields quoted that need it: what is hashed, so that `"0612"` equals `0612`.
    pub fn canonical(&self) -> &[u8] {
        if self.wants_quotes { &self.canonical } else { &self.data }
    }

    /// Prepares [`Fields::canonical`] of the last line.
    pub fn make_canonical(&mut self, separator: u8, quote: u8) {
        if !self.wants_quotes {
            return;
        }
        self.canonical.clear();
        let row = Row { data: &self.data, ends: &self.ends, text: None };
        for (i, field) in row.fields().enumerate() {
            if i > 0 {
                self.canonical.push(separator);
            }
            if !field.bytes().iter().any(|c| *c == separator || *c == quote) {
                self.canonical.extend_from_slice(field.bytes());
                continue;
            }
            self.canonical.push(quote);
            for byte in field.bytes() {
                if *byte == quote {
                    self.canonical.push(quote);
                }
                self.canonical.push(*byte);
            }
            self.canonical.push(quote);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(line: &str) -> Result<Vec<String>, BrokenQuote> {
        let mut fields = Fields::default();
        fields.split(line.as_bytes(), b',', Some(b'"'))?;
        Ok(fields.row().fields().map(|f| String::from_utf8_lossy(f.bytes()).into_owned()).collect())
    }

    #[test]
    fn quotes_hide_separators_and_double_inside() {
        assert_eq!(fields(r#"a,"b,c","d""e",f"#), Ok(["a", "b,c", "d\"e", "f"].map(str::to_owned).to_vec()));
        assert_eq!(fields(r#""","#), Ok(vec![String::new(), String::new()]));
        assert_eq!(fields(r#"5" pipe,x"#), Ok(vec!["5\" pipe".to_owned(), "x".to_owned()]));
        assert_eq!(fields(r#"a,"open"#), Err(BrokenQuote(1)));
        assert_eq!(fields(r#""a"b,c"#), Err(BrokenQuote(0)));
    }

    proptest! {
        #[test]
        fn a_line_is_cut_the_same_wherever_it_stands(before in "[a,\"]{0,9}", line in "[a,\"]{0,24}", after in "[a,\"]{0,9}") {
            let (mut alone, mut inside) = (Fields::default(), Fields::default());
            let expected = alone.split(line.as_bytes(), b',', Some(b'"'));
            let (data, begin, end) = (format!("{before}{line}{after}"), before.len(), before.len() + line.len());
            let of = |wanted| (0..).zip(data.bytes()).skip(begin).take(line.len()).filter(move |(_, c)| *c == wanted);
            let (separators, quotes): (Vec<u32>, Vec<u32>) =
                (of(b',').map(|(at, _)| at).collect(), of(b'"').map(|(at, _)| at).collect());
            let searched =
                Searched { data: data.as_bytes(), begin, end, separator: b',', separators: &separators, quotes: &quotes };
            prop_assert_eq!(inside.cut(searched), expected);
            if expected.is_ok() {
                prop_assert_eq!((&inside.data, &inside.ends, inside.wants_quotes), (&alone.data, &alone.ends, alone.wants_quotes));
            }
        }

        #[test]
        fn the_canonical_form_means_the_same_and_is_stable(values in prop::collection::vec("[a,\" ;é]{0,5}", 1..6)) {
            let quoted: Vec<String> = values.iter().map(|v| format!("\"{}\"", v.replace('"', "\"\""))).collect();
            let mut one = Fields::default();
            one.split(quoted.join(",").as_bytes(), b',', Some(b'"')).expect("well quoted");
            let read: Vec<String> = one.row().fields().map(|f| String::from_utf8_lossy(f.bytes()).into_owned()).collect();
            prop_assert_eq!(&read, &values);
            one.make_canonical(b',', b'"');
            let canonical = one.canonical().to_vec();
            let mut two = Fields::default();
            two.split(&canonical, b',', Some(b'"')).expect("its own form is well quoted");
            prop_assert_eq!(two.row().fields().map(|f| f.bytes().to_vec()).collect::<Vec<_>>(),
                values.iter().map(|v| v.as_bytes().to_vec()).collect::<Vec<_>>());
            two.make_canonical(b',', b'"');
            prop_assert_eq!(two.canonical(), &canonical[..]);
        }
    }
}
