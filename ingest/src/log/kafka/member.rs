//! A member of a group on one topic: what the group gives it and takes away, and where the client library stands in that.
//!
//! The client library fetches a partition only once its user has started it, from the offset that the user named. A failure says
//! what was being done; what an operator can do about it is for the user of the member to say.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionListElem};
use rdkafka::{ClientConfig, TopicPartitionList};

use super::error::{Failure, code_of, is_passing};
use super::group::{Change, Membership};
use super::{native, watermarks};
use crate::log::Watermarks;

/// One wait for the client library, so that a change of the group is never seen later than this.
pub(super) const SLICE: Duration = Duration::from_millis(500);

const READ: &str = "read the topic";
const MOVE: &str = "move in a partition";
const TAKE: &str = "take partitions";
const GIVE_UP: &str = "give up partitions";

/// A member of a group. Dropping it leaves the group.
pub(super) struct Member {
    consumer: BaseConsumer<Membership>,
    /// Its name on the broker.
    topic: String,
    /// How long one question to a broker may take.
    request_wait: Duration,
    /// Partitions that the client fetches.
    fetched: BTreeSet<u32>,
    /// Whether the first assignment, perhaps of nothing, was told.
    is_told: bool,
    /// A revocation that was told and not answered yet: the partitions of it that the client fetches.
    revoked: Option<Vec<u32>>,
    /// The client lost its brokers: whether they are back is found out before silence means that there is nothing.
    is_cut_off: bool,
}

/// What one look at the client library brought.
pub(super) enum Word<T> {
    /// Nothing in the time that it had.
    Silence,
    /// A message, as its user took it.
    Message(T),
    /// All of this partition has been seen.
    End(u32),
    /// The broker refused a position: it holds no such offset.
    Refused,
    /// Something that passes by itself, or of which the group will tell.
    Passing,
}

/// A partition that was to move, and whether it has.
pub(super) type Moved = (u32, Result<(), KafkaError>);

impl Member {
    /// Joins the group of these settings, to read a topic that exists.
    pub(super) fn join(client: &ClientConfig, topic: &str, request_wait: Duration) -> Result<Self, Failure> {
        let failed = Failure::of("join a group");
        let consumer = BaseConsumer::from_config_and_context(client, Membership::default()).map_err(failed)?;
        consumer.subscribe(&[topic]).map_err(failed)?;
        let (topic, fetched) = (topic.to_owned(), BTreeSet::new());
        Ok(Self { consumer, topic, request_wait, fetched, is_told: false, revoked: None, is_cut_off: false })
    }

    /// A list for the client library; partitions that it could not name are left out.
    fn list(&self, partitions: impl IntoIterator<Item = (u32, Option<u64>)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            let Ok(number) = i32::try_from(partition) else { continue };
            let offset = offset.and_then(|offset| i64::try_from(offset).ok()).map_or(Offset::Invalid, Offset::Offset);
            // Only a logical offset can be refused here, and these are numbers or absent.
            let _ = list.add_partition_offset(&self.topic, number, offset);
        }
        list
    }

    /// Of these, the partitions that the client fetches; from now on they count as given up.
    fn give_up(&mut self, partitions: &[u32]) -> Vec<u32> {
        partitions.iter().copied().filter(|partition| self.fetched.remove(partition)).collect()
    }

    fn answer_assignment(&self) -> Result<(), KafkaError> {
        self.consumer.incremental_assign(&TopicPartitionList::new())
    }

    fn answer_revocation(&self, fetched: Vec<u32>) -> Result<(), KafkaError> {
        self.consumer.incremental_unassign(&self.list(fetched.into_iter().map(|partition| (partition, None))))
    }

    /// Gives up what was told as revoked; the group waits for this.
    pub(super) fn let_go(&mut self) -> Result<(), Failure> {
        let Some(revoked) = self.revoked.take() else { return Ok(()) };
        self.answer_revocation(revoked).map_err(Failure::of(GIVE_UP))
    }

    /// The next change of the group that the user must know of. An assignment is answered at once, a revocation by
    /// [`let_go`](Self::let_go).
    pub(super) fn change(&mut self) -> Result<Option<Change>, Failure> {
        while let Some(change) = self.consumer.context().next() {
            match &change {
                Change::Assigned(partitions) => {
                    self.answer_assignment().map_err(Failure::of(TAKE))?;
                    if partitions.is_empty() && self.is_told {
                        continue;
                    }
                    self.is_told = true;
                }
                Change::Revoked(partitions) => {
                    self.revoked = Some(self.give_up(partitions));
                    if partitions.is_empty() {
                        self.let_go()?;
                        continue;
                    }
                }
            }
            return Ok(Some(change));
        }
        Ok(None)
    }

    /// Whether the group has said something that [`change`](Self::change) would tell.
    pub(super) fn has_changes(&self) -> bool {
        self.consumer.context().has_changes()
    }

    /// Whether the client fetches a partition.
    pub(super) fn fetches(&self, partition: u32) -> bool {
        self.fetched.contains(&partition)
    }

    /// Lets the client fetch partitions of ours that it does not fetch yet, each from an offset.
    pub(super) fn fetch(&mut self, places: &[(u32, u64)]) -> Result<(), Failure> {
        let list = self.list(places.iter().map(|(partition, offset)| (*partition, Some(*offset))));
        self.consumer.incremental_assign(&list).map_err(Failure::of("start partitions"))?;
        self.fetched.extend(places.iter().map(|(partition, _)| *partition));
        Ok(())
    }

    /// Sends the client to other offsets of partitions that it fetches. A partition with an error is on its way into the client
    /// and has not moved: it is to be tried again.
    pub(super) fn seek(&self, places: &[(u32, u64)]) -> Result<Vec<Moved>, Failure> {
        let failed = Failure::of(MOVE);
        let list = self.list(places.iter().map(|(partition, offset)| (*partition, Some(*offset))));
        let moved = self.consumer.seek_partitions(list, self.request_wait).map_err(failed)?;
        let mut told = Vec::new();
        for element in moved.elements() {
            let Ok(partition) = u32::try_from(element.partition()) else { continue };
            told.push(match element.error() {
                Err(error) if !is_under_way(&error) => return Err(failed(error)),
                outcome => (partition, outcome),
            });
        }
        Ok(told)
    }

    /// Stops fetching a partition until it is resumed.
    pub(super) fn pause(&self, partition: u32) -> Result<(), Failure> {
        self.consumer.pause(&self.list([(partition, None)])).map_err(Failure::of("pause a partition"))
    }

    /// Fetches a partition again.
    pub(super) fn resume(&self, partition: u32) -> Result<(), Failure> {
        self.consumer.resume(&self.list([(partition, None)])).map_err(Failure::of("resume a partition"))
    }

    /// Waits for the client's next word; the user takes what it needs of a message.
    pub(super) fn poll<T>(&mut self, wait: Duration, take: impl FnOnce(&BorrowedMessage<'_>) -> T) -> Result<Word<T>, Failure> {
        let word = match self.consumer.poll(wait) {
            None => return Ok(Word::Silence),
            Some(Ok(message)) => Ok(take(&message)),
            Some(Err(error)) => Err(error),
        };
        match word {
            Ok(taken) => {
                self.is_cut_off = false;
                Ok(Word::Message(taken))
            }
            Err(error) => self.heed(error),
        }
    }

    /// Sorts what the client library reports beside messages.
    fn heed<T>(&mut self, error: KafkaError) -> Result<Word<T>, Failure> {
        if let KafkaError::PartitionEOF(partition) = error {
            self.is_cut_off = false;
            return Ok(Word::End(u32::try_from(partition).unwrap_or_default()));
        }
        match code_of(&error) {
            // The group takes the partitions away and says so.
            Some(Code::PollExceeded) => Ok(Word::Passing),
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation) => Ok(Word::Refused),
            Some(code) if is_passing(code) => {
                self.is_cut_off = true;
                Ok(Word::Passing)
            }
            _ => Err(Failure { doing: READ, source: error }),
        }
    }

    /// Nothing came while its user waited for so long. If the brokers were out of reach, that means something only once one of
    /// them answers again.
    pub(super) fn confirm_silence(&mut self, waited: Duration) -> Result<(), Failure> {
        if self.is_cut_off {
            let wait = waited.max(Duration::from_millis(100)).min(self.request_wait);
            self.consumer.fetch_metadata(Some(&self.topic), wait).map_err(Failure::of(READ))?;
            self.is_cut_off = false;
        }
        Ok(())
    }

    /// From where to where the broker holds a partition.
    pub(super) fn watermarks(&self, partition: u32) -> Result<Watermarks, Failure> {
        watermarks(self.consumer.client(), &self.topic, partition, self.request_wait)
    }

    /// The upper watermark that the last answer to a fetch of the partition named; asks nobody. A question to a broker waits until
    /// the fetch before it on the same connection is answered.
    pub(super) fn heard_high(&self, partition: u32) -> Option<u64> {
        native::heard_high(self.consumer.client(), &self.topic, i32::try_from(partition).ok()?)
    }

    /// Notes for the group how far a partition was read. Sent and not waited for: a note that is lost costs nothing but an old
    /// lag figure, and work done again where it is begun from the note.
    pub(super) fn note_progress(&self, partition: u32, next_offset: u64) -> Result<(), Failure> {
        let list = self.list([(partition, Some(next_offset))]);
        self.consumer.commit(&list, CommitMode::Async).map_err(Failure::of("note progress"))
    }

    /// How far a partition was read by the group's note, if there is one.
    pub(super) fn noted_progress(&self, partition: u32) -> Result<Option<u64>, Failure> {
        let list = self.list([(partition, None)]);
        let noted =
            self.consumer.committed_offsets(list, self.request_wait).map_err(Failure::of("ask for the noted progress"))?;
        Ok(match noted.elements().first().map(TopicPartitionListElem::offset) {
            Some(Offset::Offset(offset)) => u64::try_from(offset).ok(),
            _ => None,
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // The client waits for answers to what it has asked; after that it answers itself. What fails is ended by the group.
        let _ = self.let_go();
        self.consumer.context().leave();
        while let Some(change) = self.consumer.context().next() {
            let _ = match change {
                Change::Assigned(_) => self.answer_assignment(),
                Change::Revoked(partitions) => {
                    let fetched = self.give_up(&partitions);
                    self.answer_revocation(fetched)
                }
            };
        }
    }
}

/// Whether a partition cannot be moved because it is on its way into the client.
fn is_under_way(error: &KafkaError) -> bool {
    matches!(code_of(error), Some(Code::State | Code::PreviousInProgress | Code::InProgress | Code::OperationTimedOut))
}
