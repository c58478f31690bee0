//! Summaries: what became of rows, for screens and for machines.

use std::collections::BTreeMap;

use domain::money::Money;
use domain::outcome::Counts;
use serde_json::{Value, json};
use sinks::ledger::LedgerEntry;

use crate::output::{Sheet, count, share};

/// Counts in the documented JSON keys: `rows_in`, `rated`, `suspense`, `duplicates`, `skipped`, `charge`.
pub fn to_json(counts: &Counts) -> Value {
    let suspense: BTreeMap<&str, u64> = counts.suspense.iter().map(|(r, n)| (r.as_str(), *n)).collect();
    let charge: BTreeMap<String, String> = counts.charge.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect();
    json!({
        "rows_in": counts.rows_in,
        "rated": counts.rated,
        "suspense": suspense,
        "duplicates": counts.duplicates + counts.resent,
        "resent": counts.resent,
        "skipped": counts.skipped_rows(),
        "skipped_by_rule": counts.skipped,
        "charge": charge,
    })
}

/// The sum of ledger rows: what corrections have taken back is not in it.
pub fn sum<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Counts {
    sinks::ledger::sum(entries)
}

/// Amounts as `EUR 41,208.114230`.
pub fn money_text(counts: &Counts) -> String {
    let amounts: Vec<String> = counts.charge.iter().map(|(c, m)| format!("{c} {}", grouped(*m, 6))).collect();
    amounts.join(", ")
}

/// An amount with thousands and this many places, rounded half up for the screen.
pub fn grouped(money: Money, places: u8) -> String {
    let rounding = domain::money::Rounding { places, mode: domain::money::RoundingMode::HalfUp };
    let text = Money(rounding.divide(money.0, 1)).to_text(places);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, frac) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    if frac.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{frac}") }
}

/// The four outcomes as a table.
pub fn outcomes(counts: &Counts) -> Sheet {
    let mut sheet = Sheet::new("", &["", "#rows", "#share", ""]);
    let mut line = |name: &str, n: u64, note: String| {
        sheet.row([name.to_owned(), count(n), share(n, counts.rows_in), note]);
    };
    line("rows in", counts.rows_in, String::new());
    line("  rated", counts.rated, money_text(counts));
    let written_off = counts.suspended() - counts.waiting();
    let written_off = if written_off > 0 { format!("{} of them written off", count(written_off)) } else { String::new() };
    line("  suspense", counts.suspended(), written_off);
    let resent =
        if counts.resent > 0 { format!("{} of them resent in another file", count(counts.resent)) } else { String::new() };
    line("  duplicate", counts.duplicates + counts.resent, resent);
    let rules: Vec<String> = counts.skipped.iter().map(|(rule, n)| format!("{} by rule `{rule}`", count(*n))).collect();
    line("  skipped", counts.skipped_rows(), rules.join(", "));
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_rounded_for_the_screen() {
        assert_eq!(grouped(Money(41_208_114_230_000), 6), "41,208.114230");
        assert_eq!(grouped(Money(-1_005_000_000), 2), "-1.01");
        assert_eq!(grouped(Money(1_999_000_000), 0), "2");
    }
}
