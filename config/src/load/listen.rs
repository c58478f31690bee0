//! `[listen]` and `[listen.NAME]`: live sources.

use super::{Config, Reader};
use crate::error::{ConfigError, Origin};
use crate::sections::LiveSource;
use crate::setting::Setting;

/// Longest name of a source.
const NAME_CHARS_MAX: usize = 32;

/// Longest name of a topic that Kafka takes.
const TOPIC_CHARS_MAX: usize = 249;

impl Config {
    /// The live source of a name, whether it has a section or not, with arguments of the command line on top: key, value and how
    /// the argument is called, such as `("listen.topic", "cdr", "--topic")`.
    pub fn live_source(&self, name: &str, arguments: &[(&str, &str, &str)]) -> Result<LiveSource, ConfigError> {
        let mut layers = self.layers.of_source(name);
        for (key, value, argument) in arguments {
            let setting = Setting::find(key).expect("arguments are made for settings that there are");
            layers.add_text(setting, value, Origin::Argument((*argument).to_owned()));
        }
        Reader(&layers).live_source(name)
    }

    /// The live sources that have a section.
    pub fn live_sources(&self) -> Result<Vec<LiveSource>, ConfigError> {
        self.layers.sources().map(|(name, _)| self.live_source(name, &[])).collect()
    }
}

impl Reader<'_> {
    fn live_source(&self, name: &str) -> Result<LiveSource, ConfigError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(is_plain) {
            return Err(ConfigError::SourceName { name: name.chars().filter(|c| !c.is_control()).take(60).collect() });
        }
        let required =
            |key| self.text(key).and_then(|text| if text.is_empty() { Err(self.refused(key)) } else { Ok(text.to_owned()) });
        let topic = required("listen.topic")?;
        if topic.len() > TOPIC_CHARS_MAX || !topic.chars().all(is_plain) {
            return Err(self.refused("listen.topic"));
        }
        let provider = self.text("listen.provider")?;
        Ok(LiveSource {
            name: name.to_owned(),
            topic,
            profile: required("listen.profile")?,
            account: required("listen.account")?,
            provider: (!provider.is_empty()).then(|| provider.to_owned()),
            header: self.text("listen.header")?.to_owned(),
            batch_rows: self.number("listen.batch_rows")?,
            batch_bytes: self.number("listen.batch_bytes")?,
            batch_wait: self.milliseconds("listen.batch_wait_ms")?,
            held_bytes_max: self.number("listen.held_bytes_max")?,
        })
    }
}
