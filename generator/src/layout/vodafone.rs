//! Vodafone (assumed layout): a billing extract in bars and Windows-1252, with fees between calls and what the bundle covered.

use std::io::Write;

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::{Direction, UsageKind};

use super::charset::Charset;
use super::{COMMON, Cells, Row, Shape, Tells, cell, cell_of, cut, write_amount};
use crate::calendar::{write_clock, write_dutch_date};
use crate::call::{Billing, Call};
use crate::numbering::{Party, Region, tadig, write_zeros};

/// Columns: 0 Referentie, 1 Soort, 2 Richting, 3 Mobiel nummer, 4 Gebruiker, 5 Gesprekspartner, 6 Datum en tijd, 7 Seconden,
/// 8 Volume MB, 9 Netwerk, 10 Tariefgroep, 11 Bundel, 12 Kosten.
pub(super) const SHAPE: Shape = Shape {
    profile: "vodafone",
    opening: "Billing Extract \u{2013} zakelijk (in \u{20ac})\r\n\
              Referentie|Soort|Richting|Mobiel nummer|Gebruiker|Gesprekspartner|Datum en tijd|Seconden|Volume MB|Netwerk|\
              Tariefgroep|Bundel|Kosten\r\n",
    line_end: "\r\n",
    charset: Charset::Windows1252,
    separator: b'|',
    key: KeyMode::IdAndContent,
    cost_step: 100,
    tells: &[
        Tells::Id,
        Tells::Network,
        Tells::HiddenParty,
        Tells::Sender,
        Tells::Mms,
        Tells::Incoming,
        Tells::ForeignRows,
        Tells::Bundle,
    ],
    wrecks: &[
        cut(5),
        cut(12),
        cell(Reason::Columns, &[(0, "")]),
        cell(Reason::Kind, &[(1, "Fax")]),
        cell(Reason::Kind, &[(2, "??")]),
        cell(Reason::Number, &[(3, "0612345678")]),
        cell(Reason::Time, &[(6, "24/10/2026 25:00:00")]),
        cell(Reason::Time, &[(6, "2026-10-24 10:00:00")]),
        cell(Reason::TimeGap, &[(6, "29/03/2026 02:30:00")]),
        cell_of(&[UsageKind::Voice], Reason::Duration, &[(7, "-5")]),
        cell_of(&[UsageKind::Data], Reason::Volume, &[(8, "1,2,3")]),
        cell(Reason::Network, &[(9, "NLD")]),
        cell(Reason::Network, &[(9, "nldlt")]),
        cell(Reason::Cost, &[(12, "1.5000")]),
    ],
    ..COMMON
};

pub(super) fn fill(row: &Row<'_>, cells: &mut Cells) {
    let call = row.call;
    cells.number(format_args!("VF{:02}{:04}{:06}", row.account + 31, row.slot, row.sequence));
    cells.text(match call.kind {
        _ if call.is_foreign() => "Abonnement",
        UsageKind::Voice => "Bellen",
        UsageKind::Sms => "Sms",
        UsageKind::Mms => "Mms",
        UsageKind::Data => "Internet",
    });
    cells.text(match call.direction {
        _ if call.is_foreign() => "",
        Direction::Outgoing => "Uitgaand",
        Direction::Incoming => "Inkomend",
        Direction::Forwarded => "Doorgeschakeld",
    });
    cells.with(|out| write_zeros(call.served, out));
    cells.text(&row.customer.name);
    cells.with(|out| match call.party {
        _ if call.is_foreign() => {}
        Party::Absent => {}
        Party::Number(number) => write_zeros(number, out),
        Party::Hidden => out.extend(b"anoniem"),
        Party::Sender(word) => out.extend(word.as_bytes()),
    });
    cells.with(|out| {
        write_dutch_date(call.local_s(), b'/', out);
        out.push(b' ');
        write_clock(call.local_s(), out);
    });
    match call.kind {
        UsageKind::Voice | UsageKind::Data if !call.is_foreign() => cells.number(call.duration_s),
        _ => cells.text(""),
    }
    cells.with(|out| {
        if call.kind == UsageKind::Data && !call.is_foreign() {
            write_megabytes(call.bytes_up + call.bytes_down, out);
        }
    });
    cells.text(if call.is_foreign() { "" } else { tadig(call.network) });
    let (group, bundle) = class(call);
    cells.text(group);
    cells.text(bundle);
    cells.with(|out| write_amount(call.cost_micro, b',', 4, out));
}

/// Megabytes of 1,000,000 bytes with three places, every thousandth begun.
fn write_megabytes(bytes: i64, out: &mut Vec<u8>) {
    let thousandths = (bytes + 999) / 1_000;
    write!(out, "{},{:03}", thousandths / 1_000, thousandths % 1_000).expect("a vector takes all bytes");
}

/// The tariff group, and what the bundle did.
fn class(call: &Call) -> (&'static str, &'static str) {
    let group = match call.class {
        _ if call.is_foreign() => "ABONNEMENT",
        _ if call.region != Region::Home => "ROAMING",
        _ if call.kind == UsageKind::Data => "INTERNET",
        "EU_MOB" | "EU_VAST" => "EUROPA",
        "WERELD" => "WERELD",
        "" => "",
        _ => "NATIONAAL",
    };
    match (call.billing, call.noise % 29) {
        (Billing::Bundled, _) => (group, "BUNDEL"),
        (Billing::Usage, 0) if !group.is_empty() => (group, "DEELS"),
        _ => (group, ""),
    }
}

/// `TOTAAL|<data rows>`, without its line end.
pub(super) fn write_trailer(rows: u64, out: &mut Vec<u8>) {
    write!(out, "TOTAAL|{rows}").expect("a vector takes all bytes");
}
