//! The tags of TAP 3.10 to 3.12 that are read, all of class APPLICATION: one number means one thing wherever it stands.
//!
//! Where the facts come from: the numbers from public lists of names and tags (the tag table of the open-source editor
//! `EditAsn1`, the `ber` patterns of the `file` utility); meanings, units and sums from the public field reference at
//! tapeditor.com for 3.10 to 3.12. No part of GSMA's ASN.1 module is here.

/// A file: a batch of events, or word that there are none.
pub const TRANSFER_BATCH: u32 = 1;
pub const NOTIFICATION: u32 = 2;

// The groups of a batch, in the order in which they stand.
pub const BATCH_CONTROL: u32 = 4;
pub const ACCOUNTING: u32 = 5;
pub const NETWORK: u32 = 6;
pub const CALL_EVENTS: u32 = 3;
pub const AUDIT_CONTROL: u32 = 15;

// Events. Messaging events and mobile sessions come with 3.12, the others are older than 3.10.
pub const MOBILE_ORIGINATED: u32 = 9;
pub const MOBILE_TERMINATED: u32 = 10;
pub const SUPPLEMENTARY_SERVICE: u32 = 11;
pub const SERVICE_CENTRE: u32 = 12;
pub const GPRS: u32 = 14;
pub const CONTENT: u32 = 17;
pub const LOCATION_SERVICE: u32 = 297;
pub const MESSAGING: u32 = 433;
pub const MOBILE_SESSION: u32 = 434;

/// The events that are known.
pub const EVENTS: [u32; 9] = [
    MOBILE_ORIGINATED,
    MOBILE_TERMINATED,
    SUPPLEMENTARY_SERVICE,
    SERVICE_CENTRE,
    GPRS,
    CONTENT,
    LOCATION_SERVICE,
    MESSAGING,
    MOBILE_SESSION,
];

/// The highest tag that 3.12 gives a meaning.
const LAST_ASSIGNED: u32 = 449;

/// Whether a tag can open an event: a known one, or one that no version has given another meaning yet.
pub fn opens_event(tag: u32) -> bool {
    EVENTS.contains(&tag) || tag > LAST_ASSIGNED
}

/// Whether a tag can stand inside of an event: neither an event nor a group of the batch can.
pub fn stands_in_event(tag: u32) -> bool {
    tag > AUDIT_CONTROL && !EVENTS.contains(&tag)
}

// Batch control.
pub const SENDER: u32 = 196;
pub const RECIPIENT: u32 = 182;
pub const FILE_SEQUENCE: u32 = 109;
pub const FILE_CREATED: u32 = 108;
pub const TRANSFER_CUT_OFF: u32 = 227;
pub const FILE_AVAILABLE: u32 = 107;
pub const SPECIFICATION: u32 = 201;
pub const RELEASE: u32 = 189;
pub const FILE_TYPE: u32 = 110;

// Accounting. Taxes and discounts are kept as the codes that events refer to.
pub const TAXATION: u32 = 216;
pub const TAX_CODE: u32 = 212;
pub const TAX_TYPE: u32 = 217;
pub const TAX_RATE: u32 = 215;
pub const DISCOUNTING: u32 = 94;
pub const DISCOUNT_CODE: u32 = 91;
pub const DISCOUNT_FIXED: u32 = 411;
pub const DISCOUNT_RATE: u32 = 92;
pub const LOCAL_CURRENCY: u32 = 135;
pub const TAP_CURRENCY: u32 = 210;
pub const CURRENCY_CONVERSION: u32 = 106;
pub const EXCHANGE_RATE_CODE: u32 = 105;
pub const RATE_DECIMALS: u32 = 159;
pub const EXCHANGE_RATE: u32 = 104;
pub const TAP_DECIMALS: u32 = 244;

// Network.
pub const UTC_OFFSET_ENTRY: u32 = 233;
pub const UTC_OFFSET_CODE: u32 = 232;
pub const UTC_OFFSET: u32 = 231;
pub const ENTITY_ENTRY: u32 = 183;
pub const ENTITY_CODE: u32 = 184;
pub const ENTITY_TYPE: u32 = 186;
pub const ENTITY_ID: u32 = 400;

// Audit control.
pub const EARLIEST_CALL: u32 = 101;
pub const LATEST_CALL: u32 = 133;
pub const TOTAL_CHARGE: u32 = 415;
pub const TOTAL_TAX: u32 = 226;
pub const EVENT_COUNT: u32 = 43;

// Who, when, how long, where.
pub const LOCAL_TIME: u32 = 16;
pub const CALL_START: u32 = 44;
pub const SERVICE_START: u32 = 447;
pub const CHARGING_TIME: u32 = 74;
pub const IMSI: u32 = 129;
pub const MSISDN: u32 = 152;
pub const CALLED_NUMBER: u32 = 407;
pub const CALLING_NUMBER: u32 = 405;
pub const DIALLED_DIGITS: u32 = 279;
pub const SMS_DESTINATION: u32 = 419;
pub const SMS_ORIGINATOR: u32 = 425;
pub const CAMEL_DESTINATION: u32 = 404;
pub const NON_CHARGED_NUMBER: u32 = 444;
pub const DURATION: u32 = 223;
pub const VOLUME_INCOMING: u32 = 250;
pub const VOLUME_OUTGOING: u32 = 251;
pub const SERVING_NETWORK: u32 = 195;
pub const NETWORK_LOCATION: u32 = 156;
pub const ENTITY_CODE_LIST: u32 = 185;
pub const CALL_REFERENCE: u32 = 45;
pub const CHARGING_ID: u32 = 72;
pub const PARTIAL_TYPE: u32 = 166;

// What was used.
pub const TELE_SERVICE: u32 = 218;
pub const BEARER_SERVICE: u32 = 40;
pub const SUPPLEMENTARY_CODE: u32 = 209;

// What it costs.
pub const CHARGE_INFORMATION: u32 = 69;
pub const SESSION_CHARGE_INFORMATION: u32 = 449;
pub const CAMEL_SERVICE_USED: u32 = 57;
pub const CHARGE_DETAIL: u32 = 63;
pub const CHARGE_TYPE: u32 = 71;
pub const CHARGE: u32 = 62;
pub const CAMEL_FEE: u32 = 422;
pub const REFUND_INDICATOR: u32 = 344;
pub const CALL_TYPE_1: u32 = 259;
pub const CALL_TYPE_2: u32 = 255;
pub const CALL_TYPE_3: u32 = 256;
pub const TAX_VALUE: u32 = 397;
