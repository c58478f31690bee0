//! The plans that devices are on: those of the shipped tariff `nl-zakelijk`.

use domain::usage::{Direction, UsageKind};

use crate::call::Call;
use crate::fleet::LineKind;
use crate::numbering::{Rate, Region};
use crate::random::Dice;

/// A plan.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id in the tariff.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    kind: LineKind,
    /// How often it is sold.
    weight: u32,
}

/// All plans.
pub const PLANS: [Plan; 9] = [
    Plan { id: "zakelijk-basis", name: "Zakelijk Basis", kind: LineKind::Mobile, weight: 50 },
    Plan { id: "zakelijk-plus", name: "Zakelijk Plus", kind: LineKind::Mobile, weight: 35 },
    Plan { id: "zakelijk-onbeperkt", name: "Zakelijk Onbeperkt", kind: LineKind::Mobile, weight: 15 },
    Plan { id: "zakelijk-inkoop", name: "Zakelijk Inkoop", kind: LineKind::Mobile, weight: 8 },
    Plan { id: "bellen-100", name: "Bellen 100", kind: LineKind::Mobile, weight: 12 },
    Plan { id: "bellen-200", name: "Bellen 200", kind: LineKind::Mobile, weight: 12 },
    Plan { id: "samen", name: "Samen", kind: LineKind::Mobile, weight: 8 },
    Plan { id: "m2m", name: "Machines", kind: LineKind::Machine, weight: 1 },
    Plan { id: "vast", name: "Vast Bellen", kind: LineKind::Fixed, weight: 1 },
];

impl Plan {
    /// Whether the tariff has a price for it: the cheapest prices have none of satellite calls, machines have none at sea.
    pub fn sells(&self, call: &Call, rate: Rate) -> bool {
        let outgoing_call = call.kind == UsageKind::Voice && call.direction != Direction::Incoming;
        let to_satellite = outgoing_call && call.region == Region::Home && rate == Rate::Costly;
        let at_sea = self.kind == LineKind::Machine && call.region == Region::Sea;
        let is_cheapest = ["zakelijk-basis", "bellen-100", "samen"].contains(&self.id);
        !(is_cheapest && to_satellite || at_sea)
    }
}

/// The plan of the subscriber whose source says no cost: one whose prices do not ask for it.
pub fn without_cost() -> &'static Plan {
    &PLANS[0]
}

fn sold_to(kind: LineKind) -> impl Iterator<Item = &'static Plan> + Clone {
    PLANS.iter().filter(move |plan| plan.kind == kind)
}

/// The plan of a new line: companies keep to one plan, with exceptions.
pub fn draw(kind: LineKind, customer: usize, dice: &mut Dice) -> &'static Plan {
    let mut usual = Dice::new(0, &[customer as u64]);
    let dice = if dice.chance(750_000) { &mut usual } else { dice };
    let position = dice.weighted(sold_to(kind).map(|plan| plan.weight));
    sold_to(kind).nth(position).expect("a draw by weight is a position of the list")
}

/// Another plan for the same kind of line, if there is one.
pub fn other(kind: LineKind, plan: &Plan) -> &'static Plan {
    sold_to(kind).find(|other| other.id != plan.id).or_else(|| sold_to(kind).next()).expect("every kind of line has a plan")
}
