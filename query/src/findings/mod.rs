//! What traces show: critical paths and findings, of one trace when asked and of all as they come.
//!
//! ```text
//! traces -- ordered, aligned --> MergedTrace --> critical path
//!                                                          '--> detectors --> Finding --> FindingLog
//!                                                                                          |
//!                                       table `findings`, groups over HTTP <---------------'
//! ```

mod clocks;
mod groups;
mod log;
mod path;
mod saved;
mod states;
mod table;

pub(crate) use clocks::of_clocks;
pub(crate) use groups::{
    FindingAnswer, GroupAnswer, GroupFilter, GroupsAnswer, WholeGroup, group, groups,
};
pub(crate) use log::FindingLog;
pub(crate) use path::{PathAnswer, SegmentAnswer, Time, critical_path, in_time};
pub(crate) use saved::{read as read_findings, write as write_findings};
pub(crate) use states::{States, Wish};
pub(crate) use table::{batch, schema};
