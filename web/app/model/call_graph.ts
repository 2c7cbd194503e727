// Who calls whom in one trace: services (or operations) as nodes, parent-child pairs between them as edges.
import type { TraceColumns } from "../api/trace_columns.ts";
import { isError, isPlaceholder } from "./span_row.ts";

export interface GraphNode {
  readonly label: string;
  readonly service: number;
  /** The operation, or empty when nodes are services. */
  readonly name: string;
  spans: number;
  errors: number;
  self: number;
  /** Calls that stay inside the node. */
  inside: number;
}

export interface GraphEdge {
  readonly from: number;
  readonly to: number;
  calls: number;
  errors: number;
  /** Sum of the called spans' durations. */
  total: number;
}

export interface CallGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Nodes that were left off, those with the least self time. */
  readonly nodesLeftOff: number;
}

export type GraphChoice = "service" | "operation";

/** More boxes than this say nothing; the statistics list them all. */
export const GRAPH_NODES_MAX = 120;

/** A missing span has no service, so its children hang from the nearest span above that has arrived. */
function callerOf(trace: TraceColumns, row: number): number {
  let above = trace.parent[row] ?? -1;
  while (above >= 0 && isPlaceholder(trace, above)) above = trace.parent[above] ?? -1;
  return above;
}

export function buildCallGraph(trace: TraceColumns, self: Float64Array, choice: GraphChoice): CallGraph {
  const nodes: GraphNode[] = [];
  const known = new Map<number, number>();
  const width = trace.names.length + 2;
  const nodeOfRow = new Int32Array(trace.rowCount).fill(-1);
  const edges = new Map<number, GraphEdge>();
  for (let row = 0; row < trace.rowCount; row++) {
    if (isPlaceholder(trace, row)) continue;
    const service = trace.service[row] ?? -1;
    const name = choice === "operation" ? (trace.name[row] ?? -1) : -1;
    const key = (service + 1) * width + name + 1;
    let at = known.get(key);
    if (at === undefined) {
      const operation = trace.names[name] ?? "";
      const label = choice === "operation" ? operation : (trace.services[service] ?? "");
      at = nodes.push({ label, service, name: operation, spans: 0, errors: 0, self: 0, inside: 0 }) - 1;
      known.set(key, at);
    }
    nodeOfRow[row] = at;
    const node = nodes[at];
    if (node === undefined) continue;
    const error = isError(trace, row) ? 1 : 0;
    node.spans++;
    node.errors += error;
    node.self += self[row] || 0;
    const caller = callerOf(trace, row);
    const from = caller < 0 ? -1 : (nodeOfRow[caller] ?? -1);
    if (from < 0) continue;
    if (from === at) {
      node.inside++;
      continue;
    }
    const edgeKey = from * trace.rowCount + at;
    const edge = edges.get(edgeKey) ?? { from, to: at, calls: 0, errors: 0, total: 0 };
    edge.calls++;
    edge.errors += error;
    edge.total += Math.max(0, trace.duration[row] || 0);
    edges.set(edgeKey, edge);
  }
  return trimmed(nodes, [...edges.values()]);
}

function trimmed(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): CallGraph {
  if (nodes.length <= GRAPH_NODES_MAX) return { nodes, edges, nodesLeftOff: 0 };
  const kept = [...nodes.keys()].sort((a, b) => (nodes[b]?.self ?? 0) - (nodes[a]?.self ?? 0)).slice(0, GRAPH_NODES_MAX).sort((a, b) => a - b);
  const place = new Map(kept.map((node, i) => [node, i]));
  return {
    nodes: kept.flatMap((node) => nodes[node] ?? []),
    edges: edges.flatMap((edge) => {
      const [from, to] = [place.get(edge.from), place.get(edge.to)];
      return from === undefined || to === undefined ? [] : [{ ...edge, from, to }];
    }),
    nodesLeftOff: nodes.length - kept.length,
  };
}
