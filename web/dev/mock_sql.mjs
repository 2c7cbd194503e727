// Answers of POST /sql in the mock: it knows the statements that the UI sends by itself and some that people
// try; anything else gets a small table of the traces.
import { otlpOf, traceIdOf } from "./mock_data.mjs";

const column = (name, type = "Utf8") => ({ name, type });
const answer = (columns, rows, truncated = false) => ({ columns, rows, truncated, elapsed_ms: 3.25 });

const valueText = (value) => {
  const [inner] = Object.values(value);
  return typeof inner === "object" ? JSON.stringify(inner) : String(inner);
};

const TABLES = {
  spans: ["trace_id Utf8", "span_id Utf8", "parent_span_id Utf8", "name Utf8", "kind Int32", "start_time Timestamp(ns)", "duration_ns Int64", "status_code Int32", "service_name Utf8", "attributes Map"],
  traces: ["trace_id Utf8", "root_service Utf8", "root_name Utf8", "start_time Timestamp(ns)", "duration_ns Int64", "span_count Int64", "error_count Int64", "complete Boolean"],
  links: ["trace_id Utf8", "span_id Utf8", "service_name Utf8", "span_name Utf8", "linked_trace_id Utf8", "linked_span_id Utf8"],
};
const FUNCTIONS = ["count", "avg", "sum", "min", "max", "date_bin", "approx_percentile_cont", "coalesce", "attribute", "unnest", "map_keys", "lower"];

/** `shapes` newest first, `summaries` of them, `columnsFor` gives the columns of one; gives [status, body]. */
export function sqlAnswer(body, { byId, summaries, columnsFor }) {
  const { sql, params = [] } = body.startsWith("{") ? JSON.parse(body) : { sql: body };
  const traceId = params[0] ?? /trace_id = '([0-9a-f]{32})'/.exec(sql)?.[1];
  const shape = byId.get(traceId);
  const attributesOf = (row, resource) => {
    const [group] = otlpOf(shape, columnsFor(shape), [row]).resourceSpans;
    return resource ? group.resource.attributes : group.scopeSpans[0].spans[0].attributes;
  };
  if (/^SELECT service_version/.test(sql)) return [200, answer([column("service_version"), column("traces", "Int64")], [["2.4.1", "312"], ["2.4.0", "955"], [null, "3"]])];
  // Cohorts: those of the newest version, and those after a moment, are slower.
  const alone = /trace_id = '/.test(sql);
  const slower = /service_version = '2\.4\.1'|start_time_unix_nano >=|trace_id = '/.test(sql) ? 1.8 : 1;
  if (/AS p50/.test(sql)) return [200, answer([column("traces", "Int64"), column("p50", "Float64"), column("p95", "Float64")], [[alone ? "1" : "500", 120e6 * slower, 410e6 * slower]])];
  if (/^WITH roots/.test(sql)) {
    const parts = [["edge-proxy", "POST /checkout", 1, 120e6], ["checkout", "PlaceOrder", 1, 80e6], ["postgres", "SELECT items", slower > 1 ? 12 : 3, 20e6], ["redis", "GET", 4, 2e6], ["payments", "Charge", 1, 30e6]];
    const rows = parts.map(([service, name, calls, total], i) => [service, name, String(alone ? 1 : i === 4 ? 430 : 500), calls, total * (i === 3 ? 1 : slower), String(i)]);
    return [200, answer([column("service_name"), column("name"), column("traces", "Int64"), column("calls", "Float64"), column("total", "Float64"), column("errors", "Int64")], slower > 1 ? [...rows, ["checkout", "FraudCheck", alone ? "1" : "500", 1, 14e6, "0"]] : rows)];
  }
  if (/min\(start_time_unix_nano\)/.test(sql)) {
    const starts = summaries().map((one) => BigInt(one.start_unix_nano)).sort((a, b) => (a < b ? -1 : 1));
    return [200, answer([column("first", "UInt64"), column("last", "UInt64"), column("spans", "Int64")], [[String(starts[0]), String(starts.at(-1)), String(starts.length)]])];
  }
  const cells = /AS BIGINT\) - (\d+)\) \/ (\d+)\.0/.exec(sql);
  if (cells !== null) {
    const found = new Map();
    for (const one of summaries()) {
      const cell = `${(BigInt(one.start_unix_nano) - BigInt(cells[1])) / BigInt(cells[2])} ${Math.floor(Math.log10(Math.max(1, one.duration_ns ?? one.envelope_ns)) * 4)}`;
      const [n, errors] = found.get(cell) ?? [0, 0];
      found.set(cell, [n + 1, errors + Math.min(1, one.errors)]);
    }
    return [200, answer(["x", "y", "n", "errors"].map((one) => column(one, "Int64")), [...found].map(([cell, counts]) => [...cell.split(" "), ...counts.map(String)]))];
  }
  if (/ AS v FROM spans/.test(sql)) return [200, answer([column("v"), column("n", "Int64")], [["/products/{id}", "90"], ["/cart", "30"], ["/check out", "3"]])];
  const key = /attribute\(attributes, '((?:[^']|'')*)'\)/.exec(sql)?.[1].replaceAll("''", "'");
  if (/linked_trace_id = \$1/.test(sql)) {
    const rows = traceId === traceIdOf(7) && params[1] !== undefined ? [[traceIdOf(1), "9e3779b10000000e", "mailer", "orders process"], [traceIdOf(3), "daa66d1300000010", "mailer", "smtp send"]] : [];
    return [200, answer([column("trace_id"), column("span_id"), column("service_name"), column("span_name")], rows)];
  }
  if (/unnest\(map_keys/.test(sql) && shape !== undefined) return [200, answer([column("k"), column("n", "Int64")], attributesOf(0, false).map((one) => [one.key, "10"]))];
  if (/unnest\(map_keys/.test(sql)) return [200, answer([column("k"), column("n", "Int64")], ["http.route", "http.request.method", "http.response.status_code", "cache.hit", "order.id"].map((one) => [one, "100"]))];
  if (/DISTINCT resource_attributes/.test(sql) && shape !== undefined) {
    return [200, answer([column("resource_attributes")], [[Object.fromEntries(attributesOf(0, true).map((one) => [one.key, valueText(one.value)]))]])];
  }
  if (key !== undefined && shape !== undefined) {
    const { span_id } = columnsFor(shape).spans;
    const rows = span_id.map((id, row) => {
      const found = [...attributesOf(row, false), ...attributesOf(row, true)].find((one) => one.key === key);
      return [id, found === undefined ? null : valueText(found.value)];
    });
    return [200, answer([column("span_id"), column("value")], rows)];
  }
  if (/information_schema\.columns/.test(sql)) {
    return [200, answer([column("table_name"), column("column_name"), column("data_type")], Object.entries(TABLES).flatMap(([table, columns]) => columns.map((one) => [table, ...one.split(" ")])))];
  }
  if (/information_schema\.routines/.test(sql)) return [200, answer([column("name"), column("example")], FUNCTIONS.map((one) => [one, `${one}(expression)`]))];
  if (/^\s*explain/i.test(sql)) return [200, answer([column("plan_type"), column("plan")], [["logical_plan", "Projection: count(*)\n  Aggregate: groupBy=[[]]\n    TableScan: spans"], ["physical_plan", "SpansExec: files=8 of 8"]])];
  if (!/^\s*(select|show|describe|with)\b/i.test(sql)) return [400, { code: "bad_request", message: `SQL error: ParserError("Expected: an SQL statement, found: ${sql.trim().split(/\s/)[0]} at Line: 1, Column: 1")`, request_id: "01J9ZQ4T7Q" }];
  if (/date_bin/i.test(sql)) {
    const rows = Array.from({ length: 48 }, (_, i) => [new Date(Date.UTC(2026, 10, 20, 10) + i * 300_000).toISOString(), String(Math.round(300 + 200 * Math.sin(i / 5))), 40e6 + 20e6 * Math.abs(Math.cos(i / 7))]);
    return [200, answer([column("minute", 'Timestamp(ns, "UTC")'), column("spans", "Int64"), column("p95_ns", "Float64")], rows)];
  }
  if (/group by/i.test(sql)) {
    const counts = new Map();
    for (const one of summaries()) for (const service of one.services) counts.set(service.name, (counts.get(service.name) ?? 0) + service.spans);
    return [200, answer([column("service_name"), column("spans", "Int64")], [...counts].sort((a, b) => b[1] - a[1]).map(([name, spans]) => [name, String(spans)]))];
  }
  const rows = summaries().map((one) => [one.trace_id, one.root_service, one.root_name, new Date(Number(one.start_unix_nano.slice(0, -6))).toISOString(), String(one.duration_ns), one.spans, one.complete]);
  return [200, answer([column("trace_id"), column("root_service"), column("root_name"), column("start_time", 'Timestamp(ns, "UTC")'), column("duration_ns", "Int64"), column("span_count", "Int64"), column("complete", "Boolean")], rows, true)];
}
