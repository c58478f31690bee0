//! What comes out of wrapped files: by every program, in every nesting, damaged in every place, and over every limit.

pub(crate) mod build;
mod samples;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use self::build::{from_hex, gzip, gzip_zeros, tar, tar_member, widened, zip, zstd};
use self::samples as by;
use super::*;

const A: &[u8] = b"id;seconds\n1;60\n2;75\n";
const B: &[u8] = b"id;seconds\n3;10\n";

/// Objects in memory; large ones are only counted.
#[derive(Default)]
struct Shelf {
    objects: RefCell<BTreeMap<String, Vec<u8>>>,
    is_counting: bool,
    /// The most bytes that were asked for or handed over at once, and all that were asked for.
    largest: RefCell<u64>,
    asked: RefCell<u64>,
}

const FILE_BYTES_MAX: usize = 1 << 30;

impl Objects for Shelf {
    fn keep(&self, origin: &str, bytes: &mut dyn Read) -> Result<Object, LandError> {
        let source = |source| LandError::Source { file: origin.to_owned(), source };
        let (mut kept, mut size, mut chunk) = (Vec::new(), 0, vec![0; 64 * 1024]);
        loop {
            let count = bytes.read(&mut chunk).map_err(source)?;
            if count == 0 {
                break;
            }
            size += count;
            if size > FILE_BYTES_MAX {
                return Err(LandError::TooLarge { file: origin.to_owned(), bytes_max: FILE_BYTES_MAX as u64 });
            }
            if !self.is_counting {
                kept.extend_from_slice(&chunk[..count]);
            }
        }
        let sha256 = self.objects.borrow().len().to_string();
        self.objects.borrow_mut().insert(sha256.clone(), kept);
        Ok(Object { sha256, size: size as u64 })
    }

    fn range(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, LandError> {
        let count = range.end - range.start;
        *self.asked.borrow_mut() += count;
        let largest = *self.largest.borrow();
        *self.largest.borrow_mut() = largest.max(count);
        let place = |at| usize::try_from(at).expect("small tests");
        Ok(self.objects.borrow()[&object.sha256][place(range.start)..place(range.end)].to_vec())
    }
}

/// What was found in a file: ways and bytes, what was skipped, what was refused.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    members: Vec<(String, Vec<u8>)>,
    names: Vec<String>,
    skipped: Vec<String>,
    refused: Vec<String>,
}

impl Outcome {
    fn assert_members(&self, expected: &[(&str, &[u8])]) {
        let expected: Vec<_> = expected.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        assert_eq!(self.members, expected, "{self:?}");
    }

    fn assert_refused(&self, expected: &[(&str, &str)]) {
        assert_eq!(self.refused.len(), expected.len(), "{:?}", self.refused);
        for (said, (file, why)) in self.refused.iter().zip(expected) {
            assert!(said.contains(&format!("`{file}`")) && said.contains(why), "{said} should name {file}: {why}");
        }
    }
}

fn within(limits: UnwrapLimits, file: &str, bytes: &[u8]) -> Outcome {
    let shelf = Shelf::default();
    shelf.objects.borrow_mut().insert("sent".to_owned(), bytes.to_vec());
    let sent = Object { sha256: "sent".to_owned(), size: bytes.len() as u64 };
    let found = unwrap(&shelf, &sent, file, file, limits).expect("the store holds");
    let bytes_of = |member: &Member| shelf.objects.borrow()[&member.object.sha256].clone();
    Outcome {
        members: found.members.iter().map(|member| (member.origin.clone(), bytes_of(member))).collect(),
        names: found.members.iter().map(|member| member.logical_file.clone()).collect(),
        skipped: found.skipped.iter().map(|skipped| format!("{}: {}", skipped.origin, skipped.why)).collect(),
        refused: found.refused.iter().map(ToString::to_string).collect(),
    }
}

fn unwrapped(file: &str, bytes: &[u8]) -> Outcome {
    within(UnwrapLimits::default(), file, bytes)
}

fn is_wrapped(bytes: &[u8]) -> bool {
    !is_plain(&head(&mut &bytes[..]).expect("memory"))
}

#[test]
fn compressed_files_are_themselves_under_any_name() {
    for bytes in [gzip(A), zstd(A), from_hex(by::GZIP), from_hex(by::ZSTD), from_hex(by::BZIP2)] {
        let found = unwrapped("x.csv", &bytes);
        found.assert_members(&[("x.csv", A)]);
        assert_eq!(found.names, ["x.csv"]);
    }
    assert_eq!(unwrapped("cdr.csv.gz", &gzip(A)).names, ["cdr.csv"], "the name of a newer version that comes unwrapped");
    for nothing in [from_hex(by::GZIP_EMPTY), from_hex(by::BZIP2_EMPTY), zstd(b"")] {
        unwrapped("heartbeat.csv", &nothing).assert_members(&[("heartbeat.csv", b"")]);
    }
    let numbers: Vec<u8> = (1..=2000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    unwrapped("seq", &from_hex(by::BZIP2_SEQ)).assert_members(&[("seq", &numbers)]);
}

#[test]
fn several_members_in_one_stream_are_one_file() {
    let both = [A, B].concat();
    for bytes in [[gzip(A), gzip(B)].concat(), [zstd(A), zstd(B)].concat(), from_hex(by::BZIP2_TWO)] {
        unwrapped("x", &bytes).assert_members(&[("x", &both)]);
        let filled = [&bytes[..], &[0; 700]].concat();
        if !bytes.starts_with(b"(\xb5") {
            unwrapped("x", &filled).assert_members(&[("x", &both)]);
        }
        let more = unwrapped("x", &[&bytes[..], b"more"].concat());
        assert_eq!((more.members.len(), more.refused.len()), (0, 1), "{more:?}");
    }
}

#[test]
fn archives_of_other_programs_are_read() {
    let long = format!("x!{}.csv", "long".repeat(40));
    let unix = [("x!a.csv", A), ("x!folder/b.csv", B), (&long, A)];
    for sample in [by::GNU, by::PAX] {
        let mut found = unwrapped("x", &from_hex(sample));
        found.members.sort();
        found.assert_members(&unix);
        let mut skipped = found.skipped;
        skipped.sort();
        assert_eq!(skipped, ["x!folder: a folder", "x!link.csv: a link", "x!unnamed: a folder"]);
    }
    for sample in [by::V7, by::USTAR, by::INFOZIP] {
        let mut found = unwrapped("x", &from_hex(sample));
        found.members.sort();
        found.assert_members(&[("x!a.csv", A), ("x!folder/b.csv", B)]);
        assert_eq!((found.skipped.len(), found.refused.len()), (1, 0), "{:?}", found.skipped);
    }
    unwrapped("x", &from_hex(by::STREAMED)).assert_members(&[("x!-", A)]);
    let python = unwrapped("x", &from_hex(by::PYTHON));
    let with = |line: &[u8]| [A, line].concat();
    python.assert_members(&[
        ("x!stored.csv", A),
        ("x!deflated.csv", &with(b"4;1\n")),
        ("x!bzip2.csv", &with(b"5;1\n")),
        ("x!Düsseldorf.csv", &with(b"7;1\n")),
    ]);
    python.assert_refused(&[("x!lzma.csv", "method 14")]);
    let encrypted = unwrapped("x", &from_hex(by::ENCRYPTED));
    encrypted.assert_members(&[("x!folder/b.csv", B)]);
    encrypted.assert_refused(&[("x!a.csv", "without a password")]);
}

#[test]
fn large_zip_archives_are_read_and_their_addresses_are_not_believed() {
    let archive = widened(&zip(&[("a.csv", A), ("b.csv", B)]));
    let packed = unwrapped("x", &archive);
    packed.assert_members(&[("x!a.csv", A), ("x!b.csv", B)]);
    let commented = [&archive[..archive.len() - 2], &[9, 0], b"a comment"].concat();
    unwrapped("x", &commented).assert_members(&[("x!a.csv", A), ("x!b.csv", B)]);
    for at in archive.len() - 98..archive.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut wrong = archive.clone();
            wrong[at] = byte;
            assert_honest(&unwrapped("x", &wrong), &packed);
        }
    }
}

#[test]
fn wrappers_lie_in_wrappers() {
    let two: &[(&str, &[u8])] = &[("f/a.csv", A), ("b.csv", B)];
    let members: &[(&str, &[u8])] = &[("x!f/a.csv", A), ("x!b.csv", B)];
    unwrapped("x", &gzip(&tar(two))).assert_members(members);
    unwrapped("x", &zstd(&tar(two))).assert_members(members);
    unwrapped("x", &gzip(&zip(two))).assert_members(members);
    unwrapped("x", &gzip(&zstd(&gzip(A)))).assert_members(&[("x", A)]);
    let inner = zip(&[("a.csv", A), ("b.csv.gz", &gzip(B))]);
    let found = unwrapped("x.zip", &zip(&[("d/inner.zip", &inner), ("a.csv", B), ("all.tgz", &gzip(&tar(two)))]));
    found.assert_members(&[
        ("x.zip!d/inner.zip!a.csv", A),
        ("x.zip!d/inner.zip!b.csv.gz", B),
        ("x.zip!a.csv", B),
        ("x.zip!all.tgz!f/a.csv", A),
        ("x.zip!all.tgz!b.csv", B),
    ]);
    let names = ["d/inner.zip!a.csv", "d/inner.zip!b.csv", "a.csv", "all.tar!f/a.csv", "all.tar!b.csv"];
    assert_eq!(found.names, names, "two members of one name stay two");
}

#[test]
fn names_from_archives_are_no_paths() {
    let evil: &[(&str, &[u8])] = &[("../../etc/passwd", A), ("/etc/shadow", B), ("C:\\x\\..\\a\u{1b}.csv", A)];
    for archive in [zip(evil), tar(evil)] {
        let found = unwrapped("x", &archive);
        found.assert_members(&[("x!etc/passwd", A), ("x!etc/shadow", B), ("x!x/a_.csv", A)]);
    }
}

#[test]
fn what_is_no_data_is_skipped_and_said() {
    let mixed: &[(&str, &[u8])] = &[("d/", b""), ("__MACOSX/d/._a.csv", b"x"), ("d/._a.csv", b"x"), ("d/a.csv", A)];
    for archive in [zip(mixed), tar(mixed)] {
        let found = unwrapped("x", &archive);
        found.assert_members(&[("x!d/a.csv", A)]);
        assert_eq!(found.skipped.len(), 3);
        assert!(found.skipped[2].starts_with("x!d/._a.csv: ") && found.skipped[2].contains("AppleDouble"), "{found:?}");
    }
    unwrapped("x", &zip(&[])).assert_refused(&[("x", "holds no file")]);
    unwrapped("x", &zip(&[("d/", b"")])).assert_refused(&[("x", "holds no file")]);
    unwrapped("x", b"\xfd7zXZ\0\0\x04").assert_refused(&[("x", "it is xz, which is not unwrapped")]);
    let sparse = [tar_member("s.csv", b'S', A), tar(&[("b.csv", B)])].concat();
    unwrapped("x", &sparse).assert_refused(&[("x!s.csv", "--sparse")]);
}

#[test]
fn what_is_damaged_does_not_count_and_the_others_do() {
    let mut archive = zip(&[("a.csv", A), ("b.csv", B)]);
    archive[40] ^= 1;
    let found = unwrapped("x", &archive);
    found.assert_members(&[("x!b.csv", B)]);
    found.assert_refused(&[("x!a.csv", "the zip data is damaged")]);

    // A gzip stream has one checksum for all that is in it: which member is wrong cannot be known.
    let mut stream = gzip(&tar(&[("a.csv", A), ("b.csv", B)]));
    let end = stream.len();
    stream[end - 8] ^= 1;
    let found = unwrapped("x", &zip(&[("all.tgz", &stream), ("b.csv", B)]));
    found.assert_members(&[("x!b.csv", B)]);
    found.assert_refused(&[("x!all.tgz", "the gzip data is damaged")]);

    let found = unwrapped("x", &tar(&[("bad.gz", &stream), ("b.csv", B)]));
    found.assert_members(&[("x!b.csv", B)]);

    let whole = tar(&[("a.csv", A), ("b.csv", B)]);
    let found = unwrapped("x", &whole[..1030]);
    found.assert_members(&[("x!a.csv", A)]);
    found.assert_refused(&[("x", "the tar data ends too early")]);
    let found = unwrapped("x", &gzip(&whole[..1540]));
    found.assert_members(&[("x!a.csv", A)]);
    found.assert_refused(&[("x!b.csv", "the tar data ends too early")]);
    let found = unwrapped("x", &[&whole[..], &whole].concat());
    found.assert_members(&[("x!a.csv", A), ("x!b.csv", B)]);
    found.assert_refused(&[("x", "strung together")]);
}

fn small_files() -> Vec<Vec<u8>> {
    let two: &[(&str, &[u8])] = &[("a.csv", A), ("b.csv", B)];
    vec![
        gzip(A),
        [gzip(A), gzip(b"")].concat(),
        zstd(A),
        from_hex(by::BZIP2),
        zip(two),
        from_hex(by::INFOZIP),
        from_hex(by::STREAMED),
        gzip(&tar(two)),
        zip(&[("i.zip", &zip(two)), ("a.gz", &gzip(A))]),
        zstd(&zip(two)),
    ]
}

/// Nothing but what was packed came out, and if not all of it did, that was said.
fn assert_honest(found: &Outcome, packed: &Outcome) {
    let known = |bytes: &Vec<u8>| packed.members.iter().any(|(_, b)| b == bytes);
    assert!(found.members.iter().all(|(_, bytes)| known(bytes)), "{found:?}");
    let missing = found.members.len() + found.skipped.len() < packed.members.len() + packed.skipped.len();
    assert!(!missing || !found.refused.is_empty(), "{found:?}");
}

#[test]
fn a_file_cut_off_anywhere_says_so() {
    for file in small_files() {
        let packed = unwrapped("x", &file);
        assert!(!packed.members.is_empty() && packed.refused.is_empty(), "{packed:?}");
        for end in 0..file.len() {
            let cut = &file[..end];
            if is_wrapped(cut) {
                assert_honest(&unwrapped("x", cut), &packed);
            } else {
                assert!(end < 6 || file.starts_with(b"BZh"), "{end} bytes are enough to know it");
            }
        }
    }
    let archive = tar(&[("a.csv", A), ("b.csv", B)]);
    let packed = unwrapped("x", &archive);
    for end in (263..archive.len()).step_by(7) {
        assert_honest(&unwrapped("x", &archive[..end]), &packed);
    }
}

#[test]
fn a_flipped_bit_anywhere_changes_nothing_or_is_said() {
    for file in small_files() {
        let packed = unwrapped("x", &file);
        for bit in 0..8 * file.len() {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if is_wrapped(&flipped) {
                assert_honest(&unwrapped("x", &flipped), &packed);
            }
        }
    }
    // tar has checksums for headers only: it must not do harm.
    let archive = tar(&[("a.csv", A), ("b.csv", B)]);
    for bit in 0..8 * archive.len() {
        let mut flipped = archive.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        unwrapped("x", &flipped);
    }
}

proptest! {
    #[test]
    fn noise_behind_a_good_beginning_does_no_harm(
        file in prop::sample::select(small_files()),
        kept in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        unwrapped("x", &[&file[..kept.index(file.len())], &noise].concat());
    }
}

#[test]
fn bombs_are_stopped_and_the_others_land() {
    let bomb = gzip_zeros(40 << 20);
    let found = unwrapped("x", &bomb);
    found.assert_members(&[]);
    found.assert_refused(&[("x", "raise landing.unwrap_ratio_max")]);
    // Random letters give the archive a size, so that its own ratio is not what ends it.
    let mut seed = 7_u32;
    let mut letter = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    };
    let plain: Vec<u8> = (0..100_000).map(|_| letter()).collect();
    let found = unwrapped("x", &zip(&[("plain.csv", &plain), ("bomb.gz", &bomb), ("a.csv", A)]));
    found.assert_members(&[("x!plain.csv", &plain), ("x!a.csv", A)]);
    found.assert_refused(&[("x!bomb.gz", "more than 250 times its size")]);
    let found = unwrapped("x", &zip(&[("plain.csv", &plain), ("zeros", &vec![0; 40 << 20]), ("a.csv", A)]));
    found.assert_members(&[("x!plain.csv", &plain), ("x!a.csv", A)]);
    found.assert_refused(&[("x!zeros", "more than 250 times its size")]);

    let few = UnwrapLimits { bytes_max: 10_000, ..UnwrapLimits::default() };
    let found = within(few, "x", &zip(&[("a.csv", A), ("plain.csv", &plain), ("b.csv", B)]));
    found.assert_members(&[("x!a.csv", A)]);
    found.assert_refused(&[("x!plain.csv", "raise landing.unwrap_bytes_max")]);
}

#[test]
fn members_and_depth_have_limits() {
    let names: Vec<String> = (0..10_001).map(|n| format!("{n}.csv")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), A)).collect();
    for archive in [zip(&members), tar(&members)] {
        let found = unwrapped("x", &archive);
        assert_eq!(found.members.len(), 10_000);
        found.assert_refused(&[("x", "more than 10000 members")]);
    }
    assert_eq!(unwrapped("x", &zip(&members[..10_000])).members.len(), 10_000);

    let nested = |depth| (0..depth).fold(A.to_vec(), |inner, _| gzip(&inner));
    unwrapped("x", &nested(5)).assert_members(&[("x", A)]);
    unwrapped("x", &nested(6)).assert_refused(&[("x", "more than 5 wrappers")]);
    unwrapped("x", &nested(2_000)).assert_refused(&[("x", "raise landing.unwrap_depth_max")]);
    let zips = (0..6).fold(A.to_vec(), |inner, _| zip(&[("a", &inner), ("b.csv", B)]));
    let found = unwrapped("x", &zips);
    assert_eq!((found.members.len(), found.refused.len()), (5, 1), "{found:?}");
}

#[test]
fn two_hundred_megabytes_pass_in_small_pieces() {
    const BYTES: u64 = 200 << 20;
    let limits = UnwrapLimits { ratio_max: 1_000_000, ..UnwrapLimits::default() };
    for file in [gzip_zeros(BYTES), gzip(&gzip_zeros(BYTES))] {
        let shelf = Shelf { is_counting: true, ..Shelf::default() };
        let sent = Object { sha256: "sent".to_owned(), size: file.len() as u64 };
        shelf.objects.borrow_mut().insert("sent".to_owned(), file);
        let found = unwrap(&shelf, &sent, "x", "x", limits).expect("the store holds");
        assert_eq!(found.members[0].object.size, BYTES);
        assert!(*shelf.largest.borrow() <= 256 * 1024, "no large piece is asked for");
        assert_eq!(*shelf.asked.borrow(), sent.size, "each byte is read once");
    }
    let zeros = within(limits, "x", &from_hex(by::BZIP2_ZEROS));
    assert!(zeros.members[0].1.len() == 20_000_000 && zeros.members[0].1.iter().all(|b| *b == 0), "four blocks of runs");
}
