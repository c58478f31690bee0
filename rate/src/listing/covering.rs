//! What an allowance or a discount is for, by name, as it is shown and compared.

use domain::usage::Usage;
use serde::Serialize;

use crate::listing::cover::Cover;
use crate::listing::{names, names_text};
use crate::tariff::Tariff;

/// Names of a list in one line.
const NAMES_SHOWN: usize = 6;

/// What something is for; all that is named must fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covering {
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
}

impl Covering {
    pub(crate) fn of(tariff: &Tariff, cover: &Cover) -> Self {
        // The only plan is told by its name.
        let all_plans = Some(tariff.plans.len()).filter(|plans| *plans > 1);
        Self {
            plans: list(&cover.plans, all_plans, |plan| &tariff.plans[*plan as usize].name),
            kinds: patterns(&cover.usages),
            zones: list(&cover.zones, Some(tariff.zones.len()), |zone| tariff.zones.name(u32::from(*zone))),
            party: cover.party,
            bands: list(&cover.bands, Some(tariff.bands.names.len()), |band| tariff.bands.names.name(u32::from(*band))),
        }
    }

    /// In one line: `voice-* in NL-FIX, NL-MOB (peak) for basis`.
    pub fn text(&self) -> String {
        let [plans, kinds, zones] = [&self.plans, &self.kinds, &self.zones].map(|list| names_text(list, NAMES_SHOWN));
        let only = self.only_text();
        let only = if only.is_empty() { only } else { format!(" ({only})") };
        format!("{kinds} in {zones}{only} for {plans}")
    }

    /// Plans, kinds, zones and what else is named, as columns of a screen.
    pub fn columns(&self) -> [String; 4] {
        let [plans, kinds, zones] = [&self.plans, &self.kinds, &self.zones].map(|names| names.join(", "));
        [plans, kinds, zones, self.only_text()]
    }

    /// The party and the bands, where it names them: `own_network, peak`.
    fn only_text(&self) -> String {
        let bands = self.bands.iter().map(String::as_str).filter(|band| *band != "*");
        self.party.into_iter().chain(bands).collect::<Vec<_>>().join(", ")
    }

    /// Whether a plan has it.
    pub(super) fn is_of(&self, plan: &str) -> bool {
        names(&self.plans, plan)
    }

    /// Whether it covers a zone.
    pub(super) fn covers(&self, zone: &str) -> bool {
        names(&self.zones, zone)
    }
}

/// The names of plans that are marked, or `*` if these are all of several.
pub(super) fn plans(tariff: &Tariff, marked: &[bool]) -> Vec<String> {
    let named: Vec<&str> = tariff.plans.iter().zip(marked).filter(|(_, is)| **is).map(|(plan, _)| plan.name.as_str()).collect();
    list(&named, Some(tariff.plans.len()).filter(|plans| *plans > 1), |name| name)
}

/// The names behind codes, or `*` if these are all that there are.
fn list<'n, C>(codes: &[C], all: Option<usize>, name: impl Fn(&C) -> &'n str) -> Vec<String> {
    if Some(codes.len()) == all { vec!["*".to_owned()] } else { codes.iter().map(|code| name(code).to_owned()).collect() }
}

/// Kinds as a tariff would write them: `*`, whole families such as `voice-*`, and single ones.
fn patterns(usages: &[Usage]) -> Vec<String> {
    if usages.len() == Usage::COUNT {
        return vec!["*".to_owned()];
    }
    let family = |usage: Usage| usage.as_str().split_once('-').map(|(family, _)| family);
    let pattern = |usage: &Usage| {
        let whole = family(*usage).filter(|own| Usage::all().all(|u| family(u) != Some(*own) || usages.contains(&u)));
        whole.map_or_else(|| usage.as_str().to_owned(), |family| format!("{family}-*"))
    };
    let mut patterns: Vec<String> = usages.iter().map(pattern).collect();
    patterns.dedup();
    patterns
}
