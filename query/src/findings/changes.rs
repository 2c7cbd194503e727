//! Changes that people ask for, to see what a trace would take then: over HTTP of one trace, in SQL of many.

use std::collections::BTreeMap;

use causeway_analysis::what_if::{Change, ChangeError};
use causeway_model::SpanId;
use causeway_model::trace::{MergedTrace, Row};
use serde::Deserialize;

use crate::error::{QueryError, Result};
use crate::input;

/// A change, with the spans that it is about; see [`Change`].
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum WantedChange {
    Batch {
        spans: Spans,
        #[serde(default)]
        per_item_ns: i64,
    },
    Parallel {
        spans: Spans,
        limit: usize,
    },
    Remove {
        spans: Spans,
    },
    Faster {
        spans: Spans,
        percent: u8,
    },
    RoundTrip {
        spans: Spans,
        round_trip_ns: i64,
    },
}

/// Spans of a trace.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Spans {
    /// These, by id; the change must fit them.
    Ids(Vec<String>),
    /// Those of an operation; where they have several callers, they change for each caller. What the change does not
    /// fit stays as it is.
    Operation(Operation),
}

/// A service and the name of spans.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    service_name: String,
    name: String,
}

impl WantedChange {
    /// What it comes to in a trace.
    ///
    /// # Errors
    /// A span that is named is not there or does not fit, or a number makes no sense.
    pub(crate) fn on(&self, trace: &MergedTrace<'_>) -> Result<Vec<Change>> {
        let rows = self.spans().rows(trace)?;
        let changes: Vec<Change> = match self.spans() {
            Spans::Ids(_) => vec![self.of(rows)],
            Spans::Operation(_) => {
                by_caller(trace, rows).into_values().map(|rows| self.of(rows)).collect()
            }
        };
        for change in &changes {
            match (change.check(trace), self.spans()) {
                (Err(error @ ChangeError::Number { .. }), _) | (Err(error), Spans::Ids(_)) => {
                    return Err(QueryError::bad_request(error.to_string()));
                }
                _ => {}
            }
        }
        Ok(changes)
    }

    fn spans(&self) -> &Spans {
        match self {
            Self::Batch { spans, .. }
            | Self::Parallel { spans, .. }
            | Self::Remove { spans }
            | Self::Faster { spans, .. }
            | Self::RoundTrip { spans, .. } => spans,
        }
    }

    fn of(&self, calls: Vec<Row>) -> Change {
        match *self {
            Self::Batch { per_item_ns, .. } => Change::Batch { calls, per_item_ns },
            Self::Parallel { limit, .. } => Change::Parallel { calls, limit },
            Self::Remove { .. } => Change::Remove { calls },
            Self::Faster { percent, .. } => Change::Faster { spans: calls, percent },
            Self::RoundTrip { round_trip_ns, .. } => Change::RoundTrip { calls, round_trip_ns },
        }
    }
}

impl Spans {
    fn rows(&self, trace: &MergedTrace<'_>) -> Result<Vec<Row>> {
        match self {
            Self::Ids(ids) => ids
                .iter()
                .map(|text| {
                    let id: SpanId = input::id(text)?;
                    let found = trace.find(u64::from_be_bytes(id.0)).next();
                    found.ok_or_else(|| {
                        QueryError::NotFound(format!("span {id} is not in the trace"))
                    })
                })
                .collect(),
            Self::Operation(Operation { service_name, name }) => Ok(trace
                .rows()
                .filter(|row| {
                    trace.name_text(*row) == name && trace.service_text(*row) == service_name
                })
                .collect()),
        }
    }
}

fn by_caller(trace: &MergedTrace<'_>, rows: Vec<Row>) -> BTreeMap<Option<usize>, Vec<Row>> {
    let mut by_caller: BTreeMap<Option<usize>, Vec<Row>> = BTreeMap::new();
    for row in rows {
        by_caller.entry(trace.parent(row).map(Row::idx)).or_default().push(row);
    }
    by_caller
}
