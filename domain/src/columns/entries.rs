//! The table `cdr_entries`: every rated and suspended row, every correction, and the ledger that proves them.

use super::types::{Bytes, Instant, Int, Label, Long, Maybe, Nano, Text, Tiny};

/// What an entry is; the column `entry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// The first word on a record.
    Charge,
    /// Takes an entry back: the same with rows -1 and money and units negated.
    Reversal,
    /// The new word after a reversal.
    Correction,
    /// The account of one batch: how many rows ended how.
    Ledger,
}

impl EntryKind {
    /// The name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Reversal => "reversal",
            Self::Correction => "correction",
            Self::Ledger => "ledger",
        }
    }
}

/// The value of the partition column `outcome` for ledger rows.
pub const LEDGER: &str = "ledger";

/// Partition columns of `cdr_entries`: they stand in the path, not in the files.
pub const PARTITION: [&str; 2] = ["event_month", "outcome"];

crate::columns! {
    /// Rows of `cdr_entries` to write, without the partition columns `event_month` and `outcome`.
    Entries / EntriesView {
        /// Whose data it is.
        tenant: Label,
        /// Who handed out the file.
        provider: Label,
        /// The account at the provider.
        account: Label,
        /// charge, reversal, correction or ledger.
        entry: Label,
        /// 1, or -1 for a reversal, 0 for ledger rows: counts are SUM(rows).
        rows: Tiny,
        /// Rises with every word on a record, from 0; a reversal carries the number of the entry that it takes back.
        entry_no: Int,
        /// The table version that a correction read; null for first words.
        as_of: Maybe<Long>,
        /// The delivery, 32 hexadecimal digits.
        delivery: Label,
        /// Its place in the order of arrivals.
        arrival: Long,
        /// Row number in the delivery, from 0; for ledger rows the first row of the range.
        row: Long,
        /// Where the row begins in the delivery, bytes.
        byte_offset: Maybe<Long>,
        /// Bytes of the row without its line end.
        byte_length: Maybe<Long>,
        /// Keyed 128-bit hash that names the record within its account.
        record_key: Maybe<Bytes>,
        /// The source's own id of the record.
        record_id: Maybe<Text>,
        /// Profile and version that read the row.
        profile: Label,
        /// Why the row is in suspense.
        reason: Maybe<Label>,
        /// The source column that a malformed row failed on; of a row that was written off, the reason that it had.
        reason_field: Maybe<Label>,
        /// The bytes of a malformed row.
        raw: Maybe<Bytes>,
        /// Kind and direction: voice-mo, sms-mt, data.
        kind: Maybe<Label>,
        /// Start, UTC.
        start: Maybe<Instant>,
        /// The source's clock, seconds east of UTC.
        start_offset_s: Maybe<Int>,
        /// Null, or `repeated` for a local time that the autumn change repeats and the source does not tell apart.
        time_flag: Maybe<Label>,
        /// Seconds.
        duration_s: Maybe<Int>,
        /// Bytes sent.
        bytes_up: Maybe<Long>,
        /// Bytes received.
        bytes_down: Maybe<Long>,
        /// Parts of an SMS or MMS, 1 where the source does not count them; null for other kinds.
        messages: Maybe<Int>,
        /// The source's id of the session that the record is of: records that belong together share it.
        session_id: Maybe<Text>,
        /// Place of the record in its session, as the source counts.
        session_sequence: Maybe<Long>,
        /// `partial` for a part of a session after which others come, `last` for its last part; null: whole, or not known.
        partial: Maybe<Label>,
        /// The served party.
        a_number: Maybe<Text>,
        /// The other party.
        b_number: Maybe<Text>,
        /// `e164`, `short_code`, `alphanumeric`, `masked` or `absent`.
        b_number_type: Maybe<Label>,
        /// IMSI of the served party.
        imsi: Maybe<Long>,
        /// First 19 digits of the ICCID of the served party.
        iccid: Maybe<Long>,
        /// The network that carried it: MCC-MNC or TADIG.
        network: Maybe<Label>,
        /// The provider's rate class.
        provider_class: Maybe<Label>,
        /// The provider's cost as delivered.
        cost: Maybe<Nano>,
        /// The currency of the cost.
        cost_currency: Maybe<Label>,
        /// Operator / reseller / customer / cost centre.
        owner_path: Maybe<Label>,
        /// The customer at the start instant.
        customer: Maybe<Label>,
        /// The subscription at the start instant.
        subscription: Maybe<Label>,
        /// The device at the start instant.
        device: Maybe<Label>,
        /// The plan at the start instant.
        plan: Maybe<Label>,
        /// The provider's billing cycle, where the file or the operator named one.
        provider_cycle: Maybe<Label>,
        /// The customer's cycle that contains the start: the month in which it began.
        billing_period: Maybe<Label>,
        /// The tariff version: name and content hash.
        tariff: Maybe<Label>,
        /// The zone that was charged.
        zone: Maybe<Label>,
        /// `network`, `roaming`, `home`, `class`, `prefix` or `short_code`.
        zone_by: Maybe<Label>,
        /// The row of the tariff's table that decided the zone.
        zone_row: Maybe<Int>,
        /// Who the other party is, where the tariff asks: `group_customer`, `group`, `own_customer`, `own_network` or `other`.
        party: Maybe<Label>,
        /// The time band.
        band: Maybe<Label>,
        /// The price row of the tariff.
        price_row: Maybe<Int>,
        /// Units billed after minimum and increments: seconds, bytes or messages.
        billed_units: Maybe<Long>,
        /// The charge.
        charge: Maybe<Nano>,
        /// The currency of the charge.
        currency: Maybe<Label>,
        /// The tax class of the price, if the tariff names one.
        tax_class: Maybe<Label>,
        /// Whether the charge holds the tax: `included` or `excluded`.
        tax: Maybe<Label>,
        /// The allowances that the row drew from, joined by `+`.
        allowance: Maybe<Label>,
        /// Units that they gave, which are not billed: seconds, bytes or messages.
        allowance_units: Maybe<Long>,
        /// Money that they gave, which is not charged.
        allowance_money: Maybe<Nano>,
        /// Ledger: rows of the batch.
        ledger_rows_in: Maybe<Long>,
        /// Ledger: rows with a price.
        ledger_rated: Maybe<Long>,
        /// Ledger: rows in suspense.
        ledger_suspense: Maybe<Long>,
        /// Ledger: equal rows of the same file.
        ledger_duplicates: Maybe<Long>,
        /// Ledger: equal rows of another file.
        ledger_resent: Maybe<Long>,
        /// Ledger: rows left out by rule.
        ledger_skipped: Maybe<Long>,
        /// Ledger: counts by reason and rule, sums by currency and the file's verdict, as JSON.
        ledger_detail: Maybe<Text>,
    }
}
