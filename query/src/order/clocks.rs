//! What messages of traces taught about clocks.
//!
//! Every trace counts once for each number of spans it was seen with. The estimator keeps least values,
//! so what counts twice moves no bound; only numbers of messages grow.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | `OBSERVED_MAX` | 200,000 traces | what was observed is forgotten, so that it may count again |
//! | `OffsetSettings::clocks_max` | see there | names of further clocks are not kept |

use std::path::Path;

use causeway_clock::ClockId;
use causeway_clock::offsets::{
    ClosedWindows, Estimator, OffsetSettings, Solver, observe, observe_arrivals,
};
use causeway_model::trace::{Flags, MergedTrace};
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::identity::ClockName;
use super::saved;
use super::trace_order::TraceOrder;

const OBSERVED_MAX: usize = 200_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Clocks {
    pub(crate) estimator: Estimator,
    pub(crate) names: HashMap<ClockId, ClockName>,
    /// Stamps that a clock refused.
    pub(crate) rejects: HashMap<ClockId, u64>,
    /// Spans of the traces that were observed.
    observed: HashMap<[u8; 16], usize>,
    /// What was found out about offsets, so that it is found out once.
    closed: Mutex<ClosedWindows>,
    /// Everything received until then was taken into account by an earlier process.
    pub(crate) known_through_unix_nano: Option<i64>,
}

impl Default for Clocks {
    fn default() -> Self {
        Self {
            estimator: Estimator::new(OffsetSettings::default()),
            names: HashMap::new(),
            rejects: HashMap::new(),
            observed: HashMap::new(),
            closed: Mutex::default(),
            known_through_unix_nano: None,
        }
    }
}

impl Clocks {
    /// What was written down in `dir`; what cannot be read is learnt anew. Blocking.
    pub(crate) fn open(dir: &Path) -> Self {
        let mut clocks = Self::default();
        match saved::read(dir, &mut clocks) {
            Ok(known_through_unix_nano) => clocks.known_through_unix_nano = known_through_unix_nano,
            Err(error) => {
                tracing::warn!(%error, "what was learnt of clocks cannot be read; it is learnt anew");
            }
        }
        clocks
    }

    /// Whether the messages of these traces were taken into account.
    pub(crate) fn knows(&self, traces: &TraceOrder<'_>) -> bool {
        let received = traces.gathered.spans.iter().map(|span| span.received_at_ns);
        if received.max().flatten() <= self.known_through_unix_nano {
            return true;
        }
        let mut counted = traces.traces.iter().filter_map(spans_of);
        counted.all(|(trace, spans)| self.observed.get(&trace) == Some(&spans))
    }

    /// Takes the messages of traces into account.
    pub(crate) fn observe(&mut self, traces: &TraceOrder<'_>) {
        if self.observed.len() > OBSERVED_MAX {
            self.observed.clear();
        }
        let gathered = &traces.gathered;
        gathered.ties.iter().for_each(|(a, b)| self.estimator.tie(*a, *b));
        gathered.declared.iter().for_each(|(clock, ns)| self.estimator.declare(*clock, *ns));
        let witness = |span| traces.ids(span).1;
        observe(&mut self.estimator, &gathered.spans, &traces.order, witness);
        observe_arrivals(&mut self.estimator, &gathered.spans, &traces.order, witness);
        let clocks_max = self.estimator.settings().clocks_max;
        for (clock, name) in &gathered.clocks {
            if self.names.len() < clocks_max || self.names.contains_key(clock) {
                self.names.insert(*clock, name.clone());
            }
        }
        for (index, span) in (0_u32..).zip(&gathered.spans) {
            let clock = gathered.clock(index).filter(|_| span.rejected.is_some());
            clock.into_iter().for_each(|clock| *self.rejects.entry(clock).or_default() += 1);
        }
        self.observed.extend(traces.traces.iter().filter_map(spans_of));
    }

    /// Answers questions about offsets. Two at a time do not share what they find out.
    pub(crate) fn solve<T>(&self, ask: impl FnOnce(&mut Solver<'_>) -> T) -> T {
        let known = std::mem::take(&mut *self.closed.lock());
        let mut solver = Solver::resume(&self.estimator, known);
        let answer = ask(&mut solver);
        *self.closed.lock() = solver.into_closed();
        answer
    }

    /// How people know a clock.
    pub(crate) fn name(&self, clock: ClockId) -> ClockName {
        self.names.get(&clock).cloned().unwrap_or_default()
    }
}

/// A trace and how many spans of it there are.
fn spans_of(trace: &MergedTrace<'_>) -> Option<([u8; 16], usize)> {
    let is_span = |row: &_| !trace.flags(*row).contains(Flags::PLACEHOLDER);
    Some((trace.trace_id()?.0, trace.rows().filter(is_span).count()))
}
