//! Rows of a trace in depth-first order, column by column: what a timeline draws.

use causeway_model::trace::{Flags, MergedTrace, Row, TextId};
use serde::Serialize;

use super::part::Part;

/// Rows of a trace, column by column.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rows {
    #[serde(serialize_with = "hex_ids")]
    pub(crate) span_id: Vec<u64>,
    pub(crate) parent: Vec<i64>,
    pub(crate) depth: Vec<u32>,
    /// Rows of the subtree, the row itself included.
    pub(crate) subtree: Vec<u32>,
    /// Rows of the subtree that are not shown; empty where all of the trace is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) hidden: Vec<u32>,
    /// Nanoseconds after the trace's start.
    pub(crate) start_ns: Vec<i64>,
    /// As sent, so negative when the end lies before the start.
    pub(crate) duration_ns: Vec<i64>,
    /// Positions among the services of the trace.
    pub(crate) service: Vec<u32>,
    /// Positions among the names of the trace.
    pub(crate) name: Vec<u32>,
    pub(crate) kind: Vec<i32>,
    pub(crate) status: Vec<i32>,
    pub(crate) events: Vec<u32>,
    pub(crate) links: Vec<u32>,
    pub(crate) flags: Vec<u16>,
}

fn hex_ids<S: serde::Serializer>(ids: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|id| format!("{id:016x}")))
}

impl Rows {
    /// Rows of a trace whose times are those sent, and that starts at `start_unix_nano`.
    pub(crate) fn new(trace: &MergedTrace<'_>, part: &Part, start_unix_nano: i64) -> Self {
        let mut rows = Self::default();
        let is_whole = part.rows().len() == trace.len();
        for row in part.rows() {
            let start = trace.start_ns(row);
            let parent = trace.parent(row).and_then(|parent| part.position(parent));
            let (shown, all) = part.shown_of(trace, row);
            rows.span_id.push(trace.span_id(row));
            rows.parent.push(parent.map_or(-1, i64::from));
            rows.depth.push(trace.depth(row));
            rows.subtree.push(shown);
            rows.hidden.extend((!is_whole).then(|| all - shown));
            rows.start_ns.push(if start > 0 { start - start_unix_nano } else { 0 });
            rows.duration_ns.push(duration_ns(trace, row));
            rows.kind.push(trace.kind(row) as i32);
            rows.status.push(trace.status(row) as i32);
            rows.events.push(trace.events(row).len() as u32);
            rows.links.push(trace.links(row).len() as u32);
            rows.flags.push(trace.flags(row).bits());
        }
        rows
    }
}

fn duration_ns(trace: &MergedTrace<'_>, row: Row) -> i64 {
    let flags = trace.flags(row);
    if flags.contains(Flags::PLACEHOLDER) {
        trace.duration_ns(row)
    } else if flags.contains(Flags::NO_TIME) {
        0
    } else {
        trace.raw_duration_ns(row)
    }
}

/// The texts that one column of rows refers to, in order of appearance, and the column as
/// positions among them.
pub(crate) fn texts_of(
    trace: &MergedTrace<'_>,
    part: &Part,
    column: impl Fn(&MergedTrace<'_>, Row) -> TextId,
) -> (Vec<String>, Vec<u32>) {
    let mut positions = vec![None; trace.texts().len()];
    let mut texts = Vec::new();
    let numbers = part.rows().map(|row| {
        let id = column(trace, row);
        let known = positions.get_mut(id.idx());
        *known.map_or(&mut 0, |known| {
            known.get_or_insert_with(|| {
                texts.push(trace.text(id).to_owned());
                texts.len() as u32 - 1
            })
        })
    });
    let numbers = numbers.collect();
    (texts, numbers)
}
