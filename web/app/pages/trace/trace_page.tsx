// One trace: loads its columns, then shows header, minimap, timeline and the selected span.
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../../api/client.ts";
import { lineOf } from "../../base/text.ts";
import { nameOf, serviceOf } from "../../model/span_row.ts";
import { partText } from "../../model/trace_part.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { TraceParts } from "../../state/trace_parts.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { lazy } from "../../ui/lazy.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { ClockNote } from "./clock_note.tsx";
import { MarkedNote } from "./marked_note.tsx";
import { MinimapStrip } from "./minimap_strip.tsx";
import { PartStrip } from "./part_strip.tsx";
import { Shortcuts } from "./shortcuts.tsx";
import { SpanPanel } from "./span_panel.tsx";
import { TAB_PANEL_ID, Tabs } from "./tabs.tsx";
import { Timeline } from "./timeline.tsx";
import { Toolbar } from "./toolbar.tsx";
import { TraceHeader } from "./trace_header.tsx";
import { WhyNote } from "./why_note.tsx";
import "./trace_page.css";

const SpaceTab = lazy(() => import("./space_tab.tsx").then((file) => file.SpaceTab));
const FindingsTab = lazy(() => import("./findings_tab.tsx").then((file) => file.FindingsTab));
const PathTab = lazy(() => import("./path_tab.tsx").then((file) => file.PathTab));
const FlameTab = lazy(() => import("./flame_tab.tsx").then((file) => file.FlameTab));
const StatisticsTab = lazy(() => import("./statistics_tab.tsx").then((file) => file.StatisticsTab));
const SpansTab = lazy(() => import("./spans_tab.tsx").then((file) => file.SpansTab));
const GraphTab = lazy(() => import("./graph_tab.tsx").then((file) => file.GraphTab));

interface Props {
  readonly traceId: string;
  readonly params: URLSearchParams;
}

export function TracePage({ traceId, params }: Props) {
  const [parts] = useState(() => new TraceParts(traceId));
  useEffect(() => {
    document.title = `Trace ${traceId.slice(0, 8)} – Causeway`;
    return () => parts.stop();
  }, []);
  // A new address of the same trace (a link to another span of it) starts a new view on what is here.
  useEffect(() => parts.open(params), [params]);
  const loading = parts.loading.state.value;
  const state = parts.state.value;
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      {state !== null ? (
        <Loaded state={state} />
      ) : (
        <main>
          <h1 class="visually-hidden">Trace {traceId}</h1>
          {loading.status === "failed" ? (
            <Failed error={loading.error} traceId={traceId} retry={parts.retry} />
          ) : (
            <div class="trace-loading" role="status" aria-label="Loading the trace">
              {Array.from({ length: 14 }, (_, i) => <i key={i} />)}
            </div>
          )}
        </main>
      )}
    </>
  );
}

function Failed({ error, traceId, retry }: { readonly error: Error; readonly traceId: string; readonly retry: () => void }) {
  if (!(error instanceof ApiError) || error.status !== 404) return <ErrorNotice error={error} retry={retry} />;
  return (
    <Notice icon="search" title="No span of this trace is here">
      <p>
        <code>{traceId}</code> may not have arrived yet, may have been sampled away by its sender, or its retention is over.
      </p>
      <div class="actions">
        <button type="button" class="button" onClick={retry}>Look again</button>
        <a class="button" href={lastSearchUrl.value}>Search traces</a>
      </div>
    </Notice>
  );
}

function Loaded({ state }: { readonly state: TraceState }) {
  useEffect(() => {
    const { trace } = state;
    const root = trace.rootRow;
    document.title = `${lineOf(serviceOf(trace, root), 40)} ${lineOf(nameOf(trace, root), 60)} – Causeway`;
  }, [state]);
  const { id } = state.tab.value;
  return (
    <main class="trace-page">
      <TraceHeader state={state} />
      <Tabs state={state} />
      <PartStrip state={state} />
      {id === "timeline" ? <WhyNote state={state} /> : null}
      {id === "timeline" || id === "space" ? <MinimapStrip state={state} /> : null}
      <Toolbar state={state} />
      {id === "timeline" || id === "space" ? <ClockNote state={state} /> : null}
      {id === "timeline" ? <MarkedNote state={state} /> : null}
      <div class="trace-body" id={TAB_PANEL_ID} role="tabpanel" aria-labelledby={`tab-${id}`} key={id}>
        {/* Views that keep row numbers begin anew with another part; the timeline keeps none, and would flash. */}
        <View key={id === "timeline" ? "" : partText(state.part)} state={state} />
      </div>
      <Shortcuts state={state} />
    </main>
  );
}

function View({ state }: { readonly state: TraceState }) {
  switch (state.tab.value.id) {
    case "space":
      return <SpaceTab state={state} />;
    case "findings":
      return <FindingsTab state={state} />;
    case "path":
      return (
        <>
          <PathTab state={state} />
          <SpanPanel state={state} />
        </>
      );
    case "flame":
      return <FlameTab state={state} />;
    case "statistics":
      return <StatisticsTab state={state} />;
    case "graph":
      return <GraphTab state={state} />;
    case "spans":
      return (
        <>
          <SpansTab state={state} />
          <SpanPanel state={state} />
        </>
      );
    default:
      return (
        <>
          <Timeline state={state} />
          <SpanPanel state={state} />
        </>
      );
  }
}
