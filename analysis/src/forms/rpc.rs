//! Forms of remote procedure calls: gRPC, Thrift, Dubbo, cloud APIs.
//!
//! A [family](super): `rpc.service` and `rpc.method`, in the newest conventions both within `rpc.method`. The
//! service is part of the template, so an address that is only a number need not tell callees apart: clients that
//! balance their load name another one each time.

use super::call::{Draft, Effect, Source, System};
use super::conventions::{Field, Fields};
use super::http;
use super::path::push_name;
use super::sql::cut_at;

/// Longest name of a service or method.
const IDENTIFIER_BYTES_MAX: usize = 512;

/// Whether attributes speak of a remote procedure.
pub(super) fn is_rpc(fields: &Fields<'_>) -> bool {
    fields.has(Field::RpcSystem) || fields.has(Field::RpcService) || fields.has(Field::RpcMethod)
}

/// Forms the call of an RPC span.
pub(super) fn draft(name: &str, fields: &Fields<'_>, draft: &mut Draft) {
    draft.system = System::Rpc;
    let method = fields.text(Field::RpcMethod).map(|method| method.trim_start_matches('/'));
    let service = fields.text(Field::RpcService);
    match (service, method) {
        (Some(service), Some(method)) if !method.contains('/') => {
            push_procedure(service, method, draft);
        }
        (_, Some(method)) => match method.rsplit_once('/') {
            Some((service, method)) => push_procedure(service, method, draft),
            None => push_procedure("", method, draft),
        },
        (service, None) => match read_name(name) {
            Some((service, method)) => push_procedure(service, method, draft),
            None => {
                push_name(service.unwrap_or(name), &mut draft.target);
                draft.target_known = service.is_some();
            }
        },
    }
    draft.template.push_str(&draft.target);
    draft.effect = effect_of(&draft.operation);
    push_callee(fields, &mut draft.callee);
}

/// Forms a call that only a name like `shop.Cart/AddItem` tells of.
pub(super) fn draft_named(service: &str, method: &str, draft: &mut Draft) {
    draft.system = System::Rpc;
    draft.source = Source::Name;
    push_procedure(service, method, draft);
    draft.template.push_str(&draft.target);
    draft.effect = effect_of(method);
}

/// Service and method of a span name like `shop.Cart/AddItem` or `/shop.Cart/AddItem`.
pub(super) fn read_name(name: &str) -> Option<(&str, &str)> {
    let (service, method) = name.strip_prefix('/').unwrap_or(name).split_once('/')?;
    let is_identifier = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    // A package or a capital tells a service from the first segment of a path.
    let is_service =
        service.contains('.') || service.starts_with(|ch: char| ch.is_ascii_uppercase());
    (is_service && is_identifier(service) && is_identifier(method)).then_some((service, method))
}

/// Services and methods are identifiers of code, so nothing in them is the value of one occasion.
fn push_procedure(service: &str, method: &str, draft: &mut Draft) {
    let (service, method) =
        (cut_at(service, IDENTIFIER_BYTES_MAX).0, cut_at(method, IDENTIFIER_BYTES_MAX).0);
    draft.target.push_str(service);
    if !service.is_empty() {
        draft.target.push('/');
    }
    draft.target.push_str(method);
    draft.operation.push_str(method);
}

/// Appends the peer service or a host that has a name.
pub(super) fn push_callee(fields: &Fields<'_>, out: &mut String) {
    if let Some(service) = fields.text(Field::PeerService) {
        out.push_str(service);
    } else if let Some(host) = fields.text(Field::ServerAddress).filter(|host| !is_address(host)) {
        http::push_host(host, fields.port(), out);
    }
}

/// Whether a host is a number rather than a name.
pub(super) fn is_address(host: &str) -> bool {
    host.contains(':') && host.bytes().filter(|byte| *byte == b':').count() > 1
        || host.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'))
}

/// What the verb at the head of a method's name promises.
fn effect_of(method: &str) -> Effect {
    const READS: &[&str] = &[
        "get", "list", "find", "query", "search", "read", "describe", "count", "check", "lookup",
        "head", "scan",
    ];
    const WRITES: &[&str] = &[
        "create", "update", "delete", "put", "set", "add", "remove", "insert", "write", "save",
        "send", "place", "charge", "empty", "upsert",
    ];
    let begins = |verb: &&&str| {
        method.get(..verb.len()).is_some_and(|head| head.eq_ignore_ascii_case(verb))
            && !method
                .get(verb.len()..)
                .is_some_and(|rest| rest.starts_with(|ch: char| ch.is_ascii_lowercase()))
    };
    if READS.iter().find(begins).is_some() {
        Effect::Read
    } else if WRITES.iter().find(begins).is_some() {
        Effect::Write
    } else {
        Effect::Unknown
    }
}
