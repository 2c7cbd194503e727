// Two traces against each other: what took longer, what is called more often, what is only in one of them.
import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, fetchTrace } from "../../api/client.ts";
import type { TraceColumns } from "../../api/trace_columns.ts";
import { alignedColumns } from "../../model/clock_choice.ts";
import { compareTraces } from "../../model/compare.ts";
import { navigate, place } from "../../state/location.ts";
import { Remote } from "../../state/remote.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { PageHeader } from "../../ui/page_header.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ChooseTrace } from "./choose_trace.tsx";
import { CohortPage } from "./cohort_page.tsx";
import { CompareTable } from "./compare_table.tsx";
import { Side } from "./side.tsx";
import { compareUrl, traceIdOr } from "./compare_url.ts";
import "./compare_page.css";

export function ComparePage() {
  const cohorts = place.value.params.get("view") === "cohorts";
  useEffect(() => {
    document.title = "Compare – Causeway";
  }, []);
  return (
    <>
      <PageHeader home={lastSearchUrl.value} />
      <main class="compare-page">
        <header>
          <h1>Compare</h1>
          <nav class="segments" aria-label="What to compare">
            <a class="button small" href="/compare" {...(cohorts ? {} : { "aria-current": "page" as const })}>Two traces</a>
            <a class="button small" href="/compare?view=cohorts" {...(cohorts ? { "aria-current": "page" as const } : {})}>Two cohorts</a>
          </nav>
          {cohorts ? null : <Swap />}
        </header>
        {cohorts ? <CohortPage /> : <TwoTraces />}
      </main>
    </>
  );
}

function Swap() {
  const { params } = place.value;
  const [a, b] = [traceIdOr(params.get("a")), traceIdOr(params.get("b"))];
  if (a === null || b === null) return null;
  return (
    <button type="button" class="button small" onClick={() => navigate(compareUrl({ a: b, b: a }))}>
      <Icon name="refresh" />
      Swap A and B
    </button>
  );
}

function TwoTraces() {
  const { params } = place.value;
  const a = traceIdOr(params.get("a"));
  const b = traceIdOr(params.get("b"));
  const first = useTrace(a);
  const second = useTrace(b);
  return (
    <>
      <div class="sides">
        <SideOf letter="a" id={a} trace={first} other={second} />
        <SideOf letter="b" id={b} trace={second} other={first} />
      </div>
      <Body a={a} b={b} first={first} second={second} />
    </>
  );
}

/** On one clock each, as the views of a trace are. */
const fetchAligned = async (id: string, signal: AbortSignal): Promise<TraceColumns> => alignedColumns(await fetchTrace(id, null, signal));

function useTrace(id: string | null): Remote<TraceColumns> {
  const [remote] = useState(() => new Remote<TraceColumns>());
  useEffect(() => {
    if (id !== null) void remote.load((signal) => fetchAligned(id, signal), false);
    return () => remote.stop();
  }, [id]);
  return remote;
}

interface SideOfProps {
  readonly letter: "a" | "b";
  readonly id: string | null;
  readonly trace: Remote<TraceColumns>;
  readonly other: Remote<TraceColumns>;
}

function SideOf({ letter, id, trace, other }: SideOfProps) {
  const state = trace.state.value;
  if (id === null) return <ChooseTrace letter={letter} other={other.state.value.value} />;
  if (state.status === "failed") {
    if (state.error instanceof ApiError && state.error.status === 404) {
      return (
        <section class="side">
          <p><b>{letter.toUpperCase()}</b> No span of <code>{id}</code> is here.</p>
          <a class="button small" href={compareUrl({ a: letter === "a" ? null : traceIdOr(place.value.params.get("a")), b: letter === "b" ? null : traceIdOr(place.value.params.get("b")) })}>Choose another</a>
        </section>
      );
    }
    return <ErrorNotice error={state.error} retry={() => void trace.load((signal) => fetchAligned(id, signal), false)} />;
  }
  if (state.value === null) return <section class="side loading" role="status" aria-label={`Loading trace ${letter.toUpperCase()}`} />;
  return <Side letter={letter} trace={state.value} against={other.state.value.value} />;
}

interface BodyProps {
  readonly a: string | null;
  readonly b: string | null;
  readonly first: Remote<TraceColumns>;
  readonly second: Remote<TraceColumns>;
}

function Body({ a, b, first, second }: BodyProps) {
  const one = first.state.value.value;
  const two = second.state.value.value;
  const comparison = useMemo(() => (one === null || two === null ? null : compareTraces(one, two)), [one, two]);
  if (a === null || b === null) {
    return (
      <Notice icon="search" title="Choose two traces">
        <p>A slow and a fast one of the same operation tell most: what takes longer, what is called more often, and what is only in one of them comes first.</p>
      </Notice>
    );
  }
  if (comparison === null || one === null || two === null) return null;
  return <CompareTable comparison={comparison} a={one} b={two} />;
}
