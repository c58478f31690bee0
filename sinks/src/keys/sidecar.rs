//! The sidecar file: claims in sorted runs, with an index and a checksum per run.
//!
//! Layout, little endian: magic `TWKEYS01`; header length u32; header CRC32C u32; header: number of deliveries u32, each 16
//! bytes; number of runs u32, each { account hash u64, bucket i32, claims u32, offset u64, CRC32C u32 }; then the runs, each
//! claim { key 16, content 8, row 8, delivery and live bit 4 } = 36 bytes. Offsets count from the end of the header.

use std::collections::{BTreeMap, HashMap};

use domain::delivery::DeliveryId;
use domain::ports::{Blob, BlobError};

use super::{Bucket, Claim};

const MAGIC: &[u8; 8] = b"TWKEYS01";
const PROLOGUE_BYTES: usize = 16;
const RUN_INDEX_BYTES: usize = 28;
const CLAIM_BYTES: usize = 36;
const LIVE: u32 = 1 << 31;

/// Why a sidecar could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// The object store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The file is no sidecar, or a checksum differs.
    #[error("key sidecar `{path}` is damaged: {what}; restore it from a backup, do not delete it")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// Where a run is and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId {
    /// Hash of tenant, provider and account.
    pub account: u64,
    /// Which run of the account.
    pub bucket: Bucket,
}

/// A stable 64-bit name of an account in sidecars.
pub fn account_hash(path: &str) -> u64 {
    use std::hash::Hasher;
    let mut sip = siphasher::sip::SipHasher13::new_with_keys(0x6163_636f_756e_7421, 0x746f_6c6c_7761_7921);
    sip.write(path.as_bytes());
    sip.finish()
}

/// The bytes of a sidecar. Claims of a run are sorted by key; those of one key keep their order.
pub fn encode(runs: &BTreeMap<RunId, Vec<Claim>>) -> Vec<u8> {
    // Claims of one delivery come together, so their list is short before it is sorted.
    let mut deliveries: Vec<DeliveryId> = runs.values().flatten().map(|c| c.delivery).collect();
    deliveries.dedup();
    deliveries.sort_unstable();
    deliveries.dedup();
    let position: HashMap<DeliveryId, u32> = deliveries.iter().copied().zip(0..).collect();
    let mut body = Vec::with_capacity(runs.values().map(Vec::len).sum::<usize>() * CLAIM_BYTES);
    let mut header = Vec::new();
    let narrow = |n: usize| u32::try_from(n).expect("a commit has fewer than 2^32 rows");
    header.extend(narrow(deliveries.len()).to_le_bytes());
    for d in &deliveries {
        header.extend(d.0.to_le_bytes());
    }
    header.extend(narrow(runs.len()).to_le_bytes());
    for (id, claims) in runs {
        let mut order: Vec<(u128, u32)> = claims.iter().zip(0..).map(|(c, place)| (c.key, place)).collect();
        order.sort_unstable();
        let offset = body.len();
        let mut last = None;
        for (key, place) in order {
            let c = &claims[place as usize];
            let delivery = match last {
                Some((known, position)) if known == c.delivery => position,
                _ => position[&c.delivery],
            };
            last = Some((c.delivery, delivery));
            body.extend(key.to_le_bytes());
            body.extend(c.content.to_le_bytes());
            body.extend(c.row.to_le_bytes());
            body.extend((delivery | if c.live { LIVE } else { 0 }).to_le_bytes());
        }
        header.extend(id.account.to_le_bytes());
        header.extend(id.bucket.0.to_le_bytes());
        header.extend(narrow(claims.len()).to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        header.extend(crc32c::crc32c(&body[offset..]).to_le_bytes());
    }
    let mut out = Vec::with_capacity(PROLOGUE_BYTES + header.len() + body.len());
    out.extend(MAGIC);
    out.extend(narrow(header.len()).to_le_bytes());
    out.extend(crc32c::crc32c(&header).to_le_bytes());
    out.extend(header);
    out.extend(body);
    out
}

#[derive(Debug, Clone, Copy)]
struct Run {
    claims: u32,
    offset: u64,
    crc: u32,
}

/// An opened sidecar: its index; runs are read when asked for.
#[derive(Debug, Clone)]
pub struct Sidecar {
    path: String,
    body_at: u64,
    deliveries: Vec<DeliveryId>,
    runs: HashMap<RunId, Run>,
}

/// Takes `N` bytes off the front.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

impl Sidecar {
    /// Reads the index.
    pub fn open(blob: &dyn Blob, path: &str) -> Result<Self, SidecarError> {
        let damaged = |what| SidecarError::Damaged { path: path.to_owned(), what };
        let size = blob.size(path)?;
        if size < PROLOGUE_BYTES as u64 {
            return Err(damaged("it is cut off"));
        }
        let prologue = blob.get_range(path, 0..PROLOGUE_BYTES as u64)?;
        let mut rest = &prologue[..];
        if take::<8>(&mut rest) != Some(*MAGIC) {
            return Err(damaged("it is no sidecar of this version"));
        }
        let length = u64::from(u32::from_le_bytes(take(&mut rest).ok_or_else(|| damaged("it is cut off"))?));
        let crc = u32::from_le_bytes(take(&mut rest).ok_or_else(|| damaged("it is cut off"))?);
        let body_at = PROLOGUE_BYTES as u64 + length;
        if body_at > size {
            return Err(damaged("its index is cut off"));
        }
        let header = blob.get_range(path, PROLOGUE_BYTES as u64..body_at)?;
        if crc32c::crc32c(&header) != crc {
            return Err(damaged("the checksum of its index differs"));
        }
        let (deliveries, runs) = read_index(&header).ok_or_else(|| damaged("its index is incomplete"))?;
        Ok(Self { path: path.to_owned(), body_at, deliveries, runs })
    }

    /// The runs that it holds.
    pub fn runs(&self) -> impl Iterator<Item = RunId> + '_ {
        self.runs.keys().copied()
    }

    /// All claims in it.
    pub fn claims(&self) -> u64 {
        self.runs.values().map(|r| u64::from(r.claims)).sum()
    }

    /// How many claims a run has; none if the sidecar has no such run.
    pub fn claims_of(&self, id: RunId) -> usize {
        self.runs.get(&id).map_or(0, |run| run.claims as usize)
    }

    /// The claims of a run, sorted by key; none if the sidecar has no such run.
    pub fn read(&self, blob: &dyn Blob, id: RunId) -> Result<Vec<Claim>, SidecarError> {
        let mut claims = Vec::with_capacity(self.claims_of(id));
        self.visit(blob, id, |claim| claims.push(claim))?;
        Ok(claims)
    }

    /// Goes through the claims of a run, sorted by key.
    pub fn visit(&self, blob: &dyn Blob, id: RunId, mut take_in: impl FnMut(Claim)) -> Result<(), SidecarError> {
        let Some(run) = self.runs.get(&id) else { return Ok(()) };
        let damaged = |what| SidecarError::Damaged { path: self.path.clone(), what };
        let from = self.body_at + run.offset;
        let bytes = blob.get_range(&self.path, from..from + u64::from(run.claims) * CLAIM_BYTES as u64)?;
        if crc32c::crc32c(&bytes) != run.crc {
            return Err(damaged("the checksum of a run differs"));
        }
        for claim in bytes.chunks_exact(CLAIM_BYTES) {
            take_in(self.claim(claim).ok_or_else(|| damaged("a claim names no delivery"))?);
        }
        Ok(())
    }

    fn claim(&self, mut bytes: &[u8]) -> Option<Claim> {
        let key = u128::from_le_bytes(take(&mut bytes)?);
        let content = u64::from_le_bytes(take(&mut bytes)?);
        let row = u64::from_le_bytes(take(&mut bytes)?);
        let tail = u32::from_le_bytes(take(&mut bytes)?);
        let delivery = *self.deliveries.get((tail & !LIVE) as usize)?;
        Some(Claim { key, content, delivery, row, live: tail & LIVE != 0 })
    }
}

fn read_index(mut header: &[u8]) -> Option<(Vec<DeliveryId>, HashMap<RunId, Run>)> {
    let rest = &mut header;
    let count = u32::from_le_bytes(take(rest)?) as usize;
    if rest.len() < count * 16 {
        return None;
    }
    let deliveries = (0..count).map(|_| take(rest).map(u128::from_le_bytes).map(DeliveryId)).collect::<Option<Vec<_>>>()?;
    let count = u32::from_le_bytes(take(rest)?) as usize;
    if rest.len() != count * RUN_INDEX_BYTES {
        return None;
    }
    let mut runs = HashMap::with_capacity(count);
    for _ in 0..count {
        let id = RunId { account: u64::from_le_bytes(take(rest)?), bucket: Bucket(i32::from_le_bytes(take(rest)?)) };
        let claims = u32::from_le_bytes(take(rest)?);
        let offset = u64::from_le_bytes(take(rest)?);
        let crc = u32::from_le_bytes(take(rest)?);
        runs.insert(id, Run { claims, offset, crc });
    }
    Some((deliveries, runs))
}
