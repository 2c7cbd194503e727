//! Queries of the HTTP API, one per file, built as plans: nothing a caller says becomes SQL text.

pub(crate) mod requests;
pub(crate) mod services;
