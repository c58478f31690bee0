//! Why a request failed, as far as it matters: whether it may have been carried out, and whether trying again can help.
//!
//! The library's error has the status of an answer only in its text, behind a type that it does not show; the tests hold that
//! text against a server that gives each status.

use std::error::Error as StdError;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// No object of that name.
    NotFound,
    /// The condition was not met: an object of that name is there.
    Exists,
    /// Another request on that name was under way; this one was not carried out.
    Conflict,
    /// The bucket refuses the request, and will again.
    Refused(String),
    /// The request was not sent.
    Unreached(String),
    /// The request may have been carried out.
    Unclear(String),
}

/// How each status is introduced in the library's texts.
const STATUS: &str = "status code: ";

/// What providers call a bucket that is not there: its objects are not absent, all of it is.
const NO_BUCKET: [&str; 2] = ["<Code>NoSuchBucket</Code>", "<Code>ContainerNotFound</Code>"];

/// What Azure calls a name that is taken, with the status that others give to a request that stood in another's way.
const TAKEN: &str = "<Code>BlobAlreadyExists</Code>";

impl Fault {
    /// What an error of the library means.
    pub fn of(error: &Error) -> Self {
        let text = texts(error);
        if NO_BUCKET.iter().any(|words| text.contains(words)) {
            return Self::Refused("is not there: make the bucket, or mend `storage.url`".to_owned());
        }
        match (error, status_in(&text)) {
            (Error::NotFound { .. }, _) => Self::NotFound,
            (Error::AlreadyExists { .. }, Some(409)) if !text.contains(TAKEN) => Self::Conflict,
            (Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }, _) => Self::Exists,
            (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, status) => {
                let answer = answered(status.unwrap_or(403), &text);
                Self::Refused(format!("{answer}: check the key and what its owner may do"))
            }
            (Error::NotSupported { .. } | Error::NotImplemented { .. } | Error::InvalidPath { .. }, _) => Self::Refused(text),
            (_, Some(status)) => Self::answered(status, &text),
            (other, None) => Self::unanswered(other, text),
        }
    }

    fn answered(status: u16, text: &str) -> Self {
        match status {
            // Servers and what stands before them answer these without saying whether the request got through.
            408 | 429 | 500 | 502..=599 => Self::Unclear(answered(status, text)),
            _ => Self::Refused(answered(status, text)),
        }
    }

    fn unanswered(error: &Error, text: String) -> Self {
        let http = chain(error).find_map(|cause| cause.downcast_ref::<HttpError>());
        let innermost = chain(error).last().map_or(text, ToString::to_string);
        match http.map(HttpError::kind) {
            // The library calls a connection that broke after the request was sent a `Request` that was not sent.
            Some(HttpErrorKind::Connect) => Self::Unreached(format!("cannot be reached: {innermost}")),
            Some(HttpErrorKind::Timeout) => Self::Unclear("did not answer in time".to_owned()),
            _ => Self::Unclear(format!("gave no answer: {innermost}")),
        }
    }

    /// Whether the same request may succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Conflict | Self::Unreached(_) | Self::Unclear(_))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("has no such object"),
            Self::Exists => f.write_str("has such an object"),
            Self::Conflict => f.write_str("is at work on that object for another"),
            Self::Refused(what) | Self::Unreached(what) | Self::Unclear(what) => f.write_str(what),
        }
    }
}

fn chain(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn texts(error: &Error) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once(STATUS)?;
    rest.get(..3)?.parse().ok()
}

/// The status with the provider's word for it, which stands in the XML of the answer.
fn answered(status: u16, text: &str) -> String {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let code = code.filter(|code| code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric()));
    code.map_or_else(|| format!("answered {status}"), |code| format!("answered {status} {code}"))
}
