//! All values of a record with their paths, as profiles write them: for people and for drafts, not for rows.

use crate::profile::Profile;
use crate::profile::charset::Encoding;
use crate::profile::recipe::Reader;

use super::json::scan::{self as json_scan, Scalar};
use super::json::unescape as unescape_json;
use super::xml::scan as xml_scan;
use super::xml::unescape as unescape_xml;

/// Most values of one record that are looked at.
const PAIRS_MAX: usize = 4096;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// `call.start`, `Party/@number`.
    pub path: String,
    /// Without quotes and with what its references stand for; empty for `null`.
    pub text: String,
    /// Whether it stands in a list, of which a profile reads nothing.
    pub is_in_list: bool,
}

/// The values of a record of a profile's reader; none of a reader without paths.
pub(crate) fn pairs(profile: &Profile, record: &[u8]) -> Vec<Pair> {
    match &profile.reader {
        Reader::JsonLines(_) | Reader::JsonArray(_) => of_json(record),
        Reader::Xml(form) => of_xml(record, form.encoding),
        Reader::Delimited | Reader::FixedWidth(_) | Reader::Tap3(_) => Vec::new(),
    }
}

/// The values of a JSON object; of one that is broken, those before that.
pub(crate) fn of_json(record: &[u8]) -> Vec<Pair> {
    let mut flat = Json { names: Vec::new(), is_object: Vec::new(), pairs: Vec::new() };
    let from = json_scan::skip_blanks(record, 0);
    // What is broken is told elsewhere.
    _ = json_scan::value(record, from, json_scan::DEPTH_LIMIT, &mut flat);
    flat.pairs
}

struct Json {
    /// The names of the objects that are open, and of the value that comes next.
    names: Vec<String>,
    is_object: Vec<bool>,
    pairs: Vec<Pair>,
}

impl<'a> json_scan::Visitor<'a> for Json {
    fn name(&mut self, name: &'a [u8]) {
        let mut bytes = Vec::new();
        let is_text = unescape_json(name, &mut bytes).is_some();
        let text = String::from_utf8_lossy(if is_text { &bytes } else { name }).into_owned();
        self.names.truncate(self.is_object.len() - 1);
        let text = if text.is_empty() { "\0".to_owned() } else { text };
        self.names.push(text.replace('\\', "\\\\").replace('.', "\\."));
    }

    fn open(&mut self, is_object: bool) {
        self.names.resize(self.is_object.len(), String::new());
        self.is_object.push(is_object);
    }

    fn close(&mut self) {
        self.is_object.pop();
        self.names.truncate(self.is_object.len());
    }

    fn scalar(&mut self, scalar: Scalar<'a>) {
        if self.pairs.len() == PAIRS_MAX || self.names.is_empty() {
            return;
        }
        let text = match scalar {
            Scalar::Null => String::new(),
            Scalar::Word(word) => String::from_utf8_lossy(word).into_owned(),
            Scalar::Text(text) => {
                let mut bytes = Vec::new();
                let is_right = unescape_json(text, &mut bytes).is_some();
                String::from_utf8_lossy(if is_right { &bytes } else { text }).into_owned()
            }
        };
        let is_in_list = self.is_object.iter().any(|is_object| !is_object);
        let names = self.names.iter().filter(|name| !name.is_empty());
        let path = names.map(String::as_str).collect::<Vec<_>>().join(".");
        self.pairs.push(Pair { path, text, is_in_list });
    }
}

/// The values of an XML element, its name left out of the paths; a path that comes twice is a list. Of one that is broken, those
/// before that.
pub(crate) fn of_xml(record: &[u8], encoding: Encoding) -> Vec<Pair> {
    let mut flat = Xml { encoding, names: Vec::new(), pairs: Vec::new(), texts: Vec::new(), has_elements: Vec::new() };
    // What is broken is told elsewhere.
    _ = xml_scan::element(record, 0, xml_scan::DEPTH_LIMIT, &mut xml_scan::Open::new(), &mut flat);
    let mut pairs = flat.pairs;
    let paths: Vec<String> = pairs.iter().map(|pair| pair.path.clone()).collect();
    for pair in &mut pairs {
        pair.is_in_list = paths.iter().filter(|path| **path == pair.path).count() > 1;
    }
    pairs
}

struct Xml {
    encoding: Encoding,
    /// The names of the elements that are open below the record.
    names: Vec<String>,
    pairs: Vec<Pair>,
    /// Of each open element, what stands in it.
    texts: Vec<Vec<u8>>,
    has_elements: Vec<bool>,
}

impl Xml {
    fn add(&mut self, path: String, bytes: &[u8]) {
        if self.pairs.len() < PAIRS_MAX {
            let text = self.encoding.decode(bytes).trim().to_owned();
            self.pairs.push(Pair { path, text, is_in_list: false });
        }
    }

    fn path(&self, last: Option<&str>) -> String {
        self.names.iter().skip(1).map(String::as_str).chain(last).collect::<Vec<_>>().join("/")
    }
}

impl<'a> xml_scan::Visitor<'a> for Xml {
    fn open(&mut self, name: &'a [u8]) {
        if let Some(outer) = self.has_elements.last_mut() {
            *outer = true;
        }
        self.names.push(self.encoding.decode(name).into_owned());
        self.texts.push(Vec::new());
        self.has_elements.push(false);
    }

    fn attribute(&mut self, name: &'a [u8], value: &'a [u8]) {
        let path = self.path(Some(&format!("@{}", self.encoding.decode(name))));
        let mut bytes = Vec::new();
        let is_right = unescape_xml(self.encoding, value, &mut bytes).is_ok();
        self.add(path, if is_right { &bytes } else { value });
    }

    fn text(&mut self, text: &'a [u8], is_verbatim: bool) {
        let encoding = self.encoding;
        let Some(all) = self.texts.last_mut() else { return };
        let before = all.len();
        if is_verbatim || unescape_xml(encoding, text, all).is_err() {
            all.truncate(before);
            all.extend_from_slice(text);
        }
    }

    fn close(&mut self) {
        let text = self.texts.pop().unwrap_or_default();
        let is_leaf = !self.has_elements.pop().unwrap_or(true);
        if is_leaf && self.names.len() > 1 {
            let path = self.path(None);
            self.add(path, &text);
        }
        self.names.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &[Pair]) -> Vec<String> {
        pairs.iter().map(|p| format!("{}={}{}", p.path, p.text, if p.is_in_list { " (list)" } else { "" })).collect()
    }

    #[test]
    fn json_values_have_the_paths_that_profiles_write() {
        let record = br#" {"id":7,"a.b":{"c\\d":"x\u00e9","n":null},"legs":[{"to":1},{"to":2}],"empty":{},"last":true}"#;
        assert_eq!(
            shown(&of_json(record)),
            ["id=7", "a\\.b.c\\\\d=x\u{e9}", "a\\.b.n=", "legs.to=1 (list)", "legs.to=2 (list)", "last=true"]
        );
        assert_eq!(shown(&of_json(b"{\"id\":7,\"x\":")), ["id=7"]);
        assert_eq!(of_json(b"[1]"), []);
    }

    #[test]
    fn xml_values_have_the_paths_that_profiles_write() {
        let record =
            b"<Call id='7'><A n=\"1&amp;2\"> x </A><Legs><Leg>1</Leg><Leg>2</Leg></Legs><E/><V><![CDATA[<y>]]></V></Call>";
        assert_eq!(
            shown(&of_xml(record, Encoding::Utf8)),
            ["@id=7", "A/@n=1&2", "A=x", "Legs/Leg=1 (list)", "Legs/Leg=2 (list)", "E=", "V=<y>"]
        );
    }
}
