//! Fields put into parsed rows: what they are afterwards, which of them were so before, and which cannot have such a field.

use std::sync::Arc;

use domain::columns::parsed::{NO_COST, ParsedBatch, TimeFlag};
use domain::delivery::FileContext;
use domain::number::{Network, Number, NumberKind};
use domain::usage::{Usage, UsageKind};

use super::{FieldEdit, FieldEdits};

/// Why a row cannot have a field that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// It is no message, and counts no parts.
    NoMessage,
    /// It has no cost, and so no currency of it.
    NoCost,
}

impl Misfit {
    /// What is wrong and what helps, of rows that are told before.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMessage => "are no messages and count no parts; leave out `messages`, or set `kind` as well",
            Self::NoCost => "have no cost; leave out `cost_currency`, or set `cost` as well",
        }
    }
}

impl FieldEdits {
    /// Puts the fields into all rows of a batch; and whether each of them was so before.
    #[must_use]
    pub fn applied(&self, mut batch: ParsedBatch) -> (ParsedBatch, Vec<bool>) {
        let stands = (0..batch.len()).map(|i| self.iter().all(|edit| edit.stands(&batch, i))).collect();
        for edit in self.iter() {
            edit.put(&mut batch);
        }
        (batch, stands)
    }

    /// Why a row that has them cannot have them.
    pub fn misfit(&self, batch: &ParsedBatch, i: usize) -> Option<Misfit> {
        self.iter().find_map(|edit| match edit {
            FieldEdit::Messages(_) if !is_message(batch.columns.usage[i]) => Some(Misfit::NoMessage),
            FieldEdit::CostCurrency(_) if cost(batch, i) == NO_COST => Some(Misfit::NoCost),
            _ => None,
        })
    }
}

fn is_message(usage: Usage) -> bool {
    matches!(usage.kind(), UsageKind::Sms | UsageKind::Mms)
}

fn cost(batch: &ParsedBatch, i: usize) -> i64 {
    batch.columns.cost_nano.get(i).copied().unwrap_or(NO_COST)
}

/// A column that may be absent in all rows.
fn or_absent<T: Copy + Default>(column: &[T], i: usize) -> T {
    column.get(i).copied().unwrap_or_default()
}

impl FieldEdit {
    /// Whether a row has the field so. What a row cannot have is not asked for.
    fn stands(&self, batch: &ParsedBatch, i: usize) -> bool {
        let c = &batch.columns;
        let is_text = |number: Number, kind: NumberKind, text: &str| {
            let mut written = String::new();
            number.kind() == kind && number.write(&batch.texts, &mut written).is_ok() && written == text
        };
        match self {
            Self::ANumber(None) => c.a_number[i].kind() == NumberKind::Absent,
            Self::ANumber(Some((digits, _))) => c.a_number[i].as_e164() == Some(*digits),
            Self::BNumber(kind, text) => is_text(c.b_number[i], *kind, text),
            // No bytes are told apart from none that a source has said nothing of.
            Self::BytesDown(bytes) => c.bytes_down.get(i) == Some(bytes),
            Self::BytesUp(bytes) => c.bytes_up.get(i) == Some(bytes),
            Self::Cost(nano) => cost(batch, i) == *nano,
            Self::CostCurrency(currency) => cost(batch, i) == NO_COST || batch.file.cost_currency == *currency,
            Self::DurationS(seconds) => c.duration_s[i] == *seconds,
            Self::Iccid(digits) => or_absent(&c.iccid, i) == *digits,
            Self::Imsi(digits) => or_absent(&c.imsi, i) == *digits,
            Self::Kind(usage) => c.usage[i] == *usage,
            Self::Messages(parts) => !is_message(c.usage[i]) || c.messages.get(i).copied().unwrap_or(1) == *parts,
            Self::Network(network) => or_absent::<Network>(&c.network, i) == *network,
            Self::ProviderClass(class) => {
                let stands = usize::from(or_absent(&c.class, i)).checked_sub(1).map_or("", |code| batch.classes[code].as_ref());
                stands == class
            }
            Self::Start(us, offset_s) => {
                let is_exact = or_absent(&c.time_flag, i) == TimeFlag::Exact as u8;
                is_exact && (c.start_us[i], c.offset_s[i]) == (*us, *offset_s)
            }
        }
    }

    /// Puts the field into all rows.
    fn put(&self, batch: &mut ParsedBatch) {
        let n = batch.len();
        let c = &mut batch.columns;
        match self {
            Self::ANumber(number) => {
                c.a_number = vec![number.map_or(Number::ABSENT, |(digits, count)| Number::e164(digits, count)); n];
            }
            Self::BNumber(kind, text) => {
                let number = number(*kind, text, &mut batch.texts);
                batch.columns.b_number = vec![number; n];
            }
            Self::BytesDown(bytes) => c.bytes_down = vec![*bytes; n],
            Self::BytesUp(bytes) => c.bytes_up = vec![*bytes; n],
            Self::Cost(nano) => c.cost_nano = vec![*nano; n],
            Self::CostCurrency(currency) => {
                batch.file = Arc::new(FileContext { cost_currency: *currency, ..(*batch.file).clone() });
            }
            Self::DurationS(seconds) => c.duration_s = vec![*seconds; n],
            Self::Iccid(digits) => c.iccid = vec![*digits; n],
            Self::Imsi(digits) => c.imsi = vec![*digits; n],
            Self::Kind(usage) => c.usage = vec![*usage; n],
            Self::Messages(parts) => c.messages = vec![*parts; n],
            Self::Network(network) => c.network = vec![*network; n],
            Self::ProviderClass(class) if class.is_empty() => c.class.clear(),
            Self::ProviderClass(class) => {
                batch.classes = vec![class.as_str().into()];
                c.class = vec![1; n];
            }
            // Who names the instant knows which of two it was.
            Self::Start(us, offset_s) => {
                (c.start_us, c.offset_s) = (vec![*us; n], vec![*offset_s; n]);
                c.time_flag.clear();
            }
        }
    }
}

/// A number of a kind that was read from its text.
fn number(kind: NumberKind, text: &str, texts: &mut Vec<String>) -> Number {
    let digits = || (text.parse().unwrap_or(0), u32::try_from(text.len()).unwrap_or(0));
    match kind {
        NumberKind::Absent => Number::ABSENT,
        NumberKind::E164 => {
            let (value, count) = digits();
            Number::e164(value, count)
        }
        NumberKind::ShortCode => {
            let (value, count) = digits();
            Number::short_code(value, count)
        }
        NumberKind::Alphanumeric | NumberKind::Masked => {
            texts.push(text.to_owned());
            Number::text(kind, u32::try_from(texts.len() - 1).expect("a batch has fewer rows"))
        }
    }
}
