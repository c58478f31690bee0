//! What operators decide: files are taken back, rows are rated again.

use domain::delivery::DeliveryId;
use ingest::land::{ArrivalKind, DrawingChoice, Edit, Numbered, PricedChoice, Recycling, RowChoice, SuspenseChoice, WriteOff};
use ingest::parse::edit::FieldEdits;

use super::{Script, chain};
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::audit::Audit;
use crate::simulator::layout::EDITED;
use crate::simulator::theatre::Theatre;
use crate::simulator::world::Again;

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

    /// The delivery that a file has become.
    fn delivery(&self, theatre: &Theatre, file: usize) -> Result<Option<DeliveryId>, Breach> {
        let arrival = theatre.landing().arrival(self.arrivals[file]).map_err(|e| Breach(chain(&e)))?;
        Ok(match arrival.kind {
            ArrivalKind::Delivery(record) => Some(record.delivery),
            _ => None,
        })
    }

    /// Rows in suspense of a reason and a file.
    fn suspense(&self, theatre: &Theatre, reason: Option<&str>, file: Option<usize>) -> Result<SuspenseChoice, Breach> {
        Ok(SuspenseChoice {
            reasons: reason.iter().map(|reason| (*reason).to_owned()).collect(),
            delivery: file.map(|file| self.delivery(theatre, file)).transpose()?.flatten(),
            ..SuspenseChoice::default()
        })
    }

    /// Lands the decisions to settle what allowances give, of all accounts, as a service does when records have come.
    pub(super) fn settle_all(&self, theatre: &Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        for sender in &self.world.senders {
            let word = Recycling { account: sender.account.clone(), choice: RowChoice::Drawing(DrawingChoice::default()) };
            theatre.landing().recycle(&word, &theatre.clock).map_err(|e| Breach(chain(&e)))?;
        }
        audit.decide(&theatre.landing())
    }

    /// Lands the decision to rate rows again. Whoever is killed over it makes it once more: it may have landed.
    pub(super) fn recycle(&mut self, theatre: &mut Theatre, audit: &mut Audit<'_>) -> Result<(), Breach> {
        let recycle = &self.world.recycles[self.recycled];
        let sender = &self.world.senders[recycle.sender];
        let choice = match &recycle.rows {
            Again::Priced { plan } => {
                RowChoice::Priced(PricedChoice { plan: plan.map(str::to_owned), ..PricedChoice::default() })
            }
            Again::Drawing => RowChoice::Drawing(DrawingChoice::default()),
            Again::WriteOff { reason, file } => RowChoice::WriteOff(WriteOff {
                choice: self.suspense(theatre, *reason, *file)?,
                by: "operator".to_owned(),
                why: "a test call".to_owned(),
            }),
            Again::Edit { reason, file } => RowChoice::Edit(Edit {
                choice: self.suspense(theatre, *reason, *file)?,
                set: FieldEdits::read([("b_number", EDITED)]).map_err(|e| Breach(e.to_string()))?,
                by: "operator".to_owned(),
                why: "the provider has said so".to_owned(),
            }),
            Again::Suspense { reason, file, line } => RowChoice::Suspense(SuspenseChoice {
                identifier: line.map(|line| Numbered::Msisdn(sender.layout.msisdn(line))),
                ..self.suspense(theatre, *reason, *file)?
            }),
        };
        let word = Recycling { account: sender.account.clone(), choice };
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
