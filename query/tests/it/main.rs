//! The query crate from outside: snapshots made without a store, statements and requests against
//! them.

#![expect(clippy::expect_used, reason = "a failing test says where")]

mod api;
mod cohort;
mod direct;
mod findings;
mod model;
mod order;
mod pruning;
mod requests;
mod sealed;
mod search;
mod slt;
mod sql;
mod stamps;
mod stored;
mod world;
