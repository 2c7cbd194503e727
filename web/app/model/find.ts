// Search inside one trace. Plain words match name, service or span id; `service:`, `name:`, `kind:`, `status:`,
// `is:` and `@attribute:` narrow it (`:` contains, `=` is exactly), `finding:` takes what a finding is about,
// `duration>` and `duration<` compare, a minus in front excludes. All terms must match. Names are tested once each, not once per span.
import type { AttributeColumn } from "../api/trace_attributes.ts";
import type { TraceColumns } from "../api/trace_columns.ts";
import { parseDuration } from "../base/units.ts";
import type { FindingRows } from "./finding_rows.ts";
import { KIND_NAMES, spanIdOf, STATUS_NAMES } from "./span_row.ts";

export interface FindResult {
  /** Matching rows in order. */
  readonly rows: Int32Array;
  /** 1 for each matching row. */
  readonly mask: Uint8Array;
}

/** Attributes that were loaded for the search, by their key in lower case. */
export type FindAttributes = ReadonlyMap<string, AttributeColumn>;

type RowTest = (row: number) => boolean;
const NEVER: RowTest = () => false;

/** Splits at spaces; double quotes keep spaces: `service:"my shop" error`. */
function rawTerms(query: string): string[] {
  return (query.match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? []).map((term) => term.replaceAll('"', ""));
}

export const termsOf = (query: string): string[] => rawTerms(query).map((term) => term.toLowerCase());

/** The attributes that a search needs. */
export function attributeKeysOf(query: string): string[] {
  return rawTerms(query).flatMap((term) => /^-?@([^:=]+)/.exec(term)?.[1] ?? []);
}

/** `missing` = the answer for rows that have no value. */
function tableTest(table: readonly string[], matches: (text: string) => boolean, column: ArrayLike<number>, missing = matches("")): RowTest {
  const hits = table.map((text) => matches(text.toLowerCase().replaceAll('"', "")));
  return (row) => hits[column[row] ?? -1] ?? missing;
}

const isOf = (trace: TraceColumns): Readonly<Record<string, RowTest>> => ({
  incomplete: (row) => (trace.flags[row] ?? 0) !== 0,
  root: (row) => (trace.parent[row] ?? -1) < 0,
  leaf: (row) => (trace.subtree[row] ?? 1) === 1 && trace.hidden[row] === 0,
});

function attributeTest(column: AttributeColumn | undefined, operator: string, matches: (text: string) => boolean): RowTest {
  if (column === undefined) return NEVER;
  return operator === "" ? (row) => (column.index[row] ?? -1) >= 0 : tableTest(column.values, matches, column.index, false);
}

function durationTest(trace: TraceColumns, operator: string, text: string): RowTest {
  const limit = parseDuration(text);
  if (limit === null) return NEVER;
  return operator === ">" ? (row) => (trace.duration[row] ?? 0) > limit : (row) => (trace.duration[row] ?? 0) < limit;
}

function plainTest(trace: TraceColumns, term: string): RowTest {
  const plain = (text: string): boolean => text.includes(term);
  const byName = tableTest(trace.names, plain, trace.name);
  const byService = tableTest(trace.services, plain, trace.service);
  const maybeId = /^[0-9a-f]{4,16}$/.test(term);
  return (row) => byName(row) || byService(row) || (maybeId && spanIdOf(trace, row).includes(term));
}

function testOf(trace: TraceColumns, attributes: FindAttributes, findings: FindingRows, term: string): RowTest {
  if (/^-./.test(term)) {
    const test = testOf(trace, attributes, findings, term.slice(1).replace(/^-+/, ""));
    return (row) => !test(row);
  }
  const [, field = "", operator = "", value = ""] = /^(@[^:=]+|service|name|kind|status|is|finding|duration)([:=<>]?)(.*)$/.exec(term) ?? [];
  const matches = operator === "=" ? (text: string) => text === value : (text: string) => text.includes(value);
  if (field.startsWith("@")) return attributeTest(attributes.get(field.slice(1)), operator, matches);
  if (operator === "") return plainTest(trace, term);
  switch (field) {
    case "service":
      // A whole service name means just that service: "shop" should not drag in "shop-web".
      return trace.services.some((name) => name.toLowerCase() === value)
        ? tableTest(trace.services, (text) => text === value, trace.service)
        : tableTest(trace.services, matches, trace.service);
    case "name":
      return tableTest(trace.names, matches, trace.name);
    case "kind":
      return tableTest(KIND_NAMES, matches, trace.kind);
    case "status":
      return tableTest(STATUS_NAMES, matches, trace.status);
    case "is":
      return isOf(trace)[value] ?? NEVER;
    case "finding":
      return (row) => findings.get(value)?.has(row) ?? false;
    default:
      return durationTest(trace, operator, value);
  }
}

/** null when there is nothing to look for. */
export function findSpans(trace: TraceColumns, query: string, attributes: FindAttributes = new Map(), findings: FindingRows = new Map()): FindResult | null {
  const tests = termsOf(query).map((term) => testOf(trace, attributes, findings, term));
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
