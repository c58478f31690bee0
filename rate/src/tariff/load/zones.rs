//! The zone tables of a tariff: rows from its file and its companions, and one list of the zones that they name.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::ids::Names;

use super::tables::Pair;
use super::{CLASSES_MAX, Loader, SAME_NAMES, SHORT_CODES_MAX, ZONES_MAX, zone_code};
use crate::error::{Place, TariffError};
use crate::tariff::companion::{Column, optional, required};
use crate::tariff::days::Days;
use crate::tariff::deck::{PREFIXES_MAX, ZoneRule};
use crate::tariff::field::name;
use crate::tariff::network::NETWORKS_MAX;
use crate::tariff::raw::RawZones;

/// A row of a zone table before zones have codes.
struct NamedRule {
    key: Box<str>,
    /// One text for all rows that lead there.
    zone: Arc<str>,
    days: Days,
    place: Place,
}

impl Loader<'_> {
    /// The zone names of all tables, and the tables with codes for names.
    pub(super) fn zone_tables(&self) -> Result<(Names, ZoneTables), TariffError> {
        let raw = self.raw;
        let destinations = &raw.destinations;
        let by_prefix = RawZones { table: destinations.table.clone(), zones: destinations.prefixes.clone() };
        let by_code = RawZones { table: None, zones: destinations.short_codes.clone() };
        let prefixes = self.rules(&by_prefix, &dated(required("prefix", "prefix")), "destinations.prefixes", PREFIXES_MAX)?;
        let short_codes = self.rules(&by_code, &always(required("code", "code")), "destinations.short_codes", SHORT_CODES_MAX)?;
        let networks = self.rules(&raw.networks, &dated(required("network", "mcc")), "networks.zones", NETWORKS_MAX)?;
        let roaming = self.roaming_pairs()?;
        let classes = self.rules(&raw.classes, &always(required("class", "class")), "classes.zones", CLASSES_MAX)?;
        let single = [Some(&raw.home_zone), destinations.unnumbered.as_ref()].into_iter().flatten();
        for (field, zone) in ["home_zone", "destinations.unnumbered"].into_iter().zip(single.clone()) {
            name(&self.place, field, zone)?;
        }
        let all = [&prefixes, &short_codes, &networks, &classes];
        let abroad = roaming.iter().map(|pair| &pair.zone);
        let led = all.into_iter().flatten().map(|rule| &*rule.zone);
        // A large deck leads to few zones.
        let named: BTreeSet<&str> = led.chain(single.map(String::as_str)).chain(abroad.map(String::as_str)).collect();
        let zones = Names::new(named);
        if zones.len() > ZONES_MAX {
            return Err(TariffError::TooMany { place: self.place.clone(), what: "zones", limit: ZONES_MAX });
        }
        let coded = |rules: Vec<NamedRule>| {
            let coded = rules.into_iter().map(|rule| ZoneRule {
                zone: zone_code(&zones, &rule.zone),
                key: rule.key,
                days: rule.days,
                place: rule.place,
            });
            coded.collect()
        };
        let tables = ZoneTables {
            prefixes: coded(prefixes),
            short_codes: coded(short_codes),
            networks: coded(networks),
            classes: coded(classes),
            roaming,
        };
        Ok((zones, tables))
    }

    /// The rows of one zone table: those in the tariff file, which always hold, then those of its companion.
    fn rules<const N: usize>(
        &self,
        raw: &RawZones,
        columns: &[Column; N],
        field: &str,
        limit: usize,
    ) -> Result<Vec<NamedRule>, TariffError> {
        let inline = Place { file: format!("{} [{field}]", self.file.name).into(), line: None };
        let mut known: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut rule = |key: &str, zone: &str, days, place| {
            let zone = known.get(zone).cloned().unwrap_or_else(|| {
                let zone: Arc<str> = zone.into();
                known.insert(Arc::clone(&zone));
                zone
            });
            NamedRule { key: key.into(), zone, days, place }
        };
        let mut rules: Vec<NamedRule> =
            raw.zones.iter().map(|(key, zone)| rule(key, zone, Days::ALWAYS, inline.clone())).collect();
        if let Some(companion) = self.companion(raw.table.as_ref(), &SAME_NAMES) {
            companion.each(columns, limit, |place, fields| {
                let [key, zone, from, to] = std::array::from_fn(|at| fields.get(at).copied().unwrap_or_default());
                let days = Days::parse(&place, from, to)?;
                rules.push(rule(key, zone, days, place));
                Ok(())
            })?;
        }
        if rules.len() > limit {
            return Err(TariffError::TooMany { place: inline, what: "rows", limit });
        }
        for rule in &rules {
            name(&rule.place, "zone", &rule.zone)?;
        }
        Ok(rules)
    }
}

/// The columns of a zone table whose rows always hold.
const fn always(key: Column) -> [Column; 2] {
    [key, required("zone", "zone")]
}

/// Those of one whose rows may hold on some days.
const fn dated(key: Column) -> [Column; 4] {
    [key, required("zone", "zone"), optional("valid_from"), optional("valid_to")]
}

pub(super) struct ZoneTables {
    pub prefixes: Vec<ZoneRule>,
    pub short_codes: Vec<ZoneRule>,
    pub networks: Vec<ZoneRule>,
    pub classes: Vec<ZoneRule>,
    pub roaming: Vec<Pair>,
}

impl ZoneTables {
    /// The zones that networks abroad and numbers lead to.
    pub fn lead(&self, home: u16, unnumbered: Option<u16>) -> Lead {
        let zones = |rules: &[ZoneRule]| rules.iter().map(|rule| rule.zone).collect::<BTreeSet<u16>>();
        let mut lead = Lead { networks: zones(&self.networks), numbers: zones(&self.prefixes) };
        lead.networks.remove(&home);
        lead.numbers.extend(zones(&self.short_codes));
        lead.numbers.extend(unnumbered);
        lead
    }
}

/// The zones that networks abroad and numbers lead to.
pub(super) struct Lead {
    pub networks: BTreeSet<u16>,
    pub numbers: BTreeSet<u16>,
}
