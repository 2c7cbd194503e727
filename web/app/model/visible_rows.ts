// Which rows of the tree are on show: one linear pass, as the rows are in depth-first order.
// Collapsing is a rule ("everything from this level down", "inside these services", "runs of equal calls are
// one row") plus the rows the user toggled against it, so it fits into a URL even for 100,000 spans.
import type { TraceColumns } from "../api/trace_columns.ts";
import type { Folds } from "./folds.ts";

export interface Collapse {
  /** Rows at this depth or deeper start collapsed; null = all start expanded. */
  readonly level: number | null;
  /** Spans of these services (indices) start collapsed. */
  readonly services: ReadonlySet<number>;
  /** Runs of equal calls start as one row, which is the first of them. */
  readonly folding: boolean;
  readonly toggled: ReadonlySet<number>;
}

export const NOTHING_COLLAPSED: Collapse = { level: null, services: new Set(), folding: false, toggled: new Set() };
export const FIRST_COLLAPSE: Collapse = { ...NOTHING_COLLAPSED, folding: true };

export function isCollapsed(trace: TraceColumns, collapse: Collapse, row: number): boolean {
  if ((trace.subtree[row] ?? 1) <= 1) return false;
  const byRule = (collapse.level !== null && (trace.depth[row] ?? 0) >= collapse.level) || collapse.services.has(trace.service[row] ?? -1);
  return byRule !== collapse.toggled.has(row);
}

/** How many spans a row stands for besides its own subtree: the length of the run it is the first of, else 0. */
export function foldedRun(folds: Folds, collapse: Collapse, row: number): number {
  return collapse.folding && !collapse.toggled.has(row) ? (folds.length[row] ?? 0) : 0;
}

/** `only` = rows to keep (1); then nothing is folded, as a run may be kept in part. */
export function visibleRows(trace: TraceColumns, folds: Folds, collapse: Collapse, only: Uint8Array | null = null): Int32Array {
  const rows = new Int32Array(trace.rowCount);
  let count = 0;
  for (let row = 0; row < trace.rowCount; ) {
    if (only !== null && only[row] !== 1) {
      row += trace.subtree[row] ?? 1;
      continue;
    }
    const first = folds.first[row] ?? row;
    // A later call of a folded run; calls that take turns with it may be open.
    if (only === null && first !== row && foldedRun(folds, collapse, first) > 0) {
      row++;
      continue;
    }
    rows[count++] = row;
    row += isCollapsed(trace, collapse, row) ? (trace.subtree[row] ?? 1) : 1;
  }
  return rows.subarray(0, count);
}

/** 1 for the rows of a mask and everything above them. */
export function withAncestors(trace: TraceColumns, mask: Uint8Array): Uint8Array {
  const kept = mask.slice();
  for (let row = trace.rowCount - 1; row >= 0; row--) {
    const above = trace.parent[row] ?? -1;
    if (kept[row] === 1 && above >= 0) kept[above] = 1;
  }
  return kept;
}

export function toggleRow(collapse: Collapse, row: number): Collapse {
  const toggled = new Set(collapse.toggled);
  if (!toggled.delete(row)) toggled.add(row);
  return { ...collapse, toggled };
}

export function toggleService(collapse: Collapse, service: number): Collapse {
  const services = new Set(collapse.services);
  if (!services.delete(service)) services.add(service);
  return { ...collapse, services };
}

/** Expands whatever hides a row. */
export function reveal(trace: TraceColumns, folds: Folds, collapse: Collapse, row: number): Collapse {
  let result = collapse;
  const first = folds.first[row] ?? row;
  if (first !== row && foldedRun(folds, result, first) > 0) result = toggleRow(result, first);
  for (let above = trace.parent[row] ?? -1; above >= 0; above = trace.parent[above] ?? -1) {
    if (isCollapsed(trace, result, above)) result = toggleRow(result, above);
  }
  return result;
}

/** Position of a row among the visible ones, or of the nearest one above it; -1 when there is none. */
export function positionOf(rows: Int32Array, row: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] ?? 0) <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
