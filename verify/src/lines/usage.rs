//! The lines of usage: of the cycle that is closed, and of those closed before where something came late.

use num_bigint::BigInt;

use crate::amount::whole;
use crate::lines::ledger::{Balance, Key, Ledger};
use crate::lines::{Beyond, Draft, Kind, Line, Sums, rounded};
use crate::text::Cents;

/// Lines of usage of the closed cycle, in order, and those of cycles closed before.
pub(super) fn drafts(ledger: &Ledger<'_>) -> Result<(Vec<Draft>, Vec<Draft>), Beyond> {
    let (mut usage, mut late) = (Vec::new(), Vec::new());
    for ((cycle, key), balance) in &ledger.balances {
        if *cycle == ledger.closing.cycle {
            if balance.now != Sums::default() {
                let now = Balance { posted: Sums::default(), posted_amount_nano: 0, ..*balance };
                usage.push(draft(ledger, Kind::Usage, (*cycle, *key), &now)?);
            }
        } else if ledger.was_closed(*cycle) && balance.now != balance.posted {
            late.push(draft(ledger, ledger.late(), (*cycle, *key), balance)?);
        }
    }
    Ok((usage, late))
}

/// What a key has come to beyond what was posted.
fn draft<'l>(ledger: &Ledger<'l>, kind: Kind, (cycle, key): (i32, Key<'l>), balance: &Balance) -> Result<Draft, Beyond> {
    let tariff = ledger.sold(key.plan, cycle).map(|(tariff, _)| tariff);
    let cents = tariff.map_or_else(Cents::default, |tariff| tariff.line);
    let now_nano = rounded(&whole(BigInt::from(balance.now.exact_nano)), cents)?;
    let sums = balance.now + -balance.posted;
    let text = |text: &str| Some(text.to_owned());
    let line = Line {
        kind,
        cycle,
        subscription: text(key.subscription),
        plan: text(key.plan),
        item: None,
        usage_kind: text(key.kind),
        zone: text(key.zone),
        band: text(key.band),
        currency: key.currency.to_owned(),
        tax_class: key.tax_class.map(str::to_owned),
        tax: key.tax.to_owned(),
        sums,
        exact_nano: sums.exact_nano,
        amount_nano: now_nano - balance.posted_amount_nano,
        committed_nano: None,
        days: None,
        tariff: tariff.map(|tariff| tariff.version.clone()),
    };
    Ok(Draft { line, invoice: tariff.map_or_else(Cents::default, |tariff| tariff.invoice) })
}
