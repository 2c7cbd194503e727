//! Columns of repeated text, read back by the general reader.

use std::sync::Arc;

use arrow::array::{Array, DictionaryArray, RecordBatch, StringArray};
use arrow::datatypes::{Field, Int32Type, Schema};
use causeway_model::columns::repeated_text;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::disk::{Disk, RealDisk};
use crate::table::gather::Place;
use crate::table::row_group::RowGroup;

type Texts = Vec<Option<String>>;

/// Writes texts in batches of some size.
fn file(texts: &[Option<String>], batch: usize, nullable: bool) -> std::fs::File {
    let schema = Arc::new(Schema::new(vec![Field::new("text", repeated_text(), nullable)]));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    let properties =
        WriterProperties::builder().set_statistics_enabled(EnabledStatistics::Page).build();
    let file = RealDisk.create(&path).expect("is made");
    let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
    let (mut file, factory) = writer.expect("starts").into_serialized_writer().expect("ready");
    let mut group = RowGroup::new(&file, &factory, &schema, 0, texts.len()).expect("starts");
    for part in texts.chunks(batch) {
        let array: DictionaryArray<Int32Type> = part.iter().map(Option::as_deref).collect();
        let places = (0..part.len() as u32).map(|row| Place { array: 0, row });
        let places: Vec<_> = places.collect();
        group.write_repeated(0, &[Arc::new(array)], &places).expect("written");
        group.add_rows(part.len());
    }
    group.finish(&mut file).expect("finished");
    file.close().expect("closed");
    std::fs::File::open(&path).expect("is there")
}

/// The same, read with the general reader.
fn there_and_back(texts: &[Option<String>], batch: usize, nullable: bool) -> Texts {
    let file = file(texts, batch, nullable);
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
    let batches: Vec<RecordBatch> =
        builder.build().expect("readable").collect::<Result<_, _>>().expect("read");
    let mut back = Vec::new();
    for batch in batches {
        let text = arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8);
        let text = text.expect("text");
        let text = text.as_any().downcast_ref::<StringArray>().expect("strings");
        back.extend(text.iter().map(|text| text.map(str::to_owned)));
    }
    back
}

#[test]
fn a_filter_tells_which_of_many_values_there_are() {
    let count = |distinct: usize| {
        let text =
            |n: usize| Some(format!("value {}", n % distinct)).filter(|_| !n.is_multiple_of(9));
        let texts: Texts = (0..100_000).map(text).collect();
        let file = file(&texts, 8_191, true);
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).expect("a footer");
        let filter = Sbbf::read_from_column_chunk(metadata.row_group(0).column(0), &file);
        let filter = filter.expect("readable")?;
        assert!(texts.iter().flatten().all(|text| filter.check(text.as_str())), "{distinct}");
        // In bytes, and how many of a thousand that are not there it takes for there.
        let wrong = (0..1_000).filter(|n| filter.check(format!("other {n}").as_str()));
        Some((filter.num_blocks() * 32, wrong.count()))
    };
    assert_eq!(count(1_000), None, "a look at the dictionary is enough");
    for (distinct, bytes_max) in [(2_000, 4 << 10), (60_000, 128 << 10), (100_000, 256 << 10)] {
        let (bytes, wrong) = count(distinct).expect("a filter");
        assert!(bytes <= bytes_max && wrong <= 30, "{distinct}: {bytes} bytes, {wrong} wrong");
    }
}

#[test]
fn texts_come_back_whether_they_repeat_or_not() {
    let few = |n: usize| Some(format!("value {}", n % 7));
    let many = |n: usize| Some(format!("value {n}"));
    let long = |n: usize| Some(format!("{n} {}", "x".repeat(3_000)));
    let makers: [&dyn Fn(usize) -> Option<String>; 7] = [
        &few,
        &many,
        &long,
        &|n| few(n).filter(|_| n % 3 == 0),
        &|n| many(n).filter(|_| n % 100 == 5),
        &|n| if n < 20_000 { few(n) } else { many(n) },
        &|_| None,
    ];
    for (nth, maker) in makers.iter().enumerate() {
        for (rows, batch) in [(1, 1), (1_000, 7), (40_000, 40_000), (40_000, 8_191)] {
            let texts: Texts = (0..rows).map(maker).collect();
            assert_eq!(there_and_back(&texts, batch, true), texts, "{nth}: {rows} in {batch}");
            if texts.iter().all(Option::is_some) {
                assert_eq!(there_and_back(&texts, batch, false), texts);
            }
        }
    }
}
