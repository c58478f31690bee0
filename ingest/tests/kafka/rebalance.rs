//! Members of a group that come and go: whose a record is, and when a partition changes hands.

use std::collections::{BTreeMap, BTreeSet};

use ingest::log::kafka::{KafkaLog, KafkaReader, Rebalance};
use ingest::log::{LogEvent, LogReader, LogWriter, Record, TopicPartition};

use crate::support::{PARTITIONS, POLLS_MAX, TOPIC, at, fresh, settings};

/// A member of a group that starts each partition where the table of positions stands and moves the position with each
/// record, as a worker's commit does.
struct Member {
    name: usize,
    reader: KafkaReader,
    owned: BTreeSet<u32>,
}

/// Positions and owners over all members.
#[derive(Default)]
struct Table {
    positions: BTreeMap<u32, u64>,
    owner: BTreeMap<u32, usize>,
    seen: Vec<(usize, u32, u64)>,
}

impl Member {
    fn join(name: usize, log: &KafkaLog) -> Self {
        Self { name, reader: log.reader("rate", TOPIC).expect("a reader"), owned: BTreeSet::new() }
    }

    /// One poll, checked against what the other members own.
    fn turn(&mut self, table: &mut Table) {
        match self.reader.poll(20, 7).expect("a poll") {
            LogEvent::Assigned(partitions) => {
                for TopicPartition { partition, .. } in partitions {
                    let before = table.owner.insert(partition, self.name);
                    assert_eq!(before, None, "partition {partition} was assigned before its owner gave it up");
                    self.owned.insert(partition);
                    let position = table.positions.get(&partition).copied().unwrap_or_default();
                    self.reader.start_at(at(partition), position).expect("the table's position");
                }
            }
            LogEvent::Revoked(partitions) => {
                for TopicPartition { partition, .. } in partitions {
                    assert!(self.owned.remove(&partition), "only what was assigned is revoked");
                    assert_eq!(table.owner.remove(&partition), Some(self.name));
                }
            }
            LogEvent::Records(TopicPartition { partition, .. }, records) => {
                assert!(self.owned.contains(&partition), "no record of a partition that is not ours");
                for Record { offset, .. } in records {
                    assert_eq!(offset, *table.positions.entry(partition).or_default(), "the next record and no other");
                    table.positions.insert(partition, offset + 1);
                    table.seen.push((self.name, partition, offset));
                }
            }
            LogEvent::Idle => {}
        }
    }

    /// Leaves the group as a stopped process does; its partitions are free from now on.
    fn leave(self, table: &mut Table) {
        table.owner.retain(|_, owner| *owner != self.name);
    }
}

/// Takes turns until something is so.
fn until(members: &mut [Member], table: &mut Table, what: &str, is_so: impl Fn(&[Member], &Table) -> bool) {
    for _ in 0..POLLS_MAX {
        for member in members.iter_mut() {
            member.turn(table);
        }
        if is_so(members, table) {
            return;
        }
    }
    panic!("{what}: never; owners {:?}, {} seen", table.owner, table.seen.len());
}

/// All partitions have an owner and all members have as many.
fn is_shared_out(members: &[Member], table: &Table) -> bool {
    let share = PARTITIONS as usize / members.len();
    table.owner.len() == PARTITIONS as usize && members.iter().all(|member| member.owned.len() == share)
}

fn members_come_and_go(rebalance: Rebalance) {
    let mut settings = settings();
    settings.rebalance = rebalance;
    let log = fresh(&settings);
    let mut writer = log.writer();
    let mut written = 0;
    let mut write_more = || {
        for n in written..written + 100 {
            writer.append(TOPIC, format!("main/kpn/{n}").as_bytes(), &[], b"x").expect("an append");
        }
        written += 100;
        written
    };
    let mut table = Table::default();
    let mut members: Vec<Member> = (0..3).map(|name| Member::join(name, &log)).collect();
    let count = write_more();
    until(&mut members, &mut table, "three share out and read", |m, t| is_shared_out(m, t) && t.seen.len() == count);

    members.remove(1).leave(&mut table);
    let count = write_more();
    until(&mut members, &mut table, "two go on", |m, t| is_shared_out(m, t) && t.seen.len() == count);

    members.push(Member::join(3, &log));
    let count = write_more();
    until(&mut members, &mut table, "a third takes its share", |m, t| is_shared_out(m, t) && t.seen.len() == count);
    let count = write_more();
    until(&mut members, &mut table, "and reads", |_, t| t.seen.len() == count);
    assert!(table.seen.iter().any(|(name, ..)| *name == 3), "the new member reads");

    let distinct: BTreeSet<(u32, u64)> = table.seen.iter().map(|(_, partition, offset)| (*partition, *offset)).collect();
    assert_eq!((distinct.len(), table.seen.len()), (count, count), "every record once");
}

#[test]
fn members_that_come_and_go_see_every_record_once() {
    members_come_and_go(Rebalance::Cooperative);
}

#[test]
fn members_that_come_and_go_see_every_record_once_when_the_broker_shares_out() {
    members_come_and_go(Rebalance::Consumer);
}

#[test]
fn a_revoked_partition_waits_for_its_owner_before_it_is_assigned_again() {
    for rebalance in [Rebalance::Cooperative, Rebalance::Consumer] {
        a_revoked_partition_waits(rebalance);
    }
}

fn a_revoked_partition_waits(rebalance: Rebalance) {
    let mut settings = settings();
    settings.rebalance = rebalance;
    let log = fresh(&settings);
    let mut table = Table::default();
    let mut members = vec![Member::join(0, &log)];
    until(&mut members, &mut table, "one has all", is_shared_out);
    members.push(Member::join(1, &log));
    // The first member hears of the revocation and does not poll again: it is still busy with a commit.
    for _ in 0..POLLS_MAX {
        members[1].turn(&mut table);
        if members[0].owned.len() < PARTITIONS as usize {
            break;
        }
        members[0].turn(&mut table);
    }
    assert_eq!(members[0].owned.len(), PARTITIONS as usize / 2, "half of it was revoked");
    // Ten signs of life to the group.
    for _ in 0..200 {
        members[1].turn(&mut table);
        assert!(members[1].owned.is_empty(), "what the first has not let go of is nobody's");
    }
    until(&mut members, &mut table, "both have their share", is_shared_out);
}

#[test]
fn a_member_that_hangs_loses_its_partitions_and_hears_of_it_before_it_reads_on() {
    let mut settings = settings();
    settings.poll_gap_max_ms = 10_000;
    let log = fresh(&settings);
    let mut table = Table::default();
    let mut members = vec![Member::join(0, &log), Member::join(1, &log)];
    until(&mut members, &mut table, "two share out", is_shared_out);
    let mut hung = members.remove(0);
    let mut writer = log.writer();
    for n in 0..100 {
        writer.append(TOPIC, format!("main/kpn/{n}").as_bytes(), &[], b"x").expect("an append");
    }
    // While it hangs, its place in the table of owners is taken by force.
    table.owner.retain(|_, owner| *owner != 0);
    until(&mut members, &mut table, "the other takes all", |m, t| is_shared_out(m, t) && t.seen.len() == 100);
    let told = (0..POLLS_MAX).find_map(|_| match hung.reader.poll(20, 7).expect("a poll") {
        LogEvent::Idle => None,
        event => Some(event),
    });
    let Some(LogEvent::Revoked(partitions)) = told else { panic!("a revocation was due, not {told:?}") };
    assert_eq!(partitions.into_iter().map(|p| p.partition).collect::<BTreeSet<_>>(), hung.owned);
    hung.owned.clear();
    members.push(hung);
    until(&mut members, &mut table, "it is taken back", is_shared_out);
}
