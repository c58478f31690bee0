//! Which column is what: by the words of its header, and always by what its values look like.

use super::column::Column;
use super::decision::Confidence;
use super::looks::{self, NumberLook};
use super::times::{ClockForm, DateForm, TimeForm};
use super::words::{self, Meaning, Unit};

/// Values in a hundred that must look right, whatever the header says.
const FIT_MIN: u64 = 80;

/// A column that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    /// Position of the column.
    pub at: usize,
    /// How much its header says so, in per cent.
    pub header: u64,
    /// Values in a hundred that look right.
    pub fit: u64,
    /// Others that would do nearly as well.
    pub rivals: Vec<usize>,
}

impl Pick {
    /// A full header and values that all fit are certain; a header that says nothing leaves a guess.
    pub fn confidence(&self) -> Confidence {
        let by_header = if self.header == 0 { 50 } else { 60 + self.header * 2 / 5 };
        let rivalry = if self.rivals.is_empty() { 100 } else { 75 };
        Confidence::of(by_header.min(self.fit).min(rivalry))
    }
}

/// Where the time is.
#[derive(Debug, Clone)]
pub(super) enum TimePick {
    /// A count since 1970, read by one of the two patterns for that.
    Count { column: Pick, pattern: &'static str },
    /// A date and a time of day in one column, and what stands between them.
    Whole { column: Pick, date: DateForm, joint: Option<char>, clock: ClockForm },
    /// In two columns.
    Apart { column: Pick, date: DateForm, clock_column: Pick, clock: ClockForm },
}

impl TimePick {
    /// An instant in one column.
    fn in_one(column: Pick, form: TimeForm) -> Option<Self> {
        match form {
            TimeForm::DateTime(date, joint, clock) => Some(Self::Whole { column, date, joint, clock }),
            TimeForm::EpochSeconds => Some(Self::Count { column, pattern: "epoch-seconds" }),
            TimeForm::EpochMilliseconds => Some(Self::Count { column, pattern: "epoch-milliseconds" }),
            TimeForm::Date(_) | TimeForm::Clock(_) => None,
        }
    }

    /// An instant in two columns.
    fn in_two((column, date): (Pick, TimeForm), (clock_column, clock): (Pick, TimeForm)) -> Option<Self> {
        let (TimeForm::Date(date), TimeForm::Clock(clock)) = (date, clock) else { return None };
        Some(Self::Apart { column, date, clock_column, clock })
    }

    /// The column of the date, or of all.
    pub fn column(&self) -> &Pick {
        let (Self::Count { column, .. } | Self::Whole { column, .. } | Self::Apart { column, .. }) = self;
        column
    }
}

/// Which column is what.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub time: Option<TimePick>,
    pub id: Option<Pick>,
    pub imsi: Option<Pick>,
    pub iccid: Option<Pick>,
    pub served: Option<Pick>,
    pub other: Option<Pick>,
    /// Whether the two are the caller and the called, whoever is served.
    pub has_caller: bool,
    pub kind: Option<Pick>,
    pub direction: Option<Pick>,
    pub duration: Option<Pick>,
    pub up: Option<Pick>,
    pub down: Option<Pick>,
    pub volume: Option<Pick>,
    pub parts: Option<Pick>,
    pub cost: Option<Pick>,
    pub currency: Option<Pick>,
    pub network: Option<Pick>,
    pub class: Option<Pick>,
    pub status: Option<Pick>,
    /// A column of amounts that no profile can read.
    pub dressed_cost: Option<usize>,
    taken: Vec<usize>,
}

/// Finds the roles of all columns.
pub(super) fn find(columns: &[Column<'_>]) -> Roles {
    let mut roles = Roles::default();
    roles.find_time(columns);
    roles.find_cards(columns);
    roles.find_numbers(columns);
    roles.find_words(columns);
    roles.find_units(columns);
    roles.find_id(columns);
    roles
}

impl Roles {
    fn is_taken(&self, at: usize) -> bool {
        self.taken.contains(&at)
    }

    /// The column whose header says most of these, among those whose values look right.
    fn best(&self, columns: &[Column<'_>], wanted: &[Meaning], looks: impl Fn(&str) -> bool) -> Option<Pick> {
        self.best_of(columns, wanted, |column| column.share(&looks))
    }

    fn best_of(&self, columns: &[Column<'_>], wanted: &[Meaning], fit: impl Fn(&Column<'_>) -> u64) -> Option<Pick> {
        let free = columns.iter().filter(|column| !self.is_taken(column.at) && column.filled > 0);
        let mut all: Vec<Pick> = free
            .map(|column| (column, column.says(wanted)))
            .filter(|(_, header)| *header > 0)
            .map(|(column, header)| Pick { at: column.at, header, fit: fit(column), rivals: Vec::new() })
            .filter(|pick| pick.fit >= FIT_MIN)
            .collect();
        all.sort_by_key(|pick| (std::cmp::Reverse((pick.header, pick.fit)), pick.at));
        let mut all = all.into_iter();
        let mut best = all.next()?;
        best.rivals = all.filter(|pick| pick.header + 10 >= best.header).map(|pick| pick.at).collect();
        Some(best)
    }

    fn take(&mut self, pick: Option<Pick>) -> Option<Pick> {
        self.taken.extend(pick.iter().map(|pick| pick.at));
        pick
    }

    fn find_time(&mut self, columns: &[Column<'_>]) {
        let forms: Vec<Option<TimeForm>> = columns.iter().map(whole_form).collect();
        let header = |column: &Column<'_>| {
            let ends = column.says(&[Meaning::End, Meaning::Answer]);
            let starts = column.says(&[Meaning::Start]).max(column.says(&[Meaning::Date, Meaning::Clock]) * 4 / 5);
            // Without a word, before a word for another moment.
            if starts >= ends && starts > 0 {
                (2, starts)
            } else if ends > 0 {
                (0, 0)
            } else {
                (1, 0)
            }
        };
        let candidates = |is: fn(TimeForm) -> bool| {
            let mut all: Vec<(&Column<'_>, TimeForm)> =
                columns.iter().zip(&forms).filter_map(|(c, form)| form.filter(|form| is(*form)).map(|form| (c, form))).collect();
            all.sort_by_key(|(column, _)| (std::cmp::Reverse(header(column)), column.at));
            all
        };
        let pick = |all: &[(&Column<'_>, TimeForm)]| {
            let (column, form) = *all.first()?;
            let rivals = all[1..].iter().filter(|(c, _)| header(c) == header(column)).map(|(c, _)| c.at).collect();
            let fit = column.time_form().map_or(0, |(_, share)| share);
            Some((Pick { at: column.at, header: header(column).1, fit, rivals }, form))
        };
        let whole = pick(&candidates(|form| matches!(form, TimeForm::DateTime(..))));
        let counts = pick(&candidates(|form| matches!(form, TimeForm::EpochSeconds | TimeForm::EpochMilliseconds)));
        let date = pick(&candidates(|form| matches!(form, TimeForm::Date(_))));
        let clock = pick(&candidates(|form| matches!(form, TimeForm::Clock(_))));
        // A number may look like a count of seconds, so a count needs a word unless nothing is written out.
        let counts = counts.filter(|(count, _)| count.header > 0 || whole.is_none() && date.is_none());
        let one = match (whole, counts) {
            (Some(whole), Some(count)) if count.0.header > whole.0.header => Some(count),
            (whole, counts) => whole.or(counts),
        };
        let two = date.zip(clock).filter(|(date, _)| one.as_ref().is_none_or(|(one, _)| date.0.header > one.header));
        self.time = match (two, one) {
            (Some((date, clock)), _) => {
                self.taken.extend([date.0.at, clock.0.at]);
                TimePick::in_two(date, clock)
            }
            (None, one) => one.and_then(|(one, form)| {
                self.taken.push(one.at);
                TimePick::in_one(one, form)
            }),
        };
        // Other moments are no numbers, whatever they look like.
        let moments = columns.iter().zip(&forms).filter(|(column, form)| {
            matches!(form, Some(TimeForm::DateTime(..) | TimeForm::Date(_)))
                || form.is_some() && column.says(&[Meaning::End, Meaning::Answer, Meaning::Start]) > 0
        });
        let moments: Vec<usize> = moments.map(|(column, _)| column.at).collect();
        self.taken.extend(moments);
    }

    fn find_cards(&mut self, columns: &[Column<'_>]) {
        let imei = self.best(columns, &[Meaning::Imei], |text| text.len() >= 14);
        // All of them device numbers with right check digits are no subscribers.
        let imei = imei.or_else(|| self.by_values(columns, |column| column.share(looks::is_imei)));
        self.take(imei);
        let imsi = self.best(columns, &[Meaning::Imsi], looks::is_imsi);
        let imsi = imsi.or_else(|| self.by_values(columns, |column| column.share(looks::is_imsi)));
        self.imsi = self.take(imsi);
        let iccid = self.best(columns, &[Meaning::Iccid], looks::is_iccid);
        let iccid = iccid.or_else(|| self.by_values(columns, |column| column.share(looks::is_iccid)));
        self.iccid = self.take(iccid);
    }

    /// A column whose header says nothing but whose values nearly all fit.
    fn by_values(&self, columns: &[Column<'_>], fit: impl Fn(&Column<'_>) -> u64) -> Option<Pick> {
        let free = columns.iter().filter(|c| !self.is_taken(c.at) && c.filled > 0 && c.says(&[Meaning::Aside, Meaning::Id]) == 0);
        let mut all: Vec<Pick> = free
            .map(|column| Pick { at: column.at, header: 0, fit: fit(column), rivals: Vec::new() })
            .filter(|pick| pick.fit >= 95)
            .collect();
        if all.is_empty() {
            return None;
        }
        let mut best = all.remove(0);
        best.rivals = all.iter().map(|pick| pick.at).collect();
        Some(best)
    }

    fn find_numbers(&mut self, columns: &[Column<'_>]) {
        let served = self.best_of(columns, &[Meaning::Served], number_fit);
        let caller = self.best_of(columns, &[Meaning::Caller], number_fit);
        let called = self.best_of(columns, &[Meaning::Called, Meaning::Other], other_fit);
        let (first, has_caller) = match (served, caller) {
            (Some(served), Some(caller)) if served.header >= caller.header => (Some(served), false),
            (Some(served), None) => (Some(served), false),
            (_, caller) => (caller, true),
        };
        let first =
            first.or_else(|| self.by_values(columns, number_fit).filter(|pick| Some(pick.at) != called.as_ref().map(|c| c.at)));
        self.served = self.take(first);
        let other = called.filter(|called| !self.is_taken(called.at));
        let other = other.or_else(|| self.best_of(columns, &[Meaning::Served, Meaning::Caller], other_fit));
        let other = other.or_else(|| self.by_values(columns, other_fit));
        self.other = self.take(other);
        self.has_caller = has_caller && self.other.is_some();
        if self.served.is_none() {
            self.served = self.other.take();
        }
        self.order_unnamed(columns);
    }

    /// Of two columns of numbers that no header tells apart, short codes and names of services stand where calls go.
    fn order_unnamed(&mut self, columns: &[Column<'_>]) {
        let (Some(served), Some(other)) = (&self.served, &self.other) else { return };
        let unnamed = served.header == 0 && other.header == 0;
        let services = |pick: &Pick| {
            columns[pick.at].share(|text| matches!(looks::number(text), Some(NumberLook::Short | NumberLook::Word)))
        };
        if unnamed && services(served) > services(other) {
            std::mem::swap(&mut self.served, &mut self.other);
        }
        self.has_caller |= unnamed;
    }

    fn find_words(&mut self, columns: &[Column<'_>]) {
        let known_kind = |column: &Column<'_>| column.share(|text| words::kind(text).is_some() || words::is_fee(text));
        let known_way = |column: &Column<'_>| column.share(|text| words::direction(text).is_some());
        let few = |column: &Column<'_>| column.texts.len() <= 24;
        let kind = self.best_few(columns, &[Meaning::Kind], 50, known_kind);
        let kind = kind.or_else(|| self.by_values(columns, |c| if few(c) { known_kind(c) } else { 0 }));
        let way = self.best_few(columns, &[Meaning::Direction], 50, known_way);
        let way = way.or_else(|| self.by_values(columns, |c| if few(c) { known_way(c) } else { 0 }));
        // One column may say both: `SMS MO`.
        let both = kind.as_ref().filter(|kind| way.is_none() && known_way(&columns[kind.at]) >= FIT_MIN).cloned();
        self.kind = self.take(kind);
        self.direction = self.take(way).or(both);
        let known_status = |column: &Column<'_>| column.share(|text| words::is_answered(text).is_some());
        let status = self.best_few(columns, &[Meaning::Status], 50, known_status);
        let status = status.or_else(|| {
            let all =
                |c: &Column<'_>| if few(c) && c.share(|t| words::is_answered(t) == Some(true)) > 0 { known_status(c) } else { 0 };
            self.by_values(columns, all)
        });
        self.status = self.take(status);
    }

    /// As [`Roles::best_of`], for columns of few texts of which only some have to be known.
    fn best_few(
        &self,
        columns: &[Column<'_>],
        wanted: &[Meaning],
        known_min: u64,
        known: impl Fn(&Column<'_>) -> u64,
    ) -> Option<Pick> {
        let fit = |column: &Column<'_>| {
            let share = known(column);
            if share >= known_min && column.texts.len() <= 40 { share.max(FIT_MIN) } else { 0 }
        };
        self.best_of(columns, wanted, fit)
    }

    fn find_units(&mut self, columns: &[Column<'_>]) {
        let is_duration = |text: &str| looks::is_count(text) || looks::is_clock_duration(text) || looks::is_odd_duration(text);
        let talk = self.best(columns, &[Meaning::TalkTime], is_duration);
        let duration = talk.or_else(|| self.best(columns, &[Meaning::Duration], is_duration));
        let duration = duration.or_else(|| self.unnamed_duration(columns));
        self.duration = self.take(duration);
        let is_decimal = |text: &str| looks::decimal(text).is_some_and(|d| !d.is_negative);
        let is_volume = |column: &Column<'_>| if column.unit == Some(Unit::Seconds) { 0 } else { column.share(is_decimal) };
        let up = self.best_of(columns, &[Meaning::Up], is_volume);
        self.up = self.take(up);
        let down = self.best_of(columns, &[Meaning::Down], is_volume);
        self.down = self.take(down);
        if self.up.is_none() && self.down.is_none() {
            let volume = self.best_of(columns, &[Meaning::Volume], is_volume);
            self.volume = self.take(volume);
        }
        let parts = self.best(columns, &[Meaning::Parts], |text| text.len() <= 3 && looks::is_count(text));
        self.parts = self.take(parts);
        let cost = self.best(columns, &[Meaning::Cost], |text| looks::decimal(text).is_some());
        self.cost = self.take(cost);
        if self.cost.is_none() {
            let dressed = |text: &str| looks::is_dressed_amount(text) || looks::decimal(text).is_some();
            self.dressed_cost = self.best(columns, &[Meaning::Cost], dressed).map(|pick| pick.at);
        }
        let is_code = |text: &str| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase());
        let currency = self.best(columns, &[Meaning::Currency], is_code);
        self.currency = self.take(currency);
        let network = self.best(columns, &[Meaning::Network], |text| looks::is_mccmnc(text) || looks::is_tadig(text));
        self.network = self.take(network);
        let class = self.best_of(columns, &[Meaning::Class], |column| if column.texts.len() <= 2000 { 100 } else { 0 });
        self.class = self.take(class);
    }

    /// Where no header says it: of the columns that hold whole numbers, the one that varies; the answered part if there are two.
    fn unnamed_duration(&self, columns: &[Column<'_>]) -> Option<Pick> {
        let varies = |column: &Column<'_>| {
            let is_duration = |text: &str| looks::is_clock_duration(text) || looks::is_count(text) && text.len() <= 5;
            let is_code = column.share(|text| text.len() > 1 && text.starts_with('0') && looks::is_count(text)) > 0;
            if column.name.is_empty() && column.texts.len() > 1 && !is_code { column.share(is_duration) } else { 0 }
        };
        let mut pick = self.by_values(columns, varies)?;
        if let Some(last) = pick.rivals.pop() {
            pick.rivals.push(pick.at);
            pick.at = last;
        }
        Some(pick)
    }

    fn find_id(&mut self, columns: &[Column<'_>]) {
        let is_id = |column: &Column<'_>| {
            let is_full = has_nearly_all(column) && column.texts.len() as u64 * 2 > column.filled;
            if is_full { 100 } else { 0 }
        };
        let id = self.best_of(columns, &[Meaning::Id], is_id).or_else(|| {
            let looks_made = |text: &str| text.len() >= 16 && text.bytes().filter(|c| *c == b'-').count() == 4;
            // A few come twice where a file repeats rows.
            let is_full = |column: &Column<'_>| has_nearly_all(column) && column.texts.len() as u64 * 10 >= column.filled * 9;
            self.by_values(columns, |column| if is_full(column) { column.share(looks_made) } else { 0 })
        });
        self.id = self.take(id);
    }
}

/// Whether at most one row in twenty has nothing there: broken rows do.
fn has_nearly_all(column: &Column<'_>) -> bool {
    column.filled * 20 >= column.values.len() as u64 * 19
}

/// The form of a column's times, if nearly all values have it.
fn whole_form(column: &Column<'_>) -> Option<TimeForm> {
    let (form, share) = column.time_form().filter(|(_, share)| *share >= FIT_MIN)?;
    let (says_clock, says_else) = (column.says(&[Meaning::Clock]), column.says(&[Meaning::Duration, Meaning::TalkTime]));
    let is_named = match form {
        TimeForm::DateTime(_, _, _) => true,
        // Eight digits are a date only where the header says so.
        TimeForm::Date(date) => date.mark.is_some() || column.says(&[Meaning::Date, Meaning::Start]) > 0,
        // Short codes and durations look like times of day.
        TimeForm::Clock(clock) => says_clock > says_else || says_else == 0 && clock.mark.is_some() && clock.has_seconds,
        TimeForm::EpochSeconds | TimeForm::EpochMilliseconds => {
            column.says(&[Meaning::Served, Meaning::Caller, Meaning::Called, Meaning::Other, Meaning::Id]) == 0
        }
    };
    (share >= FIT_MIN && is_named).then_some(form)
}

fn is_full_number(look: NumberLook) -> bool {
    matches!(look, NumberLook::Plus | NumberLook::DoubleZero | NumberLook::National | NumberLook::Bare(9..=13))
}

/// Values in a hundred that are numbers, if enough of them are whole ones.
fn number_fit(column: &Column<'_>) -> u64 {
    let full = column.share(|text| looks::number(text).is_some_and(is_full_number));
    let any = column.share(|text| looks::number(text).is_some_and(|look| look != NumberLook::Word));
    if full >= 30 { any } else { 0 }
}

/// As [`number_fit`], for the other party: names of services and of access points may stand there.
fn other_fit(column: &Column<'_>) -> u64 {
    let full = column.share(|text| looks::number(text).is_some_and(is_full_number));
    let any = column.share(|text| looks::number(text).is_some());
    if full >= 30 { any } else { 0 }
}
