// Reading single rows of a trace: ids, names, ancestors, self time. All by row index.
import { FLAG_PLACEHOLDER, STATUS_ERROR, type TraceColumns } from "../api/trace_columns.ts";

export const KIND_NAMES: readonly string[] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
export const STATUS_NAMES: readonly string[] = ["unset", "ok", "error"];

const hex8 = (half: number): string => half.toString(16).padStart(8, "0");

export function spanIdOf(trace: TraceColumns, row: number): string {
  return hex8(trace.idHigh[row] ?? 0) + hex8(trace.idLow[row] ?? 0);
}

export const isSpanId = (text: string): boolean => /^[0-9a-f]{16}$/i.test(text);

/** First row with this span id, or -1. Real spans win over placeholders. */
export function rowOfSpanId(trace: TraceColumns, spanId: string): number {
  if (!isSpanId(spanId)) return -1;
  const high = Number.parseInt(spanId.slice(0, 8), 16);
  const low = Number.parseInt(spanId.slice(8), 16);
  let placeholder = -1;
  for (let row = 0; row < trace.rowCount; row++) {
    if (trace.idLow[row] !== low || trace.idHigh[row] !== high) continue;
    if (!isPlaceholder(trace, row)) return row;
    placeholder = row;
  }
  return placeholder;
}

/** All rows of each span id; duplicates are rare, so nearly all lists have one row. */
export function rowsBySpanId(trace: TraceColumns): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<string, number[]>();
  for (let row = 0; row < trace.rowCount; row++) {
    const id = spanIdOf(trace, row);
    const known = rows.get(id);
    if (known === undefined) rows.set(id, [row]);
    else known.push(row);
  }
  return rows;
}

export function isPlaceholder(trace: TraceColumns, row: number): boolean {
  return ((trace.flags[row] ?? 0) & FLAG_PLACEHOLDER) !== 0;
}

export const isError = (trace: TraceColumns, row: number): boolean => trace.status[row] === STATUS_ERROR;
export const hasTime = (trace: TraceColumns, row: number): boolean => !Number.isNaN(trace.start[row] ?? Number.NaN);

export function nameOf(trace: TraceColumns, row: number): string {
  return isPlaceholder(trace, row) ? "span not received" : (trace.names[trace.name[row] ?? -1] ?? "");
}

export function serviceOf(trace: TraceColumns, row: number): string {
  return isPlaceholder(trace, row) ? "" : (trace.services[trace.service[row] ?? -1] ?? "");
}

/** The part of a span during which none of its children ran; NaN without usable times. */
export function selfTime(trace: TraceColumns, row: number): number {
  const start = trace.start[row] ?? Number.NaN;
  const end = start + Math.max(0, trace.duration[row] ?? 0);
  if (Number.isNaN(end)) return Number.NaN;
  const covered: [number, number][] = [];
  const last = row + (trace.subtree[row] ?? 1);
  for (let child = row + 1; child < last; child += trace.subtree[child] ?? 1) {
    const from = Math.max(start, trace.start[child] ?? Number.NaN);
    const to = Math.min(end, from + Math.max(0, trace.duration[child] ?? 0));
    if (to > from) covered.push([from, to]);
  }
  covered.sort((a, b) => a[0] - b[0]);
  let self = end - start;
  let reached = start;
  for (const [from, to] of covered) {
    if (to <= reached) continue;
    self -= to - Math.max(from, reached);
    reached = to;
  }
  return self;
}

/** selfTime of every row, for the views that add them up. */
export function selfTimes(trace: TraceColumns): Float64Array {
  return Float64Array.from({ length: trace.rowCount }, (_, row) => selfTime(trace, row));
}

export function childCount(trace: TraceColumns, row: number): number {
  let count = 0;
  const last = row + (trace.subtree[row] ?? 1);
  for (let child = row + 1; child < last; child += trace.subtree[child] ?? 1) count++;
  return count;
}

export interface TraceCounts {
  readonly spans: number;
  readonly errors: number;
  readonly depthMax: number;
  /** Spans per service index. */
  readonly byService: readonly number[];
}

export function countSpans(trace: TraceColumns): TraceCounts {
  const byService = new Array<number>(trace.services.length).fill(0);
  let spans = 0;
  let errors = 0;
  let depthMax = 0;
  for (let row = 0; row < trace.rowCount; row++) {
    depthMax = Math.max(depthMax, trace.depth[row] ?? 0);
    if (isPlaceholder(trace, row)) continue;
    spans++;
    if (isError(trace, row)) errors++;
    const service = trace.service[row] ?? -1;
    if (service >= 0 && service < byService.length) byService[service] = (byService[service] ?? 0) + 1;
  }
  return { spans, errors, depthMax, byService };
}
