//! Landing a file as it comes: wrapped or plain. The file as it was sent is kept as evidence; each file found in it becomes an
//! object and a delivery of its own, so that nothing behind landing knows of wrappers.

use std::io::Read;
use std::ops::Range;

use domain::ports::Clock;

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
        let file = &request.origin;
        let head = unwrap::head(bytes).map_err(|source| LandError::Source { file: file.clone(), source })?;
        let is_plain = unwrap::is_plain(&head);
        let mut bytes = head.chain(bytes);
        if is_plain {
            let landed = vec![self.land(request, &mut bytes, clock)?];
            return Ok(LandedFile { landed, ..LandedFile::default() });
        }
        let sent = self.keep(file, &mut bytes)?;
        let Unwrapped { members, skipped, refused } =
            unwrap::unwrap(self, &sent, file, &request.logical_file, self.settings.unwrap)?;
        let files = members.len() + refused.len();
        if let (Repeat::Replaces(former), true) = (request.repeat, files > 1) {
            let what = format!("it holds {files} files, and which of them takes the place of arrival {former} is not said");
            return Err(LandError::Request { file: file.clone(), what });
        }
        let mut all = LandedFile { landed: Vec::with_capacity(members.len()), skipped, refused };
        for member in members {
            match self.land_member(request, member, &sent.sha256, clock) {
                Ok(landed) => all.landed.push(landed),
                Err(error @ LandError::Request { .. }) => all.refused.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn land_member(&self, request: &LandRequest, member: Member, sent: &str, clock: &dyn Clock) -> Result<Landed, LandError> {
        let Member { origin, logical_file, object } = member;
        let request = LandRequest { origin, logical_file, ..request.clone() };
        request.check()?;
        let identity = request.identity(&object.sha256);
        let ruling = self.refreshed()?.rule(&identity, &request.origin, object.size, request.mode, request.repeat);
        match ruling {
            Ruling::Already(number) => Ok(Landed::Already(self.read(number)?)),
            Ruling::Acts(number) => Err(LandError::Acts { file: request.origin, number }),
            Ruling::Announce | Ruling::Hold(_) => self.deliver(&request, &identity, object.size, Some(sent), clock),
        }
    }
}
