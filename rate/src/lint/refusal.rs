//! What the loader refuses, as a finding: its place, what is wrong and what to do, apart.

use crate::error::{Place, TariffError};
use crate::lint::{Finding, Rule};
use crate::listing::whole_file;
use crate::tariff::TariffSource;

/// The refusal of a tariff.
pub(super) fn finding(source: &TariffSource, error: &TariffError) -> Finding {
    let place = place(error).cloned().unwrap_or_else(|| whole_file(&source.name));
    let text = error.to_string();
    let text = text.strip_prefix(&format!("{place}: ")).unwrap_or(&text);
    let (what, remedy) = text.rsplit_once("; ").unwrap_or((text, "mend it and lint again"));
    Finding { rule: Rule::Refused, what: what.to_owned(), remedy: remedy.to_owned(), place }
}

fn place(error: &TariffError) -> Option<&Place> {
    match error {
        TariffError::Unreadable { place, .. }
        | TariffError::UnknownKey { place, .. }
        | TariffError::MissingColumn { place, .. }
        | TariffError::MissingCompanion { place, .. }
        | TariffError::BadValue { place, .. }
        | TariffError::UnknownName { place, .. }
        | TariffError::Twice { place, .. }
        | TariffError::BandsMeet { place, .. }
        | TariffError::TooMany { place, .. } => Some(place),
        TariffError::FallbackOverlap { .. } | TariffError::PlanOverlap { .. } => None,
    }
}
