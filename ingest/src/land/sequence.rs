//! The one order: numbers are taken by putting a record where none is, and records are read back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use domain::delivery::ArrivalNumber;
use domain::ports::{BlobError, Clock};

use super::arrival::{self, Arrival, ArrivalKind, DeliveryRecord, DeliveryState};
use super::index::Index;
use super::{LandError, Landed, Landing};

/// How many arrivals are kept at hand: a few records' worth.
const LATELY_MAX: usize = 256;

/// Most arrivals of a record.
pub const TOGETHER_FILES_MAX: usize = 256;

/// What arrives, given all arrivals before it; or the number under which it has arrived. It is called with the index held, so
/// it reads no arrival.
pub(super) type Decide<'a> = dyn Fn(&Index) -> Result<ArrivalKind, ArrivalNumber> + 'a;

impl Landing {
    /// Takes the next number for what `decide` says.
    pub(super) fn arrive(
        &self,
        file: &str,
        clock: &dyn Clock,
        decide: impl Fn(&Index) -> Result<ArrivalKind, ArrivalNumber>,
    ) -> Result<Landed, LandError> {
        let landed = self.arrive_together(file, clock, &[&decide])?;
        Ok(landed.and_then(|mut landed| landed.pop()).expect("one is never too many"))
    }

    /// Takes the next numbers in one record for what each of `all` says; tells for each what became of it. `None`, and nothing
    /// has arrived, if one of several takes the place of something: the others may mean something else then.
    pub(super) fn arrive_together(
        &self,
        file: &str,
        clock: &dyn Clock,
        all: &[&Decide<'_>],
    ) -> Result<Option<Vec<Landed>>, LandError> {
        let mut index = self.index();
        for _ in 0..self.settings.attempts_max {
            self.refresh(&mut index)?;
            let (mut landed, mut new) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
            let arrived_us = clock.now_us();
            for decide in all {
                landed.push(match decide(&index) {
                    Err(number) => Landed::Already(self.read_known(&index, number)?),
                    Ok(kind) => {
                        let arrival = Arrival { number: index.next() + new.len() as u64, arrived_us, kind };
                        new.push(arrival.clone());
                        let held = matches!(&arrival.kind, ArrivalKind::Delivery(d) if d.state != DeliveryState::Announced);
                        if held { Landed::Held(arrival) } else { Landed::New(arrival) }
                    }
                });
            }
            if new.is_empty() {
                return Ok(Some(landed));
            }
            if all.len() > 1 && new.iter().any(replaces) {
                return Ok(None);
            }
            if self.take(file, &new)? {
                index.note(&new);
                self.made.fetch_add(new.len() as u64, Ordering::Release);
                self.keep_at_hand(new.into());
                return Ok(Some(landed));
            }
        }
        Err(LandError::Busy { file: file.to_owned(), attempts: self.settings.attempts_max })
    }

    /// Puts a record where none is; false when its numbers may be another's by now.
    fn take(&self, file: &str, arrivals: &[Arrival]) -> Result<bool, LandError> {
        let path = arrival::path(arrivals[0].number);
        let record = arrival::encode(arrivals);
        match self.blob.put_if_absent(&path, &record) {
            Ok(()) => Ok(true),
            Err(BlobError::AlreadyExists(_)) => Ok(false),
            // Reload and compare, never retry blindly.
            Err(BlobError::Ambiguous(_)) => match self.blob.get(&path) {
                Ok(found) => Ok(found == record),
                Err(BlobError::NotFound(_)) => Ok(false),
                Err(cause) => Err(LandError::store(file, cause)),
            },
            Err(cause) => Err(LandError::store(file, cause)),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(|poisoned| {
            // A panic may have left a record half noted: it is filled anew.
            let mut index = poisoned.into_inner();
            *index = Index::default();
            self.index.clear_poison();
            index
        })
    }

    pub(super) fn refreshed(&self) -> Result<MutexGuard<'_, Index>, LandError> {
        let mut index = self.index();
        self.refresh(&mut index)?;
        Ok(index)
    }

    /// Takes in arrivals that are not known yet: once all of them, then only those beyond the last.
    fn refresh(&self, index: &mut Index) -> Result<(), LandError> {
        if index.is_blank() {
            self.begin(index)?;
        }
        while let Some(record) = self.record(index.next())? {
            index.note(&record);
        }
        if index.next() <= index.listed_last() {
            // A number is taken only when all below it are: what is missing now was removed.
            let what = "it is missing, but later arrivals are there".to_owned();
            return Err(LandError::Damaged { path: arrival::path(index.next()), what });
        }
        Ok(())
    }

    /// Finds the first arrival that is kept. A listing beside a running writer may leave out what came while it was made, so the
    /// very first one is looked for by name.
    fn begin(&self, index: &mut Index) -> Result<(), LandError> {
        let listed = self.blob.list(arrival::FOLDER).map_err(|e| LandError::store(arrival::FOLDER, e))?;
        let mut numbers = listed.iter().filter_map(|entry| arrival::number_of(&entry.path));
        let listed_first = numbers.next().unwrap_or(arrival::FIRST);
        let is_whole = listed_first == arrival::FIRST || self.record(arrival::FIRST)?.is_some();
        let first = if is_whole { arrival::FIRST } else { listed_first };
        index.begin(first, numbers.next_back().unwrap_or(0));
        Ok(())
    }

    /// An arrival by its number.
    pub(super) fn read(&self, number: ArrivalNumber) -> Result<Arrival, LandError> {
        if let Some(arrival) = self.at_hand(number) {
            return Ok(arrival);
        }
        // Most arrivals are alone in their record: nobody's lock is asked for those.
        if let Some(record) = self.record(number)? {
            return Ok(record[0].clone());
        }
        let (known, is_blank) = {
            let index = self.index();
            (index.record_of(number), index.is_blank())
        };
        match known {
            Some(record) => self.read_in(record, number),
            None if is_blank => self.read_behind(number),
            None => {
                let record = self.refreshed()?.record_of(number);
                record.ok_or(LandError::NoArrival(number)).and_then(|record| self.read_in(record, number))
            }
        }
    }

    /// Looks by name for the record that holds an arrival: for one of many arrivals, not all are read.
    fn read_behind(&self, number: ArrivalNumber) -> Result<Arrival, LandError> {
        let from = number.saturating_sub(TOGETHER_FILES_MAX as u64).max(arrival::FIRST);
        for first in (from..number).rev() {
            if self.record(first)?.is_some() {
                return self.read_in(first, number);
            }
        }
        Err(LandError::NoArrival(number))
    }

    /// An arrival that the index knows.
    fn read_known(&self, index: &Index, number: ArrivalNumber) -> Result<Arrival, LandError> {
        match self.at_hand(number) {
            Some(arrival) => Ok(arrival),
            None => self.read_in(index.record_of(number).unwrap_or(number), number),
        }
    }

    fn read_in(&self, record: ArrivalNumber, number: ArrivalNumber) -> Result<Arrival, LandError> {
        let arrivals = self.record(record)?.ok_or(LandError::NoArrival(number))?;
        arrivals.iter().find(|arrival| arrival.number == number).cloned().ok_or(LandError::NoArrival(number))
    }

    /// The record that begins with a number, if there is one.
    fn record(&self, number: ArrivalNumber) -> Result<Option<Arc<[Arrival]>>, LandError> {
        let path = arrival::path(number);
        let record: Arc<[Arrival]> = match self.blob.get(&path) {
            Ok(record) => arrival::decode(number, &record)?.into(),
            Err(BlobError::NotFound(_)) => return Ok(None),
            Err(cause) => return Err(LandError::store(&path, cause)),
        };
        self.keep_at_hand(Arc::clone(&record));
        Ok(Some(record))
    }

    fn keep_at_hand(&self, record: Arc<[Arrival]>) {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        lately.push_back(record);
        while lately.iter().map(|record| record.len()).sum::<usize>() > LATELY_MAX && lately.len() > 1 {
            lately.pop_front();
        }
    }

    fn at_hand(&self, number: ArrivalNumber) -> Option<Arrival> {
        let lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let within = |record: &&Arc<[Arrival]>| number.checked_sub(record[0].number).is_some_and(|n| n < record.len() as u64);
        let record = lately.iter().rev().find(within)?;
        record.iter().find(|arrival| arrival.number == number).cloned()
    }
}

fn replaces(arrival: &Arrival) -> bool {
    matches!(&arrival.kind, ArrivalKind::Delivery(DeliveryRecord { replaces: Some(_), .. }))
}
