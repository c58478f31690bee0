//! The generated fleet and the shipped tariff as what link and price ask: the same windows that an import would give.

use std::sync::Arc;

use anyhow::Context;
use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::ids::Names;
use domain::period::CycleDay;
use domain::zone::Zone;
use generator::month::Month;
use jiff::Timestamp;
use pipeline::PipelineError;
use pipeline::rating::{Reference, References};
use rate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use rate::tariff::set::TariffSet;
use rate::tariff::{Tariff, TariffSource, companion_names};

/// The tariff whose plans the generator sells.
const TARIFF: &str = "nl-zakelijk";

/// What a generated devices file begins with.
const HEADER: &str = "device_id,msisdn,imsi,iccid,subscription_id,customer_id,plan_id,valid_from,valid_to";

/// Columns of a devices file.
const COLUMNS: usize = 9;

/// Hands out one version for ever.
#[derive(Debug, Clone)]
pub struct OneVersion(pub Arc<Reference>);

impl References for OneVersion {
    fn current(&mut self) -> Result<Arc<Reference>, PipelineError> {
        Ok(Arc::clone(&self.0))
    }
}

/// Devices of a month, and the shipped tariff that sells their plans.
pub fn reference(month: &Month) -> anyhow::Result<Reference> {
    build(month, shipped()?, None)
}

/// The same devices, all of them on one plan of another tariff.
pub fn all_on(month: &Month, plan: &str, tariff: Tariff) -> anyhow::Result<Reference> {
    build(month, tariff, Some(plan))
}

fn build(month: &Month, tariff: Tariff, plan: Option<&str>) -> anyhow::Result<Reference> {
    let text = month.reference().devices_csv;
    let mut rows = rows(&text)?;
    if let Some(plan) = plan {
        for row in &mut rows {
            row[6] = plan;
        }
    }
    let names = |column: usize| Names::new(rows.iter().map(|row| row[column]));
    let (devices, subscriptions, customer_names, plans) = (names(0), names(4), names(5), names(6));
    let customer = Customer { owner_path: "bench".into(), cycle_day: CycleDay::FIRST, zone: 0 };
    let customers = vec![customer; customer_names.len()];
    let code = |names: &Names, name: &str| names.code(name).expect("the list was made of these names");
    let mut windows = Vec::with_capacity(rows.len());
    let mut identifiers = Vec::with_capacity(3 * rows.len());
    for (row, position) in rows.iter().zip(0..) {
        windows.push(Owner {
            from_us: instant_us(row[7])?,
            to_us: if row[8].is_empty() { i64::MAX } else { instant_us(row[8])? },
            device: code(&devices, row[0]),
            subscription: code(&subscriptions, row[4]),
            customer: code(&customer_names, row[5]),
            plan: code(&plans, row[6]),
            group: NO_GROUP,
        });
        let kinds = [IdentifierKind::Msisdn, IdentifierKind::Imsi, IdentifierKind::Iccid];
        for (kind, digits) in kinds.into_iter().zip(&row[1..4]).filter(|(_, digits)| !digits.is_empty()) {
            let value = digits.parse().with_context(|| format!("`{digits}` is no {}", kind.as_str()))?;
            identifiers.push(IdentifierWindow { kind, value, owner: position });
        }
    }
    let zones = vec![Zone::load("Europe/Amsterdam").context("the zone is bundled")?];
    let owners =
        Arc::new(Owners { windows, devices, subscriptions, customer_names, customers, plans, groups: Names::default(), zones });
    let index = DeviceIndex::build(Arc::clone(&owners), identifiers)?;
    let tariffs = Arc::new(TariffSet::build(vec![tariff])?).bind(&owners);
    Ok(Reference { version: 1, index, tariffs })
}

/// The rows of a devices file; the generator quotes nothing.
fn rows(text: &str) -> anyhow::Result<Vec<[&str; COLUMNS]>> {
    let mut lines = text.lines();
    anyhow::ensure!(lines.next() == Some(HEADER), "the generated devices file has other columns than `{HEADER}`");
    let row = |line| str::split(line, ',').collect::<Vec<_>>().try_into().ok();
    lines.map(|line| row(line).with_context(|| format!("`{line}` has not {COLUMNS} columns"))).collect()
}

fn instant_us(text: &str) -> anyhow::Result<i64> {
    Ok(text.parse::<Timestamp>().with_context(|| format!("`{text}` is no instant"))?.as_microsecond())
}

fn shipped() -> anyhow::Result<Tariff> {
    let toml = config::tariffs::find(TARIFF).with_context(|| format!("the tariff `{TARIFF}` is not shipped"))?;
    let named = companion_names(toml);
    let companions = config::tariffs::companions(named.iter().map(String::as_str));
    Ok(Tariff::load(&TariffSource { name: format!("{TARIFF}.toml"), toml: toml.to_owned(), companions })?)
}
