//! Who owns what in the month: companies, and lines with their SIMs, plans and changes of owner.

use crate::calendar::{Calendar, DAY_S, HOUR_S};
use crate::companies;
use crate::group::Group;
use crate::layout::Layout;
use crate::plans::{self, Plan};
use crate::random::Dice;

/// The seed's stream for everything in this file.
const PURPOSE: u64 = 1;

/// The served number of the shipped profile `mobile-metadata`.
const SUBSCRIBER: u64 = 31_600_000_001;

/// A customer.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Its id, such as `C-1001`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Operator, reseller and customer.
    pub owner_path: String,
    /// The day on which its cycle begins.
    pub cycle_day: u8,
    /// Its clock.
    pub time_zone: &'static str,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// A telephone.
    Mobile,
    /// A machine that only sends data.
    Machine,
    /// A fixed line.
    Fixed,
}

/// A window of time in which a line has one device, subscription, customer and plan.
#[derive(Debug, Clone)]
pub struct Tenure {
    /// First instant, seconds UTC.
    pub from_s: i64,
    /// First instant after it; none for an open window.
    pub to_s: Option<i64>,
    /// The device's id.
    pub device_id: String,
    /// The subscription's id.
    pub subscription_id: String,
    /// The SIM's IMSI; empty for a fixed line.
    pub imsi: String,
    /// The SIM's ICCID with its check digit; empty for a fixed line.
    pub iccid: String,
    /// Position in [`Fleet::customers`].
    pub customer: usize,
    /// The plan.
    pub plan: &'static Plan,
}

/// A number and who had it when.
#[derive(Debug, Clone)]
pub struct Line {
    /// E.164 digits.
    pub msisdn: u64,
    /// What it is.
    pub kind: LineKind,
    /// Windows in order of time; they do not overlap.
    pub tenures: Vec<Tenure>,
}

impl Line {
    /// Whose it is at an instant.
    pub fn tenure_at(&self, instant_s: i64) -> Option<&Tenure> {
        self.tenures.iter().find(|t| t.from_s <= instant_s && t.to_s.is_none_or(|to| instant_s < to))
    }

    /// Whose it is at an instant, or whose it was first: a card that is given up still says who had it.
    pub fn tenure_or_first(&self, instant_s: i64) -> &Tenure {
        self.tenure_at(instant_s).unwrap_or(&self.tenures[0])
    }

    /// Whether it has one owner and plan throughout.
    pub fn is_steady(&self) -> bool {
        self.tenures.len() == 1 && self.tenures[0].to_s.is_none()
    }
}

/// All customers and lines of a month.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The customers.
    pub customers: Vec<Customer>,
    /// The lines.
    pub lines: Vec<Line>,
    by_group: [Vec<usize>; Group::COUNT],
}

impl Fleet {
    /// The fleet of a seed; `customers`, `devices` and `layouts` as in the settings.
    pub fn new(seed: u64, customers: usize, devices: usize, layouts: &[Layout], calendar: &Calendar) -> Self {
        let mut fleet = Self { customers: Vec::new(), lines: Vec::new(), by_group: Default::default() };
        let mut members: [Vec<usize>; Group::COUNT] = Default::default();
        for (group, share) in Group::customers(customers, layouts) {
            members[group as usize] = (0..share).map(|rank| fleet.add_customer(group, rank)).collect();
        }
        let numbers = numbers(seed, devices);
        let mut maker = LineMaker { dice: Dice::new(seed, &[PURPOSE, 2]), calendar, devices: 0, subscriptions: 0, sims: 0 };
        let mut next = numbers.into_iter();
        for (group, share) in Group::lines(devices, layouts) {
            for (rank, number) in next.by_ref().take(share).enumerate() {
                let line = maker.line(group, rank, number, &members[group.owners() as usize]);
                fleet.by_group[group as usize].push(fleet.lines.len());
                fleet.lines.push(line);
            }
        }
        fleet
    }

    /// Gives a line the number that the shipped profile `mobile-metadata` names, because its rows do not.
    pub fn with_subscriber(mut self) -> Self {
        let line = self.subscriber();
        self.lines[line].msisdn = SUBSCRIBER;
        self.lines[line].tenures[0].plan = plans::without_cost();
        self
    }

    /// The line of [`SUBSCRIBER`].
    pub fn subscriber(&self) -> usize {
        self.by_group[Group::ResellerB as usize][0]
    }

    /// Positions of a group's lines.
    pub fn lines_of(&self, group: Group) -> &[usize] {
        &self.by_group[group as usize]
    }

    fn add_customer(&mut self, group: Group, rank: usize) -> usize {
        let position = self.customers.len();
        let name = companies::name(group, rank);
        let id = format!("C-{}", 1001 + position);
        let owner_path = format!("demo/{}/{id}", group.account());
        let cycle_day = match position % 13 {
            4 => 15,
            9 => 31,
            _ => 1,
        };
        let time_zone = if position % 29 == 11 { "Europe/Lisbon" } else { "Europe/Amsterdam" };
        self.customers.push(Customer { id, name, owner_path, cycle_day, time_zone });
        position
    }
}

/// Distinct positions in the mobile, machine and fixed ranges; a line takes the digits that its kind needs.
fn numbers(seed: u64, count: usize) -> Vec<u64> {
    let mut dice = Dice::new(seed, &[PURPOSE, 1]);
    let mut seen = std::collections::HashSet::new();
    std::iter::repeat_with(|| dice.below(1_000_000)).filter(|n| seen.insert(*n)).take(count).collect()
}

/// What happens to a line in the month; the ranks that it happens to are spread over all groups.
enum Change {
    None,
    /// Another customer takes it over at midnight.
    Transfer,
    /// A new card in the same telephone.
    SimSwap,
    /// The number is given up and, days later, given to someone else.
    Recycled,
    /// Another plan from midnight on.
    Plan,
    /// Given up.
    Ended,
}

fn change_of(rank: usize, kind: LineKind) -> Change {
    if kind == LineKind::Fixed {
        return Change::None;
    }
    match rank % 120 {
        7 | 67 => Change::Transfer,
        11 | 71 => Change::SimSwap,
        13 => Change::Recycled,
        17 | 77 => Change::Plan,
        97 => Change::Ended,
        _ => Change::None,
    }
}

struct LineMaker<'c> {
    dice: Dice,
    calendar: &'c Calendar,
    devices: u32,
    subscriptions: u32,
    sims: u64,
}

impl LineMaker<'_> {
    fn line(&mut self, group: Group, rank: usize, number: u64, members: &[usize]) -> Line {
        let kind = match rank % 12 {
            _ if group.is_exchange() => LineKind::Fixed,
            10 => LineKind::Machine,
            _ => LineKind::Mobile,
        };
        let msisdn = match kind {
            // 49 blocks of 061, 062, 063, 064 and 065: the number's position scattered over them.
            LineKind::Mobile => 31_600_000_000 + (10 + number % 49) * 1_000_000 + number,
            LineKind::Machine => 3_197_000_000_000 + number * 997,
            LineKind::Fixed => 31_302_000_000 + number,
        };
        let customer = self.customer(members);
        let plan = plans::draw(kind, customer, &mut self.dice);
        // In force long before the month, so that late records find their owner.
        let from_s = self.midnight(1) - (70 + self.dice.span(600)) * DAY_S;
        let first = self.tenure(kind, from_s, customer, plan);
        let tenures = self.changed(first, kind, rank, members);
        Line { msisdn, kind, tenures }
    }

    /// The first customers of a group have the most lines.
    fn customer(&mut self, members: &[usize]) -> usize {
        members[self.dice.weighted((0..members.len()).map(|rank| 1_000 / (u32::try_from(rank).unwrap_or(999) + 2)))]
    }

    fn tenure(&mut self, kind: LineKind, from_s: i64, customer: usize, plan: &'static Plan) -> Tenure {
        self.devices += 1;
        self.subscriptions += 1;
        let (imsi, iccid) = if kind == LineKind::Fixed { Default::default() } else { self.sim() };
        Tenure {
            from_s,
            to_s: None,
            device_id: format!("D-{}", 10_000 + self.devices),
            subscription_id: format!("S-{}", 10_000 + self.subscriptions),
            imsi,
            iccid,
            customer,
            plan,
        }
    }

    fn sim(&mut self) -> (String, String) {
        self.sims += 1;
        let account = self.sims * 7_919 % 1_000_000;
        let body = format!("893108{account:012}");
        (format!("20408{:010}", 1_000_000_000 + self.sims * 104_729), format!("{body}{}", luhn(&body)))
    }

    fn changed(&mut self, first: Tenure, kind: LineKind, rank: usize, members: &[usize]) -> Vec<Tenure> {
        let mut old = first;
        let mut new = old.clone();
        match change_of(rank, kind) {
            Change::None => return vec![old],
            Change::Ended => {
                old.to_s = Some(self.midnight(27));
                return vec![old];
            }
            Change::Transfer => {
                new.from_s = self.midnight(12);
                new.customer = members.iter().copied().find(|m| *m != old.customer).unwrap_or(old.customer);
                new.plan = plans::draw(kind, new.customer, &mut self.dice);
                self.subscriptions += 1;
                new.subscription_id = format!("S-{}", 10_000 + self.subscriptions);
            }
            Change::SimSwap => {
                new.from_s = self.midnight(10) + 14 * HOUR_S + 1_385;
                (new.imsi, new.iccid) = self.sim();
            }
            Change::Plan => {
                new.from_s = self.midnight(16);
                new.plan = plans::other(kind, old.plan);
            }
            Change::Recycled => {
                let customer = self.customer(members);
                let plan = plans::draw(kind, customer, &mut self.dice);
                let from_s = self.midnight(11);
                new = self.tenure(kind, from_s, customer, plan);
                old.to_s = Some(self.midnight(8));
                return vec![old, new];
            }
        }
        old.to_s = Some(new.from_s);
        vec![old, new]
    }

    /// Local midnight at which a day of the month begins.
    fn midnight(&self, day: i32) -> i64 {
        self.calendar.instant_of(self.calendar.days.begins_s() + i64::from(day - 1) * DAY_S, false)
    }
}

/// The check digit of ISO/IEC 7812 for a string of digits.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(10))
        .enumerate()
        .map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { d })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn october() -> Fleet {
        Fleet::new(42, 40, 680, &[], &Calendar::new(2026, 10).expect("a month"))
    }

    #[test]
    fn the_fleet_has_every_kind_of_change() {
        let fleet = october();
        assert_eq!(fleet.customers.len(), 40);
        assert_eq!(fleet.lines.len(), 680);
        let lines = |is: &dyn Fn(&[Tenure]) -> bool| fleet.lines.iter().filter(|l| is(&l.tenures)).count();
        let pair = |is: fn(&Tenure, &Tenure) -> bool| lines(&|t| t.len() == 2 && is(&t[0], &t[1]));
        assert!(pair(|a, b| a.device_id == b.device_id && a.customer != b.customer) >= 5, "transfers");
        assert!(
            pair(|a, b| a.device_id == b.device_id && a.imsi != b.imsi && a.subscription_id == b.subscription_id) >= 5,
            "swaps"
        );
        assert!(pair(|a, b| a.device_id != b.device_id && a.to_s < Some(b.from_s)) >= 3, "recycled numbers");
        assert!(pair(|a, b| a.plan.id != b.plan.id && a.customer == b.customer) >= 5, "changes of plan");
        assert!(lines(&|t| t.len() == 1 && t[0].to_s.is_some()) >= 3, "ended");
    }

    #[test]
    fn numbers_are_distinct_and_windows_do_not_overlap() {
        let fleet = october();
        let numbers: std::collections::HashSet<u64> = fleet.lines.iter().map(|l| l.msisdn).collect();
        assert_eq!(numbers.len(), fleet.lines.len());
        for line in &fleet.lines {
            for pair in line.tenures.windows(2) {
                assert!(pair[0].to_s.is_some_and(|to| to <= pair[1].from_s));
            }
        }
    }

    #[test]
    fn iccids_end_with_their_check_digit() {
        assert_eq!(luhn("7992739871"), 3);
        let fleet = october();
        let iccid = &fleet.lines[0].tenures[0].iccid;
        assert_eq!(iccid.len(), 19);
        assert!(iccid.ends_with(&luhn(&iccid[..18]).to_string()));
    }
}
