// The map of services: callers left, callees right, always at the same place. An arrow is as thick as it is busy and
// says its rate and how long it takes; a box leads to the page of its service.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { FindingGroup } from "../../api/findings.ts";
import type { ServiceEdge, ServiceGraph, ServiceNode } from "../../api/services.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { graphSize } from "../../model/graph_drawing.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { buildMap, errorShare, findingsBetween, findingsOf, formatRate, formatShare, graphSeconds, networkShare, serviceUrl, type ServicesQuery } from "../../model/services_view.ts";
import { navigate } from "../../state/location.ts";
import { GraphPicture, type GraphArrow, type GraphBox } from "../../ui/graph_picture.tsx";
import { Icon } from "../../ui/icon.tsx";

/** Fewer errors than this are told but not shown in red: hardly any call never fails. */
const FAILED_SHARE_MIN = 0.01;
const SCALE_MIN = 0.3;
const SCALE_MAX = 2;
/** Smaller than this nothing can be read, so a large map starts partly out of view instead. */
const FIRST_SCALE_MIN = 0.6;
const FIRST_SCALE_MAX = 1.4;
const COLUMN_WIDTH_MAX = 560;
const MARKS_HINT = "Thick arrows are busy, red ones fail in 1 % of calls or more, dashed ones lead back; ▲ counts findings";
const HINT = `Point at a service to see its calls; a click opens its page. ${MARKS_HINT}, net is the share of what the caller waits that is spent between the two.`;
const COLUMN_HINT = `Tap a service to see its calls, once more to open its page. ${MARKS_HINT}.`;

interface Props {
  readonly query: ServicesQuery;
  readonly graph: ServiceGraph;
  readonly findings: readonly FindingGroup[];
  readonly slots: ReadonlyMap<string, number>;
}

export function ServiceMapView({ query, graph, findings, slots }: Props) {
  const map = useMemo(() => buildMap(graph), [graph]);
  const [near, setNear] = useState(-1);
  const [scale, setScale] = useState(1);
  const [column, setColumn] = useState<number | undefined>(undefined);
  const scroller = useRef<HTMLDivElement>(null);
  const seconds = graphSeconds(graph);
  const size = graphSize(map.placed);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setColumn(element.clientWidth <= COLUMN_WIDTH_MAX ? element.clientWidth : undefined));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const { clientWidth = 0, clientHeight = 0 } = scroller.current ?? {};
    if (clientWidth > 0) setScale(Math.min(FIRST_SCALE_MAX, Math.max(FIRST_SCALE_MIN, Math.min(clientWidth / size.width, Math.max(1, clientHeight / size.height)))));
  }, [size.width, size.height]);
  const zoom = (factor: number): void => setScale(Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale * factor)));
  const busiest = Math.max(1, ...map.nodes.map((one) => one.requests));
  const most = Math.max(1, ...map.edges.map((one) => one.requests));
  const about = ({ service }: ServiceNode): number => findingsOf(findings, service).length;
  const boxes = map.nodes.map((node): GraphBox => ({
    label: node.service, facts: factsOf(node, seconds), title: `: ${describe(node, seconds)}${foundText(about(node))}. Open its page`,
    slot: slots.get(node.service) ?? SLOT_COUNT, share: node.requests / busiest, failed: errorShare(node) >= FAILED_SHARE_MIN, ...(about(node) === 0 ? {} : { note: foundMark(about(node)) }), open: () => navigate(serviceUrl(query, node.service)),
  }));
  const arrows = map.edges.map((edge): GraphArrow => {
    const found = findingsBetween(findings, edge.caller, edge.callee).length;
    return {
      from: edge.from, to: edge.to, weight: edge.requests / most, failed: errorShare(edge) >= FAILED_SHARE_MIN,
      label: `${shortLabel(edge, seconds)} ${foundMark(found)}`.trimEnd(), more: `${labelOf(edge, seconds)} ${foundMark(found)}`.trimEnd(),
      title: `${lineOf(edge.caller, 60)} calls ${lineOf(edge.callee, 60)}: ${describe(edge, seconds)}${networkText(edge)}${foundText(found)}`,
    };
  });
  const nearest = map.nodes[near];
  return (
    <section class={`service-map ${column === undefined ? "" : "column"}`} aria-label="Map of services">
      <div class="map-tools">
        {map.nodesLeftOff === 0 ? null : <span>{formatCount(map.nodesLeftOff)} with the fewest requests left off</span>}
        {column !== undefined ? null : (
          <>
            <button type="button" class="button quiet small icon" aria-label="Smaller" title="Smaller" onClick={() => zoom(0.8)}><Icon name="minus" /></button>
            <button type="button" class="button quiet small icon" aria-label="Larger" title="Larger" onClick={() => zoom(1.25)}><Icon name="plus" /></button>
          </>
        )}
      </div>
      <div class="graph-scroll" tabIndex={0} role="region" aria-label="Picture of the services" ref={scroller}>
        <GraphPicture label="Services and their calls" placed={map.placed} boxes={boxes} arrows={arrows} near={near} setNear={setNear} scale={column === undefined ? scale : 1} {...(column === undefined ? {} : { column })} />
      </div>
      <p class={`graph-detail ${nearest === undefined ? "" : "near"}`} role="status">{nearest === undefined ? (column === undefined ? HINT : COLUMN_HINT) : `${lineOf(nearest.service, 80)}: ${describe(nearest, seconds)}${foundText(about(nearest))}`}</p>
    </section>
  );
}

const foundText = (count: number): string => (count === 0 ? "" : `, ${plural(count, "finding")}`);
const foundMark = (count: number): string => (count === 0 ? "" : `▲${count}`);

const factsOf = (node: ServiceNode, seconds: number): string => (node.requests === 0 ? "no requests of its own" : `${formatRate(node.requests, seconds)} · p95 ${formatDuration(node.p95)}`);

const shortLabel = (edge: ServiceEdge, seconds: number): string => `${formatRate(edge.requests, seconds)}${errorShare(edge) >= FAILED_SHARE_MIN ? ` ◆${formatShare(errorShare(edge))}` : ""}`;

/** Of the arrows of one service, for which there is room. */
function labelOf(edge: ServiceEdge, seconds: number): string {
  const network = networkShare(edge);
  return `${formatRate(edge.requests, seconds)}${edge.errors > 0 ? ` ◆${formatShare(errorShare(edge))}` : ""}, ${formatDuration(edge.p50)}${Number.isNaN(network) ? "" : `, net ${formatShare(network)}`}`;
}

function describe(red: ServiceNode | ServiceEdge, seconds: number): string {
  const errors = red.errors === 0 ? "no error" : `${formatShare(errorShare(red))} errors`;
  return `${formatRate(red.requests, seconds)}, ${errors}, median ${formatDuration(red.p50)}, p95 ${formatDuration(red.p95)}, p99 ${formatDuration(red.p99)}`;
}

function networkText(edge: ServiceEdge): string {
  const network = networkShare(edge);
  return Number.isNaN(network) ? "" : `, ${formatDuration(Math.max(0, edge.networkP50))} more between the two`;
}
