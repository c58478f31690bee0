//! The settings in force with the origin of each, as TOML that can be used again.

use std::fmt::Write;

use crate::error::Origin;
use crate::load::Config;
use crate::raw::Written;
use crate::setting::{SETTINGS, Setting};

/// A setting in force, for screens and JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// Section and name.
    pub key: String,
    /// The value as TOML; of a secret only whether there is one.
    pub value: String,
    /// Where it comes from.
    pub origin: String,
}

impl Config {
    /// All settings in order, secrets masked; behind them what each live source says of itself.
    pub fn in_force(&self) -> Vec<InForce> {
        let of = |setting: &Setting| shown(setting.key.to_owned(), setting, self.layers.get(setting.key));
        let sources = self.layers.sources().flat_map(|(name, values)| {
            let written = SETTINGS.iter().filter_map(|setting| Some((setting, values.get(setting.key)?)));
            written.map(move |(setting, value)| shown(format!("listen.{name}.{}", setting.name()), setting, value))
        });
        SETTINGS.iter().map(of).chain(sources).collect()
    }

    /// The settings in force as a TOML file, each with its origin behind it.
    pub fn show(&self) -> String {
        let (mut text, mut open) = (String::new(), String::new());
        for InForce { key, value, origin } in self.in_force() {
            let (section, name) = key.rsplit_once('.').unwrap_or(("", &key));
            if section != open {
                section.clone_into(&mut open);
                let gap = if text.is_empty() { "" } else { "\n" };
                writeln!(text, "{gap}[{section}]").expect("a string takes all");
            }
            writeln!(text, "{name} = {value}  # {origin}").expect("a string takes all");
        }
        text
    }
}

fn shown(key: String, setting: &Setting, (written, origin): &(Written, Origin)) -> InForce {
    let value = match (setting.kind, written) {
        (kind, Written::Text(text)) if kind.is_secret() && !text.is_empty() => "\"•••\"".to_owned(),
        (_, Written::Integer(number)) => number.to_string(),
        (_, Written::Text(text)) => toml::Value::String(text.clone()).to_string(),
        (_, Written::Other(source)) => source.clone(),
    };
    InForce { key, value, origin: origin.to_string() }
}
