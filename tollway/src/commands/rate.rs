//! `tollway rate`: what one call would cost, by the decisions that price every row, without a row.

use std::sync::Arc;

use anyhow::Context;
use domain::money::{Currency, Money};
use domain::nearest;
use domain::outcome::Reason;
use domain::usage::{Usage, UsageKind};
use ingest::parse::dialled;
use rate::explain::{Derivation, ExplainInput, explain};
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;
use serde_json::json;
use store::instant::parse_local_time;

use crate::cli::{Global, RateArgs};
use crate::exit_code::{Exit, Help, bad_input, usage};
use crate::installation::Installation;
use crate::output::Answer;

/// Runs the command.
pub fn run(global: &Global, args: &RateArgs) -> anyhow::Result<Exit> {
    let input = input(args)?;
    let tariffs = tariffs(global, args)?;
    check_plan(&args.plan, &tariffs)?;
    let derivation = explain(&input, &tariffs)?;
    let charge = derivation.charge.as_ref().and_then(|charge| charge.charge.split_once(' '));
    let mut lines = vec![headline(&input, &derivation)];
    lines.extend(derivation.lines().into_iter().map(|line| format!("  {line}")));
    let is_rated = charge.is_some();
    if !is_rated && input.b_number.is_empty() && derivation.outcome == Reason::NoZone.as_str() {
        lines.push("  nobody was called: give --to NUMBER, unless the record of such a call names nobody".to_owned());
    }
    let json = json!({
        "outcome": derivation.outcome, "charge": charge.map(|(amount, _)| amount), "currency": charge.map(|(_, currency)| currency),
        "derivation": derivation,
    });
    Answer { headline: lines.join("\n"), json, ..Answer::default() }.print(global.output)?;
    Ok(if is_rated { Exit::Done } else { Exit::NeedsHand })
}

fn headline(input: &ExplainInput, derivation: &Derivation) -> String {
    let with = if input.b_number.is_empty() { String::new() } else { format!(" with {}", input.b_number) };
    match &derivation.charge {
        Some(charge) => format!("{}   {}, {}{with}", charge.charge, input.kind, charge.units),
        None => format!("no price: {}   {}{with}", derivation.outcome, input.kind),
    }
}

/// The tariff that is named, or those in force in the data folder.
fn tariffs(global: &Global, args: &RateArgs) -> anyhow::Result<Arc<TariffSet>> {
    let Some(file) = &args.tariff else {
        let help = || Help("--tariff names a tariff to ask in place of those in force here".to_owned());
        let installation = Installation::open(global).with_context(help)?;
        let store = installation.state_read_only()?;
        let reference = installation.block_on(crate::reference::load(&store))?;
        return Ok(Arc::clone(reference.tariffs.set()));
    };
    let tariff = Tariff::load(&super::import::tariff_source(file, args.base.as_deref())?)?;
    Ok(Arc::new(TariffSet::build(vec![tariff])?))
}

/// A plan that nobody sells is most often misspelt.
fn check_plan(plan: &str, tariffs: &TariffSet) -> anyhow::Result<()> {
    let known = || tariffs.tariffs().iter().flat_map(Tariff::plan_names);
    if known().any(|name| name == plan) {
        return Ok(());
    }
    let hint = nearest::hint(plan, known());
    Err(bad_input(match tariffs.tariffs() {
        [] => "no tariff is in force; import one (`tollway import tariffs`), or name one with --tariff".to_owned(),
        _ => format!("no tariff sells a plan `{plan}`{hint}"),
    }))
}

/// The call as a row of the table would hold it.
fn input(args: &RateArgs) -> anyhow::Result<ExplainInput> {
    let kind = kind(args)?;
    let (start_us, start_offset_s) = parse_local_time(&args.start).map_err(|e| usage(format!("--start: {e}")))?;
    let dialled = dialled::read(&args.to, &args.country_code).map_err(|e| usage(format!("--country-code: {e}")))?;
    let dialled = dialled.ok_or_else(|| {
        let expected =
            "write it with + or 00 and its country, as it is dialled at home, as a short code of 3 to 7 digits, or as a word";
        usage(format!("--to: `{}` is no number; {expected}", args.to))
    })?;
    let cost = args.cost.as_ref().map(|cost| {
        let money = Money::parse(cost).and_then(|money| i64::try_from(money.0).ok());
        money.ok_or_else(|| usage(format!("--cost: `{cost}` is no amount; write it like 0.0215, with at most nine places")))
    });
    let currency = Currency::parse(&args.cost_currency);
    let currency = currency.ok_or_else(|| usage(format!("--cost-currency: `{}` is no code such as EUR", args.cost_currency)))?;
    Ok(ExplainInput {
        kind: kind.as_str().to_owned(),
        start_us,
        start_offset_s,
        duration_s: narrow("--seconds", args.seconds, 0)?,
        bytes_up: 0,
        bytes_down: args.bytes.map_or(Ok(0), i64::try_from).map_err(|_| usage("--bytes: more than any volume".to_owned()))?,
        messages: narrow("--messages", args.messages, 1)?,
        b_number: dialled.text,
        b_number_type: dialled.kind.as_str().to_owned(),
        network: args.network.clone().unwrap_or_default(),
        provider_class: args.class.clone().unwrap_or_default(),
        cost_nano: cost.transpose()?,
        cost_currency: Some(currency),
        plan: Some(args.plan.clone()),
        tariff: None,
    })
}

/// The kind that is named, if its units are those given; else outgoing usage of these units.
fn kind(args: &RateArgs) -> anyhow::Result<Usage> {
    let (option, usual, fits): (_, _, &[UsageKind]) = match (args.seconds, args.messages) {
        (Some(_), _) => ("--seconds", "voice-mo", &[UsageKind::Voice]),
        (_, Some(_)) => ("--messages", "sms-mo", &[UsageKind::Sms, UsageKind::Mms]),
        _ => ("--bytes", "data", &[UsageKind::Data]),
    };
    let name = args.kind.as_deref().unwrap_or(usual);
    let known = Usage::parse(name);
    let unknown = || {
        let all = names().collect::<Vec<_>>().join(", ");
        usage(format!("--kind: there is no kind `{name}`: there are {all}{}", nearest::hint(name, names())))
    };
    let known = known.ok_or_else(unknown)?;
    if fits.contains(&known.kind()) {
        return Ok(known);
    }
    Err(usage(format!("--kind: `{name}` is not counted in what `{option}` says")))
}

fn names() -> impl Iterator<Item = &'static str> {
    Usage::all().map(Usage::as_str)
}

fn narrow(option: &str, value: Option<u32>, absent: i32) -> anyhow::Result<i32> {
    let value = value.map_or(Ok(absent), i32::try_from);
    value.map_err(|_| usage(format!("{option}: more than {}, the most that a record can hold", i32::MAX)))
}
