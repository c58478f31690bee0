//! What a window means and what an import does to windows: pure, the same for the dry run, the import and the load.
//!
//! A window is stated by a row: this number, from this instant on, is this device, subscription, customer and plan, until a
//! stated end. **A window without a stated end is open: it lasts until the next window of the same number begins.** For the
//! numbers of a SIM (IMSI, ICCID) it also ends when the same device gets another SIM, so that a swap takes one row. So the
//! end of an open window follows from all windows together and is computed, never stored: imports may come in any order of
//! their dates and give the same windows. A *stated* end beyond the start of the next window is an overlap, and refused.

use crate::identifier::{Identifier, IdentifierKind};
use crate::import::ImportMode;
use crate::instant::show_instant;
use crate::names::Interner;
use crate::report::{Change, Ended, Gap, ImportReport, MovedEnd, NamedWindow, Origin, Overlap, OwnerChange};

/// The end of a window that nothing ends.
pub(crate) const OPEN_US: i64 = i64::MAX;

/// What a window is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    /// A number.
    Number(Identifier),
    /// A subscription, by its name's code: who pays for it, or which group it is in.
    Subscription(u32),
}

/// Device, subscription, customer, plan and group as codes of the run's [`Interner`]; what a window does not say is the code of an
/// empty name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OwnerCodes {
    pub device: u32,
    pub subscription: u32,
    pub customer: u32,
    pub plan: u32,
    pub group: u32,
}

/// A stated window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub identifier: Subject,
    pub from_us: i64,
    /// The stated end; `None` is open.
    pub to_us: Option<i64>,
    pub owner: OwnerCodes,
    pub origin: Origin,
}

impl Window {
    /// What names a window: the same number or subscription from the same instant on.
    pub fn key(&self) -> (Subject, i64) {
        (self.identifier, self.from_us)
    }

    /// What SIM it is of; `None` for MSISDNs and subscriptions, of which a device may have several.
    fn sim(&self) -> Option<(IdentifierKind, u64)> {
        match self.identifier {
            Subject::Number(number) if number.kind != IdentifierKind::Msisdn => Some((number.kind, number.value)),
            _ => None,
        }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.to_us == other.to_us && self.owner == other.owner
    }
}

/// Where each window ends, for windows sorted by key.
pub(crate) fn ends_of(windows: &[Window]) -> Vec<i64> {
    let mut ends_us: Vec<i64> = windows.iter().map(|w| w.to_us.unwrap_or(OPEN_US)).collect();
    for (position, pair) in windows.windows(2).enumerate() {
        if pair[0].to_us.is_none() && pair[0].identifier == pair[1].identifier {
            ends_us[position] = pair[1].from_us;
        }
    }
    end_swapped_sims(windows, &mut ends_us);
    ends_us
}

/// Ends the open windows of a device's former SIM where it gets another.
fn end_swapped_sims(windows: &[Window], ends_us: &mut [i64]) {
    let mut sims: Vec<usize> = (0..windows.len()).filter(|position| windows[*position].sim().is_some()).collect();
    let kind_of = |i: &usize| windows[*i].sim().map(|(kind, _)| kind);
    let value_of = |i: &usize| windows[*i].sim().map_or(0, |(_, value)| value);
    sims.sort_unstable_by_key(|i| (kind_of(i), windows[*i].owner.device, windows[*i].from_us));
    let device_of = |i: &usize| (kind_of(i), windows[*i].owner.device);
    for of_device in sims.chunk_by(|a, b| device_of(a) == device_of(b)) {
        // From the latest start back: the next start, whose SIM that is, and the next start of any other SIM than that.
        let (mut next, mut next_other): (Option<(i64, u64)>, Option<i64>) = (None, None);
        for together in of_device.chunk_by(|a, b| windows[*a].from_us == windows[*b].from_us).rev() {
            for i in together.iter().filter(|i| windows[**i].to_us.is_none()) {
                let swap_us = match next {
                    Some((from_us, value)) if value != value_of(i) => Some(from_us),
                    _ => next_other,
                };
                ends_us[*i] = ends_us[*i].min(swap_us.unwrap_or(OPEN_US));
            }
            for i in together {
                let value = value_of(i);
                if let Some((from_us, other)) = next
                    && other != value
                {
                    next_other = Some(from_us);
                }
                next = Some((windows[*i].from_us, value));
            }
        }
    }
}

/// How a window after the import relates to the state before it.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It was there and no row speaks of it; with its end before.
    Kept { was_us: i64 },
    /// No window of its key was there.
    Added,
    /// A row repeats it; with its end before.
    Repeated { was_us: i64 },
    /// A row writes it anew; as it was, with its end before.
    Changed { before: Window, was_us: i64 },
    /// No row of a full list names it, so it ends; with its end before.
    Ended { was_us: i64 },
}

impl Fate {
    fn is_written(self) -> bool {
        !matches!(self, Self::Kept { .. } | Self::Repeated { .. })
    }

    /// Whether the file names it.
    fn is_stated(self) -> bool {
        matches!(self, Self::Added | Self::Repeated { .. } | Self::Changed { .. })
    }
}

/// Merges what is known with what the file says, reports every difference, and gives the windows to write.
pub(crate) fn plan_windows(
    current: &[Window],
    stated: &[Window],
    mode: ImportMode,
    names: &Interner,
    report: &mut ImportReport,
) -> Vec<Window> {
    let (mut windows, mut fates) = merge(current, stated, report);
    let mut ends_us = ends_of(&windows);
    let mut disputed = Vec::new();
    if let Some(list) = mode.full() {
        report.ended_max = Some(list.ended_max);
        report.existing = existing(current, list.as_of_us);
        disputed = end_absent(&mut windows, &mut fates, &ends_us, list.as_of_us);
        ends_us = ends_of(&windows);
    }
    let plan = Plan { windows: &windows, fates: &fates, ends_us: &ends_us, names };
    for position in 0..windows.len() {
        plan.report_fate(position, report);
    }
    for same in group_by_identifier(&windows) {
        plan.report_neighbours(same, report);
    }
    for (listed, known) in disputed {
        plan.report_dispute(listed, known, report);
    }
    windows.iter().zip(&fates).filter(|(_, fate)| fate.is_written()).map(|(window, _)| *window).collect()
}

fn merge(current: &[Window], stated: &[Window], report: &mut ImportReport) -> (Vec<Window>, Vec<Fate>) {
    let was = ends_of(current);
    let mut windows = Vec::with_capacity(current.len() + stated.len());
    let mut fates = Vec::with_capacity(windows.capacity());
    let (mut c, mut s) = (0, 0);
    while c < current.len() || s < stated.len() {
        let take_known = s == stated.len() || (c < current.len() && current[c].key() < stated[s].key());
        let take_new = c == current.len() || (s < stated.len() && stated[s].key() < current[c].key());
        let (window, fate) = if take_known {
            (current[c], Fate::Kept { was_us: was[c] })
        } else if take_new {
            report.added += 1;
            (stated[s], Fate::Added)
        } else if current[c].says_the_same(&stated[s]) {
            report.unchanged += 1;
            (current[c], Fate::Repeated { was_us: was[c] })
        } else {
            report.changed += 1;
            (stated[s], Fate::Changed { before: current[c], was_us: was[c] })
        };
        windows.push(window);
        fates.push(fate);
        c += usize::from(!take_new);
        s += usize::from(!take_known);
    }
    (windows, fates)
}

/// How many windows hold at an instant.
fn existing(windows: &[Window], at_us: i64) -> u64 {
    windows.iter().zip(ends_of(windows)).filter(|(w, end_us)| w.from_us <= at_us && at_us < *end_us).count() as u64
}

/// Ends the windows that hold at the instant of a full list and that it does not name. Where the list says who has a number
/// then, and a window that it does not name cuts that one off, nothing has to be said if the owner is the same; else the two
/// contradict each other, and their positions come back, the list's first.
fn end_absent(windows: &mut [Window], fates: &mut [Fate], ends_us: &[i64], as_of_us: i64) -> Vec<(usize, usize)> {
    let mut disputed = Vec::new();
    for same in group_by_identifier(windows) {
        let listed = same.clone().rev().find(|i| {
            let window = &windows[*i];
            let is_then = window.from_us <= as_of_us && window.to_us.is_none_or(|to_us| as_of_us < to_us);
            is_then && fates[*i].is_stated()
        });
        let holder = same.clone().find(|i| windows[*i].from_us <= as_of_us && as_of_us < ends_us[*i]);
        match (listed, holder) {
            (Some(listed), holder) => {
                let agrees = holder.is_some_and(|i| windows[i].owner == windows[listed].owner);
                let cut_by = same.clone().find(|i| *i > listed && windows[*i].from_us <= as_of_us);
                if let Some(known) = cut_by.filter(|i| !agrees && !fates[*i].is_stated()) {
                    disputed.push((listed, known));
                }
            }
            // A window that begins at the very instant would be left without one.
            (None, Some(i)) if windows[i].from_us < as_of_us => {
                if let Fate::Kept { was_us } = fates[i] {
                    windows[i].to_us = Some(as_of_us);
                    fates[i] = Fate::Ended { was_us };
                }
            }
            (None, _) => {}
        }
    }
    disputed
}

fn group_by_identifier(windows: &[Window]) -> Vec<std::ops::Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for same in windows.chunk_by(|a, b| a.identifier == b.identifier) {
        groups.push(start..start + same.len());
        start += same.len();
    }
    groups
}

/// All windows after the import with their fates and ends.
struct Plan<'a> {
    windows: &'a [Window],
    fates: &'a [Fate],
    ends_us: &'a [i64],
    names: &'a Interner,
}

impl Plan<'_> {
    fn named(&self, window: &Window, end_us: i64) -> NamedWindow {
        let name = |code| self.names.name(code).to_owned();
        NamedWindow {
            origin: window.origin,
            device: name(window.owner.device),
            subscription: name(window.owner.subscription),
            customer: name(window.owner.customer),
            plan: name(window.owner.plan),
            group: name(window.owner.group),
            from: show_instant(window.from_us),
            to: shown_end(end_us),
        }
    }

    /// The number, masked, or the subscription.
    fn subject(&self, position: usize) -> String {
        match self.windows[position].identifier {
            Subject::Number(number) => number.to_string(),
            Subject::Subscription(code) => format!("subscription {}", self.names.name(code)),
        }
    }

    fn customer(&self, window: &Window) -> String {
        self.names.name(window.owner.customer).to_owned()
    }

    /// What happens to one window by itself.
    fn report_fate(&self, position: usize, report: &mut ImportReport) {
        let (window, end_us) = (&self.windows[position], self.ends_us[position]);
        let identifier = self.subject(position);
        match self.fates[position] {
            Fate::Kept { was_us } | Fate::Repeated { was_us } if was_us != end_us => {
                let moved = MovedEnd { identifier, window: self.named(window, end_us), was: shown_end(was_us) };
                let list = if end_us < was_us { &mut report.closed } else { &mut report.extended };
                list.push(moved);
            }
            Fate::Kept { .. } | Fate::Repeated { .. } => {}
            Fate::Added => report.additions.push(format!("{identifier}: {}", self.named(window, end_us))),
            Fate::Ended { was_us } => report.ended.push(Ended {
                what: format!("{identifier}: {}", self.named(window, was_us)),
                at: show_instant(end_us),
                was: shown_end(was_us),
            }),
            Fate::Changed { before, was_us } => {
                let (was, is) = (self.named(&before, was_us), self.named(window, end_us));
                if before.owner.customer != window.owner.customer {
                    report.owner_changes.push(OwnerChange {
                        identifier: identifier.clone(),
                        at: is.from.clone(),
                        from_customer: was.customer.clone(),
                        to_customer: is.customer.clone(),
                        rewrites: true,
                    });
                }
                report.changes.push(Change { identifier, before: was, after: is });
            }
        }
    }

    /// What happens between the windows of one number. Only what the import touches is reported.
    fn report_neighbours(&self, same: std::ops::Range<usize>, report: &mut ImportReport) {
        let subject = || self.subject(same.start);
        for (a, b) in same.clone().zip(same.clone().skip(1)) {
            let (earlier, later) = (&self.windows[a], &self.windows[b]);
            if !(self.is_touched(a) || self.is_touched(b)) {
                continue;
            }
            if earlier.to_us.is_some_and(|to_us| to_us > later.from_us) {
                let (earlier, later) = (self.named(earlier, self.ends_us[a]), self.named(later, self.ends_us[b]));
                report.overlaps.push(Overlap { identifier: subject(), earlier, later });
                continue;
            }
            if self.ends_us[a] < later.from_us {
                let (from, to) = (show_instant(self.ends_us[a]), Some(show_instant(later.from_us)));
                report.gaps.push(Gap { kind: report.kind, identifier: subject(), from, to });
            }
            if earlier.owner.customer != later.owner.customer {
                report.owner_changes.push(OwnerChange {
                    identifier: subject(),
                    at: show_instant(later.from_us),
                    from_customer: self.customer(earlier),
                    to_customer: self.customer(later),
                    rewrites: false,
                });
            }
        }
        self.report_lost_future(same, report);
    }

    /// A number whose owner at the instant of a full list is another than the list says, because of a later window.
    fn report_dispute(&self, listed: usize, known: usize, report: &mut ImportReport) {
        let open = |i: usize| self.named(&self.windows[i], self.windows[i].to_us.unwrap_or(OPEN_US));
        let identifier = self.subject(listed);
        report.overlaps.push(Overlap { identifier, earlier: open(listed), later: open(known) });
    }

    /// A number that someone had without end, and that has an end now because a window with a stated end took it over.
    fn report_lost_future(&self, same: std::ops::Range<usize>, report: &mut ImportReport) {
        let last = same.end - 1;
        let was_open = |fate| matches!(fate, Fate::Kept { was_us: OPEN_US } | Fate::Repeated { was_us: OPEN_US });
        let cut = |i: usize| was_open(self.fates[i]) && self.ends_us[i] != OPEN_US;
        if self.ends_us[last] != OPEN_US && same.clone().any(cut) && self.windows[last].to_us.is_some() {
            let from = show_instant(self.ends_us[last]);
            report.gaps.push(Gap { kind: report.kind, identifier: self.subject(last), from, to: None });
        }
    }

    /// Whether the import writes this window or moves its end.
    fn is_touched(&self, position: usize) -> bool {
        match self.fates[position] {
            Fate::Kept { was_us } | Fate::Repeated { was_us } => was_us != self.ends_us[position],
            Fate::Added | Fate::Changed { .. } | Fate::Ended { .. } => true,
        }
    }
}

fn shown_end(end_us: i64) -> Option<String> {
    (end_us != OPEN_US).then(|| show_instant(end_us))
}
