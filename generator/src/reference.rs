//! The reference data of a month as files to import: customers, devices and plans.

use std::fmt::Write;

use domain::zone::date_of;

use crate::calendar::{DAY_S, write_clock};
use crate::fleet::Fleet;
use crate::plans::PLANS;

/// Three files of UTF-8 text with a header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceFiles {
    /// `customer_id,name,owner_path,cycle_day,time_zone`.
    pub customers_csv: String,
    /// `device_id,msisdn,imsi,iccid,subscription_id,customer_id,plan_id,valid_from,valid_to`; a row per window of time.
    pub devices_csv: String,
    /// `plan_id,name`.
    pub plans_csv: String,
}

impl ReferenceFiles {
    pub(crate) fn of(fleet: &Fleet) -> Self {
        Self { customers_csv: customers(fleet), devices_csv: devices(fleet), plans_csv: plans() }
    }

    /// The files with their names, in the order in which they are to be imported.
    pub fn files(&self) -> [(&'static str, &str); 3] {
        [("customers.csv", &self.customers_csv), ("plans.csv", &self.plans_csv), ("devices.csv", &self.devices_csv)]
    }
}

fn customers(fleet: &Fleet) -> String {
    let mut text = String::from("customer_id,name,owner_path,cycle_day,time_zone\n");
    for c in &fleet.customers {
        writeln!(text, "{},{},{},{},{}", c.id, c.name, c.owner_path, c.cycle_day, c.time_zone).expect("a string takes all");
    }
    text
}

fn devices(fleet: &Fleet) -> String {
    let mut text = String::from("device_id,msisdn,imsi,iccid,subscription_id,customer_id,plan_id,valid_from,valid_to\n");
    for line in &fleet.lines {
        for t in &line.tenures {
            let (customer, until) = (&fleet.customers[t.customer].id, t.to_s.map(instant).unwrap_or_default());
            writeln!(
                text,
                "{},{},{},{},{},{customer},{},{},{until}",
                t.device_id,
                line.msisdn,
                t.imsi,
                t.iccid,
                t.subscription_id,
                t.plan.id,
                instant(t.from_s),
            )
            .expect("a string takes all");
        }
    }
    text
}

fn plans() -> String {
    let mut text = String::from("plan_id,name\n");
    for plan in &PLANS {
        writeln!(text, "{},{}", plan.id, plan.name).expect("a string takes all");
    }
    text
}

/// An instant as `2026-10-01T00:00:00Z`.
fn instant(instant_s: i64) -> String {
    let (year, month, day) = date_of(i32::try_from(instant_s.div_euclid(DAY_S)).expect("a day of this era"));
    let mut clock = Vec::with_capacity(8);
    write_clock(instant_s, &mut clock);
    format!("{year:04}-{month:02}-{day:02}T{}Z", String::from_utf8_lossy(&clock))
}
