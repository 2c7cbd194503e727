//! The findings of the traces that came, the newest ones.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `FINDINGS_MAX` | 50,000 | those of the trace that was looked at longest ago go |

use std::collections::{HashMap, VecDeque};

use causeway_analysis::detectors::{Finding, Settings, detect};
use causeway_analysis::forms::Former;
use causeway_model::trace::MergedTrace;

const FINDINGS_MAX: usize = 50_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct FindingLog {
    by_trace: HashMap<[u8; 16], Vec<Finding>>,
    /// Traces with findings, the one that was looked at longest ago first.
    order: VecDeque<[u8; 16]>,
    count: usize,
    former: Former,
    settings: Settings,
}

impl FindingLog {
    /// Looks at a trace; what was found of it before is replaced.
    pub(crate) fn look_at(&mut self, trace: &MergedTrace<'_>) {
        let Some(id) = trace.trace_id() else { return };
        // A trace only grows, so more spans are a later revision.
        let revision = trace.len() as u64;
        let found = detect(trace, revision, &self.settings, &mut self.former);
        self.put(id.0, found);
    }

    /// Replaces the findings of a trace.
    fn put(&mut self, trace: [u8; 16], found: Vec<Finding>) {
        if let Some(old) = self.by_trace.remove(&trace) {
            self.count -= old.len();
            self.order.retain(|known| *known != trace);
        }
        if found.is_empty() {
            return;
        }
        self.count += found.len();
        self.by_trace.insert(trace, found);
        self.order.push_back(trace);
        while self.count > FINDINGS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.count -= self.by_trace.remove(&oldest).map_or(0, |gone| gone.len());
        }
    }

    /// All of them, those of the trace that was looked at last come last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.order.iter().filter_map(|trace| self.by_trace.get(trace)).flatten()
    }
}
