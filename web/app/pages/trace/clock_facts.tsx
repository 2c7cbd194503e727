// Of one span: whose clock its times come from, and how far alignment moves them.
import { addNanoseconds, formatDateTimeExactly } from "../../base/time.ts";
import { formatNanosecondsExactly } from "../../base/units.ts";
import { clockName, clockUrl, explainShift, formatShift, knownTo, shiftOf } from "../../model/clock_choice.ts";
import { isPlaceholder } from "../../model/span_row.ts";
import { timeZone } from "../../state/preferences.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { FactTable, type Fact } from "./fact_table.tsx";

export function ClockFacts({ state, row }: { readonly state: TraceState; readonly row: number }) {
  const { trace } = state;
  const { order } = trace;
  const clock = order?.clocks[order.clock[row] ?? -1];
  if (order === null || clock === undefined || isPlaceholder(trace, row)) return null;
  const shift = shiftOf(trace, row);
  const isReference = order.clock[row] === order.reference;
  const start = order.start[row] ?? Number.NaN;
  const facts: Fact[] = [
    ["Clock", `${clockName(clock)}, ${clock.tagged ? "stamped" : "without stamps"}`],
    ["", clock.id, true],
    ["Moved by", isReference ? "nothing: times are told on this clock" : formatShift(shift), false, formatNanosecondsExactly(shift)],
  ];
  if (!isReference) facts.push(["", knownTo(order.halfWidth[row] ?? Number.NaN)]);
  // The panel tells the start on the axis on show; here is the other one.
  const raw = state.axis.value === "raw";
  const other = raw ? start : (trace.start[row] ?? Number.NaN);
  if (!Number.isNaN(other) && shift !== 0) facts.push([raw ? "Aligned" : "As sent", formatDateTimeExactly(addNanoseconds(trace.startUnixNano, other), timeZone.value), true]);
  return (
    <section class="clock-facts" aria-label="Clock" title={explainShift(trace, row)}>
      <FactTable facts={facts} />
      <div class="filters">
        <a class="button quiet small" href={clockUrl(trace, clock.id)}>About this clock</a>
        <button type="button" class="button quiet small" onClick={() => state.openTab("space")}>Before and after it</button>
      </div>
    </section>
  );
}
