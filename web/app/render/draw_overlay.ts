// The top canvas: the selected span's outline, its events, and the time under the pointer. The only one
// that repaints when the mouse moves.
import { formatTick } from "../base/units.ts";
import { tickStep } from "../base/time_window.ts";
import { summarizeRun } from "../model/folds.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";
import { RULER_HEIGHT, timeOfX, xOfTime, yOfPosition, type TimelineFrame } from "./timeline_frame.ts";
import { strideOf, type SpanScene } from "./draw_spans.ts";

export interface Overlay {
  /** Position among the visible rows, or -1. */
  readonly selected: number;
  /** Offsets of the selected span's events in ns. */
  readonly eventTimes: readonly number[];
  readonly pointerX: number | null;
  /** A time range being dragged on the ruler. */
  readonly drag: { readonly from: number; readonly to: number } | null;
  /** Where the selected span lies before alignment, as start and end on this axis. */
  readonly before?: { readonly start: number; readonly end: number } | null;
}

const list = new RectList();

export function drawOverlay(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene, overlay: Overlay): void {
  renderer.clear();
  const body = frame.height - RULER_HEIGHT;
  renderer.clipped(0, RULER_HEIGHT, frame.width, body, () => drawSelection(renderer, theme, frame, scene, overlay));
  if (overlay.drag !== null) {
    const x = xOfTime(frame, Math.min(overlay.drag.from, overlay.drag.to));
    const right = xOfTime(frame, Math.max(overlay.drag.from, overlay.drag.to));
    list.clear();
    list.push(x, 0, right - x, frame.height, 0);
    renderer.rects(list, [theme.accent], 0.18, 0);
  }
  if (overlay.pointerX !== null) drawPointer(renderer, theme, frame, overlay.pointerX);
}

function drawSelection(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, scene: SpanScene, overlay: Overlay): void {
  if (overlay.selected < 0) return;
  const row = scene.rows[overlay.selected] ?? -1;
  const run = scene.foldedRun(row) > 0 ? summarizeRun(scene.trace, row, scene.foldedRun(row), strideOf(scene, row)) : null;
  const start = run?.start ?? scene.trace.start[row] ?? Number.NaN;
  const y = yOfPosition(frame, overlay.selected);
  if (Number.isNaN(start) || y > frame.height || y + frame.rowHeight < RULER_HEIGHT) return;
  const x = xOfTime(frame, start);
  const right = xOfTime(frame, run?.end ?? start + Math.max(0, scene.trace.duration[row] ?? 0));
  const inset = Math.round(frame.rowHeight * 0.24) - 2.5;
  const clippedX = Math.max(-6, x) - 2;
  const width = Math.max(4, Math.min(frame.width + 6, right + 2) - clippedX);
  renderer.frame(clippedX, y + inset, width, frame.rowHeight - 2 * inset, theme.accent, 1.5, []);
  drawBefore(renderer, theme, frame, overlay, start, y);
  for (const time of overlay.eventTimes) {
    renderer.symbol("triangle", xOfTime(frame, time), y + 5, 8, theme.ink, theme.surface);
  }
}

/** A dashed outline where the clock itself put the span, and a line from there to where it is shown. */
function drawBefore(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, overlay: Overlay, start: number, y: number): void {
  if (overlay.before === undefined || overlay.before === null) return;
  const [x, right] = [xOfTime(frame, overlay.before.start), xOfTime(frame, overlay.before.end)];
  if (Math.abs(x - xOfTime(frame, start)) < 2) return;
  const left = Math.max(-4, x);
  renderer.frame(left, y + 3.5, Math.max(2, Math.min(frame.width + 4, right) - left), frame.rowHeight - 7, theme.muted, 1, [3, 3]);
  renderer.line(Math.max(0, Math.min(frame.width, x)), y + frame.rowHeight - 2.5, Math.max(0, Math.min(frame.width, xOfTime(frame, start))), y + frame.rowHeight - 2.5, theme.muted, [1, 3]);
}

function drawPointer(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame, pointerX: number): void {
  const x = Math.round(pointerX) + 0.5;
  renderer.line(x, RULER_HEIGHT - 8, x, frame.height, theme.muted, [2, 3]);
  const range = frame.window.end - frame.window.start;
  const label = frame.tick === undefined ? formatTick(timeOfX(frame, pointerX), tickStep(range, 500)) : frame.tick(timeOfX(frame, pointerX), Number.POSITIVE_INFINITY);
  const width = label.length * 6.2 + 12;
  const left = Math.min(frame.width - width, Math.max(0, x - width / 2));
  list.clear();
  list.push(left, 4, width, 18, 0);
  renderer.rects(list, [theme.ink], 1, 3);
  renderer.text(left + width / 2, 13, label, theme.surface, "center");
}
