//! Statements and their forms.

use proptest::prelude::*;

use super::*;
use crate::forms::Effect;

fn form(text: &str, dialect: Dialect) -> String {
    let form = Statement::of(text, dialect).template;
    assert_eq!(Statement::of(&form, dialect).template, form, "from {text}");
    form
}

fn check(text: &str, expected: &str) {
    assert_eq!(form(text, Dialect::Standard), expected);
}

fn check_in(dialect: Dialect, text: &str, expected: &str) {
    assert_eq!(form(text, dialect), expected);
}

#[test]
fn values_become_question_marks() {
    check(
        "select * from t where a=1 and b='x''y' and c=-1.5e3",
        "SELECT * FROM t WHERE a = ? AND b = ? AND c = ?",
    );
    check(
        "SELECT * FROM t WHERE a = 0xFF AND b = X'00' AND c = E'\\'' AND d = N'n'",
        "SELECT * FROM t WHERE a = ? AND b = ? AND c = ? AND d = ?",
    );
    check("SELECT $$it's$$, $tag$a $$ b$tag$, $1", "SELECT ?, ?, ?");
    check("SELECT a - 1, -1, a -1, (-1)", "SELECT a - ?, ?, a - ?, (?)");
    check(
        "SELECT * FROM t WHERE a IS NULL AND b IS NOT NULL AND c = NULL AND d = true",
        "SELECT * FROM t WHERE a IS NULL AND b IS NOT NULL AND c = ? AND d = ?",
    );
    check(
        "SELECT * FROM t WHERE d > DATE '2024-01-01' LIMIT 10 OFFSET 20",
        "SELECT * FROM t WHERE d > DATE ? LIMIT ? OFFSET ?",
    );
    check(
        "SELECT * FROM t WHERE id = 550e8400-e29b-41d4-a716-446655440000",
        "SELECT * FROM t WHERE id = ?",
    );
}

#[test]
fn parameters_of_every_style_are_values() {
    for parameter in ["?", "?1", "$1", ":name", ":1", "@p0", "%s", "%(name)s", "17", "'x'", "1_000"]
    {
        check(
            &format!("SELECT a FROM t WHERE b = {parameter} AND c IN ({parameter}, {parameter})"),
            "SELECT a FROM t WHERE b = ? AND c IN (?)",
        );
    }
    check(
        "SELECT a::text, b % c, x@dblink, @@autocommit FROM t",
        "SELECT a::text, b % c, x @ dblink, @@autocommit FROM t",
    );
    check("SELECT a%s FROM t", "SELECT a % s FROM t");
    check(
        "SELECT data->>'a', data #> '{b}', data @> '{}' FROM t",
        "SELECT data ->> ?, data #> ?, data @> ? FROM t",
    );
    check("SELECT id FROM t WHERE id = ?::uuid", "SELECT id FROM t WHERE id = ?::uuid");
    check("SELECT a[1:2], ARRAY[1,2,3] FROM t", "SELECT a[? : ?], ARRAY[?] FROM t");
}

#[test]
fn lists_lose_their_length() {
    check("SELECT a FROM t WHERE id IN (1,2, 3)", "SELECT a FROM t WHERE id IN (?)");
    check(
        "SELECT a FROM t WHERE (a,b) IN ((1,2),(3,4))",
        "SELECT a FROM t WHERE (a, b) IN ((?, ?))",
    );
    check(
        "SELECT a FROM t WHERE id = ANY(ARRAY[1,2]::int[])",
        "SELECT a FROM t WHERE id = ANY (ARRAY[?]::int[])",
    );
    check(
        "SELECT a FROM t WHERE id IN (?::uuid, ?::uuid) AND x NOT IN ('a','b')",
        "SELECT a FROM t WHERE id IN (?::uuid) AND x NOT IN (?)",
    );
    check(
        "SELECT a FROM t WHERE id IN (SELECT b, b FROM u)",
        "SELECT a FROM t WHERE id IN (SELECT b, b FROM u)",
    );
    check(
        "INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL), (-3, 'z')",
        "INSERT INTO t(a, b) VALUES (?, ?)",
    );
    check(
        "INSERT INTO t VALUES (1, now()), (2, now()) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (?, NOW()) ON CONFLICT DO NOTHING",
    );
    check(
        "insert into t (a,b) values (1,2),(3,4) on duplicate key update a = values(a), b = values(b)",
        "INSERT INTO t(a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = VALUES (a), b = VALUES (b)",
    );
    check(
        "UPDATE t SET a = 1 WHERE b = 2; UPDATE t SET a = 3 WHERE b = 4;;",
        "UPDATE t SET a = ? WHERE b = ?",
    );
    // Not lists: arguments and columns keep their number.
    check("SELECT f(1, 2), a, a FROM t", "SELECT f(?, ?), a, a FROM t");
}

#[test]
fn comments_space_and_case_do_not_count() {
    check("  select\n a\t,b -- note\n from /* x /* nested */ y */ t  ;", "SELECT a, b FROM t");
    check("/* app=shop,traceparent='00-ab' */ SELECT a FROM t", "SELECT a FROM t");
    check_in(
        Dialect::MySql,
        "SELECT a FROM t # note\n WHERE b = \"x\\\"y\" AND `c d` = 'x\\'y'",
        "SELECT a FROM t WHERE b = ? AND `c d` = ?",
    );
    check("Select Count(*) , max( a ) From T", "SELECT COUNT(*), MAX(a) FROM T");
    check("", "");
    check("  -- nothing\n", "");
}

#[test]
fn names_stay_and_lose_needless_quotes() {
    check(
        "SELECT \"a\", `b`, \"Order\", \"x y\", \"order\".\"id\" FROM \"s\".\"t\"",
        "SELECT a, b, \"Order\", \"x y\", \"order\".id FROM s.t",
    );
    check_in(
        Dialect::Brackets,
        "SELECT [a], [x y] FROM [dbo].[Order] WHERE id = @p0",
        "SELECT a, \"x y\" FROM dbo.\"Order\" WHERE id = ?",
    );
    check("SELECT t.*, order.key FROM t order", "SELECT t.*, ORDER.key FROM t ORDER");
    check_in(Dialect::Oracle, "SELECT q'[it's]', :1 FROM dual", "SELECT ?, ? FROM dual");
    check("SELECT * FROM #tmp WHERE _a._b = 1", "SELECT * FROM #tmp WHERE _a._b = ?");
    check("SELECT größe FROM straße", "SELECT größe FROM straße");
    check("{? = call add_item(?, ?)}", "{ ? = CALL add_item(?, ?) }");
}

#[test]
fn different_statements_stay_different() {
    let forms: std::collections::HashSet<_> = [
        "SELECT a FROM t WHERE b = 1",
        "SELECT a FROM t WHERE c = 1",
        "SELECT b FROM t WHERE b = 1",
        "SELECT a FROM u WHERE b = 1",
        "SELECT a FROM t WHERE b > 1",
        "SELECT a FROM t WHERE b = 1 ORDER BY a",
        "SELECT a FROM s.t WHERE b = 1",
        "SELECT a FROM t WHERE b = 1 OR b = 2",
        "DELETE FROM t WHERE b = 1",
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t VALUES (1, 2)",
        "SELECT a FROM t WHERE b IN (1)",
    ]
    .map(|text| form(text, Dialect::Standard))
    .into();
    assert_eq!(forms.len(), 12);
}

#[test]
fn cut_statements_keep_what_is_whole() {
    check("SELECT a FROM t WHERE b = 'unfinis", "SELECT a FROM t WHERE b = …");
    check("SELECT a FROM t /* unfinis", "SELECT a FROM t …");
    check("SELECT a FROM t WHERE id IN (1, 2, 3, 'x", "SELECT a FROM t WHERE id IN (?, …");
    check(
        "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y'), (3, 'z",
        "INSERT INTO t(a, b) VALUES (?, ?), …",
    );
    check("INSERT INTO t (a, b) VALUES (1, 'x", "INSERT INTO t(a, b) VALUES (?, …");
    check("SELECT \"a", "SELECT …");
    check("'", "…");
}

#[test]
fn long_statements_have_a_form_of_bounded_length() {
    let rows = "(1, 'a'), ".repeat(200_000);
    check(&format!("INSERT INTO t VALUES {rows}(2, 'b')"), "INSERT INTO t VALUES (?, ?), …");
    let list: Vec<String> = (0..1000).map(|at| at.to_string()).collect();
    check(
        &format!("SELECT a FROM t WHERE id IN ({})", list.join(",")),
        "SELECT a FROM t WHERE id IN (?)",
    );
    let columns: Vec<String> = (0..2000).map(|at| format!("c{at}")).collect();
    let long = form(&format!("SELECT {} FROM t", columns.join(", ")), Dialect::Standard);
    assert!(long.len() <= TEMPLATE_BYTES_MAX && long.ends_with(" …"), "{}", long.len());
    let distinct =
        form(&format!("SELECT a FROM t WHERE x IN ({})", columns.join(", ")), Dialect::Standard);
    assert!(distinct.len() <= TEMPLATE_BYTES_MAX && distinct.ends_with(" …"));
    let at_limit = format!("SELECT {}", "a".repeat(STATEMENT_BYTES_MAX - 7));
    assert_eq!(form(&at_limit, Dialect::Standard), "SELECT …");
    for text in [
        "(".repeat(STATEMENT_BYTES_MAX),
        "/*".repeat(9000),
        "[1,".repeat(5000),
        "VALUES".repeat(3000),
        "IN(".repeat(5000),
        "$a$".repeat(5000),
    ] {
        assert!(form(&text, Dialect::Standard).len() <= TEMPLATE_BYTES_MAX);
    }
}

#[test]
fn verb_table_and_effect_are_told() {
    let read = |text: &str| {
        let statement = Statement::of(text, Dialect::Standard);
        (statement.operation, statement.table, statement.effect)
    };
    let expected = |verb: &str, table: &str, effect| (verb.to_owned(), table.to_owned(), effect);
    use Effect::{Read, Unknown, Write};
    assert_eq!(read("SELECT a FROM s.t JOIN u ON 1=1"), expected("SELECT", "s.t", Read));
    assert_eq!(read("SELECT EXTRACT(YEAR FROM d) FROM t"), expected("SELECT", "t", Read));
    assert_eq!(read("SELECT * FROM (SELECT a FROM t) x"), expected("SELECT", "t", Read));
    assert_eq!(read("(SELECT a FROM t) UNION (SELECT b FROM u)"), expected("SELECT", "t", Read));
    assert_eq!(read("insert into t select * from u"), expected("INSERT", "t", Write));
    assert_eq!(read("UPDATE ONLY t SET a = 1"), expected("UPDATE", "t", Write));
    assert_eq!(read("DELETE FROM t WHERE a IN (SELECT b FROM u)"), expected("DELETE", "t", Write));
    assert_eq!(
        read("WITH x AS (SELECT a FROM t) INSERT INTO u SELECT * FROM x"),
        expected("INSERT", "u", Write)
    );
    assert_eq!(
        read("WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone"),
        expected("SELECT", "gone", Write)
    );
    assert_eq!(read("MERGE INTO t USING u ON 1 = 1"), expected("MERGE", "t", Write));
    assert_eq!(read("CREATE TABLE IF NOT EXISTS t (a int)"), expected("CREATE", "t", Write));
    assert_eq!(read("TRUNCATE TABLE t"), expected("TRUNCATE", "t", Write));
    assert_eq!(
        read("call next value for hibernate_sequence"),
        expected("CALL", "hibernate_sequence", Unknown)
    );
    assert_eq!(
        read("BEGIN BATCH INSERT INTO a.t (x) VALUES (?); UPDATE a.u SET y = ?; APPLY BATCH;"),
        expected("BATCH", "a.t", Write)
    );
    assert_eq!(read("BEGIN; UPDATE t SET a = 1; COMMIT"), expected("UPDATE", "t", Write));
    assert_eq!(read("SELECT ts.orders"), expected("SELECT", "", Read));
}

#[test]
fn housekeeping_is_told_from_work() {
    let is_housekeeping = |text: &str| Statement::of(text, Dialect::Standard).is_housekeeping;
    for text in [
        "SELECT 1",
        "select 1 from dual",
        "SELECT 1;",
        "BEGIN",
        "begin transaction",
        "START TRANSACTION READ ONLY",
        "COMMIT",
        "ROLLBACK TO SAVEPOINT x",
        "SAVEPOINT a",
        "SET search_path TO x",
        "SELECT @@autocommit",
        "SELECT version()",
        "SELECT current_database()",
        "SHOW TRANSACTION ISOLATION LEVEL",
        "BEGIN; SET x = 1",
        "VALUES 1",
        "SELECT 1 AS ok",
        "SELECT 1 FROM SYSIBM.SYSDUMMY1",
    ] {
        assert!(is_housekeeping(text), "{text}");
    }
    for text in [
        "SELECT 1 FROM users WHERE id = 1",
        "SELECT nextval('seq')",
        "BEGIN do_it(); END;",
        "SELECT users",
        "BEGIN; UPDATE t SET a = 1; COMMIT",
        "CALL x()",
        "BEGIN BATCH INSERT INTO t (a) VALUES (1) APPLY BATCH",
        "SELECT pg_advisory_lock(1)",
        "SELECT ts.orders",
        "",
    ] {
        assert!(!is_housekeeping(text), "{text}");
    }
}

/// Words and signs of SQL, whole and broken.
const WORDS: &[&str] = &[
    "SELECT",
    "from",
    "IN",
    "in (",
    "VALUES",
    "values (",
    "a",
    "_b",
    "order",
    "key",
    "null",
    "IS",
    "NOT",
    "true",
    "\"q\"",
    "\"Q x\"",
    "`k`",
    "[z]",
    "'s'",
    "''",
    "'",
    "\"",
    "1",
    "1.5",
    ".5",
    "0x1f",
    "1e5",
    "7b",
    "$1",
    "$",
    "$$x$$",
    "$t$",
    "?",
    "?2",
    ":n",
    ":",
    "::",
    "@p",
    "@",
    "@@v",
    "#t",
    "#",
    "%s",
    "%",
    "%(n)s",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ".",
    "*",
    "+",
    "-",
    "--",
    "/",
    "/*",
    "*/",
    "\n",
    "<",
    ">",
    "=",
    "!",
    "|",
    "||",
    "&",
    "^",
    "~",
    "\\",
    "{",
    "}",
    "…",
    "é",
    "E'x'",
    "U&'x'",
    "x'1'",
    "n'",
    "b",
    "r",
    "q'[x]'",
    "550e8400-e29b-41d4-a716-446655440000",
    "WITH",
    "ARRAY",
    "count",
    "s",
    "d",
    "\u{a0}",
];

/// Texts of them in any order.
fn sql_like() -> impl Strategy<Value = String> {
    let words = prop::sample::select(WORDS);
    let joint = prop::sample::select(vec!["", " "]);
    prop::collection::vec((words, joint), 0..40)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, joint)| [word, joint]).collect())
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(vec![
        Dialect::Standard,
        Dialect::MySql,
        Dialect::Brackets,
        Dialect::Oracle,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_form_of_a_form_is_itself(text in sql_like(), dialect in dialects()) {
        let once = Statement::of(&text, dialect);
        let twice = Statement::of(&once.template, dialect);
        prop_assert_eq!(&twice.template, &once.template);
        prop_assert!(once.template.len() <= TEMPLATE_BYTES_MAX);
    }

    #[test]
    fn a_skeleton_has_the_form_of_its_statement(text in sql_like(), dialect in dialects()) {
        let mut skeleton = String::new();
        if push_skeleton(&text, dialect, &mut skeleton) {
            prop_assert_eq!(Statement::of(&skeleton, dialect), Statement::of(&text, dialect), "{}", skeleton);
        }
    }

    #[test]
    fn any_text_has_a_form(text in "\\PC{0,80}", dialect in dialects()) {
        let once = Statement::of(&text, dialect);
        prop_assert_eq!(Statement::of(&once.template, dialect).template, once.template);
    }

    #[test]
    fn values_do_not_change_the_form(a in any::<i64>(), b in "[a-z' ]{0,20}", n in 1..50_usize) {
        let quoted = b.replace('\'', "''");
        let list = vec![a.to_string(); n].join(", ");
        let text = format!("SELECT x FROM t WHERE y = '{quoted}' AND z IN ({list}) LIMIT {n}");
        prop_assert_eq!(Statement::of(&text, Dialect::Standard).template, "SELECT x FROM t WHERE y = ? AND z IN (?) LIMIT ?");
    }
}
