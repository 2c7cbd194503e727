//! Stamps: those of senders are judged and counted, those of our clock stand in answers.

use causeway_clock::order::Faults;
use causeway_clock::{Carried, Stamp, response};
use causeway_model::SpanRows;
use causeway_testkit::proto::common::v1::{AnyValue, KeyValue, any_value::Value};
use causeway_testkit::proto::trace::v1::Span;

use crate::support::{
    EXPORT, NODE, Outcome, PROTOBUF, Reply, Server, WALL_NS, frame, http1, request, span, start,
};

/// The stamp of an answer, whatever the protocol.
fn stamp(reply: &Reply) -> Outcome<Stamp> {
    let text = match reply.header(response::GRPC_KEY) {
        Some(metadata) => metadata,
        None => {
            let header = reply.header(response::HTTP_HEADER).ok_or("no stamp in the answer")?;
            response::carried(header).next().ok_or("no stamp in Server-Timing")?
        }
    };
    let Carried(stamp) = text.parse()?;
    Ok(stamp)
}

fn with(mut span: Span, key: &str, value: &str) -> Span {
    span.attributes.push(KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    });
    span
}

fn hlc(node: u64, hlc: i64) -> String {
    format!("{node:016x}:{hlc:016x}")
}

#[tokio::test]
async fn every_answer_carries_the_next_stamp() -> Outcome {
    let server = start().await?;
    let body = request([span(1, 1)]);
    let get = "GET /v1/traces HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    let answers = [
        (200, server.post(PROTOBUF, &[], &body).await?),
        (400, server.post(PROTOBUF, &[], b"garbage").await?),
        (415, server.post("text/plain", &[], &body).await?),
        (405, http1(server.http, get.as_bytes().to_vec()).await?),
        (200, server.call(EXPORT, &[], frame(&body)).await?),
        (200, server.call(EXPORT, &[], frame(b"garbage")).await?),
        (200, server.call("/unknown", &[], frame(&body)).await?),
    ];
    for ((status, reply), nth) in answers.iter().zip(0..) {
        assert_eq!(reply.status, *status, "{}", reply.text());
        let expected = Stamp { node: NODE, hlc: WALL_NS + nth, lead: nth };
        assert_eq!(stamp(reply)?, expected, "{reply:?}");
    }
    let no_grpc = server.call(EXPORT, &[("content-type", "text/plain")], body).await?;
    assert_eq!(no_grpc.header(response::GRPC_KEY), None);
    Ok(())
}

async fn flags(server: &Server) -> Outcome<Vec<(u8, Faults)>> {
    let (mut found, mut broken) = (Vec::new(), None);
    server.store.snapshot().await?.read(&mut |batch| match SpanRows::new(batch) {
        Ok(rows) => found.extend((0..rows.len).map(|row| {
            let flags = rows.clock_flags.value(row).cast_unsigned();
            (rows.span_id.value(row)[0], Faults::from_bits(flags))
        })),
        Err(error) => broken = Some(error),
    })?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(found)
}

/// Scenario: spans with every fault that a span tells by itself, a healthy one, an untagged one with
/// a stamp it received, a stranger's tracestate.
/// Guarantee: all are stored, flagged, and counted once; none moves our clock.
#[tokio::test]
async fn faults_are_counted_and_move_nothing() -> Outcome {
    let server = start().await?;
    let far = hlc(2, i64::MAX);
    let mut late = span(1, 6);
    late.end_time_unix_nano = 1;
    let mut untagged = span(1, 8);
    untagged.trace_state = format!("hlc=1:{}", hlc(2, WALL_NS));
    let mut stranger = span(1, 9);
    stranger.trace_state = "ot=th:0".to_owned();
    let spans = [
        with(span(1, 1), "hlc.start", "no stamp"),
        with(span(1, 2), "hlc.end", &far),
        with(with(span(1, 3), "hlc.start", &hlc(2, WALL_NS)), "hlc.end", &hlc(2, WALL_NS)),
        with(span(1, 4), "hlc.start", &hlc(2, WALL_NS + 6_000_000)),
        with(span(1, 5), "hlc.start", &far),
        late,
        with(span(1, 7), "hlc.start", &hlc(2, WALL_NS)),
        untagged,
        stranger,
    ];
    let body = request(spans);
    let before = stamp(&server.post(PROTOBUF, &[], &request([])).await?)?;
    for _ in 0..2 {
        let reply = server.post(PROTOBUF, &[], &body).await?;
        assert_eq!((reply.status, reply.body.len()), (200, 0), "{}", reply.text());
    }
    let after = stamp(&server.post(PROTOBUF, &[], &request([])).await?)?;
    assert_eq!((after.node, after.hlc - before.hlc), (before.node, 3), "our clock was moved");

    for (flag, spans) in
        [("malformed", 1.0), ("future", 2.0), ("order", 1.0), ("backdated", 2.0), ("time", 1.0)]
    {
        let line = format!("collector_flagged_spans_total{{flag=\"{flag}\"}}");
        assert_eq!(server.metric(&line)?, spans, "{flag}");
    }
    let labels: Vec<(u8, Vec<&str>)> = flags(&server)
        .await?
        .into_iter()
        .map(|(id, faults)| (id, faults.iter().map(|fault| fault.label()).collect()))
        .collect();
    let expected = [
        (1, vec!["malformed"]),
        (2, vec!["future"]),
        (3, vec!["order"]),
        (4, vec!["backdated"]),
        (5, vec!["future", "backdated"]),
        (6, vec!["time"]),
        (7, vec![]),
        (8, vec![]),
        (9, vec![]),
    ];
    assert_eq!(labels, expected);
    Ok(())
}

/// Scenario: the same span is sent again with another stamp, and a clone of its clock ticks alike.
/// Guarantee: all are kept; the second content is flagged as such where both meet, the clone is left
/// to whoever sees both.
#[tokio::test]
async fn copies_and_clones_are_kept() -> Outcome {
    let server = start().await?;
    let ticks = [hlc(2, WALL_NS), hlc(2, WALL_NS + 1), hlc(2, WALL_NS)];
    for (id, tick) in [1, 1, 2].into_iter().zip(&ticks) {
        let body = request([with(span(1, id), "hlc.start", tick)]);
        assert_eq!(server.post(PROTOBUF, &[], &body).await?.status, 200);
    }
    let labels: Vec<Vec<&str>> = flags(&server)
        .await?
        .into_iter()
        .map(|(_, faults)| faults.iter().map(|fault| fault.label()).collect())
        .collect();
    assert_eq!(labels, [vec![], vec!["duplicate"], vec![]]);
    Ok(())
}
