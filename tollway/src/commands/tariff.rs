//! `tollway tariff`: the tariffs of the data folder, one as a price list, what is wrong with one, and what differs between two.

pub mod named;
mod show;
mod lint;
mod diff;

use anyhow::Context;
use rate::listing::Head;
use rate::tariff::Tariff;
use serde_json::json;

use self::named::Known;
use crate::cli::{Global, OutputMode, TariffCommand, TariffListArgs};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::moment::Moment;
use crate::output::{Answer, Sheet, count};

/// Runs the command.
pub fn run(global: &Global, command: &TariffCommand) -> anyhow::Result<Exit> {
    match command {
        TariffCommand::List(args) => list(global, args),
        TariffCommand::Show(args) => show::run(global, args),
        TariffCommand::Lint(args) => lint::run(global, args),
        TariffCommand::Diff(args) => diff::run(global, args),
        TariffCommand::Import(args) => super::import::run(global, &args.into()),
    }
}

/// What to type after a list of a moment.
const SHOW_THEN: &str = "tollway tariff show NAME, with the same --known-at";

fn list(global: &Global, args: &TariffListArgs) -> anyhow::Result<Exit> {
    let moment = Moment::given(args.known_at.as_deref())?;
    let installation = Installation::open(global)?;
    let mut sheet =
        Sheet::new("", &["tariff", "version", "currency", "clock", "from", "to", "#plans", "#prefixes", "#networks", "#prices"]);
    let mut all = Vec::new();
    for source in Known::of(&installation, moment)?.in_force {
        let tariff = Tariff::load(&source).with_context(|| format!("tariff `{}` in the data folder", source.name))?;
        let (head, rows) = (Head::of(&tariff), tariff.table_rows());
        let rows_of = |table: &str| rows.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
        // A table that a program reads has the whole hash, as the labels of rows have their beginning of it.
        let short = head.id.rsplit('@').next().unwrap_or_default();
        let version = if global.output == OutputMode::Csv { &head.sha256 } else { short };
        let words =
            [&head.name, version, &head.currency, &head.time_zone, &head.valid_from, head.valid_to.as_deref().unwrap_or("-")];
        let counts = [tariff.plan_names().len(), rows_of("prefixes"), rows_of("networks"), rows_of("prices")];
        sheet.row(words.map(str::to_owned).into_iter().chain(counts.map(|n| count(n as u64))));
        let rows: serde_json::Map<_, _> = rows.iter().map(|(name, rows)| ((*name).to_owned(), json!(rows))).collect();
        all.push(json!({"head": head, "plans": tariff.plan_names().collect::<Vec<_>>(), "rows": rows}));
    }
    let (headline, next) = match (all.len(), moment) {
        (0, Some(moment)) => (format!("no tariff was known at {}", moment.text()), "tollway tariff list"),
        (1, Some(moment)) => (format!("1 tariff, as it was known at {}", moment.text()), SHOW_THEN),
        (n, Some(moment)) => (format!("{n} tariffs, as they were known at {}", moment.text()), SHOW_THEN),
        (0, None) => (
            "no tariff is in this data folder".to_owned(),
            "import one: tollway import tariffs FILE, or a shipped one such as nl-zakelijk (docs/howto/write-a-tariff.md)",
        ),
        (1, None) => ("1 tariff".to_owned(), "tollway tariff show NAME"),
        (n, None) => (format!("{n} tariffs"), "tollway tariff show NAME"),
    };
    let sheets = if all.is_empty() && global.output != OutputMode::Csv { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next: vec![next.to_owned()], json: json!(all) }.print(global.output)?;
    Ok(Exit::Done)
}

/// The first rows of a table, and what to type for the rest: people read screens, programs take all.
fn shown(global: &Global, rows: usize, limit: usize) -> (usize, Option<String>) {
    if global.output != OutputMode::Table || limit == 0 || rows <= limit {
        return (rows, None);
    }
    (limit, Some(format!("… {} more: --limit 0 shows all", count((rows - limit) as u64))))
}
