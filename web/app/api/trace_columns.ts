// One trace as columns: a typed array per field, rows in depth-first order, never an object per span.
// Invariants checked here: all columns have the same length, a parent comes before its children, and
// subtrees nest; the layers behind rely on them without looking again.
import { asArray, asNumber, asObject, asString, DecodeError, listOf, orNull, type Json } from "./decode.ts";
import { decodeTraceOrder, type TraceOrder } from "./trace_order.ts";

export const FLAG_PLACEHOLDER = 1;
export const FLAG_CYCLE = 2;
export const FLAG_DUPLICATE_ID = 4;
export const FLAG_NO_TIME = 8;
export const FLAG_ENDS_BEFORE_START = 16;
export const FLAG_STARTS_BEFORE_PARENT = 32;

export const STATUS_ERROR = 2;

export interface Completeness {
  readonly missingParents: number;
  readonly roots: number;
  readonly cycles: number;
  readonly duplicateIds: number;
  readonly unusableTimes: number;
}

export interface TraceColumns {
  readonly traceId: string;
  readonly startUnixNano: string;
  /** Length of the envelope, in ns. */
  readonly extent: number;
  readonly rootDuration: number | null;
  readonly rootRow: number;
  /** Rows that are here. */
  readonly rowCount: number;
  /** Rows of the whole trace, here or not. */
  readonly totalRows: number;
  readonly services: readonly string[];
  readonly names: readonly string[];
  /** Span ids as two 32-bit halves. */
  readonly idHigh: Uint32Array;
  readonly idLow: Uint32Array;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  /** Rows of the subtree, itself included. */
  readonly subtree: Int32Array;
  /** Rows below this one, at any depth, that were left out. */
  readonly hidden: Int32Array;
  /** Offset from the trace's start in ns; NaN where there is no usable time. */
  readonly start: Float64Array;
  readonly duration: Float64Array;
  /** Index into `services`, or -1. */
  readonly service: Int32Array;
  /** Index into `names`, or -1. */
  readonly name: Int32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly events: Int32Array;
  readonly links: Int32Array;
  readonly flags: Uint8Array;
  readonly completeness: Completeness;
  /** null where the server says nothing of it. */
  readonly order: TraceOrder | null;
}

/** Whether the trace was too large for one answer, so that rows are left out. */
export const isPartial = (trace: TraceColumns): boolean => trace.totalRows > trace.rowCount;

/** The columns are megabytes of numbers, so one loop per column checks and copies. */
function fill<T extends Int32Array | Uint8Array | Float64Array>(spans: Json, key: string, into: T, missing: number): T {
  const values = asArray(spans[key], `spans.${key}`);
  if (values.length !== into.length) throw new DecodeError(`spans.${key}`, `${into.length} values long`, values);
  for (let i = 0; i < into.length; i++) {
    const value = values[i];
    if (typeof value === "number") into[i] = value;
    else if (value === null) into[i] = missing;
    else throw new DecodeError(`spans.${key}[${i}]`, "a number", value);
  }
  return into;
}

function fillIds(spans: Json, high: Uint32Array, low: Uint32Array): void {
  const values = asArray(spans["span_id"], "spans.span_id");
  for (let i = 0; i < values.length; i++) {
    const id = values[i];
    if (typeof id !== "string" || id.length !== 16) throw new DecodeError(`spans.span_id[${i}]`, "16 hex digits", id);
    high[i] = Number.parseInt(id.slice(0, 8), 16);
    low[i] = Number.parseInt(id.slice(8), 16);
  }
}

function checkTree(parent: Int32Array, subtree: Int32Array): void {
  for (let row = 0; row < parent.length; row++) {
    const above = parent[row] ?? -1;
    const rows = subtree[row] ?? 0;
    const end = above < 0 ? parent.length : above + (subtree[above] ?? 0);
    if (above >= row || rows < 1 || row + rows > end) {
      throw new DecodeError(`spans.parent[${row}]`, "part of a tree in depth-first order", above);
    }
  }
}

/** Times of rows without usable times are not to be trusted, whatever was sent. */
function hideUnusableTimes(flags: Uint8Array, start: Float64Array, duration: Float64Array): void {
  for (let row = 0; row < flags.length; row++) {
    if (((flags[row] ?? 0) & (FLAG_PLACEHOLDER | FLAG_NO_TIME)) === 0) continue;
    start[row] = Number.NaN;
    duration[row] = Number.NaN;
  }
}

export function decodeTraceColumns(value: unknown): TraceColumns {
  const json = asObject(value, "answer");
  const spans = asObject(json["spans"], "spans");
  const count = asArray(spans["span_id"], "spans.span_id").length;
  const columns: TraceColumns = {
    traceId: asString(json["trace_id"], "trace_id"),
    startUnixNano: asString(json["start_unix_nano"], "start_unix_nano"),
    extent: asNumber(json["duration_ns"], "duration_ns"),
    rootDuration: orNull(json["root_duration_ns"], "root_duration_ns", asNumber),
    rootRow: orNull(json["root_row"], "root_row", asNumber) ?? 0,
    rowCount: count,
    totalRows: orNull(json["total_rows"], "total_rows", asNumber) ?? count,
    services: listOf(json["services"], "services", asString),
    names: listOf(json["names"], "names", asString),
    idHigh: new Uint32Array(count),
    idLow: new Uint32Array(count),
    parent: fill(spans, "parent", new Int32Array(count), -1),
    depth: fill(spans, "depth", new Int32Array(count), 0),
    subtree: fill(spans, "subtree", new Int32Array(count), 1),
    hidden: spans["hidden"] === undefined ? new Int32Array(count) : fill(spans, "hidden", new Int32Array(count), 0),
    start: fill(spans, "start_ns", new Float64Array(count), Number.NaN),
    duration: fill(spans, "duration_ns", new Float64Array(count), Number.NaN),
    service: fill(spans, "service", new Int32Array(count), -1),
    name: fill(spans, "name", new Int32Array(count), -1),
    kind: fill(spans, "kind", new Uint8Array(count), 0),
    status: fill(spans, "status", new Uint8Array(count), 0),
    events: fill(spans, "events", new Int32Array(count), 0),
    links: fill(spans, "links", new Int32Array(count), 0),
    flags: fill(spans, "flags", new Uint8Array(count), 0),
    completeness: decodeCompleteness(json["completeness"]),
    order: decodeTraceOrder(json["order"], count),
  };
  if (columns.totalRows < count) throw new DecodeError("total_rows", `at least ${count}`, json["total_rows"]);
  fillIds(spans, columns.idHigh, columns.idLow);
  checkTree(columns.parent, columns.subtree);
  hideUnusableTimes(columns.flags, columns.start, columns.duration);
  if (columns.order !== null) hideUnusableTimes(columns.flags, columns.order.start, columns.order.duration);
  return columns;
}

function decodeCompleteness(value: unknown): Completeness {
  const json = asObject(value, "completeness");
  const count = (key: string): number => asNumber(json[key], `completeness.${key}`);
  return {
    missingParents: count("missing_parents"),
    roots: count("roots"),
    cycles: count("cycles"),
    duplicateIds: count("duplicate_ids"),
    unusableTimes: count("unusable_times"),
  };
}
