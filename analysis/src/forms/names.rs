//! Forms of spans whose attributes say nothing, by their names.
//!
//! Last resort of [forming](super): data sets and senders without attributes exist. Only names of a
//! known shape count (`HTTP GET`, `SELECT shop.orders`, `shop.Cart/AddItem`, `sql.conn.query`), and the
//! [source](super::Source) of the call says that it is weak. Client and producer spans always have a form.

use super::call::{Draft, Effect, Kind, Source, System};
use super::path::push_name;
use super::sql::cut_at;
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

/// Longest summary; the conventions ask for at most 255 bytes.
const SUMMARY_BYTES_MAX: usize = 1024;

/// Forms a call by its name, if the name has a known shape.
pub(super) fn draft(kind: Kind, name: &str, draft: &mut Draft) -> bool {
    if kind == Kind::Internal {
        // Work inside a process, which names of methods may well look like.
        return false;
    }
    draft.source = Source::Name;
    let may_be_call = matches!(kind, Kind::Client | Kind::Producer | Kind::Unspecified);
    if let Some((method, path)) = http::read_name(name) {
        http::draft_named(method, path, draft);
    } else if SQL_VERBS.contains(&name.split(' ').next().unwrap_or_default())
        && kind != Kind::Server
    {
        draft.system = System::Db;
        draft_summary(name, draft);
        draft.target_known = !draft.target.is_empty();
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
        // The name is all there is: it may stand for one call or for many.
        draft.target_known = false;
        push_name(name, &mut draft.target);
        draft.template_from_parts();
    } else {
        return false;
    }
    draft.is_exit |= kind == Kind::Unspecified;
    true
}

/// Forms a database call by its summary: `SELECT users`, as `db.query.summary` and span names have it.
pub(super) fn draft_summary(summary: &str, draft: &mut Draft) {
    let (summary, _) = cut_at(summary, SUMMARY_BYTES_MAX);
    push_name(summary, &mut draft.template);
    let mut words = draft.template.split(' ');
    let verb = words.next().unwrap_or_default();
    draft.operation.extend(verb.chars().map(|ch| ch.to_ascii_uppercase()));
    draft.target.push_str(words.next().unwrap_or_default());
    draft.effect = effect_of(&draft.operation);
    draft.is_housekeeping = draft.target.is_empty()
        && ["BEGIN", "COMMIT", "ROLLBACK", "SET", "PING", "CONNECT"]
            .contains(&draft.operation.as_str());
}

/// What commands of document stores do, by the verb they begin with.
pub(super) fn effect_of(operation: &str) -> Effect {
    let begins = |verbs: &[&str]| {
        verbs.iter().any(|verb| {
            operation.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb))
        })
    };
    if begins(&[
        "select",
        "find",
        "get",
        "query",
        "scan",
        "search",
        "count",
        "aggregate",
        "distinct",
        "batchget",
        "msearch",
    ]) {
        Effect::Read
    } else if begins(&[
        "insert",
        "update",
        "delete",
        "put",
        "create",
        "bulk",
        "index",
        "merge",
        "batchwrite",
        "drop",
        "replace",
    ]) {
        Effect::Write
    } else {
        Effect::Unknown
    }
}
