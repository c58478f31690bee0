//! Random records that were billed as something, which they may come out as or not.

use domain::closed::Stands;
use proptest::prelude::*;
use verify::Stood;

use super::random::select;
use super::{CUSTOMERS, PLANS};

/// What a record was billed as.
#[derive(Debug, Clone)]
pub struct Stays {
    /// Whether as its own line's; else as `who`'s.
    is_own: bool,
    who: usize,
    /// Cycles that it was billed too early.
    before: i32,
    is_priced: bool,
    allowance: &'static str,
    units: u64,
    nano: i64,
    charge_nano: i64,
}

impl Stays {
    /// The line, among those of the test, of a record that is a line's.
    fn line(&self, own: usize) -> usize {
        if self.is_own && own < PLANS.len() { own } else { self.who }
    }

    /// As rating is told, of a record of a line in a cycle by its number.
    pub fn stands(&self, own: usize, period: i32) -> Stands<'static> {
        let line = self.line(own);
        Stands {
            customer: PLANS[CUSTOMERS[line]],
            subscription: PLANS[line],
            period: period - self.before,
            epoch: 1,
            is_priced: self.is_priced,
            tariff: "random@old",
            allowance: self.allowance,
            units: self.units,
            nano: self.nano,
            charge_nano: self.charge_nano,
        }
    }

    /// The same as the second derivation is told.
    pub fn stood<'r>(&self, own: usize, billing_period: &'r str) -> Stood<'r> {
        let line = self.line(own);
        Stood {
            customer: PLANS[CUSTOMERS[line]],
            subscription: PLANS[line],
            billing_period,
            is_priced: self.is_priced,
            tariff: "random@old",
            allowance: self.allowance,
            units: self.units,
            money_nano: self.nano.into(),
            charge_nano: self.charge_nano.into(),
        }
    }

    /// Cycles that it was billed too early.
    pub fn before(&self) -> i32 {
        self.before
    }
}

/// One of three is not billed; of the others most are their own lines'.
pub fn a_billed() -> impl Strategy<Value = Option<Stays>> {
    let whose = (prop::bool::weighted(0.8), 0usize..4, prop_oneof![6 => Just(0), 1 => Just(1)]);
    let names = select(&["", "n0", "n1", "n2", "n0+n1", "n1+n2", "n2+n0", "n3", "gone", "n0+gone"]);
    let units = prop_oneof![1 => Just(0u64), 4 => 1..400u64, 1 => 400..300_000u64];
    let money = || prop_oneof![2 => Just(0i64), 3 => (1i64..900).prop_map(|cents| cents * 10_000_000)];
    let drawn = (prop::bool::weighted(0.9), names, units, money(), money());
    let billed = (whose, drawn).prop_map(|((is_own, who, before), (is_priced, allowance, units, nano, charge_nano))| {
        let (units, nano) = if allowance.is_empty() { (0, 0) } else { (units, nano) };
        let blocked = Stays { is_own, who, before, is_priced, allowance: "", units: 0, nano: 0, charge_nano: 0 };
        if is_priced { Stays { allowance, units, nano, charge_nano, ..blocked } } else { blocked }
    });
    prop::option::weighted(0.66, billed)
}
