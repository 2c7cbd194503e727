//! On record: in how many traces each fault is, and some of them.

use super::fault::Fault;

/// So many examples of each fault are kept.
pub(super) const EXAMPLES_MAX: usize = 5;

/// Traces that have a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting {
    /// How many there are.
    pub traces: u64,
    /// Ids of the newest ones, at most five.
    pub examples: Vec<Vec<u8>>,
}

#[derive(Debug, Default)]
pub(super) struct Sightings(Vec<Sighting>);

impl Sightings {
    pub(super) fn new() -> Self {
        Self(Fault::all().map(|_| Sighting::default()).collect())
    }

    /// Puts a trace on record; again and again makes no difference.
    pub(super) fn see(&mut self, fault: Fault, trace_id: &[u8]) {
        let Some(sighting) = self.0.get_mut(fault as usize) else { return };
        if sighting.examples.iter().any(|known| known == trace_id) {
            return;
        }
        sighting.traces += 1;
        if sighting.examples.len() == EXAMPLES_MAX {
            sighting.examples.remove(0);
        }
        sighting.examples.push(trace_id.to_vec());
    }

    pub(super) fn of(&self, fault: Fault) -> Sighting {
        self.0.get(fault as usize).cloned().unwrap_or_default()
    }
}
