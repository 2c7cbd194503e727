// Traces too large for one answer come in parts: a stretch of time, and of it the longest spans with all that is above
// them. A part is named in absolute raw time, so that its link means the same whatever else is loaded.
import type { TracePart } from "../api/client.ts";
import type { TraceColumns } from "../api/trace_columns.ts";
import { addNanoseconds } from "../base/time.ts";
import type { TimeWindow } from "../base/time_window.ts";
import { formatCount, formatDuration, plural } from "../base/units.ts";
import { eventTime, shiftOf } from "./clock_choice.ts";
import { hasTime } from "./span_row.ts";

/** `1780000000000000000-1780000001000000000`, as in an address; null when it is no stretch of time. */
export function parsePart(text: string): TracePart | null {
  const [, start = "", end = ""] = /^(\d{1,19})-(\d{1,19})$/.exec(text) ?? [];
  return start !== "" && BigInt(start) < BigInt(end) ? { start, end } : null;
}

export const partText = (part: TracePart | null): string => (part === null ? "" : `${part.start}-${part.end}`);

/** `raw` is in ns after the raw start of the trace. */
export function partOf(trace: TraceColumns, raw: TimeWindow): TracePart {
  const start = Math.floor(raw.start);
  return { start: addNanoseconds(trace.startUnixNano, start), end: addNanoseconds(trace.startUnixNano, Math.max(start + 1, Math.ceil(raw.end))) };
}

/** All the time of one row; null where it has none. */
export function partOfRow(trace: TraceColumns, row: number): TracePart | null {
  if (!hasTime(trace, row)) return null;
  return partOf(trace, { start: trace.start[row] ?? 0, end: eventTime(trace, row, true) });
}

/**
 * When the clocks of what a window shows were in it. On the aligned axis each clock says something else, so the answer
 * is wide enough for all of them; on the axis of steps it reaches from the first to the last event in the window.
 */
export function rawWindow(trace: TraceColumns, shown: TraceColumns, window: TimeWindow, steps: boolean): TimeWindow {
  if (shown === trace) return window;
  const moved = Number(BigInt(shown.startUnixNano) - BigInt(trace.startUnixNano));
  let [start, end] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const reach = (from: number, to: number): void => {
    start = Math.min(start, from);
    end = Math.max(end, to);
  };
  for (let row = 0; row < trace.rowCount; row++) {
    if (!hasTime(trace, row) || !hasTime(shown, row)) continue;
    if (steps) {
      for (const isEnd of [false, true]) {
        const at = eventTime(shown, row, isEnd);
        if (at >= window.start && at <= window.end) reach(eventTime(trace, row, isEnd), eventTime(trace, row, isEnd));
      }
    } else if (eventTime(shown, row, true) >= window.start && eventTime(shown, row, false) <= window.end) {
      const shift = shiftOf(trace, row) - moved;
      reach(window.start - shift, window.end - shift);
    }
  }
  const whole = { start: 0, end: trace.extent };
  if (start > end) return whole;
  return { start: Math.min(whole.end, Math.max(0, start)), end: Math.max(0, Math.min(whole.end, end)) };
}

/** Where a part lies on the raw axis of the trace. */
export function windowOfPart(trace: TraceColumns, part: TracePart): TimeWindow {
  const offset = (unixNano: string): number => Number(BigInt(unixNano) - BigInt(trace.startUnixNano));
  return { start: offset(part.start), end: offset(part.end) };
}

/** Shares of a window: once a part is here, clocks of rows that were not may widen its window by that little. */
const SAME_SHARE = 0.05;

/** Whether loading a part would bring hardly anything that is not here. */
export function isSamePart(here: TracePart | null, wished: TracePart | null): boolean {
  if (here === null || wished === null) return here === wished;
  const far = (a: string, b: string): number => Math.abs(Number(BigInt(a) - BigInt(b)));
  return far(here.start, wished.start) + far(here.end, wished.end) <= SAME_SHARE * far(wished.start, wished.end);
}

/** What of the trace is here, as a sentence without its full stop. */
export function partSentence(trace: TraceColumns, part: TracePart | null): string {
  const count = `${formatCount(trace.rowCount)} of ${plural(trace.totalRows, "span")}: the longest`;
  if (part === null) return `${count} of the whole trace`;
  const { start, end } = windowOfPart(trace, part);
  return `${count} from ${offsetText(start)} to ${offsetText(end)}`;
}

const offsetText = (offset: number): string => (offset < 0 ? `−${formatDuration(-offset)}` : `+${formatDuration(offset)}`);
