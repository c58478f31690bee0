//! Which usage a price or an allowance is for: plans, kinds, zones, bands and parties by name.

use crate::owner::Party;
use crate::text::OneOrMany;

/// How exactly plan, kind, zone, party and band are named; the greatest wins.
pub(crate) type Rank = (u8, u8, u8, Option<Party>, u8);

/// The usage that is meant, by names; `*` is all of them.
#[derive(Debug)]
pub(crate) struct Usage {
    plans: Vec<String>,
    kinds: Vec<String>,
    zones: Vec<String>,
    bands: Vec<String>,
    /// Whom it holds for; nobody named is everybody.
    parties: Vec<Party>,
}

impl Usage {
    /// The names as a tariff writes them: plan, kind, zone; where no band is given, all of them are meant.
    pub fn new(names: [&OneOrMany; 3], band: Option<&OneOrMany>, party: Option<&OneOrMany>) -> Result<Self, String> {
        let [plans, kinds, zones] = names.map(|names| names.clone().into_list());
        let bands = band.map_or_else(|| vec!["*".to_owned()], |bands| bands.clone().into_list());
        let named = |name: String| Party::parse(&name).ok_or_else(|| format!("`{name}` is no party that can be named"));
        let parties = party.cloned().unwrap_or_default().into_list();
        let parties = parties.into_iter().map(named).collect::<Result<Vec<_>, String>>()?;
        Ok(Self { plans, kinds, zones, bands, parties })
    }

    /// Whether it asks who is called.
    pub fn names_party(&self) -> bool {
        !self.parties.is_empty()
    }

    /// The plans and zones that are named, `*` among them.
    pub fn plans_and_zones(&self) -> impl Iterator<Item = (&str, &str)> {
        self.plans.iter().flat_map(|plan| self.zones.iter().map(move |zone| (plan.as_str(), zone.as_str())))
    }

    /// `voice`, `data` or another for messages, of usage of one family.
    pub fn family(&self) -> &'static str {
        let begins = |family: &str| self.kinds.first().is_some_and(|kind| kind.starts_with(family));
        match (begins("voice"), begins("data")) {
            (true, _) => "voice",
            (_, true) => "data",
            _ => "messages",
        }
    }

    /// Whether a plan is meant.
    pub fn names_plan(&self, plan: &str) -> bool {
        named(&self.plans, plan).is_some()
    }

    /// How exactly this usage is named; `None` if it is not.
    pub fn rank(&self, plan: &str, kind: &str, zone: &str, party: Option<Party>, band: &str) -> Option<Rank> {
        let kinds = self.kinds.iter().filter_map(|pattern| match pattern.strip_suffix('*') {
            Some("") => Some(0),
            Some(family) => kind.starts_with(family).then_some(1),
            None => (pattern == kind).then_some(2),
        });
        let holds = |named: &Party| party.is_some_and(|party| named.includes(party));
        let party = self.parties.iter().copied().filter(holds).max();
        if party.is_none() && self.names_party() {
            return None;
        }
        Some((named(&self.plans, plan)?, kinds.max()?, named(&self.zones, zone)?, party, named(&self.bands, band)?))
    }
}

/// How exactly a name is among those that are meant: itself, or as one of all.
fn named(patterns: &[String], name: &str) -> Option<u8> {
    let ranks = patterns.iter().filter_map(|pattern| match pattern.as_str() {
        "*" => Some(0),
        pattern => (pattern == name).then_some(1),
    });
    ranks.max()
}
