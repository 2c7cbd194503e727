// The geometry of one timeline frame: which rows and which time are on screen, and what is under a point.
import type { TimeWindow } from "../base/time_window.ts";

export const RULER_HEIGHT = 28;

export interface TimelineFrame {
  readonly width: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly scrollTop: number;
  readonly window: TimeWindow;
  /** How the ruler says a value; times unless told otherwise. */
  readonly tick?: (value: number, step: number) => string;
  /** Ticks of the ruler are not closer than this; 0 unless told otherwise. */
  readonly stepMin?: number;
}

export interface RowRange {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/** Positions (indices of visible rows) that intersect the screen. */
export function rowRange(frame: TimelineFrame, count: number): RowRange {
  const first = Math.max(0, Math.floor(frame.scrollTop / frame.rowHeight));
  const bottom = frame.scrollTop + Math.max(0, frame.height - RULER_HEIGHT);
  return { first: Math.min(first, count), end: Math.min(count, Math.ceil(bottom / frame.rowHeight)) };
}

export function xOfTime(frame: TimelineFrame, time: number): number {
  return ((time - frame.window.start) / (frame.window.end - frame.window.start)) * frame.width;
}

export function timeOfX(frame: TimelineFrame, x: number): number {
  return frame.window.start + (x / frame.width) * (frame.window.end - frame.window.start);
}

export function yOfPosition(frame: TimelineFrame, position: number): number {
  return RULER_HEIGHT + position * frame.rowHeight - frame.scrollTop;
}

/** The visible position under y, or -1. */
export function positionOfY(frame: TimelineFrame, y: number, count: number): number {
  if (y < RULER_HEIGHT || y >= frame.height) return -1;
  const position = Math.floor((y - RULER_HEIGHT + frame.scrollTop) / frame.rowHeight);
  return position < count ? position : -1;
}
