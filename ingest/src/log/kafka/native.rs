//! The few calls of the C library that its Rust wrapper lacks: what a topic's id is, and headers with names of any bytes.

#![expect(unsafe_code, reason = "the wrapper exposes no topic ids, and panics on a header whose name is not UTF-8")]

use std::ffi::{CStr, CString, c_char};
use std::{ptr, slice};

use rdkafka::bindings as rd;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;

/// What a broker knows of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicDescription {
    /// In the form of Kafka's own tools; `None` when the broker gives none.
    pub(super) id: Option<String>,
    /// Replicas of each partition.
    pub(super) replicas: Vec<usize>,
}

/// An object of the C library that is freed at the end of its scope.
struct Owned<T> {
    at: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(at: *mut T, free: unsafe extern "C" fn(*mut T)) -> Result<Self, KafkaError> {
        if at.is_null() {
            return Err(KafkaError::AdminOpCreation("the client library gave no memory".to_owned()));
        }
        Ok(Self { at, free })
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `at` is not null, came from the library's constructor and is freed here only.
        unsafe { (self.free)(self.at) }
    }
}

/// Asks a broker for a topic. Never makes the topic.
pub(super) fn describe_topic<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    wait_ms: i32,
) -> Result<TopicDescription, KafkaError> {
    let client = client.native_ptr();
    let name = CString::new(topic)?;
    let mut names: [*const c_char; 1] = [name.as_ptr()];
    // SAFETY: the client is live while it is borrowed; each object is checked for null and outlives its use; the
    // library copies the names and does not keep the options or the collection after the call.
    unsafe {
        let queue = Owned::new(rd::rd_kafka_queue_new(client), rd::rd_kafka_queue_destroy)?;
        let topics = rd::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let topics = Owned::new(topics, rd::rd_kafka_TopicCollection_destroy)?;
        let options = rd::rd_kafka_AdminOptions_new(client, rd::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        let options = Owned::new(options, rd::rd_kafka_AdminOptions_destroy)?;
        let refused = rd::rd_kafka_AdminOptions_set_request_timeout(options.at, wait_ms, ptr::null_mut(), 0);
        failed(refused)?;
        rd::rd_kafka_DescribeTopics(client, topics.at, options.at, queue.at);
        let event = rd::rd_kafka_queue_poll(queue.at, wait_ms.saturating_add(1_000));
        if event.is_null() {
            return Err(KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut));
        }
        let event = Owned::new(event, rd::rd_kafka_event_destroy)?;
        failed(rd::rd_kafka_event_error(event.at))?;
        described(event.at)
    }
}

/// The upper watermark of a partition as a consumer's client last heard of it, without a question to the broker.
pub(super) fn heard_high<C: ClientContext>(client: &Client<C>, topic: &str, partition: i32) -> Option<u64> {
    let name = CString::new(topic).ok()?;
    let (mut low, mut high) = (0, 0);
    // SAFETY: the client is live while it is borrowed; the name ends with a zero; both numbers outlive the call.
    let code =
        unsafe { rd::rd_kafka_get_watermark_offsets(client.native_ptr(), name.as_ptr(), partition, &raw mut low, &raw mut high) };
    failed(code).ok()?;
    // What is not known yet is a negative number.
    u64::try_from(high).ok()
}

/// # Safety
///
/// `event` is a live event.
unsafe fn described(event: *mut rd::rd_kafka_event_t) -> Result<TopicDescription, KafkaError> {
    let missing = KafkaError::AdminOp(RDKafkaErrorCode::BadMessage);
    // SAFETY: the event is live, what it holds lives as long; null and counts are checked before anything is read.
    unsafe {
        let result = rd::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err(missing);
        }
        let mut count = 0;
        let topics = rd::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count != 1 {
            return Err(missing);
        }
        let topic = *topics;
        failed(rd::rd_kafka_error_code(rd::rd_kafka_TopicDescription_error(topic)))?;
        let mut partition_count = 0;
        let partitions = rd::rd_kafka_TopicDescription_partitions(topic, &raw mut partition_count);
        let partitions = if partitions.is_null() { &[][..] } else { slice::from_raw_parts(partitions, partition_count) };
        let replicas = partitions.iter().map(|partition| {
            let mut replicas = 0;
            rd::rd_kafka_TopicPartitionInfo_replicas(*partition, &raw mut replicas);
            replicas
        });
        Ok(TopicDescription { id: topic_id(topic), replicas: replicas.collect() })
    }
}

/// # Safety
///
/// `topic` is a live description.
unsafe fn topic_id(topic: *const rd::rd_kafka_TopicDescription_t) -> Option<String> {
    // SAFETY: the description is live and owns the id; the text belongs to the id and ends with a zero.
    let text = unsafe {
        let id = rd::rd_kafka_TopicDescription_topic_id(topic);
        if id.is_null() {
            return None;
        }
        let is_zero = rd::rd_kafka_Uuid_most_significant_bits(id) == 0 && rd::rd_kafka_Uuid_least_significant_bits(id) == 0;
        let text = rd::rd_kafka_Uuid_base64str(id);
        if is_zero || text.is_null() {
            return None;
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    };
    // Kafka's tools print the alphabet for URLs, the library the common one.
    Some(text.trim_end_matches('=').replace('+', "-").replace('/', "_"))
}

fn failed(code: RDKafkaRespErr) -> Result<(), KafkaError> {
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(KafkaError::AdminOp(code.into())) }
}

/// The headers of a message, in order. A name that is not UTF-8 is shown with replacement signs; a null value is empty.
pub(super) fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut list = ptr::null_mut();
    // SAFETY: the message is live while borrowed and owns its headers; names end with a zero, values have their size, and
    // an index beyond the last header is answered with an error.
    unsafe {
        let code = rd::rd_kafka_message_headers(message.ptr(), &raw mut list);
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || list.is_null() {
            return found;
        }
        loop {
            let (mut name, mut value, mut bytes) = (ptr::null(), ptr::null(), 0);
            let code = rd::rd_kafka_header_get_all(list, found.len(), &raw mut name, &raw mut value, &raw mut bytes);
            if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
                return found;
            }
            let value = if value.is_null() { &[][..] } else { slice::from_raw_parts(value.cast::<u8>(), bytes) };
            found.push((CStr::from_ptr(name).to_string_lossy().into_owned(), value.to_vec()));
        }
    }
}
