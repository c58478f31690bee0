//! `tollway rate`: what one call would cost, by the decisions that price every row, without a row.

use std::sync::Arc;

use anyhow::Context;
use rate::explain::ExplainInput;
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;
use serde_json::json;

use crate::cli::{Global, RateArgs};
use crate::exit_code::{Exit, Help, bad_input, usage};
use crate::installation::Installation;
use crate::moment::Moment;
use crate::output::Answer;
use crate::pricing::{self, Priced, Question, QuestionError};

/// Runs the command.
pub fn run(global: &Global, args: &RateArgs) -> anyhow::Result<Exit> {
    let question = question(args);
    // Before the data folder is opened: a mistake on the command line is told without one.
    pricing::check(&question).map_err(said)?;
    let moment = Moment::given(args.known_at.as_deref())?;
    let tariffs = tariffs(global, args, moment)?;
    let (input, priced) = pricing::answer(&question, &tariffs).map_err(said)?;
    let mut lines = vec![headline(&input, &priced)];
    lines.extend(priced.derivation.lines().into_iter().map(|line| format!("  {line}")));
    if pricing::wants_number(&input, &priced) {
        lines.push("  nobody was called: give --to NUMBER, unless the record of such a call names nobody".to_owned());
    }
    let mut json = serde_json::to_value(&priced).expect("texts and numbers are JSON");
    if let Some(moment) = moment {
        lines.push(format!("  known at: {}", moment.text()));
        json["known_at"] = json!(moment.text());
    }
    Answer { headline: lines.join("\n"), json, ..Answer::default() }.print(global.output)?;
    Ok(if priced.charge.is_some() { Exit::Done } else { Exit::NeedsHand })
}

fn question(args: &RateArgs) -> Question {
    let RateArgs {
        plan,
        to,
        start,
        seconds,
        messages,
        bytes,
        kind,
        network,
        class,
        party,
        cost,
        cost_currency,
        country_code,
        ..
    } = args.clone();
    Question { plan, to, start, seconds, messages, bytes, kind, network, class, party, cost, cost_currency, country_code }
}

/// What is wrong, by the option that says it.
fn said(error: QuestionError) -> anyhow::Error {
    match error {
        QuestionError::Part { field, what } => usage(format!("--{}: {what}", field.replace('_', "-"))),
        QuestionError::Plan(what) => bad_input(what),
        QuestionError::Explain(error) => error.into(),
    }
}

fn headline(input: &ExplainInput, priced: &Priced) -> String {
    let with = if input.b_number.is_empty() { String::new() } else { format!(" with {}", input.b_number) };
    match &priced.derivation.charge {
        Some(charge) => format!("{}   {}, {}{with}", charge.charge, input.kind, charge.units),
        None => format!("no price: {}   {}{with}", priced.outcome, input.kind),
    }
}

/// The tariff that is named, or those in force in the data folder, now or as they were known.
fn tariffs(global: &Global, args: &RateArgs, moment: Option<Moment>) -> anyhow::Result<Arc<TariffSet>> {
    let Some(file) = &args.tariff else {
        let help = || Help("--tariff names a tariff to ask in place of those in force here".to_owned());
        let installation = Installation::open(global).with_context(help)?;
        let store = installation.state_read_only()?;
        let reference = match moment {
            Some(moment) => moment.reference(&installation, &store)?,
            None => installation.block_on(crate::reference::load(&store))?,
        };
        if let Some(moment) = moment.filter(|_| reference.tariffs.set().tariffs().is_empty()) {
            return Err(bad_input(format!("no tariff was known at {}; tollway tariff list shows those of now", moment.text())));
        }
        return Ok(Arc::clone(reference.tariffs.set()));
    };
    let tariff = Tariff::load(&super::import::tariff_source(file, args.base.as_deref())?)?;
    Ok(Arc::new(TariffSet::build(vec![tariff])?))
}
