//! The words that a profile may use for a choice, each with its meaning.

use domain::columns::parsed::Partial;
use domain::delivery::{DeliveryMode, KeyMode};
use domain::usage::{Direction, UsageKind};
use schemars::JsonSchema;
use serde::Deserialize;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
        pub(in crate::profile) enum $name { $($(#[$each])* #[serde(rename = $word)] $variant,)+ }
    )*};
}

words! {
    /// How records and their fields are found.
    RawReader {
        /// A record is a line, its fields stand between separators.
        Delimited = "delimited",
        /// A record is a line, its fields stand at fixed places: section `columns`.
        FixedWidth = "fixed-width",
        /// JSON objects: section `json`; a column is a path of names, `call.start`.
        Json = "json",
        /// XML elements: section `xml`; a column is a path from the record element, `Times/Start`, `Party/@number`.
        Xml = "xml",
        /// GSMA TAP3: section `tap3`. What an event means is known, so no other section says it.
        Tap3 = "tap3",
    }
    /// Which side of a column of fixed width the value stands on.
    RawAlign {
        /// The left one.
        Left = "left",
        /// The right one.
        Right = "right",
        /// Either.
        Either = "either",
    }
    /// Which part of its session a record is.
    RawPart {
        /// A part after which others come.
        Part = "partial",
        /// The last part.
        Last = "last",
    }
    /// Where the records of a JSON file are.
    RawJsonRecords {
        /// Each line is one.
        Lines = "lines",
        /// The objects of an array are.
        Array = "array",
    }
    /// What a row is that ends before its last column.
    RawShortRows {
        /// Malformed.
        Malformed = "malformed",
        /// A row whose blanks at the end were cut off.
        Pad = "pad",
    }
    /// How characters are written.
    RawEncoding {
        /// UTF-8.
        Utf8 = "utf-8",
        /// ISO 8859-1: one byte per character.
        Latin1 = "latin-1",
        /// Windows-1252: ISO 8859-1 with the euro sign and more letters.
        Windows1252 = "windows-1252",
        /// UTF-16 in the byte order that its mark tells.
        Utf16 = "utf-16",
    }
    /// Whether a byte order mark opens the file.
    RawBom {
        /// It may be there.
        Optional = "optional",
        /// A file without it is refused.
        Required = "required",
        /// A file with it is refused.
        Absent = "absent",
    }
    /// Whether a line names the columns.
    RawHeader {
        /// The first line (after `skip_lines`) names them, in any order.
        Names = "names",
        /// The first line (after `skip_lines`) is a row.
        None = "none",
    }
    /// Where the number of a file stands.
    RawNumberPlace {
        /// In its name.
        Name = "name",
        /// In a line before the rows; in the batch control of a TAP3 file.
        Header = "header",
        /// In its trailer.
        Trailer = "trailer",
    }
    /// What a row with more fields than columns is.
    RawExtraFields {
        /// Malformed.
        Malformed = "malformed",
        /// A row like others.
        Ignore = "ignore",
    }
    /// What a line without any character is.
    RawBlankLines {
        /// Nothing.
        Ignore = "ignore",
        /// A malformed row.
        Row = "row",
    }
    /// What a file without rows is.
    RawEmptyFile {
        /// A sign of life: all is well.
        Heartbeat = "heartbeat",
        /// Something that needs a hand.
        Error = "error",
    }
    /// What a row records.
    RawKind {
        /// A call.
        Voice = "voice",
        /// A short message.
        Sms = "sms",
        /// A multimedia message.
        Mms = "mms",
        /// A data session.
        Data = "data",
    }
    /// Which way, seen from the served party.
    RawDirection {
        /// The served party called or sent.
        Outgoing = "outgoing",
        /// The served party was called or received.
        Incoming = "incoming",
        /// Forwarded on behalf of the served party.
        Forwarded = "forwarded",
    }
    /// What names a record.
    RawKeyMode {
        /// The record id; the same id with other content needs a hand.
        Id = "id",
        /// Record id and content together.
        IdAndContent = "id-and-content",
        /// The content: equal rows count once.
        Content = "content",
        /// The n-th equal row of a file is the n-th record.
        ContentAndOccurrence = "content-and-occurrence",
    }
    /// What a newer file of the same name means.
    RawDeliveryMode {
        /// Each file brings new rows.
        Delta = "delta",
        /// A file replaces the one of the same name before.
        Snapshot = "snapshot",
        /// As snapshot, and the last word on its period.
        Final = "final",
    }
    /// The unit of durations.
    RawDurationUnit {
        /// Seconds.
        Seconds = "seconds",
        /// Minutes.
        Minutes = "minutes",
        /// Thousandths of a second.
        Milliseconds = "milliseconds",
        /// Hours, minutes and seconds with colons; hours may have any number of digits.
        Clock = "hh:mm:ss",
    }
    /// What becomes of a part of a second.
    RawDurationRounding {
        /// It counts as a second.
        Up = "up",
        /// It does not count.
        Down = "down",
        /// Half a second and more counts as one.
        HalfUp = "half_up",
    }
    /// The unit of volumes.
    RawVolumeUnit {
        /// Bytes.
        Bytes = "bytes",
        /// Kilobytes of `kilo` bytes.
        Kilobytes = "kB",
        /// Megabytes of `kilo` squared bytes.
        Megabytes = "MB",
    }
    /// How networks are written.
    RawNetworkForm {
        /// Mobile country and network code, 5 or 6 digits.
        MccMnc = "mccmnc",
        /// TADIG code, 5 capital letters or digits.
        Tadig = "tadig",
        /// Either.
        Either = "either",
    }
}

macro_rules! same_words {
    ($($raw:ident => $own:ident { $($variant:ident),+ })*) => {$(
        impl From<$raw> for $own {
            fn from(raw: $raw) -> Self {
                match raw { $($raw::$variant => Self::$variant),+ }
            }
        }
    )*};
}

same_words! {
    RawKind => UsageKind { Voice, Sms, Mms, Data }
    RawDirection => Direction { Outgoing, Incoming, Forwarded }
    RawKeyMode => KeyMode { Id, IdAndContent, Content, ContentAndOccurrence }
    RawDeliveryMode => DeliveryMode { Delta, Snapshot, Final }
    RawPart => Partial { Part, Last }
}
