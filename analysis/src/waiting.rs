//! Which children a span waited for, and how sure the order of two spans is.
//!
//! A child was waited for unless it consumes a message its parent produced, or ends after its parent. Servers often end
//! their span after the answer was received, so a child of another process was waited for as well if half of it lies
//! within its parent, and the parent did not fail.
//!
//! Clocks of two spans may be off against each other by the sum of their half-widths, the *blur*: what is less than that
//! apart is not told apart. Spans of one clock have no blur.

use causeway_model::trace::{Flags, Kind, MergedTrace, Row, Status};

/// How sure the order of two moments is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Read on one clock.
    Measured,
    /// Read on clocks whose offset is bounded, further apart than they may be off.
    Bounded,
    /// Rests on an offset that is only guessed, or is closer than clocks may be off.
    Guessed,
}

impl Certainty {
    /// The word for it in answers.
    pub fn label(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Bounded => "bounded",
            Self::Guessed => "guessed",
        }
    }
}

/// By how much times of two spans may be off against each other; 0 on one clock, and where nothing is known.
pub fn blur_ns(trace: &MergedTrace<'_>, a: Row, b: Row) -> i64 {
    if trace.clock(a) == trace.clock(b) {
        return 0;
    }
    let widths = trace.half_width_ns(a).zip(trace.half_width_ns(b));
    widths.map_or(0, |(a, b)| a.max(0).saturating_add(b.max(0)))
}

/// How sure the order of two spans' times is where they are further apart than their blur.
pub fn certainty(trace: &MergedTrace<'_>, a: Row, b: Row) -> Certainty {
    if trace.clock(a) == trace.clock(b) {
        Certainty::Measured
    } else if trace.half_width_ns(a).is_some() && trace.half_width_ns(b).is_some() {
        Certainty::Bounded
    } else {
        Certainty::Guessed
    }
}

/// Whether the parent of a span waited for its end. Spans without a usable time and tops were waited for by nobody.
pub fn is_awaited(trace: &MergedTrace<'_>, child: Row) -> bool {
    let Some(parent) = trace.parent(child) else { return false };
    let is_message = trace.kind(parent) == Kind::Producer && trace.kind(child) == Kind::Consumer;
    if is_message || trace.flags(child).contains(Flags::NO_TIME) {
        return false;
    }
    let end_ns = trace.end_ns(parent).saturating_add(blur_ns(trace, parent, child));
    trace.end_ns(child) <= end_ns || is_answered(trace, parent, child)
}

/// Whether a process that was called ended its span after it had answered.
fn is_answered(trace: &MergedTrace<'_>, parent: Row, child: Row) -> bool {
    let start_ns = trace.start_ns(child).max(trace.start_ns(parent));
    let within_ns = trace.end_ns(parent).saturating_sub(start_ns);
    trace.clock(parent) != trace.clock(child)
        && trace.status(parent) != Status::Error
        && within_ns >= trace.duration_ns(child) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with;

    /// Names of the spans whose parents waited for them.
    fn check(text: &str, expected: &[&str]) {
        with(text, |trace| {
            let awaited = trace.rows().filter(|row| is_awaited(trace, *row));
            let names: Vec<_> = awaited.map(|row| trace.name_text(row)).collect();
            assert_eq!(names, expected);
        });
    }

    #[test]
    fn children_that_end_in_time_are_awaited() {
        check("s a - 0..10\n s b - 2..10\n s late - 2..11\n s lost - 3..?", &["b"]);
        check("s a producer 0..10\n t b consumer 2..8\n t c - 2..8", &["c"]);
    }

    #[test]
    fn servers_may_end_after_they_answered() {
        check("s a client 0..10\n t b server 2..14", &["b"]);
        check("s a client 0..10\n t b server 2..19", &[]);
        check("s a client 0..10 error\n t b server 2..14", &[]);
        check("s a client 0..10\n t b server 11..14", &[]);
    }
}
