//! One line about a trace: what lists of traces show.
//!
//! It is made of the parts that files and recent batches hold, see [`crate::read`].

/// Spans and errors of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceCount {
    pub(crate) name: String,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
}

/// One line about a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The span without a parent; the earliest one of several.
    pub(crate) root_span_id: Option<u64>,
    /// Of the root, or of the earliest span when there is none.
    pub(crate) root_service: String,
    pub(crate) root_name: String,
    /// Earliest usable start; 0 when no span has one.
    pub(crate) start_time_unix_nano: i64,
    /// Of the root; `None` when there is none or its times are not usable.
    pub(crate) duration_ns: Option<i64>,
    /// From the earliest start to the latest end.
    pub(crate) envelope_ns: i64,
    pub(crate) spans: i64,
    pub(crate) errors: i64,
    /// By name; spans without a service count under the empty name.
    pub(crate) services: Vec<ServiceCount>,
    /// Parent ids that no span of the trace has.
    pub(crate) missing_parents: i64,
    /// Exactly one root and no missing parent.
    pub(crate) complete: bool,
}

/// What the line about some spans must be, told directly: what parts are compared with in tests.
#[cfg(test)]
pub(crate) mod oracle {
    use std::collections::{BTreeMap, HashSet};

    use super::{ServiceCount, Summary};

    /// What a summary needs to know of one span.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Span {
        pub(crate) span_id: u64,
        /// 0 for none.
        pub(crate) parent_span_id: u64,
        pub(crate) start: i64,
        pub(crate) duration: i64,
        pub(crate) is_error: bool,
        /// Empty when it has none.
        pub(crate) service: String,
        pub(crate) name: String,
    }

    /// The line about all spans of a trace.
    pub(crate) fn summary(spans: &[Span]) -> Summary {
        let key = |span: &&Span| {
            let start = if span.start > 0 { span.start } else { i64::MAX };
            (start, span.span_id, span.duration, span.service.clone(), span.name.clone())
        };
        let roots = spans.iter().filter(|span| span.parent_span_id == 0);
        let root = roots.clone().min_by_key(key);
        let shown = root.or_else(|| spans.iter().min_by_key(key)).expect("a trace has spans");
        let ids: HashSet<u64> = spans.iter().map(|span| span.span_id).collect();
        let parents: HashSet<u64> = spans.iter().map(|span| span.parent_span_id).collect();
        let missing = parents.iter().filter(|id| **id != 0 && !ids.contains(id)).count() as i64;
        let usable = || spans.iter().filter(|span| span.start > 0);
        let start = usable().map(|span| span.start).min();
        let end = usable().map(|span| span.start.max(span.start.wrapping_add(span.duration))).max();
        let mut services: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for span in spans {
            let counts = services.entry(&span.service).or_default();
            *counts = (counts.0 + 1, counts.1 + i64::from(span.is_error));
        }
        let services = services.into_iter().map(|(name, (spans, errors))| ServiceCount {
            name: name.to_owned(),
            spans,
            errors,
        });
        let is_usable = |span: &&Span| span.start > 0 && span.start.wrapping_add(span.duration) > 0;
        Summary {
            root_span_id: root.map(|span| span.span_id),
            root_service: shown.service.clone(),
            root_name: shown.name.clone(),
            start_time_unix_nano: start.unwrap_or(0),
            duration_ns: root.filter(is_usable).map(|span| span.duration),
            envelope_ns: end.zip(start).map_or(0, |(end, start)| end - start),
            spans: spans.len() as i64,
            errors: spans.iter().filter(|span| span.is_error).count() as i64,
            services: services.collect(),
            missing_parents: missing,
            complete: missing == 0 && roots.count() == 1,
        }
    }
}
