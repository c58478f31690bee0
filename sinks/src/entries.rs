//! Rated batches to rows of `cdr_entries`: one place that knows which column holds what.

use arrow_array::{BinaryArray, Int8Array, Int64Array, RecordBatch, StringArray};
use domain::columns::ColumnError;
use domain::columns::entries::{Entries, EntryKind};
use domain::columns::linked::Party;
use domain::columns::parsed::{NO_COST, NO_SEQUENCE, ParsedBatch, Partial, TimeFlag};
use domain::columns::rated::{NO_PERIOD, NONE, RatedBatch, ZoneBy};
use domain::delivery::FileContext;
use domain::number::NumberKind;
use domain::outcome::Reason;
use domain::period::Month;
use domain::usage::UsageKind;

use crate::gather::{Selection, null_labels};

/// What kind of word new entries are on their records.
pub struct Words<'a> {
    /// The first word, or the one after a reversal.
    pub kind: EntryKind,
    /// The version that a correction read.
    pub as_of: Option<i64>,
    /// The entry's number on the record of a file's row.
    pub number: &'a (dyn Fn(&FileContext, u64) -> i32 + Sync),
}

impl std::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({:?} as of {:?})", self.kind, self.as_of)
    }
}

impl Words<'_> {
    /// First words.
    pub const FIRST: Self = Self { kind: EntryKind::Charge, as_of: None, number: &|_, _| 0 };
}

/// An IMSI or ICCID where there is one.
fn subscriber_id(digits: u64) -> Option<i64> {
    i64::try_from(digits).ok().filter(|digits| *digits != 0)
}

fn parsed(b: &RatedBatch) -> &ParsedBatch {
    &b.linked.parsed
}

/// The picked rows as entries, rated or in suspense. `reason` overrides the batch's own reason: the
/// duplicate check may have found a conflict of ids.
// tidy: one line per column of the table
pub fn charges<'a>(
    selection: &Selection<'a>,
    reason: impl Fn(&'a RatedBatch, usize) -> Option<Reason>,
    words: &Words<'_>,
) -> Result<RecordBatch, ColumnError> {
    let s = selection;
    let n = s.len();
    let file = |b: &'a RatedBatch| &b.linked.parsed.file;
    let c = |b: &'a RatedBatch| &b.linked.parsed.columns;
    let rated = |b: &'a RatedBatch, i: usize| reason(b, i).is_none();
    let coded = |code: u32| (code != NONE).then_some(code);
    let tax = |b: &'a RatedBatch, i: usize| Some(b.columns.tax[i]).filter(|tax| *tax != u16::MAX && rated(b, i));
    Entries {
        tenant: s.file_labels(|f| Some(f.account.tenant.to_string())),
        provider: s.file_labels(|f| Some(f.account.provider.to_string())),
        account: s.file_labels(|f| Some(f.account.account.to_string())),
        entry: s.constant(words.kind.as_str()),
        rows: Int8Array::from_value(1, n),
        entry_no: s.values(|b, i| (words.number)(file(b), c(b).row[i])),
        as_of: words.as_of.map_or_else(|| Int64Array::new_null(n), |version| Int64Array::from_value(version, n)),
        delivery: s.file_labels(|f| Some(f.delivery.to_string())),
        arrival: s.values_if(|b, _| i64::try_from(file(b).arrival).ok()),
        row: s.values_if(|b, i| i64::try_from(c(b).row[i]).ok()),
        byte_offset: s.values_if(|b, i| i64::try_from(c(b).offset[i]).ok()),
        byte_length: s.values(|b, i| i64::from(c(b).length[i])),
        record_key: BinaryArray::from_iter_values(s.rows().map(|(b, i)| c(b).key[i].to_be_bytes())),
        record_id: s.optional_texts(|b| &c(b).record_id),
        profile: s.file_labels(|f| Some(f.profile.to_string())),
        reason: s.labels(&reason, |_, r| r.as_str().to_owned()),
        reason_field: null_labels(n),
        raw: BinaryArray::new_null(n),
        kind: s.labels(|b, i| Some(c(b).usage[i]), |_, u| u.as_str().to_owned()),
        start: s.instants(|b, i| c(b).start_us[i]),
        start_offset_s: s.values(|b, i| c(b).offset_s[i]),
        time_flag: s.optional_labels(
            |b| &c(b).time_flag,
            |_, flag| (flag == TimeFlag::Repeated as u8).then_some(()),
            |_, ()| "repeated".to_owned(),
        ),
        duration_s: s.values(|b, i| c(b).duration_s[i]),
        bytes_up: s.optional(|b| &c(b).bytes_up, Some),
        bytes_down: s.optional(|b| &c(b).bytes_down, Some),
        messages: s.values_if(|b, i| {
            let is_message = matches!(c(b).usage[i].kind(), UsageKind::Sms | UsageKind::Mms);
            is_message.then(|| c(b).messages.get(i).copied().unwrap_or(1))
        }),
        session_id: s.optional_texts(|b| &c(b).session_id),
        session_sequence: s.optional(|b| &c(b).session_sequence, |place| Some(place).filter(|place| *place != NO_SEQUENCE)),
        partial: s.optional_labels(|b| &c(b).partial, |_, code| Partial::name_of(code), |_, name| name.to_owned()),
        a_number: s.texts(|b, i, text| {
            c(b).a_number[i].write(&parsed(b).texts, text).is_ok() && c(b).a_number[i].kind() != NumberKind::Absent
        }),
        b_number: s.texts(|b, i, text| {
            c(b).b_number[i].write(&parsed(b).texts, text).is_ok() && c(b).b_number[i].kind() != NumberKind::Absent
        }),
        b_number_type: s.labels(|b, i| Some(c(b).b_number[i].kind()), |_, k| k.as_str().to_owned()),
        imsi: s.optional(|b| &c(b).imsi, subscriber_id),
        iccid: s.optional(|b| &c(b).iccid, subscriber_id),
        network: s.optional_labels(|b| &c(b).network, |_, v| (!v.is_absent()).then_some(v), |_, v| v.to_string()),
        provider_class: s.optional_labels(
            |b| &c(b).class,
            |b, v| Some(parsed(b).classes[usize::from(v.checked_sub(1)?)].as_ref()),
            |_, class| class.to_owned(),
        ),
        cost: s.nanos(|b, i| c(b).cost_nano.get(i).copied().filter(|v| *v != NO_COST)),
        cost_currency: s.optional_labels(
            |b| &c(b).cost_nano,
            |b, v| (v != NO_COST).then_some(file(b).cost_currency),
            |_, v| v.to_string(),
        ),
        owner_path: s
            .owner_labels(|o| o.customer, |b, code| b.linked.owners.customers[code as usize].owner_path.as_ref().to_owned()),
        customer: s.owner_labels(|o| o.customer, |b, code| b.linked.owners.customer_names.name(code).to_owned()),
        subscription: s.owner_labels(|o| o.subscription, |b, code| b.linked.owners.subscriptions.name(code).to_owned()),
        device: s.owner_labels(|o| o.device, |b, code| b.linked.owners.devices.name(code).to_owned()),
        plan: s.owner_labels(|o| o.plan, |b, code| b.linked.owners.plans.name(code).to_owned()),
        provider_cycle: s.file_labels(|f| f.cycle.as_deref().map(str::to_owned)),
        billing_period: s.labels(
            |b, i| Some(b.columns.period[i]).filter(|p| *p != NO_PERIOD),
            |_, month| Month::from_number(month).to_string(),
        ),
        tariff: s.labels(
            |b, i| Some(b.columns.tariff[i]).filter(|t| *t != u16::MAX),
            |b, t| b.labels.tariffs[usize::from(t)].id.as_ref().to_owned(),
        ),
        zone: s.labels(
            |b, i| Some(b.columns.zone[i]).filter(|z| *z != u16::MAX),
            |b, z| b.labels.zones.name(u32::from(z)).to_owned(),
        ),
        zone_by: s.labels(
            |b, i| Some(b.columns.zone_by[i]).filter(|z| *z != ZoneBy::None as u8),
            |_, z| ZoneBy::from_code(z).as_str().to_owned(),
        ),
        zone_row: s.values_if(|b, i| coded(b.columns.zone_row[i]).and_then(|v| i32::try_from(v).ok())),
        party: s.labels(
            |b, i| Some(Party::from_code(b.columns.party[i])).filter(|party| *party != Party::Unasked),
            |_, party| party.name().unwrap_or_default().to_owned(),
        ),
        band: s.labels(
            |b, i| Some(b.columns.band[i]).filter(|v| *v != u8::MAX),
            |b, v| b.labels.bands.name(u32::from(v)).to_owned(),
        ),
        price_row: s.values_if(|b, i| coded(b.columns.price_row[i]).and_then(|v| i32::try_from(v).ok())),
        billed_units: s.values_if(|b, i| rated(b, i).then(|| b.columns.billed[i])),
        charge: s.nanos(|b, i| rated(b, i).then(|| b.columns.charge_nano[i])),
        currency: s.labels(
            |b, i| rated(b, i).then(|| b.columns.tariff[i]),
            |b, t| b.labels.tariffs[usize::from(t)].currency.to_string(),
        ),
        tax_class: s.labels(
            |b, i| tax(b, i).filter(|t| b.labels.taxes[usize::from(*t)].class.is_some()),
            |b, t| b.labels.taxes[usize::from(t)].class.as_deref().unwrap_or_default().to_owned(),
        ),
        tax: s.labels(tax, |b, t| b.labels.taxes[usize::from(t)].word().to_owned()),
        allowance: s.optional_labels(
            |b| &b.columns.drawn,
            |b, drawn| b.allowances.get(usize::from(drawn.allowance)).map(AsRef::as_ref),
            |_, name| name.to_owned(),
        ),
        allowance_units: s.optional(|b| &b.columns.drawn, |drawn| Some(drawn.units).filter(|units| *units != 0)),
        allowance_money: s.optional_nanos(|b| &b.columns.drawn, |drawn| Some(drawn.nano).filter(|nano| *nano != 0)),
        ledger_rows_in: Int64Array::new_null(n),
        ledger_rated: Int64Array::new_null(n),
        ledger_suspense: Int64Array::new_null(n),
        ledger_duplicates: Int64Array::new_null(n),
        ledger_resent: Int64Array::new_null(n),
        ledger_skipped: Int64Array::new_null(n),
        ledger_detail: StringArray::new_null(n),
    }
    .into_batch()
}
