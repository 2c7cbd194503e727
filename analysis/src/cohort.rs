//! Many traces together: time by operation, and as a flame tree; two cohorts compared.
//!
//! An operation is a service and a span name. Of each its spans, its self time and its time on critical paths are
//! summed. The flame tree holds the time on critical paths by what called what, so that it reads from the root's
//! operation down. Two cohorts are compared by what a trace of each takes on average.
//!
//! | limit | value | beyond it |
//! |---|---|---|
//! | [`OPERATIONS_MAX`] | 10,000 | further operations count as one without names |
//! | [`FRAMES_MAX`] | 100,000 | time of further frames counts for the frame above |
//! | [`FRAME_DEPTH_MAX`] | 256 | as above |

use causeway_model::trace::{MergedTrace, Row, TextId};
use hashbrown::HashMap;
use serde::Serialize;

use crate::critical_path::CriticalPath;
use crate::self_time::self_times;

/// Operations of a cohort at most.
pub const OPERATIONS_MAX: usize = 10_000;
/// Frames of a flame tree at most.
pub const FRAMES_MAX: usize = 100_000;
/// Frames above each other at most.
pub const FRAME_DEPTH_MAX: u32 = 256;

/// What is summed of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The service; empty for none, and for what is beyond the limit.
    pub service: String,
    /// The name of the spans.
    pub name: String,
    /// Spans.
    pub spans: u64,
    /// Time beyond awaited children.
    pub self_ns: i64,
    /// Time on critical paths.
    pub path_ns: i64,
    /// Traces on whose critical path it is.
    pub traces_on_path: u64,
}

/// A frame of the flame tree: an operation below others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Frame {
    /// Position of the frame above; it stands before this one.
    pub above: Option<u32>,
    /// Position of the operation.
    pub operation: u32,
    /// How many frames are above.
    pub depth: u32,
    /// Time on critical paths that no frame below has.
    pub path_ns: i64,
}

/// Sums over traces.
#[derive(Debug, Clone, Default)]
pub struct Cohort {
    /// Traces that were added.
    pub traces: u64,
    /// Sum of their roots' durations.
    pub root_ns: i64,
    /// By first appearance.
    pub operations: Vec<Operation>,
    /// Frames; what is above stands before.
    pub frames: Vec<Frame>,
    numbers: HashMap<(String, String), u32>,
    below: HashMap<(Option<u32>, u32), u32>,
}

/// What one operation takes in a trace of either cohort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationChange {
    /// The service.
    pub service: String,
    /// The name of the spans.
    pub name: String,
    /// Time on the critical path of a trace, before and after.
    pub path_ns: [i64; 2],
    /// Self time in a trace.
    pub self_ns: [i64; 2],
    /// Spans in a thousand traces.
    pub spans_per_thousand: [u64; 2],
}

/// A frame of the flame trees of both cohorts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FrameChange {
    /// Position of the frame above; it stands before this one.
    pub above: Option<u32>,
    /// The service.
    pub service: String,
    /// The name of the spans.
    pub name: String,
    /// Time on the critical path of a trace, before and after.
    pub path_ns: [i64; 2],
}

impl Cohort {
    /// Adds a trace with its critical path.
    pub fn add(&mut self, trace: &MergedTrace<'_>, path: &CriticalPath) {
        self.traces += 1;
        self.root_ns = self.root_ns.saturating_add(path.duration_ns());
        let own = self_times(trace);
        let on_path = path.by_row_ns(trace);
        let mut numbers: HashMap<(TextId, TextId), u32> = HashMap::new();
        let mut of_row = Vec::with_capacity(trace.len());
        let mut seen: HashMap<u32, ()> = HashMap::new();
        for row in trace.rows() {
            let texts = (trace.service(row), trace.name(row));
            let number = match numbers.get(&texts) {
                Some(number) => *number,
                None => {
                    let number = self.number(trace.text(texts.0), trace.text(texts.1));
                    numbers.insert(texts, number);
                    number
                }
            };
            of_row.push(number);
            let Some(operation) = self.operations.get_mut(number as usize) else { continue };
            let time = |column: &[i64]| column.get(row.idx()).copied().unwrap_or(0);
            operation.spans += 1;
            operation.self_ns = operation.self_ns.saturating_add(time(&own));
            operation.path_ns = operation.path_ns.saturating_add(time(&on_path));
            if time(&on_path) > 0 && seen.insert(number, ()).is_none() {
                operation.traces_on_path += 1;
            }
        }
        self.add_frames(trace, path, &of_row);
    }

    /// The number of an operation.
    fn number(&mut self, service: &str, name: &str) -> u32 {
        let mut key = (service.to_owned(), name.to_owned());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        if self.operations.len() >= OPERATIONS_MAX {
            key = (String::new(), String::new());
            if let Some(number) = self.numbers.get(&key) {
                return *number;
            }
        }
        let number = self.operations.len() as u32;
        let (service, name) = key.clone();
        self.operations.push(Operation { service, name, ..Operation::default() });
        self.numbers.insert(key, number);
        number
    }

    /// Adds the time of segments to the frames of their spans, which are found once for each span on the path.
    fn add_frames(&mut self, trace: &MergedTrace<'_>, path: &CriticalPath, of_row: &[u32]) {
        let mut frames: HashMap<Row, u32> = HashMap::with_capacity(path.segments.len());
        let mut without = Vec::new();
        for segment in &path.segments {
            let mut row = Some(segment.row);
            while let Some(at) = row.filter(|at| !frames.contains_key(at)) {
                without.push(at);
                row = trace.parent(at);
            }
            let mut above = row.and_then(|row| frames.get(&row).copied());
            while let Some(row) = without.pop() {
                let operation = of_row.get(row.idx()).copied().unwrap_or(0);
                let Some(frame) = self.frame(above, operation) else { continue };
                frames.insert(row, frame);
                above = Some(frame);
            }
            let frame = above.and_then(|frame| self.frames.get_mut(frame as usize));
            if let Some(frame) = frame {
                frame.path_ns = frame.path_ns.saturating_add(segment.duration_ns());
            }
        }
    }

    /// The frame of an operation below another, or that other one where a limit is reached.
    fn frame(&mut self, above: Option<u32>, operation: u32) -> Option<u32> {
        if let Some(frame) = self.below.get(&(above, operation)) {
            return Some(*frame);
        }
        let depth = above
            .and_then(|above| self.frames.get(above as usize))
            .map_or(0, |above| above.depth + 1);
        if self.frames.len() >= FRAMES_MAX || depth >= FRAME_DEPTH_MAX {
            return above;
        }
        let frame = self.frames.len() as u32;
        self.frames.push(Frame { above, operation, depth, path_ns: 0 });
        self.below.insert((above, operation), frame);
        Some(frame)
    }

    /// A sum over all traces as an average.
    pub fn each(&self, sum_ns: i64) -> i64 {
        sum_ns / i64::try_from(self.traces.max(1)).unwrap_or(i64::MAX)
    }

    /// What changed by operation, the largest change of time on the path first.
    pub fn operation_changes(&self, after: &Self) -> Vec<OperationChange> {
        let mut changes: Vec<OperationChange> = Vec::new();
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for (side, cohort) in [self, after].into_iter().enumerate() {
            for operation in &cohort.operations {
                let key = (operation.service.as_str(), operation.name.as_str());
                let at = *known.entry(key).or_insert(changes.len());
                if at == changes.len() {
                    changes.push(OperationChange {
                        service: operation.service.clone(),
                        name: operation.name.clone(),
                        path_ns: [0; 2],
                        self_ns: [0; 2],
                        spans_per_thousand: [0; 2],
                    });
                }
                let Some(change) = changes.get_mut(at) else { continue };
                let spans = operation.spans.saturating_mul(1_000) / cohort.traces.max(1);
                set(&mut change.path_ns, side, cohort.each(operation.path_ns));
                set(&mut change.self_ns, side, cohort.each(operation.self_ns));
                set(&mut change.spans_per_thousand, side, spans);
            }
        }
        // Texts break ties, so that the order does not depend on that of traces.
        changes.sort_by(|a, b| {
            let size = |change: &OperationChange| change.path_ns[0].abs_diff(change.path_ns[1]);
            let texts = |change: &OperationChange| (change.service.clone(), change.name.clone());
            size(b).cmp(&size(a)).then_with(|| texts(a).cmp(&texts(b)))
        });
        changes
    }

    /// Both flame trees as one; what is above stands before.
    pub fn frame_changes(&self, after: &Self) -> Vec<FrameChange> {
        let mut changes: Vec<FrameChange> = Vec::new();
        let mut known: HashMap<(Option<u32>, &str, &str), u32> = HashMap::new();
        for (side, cohort) in [self, after].into_iter().enumerate() {
            let mut places: Vec<u32> = Vec::with_capacity(cohort.frames.len());
            for frame in &cohort.frames {
                let above = frame.above.and_then(|above| places.get(above as usize).copied());
                let Some(operation) = cohort.operations.get(frame.operation as usize) else {
                    continue;
                };
                let (service, name) = (operation.service.as_str(), operation.name.as_str());
                let at = *known.entry((above, service, name)).or_insert(changes.len() as u32);
                places.push(at);
                if at as usize == changes.len() {
                    changes.push(FrameChange {
                        above,
                        service: service.to_owned(),
                        name: name.to_owned(),
                        path_ns: [0; 2],
                    });
                }
                if let Some(change) = changes.get_mut(at as usize) {
                    set(&mut change.path_ns, side, cohort.each(frame.path_ns));
                }
            }
        }
        changes
    }
}

fn set<T>(pair: &mut [T; 2], side: usize, value: T) {
    if let Some(place) = pair.get_mut(side) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{MS, malformed, nested, with, with_spans};

    fn cohort(texts: &[&str]) -> Cohort {
        let mut cohort = Cohort::default();
        for text in texts {
            with(text, |trace| cohort.add(trace, &CriticalPath::of(trace)));
        }
        cohort
    }

    /// Frames as `above/operation time`.
    fn flame(cohort: &Cohort) -> Vec<String> {
        let name = |frame: &Frame| cohort.operations[frame.operation as usize].name.as_str();
        let one = |frame: &Frame| {
            let mut path = name(frame).to_owned();
            let mut above = frame.above;
            while let Some(at) = above {
                let frame = &cohort.frames[at as usize];
                path = format!("{}/{path}", name(frame));
                above = frame.above;
            }
            format!("{path} {}", frame.path_ns / MS)
        };
        cohort.frames.iter().map(one).collect()
    }

    const FAST: &str = "s page server 0..30\n s query client 10..20";
    const SLOW: &str = "s page server 0..90\n s query client 10..40\n s query client 40..80";

    #[test]
    fn operations_are_summed_over_traces() {
        let both = cohort(&[FAST, SLOW]);
        let query = both.operations.iter().find(|operation| operation.name == "query");
        let expected = Operation {
            service: "s".to_owned(),
            name: "query".to_owned(),
            spans: 3,
            self_ns: 80 * MS,
            path_ns: 80 * MS,
            traces_on_path: 2,
        };
        assert_eq!(query, Some(&expected));
        assert_eq!((both.traces, both.root_ns), (2, 120 * MS));
        assert_eq!(flame(&both), ["page 40", "page/query 80"]);
    }

    #[test]
    fn cohorts_are_compared_by_what_a_trace_takes() {
        let (before, after) = (cohort(&[FAST]), cohort(&[SLOW, SLOW]));
        let changes = before.operation_changes(&after);
        let shown: Vec<_> = changes
            .iter()
            .map(|change| {
                let ms = change.path_ns.map(|ns| ns / MS);
                (change.name.as_str(), ms, change.spans_per_thousand)
            })
            .collect();
        assert_eq!(shown, [("query", [10, 70], [1_000, 2_000]), ("page", [20, 20], [1_000; 2])]);
        let new = cohort(&["s page server 0..30\n s cache client 10..20"]);
        let frames: Vec<_> = before
            .frame_changes(&new)
            .into_iter()
            .map(|frame| (frame.above, frame.name, frame.path_ns.map(|ns| ns / MS)))
            .collect();
        let expected =
            [(None, "page", [20, 20]), (Some(0), "query", [10, 0]), (Some(0), "cache", [0, 10])];
        assert_eq!(frames, expected.map(|(above, name, ms)| (above, name.to_owned(), ms)));
    }

    #[test]
    fn deep_traces_stop_at_the_depth_limit_and_lose_no_time() {
        let nested: Vec<String> =
            (0..400).map(|at| format!("{:at$}s n{at} - {}us..{}us", "", at, 2_000 - at)).collect();
        let deep = cohort(&[&nested.join("\n")]);
        assert_eq!(deep.frames.len(), FRAME_DEPTH_MAX as usize);
        assert_eq!(deep.frames.iter().map(|frame| frame.path_ns).sum::<i64>(), 2 * MS);
    }

    #[test]
    fn operations_beyond_the_limit_count_as_one() {
        let mut cohort = Cohort::default();
        for number in 0..OPERATIONS_MAX + 5 {
            cohort.number("s", &number.to_string());
        }
        assert_eq!(cohort.operations.len(), OPERATIONS_MAX + 1);
        assert_eq!(cohort.operations[OPERATIONS_MAX].name, "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn no_time_is_lost_or_counted_twice(spans in prop_oneof![malformed(), nested()]) {
            with_spans(&spans, |trace| {
                let mut cohort = Cohort::default();
                let path = CriticalPath::of(trace);
                cohort.add(trace, &path);
                cohort.add(trace, &path);
                let by_operation: i64 = cohort.operations.iter().map(|o| o.path_ns).sum();
                let by_frame: i64 = cohort.frames.iter().map(|frame| frame.path_ns).sum();
                assert_eq!(by_operation, 2 * path.duration_ns());
                assert_eq!(by_frame, 2 * path.duration_ns());
                let same = cohort.operation_changes(&cohort);
                assert!(same.iter().all(|change| change.path_ns[0] == change.path_ns[1]));
            });
        }
    }
}
