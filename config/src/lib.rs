//! The settings of tollway, and the files that come with it.
//!
//! *Purpose.* One place that says what can be set, its default, its limits and what it means. *Input → output.* A
//! configuration file and the environment → [`Config`], validated; shipped profiles, tariffs and samples as texts.
//! *Never.* No reading of profiles or tariffs (their stages do), no defaults elsewhere, no secret in any output.
//! *Start reading at* `default.toml`, then [`setting`] and [`load`].

pub mod setting;
pub mod load;
pub mod sections;
pub mod secret;
pub mod show;
pub mod reference;
pub mod error;
pub mod shipped;

mod raw;
#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use load::Config;
pub use reference::{reference_markdown, schema_json};
pub use secret::Secret;
pub use shipped::{profiles, samples, tariffs};

/// The default settings: a commented TOML file that is also the reference of what can be set.
pub const DEFAULT_TOML: &str = include_str!("../default.toml");
