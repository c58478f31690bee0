//! A record as its parsed fields: all that a derivation may look at.

/// The parsed fields of a record, as `cdr_entries` names them; an empty text is a field that the source does not have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'r> {
    /// `voice-mo`, `sms-mt`, `data` and so on.
    pub kind: &'r str,
    /// Microseconds since 1970 UTC.
    pub start_us: i64,
    /// The source's clock, seconds east of UTC.
    pub start_offset_s: i32,
    /// Seconds.
    pub duration_s: i64,
    /// Bytes sent.
    pub bytes_up: i64,
    /// Bytes received.
    pub bytes_down: i64,
    /// Parts of a message.
    pub messages: i64,
    /// The served party.
    pub a_number: &'r str,
    /// IMSI of the served party, 0 if unknown.
    pub imsi: i64,
    /// First 19 digits of the ICCID of the served party, 0 if unknown.
    pub iccid: i64,
    /// The other party.
    pub b_number: &'r str,
    /// `e164`, `short_code`, `alphanumeric`, `masked` or `absent`.
    pub b_number_type: &'r str,
    /// The network that carried it: MCC-MNC in digits, or TADIG.
    pub network: &'r str,
    /// The provider's rate class.
    pub provider_class: &'r str,
    /// The provider's cost in units of 10⁻⁹.
    pub cost_nano: Option<i128>,
    /// Its currency.
    pub cost_currency: &'r str,
    /// Names its session among all accounts; empty for a part of none.
    pub session: &'r str,
}

impl Record<'_> {
    /// What is counted: seconds, bytes both ways, or messages; `None` if that is negative or beyond 63 bits.
    pub(crate) fn units(&self) -> Option<u64> {
        let both = self.bytes_up.checked_add(self.bytes_down).filter(|_| self.bytes_up >= 0 && self.bytes_down >= 0);
        let units = match self.family() {
            "voice" => Some(self.duration_s),
            "data" => both,
            _ => Some(self.messages),
        };
        units.and_then(|units| u64::try_from(units).ok())
    }

    /// `voice` of `voice-mo`.
    pub(crate) fn family(&self) -> &str {
        self.kind.split('-').next().unwrap_or_default()
    }

    /// Whether the other party decides the zone: outgoing and forwarded usage, but never data.
    pub(crate) fn has_destination(&self) -> bool {
        self.kind.ends_with("-mo") || self.kind.ends_with("-fwd")
    }
}
