//! Whom the other party must be: which parties names tell apart, and how exactly a price names one.

use domain::columns::linked::Party;

/// Parties that prices and allowances may name, the more exact ones last.
pub(super) const NAMED: [Party; 3] = [Party::OwnNetwork, Party::OwnCustomer, Party::Group];

static ALL: [Party; 5] = Party::ALL;

/// The parties that these names tell apart, from far to near. Groups are told apart only where one is named, so that the tables of
/// other tariffs are no larger for them.
pub(crate) fn told_apart<'p>(named: impl IntoIterator<Item = &'p Party>) -> &'static [Party] {
    match named.into_iter().max() {
        None => &ALL[..1],
        Some(Party::Group) => &ALL,
        Some(_) => &ALL[..3],
    }
}

/// By code of a party: the place of the nearest one that it is of, among those that are told apart.
pub(super) fn levels(told_apart: &[Party]) -> [u8; ALL.len() + 1] {
    let mut levels = [0; ALL.len() + 1];
    for party in Party::ALL {
        let nearest = (0u8..).zip(told_apart).filter(|(_, known)| party.is_of(**known)).map(|(level, _)| level).max();
        levels[usize::from(party as u8)] = nearest.unwrap_or(0);
    }
    levels
}

/// How exactly what names these is for a party: 0 where it is for whoever it is; none where it is not for this one.
pub(super) fn exactness(named: &[Party], party: Party) -> Option<u8> {
    if named.is_empty() {
        return Some(0);
    }
    let exact = (1u8..).zip(NAMED).filter(|(_, wanted)| named.contains(wanted) && party.is_of(*wanted));
    exact.map(|(rank, _)| rank).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_apart_only_where_one_is_named() {
        assert_eq!(told_apart([]), [Party::Other]);
        assert_eq!(told_apart(&[Party::OwnCustomer]), [Party::Other, Party::OwnNetwork, Party::OwnCustomer]);
        assert_eq!(told_apart(&[Party::Group, Party::OwnNetwork]), Party::ALL);
        assert_eq!(levels(told_apart([])), [0; 6]);
        assert_eq!(levels(told_apart(&[Party::OwnNetwork])), [0, 0, 1, 2, 1, 2]);
        assert_eq!(levels(told_apart(&[Party::Group])), [0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_group_is_named_more_exactly_than_a_customer_and_a_customer_than_the_network() {
        use Party::{Group, GroupCustomer, Other, OwnCustomer, OwnNetwork};
        let of = |named: &[Party]| [Other, OwnNetwork, OwnCustomer, Group, GroupCustomer].map(|party| exactness(named, party));
        assert_eq!(of(&[]), [Some(0); 5]);
        assert_eq!(of(&[OwnNetwork]), [None, Some(1), Some(1), Some(1), Some(1)]);
        assert_eq!(of(&[OwnCustomer]), [None, None, Some(2), None, Some(2)]);
        assert_eq!(of(&[Group]), [None, None, None, Some(3), Some(3)]);
        assert_eq!(of(&[OwnNetwork, Group]), [None, Some(1), Some(1), Some(3), Some(3)]);
    }
}
