//! From a drafted correction to durable files: reversals beside the entries that they take back, new entries, the ledger's moves.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::RecordBatch;
use domain::check;
use domain::columns::entries::EntryKind;
use domain::columns::rated::RatedBatch;
use domain::delivery::FileContext;
use domain::outcome::Counts;
use domain::ports::{Clock, Rng};

use super::duplicates::{Checked, Fate};
use super::prepare::{LedgerTags, build, signed, write};
use super::{CommitError, Committer, PositionMove, Prepared};
use crate::correction::{Anew, Draft, Moves, Place, Sums, restated, reversal};
use crate::delta::action::Add;
use crate::entries::Words;
use crate::keys::cache::Found;
use crate::keys::sidecar::{account_hash, encode};
use crate::keys::stopped;
use crate::standing::TAG_REVERSALS;
use crate::table::TableError;

/// See [`Committer::prepare_correction`].
pub(super) fn prepare(
    committer: &mut Committer,
    draft: &Draft,
    positions: &[PositionMove],
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> Result<Prepared, CommitError> {
    let (plan, now_ms) = (&draft.plan, clock.now_us() / 1000);
    let mut prepared = Prepared {
        info: signed(BTreeSet::new(), draft.reference_version, now_ms, rng),
        adds: Vec::new(),
        positions: positions.to_vec(),
        ledger: Vec::new(),
        found: Found::default(),
        sidecar: None,
        redelivered: 0,
    };
    prepared.positions.extend(own_position(committer, draft));
    if plan.is_empty() {
        return Ok(prepared);
    }
    prepared.info.accounts.push(plan.account.clone());
    let as_of = i64::try_from(plan.as_of).unwrap_or(i64::MAX);
    let (reversed, staying) = reverse(committer, draft, as_of, now_ms, rng, &mut prepared.adds)?;
    let mut anew = draft.anew();
    let wanted: usize = plan.anew().values().map(BTreeMap::len).sum();
    let found = anew.total();
    check!(
        RowsMatchFiles,
        found.rated + found.suspended() == wanted as u64,
        "{wanted} records are to be rated again, {found:?} are"
    );
    let (wanted, stay) = (plan.staying().len(), staying.total().suspended());
    check!(RowsMatchFiles, stay == wanted as u64, "{wanted} records are to stay with another reason, {stay} do");
    anew.join(staying);
    let stopped = committer.keys.stopped(&committer.table).clone();
    prepared.ledger = Moves::of(draft, &committer.table, &stopped, &reversed, &anew)?.rows(draft);
    let batches: Vec<&RatedBatch> = draft.rated.iter().collect();
    let by_delivery = plan.anew();
    let checked: Vec<Checked> = batches.iter().map(|batch| chosen(batch, &by_delivery)).collect();
    let number = |file: &FileContext, row: u64| {
        let place = Place { delivery: file.delivery, row };
        draft.live.numbers.get(&place).map_or(0, |number| number + 1)
    };
    let words = Words { kind: EntryKind::Correction, as_of: Some(as_of), number: &number };
    let files = build(&batches, &checked, &prepared.ledger, &words)?;
    let sidecar = format!("_keys/{}", rng.next_name());
    let table = &committer.table;
    let claimed = encode(&plan.claims);
    table.blob().put_if_absent(&format!("{}/{sidecar}", table.root()), &claimed).map_err(TableError::from)?;
    let encoded = files.iter().map(|file| table.encode(&file.batches)).collect::<Result<Vec<_>, _>>()?;
    let stops =
        (!plan.stopping.is_empty()).then(|| stopped::tag(account_hash(&plan.account), plan.fate, plan.stopping.keys().copied()));
    let tags = LedgerTags { rows: &prepared.ledger, sidecar: Some(&sidecar), stopped: stops };
    prepared.adds.extend(write(table, files, encoded, now_ms, rng, &tags)?);
    prepared.sidecar = Some(sidecar);
    Ok(prepared)
}

/// The account's position among corrections of one kind; it never moves back.
fn own_position(committer: &Committer, draft: &Draft) -> Option<PositionMove> {
    let app_id = &draft.plan.position;
    let from = committer.table.snapshot().position(app_id);
    let to = draft.plan.by + 1;
    (to > from).then(|| PositionMove { app_id: app_id.clone(), from, to })
}

/// Writes the reversals, one file beside each that holds entries to take back, and another one for what stays with another reason;
/// tells what both come to.
fn reverse(
    committer: &Committer,
    draft: &Draft,
    as_of: i64,
    now_ms: i64,
    rng: &mut dyn Rng,
    adds: &mut Vec<Add>,
) -> Result<(Sums, Sums), CommitError> {
    let table = &committer.table;
    let (mut sums, mut stay) = (Sums::default(), Sums::default());
    let staying = draft.plan.staying();
    draft.live.read(table, |of, batches| {
        let (mut turned, mut again) = (Vec::with_capacity(batches.len()), Vec::new());
        for batch in &batches {
            sums.add(batch)?;
            turned.push(reversal(batch, as_of)?);
            again.extend(restated(batch, &staying, as_of, &mut stay)?);
        }
        let rows_of = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).sum::<usize>();
        let partition = |column: &'static str| Some((column, of.partition(column)?));
        let Some((month, outcome)) = partition("event_month").zip(partition("outcome")) else {
            return Err(TableError::File { path: of.path.clone(), what: "it lies in no partition".to_owned() }.into());
        };
        let rows = rows_of(&turned);
        let mut add = table.put(&table.encode(&turned)?, rows, &[month, outcome], &rng.next_name(), now_ms)?;
        add.tags.get_or_insert_default().insert(TAG_REVERSALS.to_owned(), rows.to_string());
        adds.push(add);
        if !again.is_empty() {
            adds.push(table.put(&table.encode(&again)?, rows_of(&again), &[month, outcome], &rng.next_name(), now_ms)?);
        }
        Ok(())
    })?;
    Ok((sums, stay))
}

/// The rows of a batch, each with its fate: those that are not to be written are passed over.
fn chosen(batch: &RatedBatch, anew: &BTreeMap<domain::delivery::DeliveryId, BTreeMap<u64, Anew>>) -> Checked {
    let parsed = &batch.linked.parsed;
    let rows = anew.get(&parsed.file.delivery);
    let anew = |row: &u64| rows.and_then(|rows| rows.get(row));
    let fate = |row: &u64| match anew(row) {
        None => Fate::Gone,
        Some(anew) if anew.is_conflict => Fate::Conflict,
        Some(_) => Fate::Stays,
    };
    let fates = parsed.columns.row.iter().map(fate).collect();
    let malformed = (0..parsed.malformed.len()).filter(|i| anew(&parsed.malformed[*i].row).is_some()).collect();
    Checked { fates, malformed, counts: Counts::default() }
}
