//! Remembers the spans that arrived lately, to tell copies from new spans.
//!
//! A request that is resent as it was is recognised by its digest in the log. Senders also cut
//! their batches anew, so the same span comes in different requests: those copies are found here,
//! before they become visible. Two generations bound the memory: when the younger is full, the
//! older is forgotten.

use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::{HashMap, HashSet};

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

/// Content by key. Further contents of a key, which only conflicts have, are kept apart.
#[derive(Debug, Default)]
struct Generation {
    spans: HashMap<u64, u64, BuildHasherDefault<Hashed>>,
    conflicts: HashSet<(u64, u64)>,
}

impl Generation {
    /// `None` when the key was not seen, else whether the content was.
    fn knows(&self, key: u64, content: u64) -> Option<bool> {
        let known = *self.spans.get(&key)?;
        Some(known == content || self.conflicts.contains(&(key, content)))
    }

    fn len(&self) -> usize {
        self.spans.len() + self.conflicts.len()
    }

    /// Forgets all and keeps the memory, which will be filled again.
    fn clear(&mut self) {
        self.spans.clear();
        self.conflicts.clear();
    }

    fn add(&mut self, key: u64, content: u64) {
        if *self.spans.entry(key).or_insert(content) != content {
            self.conflicts.insert((key, content));
        }
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
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

    /// Compares a span with those before it, and remembers it.
    pub(crate) fn admit(&mut self, key: u64, content: u64) -> Verdict {
        let known = [self.young.knows(key, content), self.old.knows(key, content)];
        let verdict = match known {
            [None, None] => Verdict::New,
            [Some(true), _] | [_, Some(true)] => return Verdict::Copy,
            _ => Verdict::Conflict,
        };
        if self.young.len() >= self.generation_spans_max {
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.clear();
        }
        self.young.add(key, content);
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
