//! The version of a tariff that an import brings into force: the one that rows carry, which is not the hash of what has landed.

use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;
use serde_json::{Value, json};
use store::{ImportReport, Store, TariffBundle};

use crate::installation::Installation;

/// The version of a tariff, before and behind its import.
#[derive(Debug)]
pub struct Version {
    /// `name@hash` of what is in force under the name.
    was: Option<String>,
    /// `name@hash` of what is imported.
    becomes: String,
    /// Hash of the bytes that land.
    landed_sha256: String,
}

impl Version {
    /// That of a tariff, if it can stand beside those in force: found out now, because once it is in force nothing can be rated
    /// until it does.
    pub fn of(installation: &Installation, store: &Store, bundle: &TariffBundle) -> anyhow::Result<Self> {
        let load = |b: &TariffBundle| Tariff::load(&crate::reference::source(&b.name, &b.toml, &b.companions));
        let known = installation.block_on(store.load_reference(None))?.tariffs;
        let (former, others): (Vec<_>, Vec<_>) = known.into_iter().partition(|other| other.name == bundle.name);
        let mut tariffs = others.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        let tariff = load(bundle)?;
        let becomes = tariff.id().to_string();
        tariffs.push(tariff);
        TariffSet::build(tariffs)?;
        // One that cannot be read any more is what the import mends.
        let was = former.first().and_then(|former| Some(load(former).ok()?.id().to_string()));
        Ok(Self { was, becomes, landed_sha256: bundle.hash.clone() })
    }

    /// A report for people: the version in the place of hashes that they find nowhere else.
    pub fn told(&self, report: &ImportReport) -> String {
        let mut counts = report.clone();
        counts.field_changes.clear();
        counts.additions.clear();
        match &self.was {
            None => format!("{counts}\nversion {}", self.becomes),
            Some(was) if *was == self.becomes => format!("{counts}\nversion {was}, as before"),
            Some(was) => format!("{counts}\nversion {} in the place of {was}", self.becomes),
        }
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({"version": self.becomes, "was": self.was, "landed_sha256": self.landed_sha256})
    }
}
