//! The object store of a local disk.
