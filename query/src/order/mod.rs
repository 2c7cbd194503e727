//! What happened before what, and how far clocks are apart: the crate `clock` over what is stored.
//!
//! ```text
//! merged traces -- gather, identity --> spans of `clock` --> TraceOrder --> relation, cone, causal order, cut
//!                                                              |  ^
//!                                         messages between clocks  | offsets
//!                                                              v  |
//!                                                            Clocks --> tables `clocks`, `clock_pairs`
//! ```
//!
//! Invariants: what is called proven rests on recorded edges; offsets come from messages and are never
//! written over raw times; what was not observed yet is missing evidence, never a wrong bound.

mod answers;
mod clocks;
mod gather;
mod identity;
mod saved;
mod tables;
mod trace_order;

pub(crate) use answers::{
    ClockAnswer, ConeAnswer, LineAnswer, Messages, RelationAnswer, aligned, cone, line, messages,
    relation,
};
pub(crate) use clocks::Clocks;
pub(crate) use gather::{ORDER_ATTRIBUTES, Place};
pub(crate) use identity::{ClockName, parse_clock};
pub(crate) use saved::write as write_clocks;
pub(crate) use tables::{
    ClocksAnswer, clock_offset, clock_offset_schema, clock_pairs, clock_pairs_schema, clocks,
    clocks_answer, clocks_schema,
};
pub(crate) use trace_order::{TraceOrder, with_each_trace, with_traces};
