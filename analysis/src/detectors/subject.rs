//! A trace made ready for detectors: what several of them need is computed once.

use std::borrow::Cow;
use std::sync::Arc;

use causeway_model::rows::AttributeText;
use causeway_model::trace::{Kind, MergedTrace, Row};
use causeway_model::value;

use super::attempts::{Attempts, attempts};
use super::repeats::{Repeat, repeats};
use super::told::Told;
use crate::critical_path::CriticalPath;
use crate::forms::{Call, Former};

/// How many internal spans may stand between a call and its caller.
const INTERNAL_SPANS_MAX: usize = 3;

/// A trace with its calls, callers and critical path.
#[derive(Debug)]
pub struct Subject<'t, 'a> {
    /// The trace.
    pub trace: &'t MergedTrace<'a>,
    /// Its revision.
    pub revision: u64,
    /// Its critical path.
    pub path: CriticalPath,
    /// Exit spans with their caller, by caller and start.
    pub exits: Vec<(Row, Row)>,
    /// Exit spans of one caller and call, by caller.
    pub repeats: Vec<Repeat>,
    /// Calls that repeat a failed one, by caller and start.
    pub(super) attempts: Vec<Attempts>,
    /// What attributes tell.
    pub(super) told: Told<'a>,
    /// Time on the path of all rows before each.
    path_before_ns: Vec<i64>,
    /// The span by which work came into the process of each row.
    entries: Vec<Row>,
    root: Option<Row>,
}

impl<'t, 'a> Subject<'t, 'a> {
    /// Makes a trace ready. The former remembers what it formed for the next one.
    pub fn new(trace: &'t MergedTrace<'a>, revision: u64, former: &mut Former) -> Self {
        let mut told = Told::read(trace, former);
        refine(trace, &mut told.calls, former);
        let path = CriticalPath::of(trace);
        let mut sum = 0;
        let mut path_before_ns = vec![0];
        path_before_ns.extend(path.by_row_ns(trace).into_iter().map(|ns| {
            sum += ns;
            sum
        }));
        let mut subject = Self {
            trace,
            revision,
            path,
            exits: Vec::new(),
            repeats: Vec::new(),
            attempts: Vec::new(),
            told,
            path_before_ns,
            entries: entries(trace),
            root: trace.root(),
        };
        let exits = trace.rows().filter(|row| subject.is_exit(*row));
        let placed = |row| Some((subject.caller(row)?, trace.start_ns(row), row));
        let mut exits: Vec<(Row, i64, Row)> = exits.filter_map(placed).collect();
        exits.sort_unstable();
        subject.exits = exits.into_iter().map(|(caller, _, row)| (caller, row)).collect();
        subject.repeats = repeats(&subject);
        subject.attempts = attempts(&subject);
        subject
    }

    /// The call a row makes or serves; `None` for work inside a process.
    pub fn call(&self, row: Row) -> Option<&Arc<Call>> {
        self.told.calls.get(row.idx()).and_then(Option::as_ref)
    }

    /// Whether the row leaves its process.
    pub fn is_exit(&self, row: Row) -> bool {
        self.call(row).is_some_and(|call| call.is_exit)
    }

    /// Who makes a call: the nearest ancestor, past at most three internal spans of its process.
    pub fn caller(&self, row: Row) -> Option<Row> {
        let is_internal = |row: Row| {
            let kind = self.trace.kind(row);
            matches!(kind, Kind::Internal | Kind::Unspecified) && !self.is_exit(row)
        };
        let mut caller = self.trace.parent(row)?;
        for _ in 0..INTERNAL_SPANS_MAX {
            match self.trace.parent(caller) {
                Some(above) if is_internal(caller) && self.is_local(caller, above) => {
                    caller = above;
                }
                _ => break,
            }
        }
        Some(caller)
    }

    /// The span by which work came into the process of a row: the topmost ancestor of the same process, or the first
    /// that serves.
    pub fn entry(&self, row: Row) -> Row {
        self.entries.get(row.idx()).copied().unwrap_or(row)
    }

    fn is_local(&self, row: Row, above: Row) -> bool {
        is_local(self.trace, row, above)
    }

    /// The other end of a call, where it was received.
    pub fn server(&self, call: Row) -> Option<Row> {
        server(self.trace, call)
    }

    /// The services at both ends of a call: of the span that makes it and of the one that serves it, or the peer or database
    /// that attributes name. A span that serves is called by the caller's service; any other calls nobody.
    pub fn edge(&self, caller: Option<Row>, row: Row) -> (&str, &str) {
        let service = self.trace.service_text(row);
        if let Some(call) = self.call(row).filter(|call| call.is_exit) {
            let server = self.server(row).map(|server| self.trace.service_text(server));
            return (service, server.unwrap_or(&call.callee));
        }
        let serves = matches!(self.trace.kind(row), Kind::Server | Kind::Consumer);
        match caller.map(|caller| self.trace.service_text(caller)) {
            Some(from) if serves && !from.is_empty() && from != service => (from, service),
            _ => (service, ""),
        }
    }

    /// Exit spans of a caller, by start.
    pub fn exits_of(&self, caller: Row) -> &[(Row, Row)] {
        let first = self.exits.partition_point(|(other, _)| *other < caller);
        let rest = self.exits.get(first..).unwrap_or_default();
        let count = rest.partition_point(|(other, _)| *other == caller);
        rest.get(..count).unwrap_or_default()
    }

    /// An attribute of a row's resource, as people expect to read it.
    pub fn resource_text(&self, row: Row, key: &str) -> Option<Cow<'_, str>> {
        self.told.resource_attribute(self.trace.clock(row), key).map(value::display)
    }

    /// The span the trace is about.
    pub fn root(&self) -> Option<Row> {
        self.root
    }

    /// The root's duration.
    pub fn root_ns(&self) -> i64 {
        self.root.map_or(0, |root| self.trace.duration_ns(root))
    }

    /// Service of the root; empty for none.
    pub fn entry_service(&self) -> &'a str {
        self.root.map_or("", |root| self.trace.service_text(root))
    }

    /// Name of the root.
    pub fn entry_operation(&self) -> &'a str {
        self.root.map_or("", |root| self.trace.name_text(root))
    }

    /// Time of a row itself on the critical path.
    pub fn path_ns(&self, row: Row) -> i64 {
        let before = |at: usize| self.path_before_ns.get(at).copied().unwrap_or(0);
        before(row.idx() + 1) - before(row.idx())
    }

    /// Time on the critical path of rows and all below them, each once.
    pub fn path_below_ns(&self, rows: &[Row]) -> i64 {
        let before = |row: u32| self.path_before_ns.get(row as usize).copied().unwrap_or(0);
        let mut rows = Cow::Borrowed(rows);
        if !rows.is_sorted() {
            rows.to_mut().sort_unstable();
        }
        // A subtree is a range of rows.
        let (mut sum_ns, mut counted) = (0i64, 0);
        for row in rows.iter().copied() {
            let end = row.0.saturating_add(self.trace.subtree_len(row));
            if end > counted {
                sum_ns = sum_ns.saturating_add(before(end) - before(row.0.max(counted)));
                counted = end;
            }
        }
        sum_ns
    }
}

/// Whether two spans are of one process, as far as resources tell.
fn is_local(trace: &MergedTrace<'_>, row: Row, above: Row) -> bool {
    trace.clock(row) == trace.clock(above)
}

fn entries(trace: &MergedTrace<'_>) -> Vec<Row> {
    let mut entries: Vec<Row> = Vec::with_capacity(trace.len());
    for row in trace.rows() {
        let serves = matches!(trace.kind(row), Kind::Server | Kind::Consumer);
        let above = trace.parent(row).filter(|above| !serves && is_local(trace, row, *above));
        entries.push(above.and_then(|above| entries.get(above.idx()).copied()).unwrap_or(row));
    }
    entries
}

/// The child that is the other end of a call: by its kind, or, where kinds are not said, by its process.
fn server(trace: &MergedTrace<'_>, call: Row) -> Option<Row> {
    trace.children(call).find(|child| match trace.kind(*child) {
        Kind::Server => true,
        Kind::Unspecified => trace.clock(*child) != trace.clock(call),
        _ => false,
    })
}

/// Where attributes do not tell what is called, the server's span does.
fn refine(trace: &MergedTrace<'_>, calls: &mut [Option<Arc<Call>>], former: &mut Former) {
    for row in trace.rows() {
        let Some(Some(call)) = calls.get(row.idx()) else { continue };
        if !call.is_exit || call.target_known {
            continue;
        }
        let Some(server) = server(trace, row) else { continue };
        let route = trace.attribute(server, "http.route").map(AttributeText::text);
        let target = route.as_deref().unwrap_or_else(|| trace.name_text(server));
        let refined = former.with_target(call, trace.service_text(server), target);
        if let Some(place) = calls.get_mut(row.idx()) {
            *place = Some(refined);
        }
    }
}
