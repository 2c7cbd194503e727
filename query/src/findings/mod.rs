//! What traces show: critical paths and findings, of one trace when asked and of all as they come.
//!
//! ```text
//! rows of traces -- grouped, merged, aligned --> MergedTrace --> critical path
//!                                                          '--> detectors --> Finding --> FindingLog
//!                                                                                          |
//!                                       table `findings`, groups over HTTP <---------------'
//! ```

mod groups;
mod log;
mod merged;
mod path;
mod table;

pub(crate) use groups::{FindingAnswer, GroupFilter, GroupsAnswer, WholeGroup, group, groups};
pub(crate) use log::FindingLog;
pub(crate) use merged::{Time, each_trace, one_trace};
pub(crate) use path::{PathAnswer, SegmentAnswer, critical_path};
pub(crate) use table::{batch, schema};
