//! A broker that cannot be reached: what a writer and a reader say, how long they take, and that they go on afterwards.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use domain::ports::Disposition;
use ingest::log::kafka::{KafkaLog, KafkaSettings};
use ingest::log::{LogError, LogEvent, LogReader, LogWriter};

use crate::support::{POLLS_MAX, TOPIC, WAIT_MS, at, first_error, fresh, settings, sole_reader, variable};

/// A proxy before the broker that can be cut: connections end, and new ones get no answer.
struct Proxy {
    is_cut: Arc<AtomicBool>,
    through: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn start() -> Self {
        let to = variable("TOLLWAY_KAFKA_BEHIND_PROXY");
        let listener = TcpListener::bind(variable("TOLLWAY_KAFKA_PROXY")).expect("the proxy's port is free");
        let is_cut = Arc::new(AtomicBool::new(false));
        let through: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (cut, streams) = (Arc::clone(&is_cut), Arc::clone(&through));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(broker) = TcpStream::connect(&to) else { continue };
                let twin = |stream: &TcpStream| stream.try_clone().expect("a handle");
                streams.lock().expect("no panic").extend([twin(&client), twin(&broker)]);
                for (from, into) in [(twin(&client), twin(&broker)), (broker, client)] {
                    thread::spawn(move || pass_on(from, into));
                }
            }
        });
        Self { is_cut, through }
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        for stream in self.through.lock().expect("no panic").drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut into: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if into.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // The other side may have gone first.
    let _ = into.shutdown(Shutdown::Both);
}

#[expect(clippy::disallowed_methods, reason = "the test is about how long a call takes")]
fn timed<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    (call(), began.elapsed())
}

fn assert_retry(what: &str, error: &LogError, took: Duration) {
    assert_eq!(error.disposition(), Disposition::Retry, "{what}: {error:?}");
    assert!(took < Duration::from_secs(15), "{what} took {took:?}");
}

#[test]
fn a_broker_that_goes_away_is_a_retry_in_bounded_time_and_nothing_is_lost_when_it_comes_back() {
    let proxy = Proxy::start();
    let mut settings = settings();
    fresh(&settings);
    settings.brokers = variable("TOLLWAY_KAFKA_PROXY");
    settings.request_wait_ms = 2_000;
    settings.append_wait_ms = 3_000;
    settings.properties.insert("reconnect.backoff.max.ms".to_owned(), "500".to_owned());
    let log = KafkaLog::open(settings.clone()).expect("through the proxy");
    let mut writer = log.writer();
    let (partition, first) = writer.append(TOPIC, b"k", &[], b"before").expect("an append");
    let mut reader = sole_reader(&log);
    reader.start_at(at(partition), first).expect("its offset");

    proxy.cut();
    let (append, took) = timed(|| writer.append(TOPIC, b"k", &[], b"during").expect_err("nobody answers"));
    assert_retry("an append", &append, took);
    assert!(matches!(append, LogError::Unacknowledged(p) if p == at(partition)), "{append:?}");
    let (poll, took) = timed(|| first_error(&mut reader));
    assert_retry("a poll", &poll, took);
    let (asked, took) = timed(|| reader.watermarks(at(partition)).expect_err("nobody answers"));
    assert_retry("watermarks", &asked, took);
    let (life, took) = timed(|| log.incarnation(TOPIC).expect_err("nobody answers"));
    assert_retry("an incarnation", &life, took);
    let (opened, took) = timed(|| KafkaLog::open(settings).expect_err("nobody answers"));
    assert_retry("opening", &opened, took);

    proxy.mend();
    let again = (0..POLLS_MAX).find_map(|_| writer.append(TOPIC, b"k", &[], b"after").ok()).expect("it goes on");
    assert_eq!(again.0, partition);
    let mut texts = Vec::new();
    for _ in 0..POLLS_MAX {
        match reader.poll(WAIT_MS, 10) {
            Ok(LogEvent::Records(_, records)) => texts.extend(records.into_iter().map(|r| r.payload)),
            // The group may have taken it away while nobody could be heard: it starts again where it stood.
            Ok(LogEvent::Assigned(partitions)) if partitions.contains(&at(partition)) => {
                let read = first + texts.len() as u64;
                reader.start_at(at(partition), read).expect("where it stood");
            }
            Ok(_) => {}
            Err(error) => assert_eq!(error.disposition(), Disposition::Retry, "{error:?}"),
        }
        if texts.last().is_some_and(|text| text == b"after") {
            break;
        }
    }
    texts.dedup();
    // The append that was not acknowledged may have happened or not; all others did, once and in order.
    texts.retain(|text| text != b"during");
    assert_eq!(texts, [b"before".to_vec(), b"after".to_vec()]);
}

#[test]
fn a_broker_that_was_never_there_is_a_retry_in_bounded_time() {
    let mut settings = KafkaSettings::new("127.0.0.1:1");
    settings.request_wait_ms = 500;
    let (error, took) = timed(|| KafkaLog::open(settings).expect_err("nobody is there"));
    assert_retry("opening", &error, took);
    assert!(error.to_string().contains("127.0.0.1:1"), "{error}");
}
