//! Counts what a thread holds in memory, so that an input which makes a reader take too much is a finding and no crash.
//!
//! A watched thread that goes far beyond its limit stops inside the allocation, and the watchdog ends the program with the
//! input in hand: there is no way to give an allocation back that is safe in every caller.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait; every call goes to the system's unchanged")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// The allocator of this program.
pub struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// The most that may be held before the thread stops; 0 while it is not watched.
    static STOP_AT: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Whether a watched thread has stopped.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// A thread stops when it holds so many times what it may.
const STOP_FACTOR: usize = 16;

fn took(bytes: usize) {
    let stop_at = STOP_AT.get();
    if stop_at == 0 {
        return;
    }
    let held = HELD.get().saturating_add(bytes);
    HELD.set(held);
    PEAK.set(PEAK.get().max(held));
    if held > stop_at {
        STOPPED.store(true, Ordering::SeqCst);
        loop {
            std::hint::spin_loop();
        }
    }
}

fn gave_back(bytes: usize) {
    if STOP_AT.get() != 0 {
        HELD.set(HELD.get().saturating_sub(bytes));
    }
}

// SAFETY: each method hands its arguments to the system's allocator as they are; counting touches cells without destructors,
// which need no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        took(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        gave_back(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        took(new_size);
        gave_back(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(place, layout, new_size) }
    }
}

/// Runs something and says how many bytes it held at most beyond what was there before. It stops for good when it holds 16
/// times `limit`.
pub fn measured<T>(limit: usize, run: impl FnOnce() -> T) -> (T, usize) {
    HELD.set(0);
    PEAK.set(0);
    STOP_AT.set(limit.saturating_mul(STOP_FACTOR));
    let result = run();
    STOP_AT.set(0);
    (result, PEAK.get())
}

/// Whether a watched thread went so far beyond its limit that it stopped.
pub fn is_stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_was_held_is_counted() {
        let (_, peak) = measured(1 << 30, || {
            let first = vec![0u8; 1 << 20];
            drop(first);
            let second = vec![0u8; 3 << 20];
            second.len()
        });
        assert!((3 << 20..4 << 20).contains(&peak), "{peak}");
    }
}
