// What the lines and tints mean, which local spans are shown, and the cut.
import { plural } from "../../base/units.ts";
import { LOCAL_CHOICES, type LaneLayout, type LocalChoice } from "../../model/lanes.ts";
import { CERTAINTY_TEXTS, CONE_PARTS } from "../../model/relation_words.ts";
import { CERTAINTY_DASHES } from "../../render/draw_space.ts";
import { CERTAINTIES } from "../../api/trace_order.ts";
import type { TraceState } from "../../state/trace_state.ts";

interface Props {
  readonly state: TraceState;
  readonly layout: LaneLayout;
  readonly local: LocalChoice;
  readonly toggleCut: () => void;
  readonly arrowsOff: boolean;
  readonly coned: boolean;
}

export function SpaceLegend({ state, layout, local, toggleCut, arrowsOff, coned }: Props) {
  const folded = layout.lanes.reduce((sum, lane) => sum + lane.folded, 0);
  const classes = new Set(state.trace.order?.messages.certainty ?? []);
  return (
    <div class="tab-bar space-legend">
      <ul aria-label="Lines">
        {CERTAINTIES.map((one, i) => (!classes.has(i) && i > 3 ? null : (
          <li key={one} title={CERTAINTY_TEXTS[one].text}>
            <Line dash={CERTAINTY_DASHES[i] ?? []} />
            {CERTAINTY_TEXTS[one].label.toLowerCase()}
          </li>
        )))}
      </ul>
      {coned ? (
        <ul aria-label="Tints">
          {[1, 2, 3, 0].map((part) => (
            <li key={part}>
              <i data-part={CONE_PARTS[part]?.id} aria-hidden="true">{["", "◂", "▸", "•"][part]}</i>
              {CONE_PARTS[part]?.label}
            </li>
          ))}
        </ul>
      ) : null}
      {arrowsOff ? <span>Arrows only of the selected span: the trace is large.</span> : null}
      <span class="actions">
        <label title="Spans that neither send to nor receive from another clock">
          Local spans
          <select class="field" value={local} onChange={(event) => state.changeTab({ group: event.currentTarget.value })}>
            {LOCAL_CHOICES.map(({ id, label }) => <option key={id} value={id}>{id === "" ? `folded ${label}` : label}</option>)}
          </select>
        </label>
        {folded === 0 ? null : <span>{plural(folded, "span")} folded</span>}
        <button type="button" class="button small" aria-pressed={state.tab.value.cut !== null} title="A moment across all clocks: what is open then ( | )" onClick={toggleCut}>Cut</button>
      </span>
    </div>
  );
}

export function Line({ dash }: { readonly dash: readonly number[] }) {
  return (
    <svg width="34" height="8" viewBox="0 0 34 8" aria-hidden="true">
      <line x1="0" y1="4" x2="34" y2="4" stroke="currentColor" stroke-width="1.500" stroke-dasharray={dash.join(" ")} />
    </svg>
  );
}
