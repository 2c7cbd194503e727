// On top of what draws times: that raw times contradict what is proven, or what alignment changed.
import { useMemo } from "preact/hooks";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { CAUSAL_SPANS_MAX, clockName, clockUrl, hasSteps, summarizeAlignment } from "../../model/clock_choice.ts";
import { countFaulty } from "../../model/fault_texts.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";

export function ClockNote({ state }: { readonly state: TraceState }) {
  const { trace } = state;
  const summary = useMemo(() => summarizeAlignment(trace), [trace]);
  const faulty = useMemo(() => countFaulty(trace), [trace]);
  const axis = state.axis.value;
  if (trace.order === null) return null;
  const clock = trace.order.clocks[trace.order.reference];
  const most = formatDuration(Math.abs(summary.shiftMost));
  const mostOff = trace.order.clocks[trace.order.clock[summary.rowMost] ?? -1];
  const faults = faulty === 0 ? null : <span>{plural(faulty, "span")} with doubtful stamps or times, marked in the tree</span>;
  if (axis === "raw") {
    if (summary.contradictions === 0) return faults === null ? null : <div class="clock-note wrong" role="note"><Icon name="warning" />{faults}</div>;
    return (
      <div class="clock-note wrong" role="note">
        <Icon name="warning" />
        <p>
          Raw times show {plural(summary.contradictions, "message")} arriving before {summary.contradictions === 1 ? "it was" : "they were"} sent. The order of these is proven, so the clocks disagree.
        </p>
        {faults}
        <button type="button" class="button quiet small" onClick={() => (state.clock.value = "aligned")}>Show aligned times</button>
        {summary.firstRow < 0 ? null : <button type="button" class="button quiet small" onClick={() => state.select(summary.firstRow, { open: true, center: true })}>Show the first</button>}
      </div>
    );
  }
  if (axis === "causal" && !hasSteps(trace)) return <TooManySteps state={state} />;
  if (axis === "causal") {
    const { status } = state.line.state.value;
    if (status === "failed") {
      return <div class="clock-note wrong" role="alert"><Icon name="warning" /><p>The causal order could not be loaded, so times are aligned. {state.line.state.value.error.message}</p></div>;
    }
    return <div class="clock-note" role="note"><p>{status === "loading" ? "Loading the causal order…" : "One step per start and end, in an order that contradicts no proof. Widths are not durations."}</p></div>;
  }
  // Nothing was asked for and nothing was changed.
  if (summary.moved === 0 && state.clock.value === null) return faults === null ? null : <div class="clock-note wrong" role="note"><Icon name="warning" />{faults}</div>;
  return (
    <div class="clock-note brief" role="note">
      <p>
        {summary.moved === 0 ? "All times are as reported" : <>{plural(summary.moved, "span")} moved, by up to {most}{mostOff === undefined ? "" : <>: the clock of <a href={clockUrl(trace, mostOff.id)}><bdi>{clockName(mostOff)}</bdi></a> is {summary.shiftMost < 0 ? "ahead" : "behind"}</>}</>}; times are those of {clock === undefined ? "the root’s clock" : <bdi>{clockName(clock)}</bdi>}.<span class="detail"> Whiskers{state.tab.value.id === "space" ? " of the chosen span" : ""} show how far it may still be off.</span>
        {summary.contradictions === 0 ? null : ` As sent, ${plural(summary.contradictions, "message")} would arrive before ${summary.contradictions === 1 ? "it was" : "they were"} sent.`}
      </p>
      {faults}
    </div>
  );
}

/** What to do instead: the order around one span is known in a trace of any size. */
function TooManySteps({ state }: { readonly state: TraceState }) {
  const { traceId, totalRows } = state.trace;
  const sql = `SELECT * FROM causal_order('${traceId}') LIMIT 1000`;
  return (
    <div class="clock-note" role="note">
      <p>
        Steps of the causal order are shown for up to {formatCount(CAUSAL_SPANS_MAX)} spans, and this trace has {formatCount(totalRows)}; times are aligned. Choose a span in space-time to see what is proven before and after it.
      </p>
      {state.tab.value.id === "space" ? null : <button type="button" class="button quiet small" onClick={() => state.openTab("space")}>Open space-time</button>}
      <a class="button quiet small" href={`/sql?q=${encodeURIComponent(sql)}`}>Ask for the order in SQL</a>
    </div>
  );
}
