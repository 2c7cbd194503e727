// The part of a trace's time that is on screen, and the arithmetic of zooming and panning it.
// Invariant: 0 <= start < end <= extent, and end - start >= WINDOW_NS_MIN (unless the trace is shorter).

export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** Below this, neighbouring pixels would be fractions of a nanosecond, which no clock has. */
const WINDOW_NS_MIN = 100;

/** The whole trace; a trace of no length still gets a window one can draw. */
export function fullWindow(extent: number): TimeWindow {
  return { start: 0, end: Math.max(extent, WINDOW_NS_MIN) };
}

/** Moves and shrinks a wish until it keeps the invariant. */
export function clampWindow(wish: TimeWindow, extent: number): TimeWindow {
  const limit = Math.max(extent, WINDOW_NS_MIN);
  const width = Math.min(limit, Math.max(WINDOW_NS_MIN, wish.end - wish.start));
  const start = Math.min(limit - width, Math.max(0, wish.start));
  return { start, end: start + width };
}

/** Zooms by `factor` (< 1 is closer) so that the time under `anchor` (0 left, 1 right) stays in place. */
export function zoomWindow(from: TimeWindow, extent: number, factor: number, anchor: number): TimeWindow {
  const width = from.end - from.start;
  const limit = Math.max(extent, WINDOW_NS_MIN);
  const newWidth = Math.min(limit, Math.max(WINDOW_NS_MIN, width * factor));
  const start = from.start + (width - newWidth) * anchor;
  return clampWindow({ start, end: start + newWidth }, extent);
}

/** Moves by a share of the window's own width. */
export function panWindow(from: TimeWindow, extent: number, share: number): TimeWindow {
  const shift = (from.end - from.start) * share;
  return clampWindow({ start: from.start + shift, end: from.end + shift }, extent);
}

/** A window around one interval, with a margin of a tenth on both sides. */
export function windowAround(start: number, duration: number, extent: number): TimeWindow {
  const margin = Math.max(duration * 0.1, WINDOW_NS_MIN / 2);
  return clampWindow({ start: start - margin, end: start + duration + margin }, extent);
}

export function isFullWindow(one: TimeWindow, extent: number): boolean {
  const full = fullWindow(extent);
  return one.start <= full.start && one.end >= full.end;
}

/** Round steps (1, 2 or 5 times a power of ten) that give at most `ticksMax` ticks. */
export function tickStep(range: number, ticksMax: number): number {
  const rough = range / Math.max(1, ticksMax);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough * 0.999999) ?? 10;
  return step * power;
}
