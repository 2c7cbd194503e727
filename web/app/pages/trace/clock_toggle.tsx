// Which times are shown: as reported, aligned to one clock, or the steps of the causal order.
import { CLOCK_CHOICES } from "../../model/clock_choice.ts";
import type { TraceState } from "../../state/trace_state.ts";
import "./clock_toggle.css";

export function ClockToggle({ state }: { readonly state: TraceState }) {
  if (state.trace.order === null) return null;
  const axis = state.axis.value;
  return (
    <div class="group clock-toggle" role="group" aria-label="Clock">
      <span aria-hidden="true">Clock</span>
      {CLOCK_CHOICES.map(({ id, label, title }) => (
        <button key={id} type="button" class="button quiet small" aria-pressed={axis === id} title={`${title} (t)`} onClick={() => (state.clock.value = id)}>
          {label}
        </button>
      ))}
    </div>
  );
}
