//! Landing many files: small ones wait for each other and arrive in one record, which costs the store one write instead of one
//! for each.

use std::io::Read;
use std::ops::ControlFlow;

use domain::ports::Clock;

use super::coming::Coming;
use super::index::{Index, Ruling};
use super::sequence::Decide;
use super::{LandError, LandRequest, Landed, LandedFile, Landing};
use crate::unwrap;

/// Files that are landed one after the other. What waits when this is dropped has not arrived.
pub struct Together<'l, T> {
    landing: &'l Landing,
    waiting: Vec<Waiting<T>>,
    /// Of all that wait.
    bytes: u64,
}

/// A small file that waits for its neighbours, with what its caller calls it.
struct Waiting<T> {
    tag: T,
    coming: Coming,
    bytes: Vec<u8>,
}

/// Hears what became of each file, in the order in which they came and before any later one lands. On
/// [`ControlFlow::Break`] no further file lands.
pub type Hear<'h, T> = &'h mut dyn FnMut(T, Result<LandedFile, LandError>) -> ControlFlow<()>;

impl<T> std::fmt::Debug for Together<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Together({} wait)", self.waiting.len())
    }
}

impl Landing {
    /// Begins to land files that come one after the other: see [`Landing::land_all`].
    pub fn together<T>(&self) -> Together<'_, T> {
        Together { landing: self, waiting: Vec::new(), bytes: 0 }
    }
}

/// A file of which so much has been read as tells how it lands.
enum Begun {
    /// It is no wrapper and small, and these are all of its bytes.
    Small(Vec<u8>),
    /// It is no wrapper, and this is its beginning.
    Large(Vec<u8>),
    /// It is a wrapper, and this is its beginning.
    Wrapped(Vec<u8>),
}

impl<T> Together<'_, T> {
    /// Takes the next file. One that waits is told of by a later call, at the latest by [`Together::finish`].
    pub fn add(
        &mut self,
        tag: T,
        request: &LandRequest,
        bytes: &mut dyn Read,
        clock: &dyn Clock,
        hear: Hear<'_, T>,
    ) -> ControlFlow<()> {
        let landing = self.landing;
        let begun = match self.begin(request, bytes) {
            Ok(Begun::Small(small)) => {
                let coming = Coming::of(request, &Landing::sha256_of(&small), small.len() as u64);
                match landing.may_wait(&coming) {
                    Ok(true) => return self.wait(Waiting { tag, coming, bytes: small }, clock, hear),
                    Ok(false) => Ok(Begun::Small(small)),
                    Err(error) => Err(error),
                }
            }
            begun => begun,
        };
        self.finish(clock, hear)?;
        let landed = begun.and_then(|begun| match begun {
            Begun::Small(head) | Begun::Large(head) => landing.land(request, &mut head.chain(bytes), clock).map(LandedFile::of),
            Begun::Wrapped(head) => landing.land_wrapped(request, &mut head.chain(bytes), clock),
        });
        hear(tag, landed)
    }

    /// Reads the beginning of a file, or all of a small one.
    fn begin(&self, request: &LandRequest, bytes: &mut dyn Read) -> Result<Begun, LandError> {
        request.check()?;
        let source = |source| LandError::Source { file: request.origin.clone(), source };
        let mut head = unwrap::head(bytes).map_err(source)?;
        if !unwrap::is_plain(&head) {
            return Ok(Begun::Wrapped(head));
        }
        let small_max = self.landing.settings.together_bytes_max.min(self.landing.settings.file_bytes_max);
        let rest = (small_max + 1).saturating_sub(head.len() as u64);
        bytes.take(rest).read_to_end(&mut head).map_err(source)?;
        Ok(if head.len() as u64 > small_max { Begun::Large(head) } else { Begun::Small(head) })
    }

    fn wait(&mut self, file: Waiting<T>, clock: &dyn Clock, hear: Hear<'_, T>) -> ControlFlow<()> {
        let settings = &self.landing.settings;
        let is_apart = self.waiting.iter().any(|other| other.coming.concerns(&file.coming));
        if is_apart || self.bytes + file.coming.size > settings.together_bytes_max {
            self.finish(clock, hear)?;
        }
        self.bytes += file.coming.size;
        self.waiting.push(file);
        if self.waiting.len() >= settings.together_files_max { self.finish(clock, hear) } else { ControlFlow::Continue(()) }
    }

    /// Lets arrive what waits.
    pub fn finish(&mut self, clock: &dyn Clock, hear: Hear<'_, T>) -> ControlFlow<()> {
        self.bytes = 0;
        let (mut kept, mut tags) = (Vec::with_capacity(self.waiting.len()), Vec::with_capacity(self.waiting.len()));
        for Waiting { tag, coming, bytes } in self.waiting.drain(..) {
            match self.landing.keep_small(&coming, &bytes) {
                Ok(()) => {
                    kept.push(coming);
                    tags.push(tag);
                }
                // Those before it land first: the caller is told in order.
                Err(error) => {
                    arrive(self.landing, &mut tags, &mut kept, clock, hear)?;
                    hear(tag, Err(error))?;
                }
            }
        }
        arrive(self.landing, &mut tags, &mut kept, clock, hear)
    }
}

/// Lets files arrive whose bytes have their names.
fn arrive<T>(
    landing: &Landing,
    tags: &mut Vec<T>,
    kept: &mut Vec<Coming>,
    clock: &dyn Clock,
    hear: Hear<'_, T>,
) -> ControlFlow<()> {
    let mut tags = tags.drain(..);
    let outcomes = landing.arrive_all(kept, clock);
    kept.clear();
    outcomes.into_iter().zip(&mut tags).try_for_each(|(outcome, tag)| hear(tag, outcome.map(LandedFile::of)))
}

impl Landing {
    /// Whether a file may arrive in one record with others: if it is new and takes nobody's place.
    fn may_wait(&self, coming: &Coming) -> Result<bool, LandError> {
        let index = self.refreshed()?;
        Ok(matches!(coming.ruling(&index), Ruling::Announce | Ruling::Hold(_)) && !coming.replaces(&index))
    }

    /// Keeps the bytes of a small file and its profile; their names are to be settled.
    fn keep_small(&self, coming: &Coming, mut bytes: &[u8]) -> Result<(), LandError> {
        let file = &coming.request.origin;
        let staged = self.stage(file, &mut bytes, self.settings.file_bytes_max)?;
        self.publish_unsettled(file, staged)?;
        self.land_text(file, &coming.request.profile_text).map(drop)
    }

    /// Lets files arrive whose bytes are there, and of which none concerns another: together if none takes the place of
    /// something, else one by one up to the first that cannot.
    pub(super) fn arrive_all(&self, files: &[Coming], clock: &dyn Clock) -> Vec<Result<Landed, LandError>> {
        let Some(first) = files.first() else { return Vec::new() };
        let profiles = files.iter().map(|coming| Landing::sha256_of(coming.request.profile_text.as_bytes()));
        let decides: Vec<_> =
            files.iter().zip(profiles).map(|(coming, profile)| move |index: &Index| coming.decide(index, &profile)).collect();
        let all: Vec<&Decide<'_>> = decides.iter().map(|decide| decide as &Decide<'_>).collect();
        let together = self.settle(&first.request.origin).and_then(|()| self.arrive_together(&first.request.origin, clock, &all));
        match together {
            Ok(Some(landed)) => landed.into_iter().map(Ok).collect(),
            Ok(None) => one_by_one(files, |n| self.arrive(&files[n].request.origin, clock, all[n])),
            Err(error) => behind(files, 0, error).collect(),
        }
    }
}

fn one_by_one(files: &[Coming], arrive: impl Fn(usize) -> Result<Landed, LandError>) -> Vec<Result<Landed, LandError>> {
    let mut outcomes = Vec::with_capacity(files.len());
    for n in 0..files.len() {
        match arrive(n) {
            Ok(landed) => outcomes.push(Ok(landed)),
            Err(error) => {
                outcomes.extend(behind(files, n, error));
                break;
            }
        }
    }
    outcomes
}

/// What is said of the files from one on that could not arrive, and of those that were to come with it or behind it.
fn behind(files: &[Coming], failed: usize, error: LandError) -> impl Iterator<Item = Result<Landed, LandError>> {
    let first = &files[failed].request.origin;
    let behind = |coming: &Coming| LandError::Behind { file: coming.request.origin.clone(), first: first.clone() };
    std::iter::once(error).chain(files[failed + 1..].iter().map(behind)).map(Err)
}
