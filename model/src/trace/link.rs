//! From spans with parent ids to a forest: every span gets at most one parent, and no cycle is left.
//!
//! A span's parent is the span with its parent id. Where two halves of one call share an id, the called half hangs
//! under the calling one, and children go to the half of their own service. A parent that nobody sent gets a
//! placeholder. Cycles are cut at their earliest span.

use hashbrown::HashMap;

use super::columns::{Columns, Entry, NONE, Source};
use super::completeness::Completeness;
use super::span::{Flags, Kind, Status, TextId};

/// Spans of one id: a chain through [`Ids::next`].
#[derive(Debug, Clone, Copy)]
struct Group {
    first: u32,
    last: u32,
    count: u32,
}

/// Which spans have which id, in the order of columns.
struct Ids {
    groups: HashMap<u64, Group>,
    next: Vec<u32>,
}

impl Ids {
    fn of(columns: &Columns) -> Self {
        let mut groups: HashMap<u64, Group> = HashMap::with_capacity(columns.len());
        let mut next = vec![NONE; columns.len()];
        for (at, id) in (0u32..).zip(&columns.span_id) {
            let group = groups.entry(*id).or_insert(Group { first: at, last: at, count: 0 });
            group.count += 1;
            if group.last != at
                && let Some(before) = next.get_mut(group.last as usize)
            {
                *before = at;
            }
            group.last = at;
        }
        Self { groups, next }
    }

    fn get(&self, id: u64) -> Option<Group> {
        self.groups.get(&id).copied()
    }

    fn members(&self, group: Group) -> impl Iterator<Item = u32> + '_ {
        let next = |at: &u32| self.next.get(*at as usize).copied().filter(|next| *next != NONE);
        std::iter::successors(Some(group.first), next)
    }

    /// Calling and called half, if the spans of an id are just these.
    fn halves(&self, columns: &Columns, group: Group) -> Option<(u32, u32)> {
        let (first, last) = (group.first, group.last);
        match (group.count, columns.kind(first), columns.kind(last)) {
            (2, a, b) if b.is_called_by(a) => Some((first, last)),
            (2, a, b) if a.is_called_by(b) => Some((last, first)),
            _ => None,
        }
    }
}

/// Links all spans, adds placeholders at the end, whose texts are `nothing`, and says what was found.
pub(super) fn link(columns: &mut Columns, nothing: TextId) -> Completeness {
    let ids = Ids::of(columns);
    let mut completeness = Completeness {
        roots: columns.parent_span_id.iter().filter(|id| **id == 0).count(),
        unusable_times: count(columns, Flags::NO_TIME),
        ends_before_start: count(columns, Flags::ENDS_BEFORE_START),
        duplicate_ids: mark_repeats(columns, &ids),
        ..Completeness::default()
    };
    completeness.missing_parents = link_parents(columns, &ids, nothing);
    completeness.cycles = cut_cycles(columns);
    place_untimed(columns);
    mark_early(columns);
    completeness
}

/// Gives placeholders and spans without a start the times of those around them.
pub(super) fn place_untimed(columns: &mut Columns) {
    for at in 0..columns.len() as u32 {
        let parent = columns.parent(at);
        if columns.has(parent, Flags::PLACEHOLDER) {
            widen(columns, parent, at);
        }
    }
    take_from_ancestors(columns);
}

fn count(columns: &Columns, flag: Flags) -> usize {
    columns.flags.iter().filter(|flags| flags.contains(flag)).count()
}

/// Marks spans whose ids repeat; hangs the called half of a shared id under the calling one. Returns how many ids have
/// several spans that are no halves.
fn mark_repeats(columns: &mut Columns, ids: &Ids) -> usize {
    let mut repeats = 0;
    for group in ids.groups.values().filter(|group| group.count > 1) {
        match ids.halves(columns, *group) {
            Some((calling, called)) => {
                columns.set_parent(called, calling);
                columns.flag(calling, Flags::SHARED_ID);
                columns.flag(called, Flags::SHARED_ID);
            }
            None => {
                repeats += 1;
                ids.members(*group).for_each(|at| columns.flag(at, Flags::DUPLICATE_ID));
            }
        }
    }
    repeats
}

/// Finds every span's parent. Returns how many are missing.
fn link_parents(columns: &mut Columns, ids: &Ids, nothing: TextId) -> usize {
    // Ids with many spans would make the search quadratic: one choice per id and service.
    let mut chosen: HashMap<(u64, TextId), u32> = HashMap::new();
    let mut placeholders: HashMap<u64, u32> = HashMap::new();
    for at in 0..columns.len() as u32 {
        let entry = |column: &[u64]| column.get(at as usize).copied().unwrap_or(0);
        let (id, own_id) = (entry(&columns.parent_span_id), entry(&columns.span_id));
        if id == 0 || columns.parent(at) != NONE {
            continue;
        }
        let service = columns.service.get(at as usize).copied().unwrap_or(TextId(0));
        let parent = match ids.get(id) {
            // Its own parent: cut like any other cycle.
            Some(_) if id == own_id => at,
            Some(Group { first, count: 1, .. }) => first,
            Some(group) => *chosen
                .entry((id, service))
                .or_insert_with(|| parent_among(columns, ids.members(group), service)),
            None => {
                columns.flag(at, Flags::ORPHAN);
                *placeholders.entry(id).or_insert_with(|| add_placeholder(columns, id, nothing))
            }
        };
        columns.set_parent(at, parent);
    }
    placeholders.len()
}

/// Which of several spans with one id a child of `service` belongs to: the one of its own service, else the called
/// half, else the earliest.
fn parent_among(columns: &Columns, group: impl Iterator<Item = u32>, service: TextId) -> u32 {
    let preference = |at: &u32| {
        let is_other = columns.service.get(*at as usize) != Some(&service);
        let is_called = matches!(columns.kind(*at), Kind::Server | Kind::Consumer);
        (is_other, !is_called, *at)
    };
    group.min_by_key(preference).unwrap_or(NONE)
}

fn add_placeholder(columns: &mut Columns, id: u64, nothing: TextId) -> u32 {
    columns.push(Entry {
        span_id: id,
        parent_span_id: 0,
        raw_start_ns: 0,
        raw_duration_ns: 0,
        service: nothing,
        name: nothing,
        kind: Kind::Unspecified,
        status: Status::Unset,
        resource: u32::MAX,
        source: Source::NOTHING,
    });
    let at = columns.len() as u32 - 1;
    if let Some(flags) = columns.flags.last_mut() {
        *flags = Flags::PLACEHOLDER;
    }
    at
}

/// Widens a placeholder to its child.
fn widen(columns: &mut Columns, placeholder: u32, child: u32) {
    let (start, end) = (columns.start(child), columns.end(child));
    if start > 0 {
        let earliest = columns.place(placeholder).min(start);
        let latest = columns.end(placeholder).max(end);
        columns.set_times(placeholder, earliest, latest);
    }
}

/// Cuts each cycle at its earliest span. Returns how many there were.
fn cut_cycles(columns: &mut Columns) -> usize {
    // NONE: not seen; otherwise the walk that saw it first.
    let mut seen_by = vec![NONE; columns.len()];
    let mut cycles = 0;
    for first in 0..columns.len() as u32 {
        let mut at = first;
        while let Some(seen) = seen_by.get_mut(at as usize).filter(|seen| **seen == NONE) {
            *seen = first;
            at = columns.parent(at);
        }
        if seen_by.get(at as usize) != Some(&first) {
            continue;
        }
        // The walk came back to itself: `at` lies on a cycle.
        let (start, mut earliest) = (at, at);
        loop {
            at = columns.parent(at);
            if at == start || at == NONE {
                break;
            }
            if (columns.place(at), at) < (columns.place(earliest), earliest) {
                earliest = at;
            }
        }
        columns.set_parent(earliest, NONE);
        columns.flag(earliest, Flags::CYCLE);
        cycles += 1;
    }
    cycles
}

/// Gives spans without a start the place of the nearest ancestor that has one.
fn take_from_ancestors(columns: &mut Columns) {
    let mut path = Vec::new();
    let mut is_done = vec![false; columns.len()];
    for first in 0..columns.len() as u32 {
        let mut at = first;
        while let Some(done) = is_done.get_mut(at as usize) {
            if *done || columns.start(at) != 0 {
                break;
            }
            *done = true;
            path.push(at);
            at = columns.parent(at);
        }
        let start = columns.start(at);
        for untimed in path.drain(..) {
            columns.set_times(untimed, start, columns.end(untimed).max(start));
        }
    }
}

fn mark_early(columns: &mut Columns) {
    let raw = |columns: &Columns, at: u32| {
        columns.raw_start_ns.get(at as usize).copied().filter(|start| *start > 0)
    };
    for at in 0..columns.len() as u32 {
        let starts = raw(columns, at).zip(raw(columns, columns.parent(at)));
        if starts.is_some_and(|(own, parent)| own < parent) {
            columns.flag(at, Flags::STARTS_BEFORE_PARENT);
        }
    }
}
