//! What other tools do about clocks, to compare with.
//!
//! Jaeger's adjuster, after its description: walk from the roots; where the host changes, compute by how much to move a
//! span against its parent, which is moved already; let all descendants on the same host move along. A child longer than
//! its parent is only kept from starting before it; one that lies inside stays; any other is centred.

use crate::order::Span;

/// Start and end of each span as Jaeger's adjuster would show them, where every clock counts as a host.
pub fn jaeger_adjusted(spans: &[Span]) -> Vec<(i64, i64)> {
    let mut shifts: Vec<Option<i64>> = vec![None; spans.len()];
    let mut way: Vec<usize> = Vec::new();
    for index in 0..spans.len() {
        let mut at = Some(index);
        while let Some(span) = at.filter(|at| shifts.get(*at) == Some(&None)) {
            // A way longer than there are spans goes round in a cycle, which Jaeger does not adjust.
            if way.len() > spans.len() {
                break;
            }
            way.push(span);
            at = spans.get(span).and_then(|s| s.parent).map(|parent| parent as usize);
        }
        while let Some(at) = way.pop() {
            let Some(span) = spans.get(at) else { continue };
            let parent = span.parent.map(|parent| parent as usize);
            let parent = parent.and_then(|p| Some((spans.get(p)?, (*shifts.get(p)?)?)));
            let shift = parent.map_or(0, |(parent, shift)| delta(span, parent, shift));
            shifts.get_mut(at).into_iter().for_each(|slot| *slot = Some(shift));
        }
    }
    let shifted = |(span, shift): (&Span, Option<i64>)| {
        let shift = shift.unwrap_or(0);
        (span.start_ns.saturating_add(shift), span.end_ns.saturating_add(shift))
    };
    spans.iter().zip(shifts).map(shifted).collect()
}

/// By how much a span moves if its parent moved by so much.
fn delta(span: &Span, parent: &Span, parent_shift: i64) -> i64 {
    if span.wall.is_some() && span.wall == parent.wall {
        return parent_shift;
    }
    let start = parent.start_ns.saturating_add(parent_shift);
    let end = parent.end_ns.saturating_add(parent_shift);
    let (of_parent, own) = (end.saturating_sub(start), span.end_ns.saturating_sub(span.start_ns));
    if own > of_parent {
        return start.saturating_sub(span.start_ns).max(0);
    }
    if span.start_ns >= start && span.end_ns <= end {
        return 0;
    }
    start.saturating_add((of_parent - own) / 2).saturating_sub(span.start_ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClockId;

    fn span(host: u64, parent: Option<u32>, start_ns: i64, end_ns: i64) -> Span {
        Span { parent, wall: Some(ClockId::Instance(host)), start_ns, end_ns, ..Span::default() }
    }

    #[test]
    fn children_are_centred_kept_or_kept_from_starting_first() {
        let spans = [
            span(1, None, 100, 200),
            span(2, Some(0), 50, 70),
            span(2, Some(1), 55, 60),
            span(3, Some(0), 110, 190),
            span(4, Some(0), 90, 250),
            span(5, Some(0), 110, 290),
        ];
        let expected = [(100, 200), (140, 160), (145, 150), (110, 190), (100, 260), (110, 290)];
        assert_eq!(jaeger_adjusted(&spans), expected);
    }

    #[test]
    fn a_cycle_ends() {
        let spans = [span(1, Some(1), 10, 20), span(2, Some(0), 30, 40)];
        assert_eq!(jaeger_adjusted(&spans).len(), 2);
    }
}
