//! Accounts at providers, as owners of lines: which there are in a month, and how many lines and customers each has.

use crate::layout::Layout;

/// Under which account of which provider a line's records arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// KPN account `haven`.
    Haven,
    /// KPN account `jansen`.
    Jansen,
    /// Routit account `reseller-a`.
    ResellerA,
    /// Routit account `reseller-b`.
    ResellerB,
    /// Fixed lines behind a telephone exchange of reseller B's customers.
    Exchange,
    /// KPN EEN account `polder`.
    Polder,
    /// Vodafone account `kade`.
    Kade,
    /// T-Mobile account `noord`.
    Noord,
    /// Yielder account `weide`.
    Weide,
    /// Fixed lines behind a switch that companies share.
    Switchboard,
    /// Fixed lines of hotels.
    Hotels,
    /// Fixed lines of schools.
    Campus,
}

impl Group {
    /// How many groups there can be.
    pub const COUNT: usize = 12;

    /// The groups of every month, in the order in which they get customers and lines.
    const ALWAYS: [Self; 5] = [Self::Haven, Self::Jansen, Self::ResellerA, Self::ResellerB, Self::Exchange];

    /// The group whose lines a layout's files are about; KPN SP16 and Routit have two accounts.
    pub fn of(layout: Layout, is_second: bool) -> Self {
        match layout {
            Layout::KpnSp16 if is_second => Self::Jansen,
            Layout::KpnSp16 => Self::Haven,
            Layout::Routit if is_second => Self::ResellerB,
            Layout::Routit | Layout::Job => Self::ResellerA,
            Layout::MobileMetadata => Self::ResellerB,
            Layout::AsteriskCdrCsv => Self::Exchange,
            Layout::KpnEen => Self::Polder,
            Layout::Vodafone => Self::Kade,
            Layout::TmobileCalvi => Self::Noord,
            Layout::Yielder => Self::Weide,
            Layout::FreeswitchCdrCsv => Self::Switchboard,
            Layout::PbxCsv => Self::Hotels,
            Layout::CiscoCucm => Self::Campus,
        }
    }

    /// The groups that only the layouts of a list bring.
    pub fn own(layouts: &[Layout]) -> impl Iterator<Item = Self> + '_ {
        layouts.iter().map(|layout| Self::of(*layout, false)).filter(|group| !Self::ALWAYS.contains(group))
    }

    /// The account's name.
    pub fn account(self) -> &'static str {
        match self {
            Self::Haven => "haven",
            Self::Jansen => "jansen",
            Self::ResellerA => "reseller-a",
            Self::ResellerB => "reseller-b",
            Self::Exchange => "exchange",
            Self::Polder => "polder",
            Self::Kade => "kade",
            Self::Noord => "noord",
            Self::Weide => "weide",
            Self::Switchboard => "switchboard",
            Self::Hotels => "hotels",
            Self::Campus => "campus",
        }
    }

    /// The group whose customers own the lines.
    pub fn owners(self) -> Self {
        if self == Self::Exchange { Self::ResellerB } else { self }
    }

    /// Whether its lines are fixed ones behind an exchange.
    pub fn is_exchange(self) -> bool {
        matches!(self, Self::Exchange | Self::Switchboard | Self::Hotels | Self::Campus)
    }

    /// The groups of a month with so many of `all` lines each.
    pub fn lines(all: usize, layouts: &[Layout]) -> Vec<(Self, usize)> {
        shares(all, layouts, |group| match group {
            Self::Haven | Self::ResellerA => 320,
            Self::Jansen => 130,
            Self::ResellerB => 180,
            Self::Exchange => 50,
            Self::Polder | Self::Kade | Self::Noord | Self::Weide => 80,
            Self::Switchboard | Self::Hotels | Self::Campus => 40,
        })
    }

    /// The groups of a month with so many of `all` customers each; the exchange's lines belong to reseller B's customers.
    pub fn customers(all: usize, layouts: &[Layout]) -> Vec<(Self, usize)> {
        shares(all, layouts, |group| match group {
            Self::Haven => 300,
            Self::Jansen => 150,
            Self::ResellerA => 325,
            Self::ResellerB => 225,
            Self::Exchange => 0,
            Self::Polder | Self::Kade | Self::Noord | Self::Weide => 80,
            Self::Switchboard | Self::Hotels | Self::Campus => 50,
        })
    }
}

/// Per mille of all for the groups that a layout brings, at least one each; per mille of the rest for the others, the first of
/// which also takes what rounding leaves.
fn shares(all: usize, layouts: &[Layout], per_mille: fn(Group) -> usize) -> Vec<(Group, usize)> {
    let own: Vec<(Group, usize)> = Group::own(layouts).map(|group| (group, (all * per_mille(group) / 1000).max(1))).collect();
    let rest = all - own.iter().map(|(_, share)| share).sum::<usize>();
    let mut shares = Group::ALWAYS.map(|group| (group, rest * per_mille(group) / 1000));
    shares[0].1 = rest - shares[1..].iter().map(|(_, share)| share).sum::<usize>();
    shares.into_iter().chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::limits;

    #[test]
    fn all_is_given_out_and_every_group_has_a_line_and_every_owner_a_customer() {
        let smallest = limits::CUSTOMERS.0 as usize + 6;
        for customers in [smallest, 40, 997] {
            let shares = Group::customers(customers, &Layout::ALL);
            assert_eq!(shares.len(), Group::COUNT);
            assert_eq!(shares.iter().map(|s| s.1).sum::<usize>(), customers);
            assert!(shares.iter().all(|s| (s.1 > 0) == (s.0.owners() == s.0)), "{shares:?}");
        }
        for lines in [limits::DEVICES.0 as usize, 680, 99_999] {
            let shares = Group::lines(lines, &Layout::ALL);
            assert_eq!(shares.iter().map(|s| s.1).sum::<usize>(), lines);
            assert!(shares.iter().all(|s| s.1 > 2), "{shares:?}");
        }
    }
}
