//! Normal forms of SQL and CQL statements.
//!
//! ```text
//! text ─► dialect: sqlparser's tokenizer ─► pieces: values become `?` ─► lists: repeats fall together
//!                                                                      └► statement: verb, table, effect
//! ```
//!
//! Values, list lengths, comments, white space and the case of keywords do not make another statement; tables,
//! columns and conditions do. Text that does not tokenize, such as a statement that its sender cut, keeps the
//! form of what came before and ends in `…`.

mod dialect;
mod keywords;
mod lists;
mod pieces;
mod skeleton;
mod statement;

pub use dialect::Dialect;
pub(super) use skeleton::push_skeleton;
pub(super) use statement::cut_at;
pub use statement::{STATEMENT_BYTES_MAX, Statement, TEMPLATE_BYTES_MAX};

#[cfg(test)]
mod tests;
