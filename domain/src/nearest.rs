//! What a misspelt name may have meant.

/// Longer texts are no slips of names.
const NAME_CHARS_MAX: usize = 100;

/// The name that comes nearest, however far it is; letter case does not count. `None` if there are no names.
pub fn closest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    by_distance(name, among).min().map(|(_, near)| near)
}

/// The name that comes nearest, if so few letters differ that it was probably meant.
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = 1 + name.chars().count() / 3;
    let meant = |(distance, near): &(usize, &str)| *distance <= reach && *distance < near.chars().count();
    by_distance(name, among).filter(meant).min().map(|(_, near)| near)
}

/// The end of an error's sentence, `; did you mean ...?`; empty where no name is near.
pub fn hint<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, among).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// Each name with the letters that differ. Of a text that is too long for a name only the beginning is compared, because the
/// comparison takes memory for each pair of letters.
fn by_distance<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = (usize, &'a str)> {
    let lower = name.chars().take(NAME_CHARS_MAX).collect::<String>().to_lowercase();
    among.into_iter().map(move |other| (strsim::damerau_levenshtein(&lower, &other.to_lowercase()), other))
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
        assert_eq!(nearest("ab", ["a", "abc"]), Some("abc"), "a name with which it shares nothing is no answer");
        assert_eq!(nearest(&"vodafone".repeat(1_000_000), NAMES), None);
        assert_eq!(hint("routti", NAMES), "; did you mean `routit`?");
        assert_eq!(hint("vodafone", NAMES), "");
    }

    #[test]
    fn a_name_that_must_be_one_of_them_gets_the_closest_however_far() {
        assert_eq!(closest("vodafone", ["listen", "landing"]), Some("landing"));
        assert_eq!(closest("landing", []), None);
    }
}
