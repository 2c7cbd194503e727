//! Forms of every family: same calls one key, different calls different keys.

mod conventions;
mod databases;
mod http;
mod messaging;
mod names;

use proptest::prelude::*;

use super::*;

type Attributes<'a> = &'a [(&'a str, &'a str)];

fn form(kind: Kind, name: &str, attributes: Attributes<'_>) -> Option<std::sync::Arc<Call>> {
    let pairs = attributes.iter().map(|(key, value)| (*key, Value::Text(value)));
    Former::default().form(kind, name, &Fields::read(pairs))
}

/// Checks family, callee and template of a client span.
fn check(name: &str, attributes: Attributes<'_>, expected: (System, &str, &str)) {
    let call = form(Kind::Client, name, attributes).expect("client spans are calls");
    assert_eq!((call.system, call.callee.as_str(), call.template.as_str()), expected);
    assert!(call.is_exit);
}

#[test]
fn exits_go_by_kind_then_attributes() {
    let is_exit =
        |kind, attributes: Attributes<'_>| form(kind, "x", attributes).map(|call| call.is_exit);
    let db: Attributes<'_> = &[("db.system", "mysql"), ("db.statement", "SELECT 1 FROM t")];
    let http: Attributes<'_> = &[("http.request.method", "GET"), ("url.full", "http://a/b")];
    let route: Attributes<'_> = &[("http.request.method", "GET"), ("http.route", "/b")];
    assert_eq!(is_exit(Kind::Internal, db), Some(true));
    assert_eq!(is_exit(Kind::Internal, http), Some(true));
    assert_eq!(is_exit(Kind::Internal, route), Some(false));
    assert_eq!(is_exit(Kind::Server, http), Some(false));
    assert_eq!(is_exit(Kind::Consumer, &[("messaging.system", "kafka")]), Some(false));
    assert_eq!(is_exit(Kind::Producer, &[]), Some(true));
    assert_eq!(is_exit(Kind::Internal, &[]), None);
    assert_eq!(is_exit(Kind::Server, &[]), None);
}

#[test]
fn forming_again_after_forgetting_gives_the_same_call() {
    let mut small = Former::new(2, 2);
    let statements: Vec<String> = (0..10).map(|at| format!("SELECT c{at} FROM t")).collect();
    let calls = |former: &mut Former| -> Vec<CallKey> {
        let form = |text: &String| {
            let fields = Fields::read([("db.query.text", Value::Text(text.as_str()))]);
            former.form(Kind::Client, "x", &fields).expect("a call").key
        };
        statements.iter().map(form).collect()
    };
    let first = calls(&mut small);
    assert_eq!(calls(&mut small), first);
    assert_eq!(calls(&mut Former::default()), first);
}

#[test]
fn keys_are_stable() {
    // Stored group keys hold these: a change here orphans them.
    let call = form(
        Kind::Client,
        "x",
        &[("db.system", "mysql"), ("db.statement", "SELECT * FROM t WHERE a = 1")],
    )
    .expect("a call");
    assert_eq!(call.key, CallKey(2_613_611_515_842_234_633_441_349_413_133_760_437));
}

#[test]
fn callees_are_bounded() {
    let of = |service: &str| {
        let call = form(Kind::Client, "GET", &[("http.method", "GET"), ("peer.service", service)]);
        call.expect("a call").callee.clone()
    };
    let long = "é".repeat(CALLEE_BYTES_MAX / 2);
    assert_eq!(of(&long), long);
    assert_eq!(of(&format!("{long}x")), long);
}

proptest! {
    #[test]
    fn any_path_and_name_has_a_stable_form(text in "\\PC{0,60}|[a-zA-Z0-9/:._%{}?#; -]{0,80}|(/[0-9a-f]{1,40}){0,9}") {
        let path = normal_path(&text);
        prop_assert_eq!(normal_path(&path), path);
        let mut name = String::new();
        path::push_name(&text, &mut name);
        let mut again = String::new();
        path::push_name(&name, &mut again);
        prop_assert_eq!(again, name);
    }

    #[test]
    fn any_document_has_a_stable_form(text in "[{\\[][ {}\\[\\]:,\"'a-c1-3\\\\…\n]{0,60}|\\PC{0,60}") {
        let mut form = String::new();
        document::push_document(&text, &mut form);
        let mut again = String::new();
        document::push_document(&form, &mut again);
        prop_assert_eq!(again, form);
    }

    #[test]
    fn any_value_is_searched_for_secrets(value in "\\PC{0,80}|[a-zA-Z0-9=:/@ \"'&_-]{0,80}") {
        for site in find_secrets("x.password", &value) {
            prop_assert!(value.get(site.start_idx..site.end_idx).is_some());
        }
    }

    #[test]
    fn any_span_is_formed_alike_whatever_came_before(
        spans in prop::collection::vec(
            (
                0..6_i32,
                prop::sample::select(vec!["GET", "GET /a/{id}", "SELECT t", "send x", "a.B/C", "HGET", "\u{e9} 17", ""]),
                prop::collection::vec((0..super::conventions::NAMES.len(), "|\\PC{0,9}|/a/[0-9]|http://h[12]/[ab]|select [12]|get|GET k"), 0..6),
            ),
            1..12,
        ),
    ) {
        let mut former = Former::new(4, 4);
        for (kind, name, picks) in &spans {
            let pairs = picks.iter().filter_map(|(at, value)| Some((super::conventions::NAMES.get(*at)?.0, Value::Text(value.as_str()))));
            let (kind, fields) = (Kind::from_otlp(*kind), Fields::read(pairs));
            let call = former.form(kind, name, &fields);
            prop_assert_eq!(&call, &Former::default().form(kind, name, &fields));
            prop_assert!(call.is_none_or(|call| call.template.len() <= sql::TEMPLATE_BYTES_MAX + PATH_BYTES_MAX));
        }
    }
}
