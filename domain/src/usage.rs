//! What was used: kinds, directions and the units they are counted in.

/// What a CDR records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum UsageKind {
    /// A call; its unit is the second.
    Voice = 0,
    /// A short message; its unit is the message part.
    Sms = 1,
    /// A multimedia message; its unit is the message.
    Mms = 2,
    /// A data session; its unit is the byte.
    Data = 3,
}

/// Which way, seen from the served party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Direction {
    /// Mobile (or line) originated: the served party called or sent.
    Outgoing = 0,
    /// Terminated: the served party was called or received.
    Incoming = 1,
    /// Forwarded on behalf of the served party.
    Forwarded = 2,
}

/// Kind and direction in one code: what prices are keyed by. Data sessions have no direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usage(u8);

impl Usage {
    /// How many codes there are.
    pub const COUNT: usize = 10;

    const NAMES: [&'static str; Self::COUNT] =
        ["voice-mo", "voice-mt", "voice-fwd", "sms-mo", "sms-mt", "sms-fwd", "mms-mo", "mms-mt", "mms-fwd", "data"];

    /// The code of a kind and a direction.
    pub fn new(kind: UsageKind, direction: Direction) -> Self {
        Self(if kind == UsageKind::Data { 9 } else { kind as u8 * 3 + direction as u8 })
    }

    /// The name in tables and tariffs: `voice-mo`, `sms-mt`, `data`.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[usize::from(self.0)]
    }

    /// Reads the name back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|n| *n == name).and_then(|i| u8::try_from(i).ok()).map(Self)
    }

    /// All codes, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..10).map(Self)
    }

    /// The code as a number below [`Usage::COUNT`].
    pub fn code(self) -> usize {
        usize::from(self.0)
    }

    /// The kind alone.
    pub fn kind(self) -> UsageKind {
        match self.0 / 3 {
            0 => UsageKind::Voice,
            1 => UsageKind::Sms,
            2 => UsageKind::Mms,
            _ => UsageKind::Data,
        }
    }

    /// Whether the destination of the other party decides the price: outgoing and forwarded, but never data.
    pub fn has_destination(self) -> bool {
        self.0 < 9 && self.0 % 3 != 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_agree() {
        for usage in Usage::all() {
            assert_eq!(Usage::parse(usage.as_str()), Some(usage));
            assert!(usage.as_str().starts_with(&format!("{:?}", usage.kind()).to_lowercase()));
        }
        assert_eq!(Usage::new(UsageKind::Data, Direction::Incoming).as_str(), "data");
        assert_eq!(Usage::new(UsageKind::Sms, Direction::Incoming).as_str(), "sms-mt");
        assert!(!Usage::new(UsageKind::Data, Direction::Outgoing).has_destination());
    }
}
