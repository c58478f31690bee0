//! What can be wrong with a wrapped file, and how it finds its way through the readers to the wrapper that it is about.

use std::{fmt, io};

use super::sniff::Wrapper;
use crate::land::LandError;

/// Why something was not unwrapped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It ends too early.
    #[error("the {} data ends too early: it was cut off; ask the source to send it again", .0.as_str())]
    CutOff(Wrapper),
    /// It is not what its format demands, or its checksum is wrong.
    #[error("the {} data is damaged ({what}); ask the source to send it again", wrapper.as_str())]
    Damaged {
        /// The format.
        wrapper: Wrapper,
        /// What does not fit.
        what: String,
    },
    /// A member of a zip archive with a password.
    #[error("it is encrypted; ask the source for it without a password")]
    Encrypted,
    /// A member of a zip archive in a compression that is not read.
    #[error("its zip compression method {0} is not read; ask the source for deflate, the usual one")]
    Method(u16),
    /// A file with holes in a tar archive.
    #[error("it is stored as a sparse file; ask the source to pack it without --sparse")]
    Sparse,
    /// A format that is not unwrapped.
    #[error("it is {0}, which is not unwrapped; unpack it, or ask the source for gzip, zstd, bzip2, zip or tar")]
    Foreign(&'static str),
    /// There is no file in it.
    #[error("it holds no file; check that it is the right archive")]
    Nothing,
    /// It unwraps to too many times its size.
    #[error(
        "it unwraps to more than {0} times its size, as a bomb does; if it is what it should be, raise landing.unwrap_ratio_max"
    )]
    Ratio(u64),
    /// It unwraps to too much.
    #[error("it unwraps to more than {0} bytes; if it is what it should be, raise landing.unwrap_bytes_max")]
    Bytes(u64),
    /// Too many wrappers inside each other.
    #[error("it lies in more than {0} wrappers; if it is what it should be, raise landing.unwrap_depth_max")]
    Depth(u32),
    /// Too many members.
    #[error(
        "it holds more than {0} members; those before have landed: if it is what it should be, raise landing.unwrap_members_max \
         and land it again"
    )]
    Members(u64),
}

/// One wrapper of a file that is being unwrapped.
pub(super) type Layer = u32;

/// The file as it was sent: what is wrong with it ends everything.
pub(super) const WHOLE: Layer = 0;

/// A problem on its way to the wrapper that it is about.
#[derive(Debug)]
pub(super) enum Fault {
    /// The wrapper cannot be read on.
    Layer { layer: Layer, origin: String, problem: Problem },
    /// The store failed: nobody can go on.
    Land(LandError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { origin, problem, .. } => write!(f, "`{origin}`: {problem}"),
            Self::Land(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

/// Who speaks: a wrapper and where it was found.
#[derive(Debug, Clone)]
pub(super) struct Speaker {
    pub(super) layer: Layer,
    pub(super) wrapper: Wrapper,
    pub(super) origin: String,
}

impl Speaker {
    pub(super) fn fault(&self, problem: Problem) -> Fault {
        Fault::Layer { layer: self.layer, origin: self.origin.clone(), problem }
    }

    pub(super) fn damaged(&self, what: &str) -> Fault {
        self.fault(Problem::Damaged { wrapper: self.wrapper, what: what.to_owned() })
    }

    /// What a reader's error means: a fault from further below stays what it is, anything else is about this wrapper.
    pub(super) fn explain(&self, error: io::Error) -> Fault {
        let error = match error.downcast::<Fault>() {
            Ok(fault) => return fault,
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.fault(Problem::CutOff(self.wrapper)),
            _ => self.damaged(&error.to_string()),
        }
    }
}
