//! The depth-first order of a forest, siblings by start.

use super::columns::{Columns, NONE};

/// A forest in depth-first order.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// Old position of each row.
    pub(super) order: Vec<u32>,
    pub(super) depth: Vec<u32>,
    /// Rows of each subtree, its top included.
    pub(super) subtree: Vec<u32>,
}

/// Children of every row in one array; those of nobody stand at the end.
struct Children {
    offsets: Vec<u32>,
    sorted: Vec<u32>,
}

impl Children {
    /// Children in the order in which `by_start` names them.
    fn of(columns: &Columns, by_start: &[u32]) -> Self {
        let slot = |parent: u32| match parent {
            NONE => columns.len(),
            parent => parent as usize,
        };
        let mut offsets = vec![0u32; columns.len() + 2];
        for parent in &columns.parent {
            if let Some(count) = offsets.get_mut(slot(*parent) + 1) {
                *count += 1;
            }
        }
        let mut before = 0;
        for offset in &mut offsets {
            before += *offset;
            *offset = before;
        }
        let mut next = offsets.clone();
        let mut sorted = vec![0; columns.len()];
        for at in by_start {
            let Some(place) = next.get_mut(slot(columns.parent(*at))) else { continue };
            if let Some(child) = sorted.get_mut(*place as usize) {
                *child = *at;
            }
            *place += 1;
        }
        Self { offsets, sorted }
    }

    fn get(&self, at: usize) -> &[u32] {
        match self.offsets.get(at..at + 2) {
            Some([start, end]) => {
                self.sorted.get(*start as usize..*end as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// Walks the forest from its tops; every span is on the way, because nothing is left on a cycle.
pub(super) fn layout(columns: &Columns) -> Layout {
    let mut by_start: Vec<u32> = (0..columns.len() as u32).collect();
    // Rows are in a canonical order, which breaks ties.
    by_start.sort_by_key(|at| columns.place(*at));
    let children = Children::of(columns, &by_start);
    let mut layout = Layout::default();
    let mut parents = Vec::with_capacity(columns.len());
    // (position, row of its parent, depth); pushed in reverse so that the earliest comes out first.
    let tops = children.get(columns.len());
    let mut stack: Vec<(u32, u32, u32)> = tops.iter().rev().map(|top| (*top, NONE, 0)).collect();
    while let Some((at, parent, depth)) = stack.pop() {
        let row = layout.order.len() as u32;
        layout.order.push(at);
        layout.depth.push(depth);
        parents.push(parent);
        let under = children.get(at as usize).iter().rev();
        stack.extend(under.map(|child| (*child, row, depth + 1)));
    }
    layout.subtree = vec![1; parents.len()];
    for (row, parent) in parents.iter().enumerate().rev() {
        let under = layout.subtree.get(row).copied().unwrap_or(0);
        if let Some(above) = layout.subtree.get_mut(*parent as usize) {
            *above += under;
        }
    }
    layout
}
