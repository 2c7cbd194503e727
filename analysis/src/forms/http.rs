//! Forms of HTTP calls.
//!
//! A [family](super): method and URL template or route; else the span's name where it is a template of the
//! path; else the path with its ids replaced. The callee is the peer service or host, with its port unless
//! that is the scheme's own: the same path of two services is two calls.

use super::call::{Draft, Effect, Kind, Source, System};
use super::conventions::{Field, Fields, bits};
use super::path::push_path;

/// Methods, as RFC 9110, 5789 and WebDAV's commonest name them.
const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "QUERY",
    "PROPFIND",
];

/// The method a text is, in capitals.
pub(super) fn method_of(text: &str) -> Option<&'static str> {
    METHODS.iter().find(|method| method.eq_ignore_ascii_case(text)).copied()
}

/// Method and path of a span name like `GET /users/{id}`, `HTTP GET /users` or `HTTP GET`.
pub(super) fn read_name(name: &str) -> Option<(&'static str, Option<&str>)> {
    let mut words = name.split(' ').filter(|word| !word.is_empty());
    let mut method = words.next()?;
    if method.eq_ignore_ascii_case("HTTP") {
        method = words.next()?;
    }
    let method = method_of(method)?;
    let Some(rest) = words.next() else { return Some((method, None)) };
    if words.next().is_some() {
        return None;
    }
    match rest.find("://") {
        _ if rest.starts_with('/') => Some((method, Some(rest))),
        Some(_) => Some((method, Some(path_of_url(rest)))),
        None => None,
    }
}

/// Whether attributes speak of HTTP.
pub(super) fn is_http(fields: &Fields<'_>) -> bool {
    use Field::*;
    fields.has_any(const { bits(&[HttpMethod, UrlFull, HttpTarget, UrlPath, UrlTemplate, HttpRoute, HttpStatus]) })
}

/// Forms the call of an HTTP span.
pub(super) fn draft(kind: Kind, name: &str, fields: &Fields<'_>, draft: &mut Draft) {
    draft.system = System::Http;
    let named = read_name(name);
    let sent = fields.text(Field::HttpMethod).filter(|method| *method != "_OTHER");
    match (sent, named) {
        (Some(method), _) => match method_of(method) {
            Some(method) => draft.operation.push_str(method),
            None => draft.operation.extend(method.chars().take(16)),
        },
        (None, Some((method, _))) => draft.operation.push_str(method),
        (None, None) => {}
    }
    let raw = fields
        .text(Field::UrlPath)
        .or_else(|| fields.text(Field::HttpTarget).map(path_of_url))
        .or_else(|| fields.text(Field::UrlFull).map(path_of_url));
    let template = fields.text(Field::UrlTemplate).or_else(|| fields.text(Field::HttpRoute));
    let named_path = named.and_then(|(_, path)| path);
    match (template, named_path, raw) {
        (Some(template), ..) => push_path(path_of_url(template), &mut draft.target),
        (None, Some(path), Some(raw)) if is_template_of(path, raw) => {
            push_path(path, &mut draft.target);
        }
        (None, _, Some(raw)) => push_path(raw, &mut draft.target),
        (None, Some(path), None) => push_path(path, &mut draft.target),
        (None, None, None) => draft.target_known = false,
    }
    draft.effect = effect_of(&draft.operation);
    if draft.operation.is_empty() {
        draft.operation.push_str("HTTP");
    }
    draft.template_from_parts();
    push_callee(fields, &mut draft.callee);
    // A route is what the callee knows, so an internal span that has one is on its side.
    let is_caller =
        matches!(kind, Kind::Internal | Kind::Unspecified) && !fields.has(Field::HttpRoute);
    draft.is_exit |= is_caller;
}

/// Forms a call that only a name like `HTTP GET` tells of.
pub(super) fn draft_named(method: &str, path: Option<&str>, draft: &mut Draft) {
    draft.system = System::Http;
    draft.source = Source::Name;
    draft.operation.push_str(method);
    draft.effect = effect_of(method);
    match path {
        Some(path) => push_path(path, &mut draft.target),
        None => draft.target_known = false,
    }
    draft.template_from_parts();
}

fn effect_of(method: &str) -> Effect {
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY" | "PROPFIND" => Effect::Read,
        "POST" | "PUT" | "PATCH" | "DELETE" => Effect::Write,
        _ => Effect::Unknown,
    }
}

/// What follows the `://` of a URL; by bytes, as searches for texts take longer than all the rest.
fn after_scheme(url: &str) -> Option<&str> {
    let colon = url.bytes().take(32).position(|byte| matches!(byte, b':' | b'/' | b'?'))?;
    url.get(colon..)?.strip_prefix("://")
}

/// The path of a URL, or of what is a path already.
pub(super) fn path_of_url(url: &str) -> &str {
    let Some(rest) = after_scheme(url) else { return url };
    let start = rest.bytes().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    rest.get(start.unwrap_or(rest.len())..).unwrap_or_default()
}

/// Host and port of a URL, without user and password.
fn authority_of_url(url: &str) -> Option<&str> {
    let rest = after_scheme(url)?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// Whether a span name's path is a template of the path that was called.
///
/// Names are meant to be templates, but some are the path itself, some the bare service: only what fits
/// segment by segment, with at least one word in common or one segment replaced, is believed.
fn is_template_of(template: &str, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut words = template.split('/').filter(|segment| !segment.is_empty());
    let mut values = path.split('/').filter(|segment| !segment.is_empty());
    let mut replaced = 0_usize;
    loop {
        match (words.next(), values.next()) {
            (None, None) => return replaced > 0,
            (Some("**" | "*"), _) => return false,
            (Some(word), Some(value)) if word.eq_ignore_ascii_case(value) => {}
            (Some(word), Some(_)) if is_variable(word) => replaced += 1,
            _ => return false,
        }
    }
}

/// Whether a segment of a template, or its part after a `:`, stands for a value.
fn is_variable(word: &str) -> bool {
    let end = word.rsplit_once(':').map_or(word, |(_, end)| end);
    let is_marked =
        |open: char, close: char| end.starts_with(open) && end.ends_with(close) && end.len() > 2;
    is_marked('{', '}')
        || is_marked('<', '>')
        || is_marked('_', '_')
        || is_marked('[', ']')
        || end == "?"
        || word.starts_with(':') && word.len() > 1
}

/// Appends who is called: peer service, host name, or address; a port that is not 80 or 443 belongs to it.
pub(super) fn push_callee(fields: &Fields<'_>, out: &mut String) {
    if let Some(service) = fields.text(Field::PeerService) {
        out.push_str(service);
        return;
    }
    let host = fields
        .text(Field::ServerAddress)
        .or_else(|| fields.text(Field::UrlFull).and_then(authority_of_url))
        .or_else(|| fields.text(Field::HttpHost))
        .or_else(|| fields.text(Field::PeerAddress));
    let Some(host) = host else { return };
    push_host(host, fields.port(), out);
}

/// Appends a host in small letters, with its port where that is not the scheme's own.
pub(super) fn push_host(host: &str, port: Option<u16>, out: &mut String) {
    // 253 is the longest host name; an IPv6 address and a port fit as well.
    let (host, _) = super::sql::cut_at(host, 320);
    let host = host.trim_start_matches('/');
    let bare = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    let start = out.len();
    out.push_str(bare);
    if let Some(added) = out.get_mut(start..) {
        added.make_ascii_lowercase();
    }
    let has_port = bare.len() != host.len()
        || host
            .rsplit_once(':')
            .is_some_and(|(before, _)| !before.contains(':') || before.ends_with(']'));
    if let Some(port) = port
        && !has_port
        && !matches!(port, 0 | 80 | 443)
    {
        // Formatting would take longer than all the rest of the callee.
        out.push(':');
        let digits = [10_000, 1000, 100, 10, 1].map(|unit| b'0' + (port / unit % 10) as u8);
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        out.extend(digits.iter().skip(zeros).map(|digit| char::from(*digit)));
    }
}
