//! Every field of every span survives the way through the columns, for protobuf and JSON.

use std::collections::HashSet;
use std::sync::Arc;

use causeway_model::batch::{
    AttributeColumn, AttributeColumns, AttributeKind, AttributeUse, PartHasher,
};
use causeway_model::identity::ContentHasher;
use causeway_model::{SpanColumns, SpanRows, batch, otlp};
use causeway_testkit::proto::collector::trace::v1::ExportTraceServiceRequest;
use causeway_testkit::{flat, nasty};
use proptest::prelude::*;
use prost::Message;

const RECEIVED_AT: i64 = 1_790_000_000_000_000_000;

fn through_columns(request: &[u8]) -> arrow::array::RecordBatch {
    let (columns, refusals) = otlp::decode(request, RECEIVED_AT).expect("valid protobuf");
    assert_eq!(refusals.total(), 0, "{}", refusals.message());
    let columns = Arc::new(columns);
    let counted = frequent(std::slice::from_ref(&columns));
    batch::seal(&[columns], &counted).expect("sealed")
}

/// Columns for what is frequent in the requests.
fn frequent(parts: &[Arc<SpanColumns>]) -> AttributeColumns {
    let mut counted = AttributeUse::default();
    parts.iter().for_each(|columns| counted.add(columns));
    counted.choose(&AttributeColumns::default(), &HashSet::new())
}

fn hashes(batch: &arrow::array::RecordBatch) -> Vec<u64> {
    let rows = SpanRows::new(batch).expect("schema");
    let hasher = ContentHasher::new(rows.clone());
    (0..rows.len).map(|row| hasher.hash(row)).collect()
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
        let parts = [decode(&a), decode(&b)];
        let none = AttributeColumns::default();
        let apart = parts.each_ref().map(|part| {
            batch::seal(std::slice::from_ref(part), &none).expect("sealed")
        });
        let expected: Vec<u64> = apart.iter().flat_map(hashes).collect();
        for columns in [none, frequent(&parts), frequent(&parts[..1])] {
            let together = batch::seal(&parts, &columns).expect("sealed");
            prop_assert_eq!(hashes(&together), expected.clone());
        }
        let unsealed = parts.iter().flat_map(|part| {
            PartHasher::new(part).hashes().map(|(_, content)| content).collect::<Vec<_>>()
        });
        prop_assert_eq!(unsealed.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn moving_attributes_between_columns_changes_nothing(
        a in nasty::request(), b in nasty::request(),
    ) {
        let part = |r: &ExportTraceServiceRequest| {
            Arc::new(otlp::decode(&r.encode_to_vec(), RECEIVED_AT).expect("valid").0)
        };
        let (a, b) = (part(&a), part(&b));
        let none = AttributeColumns::default();
        let plain = batch::seal(std::slice::from_ref(&a), &none).expect("sealed");
        for columns in [frequent(&[b]), frequent(&[a]), none] {
            let moved = batch::relayout(&plain, &columns).expect("moved");
            prop_assert_eq!(hashes(&moved), hashes(&plain));
            let back = batch::relayout(&moved, &AttributeColumns::default()).expect("moved");
            prop_assert_eq!(&back, &plain);
        }
    }

    /// Columns that were chosen for other traffic: some values do not fit, others are missing.
    #[test]
    fn attributes_come_back_whatever_columns_they_lie_in(
        request in nasty::request(), is_int in any::<u64>(),
    ) {
        let bytes = request.encode_to_vec();
        let columns = Arc::new(otlp::decode(&bytes, RECEIVED_AT).expect("valid").0);
        let kind = |nth: usize| match is_int >> (nth % 64) & 1 {
            0 => AttributeKind::Text,
            _ => AttributeKind::Int,
        };
        let chosen = frequent(std::slice::from_ref(&columns));
        let changed = chosen.iter().enumerate().map(|(nth, column)| {
            AttributeColumn { key: column.key.clone(), kind: kind(nth) }
        });
        let batch = batch::seal(&[columns], &AttributeColumns::new(changed.collect())).expect("sealed");
        let mut out = Vec::new();
        otlp::write_protobuf(&[batch], &mut out).expect("written");
        let back = ExportTraceServiceRequest::decode(out.as_slice()).expect("valid protobuf");
        prop_assert_eq!(flat::flatten(&back), flat::flatten(&request));
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
