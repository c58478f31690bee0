//! The registry of typed ids: text that names a thing of the trade and cannot be mixed up with another.

use std::fmt;
use std::sync::Arc;

/// Longest id in bytes: fits a path segment and a column without surprises.
pub const ID_BYTES_MAX: usize = 64;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("an id is empty")]
    Empty,
    /// The text is longer than [`ID_BYTES_MAX`].
    #[error("id `{0}…` is longer than 64 bytes")]
    TooLong(String),
    /// A character that would not survive paths, CSV or a terminal.
    #[error("id `{id}` has the character {character:?}; letters, digits and `. _ - @ : +` are allowed")]
    Character {
        /// The offending id.
        id: String,
        /// Its first character that is not allowed.
        character: char,
    },
}

/// Checks what every id must hold: 1 to 64 bytes of letters, digits and `. _ - @ : +`.
pub fn check_id(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong(text.chars().take(24).collect()));
    }
    match text.chars().find(|c| !(c.is_alphanumeric() || "._-@:+".contains(*c))) {
        Some(character) => Err(IdError::Character { id: text.to_owned(), character }),
        None => Ok(()),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes over a text; see [`check_id`].
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check_id(text).map(|()| Self(text.into()))
            }

            /// The id as it is written everywhere.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
    )*};
}

ids! {
    /// The account at a provider under which files arrive.
    AccountId,
    /// Who pays: the holder of subscriptions.
    CustomerId,
    /// A SIM or line that makes usage.
    DeviceId,
    /// A price plan, sold to a subscription.
    PlanId,
    /// Who hands out the files.
    ProviderId,
    /// The contract that puts a device on a plan for a customer.
    SubscriptionId,
    /// The operator whose data this is; every key, table and query is inside one tenant.
    TenantId,
}

/// Compares two ids the way a person lists them: digit-only texts by value and before all others.
pub fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|c| c.is_ascii_digit());
    match (digits(a), digits(b)) {
        (true, true) => {
            let (x, y) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y)).then_with(|| a.len().cmp(&b.len()))
        }
        (true, false) => std::cmp::Ordering::Less,
        (false, true) => std::cmp::Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

/// An ordered list of distinct names whose positions are used as codes: code order is natural order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<Arc<str>>);

impl Names {
    /// Sorts in natural order and drops repeats.
    pub fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut all: Vec<Arc<str>> = names.into_iter().map(|n| n.as_ref().into()).collect();
        all.sort_by(|a, b| natural_order(a, b));
        all.dedup();
        Self(all)
    }

    /// The code of a name, if it is in the list.
    pub fn code(&self, name: &str) -> Option<u32> {
        self.0.binary_search_by(|n| natural_order(n, name)).ok().and_then(|i| u32::try_from(i).ok())
    }

    /// The name behind a code; an unknown code is a bug of the caller.
    pub fn name(&self, code: u32) -> &str {
        &self.0[code as usize]
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All names in code order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|n| &**n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_breaks_paths() {
        assert_eq!(CustomerId::parse(""), Err(IdError::Empty));
        assert!(matches!(CustomerId::parse("a/b"), Err(IdError::Character { character: '/', .. })));
        assert_eq!(CustomerId::parse("C-1042").map(|c| c.to_string()), Ok("C-1042".to_owned()));
    }

    #[test]
    fn numbers_sort_by_value_before_words() {
        let names = Names::new(["b", "10", "9", "a", "010", "9"]);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["9", "10", "010", "a", "b"]);
        assert_eq!(names.code("010"), Some(2));
        assert_eq!(names.code("11"), None);
    }
}
