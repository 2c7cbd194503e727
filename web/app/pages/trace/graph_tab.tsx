// The calls of the trace as a graph: callers left, callees right. A box opens its spans in the timeline; an
// call that leads back to an earlier caller is a dashed arrow.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { buildCallGraph, type CallGraph, type GraphChoice, type GraphEdge, type GraphNode } from "../../model/call_graph.ts";
import { layOutGraph, type Placed } from "../../model/graph_layout.ts";
import { graphSize } from "../../model/graph_drawing.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { exactTerm } from "../../model/statistics.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { GraphPicture, type GraphArrow, type GraphBox } from "../../ui/graph_picture.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import "./tab_bar.css";

const SCALE_MIN = 0.3;
/** Smaller than this nothing can be read, so a large graph starts partly out of view instead. */
const FIRST_SCALE_MIN = 0.6;
/** A small graph need not fill a large screen. */
const FIRST_SCALE_MAX = 1.5;

export function GraphTab({ state }: { readonly state: TraceState }) {
  const trace = state.timed.value;
  const choice: GraphChoice = state.tab.value.group === "operation" ? "operation" : "service";
  const graph = useMemo(() => buildCallGraph(trace, state.selfTimes.value, choice), [trace, choice]);
  const placed = useMemo(() => layOutGraph(graph.nodes.length, graph.edges), [graph]);
  const [near, setNear] = useState(-1);
  const [scale, setScale] = useState(1);
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const { clientWidth = 0, clientHeight = 0 } = scroller.current ?? {};
    const { width, height } = graphSize(placed);
    if (clientWidth > 0) setScale(Math.min(FIRST_SCALE_MAX, Math.max(FIRST_SCALE_MIN, Math.min(clientWidth / width, Math.max(1, clientHeight / height)))));
  }, [placed]);
  if (graph.nodes.length === 0) return <Notice icon="search" title="There is no call to show" />;
  const nearest = graph.nodes[near];
  const zoom = (factor: number): void => setScale(Math.min(2, Math.max(SCALE_MIN, scale * factor)));
  return (
    <section class="trace-tab" aria-label="Call graph">
      <div class="tab-bar">
        <label>
          <span>Boxes are</span>
          <select class="field" value={choice} onChange={(event) => state.changeTab({ group: event.currentTarget.value === "operation" ? "operation" : "" })}>
            <option value="service">services</option>
            <option value="operation">operations</option>
          </select>
        </label>
        <span class="summary">
          {plural(graph.nodes.length, "box", "boxes")}, {plural(graph.edges.length, "arrow")}
          {graph.nodesLeftOff === 0 ? "" : `; ${formatCount(graph.nodesLeftOff)} with the least self time left off`}
        </span>
        <button type="button" class="button quiet small icon" aria-label="Smaller" title="Smaller" onClick={() => zoom(0.8)}><Icon name="minus" /></button>
        <button type="button" class="button quiet small icon" aria-label="Larger" title="Larger" onClick={() => zoom(1.25)}><Icon name="plus" /></button>
      </div>
      <div class="graph-scroll" tabIndex={0} role="region" aria-label="Picture of the calls" ref={scroller}>
        <Picture state={state} graph={graph} placed={placed} near={near} setNear={setNear} scale={scale} choice={choice} />
      </div>
      <p class="graph-detail" role="status">{nearest === undefined ? "Point at a box to see its calls; a click shows its spans in the timeline." : titleOf(state, graph, nearest, choice)}</p>
    </section>
  );
}

function titleOf(state: TraceState, graph: CallGraph, node: GraphNode, choice: GraphChoice): string {
  const share = node.self / Math.max(1, graph.nodes.reduce((sum, one) => sum + one.self, 0));
  const service = state.trace.services[node.service] ?? "";
  const errors = node.errors === 0 ? "" : `, ${plural(node.errors, "error")}`;
  const inside = node.inside === 0 ? "" : `, ${plural(node.inside, "call")} inside`;
  return `${lineOf(node.label, 200)}${choice === "operation" ? ` of ${lineOf(service, 60)}` : ""}: ${plural(node.spans, "span")}, self time ${formatDuration(node.self)} (${(share * 100).toFixed(1)} % of all)${errors}${inside}`;
}

interface PictureProps {
  readonly state: TraceState;
  readonly graph: CallGraph;
  readonly placed: Placed;
  readonly near: number;
  readonly setNear: (node: number) => void;
  readonly scale: number;
  readonly choice: GraphChoice;
}

function Picture({ state, graph, placed, near, setNear, scale, choice }: PictureProps) {
  const most = Math.max(1, ...graph.edges.map((edge) => edge.total));
  const selfAll = Math.max(1, graph.nodes.reduce((sum, node) => sum + node.self, 0));
  return (
    <GraphPicture
      label="Call graph" placed={placed} near={near} setNear={setNear} scale={scale}
      boxes={graph.nodes.map((node) => boxOf(state, node, node.self / selfAll, choice))} arrows={graph.edges.map((edge) => arrowOf(graph, edge, edge.total / most))}
    />
  );
}

function arrowOf(graph: CallGraph, edge: GraphEdge, weight: number): GraphArrow {
  const names = `${lineOf(graph.nodes[edge.from]?.label ?? "", 60)} calls ${lineOf(graph.nodes[edge.to]?.label ?? "", 60)}`;
  const failed = edge.errors > 0 ? `, ${plural(edge.errors, "error")}` : "";
  return {
    from: edge.from, to: edge.to, weight, failed: edge.errors > 0,
    title: `${names}: ${plural(edge.calls, "call")}, ${formatDuration(edge.total)} in all, ${formatDuration(edge.total / edge.calls)} each${failed}`,
    label: `${edge.errors > 0 ? `◆${formatCount(edge.errors)} of ` : ""}${formatCount(edge.calls)} × ${formatDuration(edge.total / edge.calls)}`,
  };
}

function boxOf(state: TraceState, node: GraphNode, share: number, choice: GraphChoice): GraphBox {
  const service = state.trace.services[node.service] ?? "";
  const term = choice === "operation" ? `${exactTerm("service", service)} ${exactTerm("name", node.name)}` : exactTerm("service", service);
  const facts = `${plural(node.spans, "span")} · self ${formatDuration(node.self)}`;
  return {
    label: node.label, facts, share, failed: node.errors > 0, slot: state.slots[node.service] ?? SLOT_COUNT,
    title: `${node.errors === 0 ? "" : `, ${plural(node.errors, "error")}`}. Show in the timeline`, open: () => state.showInTimeline(term),
  };
}
