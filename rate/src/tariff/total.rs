//! What setup, minimum, increments and steps of a price are of, where that is not each record (docs/adr/0018).

use std::sync::Arc;

use crate::error::{Place, TariffError};
use crate::tariff::allowance::{Every, Whose, one_of, whose};
use crate::tariff::field::{bad, name};
use crate::tariff::price_row::{Formula, Step};
use crate::tariff::raw::RawPrice;

/// Over what units are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The parts of a session.
    Session,
    /// A period of the customer.
    Period(Every),
}

impl Over {
    /// As a tariff writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Period(every) => every.as_str(),
        }
    }
}

/// A price that is of a total: a record costs what the total with it does less what the total before it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Total {
    pub over: Over,
    /// What counts together; empty for sessions.
    pub name: Arc<str>,
    pub whose: Whose,
    /// Whether all units cost what the last one does, and not each by its place.
    pub is_volume: bool,
}

/// The scope that the head gives to prices that say nothing: none where it is each record.
pub(super) fn of_head(place: &Place, scope: Option<&str>) -> Result<Option<Total>, TariffError> {
    match scope {
        None | Some("record") => Ok(None),
        Some("session") => Ok(Some(of_sessions())),
        Some(other) => {
            let expected = "`record` or `session` is expected; periods have a `total` and stand in a price";
            Err(bad(place, "rounding_scope", other, expected))
        }
    }
}

fn of_sessions() -> Total {
    Total { over: Over::Session, name: "".into(), whose: Whose::Personal, is_volume: false }
}

/// What a price says of it, or the usual where it says nothing; `None`: each record.
pub(super) fn of_price(place: &Place, raw: &RawPrice, usual: Option<&Total>) -> Result<Option<Total>, TariffError> {
    let others = [("total", raw.total.is_some()), ("total_scope", raw.total_scope.is_some()), ("count", raw.count.is_some())];
    let refuse = |fields: &[(&str, bool)], expected: &str| {
        let field = fields.iter().find(|(_, is_there)| *is_there);
        field.map_or(Ok(()), |(field, _)| Err(bad(place, field, "set", expected)))
    };
    let over = match raw.rounding_scope.as_deref() {
        None if usual.is_some() => Over::Session,
        word @ (None | Some("record")) => {
            refuse(&others, "it is for prices over several records; add a `rounding_scope` such as \"cycle\"")?;
            return Ok(if word.is_none() { usual.cloned() } else { None });
        }
        Some("session") => Over::Session,
        Some(word) => {
            let refused =
                || bad(place, "rounding_scope", word, "`record`, `session`, `day`, `week`, `cycle` or `quarter` is expected");
            Over::Period(Every::ALL.into_iter().find(|every| every.as_str() == word).ok_or_else(refused)?)
        }
    };
    let is_volume = one_of(place, "count", raw.count.as_deref(), ["graduated", "volume"])?;
    if over == Over::Session {
        refuse(&others[..2], "a session is counted by its own id; remove it")?;
        return Ok(Some(Total { is_volume, ..of_sessions() }));
    }
    let missing = || bad(place, "total", "absent", "a name is expected: prices of one `total` count together");
    let total = raw.total.as_deref().ok_or_else(missing)?;
    name(place, "total", total)?;
    let whose = whose(place, "total_scope", raw.total_scope.as_deref(), &[Whose::Personal, Whose::Shared, Whose::Group])?;
    Ok(Some(Total { over, name: total.into(), whose, is_volume }))
}

/// Refuses what cannot be of a total.
pub(super) fn check(place: &Place, total: &Total, formula: &Formula) -> Result<(), TariffError> {
    let over = total.over.as_str();
    let refused = |field: &str, what: &str| {
        Err(bad(place, field, "set", format!("{what} of a `rounding_scope` of {over}; remove one of the two")))
    };
    match formula {
        Formula::CostPlus { .. } => refused("cost_plus", "the provider's cost is each record's, and not"),
        Formula::Units { extras, .. } if extras.free_units > 0 => refused("free_units", "free units are each record's, and not"),
        Formula::Units { extras, .. } if extras.information.is_some() => {
            refused("information", "what a number asks is each record's, and not")
        }
        Formula::Units { steps, .. } if total.is_volume && !is_even(steps) => {
            let expected = "the steps of a `volume` price have one increment, because all units are billed by it";
            Err(bad(place, "steps.increment", "different", expected))
        }
        Formula::Units { .. } => Ok(()),
    }
}

fn is_even(steps: &[Step]) -> bool {
    steps.iter().all(|step| step.increment == steps[0].increment)
}
