// Space-time: lanes with bars, arrows of messages, what is proven around the selected span, and the cut. Only lanes
// on screen are drawn, and of spans narrower than a pixel one per pixel.
import { STATUS_ERROR, type TraceColumns } from "../api/trace_columns.ts";
import { eventTime, isBackwards } from "../model/clock_choice.ts";
import { barMiddle, laneAt, LANE_PAD, reaching, startedBy, type Lane, type LaneLayout } from "../model/lanes.ts";
import { EARLIER, LATER, SELF, TOGETHER, UNDECIDED } from "../model/relation_words.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";
import { RULER_HEIGHT, timeOfX, xOfTime, type TimelineFrame } from "./timeline_frame.ts";

export interface SpaceScene {
  readonly shown: TraceColumns;
  readonly layout: LaneLayout;
  readonly colors: Uint8Array;
  readonly palette: readonly string[];
  /** 1 for rows that match the search; null when nothing is searched. */
  readonly matches: Uint8Array | null;
  /** What is proven of each row against the selected one; null when none is selected. */
  readonly cone: Uint8Array | null;
  readonly selected: number;
  /** The span that the selected one is related to, or -1. */
  readonly second: number;
  /** Above this many spans arrows are drawn for the selected ones only. */
  readonly allArrows: boolean;
  readonly labels: (row: number) => string;
}

/** Spans up to which all messages are drawn; more would be a grey cloud. */
export const ARROW_SPANS_MAX = 2_000;

/** Line style by certainty: solid, long dash, short dash, dots, sparse dots. */
export const CERTAINTY_DASHES: readonly (readonly number[])[] = [[], [12, 4], [5, 4], [1.5, 3.5], [1.5, 8]];

const BAR_WIDTH_MIN = 2;
/** Bars up to this have no rounded ends. */
const THIN = 4;
const HIT_PIXELS = 4;
const MARK_WIDTH_MIN = 12;
const LABEL_WIDTH_MIN = 46;
const CHAR_PIXELS = 6.2;
const HEAD = 6;
/** By whether the search finds the row: thin bars, which have no round corners, and the others. */
const lists = { found: { thin: new RectList(), wide: new RectList() }, rest: { thin: new RectList(), wide: new RectList() } };

/** The first lane on screen and one past the last. */
export function laneRange(layout: LaneLayout, frame: TimelineFrame): { readonly first: number; readonly end: number } {
  const first = Math.max(0, laneAt(layout, frame.scrollTop));
  const last = laneAt(layout, frame.scrollTop + frame.height - RULER_HEIGHT);
  return { first, end: last < 0 ? layout.lanes.length : last + 1 };
}

/** Bars this high have room for a label. */
const BAR_LABELLED = 12;

const barOf = (layout: LaneLayout, row: number): number => {
  const pitch = layout.lanes[layout.laneOf[row] ?? -1]?.pitch ?? 0;
  return pitch >= 16 ? BAR_LABELLED : pitch - 2;
};
const yOf = (frame: TimelineFrame, layout: LaneLayout, row: number): number => RULER_HEIGHT + barMiddle(layout, row) - frame.scrollTop;

function boxOf(frame: TimelineFrame, scene: SpaceScene, row: number): { readonly left: number; readonly right: number } {
  const left = xOfTime(frame, scene.shown.start[row] ?? Number.NaN);
  return { left, right: Math.max(left + BAR_WIDTH_MIN, xOfTime(frame, eventTime(scene.shown, row, true))) };
}

export function drawSpace(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene): void {
  renderer.clear();
  renderer.clipped(0, RULER_HEIGHT, frame.width, frame.height - RULER_HEIGHT, () => {
    // Under the bars, so that names stay readable; those of the chosen spans on top.
    drawArrows(renderer, theme, frame, scene, false);
    drawLanes(renderer, theme, frame, scene);
    drawArrows(renderer, theme, frame, scene, true);
  });
}

function drawLanes(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene): void {
  const { layout, cone } = scene;
  const range = laneRange(layout, frame);
  const palette = cone === null ? scene.palette : [theme.surface, theme.services[0] ?? "", theme.services[1] ?? "", theme.services[3] ?? "", theme.accent];
  for (const { thin, wide } of [lists.found, lists.rest]) {
    thin.clear();
    wide.clear();
  }
  markedCount = 0;
  for (let i = range.first; i < range.end; i++) {
    const lane = layout.lanes[i];
    if (lane === undefined) continue;
    const bottom = Math.round(RULER_HEIGHT + lane.top + lane.height - frame.scrollTop) - 0.5;
    renderer.line(0, bottom, frame.width, bottom, theme.line, SOLID);
    for (let at = 0; at < lane.subRows.length; at++) collectSubRow(frame, scene, lane, at);
  }
  for (const row of [scene.selected, scene.second]) if (row >= 0) collectRow(frame, scene, row);
  for (const [{ thin, wide }, alpha] of [[lists.rest, 0.22], [lists.found, 1]] as const) {
    renderer.rects(thin, palette, alpha, 0);
    renderer.rects(wide, palette, alpha, 2);
  }
  for (let i = 0; i < markedCount; i++) drawMarks(renderer, theme, frame, scene, marked[i] ?? -1);
}

const SOLID: readonly number[] = [];
/** Rows that get more than a bar; reused from frame to frame. */
const marked: number[] = [];
let markedCount = 0;

/** The bars of one sub-row: those hidden behind a bar of the same pixel are skipped without being looked at. */
function collectSubRow(frame: TimelineFrame, scene: SpaceScene, lane: Lane, at: number): void {
  const sub = lane.subRows[at];
  const middle = RULER_HEIGHT + lane.top + LANE_PAD + (at + 0.5) * lane.pitch - frame.scrollTop;
  if (sub === undefined || middle + lane.pitch < RULER_HEIGHT || middle - lane.pitch > frame.height) return;
  const { start, duration, status } = scene.shown;
  const { matches, cone, colors } = scene;
  const from = frame.window.start;
  const scale = frame.width / (frame.window.end - from);
  const height = lane.pitch >= 16 ? BAR_LABELLED : lane.pitch - 2;
  const y = middle - height / 2;
  const { rows } = sub;
  let thinList: RectList | null = null;
  let [thinFill, thinRight] = [0, 0];
  for (let place = reaching(sub, from); place < rows.length; ) {
    const row = rows[place] ?? -1;
    const left = ((start[row] ?? 0) - from) * scale;
    if (left > frame.width) return;
    const right = left + Math.max(BAR_WIDTH_MIN, (duration[row] ?? 0) * scale);
    const x = Math.max(-4, left);
    const width = Math.min(frame.width + 4, right) - x;
    const part = cone === null ? UNDECIDED : (cone[row] ?? UNDECIDED);
    const found = matches === null || matches[row] === 1 ? lists.found : lists.rest;
    const list = width <= THIN ? found.thin : found.wide;
    const fill = cone === null ? (colors[row] ?? 0) : part;
    // Thin bars with less than a pixel between them are one stroke: a hundred of them would look the same and cost a hundred times as much.
    const joins = list === thinList && fill === thinFill && left <= thinRight + 1;
    if (joins) list.widen(x + width);
    else if (width > 0) list.push(x, y, width, height, fill);
    thinList = list === found.thin ? list : null;
    thinFill = fill;
    thinRight = right;
    if ((cone !== null && part === UNDECIDED && width > 3) || width >= MARK_WIDTH_MIN || status[row] === STATUS_ERROR) marked[markedCount++] = row;
    place++;
    // The next one that shows a pixel of its own.
    if (((start[rows[place] ?? -1] ?? 0) + (duration[rows[place] ?? -1] ?? 0) - from) * scale < right + 0.5) place = reaching(sub, from + (right + 0.5) / scale, place);
  }
}

/** The chosen spans are there however narrow they are. */
function collectRow(frame: TimelineFrame, scene: SpaceScene, row: number): void {
  const { layout, cone, matches } = scene;
  const { left, right } = boxOf(frame, scene, row);
  const y = yOf(frame, layout, row);
  if (Number.isNaN(left + y) || (layout.subRow[row] ?? -1) < 0 || right < 0 || left > frame.width) return;
  const x = Math.max(-4, left);
  const height = barOf(layout, row);
  (matches === null || matches[row] === 1 ? lists.found : lists.rest).wide.push(x, y - height / 2, Math.min(frame.width + 4, right) - x, height, cone === null ? (scene.colors[row] ?? 0) : (cone[row] ?? UNDECIDED));
}

/** Shape tells what the tint tells: an arrow to the left is earlier, to the right later, a ring at the same time. */
function drawMarks(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene, row: number): void {
  const { left, right } = boxOf(frame, scene, row);
  const y = yOf(frame, scene.layout, row);
  const bar = barOf(scene.layout, row);
  const x = Math.max(0, left);
  const width = Math.min(frame.width, right) - x;
  const part = scene.cone?.[row];
  if (part === UNDECIDED) renderer.frame(x + 0.5, y - bar / 2 + 0.5, Math.max(2, width - 1), bar - 1, theme.muted, 1, [3, 2]);
  if (width >= MARK_WIDTH_MIN && part !== undefined && part !== UNDECIDED && part !== SELF) {
    renderer.symbol(part === EARLIER ? "left" : part === LATER ? "right" : "dot", x + 6, y, Math.min(bar, part === TOGETHER ? 5 : 7), theme.surface, theme.surface);
  }
  if (scene.shown.status[row] === STATUS_ERROR) renderer.symbol("error", Math.min(frame.width - 7, Math.max(7, right)), y, Math.max(9, bar), theme.error, theme.onError);
  const folded = scene.layout.folded[row] ?? 0;
  if (bar < BAR_LABELLED) return;
  if (width < LABEL_WIDTH_MIN) {
    if (folded > 0 && width >= 26) renderer.clipped(x, y - bar / 2, width, bar, () => renderer.text(x + width - 4, y, `+${folded}`, part === UNDECIDED ? theme.ink : theme.surface, "right"));
    return;
  }
  const indent = part === undefined || part === UNDECIDED || part === SELF ? 5 : 14;
  const chars = Math.floor((width - indent - 4) / CHAR_PIXELS);
  const label = `${folded > 0 ? `+${folded}  ` : ""}${scene.labels(row)}`;
  const text = label.length <= chars ? label : `${label.slice(0, Math.max(1, chars - 1))}…`;
  renderer.clipped(x, y - bar / 2, width, bar, () => renderer.text(x + indent, y, text, part === UNDECIDED ? theme.ink : theme.surface, "left"));
}

function drawArrows(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene, chosen: boolean): void {
  const messages = scene.shown.order?.messages;
  if (messages === undefined || (chosen ? scene.selected < 0 && scene.second < 0 : !scene.allArrows)) return;
  for (let i = 0; i < messages.count; i++) {
    const [from, to] = [messages.from[i] ?? -1, messages.to[i] ?? -1];
    const own = from === scene.selected || to === scene.selected || from === scene.second || to === scene.second;
    if (own !== chosen || (!own && !scene.allArrows)) continue;
    const x0 = xOfTime(frame, eventTime(scene.shown, from, messages.fromEnd[i] === 1));
    const x1 = xOfTime(frame, eventTime(scene.shown, to, messages.toEnd[i] === 1));
    if (!((x0 >= 0 || x1 >= 0) && (x0 <= frame.width || x1 <= frame.width))) continue;
    const [y0, y1] = [yOf(frame, scene.layout, from), yOf(frame, scene.layout, to)];
    if (Number.isNaN(y0 + y1) || (y0 < 0 && y1 < 0) || (y0 > frame.height && y1 > frame.height)) continue;
    const wrong = isBackwards(scene.shown, scene.shown, i);
    const color = wrong ? theme.error : own ? theme.accent : scene.selected >= 0 ? theme.lineStrong : theme.muted;
    const down = Math.sign(y1 - y0);
    // From the edge of one bar to the edge of the other.
    drawArrow(renderer, x0, y0 + (down * barOf(scene.layout, from)) / 2, x1, y1 - (down * barOf(scene.layout, to)) / 2, color, CERTAINTY_DASHES[messages.certainty[i] ?? 0] ?? []);
  }
}

function drawArrow(renderer: Renderer, x0: number, begin: number, x1: number, end: number, color: string, dash: readonly number[]): void {
  renderer.line(x0, begin, x1, end, color, dash);
  const length = Math.hypot(x1 - x0, end - begin);
  if (length < HEAD * 1.5) return;
  const [dx, dy] = [((x1 - x0) / length) * HEAD, ((end - begin) / length) * HEAD];
  for (const side of [0.5, -0.5]) renderer.line(x1 - dx + dy * side, end - dy - dx * side, x1, end, color, []);
}

export interface SpaceOverlay {
  readonly hovered: number;
  readonly pointerX: number | null;
  readonly cut: number | null;
  /** How far the times of a row may be off; null where times are not aligned. */
  readonly halfWidths: Float64Array | null;
}

/** Outlines, and the cut; all that changes while the pointer moves. */
export function drawSpaceOverlay(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene, overlay: SpaceOverlay): void {
  renderer.clear();
  renderer.clipped(0, RULER_HEIGHT, frame.width, frame.height - RULER_HEIGHT, () => {
    for (const [row, color, width] of [[overlay.hovered, theme.ink, 1.5], [scene.second, theme.ink, 2], [scene.selected, theme.accent, 2.5]] as const) {
      if (row < 0) continue;
      const { left, right } = boxOf(frame, scene, row);
      const y = yOf(frame, scene.layout, row);
      if (Number.isNaN(y) || right < -6 || left > frame.width + 6) continue;
      const x = Math.max(-6, left) - 2;
      const bar = barOf(scene.layout, row);
      renderer.frame(x, y - bar / 2 - 2, Math.max(6, Math.min(frame.width + 6, right) + 2 - x), bar + 4, color, width, []);
      drawReach(renderer, frame, overlay.halfWidths?.[row] ?? 0, left, right, y, color);
      if (row !== overlay.hovered && scene.second >= 0) renderer.text(Math.max(10, left + 2), y - bar / 2 - 9, row === scene.selected ? "A" : "B", color, "left");
    }
    if (overlay.cut !== null) {
      drawOpenAt(renderer, theme, frame, scene, overlay.cut);
    }
  });
  if (overlay.cut !== null) {
    const x = Math.round(xOfTime(frame, overlay.cut)) + 0.5;
    renderer.line(x, 4, x, frame.height, theme.accent, []);
    renderer.line(x + 1, 4, x + 1, frame.height, theme.accent, []);
  }
  if (overlay.pointerX === null) return;
  const x = Math.round(overlay.pointerX) + 0.5;
  renderer.line(x, RULER_HEIGHT, x, frame.height, theme.lineStrong, [2, 3]);
}

/** A mark on every span on screen that has begun and not ended at the cut. */
function drawOpenAt(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpaceScene, cut: number): void {
  const range = laneRange(scene.layout, frame);
  const x = xOfTime(frame, cut);
  for (let i = range.first; i < range.end; i++) {
    for (const sub of scene.layout.lanes[i]?.subRows ?? []) {
      for (let place = startedBy(sub, scene.shown, cut) - 1; place >= 0 && (sub.reach[place] ?? 0) > cut; place--) {
        const row = sub.rows[place] ?? -1;
        const y = yOf(frame, scene.layout, row);
        if (eventTime(scene.shown, row, true) <= cut || y <= RULER_HEIGHT || y >= frame.height) continue;
        renderer.symbol("diamond", x, y, 9, theme.accent, theme.surface);
        break;
      }
    }
  }
}

/** Whiskers at both ends, dotted where nothing bounds them. */
function drawReach(renderer: Renderer, frame: TimelineFrame, half: number, left: number, right: number, y: number, color: string): void {
  const pixels = Number.isNaN(half) ? 14 : (half / (frame.window.end - frame.window.start)) * frame.width;
  if (pixels < 3) return;
  for (const [end, way] of [[left, -1], [right, 1]] as const) {
    const tip = end + way * pixels;
    renderer.line(Math.max(-2, Math.min(frame.width + 2, end)), y, Math.max(-2, Math.min(frame.width + 2, tip)), y, color, Number.isNaN(half) ? [1, 2] : []);
    if (!Number.isNaN(half)) renderer.line(tip, y - 4, tip, y + 4, color, []);
  }
}

/** The row whose bar is under a point, or nearest within a few pixels; -1 for none. */
export function spaceRowAt(frame: TimelineFrame, scene: SpaceScene, x: number, y: number): number {
  if (y < RULER_HEIGHT) return -1;
  const at = y - RULER_HEIGHT + frame.scrollTop;
  const lane = scene.layout.lanes[laneAt(scene.layout, at)];
  const sub = lane?.subRows[Math.floor((at - lane.top - LANE_PAD) / lane.pitch)];
  if (sub === undefined) return -1;
  const reach = (HIT_PIXELS / frame.width) * (frame.window.end - frame.window.start);
  const time = timeOfX(frame, x);
  for (let place = startedBy(sub, scene.shown, time + reach) - 1; place >= 0 && (sub.reach[place] ?? 0) >= time - reach; place--) {
    const row = sub.rows[place] ?? -1;
    if (eventTime(scene.shown, row, true) >= time - reach) return row;
  }
  return -1;
}
