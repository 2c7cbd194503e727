//! Forms against the answer keys of real data: repeats are one call, traps are several.
//!
//! The data sets lie outside the repository; where they are missing the test says so and proves nothing. An answer
//! key lists groups of siblings with one span name; of HTTP groups it tells how often which server was really called.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use causeway_analysis::forms::{CallKey, Fields, Former, Kind};
use flate2::read::GzDecoder;
use serde_json::Value as Json;

type Error = Box<dyn std::error::Error>;

/// The folder of real data sets, if this machine has it.
fn shared_data() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("CAUSEWAY_SHARED_DATA").map_or_else(beside, PathBuf::from);
    path.is_dir().then_some(path)
}

struct Span {
    service: String,
    name: String,
    kind: Kind,
}

#[derive(Default)]
struct Spans {
    spans: HashMap<String, Span>,
    /// Children by their parent's id, all prefixed with the trace's id.
    children: HashMap<String, Vec<String>>,
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn list<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn open(path: &Path) -> Result<BufReader<GzDecoder<File>>, Error> {
    Ok(BufReader::new(GzDecoder::new(File::open(path)?)))
}

fn read(path: &Path) -> Result<Spans, Error> {
    let mut read = Spans::default();
    for line in open(path)?.lines() {
        let request: Json = serde_json::from_str(&line?)?;
        for resource in list(&request, "resourceSpans") {
            let attributes = resource.get("resource").map(|inner| list(inner, "attributes"));
            let is_name = |attribute: &&Json| text(attribute, "key") == "service.name";
            let service = attributes.into_iter().flatten().find(is_name);
            let service = service
                .and_then(|found| found.get("value"))
                .map(|value| text(value, "stringValue"));
            for span in list(resource, "scopeSpans").flat_map(|scope| list(scope, "spans")) {
                let trace = text(span, "traceId");
                let id = format!("{trace}{}", text(span, "spanId"));
                let parent = format!("{trace}{}", text(span, "parentSpanId"));
                read.children.entry(parent).or_default().push(id.clone());
                let kind = Kind::from_otlp(i32::try_from(span["kind"].as_i64().unwrap_or(0))?);
                let service = service.unwrap_or_default().to_owned();
                read.spans.insert(id, Span { service, name: text(span, "name").to_owned(), kind });
            }
        }
    }
    Ok(read)
}

/// The call of a span, told by its server span where its name does not say what it calls.
fn key_of(id: &str, spans: &Spans, former: &mut Former) -> Result<CallKey, Error> {
    let span = spans.spans.get(id).ok_or("the answer key names a span that is not there")?;
    let call = former.form(span.kind, &span.name, &Fields::default()).ok_or("no call")?;
    if call.target_known {
        return Ok(call.key);
    }
    let children = spans.children.get(id).into_iter().flatten();
    let server = children
        .filter_map(|child| spans.spans.get(child))
        .find(|child| child.service != span.service);
    Ok(server
        .map_or(call.key, |server| former.with_target(&call, &server.service, &server.name).key))
}

/// Checks every group and gives the number of groups of one call and of several.
fn check(folder: &Path) -> Result<(usize, usize), Error> {
    let spans = read(&folder.join("otlp.jsonl.gz"))?;
    let groups: Json = serde_json::from_reader(open(&folder.join("otlp.repeats.json.gz"))?)?;
    let mut former = Former::default();
    let (mut repeats, mut traps) = (0, 0);
    for pattern in groups.as_array().into_iter().flatten() {
        for group in list(pattern, "where") {
            let mut told: BTreeMap<CallKey, u64> = BTreeMap::new();
            for span in list(group, "spans").filter_map(Json::as_str) {
                let id = format!("{}{span}", text(group, "trace"));
                *told.entry(key_of(&id, &spans, &mut former)?).or_default() += 1;
            }
            let mut counts: Vec<u64> = told.into_values().collect();
            counts.sort_unstable();
            let count = group["count"].as_u64().unwrap_or(0);
            let mut expected = match group.get("targets").and_then(Json::as_object) {
                Some(targets) => targets.values().filter_map(Json::as_u64).collect(),
                None => vec![count],
            };
            expected.sort_unstable();
            // Calls whose server span is missing cannot be told apart, nor be said to be the same as others.
            assert_eq!(counts, expected, "{} in {}", text(pattern, "child"), text(group, "trace"));
            let most = expected.last().copied().unwrap_or(0);
            if most >= 5 { repeats += 1 } else { traps += 1 }
        }
    }
    Ok((repeats, traps))
}

#[test]
fn repeats_are_one_call_and_traps_are_several() -> Result<(), Error> {
    let Some(data) = shared_data() else {
        eprintln!("SKIPPED: no folder of shared data, so nothing was proven");
        return Ok(());
    };
    assert_eq!(check(&data.join("nezha-trainticket"))?, (629, 177));
    assert_eq!(check(&data.join("nezha-onlineboutique"))?, (1728, 0));
    Ok(())
}
