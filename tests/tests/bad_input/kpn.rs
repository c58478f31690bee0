//! KPN SP16 files, written row by row.

use std::fmt::Write;

const HEADER: &str = "RECORDID;SOORT;RICHTING;MSISDN;BESTEMMING;DATUM;TIJD;DUUR;VOLUME_KB;NETWERK;TARIEFKLASSE;BEDRAG";

/// A call; what a test is about is changed.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub from: &'a str,
    pub date: &'a str,
    pub time: &'a str,
    pub seconds: &'a str,
}

impl<'a> Call<'a> {
    /// A minute to a fixed line, which the shipped tariff sells.
    pub fn new(id: &'a str) -> Self {
        Self { id, kind: "SPRAAK", from: "0619283746", date: "01-10-2026", time: "12:00:00", seconds: "63" }
    }

    /// Its row, without line end.
    pub fn row(&self) -> String {
        let Self { id, kind, from, date, time, seconds } = self;
        format!("{id};{kind};UIT;{from};0201234567;{date};{time};{seconds};;20408;;0,05")
    }
}

/// A whole file: header, calls, and a trailer that agrees.
pub fn file(calls: &[Call<'_>]) -> String {
    announcing(calls, calls.len())
}

/// A file whose trailer announces another number of rows.
pub fn announcing(calls: &[Call<'_>], rows: usize) -> String {
    let mut text = head(calls);
    let cents = calls.len() * 5;
    writeln!(text, "TRAILER;{rows};{},{:02}", cents / 100, cents % 100).expect("a text takes all");
    text
}

/// Header and calls, without a trailer.
pub fn head(calls: &[Call<'_>]) -> String {
    let mut text = format!("{HEADER}\n");
    for call in calls {
        writeln!(text, "{}", call.row()).expect("a text takes all");
    }
    text
}

/// A whole file of calls that nothing is wrong with; the ids begin with `prefix`.
pub fn good(prefix: &str, calls: usize) -> String {
    let ids: Vec<String> = (0..calls).map(|n| format!("{prefix}-{n}")).collect();
    file(&ids.iter().map(|id| Call::new(id)).collect::<Vec<_>>())
}
