//! `tollway margin`: what the provider charges us against what we charge, per customer, plan, zone or whatever is asked for.

use std::collections::BTreeMap;

use domain::money::Money;
use serde_json::{Map, Value, json};

use super::rows::{ask_rows, sql_text};
use super::totals::{CURRENCY, group};
use crate::cli::{Global, MarginArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::totals;

/// Names of the groups and the currency.
type Key = (Vec<String>, String);

/// Charge and cost of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    records: i64,
    charge: i128,
    cost: i128,
}

impl Sides {
    fn margin(self) -> i128 {
        self.charge - self.cost
    }

    /// The margin in tenths of a per cent of the charge, rounded towards zero; `None` where nothing is charged.
    fn per_mille(self) -> Option<i128> {
        per_mille(self.margin(), self.charge)
    }
}

/// Records whose cost is in another currency than their charge, which totals do not add.
fn foreign_costs(installation: &Installation, cycle: Option<&str>) -> anyhow::Result<u64> {
    let of_cycle = cycle.map(|cycle| format!(" AND billing_period = {}", sql_text(cycle))).unwrap_or_default();
    let sql = format!("SELECT count(*) AS n FROM cdr WHERE outcome = 'rated' AND cost_currency <> currency{of_cycle}");
    Ok(ask_rows(installation, &sql)?.first().map_or(0, |row| row.number("n")))
}

/// Runs the command.
pub fn run(global: &Global, args: &MarginArgs) -> anyhow::Result<Exit> {
    if let Some(cycle) = &args.cycle {
        named::cycle(cycle)?;
    }
    let installation = Installation::open(global)?;
    let groups = args.by.iter().map(|g| group(g)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut sides: BTreeMap<Key, Sides> = BTreeMap::new();
    for ((cycle, names), sums) in totals::read(&installation.totals()?, args.cycle.as_deref())? {
        let key = groups.iter().map(|(_, slot)| slot.map_or_else(|| cycle.clone(), |i| names[i].clone())).collect();
        let side = sides.entry((key, names[CURRENCY].clone())).or_default();
        side.records += sums.count;
        side.charge += sums.charge;
        side.cost += sums.cost;
    }
    let mut worst_first: Vec<(&Key, Sides)> = sides.iter().map(|(key, side)| (key, *side)).collect();
    worst_first.sort_by(|a, b| a.1.margin().cmp(&b.1.margin()).then_with(|| a.0.cmp(b.0)));
    let below = worst_first.iter().filter(|(_, s)| s.margin() < 0).count();
    let machine = global.output != crate::cli::OutputMode::Table;
    let shown = if args.limit == 0 || machine { worst_first.len() } else { args.limit };
    let mut heads: Vec<&str> = groups.iter().map(|(name, _)| *name).collect();
    heads.extend(["#records", "#charge", "#cost", "#margin", "#of charge", ""]);
    let mut sheet = Sheet::new("", &heads);
    for ((names, currency), side) in worst_first.iter().take(shown) {
        let mut row = names.clone();
        row.push(count(side.records.unsigned_abs()));
        row.extend(
            [side.charge, side.cost, side.margin()].map(|m| if machine { Money(m).to_text(9) } else { grouped(Money(m), 2) }),
        );
        row.push(side.per_mille().map_or_else(String::new, per_cent));
        row.push(currency.clone());
        sheet.row(row);
    }
    let json: Vec<Value> = worst_first.iter().map(|(key, side)| to_json(&groups, key, *side)).collect();
    let headline = match below {
        0 => format!("{} groups, none sold below cost; worst first", count(sides.len() as u64)),
        n => format!("{} of {} groups sold below cost; worst first", count(n as u64), count(sides.len() as u64)),
    };
    let foreign = foreign_costs(&installation, args.cycle.as_deref())?;
    let mut next = vec![match foreign {
        0 => "the cost counts where the provider states it in the currency of the charge".to_owned(),
        n => format!(
            "{} records have a cost in another currency: their charge counts here and their cost does not, so margins of their groups \
             are too high",
            count(n)
        ),
    }];
    if shown < worst_first.len() {
        next.push(format!("… {} more: --limit 0 shows all", worst_first.len() - shown));
    }
    Answer { headline, sheets: vec![sheet], next, json: json!({"margins": json, "below_cost": below, "foreign_costs": foreign}) }
        .print(global.output)?;
    Ok(if below == 0 { Exit::Done } else { Exit::NeedsHand })
}

/// A part in tenths of a per cent, rounded towards zero; `None` of nothing.
fn per_mille(part: i128, of: i128) -> Option<i128> {
    (of != 0).then(|| part * 1000 / of)
}

/// The same as text.
pub fn per_cent_of(part: i128, of: i128) -> Option<String> {
    per_mille(part, of).map(per_cent)
}

fn per_cent(per_mille: i128) -> String {
    let sign = if per_mille < 0 { "-" } else { "" };
    let tenths = per_mille.unsigned_abs();
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

fn to_json(groups: &[(&'static str, Option<usize>)], (names, currency): &Key, side: Sides) -> Value {
    let mut row: Map<String, Value> = groups.iter().zip(names).map(|((g, _), n)| ((*g).to_owned(), json!(n))).collect();
    row.extend([
        ("currency".to_owned(), json!(currency)),
        ("records".to_owned(), json!(side.records)),
        ("charge".to_owned(), json!(Money(side.charge).to_text(9))),
        ("cost".to_owned(), json!(Money(side.cost).to_text(9))),
        ("margin".to_owned(), json!(Money(side.margin()).to_text(9))),
    ]);
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_keeps_its_sign() {
        assert_eq!(per_cent(-5), "-0.5 %");
        assert_eq!(per_cent(1000), "100.0 %");
        let loss = Sides { records: 1, charge: 200, cost: 300 };
        assert_eq!((loss.margin(), loss.per_mille()), (-100, Some(-500)));
        assert_eq!(Sides { charge: 0, ..loss }.per_mille(), None, "nothing charged has no share");
    }
}
