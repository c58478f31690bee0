//! The tables that a tariff names from beside it: which of them belong to it, and what each of them says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::amount::{decimal, whole};
use crate::dated::{Dated, date};
use crate::exchange::Rates;
use crate::information::Information;
use crate::table::{self, Columns, Format, Row, needed};
use crate::text::{Destinations, ExchangeText, TariffText};
use crate::zone::Zones;

/// Columns that the tariff gives no other names.
pub(crate) static AS_THEY_ARE: BTreeMap<String, String> = BTreeMap::new();

/// The tables that a tariff names; they belong to its version.
pub(crate) struct Tables<'t> {
    pub all: &'t BTreeMap<String, String>,
    pub used: BTreeSet<String>,
    pub format: Format,
}

impl Tables<'_> {
    /// Hands out the rows of a table, if one is named.
    pub fn each(
        &mut self,
        file: Option<&String>,
        columns: &Columns<'_>,
        row: impl FnMut(Row) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(file) = file else { return Ok(()) };
        let text = self.all.get(file).ok_or_else(|| format!("its table `{file}` is not there"))?;
        self.used.insert(file.clone());
        table::each(text, self.format, columns, row).map_err(|problem| format!("{file}: {problem}"))
    }

    /// The same of a table whose columns have the names that we give them.
    fn plain(&mut self, file: Option<&String>, known: &[&str], row: impl FnMut(Row) -> Result<(), String>) -> Result<(), String> {
        self.each(file, &Columns { known, aliases: &[], called: &AS_THEY_ARE }, row)
    }
}

/// All that leads to a zone.
pub(crate) fn zones(text: &mut TariffText, tables: &mut Tables<'_>) -> Result<Zones, String> {
    let Destinations { table, prefixes, short_codes, unnumbered } = std::mem::take(&mut text.destinations);
    let (networks, classes) = (std::mem::take(&mut text.networks), std::mem::take(&mut text.classes));
    Ok(Zones {
        home: text.home_zone.clone(),
        prefixes: dated(&["prefix"], prefixes, table.as_ref(), tables)?,
        short_codes: short_codes.into_iter().collect(),
        unnumbered,
        networks: dated(&["network", "mcc"], networks.zones, networks.table.as_ref(), tables)?,
        roaming: roaming(text.roaming.table.as_ref(), tables)?,
        classes: keyed("class", classes.zones, classes.table.as_ref(), tables)?,
    })
}

/// What leads to a zone by a key, in the file and in a table, where the key may have a name of its own.
fn keyed(
    alias: &str,
    inline: BTreeMap<String, String>,
    file: Option<&String>,
    tables: &mut Tables<'_>,
) -> Result<HashMap<String, String>, String> {
    let mut zones: HashMap<String, String> = inline.into_iter().collect();
    let columns = Columns { known: &["key", "zone"], aliases: &[("key", alias)], called: &AS_THEY_ARE };
    tables.each(file, &columns, |row| {
        zones.insert(needed(&row, "key")?.clone(), needed(&row, "zone")?.clone());
        Ok(())
    })?;
    Ok(zones)
}

/// The same where rows of the table may be dated.
fn dated(
    names: &[&'static str],
    inline: BTreeMap<String, String>,
    file: Option<&String>,
    tables: &mut Tables<'_>,
) -> Result<Dated<String>, String> {
    let (mut zones, undated) = (Dated::default(), Row::new());
    for (key, zone) in inline {
        zones.insert(key, &undated, zone)?;
    }
    let known = ["key", "zone", Dated::<String>::FROM, Dated::<String>::TO];
    let aliases: Vec<(&str, &str)> = names.iter().map(|name| ("key", *name)).collect();
    tables.each(file, &Columns { known: &known, aliases: &aliases, called: &AS_THEY_ARE }, |row| {
        zones.insert(needed(&row, "key")?.clone(), &row, needed(&row, "zone")?.clone())
    })?;
    Ok(zones)
}

/// The zones of calls between a visited zone and one that is called.
fn roaming(file: Option<&String>, tables: &mut Tables<'_>) -> Result<HashMap<String, HashMap<String, String>>, String> {
    let mut zones: HashMap<String, HashMap<String, String>> = HashMap::new();
    tables.plain(file, &["visited", "called", "zone"], |row| {
        let called = zones.entry(needed(&row, "visited")?.clone()).or_default();
        called.insert(needed(&row, "called")?.clone(), needed(&row, "zone")?.clone());
        Ok(())
    })?;
    Ok(zones)
}

/// What numbers charge for what they tell; an empty field is nothing.
pub(crate) fn information(file: Option<&String>, tables: &mut Tables<'_>) -> Result<Dated<Information>, String> {
    let mut list = Dated::default();
    let known = ["number", "per_call", "per_minute", Dated::<Information>::FROM, Dated::<Information>::TO];
    tables.plain(file, &known, |row| {
        let amount = |name: &str| match row.get(name) {
            None => Ok(whole(0)),
            Some(text) => decimal(text).ok_or_else(|| format!("`{text}` in `{name}` is no amount")),
        };
        let charge = Information { per_call: amount("per_call")?, per_minute: amount("per_minute")? };
        list.insert(needed(&row, "number")?.clone(), &row, charge)
    })?;
    Ok(list)
}

/// What other currencies are worth.
pub(crate) fn rates(text: &ExchangeText, tables: &mut Tables<'_>) -> Result<Rates, String> {
    let mut rates = Rates::new(text.days_max);
    tables.plain(text.table.as_ref(), &["currency", "date", "rate"], |row| {
        let rate = needed(&row, "rate")?;
        let rate = decimal(rate).ok_or_else(|| format!("`{rate}` is no rate"))?;
        rates.insert(needed(&row, "currency")?.clone(), date(needed(&row, "date")?)?, rate);
        Ok(())
    })?;
    Ok(rates)
}
