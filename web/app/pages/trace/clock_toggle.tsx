// Which times are shown, in all views alike: as reported, aligned to one clock, or the steps of the causal order.
import { clockChoices, type ClockChoice } from "../../model/clock_choice.ts";
import type { TraceState } from "../../state/trace_state.ts";
import "./clock_toggle.css";

/** What the open view shows of the chosen axis. */
export function shownClock(state: TraceState): ClockChoice {
  const axis = state.axis.value;
  return clockChoices(state.tab.value.id).some((one) => one.id === axis) ? axis : "aligned";
}

export function ClockToggle({ state }: { readonly state: TraceState }) {
  if (state.trace.order === null) return null;
  const shown = shownClock(state);
  return (
    <div class="group clock-toggle" role="group" aria-label="Clock">
      <span aria-hidden="true">Clock</span>
      {clockChoices(state.tab.value.id).map(({ id, label, title }) => (
        <button key={id} type="button" class="button quiet small" aria-pressed={shown === id} title={`${title} (t)`} onClick={() => (state.clock.value = id)}>
          {label}
        </button>
      ))}
    </div>
  );
}
