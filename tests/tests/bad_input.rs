//! Bad input and bad times: each case with the command as a user types it, its exit code, and a message that says what is
//! wrong where and what to do. What is not bad goes on, nothing half applied is left, and a second run completes.

#[path = "bad_input/desk.rs"]
mod desk;
#[path = "bad_input/kpn.rs"]
mod kpn;

#[path = "bad_input/configuration.rs"]
mod configuration;
#[path = "bad_input/damage.rs"]
mod damage;
#[path = "bad_input/disks.rs"]
mod disks;
#[path = "bad_input/files.rs"]
mod files;
#[path = "bad_input/morning.rs"]
mod morning;
#[path = "bad_input/other_programs.rs"]
mod other_programs;
#[path = "bad_input/pricing.rs"]
mod pricing;
#[path = "bad_input/prying.rs"]
mod prying;
#[path = "bad_input/questions.rs"]
mod questions;
#[path = "bad_input/reference.rs"]
mod reference;
#[path = "bad_input/repeats.rs"]
mod repeats;
#[path = "bad_input/rows.rs"]
mod rows;
