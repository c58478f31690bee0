//! Whose device a number was at an instant, and who the other party was.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use crate::error::VerifyError;
use crate::record::Record;
use crate::text::settled::Scope;

/// Which number of a record names the device; they are asked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identifier {
    /// The SIM.
    Imsi,
    /// The card.
    Iccid,
    /// The subscriber's number.
    Msisdn,
}

/// Who had a device during a window of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// First instant, microseconds since 1970 UTC.
    pub from_us: i64,
    /// First instant after it; `i64::MAX` for an open window.
    pub to_us: i64,
    /// The device.
    pub device: String,
    /// The subscription.
    pub subscription: String,
    /// The customer.
    pub customer: String,
    /// The plan.
    pub plan: String,
    /// The group of its line, if it is in one.
    pub group: Option<String>,
}

impl Window {
    fn holds(&self, at_us: i64) -> bool {
        self.from_us <= at_us && at_us < self.to_us
    }
}

/// Whose record it is, as far as that is known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Served<'s> {
    pub customer: Option<&'s str>,
    pub group: Option<&'s str>,
}

impl<'s> Served<'s> {
    /// Whose window it is.
    pub fn of(window: &'s Window) -> Self {
        Self { customer: Some(&window.customer), group: window.group.as_deref() }
    }

    /// Who somebody of ours is to it.
    fn party(self, other: &Window) -> Party {
        let is_of_group = self.group.is_some() && self.group == other.group.as_deref();
        match (is_of_group, self.customer == Some(other.customer.as_str())) {
            (false, false) => Party::OwnNetwork,
            (false, true) => Party::OwnCustomer,
            (true, false) => Party::Group,
            (true, true) => Party::GroupCustomer,
        }
    }
}

/// Whose something is that records of a customer share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Whose<'w> {
    pub scope: Scope,
    pub customer: &'w str,
    /// The subscription or the group, by the scope; nobody's where all lines share it.
    pub part: Option<&'w str>,
}

impl<'w> Whose<'w> {
    /// Whose it is for a record of a window.
    pub fn of(window: &'w Window, scope: Scope) -> Self {
        let part = match scope {
            Scope::Personal => Some(window.subscription.as_str()),
            Scope::Group => window.group.as_deref(),
            Scope::Shared | Scope::Pooled => None,
        };
        Self { scope, customer: &window.customer, part }
    }
}

/// Who the other party of a record is to whom it serves, from far to near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Other,
    /// Another customer's, not of the line's group.
    OwnNetwork,
    /// The same customer's, not of the line's group.
    OwnCustomer,
    /// Another customer's, of the line's group.
    Group,
    /// The same customer's, of the line's group.
    GroupCustomer,
}

impl Party {
    /// A party that a price can name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::OwnNetwork, Self::OwnCustomer, Self::Group].into_iter().find(|party| party.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::OwnNetwork => "own_network",
            Self::OwnCustomer => "own_customer",
            Self::Group => "group",
            Self::GroupCustomer => "group_customer",
        }
    }

    /// Whether what names this party holds for another: all of ours are the network's, and who is of the same group and the same customer
    /// is both.
    pub fn includes(self, party: Self) -> bool {
        match self {
            Self::OwnNetwork => party != Self::Other,
            Self::OwnCustomer | Self::Group => party == self || party == Self::GroupCustomer,
            Self::Other | Self::GroupCustomer => party == self,
        }
    }
}

/// A customer, as far as records are concerned.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Operator / reseller / customer / cost centre.
    pub owner_path: String,
    /// The day of the month on which the cycle begins, 1 to 31.
    pub cycle_day: u8,
    pub(crate) zone: TimeZone,
}

impl Customer {
    /// A customer whose cycles begin by the clock of a time zone.
    pub fn new(owner_path: String, cycle_day: u8, time_zone: &str) -> Result<Self, VerifyError> {
        let zone = TimeZone::get(time_zone).map_err(|_| VerifyError::Zone(time_zone.to_owned()))?;
        Ok(Self { owner_path, cycle_day, zone })
    }
}

/// Everybody's windows.
#[derive(Debug, Clone, Default)]
pub struct Owners {
    /// The windows.
    pub windows: Vec<Window>,
    /// Which windows a number has, by their place in the list.
    pub numbers: HashMap<(Identifier, u64), Vec<usize>>,
    /// Customers by name.
    pub customers: HashMap<String, Customer>,
}

impl Owners {
    /// The window of a record. The first of its numbers that has any window decides, even if none of them holds the start.
    pub(crate) fn of(&self, record: &Record<'_>) -> Option<&Window> {
        let numbers = [
            (Identifier::Imsi, u64::try_from(record.imsi).ok()),
            (Identifier::Iccid, u64::try_from(record.iccid).ok()),
            (Identifier::Msisdn, msisdn(record.a_number)),
        ];
        let known = numbers.into_iter().find_map(|(kind, digits)| self.numbers.get(&(kind, digits?)))?;
        let mut windows = known.iter().filter_map(|place| self.windows.get(*place));
        windows.find(|window| window.holds(record.start_us))
    }

    /// Who the other party of a record is at its start to whom it serves, if it has an international number.
    pub(crate) fn party(&self, record: &Record<'_>, served: Served<'_>) -> Option<Party> {
        if record.b_number_type != "e164" {
            return None;
        }
        let known = msisdn(record.b_number).and_then(|digits| self.numbers.get(&(Identifier::Msisdn, digits)));
        let windows = known.into_iter().flatten().filter_map(|place| self.windows.get(*place));
        let parties = windows.filter(|window| window.holds(record.start_us)).map(|window| served.party(window));
        Some(parties.max().unwrap_or(Party::Other))
    }
}

/// The number of a subscriber, if the text is one: an international number has at most 15 digits and no leading zero.
fn msisdn(text: &str) -> Option<u64> {
    let is_international = (1..=15).contains(&text.len()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_international && text.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sim_that_is_known_and_was_nobodys_is_not_billed_to_whoever_held_its_number() {
        let window = |from_us, to_us, device: &str| Window {
            from_us,
            to_us,
            device: device.to_owned(),
            subscription: String::new(),
            customer: String::new(),
            plan: String::new(),
            group: None,
        };
        let owners = Owners {
            windows: vec![window(0, 10, "sim"), window(0, i64::MAX, "number")],
            numbers: [((Identifier::Imsi, 204_041), vec![0]), ((Identifier::Msisdn, 31_612_345_678), vec![1])].into(),
            customers: HashMap::new(),
        };
        let device = |start_us, imsi, a_number| {
            owners.of(&Record { start_us, a_number, imsi, ..Record::default() }).map(|window| window.device.as_str())
        };
        assert_eq!(device(5, 204_041, "31612345678"), Some("sim"));
        assert_eq!(device(10, 204_041, "31612345678"), None);
        assert_eq!(device(10, 204_042, "31612345678"), Some("number"));
        assert_eq!(device(10, 0, "31612345678"), Some("number"));
        assert_eq!(device(10, 0, "031612345678"), None);
    }
}
