//! The columns of stamps in SQL, wherever spans lie and whether their files have the columns.

use std::sync::Arc;

use bytes::Bytes;
use causeway_model::otlp;
use causeway_query::{Query, QuerySettings, format};
use causeway_store::{Request, Store, StoreSettings};
use causeway_testkit::proto::common::v1::{AnyValue, ArrayValue, any_value::Value};
use causeway_testkit::proto::trace::v1::Span;
use causeway_testkit::proto::trace::v1::span::Link;
use prometheus_client::registry::Registry;
use prost::Message;

use crate::world::{Dice, MS, T0, WorldBuilder, kv, request, span, text, trace_id};

fn stamp(node: u64, hlc: u64, lead: u64) -> String {
    match lead {
        0 => format!("{node:016x}:{hlc:016x}"),
        lead => format!("{node:016x}:{hlc:016x}+{lead:x}"),
    }
}

fn list(stamps: &[String]) -> Value {
    let values = stamps.iter().map(|stamp| AnyValue { value: Some(text(stamp)) });
    Value::ArrayValue(ArrayValue { values: values.collect() })
}

fn tagged(id: u64) -> Span {
    let mut tagged = span(1, id, 0, "tagged", 0, 5);
    tagged.trace_state = format!("hlc=1:{}", stamp(0xb0b, T0 - 5, 3));
    tagged.attributes = vec![
        kv("hlc.start", text(&stamp(0xa11ce, T0, 1))),
        kv("hlc.end", text(&stamp(0xa11cf, T0 + 5 * MS, 0))),
        kv("hlc.resp", list(&[stamp(0xb0b, T0 + 7, 0), stamp(0xccc, T0 + 8, 2)])),
        kv("hlc.reject", text(&stamp(0xddd, T0 + 9, 0))),
    ];
    tagged.links = vec![
        Link {
            trace_id: trace_id(2),
            span_id: vec![7; 8],
            trace_state: format!("a=b,hlc=1:{}", stamp(0xeee, T0, 4)),
            ..Link::default()
        },
        Link { trace_id: trace_id(2), span_id: vec![8; 8], ..Link::default() },
    ];
    tagged
}

#[tokio::test]
async fn stamps_are_columns_whether_files_have_them_or_not() {
    let plain = |id| request("web", vec![span(1, id, 0, "plain", 0, 5)]);
    let worlds = [
        WorldBuilder::new().file(&[request("web", vec![tagged(1)])]).recent(&[plain(2)]).build(),
        WorldBuilder::new().file(&[plain(2)]).recent(&[request("web", vec![tagged(1)])]).build(),
        WorldBuilder::new().recent(&[request("web", vec![tagged(1)]), plain(2)]).build(),
        WorldBuilder::new().file(&[request("web", vec![tagged(1)]), plain(2)]).build(),
        WorldBuilder::new()
            .file(&[request("web", vec![tagged(1)])])
            .foreign_file(&[plain(2)])
            .build(),
    ];
    let at = |ns: u64| (T0 + ns).to_string();
    for world in worlds {
        let columns = "SELECT hlc_node, hlc_start, hlc_start_lead, hlc_end_node, hlc_end, \
                       hlc_end_lead, recv_node, recv_hlc, recv_lead FROM spans ORDER BY span_id";
        let expected = format!(
            "00000000000a11ce,{},1,00000000000a11cf,{},0,0000000000000b0b,{},3\n,,,,,,,,",
            at(0),
            at(5 * MS),
            T0 - 5
        );
        assert_eq!(world.sql(columns).await, expected);
        for condition in [
            "hlc_node = '00000000000A11CE'",
            "hlc_node IN ('00000000000a11ce', 'x')",
            "recv_hlc < hlc_start",
            "resp IS NOT NULL AND hlc_reject IS NOT NULL",
            "cardinality(resp) = 2 AND resp[2]['lead'] = 2",
            "hlc_reject['node'] = '0000000000000ddd'",
        ] {
            let sql = format!("SELECT name FROM spans WHERE {condition}");
            assert_eq!(world.sql(&sql).await, "tagged", "{condition}");
        }
        assert_eq!(world.sql("SELECT name FROM spans WHERE hlc_start IS NULL").await, "plain");
        let none = "SELECT hlc_reject, hlc_reject['hlc'], resp, resp[1]['node'] FROM spans \
                    WHERE name = 'plain'";
        assert_eq!(world.sql(none).await, ",,,");
        let stamps = "SELECT resp, hlc_reject FROM spans WHERE name = 'tagged'";
        let expected = format!(
            "\"[{{\"\"node\"\":\"\"0000000000000b0b\"\",\"\"hlc\"\":{},\"\"lead\"\":0}},\
             {{\"\"node\"\":\"\"0000000000000ccc\"\",\"\"hlc\"\":{},\"\"lead\"\":2}}]\",\
             \"{{\"\"node\"\":\"\"0000000000000ddd\"\",\"\"hlc\"\":{},\"\"lead\"\":0}}\"",
            at(7),
            at(8),
            at(9)
        );
        assert_eq!(world.sql(stamps).await, expected);
        let links = "SELECT hlc_node, hlc, hlc_lead FROM links ORDER BY linked_span_id";
        assert_eq!(world.sql(links).await, format!("0000000000000eee,{},4\n,,", at(0)));
        assert_eq!(world.sql("SELECT * FROM spans ORDER BY span_id").await.lines().count(), 2);
        let (status, trace) = world.get("/traces/00000000000000000000000000000001/otlp").await;
        assert_eq!(status, 200);
        assert!(trace.to_string().contains("00000000000a11ce:"), "what was sent comes back");
    }
}

async fn rows(query: &Query, sql: &str) -> String {
    let mut out = Vec::new();
    let batches = query.sql(sql).await.expect("runs");
    let options = format::Options::default();
    format::write(batches, format::Format::Csv, options, &mut out).await.expect("writes");
    String::from_utf8(out).expect("UTF-8").replace("\r\n", "\n")
}

/// Requests with random stamps, a third of them without any, and the lines that SQL has to give.
fn random_requests(seed: u64) -> (Vec<Vec<u8>>, Vec<String>) {
    let mut dice = Dice::new(seed);
    let mut expected = Vec::new();
    let mut requests = Vec::new();
    for first in (1..400_u64).step_by(40) {
        let mut spans = Vec::new();
        for id in first..first + 40 {
            let mut random = span(id % 7 + 1, id, 0, "x", 0, 1);
            let mut line = format!("{id:016x}");
            for (key, is_there) in
                [("hlc.start", dice.below(2)), ("hlc.end", dice.below(3)), ("recv", dice.below(2))]
            {
                if is_there == 0 || first % 3 == 0 {
                    line.push_str(",,,");
                    continue;
                }
                let node = dice.below(u64::MAX >> 11) + 1;
                let bits = dice.below(51);
                let hlc = dice.below(2 << bits) + 1;
                let less = dice.below(hlc);
                let lead = [0, hlc, less][dice.below(3) as usize];
                line.push_str(&format!(",{node:016x},{hlc},{lead}"));
                match key {
                    "recv" => random.trace_state = format!("hlc=1:{}", stamp(node, hlc, lead)),
                    key => random.attributes.push(kv(key, text(&stamp(node, hlc, lead)))),
                }
            }
            expected.push(line);
            spans.push(random);
        }
        requests.push(request("web", spans).encode_to_vec());
    }
    (requests, expected)
}

/// Scenario: spans with random stamps, some without, are received in many requests, seen while
/// recent, brought back from the log after a crash, flushed, and merged.
/// Guarantee: SQL gives the stamps as they were sent, every time.
#[tokio::test]
async fn random_stamps_survive_from_otlp_to_sql() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = || StoreSettings {
        flush_interval: std::time::Duration::from_secs(3600),
        maintenance: false,
        compaction_cpu_share: 1.0,
        compaction_files: 2,
        ..StoreSettings::new(folder.path().to_owned(), Arc::new(|| T0 as i64))
    };
    let open = async || {
        let mut registry = Registry::default();
        let store = Store::open(settings(), &mut registry).await.expect("opens");
        let query = Query::new(store.clone(), QuerySettings::default(), &mut registry);
        (store, query.expect("starts"))
    };
    let (requests, expected) = random_requests(11);
    let sql = "SELECT span_id, hlc_node, hlc_start, hlc_start_lead, hlc_end_node, hlc_end, \
               hlc_end_lead, recv_node, recv_hlc, recv_lead FROM spans ORDER BY span_id";
    let check = async |query: &Query, when: &str| {
        let found = rows(query, sql).await;
        let found: Vec<&str> = found.lines().skip(1).collect();
        assert_eq!(found, expected, "{when}");
    };
    let (store, query) = open().await;
    for (digest, payload) in (1..).zip(requests) {
        let (columns, _) = otlp::decode(&payload, T0 as i64).expect("decodes");
        let received_at_unix_nano = T0 as i64;
        let payload = Bytes::from(payload);
        let request = Request { received_at_unix_nano, digest, payload, columns };
        store.append(request).await.expect("is stored");
        if digest == 4 {
            store.flush().await.expect("flushes");
        }
    }
    check(&query, "partly recent").await;
    store.close(std::time::Duration::ZERO).await.expect("closes");
    drop((store, query));
    let (store, query) = open().await;
    check(&query, "from the log").await;
    store.flush().await.expect("flushes");
    check(&query, "from files").await;
    store.maintain().await.expect("merges");
    assert_eq!(store.snapshot().await.expect("a snapshot").files.len(), 1);
    check(&query, "merged").await;
}
