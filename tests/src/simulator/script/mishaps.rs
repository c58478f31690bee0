//! What happens to the machines rather than by them: rebalances, deaths, repeats, housekeeping and losses.

use ingest::log::{LogWriter, Topic};
use pipeline::worker::Step;

use super::{Ghost, Script, chain};
use crate::simulator::Breach;
use crate::simulator::audit::Audit;
use crate::simulator::tally::Mishap;
use crate::simulator::theatre::{MEMBERS, RATING, SPLITTING, Theatre};

impl Script<'_> {
    pub(super) fn rebalance(&mut self, theatre: &mut Theatre) {
        let mut shares: Vec<Vec<u32>> = vec![Vec::new(); MEMBERS as usize];
        let mut shared = false;
        let (group, topic) = if self.chance.per_mille(750) { (RATING, Topic::Batches) } else { (SPLITTING, Topic::Files) };
        for partition in 0..self.world.partitions {
            let both = self.chance.per_mille(if group == RATING { 120 } else { 30 });
            let owner = self.chance.index(shares.len());
            for (member, share) in shares.iter_mut().enumerate() {
                if both || member == owner {
                    share.push(partition);
                }
            }
            shared |= both;
        }
        for (member, share) in (0..).zip(&shares) {
            theatre.log.assign(group, topic, member, share);
        }
        // Whoever is about to commit may sleep over it, and wake as a zombie.
        for (member, last) in self.last.iter().enumerate() {
            if *last == Some(Step::Prepared) && self.chance.per_mille(700) {
                self.asleep[member] = self.steps + self.chance.between(5, 50);
                theatre.note(Mishap::Paused);
            }
        }
        theatre.note(Mishap::Rebalance);
        if shared {
            theatre.note(Mishap::SplitBrain);
        }
    }

    pub(super) fn kill(&mut self, theatre: &mut Theatre, member: u32) {
        let at = member as usize;
        match self.chance.below(12) {
            0..3 => theatre.splitters[at] = None,
            3 => theatre.announcer = None,
            _ => theatre.workers[at] = None,
        }
        theatre.note(Mishap::CrashBetween);
    }

    /// Another takes a worker's place while it lives on.
    pub(super) fn take_for_dead(&mut self, theatre: &mut Theatre, member: u32, reads_no_more: bool) {
        let at = member as usize;
        let has_begun = matches!(self.last[at], Some(Step::Prepared | Step::Read | Step::Redo));
        if let Some(actor) = theatre.workers[at].take().filter(|_| has_begun || !reads_no_more) {
            self.ghosts.push(Ghost { actor, steps_left: self.chance.between(2, 40), reads_no_more });
            theatre.note(Mishap::Ghost);
        }
        self.last[at] = None;
    }

    /// Old claim checks come again, one or a run of them.
    pub(super) fn redeliver(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        let again = audit.some_claims(&mut self.chance);
        for (account, claim) in again {
            let payload = serde_json::to_vec(&claim).map_err(|e| Breach(e.to_string()))?;
            theatre.log.writer().append(Topic::Batches, account.as_bytes(), &[], &payload).map_err(|e| Breach(e.to_string()))?;
            theatre.note(Mishap::Redelivered);
        }
        Ok(())
    }

    /// Writes a checkpoint, and sometimes removes entries behind it, as the housekeeper does.
    pub(super) fn keep_house(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        self.arm(theatre);
        let written = theatre.table().and_then(|table| table.checkpoint().map(|()| table.snapshot().version));
        let report = theatre.weather.calm();
        match written {
            Ok(Some(version)) if !report.dead => {
                theatre.note(Mishap::Checkpoint);
                audit.follow(theatre)?;
                if self.chance.per_mille(500) && audit.trim_entries(theatre, version)? {
                    theatre.note(Mishap::EntriesTrimmed);
                }
                Ok(())
            }
            Err(error) if !report.fired => Err(Breach(format!("no checkpoint in calm weather: {}", chain(&error)))),
            _ => Ok(()),
        }
    }

    /// Removes records that the table is past: retention of the log.
    pub(super) fn trim_topic(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        audit.mirror(theatre)?;
        for (partition, position) in audit.positions() {
            let below = self.chance.below(position + 1);
            theatre.log.trim(partition, below).map_err(|e| Breach(e.to_string()))?;
            audit.note_removed(partition, below);
            theatre.note(Mishap::TopicTrimmed);
        }
        Ok(())
    }

    /// Removes records that the table has not taken in yet: retention that is shorter than a stop.
    pub(super) fn overtake(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        audit.mirror(theatre)?;
        let Some((partition, position, last)) = audit.some_waiting(&mut self.chance) else { return Ok(()) };
        let below = self.chance.between(position, last) + 1;
        theatre.log.trim(partition, below).map_err(|e| Breach(e.to_string()))?;
        audit.note_removed(partition, below);
        theatre.note(Mishap::RetentionOvertook);
        Ok(())
    }

    /// The topic of claim checks is gone: everyone stops, it is made anew and filled from landing. Whoever was about to
    /// commit is taken for dead and commits all the same.
    pub(super) fn lose_topic(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        if self.topic_was_lost || self.chance.per_mille(500) || !self.last.contains(&Some(Step::Prepared)) {
            return Ok(());
        }
        self.topic_was_lost = true;
        self.ghosts.clear();
        for member in 0..MEMBERS {
            self.take_for_dead(theatre, member, true);
            theatre.splitters[member as usize] = None;
        }
        theatre.announcer = None;
        audit.lose_topic(theatre)?;
        theatre.note(Mishap::TopicLost);
        Ok(())
    }
}
