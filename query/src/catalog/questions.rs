//! Tables and table functions about clocks, order and findings: `clocks`, `clock_pairs`, `findings`,
//! `span_relation`, `causal_order`, `cone`, `open_at`, `clock_offset`, `critical_path`, `trace_tree`.
//!
//! Their rows are computed when a statement is planned, off the async threads, and are few beside spans.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use causeway_analysis::self_time::self_times;
use causeway_clock::ClockId;
use causeway_model::trace::{Flags, MergedTrace, Row};
use causeway_model::{SpanId, TraceId};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::datasource::TableType;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;

use super::predicate;
use crate::error::{QueryError, Result as QueryResult};
use crate::findings::{self, SegmentAnswer, Time};
use crate::functions::unix_time::time_array;
use crate::functions::{META_SPAN_ID, META_TRACE_ID, with_meaning};
use crate::input;
use crate::order::{self, TraceOrder, parse_clock};
use crate::read::{Ids, Merged, Reader, Share, Within, merge};
use crate::watch::TraceWatch;

/// How long before a moment traces may have started that `open_at` looks at.
const OPEN_BACK_NS: i64 = 3_600_000_000_000;
/// How far clocks may be off for a span to be open although its claimed times say otherwise.
const OPEN_SLACK_NS: i64 = 60_000_000_000;
/// Most traces that `open_at` orders.
const OPEN_TRACES_MAX: usize = 2_000;

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Question {
    Clocks,
    ClockPairs,
    Relation { trace: TraceId, from: SpanId, to: SpanId },
    Line { trace: TraceId },
    Cone { trace: TraceId, span: SpanId },
    OpenAt { at_ns: i64 },
    Findings,
    Path { trace: TraceId, time: Time },
    Tree { trace: TraceId },
    Offset { from: ClockId, to: ClockId, at_ns: i64 },
}

/// The tables among them.
pub(crate) const TABLES: [(&str, Question); 3] = [
    ("clocks", Question::Clocks),
    ("clock_pairs", Question::ClockPairs),
    ("findings", Question::Findings),
];

/// The table functions among them: name, arguments.
pub(crate) const FUNCTIONS: [(&str, &[&str]); 7] = [
    ("critical_path", &["trace_id", "'raw' or 'aligned'"]),
    ("trace_tree", &["trace_id"]),
    ("span_relation", &["trace_id", "span_id", "span_id"]),
    ("causal_order", &["trace_id"]),
    ("cone", &["trace_id", "span_id"]),
    ("open_at", &["time or HLC"]),
    ("clock_offset", &["clock", "clock", "time"]),
];

/// A question over one snapshot, as a table of its answers.
#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) question: Question,
    pub(crate) reader: Reader,
    pub(crate) watch: Arc<TraceWatch>,
}

/// A table function over one snapshot.
#[derive(Debug)]
pub(crate) struct QuestionFunction {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) reader: Reader,
    pub(crate) watch: Arc<TraceWatch>,
}

impl TableFunctionImpl for QuestionFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let question = self.question(args.exprs())?;
        let (reader, watch) = (self.reader.clone(), Arc::clone(&self.watch));
        Ok(Arc::new(Answers { question, reader, watch }))
    }
}

impl QuestionFunction {
    fn question(&self, args: &[Expr]) -> Result<Question> {
        let wrong = || {
            let arguments = self.arguments.join(", ");
            plan_datafusion_err!("{} takes constants: {}({arguments})", self.name, self.name)
        };
        let texts: Option<Vec<String>> = args.iter().map(text).collect();
        let mut texts = texts.ok_or_else(wrong)?;
        if self.name == "critical_path" && texts.len() == 1 {
            texts.push("aligned".to_owned());
        }
        if texts.len() != self.arguments.len() {
            return Err(wrong());
        }
        let trace = |text: &String| input::id::<TraceId>(text);
        let span = |text: &String| input::id::<SpanId>(text);
        let clock = |text: &String| match parse_clock(text) {
            Some(clock) => Ok(clock),
            None => plan_err!("{text:?} is not a clock: the table clocks has their names"),
        };
        Ok(match (self.name, texts.as_slice()) {
            ("span_relation", [id, from, to]) => {
                Question::Relation { trace: trace(id)?, from: span(from)?, to: span(to)? }
            }
            ("critical_path", [id, time]) => {
                let time = match time.as_str() {
                    "raw" => Time::Raw,
                    "aligned" => Time::Aligned,
                    _ => return Err(wrong()),
                };
                Question::Path { trace: trace(id)?, time }
            }
            ("trace_tree", [id]) => Question::Tree { trace: trace(id)? },
            ("causal_order", [id]) => Question::Line { trace: trace(id)? },
            ("cone", [id, of]) => Question::Cone { trace: trace(id)?, span: span(of)? },
            ("open_at", [at]) => Question::OpenAt { at_ns: input::time(at)? },
            ("clock_offset", [from, to, at]) => {
                Question::Offset { from: clock(from)?, to: clock(to)?, at_ns: input::time(at)? }
            }
            _ => return Err(wrong()),
        })
    }
}

/// A constant as text; times as Unix nanoseconds.
fn text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(value, _) => match predicate::nanos(value) {
            Some(nanos) => Some(nanos.to_string()),
            None if value.is_null() => None,
            None => Some(match value {
                ScalarValue::Utf8(Some(text)) | ScalarValue::LargeUtf8(Some(text)) => text.clone(),
                other => other.to_string(),
            }),
        },
        Expr::Cast(cast) => text(&cast.expr),
        _ => None,
    }
}

fn id_fields() -> [Field; 2] {
    let field = |name, meaning| with_meaning(Field::new(name, DataType::Utf8, false), meaning);
    [field("trace_id", META_TRACE_ID), field("span_id", META_SPAN_ID)]
}

impl Question {
    fn schema(&self) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let long = |name: &str| Field::new(name, DataType::Int64, true);
        let time = |name: &str| Field::new(name, crate::functions::unix_time::timestamp(), true);
        let [trace_id, span_id] = id_fields();
        let fields = match self {
            Self::Clocks => return order::clocks_schema(),
            Self::ClockPairs => return order::clock_pairs_schema(),
            Self::Findings => return findings::schema(),
            Self::Path { .. } => vec![
                Field::new("seq", DataType::UInt64, false),
                span_id,
                text("service_name"),
                text("name"),
                long("start_unix_nano"),
                long("end_unix_nano"),
                long("duration_ns"),
                text("certainty"),
            ],
            Self::Tree { .. } => vec![
                Field::new("seq", DataType::UInt64, false),
                Field::new("depth", DataType::UInt32, false),
                span_id,
                with_meaning(text("parent_span_id"), META_SPAN_ID),
                text("service_name"),
                text("name"),
                long("start_unix_nano"),
                long("duration_ns"),
                long("self_time_ns"),
                Field::new("is_placeholder", DataType::Boolean, false),
            ],
            Self::Relation { .. } => vec![
                text("relation"),
                text("class"),
                long("margin_ns"),
                long("half_width_ns"),
                text("because"),
            ],
            Self::Line { .. } => vec![
                Field::new("seq", DataType::UInt64, false),
                span_id,
                text("event"),
                text("service_name"),
                text("name"),
                time("time"),
                time("aligned_time"),
                long("hlc"),
            ],
            Self::Cone { .. } => {
                vec![span_id, text("service_name"), text("name"), text("relation")]
            }
            Self::OpenAt { .. } => vec![
                trace_id,
                span_id,
                text("service_name"),
                text("name"),
                time("start_time"),
                time("end_time"),
                Field::new("by_claim", DataType::Boolean, false),
            ],
            Self::Offset { .. } => return order::clock_offset_schema(),
        };
        Arc::new(Schema::new(fields))
    }
}

impl Answers {
    /// Computes the wanted columns of the answer. Blocking.
    fn compute(
        &self,
        range: (Option<i64>, Option<i64>),
        columns: &[usize],
    ) -> Result<Vec<RecordBatch>> {
        let wanted = |batch: RecordBatch| Ok(batch.project(columns)?);
        let schema = self.question.schema();
        let made = |columns: Vec<ArrayRef>| {
            RecordBatch::try_new(schema, columns)
                .map_err(|error| QueryError::Internal(error.to_string()))
        };
        let answer = match &self.question {
            Question::Clocks => order::clocks(&self.watch.clocks(), range),
            Question::ClockPairs => order::clock_pairs(&self.watch.clocks(), range),
            // Their evidence is most of them, and rarely asked for.
            Question::Findings => {
                let all = self.watch.findings();
                return findings::batches(all.iter()).map(|batch| wanted(batch?)).collect();
            }
            Question::Path { trace, time } => {
                let path = self.with_trace(*trace, |ordered| {
                    Ok(findings::critical_path(&findings::in_time(ordered, &self.watch, *time)?))
                });
                made(path_columns(&path?.segments))
            }
            Question::Tree { trace } => self.with_trace(*trace, |ordered| {
                made(tree_columns(&findings::in_time(ordered, &self.watch, Time::Aligned)?))
            }),
            Question::Offset { from, to, at_ns } => {
                order::clock_offset(&self.watch.clocks(), *from, *to, *at_ns)
            }
            Question::Relation { trace, from, to } => {
                let found = self.with_trace(*trace, |ordered| {
                    order::relation(&ordered, &self.watch.clocks(), trace.0, [id(*from), id(*to)])
                })?;
                let because = serde_json::to_string(&found.because)
                    .map_err(|error| QueryError::Internal(error.to_string()))?;
                made(vec![
                    Arc::new(StringArray::from(vec![found.relation])),
                    Arc::new(StringArray::from(vec![found.class])),
                    Arc::new(Int64Array::from(vec![found.margin_ns])),
                    Arc::new(Int64Array::from(vec![found.half_width_ns])),
                    Arc::new(StringArray::from(vec![because])),
                ])
            }
            Question::Line { trace } => self.with_trace(*trace, |ordered| {
                let line = order::line(&ordered, &self.watch.clocks());
                let [services, names] = texts(&ordered, line.span.iter().copied());
                made(vec![
                    Arc::new((0..line.span.len() as u64).collect::<UInt64Array>()),
                    Arc::new(StringArray::from(line.span_id)),
                    Arc::new(StringArray::from(line.event)),
                    services,
                    names,
                    Arc::new(time_array(&line.unix_nano.into())),
                    Arc::new(time_array(&line.aligned_unix_nano.into())),
                    Arc::new(Int64Array::from(line.hlc)),
                ])
            }),
            Question::Cone { trace, span } => self.with_trace(*trace, |ordered| {
                let cone = order::cone(&ordered, trace.0, id(*span))?;
                let [services, names] = texts(&ordered, 0..cone.span_id.len() as u32);
                made(vec![
                    Arc::new(StringArray::from(cone.span_id)),
                    services,
                    names,
                    Arc::new(StringArray::from(cone.relation)),
                ])
            }),
            Question::OpenAt { at_ns } => self.open_at(*at_ns).and_then(made),
        };
        Ok(vec![wanted(answer?)?])
    }

    /// Works on a whole trace, whose messages count from now on.
    fn with_trace<T>(
        &self,
        trace: TraceId,
        work: impl FnOnce(TraceOrder<'_>) -> QueryResult<T>,
    ) -> QueryResult<T> {
        self.with_traces(vec![trace.0], |ordered| match ordered.traces.is_empty() {
            true => Err(QueryError::NotFound(format!("trace {trace} is not known"))),
            false => work(ordered),
        })
    }

    fn with_traces<T>(
        &self,
        ids: Vec<[u8; 16]>,
        work: impl FnOnce(TraceOrder<'_>) -> QueryResult<T>,
    ) -> QueryResult<T> {
        let batches = self.reader.outlines(Ids::new(ids), &self.reader.trace_budget())?;
        order::with_traces(&batches, |ordered| {
            self.watch.observe(&ordered);
            work(ordered)
        })
    }

    fn open_at(&self, at_ns: i64) -> QueryResult<Vec<ArrayRef>> {
        self.with_traces(self.around(at_ns)?, |ordered| Ok(open_columns(&ordered, at_ns)))
    }

    /// Traces that may have an open span at a time.
    fn around(&self, at_ns: i64) -> QueryResult<Vec<[u8; 16]>> {
        let from = at_ns.saturating_sub(OPEN_BACK_NS).max(1);
        let times = (from, at_ns.saturating_add(OPEN_SLACK_NS));
        let is_near = |(low, high): (i64, i64)| low <= times.1 && times.0 <= high;
        let files = self.reader.snapshot.files.iter();
        let files = files.filter(|file| file.start_time_range.is_none_or(is_near));
        let mut cursors = self.reader.cursors(files, false, Share::ALL)?;
        cursors.extend(self.reader.recent_cursors(Share::ALL)?);
        let mut ids = Vec::new();
        merge(cursors, Some(times), &mut |trace: Merged| {
            let end = trace.end_max().unwrap_or(i64::MAX);
            if trace.within != Within::No && end.saturating_add(OPEN_SLACK_NS) >= at_ns {
                ids.push(trace.trace_id);
            }
            Ok(ids.len() <= OPEN_TRACES_MAX)
        })?;
        if ids.len() > OPEN_TRACES_MAX {
            return Err(QueryError::Limit {
                limit: "open_at_traces_max",
                message: format!("more than {OPEN_TRACES_MAX} traces may be open then"),
            });
        }
        Ok(ids)
    }
}

fn open_columns(ordered: &TraceOrder<'_>, at_ns: i64) -> Vec<ArrayRef> {
    let open = ordered.order.open_at(at_ns).open;
    let ids = open.iter().map(|span| ordered.ids(*span));
    let (trace_ids, span_ids): (Vec<_>, Vec<_>) =
        ids.map(|(trace, span)| (trace.to_string(), format!("{span:016x}"))).unzip();
    let spans = || open.iter().filter_map(|span| ordered.gathered.spans.get(*span as usize));
    let [services, names] = texts(ordered, open.iter().copied());
    let is_claimed = spans().map(|span| Some(span.start.is_none() || span.end.is_none()));
    vec![
        Arc::new(StringArray::from(trace_ids)),
        Arc::new(StringArray::from(span_ids)),
        services,
        names,
        Arc::new(time_array(&spans().map(|span| Some(span.start_ns)).collect())),
        Arc::new(time_array(&spans().map(|span| Some(span.end_ns)).collect())),
        Arc::new(is_claimed.collect::<BooleanArray>()),
    ]
}

fn path_columns(segments: &[SegmentAnswer]) -> Vec<ArrayRef> {
    let texts = |text: fn(&SegmentAnswer) -> &str| -> ArrayRef {
        Arc::new(segments.iter().map(|segment| Some(text(segment))).collect::<StringArray>())
    };
    let longs = |long: fn(&SegmentAnswer) -> i64| -> ArrayRef {
        Arc::new(segments.iter().map(|segment| Some(long(segment))).collect::<Int64Array>())
    };
    vec![
        Arc::new(segments.iter().map(|segment| Some(segment.seq)).collect::<UInt64Array>()),
        texts(|segment| &segment.span_id),
        texts(|segment| &segment.service_name),
        texts(|segment| &segment.name),
        longs(|segment| segment.start_unix_nano),
        longs(|segment| segment.end_unix_nano),
        longs(|segment| segment.duration_ns),
        texts(|segment| segment.certainty),
    ]
}

/// Rows of a trace, parents before their children.
fn tree_columns(trace: &MergedTrace<'_>) -> Vec<ArrayRef> {
    let rows = || trace.rows();
    let longs = |long: &dyn Fn(Row) -> i64| -> ArrayRef {
        Arc::new(rows().map(|row| Some(long(row))).collect::<Int64Array>())
    };
    let texts = |text: &dyn Fn(Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows().map(text).collect::<StringArray>())
    };
    let hex = |row: Row| format!("{:016x}", trace.span_id(row));
    let is_placeholder = rows().map(|row| Some(trace.flags(row).contains(Flags::PLACEHOLDER)));
    vec![
        Arc::new((0..trace.len() as u64).collect::<UInt64Array>()),
        Arc::new(rows().map(|row| trace.depth(row)).collect::<UInt32Array>()),
        texts(&|row| Some(hex(row))),
        texts(&|row| trace.parent(row).map(hex)),
        texts(&|row| Some(trace.service_text(row).to_owned())),
        texts(&|row| Some(trace.name_text(row).to_owned())),
        longs(&|row| trace.start_ns(row)),
        longs(&|row| trace.duration_ns(row)),
        Arc::new(Int64Array::from(self_times(trace))),
        Arc::new(is_placeholder.collect::<BooleanArray>()),
    ]
}

fn id(span: SpanId) -> u64 {
    u64::from_be_bytes(span.0)
}

/// Service and name of spans.
fn texts(ordered: &TraceOrder<'_>, spans: impl Iterator<Item = u32>) -> [ArrayRef; 2] {
    let (services, names): (Vec<_>, Vec<_>) = spans
        .map(|span| match ordered.place(span) {
            Some((trace, row)) => (Some(trace.service_text(row)), Some(trace.name_text(row))),
            None => (None, None),
        })
        .unzip();
    [Arc::new(StringArray::from(services)), Arc::new(StringArray::from(names))]
}

#[async_trait]
impl TableProvider for Answers {
    fn schema(&self) -> SchemaRef {
        self.question.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (range, asked) = (window_range(filters), self.clone());
        let schema = self.schema();
        let columns = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let schema = Arc::new(schema.project(&columns)?);
        let computed = tokio::task::spawn_blocking(move || asked.compute(range, &columns)).await;
        let batches = computed.map_err(|error| QueryError::Internal(error.to_string()))??;
        Ok(MemorySourceConfig::try_new_exec(&[batches], schema, None)?)
    }
}

/// The times between which windows are asked for.
fn window_range(filters: &[Expr]) -> (Option<i64>, Option<i64>) {
    let (mut start, mut end) = (None, None);
    for filter in filters {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { continue };
        let (column, op, value) = match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _)) => (column, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => match op.swap() {
                Some(op) => (column, op, value),
                None => continue,
            },
            _ => continue,
        };
        let is_window = ["window_start", "window_end"].contains(&column.name.as_str());
        let Some(nanos) = predicate::nanos(value).filter(|_| is_window) else { continue };
        // A window around the bound counts: the condition itself is applied to the rows.
        match op {
            Operator::Gt | Operator::GtEq => start = start.max(Some(nanos)),
            Operator::Lt | Operator::LtEq => end = Some(end.map_or(nanos, |e: i64| e.min(nanos))),
            Operator::Eq => (start, end) = (Some(nanos), Some(nanos)),
            _ => {}
        }
    }
    let window = |ns: i64| ns.saturating_sub(1_000_000_000);
    (start.map(window), end)
}
