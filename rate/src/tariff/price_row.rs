//! Price rows: one entry of a price list, checked, from TOML or from a companion.

mod extras;

use std::ops::RangeInclusive;

use domain::columns::linked::Party;
use domain::usage::{Usage, UsageKind};

pub(crate) use self::extras::{Bounds, Extras, Information};
use self::extras::{RawExtras, bounds};
use crate::error::{Place, TariffError};
use crate::tariff::companion::{Column, optional, required};
use crate::tariff::field::{UNITS_MAX, amount, bad, name, percent, whole};
use crate::tariff::party::NAMED;
use crate::tariff::raw::{OneOrMany, RawPrice, RawStep};
use crate::tariff::total::{self, Total};

/// Most price rows of a tariff.
pub(super) const PRICES_MAX: usize = 1_000_000;

/// Most steps of a price.
const STEPS_MAX: usize = 16;

/// What a row says about usage of zero units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ZeroUsage {
    /// No units, no charge: an unanswered call.
    Free,
    /// Setup and minimum are charged all the same.
    Priced,
}

impl ZeroUsage {
    pub fn parse(place: &Place, text: &str) -> Result<Self, TariffError> {
        match text {
            "free" => Ok(Self::Free),
            "priced" => Ok(Self::Priced),
            _ => Err(bad(place, "zero_usage", text, "`free` or `priced` is expected")),
        }
    }
}

/// Units from `from` on cost this much, billed in whole increments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// First unit of the step; the first step begins at 0.
    pub from: u64,
    /// Units are billed in multiples of this, counted from the step's begin (in the first step from the minimum), or from where
    /// the increment before them ends if that reaches over an edge of a band.
    pub increment: u64,
    /// Price of one unit size in nano-units.
    pub unit_nano: u64,
}

/// How a charge is made.
#[derive(Debug, Clone)]
pub(crate) enum Formula {
    /// Setup fee, minimum and steps over the units.
    Units {
        /// Charged once per record, nano-units.
        setup_nano: u64,
        /// At least this many units are billed.
        minimum: u64,
        /// At least one; the widths of all but the last are multiples of their increments.
        steps: Vec<Step>,
        /// Units that one unit price covers; `None`: by kind.
        per: Option<u64>,
        /// What is charged beside the units.
        extras: Extras,
    },
    /// The provider's cost plus a percentage and a fixed part.
    CostPlus {
        /// Nano-percent.
        percent_nano: i64,
        /// Nano-units.
        fixed_nano: u64,
        bounds: Bounds,
    },
}

/// An entry of the price list. Patterns are names or `*`; a kind may also be `voice-*`.
#[derive(Debug, Clone)]
pub(crate) struct PriceRow {
    pub place: Place,
    pub plans: Vec<String>,
    pub kinds: Vec<String>,
    pub zones: Vec<String>,
    /// Whom the other party must be; empty: whoever it is.
    pub parties: Vec<Party>,
    pub bands: Vec<String>,
    pub formula: Formula,
    pub zero_usage: Option<ZeroUsage>,
    pub tax_class: Option<String>,
    /// What setup, minimum, increments and steps are of, if not each record.
    pub total: Option<Total>,
}

/// Columns of a price list; the required ones are those of JOB.md's `prices.csv`.
pub(super) const COLUMNS: [Column; 16] = [
    required("plan", "plan_id"),
    required("kind", "kind"),
    required("zone", "zone"),
    required("band", "band"),
    required("setup", "setup").of_amounts(),
    required("minimum", "minimum"),
    required("increment", "increment"),
    required("unit_price", "unit_price").of_amounts(),
    optional("per"),
    optional("disconnect").of_amounts(),
    optional("free_units"),
    optional("charge_min").of_amounts(),
    optional("charge_max").of_amounts(),
    optional("party"),
    optional("tax_class"),
    optional("information"),
];

impl PriceRow {
    /// A row of a companion, with the total that the head gives.
    pub fn from_fields(place: Place, fields: [&str; 16], usual: Option<&Total>) -> Result<Self, TariffError> {
        let [plan, kind, zone, band, setup, minimum, increment, unit_price, per, more @ ..] = fields;
        let [disconnect, free_units, charge_min, charge_max, party, tax_class, information] = more;
        let given = |text: &'_ str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let extras = RawExtras {
            disconnect: given(disconnect),
            free_units: given(free_units),
            charge_min: given(charge_min),
            charge_max: given(charge_max),
            information: given(information),
        };
        let step = Step {
            from: 0,
            increment: whole(&place, "increment", increment, 1..=UNITS_MAX)?,
            unit_nano: amount(&place, "unit_price", unit_price)?,
        };
        let formula = Formula::Units {
            setup_nano: amount(&place, "setup", setup)?,
            minimum: whole(&place, "minimum", minimum, 0..=UNITS_MAX)?,
            steps: vec![step],
            per: if per.is_empty() { None } else { Some(whole(&place, "per", per, 1..=UNITS_MAX)?) },
            extras: extras.check(&place)?,
        };
        let one = |text: &str| vec![text.to_owned()];
        let party = given(party).into_iter().collect::<Vec<_>>();
        Ok(Self {
            plans: one(plan),
            kinds: one(kind),
            zones: one(zone),
            parties: parties(&place, &party, false)?,
            bands: one(band),
            zero_usage: None,
            tax_class: given(tax_class).map(|class| checked_class(&place, class)).transpose()?,
            total: usual.map(|total| total::check(&place, total, &formula).map(|()| total.clone())).transpose()?,
            formula,
            place,
        })
    }

    /// A `[[price]]` of the tariff file; `usual` is the total that the head gives.
    pub fn from_toml(place: Place, raw: &RawPrice, usual: Option<&Total>) -> Result<Self, TariffError> {
        let formula = if raw.cost_plus.is_some() { cost_plus(&place, raw)? } else { units(&place, raw)? };
        // A cost is each record's, whatever the head says.
        let usual = usual.filter(|_| raw.cost_plus.is_none());
        let total = total::of_price(&place, raw, usual)?;
        if let Some(total) = &total {
            total::check(&place, total, &formula)?;
        }
        let list = |field: &str, list: &OneOrMany| {
            let refused = || bad(&place, field, "[]", "at least one name, or \"*\", is expected");
            if list.0.is_empty() { Err(refused()) } else { Ok(list.0.clone()) }
        };
        Ok(Self {
            plans: list("plan", &raw.plan)?,
            kinds: list("kind", &raw.kind)?,
            zones: list("zone", &raw.zone)?,
            parties: raw.party.as_ref().map_or(Ok(Vec::new()), |party| parties(&place, &party.0, true))?,
            tax_class: raw.tax_class.clone().map(|class| checked_class(&place, class)).transpose()?,
            bands: raw.band.as_ref().map_or_else(|| Ok(vec!["*".to_owned()]), |band| list("band", band))?,
            zero_usage: raw.zero_usage.as_deref().map(|text| ZeroUsage::parse(&place, text)).transpose()?,
            formula,
            total,
            place,
        })
    }
}

/// Parties that a price or an allowance names.
pub(super) fn parties(place: &Place, names: &[String], is_list: bool) -> Result<Vec<Party>, TariffError> {
    if names.is_empty() && is_list {
        return Err(bad(place, "party", "[]", "at least one of `own_network`, `own_customer` and `group` is expected"));
    }
    let party = |name: &String| match Party::parse(name) {
        Some(party) if NAMED.contains(&party) => Ok(party),
        _ => Err(bad(
            place,
            "party",
            name,
            "`own_network`, `own_customer` or `group` is expected; without it a price is for whoever is called",
        )),
    };
    names.iter().map(party).collect()
}

fn checked_class(place: &Place, class: String) -> Result<String, TariffError> {
    name(place, "tax_class", &class).map(|()| class)
}

fn cost_plus(place: &Place, raw: &RawPrice) -> Result<Formula, TariffError> {
    let others = [
        ("setup", raw.setup.is_some()),
        ("disconnect", raw.disconnect.is_some()),
        ("free_units", raw.free_units.is_some()),
        ("minimum", raw.minimum.is_some()),
        ("increment", raw.increment.is_some()),
        ("unit_price", raw.unit_price.is_some()),
        ("steps", raw.steps.is_some()),
        ("per", raw.per.is_some()),
        ("zero_usage", raw.zero_usage.is_some()),
        ("information", raw.information.is_some()),
    ];
    if let Some((field, _)) = others.iter().find(|(_, is_there)| *is_there) {
        return Err(bad(place, "cost_plus", "set", format!("a price has either `cost_plus` or `{field}`; remove one")));
    }
    let plus = raw.cost_plus.as_ref().expect("asked for by the caller");
    Ok(Formula::CostPlus {
        percent_nano: percent(place, "cost_plus.percent", &plus.percent)?,
        fixed_nano: plus.fixed.as_deref().map_or(Ok(0), |fixed| amount(place, "cost_plus.fixed", fixed))?,
        bounds: bounds(place, raw.charge_min.as_deref(), raw.charge_max.as_deref())?,
    })
}

fn units(place: &Place, raw: &RawPrice) -> Result<Formula, TariffError> {
    let number = |field: &str, value: Option<i64>, range: RangeInclusive<u64>, otherwise: u64| {
        value.map_or(Ok(otherwise), |v| whole(place, field, &v.to_string(), range))
    };
    let minimum = number("minimum", raw.minimum, 0..=UNITS_MAX, 0)?;
    let steps = match (&raw.steps, &raw.unit_price) {
        (Some(list), None) if raw.increment.is_none() => steps(place, list, minimum)?,
        (None, Some(unit_price)) => vec![Step {
            from: 0,
            increment: number("increment", raw.increment, 1..=UNITS_MAX, 1)?,
            unit_nano: amount(place, "unit_price", unit_price)?,
        }],
        _ => {
            let expected = "a price has `unit_price` (with `increment`), or `steps`, or `cost_plus`: exactly one of them";
            return Err(bad(place, "price", "incomplete or double", expected));
        }
    };
    Ok(Formula::Units {
        setup_nano: raw.setup.as_deref().map_or(Ok(0), |setup| amount(place, "setup", setup))?,
        minimum,
        steps,
        per: raw.per.map(|per| whole(place, "per", &per.to_string(), 1..=UNITS_MAX)).transpose()?,
        extras: RawExtras {
            disconnect: raw.disconnect.clone(),
            free_units: raw.free_units.map(|units| units.to_string()),
            charge_min: raw.charge_min.clone(),
            charge_max: raw.charge_max.clone(),
            information: raw.information.clone(),
        }
        .check(place)?,
    })
}

fn steps(place: &Place, raw: &[RawStep], minimum: u64) -> Result<Vec<Step>, TariffError> {
    if raw.is_empty() || raw.len() > STEPS_MAX {
        return Err(bad(place, "steps", format!("{} steps", raw.len()), format!("1 to {STEPS_MAX} steps are expected")));
    }
    let mut steps: Vec<Step> = Vec::with_capacity(raw.len());
    for step in raw {
        let from = whole(place, "steps.from", &step.from.to_string(), 0..=UNITS_MAX)?;
        match steps.last() {
            None if from != 0 => return Err(bad(place, "steps.from", from, "the first step begins at 0")),
            Some(before) if from <= before.from => {
                return Err(bad(place, "steps.from", from, "steps are listed in rising order"));
            }
            Some(before) => {
                let begin = if steps.len() == 1 { minimum } else { before.from };
                if from < begin || (from - begin) % before.increment != 0 {
                    let expected = format!(
                        "the step before bills {} units at a time from {begin} on, so it must end on a multiple of that",
                        before.increment
                    );
                    return Err(bad(place, "steps.from", from, expected));
                }
            }
            None => {}
        }
        steps.push(Step {
            from,
            increment: whole(place, "steps.increment", &step.increment.to_string(), 1..=UNITS_MAX)?,
            unit_nano: amount(place, "steps.unit_price", &step.unit_price)?,
        });
    }
    Ok(steps)
}

/// Whether a pattern such as `voice-mo`, `voice-*` or `*` names a kind.
pub(crate) fn names_kind(pattern: &str, usage: Usage) -> bool {
    let family = pattern.strip_suffix('*').filter(|family| family.is_empty() || family.ends_with('-'));
    family.map_or(pattern == usage.as_str(), |family| usage.as_str().starts_with(family))
}

/// Codes that a kind pattern names, with how exactly: 0 for `*`, 1 for `voice-*`, 2 for one kind.
pub(super) fn kinds(place: &Place, pattern: &str) -> Result<(u8, Vec<Usage>), TariffError> {
    let rank = match pattern {
        "*" => 0,
        family if family.ends_with('*') => 1,
        _ => 2,
    };
    let found: Vec<Usage> = Usage::all().filter(|usage| names_kind(pattern, *usage)).collect();
    if found.is_empty() {
        let known: Vec<&str> = Usage::all().map(Usage::as_str).collect();
        return Err(bad(
            place,
            "kind",
            pattern,
            format!("one of {}, a family such as voice-* or * is expected", known.join(", ")),
        ));
    }
    Ok((rank, found))
}

/// Units that one unit price covers where the row does not say: a minute, a plan's megabyte, one message.
pub(super) fn usual_per(kind: UsageKind, mb_bytes: Option<u64>) -> Option<u64> {
    match kind {
        UsageKind::Voice => Some(60),
        UsageKind::Sms | UsageKind::Mms => Some(1),
        UsageKind::Data => mb_bytes,
    }
}
