//! What fees and commitments have in common: whom they are for, how often, and which share of a period is asked.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Place, TariffError};
use crate::tariff::allowance::{Whose, one_of, whose};
use crate::tariff::coverage::Known;
use crate::tariff::field::{AMOUNT_NANO_MAX, bad, name};
use crate::tariff::raw::OneOrMany;

/// How often something is due, by the customer's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// In each cycle.
    Cycle,
    /// In the last cycle of each quarter.
    Quarter,
    /// In the cycle of its first day.
    Once,
}

impl Due {
    /// As a tariff writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cycle => "cycle",
            Self::Quarter => "quarter",
            Self::Once => "once",
        }
    }
}

/// A fee, or the amount of a commitment.
#[derive(Debug)]
pub(crate) struct Recurring {
    pub name: Arc<str>,
    pub place: Place,
    /// By number of the plan.
    pub plans: Vec<bool>,
    /// Nano-units, at most [`AMOUNT_NANO_MAX`] to both sides; below zero it is a credit.
    pub amount: i64,
    pub due: Due,
    /// [`Whose::Personal`] or [`Whose::Shared`].
    pub whose: Whose,
    /// Whether the share of the days is asked on which a line has the plan.
    pub by_days: bool,
    /// Its own, else that of the head.
    pub tax_class: Option<Arc<str>>,
}

/// The same as a tariff writes it.
pub(super) struct RawRecurring<'r> {
    pub name: &'r str,
    pub plan: &'r OneOrMany,
    pub amount: i64,
    pub every: Option<&'r str>,
    pub scope: Option<&'r str>,
    pub pro_rata: Option<&'r str>,
    pub tax_class: Option<&'r str>,
}

/// What checks them, one after the other: their names are of one list.
pub(super) struct Charges<'t> {
    pub known: &'t Known<'t>,
    /// The tax class of the head.
    pub tax_class: Option<&'t str>,
    seen: HashMap<String, Place>,
}

impl<'t> Charges<'t> {
    pub fn new(known: &'t Known<'t>, tax_class: Option<&'t str>) -> Self {
        Self { known, tax_class, seen: HashMap::new() }
    }

    /// Checks what is due so often, for one of these; the first is the usual.
    pub fn check(
        &mut self,
        place: Place,
        raw: &RawRecurring<'_>,
        often: &[Due],
        for_whom: &[Whose],
    ) -> Result<Recurring, TariffError> {
        name(&place, "name", raw.name)?;
        if let Some(first) = self.seen.insert(raw.name.to_owned(), place.clone()) {
            return Err(TariffError::Twice { place, what: format!("fee or commitment `{}`", raw.name), first });
        }
        if let Some(class) = raw.tax_class {
            name(&place, "tax_class", class)?;
        }
        Ok(Recurring {
            name: raw.name.into(),
            plans: self.known.plans(&place, raw.plan)?,
            amount: raw.amount,
            due: due(&place, raw.every, often)?,
            whose: whose(&place, "scope", raw.scope, for_whom)?,
            by_days: one_of(&place, "pro_rata", raw.pro_rata, ["none", "days"])?,
            tax_class: raw.tax_class.or(self.tax_class).map(Arc::from),
            place,
        })
    }
}

/// How often something is due: one of these, the first where nothing is said.
fn due(place: &Place, text: Option<&str>, known: &[Due]) -> Result<Due, TariffError> {
    let Some(text) = text else { return Ok(known[0]) };
    let refused = || {
        let words: Vec<String> = known.iter().map(|due| format!("`{}`", due.as_str())).collect();
        let (last, others) = words.split_last().expect("there are several");
        bad(place, "every", text, format!("{} or {last} is expected", others.join(", ")))
    };
    known.iter().copied().find(|due| due.as_str() == text).ok_or_else(refused)
}

/// An amount within the limit to both sides, in nano-units.
pub(super) fn signed(place: &Place, text: &str) -> Result<i64, TariffError> {
    let nano = domain::money::Money::parse(text).and_then(|money| i64::try_from(money.0).ok());
    nano.filter(|nano| nano.unsigned_abs() <= AMOUNT_NANO_MAX)
        .ok_or_else(|| bad(place, "amount", text, "an amount such as \"12.50\" is expected, at most 1000000, at most 9 places"))
}

#[cfg(test)]
mod tests {
    use crate::tariff::{LineRounding, Tariff};
    use crate::tests::fixture::inline;

    const TOML: &str = "name = \"t\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2026-01-01\n\
        home_zone = \"HOME\"\ndefault_band = \"any\"\nplan = [{ name = \"a\" }]\n\
        price = [{ plan = \"a\", kind = \"voice-*\", zone = \"*\", unit_price = \"0.10\" }]\n[rounding]\nplaces = 6\nmode = \"half_up\"\n";

    fn said(more: &str) -> String {
        Tariff::load(&inline(&format!("{TOML}{more}")))
            .map_or_else(|e| e.to_string(), |tariff| format!("loaded {}", tariff.name()))
    }

    fn fee(more: &str) -> String {
        said(&format!("[[fee]]\nname = \"x\"\nplan = \"a\"\n{more}"))
    }

    fn commitment(more: &str) -> String {
        said(&format!("[[commitment]]\nname = \"x\"\nplan = \"a\"\n{more}"))
    }

    #[track_caller]
    fn refused(said: &str, what: &str) {
        assert_eq!(said.strip_prefix("tariff.toml line 12: "), Some(what));
    }

    #[test]
    fn fees_say_what_they_are() {
        for good in
            ["amount = \"0\"", "amount = \"-1\"\ncredit = true", "amount = \"1\"\nevery = \"once\"", "amount = \"1000000\""]
        {
            assert_eq!(fee(good), "loaded t", "{good}");
        }
        let range = "an amount such as \"12.50\" is expected, at most 1000000, at most 9 places";
        for bad in ["1000000.01", "-1000001", "0.0000000001", "1,50", ""] {
            refused(&fee(&format!("amount = \"{bad}\"\ncredit = false")), &format!("`amount` is `{bad}`; {range}"));
        }
        let no_credit = "`amount` is `-1`; an amount below 0 is a credit: write `credit = true` beside it, or take the sign away";
        refused(&fee("amount = \"-1\""), no_credit);
        let credit = "`amount` is `0`; a credit has an amount below 0: write the sign, or take `credit` away";
        refused(&fee("amount = \"0\"\ncredit = true"), credit);
        let once = "`pro_rata` is `days`; what is charged once has no period to share; remove one of the two";
        refused(&fee("amount = \"1\"\nevery = \"once\"\npro_rata = \"days\""), once);
        refused(&fee("amount = \"1\"\nevery = \"week\""), "`every` is `week`; `cycle`, `quarter` or `once` is expected");
        refused(&fee("amount = \"1\"\nscope = \"group\""), "`scope` is `group`; `personal` or `shared` is expected");
        refused(&fee("amount = \"1\"\npro_rata = \"hours\""), "`pro_rata` is `hours`; `none` or `days` is expected");
        let plan = said("[[fee]]\nname = \"x\"\nplan = \"aa\"\namount = \"1\"");
        refused(&plan, "`plan` is `aa`, but no plan has that name");
        refused(
            &said("[[fee]]\nname = \"x\"\nplan = []\namount = \"1\""),
            "`plan` is `[]`; at least one name, or \"*\", is expected",
        );
        assert!(fee("amount = \"1\"\nzone = \"NL\"").contains("unknown key `zone`"));
    }

    #[test]
    fn commitments_say_what_counts() {
        for good in ["", "fees = true", "every = \"quarter\"", "kind = [\"voice-*\", \"data\"]\nzone = \"HOME\"\nband = \"any\""]
        {
            assert_eq!(commitment(&format!("amount = \"1\"\n{good}")), "loaded t", "{good}");
        }
        let nothing = "`amount` is `0`; an amount above 0 is expected; without one there is no commitment";
        refused(&commitment("amount = \"0\""), nothing);
        refused(&commitment("amount = \"1\"\nevery = \"once\""), "`every` is `once`; `cycle` or `quarter` is expected");
        refused(&commitment("amount = \"1\"\nscope = \"pooled\""), "`scope` is `pooled`; `shared` or `personal` is expected");
        let zone = "`zone` is `HOM`, but no destination, network or class leads there; did you mean `HOME`?";
        refused(&commitment("amount = \"1\"\nzone = \"HOM\""), zone);
    }

    #[test]
    fn a_name_is_of_one_fee_or_commitment() {
        let fee = "[[fee]]\nname = \"x\"\nplan = \"a\"\namount = \"1\"\n";
        let twice = "tariff.toml line 16: fee or commitment `x` is already defined at tariff.toml line 12; keep one of the two";
        assert_eq!(said(&fee.repeat(2)), twice);
        assert_eq!(said(&format!("{fee}{}", fee.replace("fee", "commitment"))), twice);
    }

    #[test]
    fn lines_are_rounded_to_the_cent_and_invoices_as_lines() {
        let rounding = |more: &str| {
            let tariff = Tariff::load(&inline(&format!("{TOML}{more}"))).unwrap_or_else(|e| panic!("{e}"));
            let LineRounding { line, invoice } = tariff.line_rounding;
            (line.places, invoice.places)
        };
        assert_eq!(rounding(""), (2, 2));
        assert_eq!(rounding("line = { places = 4, mode = \"up\" }"), (4, 4));
        assert_eq!(rounding("[rounding.invoice]\nplaces = 0\nmode = \"down\""), (2, 0));
        let places = said("[rounding.line]\nplaces = 10\nmode = \"up\"");
        assert_eq!(places, "tariff.toml: `rounding.line.places` is `10`; a whole number from 0 to 9 is expected");
        let mode = said("[rounding.invoice]\nplaces = 2\nmode = \"upp\"");
        let expected = "`half_up`, `half_even`, `up` or `down` is expected";
        assert_eq!(mode, format!("tariff.toml: `rounding.invoice.mode` is `upp`; {expected}"));
    }
}
