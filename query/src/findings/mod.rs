//! What traces show: critical paths and findings, of one trace when asked and of all as they come.
//!
//! ```text
//! traces -- ordered, aligned --> MergedTrace --> critical path
//!                                                          '--> Finder: detectors --> FindingLog
//!                                                                                          |
//!                                       table `findings`, groups over HTTP <---------------'
//! ```

mod changes;
mod clocks;
mod finder;
mod groups;
mod log;
mod path;
mod saved;
mod states;
mod table;

pub(crate) use changes::WantedChange;
pub(crate) use clocks::of_clocks;
pub(crate) use finder::Finder;
pub(crate) use groups::{
    FindingAnswer, GroupAnswer, GroupFilter, GroupsAnswer, WholeGroup, group, groups,
};
pub(crate) use log::{FindingLog, TRACES_MAX};
pub(crate) use path::{PathAnswer, SegmentAnswer, Time, critical_path, in_time};
pub(crate) use saved::{read as read_findings, write as write_findings};
pub(crate) use states::{States, Wish};
pub(crate) use table::{batches, schema};

/// A finding of a trace, about nothing.
#[cfg(test)]
fn noted(trace_id: [u8; 16]) -> causeway_analysis::detectors::Finding {
    use causeway_analysis::detectors::{Fallacy, Finding, FindingId, GroupKey, Severity};
    Finding {
        finding_id: FindingId(1),
        detector: "n_plus_one",
        rule_version: 1,
        fallacy: Fallacy::LatencyIsZero,
        severity: Severity::High,
        title: String::new(),
        trace_id: causeway_model::TraceId(trace_id),
        revision: 1,
        entry_service: String::new(),
        entry_operation: String::new(),
        caller_service: String::new(),
        callee_service: String::new(),
        service_version: String::new(),
        group_key: GroupKey(1),
        parent_span_id: 0,
        span_ids: Vec::new(),
        count: 1,
        wasted_ns: 0,
        saving_ns: 0,
        critical_path_ns: 0,
        evidence: causeway_analysis::detectors::Evidence::default(),
        first_seen_unix_nano: 0,
        last_seen_unix_nano: 0,
    }
}
