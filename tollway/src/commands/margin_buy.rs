//! `tollway margin --buy`: what the provider charges against what its contract says.

use std::cmp::Reverse;

use domain::money::Money;
use serde_json::{Value, json};

use super::rows::sql_text;
use crate::buy::{Difference, Group, Tolerance, compare};
use crate::cli::{Global, MarginArgs, OutputMode};
use crate::counts::grouped;
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};

/// The differences that the configuration bears.
pub fn tolerance(installation: &Installation) -> Tolerance {
    let rating = &installation.config().rating;
    Tolerance { per_mille: rating.buy_tolerance_per_mille, amount: rating.buy_tolerance }
}

/// Runs the command.
pub fn run(global: &Global, args: &MarginArgs) -> anyhow::Result<Exit> {
    let filter = match &args.cycle {
        None => "TRUE".to_owned(),
        Some(cycle) => {
            named::cycle(cycle)?;
            format!("coalesce(billing_period, event_month) = {}", sql_text(cycle))
        }
    };
    let installation = Installation::open(global)?;
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let Some(found) = compare(&installation, reference.tariffs.set(), &filter, tolerance(&installation))? else {
        return Err(bad_input(
            "no contract of a provider is known; import it as a tariff whose plan is named `buy:PROVIDER:ACCOUNT` or `buy:PROVIDER`",
        ));
    };
    let mut differences: Vec<(&Group, Difference)> = found.differences.iter().map(|(g, d)| (g, *d)).collect();
    differences.sort_by_key(|(group, d)| (Reverse(d.too_much().0.abs()), (*group).clone()));
    let machine = global.output != OutputMode::Table;
    let shown = if args.limit == 0 || machine { differences.len() } else { args.limit };
    let heads = ["account", "zone", "class", "#records", "#cost", "#expected", "#too much", "", "no price"];
    let mut sheet = Sheet::new("", &heads);
    for (group, d) in differences.iter().take(shown) {
        let money = |m: Money| if machine { m.to_text(9) } else { grouped(m, 6) };
        sheet.row([
            group.account.clone(),
            group.zone.clone(),
            group.class.clone(),
            count(d.records),
            money(d.cost),
            if group.reason.is_empty() { money(d.expected) } else { String::new() },
            if group.reason.is_empty() { money(d.too_much()) } else { String::new() },
            group.currency.clone(),
            group.reason.to_owned(),
        ]);
    }
    let records: u64 = differences.iter().map(|(_, d)| d.records).sum();
    let headline = format!(
        "{} of {} records cost something else than the contract says, in {} groups",
        count(records),
        count(found.compared),
        count(differences.len() as u64)
    );
    let mut next = Vec::new();
    if shown < differences.len() {
        next.push(format!("… {} more: --limit 0 shows all", differences.len() - shown));
    }
    if found.without_contract > 0 {
        next.push(format!("{} records are of accounts without a contract", count(found.without_contract)));
    }
    let rows: Vec<Value> = differences.iter().map(|(group, d)| to_json(group, *d)).collect();
    let json = json!({
        "compared": found.compared, "without_contract": found.without_contract, "records": records, "differences": rows,
    });
    let sheets = if differences.is_empty() && !machine { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if differences.is_empty() { Exit::Done } else { Exit::NeedsHand })
}

fn to_json(group: &Group, d: Difference) -> Value {
    let has_price = group.reason.is_empty();
    json!({
        "account": group.account,
        "zone": group.zone,
        "class": group.class,
        "currency": group.currency,
        "records": d.records,
        "cost": d.cost.to_text(9),
        "expected": has_price.then(|| d.expected.to_text(9)),
        "too_much": has_price.then(|| d.too_much().to_text(9)),
        "no_price": (!has_price).then_some(group.reason),
    })
}
