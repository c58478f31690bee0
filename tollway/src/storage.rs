//! Where landing and tables lie: in the data folder or in a bucket, and whose bucket it is.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use config::Config;
use domain::delivery::KeySecret;
use domain::ids::TenantId;
use domain::ports::{Blob, BlobError};
use sha2::{Digest, Sha256};
use sinks::bucket::BucketStore;
use sinks::local_store::{LocalStore, SyncPolicy};

use crate::exit_code::{bad_input, refused};
use crate::system::SystemClock;

/// The object that says whose a bucket is. Commands that write offer it at each start, which also proves that the bucket
/// can be reached and keeps the second of two puts out.
const MARKER: &str = "installation.json";

/// The layout of buckets that this program knows.
const FORMAT: u32 = 1;

/// The folder of the store in the data folder.
const FOLDER: &str = "store";

/// What a command wants of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// What was landed before; nothing is made.
    Read,
    /// A bucket that belongs to nobody becomes this installation's.
    Write,
}

/// [`MARKER`].
#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Marker {
    format: u32,
    tenant: TenantId,
    /// Says whether two installations have the same secret of record keys, and nothing about it.
    secret: String,
}

/// How the configured bucket is called in messages and in the data folder; `None`: there is none.
pub fn bucket(config: &Config) -> Option<String> {
    config.storage.bucket.as_ref().map(ToString::to_string)
}

/// Where landing and tables lie.
pub fn place(config: &Config, folder: &Path) -> String {
    bucket(config).unwrap_or_else(|| folder.join(FOLDER).display().to_string())
}

/// The store of an installation.
pub fn open(config: &Config, folder: &Path, secret: KeySecret, purpose: Purpose) -> anyhow::Result<Arc<dyn Blob>> {
    let Some(bucket) = &config.storage.bucket else {
        return Ok(Arc::new(LocalStore::open(folder.join(FOLDER), SyncPolicy::Full, &SystemClock)?));
    };
    let store = BucketStore::open(bucket, &config.storage, folder, &SystemClock)?;
    let ours = Marker { format: FORMAT, tenant: config.data.tenant.clone(), secret: fingerprint(secret) };
    let place = store.place().to_owned();
    check(&store, &ours, purpose).with_context(|| format!("failed to open {place}"))?;
    Ok(Arc::new(store))
}

fn check(store: &BucketStore, ours: &Marker, purpose: Purpose) -> anyhow::Result<()> {
    if purpose == Purpose::Write && store.claim(MARKER, &serde_json::to_vec_pretty(ours)?)? {
        return Ok(());
    }
    let text = match store.get(MARKER) {
        Err(BlobError::NotFound(_)) => {
            return Err(bad_input("nothing has been landed there; mend `storage.url`, or land a file first"));
        }
        text => text?,
    };
    let found: Marker = serde_json::from_slice(&text)
        .map_err(|e| refused(format!("`{MARKER}` cannot be read: {e}; is it of a newer version?")))?;
    if found.format > FORMAT {
        return Err(refused(format!("it has format {}, this program knows {FORMAT}: use a newer version", found.format)));
    }
    if found.tenant != ours.tenant {
        return Err(refused(format!("it belongs to tenant `{}`, the configuration says `{}`", found.tenant, ours.tenant)));
    }
    if found.secret != ours.secret {
        return Err(refused(
            "it belongs to an installation with another secret of record keys, so known rows could not be told; restore that \
             installation's `secret.key`, or take another prefix",
        ));
    }
    Ok(())
}

/// Eight bytes of a hash of 16 random ones.
fn fingerprint(secret: KeySecret) -> String {
    let hash = Sha256::new().chain_update(b"tollway record keys").chain_update(secret.0).finalize();
    let first = hash.iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    format!("{first:016x}")
}
