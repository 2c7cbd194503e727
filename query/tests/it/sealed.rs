//! What SQL must not be able to do.

use crate::world::{WorldBuilder, shop};

#[tokio::test]
async fn only_reads_are_allowed() {
    let world = shop();
    for statement in [
        "CREATE TABLE t (a INT)",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE SCHEMA s",
        "CREATE DATABASE d",
        "CREATE FUNCTION f(x INT) RETURNS INT RETURN x",
        "DROP TABLE spans",
        "DROP VIEW spans",
        "INSERT INTO spans SELECT * FROM spans",
        "UPDATE spans SET name = 'x'",
        "DELETE FROM spans",
        "TRUNCATE TABLE spans",
        "MERGE INTO spans USING links ON true WHEN MATCHED THEN DELETE",
        "ALTER TABLE spans ADD COLUMN x INT",
        "COPY spans TO '/tmp/x.parquet'",
        "COPY (SELECT 1) TO 's3://bucket/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "SELECT 1 INTO t",
        "WITH x AS (SELECT 1) INSERT INTO spans SELECT * FROM x",
        "BEGIN",
        "COMMIT",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "EXPLAIN COPY spans TO '/tmp/x.parquet'",
        "EXPLAIN INSERT INTO spans SELECT * FROM spans",
        "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
        "SELECT 1; DROP TABLE spans",
        "SELECT 1; SELECT 2",
        "GRANT ALL ON spans TO x",
        "USE causeway",
        "",
    ] {
        let answer = world.sql(statement).await;
        assert!(answer.starts_with("error: "), "{statement}: {answer}");
        assert!(!answer.contains("internal"), "{statement}: {answer}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM spans").await, "6");
}

#[tokio::test]
async fn no_file_or_address_can_be_reached() {
    let world = shop();
    for statement in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM '/etc/hosts.csv'",
        "SELECT * FROM 'file:///etc/hosts.csv'",
        "SELECT * FROM 'day=2023-11-14/part 0.parquet'",
        "SELECT * FROM \"causeway://table/day=2023-11-14/part 0.parquet\"",
        "SELECT * FROM 'https://example.org/x.parquet'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM stored",
        "SELECT getenv('HOME')",
        "SELECT @@version",
    ] {
        let answer = world.sql(statement).await;
        assert!(answer.starts_with("error: "), "{statement}: {answer}");
        assert!(!answer.contains("internal"), "{statement}: {answer}");
    }
}

#[tokio::test]
async fn reads_of_every_kind_work() {
    let world = shop();
    for statement in [
        "EXPLAIN SELECT * FROM spans",
        "EXPLAIN ANALYZE SELECT * FROM spans",
        "EXPLAIN FORMAT TREE SELECT * FROM spans",
        "SHOW TABLES",
        "SHOW COLUMNS FROM spans",
        "SHOW FUNCTIONS LIKE 'unix%'",
        "SHOW ALL",
        "DESCRIBE spans",
        "DESCRIBE traces",
        "SELECT * FROM information_schema.tables",
        "VALUES (1), (2)",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n",
        "SELECT name FROM spans UNION SELECT name FROM events",
        "SELECT * FROM generate_series(1, 3)",
    ] {
        let answer = world.sql(statement).await;
        assert!(!answer.starts_with("error: ") && !answer.is_empty(), "{statement}: {answer}");
    }
}

#[tokio::test]
async fn limits_are_named() {
    let world = WorldBuilder::new()
        .settings(|settings| {
            settings.statement_bytes_max = 100;
            settings.query_memory_bytes_max = 1 << 20;
            settings.query_time_max = std::time::Duration::from_millis(300);
        })
        .build();
    let long = format!("SELECT '{}'", "x".repeat(100));
    assert!(world.sql(&long).await.starts_with("error: statement_bytes_max is reached"));
    let sort = world.sql("SELECT * FROM generate_series(1, 10000000) ORDER BY value DESC").await;
    assert!(sort.starts_with("error: query_memory_bytes_max is reached"), "{sort}");
    let slow = "SELECT count(*) FROM generate_series(1, 1000000000000) WHERE value % 3 = 7";
    assert!(world.sql(slow).await.starts_with("error: query_time_max is reached"));
}

#[tokio::test]
async fn queries_wait_for_a_place_and_then_give_up() {
    let world = WorldBuilder::new()
        .settings(|settings| {
            settings.queries_running_max = 1;
            settings.query_wait_max = std::time::Duration::from_millis(10);
        })
        .build();
    let first = world.query.sql("SELECT 1").await.expect("has the place");
    assert_eq!(world.sql("SELECT 2").await, "error: queries_running_max is reached; retry later");
    drop(first);
    assert_eq!(world.sql("SELECT 2").await, "2");
}
