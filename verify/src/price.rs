//! The price list of a tariff: which row holds for a plan, kind, zone, party and band, found by looking at every row that could.

use num_rational::BigRational;

use crate::amount::{decimal, whole};
use crate::table::Row;
use crate::text::settled::Count;
use crate::text::{InformationFrom, OneOrMany, PriceText, RoundingScope, ZeroUsage};
use crate::total::Over;
use crate::usage::Usage;

/// A row of the price list.
#[derive(Debug)]
pub(crate) struct Price {
    pub usage: Usage,
    pub tax_class: Option<String>,
    pub rule: Rule,
    pub zero_usage: Option<ZeroUsage>,
}

/// How a row charges.
#[derive(Debug)]
pub(crate) enum Rule {
    Units(Units),
    /// The provider's cost times a factor, and a fixed part.
    CostPlus {
        factor: BigRational,
        fixed: BigRational,
        bounds: Bounds,
    },
}

/// The least and the most that a record costs.
#[derive(Debug)]
pub(crate) struct Bounds {
    least: Option<BigRational>,
    most: Option<BigRational>,
}

impl Bounds {
    /// The amount within the bounds.
    pub fn hold(&self, amount: BigRational) -> BigRational {
        let least = self.least.iter().fold(amount, |amount, least| amount.max(least.clone()));
        self.most.iter().fold(least, |amount, most| amount.min(most.clone()))
    }
}

/// Fees, minimum and steps; amounts in units of the currency.
#[derive(Debug)]
pub(crate) struct Units {
    pub setup: BigRational,
    pub disconnect: BigRational,
    pub free: u64,
    pub minimum: u64,
    /// Units that one unit price covers; if the row does not say, the kind and the plan do.
    pub per: Option<u64>,
    pub steps: Vec<Step>,
    pub bounds: Bounds,
    /// Charged beside all of this, and not bounded.
    pub information: Option<InformationFrom>,
    /// What all of this is of, if not of each record.
    pub over: Option<Over>,
    pub count: Count,
}

#[derive(Debug)]
pub(crate) struct Step {
    pub from: u64,
    pub increment: u64,
    pub unit_price: BigRational,
}

impl Price {
    /// A `[[price]]` of the file, whose head says what prices are of that do not say it themselves.
    pub fn from_text(text: PriceText, head: RoundingScope) -> Result<Self, String> {
        let (zero_usage, tax_class) = (text.zero_usage, text.tax_class.clone());
        let usage = Usage::new([&text.plan, &text.kind, &text.zone], text.band.as_ref(), text.party.as_ref())?;
        Ok(Self { usage, tax_class, rule: rule(text, head)?, zero_usage })
    }

    /// The columns of the table beside it.
    pub const COLUMNS: [&str; 16] = [
        "plan",
        "kind",
        "zone",
        "band",
        "setup",
        "minimum",
        "increment",
        "unit_price",
        "per",
        "disconnect",
        "free_units",
        "charge_min",
        "charge_max",
        "party",
        "tax_class",
        "information",
    ];

    /// A row of that table.
    pub fn from_row(row: &Row, head: RoundingScope) -> Result<Self, String> {
        let cell = |name: &str| row.get(name).cloned();
        let number = |name: &str| {
            cell(name).map(|text| text.parse().map_err(|_| format!("`{text}` in `{name}` is no whole number"))).transpose()
        };
        let names = |name: &str| OneOrMany::Many(cell(name).into_iter().collect());
        let information = match row.get("information").map(String::as_str) {
            None => None,
            Some("listed") => Some(InformationFrom::Listed),
            Some("cost") => Some(InformationFrom::Cost),
            Some(other) => return Err(format!("the information charge `{other}` is not known")),
        };
        let text = PriceText {
            plan: names("plan"),
            kind: names("kind"),
            zone: names("zone"),
            band: Some(names("band")),
            party: Some(names("party")),
            tax_class: cell("tax_class"),
            information,
            setup: cell("setup"),
            disconnect: cell("disconnect"),
            free_units: number("free_units")?,
            minimum: number("minimum")?,
            increment: number("increment")?,
            unit_price: cell("unit_price"),
            per: number("per")?,
            charge_min: cell("charge_min"),
            charge_max: cell("charge_max"),
            ..PriceText::default()
        };
        Self::from_text(text, head)
    }
}

fn rule(text: PriceText, head: RoundingScope) -> Result<Rule, String> {
    let over = Over::of(&text, head)?;
    let count = text.count.unwrap_or_default();
    let amount = |text: &str| decimal(text).ok_or_else(|| format!("`{text}` is no amount"));
    let fee = |text: &Option<String>| text.as_deref().map_or_else(|| Ok(whole(0)), amount);
    let bound = |text: &Option<String>| text.as_deref().map(amount).transpose();
    let bounds = Bounds { least: bound(&text.charge_min)?, most: bound(&text.charge_max)? };
    if let Some(plus) = text.cost_plus {
        let factor = whole(1) + amount(&plus.percent)? / whole(100);
        return Ok(Rule::CostPlus { factor, fixed: fee(&plus.fixed)?, bounds });
    }
    let steps = match (text.steps, &text.unit_price) {
        (Some(steps), None) => {
            let step = |step: crate::text::StepText| {
                Ok(Step { from: step.from, increment: step.increment, unit_price: amount(&step.unit_price)? })
            };
            steps.into_iter().map(step).collect::<Result<Vec<_>, String>>()?
        }
        (None, Some(price)) => vec![Step { from: 0, increment: text.increment.unwrap_or(1), unit_price: amount(price)? }],
        _ => return Err("a price has `unit_price`, or `steps`, or `cost_plus`".to_owned()),
    };
    if steps.is_empty() || steps.iter().any(|step| step.increment == 0) || text.per == Some(0) {
        return Err("a price has steps, and sizes are not zero".to_owned());
    }
    if count == Count::Volume && steps.iter().any(|step| step.increment != steps[0].increment) {
        return Err("the steps of a volume have one increment".to_owned());
    }
    Ok(Rule::Units(Units {
        setup: fee(&text.setup)?,
        disconnect: fee(&text.disconnect)?,
        free: text.free_units.unwrap_or(0),
        minimum: text.minimum.unwrap_or(0),
        per: text.per,
        steps,
        bounds,
        information: text.information,
        over,
        count,
    }))
}
