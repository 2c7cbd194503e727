//! The vectors of `sdk/vectors.json` that need a clock only; `sdk/README.md` explains the file.

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use causeway_clock::{
    Carried, Clock, ClockSettings, NodeId, Reading, Stamp, StampError, response, tracestate,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

type Tested = Result<(), Box<dyn Error>>;

/// Unknown fields are errors: a vector that nobody looks at proves nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    version: u32,
    clock: Vec<ClockCase>,
    codec: Codec,
    tracestate: Tracestate,
    server_timing: ServerTiming,
    #[serde(rename = "pipeline")]
    _pipeline: IgnoredAny,
    #[serde(rename = "offsets")]
    _offsets: IgnoredAny,
    #[serde(rename = "order")]
    _order: IgnoredAny,
}

fn vectors() -> Result<Vectors, Box<dyn Error>> {
    let vectors: Vectors = serde_json::from_str(include_str!("../../../sdk/vectors.json"))?;
    assert_eq!(vectors.version, 1);
    Ok(vectors)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockCase {
    name: String,
    node: String,
    max_offset: String,
    steps: Vec<Step>,
}

/// What the clocks show, and what is done then.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
enum Step {
    Tick {
        wall: String,
        monotonic: Option<String>,
        hlc: String,
        lead: String,
        stamp: Option<String>,
        node: Option<String>,
    },
    Observe {
        wall: String,
        monotonic: Option<String>,
        hlc: String,
        accepted: bool,
        ahead: Option<String>,
    },
}

impl Step {
    fn reading(&self) -> Result<Reading, Box<dyn Error>> {
        let (Self::Tick { wall, monotonic, .. } | Self::Observe { wall, monotonic, .. }) = self;
        Ok(Reading {
            wall_ns: wall.parse()?,
            monotonic_ns: monotonic.as_ref().unwrap_or(wall).parse()?,
        })
    }
}

#[test]
fn clock() -> Tested {
    for case in vectors()?.clock {
        run(&case).map_err(|error| format!("{}: {error}", case.name))?;
    }
    Ok(())
}

fn run(case: &ClockCase) -> Tested {
    let (wall, monotonic) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let (read_wall, read_monotonic) = (Arc::clone(&wall), Arc::clone(&monotonic));
    let readings = Arc::new(move || Reading {
        wall_ns: read_wall.load(Ordering::SeqCst),
        monotonic_ns: read_monotonic.load(Ordering::SeqCst),
    });
    let first = case.node.parse::<NodeId>()?.0;
    let drawn = AtomicU64::new(first.get());
    let node_ids = Arc::new(move || {
        NodeId(NonZeroU64::new(drawn.fetch_add(1, Ordering::SeqCst)).unwrap_or(NonZeroU64::MAX))
    });
    let max_offset = Duration::from_nanos(case.max_offset.parse()?);
    let settings = ClockSettings { max_offset, readings, node_ids, ..ClockSettings::default() };
    let mut clock = None;
    for step in &case.steps {
        let now = step.reading()?;
        wall.store(now.wall_ns, Ordering::SeqCst);
        monotonic.store(now.monotonic_ns, Ordering::SeqCst);
        // The first step sets the clocks before there is one that reads them.
        let clock = clock.get_or_insert_with(|| Clock::new(settings.clone()));
        take(clock, now, step)?;
    }
    Ok(())
}

fn take(clock: &Clock, now: Reading, step: &Step) -> Tested {
    match step {
        Step::Tick { hlc, lead, stamp, node, .. } => {
            let before = clock.node();
            let tick = clock.tick();
            assert_eq!((tick.hlc, tick.lead), (hlc.parse()?, lead.parse()?), "{now:?}");
            assert_eq!(tick.wall(), now.wall_ns);
            let is_new = node.as_deref() == Some("new");
            assert_eq!(tick.node != before, is_new, "{now:?}: is {}", tick.node);
            if let Some(stamp) = stamp {
                assert_eq!(&tick.to_string(), stamp);
            }
        }
        Step::Observe { hlc, accepted, ahead, .. } => {
            let stamp = Stamp { node: NodeId(NonZeroU64::MAX), hlc: hlc.parse()?, lead: 0 };
            let observed = clock.observe(stamp);
            assert_eq!(observed.is_ok(), *accepted, "{now:?}");
            let refused_ahead = observed.err().map(|refused| refused.ahead_ns);
            assert_eq!(refused_ahead, ahead.as_ref().map(|ahead| ahead.parse()).transpose()?);
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Codec {
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    name: String,
    text: String,
    node: String,
    hlc: String,
    lead: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    text: String,
    reason: String,
}

#[test]
fn codec() -> Tested {
    let codec = vectors()?.codec;
    for Accepted { name, text, node, hlc, lead } in codec.accepted {
        let stamp = Stamp { node: node.parse()?, hlc: hlc.parse()?, lead: lead.parse()? };
        assert_eq!(text.parse(), Ok(stamp), "{name}");
        assert_eq!(stamp.to_string(), text, "{name}");
        assert_eq!(format!("1:{text}").parse(), Ok(Carried(stamp)), "{name}");
    }
    let mut reasons = BTreeMap::new();
    for Refused { text, reason } in codec.refused {
        let refused = text.parse::<Stamp>().err().map(name);
        assert_eq!(refused, Some(reason.as_str()), "{text}");
        assert!(format!("1:{text}").parse::<Carried>().is_err(), "{text}");
        *reasons.entry(reason).or_insert(0) += 1;
    }
    assert_eq!(reasons.len(), 7, "every reason but the version has a vector: {reasons:?}");
    Ok(())
}

fn name(error: StampError) -> &'static str {
    match error {
        StampError::Version => "version",
        StampError::Colon => "colon",
        StampError::Node => "node",
        StampError::NodeZero => "node-zero",
        StampError::Hlc => "hlc",
        StampError::HlcRange => "hlc-range",
        StampError::Lead => "lead",
        StampError::LeadRange => "lead-range",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tracestate {
    sent: Vec<Sent>,
    received: Vec<ReceivedList>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    name: String,
    before: String,
    stamp: Option<String>,
    #[serde(default)]
    remote: bool,
    after: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivedList {
    tracestate: String,
    carried: Option<String>,
}

#[test]
fn tracestate() -> Tested {
    let vectors = vectors()?.tracestate;
    for Sent { name, before, stamp, remote, after } in vectors.sent {
        let Some(stamp) = stamp else {
            // Not altering a list is up to the SDK; the pipeline vectors show that it does not.
            assert!(remote && before == after, "{name}");
            continue;
        };
        assert_eq!(tracestate::with_stamp(&before, stamp.parse()?), after, "{name}");
    }
    for ReceivedList { tracestate: list, carried } in vectors.received {
        assert_eq!(tracestate::carried(&list), carried.as_deref(), "{list}");
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerTiming {
    appended: Vec<Appended>,
    received: Vec<ReceivedHeader>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Appended {
    before: String,
    stamp: String,
    after: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceivedHeader {
    header: String,
    carried: Vec<String>,
}

#[test]
fn server_timing() -> Tested {
    let vectors = vectors()?.server_timing;
    for Appended { before, stamp, after } in vectors.appended {
        assert_eq!(response::with_stamp(&before, stamp.parse()?), after);
    }
    for ReceivedHeader { header, carried } in vectors.received {
        assert_eq!(response::carried(&header).collect::<Vec<_>>(), carried, "{header}");
    }
    Ok(())
}
