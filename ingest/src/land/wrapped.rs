//! Landing a file as it comes: wrapped or plain. The file as it was sent is kept as evidence; each file found in it becomes an
//! object and a delivery of its own, so that nothing behind landing knows of wrappers.

use std::io::Read;
use std::ops::Range;

use domain::ports::Clock;

use super::coming::Coming;
use super::index::Ruling;
use super::{LandError, LandRequest, Landed, Landing, Repeat};
use crate::unwrap::{self, Member, Object, Objects, Skipped, Unwrapped};

/// What became of a file with all that was wrapped in it.
#[derive(Debug, Default)]
pub struct LandedFile {
    /// The deliveries: one for a plain file, one for each member of a wrapped one.
    pub landed: Vec<Landed>,
    /// What holds no data: folders, links, companions that systems put beside the files.
    pub skipped: Vec<Skipped>,
    /// What could not be unwrapped or is over the limits, each with its name and what to do; the others have landed. To land the
    /// file again, later or under other limits, adds what was missing.
    pub refused: Vec<LandError>,
}

impl LandedFile {
    /// A plain file.
    pub(super) fn of(landed: Landed) -> Self {
        Self { landed: vec![landed], ..Self::default() }
    }
}

impl Objects for Landing {
    fn keep(&self, origin: &str, bytes: &mut dyn Read) -> Result<Object, LandError> {
        let staged = self.stage(origin, bytes, self.settings.file_bytes_max)?;
        let object = Object { sha256: staged.sha256.clone(), size: staged.size };
        self.publish(origin, staged)?;
        Ok(object)
    }

    fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, LandError> {
        self.read_range(&object.sha256, range)
    }
}

impl Landing {
    /// Lands a file and, if it is wrapped, what is in it: see [`crate::unwrap`]. Each delivery is ruled on as by
    /// [`Landing::land`], under its own name and bytes; landing the same file again completes what a crash or a limit left out
    /// and changes nothing else. An error means that nothing more could be done, a refusal of members is no error.
    pub fn land_all(&self, request: &LandRequest, bytes: &mut dyn Read, clock: &dyn Clock) -> Result<LandedFile, LandError> {
        request.check()?;
        let head = unwrap::head(bytes).map_err(|source| LandError::Source { file: request.origin.clone(), source })?;
        let is_plain = unwrap::is_plain(&head);
        let mut bytes = head.chain(bytes);
        if is_plain {
            return self.land(request, &mut bytes, clock).map(LandedFile::of);
        }
        self.land_wrapped(request, &mut bytes, clock)
    }

    pub(super) fn land_wrapped(
        &self,
        request: &LandRequest,
        bytes: &mut dyn Read,
        clock: &dyn Clock,
    ) -> Result<LandedFile, LandError> {
        let file = &request.origin;
        let sent = self.keep(file, bytes)?;
        let Unwrapped { members, skipped, refused } =
            unwrap::unwrap(self, &sent, file, &request.logical_file, self.settings.unwrap)?;
        let files = members.len() + refused.len();
        if let (Repeat::Replaces(former), true) = (request.repeat, files > 1) {
            let what = format!("it holds {files} files, and which of them takes the place of arrival {former} is not said");
            return Err(LandError::Request { file: file.clone(), what });
        }
        let mut all = LandedFile { landed: Vec::with_capacity(members.len()), skipped, refused };
        let mut together: Vec<Coming> = Vec::new();
        for member in members {
            match self.member(request, member, &sent.sha256) {
                Ok((_, Ruling::Already(number))) => {
                    self.arrive_members(&mut together, &mut all, clock)?;
                    all.landed.push(Landed::Already(self.read(number)?));
                }
                Ok((coming, _)) => {
                    let is_apart = together.iter().any(|other| other.concerns(&coming));
                    if is_apart || together.len() >= self.settings.together_files_max {
                        self.arrive_members(&mut together, &mut all, clock)?;
                    }
                    together.push(coming);
                }
                Err(error @ LandError::Request { .. }) => all.refused.push(error),
                Err(error) => return Err(error),
            }
        }
        self.arrive_members(&mut together, &mut all, clock)?;
        Ok(all)
    }

    fn arrive_members(&self, together: &mut Vec<Coming>, all: &mut LandedFile, clock: &dyn Clock) -> Result<(), LandError> {
        if let Some(Coming { request, .. }) = together.first() {
            self.land_text(&request.origin, &request.profile_text)?;
        }
        for landed in self.arrive_all(together, clock) {
            all.landed.push(landed?);
        }
        together.clear();
        Ok(())
    }

    /// A member whose bytes are kept, as a file of its own, and what it means so far.
    fn member(&self, request: &LandRequest, member: Member, sent: &str) -> Result<(Coming, Ruling), LandError> {
        let Member { origin, logical_file, object } = member;
        let request = LandRequest { origin, logical_file, ..request.clone() };
        request.check()?;
        let coming = Coming::of(&request, &object.sha256, object.size).unwrapped_from(sent);
        coming.check()?;
        let ruling = coming.ruling(&*self.refreshed()?);
        match ruling {
            Ruling::Acts(number) => Err(LandError::Acts { file: request.origin, number }),
            ruling => Ok((coming, ruling)),
        }
    }
}
