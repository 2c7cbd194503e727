// Between minimap and timeline: search in the trace, services (also the legend of the colours), errors, zoom.
import { formatCount, plural } from "../../base/units.ts";
import { lineOf } from "../../base/text.ts";
import { isFullWindow } from "../../base/time_window.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { ErrorIcon, Icon, type IconName } from "../../ui/icon.tsx";
import { helpOpen } from "./shortcuts.tsx";
import "./toolbar.css";

export function Toolbar({ state }: { readonly state: TraceState }) {
  const full = isFullWindow(state.window.value, state.extent);
  const timeline = state.tab.value.id === "timeline";
  return (
    <div class="toolbar" role="toolbar" aria-label="Tools">
      <Find state={state} />
      <Services state={state} />
      {state.counts.errors === 0 || !timeline ? null : (
        <div class="group">
          <button type="button" class="button quiet small next-error" title="Next error (e)" aria-label="Next error" onClick={() => state.nextError(1)}>
            <ErrorIcon />
            <span>Next error</span>
          </button>
        </div>
      )}
      <div class="group zoom">
        {timeline ? (
          <>
            <Tool icon="minus" label="Zoom out (-)" run={() => state.zoom(2)} disabled={full} />
            <Tool icon="plus" label="Zoom in (+)" run={() => state.zoom(0.5)} />
            <Tool icon="fit" label="Show all (0)" run={() => state.showAll()} disabled={full} />
          </>
        ) : null}
        <Tool icon="keyboard" label="Keyboard shortcuts (?)" run={() => (helpOpen.value = true)} />
      </div>
    </div>
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
        title="Words match name, service and span ID. Also service:cart, name:select, name=exactly, kind:client, status:error, duration>10ms, @http.route:/cart, is:incomplete, is:leaf; a minus in front excludes"
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
        </>
      )}
    </div>
  );
}

function Services({ state }: { readonly state: TraceState }) {
  const { trace, counts, slots } = state;
  const order = [...trace.services.keys()].sort((a, b) => (counts.byService[b] ?? 0) - (counts.byService[a] ?? 0));
  return (
    <div class="services" role="group" aria-label="Services">
      {order.map((service) => {
        const name = trace.services[service] ?? "";
        const query = `service:${name.includes(" ") ? `"${name}"` : name}`;
        const on = state.find.value === query;
        const count = counts.byService[service] ?? 0;
        return (
          <button
            key={service} type="button" class="button quiet small" aria-pressed={on} title={`${lineOf(name)}: ${plural(count, "span")}`}
            onClick={() => (state.find.value = on ? "" : query)}
          >
            <span class="service-mark" data-slot={slots[service]} />
            <bdi>{lineOf(name, 60)}</bdi>
            <small>{formatCount(count)}</small>
          </button>
        );
      })}
    </div>
  );
}
