//! How much landing takes.

use crate::unwrap::UnwrapLimits;

/// Limits of landing.
#[derive(Debug, Clone, Copy)]
pub struct LandingSettings {
    /// Largest file that is landed, bytes.
    pub file_bytes_max: u64,
    /// Largest reference import, bytes: imports are read into memory.
    pub import_bytes_max: u64,
    /// How often a number is tried for when others take it first.
    pub attempts_max: u32,
    /// How many files at most arrive in one record, up to 256; 1: each in its own.
    pub together_files_max: usize,
    /// How many bytes they have at most together: rating begins when they have arrived.
    pub together_bytes_max: u64,
    /// How much of a wrapped file is unwrapped.
    pub unwrap: UnwrapLimits,
}

impl Default for LandingSettings {
    fn default() -> Self {
        let unwrap = UnwrapLimits::default();
        Self {
            file_bytes_max: 16 << 30,
            import_bytes_max: 1 << 30,
            attempts_max: 1000,
            together_files_max: 64,
            together_bytes_max: 2 << 20,
            unwrap,
        }
    }
}
