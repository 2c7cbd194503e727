//! `cargo xtask gen`: documents that are written from the code, and whether they are stale.
//!
//! The page of columns is made in the tests below, because only tests see the model (see `Cargo.toml`).
//! A test that finds it stale fails, or writes it if [`WRITE`] is set. The pages of detectors are made
//! from sources as text ([`findings`]).

use anyhow::Result;

use crate::findings;
use crate::run::{cargo, execute};
use crate::test::PACKAGES;

/// What to write.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to write
    #[arg(value_enum)]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// The generated pages of docs/
    Docs,
}

/// Environment variable that makes the tests write what they would compare.
const WRITE: &str = "CAUSEWAY_WRITE_DOCS";

pub(crate) fn run(options: &Options) -> Result<()> {
    match options.what {
        What::Docs => {
            findings::write()?;
            pages(true)
        }
    }
}

/// Fails if a page is stale.
pub(crate) fn check() -> Result<String> {
    findings::check()?;
    pages(false)?;
    Ok(String::new())
}

fn pages(is_writing: bool) -> Result<()> {
    let mut tests = cargo();
    // The same packages as always, so that nothing is built with other features.
    tests.arg("test").args(PACKAGES).args(["--bin", "xtask", "docs::"]);
    if is_writing {
        tests.env(WRITE, "1");
    }
    execute(&mut tests)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::{env, fs};

    use anyhow::{Result, ensure};
    use arrow::datatypes::{DataType, Fields};
    use causeway_model::columns::{self, COLUMNS, Column, Kind};

    use super::WRITE;
    use crate::run::root;

    #[test]
    fn the_page_about_columns_is_as_the_code_says() -> Result<()> {
        keep("docs/formats/spans.md", &spans_page()?)
    }

    /// Compares a page with its file, or writes it.
    fn keep(path: &str, page: &str) -> Result<()> {
        let file = root().join(path);
        if env::var_os(WRITE).is_some() {
            return Ok(fs::write(file, page)?);
        }
        let found = fs::read_to_string(file).unwrap_or_default();
        ensure!(found == page, "{path} is stale: run `cargo xtask gen docs`");
        Ok(())
    }

    fn spans_page() -> Result<String> {
        let mut page = String::from(SPANS_HEAD);
        for column in COLUMNS {
            writeln!(
                page,
                "| `{}` | {} | {} | {} | {} |",
                column.name,
                type_text(column.kind),
                match (column.is_optional, column.nullable) {
                    (true, _) => "yes, or absent",
                    (false, true) => "yes",
                    (false, false) => "",
                },
                pruning(column),
                column.doc
            )?;
        }
        page.push_str("\n## Elements of `events`\n\n");
        push_fields(&mut page, &columns::event_fields())?;
        page.push_str("\n## Elements of `links`\n\n");
        push_fields(&mut page, &columns::link_fields())?;
        page.push_str("\n## Fields of a stamp: elements of `resp`, and `hlc_reject`\n\n");
        push_fields(&mut page, &columns::stamp_fields())?;
        page.push_str(FLAGS_HEAD);
        for (fault, meaning) in columns::FLAGS {
            writeln!(page, "| {} | `{}` | {meaning} |", fault.bit(), fault.label())?;
        }
        Ok(page)
    }

    fn push_fields(page: &mut String, fields: &Fields) -> Result<()> {
        page.push_str("| field | type |\n|---|---|\n");
        for field in fields {
            let of_type = match field.data_type() {
                DataType::Int64 => "long",
                DataType::Binary => "binary",
                _ if field.name() == "attributes" => "string: attribute text",
                _ => "string",
            };
            writeln!(page, "| `{}` | {of_type} |", field.name())?;
        }
        Ok(())
    }

    fn type_text(kind: Kind) -> &'static str {
        match kind {
            Kind::Bytes => "binary",
            Kind::Text | Kind::Repeated => "string",
            Kind::Int => "integer",
            Kind::Long => "long",
            Kind::TimestampMicros => "timestamp",
            Kind::Attributes => "map<string, string>",
            Kind::Events => "array<struct>",
            Kind::Links => "array<struct>",
            Kind::Stamp => "struct",
            Kind::Stamps => "array<struct>",
        }
    }

    fn pruning(column: &Column) -> &'static str {
        match (column.name == columns::name::TRACE_ID, column.statistics) {
            (true, _) => "page index, bloom filter",
            (false, true) => "file and page statistics",
            (false, false) => "",
        }
    }

    const FLAGS_HEAD: &str = "\n\
## Bits of `clock_flags`

What a span tells by itself is decided when it is received, with the collector's clock, and comes out
the same when the log is replayed. What needs several spans, such as two processes with one node id
or a stamp that was replayed, is not stored: it is found when a trace is read. Nothing is
dropped for a flag.

| bit | name | meaning |
|---|---|---|
";

    const SPANS_HEAD: &str = "\
# The `spans` table

Written by `cargo xtask gen docs` from `model/src/columns.rs`; change it there.

A Delta table (reader version 1, writer version 2) below `DATA_DIR/tenants/default/spans`. Any reader
of Delta or Parquet can read it while Causeway writes. One row is one span. Files are partitioned by
`day` (UTC day of the start, or of receipt where the start is not usable or a flush spreads over more
than 64 days, so a filter on time must use `start_time`), sorted by `trace_id`,
`start_time_unix_nano` and `span_id`, and compressed with zstd level 1. Text with many distinct
values has a bloom filter. Columns are only added, never re-typed. Small files are merged in the background; replaced ones stay
on disk for `vacuum-retention`, so a reader that takes longer must read the table's newest version again.

Files need not have every column of the table: those marked \"or absent\", and the `attributes.<key>`
of [attributes.md](attributes.md), stand only in files in which some span has a value, and are null in
all others. A table made before a column was known gets it by a metadata commit, at the first flush
of a span that has a value; no file is rewritten.

Types are Delta's. Attribute values and attribute texts are explained in
[attributes.md](attributes.md). All integers are signed: a 64-bit time above 2^63-1 reads as a
negative number, has all its bits, and counts as \"no usable time\". SQL in Causeway shows these
columns in a friendlier form: hex ids, nanosecond timestamps, `end_time`, unsigned times.

| column | type | nullable | pruning | what it holds |
|---|---|---|---|---|
";
}
