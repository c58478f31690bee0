//! `tollway generate`: a seeded month of call records with its reference data and what to expect of it.

use anyhow::Context;
use generator::layout::Layout;
use generator::month::Month;
use generator::settings::Settings;
use serde_json::json;

use crate::cli::{GenerateArgs, Global};
use crate::exit_code::{Exit, usage};
use crate::output::{Answer, bytes, count};

/// Layouts by the names of their profiles; `all` for every one.
pub fn layouts(names: &[String]) -> anyhow::Result<Vec<Layout>> {
    if names.iter().any(|n| n == "all") {
        return Ok(Layout::ALL.to_vec());
    }
    let known: Vec<&str> = Layout::ALL.iter().map(|l| l.profile()).collect();
    let find =
        |n: &String| Layout::parse(n).ok_or_else(|| usage(format!("no generator for `{n}`; there are {}", known.join(", "))));
    names.iter().map(find).collect()
}

/// Runs the command.
pub fn run(global: &Global, args: &GenerateArgs) -> anyhow::Result<Exit> {
    let (year_month, layouts) = (args.month.clone(), layouts(&args.layouts)?);
    let settings = Settings { seed: args.seed, files: args.files, layouts, year_month, ..Settings::default() };
    let month = Month::of_rows(args.rows, settings).map_err(|e| usage(e.to_string()))?;
    let made = month
        .write_folder(&args.folder, |_| ())
        .with_context(|| format!("failed to write the month to {}", args.folder.display()))?;
    let (rows, size) = (made.iter().map(|f| f.facts.rows).sum::<u64>(), made.iter().map(|f| f.bytes).sum::<u64>());
    let folder = args.folder.display();
    let next = vec![
        format!("tollway import tariffs nl-zakelijk && tollway import customers {folder}/reference/customers.csv"),
        format!("tollway import devices {folder}/reference/devices.csv"),
        format!("then ingest a folder below {folder}/cdr with its profile and account"),
    ];
    let json = json!({"folder": args.folder, "files": made.len(), "rows": rows, "bytes": size});
    let headline = format!("{} files, {} rows, {} in {folder}", made.len(), count(rows), bytes(size));
    Answer { headline, next, json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}
