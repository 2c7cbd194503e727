// What would be gained: changes one tries on groups of spans, the new end-to-end time, and the new timeline beside
// the old one. The server replays the trace; here its answer is asked for and drawn.
import { useEffect, useMemo, useState } from "preact/hooks";
import { fetchWhatIf, type WhatIf } from "../../api/what_if.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { alignedColumns } from "../../model/clock_choice.ts";
import { findSpans } from "../../model/find.ts";
import { isPlaceholder, spanIdOf } from "../../model/span_row.ts";
import { changeBody, firstChange, type Change } from "../../model/what_if.ts";
import { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { ChangeRow } from "./change_row.tsx";
import { NewTimeline } from "./new_timeline.tsx";
import "./what_if_panel.css";

/** Typing asks once it pauses. */
const ASK_DELAY_MS = 250;

export function WhatIfPanel({ state }: { readonly state: TraceState }) {
  const { trace } = state;
  const changes = state.changes.value;
  const timed = state.timed.value;
  const found = changes.map((one) => (findSpans(timed, one.find, state.attributes.value, state.findingRows.value)?.rows ?? new Int32Array()).filter((row) => !isPlaceholder(trace, row)));
  const asked = changes.flatMap((one, at) => (found[at]?.length === 0 ? [] : [changeBody(one, Array.from(found[at] ?? [], (row) => spanIdOf(trace, row)))]));
  const key = JSON.stringify(asked);
  const [remote] = useState(() => new Remote<WhatIf>());
  const load = (): void => void remote.load((signal) => fetchWhatIf(trace.traceId, asked, signal));
  useEffect(() => {
    if (asked.length === 0) return;
    const timer = window.setTimeout(load, remote.state.peek().value === null ? 0 : ASK_DELAY_MS);
    return () => window.clearTimeout(timer);
  }, [key]);
  useEffect(() => () => remote.stop(), []);
  const before = useMemo(() => alignedColumns(trace), [trace]);
  const answer = remote.state.value;
  const change = (at: number, next: Change | null): void => {
    state.changes.value = state.changes.peek().flatMap((one, i) => (i !== at ? [one] : next === null ? [] : [next]));
  };
  return (
    <section class="what-if" aria-label="What if">
      <header>
        <h2>What if</h2>
        {asked.length === 0 || answer.value === null ? null : <Headline answer={answer.value} stale={answer.status === "loading"} />}
        <button type="button" class="button quiet small icon" aria-label="Close what if" title="Close" onClick={() => (state.changes.value = [])}>
          <Icon name="close" />
        </button>
      </header>
      <ul class="changes" aria-label="Changes">
        {changes.map((one, at) => <ChangeRow key={at} change={one} found={found[at]?.length ?? 0} set={(next) => change(at, next)} />)}
        <li class="add">
          <button type="button" class="button quiet small" title="One more change, of the spans that the search in this trace finds" onClick={() => (state.changes.value = [...changes, firstChange("faster", state.find.peek().trim() === "" ? "is:root" : state.find.peek())])}>
            <Icon name="plus" />
            And
          </button>
        </li>
      </ul>
      {asked.length === 0 ? (
        <p class="note">{state.findings.state.value.status === "loading" ? "Loading the findings…" : "No span of this trace is found, so there is nothing to change."}</p>
      ) : answer.status === "failed" ? (
        <ErrorNotice error={answer.error} retry={load} />
      ) : answer.value === null ? (
        <p class="note" role="status">Replaying the trace…</p>
      ) : (
        <NewTimeline state={state} before={before} answer={answer.value} />
      )}
    </section>
  );
}

/** Before, after, and what lies between; a change that gains nothing says why. */
function Headline({ answer, stale }: { readonly answer: WhatIf; readonly stale: boolean }) {
  const { durationNs, newDurationNs, savingNs } = answer;
  const percent = Math.round((Math.abs(savingNs) / Math.max(1, durationNs)) * 100);
  const verdict = savingNs > 0 ? `saves ${formatDuration(savingNs)}, ${percent} %` : savingNs < 0 ? `takes ${formatDuration(-savingNs)} longer` : "saves nothing: other calls take as long";
  return (
    <p class={`headline ${stale ? "stale" : ""}`} aria-live="polite">
      <span>{formatDuration(durationNs)}</span>
      <Icon name="right" />
      <b>{formatDuration(newDurationNs)}</b>
      <span class={savingNs > 0 ? "saving" : ""}>{verdict}</span>
      {answer.gone.some((one) => one === 1) ? <small>{plural(answer.gone.reduce((sum, one) => sum + one, 0), "span")} less</small> : null}
    </p>
  );
}

/** Opens the panel with a first change; what it finds is a search inside the trace. */
export function TryButton({ state, change, label = "What if…" }: { readonly state: TraceState; readonly change: Change; readonly label?: string }) {
  const on = state.changes.value.some((one) => one.find === change.find);
  return (
    <button type="button" class="button small" aria-pressed={on} title="Change these spans and see the new end-to-end time" onClick={() => (on ? (state.changes.value = state.changes.peek().filter((one) => one.find !== change.find)) : state.tryChange(change))}>
      {label}
    </button>
  );
}
