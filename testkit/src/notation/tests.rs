//! What lines mean, and what is said of lines that mean nothing.

use super::*;

fn spans(text: &str) -> Vec<NotedSpan> {
    parse(text).expect("in the notation")
}

fn ms(span: &NotedSpan) -> (f64, f64) {
    let after = |time: u64| (time as i64 - EPOCH_NS) as f64 / 1e6;
    (after(span.start_ns), after(span.end_ns))
}

#[test]
fn indentation_is_the_parent() {
    let spans = spans(
        "# comment
        a one server 0..10
          b two client 1..2
            c three internal 1.5..1.75ms
          b four client 3us..4s

        d five consumer ?..?",
    );
    let links: Vec<_> = spans.iter().map(|span| (span.id - FIRST_ID, span.parent)).collect();
    assert_eq!(links, [(0, 0), (1, FIRST_ID), (2, FIRST_ID + 1), (3, FIRST_ID), (4, 0)]);
    assert_eq!((ms(&spans[2]), ms(&spans[3])), ((1.5, 1.75), (0.003, 4000.0)));
    assert_eq!((spans[4].start_ns, spans[4].end_ns), (0, 0));
    assert_eq!(spans[4].kind, SpanKind::Consumer);
}

#[test]
fn tokens_after_the_times_come_in_any_order() {
    let spans = spans(
        r#"s/2 "GET /x \"y\"" client 0..1 a=1 b="1 = one" error c=1.5 ->9 d=true #7 ^8 !late@2 e=x.y"#,
    );
    let expected = NotedSpan {
        id: 7,
        parent: 8,
        service: "s".to_owned(),
        instance: "2".to_owned(),
        name: "GET /x \"y\"".to_owned(),
        kind: SpanKind::Client,
        start_ns: EPOCH_NS as u64,
        end_ns: EPOCH_NS as u64 + 1_000_000,
        status: 2,
        attributes: vec![
            ("a".to_owned(), Noted::Int(1)),
            ("b".to_owned(), "1 = one".into()),
            ("c".to_owned(), Noted::Double(1.5)),
            ("d".to_owned(), Noted::Bool(true)),
            ("e".to_owned(), "x.y".into()),
        ],
        events: vec![("late".to_owned(), EPOCH_NS as u64 + 2_000_000)],
        links: vec![9],
    };
    assert_eq!(spans, [expected]);
}

#[test]
fn repeated_spans_take_what_is_below_along() {
    let spans = spans(
        "a top server 0..99\n a call%i client 1..2 x3/10\n  b q client 1..2 k=%i\n a z - 9..9",
    );
    let names: Vec<_> = spans.iter().map(|span| (span.name.as_str(), ms(span).0)).collect();
    let expected = [
        ("top", 0.0),
        ("call0", 1.0),
        ("call1", 11.0),
        ("call2", 21.0),
        ("q", 1.0),
        ("q", 11.0),
        ("q", 21.0),
        ("z", 9.0),
    ];
    assert_eq!(names, expected);
    let parents: Vec<_> = spans.iter().skip(4).map(|span| span.parent - FIRST_ID).collect();
    assert_eq!(parents, [1, 2, 3, 0]);
    assert_eq!(spans[6].attributes, [("k".to_owned(), "2".into())]);
}

#[test]
fn clocks_move_the_spans_of_their_instance() {
    let spans = spans("%clock b/1 -2s\na x server 0..1\nb/1 x server 3..4\nb/2 x server 0..1");
    assert_eq!([ms(&spans[0]).0, ms(&spans[1]).0, ms(&spans[2]).0], [0.0, -1997.0, 0.0]);
}

#[test]
fn what_means_nothing_is_named_with_its_line() {
    let problem = |text: &str| parse(text).expect_err("no notation").to_string();
    assert_eq!(problem("a x server 0..1\n\nb"), "line 3: no name");
    assert_eq!(problem("a x sever 0..1"), "line 1: \"sever\" is not a kind");
    assert_eq!(problem("a x server 0-1"), "line 1: \"0-1\" is not start..end");
    assert_eq!(problem("a x server 0..1 eror"), "line 1: \"eror\" means nothing");
    assert_eq!(problem("a \"x server 0..1"), "line 1: \"\\\"x server 0..1\" has no closing quote");
}

#[test]
fn requests_have_a_resource_for_each_instance() {
    let request =
        request(&spans("a x server 0..1\nb/1 y client 0..1 error\nb/2 y client 0..1\na z - 0..1"));
    let sizes: Vec<_> =
        request.resource_spans.iter().map(|r| r.scope_spans[0].spans.len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
}
