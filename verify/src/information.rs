//! What a number charges for what it tells, beside the call or message itself.

use jiff::civil::Date;
use num_bigint::BigInt;
use num_rational::BigRational;

use crate::dated::Dated;
use crate::record::Record;

/// What a listed number charges, in units of the currency.
#[derive(Debug)]
pub(crate) struct Information {
    pub per_call: BigRational,
    pub per_minute: BigRational,
}

impl Information {
    /// What the list says on a day of the number that a record has, as a whole: `+` and digits, or the digits of a short code.
    pub fn of<'l>(list: &'l Dated<Self>, record: &Record<'_>, day: Date) -> Option<&'l Self> {
        match record.b_number_type {
            "e164" => list.on(&format!("+{}", record.b_number), day),
            "short_code" => list.on(record.b_number, day),
            _ => None,
        }
    }

    /// What it charges for a call or a message, however many units the price counts.
    pub fn charge(&self, record: &Record<'_>, units: u64) -> BigRational {
        let seconds = if record.family() == "voice" { units } else { 0 };
        &self.per_call + &self.per_minute * BigRational::new(BigInt::from(seconds), BigInt::from(60))
    }
}
