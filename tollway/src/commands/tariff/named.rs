//! Which tariff somebody means: a file, one in the data folder, or a shipped one, in this order; what else has the name is told.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use config::tariffs::SHIPPED;
use domain::nearest;
use rate::tariff::{Tariff, TariffSource};

use crate::cli::Global;
use crate::commands::import::{SHIPPED_PREFIX, tariff_source};
use crate::exit_code::{bad_input, usage};
use crate::installation::{Installation, settings};
use crate::moment::Moment;

/// What the data folder knows of tariffs and of who pays by them.
#[derive(Debug, Default)]
pub struct Known {
    /// Their texts, by name.
    pub in_force: Vec<TariffSource>,
    /// The owner paths of its customers.
    pub owner_paths: BTreeSet<Arc<str>>,
}

/// A tariff that was asked for.
#[derive(Debug)]
pub struct Named {
    /// Its texts.
    pub source: TariffSource,
    /// `file`, `data folder` or `shipped`.
    pub origin: &'static str,
    /// What else has this name and was not taken.
    pub aside: Option<String>,
}

impl Known {
    /// The tariffs of an opened data folder, as they are or as they were known.
    pub fn of(installation: &Installation, moment: Option<Moment>) -> anyhow::Result<Self> {
        let store = installation.state_read_only()?;
        let at = moment.map(|moment| moment.arrival(&installation.landing())).transpose()?;
        let reference = installation.block_on(store.load_reference(at))?;
        let source = |b: &store::TariffBundle| crate::reference::source(&b.name, &b.toml, &b.companions);
        let owner_paths = reference.owners.customers.iter().map(|customer| Arc::clone(&customer.owner_path)).collect();
        Ok(Self { in_force: reference.tariffs.iter().map(source).collect(), owner_paths })
    }

    /// The tariffs of the data folder if there is one: a tariff is looked at without any, too.
    pub fn if_any(global: &Global) -> anyhow::Result<Self> {
        if settings(global)?.data.folder.join("installation.json").exists() {
            Self::of(&Installation::open(global)?, None)
        } else {
            Ok(Self::default())
        }
    }

    /// The tariff of the data folder that `name` meant at a moment: files and shipped tariffs have none.
    pub fn find_known(&self, name: &str, moment: Moment) -> anyhow::Result<Named> {
        let own = self.in_force.iter().find(|source| source.name == name || is_version(source, name));
        let source = own.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.in_force.iter().map(|source| source.name.as_str()).collect();
            let (hint, at) = (nearest::hint(name, names.iter().copied()), moment.text());
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            bad_input(format!("the data folder had no tariff `{name}` at {at}; known were: {known}{hint}"))
        })?;
        Ok(Named { source, origin: "data folder", aside: Some(format!("as it was known at {}", moment.text())) })
    }

    /// The tariff that `name` means.
    pub fn find(&self, name: &str, base: Option<&Path>) -> anyhow::Result<Named> {
        if let Some(shipped) = name.strip_prefix(SHIPPED_PREFIX) {
            return Self::shipped(shipped, base);
        }
        let own = self.in_force.iter().find(|source| source.name == name || is_version(source, name));
        if Path::new(name).exists() {
            let aside = own.map(|_| format!("`{name}` is a file here; the data folder has a tariff of this name, too"));
            return Ok(Named { source: tariff_source(Path::new(name), base)?, origin: "file", aside });
        }
        match own {
            Some(own) => {
                if base.is_some() {
                    return Err(usage(format!("--base: `{name}` is in the data folder and has its tables with it")));
                }
                Ok(Named { source: own.clone(), origin: "data folder", aside: differs(own) })
            }
            None if config::tariffs::find(name).is_some() => Self::shipped(name, base),
            None => Err(self.unknown(name)),
        }
    }

    fn shipped(name: &str, base: Option<&Path>) -> anyhow::Result<Named> {
        if config::tariffs::find(name).is_none() {
            let names = SHIPPED.iter().map(|(name, _)| *name);
            let hint = nearest::hint(name, names.clone());
            let all = names.collect::<Vec<_>>().join(", ");
            return Err(bad_input(format!("there is no shipped tariff `{name}`: there are {all}{hint}")));
        }
        Ok(Named { source: shipped_source(name, base)?, origin: "shipped", aside: None })
    }

    fn unknown(&self, name: &str) -> anyhow::Error {
        let own: Vec<&str> = self.in_force.iter().map(|source| source.name.as_str()).collect();
        let shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        let hint = nearest::hint(name, own.iter().chain(&shipped).copied());
        let of_folder = if own.is_empty() { "none".to_owned() } else { own.join(", ") };
        let shipped = shipped.join(", ");
        bad_input(format!(
            "there is no file and no tariff `{name}`, neither in the data folder ({of_folder}) nor shipped ({shipped}){hint}"
        ))
    }
}

/// The texts of a shipped tariff, also where a file has its name.
fn shipped_source(name: &str, base: Option<&Path>) -> anyhow::Result<TariffSource> {
    tariff_source(Path::new(&format!("{SHIPPED_PREFIX}{name}")), base)
}

/// Whether `name@hash` names this version, by its first digits at least.
fn is_version(source: &TariffSource, name: &str) -> bool {
    let asked = name.split_once('@').filter(|(before, digits)| *before == source.name && !digits.is_empty());
    asked.is_some() && Tariff::load(source).is_ok_and(|tariff| tariff.id().starts_with(name))
}

/// Says if the shipped tariff of the same name is another one.
fn differs(own: &TariffSource) -> Option<String> {
    config::tariffs::find(&own.name)?;
    let shipped = Tariff::load(&shipped_source(&own.name, None).ok()?).ok()?;
    let is_same = Tariff::load(own).is_ok_and(|tariff| tariff.id() == shipped.id());
    (!is_same).then(|| format!("`{0}` is the one in the data folder; the shipped one differs: {SHIPPED_PREFIX}{0}", own.name))
}
