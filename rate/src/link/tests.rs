//! Whose device it was: recycled numbers, swapped SIMs, moves between customers, and the edges of windows.

use std::sync::Arc;

use domain::columns::linked::{NO_GROUP, NO_OWNER, Owner, Owners};
use domain::ids::Names;

use super::index::{DeviceIndex, Found, IdentifierKind, IdentifierWindow};
use super::link;
use crate::tests::fixture::{Row, batch, utc};

/// Windows `(from, to, device)`; the device number is the customer's as well.
fn owners(windows: &[(i64, i64, u32)]) -> Arc<Owners> {
    let owner = |(from_us, to_us, device): &(i64, i64, u32)| Owner {
        from_us: *from_us,
        to_us: *to_us,
        device: *device,
        subscription: 0,
        customer: *device,
        plan: 0,
        group: NO_GROUP,
    };
    Arc::new(Owners {
        windows: windows.iter().map(owner).collect(),
        devices: Names::new(["phone", "tablet", "van"]),
        ..Owners::default()
    })
}

fn msisdn(value: u64, owner: u32) -> IdentifierWindow {
    IdentifierWindow { kind: IdentifierKind::Msisdn, value, owner }
}

fn imsi(value: u64, owner: u32) -> IdentifierWindow {
    IdentifierWindow { kind: IdentifierKind::Imsi, value, owner }
}

/// The owners that linking gives to rows of (a number, IMSI, ICCID, start).
fn linked(index: &DeviceIndex, rows: &[(u64, u64, u64, i64)]) -> Vec<u32> {
    let rows = rows.iter().map(|(number, imsi, iccid, start_us)| Row {
        a_number: *number,
        imsi: *imsi,
        iccid: *iccid,
        start_us: *start_us,
        ..Row::default()
    });
    link(batch(rows.collect(), &[]), index).owner
}

const NUMBER: u64 = 31_612_345_678;
const SIM_A: u64 = 204_080_000_000_001;
const SIM_B: u64 = 204_080_000_000_002;
const CARD: u64 = 8_931_081_234_567_890_123;

#[test]
fn a_recycled_number_belongs_to_each_holder_in_turn_and_to_nobody_between() {
    let (first_ends, second_begins) = (utc("2026-03-01T00:00:00"), utc("2026-09-01T00:00:00"));
    let owners = owners(&[(utc("2025-01-01T00:00:00"), first_ends, 0), (second_begins, i64::MAX, 1)]);
    let index = DeviceIndex::build(owners, vec![msisdn(NUMBER, 1), msisdn(NUMBER, 0)]).expect("no overlap");
    let at = |start_us| linked(&index, &[(NUMBER, 0, 0, start_us)])[0];
    assert_eq!(at(utc("2025-01-01T00:00:00") - 1), NO_OWNER);
    assert_eq!(at(utc("2025-01-01T00:00:00")), 0);
    assert_eq!(at(first_ends - 1), 0);
    assert_eq!(at(first_ends), NO_OWNER);
    assert_eq!(at(second_begins - 1), NO_OWNER);
    assert_eq!(at(second_begins), 1);
    assert_eq!(linked(&index, &[(NUMBER + 1, 0, 0, second_begins)]), [NO_OWNER]);
}

#[test]
fn after_a_sim_swap_the_number_stays_and_each_sim_counts_in_its_own_time() {
    let swap = utc("2026-10-14T09:30:00");
    let owners = owners(&[(0, swap, 0), (swap, i64::MAX, 0)]);
    let windows = vec![msisdn(NUMBER, 0), msisdn(NUMBER, 1), imsi(SIM_A, 0), imsi(SIM_B, 1)];
    let index = DeviceIndex::build(owners, windows).expect("no overlap");
    assert_eq!(linked(&index, &[(NUMBER, SIM_A, 0, swap - 1), (NUMBER, SIM_B, 0, swap)]), [0, 1]);
    assert_eq!(linked(&index, &[(NUMBER, 0, 0, swap - 1), (NUMBER, 0, 0, swap)]), [0, 1]);
    // The old SIM is known and was nobody's after the swap: its number must not speak for it.
    assert_eq!(linked(&index, &[(NUMBER, SIM_A, 0, swap)]), [NO_OWNER]);
}

#[test]
fn a_transfer_between_customers_takes_effect_to_the_microsecond() {
    let transfer = utc("2026-10-25T00:30:00") + 1;
    let owners = owners(&[(0, transfer, 0), (transfer, i64::MAX, 2)]);
    let index = DeviceIndex::build(owners.clone(), vec![msisdn(NUMBER, 0), msisdn(NUMBER, 1)]).expect("no overlap");
    let found = linked(&index, &[(NUMBER, 0, 0, transfer - 1), (NUMBER, 0, 0, transfer)]);
    assert_eq!(found.iter().map(|o| owners.windows[*o as usize].customer).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn the_sim_goes_before_the_card_and_the_card_before_the_number() {
    let owners = owners(&[(0, i64::MAX, 0), (0, i64::MAX, 1), (0, i64::MAX, 2)]);
    let card = IdentifierWindow { kind: IdentifierKind::Iccid, value: CARD, owner: 1 };
    let index = DeviceIndex::build(owners, vec![imsi(SIM_A, 0), card, msisdn(NUMBER, 2)]).expect("no overlap");
    let rows = [
        (NUMBER, SIM_A, CARD, 5),
        (NUMBER, 0, CARD, 5),
        (NUMBER, 0, 0, 5),
        (NUMBER, SIM_B, CARD, 5),
        (NUMBER, SIM_B, CARD + 1, 5),
    ];
    assert_eq!(linked(&index, &rows), [0, 1, 2, 1, 2]);
}

#[test]
fn two_windows_of_one_number_that_share_an_instant_are_refused_with_both_named() {
    let owners =
        owners(&[(utc("2026-01-01T00:00:00"), utc("2026-06-01T00:00:00"), 0), (utc("2026-05-31T23:59:59"), i64::MAX, 2)]);
    let error = DeviceIndex::build(owners, vec![msisdn(NUMBER, 0), msisdn(NUMBER, 1)]).expect_err("an overlap");
    assert_eq!(
        error.to_string(),
        "msisdn 316•••••678 belongs to device `phone` (from 2026-01-01T00:00:00Z to 2026-06-01T00:00:00Z) and to device `van` \
         (from 2026-05-31T23:59:59Z) at the same time; end the first window before the second begins"
    );
}

#[test]
fn windows_that_touch_are_no_overlap_and_empty_ones_hold_nothing() {
    let owners = owners(&[(10, 20, 0), (20, 20, 1), (20, 30, 2), (40, 35, 1)]);
    let index = DeviceIndex::build(owners, (0..4).map(|o| msisdn(NUMBER, o)).collect()).expect("no overlap");
    let at = |us| index.msisdn(NUMBER, us);
    assert_eq!([at(19), at(20), at(36)], [Found::Owner(0), Found::Owner(2), Found::Nobody]);
    assert_eq!(index.imsi(NUMBER, 19), Found::Unknown);
}

#[test]
fn identifiers_without_value_and_owners_that_do_not_exist_are_refused() {
    let build = |window| DeviceIndex::build(owners(&[(0, 1, 0)]), vec![window]).map(|_| ()).map_err(|e| e.to_string());
    assert_eq!(build(imsi(0, 0)), Err("window 0 of kind imsi has no value; leave the window out".to_owned()));
    let text = "window 0 names owner 7, but there are 1; build both from the same reference version";
    assert_eq!(build(msisdn(NUMBER, 7)), Err(text.to_owned()));
}

#[test]
fn a_large_index_finds_every_number_and_no_other() {
    let owners = owners(&[(0, 100, 0), (100, i64::MAX, 1)]);
    let windows = (1..=50_000u64).flat_map(|n| [msisdn(n * 7, 0), msisdn(n * 7, 1)]).collect();
    let index = DeviceIndex::build(owners, windows).expect("no overlap");
    for n in 1..=50_000u64 {
        assert_eq!(index.msisdn(n * 7, 99), Found::Owner(0));
        assert_eq!(index.msisdn(n * 7, 100), Found::Owner(1));
        assert_eq!(index.msisdn(n * 7 + 1, 100), Found::Unknown);
    }
}
