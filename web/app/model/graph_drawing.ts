// A graph of calls in pixels: boxes in columns, and for each arrow a path through the places that the layout
// gave it. Arrows leave and enter boxes at separate points, ordered so that they cross as little as possible.
import type { Link, Placed } from "./graph_layout.ts";

export const NODE_WIDTH = 184;
export const NODE_HEIGHT = 52;
const GAP_X = 124;
const GAP_Y = 24;
const MARGIN = 24;
/** Closer than this, the labels of neighbouring arrows cover each other. */
const LABEL_PIXELS = 13;

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Route {
  readonly path: string;
  readonly label: Point;
  readonly back: boolean;
  /** Too close to others to show its label all the time. */
  readonly crowded: boolean;
}

export interface GraphDrawing {
  readonly width: number;
  readonly height: number;
  /** Upper left corner of each box. */
  readonly corners: readonly Point[];
  readonly routes: readonly Route[];
}

export function graphSize({ layers, tallest }: Placed): { readonly width: number; readonly height: number } {
  return { width: layers * (NODE_WIDTH + GAP_X) - GAP_X + 2 * MARGIN, height: tallest * (NODE_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN };
}

const columnX = (layer: number): number => MARGIN + layer * (NODE_WIDTH + GAP_X);
const rowY = (place: number): number => MARGIN + place * (NODE_HEIGHT + GAP_Y);

/** An arrow's end at one side of a box. */
interface Port {
  readonly edge: number;
  /** Where the arrow comes from or goes to next, to order the ends of one side. */
  readonly towards: number;
  y: number;
}

export function drawGraph(count: number, edges: readonly Link[], placed: Placed): GraphDrawing {
  const nodes = Array.from({ length: count }, (_, node) => node);
  const corners = nodes.map((node) => ({ x: columnX(placed.layer[node] ?? 0), y: rowY(placed.place[node] ?? 0) }));
  const right: Port[][] = nodes.map(() => []);
  const left: Port[][] = nodes.map(() => []);
  const ends = edges.map((edge, i) => {
    // A call back is drawn from right to left; its arrow ends at the right side of the earlier box.
    const [upper, lower] = placed.back[i] === 1 ? [edge.to, edge.from] : [edge.from, edge.to];
    const bends = placed.bends[i] ?? [];
    const leaving: Port = { edge: i, towards: bends[0] ?? placed.place[lower] ?? 0, y: 0 };
    const entering: Port = { edge: i, towards: bends.at(-1) ?? placed.place[upper] ?? 0, y: 0 };
    right[upper]?.push(leaving);
    left[lower]?.push(entering);
    return { upper, lower, leaving, entering };
  });
  const crowded = new Set<Port>();
  [right, left].forEach((sides) => sides.forEach((ports, node) => settlePorts(ports, corners[node]?.y ?? 0, crowded)));
  const routes = edges.map((_, i): Route => {
    const end = ends[i];
    const back = placed.back[i] === 1;
    if (end === undefined) return { path: "", label: { x: 0, y: 0 }, back, crowded: true };
    const begin = { x: (corners[end.upper]?.x ?? 0) + NODE_WIDTH, y: end.leaving.y };
    const finish = { x: corners[end.lower]?.x ?? 0, y: end.entering.y };
    const between = (placed.bends[i] ?? []).flatMap((place, k) => {
      const x = columnX((placed.layer[end.upper] ?? 0) + 1 + k);
      const y = rowY(place) + NODE_HEIGHT / 2;
      return [{ x, y }, { x: x + NODE_WIDTH, y }];
    });
    const points = [begin, ...between, finish];
    const label = back ? { x: begin.x + 12, y: begin.y - 4 } : { x: finish.x - 12, y: finish.y - 4 };
    return { path: pathThrough(back ? points.reverse() : points), label, back, crowded: crowded.has(back ? end.leaving : end.entering) };
  });
  return { ...graphSize(placed), corners, routes };
}

/** What the arrows of a column need beside its boxes. */
const ARCS_WIDTH_MIN = 60;

/** For screens too narrow for columns side by side: all boxes below each other, callers first, and arrows as arcs at
 * their right side, the wider the further they lead. */
export function drawColumn(count: number, edges: readonly Link[], placed: Placed, width: number): GraphDrawing {
  const at = (values: ArrayLike<number>, node: number): number => values[node] ?? 0;
  const nodes = Array.from({ length: count }, (_, node) => node);
  const order = nodes.toSorted((a, b) => at(placed.layer, a) - at(placed.layer, b) || at(placed.place, a) - at(placed.place, b) || a - b);
  const row = new Map(order.map((node, i) => [node, i]));
  const rowOf = (node: number): number => row.get(node) ?? 0;
  const margin = MARGIN / 3;
  const corners = nodes.map((node) => ({ x: margin, y: margin + rowOf(node) * (NODE_HEIGHT + GAP_Y / 2) }));
  const sides: Port[][] = nodes.map(() => []);
  const ends = edges.map((edge, i) => {
    const leaving: Port = { edge: i, towards: rowOf(edge.to), y: 0 };
    const entering: Port = { edge: i, towards: rowOf(edge.from), y: 0 };
    sides[edge.from]?.push(leaving);
    sides[edge.to]?.push(entering);
    return { leaving, entering };
  });
  sides.forEach((ports, node) => settlePorts(ports, corners[node]?.y ?? 0, new Set()));
  const x = margin + NODE_WIDTH;
  const room = Math.max(ARCS_WIDTH_MIN, width - x - margin);
  const routes = edges.map((edge, i): Route => {
    const [begin, finish] = [ends[i]?.leaving.y ?? 0, ends[i]?.entering.y ?? 0];
    const far = Math.abs(rowOf(edge.to) - rowOf(edge.from)) / Math.max(1, count - 1);
    // A curve reaches three quarters of the way to where it is drawn to.
    const reach = x + (room * (0.25 + 0.75 * far)) / 0.75;
    return { path: `M${x} ${begin}C${reach} ${begin} ${reach} ${finish} ${x} ${finish}`, label: { x: x + 12, y: finish - 4 }, back: placed.back[i] === 1, crowded: true };
  });
  return { width, height: 2 * margin + count * (NODE_HEIGHT + GAP_Y / 2) - GAP_Y / 2, corners, routes };
}

function settlePorts(ports: Port[], top: number, crowded: Set<Port>): void {
  ports.sort((a, b) => a.towards - b.towards || a.edge - b.edge);
  const step = Math.min(LABEL_PIXELS, NODE_HEIGHT / (ports.length + 1));
  ports.forEach((port, i) => {
    port.y = top + NODE_HEIGHT / 2 + (i - (ports.length - 1) / 2) * step;
    if (step < LABEL_PIXELS - 0.5) crowded.add(port);
  });
}

/** Between columns a curve that begins and ends level; along a column a straight line. */
function pathThrough(points: readonly Point[]): string {
  const [first] = points;
  if (first === undefined) return "";
  let path = `M${first.x} ${first.y}`;
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1] ?? first, points[i] ?? first];
    const middle = (from.x + to.x) / 2;
    path += from.y === to.y ? `L${to.x} ${to.y}` : `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
  }
  return path;
}
