//! What a CDR is after linking: whose device it was at that instant.

use std::sync::Arc;

use super::parsed::ParsedBatch;
use crate::ids::Names;
use crate::period::CycleDay;
use crate::zone::Zone;

/// The owner column's value where no window holds the instant.
pub const NO_OWNER: u32 = u32::MAX;

/// The group of a window whose line is in none.
pub const NO_GROUP: u32 = u32::MAX;

/// A customer as rating sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// Operator / reseller / customer / cost centre, with `/`.
    pub owner_path: Arc<str>,
    /// The day on which the cycle begins.
    pub cycle_day: CycleDay,
    /// The clock by which cycles begin: a position in [`Owners::zones`].
    pub zone: u16,
}

/// Who had a device during a window of time; codes are positions in the lists of [`Owners`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// First instant of the window, microseconds UTC.
    pub from_us: i64,
    /// First instant after it; `i64::MAX` for an open window.
    pub to_us: i64,
    /// The device.
    pub device: u32,
    /// The subscription.
    pub subscription: u32,
    /// The customer.
    pub customer: u32,
    /// The plan.
    pub plan: u32,
    /// The group of lines that the subscription is in, or [`NO_GROUP`].
    pub group: u32,
}

/// All windows of a reference version and the names behind their codes.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    /// The windows.
    pub windows: Vec<Owner>,
    /// Device names.
    pub devices: Names,
    /// Subscription names.
    pub subscriptions: Names,
    /// Customer names, in the order of [`Owners::customers`].
    pub customer_names: Names,
    /// Customers by code.
    pub customers: Vec<Customer>,
    /// Plan names.
    pub plans: Names,
    /// Names of groups.
    pub groups: Names,
    /// The zones that customers use.
    pub zones: Vec<Zone>,
}

/// Who the other party of a record is to its owner, from far to near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Party {
    /// Nobody asked, or there is no number to ask.
    #[default]
    Unasked = 0,
    /// None of ours at that instant.
    Other = 1,
    /// Another customer of ours, not of the same group.
    OwnNetwork = 2,
    /// The same customer, not of the same group.
    OwnCustomer = 3,
    /// A line of the same group, of another customer.
    Group = 4,
    /// A line of the same group and of the same customer.
    GroupCustomer = 5,
}

impl Party {
    /// Those that can be found where somebody asks, from far to near.
    pub const ALL: [Self; 5] = [Self::Other, Self::OwnNetwork, Self::OwnCustomer, Self::Group, Self::GroupCustomer];

    /// What stands behind a code of [`LinkedBatch::party`]; an unknown code is "not asked".
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Other,
            2 => Self::OwnNetwork,
            3 => Self::OwnCustomer,
            4 => Self::Group,
            5 => Self::GroupCustomer,
            _ => Self::Unasked,
        }
    }

    /// The name in tables and tariffs; none where nobody asked.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Unasked => None,
            Self::Other => Some("other"),
            Self::OwnNetwork => Some("own_network"),
            Self::OwnCustomer => Some("own_customer"),
            Self::Group => Some("group"),
            Self::GroupCustomer => Some("group_customer"),
        }
    }

    /// Reads a name back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.name() == Some(name))
    }

    /// Whether what a tariff wants of the other party holds for this one: all of ours are of the own network, and who is of the same
    /// group may be of the same customer, too.
    pub fn is_of(self, wanted: Self) -> bool {
        match wanted {
            Self::OwnNetwork => self >= Self::OwnNetwork,
            Self::OwnCustomer => matches!(self, Self::OwnCustomer | Self::GroupCustomer),
            Self::Group => matches!(self, Self::Group | Self::GroupCustomer),
            Self::Unasked | Self::Other | Self::GroupCustomer => self == wanted,
        }
    }
}

/// A parsed batch whose rows know their owner.
#[derive(Debug, Clone)]
pub struct LinkedBatch {
    /// The rows.
    pub parsed: Arc<ParsedBatch>,
    /// A position in [`Owners::windows`] per readable row, or [`NO_OWNER`].
    pub owner: Vec<u32>,
    /// Who the other party is: a [`Party`] per readable row; empty where no tariff asks.
    pub party: Vec<u8>,
    /// The windows and names.
    pub owners: Arc<Owners>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_party_is_read_back_and_the_nearest_is_of_all_that_tariffs_name() {
        for party in Party::ALL {
            assert_eq!(Party::from_code(party as u8), party);
            assert_eq!(party.name().and_then(Party::parse), Some(party));
        }
        assert_eq!((Party::from_code(0), Party::from_code(6)), (Party::Unasked, Party::Unasked));
        assert!(Party::ALL.is_sorted());
        let of = |wanted| Party::ALL.into_iter().filter(|party| party.is_of(wanted)).collect::<Vec<_>>();
        assert_eq!(of(Party::OwnNetwork), Party::ALL[1..]);
        assert_eq!(of(Party::OwnCustomer), [Party::OwnCustomer, Party::GroupCustomer]);
        assert_eq!(of(Party::Group), [Party::Group, Party::GroupCustomer]);
    }
}
