//! Every clause of the price model has rows that show it.

use super::Report;
use super::tree::Tree;
use crate::rating_map::{CLAUSES, Map};

/// No cell of the map from clauses to rows is empty, and no row belongs to nobody.
pub fn clauses_have_rows(tree: &Tree, report: &mut Report) {
    let Some(clauses) = tree.text(CLAUSES) else { return };
    let tables = tree.ending(&[".tbl"]).filter(|(path, _)| path.starts_with("tests/rating/"));
    for (path, line, message) in Map::read(clauses, tables, |path| tree.has(path)).faults {
        report.breach(&path, line, message);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{assert_breach, assert_clean};
    use super::*;

    #[test]
    fn an_empty_cell_is_a_breach() {
        let table = ("tests/rating/a.tbl", "tariff: x\nplan | charge\nclauses: setup\na | 1\n");
        let clause = |id: &str| format!("[[clause]]\nid = \"{id}\"\npoint = \"how\"\nsays = \"it\"\n");
        assert_clean(clauses_have_rows, &[(CLAUSES, &clause("setup")), table]);
        let both = clause("setup") + &clause("steps");
        assert_breach(clauses_have_rows, &[(CLAUSES, &both), table], &format!("{CLAUSES}:1: clause `steps` has no row"));
        assert_clean(clauses_have_rows, &[table]);
    }
}
