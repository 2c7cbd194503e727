// A trace as a flame graph: spans with the same path of (service, name) become one frame. A frame is as wide
// as the self times of all spans in it and below, so frames nest exactly, also where calls ran side by side.
import type { TraceColumns } from "../api/trace_columns.ts";
import { isError, isPlaceholder } from "./span_row.ts";

/** Columns over frames; frame 0 stands for the whole trace. A parent comes before its children. */
export interface Flame {
  readonly count: number;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly depthMax: number;
  /** The first row with this path, -1 for frame 0. */
  readonly row: Int32Array;
  readonly spans: Int32Array;
  readonly errors: Int32Array;
  readonly self: Float64Array;
  readonly total: Float64Array;
  /** Where the frame begins, in the same unit as `total`. */
  readonly start: Float64Array;
  /** Frames of each depth from left to right. */
  readonly levels: readonly Int32Array[];
  /** The frame of each row. */
  readonly frameOfRow: Int32Array;
}

export function buildFlame(trace: TraceColumns, selfTimes: Float64Array): Flame {
  const { rowCount } = trace;
  const parent = new Int32Array(rowCount + 1).fill(-1);
  const depth = new Int32Array(rowCount + 1);
  const row = new Int32Array(rowCount + 1).fill(-1);
  const spans = new Int32Array(rowCount + 1);
  const errors = new Int32Array(rowCount + 1);
  const self = new Float64Array(rowCount + 1);
  const frameOfRow = new Int32Array(rowCount);
  const known = new Map<number, number>();
  const names = trace.names.length + 2;
  const operations = names * (trace.services.length + 2);
  let count = 1;
  for (let i = 0; i < rowCount; i++) {
    const above = (trace.parent[i] ?? -1) < 0 ? 0 : (frameOfRow[trace.parent[i] ?? 0] ?? 0);
    const operation = isPlaceholder(trace, i) ? 0 : 1 + ((trace.service[i] ?? -1) + 1) * names + (trace.name[i] ?? -1) + 1;
    const key = above * operations + operation;
    let frame = known.get(key);
    if (frame === undefined) {
      frame = count++;
      known.set(key, frame);
      parent[frame] = above;
      depth[frame] = (depth[above] ?? 0) + 1;
      row[frame] = i;
    }
    frameOfRow[i] = frame;
    spans[frame] = (spans[frame] ?? 0) + (isPlaceholder(trace, i) ? 0 : 1);
    if (isError(trace, i)) errors[frame] = (errors[frame] ?? 0) + 1;
    const own = selfTimes[i] ?? Number.NaN;
    if (!Number.isNaN(own)) self[frame] = (self[frame] ?? 0) + own;
  }
  const total = self.slice(0, count);
  for (let frame = count - 1; frame > 0; frame--) total[parent[frame] ?? 0] = (total[parent[frame] ?? 0] ?? 0) + (total[frame] ?? 0);
  const start = new Float64Array(count);
  const levels = layOut(count, parent, depth, total, start);
  return {
    count, parent: parent.slice(0, count), depth: depth.slice(0, count), depthMax: levels.length - 1, row: row.slice(0, count),
    spans: spans.slice(0, count), errors: errors.slice(0, count), self: self.slice(0, count), total, start, levels, frameOfRow,
  };
}

/** The widest child is leftmost. Depth by depth, so that nothing recurses. */
function layOut(count: number, parent: Int32Array, depth: Int32Array, total: Float64Array, start: Float64Array): Int32Array[] {
  const order = Int32Array.from({ length: count }, (_, frame) => frame)
    .sort((a, b) => (depth[a] ?? 0) - (depth[b] ?? 0) || (total[b] ?? 0) - (total[a] ?? 0) || a - b);
  const cursor = new Float64Array(count);
  const levels: Int32Array[] = [];
  for (let from = 0; from < count; ) {
    const level = depth[order[from] ?? 0] ?? 0;
    let to = from;
    for (; to < count && depth[order[to] ?? 0] === level; to++) {
      const frame = order[to] ?? 0;
      const above = parent[frame] ?? -1;
      if (above >= 0) {
        start[frame] = cursor[above] ?? 0;
        cursor[above] = (cursor[above] ?? 0) + (total[frame] ?? 0);
      }
      cursor[frame] = start[frame] ?? 0;
    }
    levels.push(order.slice(from, to).sort((a, b) => (start[a] ?? 0) - (start[b] ?? 0) || a - b));
    from = to;
  }
  return levels;
}

/** The frame at a depth that covers a place, or -1. */
export function frameAt(flame: Flame, depth: number, place: number): number {
  const level = flame.levels[depth];
  if (level === undefined) return -1;
  let low = 0;
  let high = level.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((flame.start[level[middle] ?? 0] ?? 0) <= place) low = middle + 1;
    else high = middle;
  }
  // Frames without any time share the place where they begin; the last one before it may be one of them.
  for (let at = low - 1; at >= 0; at--) {
    const frame = level[at] ?? 0;
    if ((flame.start[frame] ?? 0) + (flame.total[frame] ?? 0) > place) return frame;
    if ((flame.total[frame] ?? 0) > 0) return -1;
  }
  return -1;
}

/** From the outermost frame to this one, without frame 0. */
export function pathOf(flame: Flame, frame: number): number[] {
  const path: number[] = [];
  for (let at = frame; at > 0; at = flame.parent[at] ?? 0) path.unshift(at);
  return path;
}

export type FlameStep = "parent" | "child" | "left" | "right";

/** The neighbour that an arrow key leads to; the frame itself at a border. */
export function flameStep(flame: Flame, frame: number, step: FlameStep): number {
  if (step === "parent") return Math.max(0, flame.parent[frame] ?? 0);
  if (step === "child") {
    const below = flame.levels[(flame.depth[frame] ?? 0) + 1] ?? new Int32Array();
    return below.find((one) => flame.parent[one] === frame) ?? frame;
  }
  const level = flame.levels[flame.depth[frame] ?? 0] ?? new Int32Array();
  return level[level.indexOf(frame) + (step === "left" ? -1 : 1)] ?? frame;
}
