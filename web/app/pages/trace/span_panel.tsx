// Everything about the selected span. Name, times and flags are there at once (they are in the trace's
// columns); attributes, events and links follow from the server.
import { formatCount, formatDuration, formatNanosecondsExactly, plural } from "../../base/units.ts";
import { addNanoseconds, formatDateTimeExactly } from "../../base/time.ts";
import { childCount, isError, isPlaceholder, KIND_NAMES, nameOf, selfTime, serviceOf, spanIdOf, STATUS_NAMES } from "../../model/span_row.ts";
import { servicePath } from "../../model/service_path.ts";
import { exactTerm } from "../../model/statistics.ts";
import { EMPTY_QUERY, searchUrl } from "../../model/search_query.ts";
import { panelWidth, timeZone } from "../../state/preferences.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorIcon, Icon } from "../../ui/icon.tsx";
import { Splitter } from "../../ui/splitter.tsx";
import { Text } from "../../ui/text.tsx";
import { faultTexts } from "../../model/fault_texts.ts";
import { flagTexts } from "../../model/flag_texts.ts";
import { ClockFacts } from "./clock_facts.tsx";
import { FactTable } from "./fact_table.tsx";
import { SpanDetails } from "./span_details.tsx";
import "./span_panel.css";

export function SpanPanel({ state }: { readonly state: TraceState }) {
  const row = state.selected.value;
  if (row < 0 || !state.panelOpen.value) return null;
  return (
    <>
      <Splitter
        label="Width of the details" percent={(panelWidth.value / window.innerWidth) * 100}
        moveBy={(pixels) => (panelWidth.value = Math.min(900, Math.max(300, panelWidth.peek() - pixels)))}
      />
      <aside class="span-panel" style={{ width: `${panelWidth.value}px` }} aria-label="Details of the span">
        <PanelHeader state={state} row={row} />
        <div class="scroll" tabIndex={-1} key={row}>
          <RunNote state={state} row={row} />
          <Notes state={state} row={row} />
          <LeftOut state={state} row={row} />
          <Facts state={state} row={row} />
          <ClockFacts state={state} row={row} />
          <Filters state={state} row={row} />
          {isPlaceholder(state.trace, row) ? null : <SpanDetails state={state} />}
        </div>
      </aside>
    </>
  );
}

interface RowProps {
  readonly state: TraceState;
  readonly row: number;
}

function PanelHeader({ state, row }: RowProps) {
  const { trace } = state;
  return (
    <header>
      <div class="title">
        <h2>
          <Text value={nameOf(trace, row)} empty="(no name)" />
        </h2>
        {isPlaceholder(trace, row) ? null : (
          <div class="service">
            <span class="service-mark" data-slot={state.slots[trace.service[row] ?? -1]} />
            <Text value={serviceOf(trace, row)} empty="(no service name)" />
          </div>
        )}
      </div>
      <CopyButton text={nameOf(trace, row)} what="name" />
      <button type="button" class="button quiet small icon" aria-label="Close the details" title="Close (Esc)" onClick={() => state.closePanel()}>
        <Icon name="close" />
      </button>
    </header>
  );
}

/** Of a row that stands for many equal calls; the details below are those of the first one. */
function RunNote({ state, row }: RowProps) {
  const run = state.runSummary(row);
  if (run === null) return null;
  const { trace } = state;
  const order = run.together > 1 ? `up to ${formatCount(run.together)} at once` : "one after another";
  const find = `${exactTerm("service", serviceOf(trace, row))} ${exactTerm("name", nameOf(trace, row))}`;
  return (
    <section class="run" aria-label="Equal calls">
      <h3>{formatCount(run.count)} equal calls, {order}</h3>
      <FactTable
        facts={[
          ["All together", `${formatDuration(run.total)} in ${formatDuration(run.end - run.start)}`, false, formatNanosecondsExactly(run.total)],
          ["Spread", `${formatDuration(run.shortest)} to ${formatDuration(run.longest)}, median ${formatDuration(run.median)}`],
          ["Errors", run.errors === 0 ? "none" : formatCount(run.errors)],
        ]}
      />
      <div class="filters">
        <button type="button" class="button quiet small" onClick={() => state.toggle(row)}>
          <Icon name="expand" />
          Show each
        </button>
        <button
          type="button" class="button quiet small"
          onClick={() => {
            state.find.value = find;
            state.openTab("spans", { sort: "-duration" });
          }}
        >
          <Icon name="search" />
          As a table
        </button>
      </div>
      <h3>The first of them</h3>
    </section>
  );
}

function Notes({ state, row }: RowProps) {
  const { trace } = state;
  const message = state.span.state.value.value?.spans[0]?.statusMessage ?? "";
  return (
    <>
      {isError(trace, row) ? (
        <div class="note error">
          <b>
            <ErrorIcon />
            {message === "" ? "Error" : <Text value={message} />}
          </b>
        </div>
      ) : null}
      {[...flagTexts(trace.flags[row] ?? 0, state.axis.value), ...faultTexts(trace, row)].map((one) => (
        <div key={one.title} class="note">
          <b>
            <Icon name="warning" />
            {one.title}
          </b>
          {one.text}
        </div>
      ))}
    </>
  );
}

/** What is inside the span and not here. */
function LeftOut({ state, row }: RowProps) {
  const hidden = state.trace.hidden[row] ?? 0;
  if (hidden === 0) return null;
  return (
    <div class="note quiet">
      <b>{plural(hidden, "span")} inside left out</b>
      <span>Its children and its self time are told without them.</span>
      {state.parts.canLoadRow(row) ? <button type="button" class="button small" onClick={() => state.parts.loadRow(row)}>Load its window</button> : null}
    </div>
  );
}

function Facts({ state, row }: RowProps) {
  const { trace } = state;
  const spanId = spanIdOf(trace, row);
  const children = childCount(trace, row);
  if (isPlaceholder(trace, row)) {
    return <FactTable facts={[["Span ID", spanId, true], ["Children", String(children)]]} />;
  }
  const timed = state.timed.value;
  const start = timed.start[row] ?? Number.NaN;
  const duration = timed.duration[row] ?? Number.NaN;
  const self = selfTime(timed, row);
  const share = (part: number, whole: number, what: string): string =>
    whole > 0 && part >= 0 ? ` · ${((part / whole) * 100).toFixed(1)} % of the ${what}` : "";
  const parent = trace.parent[row] ?? -1;
  return (
    <FactTable
      facts={[
        ["Duration", `${formatDuration(duration)}${share(duration, timed.extent, "trace")}`, false, formatNanosecondsExactly(duration)],
        ["Self time", `${formatDuration(self)}${share(self, duration, "span")}`, false, formatNanosecondsExactly(self)],
        ["Start", Number.isNaN(start) ? "–" : `+${formatDuration(start)}`, false, formatNanosecondsExactly(start)],
        ["", Number.isNaN(start) ? "–" : formatDateTimeExactly(addNanoseconds(timed.startUnixNano, start), timeZone.value), true],
        ["Kind", KIND_NAMES[trace.kind[row] ?? 0] ?? String(trace.kind[row])],
        ["Status", STATUS_NAMES[trace.status[row] ?? 0] ?? String(trace.status[row])],
        ["Children", String(children)],
        ["Span ID", spanId, true],
        ["Parent ID", parent < 0 ? "none (root)" : spanIdOf(trace, parent), parent >= 0],
        ["Trace ID", trace.traceId, true],
      ]}
    />
  );
}

function Filters({ state, row }: RowProps) {
  const { trace } = state;
  if (isPlaceholder(trace, row)) return null;
  const service = serviceOf(trace, row);
  const operation = nameOf(trace, row);
  const parent = trace.parent[row] ?? -1;
  const find = `${exactTerm("service", service)} ${exactTerm("name", operation)}`;
  return (
    <div class="filters">
      <a class="button quiet small" href={searchUrl({ ...EMPTY_QUERY, service, operation })}>
        <Icon name="search" />
        Traces with this operation
      </a>
      {service === "" ? null : <a class="button quiet small" href={servicePath(service, operation)}>This operation over time</a>}
      <button type="button" class="button quiet small" aria-pressed={state.find.value === find} title="Mark the spans of this operation" onClick={() => (state.find.value = state.find.peek() === find ? "" : find)}>
        <Icon name="filter" />
        Like this
      </button>
      <button type="button" class="button quiet small" title="Mark all spans but those with this name" onClick={() => (state.find.value = `${state.find.peek()} -${exactTerm("name", operation)}`.trim())}>
        <Icon name="minus" />
        Not like this
      </button>
      <button type="button" class="button quiet small" onClick={() => state.zoomToSelected()}>
        <Icon name="fit" />
        Zoom to span
      </button>
      {parent < 0 ? null : (
        <button type="button" class="button quiet small" onClick={() => state.select(parent)}>
          <Icon name="left" />
          Parent
        </button>
      )}
    </div>
  );
}
