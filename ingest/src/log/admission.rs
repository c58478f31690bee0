//! What every adapter checks before it takes a record: the limits, and the partition that a key goes to.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::{LogError, RECORD_BYTES_MAX, Topic};

/// Longest key: an account's path has at most 3 × 64 bytes and two separators.
pub const KEY_BYTES_MAX: usize = 1024;

/// Most headers of a record.
pub const HEADERS_MAX: usize = 32;

/// All headers of a record together, with [`HEADER_FRAME_BYTES`] for each.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// What a header takes beside its name and value: the two lengths.
pub const HEADER_FRAME_BYTES: usize = 6;

/// The partition of a key: SipHash-1-3 under a fixed key, so that it is the same in every process and release. The number of
/// partitions of a topic never changes, therefore neither does a key's partition.
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    let mut hash = SipHasher13::new_with_keys(0x746f_6c6c_7761_7931, 0x7061_7274_6974_696f);
    hash.write(key);
    u32::try_from(hash.finish() % u64::from(partitions.max(1))).expect("a remainder of a 32-bit divisor")
}

/// Refuses what is over the limits.
pub fn check_record(topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(), LogError> {
    let too_large = |part, bytes, max| Err(LogError::TooLarge { topic, part, bytes, max });
    let header_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len() + HEADER_FRAME_BYTES).sum();
    if payload.len() > RECORD_BYTES_MAX {
        return too_large("payload", payload.len(), RECORD_BYTES_MAX);
    }
    if key.len() > KEY_BYTES_MAX {
        return too_large("key", key.len(), KEY_BYTES_MAX);
    }
    if headers.len() > HEADERS_MAX || header_bytes > HEADERS_BYTES_MAX {
        return too_large("headers", header_bytes, HEADERS_BYTES_MAX);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_partition_over_releases() {
        // By a SipHash-1-3 written from its paper in another language: a change would split accounts over two partitions.
        let at = |key: &str| partition_of(key.as_bytes(), 8);
        assert_eq!(["main/kpn/haven", "main/routit/acme", ""].map(at), [2, 6, 0]);
        let spread: std::collections::BTreeSet<u32> = (0..100).map(|n| at(&format!("main/kpn/{n}"))).collect();
        assert_eq!(spread, (0..8).collect());
    }
}
