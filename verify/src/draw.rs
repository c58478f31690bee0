//! How a record draws from buckets: in which order, how much, and what is charged of it then, behind those before it.

use std::cmp::Reverse;

use crate::charge::{Charge, Share, charge};
use crate::cover::Cover;
use crate::derive::Drawn;
use crate::record::Record;
use crate::standing::Stood;
use crate::terms::{Allowance, Stage};
use crate::text::settled::{Beyond, SetupFee};
use crate::total::charge_in;

/// When it is a bucket's turn among those that a record may draw from; the least goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// Whether it was granted in the period of the record.
    pub is_new: bool,
    pub priority: i64,
    pub weight: Reverse<i64>,
    /// The end of the last period in which it is usable.
    pub expires_us: i64,
    /// The begin of the period in which it was granted.
    pub begins_us: i64,
    /// The allowance's place in the file.
    pub position: usize,
}

impl Turn {
    /// The turn of the only bucket of an allowance: what stays longer expires later.
    pub fn assumed(allowance: &Allowance, position: usize) -> Self {
        let (priority, weight) = (allowance.priority, Reverse(allowance.weight));
        Self { is_new: true, priority, weight, expires_us: allowance.roll_over.into(), begins_us: 0, position }
    }
}

/// A bucket that a record may draw from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'r> {
    /// The allowance that it is of, as the record's version of the tariff has it.
    pub allowance: &'r Allowance,
    pub turn: Turn,
    /// What is in it; `None` never runs out.
    pub left: Option<u128>,
}

/// What the records before a record came to, as far as it hangs on that.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    /// Units of its total; `None` where it is the first.
    pub units: Option<u64>,
    /// What its discount goes by, in units of 10⁻⁹.
    pub spent: i128,
}

/// What a record drew, and what it costs then.
#[derive(Debug)]
pub(crate) struct Draw {
    pub charge: Charge,
    pub drawn: Option<Drawn>,
    /// What it took from each source.
    pub takes: Vec<u128>,
    /// By how many units it moves its total; `None` if it does not come before others there.
    pub counted: Option<u64>,
    /// By how much it moves its discount, in units of 10⁻⁹.
    pub spends: i64,
    /// Units that no source took, also if in the end it drew nothing.
    rest: u128,
}

impl Cover<'_> {
    /// Draws a record from sources that stand in the order of their turns. If what they leave of it cannot be charged, it takes nothing,
    /// moves nothing and costs what it costs without them and as the first.
    pub fn draw(&self, record: &Record<'_>, sources: &[Source<'_>], before: Before) -> Draw {
        let mut takes = vec![0; sources.len()];
        let rest = self.take_units(sources, &mut takes);
        let nothing = || {
            // A discount takes no price away either.
            let charge = self.discounted(self.alone, 0).unwrap_or(self.alone);
            Draw { charge, drawn: None, takes: vec![0; sources.len()], counted: None, spends: 0, rest }
        };
        self.take(record, sources, takes, rest, before).unwrap_or_else(|_| nothing())
    }

    /// The same where an allowance that blocks what is beyond it may have too little: then the record has no charge, and takes nothing.
    pub fn draw_within(&self, record: &Record<'_>, sources: &[Source<'_>], before: Before) -> Result<Draw, &'static str> {
        let draw = self.draw(record, sources, before);
        let is_beyond = |(_, allowance): &(usize, &Allowance)| match allowance.stage() {
            _ if allowance.beyond == Beyond::Price => false,
            Stage::Units => draw.rest > 0,
            Stage::Limit => false,
            Stage::Credit => draw.charge.nano > 0,
        };
        if self.allowances.iter().any(is_beyond) { Err("beyond_allowance") } else { Ok(draw) }
    }

    /// What it costs and draws beside the units that it took.
    fn take(
        &self,
        record: &Record<'_>,
        sources: &[Source<'_>],
        mut takes: Vec<u128>,
        rest: u128,
        before: Before,
    ) -> Result<Draw, &'static str> {
        let taken = countable(takes.iter().sum())?;
        let beyond = countable(rest)?.unsigned_abs();
        let first = sources.iter().zip(&takes).find(|(_, take)| **take > 0).map(|(source, _)| source.allowance.setup);
        let (full, counted) = self.price(record, first, (taken.unsigned_abs(), beyond), before)?;
        let mut charge = self.discounted(full, before.spent)?;
        let (limit, off) = hold(&mut charge, sources, &mut takes).unzip();
        let money = i128::from(off.unwrap_or(0)) + take_money(&mut charge, sources, &mut takes);
        let allowance = names(sources, &takes, limit);
        let drawn = (!allowance.is_empty()).then(|| Drawn {
            allowance,
            units: Some(taken).filter(|units| *units > 0),
            money_nano: Some(money).filter(|money| *money > 0),
        });
        Ok(Draw { charge, drawn, takes, counted, spends: full.nano.max(0), rest })
    }

    /// What its price charges for the units that no source took, and by how many it moves its total. `setup` is what the first source says
    /// that some were taken from.
    fn price(
        &self,
        record: &Record<'_>,
        setup: Option<SetupFee>,
        (taken, rest): (u64, u64),
        before: Before,
    ) -> Result<(Charge, Option<u64>), &'static str> {
        let share = match (setup, self.over) {
            (Some(setup), _) if rest == 0 => Share::Covered { setup },
            (_, Some(_)) => {
                let charge = charge_in(&self.place, self.found, record, before.units, rest)?;
                return Ok((charge, Some(rest)));
            }
            (None, None) => return Ok((self.alone, None)),
            (Some(_), None) => Share::Beyond { taken, rest },
        };
        Ok((charge(&self.place, self.found, record, share)?, None))
    }

    /// What a record moves that was billed so, whatever it would draw: the units of its total, and what its discount goes by, in units of
    /// 10⁻⁹. That is in no row: it is what the price says where that comes to what was charged, and else what was charged.
    pub fn moved(
        &self,
        record: &Record<'_>,
        stood: &Stood<'_>,
        first: Option<&Allowance>,
        before: Before,
    ) -> (Option<u64>, i128) {
        let said = self.beside(record, stood, first, before);
        let (full, counted, charge) = said.map_or((0, None, 0), |(full, counted, charge)| (full.nano, counted, charge.nano));
        let charged = stood.charged();
        let goes_by = if i128::from(charge) == charged { full.into() } else { charged };
        (counted, if self.discount.is_some() { goes_by.max(0) } else { 0 })
    }

    /// What a record is charged beside what it says it drew; nothing if an allowance blocks it, and it says so.
    pub fn kept_within(
        &self,
        record: &Record<'_>,
        stood: &Stood<'_>,
        first: Option<&Allowance>,
        before: Before,
    ) -> Result<Draw, &'static str> {
        if !stood.is_priced && self.allowances.iter().any(|(_, allowance)| allowance.beyond == Beyond::Block) {
            return Err("beyond_allowance");
        }
        let (_, counted, charge) = self.beside(record, stood, first, before)?;
        let nano = i64::try_from(i128::from(charge.nano) - stood.money_nano).map_err(|_| "charge_limit")?;
        let drawn = (!stood.allowance.is_empty()).then(|| Drawn {
            allowance: stood.allowance.to_owned(),
            units: i64::try_from(stood.units).ok().filter(|units| *units > 0),
            money_nano: Some(stood.money_nano).filter(|money| *money > 0),
        });
        Ok(Draw { charge: Charge { nano, ..charge }, drawn, takes: Vec::new(), counted, spends: 0, rest: 0 })
    }

    /// The price of what a record has beyond the units that it says it drew, by how many it moves its total, and what its discount makes
    /// of it.
    fn beside(
        &self,
        record: &Record<'_>,
        stood: &Stood<'_>,
        first: Option<&Allowance>,
        before: Before,
    ) -> Result<(Charge, Option<u64>, Charge), &'static str> {
        let rest = match (stood.units, first) {
            (0, _) => self.units,
            (taken, None) => self.units.saturating_sub(taken),
            (taken, Some(allowance)) => {
                let beyond = allowance.rounded(self.units.into(), allowance.minimum).saturating_sub(taken.into());
                u64::try_from(beyond).unwrap_or(u64::MAX)
            }
        };
        let setup = (stood.units > 0).then(|| first.map(|allowance| allowance.setup).unwrap_or_default());
        let (full, counted) = self.price(record, setup, (stood.units, rest), before)?;
        Ok((full, counted, self.discounted(full, before.spent)?))
    }

    /// What becomes of a charge behind others that come to so much: only what is above zero has a discount.
    fn discounted(&self, charge: Charge, spent: i128) -> Result<Charge, &'static str> {
        match self.discount {
            Some(discount) if charge.nano > 0 => discount.charge(self.place.tariff, spent, charge),
            _ => Ok(charge),
        }
    }

    /// Takes units, and gives those that no source took. The first source of an allowance rounds up what it is asked for, by the
    /// minimum only if it is the first of all.
    fn take_units(&self, sources: &[Source<'_>], takes: &mut [u128]) -> u128 {
        let (mut rest, mut drawn_from) = (u128::from(self.units), Vec::new());
        for (source, take) in sources.iter().zip(takes) {
            let allowance = source.allowance;
            if rest == 0 || allowance.stage() != Stage::Units || source.left == Some(0) {
                continue;
            }
            let minimum = if drawn_from.is_empty() { allowance.minimum } else { 0 };
            let need = if drawn_from.contains(&&allowance.name) { rest } else { allowance.rounded(rest, minimum) };
            *take = source.left.map_or(need, |left| left.min(need));
            rest = need - *take;
            drawn_from.push(&allowance.name);
        }
        rest
    }
}

/// Units that a row can hold.
fn countable(units: u128) -> Result<i64, &'static str> {
    i64::try_from(units).map_err(|_| "charge_limit")
}

/// Holds a charge above zero to what the limits leave, of which all go down by what is charged. Gives the place of the limit with the
/// least left, and what it took off, if it did.
fn hold(charge: &mut Charge, sources: &[Source<'_>], takes: &mut [u128]) -> Option<(usize, i64)> {
    let limits: Vec<usize> = (0..sources.len()).filter(|place| sources[*place].allowance.stage() == Stage::Limit).collect();
    let asked = u128::try_from(charge.nano).ok()?;
    let tightest = *limits.iter().min_by_key(|place| sources[**place].left)?;
    let charged = sources[tightest].left.map_or(asked, |left| left.min(asked));
    for place in limits {
        takes[place] = charged;
    }
    let off = i64::try_from(asked - charged).ok().filter(|off| *off > 0)?;
    charge.nano -= off;
    Some((tightest, off))
}

/// Takes money from a charge above zero, and gives how much.
fn take_money(charge: &mut Charge, sources: &[Source<'_>], takes: &mut [u128]) -> i128 {
    let mut money = 0;
    for (source, take) in sources.iter().zip(takes).filter(|(source, _)| source.allowance.stage() == Stage::Credit) {
        let asked = charge.nano.max(0);
        let given = source.left.and_then(|left| i64::try_from(left).ok()).map_or(asked, |left| left.min(asked));
        *take = u128::from(given.unsigned_abs());
        charge.nano -= given;
        money += i128::from(given);
    }
    money
}

/// The allowances that something was taken from, units first, and between those and the credits the limit that took something off.
fn names(sources: &[Source<'_>], takes: &[u128], limit: Option<usize>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for stage in Stage::ALL {
        for (place, Source { allowance, .. }) in
            sources.iter().enumerate().filter(|(_, source)| source.allowance.stage() == stage)
        {
            let is_told = if stage == Stage::Limit { limit == Some(place) } else { takes[place] > 0 };
            if is_told && !names.contains(&allowance.name.as_str()) {
                names.push(&allowance.name);
            }
        }
    }
    names.join("+")
}
