//! What is fed: each reader, each wrapper, and every text that someone else wrote.

mod answer;
mod draft;
mod fields;
mod files;
mod log;
mod profile;
mod reference;
mod records;
mod rows;
mod wrapper;

use std::io;

use crate::case::{self, Case};
use crate::mutate::Shape;

/// Something that reads what others wrote.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder of the corpus.
    pub name: &'static str,
    /// Reads an input: a number for the way it answered, or what it should not have done.
    pub run: fn(&Case) -> Result<u64, String>,
    /// Inputs beside the corpus.
    pub seeds: fn() -> Vec<Case>,
    /// What inputs are made of.
    pub shape: Shape,
    /// Words that mean something to it.
    pub tokens: &'static [&'static [u8]],
}

impl Target {
    /// All inputs to begin with.
    pub fn cases(&self) -> io::Result<Vec<Case>> {
        let mut cases = case::corpus(self.name)?;
        cases.extend((self.seeds)());
        Ok(cases)
    }
}

/// All targets.
pub const ALL: &[Target] = &[
    Target { name: "delimited", run: files::run, seeds: files::delimited, shape: Shape::Lines, tokens: ROWS },
    Target { name: "fixed-width", run: files::run, seeds: none, shape: Shape::Lines, tokens: ROWS },
    Target { name: "json-lines", run: files::run, seeds: none, shape: Shape::Brackets, tokens: JSON },
    Target { name: "json-array", run: files::run, seeds: none, shape: Shape::Brackets, tokens: JSON },
    Target { name: "xml", run: files::run, seeds: none, shape: Shape::Elements, tokens: XML },
    Target { name: "tap3", run: files::run, seeds: none, shape: Shape::Ber, tokens: &[] },
    Target { name: "gzip", run: wrapper::run, seeds: wrapper::gzip, shape: Shape::Wrapped, tokens: WRAPPED },
    Target { name: "zstd", run: wrapper::run, seeds: wrapper::zstd, shape: Shape::Wrapped, tokens: WRAPPED },
    Target { name: "bzip2", run: wrapper::run, seeds: none, shape: Shape::Bytes, tokens: WRAPPED },
    Target { name: "zip", run: wrapper::run, seeds: wrapper::zip, shape: Shape::Wrapped, tokens: WRAPPED },
    Target { name: "tar", run: wrapper::run, seeds: wrapper::tar, shape: Shape::Wrapped, tokens: WRAPPED },
    Target { name: "nested", run: wrapper::run, seeds: wrapper::nested, shape: Shape::Wrapped, tokens: WRAPPED },
    Target { name: "profile", run: profile::run, seeds: profile::seeds, shape: Shape::Lines, tokens: TOML },
    Target { name: "draft", run: draft::run, seeds: draft::seeds, shape: Shape::Lines, tokens: ROWS },
    Target { name: "fields", run: fields::run, seeds: fields::seeds, shape: Shape::Bytes, tokens: VALUES },
    Target { name: "imports", run: reference::imports, seeds: reference::import_seeds, shape: Shape::Lines, tokens: IMPORTS },
    Target { name: "tariff", run: reference::tariff, seeds: reference::tariff_seeds, shape: Shape::Lines, tokens: TOML },
    Target { name: "records", run: records::run, seeds: records::seeds, shape: Shape::Brackets, tokens: RECORDS },
    Target { name: "log", run: log::run, seeds: log::seeds, shape: Shape::Bytes, tokens: &[] },
];

fn none() -> Vec<Case> {
    Vec::new()
}

const VALUES: &[&[u8]] = &[
    b"06-12 34 56 78",
    b"+31 (0)6 12345678",
    b"0031612345678",
    b"+31612345678",
    b"31612345678",
    b"(020) 765 43 21",
    b"011",
    b"+",
    b"00",
    b"*31#",
    b"112",
    b"anonymous",
    b"CAF\xc3\x89",
    b"2026-10-25T02:30:15+02:00",
    b"2026-03-29T02:30:00",
    b"2024-02-29",
    b"9999-12-31T23:59:59Z",
    b"0000-00-00",
    b"-0,000000001",
    b"1.234,56",
    b"999999999,999999999",
    b"hh:mm:ss",
    b"100:00:00",
    b"NLDPT",
    b"204080000000001",
    b"8931440400000000017F",
];

const ROWS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b"\",\"",
    b"\"\n\"",
    b"\r\n",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"TRAILER;4",
    b"TRAILER;18446744073709551616;1",
    b"06-12 34 56 78",
    b"+31 (0)6 12345678",
    b"0031612345678",
    b"2026-10-25T02:30:15+02:00",
    b"2026-03-29 02:30:00",
    b"24-10-2026",
    b"00:61:00",
    b"NaN",
    b"RECORDID",
    b"\0",
];

const JSON: &[&[u8]] = &[
    b"{\"export\":{\"calls\":[",
    b"]}}",
    b"{\"id\":1}",
    b"\"id\":",
    b"\"party\":{",
    b"\"call\":{\"start\":\"2026-10-24 09:15:00\"}",
    b"\\u0000",
    b"\\ud83d\\ude00",
    b"\xef\xbb\xbf",
    b"\n{",
    b"},{",
];

const XML: &[&[u8]] = &[
    b"<Call id=\"1\">",
    b"</Call>",
    b"<Call/>",
    b"</Calls>",
    b"<Calls>",
    b"</Usage>",
    b"<Total>2</Total>",
    b"<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
    b"<Kind>V</Kind>",
    b"<Parties><A>+31612345678</A></Parties>",
    b"<Start>2026-10-24 09:15:00</Start>",
    b"\xef\xbb\xbf",
];

const WRAPPED: &[&[u8]] = &[
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"\x28\xb5\x2f\xfd",
    b"\x50\x2a\x4d\x18\x04\0\0\0abcd",
    b"BZh9\x31\x41\x59\x26\x53\x59",
    b"\x17\x72\x45\x38\x50\x90",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"ustar\x0000",
    b"ustar  \0",
    b"\xfd7zXZ\0",
    b"7z\xbc\xaf\x27\x1c",
    b"././@LongLink",
    b"path=../../x\n",
];

const TOML: &[&[u8]] = &[
    b"\n[file]\nreader = \"fixed-width\"\n",
    b"\n[file]\nreader = \"xml\"\n",
    b"\n[file]\nreader = \"json\"\n",
    b"\n[columns]\na = { start = 1, width = 65536, pad = \"0\", align = \"right\" }\n",
    b"\n[json]\npath = \"a.b\\\\.c\"\n",
    b"\n[xml]\nrecord = \"a/b\"\n",
    b"\n[trailer]\nmarker = \"T\"\nrows_field = 4095\n",
    b"\n[[skip]]\nrule = \"x\"\ncolumn = 0\nempty = true\n",
    b"separator = \"\\t\"\n",
    b"quote = \"\"\n",
    b"row_bytes_max = 64\n",
    b"row_bytes_max = 16777216\n",
    b"places_max = 9\n",
    b"pattern = \"YYYYMMDDHHmmSS\"\n",
    b"pattern = \"epoch-milliseconds\"\n",
    b"zone = \"Europe/Amsterdam\"\n",
    b"encoding = \"utf-16\"\n",
    b"map = { }\n",
    b"\"\"\"",
    b"1979-05-27T07:32:00Z",
];

const IMPORTS: &[&[u8]] = &[
    b"msisdn",
    b"imsi",
    b"iccid",
    b"valid_from",
    b"valid_to",
    b"2026-10-01",
    b"2026-10-01T00:00:00+02:00",
    b"+31612345678",
    b"06-12345678",
    b"Europe/Amsterdam",
    b"31",
    b"operator/reseller/customer",
    b"\"",
    b"\xef\xbb\xbf",
];

const RECORDS: &[&[u8]] = &[
    b"\"arrival\":",
    b"\"delivery\":",
    b"\"format\":2",
    b"\"verdict\":null",
    b"\"complete\"",
    b"18446744073709551615",
    b"-1",
    b"\"announced\"",
    b"{\"held\":{\"reason\":\"\"}}",
];
