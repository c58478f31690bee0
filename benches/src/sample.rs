//! The files that benches work on: seeded months in the shipped layouts, with what each stage needs to begin with them.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Context;
use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::{Account, DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use generator::layout::Layout;
use generator::month::{FilePlan, Month};
use generator::settings::Settings;
use ingest::parse::occurrence::{Occurrences, number};
use ingest::parse::{RowRange, parse};
use ingest::profile::Profile;
use ingest::split::split;
use pipeline::rating::Reference;

use crate::effort::Effort;

/// Layouts whose rows the generated fleet and the shipped tariff can rate, in the order of how hard they are to read.
pub const RATED_LAYOUTS: [Layout; 3] = [Layout::Job, Layout::KpnSp16, Layout::Routit];

/// Under which record keys are hashed here.
pub const SECRET: KeySecret = KeySecret([0x2a; 16]);

/// A generated file, ready for any stage.
#[derive(Debug, Clone)]
pub struct SampleFile {
    /// Its place among the month's files.
    pub plan: FilePlan,
    /// How it is read.
    pub profile: Arc<Profile>,
    /// Who it comes from, as the stages see it.
    pub context: Arc<FileContext>,
    /// All of it, with header and trailer.
    pub bytes: Vec<u8>,
    /// Data rows by the generator's count.
    pub rows: u64,
    layout: ingest::profile::Layout,
    hasher: RecordHasher,
    /// Where its rows lie.
    body: Range<usize>,
}

/// A month of `files` files of one or several layouts, each of about `rows` rows; none is sent twice.
pub fn month(layouts: &[Layout], files: u32, rows: u32, effort: &Effort) -> anyhow::Result<Month> {
    let settings = Settings {
        files,
        layouts: layouts.to_vec(),
        customers: effort.customers,
        devices: effort.devices,
        resend_every: 0,
        ..Settings::default()
    };
    Ok(Month::of_rows(u64::from(files) * u64::from(rows), settings)?)
}

/// All files of a month.
pub fn files(month: &Month) -> anyhow::Result<Vec<SampleFile>> {
    month.plan().into_iter().map(|plan| SampleFile::new(month, plan)).collect()
}

/// The one file of a layout that most stages are measured on, of the effort's rows.
pub fn one(layout: Layout, effort: &Effort) -> anyhow::Result<(Month, SampleFile)> {
    let month = month(&[layout], 1, effort.rows, effort)?;
    let plan = month.plan().into_iter().next().context("a month has a file")?;
    let file = SampleFile::new(&month, plan)?;
    Ok((month, file))
}

/// The shipped profile of a layout.
pub fn profile(layout: Layout) -> anyhow::Result<Profile> {
    let name = layout.profile();
    Ok(Profile::load(config::profiles::find(name).with_context(|| format!("the profile `{name}` is not shipped"))?)?)
}

impl SampleFile {
    /// Writes a file of a month and finds its rows.
    pub fn new(month: &Month, plan: FilePlan) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        let rows = month.write_file(&plan, &mut bytes).rows;
        let profile = Arc::new(profile(plan.layout)?);
        let cut = split(&profile, &bytes, u64::MAX);
        let [range] = cut.ranges[..] else { anyhow::bail!("{}: {}", plan.path(), cut.verdict.message) };
        anyhow::ensure!(range.rows == rows, "{}: split counts {} rows, the generator {rows}", plan.path(), range.rows);
        let account = Account {
            tenant: TenantId::parse("main")?,
            provider: ProviderId::parse(plan.layout.profile())?,
            account: AccountId::parse(&plan.account)?,
        };
        let arrival = u64::from(plan.number) + 1;
        let context = FileContext {
            delivery: DeliveryId(arrival.into()),
            arrival,
            origin: plan.name.as_str().into(),
            profile: Arc::clone(profile.label()),
            cycle: None,
            cost_currency: profile.cost_currency(),
            key_mode: profile.key_mode(),
            account,
            billable_from_us: i64::MIN,
        };
        Ok(Self {
            hasher: RecordHasher::new(&SECRET, &context.account),
            context: Arc::new(context),
            layout: cut.layout.context("a file that was cut has a header")?,
            body: usize::try_from(range.from)?..usize::try_from(range.to)?,
            plan,
            profile,
            bytes,
            rows,
        })
    }

    /// Its rows' bytes: what parse reads.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    /// What parse makes of its rows.
    pub fn parse(&self) -> ParsedBatch {
        let range = RowRange { first_row: 0, byte_from: self.body.start as u64 };
        parse(&self.profile, &self.layout, &self.context, &self.hasher, range, self.body())
    }

    /// The rows as a commit wants them: equal ones numbered.
    pub fn numbered(&self) -> ParsedBatch {
        let mut batch = self.parse();
        number(&mut batch, &mut Occurrences::new(&self.hasher));
        batch
    }

    /// The same rows linked and priced.
    pub fn rated(&self, reference: &Reference) -> RatedBatch {
        reference.rate(self.numbered())
    }
}
