//! Names as codes while windows are compared: a window is a few words, not four strings.

use std::collections::HashMap;
use std::sync::Arc;

/// Gives each distinct text a code, in the order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    codes: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
}

impl Interner {
    /// The code of a text, new or known.
    pub fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.codes.get(name) {
            return *code;
        }
        let code = u32::try_from(self.names.len()).expect("an import and the state together hold fewer than 2^32 names");
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.codes.insert(name, code);
        code
    }

    /// The code of a known text.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.codes.get(name).copied()
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The text behind a code.
    pub fn name(&self, code: u32) -> &str {
        &self.names[code as usize]
    }
}
