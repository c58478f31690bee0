//! Fees of nothing, and commitments for which nothing counts.

use domain::usage::Usage;

use crate::lint::{Finding, Rule};
use crate::tariff::Tariff;
use crate::tariff::commitment::Commitment;

pub(super) fn findings(tariff: &Tariff) -> Vec<Finding> {
    let of_nothing = tariff.fees.iter().filter(|fee| fee.amount == 0).map(|fee| {
        let what = format!("fee `{}` costs nothing: it is a line of 0.00 on every invoice", fee.name);
        Finding::new(Rule::ZeroFee, &fee.place, what, "fine if the line is meant; else write its amount, or remove it")
    });
    let idle = tariff.commitments.iter().filter(|commitment| is_idle(tariff, commitment)).map(|commitment| {
        let name = &commitment.terms.name;
        let what = format!("no usage counts for commitment `{name}`: its plans have no price for the kinds that it names");
        let remedy = "name kinds that its plans are charged for, let `fees` count, or write a fee instead";
        Finding::new(Rule::IdleCommitment, &commitment.terms.place, what, remedy)
    });
    of_nothing.chain(idle).collect()
}

/// Whether none of its plans has a price of a kind that counts.
fn is_idle(tariff: &Tariff, commitment: &Commitment) -> bool {
    let counts =
        |plan: u32| Usage::all().any(|usage| commitment.coverage.kinds[usage.code()] && tariff.prices.has_prices(plan, usage));
    let mut plans = (0u32..).zip(&commitment.terms.plans).filter(|(_, is)| **is).map(|(plan, _)| plan);
    !commitment.counts_fees && !plans.any(counts)
}
