//! `tollway totals`: sums by what is asked for, frozen copies, and the rebuild that proves them.

use std::collections::BTreeMap;

use aggregate::totals::{Sums, TotalKey};
use domain::closed::ClosedCycles;
use serde_json::json;
use sinks::table::Table;

use crate::cli::{Global, TotalsArgs};
use crate::counts::grouped;
use crate::exit_code::{Exit, refused, usage};
use crate::installation::Installation;
use crate::moment::{Moment, Then};
use crate::named;
use crate::output::{Answer, Sheet, bytes, count};
use crate::settling::{Scope, unsettled};
use crate::system::{SystemClock, SystemRng};
use crate::totals;

/// The columns that totals can be grouped by, with their position in the key; `cycle` is the period before it.
const GROUPS: [(&str, Option<usize>); 11] = [
    ("cycle", None),
    ("customer", Some(CUSTOMER)),
    ("subscription", Some(2)),
    ("device", Some(3)),
    ("plan", Some(4)),
    ("kind", Some(5)),
    ("zone", Some(ZONE)),
    ("band", Some(7)),
    ("tenant", Some(0)),
    ("tax_class", Some(9)),
    ("tax", Some(10)),
];

/// Position of the customer in the key.
pub const CUSTOMER: usize = 1;

/// Position of the zone in the key.
pub const ZONE: usize = 6;

/// Position of the currency in the key.
pub const CURRENCY: usize = 8;

/// Runs the command.
pub fn run(global: &Global, args: &TotalsArgs) -> anyhow::Result<Exit> {
    if let Some(cycle) = &args.cycle {
        named::cycle(cycle)?;
    }
    let moment = Moment::given(args.known_at.as_deref())?;
    let installation = Installation::open(global)?;
    if args.rebuild {
        return rebuild(global, &installation);
    }
    if args.backup {
        return backup(global, &installation, args);
    }
    let groups = args.by.iter().map(|g| group(g)).collect::<anyhow::Result<Vec<_>>>()?;
    let (all, standing) = if let Some(moment) = moment {
        known_at(&installation, moment)?
    } else {
        let (entries, table) = (installation.entries()?, installation.totals()?);
        (totals::read(&table, args.cycle.as_deref())?, Standing::Now { lag: totals::behind(&entries, &table) })
    };
    let is_asked = |key: &TotalKey| {
        args.cycle.as_ref().is_none_or(|cycle| *cycle == key.0) && args.customer.as_ref().is_none_or(|c| *c == key.1[CUSTOMER])
    };
    let mut sums: BTreeMap<(Vec<String>, String), Sums> = BTreeMap::new();
    for (key, s) in all.iter().filter(|(key, _)| is_asked(key)) {
        let names = groups.iter().map(|(_, slot)| slot.map_or_else(|| key.0.clone(), |i| key.1[i].clone())).collect();
        sums.entry((names, key.1[CURRENCY].clone())).or_default().add(s);
    }
    print(global, args, &groups, &sums, &standing)?;
    Ok(Exit::Done)
}

/// Which state totals tell.
enum Standing {
    /// The present one, and how many commits wait to be taken in.
    Now { lag: u64 },
    /// That of a moment; nothing if there was none.
    Then(Moment, Option<Then>),
}

impl Standing {
    fn headline(&self, totals: &str) -> String {
        match self {
            Self::Now { .. } => totals.to_owned(),
            Self::Then(moment, None) => moment.nothing(),
            Self::Then(moment, Some(then)) => format!("{totals} as they were known at {}: {}", moment.text(), then.text()),
        }
    }

    fn json(&self, totals: &[serde_json::Value]) -> serde_json::Value {
        match self {
            Self::Now { lag } => json!({"totals": totals, "commits_behind": lag}),
            Self::Then(moment, then) => json!({
                "totals": totals, "known_at": moment.text(), "entries_version": then.as_ref().map(|then| then.stood.version),
                "committed": then.as_ref().map(Then::since),
            }),
        }
    }
}

/// All totals as the records told them at a moment.
fn known_at(installation: &Installation, moment: Moment) -> anyhow::Result<(BTreeMap<TotalKey, Sums>, Standing)> {
    let then = moment.records(installation)?;
    let all = then.as_ref().map(|then| totals::recompute(&then.entries, u64::MAX)).transpose()?;
    Ok((all.unwrap_or_default(), Standing::Then(moment, then)))
}

/// A name of `--by` with its position in the key; `cycle` has none.
pub fn group(name: &str) -> anyhow::Result<(&'static str, Option<usize>)> {
    GROUPS.iter().copied().find(|(n, _)| *n == name).ok_or_else(|| {
        let known: Vec<&str> = GROUPS.iter().map(|(n, _)| *n).collect();
        usage(format!("totals cannot be grouped by `{name}`; choose from {}", known.join(", ")))
    })
}

fn print(
    global: &Global,
    args: &TotalsArgs,
    groups: &[(&'static str, Option<usize>)],
    sums: &BTreeMap<(Vec<String>, String), Sums>,
    standing: &Standing,
) -> anyhow::Result<()> {
    let mut heads: Vec<&str> = groups.iter().map(|(n, _)| *n).collect();
    heads.extend(["#records", "#minutes", "#data", "#charge", "", "#cost"]);
    let machine = global.output == crate::cli::OutputMode::Csv;
    let mut sheet = Sheet::new("", &heads);
    let shown = if args.limit == 0 || machine { sums.len() } else { args.limit };
    for ((names, currency), s) in sums.iter().take(shown) {
        let mut row = names.clone();
        row.extend([
            signed(s.count),
            signed(s.seconds / 60),
            if machine { s.bytes.to_string() } else { bytes(s.bytes.unsigned_abs()) },
            if machine { s.charge().to_text(9) } else { grouped(s.charge(), 6) },
            currency.clone(),
            if machine { domain::money::Money(s.cost).to_text(9) } else { grouped(domain::money::Money(s.cost), 6) },
        ]);
        sheet.row(row);
    }
    let json: Vec<_> = sums
        .iter()
        .map(|((names, currency), s)| {
            let mut row: serde_json::Map<String, serde_json::Value> =
                groups.iter().zip(names).map(|((g, _), n)| ((*g).to_owned(), json!(n))).collect();
            row.extend([
                ("currency".to_owned(), json!(currency)),
                ("count".to_owned(), json!(s.count)),
                ("seconds".to_owned(), json!(s.seconds)),
                ("bytes".to_owned(), json!(s.bytes)),
                ("messages".to_owned(), json!(s.messages)),
                ("billed_units".to_owned(), json!(s.billed_units)),
                ("charge".to_owned(), json!(s.charge().to_text(9))),
                ("cost".to_owned(), json!(domain::money::Money(s.cost).to_text(9))),
            ]);
            serde_json::Value::Object(row)
        })
        .collect();
    let mut next = Vec::new();
    if shown < sums.len() {
        next.push(format!("… {} more: --limit 0 shows all", sums.len() - shown));
    }
    if let Standing::Now { lag: lag @ 1.. } = standing {
        next.push(format!("the totals are {lag} commits behind the records; a running service or the next ingest catches up"));
    }
    let is_nothing = matches!(standing, Standing::Then(_, None)) && !machine;
    let answer = Answer {
        headline: standing.headline(&format!("{} totals by {}", sums.len(), args.by.join(", "))),
        sheets: if is_nothing { Vec::new() } else { vec![sheet] },
        next,
        json: standing.json(&json),
    };
    answer.print(global.output)
}

/// A signed figure with thousands: sums of corrections may be negative.
fn signed(n: i64) -> String {
    format!("{}{}", if n < 0 { "-" } else { "" }, count(n.unsigned_abs()))
}

fn rebuild(global: &Global, installation: &Installation) -> anyhow::Result<Exit> {
    let (mut entries, mut table) = (installation.entries()?, installation.totals()?);
    let done = totals::rebuild(&mut entries, &mut table, &SystemClock, &mut SystemRng::new()?)?;
    let headline = if done.corrected == 0 {
        format!("{} totals made again from the records: all were right", count(done.keys as u64))
    } else {
        format!("{} totals made again, {} were wrong and are corrected", count(done.keys as u64), done.corrected)
    };
    let json = json!({"keys": done.keys, "corrected": done.corrected, "entries_version": done.version});
    Answer { headline, json, ..Answer::default() }.print(global.output)?;
    Ok(if done.corrected == 0 { Exit::Done } else { Exit::NeedsHand })
}

fn backup(global: &Global, installation: &Installation, args: &TotalsArgs) -> anyhow::Result<Exit> {
    let period = args.cycle.as_deref().ok_or_else(|| usage("a backup needs --cycle, such as --cycle 2026-10"))?;
    let mut rng = SystemRng::new()?;
    let (mut entries, mut table) = (installation.entries()?, installation.totals()?);
    check_settled(global, installation, &entries, period)?;
    while totals::step(&mut entries, &mut table, &SystemClock, &mut rng)? {}
    let mut frozen = totals::open(installation.blob(), totals::TOTALS_BACKUP, &SystemClock, &mut rng)?;
    let (version, keys) = totals::backup(&table, &mut frozen, period, &SystemClock, &mut rng)?;
    let headline = format!("{} totals of {period} frozen, pinned to version {version} of the records", count(keys as u64));
    let json = json!({"cycle": period, "keys": keys, "entries_version": version});
    Answer { headline, json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}

/// Refuses to freeze a cycle in which records draw otherwise than they stand: nobody would settle it any more.
fn check_settled(global: &Global, installation: &Installation, entries: &Table, cycle: &str) -> anyhow::Result<()> {
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let asked = (&ClosedCycles::default(), Scope::All, u64::MAX);
    let found = unsettled(entries, &reference, installation.landing().next_number()?, asked, global.quiet)?;
    match found.outlook.cycles.get(cycle) {
        None => Ok(()),
        Some(records) => Err(refused(format!(
            "{} records of {cycle} wait to be settled, and no totals were frozen: tollway settle --cycle {cycle}, with --frozen if they \
             were frozen before; or wait until the service has done it",
            count(*records)
        ))),
    }
}

/// Sums of a period by customer, for the demo's screen.
pub fn by_customer(all: &BTreeMap<TotalKey, Sums>) -> BTreeMap<(String, String, String), Sums> {
    let mut sums = BTreeMap::new();
    for (key, s) in all {
        sums.entry((key.1[1].clone(), key.0.clone(), key.1[CURRENCY].clone())).or_insert_with(Sums::default).add(s);
    }
    sums
}
