//! Rows of traces: what the timeline is given of what was sent.

use std::sync::Arc;

use causeway_model::batch::{AttributeColumns, AttributeUse, seal};
use causeway_model::otlp;
use causeway_testkit::notation::{self, EPOCH_NS};
use prost::Message;

use super::{Part, Rows, deduplicate, has_repeated_ids, merged, rows_of, texts_of};

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
    let part = Part::new(trace, &(i64::MIN..=i64::MAX), 4);
    let shown = Rows::new(trace, &part, start);
    let ms = 1_000_000;
    assert_eq!(shown.span_id, [1, 2, 9, 3]);
    assert_eq!(shown.parent, [-1, 0, -1, 2]);
    assert_eq!(shown.start_ns, [0, 40 * ms, 10 * ms, 10 * ms]);
    assert_eq!(shown.duration_ns, [50 * ms, -5 * ms, 7 * ms, 7 * ms]);
    let (services, of_rows) = texts_of(trace, &part, |trace, row| trace.service(row));
    assert_eq!((services, of_rows), (["a", "b", ""].map(str::to_owned).to_vec(), vec![0, 1, 2, 0]));
}

#[test]
fn a_part_is_what_lasts_longest_and_all_above_it() {
    let batches = [batch(
        "a root - 0..100 #1\na one - 0..10 #2 ^1\na deep - 5..6 #3 ^2\na two - 10..40 #4 ^1\n\
         a short - 20..21 #5 ^4\na late - 12..90 #6 ^4\na lost - 80..82 #7 ^9",
    )];
    let rows = rows_of(&batches).expect("schema");
    let traces = merged(&rows).expect("small");
    let [trace] = traces.as_slice() else { panic!("one trace, not {}", traces.len()) };
    let (start, _) = trace.envelope_ns().expect("times");
    let shown = |time: [i64; 2], rows_max| {
        let [from, to] = time.map(|ms| start + ms * 1_000_000);
        let part = Part::new(trace, &(from..=to), rows_max);
        let rows = Rows::new(trace, &part, start);
        let columns = (rows.span_id, rows.parent, rows.subtree, rows.hidden);
        (columns, part.position(trace.find(4).next().expect("a span")))
    };
    let all = (
        vec![1, 2, 3, 4, 6, 5, 9, 7],
        vec![-1, 0, 1, 0, 3, 3, -1, 6],
        vec![6, 2, 1, 3, 1, 1, 2, 1],
        vec![],
    );
    assert_eq!(shown([0, 1], 8), (all, Some(3)), "a trace that fits is shown whole");
    let longest = (vec![1, 2, 4, 6], vec![-1, 0, 0, 2], vec![4, 1, 2, 1], vec![2, 1, 1, 0]);
    assert_eq!(shown([0, 100], 4), (longest, Some(2)));
    let early = (vec![1, 2, 3], vec![-1, 0, 1], vec![3, 2, 1], vec![3, 0, 0]);
    assert_eq!(shown([0, 9], 7), (early, None), "what lies outside of the time is left out");
    let lost =
        (vec![1, 4, 6, 9, 7], vec![-1, 0, 1, -1, 3], vec![3, 2, 1, 2, 1], vec![3, 1, 0, 0, 0]);
    assert_eq!(shown([79, 83], 7), (lost, Some(1)), "the parent of a late child is above it");
    assert_eq!(shown([200, 300], 7).0.0, [1], "at least the root");
    assert_eq!(shown([300, 200], 7).0.0, [1], "no time at all");
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
