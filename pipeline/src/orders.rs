//! Which arrivals are orders, corrections of what is in the table, that have not acted: one rule for whoever announces them, waits
//! for them or tells of them.

use std::collections::{HashMap, HashSet};

use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::land::{Arrival, ArrivalKind, Decision, DeliveryState, LandError, Landing};
use sinks::correction::recycle;
use sinks::keys::stopped::Stopped;
use sinks::settled::Settled;
use sinks::table::Table;

/// What the table says of orders that have acted.
#[derive(Debug, Default)]
pub struct Acted {
    stopped: HashSet<DeliveryId>,
    /// Up to which decision rows of each account were rated again.
    recycled: HashMap<String, ArrivalNumber>,
}

impl Acted {
    /// That of a table in the state that it has seen.
    pub fn of_table(table: &Table) -> Self {
        let mut acted = Self::default();
        acted.note(table);
        acted
    }

    /// Takes in what was committed since.
    pub fn note(&mut self, table: &Table) {
        self.stopped.extend(Stopped::of_table(table).deliveries());
        self.recycled = recycle::done(table);
    }
}

/// Whether an arrival corrects what is in the table and has not done so: a file that takes the place of one that acts, or the
/// withdrawal of one, or rows that are to be rated again.
///
/// What is held has no rows: its withdrawal is all that there is to it, also if its bytes are announced later. A file that has its
/// verdict and is not whole takes nobody's place.
pub fn is_open(arrival: &Arrival, landing: &Landing, acted: &Acted, settled: &Settled) -> Result<bool, LandError> {
    match &arrival.kind {
        ArrivalKind::Delivery(record) if record.replaces.is_some() && record.state == DeliveryState::Announced => {
            if settled.contains(record.delivery) && !settled.is_whole(record.delivery) {
                return Ok(false);
            }
            let replaced = landing.replaced_by(arrival.number, record)?;
            Ok(replaced.iter().any(|(_, delivery)| !acted.stopped.contains(delivery)))
        }
        ArrivalKind::Decision(Decision::Withdraw(word)) => {
            Ok(!acted.stopped.contains(&word.delivery) && landing.announced(word.delivery)? == Some(word.arrival))
        }
        ArrivalKind::Decision(Decision::Recycle(word)) => {
            Ok(acted.recycled.get(&word.account.path()).is_none_or(|next| arrival.number >= *next))
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::delivery::{Account, DeliveryMode};
    use domain::ids::{AccountId, ProviderId, TenantId};
    use domain::outcome::Counts;
    use domain::ports::Clock;
    use ingest::land::{LandRequest, Landed, LandingSettings, Repeat};
    use sinks::ledger::{LedgerEntry, Verdict};
    use sinks::local_store::memory::MemoryStore;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now_us(&self) -> i64 {
            1_790_000_000_000_000
        }
    }

    fn land(landing: &Landing, repeat: Repeat, bytes: &str) -> Arrival {
        let account = Account {
            tenant: TenantId::parse("main").expect("an id"),
            provider: ProviderId::parse("kpn").expect("an id"),
            account: AccountId::parse("haven").expect("an id"),
        };
        let request = LandRequest {
            account,
            cycle: None,
            origin: "a.csv".to_owned(),
            logical_file: "a.csv".to_owned(),
            profile: "kpn-sp16@1".into(),
            profile_text: "name".into(),
            mode: DeliveryMode::Delta,
            cut_rows: 10,
            repeat,
        };
        let landed = landing.land(&request, &mut bytes.as_bytes(), &Noon).expect("landed");
        landed.arrival().clone()
    }

    fn delivery(arrival: &Arrival) -> DeliveryId {
        let ArrivalKind::Delivery(record) = &arrival.kind else { panic!("{arrival:?} is no file") };
        record.delivery
    }

    fn verdict(arrival: &Arrival, state: &str) -> LedgerEntry {
        LedgerEntry {
            account: "main/kpn/haven".to_owned(),
            delivery: delivery(arrival),
            arrival: arrival.number,
            first_row: 0,
            counts: Counts::default(),
            verdict: Some(Verdict { state: state.to_owned(), rows: 0, message: String::new() }),
            correction: None,
        }
    }

    fn landing() -> Landing {
        Landing::new(Arc::new(MemoryStore::default()), LandingSettings::default())
    }

    #[test]
    fn a_replacement_is_open_until_it_acts_or_is_refused() {
        let landing = landing();
        let first = land(&landing, Repeat::Hold, "a");
        let second = land(&landing, Repeat::Replaces(1), "b");
        let open = |acted: &Acted, entries: &[LedgerEntry]| {
            is_open(&second, &landing, acted, &Settled::of_entries(entries)).expect("known")
        };
        let none = Acted::default();
        assert!(open(&none, &[]), "it is on its way");
        assert!(open(&none, &[verdict(&second, "complete")]), "it is there, what it replaces is yet to go");
        for state in ["truncated", "wrong_count", "empty"] {
            assert!(!open(&none, &[verdict(&second, state)]), "{state} files replace nothing");
        }
        let acted = Acted { stopped: HashSet::from([delivery(&first)]), recycled: HashMap::new() };
        assert!(!open(&acted, &[verdict(&second, "complete")]));
    }

    #[test]
    fn the_rejection_of_a_held_file_waits_for_nothing() {
        let landing = landing();
        land(&landing, Repeat::Hold, "a");
        let held = land(&landing, Repeat::Hold, "b");
        let Landed::New(rejected) = landing.withdraw(held.number, &Noon).expect("landed") else { panic!("it is decided now") };
        let open = |order: &Arrival| is_open(order, &landing, &Acted::default(), &Settled::default()).expect("known");
        assert!(!open(&rejected));
        let taken = land(&landing, Repeat::AsNew, "b");
        assert_eq!(delivery(&taken), delivery(&held), "its bytes are wanted after all");
        assert!(!open(&rejected));
        let Landed::New(order) = landing.withdraw(taken.number, &Noon).expect("landed") else { panic!("it is decided now") };
        assert!(open(&order), "one that acts is to be taken back");
    }
}
