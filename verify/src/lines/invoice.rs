//! What the rounding of a document adds: to lines of one currency, tax class and tax that are rounded alike.

use std::collections::BTreeMap;

use num_bigint::BigInt;

use crate::amount::whole;
use crate::lines::{Beyond, Draft, Kind, Line, Sums, rounded};
use crate::text::Cents;

/// The lines of one document that are added: its cycle and whether it is a corrected one, currency, tax class, tax, and how their sum is
/// rounded.
type Group<'d> = (i32, bool, &'d str, Option<&'d str>, &'d str, Cents);

/// A line for each sum that rounding changes; the invoice is that of the closed cycle.
pub(super) fn rounding(drafts: &[Draft], closed: i32) -> Result<Vec<Line>, Beyond> {
    let mut sums: BTreeMap<Group<'_>, i128> = BTreeMap::new();
    for Draft { line, invoice } in drafts {
        let is_corrected = line.kind == Kind::Correction;
        let cycle = if is_corrected { line.cycle } else { closed };
        let group = (cycle, is_corrected, line.currency.as_str(), line.tax_class.as_deref(), line.tax.as_str(), *invoice);
        *sums.entry(group).or_default() += line.amount_nano;
    }
    let mut lines = Vec::new();
    for ((cycle, _, currency, tax_class, tax, cents), sum) in sums {
        let amount_nano = rounded(&whole(BigInt::from(sum)), cents)? - sum;
        if amount_nano != 0 {
            lines.push(line(cycle, (currency, tax_class, tax), amount_nano));
        }
    }
    Ok(lines)
}

fn line(cycle: i32, (currency, tax_class, tax): (&str, Option<&str>, &str), amount_nano: i128) -> Line {
    Line {
        kind: Kind::Rounding,
        cycle,
        subscription: None,
        plan: None,
        item: None,
        usage_kind: None,
        zone: None,
        band: None,
        currency: currency.to_owned(),
        tax_class: tax_class.map(str::to_owned),
        tax: tax.to_owned(),
        sums: Sums::default(),
        exact_nano: 0,
        amount_nano,
        committed_nano: None,
        days: None,
        tariff: None,
    }
}
