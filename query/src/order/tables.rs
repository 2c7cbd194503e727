//! Offsets of clocks, window by window: the tables `clocks` and `clock_pairs`, and their HTTP answer.
//!
//! Rows are computed when they are asked for, from what the watch has learnt.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, Int64Builder, RecordBatch, StringBuilder, TimestampNanosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use causeway_clock::ClockId;
use causeway_clock::offsets::{ClockReport, Exchange, PairBounds, Solver, State, report};
use serde::Serialize;

use super::answers::{Assumptions, ClockAnswer};
use super::clocks::Clocks;
use super::identity::{ClockName, clock_text};
use crate::error::{QueryError, Result};
use crate::functions::unix_time::timestamp;

/// Windows that one question may span: 2.7 hours of windows of 250 ms.
const CLOCK_WINDOWS_MAX: i64 = 40_000;

/// Stretches of time that an answer has for each clock; `clocks` of SQL has every window.
const CLOCK_POINTS_MAX: usize = 300;

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn long(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn time(name: &str) -> Field {
    Field::new(name, timestamp(), true)
}

/// Columns of `clocks`.
pub(crate) fn clocks_schema() -> SchemaRef {
    let clock = [
        text("clock"),
        text("service_name"),
        text("service_instance_id"),
        text("host_name"),
        time("window_start"),
        time("window_end"),
        text("reference"),
    ];
    let rate = Field::new("rate_ppm", DataType::Float64, true);
    let rest = [long("granularity_ns"), rate, long("steps"), long("rejects")];
    let fields = clock.into_iter().chain(offset_fields()).chain(rest);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Columns of `clock_pairs`.
pub(crate) fn clock_pairs_schema() -> SchemaRef {
    let of = |clock: &'static str| {
        let part = move |part: &str| text(&format!("{clock}_{part}"));
        [text(clock), part("service_name"), part("service_instance_id"), part("host_name")]
    };
    let window = [time("window_start"), time("window_end")];
    let fields = of("a").into_iter().chain(of("b")).chain(window).chain(offset_fields());
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Columns of `clock_offset`.
pub(crate) fn clock_offset_schema() -> SchemaRef {
    Arc::new(Schema::new(offset_fields().to_vec()))
}

/// What is known of an offset.
fn offset_fields() -> [Field; 5] {
    [long("lo_ns"), long("hi_ns"), long("point_ns"), text("state"), long("messages")]
}

/// Windows with evidence between two times (Unix nanoseconds, inclusive); without a start the last
/// that may be asked for at once.
fn windows(
    known: &Clocks,
    range: (Option<i64>, Option<i64>),
) -> Result<Option<RangeInclusive<i64>>> {
    let Some((first, last)) = known.estimator.window_range() else { return Ok(None) };
    let settings = known.estimator.settings();
    let last = range.1.map_or(last, |end| last.min(settings.window(end)));
    let first = match range.0 {
        Some(start) => first.max(settings.window(start)),
        None => first.max(last.saturating_sub(CLOCK_WINDOWS_MAX - 1)),
    };
    let count = last.saturating_sub(first).saturating_add(1);
    if count > CLOCK_WINDOWS_MAX {
        let message = format!(
            "{count} windows of {} ms, at most {CLOCK_WINDOWS_MAX}: ask for a shorter time",
            settings.window_ns / 1_000_000
        );
        return Err(QueryError::Limit { limit: "clock_windows_max", message });
    }
    Ok((count > 0).then_some(first..=last))
}

/// What clocks show against a reference, the busiest of that time unless one is asked for, and that reference.
fn reports(
    known: &Clocks,
    reference: Option<ClockId>,
    range: (Option<i64>, Option<i64>),
) -> Result<(Option<ClockId>, Vec<ClockReport>)> {
    let windows = windows(known, range)?;
    let reference = reference.or_else(|| known.estimator.busiest(windows.clone()?));
    let reports = reference.zip(windows).map(|(reference, windows)| {
        let mut reports = known.solve(|solver| report(solver, reference, windows));
        let is_read = |clock| !matches!(clock, ClockId::Collector | ClockId::Utc);
        reports.retain(|report| is_read(report.clock) || report.clock == reference);
        reports
    });
    Ok((reference, reports.unwrap_or_default()))
}

fn state_text(state: State) -> &'static str {
    match state {
        State::TwoSided => "two-sided",
        State::OneSided => "one-sided",
        State::None => "none",
        State::Inconsistent => "inconsistent",
    }
}

/// The middle of the rates that explain a clock's intervals.
fn rate_ppm(report: &ClockReport) -> Option<f64> {
    report.rate_ppb.map(|(low, high)| (low as f64 + high as f64) / 2_000.0)
}

/// Rows of `clocks`.
///
/// # Errors
/// Too many windows are asked for.
pub(crate) fn clocks(known: &Clocks, range: (Option<i64>, Option<i64>)) -> Result<RecordBatch> {
    let mut rows = Rows::new(clocks_schema());
    let (reference, reports) = reports(known, None, range)?;
    let reference = reference.map(clock_text);
    let window_ns = known.estimator.settings().window_ns;
    for report in reports {
        let name = known.name(report.clock);
        for window in &report.windows {
            rows.texts(&[Some(&clock_text(report.clock))]);
            rows.name(&name);
            rows.times(window.start_ns, window.start_ns.saturating_add(window_ns));
            rows.texts(&[reference.as_deref()]);
            rows.bounds(&window.bounds);
            rows.longs(&[report.granularity_ns]);
            rows.double(rate_ppm(&report));
            let rejects = known.rejects.get(&report.clock).copied().unwrap_or(0);
            rows.longs(&[Some(report.steps.len() as i64), i64::try_from(rejects).ok()]);
            rows.end();
        }
    }
    rows.finish()
}

/// Rows of `clock_pairs`: each pair that exchanged messages, in each window with evidence.
///
/// # Errors
/// Too many windows are asked for.
pub(crate) fn clock_pairs(
    known: &Clocks,
    range: (Option<i64>, Option<i64>),
) -> Result<RecordBatch> {
    let mut rows = Rows::new(clock_pairs_schema());
    let window_ns = known.estimator.settings().window_ns;
    let pairs = pairs_with_evidence(known, range)?;
    let bounds = known.solve(|solver| {
        let bounds = pairs.iter().map(|(window, a, b)| solver.pair_in(*a, *b, *window));
        bounds.collect::<Vec<_>>()
    });
    for ((window, a, b), bounds) in pairs.into_iter().zip(bounds) {
        for clock in [a, b] {
            rows.texts(&[Some(&clock_text(clock))]);
            rows.name(&known.name(clock));
        }
        let start = window.saturating_mul(window_ns);
        rows.times(start, start.saturating_add(window_ns));
        rows.bounds(&bounds);
        rows.end();
    }
    rows.finish()
}

/// Clocks that exchanged messages, without the collector's, which only receives.
fn between(known: &Clocks, windows: RangeInclusive<i64>) -> impl Iterator<Item = Exchange> {
    known.estimator.exchanges(windows).filter(|pair| pair.to != ClockId::Collector)
}

fn pairs_with_evidence(
    known: &Clocks,
    range: (Option<i64>, Option<i64>),
) -> Result<BTreeSet<(i64, ClockId, ClockId)>> {
    let Some(windows) = windows(known, range)? else { return Ok(BTreeSet::new()) };
    let pairs = between(known, windows);
    Ok(pairs.map(|pair| (pair.window, pair.from.min(pair.to), pair.from.max(pair.to))).collect())
}

/// The offset of one clock minus that of another at a time, as a row.
///
/// # Errors
/// The rows cannot be made, which is a bug.
pub(crate) fn clock_offset(
    known: &Clocks,
    a: ClockId,
    b: ClockId,
    at_ns: i64,
) -> Result<RecordBatch> {
    let mut rows = Rows::new(clock_offset_schema());
    rows.bounds(&known.solve(|solver| solver.pair(a, b, at_ns)));
    rows.end();
    rows.finish()
}

/// One clock with its offsets, as a series.
#[derive(Debug, Serialize)]
pub(crate) struct ClockSeries {
    #[serde(flatten)]
    clock: ClockAnswer,
    granularity_ns: Option<i64>,
    /// Least and largest rate against the reference that explains all intervals.
    rate_ppm: Option<(f64, f64)>,
    /// Between which moments the clock must have stepped.
    steps: Vec<(i64, i64)>,
    rejects: u64,
    messages: u64,
    /// Windows of the same state are one stretch where there are more than [`CLOCK_POINTS_MAX`].
    window_start_unix_nano: Vec<i64>,
    window_end_unix_nano: Vec<i64>,
    lo_ns: Vec<Option<i64>>,
    hi_ns: Vec<Option<i64>>,
    point_ns: Vec<Option<i64>>,
    state: Vec<&'static str>,
}

/// Two clocks that exchanged messages, over the whole time asked for.
#[derive(Debug, Serialize)]
struct PairSummary {
    a: String,
    b: String,
    /// Of the last window with bounds on both sides.
    lo_ns: Option<i64>,
    hi_ns: Option<i64>,
    point_ns: Option<i64>,
    state: &'static str,
    messages: u64,
}

/// Everything about clocks in a time.
#[derive(Debug, Serialize)]
pub(crate) struct ClocksAnswer {
    reference: Option<String>,
    assumptions: Assumptions,
    clocks: Vec<ClockSeries>,
    pairs: Vec<PairSummary>,
}

/// All clocks against a reference, the one with most messages in that time unless another is asked for.
///
/// # Errors
/// Too many windows are asked for.
pub(crate) fn clocks_answer(
    known: &Clocks,
    reference: Option<ClockId>,
    range: (Option<i64>, Option<i64>),
) -> Result<ClocksAnswer> {
    let (reference, found) = reports(known, reference, range)?;
    Ok(ClocksAnswer {
        reference: reference.map(clock_text),
        assumptions: Assumptions::of(&known.estimator),
        clocks: found.into_iter().map(|report| series(known, report)).collect(),
        pairs: pair_summaries(known, range)?,
    })
}

fn series(known: &Clocks, report: ClockReport) -> ClockSeries {
    let stretches = report.thinned(known.estimator.settings().window_ns, CLOCK_POINTS_MAX);
    let of = |field: fn(&PairBounds) -> Option<i64>| {
        stretches.iter().map(|stretch| field(&stretch.bounds)).collect()
    };
    let ppm = |ppb: i64| ppb as f64 / 1_000.0;
    ClockSeries {
        clock: ClockAnswer::new(report.clock, known.name(report.clock)),
        granularity_ns: report.granularity_ns,
        rate_ppm: report.rate_ppb.map(|(low, high)| (ppm(low), ppm(high))),
        rejects: known.rejects.get(&report.clock).copied().unwrap_or(0),
        messages: stretches.iter().map(|stretch| stretch.bounds.messages).sum(),
        window_start_unix_nano: stretches.iter().map(|stretch| stretch.start_ns).collect(),
        window_end_unix_nano: stretches.iter().map(|stretch| stretch.end_ns).collect(),
        lo_ns: of(|bounds| bounds.lo_ns),
        hi_ns: of(|bounds| bounds.hi_ns),
        point_ns: of(|bounds| bounds.point_ns),
        state: stretches.iter().map(|stretch| state_text(stretch.bounds.state)).collect(),
        steps: report.steps,
    }
}

fn pair_summaries(known: &Clocks, range: (Option<i64>, Option<i64>)) -> Result<Vec<PairSummary>> {
    let mut messages: BTreeMap<(ClockId, ClockId), (u64, i64)> = BTreeMap::new();
    let Some(windows) = windows(known, range)? else { return Ok(Vec::new()) };
    for row in between(known, windows) {
        let pair = (row.from.min(row.to), row.from.max(row.to));
        let (count, last) = messages.entry(pair).or_insert((0, row.window));
        (*count, *last) = (*count + row.messages, (*last).max(row.window));
    }
    let summary = |solver: &mut Solver<'_>, ((a, b), (messages, window))| {
        let bounds = solver.pair_in(a, b, window);
        PairSummary {
            a: clock_text(a),
            b: clock_text(b),
            lo_ns: bounds.lo_ns,
            hi_ns: bounds.hi_ns,
            point_ns: bounds.point_ns,
            state: state_text(bounds.state),
            messages,
        }
    };
    Ok(known.solve(|solver| messages.into_iter().map(|pair| summary(solver, pair)).collect()))
}

/// Rows that are filled from left to right.
struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    at: usize,
}

enum Column {
    Text(StringBuilder),
    Long(Int64Builder),
    Double(Float64Builder),
    Time(TimestampNanosecondBuilder),
}

impl Rows {
    fn new(schema: SchemaRef) -> Self {
        let column = |field: &Arc<Field>| match field.data_type() {
            DataType::Int64 => Column::Long(Int64Builder::new()),
            DataType::Float64 => Column::Double(Float64Builder::new()),
            DataType::Timestamp(..) => {
                Column::Time(TimestampNanosecondBuilder::new().with_timezone("UTC"))
            }
            _ => Column::Text(StringBuilder::new()),
        };
        let columns = schema.fields().iter().map(column).collect();
        Self { schema, columns, at: 0 }
    }

    fn next(&mut self) -> Option<&mut Column> {
        self.at += 1;
        self.columns.get_mut(self.at - 1)
    }

    fn texts(&mut self, values: &[Option<&str>]) {
        for value in values {
            if let Some(Column::Text(column)) = self.next() {
                column.append_option(*value);
            }
        }
    }

    fn longs(&mut self, values: &[Option<i64>]) {
        for value in values {
            if let Some(Column::Long(column)) = self.next() {
                column.append_option(*value);
            }
        }
    }

    fn double(&mut self, value: Option<f64>) {
        if let Some(Column::Double(column)) = self.next() {
            column.append_option(value);
        }
    }

    fn times(&mut self, start_ns: i64, end_ns: i64) {
        for time in [start_ns, end_ns] {
            if let Some(Column::Time(column)) = self.next() {
                column.append_value(time);
            }
        }
    }

    fn name(&mut self, name: &ClockName) {
        let ClockName { service_name, service_instance_id, host_name } = name;
        self.texts(&[
            service_name.as_deref(),
            service_instance_id.as_deref(),
            host_name.as_deref(),
        ]);
    }

    fn bounds(&mut self, bounds: &PairBounds) {
        self.longs(&[bounds.lo_ns, bounds.hi_ns, bounds.point_ns]);
        self.texts(&[Some(state_text(bounds.state))]);
        self.longs(&[i64::try_from(bounds.messages).ok()]);
    }

    fn end(&mut self) {
        self.at = 0;
    }

    fn finish(self) -> Result<RecordBatch> {
        let arrays = self.columns.into_iter().map(|column| -> ArrayRef {
            match column {
                Column::Text(mut column) => Arc::new(column.finish()),
                Column::Long(mut column) => Arc::new(column.finish()),
                Column::Double(mut column) => Arc::new(column.finish()),
                Column::Time(mut column) => Arc::new(column.finish()),
            }
        });
        RecordBatch::try_new(self.schema, arrays.collect())
            .map_err(|error| QueryError::Internal(error.to_string()))
    }
}
