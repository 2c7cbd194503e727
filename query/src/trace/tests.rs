//! Rows of traces: what the timeline is given of what was sent.

use std::sync::Arc;

use causeway_model::batch::{AttributeColumns, AttributeUse, seal};
use causeway_model::otlp;
use causeway_testkit::notation::{self, EPOCH_NS};
use prost::Message;

use super::{Rows, deduplicate, has_repeated_ids, merged, rows_of, texts_of};

fn batch(text: &str) -> arrow::array::RecordBatch {
    let spans = notation::parse(text).expect("notation");
    let request = notation::request(&spans).encode_to_vec();
    let (columns, _) = otlp::decode(&request, EPOCH_NS).expect("protobuf");
    let mut counted = AttributeUse::default();
    counted.add(&columns);
    let chosen = counted.choose(&AttributeColumns::default(), &Default::default());
    seal(&[Arc::new(columns)], &chosen).expect("sealed")
}

#[test]
fn rows_show_what_was_sent_and_placeholders_what_is_below() {
    let batches = [batch("a root - 10..60 #1\nb late - 50..45 #2 ^1\na lost - 20..27 #3 ^9")];
    let rows = rows_of(&batches).expect("schema");
    let traces = merged(&rows).expect("small");
    let [trace] = traces.as_slice() else { panic!("one trace, not {}", traces.len()) };
    let (start, _) = trace.envelope_ns().expect("times");
    let shown = Rows::new(trace, start);
    let ms = 1_000_000;
    assert_eq!(shown.span_id, [1, 2, 9, 3]);
    assert_eq!(shown.parent, [-1, 0, -1, 2]);
    assert_eq!(shown.start_ns, [0, 40 * ms, 10 * ms, 10 * ms]);
    assert_eq!(shown.duration_ns, [50 * ms, -5 * ms, 7 * ms, 7 * ms]);
    let (services, of_rows) = texts_of(trace, |trace, row| trace.service(row));
    assert_eq!((services, of_rows), (["a", "b", ""].map(str::to_owned).to_vec(), vec![0, 1, 2, 0]));
}

#[test]
fn copies_go_and_conflicts_stay() {
    let (first, other) = (batch("a x - 1..2 #1\na y - 1..2 #2"), batch("a x - 1..3 #1"));
    assert!(!has_repeated_ids(std::slice::from_ref(&first)).expect("schema"));
    let all = vec![first.clone(), other.clone(), first];
    assert!(has_repeated_ids(&all).expect("schema"));
    let kept = deduplicate(all).expect("schema");
    assert_eq!(kept.iter().map(|batch| batch.num_rows()).collect::<Vec<_>>(), [2, 1, 0]);
}
