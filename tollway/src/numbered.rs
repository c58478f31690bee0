//! Files that are missing by their number, and numbers that came twice: from names, headers and trailers of what has landed, by
//! what each file's profile says about them. Nothing is kept: a gap is gone once its file is there.

use std::collections::{BTreeMap, BTreeSet};

use domain::delivery::ArrivalNumber;
use domain::ports::BlobError;
use ingest::land::{DeliveryRecord, LandError, Landing, Replaces};
use ingest::profile::{FileNumber, FileNumbering, Profile};

use crate::arrived::{Came, LandedProfiles};
use crate::attention::Trouble;

/// Gaps of one account that are named; more are counted.
const GAPS_MAX: usize = 20;

/// A run of numbers that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The first that is missing, with the digits that its neighbour has.
    pub from: String,
    /// The last that is missing.
    pub to: String,
    /// How many files that is.
    pub files: u64,
}

/// A number that two files have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The number.
    pub number: String,
    /// The name of the first.
    pub first: String,
    /// The name of the other.
    pub other: String,
}

/// What the numbers of an account's files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers {
    /// What is missing, in order.
    pub gaps: Vec<Gap>,
    /// What came twice with different content.
    pub twice: Vec<Twice>,
}

/// A file that has a number.
#[derive(Debug, Clone)]
struct Numbered<'a> {
    number: u64,
    digits: String,
    name: &'a str,
    sha256: &'a str,
    /// Whether an operator has said that another file takes its place: it fills its number and disputes nobody else's.
    is_replaced: bool,
}

/// What the numbers of all accounts say, by account; accounts without numbers are left out.
pub fn by_account(
    landing: &Landing,
    profiles: &mut LandedProfiles,
    came: &[Came],
) -> Result<BTreeMap<String, Numbers>, LandError> {
    // Another declaration counts anew: a profile that was corrected must not compare its numbers with those of the former one.
    let mut groups: BTreeMap<[String; 3], (FileNumbering, Vec<Numbered<'_>>)> = BTreeMap::new();
    let replaced: BTreeSet<ArrivalNumber> = came.iter().filter_map(|c| replaces(&c.record)).collect();
    for Came { number, record, .. } in came {
        if is_gone(landing, *number, record)? {
            continue;
        }
        let is_replaced = replaced.contains(number);
        let Some(profile) = profiles.of(landing, record) else { continue };
        let Some(numbering) = profile.numbering() else { continue };
        let Some(FileNumber { number, digits, series }) = number_of(landing, &profile, record)? else { continue };
        let key = [record.identity.account.path(), format!("{} {numbering:?}", profile.name()), series];
        let identity = &record.identity;
        let file = Numbered { number, digits, name: &identity.logical_file, sha256: &identity.sha256, is_replaced };
        groups.entry(key).or_insert_with(|| (numbering.clone(), Vec::new())).1.push(file);
    }
    let mut accounts: BTreeMap<String, Numbers> = BTreeMap::new();
    for ([account, ..], (numbering, files)) in groups {
        let found = judge(&numbering, &files);
        let numbers = accounts.entry(account).or_default();
        numbers.gaps.extend(found.gaps);
        numbers.twice.extend(found.twice);
    }
    Ok(accounts)
}

/// The delivery whose place an operator has given to a file.
fn replaces(record: &DeliveryRecord) -> Option<ArrivalNumber> {
    match record.replaces {
        Some(Replaces::Arrival(former)) => Some(former),
        Some(Replaces::SameName) | None => None,
    }
}

/// Whether a file was taken back or rejected: it has not come as far as numbers go. One that was held and then taken has two
/// arrivals, and what was decided about the one that acts holds for both.
fn is_gone(landing: &Landing, number: ArrivalNumber, record: &DeliveryRecord) -> Result<bool, LandError> {
    let acting = landing.announced(record.delivery)?.unwrap_or(number);
    Ok(landing.withdrawal_of(acting)?.is_some())
}

/// The number of a file. One whose bytes are gone has none, as if it had never come; a store that does not answer is an error,
/// because what it hides would show as a gap.
fn number_of(landing: &Landing, profile: &Profile, record: &DeliveryRecord) -> Result<Option<FileNumber>, LandError> {
    let identity = &record.identity;
    let read = |range| landing.read_range(&identity.sha256, range);
    match profile.file_number(&identity.logical_file, record.size, read) {
        Err(LandError::Store { source: BlobError::NotFound(_), .. }) => Ok(None),
        found => found,
    }
}

/// Compares the numbers of files in the order of their arrival.
fn judge(numbering: &FileNumbering, files: &[Numbered<'_>]) -> Numbers {
    let span = i128::from(numbering.span());
    // Places on an endless line: the number comes again after the span, and a file belongs to the round that brings it nearest
    // to the newest one.
    let mut places: BTreeMap<i128, &Numbered<'_>> = BTreeMap::new();
    let (mut newest, mut numbers): (Option<i128>, _) = (None, Numbers::default());
    for file in files {
        let index = i128::from((file.number - numbering.first) / numbering.step);
        let place = match newest {
            None => index,
            Some(newest) => index + (newest - index + span / 2).div_euclid(span) * span,
        };
        newest = newest.max(Some(place));
        match places.get(&place) {
            Some(first) if first.is_replaced => drop(places.insert(place, file)),
            Some(_) if file.is_replaced => {}
            Some(first) if first.sha256 != file.sha256 && first.name != file.name => numbers.twice.push(Twice {
                number: file.digits.clone(),
                first: first.name.to_owned(),
                other: file.name.to_owned(),
            }),
            Some(_) => {}
            None => {
                places.insert(place, file);
            }
        }
    }
    for ((before, file), (after, _)) in places.iter().zip(places.iter().skip(1)) {
        if after - before > 1 {
            let number = |place: i128| {
                let index = u64::try_from(place.rem_euclid(span)).unwrap_or(0);
                format!("{:0width$}", numbering.first + index * numbering.step, width = file.digits.len())
            };
            let files = u64::try_from(after - before - 1).unwrap_or(u64::MAX);
            numbers.gaps.push(Gap { from: number(before + 1), to: number(after - 1), files });
        }
    }
    numbers
}

impl Gap {
    /// What is missing, in words.
    pub fn text(&self) -> String {
        match self.files {
            1 => format!("file {} is missing", self.from),
            n => format!("files {} to {} are missing ({n})", self.from, self.to),
        }
    }
}

impl Twice {
    /// What came twice, in words.
    pub fn text(&self) -> String {
        format!("number {} came twice with different content: {} and {}", self.number, self.first, self.other)
    }
}

/// The same as files that need a hand.
pub fn troubles(accounts: &BTreeMap<String, Numbers>) -> Vec<Trouble> {
    let mut all = Vec::new();
    for (account, numbers) in accounts {
        let trouble = |state: &str, text: String, remedy: &str| Trouble {
            file: account.clone(),
            state: state.to_owned(),
            message: format!("{text}; {remedy}"),
            delivery: None,
        };
        let ask = "ask the provider for it and ingest it";
        all.extend(numbers.gaps.iter().take(GAPS_MAX).map(|gap| trouble("missing", gap.text(), ask)));
        if let Some(more @ 1..) = numbers.gaps.len().checked_sub(GAPS_MAX) {
            all.push(trouble("missing", format!("and {more} more gaps"), ask));
        }
        let which = "ask the provider which one counts";
        all.extend(numbers.twice.iter().take(GAPS_MAX).map(|twice| trouble("number twice", twice.text(), which)));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::delivery::Account;
    use domain::ids::{AccountId, ProviderId, TenantId};
    use ingest::land::{LandRequest, Landed, LandingSettings, Repeat};
    use ingest::profile::Profile;
    use sinks::local_store::memory::MemoryStore;

    use super::*;
    use crate::arrived;
    use crate::system::SystemClock;

    fn numbering(last: u64) -> FileNumbering {
        let text = config::profiles::find("tap3").expect("a shipped profile").replace("last = 99999", &format!("last = {last}"));
        Profile::load(&text).expect("a profile").numbering().expect("a numbering").clone()
    }

    /// Files by number and content.
    fn judged(last: u64, files: &[(u64, &str)]) -> (Vec<String>, usize) {
        let texts: Vec<(u64, String, String)> =
            files.iter().map(|(n, sha)| (*n, format!("{n:05}"), format!("CDNLDPNGBRVF{n:05}{sha}"))).collect();
        let numbered: Vec<Numbered<'_>> = texts
            .iter()
            .zip(files)
            .map(|((number, digits, name), (_, sha256))| Numbered {
                number: *number,
                digits: digits.clone(),
                name,
                sha256,
                is_replaced: false,
            })
            .collect();
        let found = judge(&numbering(last), &numbered);
        (found.gaps.iter().map(Gap::text).collect(), found.twice.len())
    }

    #[test]
    fn a_missing_number_is_named_and_gone_when_its_file_arrives() {
        let (gaps, _) = judged(99_999, &[(16, "a"), (18, "b"), (23, "c")]);
        assert_eq!(gaps, ["file 00017 is missing", "files 00019 to 00022 are missing (4)"]);
        let (gaps, _) = judged(99_999, &[(16, "a"), (18, "b"), (17, "c")]);
        assert!(gaps.is_empty(), "{gaps:?}");
    }

    #[test]
    fn after_the_last_number_comes_the_first() {
        let (gaps, twice) = judged(10, &[(8, "a"), (9, "b"), (10, "c"), (1, "d"), (3, "e"), (8, "f"), (9, "g")]);
        assert_eq!(
            (gaps, twice),
            (vec!["file 00002 is missing".to_owned(), "files 00004 to 00007 are missing (4)".to_owned()], 0)
        );
        let (gaps, twice) = judged(10, &[(1, "a"), (10, "z"), (2, "b")]);
        assert_eq!((gaps.len(), twice), (0, 0), "the file before the first is the last of the round before");
    }

    #[test]
    fn a_number_that_comes_twice_is_told_only_with_other_content() {
        assert_eq!(judged(99_999, &[(16, "a"), (17, "b"), (17, "b")]).1, 0);
        assert_eq!(judged(99_999, &[(16, "a"), (17, "b"), (17, "c")]).1, 1);
    }

    /// A landing with files whose names have numbers.
    struct Desk {
        landing: Landing,
        profile: Profile,
    }

    impl Desk {
        fn new() -> Self {
            let text = config::profiles::find("job").expect("a shipped profile").to_owned()
                + "\n[sequence]\nname = \"*x{n}.csv\"\nlast = 999\n";
            let landing = Landing::new(Arc::new(MemoryStore::new()), LandingSettings::default());
            Self { landing, profile: Profile::load(&text).expect("a profile") }
        }

        fn land(&self, name: &str, repeat: Repeat) -> ArrivalNumber {
            let account = Account {
                tenant: TenantId::parse("main").expect("an id"),
                provider: ProviderId::parse("job").expect("an id"),
                account: AccountId::parse("haven").expect("an id"),
            };
            let request = LandRequest { repeat, ..LandRequest::new(&self.profile, account, name, name, 10) };
            let landed: Landed = self.landing.land(&request, &mut name.as_bytes(), &SystemClock).expect("landed");
            landed.arrival().number
        }

        fn withdraw(&self, number: ArrivalNumber) {
            self.landing.withdraw(number, &SystemClock).expect("a decision");
        }

        /// Gaps and numbers that came twice.
        fn says(&self) -> (Vec<String>, usize) {
            let came = arrived::deliveries(&self.landing.arrivals(0).expect("arrivals"), i64::MAX);
            let all = by_account(&self.landing, &mut LandedProfiles::default(), &came).expect("numbers");
            let numbers = all.into_values().next().expect("an account with numbers");
            (numbers.gaps.iter().map(Gap::text).collect(), numbers.twice.len())
        }
    }

    #[test]
    fn a_file_that_was_taken_back_is_missing_and_disputes_no_number() {
        let desk = Desk::new();
        let [_, second, _] = ["x001.csv", "x002.csv", "x003.csv"].map(|name| desk.land(name, Repeat::Hold));
        assert_eq!(desk.says(), (vec![], 0));
        desk.withdraw(second);
        assert_eq!(desk.says(), (vec!["file 002 is missing".to_owned()], 0));
        desk.land("again-x002.csv", Repeat::Hold);
        assert_eq!(desk.says(), (vec![], 0));
        let wrong = desk.land("wrong-x003.csv", Repeat::Hold);
        assert_eq!(desk.says(), (vec![], 1));
        desk.withdraw(wrong);
        assert_eq!(desk.says(), (vec![], 0), "it was the wrong one");
    }

    #[test]
    fn a_file_in_the_place_of_another_settles_whose_the_number_is() {
        let desk = Desk::new();
        let [_, second, _] = ["x001.csv", "x002.csv", "x003.csv"].map(|name| desk.land(name, Repeat::Hold));
        desk.land("right-x002.csv", Repeat::Replaces(second));
        assert_eq!(desk.says(), (vec![], 0));
        desk.land("x004.csv", Repeat::Replaces(second));
        assert_eq!(desk.says(), (vec![], 0), "the number of one that was replaced has come");
    }
}
