// Traces as points: when they started (x) against how long they took (y, logarithmic). Errors are
// diamonds, incomplete traces are rings, the rest are dots, so colour is never the only sign.
import { tickStep } from "../base/time_window.ts";
import { formatAxisTime, millisOf, type TimeZone } from "../base/time.ts";
import { formatTick } from "../base/units.ts";
import type { TraceSummary } from "../api/trace_summary.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import type { Renderer } from "./renderer.ts";

export interface ScatterFrame {
  readonly width: number;
  readonly height: number;
  readonly timeStart: number;
  readonly timeEnd: number;
  readonly durationMin: number;
  readonly durationMax: number;
}

const LEFT = 58;
const RIGHT = 14;
/** Room for the legend. */
const TOP = 34;
const BOTTOM = 24;
const HIT_DISTANCE = 14;

/** The root's duration, or the envelope where no root has usable times. */
export const durationOf = (trace: TraceSummary): number => trace.durationNs ?? trace.envelopeNs;

/** A frame around all traces: 4 % of air left and right, at least a factor of 10 of duration. */
export function scatterFrame(traces: readonly TraceSummary[], width: number, height: number): ScatterFrame {
  let timeStart = Number.POSITIVE_INFINITY;
  let timeEnd = Number.NEGATIVE_INFINITY;
  let low = Number.POSITIVE_INFINITY;
  let high = 1;
  for (const trace of traces) {
    const time = millisOf(trace.startUnixNano);
    if (Number.isNaN(time)) continue;
    timeStart = Math.min(timeStart, time);
    timeEnd = Math.max(timeEnd, time);
    low = Math.min(low, Math.max(1, durationOf(trace)));
    high = Math.max(high, durationOf(trace));
  }
  if (timeStart > timeEnd) return { width, height, timeStart: 0, timeEnd: 1, durationMin: 1, durationMax: 10 };
  const air = Math.max(500, (timeEnd - timeStart) * 0.04);
  const spread = Math.max(1.5, Math.sqrt(10 / (high / low)));
  return {
    width, height, timeStart: timeStart - air, timeEnd: timeEnd + air, durationMin: low / spread, durationMax: high * spread,
  };
}

export function xOfMillis(frame: ScatterFrame, millis: number): number {
  const share = (millis - frame.timeStart) / (frame.timeEnd - frame.timeStart);
  return LEFT + share * (frame.width - LEFT - RIGHT);
}

export function yOfDuration(frame: ScatterFrame, duration: number): number {
  const share = Math.log(Math.max(1, duration) / frame.durationMin) / Math.log(frame.durationMax / frame.durationMin);
  return frame.height - BOTTOM - share * (frame.height - TOP - BOTTOM);
}

export function millisOfX(frame: ScatterFrame, x: number): number {
  return frame.timeStart + ((x - LEFT) / (frame.width - LEFT - RIGHT)) * (frame.timeEnd - frame.timeStart);
}

export function durationOfY(frame: ScatterFrame, y: number): number {
  const share = (frame.height - BOTTOM - y) / (frame.height - TOP - BOTTOM);
  return frame.durationMin * (frame.durationMax / frame.durationMin) ** share;
}

/** Index of the nearest trace within reach, or -1. */
export function traceAt(frame: ScatterFrame, traces: readonly TraceSummary[], x: number, y: number): number {
  let nearest = -1;
  let best = HIT_DISTANCE ** 2;
  traces.forEach((trace, i) => {
    const dx = xOfMillis(frame, millisOf(trace.startUnixNano)) - x;
    const dy = yOfDuration(frame, durationOf(trace)) - y;
    const distance = dx * dx + dy * dy;
    if (distance <= best) {
      best = distance;
      nearest = i;
    }
  });
  return nearest;
}

function durationTicks(frame: ScatterFrame): number[] {
  const decades = Math.log10(frame.durationMax / frame.durationMin);
  const factors = decades > 3 ? [1] : decades > 1.6 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(frame.durationMin)); 10 ** power <= frame.durationMax; power++) {
    for (const factor of factors) ticks.push(factor * 10 ** power);
  }
  return ticks.filter((tick) => tick >= frame.durationMin && tick <= frame.durationMax);
}

/** Time steps people read: up to a minute decimal, above that parts of hours and days. */
function timeStep(rangeMillis: number, ticksMax: number): number {
  const wish = rangeMillis / ticksMax;
  const minutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((one) => one * 60_000);
  if (wish <= 30_000) return [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000].find((one) => one >= wish) ?? 30_000;
  return minutes.find((one) => one >= wish) ?? tickStep(rangeMillis / 86_400_000, ticksMax) * 86_400_000;
}

export function drawScatter(renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, traces: readonly TraceSummary[], zone: TimeZone): void {
  renderer.clear();
  drawScatterAxes(renderer, theme, frame, zone);
  // Errors last, so that they are never hidden.
  for (const trace of traces) if (trace.errors === 0) drawPoint(renderer, theme, frame, trace);
  for (const trace of traces) if (trace.errors > 0) drawPoint(renderer, theme, frame, trace);
}

export function drawScatterAxes(renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, zone: TimeZone): void {
  const right = frame.width - RIGHT;
  const bottom = frame.height - BOTTOM;
  let labelY = Number.POSITIVE_INFINITY;
  for (const tick of durationTicks(frame)) {
    const y = Math.round(yOfDuration(frame, tick)) + 0.5;
    if (labelY - y < 16) continue;
    labelY = y;
    renderer.line(LEFT, y, right, y, theme.line, []);
    renderer.text(LEFT - 8, y, formatTick(tick, tick), theme.muted, "right");
  }
  const range = frame.timeEnd - frame.timeStart;
  const step = timeStep(range, (right - LEFT) / 110);
  // Ticks on round local times: shift by the zone's offset, round, shift back.
  const offset = zone === "utc" ? 0 : new Date(frame.timeStart).getTimezoneOffset() * 60_000;
  for (let tick = Math.ceil((frame.timeStart - offset) / step) * step + offset; tick <= frame.timeEnd; tick += step) {
    const x = Math.round(xOfMillis(frame, tick)) + 0.5;
    renderer.line(x, bottom, x, bottom + 4, theme.lineStrong, []);
    if (x > LEFT + 20 && x < right - 24) renderer.text(x, bottom + 14, formatAxisTime(tick, range, zone), theme.muted, "center");
  }
  renderer.line(LEFT, bottom + 0.5, right, bottom + 0.5, theme.lineStrong, []);
}

function drawPoint(renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, trace: TraceSummary): void {
  const x = xOfMillis(frame, millisOf(trace.startUnixNano));
  const y = yOfDuration(frame, durationOf(trace));
  if (Number.isNaN(x)) return;
  const size = Math.min(16, 6 + Math.log2(Math.max(1, trace.spans)) * 0.6);
  if (trace.errors > 0) renderer.symbol("diamond", x, y, size + 4, theme.error, theme.surface);
  else if (!trace.complete) renderer.symbol("ring", x, y, size, theme.warning, theme.surface);
  else renderer.symbol("dot", x, y, size, theme.accent, theme.surface);
}

export interface ScatterDrag {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export function drawScatterOverlay(
  renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, hovered: TraceSummary | undefined, drag: ScatterDrag | null,
): void {
  renderer.clear();
  if (drag !== null) {
    const x = Math.min(drag.x0, drag.x1);
    const y = Math.min(drag.y0, drag.y1);
    renderer.frame(x, y, Math.abs(drag.x1 - drag.x0), Math.abs(drag.y1 - drag.y0), theme.accent, 1.5, [5, 3]);
  }
  if (hovered === undefined) return;
  const x = xOfMillis(frame, millisOf(hovered.startUnixNano));
  const y = yOfDuration(frame, durationOf(hovered));
  renderer.line(Math.round(x) + 0.5, TOP, Math.round(x) + 0.5, frame.height - BOTTOM, theme.lineStrong, [2, 3]);
  renderer.symbol("ring", x, y, 22, theme.ink, theme.surface);
  drawPoint(renderer, theme, frame, hovered);
}
