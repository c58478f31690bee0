//! What `tollway ingest` does with a file that looks like one that is here, as its options say.

use domain::delivery::{Account, ArrivalNumber};
use ingest::land::{ArrivalKind, DeliveryState, Landing, Repeat};
use sinks::keys::stopped::Stopped;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::cli::IngestArgs;
use crate::exit_code::{bad_input, usage};
use crate::installation::Installation;
use crate::named::{Named, find_announced};

/// What is to be done with a file that looks like one that is here, of so many files.
pub fn repeat(
    installation: &Installation,
    landing: &Landing,
    args: &IngestArgs,
    account: &Account,
    files: usize,
) -> anyhow::Result<Repeat> {
    let Some(name) = &args.replaces else {
        return Ok(if args.as_new { Repeat::AsNew } else { Repeat::Hold });
    };
    if files != 1 {
        return Err(usage(format!(
            "--replaces takes one file, these are {files}: which of them takes the other's place is not said"
        )));
    }
    let entries = installation.entries()?;
    let stopped = Stopped::of_table(&entries);
    let former = find_announced(landing, &stopped, name, Some(&account.path()))?;
    if former.record.state != DeliveryState::Announced {
        return Err(bad_input(format!("`{name}` is held: no row of it counts, so nothing can take its place")));
    }
    if let Some(why) = counts_no_more(landing, &entries, &former)? {
        return Err(bad_input(format!("nothing can take the place of `{name}`, arrival {}: {why}", former.number)));
    }
    Ok(Repeat::Replaces(former.number))
}

/// Why nothing can take the place of a file: another has it, or it was taken back. A file that was refused has taken none.
fn counts_no_more(landing: &Landing, entries: &Table, named: &Named) -> anyhow::Result<Option<String>> {
    if let Some(decision) = landing.withdrawal_of(named.number)? {
        return Ok(Some(format!("it was taken back as arrival {decision}; land the file with --as-new")));
    }
    if let Some(by) = landing.superseded_by(named.number)?
        && !was_refused(landing, entries, by)?
    {
        let instead = match landing.stands_for(by)? {
            Some(acting) => format!("what counts now is arrival {acting}: --replaces {acting}"),
            None => "and was taken back since; land the file with --as-new".to_owned(),
        };
        return Ok(Some(format!("arrival {by} has taken it; {instead}")));
    }
    if named.record.replaces.is_some()
        && was_refused(landing, entries, named.number)?
        && let Some((acting, _)) = landing.replaced_by(named.number, &named.record)?.last()
    {
        return Ok(Some(format!(
            "it was refused and has taken nobody's place; what counts is arrival {acting}: --replaces {acting}"
        )));
    }
    Ok(None)
}

/// Whether a file has its verdict and is not whole.
fn was_refused(landing: &Landing, entries: &Table, number: ArrivalNumber) -> anyhow::Result<bool> {
    let ArrivalKind::Delivery(record) = landing.arrival(number)?.kind else { return Ok(false) };
    let settled = Settled::of_entries(&sinks::ledger::read_delivery(entries, number, record.delivery)?);
    Ok(settled.contains(record.delivery) && !settled.is_whole(record.delivery))
}
