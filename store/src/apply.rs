//! An import acts: planned and written in one transaction, once per arrival number, in arrival order.

use std::collections::{HashMap, HashSet};

use domain::delivery::ArrivalNumber;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::database::Store;
use crate::error::StoreError;
use crate::import::{CustomerRow, DeviceRow, ImportContent, ImportKind, ImportRows, PlanRow};
use crate::load::{AsOf, read_customers, read_plans, read_tariff_hashes, read_windows};
use crate::names::Interner;
use crate::report::{ImportReport, Listed};
use crate::tariff::TariffBundle;
use crate::window::{Window, plan_windows, windows_of};

/// Rows of one INSERT: 1,000 × 10 values stay below the 32,766 parameters that SQLite allows, and the 65,535 of
/// `PostgreSQL`.
const INSERT_ROWS: usize = 1_000;

/// What applying an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It acted now; what changed.
    Now(Box<ImportReport>),
    /// This arrival had acted before; nothing changed.
    Before,
}

/// What an import writes.
enum Writes<'a> {
    Customers(Vec<&'a CustomerRow>),
    Plans(Vec<&'a PlanRow>),
    Windows { windows: Vec<Window>, names: Interner, customers: Vec<CustomerRow>, plans: Vec<PlanRow> },
    Tariff(Option<&'a TariffBundle>),
}

impl Store {
    /// The dry run: what the import would do to the present state. Changes nothing.
    pub async fn plan_import(&self, rows: &ImportRows) -> Result<ImportReport, StoreError> {
        let mut reading = self.read().await?;
        let (report, _) = self.plan(&mut reading, rows).await?;
        Ok(report)
    }

    /// Lets a landed import act under its arrival number, which becomes the reference version. The same arrival twice acts
    /// once. Overlapping windows are refused, and then nothing is written.
    pub async fn apply_import(&self, arrival: ArrivalNumber, rows: &ImportRows) -> Result<Applied, StoreError> {
        let number = i64::try_from(arrival).map_err(|_| StoreError::ArrivalTooLarge(arrival))?;
        let mut writing = self.write().await?;
        let known: Option<String> = sqlx::query_scalar("SELECT content_sha256 FROM imports WHERE arrival = $1")
            .bind(number)
            .fetch_optional(&mut *writing)
            .await
            .map_err(|e| self.error("look up an arrival", e))?;
        match known {
            Some(sha256) if sha256 == rows.sha256 => return Ok(Applied::Before),
            Some(_) => return Err(StoreError::ArrivalTaken(arrival)),
            None => {}
        }
        let latest = self.latest_arrival(&mut writing, AsOf::LATEST).await?;
        if arrival <= latest {
            return Err(StoreError::OutOfOrder { arrival, latest });
        }
        let (report, writes) = self.plan(&mut writing, rows).await?;
        if report.is_refused() {
            return Err(StoreError::Refused(Box::new(report)));
        }
        self.write_all(&mut writing, number, rows, &writes).await.map_err(|e| self.error("write an import", e))?;
        writing.commit().await.map_err(|e| self.error("commit an import", e))?;
        Ok(Applied::Now(Box::new(report)))
    }

    /// Notes that a landed import does not act: it was refused, or this version cannot read it. Its place in the order is
    /// taken, so that what arrived later can act; the same on every replay.
    pub async fn pass_over(&self, arrival: ArrivalNumber, kind: ImportKind, sha256: &str) -> Result<(), StoreError> {
        let number = i64::try_from(arrival).map_err(|_| StoreError::ArrivalTooLarge(arrival))?;
        let mut writing = self.write().await?;
        sqlx::query("INSERT INTO imports (tenant, arrival, kind, content_sha256, row_count) VALUES ($1, $2, $3, $4, 0)")
            .bind(self.tenant.as_str())
            .bind(number)
            .bind(kind.as_str())
            .bind(sha256)
            .execute(&mut *writing)
            .await
            .map_err(|e| self.error("pass over an import", e))?;
        writing.commit().await.map_err(|e| self.error("commit an import", e))
    }

    async fn plan<'a>(&self, sql: &mut SqliteConnection, rows: &'a ImportRows) -> Result<(ImportReport, Writes<'a>), StoreError> {
        let mut report = ImportReport::new(rows.kind(), rows.row_count());
        let writes = match &rows.content {
            ImportContent::Customers(stated) => {
                let known = read_customers(self, sql, AsOf::LATEST).await?;
                Writes::Customers(differing(&known, stated, |c| &c.id, &mut report))
            }
            ImportContent::Plans(stated) => {
                let known = read_plans(self, sql, AsOf::LATEST).await?;
                Writes::Plans(differing(&known, stated, |p| &p.id, &mut report))
            }
            ImportContent::Devices { rows, without_instant } => {
                report.without_instant = without_instant.clone();
                self.plan_devices(sql, rows, &mut report).await?
            }
            ImportContent::Tariff(stated) => {
                let known = read_tariff_hashes(self, sql).await?;
                let pair = [(stated.name.clone(), stated.hash.clone())];
                let written = differing(&known, &pair, |(name, _)| name, &mut report);
                Writes::Tariff((!written.is_empty()).then_some(stated))
            }
        };
        Ok((report, writes))
    }

    async fn plan_devices(
        &self,
        sql: &mut SqliteConnection,
        rows: &[DeviceRow],
        report: &mut ImportReport,
    ) -> Result<Writes<'static>, StoreError> {
        let mut names = Interner::default();
        let current = read_windows(self, sql, AsOf::LATEST, &mut names).await?;
        let stated = windows_of(rows, &mut names);
        let windows = plan_windows(&current, &stated, &names, report);
        let customers = read_customers(self, sql, AsOf::LATEST).await?;
        let plans = read_plans(self, sql, AsOf::LATEST).await?;
        let new_customers =
            unknown(rows.iter().map(|r| &*r.customer), customers.iter().map(|c| &*c.id), &mut report.new_customers);
        let new_plans = unknown(rows.iter().map(|r| &*r.plan), plans.iter().map(|p| &*p.id), &mut report.new_plans);
        Ok(Writes::Windows {
            windows,
            names,
            customers: new_customers.into_iter().map(CustomerRow::unknown).collect(),
            plans: new_plans.into_iter().map(|id| PlanRow { id: id.to_owned(), name: id.to_owned() }).collect(),
        })
    }

    async fn write_all(
        &self,
        sql: &mut SqliteConnection,
        arrival: i64,
        rows: &ImportRows,
        writes: &Writes<'_>,
    ) -> Result<(), sqlx::Error> {
        match writes {
            Writes::Customers(customers) => self.write_customers(sql, arrival, customers).await?,
            Writes::Plans(plans) => self.write_plans(sql, arrival, plans).await?,
            Writes::Windows { windows, names, customers, plans } => {
                self.write_windows(sql, arrival, windows, names).await?;
                self.write_customers(sql, arrival, &customers.iter().collect::<Vec<_>>()).await?;
                self.write_plans(sql, arrival, &plans.iter().collect::<Vec<_>>()).await?;
            }
            Writes::Tariff(None) => {}
            Writes::Tariff(Some(tariff)) => self.write_tariff(sql, arrival, tariff).await?,
        }
        sqlx::query("INSERT INTO imports (tenant, arrival, kind, content_sha256, row_count) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.tenant.as_str())
            .bind(arrival)
            .bind(rows.kind().as_str())
            .bind(&rows.sha256)
            .bind(i64::try_from(rows.row_count()).unwrap_or(i64::MAX))
            .execute(sql)
            .await?;
        Ok(())
    }

    async fn write_customers(&self, sql: &mut SqliteConnection, arrival: i64, rows: &[&CustomerRow]) -> Result<(), sqlx::Error> {
        for some in rows.chunks(INSERT_ROWS) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO customers (tenant, customer_id, name, owner_path, cycle_day, time_zone, known_since) ",
            );
            insert.push_values(some, |mut row, customer| {
                row.push_bind(self.tenant.as_str())
                    .push_bind(&customer.id)
                    .push_bind(&customer.name)
                    .push_bind(customer.owner_path.as_deref().unwrap_or(self.tenant.as_str()))
                    .push_bind(i64::from(u8::from(customer.cycle_day)))
                    .push_bind(&customer.time_zone)
                    .push_bind(arrival);
            });
            insert.build().execute(&mut *sql).await?;
        }
        self.supersede(
            sql,
            arrival,
            "UPDATE customers SET superseded_by = $1 \
             WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
               SELECT 1 FROM customers AS newer WHERE newer.tenant = customers.tenant \
               AND newer.customer_id = customers.customer_id AND newer.known_since = $1)",
        )
        .await
    }

    async fn write_plans(&self, sql: &mut SqliteConnection, arrival: i64, rows: &[&PlanRow]) -> Result<(), sqlx::Error> {
        for some in rows.chunks(INSERT_ROWS) {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO plans (tenant, plan_id, name, known_since) ");
            insert.push_values(some, |mut row, plan| {
                row.push_bind(self.tenant.as_str()).push_bind(&plan.id).push_bind(&plan.name).push_bind(arrival);
            });
            insert.build().execute(&mut *sql).await?;
        }
        self.supersede(
            sql,
            arrival,
            "UPDATE plans SET superseded_by = $1 \
             WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
               SELECT 1 FROM plans AS newer WHERE newer.tenant = plans.tenant \
               AND newer.plan_id = plans.plan_id AND newer.known_since = $1)",
        )
        .await
    }

    async fn write_windows(
        &self,
        sql: &mut SqliteConnection,
        arrival: i64,
        windows: &[Window],
        names: &Interner,
    ) -> Result<(), sqlx::Error> {
        for some in windows.chunks(INSERT_ROWS) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO link_windows (tenant, identifier_kind, identifier, valid_from_us, valid_to_us, \
                 device_id, subscription_id, customer_id, plan_id, known_since) ",
            );
            insert.push_values(some, |mut row, window| {
                row.push_bind(self.tenant.as_str())
                    .push_bind(window.identifier.kind.as_str())
                    .push_bind(i64::try_from(window.identifier.value).expect("19 digits that begin with 89 are below 2^63"))
                    .push_bind(window.from_us)
                    .push_bind(window.to_us)
                    .push_bind(names.name(window.owner.device))
                    .push_bind(names.name(window.owner.subscription))
                    .push_bind(names.name(window.owner.customer))
                    .push_bind(names.name(window.owner.plan))
                    .push_bind(arrival);
            });
            insert.build().execute(&mut *sql).await?;
        }
        self.supersede(
            sql,
            arrival,
            "UPDATE link_windows SET superseded_by = $1 \
             WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
               SELECT 1 FROM link_windows AS newer WHERE newer.tenant = link_windows.tenant \
               AND newer.identifier_kind = link_windows.identifier_kind AND newer.identifier = link_windows.identifier \
               AND newer.valid_from_us = link_windows.valid_from_us AND newer.known_since = $1)",
        )
        .await
    }

    async fn write_tariff(&self, sql: &mut SqliteConnection, arrival: i64, tariff: &TariffBundle) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO tariffs (tenant, name, content_sha256, bundle, known_since) VALUES ($1, $2, $3, $4, $5)")
            .bind(self.tenant.as_str())
            .bind(&tariff.name)
            .bind(&tariff.hash)
            .bind(tariff.to_json())
            .bind(arrival)
            .execute(&mut *sql)
            .await?;
        self.supersede(
            sql,
            arrival,
            "UPDATE tariffs SET superseded_by = $1 \
             WHERE tenant = $2 AND superseded_by IS NULL AND known_since < $1 AND EXISTS (\
               SELECT 1 FROM tariffs AS newer WHERE newer.tenant = tariffs.tenant \
               AND newer.name = tariffs.name AND newer.known_since = $1)",
        )
        .await
    }

    /// Ends the versions that this arrival replaces: `update` takes the arrival and the tenant.
    async fn supersede(&self, sql: &mut SqliteConnection, arrival: i64, update: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(update).bind(arrival).bind(self.tenant.as_str()).execute(sql).await?;
        Ok(())
    }
}

/// The stated rows that are new or say something else than the known row of their key; counts all.
fn differing<'a, T: PartialEq>(
    known: &[T],
    stated: &'a [T],
    key: impl Fn(&T) -> &String,
    report: &mut ImportReport,
) -> Vec<&'a T> {
    let known: HashMap<&String, &T> = known.iter().map(|row| (key(row), row)).collect();
    let mut written = Vec::new();
    for row in stated {
        match known.get(key(row)) {
            None => report.added += 1,
            Some(same) if *same == row => {
                report.unchanged += 1;
                continue;
            }
            Some(_) => report.changed += 1,
        }
        written.push(row);
    }
    written
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
