//! `tollway tariff diff`: what changes from one tariff to another, with prices side by side.

use rate::compare::{Change, compare};
use rate::listing::Head;
use rate::tariff::Tariff;
use serde_json::json;

use super::named::Known;
use super::shown;
use crate::cli::{Global, TariffDiffArgs};
use crate::exit_code::Exit;
use crate::output::{Answer, Sheet, count};

/// Runs the command.
pub fn run(global: &Global, args: &TariffDiffArgs) -> anyhow::Result<Exit> {
    let known = Known::if_any(global)?;
    let [old_named, new_named] = [&args.old, &args.new].map(|name| known.find(name, args.base.as_deref()));
    let (old_named, new_named) = (old_named?, new_named?);
    let (old, new) = (Tariff::load(&old_named.source)?, Tariff::load(&new_named.source)?);
    let changes = compare(&old, &new);
    let json = json!({"old": Head::of(&old), "new": Head::of(&new), "same": changes.is_empty(), "changes": changes});
    let headline = match changes.len() {
        0 if old.sha256() == new.sha256() => format!("nothing changed: both are {}", old.id()),
        0 => format!("nothing changed from {} to {}: their texts differ, but every call costs the same", old.id(), new.id()),
        1 => format!("1 difference from {} to {}", old.id(), new.id()),
        n => format!("{} differences from {} to {}", count(n as u64), old.id(), new.id()),
    };
    let (rows, more) = shown(global, changes.len(), args.limit);
    let mut sheet = Sheet::new("", &["part", "change", "what", "field", "old", "new", "difference"]);
    changes.iter().take(rows).for_each(|change| sheet.row(cells(change)));
    let is_empty_screen = changes.is_empty() && global.output == crate::cli::OutputMode::Table;
    let sheets = if is_empty_screen { Vec::new() } else { vec![sheet] };
    let next = more.into_iter().chain(old_named.aside).chain(new_named.aside).collect();
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(Exit::Done)
}

fn cells(change: &Change) -> [String; 7] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        change.part.as_str().to_owned(),
        change.fate.as_str().to_owned(),
        change.what.clone(),
        text(&change.field),
        text(&change.old),
        text(&change.new),
        text(&change.percent),
    ]
}
