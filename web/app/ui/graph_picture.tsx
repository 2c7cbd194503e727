// A graph of boxes and arrows: callers left, callees right. What is near the box under the pointer or the focus stands
// out; an arrow that leads back to an earlier caller is dashed.
import { useMemo, useRef } from "preact/hooks";
import { lineOf } from "../base/text.ts";
import { drawColumn, drawGraph, NODE_HEIGHT, NODE_WIDTH, type Point, type Route } from "../model/graph_drawing.ts";
import type { Link, Placed } from "../model/graph_layout.ts";
import "./graph_picture.css";

export interface GraphBox {
  readonly label: string;
  readonly facts: string;
  /** Follows the label and the facts for those who hear it: the rest, and what a click does. */
  readonly title: string;
  /** Place in the palette of services. */
  readonly slot: number;
  /** Length of the bar at the bottom, 0 to 1. */
  readonly share: number;
  readonly failed: boolean;
  /** At the right of the label. */
  readonly note?: string;
  readonly open: () => void;
}

export interface GraphArrow extends Link {
  readonly label: string;
  /** Instead of the label while the arrow stands out. */
  readonly more?: string;
  readonly title: string;
  /** How thick, 0 to 1. */
  readonly weight: number;
  readonly failed: boolean;
}

interface Props {
  readonly label: string;
  readonly placed: Placed;
  readonly boxes: readonly GraphBox[];
  readonly arrows: readonly GraphArrow[];
  /** The box that stands out, or -1. */
  readonly near: number;
  readonly setNear: (box: number) => void;
  readonly scale: number;
  /** Pixels of a screen that is too narrow for columns side by side. */
  readonly column?: number;
}

const LABEL_CHARS = 21;
/** As many as the mark of errors takes. */
const MARK_CHARS = 4;

export function GraphPicture({ label, placed, boxes, arrows, near, setNear, scale, column }: Props) {
  const drawing = useMemo(() => (column === undefined ? drawGraph(boxes.length, arrows, placed) : drawColumn(boxes.length, arrows, placed, column)), [placed, column]);
  const { width, height } = drawing;
  const isNear = (arrow: GraphArrow): boolean => arrow.from === near || arrow.to === near;
  return (
    <svg class={`call-graph ${near >= 0 ? "focused" : ""}`} width={width * scale} height={height * scale} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={label}>
      <defs>
        <marker id="graph-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0l8 4-8 4z" class="arrow-head" />
        </marker>
      </defs>
      {arrows.map((arrow, i) => <Arrow key={i} arrow={arrow} route={drawing.routes[i]} near={isNear(arrow)} />)}
      {arrows.map((arrow, i) => <ArrowLabel key={i} arrow={arrow} route={drawing.routes[i]} near={isNear(arrow)} onRight={column !== undefined} />)}
      {boxes.map((box, i) => <Box key={i} box={box} at={drawing.corners[i]} isNear={i === near} near={(on) => setNear(on ? i : -1)} />)}
    </svg>
  );
}

interface ArrowProps {
  readonly arrow: GraphArrow;
  readonly route: Route | undefined;
  readonly near: boolean;
}

const arrowClass = (arrow: GraphArrow, route: Route, near: boolean): string => `arrow ${near ? "near" : ""} ${route.back ? "back" : ""} ${arrow.failed ? "failed" : ""} ${route.crowded ? "crowded" : ""}`;

function Arrow({ arrow, route, near }: ArrowProps) {
  if (route === undefined) return null;
  return (
    <g class={arrowClass(arrow, route, near)} role="img" aria-label={arrow.title}>
      <title>{arrow.title}</title>
      <path d={route.path} stroke-width={1.25 + arrow.weight * 3} marker-end="url(#graph-arrow)" />
    </g>
  );
}

/** After all arrows, so that none crosses it out. */
function ArrowLabel({ arrow, route, near, onRight }: ArrowProps & { readonly onRight: boolean }) {
  if (route === undefined) return null;
  return (
    <g class={arrowClass(arrow, route, near)} aria-hidden="true">
      <title>{arrow.title}</title>
      <text x={route.label.x} y={route.label.y} text-anchor={route.back || onRight ? "start" : "end"}>{near && !onRight ? (arrow.more ?? arrow.label) : arrow.label}</text>
    </g>
  );
}

function Box({ box, at, isNear, near }: { readonly box: GraphBox; readonly at: Point | undefined; readonly isNear: boolean; readonly near: (on: boolean) => void }) {
  const tapped = useRef(false);
  const beside = (box.failed ? MARK_CHARS : 0) + (box.note === undefined ? 0 : box.note.length + 1);
  const label = box.label === "" ? "(no name)" : lineOf(box.label, LABEL_CHARS - beside);
  return (
    <g
      class="box" transform={`translate(${at?.x ?? 0} ${at?.y ?? 0})`} role="button" tabindex={0} aria-label={`${label} ${box.facts}${box.note === undefined ? "" : ` ${box.note}`}${box.title}`} data-slot={box.slot}
      onPointerEnter={(event) => event.pointerType !== "touch" && near(true)} onPointerLeave={(event) => event.pointerType !== "touch" && near(false)} onFocus={() => near(true)} onBlur={() => near(false)}
      onPointerDown={(event) => (tapped.current = event.pointerType === "touch" && !isNear)}
      onClick={() => {
        // A finger cannot point: its first touch shows the calls, its second opens.
        if (tapped.current) near(true);
        else box.open();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        box.open();
      }}
    >
      <rect class="ground" width={NODE_WIDTH} height={NODE_HEIGHT} rx="6" />
      <rect class="mark" width="5" height={NODE_HEIGHT} rx="2" />
      <rect class="load" x="14" y={NODE_HEIGHT - 7} width={Math.max(1, (NODE_WIDTH - 24) * box.share)} height="3" rx="1.5" />
      <text x="14" y="19" class="name">{label}</text>
      {" "}
      <text x="14" y="36" class="facts">{box.facts}</text>
      {box.note === undefined ? null : <text x={NODE_WIDTH - (box.failed ? 27 : 8)} y="19" text-anchor="end" class="note">{box.note}</text>}
      {box.failed ? <path class="error" d={`M${NODE_WIDTH - 14} 7l7 7-7 7-7-7z`} /> : null}
    </g>
  );
}
