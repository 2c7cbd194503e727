//! Forms of spans whose attributes say nothing, by their names.
//!
//! Last resort of [forming](super): data sets and senders without attributes exist. Only names of a
//! known shape count (`HTTP GET`, `SELECT shop.orders`, `shop.Cart/AddItem`, `sql.conn.query`), and the
//! [source](super::Source) of the call says that it is weak. Client and producer spans always have a form.

use super::call::{Draft, Effect, Kind, Source, System};
use super::path::push_name;
use super::sql::Dialect;
use super::{cache, http, rpc};

/// Verbs that begin names like `SELECT shop.orders`.
const SQL_VERBS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CALL", "COMMIT", "ROLLBACK",
    "BEGIN",
];

/// What the names of Go's and Java's database instrumentation begin with, and whether that is housekeeping.
const DB_NAMES: &[(&str, bool)] = &[
    ("sql.conn.query", false),
    ("sql.conn.exec", false),
    ("sql.stmt.query", false),
    ("sql.stmt.exec", false),
    ("sql.", true),
    ("Transaction.commit", true),
    ("Transaction.rollback", true),
    ("DataSource.getConnection", true),
    ("HikariDataSource.getConnection", true),
];

/// What a name tells.
pub(super) enum Named {
    /// A statement, to be formed like one.
    Sql(Dialect),
    /// A call that is formed already.
    Drafted,
    /// Nothing.
    Nothing,
}

/// Forms a call by its name, if the name has a known shape.
pub(super) fn draft(kind: Kind, name: &str, draft: &mut Draft) -> Named {
    draft.source = Source::Name;
    let may_be_call = matches!(kind, Kind::Client | Kind::Producer | Kind::Unspecified);
    if let Some((method, path)) = http::read_name(name).filter(|_| kind != Kind::Internal) {
        http::draft_named(method, path, draft);
    } else if SQL_VERBS.contains(&name.split(' ').next().unwrap_or_default())
        && kind != Kind::Server
    {
        draft.system = System::Db;
        draft.target_known = name.contains(' ');
        return Named::Sql(Dialect::Standard);
    } else if let Some((_, is_housekeeping)) =
        DB_NAMES.iter().find(|(prefix, _)| name.starts_with(prefix))
    {
        draft.system = System::Db;
        draft.is_housekeeping = *is_housekeeping;
        draft.target_known = false;
        push_name(name, &mut draft.operation);
        draft.template_from_parts();
    } else if let Some((service, method)) = rpc::read_name(name) {
        rpc::draft_named(service, method, draft);
    } else if let Some(command) = cache::command_of_name(name).filter(|_| may_be_call) {
        draft.system = System::Cache;
        draft.operation.push_str(command);
        draft.template_from_parts();
        draft.target_known = false;
    } else if matches!(kind, Kind::Client | Kind::Producer) {
        draft.system = if kind == Kind::Producer { System::Messaging } else { System::Other };
        draft.effect = if kind == Kind::Producer { Effect::Write } else { Effect::Unknown };
        push_name(name, &mut draft.target);
        draft.template_from_parts();
    } else {
        return Named::Nothing;
    }
    draft.is_exit |= kind == Kind::Unspecified;
    Named::Drafted
}
