// The time range: a preset that moves with the clock, or two fixed times.
import { fromLocalInput, toLocalInput } from "../../base/time.ts";
import { PRESETS } from "../../model/search_query.ts";
import { ask, query } from "../../state/search_state.ts";

const CUSTOM = "custom";

export function TimeRange() {
  const { start, end } = query.value;
  const preset = end === "" && PRESETS.some((one) => one.start === start) ? start : CUSTOM;
  return (
    <fieldset class="group">
      <legend class="label">Time</legend>
      <select
        class="field" aria-label="Time range" value={preset}
        onChange={(event) => {
          const { value } = event.currentTarget;
          if (value !== CUSTOM) ask({ start: value, end: "" });
          else ask({ start: new Date(Date.now() - 3_600_000).toISOString(), end: new Date().toISOString() });
        }}
      >
        {PRESETS.map((one) => (
          <option key={one.start} value={one.start}>{one.label}</option>
        ))}
        <option value={CUSTOM}>From … to …</option>
      </select>
      {preset !== CUSTOM ? null : (
        <>
          <Moment label="From" value={start} change={(value) => ask({ start: value })} />
          <Moment label="To" value={end} change={(value) => ask({ end: value })} />
        </>
      )}
    </fieldset>
  );
}

function Moment({ label, value, change }: { readonly label: string; readonly value: string; readonly change: (value: string) => void }) {
  return (
    <label class="group">
      <span class="label">{label} (your local time)</span>
      <input
        class="field" type="datetime-local" step="1" value={toLocalInput(value)}
        onChange={(event) => change(fromLocalInput(event.currentTarget.value))}
      />
    </label>
  );
}
