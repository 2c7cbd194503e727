//! Where the time of many traces goes, and what a change would save in each.

use serde_json::json;

use crate::world::{MS, T0, World, WorldBuilder, request, span};

/// Forty dashboards of 100 ms: five queries of 10 ms one after another, 5 ms apart, each for a caller of its own in every
/// second trace. The last ten, of another time, have queries of 14 ms.
fn dashboards() -> World {
    let mut spans = Vec::new();
    for n in 0..40_u64 {
        let at = n * 1_000;
        spans.push(span(n + 1, 1, 0, "dashboard", at, 100));
        for query in 0..5 {
            let start = at + 10 + query * 15;
            let took = if n < 30 { 10 } else { 14 };
            let parent = if n % 2 == 0 { 1 } else { 10 + query };
            if parent > 1 {
                spans.push(span(n + 1, parent, 1, "row", start, took));
            }
            spans.push(span(n + 1, 20 + query, parent, "SELECT", start, took));
        }
    }
    let recent = spans.split_off(150);
    WorldBuilder::new().file(&[request("web", spans)]).recent(&[request("web", recent)]).build()
}

#[tokio::test]
async fn times_of_operations_are_summed_over_any_cohort() {
    let world = dashboards();
    let sums = "SELECT o['name'], sum(o['spans']), sum(o['self_time_ns']), sum(o['critical_path_ns']) FROM \
        (SELECT unnest(operation_times(trace_id)) AS o FROM traces WHERE trace_id <= '1e') GROUP BY 1 ORDER BY 1";
    let (queries, dashboards) = (150 * 10 * MS, 30 * 50 * MS);
    let expected = format!(
        "SELECT,150,{queries},{queries}\ndashboard,30,{dashboards},{dashboards}\nrow,75,0,0"
    );
    assert_eq!(world.sql(sums).await, expected);
    let own = "SELECT name, sum(self_time(trace_id, span_id)) FROM spans WHERE trace_id = '1' GROUP BY 1 ORDER BY 1";
    assert_eq!(world.sql(own).await, format!("SELECT,{}\ndashboard,{}", 50 * MS, 50 * MS));
    assert_eq!(world.sql("SELECT operation_times('77') IS NULL").await, "true");
    let wrong = world.sql("SELECT operation_times('x') FROM traces").await;
    assert!(wrong.contains("is not an id"), "{wrong}");
}

#[tokio::test]
async fn a_change_is_tried_in_every_trace() {
    let world = dashboards();
    let saving = |change: &str| {
        format!(
            "SELECT saving, count(*) FROM (SELECT what_if(trace_id, '{change}')['saving_ns'] AS saving \
             FROM traces WHERE trace_id <= '1e') GROUP BY 1 ORDER BY 1"
        )
    };
    let spans = r#""spans":{"service_name":"web","name":"SELECT"}"#;
    let removed = world.sql(&saving(&format!(r#"{{"kind":"remove",{spans}}}"#))).await;
    assert_eq!(removed, format!("{},30", 50 * MS));
    // Where each query has a caller of its own, there is nothing to be batched.
    let batched = world.sql(&saving(&format!(r#"{{"kind":"batch",{spans}}}"#))).await;
    assert_eq!(batched, format!("0,15\n{},15", 40 * MS));
    for (change, message) in [
        (format!(r#"{{"kind":"parallel","limit":0,{spans}}}"#), "limit is 0"),
        (r#"{"kind":"smaller"}"#.to_owned(), "no change"),
    ] {
        let error = world.sql(&saving(&change)).await;
        assert!(error.contains(message), "{error}");
    }
    let body = json!({"changes": [{"kind": "remove", "spans": {"service_name": "web", "name": "SELECT"}}]});
    let asked = http::Request::post("/traces/1/what-if").header("content-type", "application/json");
    let (status, answer) =
        world.request(asked.body(body.to_string().into()).expect("a request")).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!((status, &answer["saving_ns"]), (200, &json!(50 * MS)));
}

#[tokio::test]
async fn cohorts_are_summed_and_compared() {
    let world = dashboards();
    let early = format!("start={T0}&end={}&limit=20", T0 + 29_500 * MS);
    let (status, cohort) = world.get(&format!("/cohort?operation=dashboard&{early}")).await;
    assert_eq!(
        (status, &cohort["traces"], &cohort["total"]["value"]),
        (200, &json!(20), &json!(30))
    );
    assert_eq!(cohort["root_ns"], json!(20 * 100 * MS));
    let frames = cohort["frames"].as_array().expect("frames");
    let below: i64 = frames.iter().filter_map(|frame| frame["path_ns"].as_i64()).sum();
    assert_eq!(json!(below), cohort["root_ns"], "the frames add up to the roots");
    let encoded = |text: String| text.replace('=', "%3D").replace('&', "%26");
    let before = encoded(format!("service=web&start={T0}&end={}", T0 + 29_500 * MS));
    let after = encoded(format!("service=web&start={}", T0 + 29_900 * MS));
    let (status, both) =
        world.get(&format!("/cohort/difference?before={before}&after={after}")).await;
    assert_eq!((status, &both["traces"]), (200, &json!([30, 10])), "{both}");
    assert_eq!(both["operations"][0]["path_ns"], json!([50 * MS, 70 * MS]));
    for uri in
        ["/cohort?limit=0", "/cohort/difference?before=x", "/cohort/difference?before=a%3Db&after="]
    {
        assert_eq!(world.get(uri).await.0, 400, "{uri}");
    }
}

#[tokio::test]
async fn a_trace_is_a_tree() {
    let world = dashboards();
    let tree = "SELECT depth, name, duration_ns, self_time_ns, is_placeholder FROM trace_tree('2') ORDER BY seq LIMIT 3";
    let [ten, hundred, half] = [10, 100, 50].map(|ms| ms * MS);
    let expected = format!(
        "0,dashboard,{hundred},{half},false\n1,row,{ten},0,false\n2,SELECT,{ten},{ten},false"
    );
    assert_eq!(world.sql(tree).await, expected);
    let above = "SELECT count(*) FROM trace_tree('2') a JOIN trace_tree('2') b ON a.parent_span_id = b.span_id";
    assert_eq!(world.sql(above).await, "10");
}
