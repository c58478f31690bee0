//! `tollway suspense recycle` and `test`: rows in suspense rated again with the reference data in force.

use std::sync::Arc;

use domain::delivery::DeliveryId;
use domain::outcome::Reason;
use ingest::land::Landing;
use sinks::correction::recycle::can_come_back;
use sinks::keys::stopped::Stopped;

use super::rows::{ask_rows, key_or_place_filter};
use super::suspense::check_reason;
use super::unassigned::identifier;
use crate::cli::{Global, RecycleArgs};
use crate::exit_code::{Exit, bad_input, usage};
use crate::installation::Installation;
use crate::named::find;
use crate::recycling::{Recycled, Wish, carry_out, look};

/// Runs the command; if it is dry, nothing is changed.
pub fn run(global: &Global, args: &RecycleArgs, is_dry: bool) -> anyhow::Result<Exit> {
    let reasons = args.reasons.iter().map(|reason| check_reason(reason)).collect::<Result<Vec<Reason>, _>>()?;
    if let Some(fixed) = reasons.iter().find(|reason| !can_come_back(**reason) && **reason != Reason::WrittenOff) {
        return Err(usage(format!("rows with `{}` come out the same each time: {}", fixed.as_str(), what_helps(*fixed))));
    }
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    let mut wish = chosen(&installation, &landing, args)?;
    if let Some(record) = &args.record {
        let place = place(&installation, record, "is corrected by `tollway rerate`")?;
        // What was written off or too old is meant only where that is said: whoever names the record says it.
        if wish.reasons.is_empty() && matches!(place.reason, Reason::WrittenOff | Reason::TooOld) {
            wish.reasons.extend([place.reason, Reason::TooOld]);
        }
        if place.reason == Reason::BeyondAllowance {
            return Err(usage(format!("a record `{}` comes out the same: {}", place.reason.as_str(), what_helps(place.reason))));
        }
        (wish.delivery, wish.row) = (Some(place.delivery), Some(place.row));
    }
    if !is_dry {
        super::import::catch_up(&installation, &installation.state()?)?;
    }
    let outlook = look(&installation, &landing, &wish, None)?;
    let recycled = if is_dry {
        Recycled::shown(outlook)
    } else {
        carry_out(global, &installation, &landing, &wish.again(), outlook, args.workers)?
    };
    recycled.answer().print(global.output)?;
    let stays = recycled.outlook.rated() < recycled.outlook.chosen();
    Ok(if stays { Exit::NeedsHand } else { Exit::Done })
}

/// A record in suspense.
pub struct Place {
    /// Its delivery.
    pub delivery: DeliveryId,
    /// Its row there.
    pub row: u64,
    /// Why it is in suspense.
    pub reason: Reason,
}

/// The record in suspense that is named; `priced` says what is done with one that has a price.
pub fn place(installation: &Installation, record: &str, priced: &str) -> anyhow::Result<Place> {
    let filter = key_or_place_filter(record)?;
    let rows = ask_rows(installation, &format!("SELECT delivery, row, reason FROM cdr WHERE {filter} LIMIT 2"))?;
    let row = match rows.as_slice() {
        [] => return Err(bad_input(format!("no record is named `{record}`; `tollway suspense list` shows what there is"))),
        [row] => row,
        _ => return Err(bad_input(format!("`{record}` names more than one record; give more digits, or delivery:row"))),
    };
    let found = row.text("delivery").and_then(DeliveryId::parse).zip(row.text("reason").and_then(Reason::parse));
    let not_there = || bad_input(format!("`{record}` is not in suspense; what has a price {priced}"));
    found.map(|(delivery, reason)| Place { delivery, row: row.number("row"), reason }).ok_or_else(not_there)
}

/// The rows that the options name.
pub fn chosen(installation: &Installation, landing: &Landing, args: &RecycleArgs) -> anyhow::Result<Wish> {
    let reasons = args.reasons.iter().map(|reason| check_reason(reason)).collect::<Result<_, _>>()?;
    let identifier = args.identifier.as_deref().map(|number| identifier(args.kind, number)).transpose()?;
    let delivery = match &args.file {
        None => None,
        Some(file) => {
            let stopped = Stopped::of_table(&installation.entries()?);
            Some(find(landing, &stopped, file, args.account.as_deref())?.record.delivery)
        }
    };
    Ok(Wish { account: args.account.clone(), reasons, delivery, row: None, identifier })
}

/// What helps rows that come out the same each time.
pub fn what_helps(reason: Reason) -> &'static str {
    if reason.is_malformed() {
        "a file is read with the profile that it came with; mend the profile, `tollway withdraw` the file and ingest it with --as-new"
    } else if reason == Reason::BeyondAllowance {
        "it hangs on the customer's other records, which `tollway settle` takes together; give the plan more, or write them off"
    } else {
        "another record has the id; `tollway withdraw` the file whose record is wrong"
    }
}
