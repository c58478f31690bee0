//! The tariffs of an installation: which version sells a plan at an instant, and one list of names for all of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::linked::Owners;
use domain::columns::rated::{RateLabels, TariffLabel, TaxLabel};
use domain::ids::Names;

use crate::error::{Place, TariffError};
use crate::tariff::Tariff;

/// Most zones, names of allowances and versions over all tariffs: codes are 16 bits and the last one means "none".
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
    /// Whether the tariff does not sell the plan itself, but holds for what nobody sells.
    pub is_fallback: bool,
}

/// All tariff versions in force at some time, with the codes that rated rows carry.
#[derive(Debug)]
pub struct TariffSet {
    tariffs: Vec<Tariff>,
    labels: Arc<RateLabels>,
    codes: Vec<SetCodes>,
    /// The names of all allowances.
    allowances: Names,
    plans: BTreeMap<String, Vec<Sale>>,
    /// Who sells what nobody sells, by time.
    fallback: Vec<Sale>,
}

/// From the zone and band codes of one tariff to those of the set.
#[derive(Debug)]
pub(crate) struct SetCodes {
    pub zones: Vec<u16>,
    pub bands: Vec<u8>,
    /// By tax class.
    pub taxes: Vec<u16>,
}

impl SetCodes {
    /// The tariff's own codes of a zone and a band of the set; both lists are in the order of their names.
    pub fn own(&self, zone: u16, band: u8) -> Option<(u16, u8)> {
        let zone = self.zones.binary_search(&zone).ok().and_then(|code| u16::try_from(code).ok());
        let band = self.bands.binary_search(&band).ok().and_then(|code| u8::try_from(code).ok());
        zone.zip(band)
    }
}

/// Who sells which plan when, and who sells what nobody sells.
struct Sales {
    plans: BTreeMap<String, Vec<Sale>>,
    fallback: Vec<Sale>,
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
            let mut sales = sales(tariffs, drafted)?;
            if let Some((tariff, at)) = drafted.and_then(|at| Some((&tariffs[at], u16::try_from(at).ok()?))) {
                for (plan, number) in tariff.plans.iter().zip(0..) {
                    let sale = Sale { from_us: i64::MIN, to_us: i64::MAX, tariff: at, plan: number, is_fallback: false };
                    sales.plans.insert(plan.name.clone(), vec![sale]);
                }
                if let Some(plan) = tariff.fallback_plan {
                    sales.fallback = vec![Sale { from_us: i64::MIN, to_us: i64::MAX, tariff: at, plan, is_fallback: true }];
                }
            }
            Ok(sales)
        })
    }

    fn assemble(
        mut tariffs: Vec<Tariff>,
        sales: impl FnOnce(&[Tariff]) -> Result<Sales, TariffError>,
    ) -> Result<Self, TariffError> {
        tariffs.sort_by(|a, b| (a.name(), a.from_us(), a.id()).cmp(&(b.name(), b.from_us(), b.id())));
        let zones = Names::new(tariffs.iter().flat_map(|t| t.zones.iter()));
        let bands = Names::new(tariffs.iter().flat_map(|t| t.bands.names.iter()));
        let allowances = Names::new(tariffs.iter().flat_map(|tariff| &tariff.allowances.list).map(|allowance| &*allowance.name));
        for (what, count, limit) in [
            ("zones", zones.len(), CODES_MAX),
            ("tariff versions", tariffs.len(), CODES_MAX),
            ("bands", bands.len(), BANDS_MAX),
            ("names of allowances", allowances.len(), CODES_MAX),
        ] {
            if count > limit {
                return Err(TariffError::TooMany { place: Place { file: "all tariffs".into(), line: None }, what, limit });
            }
        }
        let zone_code = |name: &str| zones.code(name).and_then(|c| u16::try_from(c).ok()).expect("at most 65,534 zones");
        let band_code = |name: &str| bands.code(name).and_then(|c| u8::try_from(c).ok()).expect("at most 254 bands");
        let mut taxes = Vec::new();
        let codes = tariffs.iter().map(|tariff| SetCodes {
            zones: tariff.zones.iter().map(zone_code).collect(),
            bands: tariff.bands.names.iter().map(band_code).collect(),
            taxes: tax_codes(tariff, &mut taxes),
        });
        let codes = codes.collect();
        if taxes.len() > CODES_MAX {
            let place = Place { file: "all tariffs".into(), line: None };
            return Err(TariffError::TooMany { place, what: "tax classes", limit: CODES_MAX });
        }
        let label = |tariff: &Tariff| TariffLabel { id: tariff.id().clone(), currency: tariff.currency() };
        let labels = Arc::new(RateLabels { tariffs: tariffs.iter().map(label).collect(), zones, bands, taxes });
        let Sales { plans, fallback } = sales(&tariffs)?;
        Ok(Self { tariffs, labels, codes, allowances, plans, fallback })
    }

    /// The names behind the codes of rated rows.
    pub fn labels(&self) -> &Arc<RateLabels> {
        &self.labels
    }

    /// All versions, in the order of [`RateLabels::tariffs`].
    pub fn tariffs(&self) -> &[Tariff] {
        &self.tariffs
    }

    /// The names of the allowances of all versions.
    pub(crate) fn allowances(&self) -> &Names {
        &self.allowances
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
            sales.extend(self.sales_or_fallback(plan));
            first..sales.len()
        });
        let runs: Vec<_> = runs.collect();
        let asks = |sale: &Sale| self.tariffs[usize::from(sale.tariff)].asks_party();
        let ask_party = runs.iter().map(|run| sales[run.clone()].iter().any(asks)).collect();
        let gives = |sale: &Sale| !self.tariffs[usize::from(sale.tariff)].allowances.of(sale.plan).is_empty();
        let have_allowances = runs.iter().map(|run| sales[run.clone()].iter().any(gives)).collect();
        let settles = |sale: &Sale| self.tariffs[usize::from(sale.tariff)].settles[sale.plan as usize];
        let settles = sales.iter().any(settles);
        BoundTariffs { set: self.clone(), owners: owners.clone(), runs, sales, ask_party, have_allowances, settles }
    }

    /// When which tariff sells a plan, by time.
    pub(crate) fn sales(&self, plan: &str) -> &[Sale] {
        self.plans.get(plan).map_or(&[], Vec::as_slice)
    }

    /// Whether some tariff holds for plans that nobody sells.
    pub fn has_fallback(&self) -> bool {
        !self.fallback.is_empty()
    }

    /// The same, with the fallback where nobody sells it.
    pub(crate) fn sales_or_fallback(&self, plan: &str) -> Vec<Sale> {
        let sold = self.sales(plan);
        let mut all = sold.to_vec();
        for fallback in &self.fallback {
            // The stretches of it that no sale takes up; sales do not overlap.
            let mut from_us = fallback.from_us;
            for sale in sold {
                all.push(Sale { from_us, to_us: sale.from_us.min(fallback.to_us), ..*fallback });
                from_us = from_us.max(sale.to_us);
            }
            all.push(Sale { from_us, ..*fallback });
        }
        all.retain(|sale| sale.from_us < sale.to_us);
        all.sort_by_key(|sale| sale.from_us);
        all
    }

    #[inline]
    pub(crate) fn codes(&self, tariff: u16) -> &SetCodes {
        &self.codes[usize::from(tariff)]
    }
}

/// The codes of what a tariff says of tax, class by class; new ones are added to the list.
fn tax_codes(tariff: &Tariff, known: &mut Vec<TaxLabel>) -> Vec<u16> {
    let label = |class: &Option<String>| TaxLabel { class: class.as_deref().map(Arc::from), is_included: tariff.tax_is_included };
    let code = |class| {
        let label = label(class);
        let at = known.iter().position(|known| *known == label).unwrap_or_else(|| {
            known.push(label);
            known.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    };
    tariff.prices.tax_classes.iter().map(code).collect()
}

/// Who sells which plan when; one of them may be left out.
fn sales(tariffs: &[Tariff], without: Option<usize>) -> Result<Sales, TariffError> {
    let mut fallback = Vec::new();
    let mut plans: BTreeMap<String, Vec<Sale>> = BTreeMap::new();
    for (position, tariff) in tariffs.iter().enumerate().filter(|(position, _)| Some(*position) != without) {
        let position = u16::try_from(position).expect("at most 65,534 tariffs");
        for (number, plan) in tariff.plans.iter().enumerate() {
            let number = u32::try_from(number).expect("a tariff has at most 10,000 plans");
            let sale =
                Sale { from_us: tariff.from_us(), to_us: tariff.to_us(), tariff: position, plan: number, is_fallback: false };
            plans.entry(plan.name.clone()).or_default().push(sale);
        }
        if let Some(plan) = tariff.fallback_plan {
            fallback.push(Sale { from_us: tariff.from_us(), to_us: tariff.to_us(), tariff: position, plan, is_fallback: true });
        }
    }
    let id = |sale: Sale| tariffs[usize::from(sale.tariff)].id().clone();
    fallback.sort_by_key(|sale| sale.from_us);
    if let Some(pair) = fallback.windows(2).find(|pair| pair[1].from_us < pair[0].to_us) {
        return Err(TariffError::FallbackOverlap { first: id(pair[0]), second: id(pair[1]) });
    }
    for (plan, sales) in &mut plans {
        sales.sort_by_key(|sale| sale.from_us);
        if let Some(pair) = sales.windows(2).find(|pair| pair[1].from_us < pair[0].to_us) {
            return Err(TariffError::PlanOverlap { plan: plan.clone(), first: id(pair[0]), second: id(pair[1]) });
        }
    }
    Ok(Sales { plans, fallback })
}

/// A tariff set whose plans are matched to the plan codes of one reference version.
#[derive(Debug, Clone)]
pub struct BoundTariffs {
    set: Arc<TariffSet>,
    owners: Arc<Owners>,
    /// Per plan code of the owners: its sales.
    runs: Vec<std::ops::Range<usize>>,
    sales: Vec<Sale>,
    /// Per plan code: whether some price of it depends on the other party.
    ask_party: Vec<bool>,
    /// Per plan code: whether it gives allowances at some time.
    have_allowances: Vec<bool>,
    /// Whether records of some plan hang on others.
    settles: bool,
}

impl BoundTariffs {
    /// The tariffs.
    pub fn set(&self) -> &Arc<TariffSet> {
        &self.set
    }

    /// The same for the plan codes of another reference version.
    pub(crate) fn of(&self, owners: &Arc<Owners>) -> Cow<'_, Self> {
        if Arc::ptr_eq(owners, &self.owners) { Cow::Borrowed(self) } else { Cow::Owned(self.set.bind(owners)) }
    }

    /// The reference version whose plan codes are known here.
    pub fn owners(&self) -> &Arc<Owners> {
        &self.owners
    }

    /// Plans that owners have but no tariff sells: their rows will end in suspense `no_plan`.
    pub fn unsold_plans(&self) -> impl Iterator<Item = &str> {
        self.owners.plans.iter().zip(&self.runs).filter(|(_, run)| run.is_empty()).map(|(plan, _)| plan)
    }

    /// Whether some plan has a price that depends on the other party.
    pub(crate) fn asks_party(&self) -> bool {
        self.ask_party.contains(&true)
    }

    /// Whether this plan has one.
    #[inline]
    pub(crate) fn plan_asks_party(&self, plan: u32) -> bool {
        self.ask_party.get(plan as usize).copied().unwrap_or(false)
    }

    /// Whether records of some plan hang on others, so that they have to be settled: by allowances, totals or discounts.
    pub fn settles(&self) -> bool {
        self.settles
    }

    /// Whether this plan gives some.
    #[inline]
    pub(crate) fn plan_has_allowances(&self, plan: u32) -> bool {
        self.have_allowances.get(plan as usize).copied().unwrap_or(false)
    }

    /// The sales of a plan code, by time; empty if no tariff sells it.
    #[inline]
    pub(crate) fn sales(&self, plan: u32) -> &[Sale] {
        self.runs.get(plan as usize).map_or(&[], |run| &self.sales[run.clone()])
    }
}
