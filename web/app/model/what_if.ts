// Changes one may try on a trace, and what came of them. A change names its spans by a search inside the trace, so
// that it fits into an address and holds when late spans arrive.
import type { ChangeBody, WhatIf } from "../api/what_if.ts";
import type { TraceColumns } from "../api/trace_columns.ts";
import { formatDuration, parseDuration } from "../base/units.ts";
import { rowsBySpanId } from "./span_row.ts";
import type { Folds } from "./folds.ts";
import { withAncestors } from "./visible_rows.ts";

export const CHANGE_KINDS = [
  { id: "batch", label: "Make them one call", value: "plus, per item", first: 0 },
  { id: "parallel", label: "Run them side by side", value: "at most at once", first: 8 },
  { id: "remove", label: "Leave them out", value: null, first: 0 },
  { id: "faster", label: "Make them faster", value: "by percent", first: 50 },
  { id: "round_trip", label: "Change the network round trip", value: "to", first: 1e6 },
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number]["id"];

/** `value` is a time in ns, a number of calls or a percentage, as the kind has it. */
export interface Change {
  readonly kind: ChangeKind;
  readonly value: number;
  /** A search inside the trace (find.ts). */
  readonly find: string;
}

/** More at once say nothing that can be understood. */
export const CHANGES_MAX = 10;

export const changeKind = (id: ChangeKind): (typeof CHANGE_KINDS)[number] => CHANGE_KINDS.find((one) => one.id === id) ?? CHANGE_KINDS[0];
export const firstChange = (kind: ChangeKind, find: string): Change => ({ kind, value: changeKind(kind).first, find });

const inRange = (kind: ChangeKind, value: number): boolean =>
  Number.isFinite(value) && (kind === "faster" ? Number.isInteger(value) && value > 0 && value <= 100 : kind === "parallel" ? Number.isInteger(value) && value >= 1 && value <= 1e6 : value >= 0 && value <= 1e15);

/** `parallel:8:service=cart`, as part of an address. */
export const changeText = ({ kind, value, find }: Change): string => `${kind}:${value}:${find}`;

export function parseChange(text: string): Change | null {
  const [, word = "", number = "", find = ""] = /^([a-z_]+):(\d+(?:\.\d+)?):(.+)$/s.exec(text) ?? [];
  const kind = CHANGE_KINDS.find((one) => one.id === word)?.id;
  const value = Number(number);
  return kind === undefined || find.trim() === "" || !inRange(kind, value) ? null : { kind, value, find };
}

/** What stands in the field of a value, and back; null when it cannot be meant. */
export function valueText({ kind, value }: Pick<Change, "kind" | "value">): string {
  return kind === "batch" || kind === "round_trip" ? (value === 0 ? "0 ms" : formatDuration(value)) : String(value);
}

export function parseValue(kind: ChangeKind, text: string): number | null {
  const time = kind === "batch" || kind === "round_trip";
  const value = time && text.trim() !== "0" ? parseDuration(text) : text.trim() === "" ? null : Number(text.replace("%", ""));
  return value !== null && inRange(kind, value) ? (time ? Math.round(value) : value) : null;
}

export function changeBody({ kind, value }: Change, spans: readonly string[]): ChangeBody {
  switch (kind) {
    case "batch":
      return { kind, spans, per_item_ns: value };
    case "parallel":
      return { kind, spans, limit: value };
    case "faster":
      return { kind, spans, percent: value };
    case "round_trip":
      return { kind, spans, round_trip_ns: value };
    default:
      return { kind, spans };
  }
}

const REMEDIES: Readonly<Record<string, ChangeKind>> = {
  n_plus_one: "batch", fan_out: "batch", chatty_edge: "batch", sequential_calls: "parallel", latency_floor: "round_trip",
  retry_storm: "remove", retry_without_backoff: "remove", duplicate_execution: "remove", work_after_giving_up: "remove",
};

/** What one would try first against a finding. */
export const remedyOf = (detector: string): ChangeKind => REMEDIES[detector] ?? "faster";

/** Columns over the rows of the trace, on the axis of the times they are compared with. */
export interface NewTimes {
  readonly start: Float64Array;
  readonly duration: Float64Array;
  readonly gone: Uint8Array;
  /** 1 for rows that are gone or take longer or shorter; those that only moved are not told of. */
  readonly changed: Uint8Array;
  /** Of all that is shown, before and after. */
  readonly from: number;
  readonly to: number;
}

/** `before` has the times that the changes were tried on: aligned ones. */
export function newTimes(before: TraceColumns, answer: WhatIf): NewTimes {
  const start = before.start.slice();
  const duration = before.duration.slice();
  const gone = new Uint8Array(before.rowCount);
  const changed = new Uint8Array(before.rowCount);
  const rows = rowsBySpanId(before);
  const zero = BigInt(before.startUnixNano);
  const seen = new Map<string, number>();
  answer.spanIds.forEach((id, at) => {
    // Spans that share an id come as often as they are, in the order of rows.
    const nth = seen.get(id) ?? 0;
    seen.set(id, nth + 1);
    const row = rows.get(id)?.[nth];
    // What has no usable time has none after a change either.
    if (row === undefined || Number.isNaN(before.start[row] ?? Number.NaN)) return;
    start[row] = Number(BigInt(answer.startUnixNano[at] ?? "0") - zero);
    duration[row] = answer.duration[at] ?? 0;
    gone[row] = answer.gone[at] ?? 0;
    if (gone[row] === 1 || Math.abs((duration[row] ?? 0) - (before.duration[row] ?? 0)) >= 1) changed[row] = 1;
  });
  let [from, to] = [0, before.extent];
  for (let row = 0; row < before.rowCount; row++) {
    if (Number.isNaN(start[row] ?? Number.NaN) || gone[row] === 1) continue;
    from = Math.min(from, start[row] ?? 0);
    to = Math.max(to, (start[row] ?? 0) + Math.max(0, duration[row] ?? 0));
  }
  return { start, duration, gone, changed, from, to };
}

/** Rows worth a look: what changed and what is above it. `visible` has a run of equal calls as one row. */
export function changedRows(before: TraceColumns, times: NewTimes, visible: Int32Array, folds: Folds): Int32Array {
  const wanted = withAncestors(before, times.changed);
  return visible.filter((row, at) => {
    const stride = folds.stride[row] ?? 1;
    for (let k = 1; stride > 1 && k < (folds.length[row] ?? 0); k++) if (wanted[row + k * stride] === 1) return true;
    const next = visible[at + 1] ?? before.rowCount;
    return wanted.subarray(row, Math.min(next, before.rowCount)).includes(1);
  });
}

export interface Extent {
  readonly start: number;
  readonly end: number;
  /** Spans that are there. */
  readonly count: number;
}

/** From the first start to the last end of some rows side by side; null when none is there. */
export function extentOf(start: Float64Array, duration: Float64Array, gone: Uint8Array | null, row: number, run: number, stride = 1): Extent | null {
  let [first, last, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let one = row; one < row + Math.max(1, run) * stride; one += stride) {
    if (gone?.[one] === 1 || Number.isNaN(start[one] ?? Number.NaN)) continue;
    count++;
    first = Math.min(first, start[one] ?? 0);
    last = Math.max(last, (start[one] ?? 0) + Math.max(0, duration[one] ?? 0));
  }
  return count === 0 ? null : { start: first, end: last, count };
}
