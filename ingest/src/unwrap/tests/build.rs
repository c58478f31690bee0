//! Builds wrapped files for tests.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// gzip of so many zero bytes.
pub fn gzip_zeros(count: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::io::copy(&mut std::io::repeat(0).take(count), &mut encoder).expect("memory");
    encoder.finish().expect("memory")
}

/// zstd with a checksum, as its command makes it.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("a level");
    encoder.include_checksum(true).expect("an option");
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A tar archive in POSIX form, with the mark of its end.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in members {
        let kind = if name.ends_with('/') { b'5' } else { b'0' };
        archive.extend(tar_member(name, kind, bytes));
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// A member of a tar archive: header, bytes, padding.
pub fn tar_member(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut member = [&header[..], bytes].concat();
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

/// A zip archive, deflated.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory");
        let packed = encoder.finish().expect("memory");
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("small").to_le_bytes();
        // Version 2.0, no flags, deflate, no time.
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend(length(&packed));
        common.extend(length(bytes));
        common.extend(&length(name.as_bytes())[..2]);
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(length(&archive));
        directory.extend(name.as_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(common);
        archive.extend(name.as_bytes());
        archive.extend(packed);
    }
    let count = &u32::try_from(members.len()).expect("small").to_le_bytes()[..2];
    let from = u32::try_from(archive.len()).expect("small").to_le_bytes();
    let bytes = u32::try_from(directory.len()).expect("small").to_le_bytes();
    [&archive[..], &directory, b"PK\x05\x06\0\0\0\0", count, count, &bytes, &from, &[0, 0]].concat()
}

/// The same archive as writers end it that do not trust their numbers to be small: they stand in a record of 64 bits.
pub fn widened(archive: &[u8]) -> Vec<u8> {
    let (members, end) = archive.split_at(archive.len() - 22);
    let wide = |bytes: &[u8]| [bytes, &[0; 8][bytes.len()..]].concat();
    let (count, bytes, from) = (wide(&end[10..12]), wide(&end[12..16]), wide(&end[16..20]));
    let mut wide_end =
        [b"PK\x06\x06", &44_u64.to_le_bytes()[..], &[45, 3, 45, 0], &[0; 8], &count, &count, &bytes, &from].concat();
    wide_end.extend([b"PK\x06\x07", &[0; 4][..], &(members.len() as u64).to_le_bytes(), &[1, 0, 0, 0]].concat());
    [members, &wide_end, b"PK\x05\x06\0\0\0\0", &[0xff; 12], &[0, 0]].concat()
}

/// Reads hexadecimal digits.
pub fn from_hex(text: &str) -> Vec<u8> {
    let digit = |b: u8| u8::try_from(char::from(b).to_digit(16).expect("a digit")).expect("below 16");
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect()
}
