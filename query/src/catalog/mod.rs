//! What SQL can see: the session, its tables, and what must not get past it.
//!
//! ```text
//! statement -- only queries? --> plan over views --> storage table --> recent batches + files
//!               (statement)      (views, attributes)   (stored, predicate)    (root)
//!                                                \-> trace table --> parts beside the files
//!                                                     (traces)
//! ```
//!
//! Invariants: nothing but the table root can be read, nothing can be written; all tables of a
//! statement show the same snapshot.

mod attributes;
pub(crate) mod edges;
mod own_columns;
mod predicate;
mod pruned;
mod questions;
mod recheck;
mod root;
mod screen;
mod session;
mod statement;
mod stored;
mod trace_functions;
mod traces;
mod views;

pub(crate) use own_columns::table_schema;
pub(crate) use session::{Catalog, Session};
pub(crate) use views::{all_attributes, stored};
