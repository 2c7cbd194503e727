// What the colour of a bar tells: the service, how long the span took, or where the errors are.
import type { TraceColumns } from "../api/trace_columns.ts";
import { SLOT_COUNT } from "./service_slots.ts";
import { isError } from "./span_row.ts";

export const COLOR_CHOICES = [
  { id: "service", label: "Service" },
  { id: "duration", label: "Duration" },
  { id: "error", label: "Error" },
] as const;
export type ColorChoice = (typeof COLOR_CHOICES)[number]["id"];

export const HEAT_COUNT = 6;
/** Each step of the scale is half a power of ten. */
const HEAT_STEP = Math.sqrt(10);

/** The shortest duration of each step, for the legend; the first begins at 0. */
export function heatLimits(longest: number): number[] {
  return Array.from({ length: HEAT_COUNT }, (_, step) => (step === 0 ? 0 : longest / HEAT_STEP ** (HEAT_COUNT - step)));
}

export function longestSpan(trace: TraceColumns): number {
  let longest = 0;
  for (const duration of trace.duration) if (duration > longest) longest = duration;
  return longest;
}

/** Place in the palette of the choice, per row. For errors: 0 none, 1 an error somewhere below, 2 an error. */
export function rowColors(trace: TraceColumns, slots: Uint8Array, choice: ColorChoice): Uint8Array {
  const colors = new Uint8Array(trace.rowCount);
  if (choice === "duration") {
    const limits = heatLimits(longestSpan(trace));
    for (let row = 0; row < trace.rowCount; row++) {
      let step = HEAT_COUNT - 1;
      while (step > 0 && !((trace.duration[row] ?? 0) >= (limits[step] ?? 0))) step--;
      colors[row] = step;
    }
  } else if (choice === "error") {
    for (let row = trace.rowCount - 1; row >= 0; row--) {
      const above = trace.parent[row] ?? -1;
      if (isError(trace, row)) colors[row] = 2;
      if ((colors[row] ?? 0) > 0 && above >= 0) colors[above] = Math.max(colors[above] ?? 0, 1);
    }
  } else {
    for (let row = 0; row < trace.rowCount; row++) colors[row] = slots[trace.service[row] ?? -1] ?? SLOT_COUNT;
  }
  return colors;
}
