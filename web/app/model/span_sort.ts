// The rows of a trace in the order of one column, for the span table.
import type { TraceColumns } from "../api/trace_columns.ts";
import { isPlaceholder } from "./span_row.ts";

const SPAN_SORTS = ["start", "duration", "self", "service", "name", "kind", "status", "depth", "events", "links"] as const;
export type SpanSort = (typeof SPAN_SORTS)[number];

/** The place of each text in alphabetical order, so that rows compare as numbers. */
function ranks(texts: readonly string[]): Float64Array {
  const result = new Float64Array(texts.length);
  [...texts.keys()].sort((a, b) => (texts[a] ?? "").localeCompare(texts[b] ?? "")).forEach((index, rank) => (result[index] = rank));
  return result;
}

function keysOf(trace: TraceColumns, self: Float64Array, sort: SpanSort): ArrayLike<number> {
  switch (sort) {
    case "self":
      return self;
    case "service":
    case "name": {
      const rank = ranks(sort === "name" ? trace.names : trace.services);
      return trace[sort].length === 0 ? [] : Float64Array.from(trace[sort], (index) => rank[index] ?? -1);
    }
    default:
      return trace[sort];
  }
}

/** Real spans only, those that match the search. `-duration` = longest first; missing values come last. */
export function sortSpans(trace: TraceColumns, self: Float64Array, mask: Uint8Array | null, sort: string): Int32Array {
  const down = sort.startsWith("-");
  const column = SPAN_SORTS.find((one) => one === (down ? sort.slice(1) : sort)) ?? "start";
  const keys = keysOf(trace, self, column);
  const rows = new Int32Array(trace.rowCount);
  let count = 0;
  for (let row = 0; row < trace.rowCount; row++) {
    if (!isPlaceholder(trace, row) && (mask === null || mask[row] === 1)) rows[count++] = row;
  }
  const sign = down ? -1 : 1;
  return rows.subarray(0, count).sort((a, b) => {
    const [left, right] = [keys[a] ?? Number.NaN, keys[b] ?? Number.NaN];
    const [noLeft, noRight] = [Number.isNaN(left), Number.isNaN(right)];
    return noLeft || noRight ? Number(noLeft) - Number(noRight) || a - b : sign * (left - right) || a - b;
  });
}
