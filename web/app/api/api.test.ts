// The border: what is accepted, and what is refused with the name of the wrong place.
import { describe, expect, test } from "vitest";
import { DecodeError } from "./decode.ts";
import { decodeOtlpSpans } from "./otlp.ts";
import { decodeSqlResult, sqlText } from "./sql.ts";
import { decodeTraceColumns } from "./trace_columns.ts";
import { decodeNames, decodeTracePage } from "./trace_summary.ts";

function columns(change: object): unknown {
  const two = [0, 0];
  return {
    trace_id: "1", start_unix_nano: "5", duration_ns: 10, root_duration_ns: null, root_row: 0, services: ["a"], names: ["n"],
    spans: {
      span_id: ["00000000000000ff", "ffffffff00000001"], parent: [-1, 0], depth: [0, 1], subtree: [2, 1], start_ns: two, duration_ns: [10, null], service: two,
      name: two, kind: two, status: two, events: two, links: two, flags: [0, 8], ...change,
    },
    completeness: { missing_parents: 0, roots: 1, cycles: 0, duplicate_ids: 0, unusable_times: 1 },
  };
}

describe("trace columns", () => {
  test("become typed arrays", () => {
    const trace = decodeTraceColumns(columns({}));
    expect([trace.rowCount, trace.idHigh[1], trace.idLow[0], trace.parent[1]]).toEqual([2, 0xffffffff, 0xff, 0]);
    expect(trace.start[1]).toBeNaN();
    expect([trace.totalRows, [...trace.hidden]]).toEqual([2, [0, 0]]);
  });

  test("may be a part of the trace", () => {
    const answer = { ...(columns({ hidden: [998, 0] }) as object), total_rows: 1000 };
    const trace = decodeTraceColumns(answer);
    expect([trace.rowCount, trace.totalRows, [...trace.hidden]]).toEqual([2, 1000, [998, 0]]);
    expect(() => decodeTraceColumns({ ...answer, total_rows: 1 })).toThrow("total_rows");
  });

  test.each([
    [{ depth: [0] }, "spans.depth"], [{ hidden: [0] }, "spans.hidden"], [{ kind: [0, "2"] }, "spans.kind[1]"], [{ span_id: ["1", "2"] }, "spans.span_id[0]"],
    [{ parent: [-1, 1] }, "spans.parent[1]"], [{ subtree: [1, 1] }, "spans.parent[1]"], [{ subtree: [2, 5] }, "spans.parent[1]"], [{ subtree: [0, 1] }, "spans.parent[0]"],
  ])("refuse %j", (change, place) => {
    expect(() => decodeTraceColumns(columns(change))).toThrow(place);
  });
});

test("a page of summaries", () => {
  const trace = {
    trace_id: "ab", root_span_id: null, root_service: null, root_name: null, start_unix_nano: "17", duration_ns: null, envelope_ns: 3, spans: 2, errors: 0,
    services: [{ name: "a", spans: 2, errors: 0 }], missing_parents: 1, complete: false,
    findings: [{ detector: "n_plus_one", severity: "severe", count: 2, saving_ns: 5 }],
  };
  const page = { traces: [trace], total: { value: 1, exact: true }, next_cursor: null };
  expect(decodeTracePage(page).traces[0]).toMatchObject({ traceId: "ab", rootName: null, durationNs: null, missingParents: 1, findings: [{ detector: "n_plus_one", severity: "low", count: 2, savingNs: 5 }] });
  expect(() => decodeTracePage({ ...page, traces: [{ ...trace, spans: "2" }] })).toThrow("traces[0].spans");
  expect(() => decodeNames({}, "services")).toThrow("services");
});

test("OTLP/JSON keeps types, and strange fields are shown rather than refused", () => {
  const value = (one: object): unknown => ({ resourceSpans: [{ scopeSpans: [{ spans: [{ name: 7, attributes: [{ key: "k", value: one }], events: "none" }] }] }] });
  const read = (one: object): string => {
    const attribute = decodeOtlpSpans(value(one))[0]?.attributes[0];
    return `${attribute?.type} ${attribute?.text}`;
  };
  expect(read({ intValue: "9223372036854775807" })).toBe("int 9223372036854775807");
  expect(read({ doubleValue: "NaN" })).toBe("double NaN");
  expect(read({ boolValue: false })).toBe("bool false");
  expect(read({ bytesValue: "AQI=" })).toBe("bytes AQI=");
  expect(read({ arrayValue: { values: [{ intValue: 1 }, { stringValue: "a" }, {}] } })).toBe('array [1, "a", null]');
  expect(read({ kvlistValue: { values: [{ key: "x", value: { arrayValue: {} } }] } })).toBe('map {"x": []}');
  expect(read({})).toBe("empty ");
  expect(decodeOtlpSpans(value({}))[0]?.name).toBe("7");
});

describe("SQL", () => {
  const answer = { columns: [{ name: "n", type: "Int64" }], rows: [["9223372036854775807"], [null]], truncated: false, elapsed_ms: 1.5 };

  test("answers keep integers as they came", () => {
    expect(decodeSqlResult(answer)).toEqual({ columns: [{ name: "n", type: "Int64" }], rows: [["9223372036854775807"], [null]], truncated: false, elapsedMs: 1.5 });
  });

  test("answers of another shape are refused", () => {
    expect(() => decodeSqlResult({ ...answer, rows: [["1", "2"]] })).toThrow(/rows\[0\] should be 1 values long/);
    expect(() => decodeSqlResult({ ...answer, columns: null })).toThrow(DecodeError);
  });

  test("texts become literals that end where they should", () => {
    expect(sqlText("it's'; DROP TABLE spans --")).toBe("'it''s''; DROP TABLE spans --'");
  });
});
