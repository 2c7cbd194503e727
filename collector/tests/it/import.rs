//! Files of other formats, admitted like any request.

use bytes::Bytes;
use causeway_collector::decode::{jaeger_to_otlp, zipkin_to_otlp};
use causeway_collector::{AdmitError, CollectorSettings, Format, Source};

use crate::support::{Outcome, start, start_with};

#[tokio::test]
async fn imported_spans_are_counted_like_received_ones() -> Outcome {
    let server = start().await?;
    let jaeger = br#"{"data":[{"traceID":"1","spans":[
        {"traceID":"1","spanID":"2","operationName":"a","startTime":1,"duration":1,"processID":"p1"},
        {"traceID":"1","spanID":"no id","operationName":"b","startTime":1,"duration":1,"processID":"p1"}
    ],"processes":{"p1":{"serviceName":"shop"}}}]}"#;
    let zipkin = br#"[{"traceId":"5","id":"6","timestamp":1,"duration":2}]"#;

    let mut accepted = 0;
    let mut refused = 0;
    for request in jaeger_to_otlp(jaeger)?.into_iter().chain(zipkin_to_otlp(zipkin)?) {
        let outcome =
            server.collector.admit(Bytes::from(request), Format::Protobuf, Source::Import).await?;
        accepted += outcome.accepted_spans;
        refused += outcome.refusals.total();
    }
    assert_eq!((accepted, refused), (2, 1));
    assert_eq!(server.stored_spans().await?, 2);
    assert_eq!(server.metric("collector_received_spans_total{protocol=\"import\"}")?, 3.0);
    assert_eq!(server.metric("collector_inflight_bytes")?, 0.0);
    Ok(())
}

#[tokio::test]
async fn import_obeys_the_limit_of_a_request() -> Outcome {
    let settings = CollectorSettings { request_bytes_max: 10, ..CollectorSettings::default() };
    let server = start_with(settings).await?;
    let body = Bytes::from_static(&[0; 11]);
    let refused = server.collector.admit(body, Format::Protobuf, Source::Import).await;
    assert!(matches!(refused, Err(AdmitError::TooLarge { bytes_max: 10, .. })));
    Ok(())
}
