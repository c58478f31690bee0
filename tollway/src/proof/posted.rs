//! Posted lines and records as the second derivation takes them, and where a posted line is another than the derived one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use aggregate::totals::{Sums as Total, TotalKey};
use domain::columns::lines::{Line as Stated, LineKind};
use domain::money::Money;
use domain::period::Month;
use verify::lines::{Kind, Sums, Usage};
use verify::{Difference, Line};

/// What records say of tax that were written before they did.
const TAX_UNSAID: &str = "excluded";

/// What is not there.
const NOTHING: &str = "-";

/// What a line is of: the cycle, and what tells it apart from the customer's others.
pub(super) type Identity<'l> = (Kind, i32, [Option<&'l str>; 10]);

/// Adds what records come to, by customer; several of one key and cycle stand beside each other.
pub(super) fn add_usage(usage: &mut HashMap<String, Vec<Usage>>, totals: &BTreeMap<TotalKey, Total>) -> anyhow::Result<()> {
    for ((period, key), total) in totals {
        let [_, customer, subscription, _, plan, kind, zone, band, currency, tax_class, tax] = key;
        let cycle = Month::parse(period).ok_or_else(|| anyhow::anyhow!("records have a cycle `{period}`, which is no month"))?;
        let used = Usage {
            cycle: cycle.number(),
            subscription: subscription.clone(),
            plan: plan.clone(),
            kind: kind.clone(),
            zone: zone.clone(),
            band: band.clone(),
            currency: currency.clone(),
            tax_class: (!tax_class.is_empty()).then(|| tax_class.clone()),
            tax: if tax.is_empty() { TAX_UNSAID.to_owned() } else { tax.clone() },
            sums: Sums {
                records: total.count.into(),
                seconds: total.seconds.into(),
                bytes: total.bytes.into(),
                messages: total.messages.into(),
                billed: total.billed_units.into(),
                exact_nano: total.charge,
            },
        };
        usage.entry(customer.clone()).or_default().push(used);
    }
    Ok(())
}

/// A posted line.
pub(super) fn line(stated: &Stated) -> Line {
    let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    let quantity = stated.quantity;
    Line {
        kind: kind(stated.kind),
        cycle: stated.period.number(),
        subscription: text(&stated.subscription),
        plan: text(&stated.plan),
        item: text(&stated.item),
        usage_kind: text(&stated.usage_kind),
        zone: text(&stated.zone),
        band: text(&stated.band),
        currency: stated.currency.to_string(),
        tax_class: text(&stated.tax_class),
        tax: stated.tax.to_string(),
        sums: Sums {
            records: quantity.count.into(),
            seconds: quantity.seconds.into(),
            bytes: quantity.bytes.into(),
            messages: quantity.messages.into(),
            billed: quantity.billed_units.into(),
            exact_nano: stated.exact.0,
        },
        exact_nano: stated.exact.0,
        amount_nano: stated.amount.0,
        committed_nano: stated.committed.map(|money| money.0),
        days: stated.days.map(|(days, of)| (days as usize, of as usize)),
        tariff: text(&stated.tariff),
    }
}

fn kind(kind: LineKind) -> Kind {
    match kind {
        LineKind::Usage => Kind::Usage,
        LineKind::Recurring => Kind::Recurring,
        LineKind::OneTime => Kind::OneTime,
        LineKind::Commitment => Kind::Commitment,
        LineKind::Late => Kind::Late,
        LineKind::Correction => Kind::Correction,
        LineKind::Rounding => Kind::Rounding,
    }
}

/// What a line is of.
pub(super) fn identity(line: &Line) -> Identity<'_> {
    let texts =
        [&line.subscription, &line.plan, &line.item, &line.usage_kind, &line.zone, &line.band, &line.tax_class, &line.tariff];
    let [subscription, plan, item, usage_kind, zone, band, tax_class, tariff] = texts.map(Option::as_deref);
    let (currency, tax) = (Some(line.currency.as_str()), Some(line.tax.as_str()));
    (line.kind, line.cycle, [subscription, plan, item, usage_kind, zone, band, currency, tax_class, tax, tariff])
}

/// The places of lines by what they are of, in their order.
pub(super) fn by_identity(lines: &[Line]) -> HashMap<Identity<'_>, VecDeque<usize>> {
    let mut places: HashMap<Identity<'_>, VecDeque<usize>> = HashMap::new();
    for (i, line) in lines.iter().enumerate() {
        places.entry(identity(line)).or_default().push_back(i);
    }
    places
}

/// Where a posted line and a derived one do not agree; named as the table's columns are.
pub(super) fn differences(stated: &Line, derived: &Line) -> Vec<Difference> {
    let (stated, derived) = (fields(stated), fields(derived));
    let both = stated.into_iter().zip(derived).filter(|(stated, derived)| stated != derived);
    both.map(|((field, stated), (_, derived))| Difference { field, stated, derived }).collect()
}

/// A line that only one side has.
pub(super) fn one_sided(stated: Option<&Line>, derived: Option<&Line>) -> Difference {
    let shown = |line: Option<&Line>| line.map_or_else(|| NOTHING.to_owned(), in_short);
    Difference { field: "line", stated: shown(stated), derived: shown(derived) }
}

/// `usage 2026-10 D-1 voice-mo NL EUR 0.60`.
fn in_short(line: &Line) -> String {
    let cycle = Month::from_number(line.cycle).to_string();
    let texts = [&line.subscription, &line.item, &line.usage_kind, &line.zone, &line.band].into_iter().flatten();
    let words = [line.kind.as_str(), &cycle].into_iter().chain(texts.map(String::as_str));
    let words: Vec<&str> = words.chain([line.currency.as_str()]).collect();
    format!("{} {}", words.join(" "), Money(line.amount_nano))
}

/// All that is held against each other, as it is shown.
fn fields(line: &Line) -> [(&'static str, String); 21] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| NOTHING.to_owned());
    let money = |nano: i128| Money(nano).to_text(9);
    [
        ("line_kind", line.kind.as_str().to_owned()),
        ("billing_period", Month::from_number(line.cycle).to_string()),
        ("subscription", text(&line.subscription)),
        ("plan", text(&line.plan)),
        ("item", text(&line.item)),
        ("kind", text(&line.usage_kind)),
        ("zone", text(&line.zone)),
        ("band", text(&line.band)),
        ("currency", line.currency.clone()),
        ("tax_class", text(&line.tax_class)),
        ("tax", line.tax.clone()),
        ("count", line.sums.records.to_string()),
        ("seconds", line.sums.seconds.to_string()),
        ("bytes", line.sums.bytes.to_string()),
        ("messages", line.sums.messages.to_string()),
        ("billed_units", line.sums.billed.to_string()),
        ("exact", money(line.exact_nano)),
        ("amount", money(line.amount_nano)),
        ("committed", line.committed_nano.map_or_else(|| NOTHING.to_owned(), money)),
        ("days", line.days.map_or_else(|| NOTHING.to_owned(), |(days, of)| format!("{days} of {of}"))),
        ("tariff", text(&line.tariff)),
    ]
}
