//! What an import would write, given what is there: one plan for the dry run and for the import.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::closed::LateUsage;

use crate::database::Store;
use crate::error::StoreError;
use crate::held::held_windows;
use crate::import::{
    CustomerRow, DeviceRow, FullList, ImportContent, ImportMode, ImportRows, MemberRow, PlanRow, SubscriptionRow,
};
use crate::instant::show_instant;
use crate::load::{AsOf, read_customers, read_members, read_plans, read_subscriptions, read_tariff_hashes, read_windows};
use crate::names::Interner;
use crate::report::{Ended, FieldChange, ImportReport, Listed};
use crate::session::Session;
use crate::stated::{windows_of, windows_of_members, windows_of_subscriptions};
use crate::tariff::TariffBundle;
use crate::window::{OwnerCodes, Window, plan_windows};

/// What an import writes.
pub(crate) enum Writes<'a> {
    Customers(ListWrites<CustomerRow>),
    Plans(ListWrites<PlanRow>),
    Windows { windows: Vec<Window>, names: Interner, customers: Vec<CustomerRow>, plans: Vec<PlanRow> },
    Tariff(Option<&'a TariffBundle>),
    Subscriptions { windows: Vec<Window>, names: Interner, customers: Vec<CustomerRow>, plans: Vec<PlanRow> },
    Members { windows: Vec<Window>, names: Interner },
}

/// What a list of customers or plans writes.
pub(crate) struct ListWrites<T> {
    /// New versions of rows.
    pub rows: Vec<T>,
    /// New versions of ends, by id; `None` takes one back.
    pub ends: Vec<(String, Option<i64>)>,
}

/// A row of a list with an id and an end.
trait Listable: Clone + PartialEq {
    fn id(&self) -> &str;
    fn valid_to_us(&self) -> Option<i64>;
    fn end_at(&mut self, at_us: i64);
    /// Its fields but for the id, as a diff shows them.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

fn shown(valid_to_us: Option<i64>) -> String {
    valid_to_us.map(show_instant).unwrap_or_default()
}

impl Listable for CustomerRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn valid_to_us(&self) -> Option<i64> {
        self.valid_to_us
    }

    fn end_at(&mut self, at_us: i64) {
        self.valid_to_us = Some(at_us);
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("name", self.name.clone()),
            ("owner_path", self.owner_path.clone().unwrap_or_default()),
            ("cycle_day", u8::from(self.cycle_day).to_string()),
            ("time_zone", self.time_zone.clone()),
            ("late_usage", self.late_usage.map_or("", LateUsage::as_str).to_owned()),
            ("valid_to", shown(self.valid_to_us)),
        ]
    }
}

impl Listable for PlanRow {
    fn id(&self) -> &str {
        &self.id
    }

    fn valid_to_us(&self) -> Option<i64> {
        self.valid_to_us
    }

    fn end_at(&mut self, at_us: i64) {
        self.valid_to_us = Some(at_us);
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone()), ("valid_to", shown(self.valid_to_us))]
    }
}

impl Store {
    /// What these rows would do to the present state, and what they would write.
    pub(crate) async fn plan<'a>(
        &self,
        sql: &mut Session,
        rows: &'a ImportRows,
    ) -> Result<(ImportReport, Writes<'a>), StoreError> {
        let mut report = ImportReport::new(rows.kind(), rows.row_count());
        let writes = match &rows.content {
            ImportContent::Customers(stated) => {
                let known = read_customers(self, sql, AsOf::LATEST).await?;
                let writes = plan_list(&known, stated, rows.mode, &mut report);
                self.report_use(sql, rows.mode, |owner| owner.customer, &writes.ends, &mut report).await?;
                Writes::Customers(writes)
            }
            ImportContent::Plans(stated) => {
                let known = read_plans(self, sql, AsOf::LATEST).await?;
                let writes = plan_list(&known, stated, rows.mode, &mut report);
                self.report_use(sql, rows.mode, |owner| owner.plan, &writes.ends, &mut report).await?;
                Writes::Plans(writes)
            }
            ImportContent::Devices { rows: stated, without_instant } => {
                report.without_instant = without_instant.clone();
                self.plan_devices(sql, stated, rows.mode, &mut report).await?
            }
            ImportContent::Subscriptions(stated) => self.plan_subscriptions(sql, stated, rows.mode, &mut report).await?,
            ImportContent::Groups(stated) => self.plan_groups(sql, stated, rows.mode, &mut report).await?,
            ImportContent::Tariff(stated) => {
                let known = read_tariff_hashes(self, sql).await?;
                Writes::Tariff(plan_tariff(&known, stated, &mut report))
            }
        };
        Ok((report, writes))
    }

    async fn plan_devices(
        &self,
        sql: &mut Session,
        rows: &[DeviceRow],
        mode: ImportMode,
        report: &mut ImportReport,
    ) -> Result<Writes<'static>, StoreError> {
        let mut names = Interner::default();
        let current = read_windows(self, sql, AsOf::LATEST, &mut names).await?;
        let stated = windows_of(rows, &mut names);
        let windows = plan_windows(&current, &stated, mode, &names, report);
        let left_to_subscriptions: Vec<&str> =
            rows.iter().filter(|r| r.customer.is_empty()).map(|r| r.subscription.as_str()).collect();
        if !left_to_subscriptions.is_empty() {
            let mut known_names = Interner::default();
            let known = read_subscriptions(self, sql, AsOf::LATEST, &mut known_names).await?;
            let known = known.iter().map(|w| known_names.name(w.owner.subscription));
            unknown(left_to_subscriptions.into_iter(), known, &mut report.unknown_subscriptions);
        }
        let payers = rows.iter().filter(|r| !r.customer.is_empty()).map(|r| (&*r.customer, &*r.plan));
        let (customers, plans) = self.plan_unknown(sql, payers, report).await?;
        Ok(Writes::Windows { windows, names, customers, plans })
    }

    async fn plan_subscriptions(
        &self,
        sql: &mut Session,
        rows: &[SubscriptionRow],
        mode: ImportMode,
        report: &mut ImportReport,
    ) -> Result<Writes<'static>, StoreError> {
        let mut names = Interner::default();
        let current = read_subscriptions(self, sql, AsOf::LATEST, &mut names).await?;
        let stated = windows_of_subscriptions(rows, &mut names);
        let windows = plan_windows(&current, &stated, mode, &names, report);
        let payers = rows.iter().map(|r| (&*r.customer, &*r.plan));
        let (customers, plans) = self.plan_unknown(sql, payers, report).await?;
        Ok(Writes::Subscriptions { windows, names, customers, plans })
    }

    async fn plan_groups(
        &self,
        sql: &mut Session,
        rows: &[MemberRow],
        mode: ImportMode,
        report: &mut ImportReport,
    ) -> Result<Writes<'static>, StoreError> {
        let mut names = Interner::default();
        let current = read_members(self, sql, AsOf::LATEST, &mut names).await?;
        let stated = windows_of_members(rows, &mut names);
        let windows = plan_windows(&current, &stated, mode, &names, report);
        let mut known_names = Interner::default();
        let mut known = read_subscriptions(self, sql, AsOf::LATEST, &mut known_names).await?;
        known.extend(read_windows(self, sql, AsOf::LATEST, &mut known_names).await?);
        let known = known.iter().map(|w| known_names.name(w.owner.subscription));
        unknown(rows.iter().map(|r| &*r.subscription), known, &mut report.unknown_subscriptions);
        Ok(Writes::Members { windows, names })
    }

    /// The customers and plans that rows name and nobody has described yet.
    async fn plan_unknown<'r>(
        &self,
        sql: &mut Session,
        payers: impl Iterator<Item = (&'r str, &'r str)> + Clone,
        report: &mut ImportReport,
    ) -> Result<(Vec<CustomerRow>, Vec<PlanRow>), StoreError> {
        let customers = read_customers(self, sql, AsOf::LATEST).await?;
        let plans = read_plans(self, sql, AsOf::LATEST).await?;
        let known = customers.iter().map(|c| &*c.id);
        let customers = unknown(payers.clone().map(|(customer, _)| customer), known, &mut report.new_customers);
        let plans = unknown(payers.map(|(_, plan)| plan), plans.iter().map(|p| &*p.id), &mut report.new_plans);
        let customers = customers.into_iter().map(CustomerRow::unknown).collect();
        Ok((customers, plans.into_iter().map(PlanRow::unknown).collect()))
    }

    /// Customers or plans that a full list ends while windows name them: their calls go on being rated, so someone must know.
    async fn report_use(
        &self,
        sql: &mut Session,
        mode: ImportMode,
        of: fn(&OwnerCodes) -> u32,
        ends: &[(String, Option<i64>)],
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        let Some(list) = mode.full().filter(|_| !ends.is_empty()) else { return Ok(()) };
        let mut names = Interner::default();
        let windows = read_windows(self, sql, AsOf::LATEST, &mut names).await?;
        let subscriptions = read_subscriptions(self, sql, AsOf::LATEST, &mut names).await?;
        let ended: HashSet<&str> = ends.iter().filter(|(_, end)| end.is_some()).map(|(id, _)| &**id).collect();
        let mut used: BTreeMap<&str, u64> = BTreeMap::new();
        for window in held_windows(&windows, &subscriptions, &[], &names) {
            let name = names.name(of(&window.owner));
            if window.to_us > list.as_of_us && ended.contains(name) {
                *used.entry(name).or_default() += 1;
            }
        }
        for (name, count) in used {
            report.still_used.push(format!("{name} ({count} numbers)"));
        }
        Ok(())
    }
}

/// What differs between a list and what is known, and what a full list ends.
fn plan_list<T: Listable>(known: &[T], stated: &[T], mode: ImportMode, report: &mut ImportReport) -> ListWrites<T> {
    let by_id: HashMap<&str, &T> = known.iter().map(|row| (row.id(), row)).collect();
    let mut writes = ListWrites { rows: Vec::new(), ends: Vec::new() };
    for row in stated {
        let before = by_id.get(row.id()).copied();
        match before {
            Some(same) if same == row => {
                report.unchanged += 1;
                continue;
            }
            Some(before) => {
                report.changed += 1;
                note_changes(row.id(), &before.fields(), &row.fields(), report);
            }
            None => {
                report.added += 1;
                report.additions.push(row.id().to_owned());
            }
        }
        if before.and_then(Listable::valid_to_us) != row.valid_to_us() {
            writes.ends.push((row.id().to_owned(), row.valid_to_us()));
        }
        writes.rows.push(row.clone());
    }
    if let Some(list) = mode.full() {
        end_absent(known, stated, list, &mut writes, report);
    }
    writes
}

fn end_absent<T: Listable>(known: &[T], stated: &[T], list: FullList, writes: &mut ListWrites<T>, report: &mut ImportReport) {
    let named: HashSet<&str> = stated.iter().map(Listable::id).collect();
    report.ended_max = Some(list.ended_max);
    for row in known.iter().filter(|row| row.valid_to_us().is_none_or(|end_us| list.as_of_us < end_us)) {
        report.existing += 1;
        if named.contains(row.id()) {
            continue;
        }
        let (what, was) = (row.id().to_owned(), row.valid_to_us().map(show_instant));
        report.ended.push(Ended { what, at: show_instant(list.as_of_us), was });
        let mut ended = row.clone();
        ended.end_at(list.as_of_us);
        writes.ends.push((row.id().to_owned(), ended.valid_to_us()));
        writes.rows.push(ended);
    }
}

fn note_changes(id: &str, before: &[(&'static str, String)], after: &[(&'static str, String)], report: &mut ImportReport) {
    for ((field, was), (_, becomes)) in before.iter().zip(after).filter(|(before, after)| before != after) {
        let (was, becomes) = (was.clone(), becomes.clone());
        report.field_changes.push(FieldChange { id: id.to_owned(), field, was, becomes });
    }
}

fn plan_tariff<'a>(known: &[(String, String)], stated: &'a TariffBundle, report: &mut ImportReport) -> Option<&'a TariffBundle> {
    match known.iter().find(|(name, _)| *name == stated.name) {
        None => {
            report.added += 1;
            report.additions.push(stated.name.clone());
        }
        Some((_, hash)) if *hash == stated.hash => {
            report.unchanged += 1;
            return None;
        }
        Some((name, hash)) => {
            report.changed += 1;
            note_changes(name, &[("sha256", hash.clone())], &[("sha256", stated.hash.clone())], report);
        }
    }
    Some(stated)
}

/// The names that are used and not known, each once, in order of appearance; listed in the report.
fn unknown<'a>(
    used: impl Iterator<Item = &'a str>,
    known: impl Iterator<Item = &'a str>,
    found: &mut Listed<String>,
) -> Vec<&'a str> {
    let mut seen: HashSet<&str> = known.collect();
    let mut unknown = Vec::new();
    for name in used {
        if seen.insert(name) {
            found.push(name.to_owned());
            unknown.push(name);
        }
    }
    unknown
}
