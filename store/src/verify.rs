//! Checks a data folder without changing it: log, table, files, order, counts.
//!
//! Meant for a stopped server. What a crash may leave behind (a torn end of the log, files that no
//! commit names) is information; damage to anything acknowledged is an error.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use causeway_model::SpanRows;

use crate::StoreError;
use crate::disk::RealDisk;
use crate::log;
use crate::maintenance::survey;
use crate::settings::{log_dir, table_dir};
use crate::store::read_file;
use crate::table::{DataFile, SpansTable, TableFolder};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing acknowledged is touched.
    Info,
    /// Something acknowledged is damaged or missing.
    Error,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyFinding {
    /// How bad it is.
    pub severity: Severity,
    /// File and place.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Spans in files of the table.
    pub table_spans: u64,
    /// Files of the table.
    pub table_files: u64,
    /// Requests in the log.
    pub log_requests: u64,
    /// Everything worth telling.
    pub findings: Vec<VerifyFinding>,
}

impl VerifyReport {
    /// Whether everything acknowledged is in order.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Info)
    }

    fn add(&mut self, severity: Severity, place: impl Into<String>, what: impl Into<String>) {
        self.findings.push(VerifyFinding { severity, place: place.into(), what: what.into() });
    }
}

/// Checks the data folder of a stopped server.
///
/// # Errors
/// The folder cannot be read at all.
pub async fn verify(data_dir: &Path) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport::default();
    verify_log(&log_dir(data_dir), &mut report)?;
    let dir = table_dir(data_dir);
    if dir.join("_delta_log").exists()
        && let Err(error) = verify_table(&dir, &mut report).await
    {
        report.add(Severity::Error, dir.display().to_string(), error.to_string());
    }
    Ok(report)
}

async fn verify_table(dir: &Path, report: &mut VerifyReport) -> Result<(), StoreError> {
    let mut table = SpansTable::open(TableFolder::new(dir.to_owned(), Arc::new(RealDisk))).await?;
    let files = table.files()?;
    let found = survey(dir, &files, table.tombstones().await?)
        .map_err(|error| StoreError::failing("list the table's folder", error))?;
    files.iter().for_each(|file| verify_file(dir, file, report));
    let place = dir.display().to_string();
    if !found.left.is_empty() {
        let what = format!("{} files that left the table are not deleted yet", found.left.len());
        report.add(Severity::Info, place.as_str(), what);
    }
    if !found.unnamed.is_empty() {
        let what = format!(
            "{} files that no commit names, left by an interrupted flush or merge or by another tool",
            found.unnamed.len()
        );
        report.add(Severity::Info, place.as_str(), what);
    }
    Ok(())
}

fn verify_log(dir: &Path, report: &mut VerifyReport) -> Result<(), StoreError> {
    if !dir.exists() {
        return Ok(());
    }
    let found = log::inspect(dir)?;
    report.log_requests = found.records;
    for damage in &found.damaged {
        let place = format!("{} at byte {}", damage.path.display(), damage.offset);
        report.add(Severity::Error, place, damage.kind.explanation());
    }
    if let Some(torn) = &found.torn {
        let place = format!("{} at byte {}", torn.path.display(), torn.offset);
        report.add(
            Severity::Info,
            place,
            "torn end of an interrupted write, never acknowledged; recoverable",
        );
    }
    for path in &found.set_aside {
        report.add(
            Severity::Error,
            path.display().to_string(),
            "segment set aside because of damage",
        );
    }
    Ok(())
}

fn verify_file(table_dir: &Path, file: &DataFile, report: &mut VerifyReport) {
    let path: PathBuf = table_dir.join(&file.path);
    let mut check = FileCheck::default();
    match read_file(&path, &mut |batch| check.batch(batch)) {
        Err(error) => check.problems.push(error.to_string()),
        Ok(()) if check.rows != file.rows => {
            check.problems.push(format!("{} spans instead of {}", check.rows, file.rows));
        }
        Ok(()) => {}
    }
    match path.metadata() {
        Ok(metadata) if metadata.len() != file.bytes => {
            check.problems.push(format!("{} bytes instead of {}", metadata.len(), file.bytes));
        }
        _ => {}
    }
    report.table_files += 1;
    report.table_spans += check.rows;
    for what in check.problems {
        report.add(Severity::Error, path.display().to_string(), what);
    }
}

/// What is known of a file while it is read.
#[derive(Debug, Default)]
struct FileCheck {
    rows: u64,
    last: Option<(Vec<u8>, i64)>,
    problems: Vec<String>,
}

impl FileCheck {
    fn batch(&mut self, batch: &RecordBatch) {
        let rows = match SpanRows::new(batch) {
            Ok(rows) => rows,
            Err(error) => return self.problem(error.to_string()),
        };
        for row in 0..rows.len {
            let trace_id = rows.trace_id.value(row);
            if trace_id.len() != 16 || rows.span_id.value(row).len() != 8 {
                self.problem(format!("span {} has ids of a wrong length", self.rows));
            }
            let key = (trace_id, rows.start_time_unix_nano.value(row));
            if self.last.as_ref().is_some_and(|(id, start)| key < (id.as_slice(), *start)) {
                self.problem(format!("span {} is out of order", self.rows));
            }
            self.last = Some((key.0.to_vec(), key.1));
            self.rows += 1;
        }
    }

    /// Keeps the first problem: the rest follows from it.
    fn problem(&mut self, what: String) {
        if self.problems.is_empty() {
            self.problems.push(what);
        }
    }
}
