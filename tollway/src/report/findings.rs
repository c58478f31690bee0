//! What the figures say, in one sentence each: the titles of the pictures, computed.

use super::figures::{bytes, count, escape, money, percent, short};
use super::{FileOutcomes, Hours, ReportData, Sample, Share, SuspenseReason};

/// The sum of charges; credits count against it.
fn sum(shares: &[Share]) -> i128 {
    shares.iter().map(|s| s.charge.nano).sum()
}

/// A positive amount as a length.
pub(super) fn size(nano: i128) -> u128 {
    u128::try_from(nano).unwrap_or(0)
}

/// When the month is busiest and how quiet weekends are.
pub(super) fn of_hours(hours: &Hours) -> String {
    let per_hour = totals(hours);
    let all: u64 = per_hour.iter().sum();
    let Some((busiest, most)) = busiest(hours) else { return "No records in this period".to_owned() };
    let hour = busiest % 24;
    let label = hours.days.get(busiest / 24).map_or("", |day| &day.label);
    let peak = format!("The busiest hour was {} from {hour:02}:00: {} records", escape(label), count(most));
    let weekend: u64 = hours.days.iter().zip(per_hour.chunks(24)).filter(|(d, _)| d.weekend).flat_map(|(_, n)| n).sum();
    if weekend == 0 || weekend == all {
        return peak;
    }
    format!("{peak}; weekends carry {} of all", percent(weekend.into(), all.into()))
}

/// The hour with most records of all kinds, the first of several, and how many it has.
pub(super) fn busiest(hours: &Hours) -> Option<(usize, u64)> {
    totals(hours).into_iter().enumerate().rev().max_by_key(|(_, n)| *n).filter(|(_, n)| *n > 0)
}

/// Records of all kinds per hour.
pub(super) fn totals(hours: &Hours) -> Vec<u64> {
    let len = hours.days.len() * 24;
    (0..len).map(|i| hours.series.iter().filter_map(|s| s.per_hour.get(i)).sum()).collect()
}

/// How many files need a hand, and which most.
pub(super) fn of_files(files: &[FileOutcomes]) -> String {
    let in_suspense: Vec<&FileOutcomes> = files.iter().filter(|f| f.suspense > 0).collect();
    let all: u64 = in_suspense.iter().map(|f| f.suspense).sum();
    let Some(worst) = in_suspense.iter().max_by_key(|f| f.suspense) else {
        return match files.len() {
            0 => "No files".to_owned(),
            1 => "The file went through without a row in suspense".to_owned(),
            n => format!("All {n} files went through without a row in suspense"),
        };
    };
    let share = percent(worst.suspense.into(), worst.rows().into());
    if in_suspense.len() == 1 {
        return format!("One file of {} needs a hand: {}, {share} of its rows", count(files.len() as u64), escape(&worst.name));
    }
    // Few files with most of the trouble is the finding, if it is so.
    let mut by_trouble: Vec<u64> = in_suspense.iter().map(|f| f.suspense).collect();
    by_trouble.sort_unstable_by(|a, b| b.cmp(a));
    let tenth = files.len().div_ceil(10);
    let most: u64 = by_trouble.iter().take(tenth).sum();
    if most * 2 >= all && tenth < in_suspense.len() {
        let few = if tenth == 1 { "One file holds".to_owned() } else { format!("{tenth} of {} files hold", files.len()) };
        return format!("{few} {} of the rows in suspense", percent(most.into(), all.into()));
    }
    // Here the share is what is told, so it is also what makes a file the worst.
    let denser = |a: &&FileOutcomes, b: &&FileOutcomes| {
        (u128::from(a.suspense) * u128::from(b.rows())).cmp(&(u128::from(b.suspense) * u128::from(a.rows())))
    };
    let worst = in_suspense.iter().copied().max_by(denser).unwrap_or(worst);
    let share = percent(worst.suspense.into(), worst.rows().into());
    format!("Trouble is spread thin: the worst file, {}, has {share} of its rows in suspense", escape(&worst.name))
}

/// The reason that matters most, by money if money is known, else by rows.
pub(super) fn of_suspense(reasons: &[SuspenseReason], currency: &str) -> String {
    let rows: u64 = reasons.iter().map(|r| r.rows).sum();
    if rows == 0 {
        return "Nothing is in suspense".to_owned();
    }
    let risk = |r: &SuspenseReason| r.at_risk.as_ref().map_or(0, |a| size(a.nano));
    let at_risk: u128 = reasons.iter().map(risk).sum();
    let top = |key: &dyn Fn(&SuspenseReason) -> u128| reasons.iter().max_by_key(|r| key(r)).expect("rows come from a reason");
    let by_rows = top(&|r| r.rows.into());
    let share = percent(by_rows.rows.into(), rows.into());
    if at_risk == 0 {
        return format!("{} makes {share} of the {} rows in suspense", escape(&by_rows.reason), count(rows));
    }
    let by_risk = top(&risk);
    let money = format!("{} {}", escape(currency), money(by_risk.at_risk.as_ref().map_or(0, |a| a.nano)));
    if by_risk.reason == by_rows.reason {
        let of_risk = percent(risk(by_risk), at_risk);
        return format!("{} makes {share} of the rows in suspense and {of_risk} of the money at risk", escape(&by_rows.reason));
    }
    format!(
        "{} makes {share} of the rows in suspense, but {} holds the money: {money}",
        escape(&by_rows.reason),
        escape(&by_risk.reason)
    )
}

/// How few customers make half of the money.
pub(super) fn of_customers(customers: &[Share]) -> String {
    let all = size(sum(customers));
    if all == 0 {
        return "No charges".to_owned();
    }
    let mut charges: Vec<u128> = customers.iter().map(|c| size(c.charge.nano)).collect();
    charges.sort_unstable_by(|a, b| b.cmp(a));
    let mut reached = 0;
    let few = 1 + charges
        .iter()
        .take_while(|c| {
            reached += **c;
            reached * 2 < all
        })
        .count();
    let made: u128 = charges.iter().take(few).sum();
    let share = percent(made, all);
    match (few, customers.len()) {
        (_, 1) => "One customer makes all of the money".to_owned(),
        (1, n) => {
            let first = customers.iter().max_by_key(|c| c.charge.nano).map_or("", |c| &c.name);
            format!("{} alone makes {share} of the money of {} customers", escape(first), count(n as u64))
        }
        (few, n) => format!("{few} of {} customers make {share} of the money", count(n as u64)),
    }
}

/// What roaming makes of the money, or else which zone makes most.
pub(super) fn of_zones(zones: &[Share]) -> String {
    let all = size(sum(zones));
    if all == 0 {
        return "No charges".to_owned();
    }
    let rows: u64 = zones.iter().map(|z| z.rows).sum();
    let roaming = || zones.iter().filter(|z| z.roaming);
    let (money, calls) = (size(roaming().map(|z| z.charge.nano).sum()), roaming().map(|z| z.rows).sum::<u64>());
    if calls > 0 {
        let (of_money, of_calls) = (percent(money, all), percent(calls.into(), rows.into()));
        return format!("Roaming makes {of_money} of the money in {of_calls} of the records");
    }
    let top = zones.iter().max_by_key(|z| z.charge.nano).expect("money comes from a zone");
    let (of_money, of_calls) = (percent(size(top.charge.nano), all), percent(top.rows.into(), rows.into()));
    format!("{} makes {of_money} of the money in {of_calls} of the records", escape(&top.name))
}

/// The rate over the whole run and how far it sank.
pub(super) fn of_throughput(data: &ReportData) -> String {
    let rates = rates(&data.throughput);
    let Some(last) = data.throughput.iter().max_by_key(|s| s.at_ms).filter(|s| s.at_ms > 0 && !rates.is_empty()) else {
        return "Nothing was processed in this run".to_owned();
    };
    let average = last.rows.saturating_mul(1_000) / last.at_ms;
    let memory = if data.summary.peak_bytes > 0 {
        format!(", with at most {} of memory", bytes(data.summary.peak_bytes))
    } else {
        String::new()
    };
    format!("{} rows a second over the whole run{memory}", short(average))
}

/// Rows per second between one sample and the next: (from, to, rate), in order of time.
pub(super) fn rates(samples: &[Sample]) -> Vec<(u64, u64, u64)> {
    let mut sorted = samples.to_vec();
    sorted.sort_by_key(|s| (s.at_ms, s.rows));
    let mut last = Sample::default();
    let mut rates = Vec::with_capacity(sorted.len());
    for sample in sorted {
        let thousandfold = sample.rows.saturating_sub(last.rows).saturating_mul(1_000);
        // Two samples of the same millisecond have no rate.
        if let Some(rate) = thousandfold.checked_div(sample.at_ms - last.at_ms) {
            rates.push((last.at_ms, sample.at_ms, rate));
            last = sample;
        }
    }
    rates
}
