//! What queries read through a snapshot, by three ways: all spans, one trace by the filters on trace
//! ids, spans by service from the summaries.
//!
//! Files never change, so each is decoded once; that it is still there is looked up every time.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use causeway_model::parts::{self, part};

use super::spans::{Seen, seen};
use crate::store::read_file;
use crate::table::summary_path;
use crate::{DataFile, Snapshot};

/// What a file holds.
#[derive(Debug, Default)]
struct Content {
    spans: Vec<Seen>,
    by_service: Counts<String>,
}

type Counts<K> = BTreeMap<K, u64>;

/// Decoded files by path.
#[derive(Debug, Default)]
pub(super) struct Reader(HashMap<String, (Stamp, Arc<Content>)>);

/// What tells that a file is still the same: its number, size and time.
type Stamp = (u64, u64, i64);

/// The answers of one snapshot.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Answers {
    /// Sorted; one that is there twice is here twice.
    pub(super) spans: Vec<Seen>,
    by_trace: Counts<u8>,
    by_service: Counts<String>,
}

impl Answers {
    /// Those of a simple model.
    pub(super) fn of(spans: impl IntoIterator<Item = Seen>) -> Self {
        let mut answers = Self::default();
        for span in spans {
            *answers.by_trace.entry(span.trace).or_default() += 1;
            *answers.by_service.entry(span.service()).or_default() += 1;
            answers.spans.push(span);
        }
        answers.spans.sort();
        answers
    }

    /// For a person.
    pub(super) fn differences(&self, expected: &Self) -> String {
        let count = |spans: &[Seen], span: &Seen| spans.iter().filter(|it| *it == span).count();
        let mut all: Vec<Seen> = self.spans.iter().chain(&expected.spans).copied().collect();
        all.sort();
        all.dedup();
        let counts = all.iter().map(|it| (it, count(&self.spans, it), count(&expected.spans, it)));
        let counts: Vec<_> = counts.filter(|(_, seen, expected)| seen != expected).collect();
        format!(
            "(span, times seen, times expected): {counts:?}; by trace {:?} and {:?}; by service {:?} and {:?}",
            self.by_trace, expected.by_trace, self.by_service, expected.by_service
        )
    }
}

impl Reader {
    /// Asks a snapshot.
    pub(super) fn ask(&mut self, snapshot: &Snapshot) -> Result<Answers, String> {
        let mut files = Vec::new();
        for file in snapshot.files.iter() {
            files.push((file, self.content(snapshot, file)?));
        }
        let mut recent = Content::default();
        for batch in &snapshot.recent {
            seen(batch, &mut recent.spans)?;
        }
        recent.spans.iter().for_each(|s| *recent.by_service.entry(s.service()).or_default() += 1);
        let contents = || files.iter().map(|(_, content)| content.as_ref()).chain([&recent]);

        let mut answers = Answers::default();
        contents().for_each(|content| answers.spans.extend(&content.spans));
        answers.spans.sort();
        for (service, count) in contents().flat_map(|content| &content.by_service) {
            *answers.by_service.entry(service.clone()).or_default() += count;
        }
        let of_trace = |content: &Content, trace| {
            content.spans.iter().filter(|span| span.trace == trace).count() as u64
        };
        for trace in answers.spans.iter().map(|span| span.trace) {
            if answers.by_trace.contains_key(&trace) {
                continue;
            }
            let mut count = of_trace(&recent, trace);
            for (file, content) in &files {
                let is_candidate = snapshot.index.may_hold(file, &[trace; 16]);
                if is_candidate.map_err(|error| format!("filters of {}: {error}", file.path))? {
                    count += of_trace(content, trace);
                }
            }
            answers.by_trace.insert(trace, count);
        }
        Ok(answers)
    }

    fn content(&mut self, snapshot: &Snapshot, file: &DataFile) -> Result<Arc<Content>, String> {
        let root = &snapshot.table_root;
        let path = file.full_path(root);
        let failed =
            |what: &str, error: &dyn std::fmt::Display| format!("{what} of {}: {error}", file.path);
        let metadata = fs::metadata(&path).map_err(|error| failed("spans", &error))?;
        let summary = summary_path(root, file);
        fs::metadata(&summary).map_err(|error| failed("summary", &error))?;
        let stamp = (metadata.ino(), metadata.len(), metadata.mtime_nsec());
        if let Some((known, content)) = self.0.get(&file.path)
            && *known == stamp
        {
            return Ok(Arc::clone(content));
        }
        let mut content = Content::default();
        let mut problem = Ok(());
        read_file(&path, &mut |batch| {
            problem = problem.clone().and_then(|()| seen(batch, &mut content.spans));
        })
        .map_err(|error| failed("spans", &error))?;
        problem.map_err(|error| failed("content", &error))?;
        let by_trace = read_summary(&summary, &mut content.by_service)
            .map_err(|error| failed("summary", &error))?;
        let expected = Answers::of(content.spans.iter().copied());
        if by_trace != expected.by_trace || content.by_service != expected.by_service {
            return Err(format!("{}: {by_trace:?} instead of {expected:?}", file.path));
        }
        if metadata.len() != file.bytes || content.spans.len() as u64 != file.rows {
            return Err(format!("{file:?} has {} bytes, {:?}", metadata.len(), content.spans));
        }
        let content = Arc::new(content);
        self.0.insert(file.path.clone(), (stamp, Arc::clone(&content)));
        Ok(content)
    }
}

/// Adds the spans of each service; gives those of each trace.
fn read_summary(
    path: &Path,
    by_service: &mut Counts<String>,
) -> Result<Counts<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut by_trace = Counts::new();
    let mut read = |batch: &RecordBatch| -> Option<()> {
        let spans = batch.column_by_name(part::SPANS)?.as_primitive_opt::<Int64Type>()?;
        let traces = batch.column_by_name(part::TRACE_ID)?.as_binary_opt::<i32>()?;
        for row in 0..batch.num_rows() {
            *by_trace.entry(traces.value(row)[0]).or_default() += spans.value(row).cast_unsigned();
        }
        let services = batch.column_by_name(part::SERVICES)?.as_list_opt::<i32>()?.values();
        let services = services.as_struct_opt()?;
        let names = services.column_by_name("name")?.as_string_opt::<i32>()?;
        let counts = services.column_by_name("spans")?.as_primitive_opt::<Int64Type>()?;
        for at in 0..services.len() {
            let count = by_service.entry(names.value(at).to_owned()).or_default();
            *count += counts.value(at).cast_unsigned();
        }
        Some(())
    };
    let mut is_whole = true;
    read_file(path, &mut |batch| is_whole &= read(batch).is_some())?;
    match is_whole {
        true => Ok(by_trace),
        false => Err(format!("not as {:?}", parts::schema()).into()),
    }
}
