//! The program as its users run it: whole scenarios over the real binary, on loopback and in folders of their own.
//!
//! Needs what `cargo xtask test` sets: `TOLLWAY_BIN`, `TOLLWAY_PYTHON` and the servers of `cargo xtask services`; and if wanted
//! `TOLLWAY_SAMPLES` and `TOLLWAY_MONTH_ROWS`.

mod support;

mod scenarios {
    //! One file per promise.

    mod bench_job;
    mod billed;
    mod broker_faults;
    mod brokers;
    mod bucket;
    mod closing;
    mod dead_letters;
    mod demo;
    mod derivations;
    mod draft;
    mod edit;
    mod fixtures;
    mod groups;
    mod healing;
    mod known_at;
    mod levels;
    mod listen;
    mod other_readers;
    mod pricing_door;
    mod rate;
    mod readers;
    mod recycle;
    mod rerate;
    mod same_month;
    mod samples;
    mod schemas;
    mod service;
    mod settle;
    mod several_records;
    mod state_server;
    mod tariffs;
    mod thresholds;
    mod verify;
    mod withdraw;
    mod write_off;
    mod whole_month;
    mod wrapped;
}
