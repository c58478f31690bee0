//! Records that were billed and stay as they stand: they draw what they have drawn, whatever they would draw now (docs/adr/0025).

use domain::closed::Stands;

use super::Demand;
use super::fold::{Candidate, Fold, Take};
use crate::price::allowance::{Before, Covered, Outcome, Settled, Taken};
use crate::price::numbers::Numbers;
use crate::tariff::allowance::{Allowance, Gives, Whose, family};
use crate::tariff::set::BoundTariffs;

/// What a record stays as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it comes out as that customer's, of that line and in that cycle, and as something that draws.
    pub is_as_it_comes: bool,
    /// A version of the tariff that priced it; `None` if it has none any more.
    tariff: Option<u16>,
    /// The allowances that it drew from, as codes of the tariffs' names; those that no tariff has any more hold nothing to draw.
    allowances: Numbers,
    units: u64,
    nano: u64,
    charge_nano: i64,
    is_priced: bool,
}

impl Standing {
    /// By the names that the tariffs know.
    pub fn of(stands: &Stands<'_>, is_as_it_comes: bool, tariffs: &BoundTariffs) -> Self {
        let Stands { is_priced, units, charge_nano, .. } = *stands;
        let mut allowances = Numbers::default();
        for name in stands.allowance.split('+') {
            let code = tariffs.set().allowances().code(name).and_then(|code| u16::try_from(code).ok());
            if let Some(code) = code {
                allowances.push(code);
            }
        }
        let nano = stands.nano.max(0).unsigned_abs();
        let name = stands.tariff.split('@').next().unwrap_or_default();
        let tariff = tariffs.set().tariffs().iter().position(|tariff| tariff.name() == name);
        let tariff = tariff.and_then(|number| u16::try_from(number).ok());
        Self { is_as_it_comes, tariff, allowances, units, nano, charge_nano, is_priced }
    }

    /// Whether that is what a record comes to.
    pub fn is(&self, settled: &Settled, record: &Covered<'_, '_>, tariffs: &BoundTariffs) -> bool {
        let name = |code: &u16| tariffs.set().allowances().name(u32::from(*code));
        let drawn = settled.drawn.iter().map(|number| &*record.tariff.allowances.list[usize::from(*number)].name);
        let same_charge = match settled.charged {
            Ok(charged) => self.is_priced && charged.charge_nano == self.charge_nano,
            Err(_) => !self.is_priced,
        };
        let (units, nano) = (settled.units.unsigned_abs(), settled.nano.unsigned_abs());
        same_charge && (units, nano) == (self.units, self.nano) && self.allowances.iter().map(name).eq(drawn)
    }

    /// What it was charged and credits gave, before these.
    fn charged(&self) -> i128 {
        i128::from(self.charge_nano) + i128::from(self.nano)
    }
}

impl<'t> Fold<'t> {
    /// Lets a record draw what it stands with, as far as that is there. `offered` is what it may draw from as what it comes out as.
    pub(super) fn stay(
        &mut self,
        record: Option<&Covered<'t, '_>>,
        offered: &[Candidate<'t>],
        (demand, standing): (&Demand, &Standing),
        takes: &mut Vec<Take>,
    ) {
        if !standing.is_priced {
            return;
        }
        let candidates = self.of_names(offered, demand, standing);
        takes.clear();
        self.take_as_stated(&candidates, standing, takes);
        if let Some(record) = record {
            let outcome = |before| outcome(record, &candidates, standing, before);
            let place = self.running.place(record, demand);
            let outcome = outcome(self.running.before(place));
            self.running.move_on(place, outcome);
        }
        self.note(&candidates, takes, demand);
    }

    /// What the allowances give that the record drew from, and all limits that hold for it; of a name that its own tariff has not, by the
    /// tariff that priced it, best by the version of its start, or else by the first that has it.
    fn of_names(&mut self, offered: &[Candidate<'t>], demand: &Demand, standing: &Standing) -> Vec<Candidate<'t>> {
        let tariffs = self.tariffs;
        let mut found: Vec<Candidate<'t>> = Vec::new();
        let is_named = |allowance: &Allowance, code: &u16| *allowance.name == *tariffs.set().allowances().name(u32::from(*code));
        let is_meant = |one: &&Candidate<'t>| {
            one.allowance.is_limit() || standing.allowances.iter().any(|code| is_named(one.allowance, code))
        };
        found.extend(offered.iter().filter(is_meant).copied());
        let kind = family(demand.facts.usage);
        for code in standing.allowances.iter() {
            if offered.iter().any(|one| is_named(one.allowance, code)) {
                continue;
            }
            let fits = |allowance: &Allowance| {
                is_named(allowance, code)
                    && (allowance.is_money() || allowance.family() == kind)
                    && (allowance.whose != Whose::Group || demand.facts.has_group)
            };
            let all = tariffs.set().tariffs().iter().zip(0..);
            let first = all.filter_map(|(tariff, number)| {
                let allowance = tariff.allowances.list.iter().zip(0..).find(|(allowance, _)| fits(allowance));
                Some((number, tariff.currency(), allowance?))
            });
            let turn = |(number, ..): &(u16, _, _)| {
                let tariff = &tariffs.set().tariffs()[usize::from(*number)];
                let priced = standing.tariff.map(|number| tariffs.set().tariffs()[usize::from(number)].name());
                let holds = (tariff.from_us()..tariff.to_us()).contains(&demand.facts.start_us);
                (priced != Some(tariff.name()), !holds, *number)
            };
            if let Some((tariff, currency, (allowance, number))) = first.min_by_key(turn) {
                self.offer((tariff, number, allowance), currency, demand, &mut found);
            }
        }
        found.sort_by_key(|candidate| candidate.turn);
        found
    }

    /// Takes the units and the money from what is there; all limits count what was charged. Of money that a limit and a credit gave
    /// together, the credit gave as much as it has.
    fn take_as_stated(&mut self, candidates: &[Candidate<'t>], standing: &Standing, takes: &mut Vec<Take>) {
        let (mut units, mut nano) = (standing.units, standing.nano);
        for (at, candidate) in candidates.iter().enumerate() {
            let left = match candidate.allowance.gives {
                Gives::Units(_) | Gives::Unlimited => &mut units,
                Gives::Money(_) => &mut nano,
                Gives::Beyond(_) => continue,
            };
            let out = self.buckets.all[candidate.bucket].take(*left);
            *left -= out;
            takes.push(Take { at, out, given: out });
        }
        let by_credits = standing.nano - nano;
        let passed = u64::try_from(standing.charge_nano).unwrap_or(0).saturating_add(by_credits);
        for (at, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.allowance.is_limit()) {
            let out = self.buckets.all[candidate.bucket].take(passed);
            takes.push(Take { at, out, given: 0 });
        }
    }
}

/// What the record makes of its total and its discount. What a discount goes by is in no row: it is what the price in force says, if that
/// comes to what was charged, else what was charged.
fn outcome(record: &Covered<'_, '_>, candidates: &[Candidate<'_>], standing: &Standing, before: Before) -> Outcome {
    let first = candidates.iter().map(|candidate| candidate.allowance).find(|allowance| !allowance.is_money());
    let rounded = first.map_or(record.units, |allowance| allowance.rounded(record.units, allowance.minimum));
    let taken = Taken {
        units: standing.units,
        rest: if standing.units == 0 { record.units } else { rounded.saturating_sub(standing.units) },
        setup_always: first.is_some_and(|allowance| allowance.setup_always),
    };
    let outcome = record.charged(taken, before).unwrap_or_default();
    let charged = standing.charged();
    if i128::from(outcome.charged.charge_nano) == charged {
        return outcome;
    }
    Outcome { spent: record.discount.filter(|_| charged > 0).map(|_| before.spent.saturating_add(charged)), ..outcome }
}
