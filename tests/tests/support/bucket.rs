//! Buckets on the S3 server of the tests.

use std::env;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use config::Config;
use domain::ports::{Blob, Clock};
use sinks::bucket::BucketStore;

use super::data_folder::DataFolder;

/// What tests sign with; the server takes anything.
const KEY: [&str; 2] = ["tollway-tests", "not-a-secret"];

/// Buckets of this process.
static MADE: AtomicU64 = AtomicU64::new(0);

struct Epoch;

impl Clock for Epoch {
    fn now_us(&self) -> i64 {
        0
    }
}

/// A bucket of one test; it ends with the server.
#[derive(Debug)]
pub struct TestBucket {
    name: String,
}

impl TestBucket {
    /// An empty bucket on the server at `TOLLWAY_S3`.
    pub fn new() -> Self {
        let drawn = RandomState::new().hash_one(MADE.load(Ordering::Relaxed));
        let name = format!("tollway-{drawn:016x}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let address = server();
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let request = format!("PUT /{name} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("a request can be sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        assert!(answer.starts_with("HTTP/1.1 200"), "no bucket was made: {answer}");
        Self { name }
    }

    /// A data folder whose landing and tables lie below a prefix of this bucket, at this address.
    pub fn data(&self, prefix: &str, address: SocketAddr) -> DataFolder {
        DataFolder::new()
            .with("TOLLWAY_STORAGE__URL", format!("s3://{}/{prefix}", self.name))
            .with("TOLLWAY_STORAGE__ENDPOINT", format!("http://{address}"))
            .with("TOLLWAY_STORAGE__REGION", "eu-west-1")
            .with("TOLLWAY_STORAGE__ACCESS_KEY_ID", KEY[0])
            .with("TOLLWAY_STORAGE__SECRET_ACCESS_KEY", KEY[1])
            .with("TOLLWAY_STORAGE__RETRY_PAUSE_MS", 20)
    }

    /// What lies below a prefix.
    pub fn store(&self, prefix: &str) -> BucketStore {
        let settings = [
            ("TOLLWAY_STORAGE__URL", format!("s3://{}/{prefix}", self.name)),
            ("TOLLWAY_STORAGE__ENDPOINT", format!("http://{}", server())),
            ("TOLLWAY_STORAGE__REGION", "eu-west-1".to_owned()),
            ("TOLLWAY_STORAGE__ACCESS_KEY_ID", KEY[0].to_owned()),
            ("TOLLWAY_STORAGE__SECRET_ACCESS_KEY", KEY[1].to_owned()),
            ("TOLLWAY_STORAGE__PART_BYTES", "5_242_880".to_owned()),
        ];
        let storage = Config::load(None, settings.map(|(name, value)| (name.to_owned(), value))).expect("good settings").storage;
        let bucket = storage.bucket.clone().expect("a bucket");
        BucketStore::open(&bucket, &storage, &env::temp_dir(), &Epoch).expect("a store")
    }

    /// Copies everything below a prefix into the store of a data folder, for readers of local files.
    pub fn copy_to(&self, prefix: &str, data: &Path) {
        let store = self.store(prefix);
        for entry in store.list("").expect("a listing") {
            let target = data.join("store").join(&entry.path);
            fs::create_dir_all(target.parent().expect("objects lie in folders")).expect("a folder can be made");
            fs::write(target, store.get(&entry.path).expect("what is listed is there")).expect("a file can be written");
        }
    }
}

/// Where the server listens.
pub fn server() -> SocketAddr {
    let named = env::var("TOLLWAY_S3").expect("TOLLWAY_S3 names no S3 server: run `cargo xtask test`, which starts one");
    named.trim_start_matches("http://").trim_end_matches('/').parse().expect("TOLLWAY_S3 is http:// with an address and a port")
}
