//! Settings as they were written, layer over layer: defaults, file, environment, arguments. Keys are checked here, values not.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use domain::nearest;
use toml::de::{DeTable, DeValue};

use crate::DEFAULT_TOML;
use crate::error::{ConfigError, Origin, line_of};
use crate::setting::{Kind, SETTINGS, Setting, sections};

/// What a name of the environment must begin with.
const PREFIX: &str = "TOLLWAY_";

/// A value as it was written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Anything else, as written.
    Other(String),
}

/// Every setting with the uppermost value and where it stands.
#[derive(Clone, Default)]
pub(crate) struct Layers {
    settings: Values,
    /// What the sections `[listen.NAME]` say, by name.
    sources: BTreeMap<String, Values>,
}

/// Values by key, and where they stand.
type Values = BTreeMap<&'static str, (Written, Origin)>;

/// The section whose sub-sections are sources.
const LISTEN: &str = "listen";

/// Without the values: a secret may be among them.
impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").finish_non_exhaustive()
    }
}

impl Layers {
    /// The embedded defaults.
    pub fn defaults() -> Result<Self, ConfigError> {
        let mut layers = Self::default();
        layers.add_toml(Path::new("default.toml"), DEFAULT_TOML, |_| Origin::Default)?;
        Ok(layers)
    }

    /// The values of a configuration file.
    pub fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        self.add_toml(path, text, |line| Origin::File { path: path.to_owned(), line })
    }

    /// A variable of the environment, if it is a setting: `TOLLWAY_SECTION__NAME`. One underscore where two belong is a
    /// mistake that would else go unseen; other names are none of ours.
    pub fn add_variable(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(()) };
        let Some((section, key)) = rest.split_once("__") else {
            let one_underscore = |s: &&Setting| s.variable().replacen("__", "_", 1) == name;
            return SETTINGS
                .iter()
                .find(one_underscore)
                .map_or(Ok(()), |meant| Err(ConfigError::OneUnderscore { name: name.to_owned(), meant: meant.variable() }));
        };
        let (key, origin) = (format!("{section}.{key}").to_ascii_lowercase(), Origin::Variable(name.to_owned()));
        let setting = Setting::find(&key).ok_or_else(|| ConfigError::UnknownKey {
            origin: origin.clone(),
            nearest: Setting::nearest(&key).variable(),
            key,
        })?;
        self.add_text(setting, value, origin);
        Ok(())
    }

    /// A value that came as text: a number where the setting wants one.
    pub fn add_text(&mut self, setting: &'static Setting, value: &str, origin: Origin) {
        let number = matches!(setting.kind, Kind::Integer { .. }).then(|| value.replace('_', "").parse().ok()).flatten();
        self.settings.insert(setting.key, (number.map_or_else(|| Written::Text(value.to_owned()), Written::Integer), origin));
    }

    /// The value of a setting.
    pub fn get(&self, key: &'static str) -> &(Written, Origin) {
        self.settings.get(key).expect("default.toml gives every setting a value, which a test proves")
    }

    /// The sources that have a section, each with what it says.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Values)> {
        self.sources.iter().map(|(name, values)| (name.as_str(), values))
    }

    /// As these, with what a source says of itself on top.
    pub fn of_source(&self, name: &str) -> Self {
        let mut layers = self.clone();
        layers.settings.extend(self.sources.get(name).cloned().unwrap_or_default());
        layers
    }

    fn add_toml(&mut self, path: &Path, text: &str, origin: impl Fn(usize) -> Origin) -> Result<(), ConfigError> {
        let table = DeTable::parse(text).map_err(|e| ConfigError::syntax(path, text, &e))?;
        for (section, settings) in table.get_ref() {
            let at = |position: usize| origin(line_of(text, position));
            let (name, section_origin) = (section.get_ref().as_ref(), at(section.span().start));
            let DeValue::Table(settings) = settings.get_ref() else {
                let nearest = nearest_by_name(name).section();
                return Err(ConfigError::NoSection { origin: section_origin, name: name.to_owned(), section: nearest });
            };
            check_section(name, section_origin)?;
            for (key, value) in settings {
                if let (LISTEN, DeValue::Table(source)) = (name, value.get_ref()) {
                    let values = read_source(text, source, &at)?;
                    self.sources.entry(key.get_ref().to_string()).or_default().extend(values);
                    continue;
                }
                let (full, origin) = (format!("{name}.{}", key.get_ref()), at(key.span().start));
                let setting = Setting::find(&full).ok_or_else(|| ConfigError::UnknownKey {
                    origin: origin.clone(),
                    nearest: Setting::nearest(&full).key.to_owned(),
                    key: full,
                })?;
                self.settings.insert(setting.key, (written(value.get_ref(), &text[value.span()]), origin));
            }
        }
        Ok(())
    }
}

/// The settings of a section `[listen.NAME]`.
fn read_source(text: &str, source: &DeTable<'_>, at: &impl Fn(usize) -> Origin) -> Result<Values, ConfigError> {
    let mut values = Values::new();
    for (key, value) in source {
        let (full, origin) = (format!("{LISTEN}.{}", key.get_ref()), at(key.span().start));
        let setting = Setting::find(&full).ok_or_else(|| ConfigError::UnknownKey {
            origin: origin.clone(),
            nearest: Setting::nearest(&full).key.to_owned(),
            key: full,
        })?;
        values.insert(setting.key, (written(value.get_ref(), &text[value.span()]), origin));
    }
    Ok(values)
}

fn written(value: &DeValue<'_>, source: &str) -> Written {
    let other = || Written::Other(source.chars().take(60).collect());
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| other(), Written::Integer)
        }
        DeValue::String(text) => Written::Text(text.as_ref().to_owned()),
        _ => other(),
    }
}

fn check_section(name: &str, origin: Origin) -> Result<(), ConfigError> {
    let all = sections();
    if all.iter().any(|(section, _)| *section == name) {
        return Ok(());
    }
    let nearest = nearest::closest(name, all.iter().map(|(section, _)| *section)).expect("there are sections");
    Err(ConfigError::UnknownSection { origin, name: name.to_owned(), nearest })
}

/// The setting whose name without its section comes nearest.
fn nearest_by_name(name: &str) -> &'static Setting {
    let near = nearest::closest(name, SETTINGS.iter().map(Setting::name));
    SETTINGS.iter().find(|s| Some(s.name()) == near).expect("there are settings")
}
