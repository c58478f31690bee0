//! A deck of destinations as large as asked for: the shipped one, with seeded prefixes below those that it has.

use std::collections::HashSet;
use std::fmt::Write;

use anyhow::Context;
use domain::ports::Rng;

use crate::outside::FileNames;

/// The companion that tariffs name.
pub const FILE: &str = "nl-zakelijk-prefixes.csv";

/// Most digits of a prefix.
const DIGITS_MAX: usize = 10;

/// `prefix,zone` for so many prefixes. What is added has the zone that the number has without it: prices stay as they are.
pub fn csv(prefixes: u32) -> anyhow::Result<String> {
    let mut text = config::tariffs::companions([FILE]).remove(FILE).with_context(|| format!("`{FILE}` is not shipped"))?;
    let shipped: Vec<(String, String)> = text.lines().skip(1).filter_map(split).collect();
    // No prefix begins with zero, so that its number stands for it.
    let mut known = shipped.iter().map(|(prefix, _)| prefix.parse()).collect::<Result<HashSet<u64>, _>>()?;
    let mut dice = FileNames::default();
    for (above, zone) in shipped.iter().cycle() {
        if known.len() >= prefixes as usize {
            break;
        }
        let digits = format!("{:010}", dice.next_u64() % 10_000_000_000);
        let length = above.len() + 1 + usize::try_from(dice.next_u64() >> 32)? % (DIGITS_MAX - above.len());
        let prefix = &format!("{above}{digits}")[..length];
        let leads = shipped.iter().filter(|(other, _)| prefix.starts_with(other.as_str()));
        let lead = leads.max_by_key(|(other, _)| other.len());
        if lead.is_some_and(|(other, _)| other == above) && known.insert(prefix.parse()?) {
            writeln!(text, "{prefix},{zone}")?;
        }
    }
    Ok(text)
}

fn split(line: &str) -> Option<(String, String)> {
    line.split_once(',').map(|(prefix, zone)| (prefix.to_owned(), zone.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deck_has_so_many_prefixes_and_none_twice() {
        let text = csv(3_000).expect("it is made");
        let prefixes: HashSet<&str> = text.lines().skip(1).filter_map(|line| Some(line.split_once(',')?.0)).collect();
        assert_eq!((prefixes.len(), text.lines().count()), (3_000, 3_001));
        assert!(prefixes.iter().all(|prefix| prefix.len() <= DIGITS_MAX));
    }
}
