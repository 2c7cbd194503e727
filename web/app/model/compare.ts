// Two traces side by side: spans with the same path of (service, name) are set against each other. The self
// times of all paths add up to all the work of a trace, so their differences add up to the whole difference.
import type { TraceColumns } from "../api/trace_columns.ts";
import { buildFlame, type Flame } from "./flame.ts";
import { nameOf, selfTimes, serviceOf } from "./span_row.ts";

/** Numbers of both traces, first A then B. */
export interface Pair {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Columns over paths; a path comes after the one it is below. */
export interface Comparison {
  readonly count: number;
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly services: readonly string[];
  readonly names: readonly string[];
  readonly calls: Pair;
  readonly errors: Pair;
  readonly self: Pair;
  readonly total: Pair;
  /** First row of the path in each trace, or -1. */
  readonly rowA: Int32Array;
  readonly rowB: Int32Array;
}

interface Draft {
  readonly parent: number[];
  readonly depth: number[];
  readonly services: string[];
  readonly names: string[];
  readonly known: Map<string, number>;
}

/** The path of each frame, made where it is new. */
function pathsOf(draft: Draft, trace: TraceColumns, flame: Flame): Int32Array {
  const paths = new Int32Array(flame.count).fill(-1);
  for (let frame = 1; frame < flame.count; frame++) {
    const above = paths[flame.parent[frame] ?? 0] ?? -1;
    const row = flame.row[frame] ?? 0;
    const [service, name] = [serviceOf(trace, row), nameOf(trace, row)];
    const key = JSON.stringify([above, service, name]);
    let path = draft.known.get(key);
    if (path === undefined) {
      path = draft.parent.push(above) - 1;
      draft.depth.push(above < 0 ? 0 : (draft.depth[above] ?? 0) + 1);
      draft.services.push(service);
      draft.names.push(name);
      draft.known.set(key, path);
    }
    paths[frame] = path;
  }
  return paths;
}

export function compareTraces(a: TraceColumns, b: TraceColumns): Comparison {
  const draft: Draft = { parent: [], depth: [], services: [], names: [], known: new Map() };
  const flames = [buildFlame(a, selfTimes(a)), buildFlame(b, selfTimes(b))] as const;
  const paths = [pathsOf(draft, a, flames[0]), pathsOf(draft, b, flames[1])] as const;
  const count = draft.parent.length;
  const pair = (read: (flame: Flame) => ArrayLike<number>): Pair => {
    const column = (side: 0 | 1): Float64Array => {
      const values = new Float64Array(count);
      const source = read(flames[side]);
      paths[side].forEach((path, frame) => {
        if (path >= 0) values[path] = source[frame] ?? 0;
      });
      return values;
    };
    return { a: column(0), b: column(1) };
  };
  const rows = (side: 0 | 1): Int32Array => {
    const result = new Int32Array(count).fill(-1);
    paths[side].forEach((path, frame) => {
      if (path >= 0) result[path] = flames[side].row[frame] ?? -1;
    });
    return result;
  };
  return {
    count, parent: Int32Array.from(draft.parent), depth: Int32Array.from(draft.depth), services: draft.services, names: draft.names,
    calls: pair((flame) => flame.spans), errors: pair((flame) => flame.errors), self: pair((flame) => flame.self), total: pair((flame) => flame.total),
    rowA: rows(0), rowB: rows(1),
  };
}

export const delta = ({ a, b }: Pair, path: number): number => (b[path] ?? 0) - (a[path] ?? 0);

/** `difference` = the largest first, whichever way it goes. */
export function sortPaths(comparison: Comparison, sort: string, only: "all" | "different"): Int32Array {
  const { calls, self, errors, names } = comparison;
  const down = sort.startsWith("-");
  const key = down ? sort.slice(1) : sort;
  const sign = down ? -1 : 1;
  const paths = Int32Array.from({ length: comparison.count }, (_, path) => path)
    .filter((path) => only === "all" || delta(self, path) !== 0 || delta(calls, path) !== 0 || delta(errors, path) !== 0);
  const numberOf = (path: number): number => (key === "calls" ? Math.abs(delta(calls, path)) : key === "a" ? (self.a[path] ?? 0) : key === "b" ? (self.b[path] ?? 0) : Math.abs(delta(self, path)));
  return paths.sort((x, y) => (key === "name" ? sign * (names[x] ?? "").localeCompare(names[y] ?? "") : sign * (numberOf(x) - numberOf(y))) || x - y);
}

/** All paths as a tree, the child that differs most first. Without recursion: a stack of what is still to come. */
export function pathTree(comparison: Comparison): Int32Array {
  const { count, parent, total } = comparison;
  const children: number[][] = Array.from({ length: count + 1 }, () => []);
  for (let path = 0; path < count; path++) children[(parent[path] ?? -1) + 1]?.push(path);
  const order = new Int32Array(count);
  const stack: number[] = [];
  const put = (of: readonly number[]): void => {
    const sorted = of.toSorted((x, y) => Math.abs(delta(total, x)) - Math.abs(delta(total, y)) || y - x);
    for (const one of sorted) stack.push(one);
  };
  put(children[0] ?? []);
  let at = 0;
  for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
    order[at++] = path;
    put(children[path + 1] ?? []);
  }
  return order;
}

export type Change = "same" | "only_a" | "only_b" | "more_calls" | "fewer_calls" | "slower" | "faster";

/** Less than this share of the larger one is no difference worth a word. */
const SHARE_MIN = 0.1;

export function changeOf({ calls, self }: Comparison, path: number): Change {
  const [before, after] = [calls.a[path] ?? 0, calls.b[path] ?? 0];
  if (before === 0 && after === 0) return "same";
  if (after === 0) return "only_a";
  if (before === 0) return "only_b";
  if (before !== after) return after > before ? "more_calls" : "fewer_calls";
  const change = delta(self, path);
  if (Math.abs(change) < SHARE_MIN * Math.max(self.a[path] ?? 0, self.b[path] ?? 0)) return "same";
  return change > 0 ? "slower" : "faster";
}
