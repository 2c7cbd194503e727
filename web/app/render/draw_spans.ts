// The middle canvas: one bar per visible row. Reads only the rows on screen, so its cost does not depend
// on the length of the trace.
import { formatDuration } from "../base/units.ts";
import { FLAG_ENDS_BEFORE_START, FLAG_NO_TIME, FLAG_PLACEHOLDER, STATUS_ERROR, type TraceColumns } from "../api/trace_columns.ts";
import { summarizeRun } from "../model/folds.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";
import { RULER_HEIGHT, rowRange, xOfTime, yOfPosition, type TimelineFrame } from "./timeline_frame.ts";

export interface SpanScene {
  readonly trace: TraceColumns;
  readonly rows: Int32Array;
  /** Place in the palette per row. */
  readonly colors: Uint8Array;
  readonly palette: readonly string[];
  /** How many rows of equal calls this one stands for, else 0. */
  readonly foldedRun: (row: number) => number;
  /** Rows from one of these calls to the next, by the first of them; without, they follow each other. */
  readonly strides?: Int32Array;
  /** 1 for rows that match the search; null when nothing is searched. */
  readonly matches: Uint8Array | null;
  /** What labels say, where it is not what bars are as long as. */
  readonly durations?: Float64Array;
  /** How far the times of a row may be off, either way; NaN where nothing bounds it. */
  readonly halfWidths?: Float64Array | null;
}

export const strideOf = (scene: SpanScene, row: number): number => scene.strides?.[row] ?? 1;

const BAR_WIDTH_MIN = 2;
const DIMMED = 0.22;
const bright = new RectList();
const dimmed = new RectList();

export function drawSpans(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene): void {
  renderer.clear();
  bright.clear();
  dimmed.clear();
  const { trace, rows, colors, matches } = scene;
  const range = rowRange(frame, rows.length);
  const inset = Math.round(frame.rowHeight * 0.24);
  const barHeight = frame.rowHeight - 2 * inset;
  for (let position = range.first; position < range.end; position++) {
    const row = rows[position] ?? 0;
    const y = yOfPosition(frame, position) + inset;
    let drawnTo = Number.NEGATIVE_INFINITY;
    const run = scene.foldedRun(row);
    const stride = strideOf(scene, row);
    for (let member = row; member < row + Math.max(1, run) * stride; member += stride) {
      const left = xOfTime(frame, trace.start[member] ?? Number.NaN);
      const right = left + barWidth(frame, trace.duration[member] ?? 0);
      if (!(right >= 0 && left <= frame.width)) continue;
      // Of thousands of calls in one row only those that reach a new pixel are drawn.
      if (member > row && right < drawnTo + 0.5 && trace.status[member] !== STATUS_ERROR) continue;
      drawnTo = right;
      const x = Math.max(-4, left);
      const list = matches === null || matches[member] === 1 ? bright : dimmed;
      list.push(x, y, Math.min(frame.width + 4, right) - x - (run > 0 ? Math.min(1, (right - left) / 3) : 0), barHeight, colors[member] ?? 0);
    }
  }
  renderer.clipped(0, RULER_HEIGHT, frame.width, frame.height - RULER_HEIGHT, () => {
    renderer.rects(dimmed, scene.palette, DIMMED, 2);
    renderer.rects(bright, scene.palette, 1, 2);
    for (let position = range.first; position < range.end; position++) {
      drawMarks(renderer, theme, frame, scene, position, inset, barHeight);
    }
  });
}

function barWidth(frame: TimelineFrame, duration: number): number {
  const width = (Math.max(0, duration) / (frame.window.end - frame.window.start)) * frame.width;
  return Math.max(BAR_WIDTH_MIN, width);
}

/** What tells more than the bar: its duration, an error, missing or impossible times, "it is over there". */
function drawMarks(
  renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene,
  position: number, inset: number, barHeight: number,
): void {
  const { trace, rows, matches } = scene;
  const row = rows[position] ?? 0;
  const flags = trace.flags[row] ?? 0;
  const y = yOfPosition(frame, position);
  const middle = y + frame.rowHeight / 2;
  if ((flags & FLAG_PLACEHOLDER) !== 0) return drawPlaceholder(renderer, theme, frame, scene, row, y + inset, barHeight);
  if (scene.foldedRun(row) > 0) return drawRunMarks(renderer, theme, frame, scene, row, middle);
  if ((flags & FLAG_NO_TIME) !== 0) {
    renderer.text(6, middle, "no usable time", theme.warning, "left");
    return;
  }
  const left = xOfTime(frame, trace.start[row] ?? 0);
  const right = left + barWidth(frame, trace.duration[row] ?? 0);
  const isError = trace.status[row] === STATUS_ERROR;
  if (right < 0 || left > frame.width) {
    const color = isError ? theme.error : theme.muted;
    renderer.symbol(right < 0 ? "left" : "right", right < 0 ? 6 : frame.width - 6, middle, 7, color, color);
    return;
  }
  const quiet = matches !== null && matches[row] !== 1;
  const reach = drawWhiskers(renderer, theme, frame, scene, row, left, right, middle);
  if (isError) {
    const x = Math.max(0.75, left);
    renderer.frame(x, y + inset, Math.min(frame.width - 0.75, right) - x, barHeight, theme.error, 1.5, []);
    renderer.symbol("error", Math.min(frame.width - 8, Math.max(8, left)), middle, 14, theme.error, theme.onError);
  }
  const invalid = (flags & FLAG_ENDS_BEFORE_START) !== 0;
  const label = formatDuration((scene.durations ?? trace.duration)[row] ?? Number.NaN) + (invalid ? " ends before start" : "");
  drawLabel(renderer, frame, label, left - reach - (isError ? 8 : 0), right + reach + (isError && right - left < 8 ? 8 : 0), middle, quiet ? theme.muted : invalid ? theme.warning : theme.ink);
}

/** Below this a whisker is narrower than its caps. */
const WHISKER_PIXELS_MIN = 1.5;
/** Stands for "unknown how far". */
const OPEN_WHISKER_PIXELS = 12;

/** How far both ends may be off: a line with caps, or a dotted one without where nothing bounds it. Gives its length. */
function drawWhiskers(
  renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene, row: number, left: number, right: number, y: number,
): number {
  if (scene.halfWidths === undefined || scene.halfWidths === null) return 0;
  const half = scene.halfWidths[row] ?? Number.NaN;
  if (Number.isNaN(half)) {
    renderer.line(left - OPEN_WHISKER_PIXELS, y, left, y, theme.ink, [1, 2]);
    renderer.line(right, y, right + OPEN_WHISKER_PIXELS, y, theme.ink, [1, 2]);
    return OPEN_WHISKER_PIXELS;
  }
  const pixels = (half / (frame.window.end - frame.window.start)) * frame.width;
  if (pixels < WHISKER_PIXELS_MIN) return 0;
  for (const end of [left, right]) {
    // A long bar's end far off screen has nothing to show.
    if (end + pixels < 0 || end - pixels > frame.width) continue;
    renderer.line(Math.max(-2, end - pixels), y, Math.min(frame.width + 2, end + pixels), y, theme.ink, []);
    for (const x of [end - pixels, end + pixels]) renderer.line(x, y - 4, x, y + 4, theme.ink, []);
  }
  return Math.min(pixels, frame.width);
}

/** What a row of many equal calls says: where the errors are, how many there are and how long they took. */
function drawRunMarks(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene, row: number, middle: number): void {
  const { trace } = scene;
  const stride = strideOf(scene, row);
  const run = summarizeRun(trace, row, scene.foldedRun(row), stride);
  const [left, right] = [xOfTime(frame, run.start), xOfTime(frame, run.end)];
  if (Number.isNaN(left)) {
    renderer.text(6, middle, "no usable time", theme.warning, "left");
    return;
  }
  if (right < 0 || left > frame.width) {
    const color = run.errors > 0 ? theme.error : theme.muted;
    renderer.symbol(right < 0 ? "left" : "right", right < 0 ? 6 : frame.width - 6, middle, 7, color, color);
    return;
  }
  let lastX = Number.NEGATIVE_INFINITY;
  for (let member = row; member < row + run.count * stride && run.errors > 0; member += stride) {
    const x = Math.min(frame.width - 8, Math.max(8, xOfTime(frame, trace.start[member] ?? Number.NaN)));
    if (trace.status[member] !== STATUS_ERROR || x - lastX < 10) continue;
    renderer.symbol("error", x, middle, 14, theme.error, theme.onError);
    lastX = x;
  }
  drawLabel(renderer, frame, `${run.count} × ${formatDuration(run.median)}, ${formatDuration(run.total)} in all`, left, right, middle, theme.ink);
}

/** Right of the bar where there is room, else left of it; a bar that fills the row says it at its end in the tree. */
function drawLabel(renderer: Renderer, frame: TimelineFrame, label: string, left: number, right: number, y: number, color: string): void {
  const width = label.length * 6 + 8;
  if (right + width <= frame.width) renderer.text(right + 5, y, label, color, "left");
  else if (left - width >= 0) renderer.text(left - 5, y, label, color, "right");
}

/** A dashed box over the time of the children that name the missing span as their parent. */
function drawPlaceholder(
  renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene, row: number, y: number, height: number,
): void {
  const { trace } = scene;
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  const last = row + (trace.subtree[row] ?? 1);
  for (let child = row + 1; child < last; child += trace.subtree[child] ?? 1) {
    const childStart = trace.start[child] ?? Number.NaN;
    if (Number.isNaN(childStart)) continue;
    start = Math.min(start, childStart);
    end = Math.max(end, childStart + Math.max(0, trace.duration[child] ?? 0));
  }
  if (start > end) return;
  const x = Math.max(0.5, xOfTime(frame, start));
  const right = Math.min(frame.width - 0.5, xOfTime(frame, end));
  if (right < 0 || x > frame.width) return;
  renderer.frame(x, y + 0.5, Math.max(BAR_WIDTH_MIN, right - x), height - 1, theme.warning, 1, [4, 3]);
}
