//! An import acts: planned and written in one transaction, once per arrival number, in arrival order.

use domain::closed::LateUsage;
use domain::delivery::ArrivalNumber;

use crate::database::Store;
use crate::error::StoreError;
use crate::import::{CustomerRow, ImportKind, ImportRows, PlanRow};
use crate::load::AsOf;
use crate::names::Interner;
use crate::plan::Writes;
use crate::report::ImportReport;
use crate::session::{INSERT_ROWS, Session, Value};
use crate::statements::{
    ADD_CUSTOMERS, ADD_ENDS, ADD_LATE_RULES, ADD_MEMBERS, ADD_PLANS, ADD_SUBSCRIPTIONS, ADD_TARIFF, ADD_WINDOWS, ARRIVAL_CONTENT,
    Insert, NOTE_IMPORT, NOTED_ROWS, SUPERSEDE_CUSTOMERS, SUPERSEDE_ENDS, SUPERSEDE_LATE_RULES, SUPERSEDE_MEMBERS,
    SUPERSEDE_PLANS, SUPERSEDE_SUBSCRIPTIONS, SUPERSEDE_TARIFFS, SUPERSEDE_WINDOWS, Statement,
};
use crate::tariff::TariffBundle;
use crate::window::{Subject, Window};

/// What applying an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It acted now; what changed.
    Now(Box<ImportReport>),
    /// This arrival had acted before; nothing changed.
    Before,
}

impl Store {
    /// The dry run: what the import would do to the present state. Changes nothing.
    pub async fn plan_import(&self, rows: &ImportRows) -> Result<ImportReport, StoreError> {
        let mut reading = self.read().await?;
        let (report, _) = self.plan(&mut reading, rows).await?;
        reading.commit().await?;
        Ok(report)
    }

    /// Lets a landed import act under its arrival number, which becomes the reference version. The same arrival twice acts
    /// once. Overlapping windows are refused, and then nothing is written.
    pub async fn apply_import(&self, arrival: ArrivalNumber, rows: &ImportRows) -> Result<Applied, StoreError> {
        let number = i64::try_from(arrival).map_err(|_| StoreError::ArrivalTooLarge(arrival))?;
        let mut writing = self.write().await?;
        if self.has_acted(&mut writing, arrival, number, &rows.sha256).await? {
            return Ok(Applied::Before);
        }
        let latest = self.latest_arrival(&mut writing, AsOf::LATEST).await?;
        if arrival <= latest {
            return Err(StoreError::OutOfOrder { arrival, latest });
        }
        let (report, writes) = self.plan(&mut writing, rows).await?;
        if report.is_refused() {
            return Err(StoreError::Refused(Box::new(report)));
        }
        self.write_all(&mut writing, number, &writes).await?;
        self.note(&mut writing, number, rows.kind(), &rows.sha256, rows.row_count()).await?;
        writing.commit().await?;
        Ok(Applied::Now(Box::new(report)))
    }

    /// Notes that a landed import does not act: it was refused, or this version cannot read it. Its place in the order is
    /// taken, so that what arrived later can act; the same on every replay.
    pub async fn pass_over(&self, arrival: ArrivalNumber, kind: ImportKind, sha256: &str) -> Result<(), StoreError> {
        let number = i64::try_from(arrival).map_err(|_| StoreError::ArrivalTooLarge(arrival))?;
        let mut writing = self.write().await?;
        if self.has_acted(&mut writing, arrival, number, sha256).await? {
            return Ok(());
        }
        self.note(&mut writing, number, kind, sha256, 0).await?;
        writing.commit().await
    }

    /// With how many rows an import took its place, whichever process saw to it: 0 if it was passed over. `None` if it has no
    /// place yet.
    pub async fn rows_in_force(&self, arrival: ArrivalNumber) -> Result<Option<u64>, StoreError> {
        let number = i64::try_from(arrival).map_err(|_| StoreError::ArrivalTooLarge(arrival))?;
        let mut reading = self.read().await?;
        let noted: Option<(i64,)> = reading.first(NOTED_ROWS, &[number.into()]).await?;
        reading.commit().await?;
        Ok(noted.map(|(rows,)| rows.unsigned_abs()))
    }

    /// Whether the arrival took its place before, with the same content.
    async fn has_acted(&self, sql: &mut Session, arrival: ArrivalNumber, number: i64, sha256: &str) -> Result<bool, StoreError> {
        match sql.first::<(String,)>(ARRIVAL_CONTENT, &[number.into()]).await? {
            Some((known,)) if known == sha256 => Ok(true),
            Some(_) => Err(StoreError::ArrivalTaken(arrival)),
            None => Ok(false),
        }
    }

    /// Takes the arrival's place in the order.
    async fn note(&self, sql: &mut Session, arrival: i64, kind: ImportKind, sha256: &str, rows: u64) -> Result<(), StoreError> {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        let values = [self.tenant.as_str().into(), arrival.into(), kind.as_str().into(), sha256.into(), rows.into()];
        sql.insert(NOTE_IMPORT, &[values]).await
    }

    async fn write_all(&self, sql: &mut Session, arrival: i64, writes: &Writes<'_>) -> Result<(), StoreError> {
        match writes {
            Writes::Customers(list) => {
                self.write_customers(sql, arrival, &list.rows).await?;
                self.write_ends(sql, arrival, ImportKind::Customers, &list.ends).await
            }
            Writes::Plans(list) => {
                self.write_plans(sql, arrival, &list.rows).await?;
                self.write_ends(sql, arrival, ImportKind::Plans, &list.ends).await
            }
            Writes::Windows { windows, names, customers, plans } => {
                self.write_windows(sql, arrival, windows, names).await?;
                self.write_customers(sql, arrival, customers).await?;
                self.write_plans(sql, arrival, plans).await
            }
            Writes::Subscriptions { windows, names, customers, plans } => {
                self.write_subscriptions(sql, arrival, windows, names).await?;
                self.write_customers(sql, arrival, customers).await?;
                self.write_plans(sql, arrival, plans).await
            }
            Writes::Members { windows, names } => self.write_members(sql, arrival, windows, names).await,
            Writes::Tariff(None) => Ok(()),
            Writes::Tariff(Some(tariff)) => self.write_tariff(sql, arrival, tariff).await,
        }
    }

    async fn write_customers(&self, sql: &mut Session, arrival: i64, customers: &[CustomerRow]) -> Result<(), StoreError> {
        let tenant = self.tenant.as_str();
        let rows = customers.iter().map(|customer| {
            [
                tenant.into(),
                customer.id.as_str().into(),
                customer.name.as_str().into(),
                customer.owner_path.as_deref().unwrap_or(tenant).into(),
                i64::from(u8::from(customer.cycle_day)).into(),
                customer.time_zone.as_str().into(),
                arrival.into(),
            ]
        });
        self.write_versions(sql, arrival, ADD_CUSTOMERS, rows, SUPERSEDE_CUSTOMERS).await?;
        let rules = customers.iter().map(|customer| {
            let rule = customer.late_usage.map_or("", LateUsage::as_str);
            [tenant.into(), customer.id.as_str().into(), rule.into(), arrival.into()]
        });
        self.write_versions(sql, arrival, ADD_LATE_RULES, rules, SUPERSEDE_LATE_RULES).await
    }

    async fn write_plans(&self, sql: &mut Session, arrival: i64, plans: &[PlanRow]) -> Result<(), StoreError> {
        let tenant = self.tenant.as_str();
        let rows = plans.iter().map(|plan| [tenant.into(), plan.id.as_str().into(), plan.name.as_str().into(), arrival.into()]);
        self.write_versions(sql, arrival, ADD_PLANS, rows, SUPERSEDE_PLANS).await
    }

    async fn write_ends(
        &self,
        sql: &mut Session,
        arrival: i64,
        kind: ImportKind,
        ends: &[(String, Option<i64>)],
    ) -> Result<(), StoreError> {
        let (tenant, kind) = (self.tenant.as_str(), kind.as_str());
        let rows = ends.iter().map(|(id, end)| [tenant.into(), kind.into(), id.as_str().into(), (*end).into(), arrival.into()]);
        self.write_versions(sql, arrival, ADD_ENDS, rows, SUPERSEDE_ENDS).await
    }

    async fn write_subscriptions(
        &self,
        sql: &mut Session,
        arrival: i64,
        windows: &[Window],
        names: &Interner,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant.as_str();
        let rows = windows.iter().map(|window| {
            [
                tenant.into(),
                names.name(window.owner.subscription).into(),
                window.from_us.into(),
                window.to_us.into(),
                names.name(window.owner.customer).into(),
                names.name(window.owner.plan).into(),
                arrival.into(),
            ]
        });
        self.write_versions(sql, arrival, ADD_SUBSCRIPTIONS, rows, SUPERSEDE_SUBSCRIPTIONS).await
    }

    async fn write_members(
        &self,
        sql: &mut Session,
        arrival: i64,
        windows: &[Window],
        names: &Interner,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant.as_str();
        let rows = windows.iter().map(|window| {
            [
                tenant.into(),
                names.name(window.owner.subscription).into(),
                window.from_us.into(),
                window.to_us.into(),
                names.name(window.owner.group).into(),
                arrival.into(),
            ]
        });
        self.write_versions(sql, arrival, ADD_MEMBERS, rows, SUPERSEDE_MEMBERS).await
    }

    async fn write_windows(
        &self,
        sql: &mut Session,
        arrival: i64,
        windows: &[Window],
        names: &Interner,
    ) -> Result<(), StoreError> {
        let tenant = self.tenant.as_str();
        let numbers = windows.iter().filter_map(|window| match window.identifier {
            Subject::Number(number) => Some((number, window)),
            Subject::Subscription(_) => None,
        });
        let rows = numbers.map(|(number, window)| {
            let digits = i64::try_from(number.value).expect("19 digits that begin with 89 are below 2^63");
            [
                tenant.into(),
                number.kind.as_str().into(),
                digits.into(),
                window.from_us.into(),
                window.to_us.into(),
                names.name(window.owner.device).into(),
                names.name(window.owner.subscription).into(),
                names.name(window.owner.customer).into(),
                names.name(window.owner.plan).into(),
                arrival.into(),
            ]
        });
        self.write_versions(sql, arrival, ADD_WINDOWS, rows, SUPERSEDE_WINDOWS).await
    }

    async fn write_tariff(&self, sql: &mut Session, arrival: i64, tariff: &TariffBundle) -> Result<(), StoreError> {
        let bundle = tariff.to_json();
        let row = [
            self.tenant.as_str().into(),
            tariff.name.as_str().into(),
            tariff.hash.as_str().into(),
            bundle.as_str().into(),
            arrival.into(),
        ];
        self.write_versions(sql, arrival, ADD_TARIFF, [row].into_iter(), SUPERSEDE_TARIFFS).await
    }

    /// Inserts rows, some at a time, and ends the versions that they replace.
    async fn write_versions<'v, const COLUMNS: usize>(
        &self,
        sql: &mut Session,
        arrival: i64,
        add: Insert,
        mut rows: impl Iterator<Item = [Value<'v>; COLUMNS]>,
        supersede: Statement,
    ) -> Result<(), StoreError> {
        loop {
            let some: Vec<_> = rows.by_ref().take(INSERT_ROWS).collect();
            if some.is_empty() {
                break;
            }
            sql.insert(add, &some).await?;
        }
        sql.run(supersede, &[arrival.into(), self.tenant.as_str().into()]).await
    }
}
