//! Minimum commitments: what is charged of a cycle or a quarter at least, and which usage counts for it.

use crate::error::{Place, TariffError};
use crate::tariff::allowance::Whose;
use crate::tariff::coverage::{Coverage, RawCoverage};
use crate::tariff::field::bad;
use crate::tariff::raw::{OneOrMany, RawCommitment, TomlFile};
use crate::tariff::recurring::{Charges, Due, RawRecurring, Recurring, signed};

/// Most commitments of a tariff.
const COMMITMENTS_MAX: usize = 1_000;

/// A minimum commitment.
#[derive(Debug)]
pub(crate) struct Commitment {
    /// What is committed, by whom and how often.
    pub terms: Recurring,
    /// What counts.
    pub coverage: Coverage,
    /// Whether usage counts in whatever zone, also in one that only other versions have.
    pub any_zone: bool,
    /// The same for bands.
    pub any_band: bool,
    /// Whether recurring fees count, too.
    pub counts_fees: bool,
}

/// Checks the commitments of a file.
pub(super) fn build(
    file: &TomlFile<'_>,
    raw: &[toml::Spanned<RawCommitment>],
    charges: &mut Charges<'_>,
) -> Result<Vec<Commitment>, TariffError> {
    if raw.len() > COMMITMENTS_MAX {
        return Err(TariffError::TooMany { place: file.whole(), what: "commitments", limit: COMMITMENTS_MAX });
    }
    raw.iter().map(|spanned| check(file.place(spanned), spanned.get_ref(), charges)).collect()
}

fn check(place: Place, raw: &RawCommitment, charges: &mut Charges<'_>) -> Result<Commitment, TariffError> {
    let amount = signed(&place, &raw.amount)?;
    if amount <= 0 {
        return Err(bad(&place, "amount", &raw.amount, "an amount above 0 is expected; without one there is no commitment"));
    }
    let all = OneOrMany(vec!["*".to_owned()]);
    let RawCommitment { plan, kind, zone, band, .. } = raw;
    let (kind, zone) = (kind.as_ref().unwrap_or(&all), zone.as_ref().unwrap_or(&all));
    let coverage = charges.known.coverage(&place, &RawCoverage { plan, kind, zone, band: band.as_ref(), party: None })?;
    let recurring = RawRecurring {
        name: &raw.name,
        plan,
        amount,
        every: raw.every.as_deref(),
        scope: raw.scope.as_deref(),
        pro_rata: raw.pro_rata.as_deref(),
        tax_class: raw.tax_class.as_deref(),
    };
    let names_all = |named: &OneOrMany| named.0.iter().any(|name| name == "*");
    Ok(Commitment {
        any_zone: names_all(zone),
        any_band: band.as_ref().is_none_or(names_all),
        coverage,
        counts_fees: raw.fees.unwrap_or(false),
        terms: charges.check(place, &recurring, &[Due::Cycle, Due::Quarter], &[Whose::Shared, Whose::Personal])?,
    })
}
