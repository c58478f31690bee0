//! The shipped profiles with a small file of each layout, invented people and all, for the tests of profile, split and parse.

use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{Account, DeliveryId, FileContext, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};

use crate::parse::{RowRange, parse};
use crate::split::{Split, split};
use crate::tap3::tags::{GPRS, MOBILE_TERMINATED};
use crate::tap3::tests::encode::{Batch, Event, Form};

use super::{Profile, fixtures};

pub(crate) const SHIPPED: [(&str, &str); 13] = [
    ("kpn-sp16", include_str!("../../../config/profiles/kpn-sp16.toml")),
    ("routit", include_str!("../../../config/profiles/routit.toml")),
    ("asterisk-cdr-csv", include_str!("../../../config/profiles/asterisk-cdr-csv.toml")),
    ("mobile-metadata", include_str!("../../../config/profiles/mobile-metadata.toml")),
    ("job", include_str!("../../../config/profiles/job.toml")),
    ("vodafone", include_str!("../../../config/profiles/vodafone.toml")),
    ("tmobile-calvi", include_str!("../../../config/profiles/tmobile-calvi.toml")),
    ("kpn-een", include_str!("../../../config/profiles/kpn-een.toml")),
    ("yielder", include_str!("../../../config/profiles/yielder.toml")),
    ("freeswitch-cdr-csv", include_str!("../../../config/profiles/freeswitch-cdr-csv.toml")),
    ("pbx-csv", include_str!("../../../config/profiles/pbx-csv.toml")),
    ("cisco-cucm", include_str!("../../../config/profiles/cisco-cucm.toml")),
    ("tap3", include_str!("../../../config/profiles/tap3.toml")),
];

pub(crate) const KPN_HEADER: &str =
    "RECORDID;SOORT;RICHTING;MSISDN;BESTEMMING;DATUM;TIJD;DUUR;VOLUME_KB;NETWERK;TARIEFKLASSE;BEDRAG";

pub(crate) fn shipped(name: &str) -> Profile {
    let text = SHIPPED.iter().find(|s| s.0 == name).expect("a shipped profile").1;
    Profile::load(text).expect("shipped profiles are right")
}

/// A small whole file of a shipped layout; four rows each.
pub(crate) fn file_of(name: &str) -> Vec<u8> {
    match name {
        "kpn-sp16" => kpn(
            &[
                "1001;SPRAAK;UIT;0612345678;0201234567;24-10-2026;09:15:00;63;;20408;MOB NL;0,0412",
                "1002;SMS;IN;0612345678;0687654321;24-10-2026;09:16:00;;;20408;SMS;0",
                "1003;DATA;UIT;0612345678;internet;24-10-2026;09:17:00;300;2048;26201;;1,5",
                "1004;SPRAAK;DOOR;0612345678;112;24-10-2026;09:18:00;1;;20408;CAF\u{c9};0,000000001",
            ],
            "TRAILER;4;1,541200001",
        ),
        "routit" => "\u{feff}CustomerReference,Type,Direction,CallingNumber,CalledNumber,StartTime,Duration,BytesUp,\
                BytesDown,Network,Costs\r\n\
            \"Jansen, \"\"Bakker\"\"\",\"Voice\",\"Originating\",\"+31612345678\",\"+31201234567\",\
                \"2026-10-25T02:30:15.0000000+02:00\",\"63\",\"\",\"\",\"20408\",\"0.0410\"\r\n\
            \"H\u{e9}l\u{e8}ne\",\"Voice\",\"Terminating\",\"+31201234567\",\"+31612345678\",\
                \"2026-10-25T02:30:15.0000000+01:00\",\"1\",\"\",\"\",\"NLDPT\",\"0\"\r\n\
            \"x\",\"Data\",\"Originating\",\"+31612345678\",\"\",\"2026-10-25T12:00:00+01:00\",\"30\",\"2179\",\
                \"29443\",\"26201\",\"0.000001\"\r\n\
            \"x\",\"Sms\",\"Terminating\",\"RABOBANK\",\"+31612345678\",\"2026-10-25T12:00:01.5Z\",\"\",\"\",\"\",\"\",\
                \"0\"\r\n"
            .into(),
        "asterisk-cdr-csv" => "\"\",\"917-555-0180\",\"502-555-5153\",\"production\",\"\"\"Ann Lee\"\" <609-555-2780>\",\
                \"a\",\"b\",\"Dial\",\"c\",\"2017-06-27 10:29:03\",\"2017-06-27 10:29:14\",\"2017-06-27 10:35:45\",402,\
                390,\"ANSWERED\",\"DOCUMENTATION\",\"1498559343.3\",\"\"\n\
            \"\",\"917-555-0180\",\"502-555-5153\",\"production\",\"x\",\"a\",\"b\",\"Dial\",\"c\",\
                \"2017-06-27 10:37:26\",\"\",\"2017-06-27 10:37:36\",9,0,\"NO ANSWER\",\"DOCUMENTATION\",\
                \"1498559846.6\",\"\"\n\
            \"\",\"anonymous\",\"s\",\"production\",\"x\",\"a\",\"b\",\"Answer\",\"c\",\"2017-06-27 16:02:38\",\
                \"2017-06-27 16:02:38\",\"2017-06-27 16:02:38\",0,0,\"ANSWERED\",\"DOCUMENTATION\",\"1498579358.76\",\"\"\n\
            \"\",\"2001\",\"1-917-555-0180\",\"production\",\"x\",\"a\",\"b\",\"Dial\",\"c\",\"2017-06-27 16:03:48\",\
                \"2017-06-27 16:03:55\",\"2017-06-27 16:05:01\",73,65,\"ANSWERED\",\"DOCUMENTATION\",\"1498579428.81\",\
                \"\"\n"
            .into(),
        "mobile-metadata" => "interaction,direction,correspondent_id,datetime,call_duration,antenna_id\n\
            text,in,A,2014-03-02 07:13:30,,1\ncall,in,G,2014-03-03 09:14:15,374,1\ncall,out,A,2014-03-04 16:35:27,6233,\
                4\ntext,in,A,2014-03-02 07:13:30,,1\n"
            .into(),
        "job" => "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n\
            00000-049652-5e1e,voice,0621435362,35555965982,2026-10-30T13:29:39+01:00,73,,,MT,20408,0.00\n\
            00000-007178-3a84,data,0650661000,,2026-10-08T15:52:46+02:00,30,2179,29443,MO,20408,0\n\
            00000-001131-9455,sms,+31617257325,\"0201234567\",2026-10-18T05:49:08+02:00,,,,MO,310260,0.064124\n\
            00000-030620-fe81,fax,31629365977,,2026-10-30T13:47:42+01:00,188,9214,121898,MO,20416,0\n"
            .into(),
        "tap3" => tap3_file(),
        other => fixtures::build(fixtures::shape(other).expect("a layout with fixtures"), 4).file,
    }
}

/// Two calls, a message and a session of Dutch roamers.
fn tap3_file() -> Vec<u8> {
    let sms = Event { service: "22".to_owned(), ..Event::call() };
    let session = Event { volumes: (5000, 700), ..Event::of(GPRS) };
    Batch::of(Form::Definite, &[Event::call(), Event::of(MOBILE_TERMINATED), sms, session]).encode()
}

/// A KPN file of these rows, in Latin-1.
pub(crate) fn kpn(rows: &[&str], trailer: &str) -> Vec<u8> {
    let text = format!("{KPN_HEADER}\n{}\n{trailer}\n", rows.join("\n"));
    text.chars().map(|c| u8::try_from(c).expect("a Latin-1 character")).collect()
}

pub(crate) fn account() -> Account {
    Account {
        tenant: TenantId::parse("main").expect("an id"),
        provider: ProviderId::parse("any").expect("an id"),
        account: AccountId::parse("haven").expect("an id"),
    }
}

pub(crate) fn hasher() -> RecordHasher {
    RecordHasher::new(&KeySecret([7; 16]), &account())
}

pub(crate) fn context(profile: &Profile) -> Arc<FileContext> {
    Arc::new(FileContext {
        account: account(),
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "test".into(),
        profile: Arc::clone(profile.label()),
        cycle: None,
        cost_currency: profile.cost_currency(),
        key_mode: profile.key_mode(),
        billable_from_us: i64::MIN,
    })
}

/// Splits a file with so many rows per range and parses each range.
pub(crate) fn batches(profile: &Profile, bytes: &[u8], rows_per_range: u64) -> (Split, Vec<ParsedBatch>) {
    let split = split(profile, bytes, rows_per_range);
    let place = |at: u64| usize::try_from(at).expect("small");
    let parse_range = |r: &crate::split::SplitRange| {
        let layout = split.layout.as_ref().expect("a file with ranges has a layout");
        let range = RowRange { first_row: r.first_row, byte_from: r.from };
        parse(profile, layout, &context(profile), &hasher(), range, &bytes[place(r.from)..place(r.to)])
    };
    let batches = split.ranges.iter().map(parse_range).collect();
    (split, batches)
}

/// The rows of a file that must be complete, as one batch.
pub(crate) fn batch(profile: &Profile, bytes: &[u8]) -> ParsedBatch {
    let (split, mut batches) = batches(profile, bytes, u64::MAX);
    assert_eq!(batches.len(), 1, "{:?}", split.verdict);
    batches.remove(0)
}

/// Every row of a batch as text: what tests compare when batches are cut differently.
pub(crate) fn rows_of(batch: &ParsedBatch) -> Vec<String> {
    let c = &batch.columns;
    let number = |n: domain::number::Number| {
        let mut text = format!("{:?} ", n.kind());
        n.write(&batch.texts, &mut text).expect("a string takes all");
        text
    };
    let mut rows: Vec<(u64, String)> = (0..batch.len())
        .map(|i| {
            let class = c.class.get(i).map(|code| if *code == 0 { "-" } else { &*batch.classes[usize::from(*code) - 1] });
            let text = format!(
                "{} {} {} {:032x} {:?} {} {} {} {} {} {} {:?} {:?} {:?} {:?} {:?} {class:?} {:?}",
                c.row[i],
                c.offset[i],
                c.length[i],
                c.key[i],
                c.content.get(i),
                if c.record_id.is_empty() { "-" } else { c.record_id.get(i) },
                c.usage[i].as_str(),
                number(c.a_number[i]),
                number(c.b_number[i]),
                c.start_us[i],
                c.offset_s[i],
                c.time_flag.get(i),
                c.duration_s[i],
                c.bytes_up.get(i),
                c.bytes_down.get(i),
                c.network.get(i),
                c.cost_nano.get(i),
            );
            (c.row[i], text)
        })
        .collect();
    rows.extend(batch.malformed.iter().map(|m| (m.row, format!("{m:?}"))));
    rows.sort();
    rows.into_iter().map(|r| r.1).collect()
}
