//! How a record's charge comes about: asked anew of the code that priced it, by the reference data and the records of a view.

use domain::columns::linked::{NO_GROUP, Owner};
use domain::delivery::DeliveryId;
use domain::money::Currency;
use domain::outcome::Reason;
use domain::period::Month;
use ingest::land::{ArrivalKind, ImportKind};
use pipeline::rating::Reference;
use rate::explain::{Derivation, ExplainInput, explain, explain_settled};
use rate::settle::{Draw, Period, Trace};

use super::super::rows::Row;
use super::View;
use super::levels::{self, LevelStep};
use crate::exit_code::bad_input;
use crate::installation::Installation;
use crate::parties::{Asking, Parties};

/// What is known of a row by computing it again.
pub struct Derived {
    /// `None` for a row that could not be read.
    pub derivation: Option<Derivation>,
    /// Whether it stands as what allowances give.
    pub is_settled: bool,
    /// What the levels above its customer pay.
    pub levels: Vec<LevelStep>,
}

/// Computes a row again.
pub fn derive(view: &View<'_>, row: &Row) -> anyhow::Result<Derived> {
    if row.text("kind").is_none() {
        return Ok(Derived { derivation: None, is_settled: true, levels: Vec::new() });
    }
    let get = |name: &str| row.text(name).unwrap_or_default().to_owned();
    let narrow = |name: &str| i32::try_from(row.long(name)).unwrap_or(i32::MAX);
    let store = view.installation.state_read_only()?;
    let reference = view.reference(&store)?;
    let input = ExplainInput {
        kind: get("kind"),
        start_us: row.long("start_us"),
        start_offset_s: narrow("start_offset_s"),
        duration_s: narrow("duration_s"),
        bytes_up: row.long("bytes_up"),
        bytes_down: row.long("bytes_down"),
        messages: row.text("messages").and_then(|t| t.parse().ok()).unwrap_or(1),
        b_number: get("b_number"),
        b_number_type: get("b_number_type"),
        network: get("network"),
        provider_class: get("provider_class"),
        cost_nano: row.text("cost_nano").and_then(|t| t.parse().ok()),
        cost_currency: row.text("cost_currency").and_then(Currency::parse),
        party: party(row, &reference),
        has_group: has_group(row, &reference),
        plan: row.text("plan").map(str::to_owned),
        tariff: row.text("tariff").map(str::to_owned),
    };
    let levels = levels::steps(row, &input, &reference)?;
    // What is settled has the price of what is in force, whatever version of the same prices its row names.
    let by_newest = ExplainInput { tariff: None, ..input.clone() };
    let covers = explain(&by_newest, reference.tariffs.set()).is_ok_and(|alone| alone.is_settled);
    let input = if covers { by_newest } else { input };
    let (drawn, mut is_settled) = drawn(view, row, &reference, covers)?;
    let derived = match explain_settled(&input, reference.tariffs.set(), Some(&drawn)) {
        Ok(derivation) => derivation,
        Err(rate::error::ExplainError::UnknownVersion(_)) => by_replaced_tariff(view.installation, &store, &input, &drawn)?,
        Err(e) => return Err(e.into()),
    };
    if drawn.total.is_some() || drawn.discount.is_some() {
        is_settled &= derived.charge_nano == row.text("charge_nano").and_then(|nano| nano.parse().ok());
    }
    Ok(Derived { derivation: Some(derived), is_settled, levels })
}

/// How the row draws from allowances beside the records of its customer, and whether it stands so; where none covers it any more, as it
/// stands.
fn drawn(view: &View<'_>, row: &Row, reference: &Reference, is_covered: bool) -> anyhow::Result<(Trace, bool)> {
    let number = |name: &str| row.text(name).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    let (units, nano) = (number("allowance_units"), number("allowance_nano"));
    let is_blocked = row.text("reason") == Some(Reason::BeyondAllowance.as_str());
    let record = row.text("delivery").and_then(DeliveryId::parse).map(|delivery| (delivery, row.number("row")));
    if let Some((record, customer)) = record.zip(row.text("customer")).filter(|_| is_covered)
        && let Some(trace) = reference.trace(&view.entries, customer, record, view.installation.frozen_cycles(&view.entries)?)?
    {
        let of = |is_money| trace.draws.iter().filter(move |draw| draw.is_money == is_money).map(|draw| draw.taken);
        let sum = |is_money| if trace.is_blocked { 0 } else { of(is_money).sum::<u64>() };
        let is_settled = (sum(false), sum(true)) == (units, nano) && trace.is_blocked == is_blocked;
        return Ok((trace, is_settled));
    }
    let period = Period::cycle(row.text("billing_period").and_then(Month::parse).map_or(0, Month::number));
    let draw = |taken: u64, is_money| {
        let allowance = row.text("allowance").unwrap_or_default().to_owned();
        let all = Draw { allowance, period, given: None, before: None, after: None, taken, is_money, is_limit: false };
        (taken > 0).then_some(all)
    };
    let draws = [draw(units, false), draw(nano, true)].into_iter().flatten().collect();
    let trace = Trace { draws, rest: number("billed_units"), is_blocked, total: None, discount: None };
    Ok((trace, units == 0 && nano == 0))
}

/// Whether the line was in a group at the start.
fn has_group(row: &Row, reference: &Reference) -> bool {
    let owners = reference.index.owners();
    let (start_us, line) = (row.long("start_us"), row.text("subscription").and_then(|name| owners.subscriptions.code(name)));
    let holds = |owner: &&Owner| Some(owner.subscription) == line && owner.from_us <= start_us && start_us < owner.to_us;
    owners.windows.iter().find(holds).is_some_and(|owner| owner.group != NO_GROUP)
}

/// Who the other party is: as the table says, or, of a row that no tariff has asked, as rating would find it now.
fn party(row: &Row, reference: &Reference) -> String {
    let get = |name: &str| row.text(name).unwrap_or_default();
    let found = || {
        let (customer, subscription, start_us) = (get("customer"), get("subscription"), row.long("start_us"));
        let (b_number, b_number_type) = (get("b_number"), get("b_number_type"));
        Parties::of(&reference.index).find(Asking { customer, subscription, b_number, b_number_type, start_us })
    };
    let said = row.text("party").or_else(|| if row.text("tariff").is_none() { found() } else { None });
    said.unwrap_or_default().to_owned()
}

/// Explains by a tariff version that has been replaced since: every version that ever acted can be loaded as of its arrival.
fn by_replaced_tariff(
    installation: &Installation,
    store: &store::Store,
    input: &ExplainInput,
    drawn: &Trace,
) -> anyhow::Result<Derivation> {
    for arrival in installation.landing().arrivals(0)?.iter().rev() {
        let ArrivalKind::Import(import) = &arrival.kind else { continue };
        if import.what != ImportKind::Tariffs {
            continue;
        }
        let reference = installation.block_on(crate::reference::load_at(store, arrival.number))?;
        match explain_settled(input, reference.tariffs.set(), Some(drawn)) {
            Err(rate::error::ExplainError::UnknownVersion(_)) => {}
            found => return Ok(found?),
        }
    }
    Err(bad_input(format!(
        "no import brought tariff version {}; was the state database rebuilt?",
        input.tariff.as_deref().unwrap_or("?")
    )))
}
