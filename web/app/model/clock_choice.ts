// The same trace on another time axis: as reported, aligned to one clock, or as steps of the causal order. The
// result is again TraceColumns, so that everything that draws times works on each of them.
import type { CausalLine } from "../api/order.ts";
import { isPartial, type TraceColumns } from "../api/trace_columns.ts";
import type { TraceClock } from "../api/trace_order.ts";
import { addNanoseconds } from "../base/time.ts";
import { lineOf } from "../base/text.ts";
import { formatCount, formatDuration } from "../base/units.ts";
import { rowsBySpanId } from "./span_row.ts";

export const CLOCK_CHOICES = [
  { id: "raw", label: "Raw", title: "Times as each clock reported them" },
  { id: "aligned", label: "Aligned", title: "Times moved onto the root's clock; nothing that is proven is contradicted" },
  { id: "causal", label: "Causal", title: "Steps of the causal order instead of time" },
] as const;
export type ClockChoice = (typeof CLOCK_CHOICES)[number]["id"];

/** Steps have no durations: only views that draw moments can show them, the others then show aligned times. */
export function clockChoices(tab: string): readonly (typeof CLOCK_CHOICES)[number][] {
  return tab === "timeline" || tab === "space" ? CLOCK_CHOICES : CLOCK_CHOICES.filter((one) => one.id !== "causal");
}

/** Length of a step of the causal order: windows cannot be narrower than 100. */
export const STEP = 1000;

/** Spans of a trace up to which its causal order is loaded: that is two steps each, some 15 MB at this limit. */
export const CAUSAL_SPANS_MAX = 100_000;

/** Whether the steps of the causal order can be shown at all. */
export const hasSteps = (trace: TraceColumns): boolean => trace.totalRows <= CAUSAL_SPANS_MAX;

/** On the clock of reference. The trace then starts where its first aligned span does. */
export function alignedColumns(trace: TraceColumns): TraceColumns {
  const { order } = trace;
  if (order === null) return trace;
  return rebased(trace, order.start, order.duration, false);
}

/** Events as steps 0, 1, 2 ... instead of times. */
export function causalColumns(trace: TraceColumns, line: CausalLine): TraceColumns {
  const start = new Float64Array(trace.rowCount).fill(Number.NaN);
  const end = new Float64Array(trace.rowCount).fill(Number.NaN);
  const rows = rowsBySpanId(trace);
  line.spanIds.forEach((id, step) => {
    for (const row of rows.get(id) ?? []) {
      const column = line.ends[step] === 1 ? end : start;
      if (Number.isNaN(column[row])) column[row] = step * STEP;
    }
  });
  return rebased(trace, start, end.map((one, row) => one - (start[row] ?? 0)), true);
}

function rebased(trace: TraceColumns, from: Float64Array, duration: Float64Array, steps: boolean): TraceColumns {
  // Of a trace that is here in part the axis reaches over all of it, so that it stays the same for each part.
  const whole = isPartial(trace) && !steps;
  let first = whole ? 0 : Number.POSITIVE_INFINITY;
  let last = whole ? trace.extent : Number.NEGATIVE_INFINITY;
  for (let row = 0; row < trace.rowCount; row++) {
    const at = from[row] ?? Number.NaN;
    if (Number.isNaN(at)) continue;
    first = Math.min(first, at);
    last = Math.max(last, at + Math.max(0, duration[row] ?? 0));
  }
  if (first > last) return trace;
  const extent = Math.max(1, last - first);
  const start = from.map((one) => one - first);
  if (steps) return { ...trace, start, duration, extent };
  const root = duration[trace.rootRow] ?? Number.NaN;
  return { ...trace, start, duration, extent, rootDuration: trace.rootDuration === null || Number.isNaN(root) ? trace.rootDuration : root, startUnixNano: addNanoseconds(trace.startUnixNano, first) };
}

/** By how much alignment moves a row, in ns. */
export const shiftOf = (trace: TraceColumns, row: number): number => (trace.order?.start[row] ?? Number.NaN) - (trace.start[row] ?? Number.NaN);

export const formatShift = (value: number): string => (value === 0 ? "0" : `${value > 0 ? "+" : "−"}${formatDuration(Math.abs(value))}`);

/** Around a trace, so that drift and steps before and after it are seen. */
const CLOCK_MARGIN_NS = 300_000_000_000;

/** The page of a clock, in the time of a trace: what is known of it now says nothing about then. */
export function clockUrl(trace: TraceColumns, id: string): string {
  const start = addNanoseconds(trace.startUnixNano, -CLOCK_MARGIN_NS);
  const end = addNanoseconds(trace.startUnixNano, trace.extent + CLOCK_MARGIN_NS);
  return `/clocks?${new URLSearchParams({ start, end, q: id }).toString()}`;
}

/** Of a service or a host, where one stands for a clock. */
const NAME_CHARS_MAX = 60;

/** `cart on fra-07`; the id where nothing else is known. */
export function clockName(clock: TraceClock): string {
  const service = lineOf(clock.service ?? "", NAME_CHARS_MAX);
  const host = lineOf(clock.host ?? clock.instance ?? "", NAME_CHARS_MAX);
  if (service === "" && host === "") return clock.id;
  return service === "" ? host : host === "" ? service : `${service} on ${host}`;
}

export function knownTo(halfWidth: number): string {
  return Number.isNaN(halfWidth) ? "nothing bounds how far off that is" : halfWidth === 0 ? "exactly" : `known to ±${formatDuration(halfWidth)}`;
}

/** What alignment did with a row, as a sentence. */
export function explainShift(trace: TraceColumns, row: number): string {
  const { order } = trace;
  const clock = order?.clocks[order.clock[row] ?? -1];
  if (order === null || clock === undefined) return "not moved: its clock is not known";
  const shift = shiftOf(trace, row);
  const whose = `its clock ${clock.id} of ${clockName(clock)}`;
  if (Number.isNaN(shift)) return `no usable time; ${whose}`;
  if (order.clock[row] === order.reference) return `not moved: ${whose} is the one that times are told on`;
  return `${shift === 0 ? "not moved" : `moved by ${formatShift(shift)}`}, ${knownTo(order.halfWidth[row] ?? Number.NaN)}; ${whose}`;
}

export interface AlignmentSummary {
  /** Rows that move at all, and by how much at most. */
  readonly moved: number;
  readonly shiftMost: number;
  /** The row that moves most, or -1. */
  readonly rowMost: number;
  /** Proven messages that raw times show arriving before they were sent. */
  readonly contradictions: number;
  /** The first row that such a message arrives at, or -1. */
  readonly firstRow: number;
}

/** What raw times get wrong. A claimed start may lie before the real one, so the answer is about what is shown. */
export function summarizeAlignment(trace: TraceColumns): AlignmentSummary {
  const { order } = trace;
  let [moved, shiftMost, rowMost, contradictions, firstRow] = [0, 0, -1, 0, -1];
  if (order === null) return { moved, shiftMost, rowMost, contradictions, firstRow };
  for (let row = 0; row < trace.rowCount; row++) {
    const shift = shiftOf(trace, row);
    if (shift !== 0 && !Number.isNaN(shift)) moved++;
    if (Math.abs(shift) > Math.abs(shiftMost)) [shiftMost, rowMost] = [shift, row];
  }
  for (let i = 0; i < order.messages.count; i++) {
    if (order.messages.certainty[i] !== 0 || !isBackwards(trace, trace, i)) continue;
    contradictions++;
    if (firstRow < 0) firstRow = order.messages.to[i] ?? -1;
  }
  return { moved, shiftMost, rowMost, contradictions, firstRow };
}

/** Whether times on this axis show a message arriving before it was sent. */
export function isBackwards(trace: TraceColumns, shown: TraceColumns, message: number): boolean {
  const messages = trace.order?.messages;
  if (messages === undefined) return false;
  return eventTime(shown, messages.from[message] ?? -1, messages.fromEnd[message] === 1) > eventTime(shown, messages.to[message] ?? -1, messages.toEnd[message] === 1);
}

export function eventTime(shown: TraceColumns, row: number, end: boolean): number {
  return (shown.start[row] ?? Number.NaN) + (end ? Math.max(0, shown.duration[row] ?? 0) : 0);
}

/** A label of the axis of steps. */
export function formatStep(value: number, step: number): string {
  return step < STEP && value % STEP !== 0 ? "" : `step ${formatCount(Math.round(value / STEP) + 1)}`;
}
