// Which rows of the tree are on show: one linear pass, as the rows are in depth-first order.
// Collapsing is "everything from this level down" plus the rows the user toggled against that rule,
// so it fits into a URL even for 100,000 spans.
import type { TraceColumns } from "../api/trace_columns.ts";

export interface Collapse {
  /** Rows at this depth or deeper start collapsed; null = all start expanded. */
  readonly level: number | null;
  readonly toggled: ReadonlySet<number>;
}

export const NOTHING_COLLAPSED: Collapse = { level: null, toggled: new Set() };

export function isCollapsed(trace: TraceColumns, collapse: Collapse, row: number): boolean {
  if ((trace.subtree[row] ?? 1) <= 1) return false;
  const byLevel = collapse.level !== null && (trace.depth[row] ?? 0) >= collapse.level;
  return byLevel !== collapse.toggled.has(row);
}

export function visibleRows(trace: TraceColumns, collapse: Collapse): Int32Array {
  const rows = new Int32Array(trace.rowCount);
  let count = 0;
  for (let row = 0; row < trace.rowCount; ) {
    rows[count++] = row;
    row += isCollapsed(trace, collapse, row) ? (trace.subtree[row] ?? 1) : 1;
  }
  return rows.subarray(0, count);
}

export function toggleRow(collapse: Collapse, row: number): Collapse {
  const toggled = new Set(collapse.toggled);
  if (!toggled.delete(row)) toggled.add(row);
  return { level: collapse.level, toggled };
}

/** Expands whatever hides a row. */
export function reveal(trace: TraceColumns, collapse: Collapse, row: number): Collapse {
  let result = collapse;
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
