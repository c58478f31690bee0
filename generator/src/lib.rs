//! Seeded months of call records.
