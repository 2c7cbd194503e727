//! Remembers the spans that arrived lately, to tell copies from new spans.
//!
//! A request that is resent as it was is recognised by its digest in the log. Senders also cut
//! their batches anew, so the same span comes in different requests: those copies are found here,
//! before they become visible. Two generations bound the memory: when the younger is full, the
//! older is forgotten.

use hashbrown::HashSet;

/// What a span is compared to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its ids were not seen.
    New,
    /// A span with the same ids and content was seen.
    Copy,
    /// A span with the same ids but other content was seen.
    Conflict,
}

#[derive(Debug, Default)]
struct Generation {
    keys: HashSet<u64>,
    contents: HashSet<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct SpanWindow {
    young: Generation,
    old: Generation,
    generation_spans_max: usize,
}

impl SpanWindow {
    /// Remembers at most `spans_max` spans, at least the latest half of them.
    pub(crate) fn new(spans_max: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            generation_spans_max: (spans_max / 2).max(1),
        }
    }

    /// Compares a span with those before it, and remembers it. `content` is only computed for
    /// spans whose key is remembered or must be.
    pub(crate) fn admit(&mut self, key: u64, content: u64) -> Verdict {
        let verdict = if !self.young.keys.contains(&key) && !self.old.keys.contains(&key) {
            Verdict::New
        } else if self.young.contents.contains(&content) || self.old.contents.contains(&content) {
            return Verdict::Copy;
        } else {
            Verdict::Conflict
        };
        if self.young.contents.len() >= self.generation_spans_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.keys.insert(key);
        self.young.contents.insert(content);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_conflicts_are_told_apart() {
        let mut window = SpanWindow::new(100);
        assert_eq!(window.admit(1, 10), Verdict::New);
        assert_eq!(window.admit(1, 10), Verdict::Copy);
        assert_eq!(window.admit(1, 11), Verdict::Conflict);
        assert_eq!(window.admit(1, 10), Verdict::Copy);
        assert_eq!(window.admit(1, 11), Verdict::Copy);
        assert_eq!(window.admit(2, 20), Verdict::New);
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut window = SpanWindow::new(4);
        for key in 0..5 {
            assert_eq!(window.admit(key, 100 + key), Verdict::New);
        }
        assert_eq!(window.admit(4, 104), Verdict::Copy);
        assert_eq!(window.admit(0, 100), Verdict::New);
    }
}
