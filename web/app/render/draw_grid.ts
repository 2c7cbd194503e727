// The bottom canvas: ruler and vertical lines. It changes only with the time window and the size.
import { tickStep } from "../base/time_window.ts";
import { formatTick } from "../base/units.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import type { Renderer } from "./renderer.ts";
import { RULER_HEIGHT, xOfTime, type TimelineFrame } from "./timeline_frame.ts";

/** Wide enough for the longest label, `123.456 ms`, and some air. */
const TICK_WIDTH_MIN = 88;

export function drawGrid(renderer: Renderer, theme: CanvasTheme, frame: TimelineFrame): void {
  renderer.clear();
  const { start, end } = frame.window;
  const step = Math.max(frame.stepMin ?? 0, tickStep(end - start, frame.width / TICK_WIDTH_MIN));
  for (let tick = Math.ceil(start / step) * step; tick <= end; tick += step) {
    const x = Math.round(xOfTime(frame, tick)) + 0.5;
    renderer.line(x, RULER_HEIGHT - 6, x, frame.height, theme.line, []);
    const label = (frame.tick ?? formatTick)(tick, step);
    // A label at the right edge would be cut in half, so it goes to the other side of its line.
    if (x + label.length * 6 + 8 < frame.width) renderer.text(x + 4, RULER_HEIGHT / 2, label, theme.muted, "left");
  }
  renderer.line(0, RULER_HEIGHT - 0.5, frame.width, RULER_HEIGHT - 0.5, theme.lineStrong, []);
}
