//! Who does the next step: files land, machines move, die, sleep and are taken for dead, in an order drawn from the seed.

mod landing;
mod mishaps;
mod orders;

use std::error::Error;

use domain::delivery::ArrivalNumber;
use domain::ports::Disposition;
use ingest::log::Topic;
use pipeline::PipelineError;
use pipeline::splitter::SplitStep;
use pipeline::worker::Step;

use super::Breach;
use super::audit::Audit;
use super::chance::Chance;
use super::tally::Mishap;
use super::theatre::{Actor, MEMBERS, RATING, SPLITTING, Theatre};
use super::world::World;
use crate::hold;

/// Steps in a storm; what is left then is done in calm weather.
const STORM_STEPS_MAX: u64 = 4000;

/// Steps in calm weather: far more than a run needs, so that one that never ends is told.
const CALM_STEPS_MAX: u64 = 20_000;

/// How often what allowances give has to be settled at most when all else is done.
const SETTLED_MAX: u32 = 1;

/// Of a thousand steps so many get a fault.
const FAULTS_PER_MILLE: u64 = 45;

/// Of a thousand commits so many get a fault or a rival.
const COMMIT_FAULTS_PER_MILLE: u64 = 130;

/// Of a thousand occasions so many are taken to import what is due.
const IMPORTS_PER_MILLE: u64 = 100;

/// What kind of weather it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// Anything may go wrong.
    Storm,
    /// Nothing goes wrong any more, but a splitter that slept over a trimmed log finds its place gone.
    Aftermath,
    /// Nothing ever went wrong.
    Calm,
}

/// A worker that the others take for dead.
struct Ghost {
    actor: Actor,
    steps_left: u64,
    /// The topic that it read is gone: it finishes what it has begun and reads no more.
    reads_no_more: bool,
}

/// The order of events of one run.
pub struct Script<'w> {
    world: &'w World,
    chance: Chance,
    scene: Scene,
    /// Files that have landed.
    landed: usize,
    /// Their arrival numbers.
    arrivals: Vec<ArrivalNumber>,
    /// Withdrawals that have landed.
    withdrawn: usize,
    /// Imports that are in force.
    imported: usize,
    /// Decisions to rate rows again that have landed.
    recycled: usize,
    ghosts: Vec<Ghost>,
    /// Until which step each worker sleeps.
    asleep: Vec<u64>,
    /// What each worker did last.
    last: Vec<Option<Step>>,
    announced_idle: bool,
    split_idle: Vec<bool>,
    topic_was_lost: bool,
    /// How often what allowances give was settled at the end.
    settled: u32,
    steps: u64,
}

impl std::fmt::Debug for Script<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Script({} steps, {} files landed)", self.steps, self.landed)
    }
}

impl<'w> Script<'w> {
    /// A run in which everything goes wrong that may.
    pub fn storm(seed: u64, world: &'w World) -> Self {
        Self::new(seed, world, Scene::Storm)
    }

    /// The same files, undisturbed.
    pub fn calm(seed: u64, world: &'w World) -> Self {
        Self::new(seed, world, Scene::Calm)
    }

    fn new(seed: u64, world: &'w World, scene: Scene) -> Self {
        let members = MEMBERS as usize;
        Self {
            world,
            chance: Chance::new(seed, 2),
            scene,
            landed: 0,
            arrivals: Vec::new(),
            withdrawn: 0,
            imported: 0,
            recycled: 0,
            ghosts: Vec::new(),
            asleep: vec![0; members],
            last: vec![None; members],
            announced_idle: false,
            split_idle: vec![false; members],
            topic_was_lost: false,
            settled: 0,
            steps: 0,
        }
    }

    /// Plays to the end: all that has landed is in the table. Tells how many steps it took.
    pub fn play(mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<u64, Breach> {
        if self.scene == Scene::Storm {
            while self.steps < STORM_STEPS_MAX && !(self.all_landed() && audit.is_settled()) {
                self.steps += 1;
                theatre.clock.advance(self.chance.below(1500));
                self.happen(theatre, audit)?;
                audit.follow(theatre)?;
            }
            self.scene = Scene::Aftermath;
        } else {
            // As little work as possible: the result must not depend on how rows are grouped.
            theatre.set_rows_max(u64::MAX);
        }
        self.drain(theatre, audit)?;
        Ok(self.steps)
    }

    /// Everything in turn until nobody has anything to do. Either all start anew, as after an orderly stop, or whoever is
    /// alive goes on: nothing may wait for a restart.
    fn drain(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        self.ghosts.clear();
        let anew = self.chance.per_mille(500);
        if anew {
            theatre.announcer = None;
        }
        for member in 0..MEMBERS {
            let share: Vec<u32> = (0..self.world.partitions).filter(|p| p % MEMBERS == member).collect();
            theatre.log.assign(RATING, Topic::Batches, member, &share);
            theatre.log.assign(SPLITTING, Topic::Files, member, &share);
            if anew {
                theatre.splitters[member as usize] = None;
                theatre.workers[member as usize] = None;
            }
        }
        self.asleep.fill(0);
        for _ in 0..CALM_STEPS_MAX {
            self.steps += 1;
            theatre.clock.advance(500);
            if !self.all_landed() {
                self.land(theatre, audit)?;
                continue;
            }
            self.announce(theatre)?;
            for member in 0..MEMBERS {
                self.split(theatre, member)?;
                self.work(theatre, member)?;
            }
            audit.follow(theatre)?;
            let idle = self.last.iter().all(|step| *step == Some(Step::Idle));
            let is_done = audit.is_covered() && audit.is_carried_out();
            if self.announced_idle && self.split_idle.iter().all(|idle| *idle) && idle && is_done {
                if audit.unsettled().is_empty() {
                    return Ok(());
                }
                // One look suffices where nothing else comes; orders of several accounts go side by side.
                hold!(self.settled < SETTLED_MAX, "{SETTLED_MAX} times nothing else came, and texts draw otherwise still");
                self.settled += 1;
                self.settle_all(theatre, audit)?;
            }
        }
        Err(Breach(format!("the flow does not come to rest within {CALM_STEPS_MAX} calm steps: {:?}", self.last)))
    }

    fn happen(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        let member = u32::try_from(self.chance.below(u64::from(MEMBERS))).expect("two");
        match self.chance.below(1000) {
            0..60 => self.land(theatre, audit),
            60..85 => self.announce(theatre),
            85..200 => self.split(theatre, member),
            200..920 => self.work(theatre, member),
            920..958 => self.haunt(theatre),
            958..972 => {
                self.rebalance(theatre);
                Ok(())
            }
            972..977 => {
                self.asleep[member as usize] = self.steps + self.chance.between(10, 60);
                theatre.note(Mishap::Paused);
                Ok(())
            }
            977..981 => {
                self.kill(theatre, member);
                Ok(())
            }
            981..985 => {
                self.take_for_dead(theatre, member, false);
                Ok(())
            }
            985..986 => {
                theatre.announcer = None;
                theatre.note(Mishap::Reannounced);
                Ok(())
            }
            986..989 => self.redeliver(theatre, audit),
            989..992 => self.keep_house(theatre, audit),
            992..994 => self.trim_topic(theatre, audit),
            994..995 => self.overtake(theatre, audit),
            _ => self.lose_topic(theatre, audit),
        }
    }

    /// Lands the next file; whoever is killed over it tries again later.
    fn land(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        if self.world.imports.get(self.imported).is_some_and(|after| *after <= self.landed) {
            // Not before much of what has landed is rated, or nothing would be in suspense for it.
            if self.scene == Scene::Storm && !self.chance.per_mille(IMPORTS_PER_MILLE) {
                return Ok(());
            }
            self.imported += 1;
            audit.import(theatre.reference.import());
            return Ok(());
        }
        let due = self.world.withdrawals.get(self.withdrawn).filter(|w| w.after <= self.landed);
        if let Some(withdrawal) = due {
            return self.withdraw(theatre, withdrawal.file);
        }
        if self.world.recycles.get(self.recycled).is_some_and(|r| r.after <= self.landed) {
            return self.recycle(theatre, audit);
        }
        self.land_files(theatre, audit)
    }

    fn all_landed(&self) -> bool {
        self.landed == self.world.files.len()
            && self.withdrawn == self.world.withdrawals.len()
            && self.recycled == self.world.recycles.len()
    }

    fn announce(&mut self, theatre: &mut Theatre) -> Result<(), Breach> {
        // A new announcer repeats all that is not settled: too many of them would drown the rest.
        if self.chance.per_mille(300) {
            self.arm_append(theatre);
        }
        let announcer = theatre.announcer.take().map_or_else(|| theatre.new_announcer(), Ok);
        let step = announcer.and_then(|mut announcer| {
            let sent = announcer.step().and_then(|sent| Ok(sent + theatre.look_again(&mut announcer)?));
            theatre.announcer = Some(announcer);
            sent
        });
        self.announced_idle = matches!(step, Ok(0));
        let is_lost = Self::settle(theatre, step)?.is_none();
        if is_lost {
            theatre.announcer = None;
        }
        Ok(())
    }

    fn split(&mut self, theatre: &mut Theatre, member: u32) -> Result<(), Breach> {
        self.arm_append(theatre);
        let at = member as usize;
        if theatre.splitters[at].is_none() {
            theatre.splitters[at] = Some(theatre.new_splitter(member));
        }
        let step = theatre.splitters[at].as_mut().map_or(Ok(SplitStep::Idle), |splitter| splitter.step(0));
        self.split_idle[at] = matches!(step, Ok(SplitStep::Idle));
        if Self::settle(theatre, step)?.is_none() {
            theatre.splitters[at] = None;
        }
        Ok(())
    }

    fn work(&mut self, theatre: &mut Theatre, member: u32) -> Result<(), Breach> {
        let at = member as usize;
        if self.asleep[at] > self.steps {
            return Ok(());
        }
        if self.scene == Scene::Storm && self.last[at] == Some(Step::Prepared) && self.chance.per_mille(COMMIT_FAULTS_PER_MILLE) {
            theatre.weather.arm_commit(&mut self.chance);
        } else {
            self.arm(theatre);
        }
        let actor = theatre.workers[at].take().map_or_else(|| theatre.new_worker(member), Ok);
        let (step, mut actor) = match actor {
            Err(error) => (Err(error), None),
            Ok(mut actor) => (actor.worker.step(0, &theatre.clock, &mut actor.chance), Some(actor)),
        };
        self.last[at] = step.as_ref().ok().cloned();
        let failed = step.is_err();
        note_step(theatre, &step);
        if Self::settle(theatre, step)?.is_none() {
            actor = None;
        }
        if let Some(actor) = actor.as_mut().filter(|_| failed) {
            actor.worker.recover();
        }
        theatre.workers[at] = actor;
        Ok(())
    }

    /// A worker that was taken for dead goes on.
    fn haunt(&mut self, theatre: &mut Theatre) -> Result<(), Breach> {
        if self.ghosts.is_empty() {
            return Ok(());
        }
        let at = self.chance.index(self.ghosts.len());
        self.arm(theatre);
        let mut ghost = self.ghosts.swap_remove(at);
        let step = ghost.actor.worker.step(0, &theatre.clock, &mut ghost.actor.chance);
        let failed = step.is_err();
        note_step(theatre, &step);
        let is_done = matches!(step, Ok(Step::Committed(_) | Step::Fenced | Step::Idle | Step::Polled));
        // The topic that it read is another one by now, and shorter.
        let is_lost = ghost.reads_no_more && matches!(step, Err(PipelineError::LogLost { .. }));
        if is_lost {
            theatre.weather.calm();
            return Ok(());
        }
        let is_alive = Self::settle(theatre, step)?.is_some();
        ghost.steps_left = ghost.steps_left.saturating_sub(1);
        if failed {
            ghost.actor.worker.recover();
        }
        if is_alive && ghost.steps_left > 0 && !(ghost.reads_no_more && (is_done || failed)) {
            self.ghosts.push(ghost);
        }
        Ok(())
    }

    fn arm(&mut self, theatre: &Theatre) {
        if self.scene == Scene::Storm && self.chance.per_mille(FAULTS_PER_MILLE) {
            theatre.weather.arm(&mut self.chance);
        }
    }

    fn arm_append(&mut self, theatre: &Theatre) {
        self.arm(theatre);
        if self.scene == Scene::Storm && self.chance.per_mille(FAULTS_PER_MILLE) {
            theatre.weather.arm_append(&mut self.chance);
        }
    }

    /// Ends a step. `None`: whoever made it is gone. A failure that may pass leaves it alive, as in the binary; one that
    /// nobody has ordered is a breach.
    fn settle<T>(theatre: &mut Theatre, step: Result<T, PipelineError>) -> Result<Option<()>, Breach> {
        let report = theatre.weather.calm();
        match step {
            _ if report.dead => Ok(None),
            Ok(_) => Ok(Some(())),
            Err(error) => {
                hold!(report.fired, "a step failed in calm weather: {}", chain(&error));
                Ok((error.disposition() == Disposition::Retry).then_some(()))
            }
        }
    }
}

fn note_step(theatre: &mut Theatre, step: &Result<Step, PipelineError>) {
    match step {
        Ok(Step::Fenced) => theatre.note(Mishap::Fenced),
        Ok(Step::Redo) => theatre.note(Mishap::Redo),
        _ => {}
    }
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
