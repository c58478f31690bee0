//! Gathers the items of a head from its elements.

use domain::money::Currency;

use crate::tap3::ber::Visitor;
use crate::tap3::error::Tap3Error;
use crate::tap3::tags;
use crate::tap3::value::{Stamp, ascii, integer, local_time, natural, utc_offset};

use super::{Accounting, BatchControl, Discounting, ExchangeRate, Head, RecordingEntity, Taxation};

/// Most entries of a code table. Codes of offsets and rates have two digits; recording entities are some dozens.
const TABLE_MAX: usize = 1000;

/// What is gathered on the way; the first item that cannot be read is remembered.
#[derive(Default)]
pub(super) struct Reading {
    control: BatchControl,
    has_version: (bool, bool),
    local_time: Option<i64>,
    offset_s: Option<i32>,
    offset_code: Option<u64>,
    currency: Option<Currency>,
    local_currency: Option<Currency>,
    decimals: Option<u64>,
    rate: ExchangeRate,
    rates: Vec<ExchangeRate>,
    tax: Taxation,
    taxes: Vec<Taxation>,
    discount: Discounting,
    discounts: Vec<Discounting>,
    offsets: Vec<(u64, i32)>,
    entity: RecordingEntity,
    entities: Vec<RecordingEntity>,
    fault: Option<Tap3Error>,
}

impl Reading {
    fn need<T>(&mut self, item: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.fault.is_none() {
            self.fault = Some(Tap3Error::Item { item });
        }
        value
    }

    /// Adds an entry to a table; equal entries are one, contradicting ones are a fault.
    fn keep<T: PartialEq>(
        table: &mut Vec<T>,
        fault: &mut Option<Tap3Error>,
        (name, code): (&'static str, impl Fn(&T) -> u64),
        entry: T,
    ) {
        let problem = match table.iter().find(|e| code(e) == code(&entry)) {
            Some(same) if *same == entry => return,
            Some(same) => Some(Tap3Error::Contradiction { table: name, code: code(same) }),
            None if table.len() >= TABLE_MAX => Some(Tap3Error::TableTooLarge { table: name, max: TABLE_MAX }),
            None => None,
        };
        match problem {
            None => table.push(entry),
            Some(problem) => *fault = fault.take().or(Some(problem)),
        }
    }

    /// The batch control, or what is wrong with what was read.
    pub(super) fn control(&mut self) -> Result<BatchControl, Tap3Error> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let control = std::mem::take(&mut self.control);
        for (is_missing, item) in [
            (control.sender.is_empty(), "sender"),
            (!self.has_version.0, "specificationVersionNumber"),
            (!self.has_version.1, "releaseVersionNumber"),
        ] {
            if is_missing {
                return Err(Tap3Error::Missing { item });
            }
        }
        if control.specification != 3 || !(10..=12).contains(&control.release) {
            return Err(Tap3Error::Version { specification: control.specification, release: control.release });
        }
        Ok(control)
    }

    /// The head, or what is wrong with it.
    pub(super) fn head(
        mut self,
        (body_from, body_to, batch_to): (usize, Option<usize>, Option<usize>),
    ) -> Result<Head, Tap3Error> {
        let control = self.control()?;
        let decimals = self.decimals.ok_or(Tap3Error::Missing { item: "tapDecimalPlaces" })?;
        let decimals = u32::try_from(decimals).ok().filter(|d| *d <= crate::tap3::charge::TAP_DECIMALS_MAX);
        let accounting = Accounting {
            currency: self.currency.unwrap_or_else(drawing_rights),
            local_currency: self.local_currency,
            decimals: decimals.ok_or(Tap3Error::Item { item: "tapDecimalPlaces" })?,
            rates: self.rates,
            taxes: self.taxes,
            discounts: self.discounts,
        };
        Ok(Head { control, accounting, offsets: self.offsets, entities: self.entities, body_from, body_to, batch_to })
    }

    fn accounting(&mut self, parent: u32, tag: u32, content: &[u8]) {
        match (parent, tag) {
            (_, tags::LOCAL_CURRENCY) => self.local_currency = self.need("localCurrency", currency(content)),
            (_, tags::TAP_CURRENCY) => self.currency = self.need("tapCurrency", currency(content)),
            (_, tags::TAP_DECIMALS) => self.decimals = self.need("tapDecimalPlaces", natural(content)),
            (tags::CURRENCY_CONVERSION, tags::EXCHANGE_RATE_CODE) => {
                self.rate.code = self.need("exchangeRateCode", natural(content)).unwrap_or_default();
            }
            (tags::CURRENCY_CONVERSION, tags::RATE_DECIMALS) => {
                let places = natural(content).and_then(|d| u32::try_from(d).ok());
                let places = places.filter(|d| *d <= crate::tap3::charge::RATE_DECIMALS_MAX);
                self.rate.decimals = self.need("numberOfDecimalPlaces", places).unwrap_or_default();
            }
            (tags::CURRENCY_CONVERSION, tags::EXCHANGE_RATE) => {
                self.rate.value = self.need("exchangeRate", natural(content).filter(|r| *r > 0)).unwrap_or_default();
            }
            (tags::TAXATION, tags::TAX_CODE) => self.tax.code = self.need("taxCode", natural(content)).unwrap_or_default(),
            (tags::TAXATION, tags::TAX_TYPE) => text_into(&mut self.tax.kind, content),
            (tags::TAXATION, tags::TAX_RATE) => text_into(self.tax.rate.insert(String::new()), content),
            (tags::DISCOUNTING, tags::DISCOUNT_CODE) => {
                self.discount.code = self.need("discountCode", natural(content)).unwrap_or_default();
            }
            (_, tags::DISCOUNT_FIXED) => self.discount.fixed = integer(content),
            (_, tags::DISCOUNT_RATE) => self.discount.rate = integer(content),
            _ => {}
        }
    }
}

/// The special drawing right of the IMF, in ISO 4217.
fn drawing_rights() -> Currency {
    Currency::parse("XDR").expect("three capital letters")
}

/// A currency; TAP files also write `SDR` for what ISO 4217 calls XDR.
fn currency(content: &[u8]) -> Option<Currency> {
    match ascii(content)? {
        "SDR" => Some(drawing_rights()),
        code => Currency::parse(code),
    }
}

/// A text that only people read: characters that are none become U+FFFD.
fn text_into(text: &mut String, content: &[u8]) {
    text.push_str(&String::from_utf8_lossy(content));
}

impl Visitor<'_> for Reading {
    fn enter(&mut self, tag: u32) -> bool {
        match tag {
            tags::CURRENCY_CONVERSION => self.rate = ExchangeRate::default(),
            tags::TAXATION => self.tax = Taxation::default(),
            tags::DISCOUNTING => self.discount = Discounting::default(),
            tags::ENTITY_ENTRY => self.entity = RecordingEntity::default(),
            _ => {}
        }
        (self.local_time, self.offset_s, self.offset_code) = (None, None, None);
        true
    }

    fn value(&mut self, parent: u32, tag: u32, content: &[u8]) {
        match tag {
            tags::SENDER => {
                self.control.sender = self.need("sender", tadig(content)).unwrap_or_default();
            }
            tags::RECIPIENT => self.control.recipient = self.need("recipient", tadig(content)).unwrap_or_default(),
            tags::FILE_SEQUENCE => text_into(&mut self.control.sequence, content),
            tags::SPECIFICATION => {
                self.has_version.0 = true;
                self.control.specification = self.need("specificationVersionNumber", natural(content)).unwrap_or_default();
            }
            tags::RELEASE => {
                self.has_version.1 = true;
                self.control.release = self.need("releaseVersionNumber", natural(content)).unwrap_or_default();
            }
            tags::FILE_TYPE => self.control.is_test = content == b"T",
            tags::LOCAL_TIME => self.local_time = local_time(content),
            tags::UTC_OFFSET => self.offset_s = self.need("utcTimeOffset", utc_offset(content)),
            tags::UTC_OFFSET_CODE => self.offset_code = self.need("utcTimeOffsetCode", natural(content)),
            tags::ENTITY_CODE => self.entity.code = self.need("recEntityCode", natural(content)).unwrap_or_default(),
            tags::ENTITY_TYPE => self.entity.kind = natural(content).unwrap_or_default(),
            tags::ENTITY_ID => text_into(&mut self.entity.id, content),
            _ => self.accounting(parent, tag, content),
        }
    }

    fn leave(&mut self, tag: u32) {
        let stamp = self.local_time.zip(self.offset_s).map(|(local, offset)| Stamp::at(local, offset));
        let fault = &mut self.fault;
        match tag {
            tags::FILE_CREATED => self.control.created = stamp,
            tags::TRANSFER_CUT_OFF => self.control.cut_off = stamp,
            tags::FILE_AVAILABLE => self.control.available = stamp,
            tags::CURRENCY_CONVERSION if self.rate.value == 0 => {
                *fault = fault.take().or(Some(Tap3Error::Missing { item: "exchangeRate" }));
            }
            tags::CURRENCY_CONVERSION => {
                Self::keep(&mut self.rates, fault, ("currencyConversion", |r| r.code), self.rate);
            }
            tags::TAXATION => {
                Self::keep(&mut self.taxes, fault, ("taxation", |t: &Taxation| t.code), std::mem::take(&mut self.tax));
            }
            tags::DISCOUNTING => {
                let discount = std::mem::take(&mut self.discount);
                Self::keep(&mut self.discounts, fault, ("discounting", |d: &Discounting| d.code), discount);
            }
            tags::UTC_OFFSET_ENTRY => match self.offset_code.zip(self.offset_s) {
                Some(entry) => Self::keep(&mut self.offsets, fault, ("utcTimeOffsetInfo", |(code, _)| *code), entry),
                None => *fault = fault.take().or(Some(Tap3Error::Missing { item: "utcTimeOffset" })),
            },
            tags::ENTITY_ENTRY => {
                let entity = std::mem::take(&mut self.entity);
                Self::keep(&mut self.entities, fault, ("recEntityInfo", |e: &RecordingEntity| e.code), entity);
            }
            _ => {}
        }
    }
}

/// A TADIG code: five capital letters or digits.
fn tadig(content: &[u8]) -> Option<String> {
    let is_code = content.len() == 5 && content.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    is_code.then(|| ascii(content).map(str::to_owned)).flatten()
}
