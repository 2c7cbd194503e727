//! Measures what detectors find where the answer is known, counts what they find in real data, and prints the page.
//!
//! `cargo run -p causeway-analysis --example evaluate_findings > docs/findings-evaluation.md`
//!
//! Real data lie outside the repository, in `CAUSEWAY_SHARED_DATA` or `../shared/data`. They go the server's way: merged,
//! offsets learnt from all of a data set, aligned, every detector.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use causeway_analysis::detectors::Finding;
use causeway_model::batch::{AttributeColumns, seal};
use causeway_model::{SpanRows, otlp};
use flate2::read::GzDecoder;
use serde_json::Value as Json;

#[path = "../tests/it/labelled/mod.rs"]
mod labelled;

use labelled::case::Level;
use labelled::run::seen;
use labelled::{CASES_MIN, Error};

const HEAD: &str = "\
# Evaluation of findings

Generated; do not edit. `cargo run -p causeway-analysis --example evaluate_findings > docs/findings-evaluation.md`
";

const LABELLED: &str = "
## Labelled cases

For every detector cases that must fire and near misses that must not (`analysis/tests/it/labelled`). A case is right if it
is right in every world: as written; with healthy work beside it, of which three spans in ten were lost; that delivered in
random order in ten batches with copies, which must give the same findings and summary in every field; and with each
process's clock up to 10 s off. Right means: exactly the findings that are marked, with the marked spans, caller and count,
and none of this detector else. Rules about times of several clocks are judged with the clocks their cases set. The test
`every_labelled_case_is_right` does this on every run of the tests, and that this table is current.

";

/// Data sets, and the files of each.
const DATA: [(&str, &[&str]); 7] = [
    ("Online Boutique", &["nezha-onlineboutique/otlp.jsonl.gz"]),
    ("TrainTicket", &["nezha-trainticket/otlp.jsonl.gz"]),
    (
        "hotel",
        &["traceweaver-hotel/hotel_load100.jsonl.gz", "traceweaver-hotel/hotel_load150.jsonl.gz"],
    ),
    ("media", &["traceweaver-media/media_load100.jsonl.gz"]),
    ("node", &["traceweaver-node/node_load100.jsonl.gz"]),
    ("Zipkin", &["zipkin/otlp.jsonl.gz"]),
    ("OTLP example", &["opentelemetry-proto-examples/trace.json"]),
];

/// Folders with an answer key.
const KEYS: [(&str, &str); 3] = [
    ("Online Boutique", "nezha-onlineboutique"),
    ("TrainTicket", "nezha-trainticket"),
    ("Zipkin", "zipkin"),
];

/// Length of the windows that real data are cut into.
const STRETCH_NS: u64 = 600_000_000_000;

fn main() -> Result<(), Error> {
    let mut page = String::from(HEAD);
    page.push_str(LABELLED);
    let mut judged = Vec::new();
    for labelled in labelled::all() {
        let score = labelled::score(&labelled)?;
        if score.fires.min(score.near) < CASES_MIN {
            return Err(format!("{}: too few cases", labelled.detector).into());
        }
        score.wrong.iter().for_each(|wrong| eprintln!("{wrong}"));
        judged.push((labelled, score));
    }
    page.push_str(&labelled::table(&judged)?);
    let root = std::env::var_os("CAUSEWAY_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let mut found = Vec::new();
    for (name, files) in DATA {
        let files: Vec<PathBuf> =
            files.iter().map(|file| root.join(file)).filter(|path| path.is_file()).collect();
        if files.is_empty() {
            eprintln!("no data of {name}");
            continue;
        }
        let (mut findings, mut parents) = (Vec::new(), HashMap::new());
        for batch in read(&files)? {
            parents.extend(self::parents(&batch)?);
            for level in [Level::Trace, Level::Window, Level::Clocks] {
                findings.extend(seen(std::slice::from_ref(&batch), level, true)?.findings);
            }
        }
        found.push((name, Set { findings, parents }));
    }
    answers(&mut page, &root, &found)?;
    counts(&mut page, &found)?;
    groups(&mut page, &found)?;
    page.push_str(include_str!("findings_looked_at.md"));
    std::io::stdout().lock().write_all(page.as_bytes())?;
    Ok(())
}

/// What was found in a data set.
struct Set {
    findings: Vec<Finding>,
    /// Parents of spans, by trace and span.
    parents: HashMap<(String, u64), u64>,
}

fn open(path: &Path) -> Result<BufReader<Box<dyn Read>>, Error> {
    let file = File::open(path)?;
    let is_packed = path.extension().is_some_and(|end| end == "gz");
    let input: Box<dyn Read> =
        if is_packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    Ok(BufReader::new(input))
}

/// All spans of files of one OTLP/JSON request a line, or of one request: a batch for each stretch of time, as windows
/// and reports of clocks are of minutes, not days.
fn read(files: &[PathBuf]) -> Result<Vec<RecordBatch>, Error> {
    let mut columns: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for path in files {
        let mut add = |request: &str| -> Result<(), Error> {
            let (spans, _) = otlp::decode(&otlp::json_to_protobuf(request.as_bytes())?, 0)?;
            columns.entry(start_ns(request) / STRETCH_NS).or_default().push(Arc::new(spans));
            Ok(())
        };
        if path.extension().is_some_and(|end| end == "json") {
            let mut text = String::new();
            open(path)?.read_to_string(&mut text)?;
            add(&text)?;
        } else {
            for line in open(path)?.lines() {
                add(&line?)?;
            }
        }
    }
    let none = AttributeColumns::default();
    columns.values().map(|columns| Ok(seal(columns, &none)?)).collect()
}

/// The first start that a request tells.
fn start_ns(request: &str) -> u64 {
    let after = request.split_once("startTimeUnixNano").map_or("", |(_, after)| after);
    let digits = after.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn parents(batch: &RecordBatch) -> Result<HashMap<(String, u64), u64>, Error> {
    let rows = SpanRows::new(batch)?;
    let mut parents = HashMap::new();
    for row in 0..rows.len {
        let id = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_be_bytes);
        let trace: String =
            rows.trace_id.value(row).iter().map(|byte| format!("{byte:02x}")).collect();
        parents.insert((trace, id(rows.span_id.value(row))), id(rows.parent_span_id.value(row)));
    }
    Ok(parents)
}

/// A group of the answer key: siblings of one name, of which the most frequent target counts.
struct Group {
    trace: String,
    spans: HashSet<u64>,
    parent: u64,
    /// How often the most frequent target is called.
    most: u64,
}

fn key(path: &Path) -> Result<Vec<Group>, Error> {
    let json: Json = serde_json::from_reader(open(path)?)?;
    let list = |json: &Json, key: &str| {
        json.get(key).and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let id = |json: &Json| {
        json.as_str().and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap_or(0)
    };
    let mut groups = Vec::new();
    for of in json.as_array().into_iter().flatten().flat_map(|pattern| list(pattern, "where")) {
        let targets = of.get("targets").and_then(Json::as_object);
        let most = targets.and_then(|targets| targets.values().filter_map(Json::as_u64).max());
        groups.push(Group {
            trace: of["trace"].as_str().unwrap_or_default().to_owned(),
            spans: list(&of, "spans").iter().map(id).collect(),
            parent: id(&of["parent_span"]),
            most: most.or(of["count"].as_u64()).unwrap_or(0),
        });
    }
    Ok(groups)
}

/// How findings answer a key.
#[derive(Default)]
struct Answer {
    repeats: usize,
    found: usize,
    /// Below the repeated calls of another finding, whose evidence names them.
    nested: usize,
    /// Found as side by side.
    fan_out: usize,
    traps: usize,
    traps_reported: usize,
    /// Findings about spans of a repeat, of a trap, and about calls that the key does not list.
    right: usize,
    wrong: usize,
    unlisted: usize,
}

fn answer(groups: &[Group], set: &Set) -> Answer {
    let mut answer = Answer::default();
    let mut by_trace: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in &set.findings {
        if matches!(finding.detector, "n_plus_one" | "fan_out") {
            by_trace.entry(finding.trace_id.to_string()).or_default().push(finding);
        }
    }
    let of_trace = |trace: &str| by_trace.get(trace).into_iter().flatten().copied();
    let hits = |group: &Group, finding: &Finding| {
        finding.span_ids.iter().filter(|id| group.spans.contains(id)).count() as u64
    };
    for group in groups {
        let covers = |name: &str| {
            of_trace(&group.trace)
                .any(|finding| finding.detector == name && hits(group, finding) >= group.most)
        };
        if group.most < 5 {
            answer.traps += 1;
            answer.traps_reported +=
                usize::from(of_trace(&group.trace).any(|finding| hits(group, finding) >= 5));
            continue;
        }
        answer.repeats += 1;
        if covers("n_plus_one") {
            answer.found += 1;
        } else if is_nested(group, of_trace(&group.trace), &set.parents) {
            answer.nested += 1;
        } else if covers("fan_out") {
            answer.fan_out += 1;
        }
    }
    for finding in set.findings.iter().filter(|finding| finding.detector == "n_plus_one") {
        let trace = finding.trace_id.to_string();
        let of: Vec<&Group> = groups
            .iter()
            .filter(|group| group.trace == trace && hits(group, finding) > 0)
            .collect();
        if of.is_empty() {
            answer.unlisted += 1;
        } else if of.iter().any(|group| group.most >= 5) {
            answer.right += 1;
        } else {
            answer.wrong += 1;
        }
    }
    answer
}

/// Whether the group's caller is below the calls of a finding.
fn is_nested<'a>(
    group: &Group,
    findings: impl Iterator<Item = &'a Finding>,
    parents: &HashMap<(String, u64), u64>,
) -> bool {
    let calls: HashSet<u64> = findings
        .filter(|of| of.detector == "n_plus_one")
        .flat_map(|of| of.span_ids.iter().copied())
        .collect();
    let mut at = group.parent;
    // Traces of real data are no deeper.
    for _ in 0..1_000 {
        if calls.contains(&at) {
            return true;
        }
        match parents.get(&(group.trace.clone(), at)) {
            Some(above) if *above != 0 => at = *above,
            _ => return false,
        }
    }
    false
}

fn answers(page: &mut String, root: &Path, found: &[(&str, Set)]) -> Result<(), Error> {
    page.push_str("\n## N+1 against answer keys\n\nKeys list groups of at least five siblings of one name and what was really called: a *repeat* calls one target five times or more, a *trap* several. *Below* are repeats under the calls of a finding, which names them (MxN).\n\n| data | repeats | found | below | missed | recall | traps | reported | findings of repeats | of traps | precision | of calls that no key lists |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (name, folder) in KEYS {
        let path = root.join(folder).join("otlp.repeats.json.gz");
        let set = found.iter().find(|(of, _)| *of == name);
        let (Some((_, set)), true) = (set, path.is_file()) else { continue };
        let of = answer(&key(&path)?, set);
        let all = of.found + of.nested + of.fan_out;
        let recall = all as f64 / of.repeats.max(1) as f64;
        let precision = of.right as f64 / (of.right + of.wrong).max(1) as f64;
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {recall:.3} | {} | {} | {} | {} | {precision:.3} | {} |",
            of.repeats,
            of.found + of.fan_out,
            of.nested,
            of.repeats - all,
            of.traps,
            of.traps_reported,
            of.right,
            of.wrong,
            of.unlisted
        )?;
    }
    Ok(())
}

fn counts(page: &mut String, found: &[(&str, Set)]) -> Result<(), Error> {
    page.push_str("\n## What is reported of real data\n\nFindings / groups of them.\n\n");
    let names: BTreeSet<&str> =
        found.iter().flat_map(|(_, set)| set.findings.iter().map(|of| of.detector)).collect();
    let head: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    writeln!(page, "| detector | {} |\n|---|{}", head.join(" | "), "---|".repeat(head.len()))?;
    for detector in names {
        write!(page, "| `{detector}` |")?;
        for (_, set) in found {
            let of = set.findings.iter().filter(|finding| finding.detector == detector);
            let groups: HashSet<_> = of.clone().map(|finding| finding.group_key).collect();
            match of.count() {
                0 => page.push_str(" - |"),
                count => write!(page, " {count} / {} |", groups.len())?,
            }
        }
        page.push('\n');
    }
    Ok(())
}

/// Groups of a data set that are named at most.
const GROUPS_MAX: usize = 12;

fn groups(page: &mut String, found: &[(&str, Set)]) -> Result<(), Error> {
    page.push_str("\nThe groups with most findings of each data set, by the title of one of them.\n\n| data | detector | findings | severity | saving at the median, ms | for example |\n|---|---|---|---|---|---|\n");
    for (name, set) in found {
        let mut groups: BTreeMap<_, Vec<&Finding>> = BTreeMap::new();
        for finding in &set.findings {
            groups.entry((finding.detector, finding.group_key)).or_default().push(finding);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(key, of)| (std::cmp::Reverse(of.len()), *key));
        for ((detector, _), of) in groups.iter_mut().take(GROUPS_MAX) {
            of.sort_by_key(|finding| (finding.saving_ns, finding.finding_id));
            let (Some(median), count) = (of.get(of.len() / 2), of.len()) else { continue };
            let saving_ms = median.saving_ns as f64 / 1e6;
            let (severity, title) = (median.severity.label(), median.title.replace('|', "/"));
            writeln!(
                page,
                "| {name} | `{detector}` | {count} | {severity} | {saving_ms:.1} | {title} |"
            )?;
        }
        if groups.len() > GROUPS_MAX {
            writeln!(page, "| {name} | {} further groups | | | | |", groups.len() - GROUPS_MAX)?;
        }
    }
    Ok(())
}
