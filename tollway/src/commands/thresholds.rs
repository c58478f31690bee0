//! `tollway thresholds`: which allowances are used up in part or whole, event by event, for people and for who asks every now and then.

use domain::columns::thresholds::{Threshold, Used};
use serde_json::{Value, json};
use sinks::thresholds::{End, Event, Wanted, read};

use crate::cli::{Global, OutputMode, ThresholdsArgs};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count, instant};
use crate::rerating::known;
use crate::thresholds::table;

/// Events on the screen, if nobody says how many.
const SHOWN: usize = 20;

/// Digits of a record's key on the screen: enough to name it.
const KEY_DIGITS: usize = 8;

/// Runs the command.
pub fn run(global: &Global, args: &ThresholdsArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let is_screen = global.output == OutputMode::Table;
    let limit = match args.limit {
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None if is_screen => SHOWN,
        None => usize::MAX,
    };
    // Who asks for what came since goes on from there: of too many the first ones.
    let end = if args.since.is_some() { End::Oldest } else { End::Newest };
    let (customer, allowance) = (args.customer.as_deref(), args.allowance.as_deref());
    let wanted = Wanted { since: args.since.unwrap_or(0), customer, allowance, limit, end };
    let (events, is_more) = table(&installation)?.map(|table| read(&table, &wanted)).transpose()?.unwrap_or_default();
    if events.is_empty() && args.since.is_none() && customer.is_some() {
        let store = installation.state_read_only()?;
        let reference = installation.block_on(crate::reference::load(&store))?;
        known((customer, None), None, &installation.entries()?, &reference)?;
    }
    let last = events.last().map_or(wanted.since, |event| event.number);
    let sheets = if events.is_empty() && is_screen {
        Vec::new()
    } else {
        vec![if is_screen { screen(&events) } else { for_machines(&events) }]
    };
    let next = match (is_more, end) {
        (false, _) => Vec::new(),
        (true, End::Oldest) => vec![format!("… more came later: --since {last}")],
        (true, End::Newest) => vec!["… more came before: --limit 0 shows all".to_owned()],
    };
    let json = json!({"events": events.iter().map(to_json).collect::<Vec<_>>(), "last": last, "more": is_more});
    Answer { headline: headline(events.len(), args), sheets, next, json }.print(global.output)?;
    Ok(Exit::Done)
}

fn headline(events: usize, args: &ThresholdsArgs) -> String {
    let since = args.since.map(|since| format!(" since event {since}")).unwrap_or_default();
    match events {
        0 => format!("no threshold of an allowance was reached{since}"),
        1 => format!("1 threshold was reached{since}"),
        _ => format!("{} thresholds were reached{since}", count(events as u64)),
    }
}

fn screen(events: &[Event]) -> Sheet {
    let has_groups = events.iter().any(|event| event.of.group.is_some());
    let mut heads = vec!["#event", "customer", "subscription"];
    heads.extend(has_groups.then_some("group"));
    heads.extend(["allowance", "period", "#percent", "#used", "#of", "", "record", "start"]);
    let mut sheet = Sheet::new("", &heads);
    for Event { number, of, .. } in events {
        let mut row = vec![number.to_string(), of.customer.to_string(), name(of.subscription.as_deref())];
        row.extend(has_groups.then(|| name(of.group.as_deref())));
        let (used, given) = match of.used {
            Used::Units { used, given } => (count(used), count(given)),
            Used::Money { used, given } => (used.to_string(), given.to_string()),
        };
        let key = format!("{:032x}", of.record_key)[..KEY_DIGITS].to_owned();
        row.extend([of.allowance.to_string(), of.period.to_string(), of.percent.to_string(), used, given, of.unit.to_string()]);
        row.extend([key, instant(of.start_us)]);
        sheet.row(row);
    }
    sheet
}

fn name(name: Option<&str>) -> String {
    name.unwrap_or_default().to_owned()
}

/// The columns of the table, by their names.
fn for_machines(events: &[Event]) -> Sheet {
    let heads = [
        "event",
        "noticed_at",
        "customer",
        "subscription",
        "group_id",
        "allowance",
        "unit",
        "every",
        "period",
        "percent",
        "used_units",
        "given_units",
        "used_money",
        "given_money",
        "record_key",
        "start",
    ];
    let mut sheet = Sheet::new("", &heads);
    for event in events {
        let of = to_json(event);
        sheet.row(heads.map(|head| match &of[head] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }));
    }
    sheet
}

fn to_json(Event { number, noticed_us, of }: &Event) -> Value {
    let Threshold { customer, subscription, group, allowance, unit, every, period, percent, used, record_key, start_us, .. } = of;
    let (units, money) = (used.units(), used.money().map(|(used, given)| (used.to_text(9), given.to_text(9))));
    json!({
        "event": number, "noticed_at": instant(*noticed_us), "customer": customer, "subscription": subscription, "group_id": group,
        "allowance": allowance, "unit": unit, "every": every, "period": period, "percent": percent,
        "used_units": units.map(|(used, _)| used), "given_units": units.map(|(_, given)| given),
        "used_money": money.as_ref().map(|(used, _)| used), "given_money": money.as_ref().map(|(_, given)| given),
        "record_key": format!("{record_key:032x}"), "start": instant(*start_us),
    })
}
