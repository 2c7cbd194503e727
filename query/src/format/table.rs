//! A table for people: all rows are kept until the widths are known.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::cell::push_text;
use super::fault;
use crate::error::Result;

/// Longest text of a cell; the rest is cut, because terminals wrap.
const CELL_CHARS_MAX: usize = 80;

/// Cells so far.
#[derive(Debug)]
pub(super) struct Table {
    widths: Vec<usize>,
    lines: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(schema: &Schema) -> Self {
        let header: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
        let mut table = Self { widths: vec![0; header.len()], lines: Vec::new() };
        table.push(header);
        table
    }

    fn push(&mut self, line: Vec<String>) {
        for (width, cell) in self.widths.iter_mut().zip(&line) {
            *width = (*width).max(cell.chars().count());
        }
        self.lines.push(line);
    }

    pub(super) fn add(&mut self, batch: &RecordBatch, schema: &Schema) -> Result<()> {
        for row in 0..batch.num_rows() {
            let mut line = Vec::with_capacity(self.widths.len());
            for (column, field) in batch.columns().iter().zip(schema.fields()) {
                let mut cell = Vec::new();
                push_text(column, field, row, &mut cell).map_err(fault)?;
                line.push(shown(&String::from_utf8_lossy(&cell), schema.fields().len() > 1));
            }
            self.push(line);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = String::new();
        for (nth, line) in self.lines.iter().enumerate() {
            for (at, (cell, width)) in line.iter().zip(&self.widths).enumerate() {
                out.push_str(if at == 0 { " " } else { " | " });
                out.push_str(cell);
                out.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
            if nth == 0 {
                let rule: Vec<String> = self.widths.iter().map(|w| "-".repeat(w + 2)).collect();
                out.push_str(&rule.join("+"));
                out.push('\n');
            }
        }
        let rows = self.lines.len() - 1;
        out.push_str(&format!("({rows} row{})\n", if rows == 1 { "" } else { "s" }));
        out.into_bytes()
    }
}

/// Text on one line; plans, which stand alone in a column, keep their lines' content in full.
fn shown(text: &str, is_cut: bool) -> String {
    let one_line = text.replace('\t', " ").replace(['\n', '\r'], if is_cut { " " } else { "\n " });
    match one_line.char_indices().nth(CELL_CHARS_MAX) {
        Some((at, _)) if is_cut => format!("{}...", &one_line[..at]),
        _ => one_line,
    }
}
