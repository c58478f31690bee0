//! Which paths name an object: none that leaves the root, hides in the staging folder or means another on some system.

use std::io;
use std::ops::Range;

use domain::ports::BlobError;

/// Where temporary files lie, under the root.
pub(crate) const STAGING: &str = ".staging";

/// Longest path in bytes: what object stores take.
const PATH_BYTES_MAX: usize = 1024;

/// Longest segment of a path in bytes: what local file systems take.
const SEGMENT_BYTES_MAX: usize = 255;

/// Refuses what is no object's path.
pub(crate) fn check_path(path: &str) -> Result<(), BlobError> {
    match fault(path) {
        Some(fault) => Err(refused(path, fault)),
        None => Ok(()),
    }
}

/// Refuses what is no folder: a path with a `/` at its end, or nothing for the root.
pub(crate) fn check_folder(folder: &str) -> Result<(), BlobError> {
    match folder.strip_suffix('/') {
        Some(path) => check_path(path),
        None if folder.is_empty() => Ok(()),
        None => Err(refused(folder, "a folder ends with `/`")),
    }
}

fn refused(path: &str, fault: &str) -> BlobError {
    let source = io::Error::new(io::ErrorKind::InvalidInput, format!("this is no object's path: {fault}"));
    BlobError::Io { path: path.to_owned(), source }
}

fn fault(path: &str) -> Option<&'static str> {
    if path.len() > PATH_BYTES_MAX {
        return Some("it is too long");
    }
    // By bytes: every access to the store comes by here.
    if path.bytes().any(|byte| matches!(byte, b'\\' | 0)) {
        return Some("it has a backslash or a NUL");
    }
    for part in path.as_bytes().split(|byte| *byte == b'/') {
        match part {
            b"" => return Some("it is empty, has an empty part, or begins or ends with `/`"),
            b"." | b".." => return Some("it has a part `.` or `..`"),
            part if part.len() > SEGMENT_BYTES_MAX => return Some("a part of it is too long"),
            _ => {}
        }
    }
    let first = path.split('/').next();
    (first == Some(STAGING)).then_some("`.staging` holds temporary files")
}

/// The error of a range that the object does not have.
pub(crate) fn beyond_the_end(path: &str, range: &Range<u64>, size: u64) -> BlobError {
    let what = format!("bytes {} to {} were asked for, it has {size}", range.start, range.end);
    BlobError::Io { path: path.to_owned(), source: io::Error::new(io::ErrorKind::UnexpectedEof, what) }
}
