//! Tests over the whole crate: the tables that a billing clerk reads, and properties over random tariffs and records.

mod besides;
mod edges;
mod groups;
mod guide;
pub(crate) mod fixture;
mod tables;
pub(crate) mod lines;
mod properties;
mod reference;
