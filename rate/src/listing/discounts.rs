//! Discounts by what is charged, as they are shown and compared.

use domain::money::Money;
use serde::Serialize;

use crate::listing::allowances::{list, patterns};
use crate::listing::cover::Cover;
use crate::tariff::Tariff;
use crate::tariff::allowance::Whose;
use crate::tariff::discount::{Discount, Percent};

/// A discount, or a surcharge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenDiscount {
    /// Its name.
    pub name: String,
    /// Plans that have it; `*` for all, if there are several.
    pub plans: Vec<String>,
    /// Kinds, families such as `voice-*`, or `*`.
    pub kinds: Vec<String>,
    /// Zones; `*` for all.
    pub zones: Vec<String>,
    /// Whom the other party must be; nobody in particular where there is none.
    pub party: Option<&'static str>,
    /// Bands; `*` for all.
    pub bands: Vec<String>,
    /// Over what money is counted: each `cycle`, `day`, `week` or `quarter`.
    pub every: &'static str,
    /// Whose money counts together: `personal`, `shared` or `group`.
    pub scope: &'static str,
    /// `graduated` or `volume`.
    pub count: &'static str,
    /// The percents by the amount from which on they hold: `from 100.00: -5 %`.
    pub steps: Vec<String>,
    /// Where it stands.
    pub place: String,
}

impl GivenDiscount {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        tariff.discounts.iter().map(|discount| Self::of(tariff, discount)).collect()
    }

    fn of(tariff: &Tariff, discount: &Discount) -> Self {
        let cover = Cover::of(tariff, &discount.coverage);
        let all_plans = Some(tariff.plans.len()).filter(|plans| *plans > 1);
        Self {
            name: discount.name.to_string(),
            plans: list(&cover.plans, all_plans, |plan| &tariff.plans[*plan as usize].name),
            kinds: patterns(&cover.usages),
            zones: list(&cover.zones, Some(tariff.zones.len()), |zone| tariff.zones.name(u32::from(*zone))),
            party: cover.party,
            bands: list(&cover.bands, Some(tariff.bands.names.len()), |band| tariff.bands.names.name(u32::from(*band))),
            every: discount.every.as_str(),
            scope: match discount.whose {
                Whose::Personal => "personal",
                Whose::Shared | Whose::Pooled => "shared",
                Whose::Group => "group",
            },
            count: if discount.is_volume { "volume" } else { "graduated" },
            steps: discount.steps.iter().map(step_text).collect(),
            place: discount.place.to_string(),
        }
    }

    /// The party and the bands, where it names them: `own_network, peak`.
    pub fn only_text(&self) -> String {
        let bands = self.bands.iter().map(String::as_str).filter(|band| *band != "*");
        self.party.into_iter().chain(bands).collect::<Vec<_>>().join(", ")
    }

    /// In one line: `from 0.00: -5 % of voice-* in NL for basis, each cycle, shared, graduated`.
    pub fn text(&self) -> String {
        let only = self.only_text();
        let only = if only.is_empty() { only } else { format!(" ({only})") };
        let [plans, kinds, zones] = [&self.plans, &self.kinds, &self.zones].map(|names| names.join(", "));
        let (steps, every, scope, count) = (self.steps.join("; "), self.every, self.scope, self.count);
        format!("{steps} of {kinds} in {zones}{only} for {plans}, each {every}, {scope}, {count}")
    }
}

fn step_text(step: &Percent) -> String {
    let percent = Money(step.percent.into()).to_text(9);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    format!("from {}: {percent} %", Money(step.from.into()))
}
