//! Functions of trace ids, for statements over many traces: `operation_times`, `self_time`, `what_if`.
//!
//! Traces are read and put together batch by batch, where a statement asks for them, each once in a batch.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, Int64Builder, ListArray, StringArray, StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields};
use causeway_analysis::cohort::Cohort;
use causeway_analysis::critical_path::CriticalPath;
use causeway_analysis::self_time::self_times;
use causeway_analysis::what_if::replay;
use causeway_model::trace::MergedTrace;
use causeway_model::{SpanId, TraceId};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use tokio::time::Instant;

use crate::cohort::each_trace;
use crate::error::{QueryError, Result as QueryResult};
use crate::findings::WantedChange;
use crate::input;
use crate::read::{Budget, Reader};
use crate::watch::TraceWatch;

/// Rows that `operation_times` gives for a batch of traces (`operation_times_rows_max`).
const ROWS_MAX: usize = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    OperationTimes,
    SelfTime,
    WhatIf,
}

/// A function over one snapshot, until a statement's time is over.
#[derive(Debug)]
struct TraceFunction {
    asked: Asked,
    signature: Signature,
    reader: Reader,
    watch: Arc<TraceWatch>,
    deadline: Instant,
}

/// The functions over one snapshot, for one statement.
pub(super) fn of_statement(reader: &Reader, watch: &Arc<TraceWatch>) -> [Arc<ScalarUDF>; 3] {
    [Asked::OperationTimes, Asked::SelfTime, Asked::WhatIf].map(|asked| {
        let arguments = if asked == Asked::OperationTimes { 1 } else { 2 };
        // Volatile, so that nothing is read while a statement is planned.
        let signature = Signature::exact(vec![DataType::Utf8; arguments], Volatility::Volatile);
        let (reader, watch) = (reader.clone(), Arc::clone(watch));
        let deadline = Instant::now() + reader.time;
        Arc::new(ScalarUDF::from(TraceFunction { asked, signature, reader, watch, deadline }))
    })
}

// Within one statement there is one snapshot.
impl PartialEq for TraceFunction {
    fn eq(&self, other: &Self) -> bool {
        self.asked == other.asked
    }
}

impl Eq for TraceFunction {}

impl Hash for TraceFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.asked.hash(state);
    }
}

impl ScalarUDFImpl for TraceFunction {
    fn name(&self) -> &'static str {
        match self.asked {
            Asked::OperationTimes => "operation_times",
            Asked::SelfTime => "self_time",
            Asked::WhatIf => "what_if",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.asked {
            Asked::OperationTimes => DataType::List(operation()),
            Asked::SelfTime => DataType::Int64,
            Asked::WhatIf => DataType::Struct(prediction()),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let arrays: Vec<_> =
            args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<_>>()?;
        let texts: Vec<_> = arrays.iter().filter_map(|array| array.as_string_opt()).collect();
        let array = match (self.asked, texts.as_slice()) {
            (Asked::OperationTimes, [ids]) => self.operation_times(ids),
            (Asked::SelfTime, [ids, spans]) => self.self_time(ids, spans),
            (Asked::WhatIf, [ids, changes]) => self.what_if(ids, changes),
            _ => return exec_err!("{} takes texts", self.name()),
        };
        Ok(ColumnarValue::Array(array?))
    }
}

fn operation() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(operation_fields()), false))
}

fn operation_fields() -> Fields {
    Fields::from(vec![
        Field::new("service_name", DataType::Utf8, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("spans", DataType::Int64, false),
        Field::new("self_time_ns", DataType::Int64, false),
        Field::new("critical_path_ns", DataType::Int64, false),
    ])
}

fn prediction() -> Fields {
    let long = |name| Field::new(name, DataType::Int64, true);
    Fields::from(vec![long("duration_ns"), long("new_duration_ns"), long("saving_ns")])
}

impl TraceFunction {
    /// Works on each trace of a column once.
    fn each(
        &self,
        ids: &[Option<TraceId>],
        work: impl FnMut(&MergedTrace<'_>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let mut distinct: Vec<_> = ids.iter().flatten().map(|id| id.0).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let budget = Budget { deadline: self.deadline, ..self.reader.trace_budget() };
        each_trace(&self.reader, &self.watch, &distinct, &budget, work)
    }

    fn operation_times(&self, ids: &StringArray) -> Result<ArrayRef> {
        let ids = parsed(ids)?;
        let mut by_trace = HashMap::new();
        self.each(&ids, |trace| {
            let mut sums = Cohort::default();
            sums.add(trace, &CriticalPath::of(trace));
            by_trace.extend(trace.trace_id().map(|id| (id, sums.operations)));
            Ok(())
        })?;
        let lists: Vec<_> =
            ids.iter().map(|id| id.as_ref().and_then(|id| by_trace.get(id))).collect();
        let lengths = || lists.iter().map(|list| list.map_or(0, Vec::len));
        if lengths().sum::<usize>() > ROWS_MAX {
            let message = format!("more than {ROWS_MAX} operations in one batch of traces");
            return Err(QueryError::Limit { limit: "operation_times_rows_max", message }.into());
        }
        let (mut services, mut names) = (StringBuilder::new(), StringBuilder::new());
        let mut numbers = [(); 3].map(|()| Int64Builder::new());
        for operation in lists.iter().copied().flatten().flatten() {
            services.append_value(&operation.service);
            names.append_value(&operation.name);
            let spans = i64::try_from(operation.spans).unwrap_or(i64::MAX);
            let values = [spans, operation.self_ns, operation.path_ns];
            numbers.iter_mut().zip(values).for_each(|(column, value)| column.append_value(value));
        }
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(services.finish()), Arc::new(names.finish())];
        columns.extend(numbers.map(|mut column| Arc::new(column.finish()) as ArrayRef));
        let values = Arc::new(StructArray::try_new(operation_fields(), columns, None)?);
        let offsets = OffsetBuffer::from_lengths(lengths());
        let known = lists.iter().map(Option::is_some).collect::<NullBuffer>();
        Ok(Arc::new(ListArray::try_new(operation(), offsets, values, Some(known))?))
    }

    fn self_time(&self, ids: &StringArray, spans: &StringArray) -> Result<ArrayRef> {
        let (ids, spans) = (parsed::<TraceId>(ids)?, parsed::<SpanId>(spans)?);
        let key = |(id, span): (&Option<TraceId>, &Option<SpanId>)| {
            Some(((*id)?, u64::from_be_bytes((*span)?.0)))
        };
        let keys: Vec<_> = ids.iter().zip(&spans).map(key).collect();
        let mut own: HashMap<(TraceId, u64), Option<i64>> =
            keys.iter().flatten().map(|key| (*key, None)).collect();
        self.each(&ids, |trace| {
            let Some(id) = trace.trace_id() else { return Ok(()) };
            for (row, own_ns) in trace.rows().zip(self_times(trace)) {
                if let Some(known) = own.get_mut(&(id, trace.span_id(row))) {
                    *known = Some(own_ns);
                }
            }
            Ok(())
        })?;
        let of_row = |key: &Option<(TraceId, u64)>| own.get(key.as_ref()?).copied().flatten();
        Ok(Arc::new(keys.iter().map(of_row).collect::<Int64Array>()))
    }

    fn what_if(&self, ids: &StringArray, changes: &StringArray) -> Result<ArrayRef> {
        let ids = parsed::<TraceId>(ids)?;
        // Most often one change for all.
        let mut asked: BTreeMap<&str, Vec<Option<TraceId>>> = BTreeMap::new();
        for (id, change) in ids.iter().zip(changes) {
            change.into_iter().for_each(|change| asked.entry(change).or_default().push(*id));
        }
        let mut known: HashMap<(&str, TraceId), [i64; 3]> = HashMap::new();
        for (text, ids) in asked {
            let change: WantedChange = serde_json::from_str(text).map_err(|error| {
                QueryError::bad_request(format!("{text:?} is no change: {error}"))
            })?;
            self.each(&ids, |trace| {
                let after = replay(trace, &change.on(trace)?);
                let times = [after.root_before_ns, after.root_ns, after.saving_ns()];
                known.extend(trace.trace_id().map(|id| ((text, id), times)));
                Ok(())
            })?;
        }
        let times: Vec<Option<[i64; 3]>> = ids
            .iter()
            .zip(changes)
            .map(|(id, change)| known.get(&(change?, (*id)?)).copied())
            .collect();
        let column = |at: usize| -> ArrayRef {
            let one = |times: &Option<[i64; 3]>| times.and_then(|times| times.get(at).copied());
            Arc::new(times.iter().map(one).collect::<Int64Array>())
        };
        let is_known = times.iter().map(Option::is_some).collect::<NullBuffer>();
        let columns = vec![column(0), column(1), column(2)];
        Ok(Arc::new(StructArray::try_new(prediction(), columns, Some(is_known))?))
    }
}

fn parsed<T: FromStr<Err: Display>>(texts: &StringArray) -> QueryResult<Vec<Option<T>>> {
    texts.iter().map(|text| text.map(input::id::<T>).transpose()).collect()
}
