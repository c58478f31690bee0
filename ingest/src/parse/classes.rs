//! The provider's rate classes of a batch as small codes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::profile::Profile;

/// The classes met so far; neighbouring rows mostly have the same one.
#[derive(Debug, Default)]
pub(super) struct Classes {
    codes: HashMap<Box<[u8]>, u16>,
    pub names: Vec<Arc<str>>,
    last: (Vec<u8>, u16),
}

impl Classes {
    /// The code of a class, from 1; `None` when there are more classes than codes.
    #[inline]
    pub fn code(&mut self, profile: &Profile, class: &[u8]) -> Option<u16> {
        if self.last.0 == class {
            return Some(self.last.1);
        }
        let known = self.codes.get(class).copied();
        let code = if let Some(code) = known { code } else { self.add(profile, class)? };
        self.last.0.clear();
        self.last.0.extend_from_slice(class);
        self.last.1 = code;
        Some(code)
    }

    #[cold]
    fn add(&mut self, profile: &Profile, class: &[u8]) -> Option<u16> {
        let code = u16::try_from(self.names.len() + 1).ok()?;
        self.names.push(profile.decode(class).into());
        self.codes.insert(class.into(), code);
        Some(code)
    }
}
