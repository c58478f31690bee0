//! Why a file as a whole is not read as TAP3, said so that a person knows what to ask the sender for.

use domain::ports::Disposition;

use super::ber::BerError;

/// Why a file's head cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Tap3Error {
    /// It begins with something else.
    #[error(
        "the file begins with no TAP3 batch (tag 1) and no notification (tag 2) but with `{opening}`; \
         unwrap it, or choose another profile"
    )]
    NotTap3 {
        /// Its first bytes, hexadecimal.
        opening: String,
    },
    /// It ends before its events.
    #[error("the file ends in its head; fetch it again, or ask for the whole file")]
    Cut,
    /// The elements before the events do not nest.
    #[error("the file's head is damaged in its {group}; fetch it again, or ask the sender for it")]
    Damaged {
        /// The group of the head.
        group: &'static str,
        /// Where and how.
        #[source]
        source: BerError,
    },
    /// A version that is not read.
    #[error("the file is TAP {specification}.{release}; 3.10 to 3.12 are read, ask the sender for one of them")]
    Version {
        /// The specification's version.
        specification: u64,
        /// The release.
        release: u64,
    },
    /// An item that all else depends on is not there.
    #[error("the file's head has no {item}; ask the sender for a corrected file")]
    Missing {
        /// The item's name in TAP.
        item: &'static str,
    },
    /// An item that all else depends on is not what it should be.
    #[error("{item} of the file's head cannot be read; ask the sender for a corrected file")]
    Item {
        /// The item's name in TAP.
        item: &'static str,
    },
    /// A code table that contradicts itself.
    #[error(
        "code {code} stands twice in the file's table of {table}, with different values; ask the sender for a corrected file"
    )]
    Contradiction {
        /// The table's item in TAP.
        table: &'static str,
        /// The code.
        code: u64,
    },
    /// A code table with more entries than any file needs.
    #[error("the file's table of {table} has more than {max} entries, so it is none")]
    TableTooLarge {
        /// The table's item in TAP.
        table: &'static str,
        /// Most entries that are read.
        max: usize,
    },
}

impl Tap3Error {
    /// The same bytes fail the same way: someone has to get another file.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}
