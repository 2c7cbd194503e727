//! What each span becomes under the changes: one entry a changed row, so that the replay asks for no change again.

use causeway_model::trace::{Flags, Kind, MergedTrace, Row};
use hashbrown::{HashMap, HashSet};

use super::Change;
use crate::waiting::is_awaited;

/// What a row becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fate {
    #[default]
    Same,
    /// Goes, with all below it.
    Gone,
    /// Takes longer at its end.
    Longer { by_ns: i64 },
    /// Takes this part of its time, with all below it.
    Scaled { percent: u8 },
    /// Runs beside the others of its group, which has this number.
    Beside { group: u32 },
    /// Needs this time to reach its only child and back.
    Network { round_trip_ns: i64 },
}

/// What all rows become.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) fates: HashMap<Row, Fate>,
    pub(super) groups: Vec<Group>,
}

/// Calls that run side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) limit: usize,
    /// How many calls it has.
    pub(super) calls: usize,
}

impl Plan {
    pub(super) fn of(trace: &MergedTrace<'_>, changes: &[Change]) -> Self {
        let mut plan = Self::default();
        for change in changes {
            plan.add(trace, change);
        }
        // Nothing is known of what a placeholder stands for.
        plan.fates.retain(|row, _| !trace.flags(*row).contains(Flags::PLACEHOLDER));
        plan
    }

    pub(super) fn fate(&self, row: Row) -> Fate {
        self.fates.get(&row).copied().unwrap_or_default()
    }

    /// Gives a row its fate unless it has one. Says whether it did.
    fn set(&mut self, row: Row, fate: Fate) -> bool {
        self.fates.try_insert(row, fate).is_ok()
    }

    /// Changed rows and all above them, children before their parents.
    pub(super) fn affected(&self, trace: &MergedTrace<'_>) -> Vec<Row> {
        let mut affected: HashSet<Row> = HashSet::with_capacity(self.fates.len() + 16);
        for row in self.fates.keys().filter(|row| row.idx() < trace.len()) {
            let mut at = Some(*row);
            while let Some(row) = at.filter(|row| affected.insert(*row)) {
                at = trace.parent(row);
            }
        }
        let mut affected: Vec<Row> = affected.into_iter().collect();
        affected.sort_unstable_by_key(|row| std::cmp::Reverse(*row));
        affected
    }

    fn add(&mut self, trace: &MergedTrace<'_>, change: &Change) {
        match change {
            Change::Batch { calls, per_item_ns } => self.batch(trace, calls, *per_item_ns),
            Change::Parallel { calls, limit } => self.parallel(trace, calls, *limit),
            Change::Remove { calls } => calls.iter().for_each(|call| {
                self.set(*call, Fate::Gone);
            }),
            Change::Faster { spans, percent } => spans.iter().for_each(|span| {
                self.set(*span, Fate::Scaled { percent: 100 - (*percent).min(100) });
            }),
            Change::RoundTrip { calls, round_trip_ns } => {
                for call in calls.iter().filter(|call| is_plain_call(trace, **call)) {
                    self.set(*call, Fate::Network { round_trip_ns: (*round_trip_ns).max(0) });
                }
            }
        }
    }

    fn batch(&mut self, trace: &MergedTrace<'_>, calls: &[Row], per_item_ns: i64) {
        let mut calls: Vec<Row> = calls.to_vec();
        calls.sort_unstable();
        calls.dedup();
        calls.retain(|call| self.fate(*call) == Fate::Same && call.idx() < trace.len());
        let longest = calls.iter().max_by_key(|call| (trace.duration_ns(**call), call.0));
        let Some(longest) = longest.copied() else { return };
        let further = i64::try_from(calls.len() - 1).unwrap_or(i64::MAX);
        self.fates.reserve(calls.len());
        for call in calls {
            self.set(
                call,
                match call == longest {
                    true => Fate::Longer { by_ns: further.saturating_mul(per_item_ns.max(0)) },
                    false => Fate::Gone,
                },
            );
        }
    }

    fn parallel(&mut self, trace: &MergedTrace<'_>, calls: &[Row], limit: usize) {
        let caller = calls.first().and_then(|call| trace.parent(*call));
        let group = self.groups.len() as u32;
        let mut count = 0;
        for call in calls {
            if trace.parent(*call) == caller && is_awaited(trace, *call) {
                count += usize::from(self.set(*call, Fate::Beside { group }));
            }
        }
        self.groups.push(Group { limit: limit.max(1), calls: count });
    }
}

/// Whether a span is a call whose only child is its other end: by their kinds, or, where kinds are not said, by their
/// processes.
pub(super) fn is_plain_call(trace: &MergedTrace<'_>, call: Row) -> bool {
    let mut children = trace.children(call);
    let only = children.next().filter(|_| children.next().is_none());
    only.is_some_and(|child| match (trace.kind(call), trace.kind(child)) {
        (Kind::Client, Kind::Server) => true,
        (Kind::Client | Kind::Unspecified, Kind::Server | Kind::Unspecified) => {
            trace.clock(call) != trace.clock(child)
        }
        _ => false,
    })
}
