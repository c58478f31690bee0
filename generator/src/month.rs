//! A month of files: which there are, what each holds, and the reference data that goes with them.

use domain::period;
use domain::zone::date_of;

use crate::calendar::{Calendar, Days};
use crate::call::{Served, Source};
use crate::compose::{Recipe, compose};
use crate::facts::Facts;
use crate::fleet::Fleet;
use crate::group::Group;
use crate::layout::Layout;
use crate::reference::ReferenceFiles;
use crate::settings::{GeneratorError, Settings};

/// One file to be made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FilePlan {
    /// Its number among all files of the month, from 0; a re-sent file has the number of the file that it repeats.
    pub number: u32,
    /// Its layout, and so the profile that reads it.
    pub layout: Layout,
    /// The account at the provider.
    pub account: String,
    /// Its name, unique in the account.
    pub name: String,
    /// Data rows.
    pub rows: u32,
    /// The name of the file whose bytes it has, if it is sent a second time.
    pub resend_of: Option<String>,
}

impl FilePlan {
    /// Where it lies below the folder of the month: `<profile>/<account>/<name>`.
    pub fn path(&self) -> String {
        format!("{}/{}/{}", self.layout.profile(), self.account, self.name)
    }
}

/// A checked month, ready to be written.
#[derive(Debug, Clone)]
pub struct Month {
    settings: Settings,
    calendar: Calendar,
    fleet: Fleet,
}

/// Whose turn a file is: its place in the month, from its number alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    layout: Layout,
    group: Group,
    account: String,
    /// The account's number among those of its layout.
    account_number: u32,
    /// How many files of the account come before.
    slot: u32,
    days: Days,
    /// How often the account has covered these days before.
    pass: u32,
}

impl Seat {
    fn name(&self) -> String {
        let (year, month, day) = date_of(self.days.first);
        let again = if self.pass == 0 { String::new() } else { format!("_{}", self.pass + 1) };
        match self.layout {
            Layout::KpnSp16 => format!("sp16_{}_{year}-{month:02}-{day:02}{again}.csv", self.account),
            Layout::Routit => format!("routit_{}_{year}-{month:02}-{day:02}{again}.csv", self.account),
            Layout::AsteriskCdrCsv => format!("cdr_{year}-{month:02}-{day:02}{again}.csv"),
            Layout::MobileMetadata => format!("metadata_{year}-{month:02}_{:04}.csv", self.slot),
            Layout::Job => format!("cdr_{:05}.csv", self.slot),
            Layout::KpnEen => format!("een_{}_{year}-{month:02}-{day:02}{again}.csv", self.account),
            Layout::Vodafone => format!("extract_{}_{year}-{month:02}-{day:02}{again}.csv", self.account),
            Layout::TmobileCalvi => format!("calvi_{}_{year}{month:02}{day:02}{again}.csv", self.account),
            Layout::Yielder => format!("usage-{year}-{month:02}-{day:02}{again}.csv"),
            Layout::FreeswitchCdrCsv => format!("Master_{year}-{month:02}-{day:02}{again}.csv"),
            Layout::PbxCsv => format!("calls_{year}-{month:02}-{day:02}{again}.csv"),
            Layout::CiscoCucm => format!("cdr_cluster1_{year}{month:02}{day:02}{again}.csv"),
        }
    }
}

impl Month {
    /// Checks the settings and draws the customers and lines.
    pub fn new(settings: Settings) -> Result<Self, GeneratorError> {
        settings.check()?;
        let wrong = || GeneratorError::Month(settings.year_month.clone());
        let number = period::Month::parse(&settings.year_month).ok_or_else(wrong)?.number();
        let (year, month) = (number.div_euclid(12), number.rem_euclid(12).cast_unsigned() + 1);
        let calendar = Calendar::new(year, month).filter(|_| year >= 1996).ok_or_else(wrong)?;
        let (customers, devices) = (settings.customers as usize, settings.devices as usize);
        let fleet = Fleet::new(settings.seed, customers, devices, &settings.layouts, &calendar);
        let fleet = if settings.layouts.contains(&Layout::MobileMetadata) { fleet.with_subscriber() } else { fleet };
        Ok(Self { settings, calendar, fleet })
    }

    /// A month of at least `rows` rows, and few more, in `settings.files` files; `settings.rows_per_file` is not looked at.
    pub fn of_rows(rows: u64, settings: Settings) -> Result<Self, GeneratorError> {
        const PROBE: u32 = 10_000;
        let probe = Self::new(Settings { rows_per_file: PROBE, ..settings.clone() })?;
        let planned: u64 = probe.plan().iter().filter(|file| file.resend_of.is_none()).map(|file| u64::from(file.rows)).sum();
        // Rounding takes less than one row of each file.
        let wanted = (rows + u64::from(settings.files)).saturating_mul(PROBE.into()) / planned.max(1) + 1;
        let rows_per_file = u32::try_from(wanted).unwrap_or(u32::MAX).max(crate::settings::limits::ROWS_PER_FILE.0);
        Self::new(Settings { rows_per_file, ..settings })
    }

    /// The settings it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All files. A re-sent one comes right after the file that completes its turn of [`Settings::resend_every`].
    pub fn plan(&self) -> Vec<FilePlan> {
        let layouts = u32::try_from(self.settings.layouts.len()).unwrap_or(u32::MAX);
        let every = self.settings.resend_every;
        let mut files = Vec::with_capacity(self.settings.files as usize);
        for number in 0..self.settings.files {
            files.push(self.file(number));
            // Three turns back is the same account of the same layout, some days earlier.
            if let Some(earlier) = number.checked_sub(3 * layouts).filter(|_| every > 0 && (number + 1) % every == 0) {
                let again = self.file(earlier);
                let name = again.name.replace(".csv", "_resend.csv");
                files.push(FilePlan { resend_of: Some(again.name), name, ..again });
            }
        }
        files
    }

    /// The reference data to import before the files are ingested.
    pub fn reference(&self) -> ReferenceFiles {
        ReferenceFiles::of(&self.fleet)
    }

    /// Appends the bytes of a file of [`Month::plan`] to `out` and says what is in them.
    pub fn write_file(&self, file: &FilePlan, out: &mut Vec<u8>) -> Facts {
        let seat = self.seat(file.number);
        let before = (seat.slot > 0 && seat.layout != Layout::MobileMetadata)
            .then(|| self.days_of(seat.layout, seat.account_number, seat.slot - 1).0);
        let lines = self.fleet.lines_of(seat.group);
        let served = match seat.layout {
            Layout::MobileMetadata => Served::One(self.fleet.subscriber()),
            _ => Served::Lines(lines),
        };
        let source = Source {
            fleet: &self.fleet,
            calendar: &self.calendar,
            layout: seat.layout,
            served,
            days: seat.days,
            rates: &self.settings.rates,
        };
        let recipe = Recipe {
            source,
            seed: self.settings.seed,
            account: seat.account_number,
            slot: seat.slot,
            rows: file.rows,
            rows_per_file: self.settings.rows_per_file,
            before,
        };
        compose(&recipe, out)
    }

    /// What is in a file of [`Month::plan`].
    pub fn facts(&self, file: &FilePlan) -> Facts {
        self.write_file(file, &mut Vec::new())
    }

    fn file(&self, number: u32) -> FilePlan {
        let seat = self.seat(number);
        let name = seat.name();
        FilePlan { number, layout: seat.layout, rows: self.rows_of(&seat), account: seat.account, name, resend_of: None }
    }

    fn seat(&self, number: u32) -> Seat {
        let layouts = &self.settings.layouts;
        let turn = number / u32::try_from(layouts.len()).unwrap_or(u32::MAX);
        let layout = layouts[number as usize % layouts.len()];
        let has_two = matches!(layout, Layout::KpnSp16 | Layout::Routit);
        // Two accounts share a provider: the first sends a file a day, the second one every two days.
        let (is_second, slot) = match turn % 3 {
            _ if !has_two => (false, turn),
            2 => (true, turn / 3),
            odd => (false, turn / 3 * 2 + odd),
        };
        let group = Group::of(layout, is_second);
        let account = match layout {
            Layout::MobileMetadata => "subscriber",
            Layout::Job => "job",
            _ => group.account(),
        };
        let (account, account_number) = (account.to_owned(), u32::from(is_second));
        let (days, pass) = self.days_of(layout, account_number, slot);
        Seat { layout, group, account, account_number, slot, days, pass }
    }

    /// The days that an account's file covers, and how often earlier files have covered them.
    fn days_of(&self, layout: Layout, account_number: u32, slot: u32) -> (Days, u32) {
        let month = self.calendar.days;
        let per_file = match layout {
            Layout::MobileMetadata | Layout::Job => month.count(),
            _ if account_number == 1 => 2,
            _ => 1,
        };
        let per_pass = month.count() / per_file;
        let slot = i32::try_from(slot).unwrap_or(i32::MAX);
        let first = month.first + slot % per_pass * per_file;
        // The last file of a pass takes the odd day at the month's end.
        let end = if slot % per_pass == per_pass - 1 { month.end } else { first + per_file };
        (Days { first, end }, (slot / per_pass).cast_unsigned())
    }

    fn rows_of(&self, seat: &Seat) -> u32 {
        let month = self.calendar.days;
        let days_per_file = if seat.account_number == 1 { 2 } else { 1 };
        let average = u64::from(self.settings.rows_per_file);
        let rows = match seat.layout {
            // One subscriber, and a whole month.
            Layout::MobileMetadata => average / 4,
            Layout::Job => average,
            _ => average * seat.days.weight() * u64::from(month.count().unsigned_abs()) / (month.weight() * days_per_file),
        };
        u32::try_from(rows).expect("the rows of a file are limited")
    }
}
