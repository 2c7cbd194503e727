//! The findings of the traces that came, the newest ones, and of what they show together.
//!
//! What only many traces show is found over windows. The findings of the window that is open change with each trace,
//! and those of the one before stay until the next is over.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `FINDINGS_MAX` | 30,000 of single traces | those of the trace that was looked at longest ago go |
//! | `TRACES_MAX` | 2,000 traces of a search | those with less to save are not found, and its total is not exact |

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

use causeway_analysis::detectors::{Finding, GroupKey};

const FINDINGS_MAX: usize = 30_000;
pub(crate) const TRACES_MAX: usize = 2_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct FindingLog {
    by_trace: HashMap<[u8; 16], Looked>,
    /// Traces with findings and the number of the look, the one longest ago first; of a trace only the last counts.
    order: VecDeque<([u8; 16], u64)>,
    /// Number of the next look.
    next: u64,
    count: usize,
    /// Whether findings of traces have changed since they were written down.
    is_changed: bool,
    of_window: Vec<Finding>,
    of_last_window: Vec<Finding>,
    of_clocks: Vec<Finding>,
}

/// What a look at a trace found.
#[derive(Debug)]
struct Looked {
    number: u64,
    found: Vec<Finding>,
}

impl FindingLog {
    /// Has them count as changed, because they could not be written down.
    pub(crate) fn keep_changed(&mut self) {
        self.is_changed = true;
    }

    /// What was found of a trace.
    pub(crate) fn of_trace(&self, trace: &[u8; 16]) -> &[Finding] {
        self.by_trace.get(trace).map_or(&[], |looked| looked.found.as_slice())
    }

    /// Findings of single traces.
    pub(crate) fn of_traces(&self) -> impl Iterator<Item = &Finding> {
        let last = self.order.iter().filter_map(|(trace, number)| {
            self.by_trace.get(trace).filter(|looked| looked.number == *number)
        });
        last.flat_map(|looked| &looked.found)
    }

    /// Whether findings of traces have changed since this was asked last.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Traces with a finding of a detector or group, and what changes would save there, the worst first; at most
    /// [`TRACES_MAX`].
    pub(crate) fn traces_with(&self, wanted: &str) -> Vec<([u8; 16], i64)> {
        let group = u128::from_str_radix(wanted, 16).ok().map(GroupKey);
        let is_wanted = |finding: &&Finding| {
            wanted == "*" || finding.detector == wanted || Some(finding.group_key) == group
        };
        let worst = self.by_trace.iter().filter_map(|(trace, looked)| {
            let mut wanted = looked.found.iter().filter(is_wanted).peekable();
            wanted.peek()?;
            Some((*trace, wanted.fold(0_i64, |sum, found| sum.saturating_add(found.saving_ns))))
        });
        let mut worst: Vec<_> = worst.collect();
        worst.sort_unstable_by_key(|(trace, saving_ns)| (Reverse(*saving_ns), *trace));
        worst.truncate(TRACES_MAX);
        worst
    }

    /// Takes over what was found by an earlier process.
    pub(crate) fn restore(&mut self, found: Vec<Finding>) {
        let mut by_trace: Vec<([u8; 16], Vec<Finding>)> = Vec::new();
        for finding in found {
            let trace = finding.trace_id.0;
            match by_trace.last_mut().filter(|(last, _)| *last == trace) {
                Some((_, of_trace)) => of_trace.push(finding),
                None => by_trace.push((trace, vec![finding])),
            }
        }
        by_trace.into_iter().for_each(|(trace, found)| self.put(trace, found));
    }

    /// Replaces what the traces of the open window show together; `is_over` when it is not open any more.
    pub(crate) fn set_window(&mut self, found: Vec<Finding>, is_over: bool) {
        match is_over {
            true => (self.of_last_window, self.of_window) = (found, Vec::new()),
            false => self.of_window = found,
        }
    }

    /// Replaces what clocks show.
    pub(crate) fn set_clocks(&mut self, found: Vec<Finding>) {
        self.of_clocks = found;
    }

    /// Replaces the findings of a trace.
    pub(crate) fn put(&mut self, trace: [u8; 16], found: Vec<Finding>) {
        let old = self.by_trace.remove(&trace);
        self.count -= old.as_ref().map_or(0, |old| old.found.len());
        self.is_changed |= old.is_some() || !found.is_empty();
        if found.is_empty() {
            return;
        }
        self.count += found.len();
        let number = self.next;
        self.next += 1;
        self.by_trace.insert(trace, Looked { number, found });
        self.order.push_back((trace, number));
        while self.count > FINDINGS_MAX || self.order.len() > 2 * FINDINGS_MAX {
            let Some((oldest, number)) = self.order.pop_front() else { break };
            if self.by_trace.get(&oldest).is_some_and(|looked| looked.number == number) {
                self.count -= self.by_trace.remove(&oldest).map_or(0, |gone| gone.found.len());
            }
        }
    }

    /// All of them: of clocks, of windows, then of traces, the one that was looked at last at the end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        let is_not_found_again = |finding: &&Finding| {
            !self.of_window.iter().any(|newer| newer.group_key == finding.group_key)
        };
        let of_last_window = self.of_last_window.iter().filter(is_not_found_again);
        self.of_clocks.iter().chain(&self.of_window).chain(of_last_window).chain(self.of_traces())
    }
}

#[cfg(test)]
mod tests {
    use super::super::noted;
    use super::*;

    fn found(trace: u128, count: usize) -> Vec<Finding> {
        let finding = Finding { saving_ns: trace as i64, ..noted(trace.to_be_bytes()) };
        vec![finding; count]
    }

    fn traces(log: &FindingLog) -> Vec<u128> {
        log.of_traces().map(|finding| u128::from_be_bytes(finding.trace_id.0)).collect()
    }

    #[test]
    fn the_last_look_counts_and_the_oldest_goes() {
        let mut log = FindingLog::default();
        let mut put = |trace: u128, count| log.put(trace.to_be_bytes(), found(trace, count));
        put(1, 1);
        put(2, 2);
        put(1, 1);
        put(3, 0);
        assert_eq!(traces(&log), [2, 2, 1]);
        assert!(log.take_changed() && !log.take_changed());
        log.put(2_u128.to_be_bytes(), Vec::new());
        assert_eq!((traces(&log), log.count), (vec![1], 1));
        log.put(4_u128.to_be_bytes(), found(4, FINDINGS_MAX));
        assert_eq!(traces(&log).first(), Some(&4), "the older one made room");
        assert_eq!(log.count, FINDINGS_MAX);
        for look in 0..3 * FINDINGS_MAX as u128 {
            log.put([7; 16], found(look, 1));
        }
        assert_eq!((log.count, log.order.len() <= 2 * FINDINGS_MAX), (1, true));
        let worst = log.traces_with("n_plus_one");
        assert_eq!(worst, [([7; 16], 3 * FINDINGS_MAX as i64 - 1)]);
    }
}
