//! `tollway dismiss`: a file that was refused as a whole needs no hand any more; the word is landed, so that it stays said.

use std::path::Path;

use domain::delivery::DeliveryId;
use ingest::land::{ArrivalKind, Landed};
use serde_json::json;

use crate::attention;
use crate::cli::{DismissArgs, Global};
use crate::exit_code::{Exit, bad_input};
use crate::installation::Installation;
use crate::named::is_account;
use crate::output::{Answer, Sheet};
use crate::system::SystemClock;

/// Runs the command.
pub fn run(global: &Global, args: &DismissArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let landing = installation.landing();
    let ledger = sinks::ledger::read_all(&installation.entries()?)?;
    let mut sheet = Sheet::new("dismissed", &["file", "account", "state", "delivery"]);
    let mut dismissed: Vec<DeliveryId> = Vec::new();
    for entry in ledger.iter().filter(|e| attention::is_refused(e)) {
        let ArrivalKind::Delivery(record) = landing.arrival(entry.arrival)?.kind else { continue };
        let account = &record.identity.account;
        let is_named = record.origin == args.file
            || record.identity.logical_file == args.file
            || Path::new(&record.origin).file_name().is_some_and(|name| name.to_string_lossy() == args.file);
        let is_of = args.account.as_ref().is_none_or(|wanted| is_account(&account.path(), wanted));
        if !(is_named && is_of) {
            continue;
        }
        // What was dismissed before is named again: the answer is the same however often it is asked.
        if let Landed::New(_) | Landed::Already(_) = landing.dismiss(entry.arrival, &args.why, &SystemClock)? {
            let state = entry.verdict.as_ref().map(|v| v.state.clone()).unwrap_or_default();
            sheet.row([record.origin.clone(), account.path(), state, entry.delivery.to_string()]);
            dismissed.push(entry.delivery);
        }
    }
    let is_called = |trouble: &attention::Trouble| {
        trouble.file == args.file || Path::new(&trouble.file).file_name().is_some_and(|name| name.to_string_lossy() == args.file)
    };
    if let Some(held) = attention::held(&landing)?.into_iter().find(is_called).filter(|_| dismissed.is_empty()) {
        let message = held.message;
        return Err(bad_input(format!(
            "`{}` was not refused, it is held: {message}; `tollway withdraw` takes it off",
            args.file
        )));
    }
    if dismissed.is_empty() {
        return Err(bad_input(format!(
            "no refused file is called `{}`; `tollway status` lists those that were refused",
            args.file
        )));
    }
    let headline = format!("{} refused files need no hand any more", dismissed.len());
    let json = json!({"dismissed": dismissed.iter().map(ToString::to_string).collect::<Vec<_>>(), "why": args.why});
    let next = vec!["with those: tollway status --all".to_owned()];
    Answer { headline, sheets: vec![sheet], next, json }.print(global.output)?;
    Ok(Exit::Done)
}
