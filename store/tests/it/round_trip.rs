//! OTLP -> log -> table -> OTLP keeps every field, for protobuf and JSON, over restarts and flushes.

use causeway_model::{batch, otlp};
use causeway_testkit::flat::{self, FlatSpan};
use causeway_testkit::nasty;
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{TestResult, append, close_without_flush, open, spans};

/// How the cases differ in what happens between append and read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Between {
    Nothing,
    Flush,
    Restart,
    RestartThenFlush,
}

fn expected(requests: &[ExportTraceServiceRequest]) -> Vec<FlatSpan> {
    let mut all: Vec<_> = requests.iter().flat_map(flat::flatten).collect();
    all.sort();
    all.dedup();
    all
}

fn as_json(request: &ExportTraceServiceRequest) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let (columns, _) = otlp::decode(&request.encode_to_vec(), super::NOW)?;
    let mut json = Vec::new();
    otlp::write_json(&[batch::seal(&[columns.into()], &Default::default())?], &mut json)?;
    Ok(json)
}

/// Scenario: generated requests with every value OTLP allows, as protobuf, are appended; then
/// nothing, a flush, a restart or both happen. Guarantee: the same spans come back, to the bit.
#[tokio::test]
async fn protobuf_survives_log_and_table() -> TestResult {
    let mut generated = nasty::requests();
    for case in 0..48 {
        let between =
            [Between::Nothing, Between::Flush, Between::Restart, Between::RestartThenFlush]
                [case % 4];
        let requests: Vec<_> = generated.by_ref().take(6).collect();
        let dir = tempfile::tempdir()?;
        let mut store = open(dir.path()).await?;
        for request in &requests {
            append(&store, request.encode_to_vec()).await?;
        }
        if matches!(between, Between::Restart | Between::RestartThenFlush) {
            close_without_flush(store).await?;
            store = open(dir.path()).await?;
        }
        if matches!(between, Between::Flush | Between::RestartThenFlush) {
            store.flush().await?;
            assert!(store.snapshot().await?.recent.iter().all(|batch| batch.num_rows() == 0));
        }
        assert_eq!(spans(&store).await?, expected(&requests), "{between:?}");
        close_without_flush(store).await?;
    }
    Ok(())
}

/// Scenario: the same requests as OTLP/JSON. Guarantee: what the JSON says comes back, where JSON
/// can say it (the payload of a NaN it cannot).
#[tokio::test]
async fn json_survives_log_and_table() -> TestResult {
    for request in nasty::requests().take(24) {
        let json = as_json(&request)?;
        let dir = tempfile::tempdir()?;
        let store = open(dir.path()).await?;
        append(&store, otlp::json_to_protobuf(&json)?).await?;
        store.flush().await?;
        let mut sent = flat::flatten(&ExportTraceServiceRequest::decode(
            otlp::json_to_protobuf(&json)?.as_slice(),
        )?);
        sent.sort();
        sent.dedup();
        assert_eq!(spans(&store).await?, sent);
        close_without_flush(store).await?;
    }
    Ok(())
}
