// Runs of equal calls: leaves of one parent that follow each other with the same service and name, or take turns with a
// few others as the queries of a loop do. The timeline shows the calls of one name as one row until it is opened. Found
// in one pass, as rows are in depth-first order.
import type { TraceColumns } from "../api/trace_columns.ts";
import { isError, isPlaceholder } from "./span_row.ts";
import { percentile } from "./statistics.ts";

/** Shorter runs are as easy to read row by row. */
const FOLD_RUN_MIN = 5;
/** Different calls that take turns at most. */
const TURNS_MAX = 4;

export interface Folds {
  /** Calls of the run that begins at a row, else 0. */
  readonly length: Int32Array;
  /** Rows from one call of a run to its next: more than 1 where others take turns with it. Of the first row only. */
  readonly stride: Int32Array;
  /** The first row of the run that a row belongs to, else the row itself. */
  readonly first: Int32Array;
  readonly count: number;
}

function isLeaf(trace: TraceColumns, row: number): boolean {
  return trace.subtree[row] === 1 && trace.hidden[row] === 0 && !isPlaceholder(trace, row);
}

export function findFolds(trace: TraceColumns): Folds {
  const length = new Int32Array(trace.rowCount);
  const stride = new Int32Array(trace.rowCount).fill(1);
  const first = Int32Array.from({ length: trace.rowCount }, (_, row) => row);
  let count = 0;
  for (let row = 0; row < trace.rowCount; ) {
    let next = row + 1;
    for (let turns = 1; turns <= TURNS_MAX; turns++) {
      const end = endOfTurns(trace, row, turns);
      if (end - row < turns * FOLD_RUN_MIN) continue;
      for (let member = row; member < end; member++) {
        const own = row + ((member - row) % turns);
        first[member] = own;
        length[own] = (length[own] ?? 0) + 1;
        stride[own] = turns;
      }
      count += turns;
      next = end;
      break;
    }
    row = next;
  }
  return { length, stride, first, count };
}

/** One past the last leaf, from a row on, that is called as the one `turns` rows before it is. */
function endOfTurns(trace: TraceColumns, row: number, turns: number): number {
  let end = row;
  while (
    end < trace.rowCount && isLeaf(trace, end) && trace.parent[end] === trace.parent[row] &&
    (end < row + turns || (trace.service[end] === trace.service[end - turns] && trace.name[end] === trace.name[end - turns]))
  ) end++;
  return end;
}

export interface RunSummary {
  readonly count: number;
  readonly errors: number;
  readonly total: number;
  readonly shortest: number;
  readonly median: number;
  readonly longest: number;
  /** From the first start to the last end. */
  readonly start: number;
  readonly end: number;
  /** Most of them at the same moment. */
  readonly together: number;
}

/** Rows are drawn many times per second, and their runs do not change. */
const summaries = new WeakMap<TraceColumns, Map<number, RunSummary>>();

export function summarizeRun(trace: TraceColumns, first: number, length: number, stride = 1): RunSummary {
  const known = summaries.get(trace) ?? new Map<number, RunSummary>();
  summaries.set(trace, known);
  const summary = known.get(first) ?? computeRun(trace, first, length, stride);
  known.set(first, summary);
  return summary;
}

function computeRun(trace: TraceColumns, first: number, length: number, stride: number): RunSummary {
  const durations: number[] = [];
  const edges: (readonly [time: number, change: number])[] = [];
  let errors = 0;
  for (let row = first; row < first + length * stride; row += stride) {
    if (isError(trace, row)) errors++;
    const start = trace.start[row] ?? Number.NaN;
    if (Number.isNaN(start)) continue;
    const duration = Math.max(0, trace.duration[row] ?? 0);
    durations.push(duration);
    edges.push([start, 1], [start + duration, -1]);
  }
  const sorted = Float64Array.from(durations).sort();
  // Where one ends as the next starts, they are not together.
  edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let running = 0;
  let together = 0;
  for (const [, change] of edges) {
    running += change;
    together = Math.max(together, running);
  }
  return {
    count: length, errors, total: sorted.reduce((sum, one) => sum + one, 0), shortest: sorted[0] ?? Number.NaN, median: percentile(sorted, 0.5),
    longest: sorted.at(-1) ?? Number.NaN, start: edges[0]?.[0] ?? Number.NaN, end: edges.at(-1)?.[0] ?? Number.NaN, together: Math.max(together, sorted.length > 0 ? 1 : 0),
  };
}
