//! The allowances of a tariff: what its plans give in each cycle, and what of that covers a record (docs/adr/0022).

mod covered;

use std::collections::HashMap;
use std::sync::Arc;

use domain::columns::linked::Party;
use domain::ids::Names;
use domain::usage::{Usage, UsageKind};

use crate::error::{Place, TariffError};
use crate::tariff::field::{AMOUNT_NANO_MAX, UNITS_MAX, amount, bad, name, whole};
use crate::tariff::party::told_apart;
use crate::tariff::plan::Plan;
use crate::tariff::price_row::{kinds, parties};
use crate::tariff::price_table::{PriceTable, unknown};
use crate::tariff::raw::{OneOrMany, RawAllowance, RawFairUse, TomlFile};

/// Most allowances of a tariff: their numbers are 16 bits, and every record of a plan asks all of its plan.
const ALLOWANCES_MAX: usize = 1_000;

/// Largest priority and weight.
const RANK_MAX: i64 = 1_000_000;

/// Longest time for which what is left stays usable, in cycles.
pub(crate) const ROLL_OVER_MAX: u64 = 24;

/// Fair use of roaming data is twice the price over the wholesale cap: Implementing Regulation (EU) 2016/2286, article 4(2).
const FAIR_USE_TIMES: u128 = 2;

/// How much an allowance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Seconds, bytes or messages.
    Units(u64),
    /// Units without end.
    Unlimited,
    /// Nano-units of the tariff's currency.
    Money(u64),
}

impl Gives {
    /// Whether it is money, and not units.
    pub fn is_money(self) -> bool {
        matches!(self, Self::Money(_))
    }
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Each subscription's.
    Personal,
    /// The customer's, once.
    Shared,
    /// The customer's, once for each subscription.
    Pooled,
}

/// What plans give in each cycle.
#[derive(Debug)]
pub(crate) struct Allowance {
    pub name: Arc<str>,
    pub place: Place,
    pub gives: Gives,
    pub whose: Whose,
    pub minimum: u64,
    pub increment: u64,
    /// Whether the setup fee is charged of records that it covers whole.
    pub setup_always: bool,
    pub priority: i64,
    pub weight: i64,
    /// Cycles for which what is left stays usable.
    pub roll_over: u32,
    /// Whether a line gets its share of the days on which it has the plan.
    pub by_days: bool,
    /// By number of the plan.
    plans: Vec<bool>,
    /// By code of the kind.
    kinds: [bool; Usage::COUNT],
    /// By code of the zone.
    zones: Vec<bool>,
    /// By code of the band.
    bands: Vec<bool>,
    /// Empty: whoever the other party is.
    parties: Vec<Party>,
}

impl Allowance {
    /// Whether a plan gives it.
    pub fn is_of(&self, plan: u32) -> bool {
        self.plans.get(plan as usize).copied().unwrap_or(false)
    }

    /// Whether it covers what a record is.
    pub fn covers(&self, usage: Usage, zone: u16, party: Party, band: u8) -> bool {
        self.kinds[usage.code()]
            && self.zones[usize::from(zone)]
            && self.bands[usize::from(band)]
            && (self.parties.is_empty() || self.parties.iter().any(|wanted| party.is_of(*wanted)))
    }

    /// What its units are of, if it gives units; messages are of one family.
    pub fn family(&self) -> UsageKind {
        Usage::all().find(|usage| self.kinds[usage.code()]).map_or(UsageKind::Voice, family)
    }

    /// Whether it gives money, and not units.
    pub fn is_money(&self) -> bool {
        self.gives.is_money()
    }

    /// The units that it takes of a record: at least `minimum`, beyond that whole increments.
    pub fn rounded(&self, units: u64, minimum: u64) -> u64 {
        minimum.saturating_add(units.saturating_sub(minimum).div_ceil(self.increment).saturating_mul(self.increment))
    }
}

/// All of a tariff.
#[derive(Debug, Default)]
pub(crate) struct Allowances {
    /// In the order of the file.
    pub list: Vec<Allowance>,
    /// By number of the plan: those that it gives, in the order in which records draw on them where none is left from earlier cycles.
    of_plan: Vec<Vec<u16>>,
}

impl Allowances {
    /// Checks the allowances of a file against what else the tariff has.
    pub fn build(file: &TomlFile<'_>, raw: &[toml::Spanned<RawAllowance>], of: &Known<'_>) -> Result<Self, TariffError> {
        if raw.len() > ALLOWANCES_MAX {
            return Err(TariffError::TooMany { place: file.whole(), what: "allowances", limit: ALLOWANCES_MAX });
        }
        let mut list: Vec<Allowance> = Vec::with_capacity(raw.len());
        let mut left = covered::LOOKED_AT_MAX;
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for spanned in raw {
            let (place, raw) = (file.place(spanned), spanned.get_ref());
            if let Some(first) = seen.insert(&raw.name, place.clone()) {
                return Err(TariffError::Twice { place, what: format!("allowance `{}`", raw.name), first });
            }
            let allowance = of.check(place, raw)?;
            of.check_covered(&allowance, &mut left)?;
            list.push(allowance);
        }
        if list.is_empty() {
            return Ok(Self::default());
        }
        let of_plan = (0..of.plans.len()).map(|plan| in_order(&list, plan)).collect();
        Ok(Self { list, of_plan })
    }

    /// Those that a plan gives, in the order in which records draw on them.
    #[inline]
    pub fn of(&self, plan: u32) -> &[u16] {
        self.of_plan.get(plan as usize).map_or(&[], Vec::as_slice)
    }

    /// The allowance of a name that a plan gives.
    pub fn named(&self, plan: u32, name: &str) -> Option<&Allowance> {
        self.of(plan).iter().map(|n| &self.list[usize::from(*n)]).find(|allowance| *allowance.name == *name)
    }

    /// Whether one of them depends on the other party.
    pub fn asks_party(&self) -> bool {
        self.list.iter().any(|allowance| !allowance.parties.is_empty())
    }

    /// The parties that they tell apart, from far to near.
    pub fn parties(&self) -> &'static [Party] {
        told_apart(self.list.iter().flat_map(|allowance| &allowance.parties))
    }
}

/// The family of a kind: messages are counted together.
fn family(usage: Usage) -> UsageKind {
    match usage.kind() {
        UsageKind::Sms | UsageKind::Mms => UsageKind::Sms,
        kind => kind,
    }
}

fn in_order(list: &[Allowance], plan: usize) -> Vec<u16> {
    let plan = u32::try_from(plan).expect("a tariff has at most 10,000 plans");
    let mut of_plan: Vec<u16> = (0..).zip(list).filter(|(_, allowance)| allowance.is_of(plan)).map(|(n, _)| n).collect();
    of_plan.sort_by_key(|n| {
        let Allowance { priority, weight, roll_over, .. } = &list[usize::from(*n)];
        (*priority, std::cmp::Reverse(*weight), *roll_over, *n)
    });
    of_plan
}

/// What allowances may name.
pub(crate) struct Known<'t> {
    pub plans: &'t [Plan],
    pub zones: &'t Names,
    pub bands: &'t Names,
    pub prices: &'t PriceTable,
}

impl Known<'_> {
    fn check(&self, place: Place, raw: &RawAllowance) -> Result<Allowance, TariffError> {
        name(&place, "name", &raw.name)?;
        if raw.name.contains('+') {
            return Err(bad(&place, "name", &raw.name, "a `+` joins the names of several allowances in the table; leave it out"));
        }
        let usages = usages(&place, &raw.kind)?;
        let gives = gives(&place, raw)?;
        if let Gives::Money(nano) = gives
            && nano % self.prices.unit_nano != 0
        {
            let places = self.prices.rounding.places;
            let expected = format!("the tariff rounds charges to {places} places, and an amount that covers them has no more");
            return Err(bad(&place, "money", raw.money.as_deref().unwrap_or_default(), expected));
        }
        let first = Usage::all().find(|usage| usages[usage.code()]).map(family);
        let has_others = Usage::all().any(|usage| usages[usage.code()] && Some(family(usage)) != first);
        if has_others && !matches!(gives, Gives::Money(_)) {
            let expected =
                "units are seconds, bytes or messages: one family of kinds is expected; name an allowance for each of them";
            return Err(bad(&place, "kind", raw.kind.0.join(", "), expected));
        }
        let is_units = !matches!(gives, Gives::Money(_));
        let others = [("minimum", raw.minimum.is_some()), ("increment", raw.increment.is_some()), ("setup", raw.setup.is_some())];
        if let Some((field, _)) = others.iter().find(|(_, is_there)| *is_there && !is_units) {
            return Err(bad(&place, field, "set", "it is for allowances in units; remove it where `money` is given"));
        }
        let number = |field: &str, value: Option<i64>, least: u64, most: u64| {
            value.map_or(Ok(least), |value| whole(&place, field, &value.to_string(), least..=most))
        };
        let roll_over = number("roll_over", raw.roll_over, 0, ROLL_OVER_MAX)?;
        if roll_over > 0 && gives == Gives::Unlimited {
            return Err(bad(&place, "roll_over", roll_over, "nothing of what has no end is left over; remove one of the two"));
        }
        Ok(Allowance {
            name: raw.name.as_str().into(),
            gives,
            whose: whose(&place, raw.scope.as_deref())?,
            minimum: number("minimum", raw.minimum, 0, UNITS_MAX)?,
            increment: number("increment", raw.increment, 1, UNITS_MAX)?,
            setup_always: one_of(&place, "setup", raw.setup.as_deref(), ["if_charged", "always"])?,
            priority: rank(&place, "priority", raw.priority)?,
            weight: rank(&place, "weight", raw.weight)?,
            roll_over: u32::try_from(roll_over).expect("at most 24"),
            by_days: one_of(&place, "pro_rata", raw.pro_rata.as_deref(), ["none", "days"])?,
            plans: self.plans(&place, &raw.plan)?,
            kinds: usages,
            zones: codes(&place, "zone", Some(&raw.zone), self.zones, "no destination, network or class leads there")?,
            bands: codes(&place, "band", raw.band.as_ref(), self.bands, "no [[band]] has that name")?,
            parties: raw.party.as_ref().map_or(Ok(Vec::new()), |party| parties(&place, &party.0, true))?,
            place,
        })
    }

    fn plans(&self, place: &Place, named: &OneOrMany) -> Result<Vec<bool>, TariffError> {
        let mut plans = vec![false; self.plans.len()];
        for pattern in filled(place, "plan", named)? {
            if pattern == "*" {
                plans.fill(true);
                continue;
            }
            let known = self.plans.iter().map(|plan| plan.name.as_str());
            let at = self.plans.iter().position(|plan| plan.name == *pattern);
            plans[at.ok_or_else(|| unknown(place, "plan", pattern, "no plan has that name", known))?] = true;
        }
        Ok(plans)
    }
}

fn filled<'r>(place: &Place, field: &str, named: &'r OneOrMany) -> Result<&'r [String], TariffError> {
    let refused = || bad(place, field, "[]", "at least one name, or \"*\", is expected");
    if named.0.is_empty() { Err(refused()) } else { Ok(&named.0) }
}

fn usages(place: &Place, named: &OneOrMany) -> Result<[bool; Usage::COUNT], TariffError> {
    let mut usages = [false; Usage::COUNT];
    for pattern in filled(place, "kind", named)? {
        kinds(place, pattern)?.1.into_iter().for_each(|usage| usages[usage.code()] = true);
    }
    Ok(usages)
}

/// The codes that names stand for; without names all of them.
fn codes(
    place: &Place,
    field: &str,
    named: Option<&OneOrMany>,
    known: &Names,
    defined: &'static str,
) -> Result<Vec<bool>, TariffError> {
    let Some(named) = named else { return Ok(vec![true; known.len()]) };
    let mut codes = vec![false; known.len()];
    for pattern in filled(place, field, named)? {
        if pattern == "*" {
            codes.fill(true);
            continue;
        }
        let code = known.code(pattern).ok_or_else(|| unknown(place, field, pattern, defined, known.iter()))?;
        codes[code as usize] = true;
    }
    Ok(codes)
}

/// Whether the second of two words is given; the first is what holds without.
fn one_of(place: &Place, field: &str, text: Option<&str>, [usual, other]: [&str; 2]) -> Result<bool, TariffError> {
    match text {
        None => Ok(false),
        Some(text) if text == usual => Ok(false),
        Some(text) if text == other => Ok(true),
        Some(text) => Err(bad(place, field, text, format!("`{usual}` or `{other}` is expected"))),
    }
}

/// A number that puts allowances in order.
fn rank(place: &Place, field: &str, value: Option<i64>) -> Result<i64, TariffError> {
    let value = value.unwrap_or(0);
    let refused = || bad(place, field, value, format!("a whole number from -{RANK_MAX} to {RANK_MAX} is expected"));
    if (-RANK_MAX..=RANK_MAX).contains(&value) { Ok(value) } else { Err(refused()) }
}

fn whose(place: &Place, text: Option<&str>) -> Result<Whose, TariffError> {
    match text {
        None | Some("personal") => Ok(Whose::Personal),
        Some("shared") => Ok(Whose::Shared),
        Some("pooled") => Ok(Whose::Pooled),
        Some(other) => Err(bad(place, "scope", other, "`personal`, `shared` or `pooled` is expected")),
    }
}

fn gives(place: &Place, raw: &RawAllowance) -> Result<Gives, TariffError> {
    let RawAllowance { units, money, unlimited, fair_use, .. } = raw;
    match (units, money, unlimited.unwrap_or(false), fair_use) {
        (Some(units), None, false, None) => Ok(Gives::Units(whole(place, "units", &units.to_string(), 1..=UNITS_MAX)?)),
        (None, Some(money), false, None) => match amount(place, "money", money)? {
            0 => Err(bad(place, "money", money, "an amount above 0 is expected")),
            nano => Ok(Gives::Money(nano)),
        },
        (None, None, true, None) => Ok(Gives::Unlimited),
        (None, None, false, Some(formula)) => Ok(Gives::Units(fair_units(place, formula)?)),
        _ => {
            let expected = "an allowance gives `units`, or `money`, or is `unlimited`, or has `fair_use`: exactly one of them";
            Err(bad(place, "allowance", "incomplete or double", expected))
        }
    }
}

/// Units by the formula for fair use.
fn fair_units(place: &Place, raw: &RawFairUse) -> Result<u64, TariffError> {
    let positive = |field: &str, text: &str| match amount(place, field, text)? {
        0 => Err(bad(place, field, text, "an amount above 0 is expected")),
        nano => Ok(u128::from(nano)),
    };
    let (price, cap) = (positive("fair_use.price", &raw.price)?, positive("fair_use.cap", &raw.cap)?);
    let per = u128::from(whole(place, "fair_use.per", &raw.per.to_string(), 1..=UNITS_MAX)?);
    const { assert!(FAIR_USE_TIMES * (AMOUNT_NANO_MAX as u128) < u128::MAX / (UNITS_MAX as u128), "the product fits") };
    let units = (FAIR_USE_TIMES * price * per).div_ceil(cap);
    u64::try_from(units)
        .ok()
        .filter(|units| *units <= UNITS_MAX)
        .ok_or_else(|| bad(place, "fair_use", units, format!("the formula may give {UNITS_MAX} units at most")))
}
