//! Rows with quotes: fields are unquoted into a buffer of their own, and written back in the one canonical form.

use memchr::memchr;

use super::field::{BEFORE_START, Row};

/// A quote that does not end, or text between its end and the next separator: in the field of this position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BrokenQuote(pub usize);

/// The fields of one line without their quotes; reused from row to row.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    data: Vec<u8>,
    ends: Vec<u32>,
    wants_quotes: bool,
    canonical: Vec<u8>,
}

impl Fields {
    /// Cuts a line (without line end) into fields. A quote inside an unquoted field is a character like others.
    pub fn split(&mut self, line: &[u8], separator: u8, quote: Option<u8>) -> Result<(), BrokenQuote> {
        self.data.clear();
        self.ends.clear();
        self.ends.push(BEFORE_START);
        self.wants_quotes = false;
        let mut rest = line;
        loop {
            let from = self.data.len();
            rest = match (quote, rest.first()) {
                (Some(quote), Some(first)) if quote == *first => self.unquote(&rest[1..], separator, quote)?,
                _ => {
                    let end = memchr(separator, rest).unwrap_or(rest.len());
                    self.data.extend_from_slice(&rest[..end]);
                    &rest[end..]
                }
            };
            let special = |c: &u8| *c == separator || Some(*c) == quote;
            self.wants_quotes |= self.data[from..].iter().any(special);
            self.ends.push(u32::try_from(self.data.len()).unwrap_or(u32::MAX));
            match rest.split_first() {
                None => return Ok(()),
                Some((_, behind)) => rest = behind,
            }
            self.data.push(separator);
        }
    }

    /// Takes a quoted field from behind its opening quote; returns what follows it: a separator, or nothing.
    fn unquote<'a>(&mut self, mut rest: &'a [u8], separator: u8, quote: u8) -> Result<&'a [u8], BrokenQuote> {
        loop {
            let end = memchr(quote, rest).ok_or(BrokenQuote(self.ends.len() - 1))?;
            self.data.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.first() {
                None => return Ok(rest),
                Some(next) if *next == quote => {
                    self.data.push(quote);
                    rest = &rest[1..];
                }
                Some(next) if *next == separator => return Ok(rest),
                Some(_) => return Err(BrokenQuote(self.ends.len() - 1)),
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
