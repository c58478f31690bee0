//! `tollway margin --levels`: what each level of the owner paths is paid, pays and earns.

use domain::money::Money;
use serde_json::{Value, json};

use super::margin::per_cent_of;
use super::rows::sql_text;
use crate::cli::{Global, MarginArgs, OutputMode};
use crate::counts::grouped;
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::levels::{Earned, Earnings, Group, earnings};
use crate::named;
use crate::output::{Answer, Sheet, count};

/// Runs the command.
pub fn run(global: &Global, args: &MarginArgs) -> anyhow::Result<Exit> {
    let filter = match &args.cycle {
        None => "TRUE".to_owned(),
        Some(cycle) => {
            named::cycle(cycle)?;
            format!("billing_period = {}", sql_text(cycle))
        }
    };
    let installation = Installation::open(global)?;
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let Some(found) = earnings(&installation, &reference, &filter)? else {
        return Err(bad_input(
            "no sell price of a level is known; import it as a tariff whose plan is named `sell:PATH`, such as `sell:main/reseller`, or \
             `sell:PATH:PLAN`",
        ));
    };
    let machine = global.output != OutputMode::Table;
    let shown = if args.limit == 0 || machine { found.groups.len() } else { args.limit };
    let below = found.groups.iter().filter(|(group, earned)| group.reason.is_empty() && earned.margin().0 < 0).count();
    let unpriced = records(&found, is_missing);
    let mut next = next(&found);
    if shown < found.groups.len() {
        next.push(format!("… {} more: --limit 0 shows all", found.groups.len() - shown));
    }
    let json = json!({
        "records": found.records, "below": below, "without_price": unpriced,
        "levels": found.groups.iter().map(|(group, earned)| to_json(group, *earned)).collect::<Vec<_>>(),
    });
    let sheets = vec![sheet(&found, shown, machine)];
    Answer { headline: headline(&found, below), sheets, next, json }.print(global.output)?;
    Ok(if below == 0 && unpriced == 0 { Exit::Done } else { Exit::NeedsHand })
}

/// Whether a sell plan lacks the price: a cost that no source gives, or another currency, is nobody's omission.
fn is_missing(group: &Group) -> bool {
    !matches!(group.reason, "" | "no_cost" | "other_currency")
}

fn records(found: &Earnings, of: impl Fn(&Group) -> bool) -> u64 {
    found.groups.iter().filter(|(group, _)| of(group)).map(|(_, earned)| earned.records).sum()
}

fn headline(found: &Earnings, below: usize) -> String {
    let mut levels: Vec<&str> = found.groups.keys().map(|group| group.level.as_str()).collect();
    levels.dedup();
    let (all, records) = (count(levels.len() as u64), count(found.records));
    match below {
        0 => format!("{all} levels in {records} records, none sells below what it pays"),
        n => format!("{all} levels in {records} records; below what is paid for it sells: {n}"),
    }
}

/// What is counted apart, and what to do about it.
fn next(found: &Earnings) -> Vec<String> {
    let unpriced = records(found, is_missing);
    let apart = [
        (unpriced, "have no price by a sell plan: look at one with `tollway explain`, and add the price to the plan's tariff"),
        (records(found, |group| group.reason == "no_cost"), "have no cost of the provider"),
        (records(found, |group| group.reason == "other_currency"), "are bought in another currency than they are sold in"),
    ];
    let said = apart.into_iter().filter(|(records, _)| *records > 0);
    said.map(|(records, what)| format!("{} times a margin is not known, because records {what}", count(records))).collect()
}

fn sheet(found: &Earnings, shown: usize, machine: bool) -> Sheet {
    let heads = ["level", "#records", "#sold for", "#bought for", "#margin", "#of sold", "", "not known", "why"];
    let mut sheet = Sheet::new("", &heads);
    let money = |m: Option<Money>| m.map_or_else(String::new, |m| if machine { m.to_text(9) } else { grouped(m, 2) });
    for (group, earned) in found.groups.iter().take(shown) {
        let [sold, bought, margin] = sides(group, *earned);
        sheet.row([
            group.level.clone(),
            count(earned.records),
            money(sold),
            money(bought),
            money(margin),
            margin.and_then(|margin| per_cent_of(margin.0, earned.sold.0)).unwrap_or_default(),
            group.currency.clone(),
            group.side.to_owned(),
            group.reason.to_owned(),
        ]);
    }
    sheet
}

/// What is sold, bought and earned, as far as it is known of all records of the group.
fn sides(group: &Group, earned: Earned) -> [Option<Money>; 3] {
    let is_known = group.reason.is_empty();
    let sold = (group.side != "sold").then_some(earned.sold);
    // What has a cost and no sale has its currency from the cost.
    let has_cost = is_known || (group.side == "sold" && !group.currency.is_empty());
    [sold, has_cost.then_some(earned.bought), is_known.then(|| earned.margin())]
}

fn to_json(group: &Group, earned: Earned) -> Value {
    let [sold, bought, margin] = sides(group, earned).map(|money| money.map(|money| money.to_text(9)));
    let unknown = (!group.reason.is_empty()).then(|| json!({"side": group.side, "reason": group.reason}));
    json!({
        "level": group.level, "currency": group.currency, "records": earned.records, "sold": sold, "bought": bought,
        "margin": margin, "not_known": unknown,
    })
}
