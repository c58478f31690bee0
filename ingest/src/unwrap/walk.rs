//! The way through the wrappers of a file, each member visited once.

use std::cell::Cell;
use std::io::{self, BufReader, Read};

use super::fault::{Fault, Layer, Problem, Speaker, WHOLE};
use super::reader::{Budget, Counted, FromObject, InObject, Metered, Spoken, decoder, zip_decoder};
use super::sniff::{Found, Wrapper, sniff};
use super::tar::{Kind, Tar};
use super::zip::{self, Checked, Directory};
use super::{Member, Object, Objects, Skipped, Unwrapped, head, name};
use crate::land::LandError;

/// Where in a file something is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    origin: String,
    logical_file: String,
    /// Wrappers around it.
    depth: u32,
    in_archive: bool,
}

impl Place {
    /// The file as it was sent.
    pub(super) fn of_file(origin: &str, logical_file: &str) -> Self {
        Self { origin: origin.to_owned(), logical_file: logical_file.to_owned(), depth: 0, in_archive: false }
    }

    /// What a compressor holds: the same file under a shorter name.
    fn inside(&self, wrapper: Wrapper) -> Self {
        Self { logical_file: name::inside(&self.logical_file, wrapper), depth: self.depth + 1, ..self.clone() }
    }

    /// What an archive holds. The file's own name is no part of a member's, those of archives in it are.
    fn member(&self, name: &str) -> Self {
        let logical_file = if self.in_archive { format!("{}!{name}", self.logical_file) } else { name.to_owned() };
        Self { origin: format!("{}!{name}", self.origin), logical_file, depth: self.depth + 1, in_archive: true }
    }
}

/// A walk and what was found on it.
pub(super) struct Walk<'a> {
    objects: &'a dyn Objects,
    budget: &'a Budget,
    last_layer: Layer,
    members_met: u64,
    pub(super) found: Unwrapped,
}

/// How much had been found at a point of the walk.
#[derive(Clone, Copy)]
struct Mark {
    members: usize,
    skipped: usize,
    refused: usize,
}

/// Reads on to the end: only there the last checksum is compared.
fn drain(input: &mut dyn Read) -> io::Result<()> {
    io::copy(input, &mut io::sink()).map(|_| ())
}

/// A fault of a reader that passes on what it reads.
fn passed_on(origin: &str, error: io::Error) -> Fault {
    match error.downcast::<Fault>() {
        Ok(fault) => fault,
        Err(source) => Fault::Land(LandError::Source { file: origin.to_owned(), source }),
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(objects: &'a dyn Objects, budget: &'a Budget) -> Self {
        Self { objects, budget, last_layer: WHOLE, members_met: 0, found: Unwrapped::default() }
    }

    /// Takes in what is at a place; `kept` if it lies in an object of its own. An error is about a wrapper further out.
    pub(super) fn visit(&mut self, place: &Place, input: &mut dyn Read, kept: Option<&Object>) -> Result<(), Fault> {
        let head = head(input).map_err(|e| passed_on(&place.origin, e))?;
        let found = sniff(&head);
        let mut input = head.chain(input);
        let depth_max = self.budget.limits.depth_max;
        let problem = match found {
            Found::Plain => return self.keep_member(place, &mut input),
            Found::Wrapped(wrapper) if place.depth < depth_max => return self.unwrap(place, wrapper, &mut input, kept),
            Found::Wrapped(_) => Problem::Depth(depth_max),
            Found::Cut(wrapper) => Problem::CutOff(wrapper),
            Found::Foreign(name) => Problem::Foreign(name),
        };
        self.refuse(place, problem);
        Ok(())
    }

    fn unwrap(&mut self, place: &Place, wrapper: Wrapper, input: &mut dyn Read, kept: Option<&Object>) -> Result<(), Fault> {
        match (wrapper, kept) {
            (Wrapper::Tar, _) => self.tar(place, input),
            (Wrapper::Zip, Some(object)) => self.zip(place, object),
            (Wrapper::Zip, None) => match self.keep(place, input)? {
                Some(object) => self.zip(place, &object),
                None => Ok(()),
            },
            _ => self.stream(place, wrapper, input),
        }
    }

    fn refuse(&mut self, place: &Place, problem: Problem) {
        self.found.refuse(place.origin.clone(), problem);
    }

    fn skip(&mut self, place: Place, why: &'static str) {
        self.found.skipped.push(Skipped { origin: place.origin, why });
    }

    /// Keeps bytes, unless they are too many, which is said.
    fn keep(&mut self, place: &Place, input: &mut dyn Read) -> Result<Option<Object>, Fault> {
        match self.objects.keep(&place.origin, input) {
            Ok(object) => Ok(Some(object)),
            Err(LandError::Source { source, .. }) => Err(passed_on(&place.origin, source)),
            Err(error @ LandError::TooLarge { .. }) => {
                self.found.refused.push(error);
                Ok(None)
            }
            Err(error) => Err(Fault::Land(error)),
        }
    }

    fn keep_member(&mut self, place: &Place, input: &mut dyn Read) -> Result<(), Fault> {
        if let Some(object) = self.keep(place, input)? {
            let Place { origin, logical_file, .. } = place.clone();
            self.found.members.push(Member { origin, logical_file, object });
        }
        Ok(())
    }

    fn speaker(&mut self, place: &Place, wrapper: Wrapper) -> Speaker {
        self.last_layer += 1;
        Speaker { layer: self.last_layer, wrapper, origin: place.origin.clone() }
    }

    /// Counts a member of an archive.
    fn meet(&mut self, speaker: &Speaker) -> Result<(), Fault> {
        self.members_met += 1;
        let members_max = self.budget.limits.members_max;
        if self.members_met > members_max {
            return Err(Speaker { layer: WHOLE, ..speaker.clone() }.fault(Problem::Members(members_max)));
        }
        Ok(())
    }

    fn mark(&self) -> Mark {
        let Unwrapped { members, skipped, refused } = &self.found;
        Mark { members: members.len(), skipped: skipped.len(), refused: refused.len() }
    }

    /// Ends a checked stream. If it, or anything further out, was not read to its end, what came out of it does not count.
    fn settle(&mut self, speaker: &Speaker, mark: Mark, read: Result<(), Fault>) -> Result<(), Fault> {
        if read.is_err() {
            self.found.members.truncate(mark.members);
            self.found.skipped.truncate(mark.skipped);
            self.found.refused.truncate(mark.refused);
        }
        self.stop(speaker, read)
    }

    /// Makes a refusal of a fault of this wrapper; others go on outwards.
    fn stop(&mut self, speaker: &Speaker, read: Result<(), Fault>) -> Result<(), Fault> {
        match read {
            Err(Fault::Layer { layer, origin, problem }) if layer == speaker.layer => {
                self.found.refuse(origin, problem);
                Ok(())
            }
            other => other,
        }
    }

    fn stream(&mut self, place: &Place, wrapper: Wrapper, input: &mut dyn Read) -> Result<(), Fault> {
        let speaker = self.speaker(place, wrapper);
        let (mark, wrapped) = (self.mark(), Cell::new(0));
        let read = decoder(wrapper, Counted { input, count: &wrapped })
            .map_err(|e| speaker.explain(e))
            .and_then(|decoder| self.metered(&place.inside(wrapper), &speaker, &wrapped, decoder));
        self.settle(&speaker, mark, read)
    }

    /// Visits what comes out of a decoder, to its end.
    fn metered(
        &mut self,
        inside: &Place,
        speaker: &Speaker,
        wrapped: &Cell<u64>,
        decoder: Box<dyn Read + '_>,
    ) -> Result<(), Fault> {
        let mut unwrapped = Metered { decoder, wrapped, unwrapped: 0, budget: self.budget, speaker };
        self.visit(inside, &mut unwrapped, None)?;
        drain(&mut unwrapped).map_err(|e| speaker.explain(e))
    }

    fn tar(&mut self, place: &Place, input: &mut dyn Read) -> Result<(), Fault> {
        let speaker = self.speaker(place, Wrapper::Tar);
        let mut tar = Tar::new(input);
        let read = loop {
            match tar.next().map_err(|e| speaker.explain(e)) {
                Err(fault) => break Err(fault),
                Ok(None) => break Ok(()),
                Ok(Some(entry)) => {
                    let member = place.member(&name::of_tar(&entry.name));
                    if let Err(fault) = self.meet(&speaker).and_then(|()| self.tar_member(&speaker, member, entry.kind, &mut tar))
                    {
                        break Err(fault);
                    }
                }
            }
        };
        self.stop(&speaker, read)
    }

    fn tar_member<R: Read>(&mut self, archive: &Speaker, member: Place, kind: Kind, tar: &mut Tar<R>) -> Result<(), Fault> {
        let why = match kind {
            Kind::File | Kind::Sparse => name::noise(&member.logical_file),
            Kind::Folder => Some("a folder"),
            Kind::Link => Some("a link"),
            Kind::Device => Some("a device"),
        };
        if let Some(why) = why {
            self.skip(member, why);
            return Ok(());
        }
        if kind == Kind::Sparse {
            self.refuse(&member, Problem::Sparse);
            return Ok(());
        }
        let speaker = Speaker { origin: member.origin.clone(), ..archive.clone() };
        self.visit(&member, &mut Spoken { input: tar, speaker: &speaker }, None)
    }

    fn zip(&mut self, place: &Place, object: &Object) -> Result<(), Fault> {
        let speaker = self.speaker(place, Wrapper::Zip);
        let archive = InObject { objects: self.objects, object };
        let directory = zip::directory(&archive).map_err(|e| speaker.explain(e));
        let read = directory.and_then(|directory| self.zip_members(place, &speaker, &archive, directory));
        self.stop(&speaker, read)
    }

    fn zip_members(
        &mut self,
        place: &Place,
        speaker: &Speaker,
        archive: &InObject<'_>,
        directory: Directory,
    ) -> Result<(), Fault> {
        let end = directory.from + directory.bytes;
        let entries = || BufReader::new(FromObject::new(self.objects, archive.object, directory.from, end));
        // The directory has no checksum: nothing is believed of one that does not hold together to its end.
        let members = zip::check_directory(&mut entries(), directory).map_err(|e| speaker.explain(e))?;
        let mut entries = entries();
        for _ in 0..members {
            let entry = zip::entry(&mut entries).map_err(|e| speaker.explain(e))?;
            self.meet(speaker)?;
            self.zip_member(place.member(&name::of_zip(&entry.name)), archive, &entry)?;
        }
        Ok(())
    }

    fn zip_member(&mut self, member: Place, archive: &InObject<'_>, entry: &zip::Entry) -> Result<(), Fault> {
        let why = match entry.name.last() {
            Some(b'/' | b'\\') if entry.bytes == 0 => Some("a folder"),
            _ if entry.is_link => Some("a link"),
            _ => name::noise(&member.logical_file),
        };
        if let Some(why) = why {
            self.skip(member, why);
            return Ok(());
        }
        if entry.is_encrypted {
            self.refuse(&member, Problem::Encrypted);
            return Ok(());
        }
        let speaker = self.speaker(&member, Wrapper::Zip);
        let (mark, wrapped) = (self.mark(), Cell::new(0));
        let unpacked = entry.data_from(archive).and_then(|from| {
            let packed = FromObject::new(self.objects, archive.object, from, from + entry.packed_bytes);
            zip_decoder(entry.method, Counted { input: packed, count: &wrapped })
        });
        let read = match unpacked.map_err(|e| speaker.explain(e)) {
            Ok(None) => Err(speaker.fault(Problem::Method(entry.method))),
            Ok(Some(unpacked)) => self.metered(&member, &speaker, &wrapped, Box::new(Checked::new(unpacked, entry))),
            Err(fault) => Err(fault),
        };
        self.settle(&speaker, mark, read)
    }
}
