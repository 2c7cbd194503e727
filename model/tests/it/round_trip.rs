//! Every field of every span survives the way through the columns, for protobuf and JSON.

use std::sync::Arc;

use causeway_model::{SpanRows, batch, identity::ContentHasher, otlp};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::{flat, nasty};
use proptest::prelude::*;
use prost::Message;

const RECEIVED_AT: i64 = 1_790_000_000_000_000_000;

fn through_columns(request: &[u8]) -> arrow::array::RecordBatch {
    let (columns, refusals) = otlp::decode(request, RECEIVED_AT).expect("valid protobuf");
    assert_eq!(refusals.total(), 0, "{}", refusals.message());
    batch::seal(&[Arc::new(columns)]).expect("sealed")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn protobuf_comes_back_exactly(request in nasty::request()) {
        let batch = through_columns(&request.encode_to_vec());
        let mut out = Vec::new();
        otlp::write_protobuf(&[batch], &mut out).expect("written");
        let back = ExportTraceServiceRequest::decode(out.as_slice()).expect("valid protobuf");
        prop_assert_eq!(flat::flatten(&back), flat::flatten(&request));
    }

    #[test]
    fn json_comes_back_exactly(request in nasty::request()) {
        let batch = through_columns(&request.encode_to_vec());
        let mut json = Vec::new();
        otlp::write_json(std::slice::from_ref(&batch), &mut json).expect("written");
        let again = through_columns(&otlp::json_to_protobuf(&json).expect("valid JSON"));
        let mut json_again = Vec::new();
        otlp::write_json(&[again], &mut json_again).expect("written");
        prop_assert_eq!(String::from_utf8(json), String::from_utf8(json_again));
    }

    #[test]
    fn sealing_together_or_apart_gives_the_same_spans(a in nasty::request(), b in nasty::request()) {
        let decode = |r: &ExportTraceServiceRequest| {
            Arc::new(otlp::decode(&r.encode_to_vec(), RECEIVED_AT).expect("valid").0)
        };
        let together = batch::seal(&[decode(&a), decode(&b)]).expect("sealed");
        let apart = [batch::seal(&[decode(&a)]).expect("sealed"), batch::seal(&[decode(&b)]).expect("sealed")];
        let hashes = |batch: &arrow::array::RecordBatch| {
            let rows = SpanRows::new(batch).expect("schema");
            let hasher = ContentHasher::new(rows);
            (0..rows.len).map(|row| hasher.hash(row)).collect::<Vec<_>>()
        };
        prop_assert_eq!(hashes(&together), apart.iter().flat_map(hashes).collect::<Vec<_>>());
    }

    #[test]
    fn no_input_makes_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = otlp::decode(&bytes, RECEIVED_AT);
        let _ = otlp::json_to_protobuf(&bytes);
    }

    #[test]
    fn damaged_requests_are_read_or_refused_as_the_reference_does(
        request in nasty::request(), at in any::<prop::sample::Index>(), flip in 1..=255u8,
    ) {
        let mut bytes = request.encode_to_vec();
        prop_assume!(!bytes.is_empty());
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let reference = ExportTraceServiceRequest::decode(bytes.as_slice());
        match otlp::decode(&bytes, RECEIVED_AT) {
            // Text that is not UTF-8 refuses one span here, the whole request there.
            Ok((_, refusals)) if refusals.total() > 0 => {}
            Ok((columns, _)) => {
                let Ok(reference) = reference else { return Ok(()) };
                prop_assert_eq!(columns.len(), flat::flatten(&reference).len());
            }
            Err(error) => prop_assert!(reference.is_err(), "{error}: {reference:?}"),
        }
    }
}
