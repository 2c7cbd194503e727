//! The same rows in every format.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{Encoder, Format, Options};

fn sample() -> (SchemaRef, RecordBatch) {
    let set = HashMap::from([("causeway".to_owned(), "attribute_set".to_owned())]);
    let schema = Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("u", DataType::UInt64, false),
        Field::new("t", DataType::Utf8, true),
        Field::new("set", DataType::Utf8, true).with_metadata(set),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(9_007_199_254_740_993), None])),
        Arc::new(UInt64Array::from(vec![u64::MAX, 1])),
        Arc::new(StringArray::from(vec![Some("a,\"b\"\n"), Some("")])),
        Arc::new(StringArray::from(vec![Some(r#"{"$$k":[1,"x"],"n":{"$none":true}}"#), None])),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns fit");
    (schema, batch)
}

fn encode(format: Format, options: Options) -> Vec<u8> {
    let (schema, batch) = sample();
    let (mut encoder, mut out) =
        Encoder::start(format, schema, options, Instant::now()).expect("starts");
    out.extend(encoder.write(&batch).expect("writes"));
    out.extend(encoder.finish().expect("ends"));
    out
}

fn text(format: Format, options: Options) -> String {
    String::from_utf8(encode(format, options)).expect("UTF-8")
}

#[test]
fn json_keeps_integers_and_types() {
    let json = text(Format::Json, Options::default());
    let rows = r#""rows":[[9007199254740993,18446744073709551615,"a,\"b\"\n",{"$k":[1,"x"],"n":null}],[null,1,"",null]],"truncated":false"#;
    assert!(json.contains(rows), "{json}");
    assert!(json.starts_with(r#"{"columns":[{"name":"n","type":"Int64"},"#), "{json}");
}

#[test]
fn json_says_that_rows_are_left_out() {
    let json = text(Format::Json, Options { bigint_text: true, rows_max: Some(1) });
    assert!(json.contains(r#"[["9007199254740993","18446744073709551615","#), "{json}");
    assert!(
        json.contains(r#"}]],"truncated":true,"#) || json.contains(r#"]],"truncated":true"#),
        "{json}"
    );
}

#[test]
fn lines_and_tables() {
    let ndjson = text(Format::Ndjson, Options::default());
    assert_eq!(ndjson.lines().nth(1), Some(r#"{"n":null,"u":1,"t":"","set":null}"#));
    let csv = text(Format::Csv, Options::default());
    assert_eq!(
        csv,
        "n,u,t,set\r\n9007199254740993,18446744073709551615,\"a,\"\"b\"\"\n\",\"{\"\"$k\"\":[1,\"\"x\"\"],\"\"n\"\":null}\"\r\n,1,\"\",\r\n"
    );
    let table = text(Format::Table, Options::default());
    assert!(table.ends_with("(2 rows)\n"), "{table}");
}

#[test]
fn binary_formats_read_back() {
    let (_, batch) = sample();
    let arrow = encode(Format::Arrow, Options::default());
    let reader = arrow::ipc::reader::StreamReader::try_new(arrow.as_slice(), None).expect("opens");
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().expect("reads");
    assert_eq!(batches, vec![batch.clone()]);
    let file = bytes::Bytes::from(encode(Format::Parquet, Options::default()));
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file, 1024);
    let batches: Vec<RecordBatch> =
        reader.expect("opens").collect::<Result<_, _>>().expect("reads");
    assert_eq!(batches[0].columns(), batch.columns());
}
