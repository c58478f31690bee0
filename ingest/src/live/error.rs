//! What can go wrong with a live source, each with the offsets and what to do.

use domain::ports::Disposition;

use crate::log::LogError;

/// Why a live source cannot be listened to.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Its events cannot be read by this profile.
    #[error("profile `{profile}` cannot read events one by one: {what}")]
    Unfit {
        /// The profile's name.
        profile: String,
        /// What does not fit, and what to do.
        what: String,
    },
    /// There is no such topic.
    #[error(
        "topic `{topic}` does not exist on `{brokers}`, or this user may not see it; correct `listen.topic`, or have it made"
    )]
    NoTopic {
        /// The topic.
        topic: String,
        /// The brokers that were asked.
        brokers: String,
    },
    /// Events went before they had landed.
    #[error(
        "{count} events of `{topic}` partition {partition}, offsets {from} to {last}, were removed before they had landed; get \
        them from the source in another way, and go on with `--accept-loss`", last = to - 1, count = to - from
    )]
    Lost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The first that is missing.
        from: u64,
        /// The first that is there.
        to: u64,
    },
    /// The topic is another one than the one that was landed from.
    #[error(
        "topic `{topic}` was deleted and made anew: its id is `{is}`, events have landed from `{was}`; what that one held and had \
        not landed is gone. Go on with the new one with `--accept-loss`"
    )]
    Recreated {
        /// The topic.
        topic: String,
        /// Its id when events were landed last.
        was: String,
        /// Its id now.
        is: String,
    },
    /// The topic ends before what has landed.
    #[error(
        "`{topic}` partition {partition} ends at offset {high}, but all below {position} has landed: the topic lost its end; see \
        to the brokers' disks, its events may be written again under offsets that have landed"
    )]
    EndLost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The next offset that is to be landed.
        position: u64,
        /// The topic's next offset.
        high: u64,
    },
    /// The source refused an offset that it holds.
    #[error(
        "a partition of `{0}` refused an offset and then held it again: it lost its end and has grown since; check the brokers' \
        disks and `unclean.leader.election.enable`"
    )]
    Truncated(String),
    /// The brokers.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl LiveError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Log(error) => error.disposition(),
            _ => Disposition::Stop,
        }
    }
}
