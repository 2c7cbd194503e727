// SQL: tokens, suggestions, values, charts.
import { describe, expect, test } from "vitest";
import type { SqlResult } from "../api/sql.ts";
import { chartsOf } from "./sql_chart.ts";
import { sqlTokens, suggest, type SqlWords } from "./sql_text.ts";
import { columnWidth, csvText, jsonText, linkOf, sortRows } from "./sql_values.ts";

const column = (name: string, type = "Utf8") => ({ name, type });
const result = (columns: SqlResult["columns"], rows: SqlResult["rows"]): SqlResult => ({ columns, rows, truncated: false, elapsedMs: 1 });

describe("tokens", () => {
  const kinds = (sql: string): string => sqlTokens(sql).filter((one) => one.kind !== "space").map((one) => `${one.kind}:${one.text}`).join(" ");

  test.each([
    ["SELECT a1, 'it''s' FROM \"T\"", "keyword:SELECT name:a1 sign:, text:'it''s' keyword:FROM quoted:\"T\""],
    ["1.5e3 -- end\n/* x", "number:1.5e3 comment:-- end comment:/* x"],
    ["'open", "text:'open"],
  ])("%s", (sql, expected) => {
    expect(kinds(sql)).toBe(expected);
  });

  test("lose nothing of the text", () => {
    const sql = "SELECT\t*,\n  \"a\"\"b\" /* c */ FROM t -- d\nWHERE x='é' \u0000 ;;";
    expect(sqlTokens(sql).map((one) => one.text).join("")).toBe(sql);
  });
});

describe("suggestions", () => {
  const words: SqlWords = {
    tables: [
      { name: "spans", columns: [column("trace_id"), column("duration_ns", "Int64")] },
      { name: "traces", columns: [column("trace_id"), column("root_name")] },
    ],
    functions: ["date_bin", "count"], attributes: ["http.route", "db.system"],
  };
  const at = (text: string, asked = false) => {
    const cursor = text.indexOf("|");
    const offer = suggest(text.replace("|", ""), cursor, words, asked);
    return { start: offer.start, items: offer.items.map((one) => one.text) };
  };

  test("are tables after FROM", () => {
    expect(at("SELECT * FROM |").items).toEqual([]);
    expect(at("SELECT * FROM |", true).items).toEqual(["spans", "traces"]);
    expect(at("SELECT * FROM tr|")).toEqual({ start: 14, items: ["traces"] });
  });

  test("are columns of the tables that are named, with or without alias", () => {
    expect(at("SELECT root| FROM traces").items).toEqual(["root_name"]);
    expect(at("SELECT root| FROM spans").items).toEqual([]);
    expect(at("SELECT s.| FROM spans AS s JOIN traces t ON true").items).toEqual(["trace_id", "duration_ns"]);
    expect(at("SELECT t.ro| FROM spans AS s JOIN traces t ON true").items).toEqual(["root_name"]);
    expect(at("SELECT nobody.| FROM spans").items).toEqual([]);
  });

  test("are attribute keys inside the brackets, and nothing inside other texts", () => {
    expect(at("SELECT attributes['ht|'] FROM spans")).toEqual({ start: 19, items: ["http.route"] });
    expect(at("SELECT 'da| FROM spans").items).toEqual([]);
    expect(at("SELECT 1 -- da|").items).toEqual([]);
  });

  test("are not what is there already", () => {
    expect(at("SELECT date_bin| FROM spans").items).toEqual([]);
    expect(at("SELECT date_b| FROM spans").items).toEqual(["date_bin"]);
  });
});

describe("values", () => {
  const columns = [column("trace_id"), column("n", "Int64"), column("note")];
  const rows = [["a", "9223372036854775807", 'say "hi",\nthere'], ["b", "9223372036854775806", null], ["c", null, { k: [1] }]];

  test("become CSV", () => {
    expect(csvText({ columns, rows })).toBe('trace_id,n,note\na,9223372036854775807,"say ""hi"",\nthere"\nb,9223372036854775806,\nc,,"{""k"":[1]}"');
  });

  test("become JSON with exact integers", () => {
    const text = jsonText({ columns, rows });
    expect(text).toContain('"n": 9223372036854775807,');
    expect(JSON.parse(text)).toHaveLength(3);
  });

  test("sort as numbers beyond what doubles tell apart, nulls last", () => {
    const order = (sort: string) => sortRows({ columns, rows }, sort).map((row) => row[0]);
    expect([order("1"), order("-1"), order(""), order("9"), order("-0")]).toEqual([["b", "a", "c"], ["a", "b", "c"], ["a", "b", "c"], ["a", "b", "c"], ["c", "b", "a"]]);
  });

  test("lead to traces and spans", () => {
    const trace = "0123456789abcdef".repeat(2);
    const ids = [column("trace_id"), column("span_id"), column("linked_trace_id"), column("x")];
    const row = [trace, "00000000000000ab", "f".repeat(32), "y"];
    expect(ids.map((_, i) => linkOf(ids, row, i))).toEqual([`/trace/${trace}?span=00000000000000ab`, `/trace/${trace}?span=00000000000000ab`, `/trace/${"f".repeat(32)}`, null]);
    expect(linkOf(ids, ["javascript:alert(1)", null, null, null], 0)).toBeNull();
  });

  test("have columns of a sensible width", () => {
    expect([columnWidth(column("n"), [["1"]], 0), columnWidth(column("n"), [["x".repeat(5000)]], 0)]).toEqual([72, 420]);
  });
});

describe("charts", () => {
  test("draw every number over time, one line per name", () => {
    const charts = chartsOf(result(
      [column("t", 'Timestamp(ns, "UTC")'), column("service"), column("n", "Int64"), column("p_ns", "Float64")],
      [["2026-01-01T00:01:00Z", "a", "2", 5], ["2026-01-01T00:00:00Z", "a", "1", null], ["2026-01-01T00:00:00Z", "b", "9", 7]],
    ));
    expect(charts).toEqual([
      { kind: "lines", title: "n", linesLeftOff: 0, lines: [{ name: "b", points: [{ x: 1767225600000, y: 9 }] }, { name: "a", points: [{ x: 1767225600000, y: 1 }, { x: 1767225660000, y: 2 }] }] },
      { kind: "lines", title: "p_ns", linesLeftOff: 0, lines: [{ name: "b", points: [{ x: 1767225600000, y: 7 }] }, { name: "a", points: [{ x: 1767225660000, y: 5 }] }] },
    ]);
  });

  test("draw bars where there is no time, and leave out what does not fit", () => {
    const charts = chartsOf(result([column("name"), column("n", "UInt64")], Array.from({ length: 60 }, (_, i) => [`s${i}`, String(i)])));
    expect(charts).toMatchObject([{ kind: "bars", title: "n", barsLeftOff: 10 }]);
  });

  test("of single traces are bars although they have a time", () => {
    const charts = chartsOf(result([column("trace_id"), column("start_time", "Timestamp(ns)"), column("duration_ns", "Int64")], [["a".repeat(32), "2026-01-01T00:00:00Z", "5"]]));
    expect(charts[0]?.kind).toBe("bars");
  });

  test("of nothing are none", () => {
    expect([chartsOf(result([column("a")], [["x"]])), chartsOf(result([column("n", "Int64")], [["1"]])), chartsOf(result([column("n", "Int64")], []))]).toEqual([[], [], []]);
  });
});
