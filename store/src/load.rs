//! Reading the state as it was at an arrival: what linking and rating take, and what screens show.

use std::collections::HashMap;

use domain::closed::LateUsage;
use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::delivery::ArrivalNumber;
use domain::ids::Names;
use domain::number::mask_digits;
use domain::period::CycleDay;
use domain::zone::Zone;

use crate::database::Store;
use crate::error::StoreError;
use crate::held::{HeldWindow, held_windows};
use crate::identifier::{Identifier, IdentifierKind};
use crate::import::{CustomerRow, ImportKind, PlanRow};
use crate::names::Interner;
use crate::report::Origin;
use crate::session::Session;
use crate::statements::{
    COUNTS, CUSTOMERS, ENDS, LATE_RULES, LATEST_ARRIVAL, LATEST_IMPORT, MEMBERS, PLANS, SUBSCRIPTIONS, TARIFF_HASHES, TARIFFS,
    UNIT_SEPARATOR, WINDOWS,
};
use crate::tariff::TariffBundle;
use crate::window::{OwnerCodes, Subject, Window};

/// A number that leads to a window: kind, digits, position in [`Owners::windows`].
pub type LinkEntry = (IdentifierKind, u64, u32);

/// All reference data of a version.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    /// The arrival number of the latest import in it; 0 when nothing was imported yet.
    pub version: ArrivalNumber,
    /// The windows and the names behind their codes. Equal windows of a row's several numbers stand there once.
    pub owners: Owners,
    /// Which number leads to which window, sorted by kind, digits and the window's start. The windows of one number do not
    /// overlap.
    pub identifiers: Vec<LinkEntry>,
    /// The tariffs, by name.
    pub tariffs: Vec<TariffBundle>,
}

/// How much reference data there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ReferenceCounts {
    /// The arrival number of the latest import; 0 when nothing was imported yet.
    pub version: ArrivalNumber,
    /// Customers.
    pub customers: u64,
    /// Plans.
    pub plans: u64,
    /// Devices.
    pub devices: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Windows, one per number.
    pub windows: u64,
    /// Tariffs.
    pub tariffs: u64,
}

/// The reference version to read, as the database counts it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AsOf(i64);

impl AsOf {
    /// All that acted.
    pub const LATEST: Self = Self(i64::MAX);
}

impl From<Option<ArrivalNumber>> for AsOf {
    fn from(at: Option<ArrivalNumber>) -> Self {
        Self(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(i64::MAX))
    }
}

impl Store {
    /// The reference data as of arrival `at` (that import included), or the latest. The version that comes back is the
    /// latest import up to `at`.
    pub async fn load_reference(&self, at: Option<ArrivalNumber>) -> Result<Reference, StoreError> {
        let as_of = AsOf::from(at);
        let mut sql = self.read().await?;
        let version = self.latest_arrival(&mut sql, as_of).await?;
        let mut names = Interner::default();
        let windows = read_windows(self, &mut sql, as_of, &mut names).await?;
        let subscriptions = read_subscriptions(self, &mut sql, as_of, &mut names).await?;
        let members = read_members(self, &mut sql, as_of, &mut names).await?;
        let customers = read_customers(self, &mut sql, as_of).await?;
        let plans = read_plans(self, &mut sql, as_of).await?;
        let tariffs = self.read_tariffs(&mut sql, as_of).await?;
        sql.commit().await?;
        let held = held_windows(&windows, &subscriptions, &members, &names);
        let (owners, identifiers) = self.link_table(&held, &names, &customers, &plans)?;
        Ok(Reference { version, owners, identifiers, tariffs })
    }

    /// All customers as of an arrival, or the latest, in natural order of their ids; with names for screens.
    pub async fn customers(&self, at: Option<ArrivalNumber>) -> Result<Vec<CustomerRow>, StoreError> {
        let mut sql = self.read().await?;
        let mut customers = read_customers(self, &mut sql, at.into()).await?;
        sql.commit().await?;
        customers.sort_by(|a, b| domain::ids::natural_order(&a.id, &b.id));
        Ok(customers)
    }

    /// All plans as of an arrival, or the latest, in natural order of their ids.
    pub async fn plans(&self, at: Option<ArrivalNumber>) -> Result<Vec<PlanRow>, StoreError> {
        let mut sql = self.read().await?;
        let mut plans = read_plans(self, &mut sql, at.into()).await?;
        sql.commit().await?;
        plans.sort_by(|a, b| domain::ids::natural_order(&a.id, &b.id));
        Ok(plans)
    }

    /// The newest import that acted or was passed over: its arrival and the SHA-256 of its bytes. Landing holds it, unless
    /// this is the state of another landing.
    pub async fn latest_import(&self) -> Result<Option<(ArrivalNumber, String)>, StoreError> {
        let mut sql = self.read().await?;
        let latest: Option<(i64, String)> = sql.first(LATEST_IMPORT, &[self.tenant.as_str().into()]).await?;
        sql.commit().await?;
        Ok(latest.map(|(arrival, sha256)| (arrival.unsigned_abs(), sha256)))
    }

    /// The present version and how much there is in it.
    pub async fn reference_counts(&self) -> Result<ReferenceCounts, StoreError> {
        let mut sql = self.read().await?;
        let version = self.latest_arrival(&mut sql, AsOf::LATEST).await?;
        let counts: (i64, i64, i64, i64, i64, i64) = sql.one(COUNTS, &[self.tenant.as_str().into()]).await?;
        sql.commit().await?;
        Ok(ReferenceCounts {
            version,
            customers: counts.0.unsigned_abs(),
            plans: counts.1.unsigned_abs(),
            devices: counts.2.unsigned_abs(),
            subscriptions: counts.3.unsigned_abs(),
            windows: counts.4.unsigned_abs(),
            tariffs: counts.5.unsigned_abs(),
        })
    }

    /// The latest import up to a version; 0 if there is none.
    pub(crate) async fn latest_arrival(&self, sql: &mut Session, as_of: AsOf) -> Result<ArrivalNumber, StoreError> {
        let (latest,): (i64,) = sql.one(LATEST_ARRIVAL, &[self.tenant.as_str().into(), as_of.0.into()]).await?;
        Ok(latest.unsigned_abs())
    }

    async fn read_tariffs(&self, sql: &mut Session, as_of: AsOf) -> Result<Vec<TariffBundle>, StoreError> {
        let mut rows: Vec<(String, String)> = sql.all(TARIFFS, &[self.tenant.as_str().into(), as_of.0.into()]).await?;
        rows.sort_unstable();
        let read = |(name, bundle): (String, String)| {
            TariffBundle::from_json(bundle.as_bytes())
                .map_err(|e| self.corrupt(format!("a tariff `{name}` that cannot be read: {e}")))
        };
        rows.into_iter().map(read).collect()
    }

    /// Windows with computed ends, names as codes in natural order, and the numbers that lead to the windows.
    fn link_table(
        &self,
        windows: &[HeldWindow],
        interned: &Interner,
        customers: &[CustomerRow],
        plans: &[PlanRow],
    ) -> Result<(Owners, Vec<LinkEntry>), StoreError> {
        let list = |code: fn(&OwnerCodes) -> u32| {
            let mut codes: Vec<u32> = windows.iter().map(|w| code(&w.owner)).collect();
            codes.sort_unstable();
            codes.dedup();
            codes.into_iter().map(|c| interned.name(c)).collect::<Vec<&str>>()
        };
        let devices = Names::new(list(|o| o.device));
        let subscriptions = Names::new(list(|o| o.subscription));
        let groups = Names::new(list(|o| o.group).into_iter().filter(|name| !name.is_empty()));
        let plan_names = Names::new(plans.iter().map(|p| &*p.id).chain(list(|o| o.plan)));
        let (customer_names, customer_list, zones) = self.customer_table(customers, list(|o| o.customer))?;

        let (by_device, by_subscription) = (Recoded::new(&devices, interned), Recoded::new(&subscriptions, interned));
        let (by_customer, by_plan) = (Recoded::new(&customer_names, interned), Recoded::new(&plan_names, interned));
        let by_group = Recoded::new(&groups, interned);
        let owners_of: Vec<Owner> = windows
            .iter()
            .map(|window| Owner {
                from_us: window.from_us,
                to_us: window.to_us,
                device: by_device.code(window.owner.device),
                subscription: by_subscription.code(window.owner.subscription),
                customer: by_customer.code(window.owner.customer),
                plan: by_plan.code(window.owner.plan),
                group: by_group.find(window.owner.group).unwrap_or(NO_GROUP),
            })
            .collect();
        let order = |o: &Owner| (o.device, o.from_us, o.to_us, o.subscription, o.customer, o.plan, o.group);
        let mut distinct = owners_of.clone();
        distinct.sort_unstable_by_key(order);
        distinct.dedup();

        let mut identifiers = Vec::with_capacity(windows.len());
        for (window, owner) in windows.iter().zip(&owners_of) {
            let position =
                distinct.binary_search_by_key(&order(owner), order).expect("every owner is in the sorted list of owners");
            let position = u32::try_from(position).map_err(|_| self.corrupt("more than 2^32 windows".to_owned()))?;
            identifiers.push((window.number.kind, window.number.value, position));
        }
        let owners = Owners {
            windows: distinct,
            devices,
            subscriptions,
            customer_names,
            customers: customer_list,
            plans: plan_names,
            groups,
            zones,
        };
        Ok((owners, identifiers))
    }

    /// Customers in the order of their names, and the zones that they use.
    fn customer_table(&self, rows: &[CustomerRow], used: Vec<&str>) -> Result<(Names, Vec<Customer>, Vec<Zone>), StoreError> {
        let names = Names::new(rows.iter().map(|c| &*c.id).chain(used));
        let by_id: HashMap<&str, &CustomerRow> = rows.iter().map(|row| (&*row.id, row)).collect();
        let mut zones: Vec<Zone> = Vec::new();
        let mut customers = Vec::with_capacity(names.len());
        for id in names.iter() {
            let row = by_id.get(id).ok_or_else(|| self.corrupt(format!("windows of customer `{id}` without the customer")))?;
            let position = if let Some(position) = zones.iter().position(|zone| zone.name() == row.time_zone) {
                position
            } else {
                let zone = Zone::load(&row.time_zone);
                zones.push(zone.ok_or_else(|| self.corrupt(format!("the unknown time zone `{}`", row.time_zone)))?);
                zones.len() - 1
            };
            customers.push(Customer {
                owner_path: row.owner_path.as_deref().unwrap_or(self.tenant.as_str()).into(),
                cycle_day: row.cycle_day,
                zone: u16::try_from(position).map_err(|_| self.corrupt("more than 65,535 time zones".to_owned()))?,
            });
        }
        Ok((names, customers, zones))
    }
}

/// From an interned code to the code in a sorted list of names, each looked up once.
struct Recoded(Vec<Option<u32>>);

impl Recoded {
    fn new(names: &Names, interned: &Interner) -> Self {
        let mut codes = vec![None; interned.len()];
        for (code, name) in (0u32..).zip(names.iter()) {
            if let Some(interned) = interned.find(name) {
                codes[interned as usize] = Some(code);
            }
        }
        Self(codes)
    }

    /// The code of a name that is in the list.
    fn code(&self, interned: u32) -> u32 {
        self.find(interned).expect("the list was made of all names of the windows")
    }

    /// The code of a name, if it is in the list.
    fn find(&self, interned: u32) -> Option<u32> {
        self.0[interned as usize]
    }
}

/// The stated windows as of a version, sorted by key.
pub(crate) async fn read_windows(
    store: &Store,
    sql: &mut Session,
    as_of: AsOf,
    names: &mut Interner,
) -> Result<Vec<Window>, StoreError> {
    let rows: Vec<(String,)> = sql.all(WINDOWS, &[store.tenant.as_str().into(), as_of.0.into()]).await?;
    let mut windows = Vec::with_capacity(rows.len());
    for (row,) in rows {
        let window = window(&row, names).ok_or_else(|| store.corrupt(format!("the window `{}`", shown(&row))))?;
        windows.push(window);
    }
    windows.sort_unstable_by_key(Window::key);
    Ok(windows)
}

/// A row of [`WINDOWS`] for an error: its columns apart, no number in clear.
fn shown(row: &str) -> String {
    mask_digits(&row.replace(UNIT_SEPARATOR, " "))
}

/// A row of [`WINDOWS`].
fn window(row: &str, names: &mut Interner) -> Option<Window> {
    let mut columns = row.split(UNIT_SEPARATOR);
    let mut next = || columns.next();
    let kind = IdentifierKind::from_name(next()?)?;
    let value = next()?.parse().ok()?;
    let from_us = next()?.parse().ok()?;
    let to_us = match next()? {
        "" => None,
        end => Some(end.parse().ok()?),
    };
    let owner = OwnerCodes {
        device: names.code(next()?),
        subscription: names.code(next()?),
        customer: names.code(next()?),
        plan: names.code(next()?),
        group: names.code(""),
    };
    let origin = Origin::Arrival(next()?.parse().ok()?);
    let window = Window { identifier: Subject::Number(Identifier { kind, value }), from_us, to_us, owner, origin };
    next().is_none().then_some(window)
}

/// The stated rows of subscriptions as of a version, sorted by key; the subscription has no device.
pub(crate) async fn read_subscriptions(
    store: &Store,
    sql: &mut Session,
    as_of: AsOf,
    names: &mut Interner,
) -> Result<Vec<Window>, StoreError> {
    type Stored = (String, i64, Option<i64>, String, String, i64);
    let rows: Vec<Stored> = sql.all(SUBSCRIPTIONS, &[store.tenant.as_str().into(), as_of.0.into()]).await?;
    let mut windows = Vec::with_capacity(rows.len());
    for (subscription, from_us, to_us, customer, plan, known_since) in rows {
        let (subscription, nothing) = (names.code(&subscription), names.code(""));
        let (customer, plan) = (names.code(&customer), names.code(&plan));
        let owner = OwnerCodes { device: nothing, subscription, customer, plan, group: nothing };
        let origin = Origin::Arrival(known_since.unsigned_abs());
        windows.push(Window { identifier: Subject::Subscription(subscription), from_us, to_us, owner, origin });
    }
    windows.sort_unstable_by_key(Window::key);
    Ok(windows)
}

/// The stated rows of lines in groups as of a version, sorted by key; they have neither device nor payer.
pub(crate) async fn read_members(
    store: &Store,
    sql: &mut Session,
    as_of: AsOf,
    names: &mut Interner,
) -> Result<Vec<Window>, StoreError> {
    type Stored = (String, i64, Option<i64>, String, i64);
    let rows: Vec<Stored> = sql.all(MEMBERS, &[store.tenant.as_str().into(), as_of.0.into()]).await?;
    let mut windows = Vec::with_capacity(rows.len());
    for (subscription, from_us, to_us, group, known_since) in rows {
        let (subscription, nothing) = (names.code(&subscription), names.code(""));
        let owner = OwnerCodes { device: nothing, subscription, customer: nothing, plan: nothing, group: names.code(&group) };
        let origin = Origin::Arrival(known_since.unsigned_abs());
        windows.push(Window { identifier: Subject::Subscription(subscription), from_us, to_us, owner, origin });
    }
    windows.sort_unstable_by_key(Window::key);
    Ok(windows)
}

/// The customers as of a version.
pub(crate) async fn read_customers(store: &Store, sql: &mut Session, as_of: AsOf) -> Result<Vec<CustomerRow>, StoreError> {
    type Stored = (String, String, String, i64, String);
    let rows: Vec<Stored> = sql.all(CUSTOMERS, &[store.tenant.as_str().into(), as_of.0.into()]).await?;
    let ends = read_ends(store, sql, as_of, ImportKind::Customers).await?;
    let rules: HashMap<String, String> =
        sql.all::<(String, String)>(LATE_RULES, &[store.tenant.as_str().into(), as_of.0.into()]).await?.into_iter().collect();
    let read = |(id, name, owner_path, day, time_zone): Stored| {
        let cycle_day = u8::try_from(day).ok().and_then(|day| CycleDay::try_from(day).ok());
        let cycle_day = cycle_day.ok_or_else(|| store.corrupt(format!("the cycle day {day} of customer `{id}`")))?;
        let owner_path = (owner_path != store.tenant.as_str()).then_some(owner_path);
        let late_usage = rules.get(&id).and_then(|rule| LateUsage::parse(rule));
        let valid_to_us = ends.get(&id).copied();
        Ok(CustomerRow { id, name, owner_path, cycle_day, time_zone, late_usage, valid_to_us })
    };
    rows.into_iter().map(read).collect()
}

/// The plans as of a version.
pub(crate) async fn read_plans(store: &Store, sql: &mut Session, as_of: AsOf) -> Result<Vec<PlanRow>, StoreError> {
    let rows: Vec<(String, String)> = sql.all(PLANS, &[store.tenant.as_str().into(), as_of.0.into()]).await?;
    let ends = read_ends(store, sql, as_of, ImportKind::Plans).await?;
    let row = |(id, name): (String, String)| PlanRow { valid_to_us: ends.get(&id).copied(), id, name };
    Ok(rows.into_iter().map(row).collect())
}

/// When customers or plans end, by id.
async fn read_ends(store: &Store, sql: &mut Session, as_of: AsOf, kind: ImportKind) -> Result<HashMap<String, i64>, StoreError> {
    let values = [store.tenant.as_str().into(), as_of.0.into(), kind.as_str().into()];
    Ok(sql.all::<(String, i64)>(ENDS, &values).await?.into_iter().collect())
}

/// Name and hash of the present tariffs.
pub(crate) async fn read_tariff_hashes(store: &Store, sql: &mut Session) -> Result<Vec<(String, String)>, StoreError> {
    sql.all(TARIFF_HASHES, &[store.tenant.as_str().into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_windows_is_read_whole_or_not_at_all() {
        let row = |text: &str| text.replace('|', &UNIT_SEPARATOR.to_string());
        let mut names = Interner::default();
        let whole = row("msisdn|31612345678|1000||sim 1|sub-1|Jansen, Zn.|Zakelijk M|7");
        let window = window(&whole, &mut names).expect("a window");
        assert_eq!(window.identifier, Subject::Number(Identifier { kind: IdentifierKind::Msisdn, value: 31_612_345_678 }));
        assert_eq!((window.from_us, window.to_us), (1000, None));
        let names_of = [window.owner.device, window.owner.subscription, window.owner.customer, window.owner.plan];
        assert_eq!(names_of.map(|code| names.name(code)), ["sim 1", "sub-1", "Jansen, Zn.", "Zakelijk M"]);
        let ended = super::window(&row("imsi|204080000000001|-5|2000|d|s|c|p|7"), &mut names).expect("a window");
        assert_eq!((ended.from_us, ended.to_us), (-5, Some(2000)));
        for spoilt in
            ["pigeon|316|1||d|s|c|p|7", "msisdn|316|1||d|s|c|p", "msisdn|316|1||d|s|c|p|7|8", "msisdn|316|x||d|s|c|p|7", ""]
        {
            assert!(super::window(&row(spoilt), &mut names).is_none(), "{spoilt}");
        }
        assert!(!shown(&whole).contains("31612345678"), "numbers are masked: {}", shown(&whole));
    }
}
