//! The tariffs of an installation: which version sells a plan at an instant, and one list of names for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::linked::Owners;
use domain::columns::rated::{RateLabels, TariffLabel};
use domain::ids::Names;

use crate::error::{Place, TariffError};
use crate::tariff::Tariff;

/// Most zones over all tariffs, and most tariff versions: codes are 16 bits and the last one means "none".
const CODES_MAX: usize = 65_534;

/// Most band names over all tariffs: codes are one byte and the last one means "none".
const BANDS_MAX: usize = 254;

/// While a tariff sells a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sale {
    pub from_us: i64,
    pub to_us: i64,
    /// A position in the set's tariffs.
    pub tariff: u16,
    /// A position in the tariff's plans.
    pub plan: u32,
}

/// All tariff versions in force at some time, with the codes that rated rows carry.
#[derive(Debug)]
pub struct TariffSet {
    tariffs: Vec<Tariff>,
    labels: Arc<RateLabels>,
    codes: Vec<SetCodes>,
    plans: BTreeMap<String, Vec<Sale>>,
}

/// From the zone and band codes of one tariff to those of the set.
#[derive(Debug)]
pub(crate) struct SetCodes {
    pub zones: Vec<u16>,
    pub bands: Vec<u8>,
}

impl TariffSet {
    /// Puts tariffs together; the order in which they come does not matter. Two tariffs that sell one plan at one instant
    /// are refused.
    pub fn build(tariffs: Vec<Tariff>) -> Result<Self, TariffError> {
        Self::assemble(tariffs, |tariffs| sales(tariffs, None))
    }

    /// Puts a draft beside the tariffs in force as if it had always been there: it takes the place of the tariff of its name, and
    /// sells its plans at every instant, whatever its dates say and whoever sells them otherwise.
    pub fn with_draft(mut tariffs: Vec<Tariff>, draft: Tariff) -> Result<Self, TariffError> {
        tariffs.retain(|tariff| tariff.name() != draft.name());
        let id = Arc::clone(draft.id());
        tariffs.push(draft);
        Self::assemble(tariffs, |tariffs| {
            let drafted = tariffs.iter().position(|tariff| *tariff.id() == id);
            let mut plans = sales(tariffs, drafted)?;
            if let Some((tariff, at)) = drafted.and_then(|at| Some((&tariffs[at], u16::try_from(at).ok()?))) {
                for (plan, number) in tariff.plans.iter().zip(0..) {
                    let sale = Sale { from_us: i64::MIN, to_us: i64::MAX, tariff: at, plan: number };
                    plans.insert(plan.name.clone(), vec![sale]);
                }
            }
            Ok(plans)
        })
    }

    fn assemble(
        mut tariffs: Vec<Tariff>,
        sales: impl FnOnce(&[Tariff]) -> Result<BTreeMap<String, Vec<Sale>>, TariffError>,
    ) -> Result<Self, TariffError> {
        tariffs.sort_by(|a, b| (a.name(), a.from_us(), a.id()).cmp(&(b.name(), b.from_us(), b.id())));
        let zones = Names::new(tariffs.iter().flat_map(|t| t.zones.iter()));
        let bands = Names::new(tariffs.iter().flat_map(|t| t.bands.names.iter()));
        for (what, count, limit) in
            [("zones", zones.len(), CODES_MAX), ("tariff versions", tariffs.len(), CODES_MAX), ("bands", bands.len(), BANDS_MAX)]
        {
            if count > limit {
                return Err(TariffError::TooMany { place: Place { file: "all tariffs".into(), line: None }, what, limit });
            }
        }
        let zone_code = |name: &str| zones.code(name).and_then(|c| u16::try_from(c).ok()).expect("at most 65,534 zones");
        let band_code = |name: &str| bands.code(name).and_then(|c| u8::try_from(c).ok()).expect("at most 254 bands");
        let codes = tariffs.iter().map(|tariff| SetCodes {
            zones: tariff.zones.iter().map(zone_code).collect(),
            bands: tariff.bands.names.iter().map(band_code).collect(),
        });
        let codes = codes.collect();
        let label = |tariff: &Tariff| TariffLabel { id: tariff.id().clone(), currency: tariff.currency() };
        let labels = Arc::new(RateLabels { tariffs: tariffs.iter().map(label).collect(), zones, bands });
        let plans = sales(&tariffs)?;
        Ok(Self { tariffs, labels, codes, plans })
    }

    /// The names behind the codes of rated rows.
    pub fn labels(&self) -> &Arc<RateLabels> {
        &self.labels
    }

    /// All versions, in the order of [`RateLabels::tariffs`].
    pub fn tariffs(&self) -> &[Tariff] {
        &self.tariffs
    }

    /// A version by its `name@hash`.
    pub fn version(&self, id: &str) -> Option<&Tariff> {
        self.tariffs.iter().find(|tariff| &**tariff.id() == id)
    }

    /// Resolves the plan names of a reference version once, so that rows only carry codes.
    pub fn bind(self: &Arc<Self>, owners: &Arc<Owners>) -> BoundTariffs {
        let mut sales = Vec::new();
        let runs = owners.plans.iter().map(|plan| {
            let first = sales.len();
            sales.extend_from_slice(self.sales(plan));
            first..sales.len()
        });
        let runs = runs.collect();
        BoundTariffs { set: self.clone(), owners: owners.clone(), runs, sales }
    }

    /// When which tariff sells a plan, by time.
    pub(crate) fn sales(&self, plan: &str) -> &[Sale] {
        self.plans.get(plan).map_or(&[], Vec::as_slice)
    }

    #[inline]
    pub(crate) fn codes(&self, tariff: u16) -> &SetCodes {
        &self.codes[usize::from(tariff)]
    }
}

/// Who sells which plan when; one of them may be left out.
fn sales(tariffs: &[Tariff], without: Option<usize>) -> Result<BTreeMap<String, Vec<Sale>>, TariffError> {
    let mut plans: BTreeMap<String, Vec<Sale>> = BTreeMap::new();
    for (position, tariff) in tariffs.iter().enumerate().filter(|(position, _)| Some(*position) != without) {
        let position = u16::try_from(position).expect("at most 65,534 tariffs");
        for (number, plan) in tariff.plans.iter().enumerate() {
            let number = u32::try_from(number).expect("a tariff has at most 10,000 plans");
            let sale = Sale { from_us: tariff.from_us(), to_us: tariff.to_us(), tariff: position, plan: number };
            plans.entry(plan.name.clone()).or_default().push(sale);
        }
    }
    for (plan, sales) in &mut plans {
        sales.sort_by_key(|sale| sale.from_us);
        if let Some(pair) = sales.windows(2).find(|pair| pair[1].from_us < pair[0].to_us) {
            let id = |sale: Sale| tariffs[usize::from(sale.tariff)].id().clone();
            return Err(TariffError::PlanOverlap { plan: plan.clone(), first: id(pair[0]), second: id(pair[1]) });
        }
    }
    Ok(plans)
}

/// A tariff set whose plans are matched to the plan codes of one reference version.
#[derive(Debug, Clone)]
pub struct BoundTariffs {
    set: Arc<TariffSet>,
    owners: Arc<Owners>,
    /// Per plan code of the owners: its sales.
    runs: Vec<std::ops::Range<usize>>,
    sales: Vec<Sale>,
}

impl BoundTariffs {
    /// The tariffs.
    pub fn set(&self) -> &Arc<TariffSet> {
        &self.set
    }

    /// The reference version whose plan codes are known here.
    pub fn owners(&self) -> &Arc<Owners> {
        &self.owners
    }

    /// Plans that owners have but no tariff sells: their rows will end in suspense `no_plan`.
    pub fn unsold_plans(&self) -> impl Iterator<Item = &str> {
        self.owners.plans.iter().zip(&self.runs).filter(|(_, run)| run.is_empty()).map(|(plan, _)| plan)
    }

    /// The sales of a plan code, by time; empty if no tariff sells it.
    #[inline]
    pub(crate) fn sales(&self, plan: u32) -> &[Sale] {
        self.runs.get(plan as usize).map_or(&[], |run| &self.sales[run.clone()])
    }
}
