//! Makes wrapped files: the smallest encoders that real programs would take for their own.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

/// A block of a tar archive, and where its header keeps the checksum.
const TAR_BLOCK: usize = 512;
const TAR_SUM: std::ops::Range<usize> = 148..156;

/// gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// zstd with a checksum.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("memory takes all")
}

/// A tar archive in POSIX form; a name with a slash at its end is a folder.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in members {
        let mut header = [0; TAR_BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[156] = if name.ends_with('/') { b'5' } else { b'0' };
        header[257..265].copy_from_slice(b"ustar\x0000");
        sum(&mut header);
        archive.extend(header);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(TAR_BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * TAR_BLOCK, 0);
    archive
}

fn sum(header: &mut [u8]) {
    header[TAR_SUM].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[TAR_SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Makes the checksums of all blocks right that look like headers.
pub fn mend_tar(archive: &mut [u8]) {
    for block in archive.chunks_exact_mut(TAR_BLOCK).filter(|block| block[257..].starts_with(b"ustar")) {
        sum(block);
    }
}

/// A zip archive, deflated.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    let word = |length: usize| u32::try_from(length).expect("small files").to_le_bytes();
    for (name, bytes) in members {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all");
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        // What stands in a member's header and in the directory alike: version 2.0, no flags, deflate, no time.
        let common = [
            &[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..],
            &crc.sum().to_le_bytes(),
            &word(packed.len()),
            &word(bytes.len()),
            &word(name.len())[..2],
            &[0, 0],
        ]
        .concat();
        let entry = [b"PK\x01\x02\x14\0", &common[..], &[0; 10], &word(archive.len()), name.as_bytes()].concat();
        directory.extend(entry);
        archive.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
    }
    let count = &word(members.len())[..2];
    let end = [&b"PK\x05\x06\0\0\0\0"[..], count, count, &word(directory.len()), &word(archive.len()), &[0, 0]].concat();
    [archive, directory, end].concat()
}
