// Between minimap and timeline: search in the trace, services (also the legend of the colours), errors, zoom.
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { lineOf } from "../../base/text.ts";
import { COLOR_CHOICES, heatLimits, longestSpan, type ColorChoice } from "../../model/row_colors.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { ErrorIcon, Icon, type IconName } from "../../ui/icon.tsx";
import { ClockToggle } from "./clock_toggle.tsx";
import { helpOpen } from "./shortcuts.tsx";
import { useIsFull } from "./use_is_full.ts";
import "./toolbar.css";

export function Toolbar({ state }: { readonly state: TraceState }) {
  const timeline = state.tab.value.id === "timeline";
  const space = state.tab.value.id === "space";
  return (
    <div class="toolbar" role="toolbar" aria-label="Tools">
      <Find state={state} />
      <Services state={state} />
      <ClockToggle state={state} />
      {timeline || space ? <Display state={state} /> : null}
      {state.counts.errors === 0 || !timeline ? null : (
        <div class="group">
          <button type="button" class="button quiet small next-error" title="Next error (e)" aria-label="Next error" onClick={() => state.nextError(1)}>
            <ErrorIcon />
            <span>Next error</span>
          </button>
        </div>
      )}
      <div class="group zoom">
        {timeline || space ? <Zoom state={state} /> : null}
        <Tool icon="keyboard" label="Keyboard shortcuts (?)" run={() => (helpOpen.value = true)} />
      </div>
    </div>
  );
}

/** Apart, as only this follows the window: the rest need not render in each frame of a zoom. */
function Zoom({ state }: { readonly state: TraceState }) {
  const full = useIsFull(state);
  return (
    <>
      <Tool icon="minus" label="Zoom out (-)" run={() => state.zoom(2)} disabled={full} />
      <Tool icon="plus" label="Zoom in (+)" run={() => state.zoom(0.5)} />
      <Tool icon="fit" label="Show all (0)" run={() => state.showAll()} disabled={full} />
    </>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
  readonly disabled?: boolean;
}

export function Tool({ icon, label, run, disabled }: ToolProps) {
  return (
    <button type="button" class="button quiet small icon" title={label} aria-label={label} disabled={disabled === true} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}

function Find({ state }: { readonly state: TraceState }) {
  const found = state.found.value;
  const position = found === null ? -1 : found.rows.indexOf(state.selected.value);
  return (
    <div class="find" role="search">
      <input
        id="find-in-trace" class="field" type="search" placeholder="Find in this trace  ( / )" aria-label="Find in this trace" spellcheck={false} autocomplete="off"
        title="Words match name, service and span ID. Also service:cart, name:select, name=exactly, kind:client, status:error, duration>10ms, @http.route:/cart, is:incomplete, is:leaf, finding:n_plus_one; a minus in front excludes"
        value={state.find.value} onInput={(event) => (state.find.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") state.nextFound(event.shiftKey ? -1 : 1);
          if (event.key !== "Escape") return;
          if (state.find.peek() === "") event.currentTarget.blur();
          else state.find.value = "";
        }}
      />
      {state.attributeProblem.value === null ? null : (
        <span class="find-problem" role="alert" title={state.attributeProblem.value.message}>
          <Icon name="warning" />
          <span class="visually-hidden">Attributes could not be loaded: {state.attributeProblem.value.message}</span>
        </span>
      )}
      {found === null ? null : (
        <>
          <output>{found.rows.length === 0 ? "none" : `${position < 0 ? "" : `${formatCount(position + 1)} / `}${formatCount(found.rows.length)}`}</output>
          <Tool icon="left" label="Previous match (N)" run={() => state.nextFound(-1)} />
          <Tool icon="right" label="Next match (n)" run={() => state.nextFound(1)} />
          {state.tab.value.id === "timeline" ? (
            <button type="button" class="button quiet small" aria-pressed={state.onlyFound.value} title="Leave out what does not match (m)" onClick={() => (state.onlyFound.value = !state.onlyFound.peek())}>
              Only
            </button>
          ) : null}
        </>
      )}
    </div>
  );
}

function Services({ state }: { readonly state: TraceState }) {
  const { trace, counts, slots } = state;
  const timeline = state.tab.value.id === "timeline";
  const order = [...trace.services.keys()].sort((a, b) => (counts.byService[b] ?? 0) - (counts.byService[a] ?? 0));
  return (
    <div class="services" role="group" aria-label="Services">
      {order.map((service) => {
        const name = trace.services[service] ?? "";
        const query = `service:${name.includes(" ") ? `"${name}"` : name}`;
        const on = state.find.value === query;
        const count = counts.byService[service] ?? 0;
        const closed = state.collapse.value.services.has(service);
        return (
          <span key={service} class="service">
          <button
            type="button" class="button quiet small" aria-pressed={on} title={`${lineOf(name)}: ${plural(count, "span")}`}
            onClick={() => (state.find.value = on ? "" : query)}
          >
            <span class="service-mark" data-slot={slots[service]} />
            <bdi>{lineOf(name, 60)}</bdi>
            <small>{formatCount(count)}</small>
          </button>
          {timeline ? (
            <button
              type="button" class={`button quiet small icon close-service ${closed ? "closed" : ""}`} aria-pressed={closed}
              title={`${closed ? "Open" : "Close"} all spans of ${lineOf(name, 60)}`} aria-label={`${closed ? "Open" : "Close"} all spans of ${lineOf(name, 60)}`}
              onClick={() => state.toggleService(service)}
            >
              <Icon name={closed ? "expand" : "collapse"} />
            </button>
          ) : null}
          </span>
        );
      })}
    </div>
  );
}

/** What bars look like: the meaning of their colour, and whether equal calls are one row. */
function Display({ state }: { readonly state: TraceState }) {
  const choice = state.color.value;
  return (
    <div class="group display">
      <label title="What the colour of a bar tells (c)">
        <span class="visually-hidden">Colour by</span>
        <select class="field" value={choice} onChange={(event) => (state.color.value = COLOR_CHOICES.find((one) => one.id === event.currentTarget.value)?.id ?? "service")}>
          {COLOR_CHOICES.map(({ id, label }) => <option key={id} value={id}>Colour: {label.toLowerCase()}</option>)}
        </select>
      </label>
      {choice === "service" ? null : <Legend state={state} choice={choice} />}
      {state.folds.count === 0 || state.tab.value.id !== "timeline" ? null : (
        <button
          type="button" class="button quiet small" aria-pressed={state.collapse.value.folding} title={`${plural(state.folds.count, "run")} of equal calls, each as one row (r)`}
          onClick={() => state.setFolding(!state.collapse.peek().folding)}
        >
          <span>Fold<span class="wide"> repeats</span></span>
        </button>
      )}
    </div>
  );
}

function Legend({ state, choice }: { readonly state: TraceState; readonly choice: ColorChoice }) {
  if (choice === "error") {
    return (
      <span class="legend">
        <i data-mark="error" />error
        <i data-mark="warning" />error below
      </span>
    );
  }
  const limits = heatLimits(longestSpan(state.timed.value));
  return (
    <span class="legend" title={limits.map((limit) => `from ${formatDuration(limit)}`).join(", ")}>
      <span class="visually-hidden">From short to long:</span>
      {limits.map((limit, step) => <i key={step} data-heat={step} title={`from ${formatDuration(limit)}`} />)}
      {formatDuration(limits.at(-1) ?? 0)} and more
    </span>
  );
}
