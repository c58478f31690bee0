//! Landing archives: the evidence, one delivery per member, again, halfway, and with parts that cannot be taken.

use super::*;
use crate::unwrap::tests::build::{gzip, tar, zip};
use crate::unwrap::{Problem, UnwrapLimits, Wrapper};

fn land_all(landing: &Landing, name: &str, bytes: &[u8]) -> LandedFile {
    landing.land_all(&request(name), &mut &*bytes, &TestClock).expect("landed")
}

fn deliveries(all: &LandedFile) -> Vec<&DeliveryRecord> {
    all.landed.iter().map(|landed| delivery(landed.arrival())).collect()
}

fn new(all: &LandedFile) -> usize {
    all.landed.iter().filter(|landed| matches!(landed, Landed::New(_))).count()
}

#[test]
fn each_member_is_a_delivery_and_the_archive_is_kept_as_it_was_sent() {
    let store = TestStore::default();
    let landing = landing(&store);
    let archive = zip(&[("day/", b""), ("day/1.csv", b"abc"), ("2.csv.gz", &gzip(b"other"))]);
    let all = land_all(&landing, "october.zip", &archive);
    let records = deliveries(&all);
    let named: Vec<_> = records.iter().map(|r| (&*r.origin, &*r.identity.logical_file, r.size)).collect();
    assert_eq!(
        named,
        [("inbox/october.zip!day/1.csv", "day/1.csv", 3), ("inbox/october.zip!2.csv.gz", "2.csv", 5)],
        "ways for people, names under which a newer version would come"
    );
    assert_eq!(records[0].identity.sha256, ABC_SHA256, "its bytes are those of the plain file");
    assert_eq!(landing.read_range(ABC_SHA256, 0..3).expect("its bytes"), b"abc");
    let sent = records[0].unwrapped_from.as_deref().expect("where it came from");
    assert_eq!(landing.read_range(sent, 0..archive.len() as u64).expect("the evidence"), archive);
    assert_eq!(records[1].unwrapped_from.as_deref(), Some(sent));
    assert_eq!((new(&all), all.skipped.len(), all.refused.len()), (2, 1, 0));
    assert_eq!((&*all.skipped[0].origin, all.skipped[0].why), ("inbox/october.zip!day", "a folder"));
    assert_eq!(numbers(&landing.arrivals(0).expect("all")), [1, 2]);
    assert_eq!(landing.arrival(2).expect("it is read back"), *all.landed[1].arrival());
}

#[test]
fn a_plain_file_lands_as_it_always_did() {
    let (one, other) = (TestStore::default(), TestStore::default());
    let plain = land(&landing(&one), &request("a.csv"), "abc");
    let all = land_all(&landing(&other), "a.csv", b"abc");
    assert_eq!(all.landed, [plain]);
    assert_eq!(one.paths(""), other.paths(""));
    let record = String::from_utf8(other.get(&arrival::path(1)).expect("the record")).expect("text");
    assert!(!record.contains("unwrapped_from"), "{record}");
    assert_eq!(new(&land_all(&landing(&other), "empty.csv", b"")), 1);
}

#[test]
fn an_archive_again_is_a_no_op_and_so_are_its_members_alone() {
    let store = TestStore::default();
    let archive = gzip(&tar(&[("1.csv", b"abc"), ("2.csv", b"other")]));
    let first = land_all(&landing(&store), "a.tgz", &archive);
    assert_eq!(new(&first), 2);
    let before = store.paths("");
    let again = landing(&store);
    for name in ["a.tgz", "renamed.csv"] {
        let all = land_all(&again, name, &archive);
        assert!(all.landed.iter().all(|landed| matches!(landed, Landed::Already(_))), "{all:?}");
        assert_eq!(deliveries(&all), deliveries(&first));
    }
    assert!(matches!(land(&again, &request("1.csv"), "abc"), Landed::Already(_)), "also without its wrapper");
    assert!(matches!(land_all(&again, "1.csv.gz", &gzip(b"abc")).landed[..], [Landed::Already(_)]), "and in another");
    let new: Vec<_> = store.paths("").into_iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(new.len(), 1, "nothing but the other wrapper, which is evidence: {new:?}");
}

#[test]
fn what_a_crash_left_out_is_completed_by_landing_again() {
    let archive = zip(&[("1.csv", b"one"), ("2.csv", b"two"), ("3.csv", b"three")]);
    // Objects: the archive, three members, the profile. Then the arrivals, in one record or in three.
    for (place, together_files_max) in [(OBJECTS, 64), (ARRIVALS, 64), (ARRIVALS, 1)] {
        for done in 0..5 {
            let store = TestStore::default();
            let settings = LandingSettings { together_files_max, ..LandingSettings::default() };
            let landing = Landing::new(Arc::new(store.clone()), settings);
            store.fail_after(place, Fault::Full, done);
            let half = landing.land_all(&request("a.zip"), &mut &archive[..], &TestClock);
            let is_short = landing.arrivals(0).expect("those that are there").len() < 3;
            assert_eq!(matches!(half, Err(LandError::Full(_))), is_short, "after {done} writes to {place}");
            store.fail(place, Fault::Full, 0);
            let all = land_all(&Landing::new(Arc::new(store.clone()), LandingSettings::default()), "a.zip", &archive);
            assert_eq!((all.landed.len(), all.refused.len()), (3, 0));
            let arrivals = landing.arrivals(0).expect("all");
            let names: Vec<_> = arrivals.iter().map(|arrival| &*delivery(arrival).identity.logical_file).collect();
            assert_eq!(names, ["1.csv", "2.csv", "3.csv"], "each once, after {done} writes to {place}");
        }
    }
}

#[test]
fn a_member_that_cannot_be_taken_is_named_and_the_others_land() {
    let store = TestStore::default();
    let settings = LandingSettings { file_bytes_max: 600, ..LandingSettings::default() };
    let landing = Landing::new(Arc::new(store.clone()), settings);
    let cut = &gzip(b"the rest of this is missing")[..20];
    let archive = zip(&[("long.csv", &[b'x'; 601]), ("cut.csv.gz", cut), ("1.csv", b"abc")]);
    let all = land_all(&landing, "a.zip", &archive);
    assert_eq!(deliveries(&all)[0].origin, "inbox/a.zip!1.csv");
    let [LandError::TooLarge { file: large, .. }, LandError::Wrapped { file, problem }] = &all.refused[..] else {
        panic!("{:?}", all.refused)
    };
    assert_eq!((&**large, &**file), ("inbox/a.zip!long.csv", "inbox/a.zip!cut.csv.gz"));
    assert_eq!(*problem, Problem::CutOff(Wrapper::Gzip));
    assert!(all.refused.iter().all(|error| error.disposition() == Disposition::Stop));
    let said = all.refused[1].to_string();
    assert!(said.contains("cut off; ask the source to send it again"), "{said}");
    assert_eq!(store.paths(ARRIVALS).len(), 1);

    let more = Landing::new(Arc::new(store.clone()), LandingSettings::default());
    let all = land_all(&more, "a.zip", &archive);
    assert_eq!((new(&all), all.landed.len(), all.refused.len()), (1, 2, 1), "under other limits the rest comes");
}

#[test]
fn members_are_ruled_on_like_files() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("1.csv"), "abc");
    let all = land_all(&landing, "a.zip", &zip(&[("1.csv", b"abcd"), ("2.csv", b"abc")]));
    assert!(held_reason(&all.landed[0]).contains("same name as arrival 1"));
    assert!(matches!(&all.landed[1], Landed::Already(arrival) if arrival.number == 1), "bytes that are known");
    let word = LandRequest { repeat: Repeat::AsNew, ..request("a.zip") };
    let released = landing.land_all(&word, &mut &zip(&[("1.csv", b"abcd")])[..], &TestClock).expect("landed");
    assert_eq!(new(&released), 1);
    let record = delivery(released.landed[0].arrival()).clone();
    let again = landing.land_again(&LandRequest { profile_text: "other".into(), ..word }, &record, &TestClock).expect("landed");
    assert_eq!(delivery(again.arrival()).unwrapped_from, record.unwrapped_from, "the next generation keeps its evidence");
}

#[test]
fn nothing_of_a_broken_source_or_a_refused_wrapper_arrives() {
    let store = TestStore::default();
    let settings =
        LandingSettings { unwrap: UnwrapLimits { depth_max: 1, ..UnwrapLimits::default() }, ..LandingSettings::default() };
    let landing = Landing::new(Arc::new(store.clone()), settings);
    let all = land_all(&landing, "a.tgz", &gzip(&tar(&[("1.csv", b"abc")])));
    assert!(all.landed.is_empty() && all.refused[0].to_string().contains("raise landing.unwrap_depth_max"), "{all:?}");
    let bytes = gzip(&b"abc".repeat(1_000));
    let mut broken: Vec<io::Result<u8>> = bytes.into_iter().map(Ok).collect();
    broken.truncate(20);
    broken.push(Err(ErrorKind::ConnectionReset.into()));
    broken.reverse();
    let error = landing.land_all(&request("b.gz"), &mut Trickle(broken), &TestClock).expect_err("not landed");
    assert!(matches!(&error, LandError::Source { file, .. } if file == "inbox/b.gz"), "{error}");
    assert_eq!(store.paths(ARRIVALS).len(), 0);
}

#[test]
fn an_archive_of_several_files_takes_no_ones_place() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "a");
    let word = LandRequest { repeat: Repeat::Replaces(1), ..request("fixed.zip") };
    let both = zip(&[("1.csv", b"1"), ("2.csv", b"2")]);
    let error = landing.land_all(&word, &mut &*both, &TestClock).expect_err("which of them?");
    assert!(error.to_string().contains("2 files"), "{error}");
    assert_eq!(numbers(&landing.arrivals(0).expect("all")), [1]);
    let one = landing.land_all(&word, &mut &*zip(&[("1.csv", b"1")]), &TestClock).expect("landed");
    assert_eq!(deliveries(&one)[0].replaces, Some(Replaces::Arrival(1)));
}
