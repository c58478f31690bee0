//! What a misspelt name may have meant.

/// The name that comes nearest, however far it is; letter case does not count. `None` if there are no names.
pub fn closest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    by_distance(name, among).map(|(_, near)| near)
}

/// The name that comes nearest, if so few letters differ that it was probably meant.
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = 1 + name.chars().count() / 3;
    by_distance(name, among)
        .filter(|(distance, near)| *distance <= reach && *distance < near.chars().count())
        .map(|(_, near)| near)
}

/// The end of an error's sentence, `; did you mean ...?`; empty where no name is near.
pub fn hint<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, among).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The first in the order of distance, then of the alphabet.
fn by_distance<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<(usize, &'a str)> {
    let lower = name.to_lowercase();
    among.into_iter().map(|other| (strsim::damerau_levenshtein(&lower, &other.to_lowercase()), other)).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["kpn-sp16", "kpn-een", "routit", "job"];

    #[test]
    fn a_slip_is_answered_and_another_word_is_not() {
        for (slip, meant) in [("kpn-sp61", "kpn-sp16"), ("KPN-EEN", "kpn-een"), ("rout-it", "routit"), ("jop", "job")] {
            assert_eq!(nearest(slip, NAMES), Some(meant), "{slip}");
        }
        for other in ["vodafone", "", "x"] {
            assert_eq!(nearest(other, NAMES), None, "{other}");
        }
        assert_eq!(hint("routti", NAMES), "; did you mean `routit`?");
        assert_eq!(hint("vodafone", NAMES), "");
    }

    #[test]
    fn a_name_that_must_be_one_of_them_gets_the_closest_however_far() {
        assert_eq!(closest("vodafone", ["listen", "landing"]), Some("landing"));
        assert_eq!(closest("landing", []), None);
    }
}
