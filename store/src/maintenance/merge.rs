//! Sorted files to one sorted file, without copies, in bounded memory.
//!
//! ```text
//! keys of all files -> order of the next window -> column by column: chunks -> rows in order -> writer
//! ```
//!
//! Only keys are compared; the other columns follow one at a time. So a window may be large, and
//! a merge of many files has but a chunk of each column of each file in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Schema, SchemaRef};
use causeway_model::batch::{AttributeColumn, AttributeColumns, COLUMNS_PER_FILE_MAX};
use causeway_model::columns::{self, FLAG_DUP, name};

use super::input::Input;
use super::order::{Row, TraceState, next_window};
use super::pace::{Pace, Stopped};
use super::plan::Merge;
use crate::StoreError;
use crate::table::{FinishedFile, Gather, MERGED_PREFIX, Place, SortedFileWriter, TableFolder};

/// Most rows of a window: a column of them is in memory at once, and 24 bytes for each. Few in tests,
/// so that windows end within traces and between copies.
const WINDOW_ROWS_MAX: usize = if cfg!(test) { 29_999 } else { 1 << 18 };

/// Windows have fewer rows where these take more.
const WINDOW_BYTES_MAX: usize = 256 << 20;

/// What became of a merge.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) file: FinishedFile,
    /// Spans read.
    pub(crate) rows: u64,
    /// Copies left out.
    pub(crate) copies: u64,
    /// Spans flagged because others have their ids.
    pub(crate) conflicts: u64,
    /// Time worked, pauses left out.
    pub(crate) busy: Duration,
}

/// Why there is no merged file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// A file of the table cannot be read or is not sorted.
    #[error("cannot merge {path}: {reason}")]
    Input { path: String, reason: String },
    #[error("the store is closing")]
    Stopped,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Stopped> for MergeError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Writes the merged file, which no commit names yet. Blocking.
pub(crate) fn merge(
    folder: &TableFolder,
    plan: &Merge,
    pace: &mut Pace<'_>,
) -> Result<Merged, MergeError> {
    let open = |file: &Arc<_>| Input::open(folder.root(), file);
    let mut inputs = plan.inputs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut keys = inputs.iter().map(Input::keys).collect::<Result<Vec<_>, _>>()?;
    let rows: u64 = inputs.iter().map(|input| input.rows as u64).sum();
    let row_bytes = inputs.iter().map(Input::row_bytes).max().unwrap_or(1);
    let window_rows = WINDOW_ROWS_MAX.min(WINDOW_BYTES_MAX / row_bytes).max(1);
    let (columns, schema) = layout(&inputs);
    let stem = format!("{MERGED_PREFIX}{}-{}", plan.level, uuid::Uuid::new_v4().simple());
    let mut writer = SortedFileWriter::create(folder, &plan.day, &stem, rows, &schema)?;
    let (mut state, mut copies, mut conflicts) = (TraceState::default(), 0, 0);
    loop {
        let mut window = next_window(&mut keys, window_rows, &state)?;
        if window.rows.is_empty() {
            break;
        }
        for (input, keys) in inputs.iter_mut().zip(&keys) {
            input.begin_window(keys.row() as usize);
        }
        let suspects = window.suspects(&state);
        let rows_of_suspects: Vec<Row> =
            suspects.iter().filter_map(|at| window.rows.get(*at).copied()).collect();
        let contents = contents(&inputs, &rows_of_suspects)?;
        let resolved = window.resolve(&suspects, &contents, &mut state);
        copies += resolved.copies;
        conflicts += resolved.flagged.len() as u64;
        if window.rows.is_empty() {
            continue;
        }
        pace.rest()?;
        let gather = gather(&inputs, &window.rows);
        writer.write(&gather, |at| {
            let field = schema.fields().get(at).ok_or(MergeError::Stopped)?;
            let mut arrays = Vec::new();
            for input in &mut inputs {
                input.push_column(at, field, &columns, &mut arrays)?;
            }
            if field.name() == name::CLOCK_FLAGS && !resolved.flagged.is_empty() {
                flag(&mut arrays, gather.places(), &resolved.flagged);
            }
            pace.rest()?;
            Ok::<_, MergeError>(arrays)
        })?;
    }
    let modified_ms = plan.inputs.iter().map(|file| file.modified_ms).max().unwrap_or(0);
    let file = writer.finish(modified_ms)?;
    Ok(Merged { file, rows, copies, conflicts, busy: pace.busy() })
}

/// The content hashes of some rows.
fn contents(inputs: &[Input], rows: &[Row]) -> Result<Vec<u64>, MergeError> {
    let mut contents = vec![0; rows.len()];
    for (nth, input) in inputs.iter().enumerate() {
        let of_input = rows.iter().enumerate().filter(|(_, row)| row.input as usize == nth);
        let (places, rows): (Vec<usize>, Vec<u32>) =
            of_input.map(|(place, row)| (place, row.row)).unzip();
        if rows.is_empty() {
            continue;
        }
        for (place, hash) in places.into_iter().zip(input.hashes(&rows)?) {
            if let Some(slot) = contents.get_mut(place) {
                *slot = hash;
            }
        }
    }
    Ok(contents)
}

/// Where rows lie in the chunks that the inputs give for the window.
fn gather(inputs: &[Input], rows: &[Row]) -> Gather {
    let mut lengths = Vec::new();
    let mut first_arrays = Vec::with_capacity(inputs.len());
    for input in inputs {
        let chunks = input.chunks();
        let first = lengths.len() as i64 - chunks.start as i64;
        // The first of them begins where the window begins.
        let cut_rows = chunks.clone().next().map_or(0..0, |chunk| input.chunk_rows(chunk));
        first_arrays.push((first, input.chunk_rows_max as u32, cut_rows));
        lengths.extend(chunks.map(|chunk| input.chunk_rows(chunk).len()));
    }
    let place = |row: &Row| {
        let Some((first, rows, cut)) = first_arrays.get(row.input as usize) else {
            return Place { array: 0, row: 0 };
        };
        let in_cut = (row.row as usize).checked_sub(cut.start).filter(|at| *at < cut.len());
        let at = in_cut.map_or(row.row % rows, |at| at as u32);
        Place { array: (first + i64::from(row.row / rows)) as u32, row: at }
    };
    Gather::new(rows.iter().map(place).collect(), &lengths)
}

/// Sets the flag of spans whose ids others have too.
fn flag(arrays: &mut [ArrayRef], places: &[Place], flagged: &[usize]) {
    let mut rows_of: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for place in flagged.iter().filter_map(|at| places.get(*at)) {
        rows_of.entry(place.array).or_default().push(place.row);
    }
    for (array, rows) in rows_of {
        let Some(array) = arrays.get_mut(array as usize) else {
            continue;
        };
        let mut flags = array.as_primitive::<Int32Type>().values().to_vec();
        for row in rows {
            if let Some(flags) = flags.get_mut(row as usize) {
                *flags |= FLAG_DUP;
            }
        }
        *array = Arc::new(Int32Array::from(flags));
    }
}

/// The attribute columns of the merged file: those that most rows have in the inputs.
fn layout(inputs: &[Input]) -> (AttributeColumns, SchemaRef) {
    let mut rows_with: Vec<(AttributeColumn, usize)> = Vec::new();
    for input in inputs {
        for column in AttributeColumns::of_schema(input.schema()).iter() {
            match rows_with.iter_mut().find(|(known, _)| known == column) {
                Some((_, count)) => *count += input.rows,
                None => rows_with.push((column.clone(), input.rows)),
            }
        }
    }
    rows_with.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.key.cmp(&b.0.key)));
    rows_with.truncate(COLUMNS_PER_FILE_MAX);
    rows_with.sort_by(|a, b| a.0.key.cmp(&b.0.key));
    let columns = AttributeColumns::new(rows_with.into_iter().map(|(column, _)| column).collect());
    // Where an input has no such column, values of another type may come from its map.
    let is_mixed = |field: &Field| {
        let own = |schema: &SchemaRef| schema.field_with_name(field.name()).cloned();
        let is_int = *field.data_type() == DataType::Int64;
        is_int && inputs.iter().any(|i| own(i.schema()).map_or(true, |f| columns::is_mixed(&f)))
    };
    // What no span of the inputs has, the merged file has not.
    let is_there = |field: &&FieldRef| {
        columns::column_named(field.name()).is_none_or(|column| !column.is_optional)
            || inputs.iter().any(|input| input.schema().field_with_name(field.name()).is_ok())
    };
    let fields = columns.schema();
    let fields = fields.fields().iter().filter(is_there).map(|field| match is_mixed(field) {
        true if AttributeColumn::of_field(field).is_some() => {
            Arc::new(columns::mixed(field.as_ref().clone()))
        }
        _ => Arc::clone(field),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    (columns, schema)
}
