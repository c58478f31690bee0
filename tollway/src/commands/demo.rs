//! `tollway demo`: a month of call records made, landed, rated, totalled and shown, with nothing to install.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use domain::delivery::Account;
use domain::ids::{AccountId, ProviderId};
use domain::outcome::Counts;
use domain::ports::Clock;
use generator::folder::MadeFile;
use generator::month::Month;
use generator::settings::Settings;
use ingest::land::LandRequest;
use serde_json::json;

use super::demo_report::{Measured, write_report};
use super::import::{import_text, tariff_bundle};
use super::ingest::{LandedFiles, note};
use super::rows::ask_rows;
use super::suspense::{BY_REASON, remedy};
use crate::backlog::Backlog;
use crate::cli::{DemoArgs, Global, ImportWhat, OutputMode};
use crate::counts::{grouped, outcomes, sum, to_json};
use crate::exit_code::{Exit, refused};
use crate::flow::Finished;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, bytes, count, seconds, to_stdout};
use crate::settling::settle;
use crate::system::SystemClock;

/// Customers on the screen.
const CUSTOMERS_SHOWN: usize = 6;

/// The shipped tariff that prices the month.
const TARIFF: &str = "nl-zakelijk";

/// The record that is explained: a call abroad whose price has something to tell. The same in every demo but for its key.
const ONE_CALL: &str = "SELECT encode(record_key, 'hex') AS record FROM cdr WHERE outcome = 'rated' AND kind = 'voice-mo' \
    AND zone_by = 'prefix' AND zone LIKE 'EU%' AND plan = 'zakelijk-plus' AND duration_s BETWEEN 61 AND 600 AND charge > 0 \
    ORDER BY start, delivery, row LIMIT 1";

/// Runs the command.
pub fn run(global: &Global, args: &DemoArgs) -> anyhow::Result<Exit> {
    let began = SystemClock.now_us();
    let installation = Installation::open_or_create(global)?;
    let folder = installation.folder().join("demo");
    claim_folder(&folder, args.seed, installation.landing().next_number()? > 1)?;
    let say = |text: String| match global.output {
        OutputMode::Table => to_stdout(|out| Ok(writeln!(out, "{text}")?)),
        OutputMode::Json | OutputMode::Csv => Ok(()),
    };
    let month = Month::new(Settings { seed: args.seed, ..Settings::default() })?;
    say(format!(
        "tollway demo · data folder {} · {}, seed {}\n",
        installation.folder().display(),
        month.settings().year_month,
        args.seed
    ))?;
    let made = month.write_folder(&folder, |_| ()).context("failed to write the demo's files")?;
    let rows: u64 = made.iter().map(|f| f.facts.rows).sum();
    let at = SystemClock.now_us();
    say(format!("  made      {} files, {} rows   {}", made.len(), count(rows), seconds(at - began)))?;

    let store = installation.state()?;
    let tariffs = installation.block_on(store.load_reference(None))?.tariffs;
    // Whoever has put other prices in its place wants those.
    if !tariffs.iter().any(|tariff| tariff.name == TARIFF) {
        import_text(&installation, &store, ImportWhat::Tariffs, TARIFF, &tariff_bundle(Path::new(TARIFF), None)?)?;
    }
    let reference = month.reference();
    for (name, text) in reference.files() {
        let what = match name {
            "customers.csv" => ImportWhat::Customers,
            "plans.csv" => ImportWhat::Plans,
            _ => ImportWhat::Devices,
        };
        import_text(&installation, &store, what, name, text.as_bytes())?;
    }
    let landed = land(&installation, &folder, &made)?;
    let landed_at = SystemClock.now_us();
    say(format!(
        "  landed    {} files new, {} known before, {}   {}",
        landed.new.len(),
        landed.known,
        bytes(landed.bytes),
        seconds(landed_at - at)
    ))?;
    let new_rows: u64 = if landed.new.is_empty() { 0 } else { rows };
    let landing = Arc::new(installation.landing());
    let Some(backlog) = Backlog::start(&installation, &landing, None)? else {
        return Err(refused("another tollway works on this data folder; wait for it, or use --data for another folder"));
    };
    let reference = backlog.reference();
    let finished = backlog.drain(global, Some(new_rows))?;
    settle(global, &installation, &landing, &reference.get(), None)?;
    let rated_us = SystemClock.now_us() - landed_at;
    if finished.counts.rows_in > 0 {
        say(format!(
            "  rated     {} rows   {}   {} rows/s with log, commits and fsync",
            count(finished.counts.rows_in),
            seconds(rated_us),
            count(per_second(finished.counts.rows_in, rated_us))
        ))?;
    } else {
        say("  rated     nothing: every file was here before, and nothing has changed".to_owned())?;
    }
    let shown =
        Shown { installation: &installation, landed: &landed, finished: &finished, took_us: SystemClock.now_us() - began };
    shown.answer(global, args.seed, rated_us)
}

/// One demo per folder, and no other files in it: what has landed cannot be taken back.
fn claim_folder(folder: &Path, seed: u64, in_use: bool) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join("seed");
    match fs::read_to_string(&path) {
        Ok(text) if text.trim() == seed.to_string() => Ok(()),
        Ok(text) => {
            Err(refused(format!("this folder holds the demo of seed {}; choose another folder with --data", text.trim())))
        }
        Err(_) if in_use => Err(refused(
            "this data folder holds other files; the demo would mix its month into them: choose another folder with --data",
        )),
        Err(_) => {
            let staged = folder.join("seed.new");
            fs::write(&staged, seed.to_string())?;
            #[expect(clippy::disallowed_methods, reason = "whole or not at all, and no object of the store")]
            Ok(fs::rename(staged, path)?)
        }
    }
}

fn land(installation: &Installation, folder: &Path, made: &[MadeFile]) -> anyhow::Result<LandedFiles> {
    let landing = installation.landing();
    let mut landed = LandedFiles::default();
    let mut profiles = HashMap::new();
    for file in made {
        let name = file.file.layout.profile();
        if !profiles.contains_key(name) {
            profiles.insert(name, super::profile::load(name)?);
        }
        let profile = &profiles[name];
        let account = Account {
            tenant: installation.config().data.tenant.clone(),
            provider: ProviderId::parse(profile.provider().unwrap_or(name))?,
            account: AccountId::parse(&file.file.account)?,
        };
        let cut_rows = installation.config().landing.cut_rows;
        let request = LandRequest::new(profile, account, &file.file.path(), &file.file.name, cut_rows);
        let content = fs::read(folder.join("cdr").join(file.file.path()))?;
        note(&landing.land(&request, &mut &content[..], &SystemClock)?, &mut landed);
    }
    Ok(landed)
}

fn per_second(rows: u64, us: i64) -> u64 {
    rows.saturating_mul(1_000_000) / u64::try_from(us).unwrap_or(1).max(1)
}

/// What the demo has done, ready to be shown.
struct Shown<'a> {
    installation: &'a Installation,
    landed: &'a LandedFiles,
    finished: &'a Finished,
    took_us: i64,
}

impl Shown<'_> {
    fn answer(&self, global: &Global, seed: u64, rated_us: i64) -> anyhow::Result<Exit> {
        let entries = self.installation.entries()?;
        let ledger = sinks::ledger::read_all(&entries)?;
        let counts = sum(ledger.iter().filter(|e| self.landed.deliveries.contains(&e.delivery)));
        let measured = Measured {
            seed,
            files: self.landed.deliveries.len() as u64,
            resent_files: self.landed.known,
            bytes: self.landed.bytes,
            elapsed_us: rated_us,
            samples: &self.finished.samples,
        };
        let report = write_report(self.installation, &counts, &ledger, &measured)?;
        let mut next = self.one_call(global)?;
        let data = self.installation.folder().display();
        let folder = if data.to_string() == "./tollway-data" || data.to_string() == "tollway-data" {
            String::new()
        } else {
            format!(" --data {data}")
        };
        next.extend([
            String::new(),
            format!("a picture of the month        {}", report.display()),
            format!("the tables (Delta, Parquet)   {}/tables", self.installation.storage_place()),
            format!("why does it cost that?        tollway explain RECORD{folder}"),
            format!("what needs a hand             tollway suspense list{folder}"),
            format!("ask your own                  tollway query{folder} \"select zone, sum(charge) from cdr group by zone order by 2 desc\""),
            String::new(),
            format!("done in {}. Run it again: nothing will change. Kill it half way: it goes on where it was.", seconds(self.took_us)),
        ]);
        let balanced = if counts.is_balanced() { "every row accounted for ✓" } else { "rows do not add up: this is a bug" };
        let mut json = to_json(&counts);
        json["seed"] = json!(seed);
        json["files"] = json!({"new": self.landed.new.len(), "known": self.landed.known});
        json["report"] = json!(report);
        let sheets = vec![outcomes(&counts), self.suspense(balanced)?, self.customers()?];
        Answer { headline: String::new(), sheets, next, json }.print(global.output)?;
        Ok(if counts.is_balanced() { Exit::Done } else { Exit::Bug })
    }

    fn suspense(&self, balanced: &str) -> anyhow::Result<Sheet> {
        let mut sheet = Sheet::new(&format!("{balanced}\n\nsuspense by reason"), &["", "#rows", "#at risk", "what to do"]);
        for row in ask_rows(self.installation, BY_REASON)? {
            let reason = row.text("reason").unwrap_or_default();
            let money = row.text("at_risk").and_then(domain::money::Money::parse);
            let at_risk = match (money, row.text("cost_currency")) {
                (Some(money), Some(currency)) => format!("{currency} {}", grouped(money, 2)),
                _ => "unknown".to_owned(),
            };
            sheet.row([reason.to_owned(), count(row.number("rows")), at_risk, remedy(reason)]);
        }
        Ok(sheet)
    }

    fn customers(&self) -> anyhow::Result<Sheet> {
        let totals = self.installation.totals()?;
        let all = super::totals::by_customer(&crate::totals::read(&totals, None)?);
        let store = self.installation.state_read_only()?;
        let names: HashMap<String, String> =
            self.installation.block_on(store.customers(None))?.into_iter().map(|c| (c.id, c.name)).collect();
        let mut ranked: Vec<_> = all.iter().collect();
        ranked.sort_by(|a, b| b.1.charge.cmp(&a.1.charge).then_with(|| a.0.cmp(b.0)));
        let mut sheet = Sheet::new("customers", &["", "cycle", "#records", "#minutes", "#data", "#charge", ""]);
        for ((customer, cycle, currency), s) in ranked.iter().take(CUSTOMERS_SHOWN) {
            sheet.row([
                names.get(customer).cloned().unwrap_or_else(|| customer.clone()),
                cycle.clone(),
                count(s.count.unsigned_abs()),
                count(s.seconds.unsigned_abs() / 60),
                bytes(s.bytes.unsigned_abs()),
                grouped(s.charge(), 2),
                currency.clone(),
            ]);
        }
        if ranked.len() > CUSTOMERS_SHOWN {
            sheet.row([format!("… {} more: tollway totals", ranked.len() - CUSTOMERS_SHOWN)]);
        }
        Ok(sheet)
    }

    fn one_call(&self, global: &Global) -> anyhow::Result<Vec<String>> {
        let Some(row) = ask_rows(self.installation, ONE_CALL)?.into_iter().next() else { return Ok(Vec::new()) };
        let record = row.text("record").unwrap_or_default().to_owned();
        let mut lines =
            vec![format!("one call explained · tollway explain {}", record.get(..12).unwrap_or_default()), String::new()];
        lines.extend(super::explain::explained(global, self.installation, &record)?.0);
        Ok(lines)
    }
}

/// The sum of charges in the installation's first currency, for figures.
pub fn main_currency(counts: &Counts) -> domain::money::Currency {
    counts.charge.keys().next().copied().unwrap_or(domain::money::Currency::EUR)
}
