//! `tollway docs`: documents that are generated from the code, for `cargo xtask codegen`.

use anyhow::Context;
use domain::columns::ColumnDoc;
use domain::columns::entries::Entries;
use domain::columns::lines::LineRows;
use domain::columns::thresholds::ThresholdRows;
use domain::columns::totals::TotalRows;
use domain::invariant::Invariant;
use domain::outcome::Reason;
use ingest::profile::{Profile, layouts_markdown};

use crate::exit_code::Exit;

/// Prints one document.
pub fn run(what: &str) -> anyhow::Result<Exit> {
    let text = match what {
        "invariants" => invariants(),
        "columns" => columns(),
        "config" => config::reference_markdown(),
        "config-schema" => config::schema_json(),
        "profile-schema" => Profile::schema_json(),
        "tariff-schema" => format!("{:#}\n", rate::tariff::schema().to_value()),
        "profiles" => profiles()?,
        "openapi" => format!("{:#}\n", crate::http::openapi::openapi()),
        _ => reasons(),
    };
    print!("{text}");
    Ok(Exit::Done)
}

fn profiles() -> anyhow::Result<String> {
    let load = |(name, text): &(&str, &str)| Profile::load(text).with_context(|| format!("shipped profile `{name}`"));
    let all: Vec<Profile> = config::profiles::SHIPPED.iter().map(load).collect::<anyhow::Result<_>>()?;
    Ok(layouts_markdown(&all))
}

fn invariants() -> String {
    let mut text = "# Invariants\n\nWhat always holds. Production checks them before it writes, `tollway check` audits them, the simulator breaks \
        everything else.\n\n| number | invariant |\n| --- | --- |\n".to_owned();
    for invariant in Invariant::ALL {
        text.extend([format!("| INV-{} | {} |\n", invariant.number(), invariant.sentence())]);
    }
    text
}

fn reasons() -> String {
    let mut text = "# Reasons for suspense\n\nThe first test that fails gives the reason; the row is kept whole.\n\n| reason | what to do |\n\
        | --- | --- |\n"
        .to_owned();
    for reason in Reason::ALL {
        text.extend([format!("| `{}` | {} |\n", reason.as_str(), reason.remedy())]);
    }
    text
}

fn columns() -> String {
    let mut text = "# Data dictionary\n\nThe columns of our tables, as Delta readers see them.\n".to_owned();
    let tables = [
        (
            "cdr_entries",
            "Partitioned by `event_month` (UTC, or `unknown`) and `outcome` (`rated`, `suspense`, `ledger`).",
            Entries::dictionary(),
        ),
        ("totals", "Partitioned by `billing_period`. Rows of one key add up.", TotalRows::dictionary()),
        (
            "allowance_thresholds",
            "In SQL `thresholds`. Partitioned by `period_month`, the month of the period. There is one row for each customer, subscription \
            or group, allowance, unit, period and percent, ever; the table is made with the first one.",
            ThresholdRows::dictionary(),
        ),
        (
            "cycle_lines",
            "In SQL `lines`. Partitioned by `closed_cycle`. What closings of cycles have posted; the table is made with the first one. The lines of \
            a customer with one `closed_cycle` add up to its invoice, but for those of the kind `correction`, which belong to their `billing_period`.",
            LineRows::dictionary(),
        ),
    ];
    for (name, note, columns) in tables {
        text.extend([format!("\n## `{name}`\n\n{note}\n\n| column | type | null | meaning |\n| --- | --- | --- | --- |\n")]);
        text.extend(columns.iter().map(column_line));
    }
    text
}

fn column_line(c: &ColumnDoc) -> String {
    format!("| `{}` | {} | {} | {} |\n", c.name, c.delta_type, if c.nullable { "yes" } else { "no" }, c.doc)
}
