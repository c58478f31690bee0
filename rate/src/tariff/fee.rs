//! Fees: what plans charge whatever is used, each cycle, each quarter or once.

use crate::error::{Place, TariffError};
use crate::tariff::allowance::Whose;
use crate::tariff::field::bad;
use crate::tariff::raw::{RawFee, TomlFile};
use crate::tariff::recurring::{Charges, Due, RawRecurring, Recurring, signed};

/// Most fees of a tariff: each line of a customer is asked for all of its plan.
const FEES_MAX: usize = 1_000;

/// Checks the fees of a file.
pub(super) fn build(
    file: &TomlFile<'_>,
    raw: &[toml::Spanned<RawFee>],
    charges: &mut Charges<'_>,
) -> Result<Vec<Recurring>, TariffError> {
    if raw.len() > FEES_MAX {
        return Err(TariffError::TooMany { place: file.whole(), what: "fees", limit: FEES_MAX });
    }
    raw.iter().map(|spanned| check(file.place(spanned), spanned.get_ref(), charges)).collect()
}

fn check(place: Place, raw: &RawFee, charges: &mut Charges<'_>) -> Result<Recurring, TariffError> {
    let amount = signed(&place, &raw.amount)?;
    match (raw.credit.unwrap_or(false), amount) {
        (false, ..0) => {
            let expected = "an amount below 0 is a credit: write `credit = true` beside it, or take the sign away";
            return Err(bad(&place, "amount", &raw.amount, expected));
        }
        (true, 0..) => {
            let expected = "a credit has an amount below 0: write the sign, or take `credit` away";
            return Err(bad(&place, "amount", &raw.amount, expected));
        }
        _ => {}
    }
    if let (Some("once"), Some(word)) = (raw.every.as_deref(), raw.pro_rata.as_deref()) {
        return Err(bad(&place, "pro_rata", word, "what is charged once has no period to share; remove one of the two"));
    }
    let recurring = RawRecurring {
        name: &raw.name,
        plan: &raw.plan,
        amount,
        every: raw.every.as_deref(),
        scope: raw.scope.as_deref(),
        pro_rata: raw.pro_rata.as_deref(),
        tax_class: raw.tax_class.as_deref(),
    };
    charges.check(place, &recurring, &[Due::Cycle, Due::Quarter, Due::Once], &[Whose::Personal, Whose::Shared])
}
