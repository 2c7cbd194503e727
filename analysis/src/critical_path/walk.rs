//! The walk from the end of a span to its start, with a stack of its own.

use causeway_model::trace::{MergedTrace, Row};

use crate::waiting::{Certainty, blur_ns, certainty, is_awaited};

/// A stretch of the critical path that one span owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The span.
    pub row: Row,
    /// Start in the time of the trace.
    pub start_ns: i64,
    /// End, after the start.
    pub end_ns: i64,
    /// How sure it is that the stretch is the span's.
    pub certainty: Certainty,
}

impl Segment {
    /// End minus start.
    pub fn duration_ns(&self) -> i64 {
        self.end_ns - self.start_ns
    }
}

/// The critical path of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// What owned the root's time, from its start to its end.
    pub segments: Vec<Segment>,
}

impl CriticalPath {
    /// The critical path from the trace's root; empty when there is none or it takes no time.
    pub fn of(trace: &MergedTrace<'_>) -> Self {
        trace.root().map_or_else(Self::default, |root| Self::below(trace, root))
    }

    /// The critical path of one span.
    pub fn below(trace: &MergedTrace<'_>, root: Row) -> Self {
        let mut walk = Walk { trace, waiting: Vec::new(), segments: Vec::new() };
        walk.run(root);
        walk.segments.reverse();
        Self { segments: walk.segments }
    }

    /// The root's duration.
    pub fn duration_ns(&self) -> i64 {
        self.segments.iter().map(Segment::duration_ns).sum()
    }

    /// Time on the path of every row of the trace.
    pub fn by_row_ns(&self, trace: &MergedTrace<'_>) -> Vec<i64> {
        let mut times = vec![0; trace.len()];
        for segment in &self.segments {
            if let Some(time) = times.get_mut(segment.row.idx()) {
                *time += segment.duration_ns();
            }
        }
        times
    }
}

/// A span whose time is being divided, from its end to its start.
struct Frame {
    row: Row,
    /// Where its time starts.
    first_ns: i64,
    /// Everything from here on has its owner.
    at_ns: i64,
    /// The child that starts at the point, if one does.
    after: Option<Row>,
    /// How sure the start is, and the point.
    first: Certainty,
    at: Certainty,
    /// Children that are left stand in `waiting` from here on.
    children: usize,
}

struct Walk<'t, 'a> {
    trace: &'t MergedTrace<'a>,
    /// Awaited children of all frames, those of the last frame at the end, the one that ended last being last.
    waiting: Vec<Row>,
    /// Latest first.
    segments: Vec<Segment>,
}

/// The part of a child that is on the path.
#[derive(Clone, Copy)]
struct Chosen {
    row: Row,
    start_ns: i64,
    end_ns: i64,
    certainty: Certainty,
}

impl Walk<'_, '_> {
    fn run(&mut self, root: Row) {
        let (start_ns, end_ns) = (self.trace.start_ns(root), self.trace.end_ns(root));
        let certainty = Certainty::Measured;
        let mut stack = vec![self.open(Chosen { row: root, start_ns, end_ns, certainty })];
        while let Some(frame) = stack.last_mut() {
            match self.choose(frame) {
                Some(child) => {
                    self.own(frame, child.end_ns, child.certainty);
                    frame.at_ns = child.start_ns;
                    (frame.at, frame.after) = (child.certainty, Some(child.row));
                    stack.push(self.open(child));
                }
                None => {
                    self.own(frame, frame.first_ns, frame.first);
                    stack.pop();
                }
            }
        }
    }

    fn open(&mut self, span: Chosen) -> Frame {
        let trace = self.trace;
        let children = self.waiting.len();
        self.waiting.extend(trace.children(span.row).filter(|child| is_awaited(trace, *child)));
        let own = self.waiting.get_mut(children..).unwrap_or_default();
        // Among equals the one that started last comes first, so that it is taken last; rows break ties.
        own.sort_unstable_by_key(|child| {
            (trace.end_ns(*child), std::cmp::Reverse((trace.start_ns(*child), *child)))
        });
        Frame {
            row: span.row,
            first_ns: span.start_ns,
            at_ns: span.end_ns,
            after: None,
            first: span.certainty,
            at: span.certainty,
            children,
        }
    }

    /// Gives the span itself the time from `from_ns` to the point.
    fn own(&mut self, frame: &Frame, from_ns: i64, from: Certainty) {
        if from_ns < frame.at_ns {
            self.segments.push(Segment {
                row: frame.row,
                start_ns: from_ns,
                end_ns: frame.at_ns,
                certainty: frame.at.max(from),
            });
        }
    }

    /// The child that ended last before the point, and owns any time.
    fn choose(&mut self, frame: &Frame) -> Option<Chosen> {
        let trace = self.trace;
        while self.waiting.len() > frame.children {
            let row = self.waiting.pop()?;
            let overlap_ns = trace.end_ns(row).saturating_sub(frame.at_ns);
            let blur = frame.after.map_or(i64::MAX, |after| blur_ns(trace, row, after));
            if overlap_ns > blur {
                continue;
            }
            let start_ns = trace.start_ns(row).max(frame.first_ns);
            let end_ns = trace.end_ns(row).min(frame.at_ns);
            if start_ns >= end_ns {
                continue;
            }
            let is_blurred = overlap_ns > 0 && trace.clock(row) != trace.clock(frame.row);
            let certainty = match is_blurred || self.could_be_another(frame, row) {
                true => Certainty::Guessed,
                false => certainty(trace, row, frame.row),
            };
            return Some(Chosen { row, start_ns, end_ns, certainty });
        }
        None
    }

    /// Whether clocks do not tell which of two children ended last.
    fn could_be_another(&self, frame: &Frame, row: Row) -> bool {
        let trace = self.trace;
        let next = self.waiting.get(frame.children..).and_then(<[Row]>::last).copied();
        next.is_some_and(|next| {
            let is_side_by_side = trace.end_ns(next) > trace.start_ns(row);
            let apart_ns = trace.end_ns(row).saturating_sub(trace.end_ns(next));
            is_side_by_side
                && match certainty(trace, row, next) {
                    Certainty::Measured => false,
                    Certainty::Bounded => apart_ns <= blur_ns(trace, row, next),
                    Certainty::Guessed => true,
                }
        })
    }
}
