// A small layered layout (Sugiyama): edges of cycles are turned, nodes fall into layers by their longest way
// from a start, long links bend in the layers between, and layers are ordered by the mean place of neighbours.
// Iterative throughout; meant for up to some hundred nodes.

export interface Link {
  readonly from: number;
  readonly to: number;
}

export interface Placed {
  /** Layer from the left (callers) to the right. */
  readonly layer: Int32Array;
  /** Place within the layer, from the top; may be fractional where a layer is centred. */
  readonly place: Float64Array;
  readonly layers: number;
  /** Most nodes and bends of one layer. */
  readonly tallest: number;
  /** 1 for links that lead back to an earlier layer (or to their own node). */
  readonly back: Uint8Array;
  /** Per link its place in each layer between its ends, from left to right. */
  readonly bends: readonly (readonly number[])[];
}

const SWEEPS = 8;

/** 1 for links that close a cycle when followed from the first nodes on. */
export function backLinks(count: number, links: readonly Link[]): Uint8Array {
  const out: number[][] = Array.from({ length: count }, () => []);
  links.forEach((link, i) => out[link.from]?.push(i));
  const back = new Uint8Array(links.length);
  const state = new Uint8Array(count);
  for (let begin = 0; begin < count; begin++) {
    if (state[begin] !== 0) continue;
    const stack = [{ node: begin, next: 0 }];
    state[begin] = 1;
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top === undefined) break;
      const link = out[top.node]?.[top.next++];
      if (link === undefined) {
        state[top.node] = 2;
        stack.pop();
        continue;
      }
      const to = links[link]?.to ?? 0;
      if (state[to] === 1) back[link] = 1;
      else if (state[to] === 0) {
        state[to] = 1;
        stack.push({ node: to, next: 0 });
      }
    }
  }
  return back;
}

function layersOf(count: number, links: readonly Link[]): Int32Array {
  const layer = new Int32Array(count);
  const open = new Int32Array(count);
  const out: number[][] = Array.from({ length: count }, () => []);
  for (const { from, to } of links) {
    out[from]?.push(to);
    open[to] = (open[to] ?? 0) + 1;
  }
  const ready = [...open.keys()].filter((node) => open[node] === 0);
  for (let i = 0; i < ready.length; i++) {
    const node = ready[i] ?? 0;
    for (const to of out[node] ?? []) {
      layer[to] = Math.max(layer[to] ?? 0, (layer[node] ?? 0) + 1);
      open[to] = (open[to] ?? 1) - 1;
      if (open[to] === 0) ready.push(to);
    }
  }
  return layer;
}

interface Segments {
  /** Layer per point: the nodes, then the bends of long links. */
  readonly layer: number[];
  readonly above: number[][];
  readonly below: number[][];
  readonly bends: number[][];
}

/** A link over several layers gets a point in each layer between, so that it has a place of its own there. */
function segmentsOf(count: number, links: readonly Link[], back: Uint8Array, layerOf: Int32Array): Segments {
  const layer = [...layerOf];
  const above: number[][] = Array.from({ length: count }, () => []);
  const below: number[][] = Array.from({ length: count }, () => []);
  const join = (upper: number, lower: number): void => {
    below[upper]?.push(lower);
    above[lower]?.push(upper);
  };
  const bends = links.map((link, i) => {
    if (link.from === link.to) return [];
    const [upper, lower] = back[i] === 1 ? [link.to, link.from] : [link.from, link.to];
    const points: number[] = [];
    let last = upper;
    for (let at = (layerOf[upper] ?? 0) + 1; at < (layerOf[lower] ?? 0); at++) {
      const point = layer.push(at) - 1;
      above.push([]);
      below.push([]);
      join(last, point);
      points.push(point);
      last = point;
    }
    join(last, lower);
    return points;
  });
  return { layer, above, below, bends };
}

export function layOutGraph(count: number, links: readonly Link[]): Placed {
  const back = backLinks(count, links);
  const forward = links.flatMap((link, i) => (link.from === link.to ? [] : back[i] === 1 ? { from: link.to, to: link.from } : link));
  const layer = layersOf(count, forward);
  const segments = segmentsOf(count, links, back, layer);
  const layers = count === 0 ? 0 : Math.max(...layer) + 1;
  const rows: number[][] = Array.from({ length: layers }, () => []);
  segments.layer.forEach((at, point) => rows[at]?.push(point));
  const tallest = Math.max(0, ...rows.map((row) => row.length));
  const place = new Float64Array(segments.layer.length);
  const settle = (row: number[]): void => row.forEach((point, i) => (place[point] = i + (tallest - row.length) / 2));
  rows.forEach(settle);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const neighbours = down ? segments.above : segments.below;
    for (let i = 0; i < layers; i++) {
      const row = rows[down ? i : layers - 1 - i] ?? [];
      const wish = new Map(row.map((point) => {
        const near = neighbours[point] ?? [];
        return [point, near.length === 0 ? (place[point] ?? 0) : near.reduce((sum, one) => sum + (place[one] ?? 0), 0) / near.length];
      }));
      row.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || a - b);
      settle(row);
    }
  }
  return {
    layer, place: place.slice(0, count), layers, tallest, back,
    bends: segments.bends.map((points) => points.map((point) => place[point] ?? 0)),
  };
}
