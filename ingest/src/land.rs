//! Landing: what arrives is kept whole, under its hash, and gets its place in the one order that everything acts in.
//!
//! ```text
//! landing/objects/<sha256>                       bytes, put once, never changed
//! landing/arrivals/00000000000000000042.json     what arrived as the 42nd: a delivery, a reference import or a decision
//! ```
//!
//! A number is taken by putting its record where none is. Whoever takes number n has seen all records below n and decided by
//! them; if another was faster, it looks again. So of two processes that land the same file one finds the other's arrival.
//! Small files that come one after the other may arrive together, in one record that takes a number for each.

mod arrival;
mod coming;
mod decide;
mod error;
mod index;
mod live;
mod paths;
mod recycling;
mod request;
mod sequence;
mod settings;
#[cfg(test)]
mod tests;
mod together;
mod word;
mod wrapped;

use std::collections::{HashSet, VecDeque};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::delivery::{ArrivalNumber, DeliveryIdentity};
use domain::ids::TenantId;
use domain::ports::{Blob, BlobError, Clock, StagedBlob};
use sha2::{Digest, Sha256};

pub use self::arrival::{
    Approval, Arrival, ArrivalKind, Decision, DeliveryRecord, DeliveryState, FullImport, ImportKind, ImportRecord, Replaces,
    Withdrawal,
};
pub use self::error::LandError;
pub use self::live::{KeptLive, LandedLive, LivePartition, LiveRange, LiveStep};
pub use self::paths::{PathLimits, collect_paths};
pub use self::recycling::{DrawingChoice, Edit, Numbered, PricedChoice, Recycling, RowChoice, SuspenseChoice, WriteOff};
pub use self::request::{ImportRequest, LandRequest, Repeat};
pub use self::settings::LandingSettings;
pub use self::together::{Hear, Together};
pub use self::word::{Dismissal, Replay};
pub use self::wrapped::LandedFile;

use self::coming::Coming;
use self::index::{Index, Ruling};

/// Where bytes lie.
const OBJECTS: &str = "landing/objects/";

/// How much is read, hashed and written at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What became of something that was landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// It has arrived and acts.
    New(Arrival),
    /// It has arrived and waits for a word: see [`DeliveryState::Held`].
    Held(Arrival),
    /// It had arrived before, as this; nothing was changed.
    Already(Arrival),
}

impl Landed {
    /// The arrival.
    pub fn arrival(&self) -> &Arrival {
        match self {
            Self::New(arrival) | Self::Held(arrival) | Self::Already(arrival) => arrival,
        }
    }
}

/// The landing of an object store.
pub struct Landing {
    blob: Arc<dyn Blob>,
    settings: LandingSettings,
    /// What is known of the arrivals; filled by the first call that wants it. Held over the taking of a number, so that the
    /// threads of one process queue up here instead of taking numbers from each other.
    index: Mutex<Index>,
    /// Records that were read or made last, in no order: who announces, splits and rates a file asks for it within moments.
    lately: Mutex<VecDeque<Arc<[Arrival]>>>,
    /// Arrivals that were made through this value.
    made: AtomicU64,
    /// Small objects that are known to be there: the profile texts that thousands of files share.
    present: Mutex<HashSet<String>>,
}

impl std::fmt::Debug for Landing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Landing").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Bytes that are written but have no name yet.
struct Staged {
    blob: Box<dyn StagedBlob>,
    sha256: String,
    size: u64,
}

impl Landing {
    /// The landing of a store. Nothing is read or written yet.
    pub fn new(blob: Arc<dyn Blob>, settings: LandingSettings) -> Self {
        let (index, lately, present) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { blob, settings, index, lately, made: AtomicU64::new(0), present }
    }

    /// Where the bytes of this hash lie.
    pub fn object_path(sha256: &str) -> String {
        format!("{OBJECTS}{sha256}")
    }

    /// The hash under which a text lies in landing, as [`DeliveryRecord::profile_sha256`] names it.
    pub fn sha256_of(text: impl AsRef<[u8]>) -> String {
        hex(&Sha256::digest(text))
    }

    /// Lands a file: its bytes first, then its profile's text, then its arrival. Memory is bounded whatever the file's size.
    ///
    /// - The same bytes of the same account, under any name: [`Landed::Already`], unless what arrived was held and the request
    ///   says [`Repeat::AsNew`]. Files without bytes are told apart by their names.
    /// - The same bytes from another account of the tenant: held, unless as new.
    /// - Other bytes under the same name and cycle where the profile says delta: held, unless as new or a replacement.
    /// - The bytes of a delivery that was taken back, or whose place another has taken by an operator's word: held, unless as new
    ///   or a replacement; then they are its next generation.
    /// - The bytes of a delivery that a newer file of its name has replaced: its next generation, which replaces what acts; a
    ///   no-op if they come from where they lay before and the newer file came from elsewhere.
    ///
    /// A replacement by bytes that act is refused: [`LandError::Acts`].
    pub fn land(&self, request: &LandRequest, bytes: &mut dyn Read, clock: &dyn Clock) -> Result<Landed, LandError> {
        request.check()?;
        let file = &request.origin;
        let staged = self.stage(file, bytes, self.settings.file_bytes_max)?;
        let coming = Coming::of(request, &staged.sha256, staged.size);
        let ruling = coming.ruling(&*self.refreshed()?);
        match ruling {
            Ruling::Already(number) => Ok(Landed::Already(self.read(number)?)),
            Ruling::Acts(number) => Err(LandError::Acts { file: file.clone(), number }),
            Ruling::Announce | Ruling::Hold(_) => {
                self.publish(file, staged)?;
                self.deliver(&coming, clock)
            }
        }
    }

    /// Lets bytes that are there arrive.
    fn deliver(&self, coming: &Coming, clock: &dyn Clock) -> Result<Landed, LandError> {
        coming.check()?;
        let profile_sha256 = self.land_text(&coming.request.origin, &coming.request.profile_text)?;
        self.arrive(&coming.request.origin, clock, |index| coming.decide(index, &profile_sha256))
    }

    /// Lets a file that has arrived arrive anew, as its next generation and with the profile of the request: for a file that
    /// was refused as a whole, of which no row was taken. [`Landed::Already`] if that generation is there.
    pub fn land_again(&self, request: &LandRequest, former: &DeliveryRecord, clock: &dyn Clock) -> Result<Landed, LandError> {
        request.check()?;
        let file = &request.origin;
        let generation = former.identity.generation + 1;
        let identity = DeliveryIdentity { generation, ..former.identity.clone() };
        let profile_sha256 = self.land_text(file, &request.profile_text)?;
        self.arrive(file, clock, |index| match index.generation(&identity, former.size) {
            Some((there, number)) if there >= generation => Err(number),
            _ => {
                let record = request.record(&identity, former.size, &profile_sha256, DeliveryState::Announced);
                let replaces = index.replaced_by(&identity, former.size, request.mode, request.repeat);
                Ok(ArrivalKind::Delivery(DeliveryRecord { unwrapped_from: former.unwrapped_from.clone(), replaces, ..record }))
            }
        })
    }

    /// Lands reference data. Bytes equal to the newest import of the same kind and tenant are a no-op; equal to an older one
    /// they are a new arrival, because putting back what was there before is an act. A full list is an act each time, because
    /// it also speaks of what others brought in between.
    pub fn land_import(&self, request: &ImportRequest, bytes: &mut dyn Read, clock: &dyn Clock) -> Result<Landed, LandError> {
        request.check()?;
        let file = &request.origin;
        let staged = self.stage(file, bytes, self.settings.import_bytes_max)?;
        let (sha256, size) = (staged.sha256.clone(), staged.size);
        let arrived = |index: &Index| {
            let newest = index.newest_import(&request.tenant, request.what);
            newest.filter(|newest| newest.sha256 == sha256 && !newest.is_full && request.full.is_none()).map(|n| n.number)
        };
        let arrived_before = arrived(&*self.refreshed()?);
        if let Some(number) = arrived_before {
            return Ok(Landed::Already(self.read(number)?));
        }
        self.publish(file, staged)?;
        self.arrive(file, clock, |index| match arrived(index) {
            Some(number) => Err(number),
            None => Ok(ArrivalKind::Import(ImportRecord {
                tenant: request.tenant.clone(),
                what: request.what,
                origin: request.origin.clone(),
                sha256: sha256.clone(),
                size,
                full: request.full.clone(),
            })),
        })
    }

    /// Arrivals from a number on, in order. A repeat of a delivery that an earlier arrival has announced (or held, if this one
    /// is held, too) is left out: the lowest number acts, also if a store's lost answer put the same delivery there twice.
    pub fn arrivals(&self, from: ArrivalNumber) -> Result<Vec<Arrival>, LandError> {
        let numbers: Vec<ArrivalNumber> = self.refreshed()?.in_force(from).collect();
        numbers.into_iter().map(|number| self.read(number)).collect()
    }

    /// Deliveries that wait for a word, in order.
    pub fn held(&self) -> Result<Vec<Arrival>, LandError> {
        let numbers = self.refreshed()?.held();
        numbers.into_iter().map(|number| self.read(number)).collect()
    }

    /// One arrival.
    pub fn arrival(&self, number: ArrivalNumber) -> Result<Arrival, LandError> {
        self.read(number)
    }

    /// The import of a kind that came last.
    pub fn newest_import(&self, tenant: &TenantId, what: ImportKind) -> Result<Option<Arrival>, LandError> {
        let newest = self.refreshed()?.newest_import(tenant, what).map(|newest| newest.number);
        newest.map(|number| self.read(number)).transpose()
    }

    /// The number that the next arrival gets: all below it can be read.
    pub fn next_number(&self) -> Result<ArrivalNumber, LandError> {
        Ok(self.refreshed()?.next())
    }

    /// How many arrivals were made through this value: it costs no request, and says when to look for new ones.
    pub fn arrivals_made(&self) -> u64 {
        self.made.load(Ordering::Acquire)
    }

    /// Some bytes of a landed file.
    pub fn read_range(&self, sha256: &str, range: Range<u64>) -> Result<Vec<u8>, LandError> {
        let path = Self::object_path(sha256);
        self.blob.get_range(&path, range).map_err(|e| LandError::store(&path, e))
    }

    /// All bytes of a landed import or profile, checked against their hash.
    pub fn read_import(&self, sha256: &str) -> Result<Vec<u8>, LandError> {
        let path = Self::object_path(sha256);
        let store = |e| LandError::store(&path, e);
        let size = self.blob.size(&path).map_err(store)?;
        if size > self.settings.import_bytes_max {
            return Err(LandError::TooLarge { file: path, bytes_max: self.settings.import_bytes_max });
        }
        let bytes = self.blob.get(&path).map_err(store)?;
        let found = hex(&Sha256::digest(&bytes));
        if found != sha256 {
            return Err(LandError::Damaged { path, what: format!("its bytes have the hash {found}") });
        }
        Ok(bytes)
    }

    /// Writes bytes under no name and hashes them on the way.
    fn stage(&self, file: &str, bytes: &mut dyn Read, bytes_max: u64) -> Result<Staged, LandError> {
        let mut blob = self.blob.stage().map_err(|e| LandError::store(file, e))?;
        let mut hash = Sha256::new();
        let mut size = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match bytes.read(&mut chunk) {
                Ok(0) => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                read => read.map_err(|source| LandError::Source { file: file.to_owned(), source })?,
            };
            size += count as u64;
            if size > bytes_max {
                return Err(LandError::TooLarge { file: file.to_owned(), bytes_max });
            }
            hash.update(&chunk[..count]);
            blob.write_all(&chunk[..count]).map_err(|e| LandError::store(file, domain::ports::io_error(file, e)))?;
        }
        Ok(Staged { blob, sha256: hex(&hash.finalize()), size })
    }

    /// Gives staged bytes their name. If they have it already, nothing is changed; only their size is compared.
    fn publish(&self, file: &str, staged: Staged) -> Result<(), LandError> {
        self.publish_unsettled(file, staged)?;
        self.settle(file)
    }

    /// Makes the names of objects survive a power cut. Also those that were there: whoever gave them may not have come so far.
    fn settle(&self, file: &str) -> Result<(), LandError> {
        self.blob.settle(OBJECTS).map_err(|e| LandError::store(file, e))
    }

    fn publish_unsettled(&self, file: &str, staged: Staged) -> Result<(), LandError> {
        let Staged { blob, sha256, size } = staged;
        let path = Self::object_path(&sha256);
        match blob.publish_unsettled(&path) {
            Ok(()) => Ok(()),
            // Unknown or taken: what counts is whether the bytes are there.
            Err(cause @ (BlobError::AlreadyExists(_) | BlobError::Ambiguous(_))) => match self.blob.size(&path) {
                Ok(found) if found == size => Ok(()),
                Ok(found) => Err(LandError::Damaged { path, what: format!("it has {found} bytes instead of {size}") }),
                Err(BlobError::NotFound(_)) => Err(LandError::store(file, cause)),
                Err(other) => Err(LandError::store(file, other)),
            },
            Err(cause) => Err(LandError::store(file, cause)),
        }
    }

    /// Lands a small text once per process and returns its hash.
    fn land_text(&self, file: &str, text: &str) -> Result<String, LandError> {
        let sha256 = Self::sha256_of(text);
        let present = || self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if !present().contains(&sha256) {
            let staged = self.stage(file, &mut text.as_bytes(), u64::MAX)?;
            self.publish(file, staged)?;
            present().insert(sha256.clone());
        }
        Ok(sha256)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
