//! The reference of all settings, generated: a page for people and a JSON schema for editors.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::raw::{Layers, Written};
use crate::setting::{Kind, SETTINGS, Setting, sections};

fn default_of(setting: &Setting) -> Written {
    let defaults = Layers::defaults().expect("default.toml is embedded and a test reads it");
    defaults.get(setting.key).0.clone()
}

/// The page: a table per section with setting, default, what is allowed, meaning and first version.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Settings\n\n\
         A configuration file is TOML and names only what differs from the defaults. A variable of the environment overrides it: \
         section and name in capitals, such as `TOLLWAY_LANDING__CUT_ROWS`. `tollway config show` prints what is in force and \
         where each value comes from.\n",
    );
    for (section, meaning) in sections() {
        write!(
            text,
            "\n## `[{section}]`\n\n{meaning}\n\n| setting | default | allowed | meaning | since |\n|---|---|---|---|---|\n"
        )
        .expect("a string takes all");
        for setting in SETTINGS.iter().filter(|s| s.section() == section) {
            let default = match default_of(setting) {
                Written::Integer(number) => number.to_string(),
                Written::Text(value) => format!("\"{value}\""),
                Written::Other(source) => source,
            };
            let cells = [format!("`{}`", setting.name()), format!("`{default}`"), setting.kind.allowed(), setting.meaning()];
            let cells = cells.map(|cell| cell.replace('|', "\\|")).join(" | ");
            writeln!(text, "| {cells} | {} |", setting.since).expect("a string takes all");
        }
    }
    text
}

/// The JSON schema (draft 2020-12) of a configuration file.
pub fn schema_json() -> String {
    let mut properties = Map::new();
    for (section, meaning) in sections() {
        let settings: Map<String, Value> = SETTINGS
            .iter()
            .filter(|s| s.section() == section)
            .map(|setting| (setting.name().to_owned(), schema_of(setting)))
            .collect();
        // A source is a table in the section, and may say anything that the section says.
        let others = match section {
            "listen" => json!({ "type": "object", "additionalProperties": false, "properties": settings }),
            _ => json!(false),
        };
        let section_schema =
            json!({ "type": "object", "description": meaning, "additionalProperties": others, "properties": settings });
        properties.insert(section.to_owned(), section_schema);
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tollway configuration",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value always serializes");
    text.push('\n');
    text
}

fn schema_of(setting: &Setting) -> Value {
    let mut schema = match setting.kind {
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Choice(words) => json!({ "enum": words }),
        Kind::Schema => json!({ "type": "string", "pattern": "^[a-z_][a-z0-9_]{0,62}$" }),
        Kind::Amount => json!({ "type": "string", "pattern": "^[0-9]{1,18}(\\.[0-9]{1,9})?$" }),
        _ => json!({ "type": "string" }),
    };
    schema["description"] = json!(setting.meaning());
    schema["default"] = match default_of(setting) {
        Written::Integer(number) => json!(number),
        Written::Text(text) | Written::Other(text) => json!(text),
    };
    schema
}
