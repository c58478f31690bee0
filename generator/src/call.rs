//! One record before it has a layout: who, whom, when, how much, and what the provider asks for it.

use domain::usage::{Direction, UsageKind};

use crate::calendar::{Calendar, DAY_S, Days, HOUR_S};
use crate::fleet::{Fleet, Line, LineKind};
use crate::layout::{Layout, Tells};
use crate::numbering::{self, Party, Rate, Region};
use crate::random::Dice;
use crate::settings::Rates;

/// What is wrong with a record that its row can still say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// No device has ever had the served number.
    UnknownNumber,
    /// A device had it before or after, but not at that instant.
    Unowned,
    /// No tariff knows the destination or the visited network.
    UnknownZone,
    /// The plan does not sell it.
    Unsold,
}

/// How the provider bills a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// By what was used.
    Usage,
    /// Not at all: its bundle covers it.
    Bundled,
    /// Not as usage of these customers: a fee, an interim record, a call between colleagues, another partner's call.
    Foreign,
}

/// A call, message or session.
#[derive(Debug, Clone)]
pub struct Call {
    /// What was used.
    pub kind: UsageKind,
    /// Which way.
    pub direction: Direction,
    /// The served party, E.164.
    pub served: u64,
    /// The line, a position in the fleet's lines; none for a number of no line.
    pub line: Option<usize>,
    /// Who the source says pays: a position in the fleet's customers.
    pub customer: usize,
    /// The other party.
    pub party: Party,
    /// The start, seconds UTC.
    pub instant_s: i64,
    /// How far the wall clock was ahead of UTC, seconds.
    pub offset_s: i64,
    /// How the provider bills it.
    pub billing: Billing,
    /// Whether the call was answered; messages and sessions always are.
    pub answered: bool,
    /// Seconds from answer to end, or of the session.
    pub duration_s: i64,
    /// Bytes sent.
    pub bytes_up: i64,
    /// Bytes received.
    pub bytes_down: i64,
    /// The network that carried it, MCC and MNC.
    pub network: &'static str,
    /// The provider's rate class; empty where the prefix decides.
    pub class: &'static str,
    /// What the provider asks, micro-euro.
    pub cost_micro: i64,
    /// Random bits for what only some layouts show: antenna, channel, spelling of numbers.
    pub noise: u64,
    /// What an installation cannot do with it.
    pub flaw: Flaw,
    /// Whether it started more than a day before the days of its file.
    pub late: bool,
    /// How far from home it happened.
    pub region: Region,
    /// Whether the wall clock showed its start twice.
    pub repeated_hour: bool,
}

impl Call {
    /// The start on the wall clock, seconds.
    pub fn local_s(&self) -> i64 {
        self.instant_s + self.offset_s
    }

    /// Whether it is no usage of the source's customers.
    pub fn is_foreign(&self) -> bool {
        self.billing == Billing::Foreign
    }
}

/// Whose records a file holds.
#[derive(Debug, Clone, Copy)]
pub enum Served<'f> {
    /// Those of any of these lines.
    Lines(&'f [usize]),
    /// Those of one line.
    One(usize),
}

/// What is the same for all records of a file.
#[derive(Debug, Clone, Copy)]
pub struct Source<'f> {
    /// The lines of all files.
    pub fleet: &'f Fleet,
    /// The month.
    pub calendar: &'f Calendar,
    /// The layout; some cannot say everything.
    pub layout: Layout,
    /// Whose records.
    pub served: Served<'f>,
    /// The days on which they mostly start.
    pub days: Days,
    /// How often something happens.
    pub rates: &'f Rates,
}

/// Which records are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Any, with the flaws of real months.
    Any,
    /// Answered, without flaws and from lines whose owner does not change.
    Flawless,
}

impl Source<'_> {
    /// Draws a record.
    pub fn draw(&self, wanted: Wanted, dice: &mut Dice) -> Call {
        loop {
            let call = self.draw_once(wanted, dice);
            if wanted == Wanted::Any || call.flaw == Flaw::None {
                return call;
            }
        }
    }

    fn draw_once(&self, wanted: Wanted, dice: &mut Dice) -> Call {
        let position = self.line(wanted, dice);
        let line = &self.fleet.lines[position];
        let (instant_s, late) = self.start(wanted, dice);
        let kind = self.kind(line, dice);
        let direction = self.direction(kind, dice);
        let outgoing = direction != Direction::Incoming;
        let (party, rate) = self.party(kind, direction, dice);
        let is_mobile = line.kind != LineKind::Fixed && self.layout.has_network();
        let roaming = is_mobile && dice.chance(self.rates.roaming_ppm);
        let (network, region) = if roaming { numbering::draw_visited(dice) } else { numbering::draw_home(dice) };
        let answered = wanted == Wanted::Flawless || kind != UsageKind::Voice || !dice.chance(50_000);
        let (duration_s, bytes_up, bytes_down) = amounts(kind, answered, dice);
        let mut call = Call {
            kind,
            direction,
            served: line.msisdn,
            line: Some(position),
            customer: line.tenure_at(instant_s).map_or(line.tenures[0].customer, |t| t.customer),
            party,
            instant_s,
            offset_s: self.calendar.offset_at(instant_s),
            billing: Billing::Usage,
            answered,
            duration_s,
            bytes_up,
            bytes_down,
            network,
            class: if outgoing && !roaming && kind != UsageKind::Data && !dice.chance(300_000) { rate.class() } else { "" },
            cost_micro: 0,
            noise: dice.bits(),
            flaw: if line.tenure_at(instant_s).is_some() { Flaw::None } else { Flaw::Unowned },
            late,
            region,
            repeated_hour: self.calendar.is_repeated(instant_s),
        };
        if wanted == Wanted::Any {
            self.plant(&mut call, dice);
        }
        if call.flaw == Flaw::None && line.tenure_at(instant_s).is_some_and(|t| !t.plan.sells(&call, rate)) {
            call.flaw = Flaw::Unsold;
        }
        if self.layout.tells(Tells::Bundle) && is_covered(&call) {
            call.billing = Billing::Bundled;
        } else {
            call.cost_micro = cost(&call, rate) / self.layout.cost_step() * self.layout.cost_step();
        }
        call
    }

    /// The position of a line.
    fn line(&self, wanted: Wanted, dice: &mut Dice) -> usize {
        match self.served {
            Served::One(line) => line,
            Served::Lines(lines) => loop {
                // Half of the draws prefer the first lines, so that some devices have far more records than others.
                let position = if dice.chance(350_000) { dice.skewed(lines.len()) } else { dice.index(lines.len()) };
                if wanted == Wanted::Any || self.fleet.lines[lines[position]].is_steady() {
                    return lines[position];
                }
            },
        }
    }

    /// The start and whether it is late.
    fn start(&self, wanted: Wanted, dice: &mut Dice) -> (i64, bool) {
        let instant_s = self.calendar.draw(self.days, dice);
        if wanted == Wanted::Any && dice.chance(self.rates.late_ppm) {
            // Whole days back, so that late records have the hours of a business day too.
            let days = i64::from(self.days.count()) + 1 + dice.span(20);
            let local_s = instant_s + self.calendar.offset_at(instant_s) - days * DAY_S;
            return (self.calendar.instant_of(local_s, false), true);
        }
        match self.calendar.change_within(self.days) {
            Some(change) if dice.chance(self.rates.clock_change_ppm / u32::try_from(self.days.count()).unwrap_or(1)) => {
                (change - 3 * HOUR_S + dice.span(6 * HOUR_S), false)
            }
            _ => (instant_s, false),
        }
    }

    fn kind(&self, line: &Line, dice: &mut Dice) -> UsageKind {
        match (self.layout, line.kind) {
            (_, LineKind::Fixed) => UsageKind::Voice,
            (Layout::MobileMetadata, _) => *dice.pick(&[UsageKind::Voice, UsageKind::Sms, UsageKind::Sms, UsageKind::Sms]),
            (_, LineKind::Machine) => UsageKind::Data,
            (_, LineKind::Mobile) => match dice.below(1_000) {
                0..470 => UsageKind::Voice,
                560..565 if self.layout.tells(Tells::Mms) => UsageKind::Mms,
                470..565 => UsageKind::Sms,
                _ => UsageKind::Data,
            },
        }
    }

    fn direction(&self, kind: UsageKind, dice: &mut Dice) -> Direction {
        let of_hundred = dice.below(100);
        match (self.layout, kind) {
            (_, UsageKind::Data) => Direction::Outgoing,
            _ if !self.layout.tells(Tells::Incoming) => Direction::Outgoing,
            (Layout::MobileMetadata, _) | (_, UsageKind::Sms | UsageKind::Mms) if of_hundred < 60 => Direction::Outgoing,
            (Layout::MobileMetadata, _) | (_, UsageKind::Sms | UsageKind::Mms) => Direction::Incoming,
            (_, UsageKind::Voice) => match of_hundred {
                0..60 => Direction::Outgoing,
                60..97 => Direction::Incoming,
                _ => Direction::Forwarded,
            },
        }
    }

    fn party(&self, kind: UsageKind, direction: Direction, dice: &mut Dice) -> (Party, Rate) {
        if kind == UsageKind::Data {
            return (Party::Absent, Rate::Free);
        }
        let drawn = numbering::draw_called(self.rates, direction != Direction::Incoming, dice);
        match (direction, kind) {
            (Direction::Incoming, UsageKind::Voice) if self.layout.tells(Tells::HiddenParty) && dice.chance(60_000) => {
                (Party::Hidden, Rate::Fixed)
            }
            (Direction::Incoming, UsageKind::Sms) if self.layout.tells(Tells::Sender) && dice.chance(150_000) => {
                (numbering::draw_sender(dice), Rate::Fixed)
            }
            _ => drawn,
        }
    }

    /// Turns some records into ones that cannot be linked, have no zone or are none of the customers' usage.
    fn plant(&self, call: &mut Call, dice: &mut Dice) {
        // Interim records are of sessions.
        let can_be_foreign = self.layout != Layout::Yielder || call.kind == UsageKind::Data;
        if self.layout.has_foreign_rows() && can_be_foreign && dice.chance(self.rates.foreign_ppm) {
            call.billing = Billing::Foreign;
        }
        if matches!(self.served, Served::Lines(_)) && dice.chance(self.rates.unknown_number_ppm) {
            (call.served, call.line) = (numbering::draw_unknown_served(dice), None);
            call.flaw = Flaw::UnknownNumber;
        } else if call.flaw == Flaw::None && dice.chance(self.rates.unknown_zone_ppm) {
            let called = call.kind != UsageKind::Data && call.direction != Direction::Incoming && call.region == Region::Home;
            if called {
                call.party = numbering::draw_unknown_prefix(dice);
                call.class = "";
                call.flaw = Flaw::UnknownZone;
            } else if self.layout.has_network() {
                (call.network, call.region) = numbering::UNKNOWN_NETWORK;
                call.class = "";
                call.flaw = Flaw::UnknownZone;
            }
        }
    }
}

/// Whether a bundle covers it: a third of what goes out to Dutch numbers, and of the sessions at home.
fn is_covered(call: &Call) -> bool {
    let national = call.kind == UsageKind::Data || call.class.starts_with("N_");
    call.region == Region::Home && national && !call.is_foreign() && call.noise.is_multiple_of(3)
}

/// Seconds, bytes sent and bytes received.
fn amounts(kind: UsageKind, answered: bool, dice: &mut Dice) -> (i64, i64, i64) {
    match kind {
        UsageKind::Voice if answered => (dice.call_seconds(), 0, 0),
        UsageKind::Data if dice.chance(10_000) => (dice.call_seconds(), 0, 0),
        UsageKind::Data => {
            let down = dice.session_bytes();
            (dice.call_seconds() * 4, down * (20 + dice.span(200)) / 1_000, down)
        }
        _ => (0, 0, 0),
    }
}

/// What the provider asks, micro-euro.
fn cost(call: &Call, rate: Rate) -> i64 {
    let (region, roaming) = (call.region, call.region != Region::Home);
    let outgoing = call.direction != Direction::Incoming;
    match call.kind {
        UsageKind::Voice if roaming && outgoing => call.duration_s * (region.minute_micro() + rate.minute_micro()) / 60,
        UsageKind::Voice if roaming => call.duration_s * region.minute_micro() / 3 / 60,
        UsageKind::Voice if outgoing => call.duration_s * rate.minute_micro() / 60,
        UsageKind::Sms if outgoing => region.message_micro() + rate.message_micro(),
        UsageKind::Mms if outgoing => 4 * (region.message_micro() + rate.message_micro()),
        UsageKind::Data => (call.bytes_up + call.bytes_down) / 1_000 * region.megabyte_micro() / 1_000,
        _ => 0,
    }
}
