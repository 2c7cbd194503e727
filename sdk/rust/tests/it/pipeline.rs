//! The section `pipeline` of `sdk/vectors.json`: processes with clocks of their own, real SDKs, and
//! what these export.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Link, TraceContextExt as _, Tracer as _};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::process::{Headers, Options, Process, Tested, list, tags};

#[derive(Deserialize)]
struct Vectors {
    version: u32,
    pipeline: Vec<Case>,
    #[serde(flatten)]
    _others: HashMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    max_offset: String,
    processes: BTreeMap<String, String>,
    steps: Vec<Step>,
    spans: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    trace_state: String,
    #[serde(default)]
    links: Vec<String>,
    #[serde(rename = "hlc.start")]
    start: String,
    #[serde(rename = "hlc.end")]
    end: String,
    #[serde(rename = "hlc.reject")]
    reject: Option<String>,
    #[serde(default, rename = "hlc.resp")]
    responses: Vec<String>,
}

/// What happens in a process, and what its wall clock shows then.
#[derive(Deserialize)]
struct Step {
    process: String,
    wall: String,
    #[serde(flatten)]
    action: Action,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase")]
enum Action {
    Start {
        span: String,
        parent: Option<String>,
        #[serde(default)]
        links: Vec<String>,
    },
    End {
        span: String,
    },
    Inject {
        span: String,
        message: String,
        tracestate: String,
    },
    #[serde(rename = "pass on")]
    PassOn {
        from: String,
        message: String,
        tracestate: String,
    },
    Extract {
        message: String,
        #[serde(default)]
        boundary: bool,
    },
    Respond {
        message: String,
        carried: String,
    },
    Receive {
        span: String,
        message: String,
    },
}

#[test]
fn pipeline() -> Tested {
    let vectors: Vectors = serde_json::from_str(include_str!("../../../vectors.json"))?;
    assert_eq!(vectors.version, 1);
    assert_eq!(vectors.pipeline.len(), 4);
    for case in &vectors.pipeline {
        let mut run = Run::new(case)?;
        for step in &case.steps {
            run.take(step).map_err(|error| format!("{} at {}: {error}", case.name, step.wall))?;
        }
        run.check(case).map_err(|error| format!("{}: {error}", case.name))?;
    }
    Ok(())
}

#[derive(Default)]
struct Run {
    processes: BTreeMap<String, Process>,
    /// Contexts of started spans and of extracted messages.
    contexts: HashMap<String, Context>,
    requests: HashMap<String, Headers>,
    responses: HashMap<String, HeaderMap>,
}

impl Run {
    fn new(case: &Case) -> Result<Self, Box<dyn Error>> {
        let mut run = Self::default();
        for (name, node) in &case.processes {
            let max_offset = Some(Duration::from_nanos(case.max_offset.parse()?));
            let process = Process::new(node, Options { max_offset, ..Options::default() })?;
            // Processes start before anything happens, each on its own time.
            let first = case.steps.iter().find(|step| &step.process == name);
            process.set(first.ok_or("a process does nothing")?.wall.parse()?);
            run.processes.insert(name.clone(), process);
        }
        Ok(run)
    }

    fn take(&mut self, step: &Step) -> Tested {
        let process = self.processes.get(&step.process).ok_or("no such process")?;
        process.set(step.wall.parse()?);
        match &step.action {
            Action::Start { span, parent, links } => {
                let parent = parent.as_ref().map_or(Ok(Context::new()), |name| self.context(name));
                let parent = parent?;
                let mut linked = Vec::new();
                for name in links {
                    linked.push(Link::with_context(
                        self.context(name)?.span().span_context().clone(),
                    ));
                }
                let tracer = process.tracer();
                let builder = tracer.span_builder(span.clone()).with_links(linked);
                let started = tracer.build_with_context(builder, &parent);
                self.contexts.insert(span.clone(), parent.with_span(started));
            }
            Action::End { span } => self.context(span)?.span().end(),
            Action::Inject { span: from, message, tracestate }
            | Action::PassOn { from, message, tracestate } => {
                let headers = process.inject(&self.context(from)?);
                assert_eq!(headers.get("tracestate"), Some(tracestate), "{message}");
                self.requests.insert(message.clone(), headers);
            }
            Action::Extract { message, boundary } => {
                let headers = self.requests.get(message).ok_or("no such message")?;
                let propagator = process.propagator();
                let propagator =
                    if *boundary { propagator.at_trust_boundary() } else { propagator };
                let cx = propagator.extract_with_context(&Context::new(), headers);
                assert!(cx.span().span_context().is_valid());
                self.contexts.insert(message.clone(), cx);
            }
            Action::Respond { message, carried } => {
                let mut headers = HeaderMap::new();
                process.hlc.stamp_response(&mut headers);
                let header = headers.get("server-timing").ok_or("no stamp")?;
                assert_eq!(header, &format!("hlc;desc=\"{carried}\""));
                self.responses.insert(message.clone(), headers);
            }
            Action::Receive { span, message } => {
                let headers = self.responses.get(message).ok_or("no such response")?;
                process.hlc.receive_response(headers, &self.context(span)?);
            }
        }
        Ok(())
    }

    fn context(&self, name: &str) -> Result<Context, String> {
        self.contexts.get(name).cloned().ok_or_else(|| format!("no span or message {name}"))
    }

    fn check(&self, case: &Case) -> Tested {
        let mut exported = BTreeMap::new();
        for process in self.processes.values() {
            exported.extend(process.spans()?);
        }
        assert!(exported.keys().eq(case.spans.keys()), "{:?}", exported.keys());
        for (name, expected) in &case.spans {
            let span = exported.get(name).ok_or("no such span")?;
            assert_eq!(list(&span.span_context), expected.trace_state, "{name}");
            let links: Vec<_> = span.links.iter().map(|link| list(&link.span_context)).collect();
            assert_eq!(links, expected.links, "{name}");
            let mut wanted = BTreeMap::from([
                ("hlc.start".to_owned(), vec![expected.start.clone()]),
                ("hlc.end".to_owned(), vec![expected.end.clone()]),
            ]);
            if let Some(reject) = &expected.reject {
                wanted.insert("hlc.reject".to_owned(), vec![reject.clone()]);
            }
            if !expected.responses.is_empty() {
                wanted.insert("hlc.resp".to_owned(), expected.responses.clone());
            }
            assert_eq!(tags(span), wanted, "{name}");
        }
        Ok(())
    }
}
