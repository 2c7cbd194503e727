//! The query crate from outside: snapshots made without a store, statements and requests against
//! them.

#![expect(clippy::expect_used, reason = "a failing test says where")]

mod api;
mod direct;
mod pruning;
mod sealed;
mod slt;
mod sql;
mod world;
