//! A derivation: each decision of a price with its reason, and all of them line by line.

use domain::outcome::Reason;

/// How a row came to its charge or its reason.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Derivation {
    /// `rated`, or the reason why the row is in suspense.
    pub outcome: &'static str,
    /// What an operator can do about a row in suspense.
    pub remedy: Option<&'static str>,
    /// The plan at the start instant.
    pub plan: Option<String>,
    /// The tariff version.
    pub tariff: Option<TariffStep>,
    /// How the zone was found.
    pub zone: Option<ZoneStep>,
    /// Who the other party is, where the tariff asks.
    pub party: Option<String>,
    /// How the band was found.
    pub band: Option<BandStep>,
    /// The price that applies.
    pub price: Option<PriceStep>,
    /// What the record draws from allowances, or what covers it.
    pub allowance: Vec<AllowanceStep>,
    /// The sum.
    pub charge: Option<ChargeStep>,
    /// What the price says of tax; nothing where it says nothing.
    pub tax: Option<String>,
    /// Whether it hangs on other records of the customer: by allowances, a total or a discount.
    #[serde(skip)]
    #[schemars(skip)]
    pub is_settled: bool,
    /// The charge in nano-units, without the money that allowances gave.
    #[serde(skip)]
    #[schemars(skip)]
    pub charge_nano: Option<i64>,
}

/// The tariff version and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct TariffStep {
    /// `name@hash`.
    pub id: String,
    /// The currency of its prices.
    pub currency: String,
    /// While it is in force.
    pub in_force: String,
    /// Why it holds for a plan that it does not sell.
    pub fallback: Option<String>,
}

/// How the zone was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ZoneStep {
    /// The zone; `None` if nothing matched.
    pub zone: Option<String>,
    /// network, roaming, home, class, prefix, `short_code` or none.
    pub by: &'static str,
    /// What was asked, in order, and what the answer was.
    pub asked: Vec<String>,
    /// Prefixes near the one that decided: shorter ones that match too, longer ones that nearly do.
    pub neighbours: Vec<Neighbour>,
}

/// A prefix near the deciding one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Neighbour {
    /// Its digits.
    pub prefix: String,
    /// Its zone.
    pub zone: String,
    /// Where it stands.
    pub place: String,
    /// Whether the number begins with it.
    pub matches: bool,
    /// When it holds, if that is not the day of the call.
    pub holds: Option<String>,
}

/// How the band was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct BandStep {
    /// The band.
    pub band: String,
    /// The start by the clock that decides.
    pub local_time: String,
    /// The window that holds it, or that none does.
    pub why: String,
}

/// The price that applies.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct PriceStep {
    /// The price row of the tariff.
    pub row: u32,
    /// Where it stands.
    pub place: String,
    /// What it says, line by line.
    pub terms: Vec<String>,
}

/// What a record draws from one allowance of one cycle.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct AllowanceStep {
    /// The allowance.
    pub allowance: String,
    /// Where it stands.
    pub place: String,
    /// The cycle that gave it; `None` where no record draws.
    pub cycle: Option<String>,
    /// What the cycle gave: units, or money; `None`: without end, or not known.
    pub given: Option<String>,
    /// What was left before.
    pub before: Option<String>,
    /// What the record took; `None` where no record draws.
    pub taken: Option<String>,
    /// What is left after it.
    pub after: Option<String>,
    /// All of it in a sentence.
    pub text: String,
}

/// The sum.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ChargeStep {
    /// Units of the row, with their name.
    pub units: String,
    /// Units billed.
    pub billed: i64,
    /// The sum, line by line, up to the exact amount.
    pub arithmetic: Vec<String>,
    /// How the exact amount was rounded.
    pub rounding: String,
    /// What of that allowances in money took.
    pub taken: Option<String>,
    /// The charge with its currency.
    pub charge: String,
}

impl Derivation {
    pub(super) fn suspense(reason: Reason, plan: Option<String>) -> Self {
        let (outcome, remedy) = (reason.as_str(), Some(reason.remedy()));
        Self {
            outcome,
            remedy,
            plan,
            tariff: None,
            zone: None,
            party: None,
            band: None,
            price: None,
            allowance: Vec::new(),
            charge: None,
            tax: None,
            is_settled: false,
            charge_nano: None,
        }
    }

    /// The derivation line by line, in the order of the decisions: what a terminal shows.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("outcome: {}", self.outcome)];
        lines.extend(self.remedy.map(|remedy| format!("remedy: {remedy}")));
        lines.extend(self.plan.iter().map(|plan| format!("plan: {plan}")));
        lines.extend(self.tariff.iter().map(|t| format!("tariff: {} in {}, in force {}", t.id, t.currency, t.in_force)));
        lines.extend(self.tariff.iter().filter_map(|t| t.fallback.as_ref()).map(|why| format!("  {why}")));
        if let Some(zone) = &self.zone {
            lines.push(format!("zone: {} by {}", zone.zone.as_deref().unwrap_or("none"), zone.by));
            lines.extend(zone.asked.iter().map(|line| format!("  {line}")));
            let says = |n: &Neighbour| match (&n.holds, n.matches) {
                (Some(days), true) => format!("matches, but holds {days}"),
                (None, true) => "matches, but is shorter".to_owned(),
                (_, false) => "is longer, but does not match".to_owned(),
            };
            lines.extend(zone.neighbours.iter().map(|n| format!("  {} → {} {} ({})", n.prefix, n.zone, says(n), n.place)));
        }
        lines.extend(self.party.iter().map(|party| format!("party: {party}")));
        lines.extend(self.band.iter().map(|band| format!("band: {} at {}, {}", band.band, band.local_time, band.why)));
        if let Some(price) = &self.price {
            lines.push(format!("price: row {} ({})", price.row, price.place));
            lines.extend(price.terms.iter().map(|term| format!("  {term}")));
        }
        lines.extend(self.allowance.iter().map(|step| format!("allowance: {}", step.text)));
        if let Some(charge) = &self.charge {
            lines.push(format!("units: {}", charge.units));
            lines.extend(charge.arithmetic.iter().map(|line| format!("  {line}")));
            lines.push(format!("  {}", charge.rounding));
            lines.extend(charge.taken.iter().map(|taken| format!("  {taken}")));
            lines.push(format!("charge: {}", charge.charge));
        }
        lines.extend(self.tax.iter().map(|tax| format!("tax: {tax}")));
        lines
    }
}
