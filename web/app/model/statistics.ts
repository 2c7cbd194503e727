// Spans of a trace in groups, with counts and durations. Placeholders are no spans and count nowhere; spans
// without usable times count but have no durations.
import type { TraceColumns } from "../api/trace_columns.ts";
import type { AttributeColumn } from "../api/trace_attributes.ts";
import { isError, isPlaceholder, KIND_NAMES, STATUS_NAMES } from "./span_row.ts";

export interface Grouping {
  readonly labels: readonly string[];
  /** Index into `labels` per row, or -1 for rows that belong nowhere. */
  readonly group: Int32Array;
  /** The search that finds a group's spans. */
  readonly termOf: (group: number) => string;
  /** A row of each group, for its colour. */
  readonly exampleOf: (group: number) => number;
}

export interface GroupRow {
  readonly group: number;
  readonly label: string;
  readonly count: number;
  readonly errors: number;
  /** Sum of durations: more than the trace's where spans run side by side. */
  readonly total: number;
  readonly self: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  readonly example: number;
  readonly term: string;
}

export const GROUP_CHOICES = [
  { id: "operation", label: "Operation" },
  { id: "service", label: "Service" },
  { id: "kind", label: "Kind" },
  { id: "status", label: "Status" },
] as const;

/** As a term of the in-trace search: quoted where it has blanks. A quote cannot be said, so it is left out there too. */
export function exactTerm(field: string, value: string): string {
  const text = value.replaceAll('"', "");
  return /[\s]/.test(text) || text === "" ? `${field}="${text}"` : `${field}=${text}`;
}

function grouping(trace: TraceColumns, keyOf: (row: number) => number, labelOf: (key: number) => string, termOf: (row: number, label: string) => string): Grouping {
  const labels: string[] = [];
  const examples: number[] = [];
  const known = new Map<number, number>();
  const group = new Int32Array(trace.rowCount).fill(-1);
  for (let row = 0; row < trace.rowCount; row++) {
    if (isPlaceholder(trace, row)) continue;
    const key = keyOf(row);
    let at = known.get(key);
    if (at === undefined) {
      at = labels.push(labelOf(key)) - 1;
      examples.push(row);
      known.set(key, at);
    }
    group[row] = at;
  }
  return { labels, group, termOf: (one) => termOf(examples[one] ?? -1, labels[one] ?? ""), exampleOf: (one) => examples[one] ?? -1 };
}

export function groupBy(trace: TraceColumns, choice: string): Grouping {
  const { services, names } = trace;
  const serviceTerm = (row: number): string => exactTerm("service", services[trace.service[row] ?? -1] ?? "");
  switch (choice) {
    case "service":
      return grouping(trace, (row) => trace.service[row] ?? -1, (key) => services[key] ?? "", serviceTerm);
    case "kind":
      return grouping(trace, (row) => trace.kind[row] ?? 0, (key) => KIND_NAMES[key] ?? String(key), (_, label) => `kind:${label}`);
    case "status":
      return grouping(trace, (row) => trace.status[row] ?? 0, (key) => STATUS_NAMES[key] ?? String(key), (_, label) => `status:${label}`);
    default: {
      const width = names.length + 1;
      return grouping(
        trace, (row) => ((trace.service[row] ?? -1) + 1) * width + (trace.name[row] ?? -1) + 1, (key) => names[(key % width) - 1] ?? "",
        (row, label) => `${serviceTerm(row)} ${exactTerm("name", label)}`,
      );
    }
  }
}

export function groupByAttribute(trace: TraceColumns, column: AttributeColumn): Grouping {
  const labelOf = (key: number): string => column.values[key] ?? "(not set)";
  return grouping(trace, (row) => column.index[row] ?? -1, labelOf, (row, label) =>
    (column.index[row] ?? -1) < 0 ? `-@${column.key}` : exactTerm(`@${column.key}`, label));
}

/** The value below which a share of them lies (nearest rank), of sorted values. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted.length === 0 ? Number.NaN : (sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN);
}

export function statistics(trace: TraceColumns, self: Float64Array, by: Grouping, mask: Uint8Array | null): GroupRow[] {
  const groups = by.labels.length;
  const counts = new Int32Array(groups);
  const errors = new Int32Array(groups);
  const timed = new Int32Array(groups + 1);
  const selfs = new Float64Array(groups);
  const counted = (row: number): number => (mask === null || mask[row] === 1 ? (by.group[row] ?? -1) : -1);
  for (let row = 0; row < trace.rowCount; row++) {
    const group = counted(row);
    if (group < 0) continue;
    counts[group] = (counts[group] ?? 0) + 1;
    if (isError(trace, row)) errors[group] = (errors[group] ?? 0) + 1;
    const own = self[row] ?? Number.NaN;
    if (Number.isNaN(own)) continue;
    selfs[group] = (selfs[group] ?? 0) + own;
    timed[group + 1] = (timed[group + 1] ?? 0) + 1;
  }
  for (let group = 0; group < groups; group++) timed[group + 1] = (timed[group + 1] ?? 0) + (timed[group] ?? 0);
  const durations = new Float64Array(timed[groups] ?? 0);
  const next = timed.slice();
  for (let row = 0; row < trace.rowCount; row++) {
    const group = counted(row);
    if (group < 0 || Number.isNaN(self[row] ?? Number.NaN)) continue;
    const at = next[group] ?? 0;
    durations[at] = Math.max(0, trace.duration[row] ?? 0);
    next[group] = at + 1;
  }
  const result: GroupRow[] = [];
  for (let group = 0; group < groups; group++) {
    const count = counts[group] ?? 0;
    if (count === 0) continue;
    const slice = durations.subarray(timed[group] ?? 0, timed[group + 1] ?? 0).sort();
    result.push({
      group, label: by.labels[group] ?? "", count, errors: errors[group] ?? 0,
      total: slice.reduce((sum, one) => sum + one, 0), self: selfs[group] ?? 0,
      p50: percentile(slice, 0.5), p95: percentile(slice, 0.95), max: slice.at(-1) ?? Number.NaN,
      example: by.exampleOf(group), term: by.termOf(group),
    });
  }
  return result;
}

export type GroupSort = "label" | "count" | "total" | "self" | "p50" | "p95" | "max" | "errors";

/** `-total` = largest first. Values that are missing come last either way. */
export function sortGroups(rows: readonly GroupRow[], sort: string): GroupRow[] {
  const down = sort.startsWith("-");
  const key = (down ? sort.slice(1) : sort) as GroupSort;
  const sign = down ? -1 : 1;
  return rows.toSorted((a, b) => {
    if (key === "label") return sign * a.label.localeCompare(b.label);
    const [left, right] = [a[key] ?? 0, b[key] ?? 0];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    return sign * (left - right) || a.label.localeCompare(b.label);
  });
}
