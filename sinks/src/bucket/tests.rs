//! The contract over a server of our own, and what it does to publications whose answers are lost.

mod server;

use std::sync::atomic::AtomicUsize;

use config::Config;

use self::server::{Server, Weather};
use super::*;
use crate::local_store::blob_contract;

struct TestClock;

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        // Two days after the server's objects were changed.
        1_790_985_600_000_000
    }
}

/// Short pauses, three attempts, parts of 5 MiB.
fn store_at(endpoint: &str, url: &str) -> BucketStore {
    let settings = [
        ("TOLLWAY_STORAGE__URL", url),
        ("TOLLWAY_STORAGE__ENDPOINT", endpoint),
        ("TOLLWAY_STORAGE__REGION", "eu-west-1"),
        ("TOLLWAY_STORAGE__ACCESS_KEY_ID", "someone"),
        ("TOLLWAY_STORAGE__SECRET_ACCESS_KEY", "nobody-may-read-this"),
        ("TOLLWAY_STORAGE__ATTEMPTS_MAX", "3"),
        ("TOLLWAY_STORAGE__RETRY_PAUSE_MS", "1"),
        ("TOLLWAY_STORAGE__REQUEST_TIMEOUT_MS", "500"),
        ("TOLLWAY_STORAGE__PART_BYTES", "5_242_880"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let storage = Config::load(None, settings).expect("good settings").storage;
    let bucket = storage.bucket.clone().expect("a bucket");
    BucketStore::open(&bucket, &storage, &std::env::temp_dir(), &TestClock).expect("a store")
}

fn store(server: &Server) -> BucketStore {
    store_at(&server.endpoint(), "s3://bucket/some/where")
}

/// The n-th request whose text begins so meets this weather; all others are fine.
fn nth(server: &Server, begins: &'static str, n: usize, weather: Weather) {
    let mut seen = 0;
    server.plan(move |request| {
        seen += usize::from(request.starts_with(begins));
        if request.starts_with(begins) && seen == n { weather } else { Weather::Fine }
    });
}

#[test]
fn a_bucket_keeps_the_contract() {
    static STORES: AtomicUsize = AtomicUsize::new(0);
    let server = Server::start();
    blob_contract::run(&mut || {
        let number = STORES.fetch_add(1, Ordering::Relaxed);
        Box::new(store_at(&server.endpoint(), &format!("s3://bucket/contract/{number}")))
    });
    blob_contract::run(&mut || Box::new(store_at(&Server::start().endpoint(), "s3://bucket")));
}

#[test]
fn a_put_whose_answer_is_lost_is_ours() {
    for lost in [Weather::DoneThenCut, Weather::DoneThenSilent, Weather::DoneBut(503), Weather::DoneBut(500)] {
        let server = Server::start();
        let store = store(&server);
        nth(&server, "PUT", 1, lost);
        store.put_if_absent("a/x", b"one").unwrap_or_else(|e| panic!("{lost:?} gave {e:?}"));
        assert_eq!(store.get("a/x").expect("it is there"), b"one");
        let taken = store.put_if_absent("a/x", b"one");
        assert!(matches!(taken, Err(BlobError::AlreadyExists(_))), "a second publication is another: {taken:?}");
    }
}

#[test]
fn the_same_bytes_of_another_are_not_ours() {
    for status in [503, 409] {
        let server = Server::start();
        let store = store(&server);
        nth(&server, "PUT", 1, Weather::AnotherFirst(status));
        let taken = store.put_if_absent("a/x", b"one");
        assert!(matches!(taken, Err(BlobError::AlreadyExists(_))), "{status} gave {taken:?}");
    }
}

#[test]
fn a_put_that_was_not_carried_out_is_offered_again() {
    for status in [503, 429, 500, 409] {
        let server = Server::start();
        let store = store(&server);
        nth(&server, "PUT", 1, Weather::Refused(status));
        store.put_if_absent("a/x", b"one").unwrap_or_else(|e| panic!("{status} gave {e:?}"));
        assert_eq!(server.requests(), ["PUT some/where/a/x", "HEAD some/where/a/x", "PUT some/where/a/x"]);
    }
}

#[test]
fn without_any_answer_the_outcome_is_unknown_and_attempts_are_bounded() {
    let server = Server::start();
    let store = store(&server);
    server.plan(|_| Weather::Refused(503));
    let unknown = store.put_if_absent("a/x", b"one");
    assert!(matches!(&unknown, Err(BlobError::Ambiguous(path)) if path == "a/x"), "{unknown:?}");
    assert_eq!(server.requests().iter().filter(|r| r.starts_with("PUT")).count(), 3);
    let failed = store.get("a/x").expect_err("no answer");
    assert_eq!(failed.disposition(), domain::ports::Disposition::Retry);
    server.clear();
    assert!(matches!(store.get("a/x"), Err(BlobError::NotFound(_))), "it recovers by itself");
}

#[test]
fn a_refusal_after_a_lost_answer_leaves_the_outcome_unknown() {
    let server = Server::start();
    let store = store(&server);
    let mut puts = 0;
    server.plan(move |request| {
        puts += usize::from(request.starts_with("PUT"));
        match (request.starts_with("PUT"), puts) {
            (true, 1) => Weather::Refused(503),
            (true, _) => Weather::Refused(403),
            _ => Weather::Refused(503),
        }
    });
    assert!(matches!(store.put_if_absent("a/x", b"one"), Err(BlobError::Ambiguous(_))));
}

#[test]
fn a_server_that_is_not_there_has_done_nothing() {
    let address = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).expect("a free port");
    let store = store_at(&format!("http://{address}"), "s3://bucket");
    let failed = store.put_if_absent("a/x", b"one").expect_err("nobody listens");
    let text = format!("{failed}: {}", std::error::Error::source(&failed).expect("a cause"));
    assert!(matches!(failed, BlobError::Io { .. }) && text.contains("s3://bucket cannot be reached"), "{text}");
}

#[test]
fn refusals_name_their_cause_and_no_secret() {
    let server = Server::start();
    let store = store(&server);
    server.plan(|_| Weather::Refused(403));
    let failed = store.put_if_absent("a/x", b"one").expect_err("refused");
    let text = format!("{failed}: {} {failed:?} {store:?}", std::error::Error::source(&failed).expect("a cause"));
    assert!(text.contains("s3://bucket/some/where answered 403 AccessDenied: check the key"), "{text}");
    assert!(!text.contains("nobody-may-read-this"), "{text}");
    assert_eq!(server.requests().len(), 1, "what is refused is not tried again");
}

#[test]
fn reads_are_repeated_until_they_are_whole() {
    let server = Server::start();
    let store = store(&server);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    store.put_if_absent("a/x", &bytes).expect("published");
    for weather in [Weather::Refused(503), Weather::HalfAnswer, Weather::DoneThenCut, Weather::DoneThenSilent] {
        nth(&server, "GET", 1, weather);
        assert!(store.get("a/x").expect("its bytes") == bytes, "{weather:?}");
        nth(&server, "GET", 1, weather);
        assert_eq!(store.get_range("a/x", 70_000..70_010).expect("a part"), bytes[70_000..70_010], "{weather:?}");
        nth(&server, "GET", 1, weather);
        assert_eq!(store.list("a/").expect("a listing").len(), 1, "{weather:?}");
        nth(&server, "HEAD", 1, weather);
        assert_eq!(store.size("a/x").expect("its size"), 100_000, "{weather:?}");
    }
}

#[test]
fn a_large_object_is_sent_in_parts_and_takes_its_name_once() {
    let server = Server::start();
    let store = store(&server);
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    nth(&server, "PUT some/where/.staging/", 2, Weather::DoneThenCut);
    store.put_if_absent("a/large", &bytes).expect("published");
    assert!(store.get("a/large").expect("its bytes") == bytes);
    assert!(matches!(store.put_if_absent("a/large", &bytes), Err(BlobError::AlreadyExists(_))));
    assert_eq!(server.keys(), ["some/where/a/large"], "nothing is left in staging");
}

/// The bucket copies gigabytes in one request: it takes longer than any other.
#[test]
fn the_copy_of_a_large_object_has_the_time_of_all_its_parts() {
    let server = Server::start();
    let store = store(&server);
    let bytes = vec![7; 16 << 20];
    // 500 ms for each of four parts.
    nth(&server, "PUT some/where/a/large", 1, Weather::Slow(1_000));
    store.put_if_absent("a/large", &bytes).expect("published");
    assert_eq!(store.size("a/large").expect("it was copied"), bytes.len() as u64);
    let copies = server.requests().iter().filter(|request| request.starts_with("PUT some/where/a/large")).count();
    assert_eq!(copies, 1, "it was waited for: {:?}", server.requests());
}

#[test]
fn a_bucket_without_a_key_names_the_settings_and_the_variables() {
    let settings = [
        ("TOLLWAY_STORAGE__URL", "s3://bucket"),
        ("TOLLWAY_STORAGE__ENDPOINT", "http://127.0.0.1:1"),
        ("TOLLWAY_STORAGE__ATTEMPTS_MAX", "1"),
        ("TOLLWAY_STORAGE__CONNECT_TIMEOUT_MS", "200"),
        ("TOLLWAY_STORAGE__REQUEST_TIMEOUT_MS", "400"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let storage = Config::load(None, settings).expect("good settings").storage;
    let bucket = storage.bucket.clone().expect("a bucket");
    let store = BucketStore::open(&bucket, &storage, &std::env::temp_dir(), &TestClock).expect("a store");
    let refused = store.get("a").expect_err("nobody answers");
    let said = format!("{refused:?}");
    for fact in ["`storage.access_key_id`", "`storage.secret_access_key`", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(said.contains(fact), "`{fact}` in: {said}");
    }
}

#[test]
fn a_large_object_whose_copy_got_no_answer_has_to_be_compared() {
    let server = Server::start();
    let store = store(&server);
    let bytes = vec![7; 6 << 20];
    nth(&server, "POST some/where/a/large uploadId", 1, Weather::DoneThenCut);
    assert!(matches!(store.put_if_absent("a/large", &bytes), Err(BlobError::Ambiguous(_))));
    assert_eq!(store.size("a/large").expect("it was copied"), bytes.len() as u64);
}

#[test]
fn what_crashes_left_in_staging_goes_with_the_next_large_object() {
    let server = Server::start();
    let store = store(&server);
    let left = store.shared.key(".staging/left").expect("a key");
    let put = {
        let shared = Arc::clone(&store.shared);
        async move { shared.clients.store.put(&left, "half".into()).await.map_err(|e| io_error("left", io::Error::other(e))) }
    };
    store.shared.requests.wait(put).expect("left behind");
    assert_eq!(store.list("").expect("a listing"), []);
    store.put_if_absent("a/large", &vec![7; 6 << 20]).expect("published");
    assert_eq!(server.keys(), ["some/where/a/large"]);
}

#[test]
fn a_server_that_ignores_conditions_is_refused() {
    let server = Server::start();
    assert!(store(&server).claim("mine.json", b"me").expect("free"));
    assert!(!store(&server).claim("mine.json", b"you").expect("taken"));
    assert_eq!(store(&server).get("mine.json").expect("the first"), b"me");
    let careless = Server::start();
    careless.be_careless();
    let refused = store(&careless).claim("mine.json", b"me").expect_err("it replaces objects");
    let cause = std::error::Error::source(&refused).expect("a cause").to_string();
    assert!(cause.contains("ignores conditional puts"), "{cause}");
}

#[test]
fn a_bucket_that_is_not_there_is_no_empty_store() {
    let store = store_at(&Server::start().endpoint(), "s3://absent/x");
    let outcomes = [
        ("get", store.get("a/x").map(drop)),
        ("list", store.list("a/").map(drop)),
        ("put", store.put_if_absent("a/x", b"one")),
        ("large put", store.put_if_absent("a/x", &vec![7; 6 << 20])),
    ];
    for (what, outcome) in outcomes {
        let failed = outcome.expect_err("there is no bucket");
        let text = std::error::Error::source(&failed).expect("a cause").to_string();
        assert!(text.contains("s3://absent/x is not there: make the bucket"), "{what}: {text}");
    }
}

#[test]
fn callers_may_belong_to_a_runtime() {
    let server = Server::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store = store(&server);
        store.put_if_absent("a/x", b"one").expect("published");
        assert_eq!(store.get("a/x").expect("its bytes"), b"one");
        drop(store);
    });
}
