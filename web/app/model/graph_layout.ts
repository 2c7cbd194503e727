// A small layered layout (Sugiyama): edges of cycles are turned, nodes fall into layers by their longest way
// from a start, layers are ordered by the mean place of their neighbours, and each node takes a column of its
// layer. Iterative throughout; meant for up to some hundred nodes.

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
  /** Most nodes of one layer. */
  readonly tallest: number;
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

export function layOutGraph(count: number, links: readonly Link[]): Placed {
  const back = backLinks(count, links);
  const forward = links.flatMap((link, i) => (link.from === link.to ? [] : back[i] === 1 ? { from: link.to, to: link.from } : link));
  const layer = layersOf(count, forward);
  const layers = count === 0 ? 0 : Math.max(...layer) + 1;
  const rows: number[][] = Array.from({ length: layers }, () => []);
  for (let node = 0; node < count; node++) rows[layer[node] ?? 0]?.push(node);
  const tallest = Math.max(0, ...rows.map((row) => row.length));
  const place = new Float64Array(count);
  const settle = (row: number[]): void => row.forEach((node, i) => (place[node] = i + (tallest - row.length) / 2));
  rows.forEach(settle);
  const above: number[][] = Array.from({ length: count }, () => []);
  const below: number[][] = Array.from({ length: count }, () => []);
  for (const { from, to } of forward) {
    below[from]?.push(to);
    above[to]?.push(from);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    const neighbours = down ? above : below;
    for (let i = 0; i < layers; i++) {
      const row = rows[down ? i : layers - 1 - i] ?? [];
      const wish = new Map(row.map((node) => {
        const near = neighbours[node] ?? [];
        return [node, near.length === 0 ? (place[node] ?? 0) : near.reduce((sum, one) => sum + (place[one] ?? 0), 0) / near.length];
      }));
      row.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0) || a - b);
      settle(row);
    }
  }
  return { layer, place, layers, tallest };
}
