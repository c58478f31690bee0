//! Sell plans for owner paths that no customer has: nobody pays by them.

use std::collections::BTreeSet;

use crate::levels::SELL;
use crate::lint::versions::Given;
use crate::lint::{Finding, Rule};
use crate::tariff::plan::Plan;

/// Holds the sell plans of tariffs against the owner paths of all customers; nothing is found where there are no customers.
pub fn idle_levels<'p>(given: &[Given<'_>], owner_paths: impl IntoIterator<Item = &'p str>) -> Vec<Finding> {
    let paths = owner_paths.into_iter();
    let ends = |path: &'p str| path.match_indices('/').map(|(at, _)| at).chain([path.len()]).map(move |end| &path[..end]);
    let known: BTreeSet<&str> = paths.flat_map(ends).collect();
    if known.is_empty() {
        return Vec::new();
    }
    given.iter().flat_map(|one| &one.tariff.plans).filter_map(|plan| idle(plan, &known)).collect()
}

fn idle(plan: &Plan, known: &BTreeSet<&str>) -> Option<Finding> {
    let path = plan.name.strip_prefix(SELL)?;
    // Behind the path may stand a retail plan; names may have a colon, too.
    let mut paths = path.match_indices(':').map(|(at, _)| &path[..at]).chain([path]);
    let found = paths.find(|path| known.contains(path));
    let name = &plan.name;
    let (what, remedy) = match found {
        Some(path) if path.contains('/') => return None,
        Some(path) => (
            format!("nobody pays by `{name}`: `{path}` is the first level of its path, which buys from the provider"),
            "name the path of who pays, down from the first level; a provider's contract is a plan `buy:PROVIDER:ACCOUNT`",
        ),
        None => (
            format!("nobody pays by `{name}`: no customer's owner path is `{path}` or leads through it"),
            "write the path as customers have it in `owner_path`, from the first level down, or import such customers",
        ),
    };
    Some(Finding::new(Rule::IdleLevel, &plan.place, what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tariff::Tariff;
    use crate::tests::fixture::inline;

    #[test]
    fn a_sell_plan_must_have_somebody_who_pays_by_it() {
        let plan = |name: &str| format!("[[plan]]\nname = \"{name}\"\n");
        let names = [
            "flat",
            "sell:main",
            "sell:main/r",
            "sell:main/r:flat",
            "sell:main/r/s",
            "sell:main/x",
            "sell:main/rr",
            "sell:main/x:flat",
        ];
        let tariff = format!(
            "name = \"levels\"\ncurrency = \"EUR\"\ntime_zone = \"UTC\"\nvalid_from = 2026-01-01\nhome_zone = \"HOME\"\n\
             default_band = \"any\"\nrounding = {{ places = 6, mode = \"half_up\" }}\ndestinations.prefixes = {{ 31 = \"NL\" }}\n{}\
             [[price]]\nplan = \"*\"\nkind = \"voice-mo\"\nzone = \"NL\"\nunit_price = \"0.1\"\n",
            names.map(plan).concat()
        );
        let tariff = Tariff::load(&inline(&tariff)).unwrap_or_else(|e| panic!("{e}"));
        let given = [Given { file: "levels.toml", tariff: &tariff }];
        let found = idle_levels(&given, ["main/r/s", "main"]);
        let expected = ["sell:main", "sell:main/x", "sell:main/rr", "sell:main/x:flat"];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, name) in found.iter().zip(expected) {
            assert!(finding.what.starts_with(&format!("nobody pays by `{name}`: ")), "{}", finding.what);
        }
        assert!(found[0].what.contains("buys from the provider") && found[0].place.line.is_some(), "{found:?}");
        assert!(idle_levels(&given, []).is_empty(), "nothing is known of customers");
    }
}
