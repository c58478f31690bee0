//! What operators decide: files are taken back, suspense is rated again.

use ingest::land::{ArrivalKind, Numbered, Recycling, SuspenseChoice};

use super::{Script, chain};
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::audit::Audit;
use crate::simulator::theatre::Theatre;

impl Script<'_> {
    /// Lands the decision to take a file back; whoever is killed over it tries again later.
    pub(super) fn withdraw(&mut self, theatre: &mut Theatre, file: usize) -> Result<(), Breach> {
        self.arm(theatre);
        let landed = theatre.landing().withdraw(self.arrivals[file], &theatre.clock);
        let report = theatre.weather.calm();
        match landed {
            Err(error) => hold!(report.fired, "a withdrawal failed in calm weather: {}", chain(&error)),
            Ok(_) => self.withdrawn += 1,
        }
        Ok(())
    }

    /// Lands the decision to rate suspense again. Whoever is killed over it makes it once more: it may have landed.
    pub(super) fn recycle(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        let recycle = &self.world.recycles[self.recycled];
        let delivery = recycle.file.map(|file| theatre.landing().arrival(self.arrivals[file]));
        let delivery = match delivery.transpose().map_err(|e| Breach(chain(&e)))?.map(|arrival| arrival.kind) {
            Some(ArrivalKind::Delivery(record)) => Some(record.delivery),
            _ => None,
        };
        let choice = SuspenseChoice {
            reasons: recycle.reason.into_iter().map(str::to_owned).collect(),
            delivery,
            identifier: recycle.line.map(|line| Numbered::Msisdn(self.world.senders[recycle.sender].layout.msisdn(line))),
        };
        let word = Recycling { account: self.world.senders[recycle.sender].account.clone(), choice };
        self.arm(theatre);
        let landed = theatre.landing().recycle(&word, &theatre.clock);
        let report = theatre.weather.calm();
        match landed {
            Err(error) => hold!(report.fired, "a decision failed in calm weather: {}", chain(&error)),
            Ok(_) => self.recycled += 1,
        }
        audit.decide(&theatre.landing())
    }
}
