//! `tollway verify`: every charge derived a second time, by code that shares nothing with rating.

use serde_json::json;

use crate::cli::{Global, VerifyArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::proof::Proof;

/// Runs the command.
pub fn run(global: &Global, args: &VerifyArgs) -> anyhow::Result<Exit> {
    let cycle = Some(args.cycle.as_str()).filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let installation = Installation::open(global)?;
    let proof = Proof::of(&installation, cycle, args.limit, global.quiet)?;
    let mut json = proof.to_json();
    json["cycle"] = json!(args.cycle);
    Answer { headline: headline(&proof, cycle), sheets: sheets(&proof), next: next(&proof), json }.print(global.output)?;
    Ok(match (proof.differ, proof.underivable.is_empty()) {
        (0, true) => Exit::Done,
        (0, false) => Exit::NeedsHand,
        _ => Exit::Bug,
    })
}

fn headline(proof: &Proof, cycle: Option<&str>) -> String {
    let of = cycle.map(|cycle| format!(" of cycle {cycle}")).unwrap_or_default();
    if proof.records() == 0 && proof.underivable.is_empty() {
        return format!("no record{of} is there to verify");
    }
    if proof.differ > 0 {
        let fields: Vec<String> = proof.fields.iter().map(|(field, n)| format!("{field} {}", count(*n))).collect();
        let (differ, records) = (count(proof.differ), count(proof.records()));
        return format!("{differ} of {records} records{of} disagree with their derivation: {}", fields.join(", "));
    }
    let charges: Vec<String> = proof.charge().iter().map(|(currency, sum)| format!("{currency} {}", grouped(*sum, 9))).collect();
    let charged = if charges.is_empty() { String::new() } else { format!(": {} charged", charges.join(", ")) };
    format!("all {} records{of} agree with their derivation, to the last unit{charged}", count(proof.records()))
}

fn sheets(proof: &Proof) -> Vec<Sheet> {
    let mut agree = Sheet::new("", &["outcome", "by", "#records", "#charge", ""]);
    for ((tariff, currency), sum) in &proof.rated {
        let charge = grouped(domain::money::Money(sum.charge_nano), 9);
        agree.row(["rated".to_owned(), tariff.clone(), count(sum.records), charge, currency.clone()]);
    }
    for (reason, records) in &proof.suspense {
        agree.row(["suspense".to_owned(), reason.clone(), count(*records), String::new(), String::new()]);
    }
    let mut differ = Sheet::new("records that disagree", &["record", "field", "the table says", "derived"]);
    for one in &proof.shown {
        for difference in &one.differences {
            let (field, stated, derived) = (difference.field.to_owned(), difference.stated.clone(), difference.derived.clone());
            differ.row([one.record.clone(), field, stated, derived]);
        }
    }
    [differ, agree].into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn next(proof: &Proof) -> Vec<String> {
    let mut next = Vec::new();
    let unpriced: u64 = proof.unpriced.values().sum();
    if unpriced > 0 {
        let reasons: Vec<&str> = proof.unpriced.keys().map(String::as_str).collect();
        next.push(format!("{} records in suspense never came to a price: {}", count(unpriced), reasons.join(", ")));
    }
    for (why, records) in &proof.underivable {
        next.push(format!("{} records were not derived: {why}", count(*records)));
    }
    if proof.differ > proof.shown.len() as u64 {
        next.push(format!("… {} more: --limit shows more", count(proof.differ - proof.shown.len() as u64)));
    }
    if proof.differ > 0 {
        next.push(
            "how rating comes to it: `tollway explain RECORD`; if an earlier program rated it, withdraw its file and ingest it with \
             --as-new; if this one did, stop the service, keep the folder and report a bug"
                .to_owned(),
        );
    }
    next
}
