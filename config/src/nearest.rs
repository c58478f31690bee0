//! What a misspelt name may have meant.

/// The name that comes nearest, if at most a third of its letters differ.
pub fn nearest<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance = |other: &&str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
    among.into_iter().min_by_key(distance).filter(|other| 3 * distance(other) <= other.chars().count())
}

/// The question that belongs into an error, with a blank after it; empty where no name is near.
pub fn did_you_mean<'a>(name: &str, among: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, among).map_or_else(String::new, |near| format!("did you mean `{near}`? "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_answered_and_another_word_is_not() {
        let names = ["kpn-sp16", "kpn-een", "routit", "job"];
        for (slip, meant) in [("kpn-sp61", "kpn-sp16"), ("KPN-EEN", "kpn-een"), ("rout-it", "routit"), ("jop", "job")] {
            assert_eq!(nearest(slip, names), Some(meant), "{slip}");
        }
        assert_eq!(nearest("vodafone", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(did_you_mean("routti", names), "did you mean `routit`? ");
        assert_eq!(did_you_mean("vodafone", names), "");
    }
}
