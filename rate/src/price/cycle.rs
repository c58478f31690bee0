//! Billing periods of a batch: the customer's cycle that contains a start, without a calendar for every row.

use domain::columns::linked::{Customer, Owners};
use domain::period::CycleDay;
use domain::zone::{SECOND_US, days_of};

const DAY_US: i64 = 86_400 * SECOND_US;

/// For one cycle day: a stretch of instants that lie in one period by every clock on earth.
#[derive(Clone, Copy)]
struct Inside {
    from_us: i64,
    to_us: i64,
    month: i32,
}

/// The last answer per cycle day. Rows of a batch are mostly of one month, so one comparison answers them.
pub(super) struct Cycles([Inside; 32]);

impl Default for Cycles {
    fn default() -> Self {
        Self([Inside { from_us: 0, to_us: 0, month: 0 }; 32])
    }
}

impl Cycles {
    /// The period of a customer that contains an instant, as a month's number; `None` for codes beyond the owners' lists.
    #[inline]
    pub fn period(&mut self, owners: &Owners, customer: u32, instant_us: i64) -> Option<i32> {
        let customer = owners.customers.get(customer as usize)?;
        let inside = &mut self.0[usize::from(u8::from(customer.cycle_day) & 31)];
        if inside.from_us <= instant_us && instant_us < inside.to_us {
            return Some(inside.month);
        }
        ask_calendar(owners, customer, instant_us, inside)
    }
}

fn ask_calendar(owners: &Owners, customer: &Customer, instant_us: i64, inside: &mut Inside) -> Option<i32> {
    let zone = owners.zones.get(usize::from(customer.zone))?;
    // An instant at the very edge of 64 bits would leave them when a clock's offset is added.
    let on_any_clock = instant_us.clamp(i64::MIN + 2 * DAY_US, i64::MAX - 2 * DAY_US);
    let month = customer.cycle_day.period_of(on_any_clock, zone).number();
    // No clock is a day away from UTC, so instants a day inside the cycle's dates belong to it in every zone.
    let begin = begin_us(month, customer.cycle_day).zip(begin_us(month + 1, customer.cycle_day));
    if let Some((begin, end)) = begin {
        *inside = Inside { from_us: begin + DAY_US, to_us: end - DAY_US, month };
    }
    Some(month)
}

/// Midnight of the cycle's first day, as if the customer's clock showed UTC; the day is clamped to the month's end.
fn begin_us(month: i32, day: CycleDay) -> Option<i64> {
    let (year, month) = (month.div_euclid(12), u32::try_from(month.rem_euclid(12) + 1).ok()?);
    let last = u32::from(u8::from(day));
    (28.min(last)..=last).rev().find_map(|day| days_of(year, month, day)).map(|days| i64::from(days) * DAY_US)
}

#[cfg(test)]
mod tests {
    use domain::columns::linked::Owners;
    use domain::ids::Names;
    use domain::zone::Zone;
    use proptest::prelude::*;

    use super::*;

    fn owners() -> Owners {
        let zones = ["Europe/Amsterdam", "Pacific/Kiritimati", "Pacific/Pago_Pago"];
        let customers = (1..=31u8).flat_map(|day| {
            (0..3).map(move |zone| Customer { owner_path: "a".into(), cycle_day: day.try_into().expect("1 to 31"), zone })
        });
        Owners {
            customers: customers.collect(),
            customer_names: Names::default(),
            zones: zones.map(|name| Zone::load(name).expect("bundled")).into(),
            ..Owners::default()
        }
    }

    proptest! {
        #[test]
        fn the_shortcut_never_differs_from_the_calendar(
            rows in prop::collection::vec((0u32..93, 1_760_000_000_000_000i64..1_790_000_000_000_000), 1..200),
        ) {
            let owners = owners();
            let mut cycles = Cycles::default();
            for (customer, instant_us) in rows {
                let Customer { cycle_day, zone, .. } = &owners.customers[customer as usize];
                let expected = cycle_day.period_of(instant_us, &owners.zones[usize::from(*zone)]).number();
                prop_assert_eq!(cycles.period(&owners, customer, instant_us), Some(expected));
            }
        }
    }
}
