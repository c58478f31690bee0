//! The files that come with tollway: profiles, tariffs with their companions, sample reference data. All are embedded.

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

fn find(files: &'static [(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    files.iter().find(|(file, _)| *file == name).map(|(_, text)| *text)
}

/// Source layouts.
pub mod profiles {
    /// Name (without `.toml`) and text of each, sorted by name.
    pub const SHIPPED: &[(&str, &str)] = super::PROFILES;

    /// The text of a profile.
    pub fn find(name: &str) -> Option<&'static str> {
        super::find(SHIPPED, name)
    }
}

/// Tariffs.
pub mod tariffs {
    use std::collections::BTreeMap;

    /// Name (without `.toml`) and text of each, sorted by name.
    pub const SHIPPED: &[(&str, &str)] = super::TARIFFS;

    /// File name and text of the CSV files that tariffs refer to.
    pub const COMPANIONS: &[(&str, &str)] = super::TARIFF_COMPANIONS;

    /// The text of a tariff.
    pub fn find(name: &str) -> Option<&'static str> {
        super::find(SHIPPED, name)
    }

    /// Those of the named companions that are shipped, by file name: what a tariff's loader asks for.
    pub fn companions<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeMap<String, String> {
        let found = names.into_iter().filter_map(|name| super::find(COMPANIONS, name).map(|text| (name, text)));
        found.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    }
}

/// Reference data for the sample records that documentation and tests use.
pub mod samples {
    /// File name and text of each, sorted by name: `customers.csv`, `devices.csv`, `plans.csv`.
    pub const SHIPPED: &[(&str, &str)] = super::SAMPLES;

    /// The text of a file.
    pub fn find(name: &str) -> Option<&'static str> {
        super::find(SHIPPED, name)
    }
}
