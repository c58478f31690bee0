//! The settings in force with the origin of each, as TOML that can be used again.

use std::fmt::Write;

use crate::load::Config;
use crate::raw::Written;
use crate::setting::SETTINGS;

/// A setting in force, for screens and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Section and name.
    pub key: &'static str,
    /// The value as TOML; of a secret only whether there is one.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

impl Config {
    /// All settings in order, secrets masked.
    pub fn in_force(&self) -> Vec<InForce> {
        let shown = |setting: &crate::setting::Setting| {
            let (written, origin) = self.layers.get(setting.key);
            let value = match (setting.kind, written) {
                (kind, Written::Text(text)) if kind.is_secret() && !text.is_empty() => "\"•••\"".to_owned(),
                (_, Written::Integer(number)) => number.to_string(),
                (_, Written::Text(text)) => toml::Value::String(text.clone()).to_string(),
                (_, Written::Other(source)) => source.clone(),
            };
            InForce { key: setting.key, value, origin: origin.to_string() }
        };
        SETTINGS.iter().map(shown).collect()
    }

    /// The settings in force as a TOML file, each with its origin behind it.
    pub fn show(&self) -> String {
        let mut text = String::new();
        let mut open = "";
        for (setting, shown) in SETTINGS.iter().zip(self.in_force()) {
            if setting.section() != open {
                open = setting.section();
                let gap = if text.is_empty() { "" } else { "\n" };
                writeln!(text, "{gap}[{open}]").expect("a string takes all");
            }
            writeln!(text, "{} = {}  # {}", setting.name(), shown.value, shown.origin).expect("a string takes all");
        }
        text
    }
}
