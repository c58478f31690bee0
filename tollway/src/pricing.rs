//! One call priced without a record: the question as a command line or a request asks it, and the answer.

use domain::columns::linked::Party;
use domain::money::{Currency, Money};
use domain::nearest;
use domain::outcome::Reason;
use domain::usage::{Usage, UsageKind};
use ingest::parse::dialled;
use rate::error::ExplainError;
use rate::explain::{Derivation, ExplainInput, explain};
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::instant::parse_local_time;

/// A call, a message or a data session, and the plan that pays for it. One of `seconds`, `messages` and `bytes` is given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The plan that pays.
    pub plan: String,
    /// Whom it is with: +441632960000, 00441632960000, 0612345678, 112, or a word; nobody if not given.
    #[serde(default)]
    pub to: String,
    /// When it begins, with the offset of its clock, such as 2026-10-25T02:30:00+01:00.
    pub start: String,
    /// A call of so many seconds.
    pub seconds: Option<u32>,
    /// A text message of so many parts, or so many MMS.
    pub messages: Option<u32>,
    /// Data of so many bytes.
    pub bytes: Option<u64>,
    /// Kind and direction where it is not outgoing: voice-mt, voice-fwd, sms-mt, mms-mo ...
    pub kind: Option<String>,
    /// The network that carried it, as MCC-MNC or TADIG code; at home if not given.
    pub network: Option<String>,
    /// The provider's rate class.
    pub class: Option<String>,
    /// Who that is, where the tariff has prices for some: `group_customer`, `group`, `own_customer`, `own_network` or
    /// `other`; `other` if not given.
    pub party: Option<String>,
    /// What the provider asks for it, such as 0.0215.
    pub cost: Option<String>,
    /// The currency of the provider's cost.
    #[serde(default = "euro")]
    pub cost_currency: String,
    /// The country of numbers that are dialled without it.
    #[serde(default = "netherlands")]
    pub country_code: String,
}

fn euro() -> String {
    "EUR".to_owned()
}

fn netherlands() -> String {
    "31".to_owned()
}

/// What is wrong with a question.
#[derive(Debug, thiserror::Error)]
pub enum QuestionError {
    /// A part of it cannot be read.
    #[error("{what}")]
    Part {
        /// The field of [`Question`].
        field: &'static str,
        /// What is wrong with it and what to write.
        what: String,
    },
    /// No tariff sells the plan.
    #[error("{0}")]
    Plan(String),
    /// The tariff cannot be asked that.
    #[error(transparent)]
    Explain(#[from] ExplainError),
}

/// What a call costs, and how that comes about.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Priced {
    /// `rated`, or the reason why there is no price.
    pub outcome: &'static str,
    /// The amount, exact; null if there is no price.
    pub charge: Option<String>,
    /// The currency of the charge.
    pub currency: Option<String>,
    /// Each decision on the way.
    pub derivation: Derivation,
}

/// Prices a question; gives what was asked, as a row of the table would hold it, and the answer.
pub fn answer(question: &Question, tariffs: &TariffSet) -> Result<(ExplainInput, Priced), QuestionError> {
    let input = input(question)?;
    check_plan(&question.plan, tariffs)?;
    let derivation = explain(&input, tariffs)?;
    let charge = derivation.charge.as_ref().and_then(|charge| charge.charge.split_once(' '));
    let (charge, currency) = charge.map(|(charge, currency)| (charge.to_owned(), currency.to_owned())).unzip();
    Ok((input, Priced { outcome: derivation.outcome, charge, currency, derivation }))
}

/// Whether a question can be read, whatever the tariffs are.
pub fn check(question: &Question) -> Result<(), QuestionError> {
    input(question).map(drop)
}

/// Whether there is no price because nobody was called.
pub fn wants_number(input: &ExplainInput, priced: &Priced) -> bool {
    priced.charge.is_none() && input.b_number.is_empty() && priced.outcome == Reason::NoZone.as_str()
}

/// A plan that nobody sells is most often misspelt.
fn check_plan(plan: &str, tariffs: &TariffSet) -> Result<(), QuestionError> {
    let known = || tariffs.tariffs().iter().flat_map(Tariff::plan_names);
    if known().any(|name| name == plan) || tariffs.has_fallback() {
        return Ok(());
    }
    Err(QuestionError::Plan(match tariffs.tariffs() {
        [] => "no tariff is in force; import one (`tollway import tariffs`), or name one with --tariff".to_owned(),
        _ => format!("no tariff sells a plan `{plan}`{}", nearest::hint(plan, known())),
    }))
}

fn part(field: &'static str, what: impl Into<String>) -> QuestionError {
    QuestionError::Part { field, what: what.into() }
}

/// The call as a row of the table would hold it.
fn input(question: &Question) -> Result<ExplainInput, QuestionError> {
    let kind = kind(question)?;
    let (start_us, start_offset_s) = parse_local_time(&question.start).map_err(|e| part("start", e.to_string()))?;
    let dialled = dialled::read(&question.to, &question.country_code).map_err(|e| part("country_code", e.to_string()))?;
    let dialled = dialled.ok_or_else(|| {
        let expected =
            "write it with + or 00 and its country, as it is dialled at home, as a short code of 3 to 7 digits, or as a word";
        part("to", format!("`{}` is no number; {expected}", question.to))
    })?;
    let cost = question.cost.as_ref().map(|cost| {
        let money = Money::parse(cost).and_then(|money| i64::try_from(money.0).ok());
        money.ok_or_else(|| part("cost", format!("`{cost}` is no amount; write it like 0.0215, with at most nine places")))
    });
    let currency = Currency::parse(&question.cost_currency);
    let currency =
        currency.ok_or_else(|| part("cost_currency", format!("`{}` is no code such as EUR", question.cost_currency)))?;
    Ok(ExplainInput {
        kind: kind.as_str().to_owned(),
        start_us,
        start_offset_s,
        duration_s: narrow("seconds", question.seconds, 0)?,
        bytes_up: 0,
        bytes_down: question.bytes.map_or(Ok(0), i64::try_from).map_err(|_| part("bytes", "more than any volume"))?,
        messages: narrow("messages", question.messages, 1)?,
        b_number: dialled.text,
        b_number_type: dialled.kind.as_str().to_owned(),
        network: question.network.clone().unwrap_or_default(),
        provider_class: question.class.clone().unwrap_or_default(),
        cost_nano: cost.transpose()?,
        cost_currency: Some(currency),
        party: party(question)?.to_owned(),
        has_group: false,
        plan: Some(question.plan.clone()),
        tariff: None,
    })
}

/// The other party that is named.
fn party(question: &Question) -> Result<&str, QuestionError> {
    match question.party.as_deref() {
        None => Ok(""),
        Some(name) if Party::parse(name).is_some() => Ok(name),
        Some(name) => {
            Err(part("party", format!("`{name}` is none; write group_customer, group, own_customer, own_network or other")))
        }
    }
}

/// The kind that is named, if its units are those given; else outgoing usage of these units.
fn kind(question: &Question) -> Result<Usage, QuestionError> {
    let (field, usual, fits): (_, _, &[UsageKind]) = match (question.seconds, question.messages, question.bytes) {
        (Some(_), None, None) => ("seconds", "voice-mo", &[UsageKind::Voice]),
        (None, Some(_), None) => ("messages", "sms-mo", &[UsageKind::Sms, UsageKind::Mms]),
        (None, None, Some(_)) => ("bytes", "data", &[UsageKind::Data]),
        (None, None, None) => return Err(part("seconds", "how long or how much is it? Give seconds, messages or bytes")),
        _ => return Err(part("seconds", "give one of seconds, messages and bytes")),
    };
    let name = question.kind.as_deref().unwrap_or(usual);
    let unknown = || {
        let all = names().collect::<Vec<_>>().join(", ");
        part("kind", format!("there is no kind `{name}`: there are {all}{}", nearest::hint(name, names())))
    };
    let known = Usage::parse(name).ok_or_else(unknown)?;
    if fits.contains(&known.kind()) {
        return Ok(known);
    }
    Err(part("kind", format!("`{name}` is not counted in `{field}`")))
}

fn names() -> impl Iterator<Item = &'static str> {
    Usage::all().map(Usage::as_str)
}

fn narrow(field: &'static str, value: Option<u32>, absent: i32) -> Result<i32, QuestionError> {
    let value = value.map_or(Ok(absent), i32::try_from);
    value.map_err(|_| part(field, format!("more than {}, the most that a record can hold", i32::MAX)))
}
