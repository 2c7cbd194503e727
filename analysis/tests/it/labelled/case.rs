//! A labelled case: traces, and what one detector must say of them.
//!
//! Traces are written in the notation of `testkit`. Marks among their attributes tell the right answer and are taken out
//! before anything is sent:
//!
//! | mark | means |
//! |---|---|
//! | `hit=1` | the span belongs to the first finding, `hit=2` to the second |
//! | `caller=1` | its id is the first finding's `parent_span_id`; without, that is the parent of its first span |
//! | `@key=value` | an attribute of the resource instead of the span |
//! | `tracestate=…`, `message=…` | the span's tracestate, the message of its status |
//! | `event.key=value` | an attribute of the span's last event |
//! | `link=3:4097` | a link to a span of the case's fourth trace |
//! | `nobody=true` | the resource has no `service.instance.id`; all others have one |

use std::collections::{BTreeMap, BTreeSet};

use causeway_testkit::notation::{self, Noted, NotedSpan};

use super::Error;

/// One finding that a case must give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Of one trace: which one, who called, the offending spans.
    Spans { trace: usize, caller: u64, ids: BTreeSet<u64> },
    /// Of a window: the title, which names who and what; `*` stands for what is not known by construction.
    Title(String),
}

/// Traces and what must be found in them; nothing for a near miss.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) traces: Vec<Vec<NotedSpan>>,
    pub(crate) expected: Vec<Expected>,
    pub(crate) must_fire: bool,
}

/// What looks at the traces of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A detector of single traces.
    Trace,
    /// A detector of windows.
    Window,
    /// A detector of clocks, which is told the first service as the clock of reference.
    Clocks,
}

/// All cases of a detector.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) detector: &'static str,
    pub(crate) level: Level,
    /// Whether the rule is about times of several clocks; such cases bring their skews with them.
    pub(crate) needs_clocks: bool,
    /// Whether the rule asks for times that are bounded, so that those that were sent say nothing.
    pub(crate) needs_alignment: bool,
    pub(crate) cases: Vec<Case>,
    /// Texts that are no notation; told when the cases are judged.
    pub(crate) broken: Vec<String>,
}

impl Labelled {
    pub(crate) fn new(detector: &'static str, level: Level) -> Self {
        Self {
            detector,
            level,
            needs_clocks: false,
            needs_alignment: false,
            cases: Vec::new(),
            broken: Vec::new(),
        }
    }

    pub(crate) fn with_clocks(self) -> Self {
        Self { needs_clocks: true, ..self }
    }

    pub(crate) fn with_alignment(self) -> Self {
        Self { needs_alignment: true, ..self }
    }

    /// A trace that must give the findings its marks tell.
    pub(crate) fn fires(&mut self, name: impl Into<String>, text: &str) {
        self.add(name.into(), &[text.to_owned()], Some(&[]));
    }

    /// A trace in which the detector must find nothing.
    pub(crate) fn near(&mut self, name: impl Into<String>, text: &str) {
        self.add(name.into(), &[text.to_owned()], None);
    }

    /// Traces that must give what marks and titles tell.
    pub(crate) fn fires_in(&mut self, name: impl Into<String>, texts: &[String], titles: &[&str]) {
        self.add(name.into(), texts, Some(titles));
    }

    /// Traces in which the detector must find nothing.
    pub(crate) fn near_in(&mut self, name: impl Into<String>, texts: &[String]) {
        self.add(name.into(), texts, None);
    }

    fn add(&mut self, name: String, texts: &[String], titles: Option<&[&str]>) {
        let whole = format!("{}, {name}", self.detector);
        match Case::new(name, texts, titles) {
            Ok(case) => self.cases.push(case),
            Err(error) => self.broken.push(format!("{whole}: {error}")),
        }
    }
}

impl Case {
    fn new(name: String, texts: &[String], titles: Option<&[&str]>) -> Result<Self, Error> {
        let mut traces = Vec::new();
        let mut expected = Vec::new();
        for (trace, text) in texts.iter().enumerate() {
            let mut spans = notation::parse(text)?;
            let marked = take_marks(&mut spans);
            expected.extend(marked.into_values().map(|(caller, hits)| Expected::Spans {
                trace,
                caller: caller.or(hits.first().map(|hit| hit.2)).unwrap_or(0),
                ids: hits.into_iter().map(|hit| hit.1).collect(),
            }));
            traces.push(spans);
        }
        let must_fire = titles.is_some();
        expected.extend(titles.into_iter().flatten().map(|t| Expected::Title((*t).to_owned())));
        if must_fire == expected.is_empty() {
            return Err(format!("{} findings are marked", expected.len()).into());
        }
        Ok(Self { name, traces, expected, must_fire })
    }
}

/// By number of the finding: who calls, and spans as start, id and parent's id.
type Marks = BTreeMap<i64, (Option<u64>, Vec<(u64, u64, u64)>)>;

/// Takes marks of findings out; spans of each come by start.
fn take_marks(spans: &mut [NotedSpan]) -> Marks {
    let mut marks = Marks::new();
    for span in spans {
        let (id, parent, start_ns) = (span.id, span.parent, span.start_ns);
        span.attributes.retain(|(key, value)| {
            let Noted::Int(number) = value else { return true };
            match key.as_str() {
                "hit" => marks.entry(*number).or_default().1.push((start_ns, id, parent)),
                "caller" => marks.entry(*number).or_default().0 = Some(id),
                _ => return true,
            }
            false
        });
    }
    marks.values_mut().for_each(|(_, hits)| hits.sort_unstable());
    marks
}
