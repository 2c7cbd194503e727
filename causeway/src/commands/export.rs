//! `causeway export`: stored spans as OTLP/JSON lines, or as Parquet of the SQL view.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use causeway_model::{SpanRows, ids, otlp};
use causeway_query::Query;
use causeway_query::format::{Format, Options};
use causeway_store::Store;
use flate2::write::GzEncoder;
use futures::StreamExt;
use hashbrown::HashSet;
use prometheus_client::registry::Registry;

use super::open::{Opened, open_existing};
use crate::config::Config;
use crate::output;

/// Spans of one line: a line is one request and must stay far below the import's limit.
const SPANS_PER_LINE: usize = 500;

/// Trace id and span id.
type Ids = (Vec<u8>, Vec<u8>);

pub(crate) async fn run(
    config: &Config,
    condition: Option<String>,
    file: &str,
) -> Result<ExitCode> {
    let mut registry = Registry::default();
    let Opened::Here(store) = open_existing(config, &mut registry).await? else {
        bail!("a running server uses {}; stop it, or export with SQL", config.data_dir.display());
    };
    let query = Query::new(store.clone(), config.query.clone(), &mut registry)?;
    if file.ends_with(".parquet") {
        let condition = condition.map_or_else(String::new, |c| format!(" WHERE {c}"));
        let batches = query.sql(&format!("SELECT * FROM spans{condition}")).await?;
        let mut out = BufWriter::new(File::create(file).with_context(|| file.to_owned())?);
        causeway_query::format::write(batches, Format::Parquet, Options::default(), &mut out)
            .await?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = match condition {
        Some(condition) => Some(matching(&query, &condition).await?),
        None => None,
    };
    let file = file.to_owned();
    let spans = export_lines(&store, wanted, &file).await?;
    if file != "-" {
        output::line(&format!("exported {spans} spans to {file}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The ids of the spans that meet a condition.
async fn matching(query: &Query, condition: &str) -> Result<HashSet<Ids>> {
    let mut ids = HashSet::new();
    let sql = format!("SELECT trace_id, span_id FROM spans WHERE {condition}");
    let mut batches = query.sql(&sql).await?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let (traces, spans) =
            (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        for (trace, span) in traces.iter().zip(spans) {
            let bytes = |text: Option<&str>| text.and_then(ids::unhex).unwrap_or_default();
            ids.insert((bytes(trace), bytes(span)));
        }
    }
    Ok(ids)
}

async fn export_lines(store: &Store, wanted: Option<HashSet<Ids>>, file: &str) -> Result<u64> {
    let snapshot = store.snapshot().await?;
    let mut out = Lines::create(file)?;
    let file = file.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut spans = 0;
        let mut result = Ok(());
        snapshot.read(&mut |batch| {
            if result.is_ok() {
                result = write_batch(batch, wanted.as_ref(), &mut out).map(|count| spans += count);
            }
        })?;
        result.with_context(|| format!("cannot write {file}"))?;
        out.finish()?;
        Ok(spans)
    })
    .await?
}

fn write_batch(batch: &RecordBatch, wanted: Option<&HashSet<Ids>>, out: &mut Lines) -> Result<u64> {
    let batch = match wanted {
        None => batch.clone(),
        Some(wanted) => {
            let rows = SpanRows::new(batch)?;
            let keep = (0..rows.len).map(|row| {
                let ids = (rows.trace_id.value(row).to_vec(), rows.span_id.value(row).to_vec());
                Some(wanted.contains(&ids))
            });
            filter_record_batch(batch, &BooleanArray::from_iter(keep))?
        }
    };
    for start in (0..batch.num_rows()).step_by(SPANS_PER_LINE) {
        let slice = batch.slice(start, SPANS_PER_LINE.min(batch.num_rows() - start));
        let mut line = Vec::new();
        otlp::write_json(&[slice], &mut line)?;
        line.push(b'\n');
        out.write(&line)?;
    }
    Ok(batch.column(0).len() as u64)
}

/// A file of lines, compressed as its name says.
enum Lines {
    Plain(Box<dyn Write + Send>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Lines {
    fn create(path: &str) -> Result<Self> {
        if path == "-" {
            return Ok(Self::Plain(Box::new(std::io::stdout())));
        }
        let file = File::create(path).with_context(|| format!("cannot create {path}"))?;
        let file = BufWriter::new(file);
        Ok(match path.rsplit('.').next() {
            Some("gz") => Self::Gzip(GzEncoder::new(file, flate2::Compression::default())),
            Some("zst") => Self::Zstd(zstd::Encoder::new(file, 3)?),
            _ => Self::Plain(Box::new(file)),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(out) => out.write_all(bytes),
            Self::Zstd(out) => out.write_all(bytes),
        }
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Plain(mut out) => out.flush(),
            Self::Gzip(out) => out.finish()?.flush(),
            Self::Zstd(out) => out.finish()?.flush(),
        }
    }
}
