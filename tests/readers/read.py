"""Reads the `spans` table with DuckDB, Polars and delta-rs; all must agree at each version.

    read.py once TABLE            prints {"version", "answers"} of the newest version
    read.py watch TABLE VERSIONS  goes on until it has read so many versions; the number of spans never falls

Answers are those of five questions, in plain JSON. A reader that fails or differs ends the program with an error.
"""

import json
import sys

import duckdb
import polars as pl
from deltalake import DeltaTable, QueryBuilder

ERROR = 2  # the OTLP number of a status

QUESTIONS = {
    "spans": "SELECT count(*) FROM spans",
    "by_service": "SELECT service_name, count(*) FROM spans GROUP BY service_name ORDER BY service_name",
    "duration_ns": "SELECT CAST(sum(duration_ns) AS BIGINT) FROM spans",
    "last_start_us": None,  # no common SQL for the microseconds of a timestamp
    "errors": f"SELECT count(*) FROM spans WHERE status_code = {ERROR}",
}


def with_duckdb(table: DeltaTable) -> dict:
    # DuckDB's own Delta extension is a download; the list of live files is what it would read.
    connection = duckdb.connect()
    spans = connection.read_parquet(table.file_uris(), hive_partitioning=False)
    connection.register("spans", spans)
    questions = QUESTIONS | {"last_start_us": "SELECT epoch_us(max(start_time)) FROM spans"}
    return {name: plain(connection.sql(sql).fetchall()) for name, sql in questions.items()}


def with_delta_rs(table: DeltaTable) -> dict:
    questions = QUESTIONS | {"last_start_us": "SELECT CAST(max(start_time) AS BIGINT) FROM spans"}
    answers = {}
    for name, sql in questions.items():
        result = QueryBuilder().register("spans", table).execute(sql).read_all()
        columns = [result.column(at).to_pylist() for at in range(result.num_columns)]
        answers[name] = plain(list(zip(*columns)))
    return answers


def with_polars(table: DeltaTable) -> dict:
    spans = pl.scan_delta(table)
    services = spans.group_by("service_name").len().sort("service_name")
    answers = {
        "spans": spans.select(pl.len()),
        "by_service": services,
        "duration_ns": spans.select(pl.col("duration_ns").sum()),
        "last_start_us": spans.select(pl.col("start_time").max().dt.epoch("us")),
        "errors": spans.filter(pl.col("status_code") == ERROR).select(pl.len()),
    }
    return {name: plain(query.collect().rows()) for name, query in answers.items()}


def plain(rows: list) -> object:
    """One value alone, or rows as lists."""
    if len(rows) == 1 and len(rows[0]) == 1:
        return rows[0][0]
    return [list(row) for row in rows]


READERS = {"delta-rs": with_delta_rs, "duckdb": with_duckdb, "polars": with_polars}


def read(table: DeltaTable) -> dict:
    """The answers that all readers give."""
    answers = {reader: read_with(table) for reader, read_with in READERS.items()}
    expected = answers["delta-rs"]
    for reader, answer in answers.items():
        if answer != expected:
            sys.exit(f"version {table.version()}: {reader} says {answer}, delta-rs says {expected}")
    return expected


def watch(table: DeltaTable, versions: int) -> None:
    """Follows the table; a version without files has nothing to read."""
    seen, spans = set(), 0
    while len(seen) < versions:
        table.update_incremental()
        if table.version() in seen or not table.file_uris():
            continue
        answers = read(table)
        if answers["spans"] < spans:
            sys.exit(f"version {table.version()} has {answers['spans']} spans, {spans} were there before")
        spans = answers["spans"]
        seen.add(table.version())
    print(json.dumps({"versions": len(seen), "spans": spans}))


def main(command: str, path: str, versions: str = "1") -> None:
    table = DeltaTable(path)
    if command == "watch":
        watch(table, int(versions))
    else:
        print(json.dumps({"version": table.version(), "answers": read(table)}))


main(*sys.argv[1:])
