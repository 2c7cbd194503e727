//! The replay: how long each span takes under the plan, from the leaves up, then when it starts, from the tops down.
//!
//! Lengths change only of changed spans and of what is above them; the rest is not looked at. Starts are kept as what passed since the parent's start, so that a span's length does not depend on where it ends up.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use causeway_model::trace::{MergedTrace, Row};
use hashbrown::HashMap;

use super::Change;
use super::plan::{Fate, Group, Plan};
use crate::waiting::is_awaited;

/// Room for children that most spans do not exceed.
const CHILDREN_USUAL: usize = 32;

/// A trace as it would be after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// What the root takes then.
    pub root_ns: i64,
    /// What it takes now.
    pub root_before_ns: i64,
    /// Start of every row; tops keep theirs.
    pub start_ns: Vec<i64>,
    /// End of every row, not before its start.
    pub end_ns: Vec<i64>,
    /// Rows that are gone. Their times are those of the moment at which they would have been.
    pub is_gone: Vec<bool>,
}

impl Replay {
    /// What the change saves of the root's time, negative when it costs.
    pub fn saving_ns(&self) -> i64 {
        self.root_before_ns.saturating_sub(self.root_ns)
    }
}

/// Replays a trace with changes. Linear, but for sorting the ends of siblings.
pub fn replay(trace: &MergedTrace<'_>, changes: &[Change]) -> Replay {
    let plan = Plan::of(trace, changes);
    place(trace, &plan, &Lengths::of(trace, &plan, Some(HashMap::new())))
}

/// What changes save of the root's time, as [`replay`] says. Only looks at the changed spans, at what is above them, and
/// at the children of these.
pub fn saving_ns(trace: &MergedTrace<'_>, changes: &[Change]) -> i64 {
    let plan = Plan::of(trace, changes);
    let lengths = Lengths::of(trace, &plan, None);
    trace.root().map_or(0, |root| trace.duration_ns(root).saturating_sub(lengths.length(root)))
}

/// Turns lengths and starts after the parent's into times.
fn place(trace: &MergedTrace<'_>, plan: &Plan, lengths: &Lengths<'_, '_>) -> Replay {
    let mut replay = Replay {
        root_ns: 0,
        root_before_ns: 0,
        start_ns: Vec::with_capacity(trace.len()),
        end_ns: Vec::with_capacity(trace.len()),
        is_gone: Vec::with_capacity(trace.len()),
    };
    // The scale of each row: its own and that of what is above it, which shrink everything together.
    let mut scaled_by: Vec<Option<Row>> = Vec::with_capacity(trace.len());
    let at = |column: &[i64], row: Row| column.get(row.idx()).copied().unwrap_or(0);
    for row in trace.rows() {
        let parent = trace.parent(row);
        let above = parent.and_then(|parent| scaled_by.get(parent.idx()).copied().flatten());
        let is_gone = plan.fate(row) == Fate::Gone
            || parent.is_some_and(|parent| replay.is_gone.get(parent.idx()) == Some(&true));
        let (start, length) = match (parent, above) {
            // Within a span that shrank as a whole everything shrinks alike.
            (Some(_), Some(top)) => {
                let shrink = |ns: i64| scale(ns, plan.fate(top));
                let start = at(&replay.start_ns, top)
                    + shrink(trace.start_ns(row).saturating_sub(trace.start_ns(top)));
                (start, shrink(trace.duration_ns(row)))
            }
            (Some(parent), None) => {
                let start = at(&replay.start_ns, parent).saturating_add(lengths.start(row));
                (start, lengths.length(row))
            }
            (None, _) => (trace.start_ns(row), lengths.length(row)),
        };
        let is_scaled = matches!(plan.fate(row), Fate::Scaled { .. });
        scaled_by.push(above.or(is_scaled.then_some(row)));
        let length = if is_gone { 0 } else { length };
        replay.start_ns.push(start);
        replay.end_ns.push(start.saturating_add(length));
        replay.is_gone.push(is_gone);
    }
    if let Some(root) = trace.root() {
        replay.root_before_ns = trace.duration_ns(root);
        replay.root_ns = at(&replay.end_ns, root).saturating_sub(at(&replay.start_ns, root));
    }
    replay
}

fn scale(ns: i64, fate: Fate) -> i64 {
    let Fate::Scaled { percent } = fate else { return ns };
    // At most as large as `ns`, so it fits.
    i64::try_from(i128::from(ns) * i128::from(percent) / 100).unwrap_or(ns)
}

struct Lengths<'t, 'a> {
    trace: &'t MergedTrace<'a>,
    plan: &'t Plan,
    /// Of affected rows; others keep theirs.
    length_ns: HashMap<Row, i64>,
    /// Of children of affected rows; others keep their distance. `None` where nobody asks for starts.
    after_parent_ns: Option<HashMap<Row, i64>>,
    /// When the children of the row at hand start, after it; kept for its memory.
    starts_ns: Vec<i64>,
    /// Its awaited children, by end, and the how manieth child each is; likewise.
    ends: Vec<(i64, Row, usize)>,
    groups: Vec<Beside>,
}

/// Where a span's own course has come to: before the change, and after it as time since its start.
struct Course {
    before_ns: i64,
    after_ns: i64,
}

impl Course {
    /// Waits for something that ended, before and after the change.
    fn wait(&mut self, before_ns: i64, after_ns: i64) {
        self.before_ns = self.before_ns.max(before_ns);
        self.after_ns = self.after_ns.max(after_ns);
    }
}

impl<'t, 'a> Lengths<'t, 'a> {
    fn of(
        trace: &'t MergedTrace<'a>,
        plan: &'t Plan,
        after_parent_ns: Option<HashMap<Row, i64>>,
    ) -> Self {
        let affected = plan.affected(trace);
        let mut lengths = Self {
            trace,
            plan,
            length_ns: HashMap::with_capacity(affected.len()),
            after_parent_ns,
            starts_ns: Vec::with_capacity(CHILDREN_USUAL),
            ends: Vec::with_capacity(CHILDREN_USUAL),
            groups: plan.groups.iter().map(Beside::new).collect(),
        };
        for row in affected {
            let length_ns = lengths.replayed(row);
            lengths.length_ns.insert(row, length_ns);
        }
        lengths
    }

    /// How long an affected row takes, and when its children start.
    fn replayed(&mut self, row: Row) -> i64 {
        let trace = self.trace;
        match self.plan.fate(row) {
            Fate::Gone => return 0,
            fate @ Fate::Scaled { .. } => return scale(trace.duration_ns(row), fate),
            Fate::Network { round_trip_ns } => {
                let Some(child) = trace.first_child(row) else { return trace.duration_ns(row) };
                self.note_start(child, round_trip_ns / 2);
                return self.length(child).saturating_add(round_trip_ns);
            }
            _ => {}
        }
        let length_ns = match trace.first_child(row) {
            None => trace.duration_ns(row),
            Some(_) => self.with_children(row),
        };
        match self.plan.fate(row) {
            Fate::Longer { by_ns } => length_ns.saturating_add(by_ns),
            _ => length_ns,
        }
    }

    fn length(&self, row: Row) -> i64 {
        self.length_ns.get(&row).copied().unwrap_or_else(|| self.trace.duration_ns(row))
    }

    /// Start after the parent's.
    fn start(&self, row: Row) -> i64 {
        let start_ns = self.after_parent_ns.as_ref().and_then(|starts| starts.get(&row).copied());
        start_ns.unwrap_or_else(|| {
            let parent = self.trace.parent(row);
            let start_ns = parent.map_or(0, |parent| self.trace.start_ns(parent));
            self.trace.start_ns(row).saturating_sub(start_ns)
        })
    }

    /// Walks starts and ends of the children in the order they had.
    fn with_children(&mut self, row: Row) -> i64 {
        let trace = self.trace;
        let mut ends = std::mem::take(&mut self.ends);
        ends.clear();
        self.starts_ns.clear();
        let children = trace.children(row).enumerate();
        let awaited = children.filter(|(_, child)| is_awaited(trace, *child));
        ends.extend(awaited.map(|(nth, child)| (trace.end_ns(child), child, nth)));
        ends.sort_unstable();
        let mut left = ends.iter().copied().peekable();
        let mut course = Course { before_ns: trace.start_ns(row), after_ns: 0 };
        for child in trace.children(row) {
            let start_ns = trace.start_ns(child);
            // A child without length ends when it starts, but cannot wait for itself.
            while let Some(ended) =
                left.next_if(|(end_ns, ended, _)| *end_ns <= start_ns && *ended < child)
            {
                self.end(ended, &mut course);
            }
            self.begin(child, &course);
        }
        for ended in left {
            self.end(ended, &mut course);
        }
        self.ends = ends;
        // What the span itself did after the last of them.
        let tail_ns = trace.end_ns(row).saturating_sub(course.before_ns);
        course.after_ns.saturating_add(tail_ns).max(0)
    }

    fn begin(&mut self, child: Row, course: &Course) {
        let gap_ns = self.trace.start_ns(child).saturating_sub(course.before_ns);
        let mut start_ns = course.after_ns.saturating_add(gap_ns);
        let length_ns = self.length(child);
        if let Some(group) = self.group(child) {
            start_ns = group.place(start_ns);
            group.running.push(Reverse(start_ns.saturating_add(length_ns)));
        }
        self.starts_ns.push(start_ns);
        self.note_start(child, start_ns);
    }

    fn note_start(&mut self, child: Row, start_ns: i64) {
        if let Some(starts) = &mut self.after_parent_ns {
            starts.insert(child, start_ns);
        }
    }

    /// A child that has begun ends.
    fn end(&mut self, (end_ns, child, nth): (i64, Row, usize), course: &mut Course) {
        let start_ns = self.starts_ns.get(nth).copied().unwrap_or(0);
        let new_end_ns = start_ns.saturating_add(self.length(child));
        let Some(group) = self.group(child) else { return course.wait(end_ns, new_end_ns) };
        // The caller goes on as soon as the call has begun; with the last it waits for all.
        group.ended_ns = group.ended_ns.max(new_end_ns);
        group.left = group.left.saturating_sub(1);
        let after_ns = if group.left == 0 { group.ended_ns } else { start_ns };
        course.wait(end_ns, after_ns);
    }

    fn group(&mut self, child: Row) -> Option<&mut Beside> {
        if self.groups.is_empty() {
            return None;
        }
        match self.plan.fate(child) {
            Fate::Beside { group } => self.groups.get_mut(group as usize),
            _ => None,
        }
    }
}

/// The calls of a group while they are walked; all have one caller.
#[derive(Debug)]
struct Beside {
    limit: usize,
    /// Calls that have not ended.
    left: usize,
    /// Ends of those that run after the change.
    running: BinaryHeap<Reverse<i64>>,
    ended_ns: i64,
}

impl Beside {
    fn new(group: &Group) -> Self {
        let running = BinaryHeap::new();
        Self { limit: group.limit, left: group.calls, running, ended_ns: i64::MIN }
    }

    /// When a call that is ready finds a free place.
    fn place(&mut self, ready_ns: i64) -> i64 {
        while self.running.peek().is_some_and(|end| end.0 <= ready_ns) {
            self.running.pop();
        }
        match self.running.len() < self.limit {
            true => ready_ns,
            false => self.running.pop().map_or(ready_ns, |end| end.0),
        }
    }
}
