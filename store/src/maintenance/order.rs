//! The order in which the rows of merged files come, and which of them are copies: decided by keys
//! alone, but for rows with equal keys, whose contents are compared.
//!
//! Most traces lie in one file: their rows are taken as runs without looking at them. Rows of a
//! trace that lies in several files, or that goes on in the next window, are compared one by one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::{HashMap, HashSet};

use super::input::{Key, Keys};
use super::merge::MergeError;

/// A row of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) input: u32,
    pub(super) row: u32,
}

/// A row of a trace that lies in several files.
#[derive(Debug, Clone, Copy)]
struct Shared {
    /// Its position in the window.
    at: usize,
    key: Key,
    is_flagged: bool,
}

/// The next rows of the merged file, copies included.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub(super) rows: Vec<Row>,
    shared: Vec<Shared>,
}

impl Window {
    /// Positions of the rows whose contents have to be known, ascending.
    pub(super) fn suspects(&self, state: &TraceState) -> Vec<usize> {
        let key = |at: Option<usize>| at.and_then(|at| self.shared.get(at)).map(|row| row.key);
        let suspects = self.shared.iter().enumerate().filter(|(nth, row)| {
            let before = nth.checked_sub(1).map_or(state.key, |before| key(Some(before)));
            let after = nth + 1;
            // The last one's copy may come in the next window.
            before == Some(row.key)
                || after == self.shared.len()
                || key(Some(after)) == Some(row.key)
        });
        suspects.map(|(_, row)| row.at).collect()
    }

    /// Leaves copies out, by the contents of the suspects; gives the rows that become flagged.
    pub(super) fn resolve(
        &mut self,
        suspects: &[usize],
        contents: &[u64],
        state: &mut TraceState,
    ) -> Resolved {
        let mut resolved = Resolved::default();
        let mut known = suspects.iter().zip(contents).peekable();
        let mut dropped = Vec::new();
        for shared in &self.shared {
            let content = known.next_if(|(at, _)| **at == shared.at).map(|(_, content)| *content);
            match state.admit(shared, content) {
                Verdict::Keep => {}
                Verdict::Flag => resolved.flagged.push(shared.at - dropped.len()),
                Verdict::Drop => dropped.push(shared.at),
            }
        }
        resolved.copies = dropped.len() as u64;
        let mut dropped = dropped.into_iter().peekable();
        let mut at = 0;
        self.rows.retain(|_| {
            at += 1;
            dropped.next_if_eq(&(at - 1)).is_none()
        });
        resolved
    }
}

/// What became of a window.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// Positions of the rows left whose spans become flagged.
    pub(super) flagged: Vec<usize>,
    /// Copies left out.
    pub(super) copies: u64,
}

/// Takes about `rows_max` rows of all inputs in order; none at the end.
pub(super) fn next_window(
    inputs: &mut [Keys],
    rows_max: usize,
    state: &TraceState,
) -> Result<Window, MergeError> {
    let mut window = Window::default();
    let heads = inputs.iter().enumerate();
    let heads = heads.filter_map(|(at, keys)| Some(Reverse((keys.head()?.0.trace, at))));
    let mut heads: BinaryHeap<Reverse<(u128, usize)>> = heads.collect();
    let mut sharing = Vec::new();
    while window.rows.len() < rows_max
        && let Some(Reverse((trace, at))) = heads.pop()
    {
        sharing.clear();
        sharing.push(at);
        while let Some(Reverse((other, at))) = heads.peek().copied()
            && other == trace
        {
            heads.pop();
            sharing.push(at);
        }
        if sharing.len() == 1 && state.trace != Some(trace) {
            let limit = heads.peek().map(|Reverse((next, _))| *next);
            take_run(inputs, at, limit, rows_max, &mut window)?;
        } else {
            take_trace(inputs, &sharing, trace, rows_max, &mut window)?;
        }
        for at in &sharing {
            if let Some((key, _)) = inputs.get(*at).and_then(Keys::head) {
                heads.push(Reverse((key.trace, *at)));
            }
        }
    }
    Ok(window)
}

/// Takes the rows of one input before the trace `limit`.
fn take_run(
    inputs: &mut [Keys],
    at: usize,
    limit: Option<u128>,
    rows_max: usize,
    window: &mut Window,
) -> Result<(), MergeError> {
    let Some(keys) = inputs.get_mut(at) else {
        return Ok(());
    };
    while let Some((key, _)) = keys.head()
        && limit.is_none_or(|limit| key.trace < limit)
        && window.rows.len() < rows_max
    {
        window.rows.push(Row { input: at as u32, row: keys.row() });
        keys.advance()?;
    }
    Ok(())
}

/// Takes the rows of one trace from the inputs that share it.
fn take_trace(
    inputs: &mut [Keys],
    sharing: &[usize],
    trace: u128,
    rows_max: usize,
    window: &mut Window,
) -> Result<(), MergeError> {
    while window.rows.len() < rows_max {
        let heads = sharing.iter().filter_map(|at| Some((inputs.get(*at)?.head()?, *at)));
        let next =
            heads.filter(|((key, _), _)| key.trace == trace).min_by_key(|((key, _), _)| *key);
        let Some(((key, is_flagged), at)) = next else {
            return Ok(());
        };
        if let Some(keys) = inputs.get_mut(at) {
            window.shared.push(Shared { at: window.rows.len(), key, is_flagged });
            window.rows.push(Row { input: at as u32, row: keys.row() });
            keys.advance()?;
        }
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Keep,
    Flag,
    Drop,
}

/// What is known of the spans of one trace, over several windows if it is large.
#[derive(Debug, Default)]
pub(super) struct TraceState {
    trace: Option<u128>,
    /// Span ids, and whether a span that has one is not flagged.
    spans: HashMap<u64, bool>,
    /// The newest key, which copies share.
    key: Option<Key>,
    /// Contents of the spans with that key.
    contents: HashSet<u64>,
}

impl TraceState {
    fn admit(&mut self, row: &Shared, content: Option<u64>) -> Verdict {
        if self.trace != Some(row.key.trace) {
            self.trace = Some(row.key.trace);
            self.spans.clear();
        }
        if self.key != Some(row.key) {
            self.key = Some(row.key);
            self.contents.clear();
        }
        if content.is_some_and(|content| !self.contents.insert(content)) {
            return Verdict::Drop;
        }
        match self.spans.get_mut(&row.key.span) {
            None => {
                self.spans.insert(row.key.span, !row.is_flagged);
                Verdict::Keep
            }
            // One of those with equal ids stays without the flag.
            Some(is_one_plain) if !row.is_flagged && *is_one_plain => Verdict::Flag,
            Some(is_one_plain) => {
                *is_one_plain |= !row.is_flagged;
                Verdict::Keep
            }
        }
    }
}
