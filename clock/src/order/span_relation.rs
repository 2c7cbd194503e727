//! How two spans relate, from how their four events do.
//!
//! ```text
//! before     a ├──┤         contains   a ├───────┤      overlaps   a ├─────┤
//!            b       ├──┤              b    ├──┤                   b    ├─────┤
//! ```
//!
//! A relation counts with the weakest class it uses; the first class that makes any relation decides.

use super::build::Order;
use super::relation::{Class, EventOrder, Margin, Relation};
use super::span::Event;
use crate::offsets::Solver;

/// How two spans relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpanOrder {
    /// The first ends before the second starts.
    Before,
    /// The first starts after the second ends.
    After,
    /// The first starts before the second and ends after it.
    Contains,
    /// The first starts after the second and ends before it.
    Inside,
    /// Each starts before the other ends.
    Overlaps,
    /// They are one span.
    Same,
    /// No relation is known; which does not mean that there is none.
    Undecided,
}

/// How two spans relate and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanRelation {
    /// Which relation holds.
    pub order: SpanOrder,
    /// The weakest class it rests on.
    pub class: Class,
    /// The events whose order says so, the earlier one first.
    pub because: [Option<(Event, Event)>; 2],
    /// The smallest margin, where readings of clocks decide.
    pub margin: Option<Margin>,
}

/// Which of a pair's events are known to precede which.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) end_a_start_b: bool,
    pub(super) end_b_start_a: bool,
    pub(super) start_a_start_b: bool,
    pub(super) start_b_start_a: bool,
    pub(super) end_a_end_b: bool,
    pub(super) end_b_end_a: bool,
    pub(super) start_a_end_b: bool,
    pub(super) start_b_end_a: bool,
}

impl Known {
    /// The strongest statement about the spans.
    pub(super) fn order(self) -> SpanOrder {
        match self {
            Self { end_a_start_b: true, .. } => SpanOrder::Before,
            Self { end_b_start_a: true, .. } => SpanOrder::After,
            Self { start_a_start_b: true, end_b_end_a: true, .. } => SpanOrder::Contains,
            Self { start_b_start_a: true, end_a_end_b: true, .. } => SpanOrder::Inside,
            Self { start_a_end_b: true, start_b_end_a: true, .. } => SpanOrder::Overlaps,
            _ => SpanOrder::Undecided,
        }
    }
}

impl Order {
    /// How two spans relate. Without a solver of offsets nothing is bounded, and guesses compare raw readings.
    pub fn span_relation(
        &self,
        a: u32,
        b: u32,
        mut offsets: Option<&mut Solver<'_>>,
    ) -> SpanRelation {
        let (start_a, end_a) = (Event::Start(a), Event::End(a));
        let (start_b, end_b) = (Event::Start(b), Event::End(b));
        if a == b {
            let (order, class) = (SpanOrder::Same, Class::Proven);
            return SpanRelation { order, class, because: [None; 2], margin: None };
        }
        let mut relate = |a, b| (a, b, self.relation(a, b, offsets.as_deref_mut()));
        let pairs = [
            relate(end_a, start_b),
            relate(start_a, end_b),
            relate(start_a, start_b),
            relate(end_a, end_b),
        ];
        for class in [Class::Proven, Class::Bounded, Class::Inferred, Class::Guessed] {
            let order = known(&pairs, class).order();
            if order != SpanOrder::Undecided {
                return because(order, class, &pairs);
            }
        }
        let (order, class) = (SpanOrder::Undecided, Class::Unknown);
        SpanRelation { order, class, because: [None; 2], margin: None }
    }
}

type Pairs = [(Event, Event, Relation); 4];

fn known(pairs: &Pairs, class: Class) -> Known {
    let is =
        |pair: &(Event, Event, Relation), order| pair.2.class <= class && pair.2.order == order;
    let [end_start, start_end, starts, ends] = pairs;
    Known {
        end_a_start_b: is(end_start, EventOrder::Before),
        start_b_end_a: is(end_start, EventOrder::After),
        start_a_end_b: is(start_end, EventOrder::Before),
        end_b_start_a: is(start_end, EventOrder::After),
        start_a_start_b: is(starts, EventOrder::Before),
        start_b_start_a: is(starts, EventOrder::After),
        end_a_end_b: is(ends, EventOrder::Before),
        end_b_end_a: is(ends, EventOrder::After),
    }
}

fn because(order: SpanOrder, class: Class, pairs: &Pairs) -> SpanRelation {
    let [end_start, start_end, starts, ends] = pairs;
    let used = match order {
        SpanOrder::Before => [Some(end_start), None],
        SpanOrder::After => [Some(start_end), None],
        SpanOrder::Contains | SpanOrder::Inside => [Some(starts), Some(ends)],
        SpanOrder::Overlaps => [Some(start_end), Some(end_start)],
        SpanOrder::Same | SpanOrder::Undecided => [None, None],
    };
    let earlier_first = |(a, b, relation): &(Event, Event, Relation)| match relation.order {
        EventOrder::After => (*b, *a),
        _ => (*a, *b),
    };
    let margins = used.iter().flatten().filter_map(|(_, _, relation)| relation.margin);
    SpanRelation {
        order,
        class,
        because: used.map(|pair| pair.map(earlier_first)),
        margin: margins.min_by_key(|margin| margin.margin_ns),
    }
}
