//! The fees and commitments of a tariff: who is charged, when and how much, and which usage a commitment counts.

use std::collections::HashMap;

use num_rational::BigRational;

use crate::amount::{decimal, whole};
use crate::text::OneOrMany;
use crate::text::recurring::{CommitmentText, Due, FeeText, Subject};
use crate::text::settled::ProRata;
use crate::usage::Usage;

/// A fee or a commitment, as a version of a tariff has it.
#[derive(Debug)]
pub(crate) struct Recurring {
    /// The plans that make it due; of a commitment also kinds, zones and bands that count.
    pub usage: Usage,
    /// Units of 10⁻⁹ of the tariff's currency.
    pub amount: BigRational,
    pub due: Due,
    pub subject: Subject,
    pub is_by_days: bool,
    pub tax_class: Option<String>,
    /// Whether recurring fees count, of a commitment; `None` of a fee.
    pub counts_fees: Option<bool>,
}

/// The fees of a file by name, with the tax class of its head where they have none.
pub(crate) fn fees(texts: Vec<FeeText>, head: Option<&String>) -> Result<HashMap<String, Recurring>, String> {
    let read = |text: FeeText| {
        let fee = Recurring {
            usage: usage(&text.plan, [None; 3])?,
            amount: nano(&text.name, &text.amount)?,
            due: text.every,
            subject: text.scope,
            is_by_days: text.pro_rata == ProRata::Days,
            tax_class: text.tax_class.or_else(|| head.cloned()),
            counts_fees: None,
        };
        Ok((text.name, fee))
    };
    texts.into_iter().map(read).collect()
}

/// The commitments of a file by name, in the same way.
pub(crate) fn commitments(texts: Vec<CommitmentText>, head: Option<&String>) -> Result<HashMap<String, Recurring>, String> {
    let read = |text: CommitmentText| {
        let commitment = Recurring {
            usage: usage(&text.plan, [&text.kind, &text.zone, &text.band].map(Option::as_ref))?,
            amount: nano(&text.name, &text.amount)?,
            due: text.every,
            subject: text.scope,
            is_by_days: text.pro_rata == ProRata::Days,
            tax_class: text.tax_class.or_else(|| head.cloned()),
            counts_fees: Some(text.fees),
        };
        Ok((text.name, commitment))
    };
    texts.into_iter().map(read).collect()
}

/// Plans, and kinds, zones and bands: all of them, where none is named.
fn usage(plan: &OneOrMany, named: [Option<&OneOrMany>; 3]) -> Result<Usage, String> {
    let all = OneOrMany::One("*".to_owned());
    let [kind, zone, band] = named.map(|names| names.unwrap_or(&all));
    Usage::new([plan, kind, zone], Some(band), None)
}

fn nano(name: &str, text: &str) -> Result<BigRational, String> {
    let amount = decimal(text).ok_or_else(|| format!("`{name}`: `{text}` is no amount"))?;
    Ok(amount * whole(1_000_000_000))
}
