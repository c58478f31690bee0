//! The next file lands, alone or together with those that follow it.

use std::ops::ControlFlow;

use ingest::land::{LandError, LandRequest, Landed, LandedFile, Repeat};

use super::super::Breach;
use super::super::audit::Audit;
use super::super::theatre::Theatre;
use super::super::world::{Reception, Word};
use super::{Script, chain};
use crate::hold;

/// Of a thousand landings so many are of several files.
const TOGETHER_PER_MILLE: u64 = 250;

/// Most files that land at once.
const TOGETHER_MAX: usize = 4;

impl Script<'_> {
    /// Lands the next files; whoever is killed over it tries again later.
    pub(super) fn land_files(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        let count = if self.chance.per_mille(TOGETHER_PER_MILLE) { TOGETHER_MAX } else { 1 };
        let next = (self.landed..self.world.files.len()).take(count);
        // What comes between two files is not to be overtaken by the second.
        let files: Vec<usize> = next.take_while(|file| *file == self.landed || !self.is_due_before(*file)).collect();
        self.arm(theatre);
        let landing = theatre.landing();
        let mut together = landing.together();
        let mut outcomes = Vec::with_capacity(files.len());
        let mut hear = |file, outcome: Result<LandedFile, LandError>| {
            let failed = matches!(&outcome, Err(error) if !matches!(error, LandError::Acts { .. }));
            outcomes.push((file, outcome));
            if failed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let all = files.into_iter().try_for_each(|file| {
            let (request, text) = (self.landing_request(file), &self.world.files[file].text);
            together.add(file, &request, &mut text.as_bytes(), &theatre.clock, &mut hear)
        });
        if all.is_continue() {
            let _ = together.finish(&theatre.clock, &mut hear);
        }
        let report = theatre.weather.calm();
        for (file, outcome) in outcomes {
            match outcome {
                Err(LandError::Acts { number, .. }) if self.world.files[file].reception == Reception::Already => {
                    self.landed += 1;
                    self.arrivals.push(number);
                }
                Err(error) => {
                    hold!(report.fired, "landing {} failed in calm weather: {}", self.world.files[file].name, chain(&error));
                    break;
                }
                Ok(all) => self.take_landed(file, &all, audit)?,
            }
        }
        Ok(())
    }

    /// A repeat of what the same file has left before somebody was killed over it is fine, too.
    fn take_landed(&mut self, file: usize, all: &LandedFile, audit: &mut Audit<'_>) -> Result<(), Breach> {
        hold!(self.landed == file, "file {file} has landed before file {}", self.landed);
        let [landed] = &all.landed[..] else { return Err(Breach(format!("file {file} has landed as {all:?}"))) };
        let (name, reception) = (&self.world.files[file].name, self.world.files[file].reception);
        let arrival = landed.arrival().number;
        match (landed, reception) {
            (Landed::New(_) | Landed::Already(_), Reception::Announced) => audit.expect(file, landed.arrival())?,
            (Landed::Held(_) | Landed::Already(_), Reception::Held) | (Landed::Already(_), Reception::Already) => {}
            _ => return Err(Breach(format!("{name} should be {reception:?}, arrival {arrival} says {landed:?}"))),
        }
        self.landed += 1;
        self.arrivals.push(arrival);
        Ok(())
    }

    fn landing_request(&self, file: usize) -> LandRequest {
        let mut request = self.world.request(file);
        if let Some((former, Word::Operator)) = self.world.files[file].replaces {
            request.repeat = Repeat::Replaces(self.arrivals[former]);
        }
        request
    }

    /// Whether something else is to happen before a file lands, or the file itself names an earlier one by its number.
    fn is_due_before(&self, file: usize) -> bool {
        let import = self.world.imports.get(self.imported).is_some_and(|after| *after <= file);
        let withdrawal = self.world.withdrawals.get(self.withdrawn).is_some_and(|w| w.after <= file);
        let recycle = self.world.recycles.get(self.recycled).is_some_and(|r| r.after <= file);
        import || withdrawal || recycle || matches!(self.world.files[file].replaces, Some((_, Word::Operator)))
    }
}
