//! What the scenarios share: the program and its data folders, children that are watched, other readers, generated months.

pub mod brokers;
pub mod bucket;
pub mod bundles;
pub mod chance;
pub mod data_folder;
pub mod live_topic;
pub mod month;
pub mod own_broker;
pub mod place;
pub mod process;
pub mod readers;
pub mod road;
pub mod small;
