// Search inside one trace. Plain words match name, service or span id; `service:`, `name:`, `kind:`,
// `status:` and `is:incomplete` narrow it. All terms must match. Names are tested once each, not once per span.
import type { TraceColumns } from "../api/trace_columns.ts";
import { KIND_NAMES, spanIdOf, STATUS_NAMES } from "./span_row.ts";

export interface FindResult {
  /** Matching rows in order. */
  readonly rows: Int32Array;
  /** 1 for each matching row. */
  readonly mask: Uint8Array;
}

type RowTest = (row: number) => boolean;

/** Splits at spaces; double quotes keep spaces: `service:"my shop" error`. */
export function termsOf(query: string): string[] {
  return (query.match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? []).map((term) => term.replaceAll('"', "").toLowerCase());
}

function tableTest(table: readonly string[], matches: (text: string) => boolean, column: ArrayLike<number>): RowTest {
  const hits = table.map((text) => matches(text.toLowerCase()));
  return (row) => hits[column[row] ?? -1] === true;
}

function testOf(trace: TraceColumns, term: string): RowTest {
  const colon = term.indexOf(":");
  const value = term.slice(colon + 1);
  const includes = (text: string): boolean => text.includes(value);
  switch (colon < 0 ? "" : term.slice(0, colon)) {
    case "service":
      // A whole service name means just that service: "shop" should not drag in "shop-web".
      return trace.services.some((name) => name.toLowerCase() === value)
        ? tableTest(trace.services, (text) => text === value, trace.service)
        : tableTest(trace.services, includes, trace.service);
    case "name":
      return tableTest(trace.names, includes, trace.name);
    case "kind":
      return tableTest(KIND_NAMES, includes, trace.kind);
    case "status":
      return tableTest(STATUS_NAMES, includes, trace.status);
    case "is":
      return value === "incomplete" ? (row) => (trace.flags[row] ?? 0) !== 0 : () => false;
    default: {
      const plain = (text: string): boolean => text.includes(term);
      const byName = tableTest(trace.names, plain, trace.name);
      const byService = tableTest(trace.services, plain, trace.service);
      const maybeId = /^[0-9a-f]{4,16}$/.test(term);
      return (row) => byName(row) || byService(row) || (maybeId && spanIdOf(trace, row).includes(term));
    }
  }
}

/** null when there is nothing to look for. */
export function findSpans(trace: TraceColumns, query: string): FindResult | null {
  const tests = termsOf(query).map((term) => testOf(trace, term));
  if (tests.length === 0) return null;
  const mask = new Uint8Array(trace.rowCount);
  const rows = new Int32Array(trace.rowCount);
  let count = 0;
  for (let row = 0; row < trace.rowCount; row++) {
    if (!tests.every((test) => test(row))) continue;
    mask[row] = 1;
    rows[count++] = row;
  }
  return { rows: rows.subarray(0, count), mask };
}

/** The first of `rows` after (or, backwards, before) `from`, around the end; -1 when there is none. */
export function neighbour(rows: Int32Array, from: number, step: 1 | -1): number {
  if (rows.length === 0) return -1;
  if (step === 1) return rows.find((row) => row > from) ?? rows[0] ?? -1;
  return rows.findLast((row) => row < from) ?? rows[rows.length - 1] ?? -1;
}
