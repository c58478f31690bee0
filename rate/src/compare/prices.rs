//! What calls cost by the one tariff and by the other: prices are compared where records ask for them, however rows are written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::linked::Party;
use domain::ids::Names;
use domain::money::Money;
use domain::usage::{Usage, UsageKind};

use crate::compare::percent::percent;
use crate::compare::{Change, Fate, Holds, Part};
use crate::lint::book::{Book, parties};
use crate::listing::names_text;
use crate::listing::terms::{Terms, UnitTerms, per_text};
use crate::tariff::Tariff;

const NAMES_SHOWN: usize = 6;

pub(super) fn changes(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let sides = Sides::of(old, new);
    let plans = union(old.plan_names(), new.plan_names());
    let mut changes = Vec::new();
    for plan in plans.iter() {
        let differences = sides.of_plan(plan);
        changes.extend(differences.iter().flat_map(|(difference, calls)| difference.changes(plan, calls)));
    }
    changes
}

fn union<'n>(old: impl Iterator<Item = &'n str>, new: impl Iterator<Item = &'n str>) -> Names {
    Names::new(old.chain(new))
}

/// One of the two tariffs.
struct Side<'t> {
    book: Book<'t>,
    terms: Vec<Terms>,
    sold: BTreeSet<(u32, Usage)>,
    plans: HashMap<&'t str, u32>,
}

/// A price as it holds for a kind: its terms, its unit size, and whether what has no units costs nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    terms: Terms,
    per: u64,
    free_at_zero: bool,
    tax_class: Option<String>,
}

/// The row that holds for such records, its unit size, and whether nothing used costs nothing.
type HeldRow = (u32, u64, bool);

impl<'t> Side<'t> {
    fn of(tariff: &'t Tariff) -> Self {
        let book = Book::of(tariff);
        Self {
            terms: tariff.prices.rows.iter().map(Terms::of).collect(),
            sold: book.sold.iter().copied().collect(),
            plans: tariff.plans.iter().map(|plan| plan.name.as_str()).zip(0..).collect(),
            book,
        }
    }

    fn tariff(&self) -> &'t Tariff {
        self.book.tariff
    }

    fn held(&self, plan: Option<u32>, usage: Usage, zone: Option<u16>, party: Party, band: u8) -> Option<HeldRow> {
        let (plan, zone) = plan.zip(zone).filter(|(_, zone)| self.book.reach.may(usage, *zone))?;
        let charge = self.tariff().prices.find(plan, usage, zone, party, band)?;
        Some((charge.row, charge.per, charge.free_at_zero))
    }

    fn full(&self, held: HeldRow) -> Held {
        let row = &self.tariff().prices.rows[held.0 as usize];
        let tax_class = row.tax_class.clone().or_else(|| self.tariff().tax_class.clone());
        Held { terms: self.terms[held.0 as usize].clone(), per: held.1, free_at_zero: held.2, tax_class }
    }

    fn zone(&self, name: &str) -> Option<u16> {
        self.tariff().zones.code(name).and_then(|code| u16::try_from(code).ok())
    }

    /// The band of that name; where there is none, its minutes are in the default band.
    fn band(&self, name: &str) -> u8 {
        let bands = &self.tariff().bands;
        bands.names.code(name).and_then(|code| u8::try_from(code).ok()).unwrap_or(bands.default)
    }

    fn place(&self, row: u32) -> String {
        self.tariff().prices.rows[row as usize].place.to_string()
    }
}

/// An old price and a new one that are not the same.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    kind: usize,
    old: Option<Held>,
    new: Option<Held>,
}

/// The calls that have a difference in common.
#[derive(Default)]
struct Calls {
    /// Bands by kind and zone.
    cells: BTreeMap<usize, BTreeMap<String, BTreeSet<String>>>,
    old_places: BTreeSet<String>,
    new_places: BTreeSet<String>,
    /// How many bands there are in all.
    bands: usize,
}

/// Both tariffs, and the zones and bands of either: each with its name and its code on either side.
struct Sides<'t> {
    old: Side<'t>,
    new: Side<'t>,
    zones: Vec<(String, Option<u16>, Option<u16>)>,
    bands: Vec<(String, u8, u8)>,
}

impl<'t> Sides<'t> {
    fn of(old: &'t Tariff, new: &'t Tariff) -> Self {
        let (old, new) = (Side::of(old), Side::of(new));
        let zones = union(old.tariff().zones.iter(), new.tariff().zones.iter());
        let zones = zones.iter().map(|name| (name.to_owned(), old.zone(name), new.zone(name))).collect();
        let of_side =
            |side: &Side<'t>| side.book.reach.bands.iter().map(|b| side.book.band_name(*b).to_owned()).collect::<Vec<_>>();
        let bands = Names::new(of_side(&old).iter().chain(&of_side(&new)));
        let bands = bands.iter().map(|name| (name.to_owned(), old.band(name), new.band(name))).collect();
        Self { old, new, zones, bands }
    }

    /// The parties that either tariff tells apart.
    fn parties(&self, usage: Usage) -> impl Iterator<Item = Party> + use<> {
        let (old, new) = (parties(self.old.tariff(), usage), parties(self.new.tariff(), usage));
        if old.len() > new.len() { old } else { new }.iter().copied()
    }

    /// Where records of a plan cost something else, by what changes for them.
    fn of_plan(&self, plan: &str) -> BTreeMap<Difference, Calls> {
        let plans = (self.old.plans.get(plan).copied(), self.new.plans.get(plan).copied());
        let sells = |side: &Side<'_>, plan: Option<u32>, usage| plan.is_some_and(|plan| side.sold.contains(&(plan, usage)));
        let mut differences: BTreeMap<Difference, Calls> = BTreeMap::new();
        // Most pairs of rows come again in many zones: each is compared once.
        let mut known: HashMap<(Option<HeldRow>, Option<HeldRow>), bool> = HashMap::new();
        let sold = Usage::all().filter(|usage| sells(&self.old, plans.0, *usage) || sells(&self.new, plans.1, *usage));
        for (usage, party) in sold.flat_map(|usage| self.parties(usage).map(move |party| (usage, party))) {
            for (zone, old_zone, new_zone) in &self.zones {
                for (band, old_band, new_band) in &self.bands {
                    let of_party = |party| {
                        let before = self.old.held(plans.0, usage, *old_zone, party, *old_band);
                        (before, self.new.held(plans.1, usage, *new_zone, party, *new_band))
                    };
                    let (before, after) = of_party(party);
                    // Parties of ours mostly cost what others do.
                    if party != Party::Other && (before, after) == of_party(Party::Other) {
                        continue;
                    }
                    let zone =
                        &party.name().filter(|_| party != Party::Other).map_or_else(|| zone.clone(), |p| format!("{zone} ({p})"));
                    let difference = || Difference {
                        kind: usage.kind() as usize,
                        old: before.map(|held| self.old.full(held)),
                        new: after.map(|held| self.new.full(held)),
                    };
                    let is_same = known.entry((before, after)).or_insert_with(|| {
                        let Difference { old, new, .. } = difference();
                        old == new
                    });
                    if !*is_same {
                        let calls = differences.entry(difference()).or_default();
                        calls.add(usage, zone, band, self.bands.len());
                        calls.old_places.extend(before.map(|held| self.old.place(held.0)));
                        calls.new_places.extend(after.map(|held| self.new.place(held.0)));
                    }
                }
            }
        }
        differences
    }
}

impl Calls {
    fn add(&mut self, usage: Usage, zone: &str, band: &str, bands: usize) {
        self.bands = bands;
        let zones = self.cells.entry(usage.code()).or_default();
        zones.entry(zone.to_owned()).or_default().insert(band.to_owned());
    }

    /// The calls as products of kinds, zones and bands: what a line of a table can say.
    fn products(&self) -> Vec<(Vec<&'static str>, Vec<String>, Vec<String>)> {
        let mut by_zones: BTreeMap<(Vec<String>, Vec<String>), Vec<&'static str>> = BTreeMap::new();
        for (usage, zones) in &self.cells {
            let name = Usage::all().nth(*usage).expect("calls are kept by the codes of kinds").as_str();
            let mut by_bands: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
            for (zone, bands) in zones {
                let all = bands.len() == self.bands;
                let bands = if all { vec!["*".to_owned()] } else { bands.iter().cloned().collect() };
                by_bands.entry(bands).or_default().push(zone.clone());
            }
            for (bands, zones) in by_bands {
                by_zones.entry((zones, bands)).or_default().push(name);
            }
        }
        by_zones.into_iter().map(|((zones, bands), kinds)| (kinds, zones, bands)).collect()
    }
}

impl Difference {
    fn changes(&self, plan: &str, calls: &Calls) -> Vec<Change> {
        let fields = self.fields();
        let of_product = |(kinds, zones, bands): (Vec<&'static str>, Vec<String>, Vec<String>)| {
            let in_bands = if bands == ["*"] { String::new() } else { format!(", {}", bands.join(", ")) };
            let what = format!("{plan}: {} in {}{in_bands}", kinds.join(", "), names_text(&zones, NAMES_SHOWN));
            let holds = Holds {
                plan: plan.to_owned(),
                kinds,
                zones,
                bands,
                old_places: calls.old_places.iter().cloned().collect(),
                new_places: calls.new_places.iter().cloned().collect(),
            };
            let change = move |(field, old, new, percent): &Field| Change {
                field: Some((*field).to_owned()),
                old: old.clone(),
                new: new.clone(),
                percent: percent.clone(),
                holds: Some(holds.clone()),
                ..Change::new(Part::Price, self.fate(), what.as_str())
            };
            fields.iter().map(change).collect::<Vec<_>>()
        };
        calls.products().into_iter().flat_map(of_product).collect()
    }

    fn fate(&self) -> Fate {
        match (&self.old, &self.new) {
            (None, _) => Fate::Added,
            (_, None) => Fate::Removed,
            _ => Fate::Changed,
        }
    }

    fn kind(&self) -> UsageKind {
        [UsageKind::Voice, UsageKind::Sms, UsageKind::Mms, UsageKind::Data][self.kind]
    }

    fn fields(&self) -> Vec<Field> {
        let per = |held: &Held| per_text(self.kind(), held.per);
        let text = |held: &Held| held.terms.text(&per(held));
        let (old, new) = match (&self.old, &self.new) {
            (Some(old), Some(new)) => (old, new),
            (old, new) => return vec![("price", old.as_ref().map(text), new.as_ref().map(text), None)],
        };
        let mut fields = match (&old.terms, &new.terms) {
            (Terms::Units(before), Terms::Units(after)) => {
                let sizes = [(old.per, per(old)), (new.per, per(new))];
                of_units(before, after, &sizes)
            }
            (
                Terms::CostPlus { percent: old_part, fixed: old_fixed, charge_min: old_least, charge_max: old_most },
                Terms::CostPlus { percent: new_part, fixed: new_fixed, charge_min: new_least, charge_max: new_most },
            ) => [
                field("cost_plus.percent", old_part.to_string(), new_part.to_string(), None),
                field("cost_plus.fixed", old_fixed.to_string(), new_fixed.to_string(), percent(old_fixed.0, new_fixed.0)),
                bound("charge_min", *old_least, *new_least),
                bound("charge_max", *old_most, *new_most),
            ]
            .into_iter()
            .flatten()
            .collect(),
            _ => vec![("price", Some(text(old)), Some(text(new)), None)],
        };
        let class = |held: &Held| held.tax_class.clone().unwrap_or_else(|| "none".to_owned());
        fields.extend(field("tax_class", class(old), class(new), None));
        let zero = |held: &Held| if held.free_at_zero { "free" } else { "priced" }.to_owned();
        if matches!((&old.terms, &new.terms), (Terms::Units(_), Terms::Units(_))) {
            fields.extend(field("zero_usage", zero(old), zero(new), None));
        }
        fields
    }
}

/// A field, its old and new text, and the difference in per cent.
pub(super) type Field = (&'static str, Option<String>, Option<String>, Option<String>);

pub(super) fn field(name: &'static str, old: String, new: String, percent: Option<String>) -> Option<Field> {
    (old != new).then_some((name, Some(old), Some(new), percent))
}

/// A bound that may not be there.
fn bound(name: &'static str, old: Option<Money>, new: Option<Money>) -> Option<Field> {
    let text = |bound: Option<Money>| bound.map_or_else(|| "none".to_owned(), |amount| amount.to_string());
    field(name, text(old), text(new), old.zip(new).and_then(|(a, b)| percent(a.0, b.0)))
}

fn of_units(old: &UnitTerms, new: &UnitTerms, [(old_per, old_size), (new_per, new_size)]: &[(u64, String); 2]) -> Vec<Field> {
    let amounts = [
        ("setup", old.setup, new.setup),
        ("disconnect", old.disconnect, new.disconnect),
        ("charge_min", old.charge_min, new.charge_min),
    ];
    let mut fields: Vec<Field> =
        amounts.iter().filter_map(|(n, a, b)| field(n, a.to_string(), b.to_string(), percent(a.0, b.0))).collect();
    fields.extend(bound("charge_max", old.charge_max, new.charge_max));
    let asks = |terms: &UnitTerms| terms.information.unwrap_or("none").to_owned();
    fields.extend(field("information", asks(old), asks(new), None));
    let of = |terms: &UnitTerms| terms.of.clone().unwrap_or_else(|| "each record".to_owned());
    fields.extend(field("of", of(old), of(new), None));
    let counts = [("minimum", old.minimum, new.minimum), ("free_units", old.free_units, new.free_units)];
    fields.extend(counts.iter().filter_map(|(n, a, b)| field(n, a.to_string(), b.to_string(), None)));
    match (old.steps.as_slice(), new.steps.as_slice()) {
        ([before], [after]) => {
            fields.extend(field("increment", before.increment.to_string(), after.increment.to_string(), None));
            let texts = [(before, old_size), (after, new_size)].map(|(step, size)| format!("{} per {size}", step.unit_price));
            let [before_text, after_text] = texts;
            // Over the same number of units, so that prices of two unit sizes can be compared.
            let same = (before.unit_price.0 * i128::from(*new_per), after.unit_price.0 * i128::from(*old_per));
            fields.extend(field("unit_price", before_text, after_text, percent(same.0, same.1)));
        }
        _ => fields.extend(field("steps", old.price_text(old_size), new.price_text(new_size), None)),
    }
    fields
}
