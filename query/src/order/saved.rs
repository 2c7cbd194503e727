//! What was learnt of clocks, on disk: `clocks.arrow` and `clock_pairs.arrow`, two Arrow IPC files.
//!
//! Both are replaced as a whole, durably, now and then and at the end. What came since is read from the
//! table again at the next start, and a file that is missing or cannot be read costs no more than that.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{Field, Int64Type, Schema, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::FileWriter;
use causeway_clock::offsets::{ClockRow, Granularity, Least, PairRow};
use parking_lot::RwLock;

use super::clocks::Clocks;
use super::identity::{ClockName, clock_text, parse_clock};
use crate::durable::{read_batches, replace, write_batch};

const CLOCKS: &str = "clocks.arrow";
const PAIRS: &str = "clock_pairs.arrow";
/// Metadata of `clocks.arrow`: everything received until then was taken into account.
const THROUGH: &str = "received_through_unix_nano";

/// Pairs and windows that are rows and columns together, and those of one more window.
const ROWS_AT_ONCE: usize = 10_000;

type Result<T> = std::result::Result<T, ArrowError>;

fn named(columns: Vec<(&str, ArrayRef)>, metadata: HashMap<String, String>) -> Result<RecordBatch> {
    let fields = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect::<Vec<_>>();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, metadata)), arrays)
}

/// Replaces the files, durably: what is known now, of all that was received until then. Blocking.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn write(dir: &Path, known: &RwLock<Clocks>, through_unix_nano: i64) -> Result<()> {
    replace(dir, PAIRS, |file| write_pairs(file, known))?;
    // The clocks tell how far both reach, so they come last; none that has evidence is missing then.
    let clocks = clock_batch(&known.read(), through_unix_nano)?;
    write_batch(dir, CLOCKS, &clocks)
}

/// A part at a time: as rows, columns and bytes, all of it takes several times the file's memory. Nobody who learns or asks
/// waits for the disk.
fn write_pairs(file: File, known: &RwLock<Clocks>) -> Result<File> {
    let mut writer = FileWriter::try_new(file, pair_batch(&[])?.schema_ref())?;
    let mut next = Some(i64::MIN);
    while let Some(first) = next {
        let part = rows_from(first, &known.read());
        writer.write(&pair_batch(&part)?)?;
        next = part.last().and_then(|row| row.window.checked_add(1));
    }
    writer.finish()?;
    writer.into_inner()
}

/// The rows of whole windows, so that what is learnt between parts is in one of them at most.
fn rows_from(first: i64, known: &Clocks) -> Vec<PairRow> {
    let mut part: Vec<PairRow> = Vec::new();
    for row in known.estimator.rows_from(first) {
        let is_begun = part.last().is_some_and(|last| last.window == row.window);
        if part.len() >= ROWS_AT_ONCE && !is_begun {
            break;
        }
        part.push(row);
    }
    part
}

fn clock_batch(known: &Clocks, through_unix_nano: i64) -> Result<RecordBatch> {
    let clocks: Vec<&ClockRow> = known.estimator.clocks().collect();
    let texts = |text: fn(&ClockName) -> &Option<String>| -> ArrayRef {
        let names = clocks.iter().map(|row| known.names.get(&row.clock));
        Arc::new(
            names.map(|name| name.and_then(|name| text(name).clone())).collect::<StringArray>(),
        )
    };
    let counts = |count: fn(&ClockRow) -> u64| -> ArrayRef {
        Arc::new(clocks.iter().map(|row| count(row)).collect::<UInt64Array>())
    };
    let rejects = clocks.iter().map(|row| known.rejects.get(&row.clock).copied().unwrap_or(0));
    let metadata = HashMap::from([(THROUGH.to_owned(), through_unix_nano.to_string())]);
    let ids = clocks.iter().map(|row| Some(clock_text(row.clock)));
    named(
        vec![
            ("clock", Arc::new(ids.collect::<StringArray>())),
            ("service_name", texts(|name| &name.service_name)),
            ("service_instance_id", texts(|name| &name.service_instance_id)),
            ("host_name", texts(|name| &name.host_name)),
            ("rejects", Arc::new(rejects.collect::<UInt64Array>())),
            ("sent", counts(|row| packed(row.sent))),
            ("received", counts(|row| packed(row.received))),
        ],
        metadata,
    )
}

/// Readings, and two bits of what was finer than a millisecond and a microsecond.
fn packed(kind: Granularity) -> u64 {
    let bits = u64::from(kind.below_millisecond) | u64::from(kind.below_microsecond) << 1;
    kind.readings.min(u64::MAX >> 2) << 2 | bits
}

fn unpacked(bits: u64) -> Granularity {
    Granularity {
        readings: bits >> 2,
        below_millisecond: bits & 1 != 0,
        below_microsecond: bits & 2 != 0,
    }
}

fn pair_batch(rows: &[PairRow]) -> Result<RecordBatch> {
    let texts = |text: fn(&PairRow) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(text(row))).collect::<StringArray>())
    };
    let longs = |long: fn(&PairRow) -> Option<i64>| -> ArrayRef {
        Arc::new(rows.iter().map(long).collect::<Int64Array>())
    };
    let counts = |count: fn(&PairRow) -> Option<u64>| -> ArrayRef {
        Arc::new(rows.iter().map(count).collect::<UInt64Array>())
    };
    let midpoints = |row: &PairRow| {
        let pairs = row.midpoints.iter().map(|(hash, ns)| format!("{hash}:{ns}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    named(
        vec![
            ("from", texts(|row| clock_text(row.from))),
            ("to", texts(|row| clock_text(row.to))),
            ("window", longs(|row| Some(row.window))),
            ("certain_ns", longs(|row| row.certain.map(|least| least.bound_ns))),
            ("certain_witness", counts(|row| row.certain.map(|least| least.witness))),
            ("likely_ns", longs(|row| row.likely.map(|least| least.bound_ns))),
            ("likely_witness", counts(|row| row.likely.map(|least| least.witness))),
            ("messages", counts(|row| Some(row.messages))),
            ("late", counts(|row| Some(row.late))),
            (
                "midpoints",
                Arc::new(rows.iter().map(|row| Some(midpoints(row))).collect::<StringArray>()),
            ),
        ],
        HashMap::new(),
    )
}

/// Adds what was written down; until when everything received is in it. Blocking.
pub(super) fn read(dir: &Path, known: &mut Clocks) -> Result<Option<i64>> {
    let (Some((clocks, metadata)), Some((pairs, _))) =
        (read_batches(&dir.join(CLOCKS))?, read_batches(&dir.join(PAIRS))?)
    else {
        return Ok(None);
    };
    clocks.iter().try_for_each(|batch| add_clocks(batch, known))?;
    pairs.iter().try_for_each(|batch| add_pairs(batch, known))?;
    Ok(metadata.get(THROUGH).and_then(|through| through.parse().ok()))
}

fn damaged(column: &str) -> ArrowError {
    ArrowError::SchemaError(format!("no column {column} of its type"))
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name).and_then(|array| array.as_string_opt());
    column.ok_or_else(|| damaged(name))
}

fn counts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a UInt64Array> {
    let column = batch.column_by_name(name);
    column.and_then(|array| array.as_primitive_opt::<UInt64Type>()).ok_or_else(|| damaged(name))
}

fn longs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Int64Array> {
    let column = batch.column_by_name(name);
    column.and_then(|array| array.as_primitive_opt::<Int64Type>()).ok_or_else(|| damaged(name))
}

fn add_clocks(batch: &RecordBatch, known: &mut Clocks) -> Result<()> {
    let (ids, rejects) = (texts(batch, "clock")?, counts(batch, "rejects")?);
    let (sent, received) = (counts(batch, "sent")?, counts(batch, "received")?);
    let names = ["service_name", "service_instance_id", "host_name"];
    let [service, instance, host] = names.map(|name| texts(batch, name));
    let (service, instance, host) = (service?, instance?, host?);
    for row in 0..batch.num_rows() {
        let Some(clock) = parse_clock(ids.value(row)) else { continue };
        let text = |texts: &StringArray| texts.is_valid(row).then(|| texts.value(row).to_owned());
        let name = ClockName {
            service_name: text(service),
            service_instance_id: text(instance),
            host_name: text(host),
        };
        known.estimator.merge_clock(&ClockRow {
            clock,
            sent: unpacked(sent.value(row)),
            received: unpacked(received.value(row)),
        });
        if name != ClockName::default() {
            known.names.insert(clock, name);
        }
        *known.rejects.entry(clock).or_default() += rejects.value(row);
    }
    Ok(())
}

fn add_pairs(batch: &RecordBatch, known: &mut Clocks) -> Result<()> {
    let (from, to) = (texts(batch, "from")?, texts(batch, "to")?);
    let (window, midpoints) = (longs(batch, "window")?, texts(batch, "midpoints")?);
    let (certain, certain_witness) =
        (longs(batch, "certain_ns")?, counts(batch, "certain_witness")?);
    let (likely, likely_witness) = (longs(batch, "likely_ns")?, counts(batch, "likely_witness")?);
    let (messages, late) = (counts(batch, "messages")?, counts(batch, "late")?);
    for row in 0..batch.num_rows() {
        let pair = parse_clock(from.value(row)).zip(parse_clock(to.value(row)));
        let Some((from, to)) = pair else { continue };
        let least = |bounds: &Int64Array, witnesses: &UInt64Array| {
            let (bound_ns, witness) = (bounds.value(row), witnesses.value(row));
            bounds.is_valid(row).then_some(Least { bound_ns, witness })
        };
        let midpoint = |text: &str| {
            let (hash, ns) = text.split_once(':')?;
            Some((hash.parse().ok()?, ns.parse().ok()?))
        };
        known.estimator.merge_row(&PairRow {
            from,
            to,
            window: window.value(row),
            certain: least(certain, certain_witness),
            likely: least(likely, likely_witness),
            messages: messages.value(row),
            late: late.value(row),
            midpoints: midpoints.value(row).split(' ').filter_map(midpoint).collect(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use causeway_clock::ClockId;

    use super::*;

    fn rows(clocks: &Clocks) -> Vec<PairRow> {
        let mut rows: Vec<_> = clocks.estimator.rows().collect();
        rows.sort_by_key(|row| (row.window, row.from, row.to));
        rows
    }

    #[test]
    fn what_is_written_in_parts_is_read_as_a_whole() -> Result<()> {
        let dir = tempfile::tempdir()?;
        let mut clocks = Clocks::default();
        // Three pairs a window: parts end within none.
        for number in 0..3 * ROWS_AT_ONCE as i64 {
            let least = Least { bound_ns: number, witness: number.unsigned_abs() };
            clocks.estimator.merge_row(&PairRow {
                from: ClockId::Instance(number.unsigned_abs() % 3),
                to: ClockId::Instance(7),
                window: number / 3 - 100,
                certain: Some(least),
                likely: None,
                messages: 2,
                late: 0,
                midpoints: vec![(number.unsigned_abs(), -number)],
            });
        }
        let expected = rows(&clocks);
        assert_eq!(expected.len(), 3 * ROWS_AT_ONCE);
        write(dir.path(), &RwLock::new(clocks), 17)?;
        let mut known = Clocks::default();
        assert_eq!(read(dir.path(), &mut known)?, Some(17));
        assert!(rows(&known) == expected);
        Ok(())
    }
}
